// Exact: the arithmetic of the contract in C, the twin of shaders/lib/exact.glsl, name for name.
//
// Built from single IEEE fp32 + - * (round to nearest even, never contracted: -ffp-contract=off)
// and integer operations only, so that every driver and this file give the same bits.
// docs/NUMERICS.md is the full text; each function states its domain. No libm. Functions that no
// kernel of today calls are in exact_math.h, sums in sums.h.
#ifndef GW_BASE_EXACT_H
#define GW_BASE_EXACT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { GW_CONTRACT = 2 }; // of docs/NUMERICS.md

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
#define GW_INF_BITS  0x7f800000u
#define GW_NAN_BITS  0x7fc00000u // the one NaN that is ever stored

// NaN is told by its bits everywhere: drivers may compile comparisons as if there were none.
static inline bool gw_is_nan(float x) {
    return (gw_bits(x) & 0x7fffffffu) > GW_INF_BITS;
}
static inline float gw_abs(float x) {
    return gw_from_bits(gw_bits(x) & 0x7fffffffu);
}
// |a| with the sign of x.
static inline float gw_with_sign(float a, float x) {
    return gw_from_bits((gw_bits(a) & 0x7fffffffu) | (gw_bits(x) & 0x80000000u));
}

// What every op applies to what it stores: |x| < 2^-40 (and -0) gives +0, any NaN gives one NaN.
static inline float gw_flush(float x) {
    uint32_t u = gw_bits(x), a = u & 0x7fffffffu;
    if (a < GW_TINY_BITS) return 0.0f;
    if (a > 0x7f800000u) return gw_from_bits(GW_NAN_BITS);
    return x;
}

// 1/x to 9e-8, exact at powers of two, for 2^-100 <= |x| <= 2^100. Three Newton steps from a
// bit-trick guess; the last one adds a correction to y instead of making it anew.
static inline float gw_rcp(float x) {
    float a = gw_abs(x);
    float y = gw_from_bits(0x7ef311c7u - gw_bits(a));
    y = y * (2.0f - a * y);
    y = y * (2.0f - a * y);
    y = y + y * (1.0f - a * y);
    return gw_with_sign(y, x);
}

// 1/sqrt(x) to 1.1e-7, for 2^-100 <= x <= 2^100; steps as in gw_rcp.
static inline float gw_rsqrt(float x) {
    float h = 0.5f * x;
    float y = gw_from_bits(0x5f375a86u - (gw_bits(x) >> 1));
    y = y * (1.5f - h * (y * y));
    y = y * (1.5f - h * (y * y));
    return y + y * (0.5f - h * (y * y));
}

// The integer nearest to x (ties to even), for |x| < 2^22.
static inline int32_t gw_round(float x) {
    float m = x + 12582912.0f; // 1.5 * 2^23: its ulp is 1
    return (int32_t)(gw_bits(m) - 0x4b400000u);
}

// 2^k for -126 <= k <= 127.
static inline float gw_pow2(int32_t k) {
    return gw_from_bits((uint32_t)(k + 127) << 23);
}

// Any int32 to the nearest float: both parts are exact, so that one rounding is left, where
// drivers' own conversion may round in another direction past 2^24.
static inline float gw_i32_to_f32(int32_t i) {
    return (float)(i & ~4095) + (float)(i & 4095);
}

// 2^r for |r| <= 1/2, 0.70 .. 1.42; with n = gw_round(t), 2^t is gw_exp2_part(t - n) * 2^n.
static inline float gw_exp2_part(float r) {
    float p = 1.5475926323e-4f;
    p = p * r + 1.3400310254e-3f;
    p = p * r + 9.6180053139e-3f;
    p = p * r + 5.5503276750e-2f;
    p = p * r + 2.4022651333e-1f;
    p = p * r + 6.9314720632e-1f;
    return p * r + 1.0f;
}

// q and n with e^x = (1 + q) * 2^n, for |x| <= 88.73. Cody-Waite reduction and the polynomial of
// Cephes' expf.
static inline float gw_exp_parts(float x, int32_t *n) {
    *n = gw_round(x * 1.44269504f);
    float f = (float)*n;
    float r = (x - f * 0.693359375f) - f * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

// e^x; 0 below -27.7 (2^-40), infinity above 88.72283.
static inline float gw_exp(float x) {
    if (gw_is_nan(x)) return gw_from_bits(GW_NAN_BITS);
    if (x < -27.7f) return 0.0f;
    if (x > 88.72283f) return gw_from_bits(GW_INF_BITS);
    int32_t n;
    float q = gw_exp_parts(x, &n);
    return gw_from_bits(gw_bits(q + 1.0f) + ((uint32_t)n << 23));
}

// 1 / (1 + e^-x), of small relative error on both sides; 0 below -27.7.
static inline float gw_sigmoid(float x) {
    float e = gw_exp(0.0f - gw_abs(x));
    float s = gw_rcp(1.0f + e);
    return x < 0.0f ? e * s : s;
}

// x * sigmoid(x).
static inline float gw_silu(float x) {
    return gw_flush(x * gw_flush(gw_sigmoid(x)));
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
