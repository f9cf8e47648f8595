# What `cmake --install` puts where, in three components, which `cpack` makes packages of:
#   runtime  the shared library
#   cli      the command, its manual page and completions; the model that ships, with its card and
#            attribution
#   dev      header, libraries to link with, pkg-config file, CMake package

include(CMakePackageConfigHelpers)
# Of rules that name none.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME cli)

install(FILES ${PROJECT_SOURCE_DIR}/include/godwit/godwit.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/godwit COMPONENT dev)
install(TARGETS godwit_static EXPORT GodwitTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
if(TARGET godwit_shared)
    install(TARGETS godwit_shared EXPORT GodwitTargets
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev)
endif()
if(TARGET godwit)
    install(TARGETS godwit RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cli)
endif()
if(TARGET godwit AND GODWIT_PAGES_DIR)
    install(FILES ${GODWIT_PAGES_DIR}/godwit.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
            COMPONENT cli)
    install(FILES ${GODWIT_PAGES_DIR}/godwit.bash RENAME godwit
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT cli)
    install(FILES ${GODWIT_PAGES_DIR}/_godwit
            DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT cli)
    install(FILES ${GODWIT_PAGES_DIR}/godwit.fish
            DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT cli)
endif()
# CC-BY: the attribution goes where the model goes.
foreach(file story-q8_0.gguf story-ATTRIBUTION.tsv story.md)
    if(EXISTS ${PROJECT_SOURCE_DIR}/models/${file})
        install(FILES ${PROJECT_SOURCE_DIR}/models/${file}
                DESTINATION ${CMAKE_INSTALL_DATADIR}/godwit COMPONENT cli)
    endif()
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/godwit COMPONENT cli)
foreach(package godwit:cli libgodwit0:runtime libgodwit-dev:dev)
    string(REPLACE ":" ";" package ${package})
    list(GET package 0 name)
    list(GET package 1 component)
    install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
endforeach()

file(RELATIVE_PATH GODWIT_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" GODWIT_PC_TO_PREFIX ${GODWIT_PC_TO_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/godwit.pc.in ${PROJECT_BINARY_DIR}/godwit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/godwit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT dev)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Godwit)
install(EXPORT GodwitTargets NAMESPACE Godwit:: DESTINATION ${cmake_dir} COMPONENT dev)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/GodwitConfig.cmake.in
    ${PROJECT_BINARY_DIR}/GodwitConfig.cmake INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/GodwitConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/GodwitConfig.cmake ${PROJECT_BINARY_DIR}/GodwitConfigVersion.cmake
        DESTINATION ${cmake_dir} COMPONENT dev)

include(package)
