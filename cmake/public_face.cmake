# troupe::troupe, what a user links: <troupe/troupe.hpp> is node/troupe.hpp. The forwarding header
# makes the same include work in this tree, from add_subdirectory and from an installed copy.
if(NOT TARGET troupe_node OR TARGET troupe_troupe)
  return()
endif()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/troupe/troupe.hpp
  CONTENT "#pragma once\n\n#include \"node/troupe.hpp\"\n")
add_library(troupe_troupe INTERFACE)
add_library(troupe::troupe ALIAS troupe_troupe)
set_target_properties(troupe_troupe PROPERTIES EXPORT_NAME troupe)
target_sources(troupe_troupe INTERFACE FILE_SET HEADERS
  BASE_DIRS ${PROJECT_BINARY_DIR}/include FILES ${PROJECT_BINARY_DIR}/include/troupe/troupe.hpp)
target_link_libraries(troupe_troupe INTERFACE troupe::node)
