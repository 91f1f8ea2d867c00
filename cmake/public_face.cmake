# What a user links: troupe::troupe, where <troupe/troupe.hpp> is node/troupe.hpp, and for tests
# troupe::testing, where <troupe/testing.hpp> is actors/testing/testing.hpp. The forwarding headers
# make the same includes work in this tree, from add_subdirectory and from an installed copy.
if(NOT TARGET troupe_node OR TARGET troupe_troupe)
  return()
endif()

function(troupe_face name header)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/troupe/${name}.hpp
    CONTENT "#pragma once\n\n#include \"${header}\"\n")
  add_library(troupe_${name} INTERFACE)
  add_library(troupe::${name} ALIAS troupe_${name})
  set_target_properties(troupe_${name} PROPERTIES EXPORT_NAME ${name})
  target_sources(troupe_${name} INTERFACE FILE_SET HEADERS
    BASE_DIRS ${PROJECT_BINARY_DIR}/include FILES ${PROJECT_BINARY_DIR}/include/troupe/${name}.hpp)
  target_link_libraries(troupe_${name} INTERFACE ${ARGN})
endfunction()

troupe_face(troupe node/troupe.hpp troupe::node)
troupe_face(testing actors/testing/testing.hpp troupe::test_kit)
