# Shaders: every shaders/<stem>.comp becomes the module "<stem>", and each line of
# shaders/variants.txt one more, "<stem>.<suffix>", or one for each number format. GLSL -> SPIR-V -> validated -> optimised ->
# validated -> embedded and checked by tools/spv_embed.c, which refuses a module whose float
# operations could differ between drivers. Sets GODWIT_SHADER_TABLE_C and GODWIT_SPIRV_DIR.

set(GODWIT_SPIRV_DIR ${PROJECT_BINARY_DIR}/spirv)
set(GODWIT_SHADER_TABLE_C ${PROJECT_BINARY_DIR}/gen/shader_table.c)
set(GODWIT_SPIRV_TARGET vulkan1.2)

find_program(GODWIT_GLSLANG NAMES glslangValidator glslang DOC "GLSL compiler")
find_program(GODWIT_SPIRV_VAL spirv-val)
find_program(GODWIT_SPIRV_OPT spirv-opt)
if(NOT GODWIT_GLSLANG)
    message(FATAL_ERROR "glslangValidator: not found; on Debian or Ubuntu: apt install glslang-tools")
endif()
if(NOT GODWIT_SPIRV_VAL OR NOT GODWIT_SPIRV_OPT)
    message(FATAL_ERROR "spirv-val, spirv-opt: not found; on Debian or Ubuntu: apt install spirv-tools")
endif()

# "Glslang Version: 11:12.0.0" is 12. Cooperative matrices need 14.
execute_process(COMMAND ${GODWIT_GLSLANG} --version OUTPUT_VARIABLE glslang_says ERROR_QUIET)
string(REGEX MATCH "Glslang Version: [0-9]+:([0-9]+)" glslang_says "${glslang_says}")
set(GODWIT_GLSLANG_MAJOR "${CMAKE_MATCH_1}")

# A newer set beside the system's (tools/shader_tools), for these modules alone: all others are made
# by the system's tools on every machine. Its folder is kept, so that configuring again without the
# variable of the environment does not lose it.
set(GODWIT_SHADER_TOOLS_DIR "" CACHE PATH "Folder that tools/shader_tools fetched into; \"\": .cache/shader_tools of the clone")
if(NOT "$ENV{GODWIT_SHADER_TOOLS_DIR}" STREQUAL "")
    set_property(CACHE GODWIT_SHADER_TOOLS_DIR PROPERTY VALUE "$ENV{GODWIT_SHADER_TOOLS_DIR}")
endif()
set(GODWIT_NEW_GLSLANG "")
if(GODWIT_GLSLANG_MAJOR GREATER_EQUAL 14)
    set(GODWIT_NEW_GLSLANG ${GODWIT_GLSLANG})
    set(GODWIT_NEW_SPIRV_VAL ${GODWIT_SPIRV_VAL})
    set(GODWIT_NEW_SPIRV_OPT ${GODWIT_SPIRV_OPT})
else()
    execute_process(COMMAND ${CMAKE_COMMAND} -E env GODWIT_SHADER_TOOLS_DIR=${GODWIT_SHADER_TOOLS_DIR}
                            ${PROJECT_SOURCE_DIR}/tools/shader_tools path
                    OUTPUT_VARIABLE new_tools OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(new_tools)
        set(GODWIT_NEW_GLSLANG ${new_tools}/glslangValidator)
        set(GODWIT_NEW_SPIRV_VAL ${new_tools}/spirv-val)
        set(GODWIT_NEW_SPIRV_OPT ${new_tools}/spirv-opt)
    endif()
endif()

# Passes of the optimiser: those of -O without --loop-unroll. Its folding rules leave an operation
# alone that carries NoContraction, but the unroller (2023.1) forgets the decoration on its copies,
# and a later pass then made fused multiply-adds of them. Drivers still see the unroll hint.
# spv_embed checks each module before and after. Names go last: they are a tenth of the bytes.
set(GODWIT_SPIRV_PASSES
    --preserve-bindings --preserve-spec-constants
    --wrap-opkill --eliminate-dead-branches --merge-return --inline-entry-points-exhaustive
    --eliminate-dead-functions --eliminate-dead-code-aggressive --private-to-local
    --eliminate-local-single-block --eliminate-local-single-store
    --eliminate-dead-code-aggressive --scalar-replacement=100 --convert-local-access-chains
    --eliminate-local-single-block --eliminate-local-single-store
    --eliminate-dead-code-aggressive --ssa-rewrite --eliminate-dead-code-aggressive --ccp
    --eliminate-dead-code-aggressive --eliminate-dead-branches --redundancy-elimination
    --combine-access-chains --simplify-instructions --scalar-replacement=100
    --convert-local-access-chains --eliminate-local-single-block --eliminate-local-single-store
    --eliminate-dead-code-aggressive --ssa-rewrite --eliminate-dead-code-aggressive --vector-dce
    --eliminate-dead-inserts --eliminate-dead-branches --simplify-instructions --if-conversion
    --copy-propagate-arrays --reduce-load-size --eliminate-dead-code-aggressive --merge-blocks
    --redundancy-elimination --eliminate-dead-branches --merge-blocks --simplify-instructions
    --strip-debug)

# A program of the host, also where the library is built for another machine: it needs nothing but
# zstd, so the build's own compiler is right unless this is a cross build.
if(CMAKE_CROSSCOMPILING)
    find_program(GODWIT_HOST_CC NAMES cc gcc clang REQUIRED)
    add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/spv_embed_host
        COMMAND ${GODWIT_HOST_CC} -std=c11 -O1 -o ${PROJECT_BINARY_DIR}/spv_embed_host
                ${PROJECT_SOURCE_DIR}/tools/spv_embed.c -lzstd
        DEPENDS ${PROJECT_SOURCE_DIR}/tools/spv_embed.c VERBATIM)
    set(SPV_EMBED ${PROJECT_BINARY_DIR}/spv_embed_host)
