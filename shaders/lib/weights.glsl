// Weights: reading units of a weight matrix in any number format, always from 32-bit words; the twin of
// engine/quant/layout.h, which says how rows lie.
// Before this the including shader declares its other bindings, from 3 on, and its params with
//   group_pieces: 16-byte pieces of a group of rows; group_rows: rows of one, 32 or (float formats) 1
// FORMAT is a constant of the module or, in modules for any format, a specialization constant: the branches of
// gen/formats.glsl (made of engine/quant/quant.def) are gone from the compiled kernel.
#ifndef GW_LIB_WEIGHTS
#define GW_LIB_WEIGHTS

#include "lib/exact.glsl"
#include "lib/load.glsl"

#ifdef GW_ONLY_FORMAT
const uint FORMAT = GW_ONLY_FORMAT; // a module for one format (shaders/variants.txt)
#else
layout(constant_id = 3) const uint FORMAT = 0u; // id of quant.def
#endif

// The same words in pieces of four and one by one.
GW_FOURS(0, gw_piece)
GW_WORDS(0, gw_word)
GW_WORDS(1, gw_entry) // the format's table; weights where it has none

const uint GROUP = 32u; // rows

// The piece where a row's group begins, and its number in it.
struct gw_row {
    uint at, lane;
};

#include "gen/formats.glsl"

const uint UNIT = FLOAT_FORMAT ? 8u : 32u; // elements of a unit

gw_row gw_row_at(uint row) {
    bool grouped = !FLOAT_FORMAT || p.group_rows == GROUP;
    return gw_row((grouped ? row >> 5 : row) * p.group_pieces, grouped ? row & 31u : 0u);
}
gw_block gw_block_at(gw_row row, uint b) {
    return gw_block(row.at + b * BLOCK_PIECES, row.lane);
}

#endif
