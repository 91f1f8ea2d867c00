# What a user links: troupe::troupe, where <troupe/troupe.hpp> is node/troupe.hpp, and for tests
# troupe::testing, where <troupe/testing.hpp> is actors/testing/testing.hpp; for handlers that await
# Asio's operations troupe::asio, where <troupe/asio.hpp> is node/asio.hpp. The forwarding headers
# make the same includes work in this tree, from add_subdirectory and from an installed copy.
if(NOT TARGET troupe_node OR TARGET troupe_troupe)
  return()
endif()

function(troupe_face target name header)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/troupe/${name}.hpp
    CONTENT "#pragma once\n\n#include \"${header}\"\n")
  add_library(${target} INTERFACE)
  add_library(troupe::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_sources(${target} INTERFACE FILE_SET HEADERS
    BASE_DIRS ${PROJECT_BINARY_DIR}/include FILES ${PROJECT_BINARY_DIR}/include/troupe/${name}.hpp)
  target_link_libraries(${target} INTERFACE ${ARGN})
endfunction()

troupe_face(troupe_troupe troupe node/troupe.hpp troupe::node)
troupe_face(troupe_asio_face asio node/asio.hpp troupe::node troupe_asio)
troupe_face(troupe_testing testing actors/testing/testing.hpp troupe::test_kit)
