// Ternary: what TQ1_0 and TQ2_0 share: the rounding of a block to -1, 0, 1, and five trits a byte.
#ifndef GW_QUANT_TERNARY_H
#define GW_QUANT_TERNARY_H

#include "base/exact.h"

// ggml's reference: d = the largest magnitude, codes 0 .. 2 = 1 + round half away from zero of x /
// d. Returns d as a half.
static inline uint32_t gw_ternary(const float *x, uint32_t n, uint8_t *codes) {
    float d = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float a = x[i] < 0.0f ? -x[i] : x[i];
        d = a > d ? a : d;
    }
    float id = d != 0.0f ? 1.0f / d : 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float q = x[i] * id;
        codes[i] = (uint8_t)(q >= 0.5f ? 2 : q <= -0.5f ? 0 : 1);
    }
    return gw_f32_to_f16(d);
}

// Five trits t0 .. t4 in a byte: the fraction 0.t0t1t2t3t4 in base 3, times 256, rounded up. So
// trit k is the carry out of a byte of (byte * 3^k mod 256) * 3.
static inline uint8_t gw_trit(uint32_t byte, uint32_t k) {
    for (uint32_t i = 0; i < k; i++) byte = byte * 3 & 255;
    return (uint8_t)(byte * 3 >> 8);
}
// value: the five trits as a number, t0 the highest.
static inline uint8_t gw_trits_byte(uint32_t value) {
    return (uint8_t)((value * 256 + 242) / 243);
}

#endif
