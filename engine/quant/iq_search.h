// IQ search: quantizers of IQ4 and FP4: the nearest of uneven values, the scale that fits best.
#ifndef GW_QUANT_IQ_SEARCH_H
#define GW_QUANT_IQ_SEARCH_H

#include "quant/iq.h"
#include "base/exact_math.h"

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

// n codes to n / 2 bytes, as gw_nibbles reads them.
static inline void gw_put_nibbles(const uint8_t *codes, int n, uint8_t *bytes) {
    for (int j = 0; j < n / 2; j++) bytes[j] = (uint8_t)(codes[j] | codes[n / 2 + j] << 4);
}
// n nibbles to n / 2 bytes, the first low.
static inline void gw_put_scales(const uint8_t *scales, int n, uint8_t *bytes) {
    for (int j = 0; j < n / 2; j++) bytes[j] = (uint8_t)(scales[2 * j] | scales[2 * j + 1] << 4);
}

#endif
