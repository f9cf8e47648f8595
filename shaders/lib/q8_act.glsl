// Q8 activations: 32 floats to 32 signed bytes and one scale; the twin of engine/ops/q8_act.h.
//   d = flush(amax / 127), q = round(v * 127 / amax), ties to even; d = 0 gives all zeros
// amax is the largest of the bits of |v|; at infinity or NaN d is the one NaN, and all q are 0.
#ifndef GW_LIB_Q8_ACT
#define GW_LIB_Q8_ACT

#include "lib/exact.glsl"

uint gw_q8_amax(uint amax, vec4 v) {
    for (int i = 0; i < 4; i++) amax = max(amax, floatBitsToUint(v[i]) & 0x7fffffffu);
    return amax;
}

// d, and what a value is multiplied by: 0 where all q are 0.
float gw_q8_scale(uint amax, out float scale) {
    bool odd = amax >= GW_INF_BITS;
    float a = uintBitsToFloat(odd ? 0u : amax);
    float d = gw_flush(gw_mul(a, 0.00787401574));
    scale = d == 0.0 ? 0.0 : gw_mul(127.0, gw_rcp(a));
    return uintBitsToFloat(odd ? GW_NAN_BITS : floatBitsToUint(d));
}

// Four q in a word.
uint gw_q8_word(vec4 v, float scale) {
    uint word = 0u;
    for (int k = 0; k < 4; k++) word |= (uint(gw_round(gw_mul(v[k], scale))) & 0xffu) << (8 * k);
    return scale == 0.0 ? 0u : word;
}

// A group of 32 in one invocation. Returns d.
float gw_q8_pack(float v[32], out uint w[8]) {
    uint amax = 0u;
    for (int i = 0; i < 32; i++) amax = max(amax, floatBitsToUint(v[i]) & 0x7fffffffu);
    float scale, d = gw_q8_scale(amax, scale);
    for (int i = 0; i < 8; i++) {
        w[i] = gw_q8_word(vec4(v[4 * i], v[4 * i + 1], v[4 * i + 2], v[4 * i + 3]), scale);
    }
    return d;
}

#endif
