// IQ search: quantizers of IQ4, FP4 and of the grids that can be made without calibration: the
// nearest of uneven values or of a grid's points, the scale that fits best.
#ifndef GW_QUANT_IQ_SEARCH_H
#define GW_QUANT_IQ_SEARCH_H

#include "quant/iq.h"

static inline float gw_abs(float x) {
    return gw_from_bits(gw_bits(x) & 0x7fffffffu);
}
// Correctly rounded, for x >= 0; subnormal x give 0. With x = m * 2^(2k), the root of m * 2^48 has
// 25 bits, one more than a float; no root lies on a tie.
static inline float gw_sqrt(float x) {
    uint32_t u = gw_bits(x);
    if (u < 0x00800000u) return 0.0f;
    if (u >= 0x7f800000u) return x;
    uint32_t even = ((u >> 23) + 1) & ~1u; // 128 + 2k
    uint64_t m = (uint64_t)((u & 0x7fffffu) | 0x800000u) << ((u >> 23) + 1 - even + 25);
    uint64_t root = 0;
    for (uint64_t bit = 1u << 25; bit; bit >>= 1) {
        if ((root | bit) * (root | bit) <= m) root |= bit;
    }
    return (float)((root + 1) >> 1) * gw_from_bits((even / 2 + 40) << 23);
}
// The one of largest magnitude, with its sign, the first of equals; 0 of none.
float gw_largest(const float *x, int n);

// How much each of n errors counts: x^2; with importances: importance * sqrt(mean + x^2), mean
// being twice the mean square of the block.
void gw_iq4_counts(const float *x, const float *importances, float mean, float *out);
// The scale for 32 values whose weighted error is least, by ggml's search.
float gw_iq4_scale(const float *x, const float *counts);
// Codes of 32 values by 1 / scale.
void gw_iq4_codes(const float *x, float inverse, uint8_t *out);

// Codes of n values by scale / 2, what a unit's d is; the nearest, of equals the lowest.
void gw_fp4_codes(const float *x, int n, float d, uint8_t *out);

// A block of 256 weights of a grid format: w = d * (2 * scale + 1) * +-value of a code.
typedef struct gw_grid_kind {
    const uint16_t *grid;
    uint32_t n_points;
    uint32_t code_bits; // 2: points of 8 weights, 4: points of 4
    uint32_t n_values;
    uint8_t values[8];
    uint32_t n_scale; // weights with one scale: 16 or 32
    bool even_signs;  // an even number of minus signs in each 8
    float unit_d;     // d as a part of the half that the file has
} gw_grid_kind;

typedef struct gw_grid_block {
    uint32_t half;       // d / unit_d
    uint8_t scales[16];  // 4 bits each, 256 / n_scale of them
    uint16_t points[64]; // 256 / weights of a point
    uint8_t signs[32];
} gw_grid_block;

// importances: [256] or NULL.
void gw_grid_search(const gw_grid_kind *kind, const float *x, const float *importances,
                    gw_grid_block *out);

// n codes to n / 2 bytes, as gw_nibbles reads them.
static inline void gw_put_nibbles(const uint8_t *codes, int n, uint8_t *bytes) {
    for (int j = 0; j < n / 2; j++) bytes[j] = (uint8_t)(codes[j] | codes[n / 2 + j] << 4);
}
// n nibbles to n / 2 bytes, the first low.
static inline void gw_put_scales(const uint8_t *scales, int n, uint8_t *bytes) {
    for (int j = 0; j < n / 2; j++) bytes[j] = (uint8_t)(scales[2 * j] | scales[2 * j + 1] << 4);
}

#endif
