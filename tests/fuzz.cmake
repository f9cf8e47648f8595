# tests/fuzz/<parser>_fuzz.c is one libFuzzer program; its seeds are tests/fuzz/corpus/<parser>/,
# its dictionary tests/fuzz/<parser>.dict. As a CTest each runs for FUZZ_SECONDS; new inputs go to
# the build folder, crashes too.

set(FUZZ_SECONDS 60 CACHE STRING "Seconds that each fuzzer runs as a test")

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/*_fuzz.c)
foreach(src IN LISTS sources)
    get_filename_component(name ${src} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" parser ${name})
    add_executable(${name} ${src} ${GODWIT_OBJECTS})
    target_include_directories(${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/engine ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE godwit_flags ${GODWIT_PRIVATE_LIBS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(work ${CMAKE_CURRENT_BINARY_DIR}/corpus/${parser})
    file(MAKE_DIRECTORY ${work} ${CMAKE_CURRENT_BINARY_DIR}/crash)
    set(args -max_total_time=${FUZZ_SECONDS} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
             -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/crash/${parser}- ${work})
    if(IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${parser})
        list(APPEND args ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${parser})
    endif()
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${parser}.dict)
        list(APPEND args -dict=${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${parser}.dict)
    endif()
    add_test(NAME fuzz.${parser} COMMAND ${name} ${args}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(fuzz.${parser} PROPERTIES LABELS fuzz)
endforeach()
