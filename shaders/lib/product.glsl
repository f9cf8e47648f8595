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

// dot: exact integer dots of weights 0..15 and 16..31; sum: sums of the activations, read for MIN only; xd: their scale.
// Without HALVES only the sums of both count, and may come whole.
float gw_term(gw_unit w, ivec2 dot, ivec2 sum, float xd) {
    if (PAIR_FORMAT) {
        return gw_add(gw_mul(gw_mul(w.d, xd), float(dot.x)), gw_mul(gw_mul(w.m, xd), float(dot.y)));
    }
    // Products of integers below 2^24 are exact as floats, and cost a GPU a quarter of integer ones.
    float all = float(dot.x + dot.y);
    if (SUB_FORMAT || MIN_FORMAT) {
        all = HALVES ? gw_add(gw_mul(float(w.s0), float(dot.x)), gw_mul(float(w.s1), float(dot.y)))
                     : gw_mul(float(w.s0), all);
    }
    float term = gw_mul(gw_mul(w.d, xd), all);
    if (MIN_FORMAT) {
        float min = HALVES ? gw_add(gw_mul(float(w.z0), float(sum.x)), gw_mul(float(w.z1), float(sum.y)))
                           : gw_mul(float(w.z0), float(sum.x + sum.y));
        term = gw_sub(term, gw_mul(gw_mul(w.m, xd), min));
    }
    return term;
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
