# Everything comes from Debian 12's packages; nothing is downloaded. This file is also installed:
# whoever links the static libraries needs the same targets.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

# Header-only or without a usable package: one imported target each, so that an exported Troupe
# names them and carries no path of the machine it was built on.
function(troupe_dependency name header)
  cmake_parse_arguments(ARG "" "LIBRARY" "DEFINITIONS;LINKS" ${ARGN})
  if(TARGET ${name})
    return()
  endif()
  string(TOUPPER ${name} variable)
  find_path(${variable}_INCLUDE ${header} REQUIRED)
  mark_as_advanced(${variable}_INCLUDE)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${name} INTERFACE ${${variable}_INCLUDE})
  target_compile_definitions(${name} INTERFACE ${ARG_DEFINITIONS})
  target_link_libraries(${name} INTERFACE ${ARG_LINKS})
  if(ARG_LIBRARY)
    find_library(${variable}_LIBRARY ${ARG_LIBRARY} REQUIRED)
    mark_as_advanced(${variable}_LIBRARY)
    target_link_libraries(${name} INTERFACE ${${variable}_LIBRARY})
  endif()
endfunction()

# msgpack-cxx's own package asks for Boost, which the library does not need with this definition.
troupe_dependency(troupe_msgpack msgpack/pack.hpp DEFINITIONS MSGPACK_NO_BOOST)
# Without ASIO_NO_DEPRECATED, because RESTinio uses what it hides.
troupe_dependency(troupe_asio asio/io_context.hpp DEFINITIONS ASIO_STANDALONE LINKS Threads::Threads)
troupe_dependency(troupe_zmq zmq.hpp LIBRARY zmq)
troupe_dependency(troupe_cli11 CLI/CLI.hpp)
troupe_dependency(troupe_json nlohmann/json.hpp)
troupe_dependency(troupe_toml toml++/toml.h LIBRARY tomlplusplus
  DEFINITIONS TOML_HEADER_ONLY=0 TOML_SHARED_LIB=1)
troupe_dependency(troupe_restinio restinio/all.hpp LIBRARY http_parser LINKS troupe_asio fmt::fmt)
troupe_dependency(troupe_prometheus prometheus/registry.h LIBRARY prometheus-cpp-core)
