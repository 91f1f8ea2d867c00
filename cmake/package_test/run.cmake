# cmake -DSOURCE=… -DBUILD=… -DWORK=… -P run.cmake: installs a build into an empty folder and makes a
# user's program with it: by find_package, by pkg-config, and configured by add_subdirectory.
set(prefix ${WORK}/prefix)
set(user ${SOURCE}/cmake/package_test)

function(must_run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(must_answer program)
  execute_process(COMMAND ${program} --listen tcp://127.0.0.1:0 RESULT_VARIABLE result
    OUTPUT_VARIABLE output ERROR_VARIABLE errors OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT result EQUAL 0 OR NOT output STREQUAL "42")
    message(FATAL_ERROR "${program} ended with ${result} and printed '${output}'\n${errors}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
must_run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component library)

must_run(${CMAKE_COMMAND} -S ${user} -B ${WORK}/package -G Ninja -DCMAKE_PREFIX_PATH=${prefix})
must_run(${CMAKE_COMMAND} --build ${WORK}/package)
must_answer(${WORK}/package/user)
must_run(${WORK}/package/user-test)

find_program(pkg_config NAMES pkg-config pkgconf)
if(pkg_config)
  file(GLOB_RECURSE pc ${prefix}/*/troupe.pc)
  get_filename_component(pc_folder ${pc} DIRECTORY)
  must_run(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc_folder} ${pkg_config} --cflags --libs troupe)
  separate_arguments(flags UNIX_COMMAND "${output}")
  must_run(c++ ${user}/main.cpp ${flags} -o ${WORK}/by-pkg-config)
  must_answer(${WORK}/by-pkg-config)
endif()

must_run(${CMAKE_COMMAND} -S ${user} -B ${WORK}/subdirectory -G Ninja -DTROUPE_SOURCE=${SOURCE})
