// Weights: reading units of a weight matrix in any number format, always from 32-bit words.
// The including shader has declared  uvec4 gw_quants[]  and  uint gw_scales[]  (two halves a word).
// FORMAT is a specialization constant: the branches below are gone from the compiled kernel.
#ifndef GW_LIB_WEIGHTS
#define GW_LIB_WEIGHTS

#include "lib/exact.glsl"

layout(constant_id = 3) const uint FORMAT = 0u; // id of quant.def

const uint GW_FMT_f32 = 0u, GW_FMT_f16 = 1u, GW_FMT_bf16 = 2u, GW_FMT_q8_0 = 3u, GW_FMT_q4_0 = 4u;
const bool FLOAT_FORMAT = FORMAT <= GW_FMT_bf16;
const uint UNIT = FLOAT_FORMAT ? 8u : 32u; // elements of a unit

#include "quant/f32.glsl"
#include "quant/f16.glsl"
#include "quant/bf16.glsl"
#include "quant/q8_0.glsl"
#include "quant/q4_0.glsl"

// Float formats: the 8 weights of unit `at` (row * units a row + unit).
void gw_unit_floats(uint at, out float w[8]) {
    if (FORMAT == GW_FMT_f32) f32_unit(at, w);
    else if (FORMAT == GW_FMT_f16) f16_unit(at, w);
    else bf16_unit(at, w);
}

// Integer formats: the 32 weights of unit `at` as signed bytes, four to a word, in order.
void gw_unit_words(uint at, out uint w[8]) {
    if (FORMAT == GW_FMT_q8_0) q8_0_words(at, w);
    else q4_0_words(at, w);
}

// Integer formats: the scale of unit `at`.
float gw_unit_scale(uint at) {
    return gw_f16_to_f32((gw_scales[at >> 1] >> ((at & 1u) * 16u)) & 0xffffu);
}

int gw_byte(uint word, int i) {
    return bitfieldExtract(int(word), 8 * i, 8);
}

#endif
