# troupe_module(NAME [HEADERS …] [SOURCES …] [TESTS …] [LINKS …] [TEST_LINKS …] [PRIVATE_LINKS …])
#
# Declares the library troupe::NAME of the folder that calls it, proves that its headers compile
# alone, and builds its tests into the program NAME-tests, whose cases ctest finds.
include(GoogleTest)

# When it optimises, GCC 12 warns of what the standard library does inside std::string (its bug
# 105651) and std::vector<std::byte>.
function(troupe_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
    -Woverloaded-virtual -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(TROUPE_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # In a batch, GCC takes a source's own types for a header's.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    foreach(warning array-bounds stringop-overflow stringop-overread)
      target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Wno-${warning}>)
    endforeach()
  endif()
  if(TROUPE_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

function(troupe_module name)
  cmake_parse_arguments(ARG "" "" "HEADERS;SOURCES;TESTS;LINKS;PRIVATE_LINKS;TEST_LINKS" ${ARGN})
  set(target troupe_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(troupe::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME troupe_${name}
    VERIFY_INTERFACE_HEADER_SETS ON LINKER_LANGUAGE CXX
    UNITY_BUILD "${TROUPE_UNITY}" UNITY_BUILD_BATCH_SIZE 16)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
    FILES ${ARG_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  troupe_warnings(${target})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # As position-independent as before, but nobody replaces these functions at load time, and what
    # a thread has of its own, some hundred bytes, is found without a call.
    target_compile_options(${target} PRIVATE -fno-semantic-interposition -ftls-model=initial-exec)
  endif()
  if(TROUPE_TESTS AND ARG_TESTS)
    troupe_tests(${name}-tests SOURCES ${ARG_TESTS} LINKS troupe::${name} ${ARG_TEST_LINKS})
  endif()
endfunction()

# troupe_tests(NAME SOURCES … LINKS …): a GoogleTest program whose cases ctest finds.
function(troupe_tests name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest_main)
  troupe_warnings(${name})
  if(TROUPE_SANITIZE)
    # Optimising what sanitizers add to coroutines takes longer than all tests run.
    target_compile_options(${name} PRIVATE -O0)
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${TROUPE_TEST_PREFIX}"
    DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 900)
endfunction()
