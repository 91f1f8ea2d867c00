# Everything comes from Debian 12's packages; nothing is downloaded.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

# msgpack-cxx's own package asks for Boost, which the library does not need with this definition.
add_library(troupe_msgpack INTERFACE)
find_path(TROUPE_MSGPACK_INCLUDE msgpack/pack.hpp REQUIRED)
target_include_directories(troupe_msgpack SYSTEM INTERFACE ${TROUPE_MSGPACK_INCLUDE})
target_compile_definitions(troupe_msgpack INTERFACE MSGPACK_NO_BOOST)

# Debian's Asio has neither a CMake package nor a pkg-config file.
add_library(troupe_asio INTERFACE)
find_path(TROUPE_ASIO_INCLUDE asio/io_context.hpp REQUIRED)
target_include_directories(troupe_asio SYSTEM INTERFACE ${TROUPE_ASIO_INCLUDE})
target_compile_definitions(troupe_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED)
target_link_libraries(troupe_asio INTERFACE Threads::Threads)

add_library(troupe_zmq INTERFACE)
find_path(TROUPE_ZMQ_INCLUDE zmq.hpp REQUIRED)
find_library(TROUPE_ZMQ_LIBRARY zmq REQUIRED)
target_include_directories(troupe_zmq SYSTEM INTERFACE ${TROUPE_ZMQ_INCLUDE})
target_link_libraries(troupe_zmq INTERFACE ${TROUPE_ZMQ_LIBRARY})
