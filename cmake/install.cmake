# What `cmake --install` puts where: header, libraries, command, pkg-config file, CMake package,
# manual page and completions, and the model that ships.

include(CMakePackageConfigHelpers)

install(FILES ${PROJECT_SOURCE_DIR}/include/godwit/godwit.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/godwit)
install(TARGETS godwit_static EXPORT GodwitTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET godwit_shared)
    install(TARGETS godwit_shared EXPORT GodwitTargets
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(TARGET godwit)
    install(TARGETS godwit RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET godwit AND GODWIT_PAGES_DIR)
    install(FILES ${GODWIT_PAGES_DIR}/godwit.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${GODWIT_PAGES_DIR}/godwit.bash RENAME godwit
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${GODWIT_PAGES_DIR}/_godwit
            DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${GODWIT_PAGES_DIR}/godwit.fish
            DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/models/story-q8_0.gguf)
    install(FILES ${PROJECT_SOURCE_DIR}/models/story-q8_0.gguf
            DESTINATION ${CMAKE_INSTALL_DATADIR}/godwit)
endif()

file(RELATIVE_PATH GODWIT_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" GODWIT_PC_TO_PREFIX ${GODWIT_PC_TO_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/godwit.pc.in ${PROJECT_BINARY_DIR}/godwit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/godwit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Godwit)
install(EXPORT GodwitTargets NAMESPACE Godwit:: DESTINATION ${cmake_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/GodwitConfig.cmake.in
    ${PROJECT_BINARY_DIR}/GodwitConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/GodwitConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/GodwitConfig.cmake ${PROJECT_BINARY_DIR}/GodwitConfigVersion.cmake
        DESTINATION ${cmake_dir})
