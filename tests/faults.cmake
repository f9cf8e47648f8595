# Faults: shader modules that are wrong on purpose, to prove that verification finds them. Each is
# made here of the real source with one constant changed, and of nothing else; no line of the
# library knows of it. test_faults has a table a fault (fault_<name>_table), for
# gw_gpu_override_shaders; godwit_faulty is the command with the faults "dot" and "texel" built in.

set(FAULT_TABLES)

# godwit_fault(NAME STEM MODULE FROM TO DEFINES...): FROM is in shaders/STEM.comp or in an include.
function(godwit_fault name stem module from to)
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/faults/${name})
    set(glslang ${GODWIT_GLSLANG})
    set(target ${GODWIT_SPIRV_TARGET})
    if(module MATCHES "coopmat") # as in cmake/shaders.cmake
        set(glslang ${GODWIT_NEW_GLSLANG})
        set(target vulkan1.3)
    endif()
    file(GLOB files RELATIVE ${PROJECT_SOURCE_DIR}/shaders ${PROJECT_SOURCE_DIR}/shaders/lib/*.glsl)
    set(found FALSE)
    foreach(file IN ITEMS ${stem}.comp ${files})
        set(src ${PROJECT_SOURCE_DIR}/shaders/${file})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${src})
        file(READ ${src} text)
        string(REPLACE "${from}" "${to}" changed "${text}")
        if(NOT changed STREQUAL text)
            set(found TRUE)
        endif()
        file(CONFIGURE OUTPUT ${dir}/${file} CONTENT "${changed}" @ONLY)
    endforeach()
    if(NOT found)
        message(FATAL_ERROR "tests/faults.cmake: ${name}: no shader has \"${from}\"")
    endif()
    add_custom_command(OUTPUT ${dir}/${module}.spv
        COMMAND ${glslang} -V --quiet --target-env ${target}
                -I${PROJECT_SOURCE_DIR}/shaders -I${PROJECT_BINARY_DIR}/gen ${ARGN}
                -o ${dir}/${module}.spv ${dir}/${stem}.comp
        DEPENDS ${dir}/${stem}.comp ${SHADER_INCLUDES} ${PROJECT_BINARY_DIR}/gen/gen/formats.glsl
        COMMENT "Fault ${name}" VERBATIM)
    add_custom_command(OUTPUT ${dir}/table.c
        COMMAND ${SPV_EMBED} -o ${dir}/table.c ${dir}/${module}.spv
        DEPENDS ${SPV_EMBED} ${dir}/${module}.spv VERBATIM)
    set_source_files_properties(${dir}/table.c PROPERTIES
        COMPILE_DEFINITIONS gw_shader_table=fault_${name}_table)
    set(FAULT_TABLES ${FAULT_TABLES} ${dir}/table.c PARENT_SCOPE)
    set(FAULT_${name} ${dir}/${module}.spv PARENT_SCOPE)
endfunction()

# Every product of the packed-dot variants is off by one.
godwit_fault(dot matmul matmul.dot "ivec2 dot = ivec2(0)" "ivec2 dot = ivec2(1)" -DGW_DOT=1)
godwit_fault(texel matmul matmul.texel "ivec2 dot = ivec2(0)" "ivec2 dot = ivec2(1)" -DGW_DOT=1
             -DGW_TEXEL=1)
# Only formats with a minimum are wrong.
godwit_fault(minimum matmul matmul.dot "0x01010101u" "0x01010100u" -DGW_DOT=1)
# Right in a launch that is whole, wrong in pieces of one: where it begins is forgotten.
godwit_fault(piece matmul matmul.dot "first_row = (gl_WorkGroupID.x +"
             "first_row = (gl_WorkGroupID.x % gl_NumWorkGroups.x +" -DGW_DOT=1)
# Each tile of more than one result is off by one, as if the driver compiled it wrongly.
godwit_fault(tile matmul matmul "total[r * COLS + c])"
             "(ROWS * COLS > 1u ? gw_add(total[r * COLS + c], 1.0) : total[r * COLS + c]))")
godwit_fault(tile_texel matmul matmul.texel "total[r * COLS + c])"
             "(ROWS * COLS > 1u ? gw_add(total[r * COLS + c], 1.0) : total[r * COLS + c]))"
             -DGW_DOT=1 -DGW_TEXEL=1)
# A plain kernel, around which nothing leads: an eighth of each unit is left out.
godwit_fault(norm rms_norm rms_norm "part(u, 7u)" "part(u, 6u)")
# Matrices, exact and fast: of a unit's columns the first are taken again, of two units' the last are left out.
if(GODWIT_NEW_GLSLANG)
    godwit_fault(matrix matmul matmul.coopmat "else low = coopMatMulAdd(a[k], b[j * N_K + k], low)"
                 "else low = coopMatMulAdd(a[0], b[j * N_K + k], low)" -DGW_COOPMAT=8)
    godwit_fault(halves matmul matmul.coopmat_fast "k < 16u; k += K" "k < 8u; k += K" -DGW_COOPMAT=16)
    target_compile_definitions(test_run PRIVATE TEST_MATRIX_FAULTS)
endif()

add_library(test_faults STATIC ${FAULT_TABLES})
target_include_directories(test_faults PRIVATE ${PROJECT_SOURCE_DIR}/include
                           ${PROJECT_SOURCE_DIR}/engine)
target_link_libraries(test_faults PRIVATE godwit_flags)
target_link_libraries(test_run PRIVATE test_faults)

if(TARGET godwit)
    set(modules ${SPIRV_FILES})
    list(FILTER modules EXCLUDE REGEX "/matmul[.](dot|texel)[.]") # one a format; the faults read any
    list(APPEND modules ${FAULT_dot} ${FAULT_texel})
    list(JOIN modules "\n" text)
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/faults)
    file(CONFIGURE OUTPUT ${dir}/modules.txt CONTENT "${text}\n")
    add_custom_command(OUTPUT ${dir}/shader_table.c
        COMMAND ${SPV_EMBED} -o ${dir}/shader_table.c @${dir}/modules.txt
        DEPENDS ${SPV_EMBED} ${modules} ${dir}/modules.txt ${GODWIT_SHADER_TABLE_C} VERBATIM)
    add_executable(godwit_faulty ${CLI_SOURCES} ${dir}/shader_table.c
                   $<FILTER:$<TARGET_OBJECTS:godwit_objects>,EXCLUDE,shader_table>)
    target_include_directories(godwit_faulty PRIVATE ${PROJECT_SOURCE_DIR}/include
                               ${PROJECT_SOURCE_DIR}/engine)
    target_include_directories(godwit_faulty SYSTEM PRIVATE ${JANSSON_INCLUDE_DIRS})
    target_link_libraries(godwit_faulty PRIVATE godwit_flags ${GODWIT_PRIVATE_LIBS}
        ${JANSSON_LINK_LIBRARIES} Threads::Threads m)
    target_compile_definitions(godwit_faulty PRIVATE GODWIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
