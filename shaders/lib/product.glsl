// Product: one term of an integer product, 32 weights by 32 int8 activations; the twin of engine/ops/product.h.
// The including shader includes lib/weights.glsl before.
#ifndef GW_LIB_PRODUCT
#define GW_LIB_PRODUCT

#ifdef GW_DOT
// OpSDot (SPV_KHR_integer_dot_product) with packed 4x8 signed operands.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int gw_sdot(uint a, uint b, spirv_literal int packed_format);
int gw_dot4(uint a, uint b, int sum) {
    return sum + gw_sdot(a, b, 0);
}
#else
int gw_dot4(uint a, uint b, int sum) {
    for (int i = 0; i < 4; i++) sum += gw_byte(a, i) * gw_byte(b, i);
    return sum;
}
#endif

// What a term takes of a unit, its integers as floats.
struct gw_scales {
    float d, m, s0, s1, z0, z1;
};

// dot: exact integer dots of weights 0..15 and 16..31; sum: sums of the activations, read for MIN only; xd: their scale.
// Without HALVES dot0 and sum0 are those of the whole unit. All are integers below 2^24, so their products are exact
// as floats, which cost a GPU a quarter of integer ones.
float gw_term_of(gw_scales w, float dot0, float dot1, float sum0, float sum1, float xd) {
    if (PAIR_FORMAT) return gw_add(gw_mul(gw_mul(w.d, xd), dot0), gw_mul(gw_mul(w.m, xd), dot1));
    float all = dot0;
    if (SUB_FORMAT || MIN_FORMAT) all = HALVES ? gw_add(gw_mul(w.s0, dot0), gw_mul(w.s1, dot1)) : gw_mul(w.s0, dot0);
    float term = gw_mul(gw_mul(w.d, xd), all);
    if (!MIN_FORMAT) return term;
    float min = HALVES ? gw_add(gw_mul(w.z0, sum0), gw_mul(w.z1, sum1)) : gw_mul(w.z0, sum0);
    return gw_sub(term, gw_mul(gw_mul(w.m, xd), min));
}

// The same of the halves' dots and sums; without HALVES each may also come whole, in x.
float gw_term(gw_unit w, ivec2 dot, ivec2 sum, float xd) {
    gw_scales of = gw_scales(w.d, w.m, float(w.s0), float(w.s1), float(w.z0), float(w.z1));
    float dot0 = float(HALVES ? dot.x : dot.x + dot.y), sum0 = float(HALVES ? sum.x : sum.x + sum.y);
    return gw_term_of(of, dot0, float(dot.y), sum0, float(sum.y), xd);
}

// Weight i of a unit as fp32, not flushed.
float gw_unit_weight(gw_unit w, uint i) {
    bool low = i < 16u;
    float q = float(gw_byte(w.w[i / 4u], int(i % 4u)));
    if (PAIR_FORMAT) return gw_mul(low ? w.d : w.m, q);
    float value = gw_mul(SUB_FORMAT || MIN_FORMAT ? gw_mul(w.d, float(low ? w.s0 : w.s1)) : w.d, q);
    if (MIN_FORMAT) value = gw_sub(value, gw_mul(w.m, float(low ? w.z0 : w.z1)));
    return value;
}

#endif
