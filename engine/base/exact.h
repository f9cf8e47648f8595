// Exact: the arithmetic of the contract in C, the twin of shaders/lib/exact.glsl, name for name.
//
// Built from single IEEE fp32 + - * (round to nearest even, never contracted: -ffp-contract=off)
// and integer operations only, so that every driver and this file give the same bits.
// docs/NUMERICS.md is the full text; each function states its domain. No libm.
#ifndef GW_BASE_EXACT_H
#define GW_BASE_EXACT_H

#include <stdint.h>
#include <string.h>

static inline uint32_t gw_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline float gw_from_bits(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

#define GW_TINY_BITS 0x2b800000u // 2^-40: what is smaller is stored as 0
#define GW_NAN_BITS  0x7fc00000u // the one NaN that is ever stored

// What every op applies to what it stores: |x| < 2^-40 (and -0) gives +0, any NaN gives one NaN.
static inline float gw_flush(float x) {
    uint32_t u = gw_bits(x), a = u & 0x7fffffffu;
    if (a < GW_TINY_BITS) return 0.0f;
    if (a > 0x7f800000u) return gw_from_bits(GW_NAN_BITS);
    return x;
}

// 1/x to about one ulp, for 2^-100 <= |x| <= 2^100. Three Newton steps from a bit-trick guess.
static inline float gw_rcp(float x) {
    uint32_t u = gw_bits(x);
    float a = gw_from_bits(u & 0x7fffffffu);
    float y = gw_from_bits(0x7ef311c7u - (u & 0x7fffffffu));
    for (int i = 0; i < 3; i++) {
        float t = a * y;
        t = 2.0f - t;
        y = y * t;
    }
    return gw_from_bits(gw_bits(y) | (u & 0x80000000u));
}

// 1/sqrt(x) to about one ulp, for 2^-100 <= x <= 2^100. Three Newton steps.
static inline float gw_rsqrt(float x) {
    float h = 0.5f * x;
    float y = gw_from_bits(0x5f375a86u - (gw_bits(x) >> 1));
    for (int i = 0; i < 3; i++) {
        float t = y * y;
        t = h * t;
        t = 1.5f - t;
        y = y * t;
    }
    return y;
}

// The integer nearest to x (ties to even), for |x| < 2^22.
static inline int32_t gw_round(float x) {
    float m = x + 12582912.0f; // 1.5 * 2^23: its ulp is 1
    return (int32_t)(gw_bits(m) - 0x4b400000u);
}

// e^x to about 2 ulp for -27.7 <= x <= 60; below, 0; above, e^60. Cody-Waite reduction and the
// polynomial of Cephes' expf.
static inline float gw_exp(float x) {
    if (x < -27.7f) return 0.0f;
    x = x < 60.0f ? x : 60.0f;
    float t = x * 1.44269504f;
    int32_t n = gw_round(t);
    float f = (float)n;
    float u = f * 0.693359375f;
    float r = x - u;
    u = f * -2.12194440e-4f;
    r = r - u;
    float p = 1.9875691500e-4f;
    p = p * r;
    p = p + 1.3981999507e-3f;
    p = p * r;
    p = p + 8.3334519073e-3f;
    p = p * r;
    p = p + 4.1665795894e-2f;
    p = p * r;
    p = p + 1.6666665459e-1f;
    p = p * r;
    p = p + 5.0000001201e-1f;
    u = r * r;
    p = p * u;
    p = p + r;
    p = p + 1.0f;
    return gw_from_bits(gw_bits(p) + ((uint32_t)n << 23));
}

// x * sigmoid(x); the sigmoid is 0 below -27.5.
static inline float gw_silu(float x) {
    float e = gw_exp(x < -27.5f ? 27.5f : 0.0f - x);
    e = 1.0f + e;
    float s = x < -27.5f ? 0.0f : gw_rcp(e);
    float y = x * s;
    return gw_flush(y);
}

// IEEE half to float, subnormal halves included; never forms a subnormal float.
static inline float gw_f16_to_f32(uint32_t h) {
    uint32_t mag = (h & 0x7fffu) << 13, sign = (h & 0x8000u) << 16;
    if ((mag & 0x0f800000u) == 0) {
        float x = gw_from_bits(mag + 0x38800000u); // 2^-14 + mantissa * 2^-24
        x = x - 6.103515625e-05f;
        return gw_from_bits(gw_bits(x) | sign);
    }
    uint32_t bits = mag + 0x38000000u;
    if ((mag & 0x0f800000u) == 0x0f800000u) bits += 0x38000000u; // infinity and NaN
    return gw_from_bits(bits | sign);
}

// Float to the nearest half, ties to even; beyond the range: the largest half; NaN: 0x7e00.
// Halves below 2^-14 are rounded like the rest (subnormal halves), in integers.
static inline uint32_t gw_f32_to_f16(float x) {
    uint32_t u = gw_bits(x), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u) return 0x7e00u;
    if (a >= 0x477ff000u) return sign | 0x7bffu; // 65520 and up would round to infinity
    if (a < 0x38800000u) {                       // below 2^-14
        uint32_t e = a >> 23;
        if (e < 102u) return sign; // below 2^-25: rounds to zero
        uint32_t shift = 126u - e, m = (a & 0x7fffffu) | 0x800000u;
        uint32_t half = 1u << (shift - 1u), q = m >> shift, rest = m & ((1u << shift) - 1u);
        if (rest > half || (rest == half && (q & 1u))) q++;
        return sign | q;
    }
    uint32_t q = a - 0x38000000u;
    q = q + 0xfffu + ((q >> 13) & 1u);
    return sign | (q >> 13);
}

// Philox4x32-10 (Salmon et al., SC'11): one 32-bit draw from (seed, counter).
static inline uint32_t gw_philox(uint32_t seed_lo, uint32_t seed_hi, uint32_t counter) {
    uint32_t c0 = counter, c1 = 0, c2 = 0, c3 = 0, k0 = seed_lo, k1 = seed_hi;
    for (int i = 0; i < 10; i++) {
        uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return c0;
}

#endif
