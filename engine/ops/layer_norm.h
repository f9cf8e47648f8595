// Layer_norm: what its launches, its reference and the CPU's kernel share: the parameters, the scale.
#ifndef GW_OPS_LAYER_NORM_H
#define GW_OPS_LAYER_NORM_H

#include "base/exact.h"

// Bindings: x, w, b (w again where there is none), y.
typedef struct gw_layer_norm_params {
    uint32_t n, n_rows;
    float inv_n, eps;
    uint32_t has_bias;
    uint32_t groups_x;
    uint32_t x_first; // where x begins in its binding
} gw_layer_norm_params;
_Static_assert(sizeof(gw_layer_norm_params) == 28, "push constants of layer_norm.comp");

// The scale of a row, of the sum of the squares of x - mean.
static inline float gw_layer_norm_scale(const gw_layer_norm_params *p, float sum) {
    float v = sum * p->inv_n;
    v = v + p->eps;
    return v < 8.271806e-25f ? 0.0f : gw_flush(gw_rsqrt(v)); // 2^-80
}

#endif
