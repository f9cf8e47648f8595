// Rms_norm, l2_norm: what launches, references and the CPU's kernels share: the parameters, the scales.
#ifndef GW_OPS_RMS_NORM_H
#define GW_OPS_RMS_NORM_H

#include "base/exact.h"
#include "graph/plan.h"

// Bindings: x, w, y (quants and scales of q8_act, else twice the floats), where folded the scales.
typedef struct gw_rms_norm_params {
    uint32_t n, n_rows;
    float inv_n, eps;
    uint32_t quantize, folded;
    uint32_t groups_x;
    gw_columns x;
} gw_rms_norm_params;
_Static_assert(sizeof(gw_rms_norm_params) == 40, "push constants of rms_norm.comp");

static inline const float *gw_rms_norm_row(const gw_rms_norm_params *p, const void *x,
                                           uint64_t row) {
    return (const float *)x + gw_column_at(&p->x, row * p->n);
}

// The scale of a row, of the sum of its squares.
static inline float gw_rms_norm_scale(const gw_rms_norm_params *p, float sum) {
    float v = sum * p->inv_n;
    v = v + p->eps;
    return v < 8.271806e-25f ? 0.0f : gw_flush(gw_rsqrt(v)); // 2^-80
}

// Bindings: x, y.
typedef struct gw_l2_norm_params {
    uint32_t n, n_rows;
    float eps;
    gw_columns x;
    uint32_t groups_x;
} gw_l2_norm_params;
_Static_assert(sizeof(gw_l2_norm_params) == 28, "push constants of l2_norm.comp");

static inline float gw_l2_norm_scale(const gw_l2_norm_params *p, float sum) {
    const float v = sum + p->eps;
    return v < 0x1p-80f ? 0.0f : gw_flush(gw_rsqrt(v));
}

#endif
