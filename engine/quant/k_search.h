// K search: how the quantizers of the K formats choose scales, minima and codes: ggml's reference
// algorithms, in fp32.
//
// Each fit takes n values x with weights w and looks for the scale (and minimum) with the least
// weighted error: it rounds the values with a range of scales, and for each set of codes takes the
// scale that is best for these codes by least squares.
#ifndef GW_QUANT_K_SEARCH_H
#define GW_QUANT_K_SEARCH_H

#include "quant/planes.h"

enum { GW_K_BLOCK = 256 };

// The scales that a fit with a minimum tries: (max_code + first + step * i) / range, i = 0 .. n.
typedef struct gw_k_sweep {
    float first, step;
    int n;
    bool absolute; // the error is |difference|, not its square
} gw_k_sweep;

// What sets Q2_K, Q4_K and Q5_K apart.
typedef struct gw_k_min_format {
    uint32_t run;     // values with one scale and one minimum
    int max_code;     // of values
    int max_scale;    // of scales and minima
    float size;       // how the mean square counts in the weight of a value, with importances
    bool level;       // without them: weight = root mean square of the run + |x|, else |x|
    gw_k_sweep sweep; // without importances
} gw_k_min_format;

// x ~ d * scales[r] * code - dmin * mins[r], r: its run. d, dmin: halves.
typedef struct gw_k_min_block {
    uint32_t d, dmin;
    uint8_t scales[16], mins[16], codes[GW_K_BLOCK];
} gw_k_min_block;

// x: a block. importances: as many, or NULL.
void gw_k_min_quantize(const gw_k_min_format *format, const float *x, const float *importances,
                       gw_k_min_block *out);

// x ~ result * (code - max_code), codes 0 .. 2 * max_code - 1. w NULL: weights are the squares.
float gw_k_fit_signed(uint32_t n, int max_code, const float *x, const float *w, uint8_t *codes);
// The same without importances: changes one code at a time as long as that helps.
float gw_k_climb_signed(uint32_t n, int max_code, const float *x, uint8_t *codes);
// out[i] = importances[i] * sqrt(size * mean square + x[i]^2), for a block.
void gw_k_weigh(const float *x, const float *importances, float size, float *out);
// The scale of largest magnitude, with its sign; 0 when there is none.
float gw_k_largest(uint32_t n, const float *scales);
// The integer nearest to v in low .. high; low for NaN.
static inline int gw_k_round(float v, int low, int high) {
    return v >= (float)low ? v <= (float)high ? gw_round(v) : high : low;
}
// Codes for the scale d that the file will hold; d = 0 leaves them as they are.
void gw_k_requantize(uint32_t n, int low, int high, float d, const float *x, uint8_t *codes);

#endif