else()
    add_executable(spv_embed ${PROJECT_SOURCE_DIR}/tools/spv_embed.c)
    target_compile_options(spv_embed PRIVATE -Wall -Wextra -Wpedantic
        $<$<BOOL:${GODWIT_WERROR}>:-Werror>)
    target_link_libraries(spv_embed PRIVATE ${ZSTD_LINK_LIBRARIES})
    set(SPV_EMBED spv_embed)
endif()

include(formats)
file(GLOB SHADER_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/shaders/*.comp)
file(GLOB_RECURSE SHADER_INCLUDES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/shaders/*.glsl)

set(SPIRV_FILES)
set(SPIRV_RAW_FILES)
function(godwit_shader_module stem name)
    set(src ${PROJECT_SOURCE_DIR}/shaders/${stem}.comp)
    set(raw ${GODWIT_SPIRV_DIR}/raw/${name}.spv)
    set(out ${GODWIT_SPIRV_DIR}/${name}.spv)
    set(glslang ${GODWIT_GLSLANG})
    set(val ${GODWIT_SPIRV_VAL})
    set(opt ${GODWIT_SPIRV_OPT})
    set(target ${GODWIT_SPIRV_TARGET})
    if(name MATCHES "coopmat")
        set(glslang ${GODWIT_NEW_GLSLANG})
        set(val ${GODWIT_NEW_SPIRV_VAL})
        set(opt ${GODWIT_NEW_SPIRV_OPT})
        set(target vulkan1.3) # matrices are SPIR-V 1.6
    endif()
    add_custom_command(OUTPUT ${out} ${raw}
        COMMAND ${PROJECT_SOURCE_DIR}/tools/spirv ${raw} ${out} ${target} ${glslang} ${val} ${opt}
                ${GODWIT_SPIRV_PASSES} -- -I${PROJECT_SOURCE_DIR}/shaders
                -I${PROJECT_BINARY_DIR}/gen ${ARGN} ${src}
        DEPENDS ${src} ${SHADER_INCLUDES} ${PROJECT_BINARY_DIR}/gen/gen/formats.glsl
                ${PROJECT_SOURCE_DIR}/tools/spirv
        COMMENT "Shader ${name}" VERBATIM)
    set(SPIRV_FILES ${SPIRV_FILES} ${out} PARENT_SCOPE)
    set(SPIRV_RAW_FILES ${SPIRV_RAW_FILES} ${raw} PARENT_SCOPE)
endfunction()

# One module that reads any format, or one a format; GODWIT_FORMATS_<kind> are lists of name=id.
function(godwit_shader_modules stem name reads)
    if(reads STREQUAL any OR NOT GODWIT_MODULE_A_FORMAT)
        godwit_shader_module(${stem} ${name} ${ARGN})
    elseif(NOT DEFINED GODWIT_FORMATS_${reads})
        message(FATAL_ERROR "shaders/variants.txt: ${name}: reads \"${reads}\"; any, all, integer or float")
    else()
        foreach(format IN LISTS GODWIT_FORMATS_${reads})
            string(REGEX MATCH "^(.*)=(.*)$" format "${format}")
            godwit_shader_module(${stem} ${name}.${CMAKE_MATCH_1} ${ARGN}
                                 -DGW_ONLY_FORMAT=${CMAKE_MATCH_2}u)
        endforeach()
    endif()
    set(SPIRV_FILES ${SPIRV_FILES} PARENT_SCOPE)
    set(SPIRV_RAW_FILES ${SPIRV_RAW_FILES} PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${GODWIT_SPIRV_DIR}/raw ${PROJECT_BINARY_DIR}/gen)
set(SHADER_VARIANTS ${PROJECT_SOURCE_DIR}/shaders/variants.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SHADER_VARIANTS})
file(STRINGS ${SHADER_VARIANTS} lines REGEX "^[a-z]")
foreach(src IN LISTS SHADER_SOURCES)
    get_filename_component(stem ${src} NAME_WE)
    set(plain_reads_${stem} any)
endforeach()
foreach(line IN LISTS lines)
    separate_arguments(words UNIX_COMMAND "${line}")
    list(POP_FRONT words stem suffix reads)
    if(NOT reads)
        message(FATAL_ERROR "shaders/variants.txt: \"${line}\": wants <stem> <suffix> <reads> <defines...>")
    endif()
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/shaders/${stem}.comp)
        message(FATAL_ERROR "shaders/variants.txt: ${stem}: there is no shaders/${stem}.comp")
    endif()
    if(suffix STREQUAL "-")
        set(plain_reads_${stem} ${reads})
        continue()
    endif()
    if(suffix MATCHES "coopmat" AND NOT GODWIT_NEW_GLSLANG)
        message(STATUS "Shader ${stem}.${suffix}: left out, needs glslang 14, this is "
                       "${GODWIT_GLSLANG_MAJOR}; tools/shader_tools fetch brings one")
        continue()
    endif()
    set(name ${stem}.${suffix})
    if(suffix MATCHES "^_")
        set(name ${stem}${suffix})
    endif()
    # Lines of one name are for other formats each; one module for all is the first line's.
    if(NOT GODWIT_MODULE_A_FORMAT)
        if(name IN_LIST variants_made)
            continue()
        endif()
        list(APPEND variants_made ${name})
    endif()
    list(TRANSFORM words PREPEND -D)
    godwit_shader_modules(${stem} ${name} ${reads} ${words})
endforeach()
foreach(src IN LISTS SHADER_SOURCES)
    get_filename_component(stem ${src} NAME_WE)
    godwit_shader_modules(${stem} ${stem} ${plain_reads_${stem}})
endforeach()

# Lists in files: a build with many modules would pass the length of a command line.
list(JOIN SPIRV_FILES "\n" modules)
file(CONFIGURE OUTPUT ${GODWIT_SPIRV_DIR}/modules.txt CONTENT "${modules}\n")
list(JOIN SPIRV_RAW_FILES "\n" modules)
file(CONFIGURE OUTPUT ${GODWIT_SPIRV_DIR}/raw/modules.txt CONTENT "${modules}\n")
add_custom_command(OUTPUT ${GODWIT_SHADER_TABLE_C}
    COMMAND ${SPV_EMBED} --check @${GODWIT_SPIRV_DIR}/raw/modules.txt
    COMMAND ${SPV_EMBED} -o ${GODWIT_SHADER_TABLE_C} @${GODWIT_SPIRV_DIR}/modules.txt
    DEPENDS ${SPV_EMBED} ${SPIRV_FILES} ${SPIRV_RAW_FILES} ${GODWIT_SPIRV_DIR}/modules.txt
    COMMENT "Checking and embedding shaders" VERBATIM)
list(LENGTH SPIRV_FILES n_modules)
message(STATUS "Shader modules: ${n_modules}")
if(NOT GODWIT_NEW_GLSLANG)
    set(where "")
    if(GODWIT_SHADER_TOOLS_DIR)
        set(where " (GODWIT_SHADER_TOOLS_DIR is ${GODWIT_SHADER_TOOLS_DIR}: none is there)")
    endif()
    message(WARNING "NO KERNELS FOR COOPERATIVE MATRICES (tensor cores) in this build: they need "
                    "glslang 14, this is ${GODWIT_GLSLANG_MAJOR}${where}. tools/shader_tools fetch "
                    "brings one; then configure again.")
endif()
