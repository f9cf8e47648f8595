// Sqrt: the square root that quantizers share.
#ifndef GW_QUANT_SQRT_H
#define GW_QUANT_SQRT_H

#include "base/exact.h"

// Rounded to nearest, for x >= 0; subnormal x give 0. x = m * 4^k with 1 <= m < 4; the root of m by
// two Newton steps in double: no root of a float lies so near a tie that their error matters.
static inline float gw_sqrt(float x) {
    uint32_t u = gw_bits(x);
    if (u < 0x00800000u) return 0.0f;
    if (u >= 0x7f800000u) return x;
    uint32_t even = ((u >> 23) + 1) & ~1u; // 128 + 2k
    float m = gw_from_bits(u - ((even - 128) << 23));
    double r = (double)m * (double)gw_rsqrt(m);
    for (int i = 0; i < 2; i++) r = 0.5 * (r + (double)m / r);
    return (float)r * gw_from_bits((even / 2 + 63) << 23);
}

#endif
