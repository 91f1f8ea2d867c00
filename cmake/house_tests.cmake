# Tests of the house itself: layers, documents, headers, and the installed package.
function(house_test name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS house TIMEOUT 300)
endfunction()

house_test(layering
  ${Python3_EXECUTABLE} cmake/check_layers.py cmake/layers.txt ${PROJECT_SOURCE_DIR})
house_test(layering-check ${Python3_EXECUTABLE} cmake/check_layers.test.py)
house_test(docs ${Python3_EXECUTABLE} cmake/check_docs.py ${PROJECT_SOURCE_DIR})
house_test(docs-check ${Python3_EXECUTABLE} cmake/check_docs.test.py)

# Each header alone is a translation unit of this target.
house_test(headers
  ${CMAKE_COMMAND} --build ${PROJECT_BINARY_DIR} --target all_verify_interface_header_sets)
set_tests_properties(headers PROPERTIES RESOURCE_LOCK build)

# What a user sees first: the walk-through, and the containers (skipped where no engine answers).
if(TARGET trouped AND TARGET troupe)
  house_test(demo examples/demo $<TARGET_FILE_DIR:trouped>)
  house_test(compose cluster-tests/compose/run)
  set_tests_properties(compose PROPERTIES LABELS compose SKIP_RETURN_CODE 77 TIMEOUT 1200)
endif()

house_test(locks ${Python3_EXECUTABLE} cmake/check_locks.py ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR})
set_tests_properties(locks PROPERTIES SKIP_RETURN_CODE 77)

# What a user does with the library: install it, find it, link it.
if(TARGET troupe_troupe)
  house_test(package ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DBUILD=${PROJECT_BINARY_DIR}
    -DWORK=${PROJECT_BINARY_DIR}/package_test -P cmake/package_test/run.cmake)
  set_tests_properties(package PROPERTIES RESOURCE_LOCK build)
endif()
