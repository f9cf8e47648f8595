// Weights: reading units of a weight matrix in any number format, always from 32-bit words.
// Before this the including shader declares its other bindings, from 3 on, and its params with
//   q_stride, s_stride: words from a row to the next, of quants and of sides; t_offset: words from a row's sides to its
//   tails; n_units: units of a row
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

// The same words as fours and one by one. Sides and table are other words; a format without them has quants there.
GW_FOURS(0, gw_quant4)
GW_WORDS(0, gw_quant)
GW_WORDS(1, gw_side)
GW_WORDS(2, gw_entry)

#include "lib/planes.glsl"
#include "gen/formats.glsl"

const uint UNIT = FLOAT_FORMAT ? 8u : 32u; // elements of a unit

gw_row gw_row_at(uint row) {
    uint s = row * p.s_stride;
    return gw_row(row * p.q_stride, s, s + p.t_offset, p.n_units);
}

#endif
