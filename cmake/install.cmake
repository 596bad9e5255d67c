# `cmake --install`: headers, libraries, the program, and a package that find_package(rung) finds.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/rung)

install(DIRECTORY common/core common/files common/text common/model common/convert common/seams common/ops common/devices
        common/loop common/catalog common/engine common/measure DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rung
        FILES_MATCHING PATTERN "*.hpp")
install(TARGETS rung RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES models/tiny.gguf models/draft.gguf models/tiny-mha.gguf models/pull.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/rung/models)
install(DIRECTORY models/tiny models/draft models/moe DESTINATION ${CMAKE_INSTALL_DATADIR}/rung/models)

install(DIRECTORY tools/lessons DESTINATION ${CMAKE_INSTALL_DATADIR}/rung/tools FILES_MATCHING PATTERN "*.py")

install(EXPORT rungTargets NAMESPACE rung:: DESTINATION ${package_folder})
configure_package_config_file(cmake/rungConfig.cmake.in ${PROJECT_BINARY_DIR}/rungConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rungConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rungConfig.cmake ${PROJECT_BINARY_DIR}/rungConfigVersion.cmake
        DESTINATION ${package_folder})
