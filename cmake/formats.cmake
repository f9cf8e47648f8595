# Formats: makes gen/formats.glsl out of engine/quant/quant.def: the ids, what forms there are, the includes of
# shaders/quant/*.glsl, and the switch over FORMAT. So a number format is one row of that table.

set(def ${PROJECT_SOURCE_DIR}/engine/quant/quant.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
file(STRINGS ${def} rows REGEX "^X\\(")
set(ids "")
set(includes "")
set(floats "")
set(units "")
set(words "false ? 0u")
set(offsets "false ? 0")
set(halves "false")
set(sixteens "false")
set(GODWIT_FORMATS_all)
set(GODWIT_FORMATS_float)
set(GODWIT_FORMATS_integer)
foreach(form FLOAT PLAIN SUB MIN PAIR)
    set(of_${form} "false")
endforeach()
foreach(row IN LISTS rows)
    if(NOT row MATCHES "^X\\(([0-9]+), ([a-z0-9_]+), ([A-Z]+), ([0-9]+), ([01]), ([0-9]+), ([01])\\)")
        message(FATAL_ERROR "engine/quant/quant.def: \"${row}\": wants X(id, name, FORM, words, half, offset, sixteens)")
    endif()
    set(id ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    set(form ${CMAKE_MATCH_3})
    string(APPEND words " : FORMAT == ${id}u ? ${CMAKE_MATCH_4}u")
    string(APPEND offsets " : FORMAT == ${id}u ? ${CMAKE_MATCH_6}")
    if(CMAKE_MATCH_7)
        string(APPEND sixteens " || FORMAT == ${id}u")
    endif()
    if(CMAKE_MATCH_5)
        string(APPEND halves " || FORMAT == ${id}u")
    endif()
    string(APPEND ids "const uint GW_FMT_${name} = ${id}u;\n")
    string(APPEND includes "#include \"quant/${name}.glsl\"\n")
    string(APPEND of_${form} " || FORMAT == ${id}u")
    list(APPEND GODWIT_FORMATS_all ${name}=${id})
    if(form STREQUAL FLOAT)
        list(APPEND GODWIT_FORMATS_float ${name}=${id})
        string(APPEND floats "    if (FORMAT == ${id}u) ${name}_unit(row, u, w);\n")
    else()
        list(APPEND GODWIT_FORMATS_integer ${name}=${id})
        string(APPEND units "    if (FORMAT == ${id}u) ${name}_unit(block, j, unit);\n")
    endif()
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/gen/gen/formats.glsl CONTENT
"// Made by cmake/formats.cmake of engine/quant/quant.def.
${ids}
const bool FLOAT_FORMAT = ${of_FLOAT};
const bool SUB_FORMAT = ${of_SUB};
const bool MIN_FORMAT = ${of_MIN};
const bool PAIR_FORMAT = ${of_PAIR};
// Of a block of a row: 32-bit words, and whether it has a half beside them.
const uint RECORD_WORDS = ${words} : 0u;
const bool HALF_TAIL = ${halves};
// The halves of a unit have scales of their own; in other formats s0 = s1 and z0 = z1.
const bool HALVES = ${sixteens};
// Integer formats: what the codes of a unit are more than its q.
const int OFFSET = ${offsets} : 0;

#include \"lib/planes.glsl\"
${includes}
// Float formats: the 8 weights of unit u of a row.
void gw_unit_floats(gw_row row, uint u, out float w[8]) {
${floats}}

// Integer formats: unit j of a block.
void gw_unit_read(gw_block block, uint j, out gw_unit unit) {
${units}}
" @ONLY)
