# find_package(troupe), pkg-config, and the programs. Headers keep their folders below
# include/troupe-0/, so that `#include "base/ids.hpp"` means the same there.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(TROUPE_INCLUDE ${CMAKE_INSTALL_INCLUDEDIR}/troupe-${PROJECT_VERSION_MAJOR})
set(TROUPE_CMAKE ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)

if(TARGET troupe_troupe)
  set(libraries troupe_base troupe_actors troupe_transport troupe_registry troupe_node troupe_troupe
    troupe_asio_face troupe_test_kit troupe_testing)
  install(TARGETS ${libraries} EXPORT troupe-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
    FILE_SET HEADERS DESTINATION ${TROUPE_INCLUDE} COMPONENT library)
  install(EXPORT troupe-targets NAMESPACE troupe:: DESTINATION ${TROUPE_CMAKE} COMPONENT library)
  configure_package_config_file(cmake/troupe-config.cmake.in
    ${PROJECT_BINARY_DIR}/troupe-config.cmake INSTALL_DESTINATION ${TROUPE_CMAKE})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/troupe-config-version.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES cmake/dependencies.cmake ${PROJECT_BINARY_DIR}/troupe-config.cmake
    ${PROJECT_BINARY_DIR}/troupe-config-version.cmake
    DESTINATION ${TROUPE_CMAKE} COMPONENT library)
  file(RELATIVE_PATH TROUPE_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(cmake/troupe.pc.in ${PROJECT_BINARY_DIR}/troupe.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/troupe.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
endif()
foreach(program trouped troupe)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
  endif()
endforeach()
