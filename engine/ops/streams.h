// Ops of models with several streams of a token (gemma3n): the parameters that their launches, their references
// and the CPU's kernels share.
#ifndef GW_OPS_STREAMS_H
#define GW_OPS_STREAMS_H

#include "base/exact_math.h"
#include "ops/ops.h"

// Bindings: like, x, y.
typedef struct gw_match_rms_params {
    uint32_t n, n_tok, m, lead;
    float inv_n;
    gw_columns like, x;
    uint32_t groups_x;
} gw_match_rms_params;
_Static_assert(sizeof(gw_match_rms_params) == 48, "push constants of match_rms.comp");

// Bindings: x, d, w (d again where there is none), y.
typedef struct gw_mix_streams_params {
    uint32_t n, n_tok, m, r;
    uint32_t weighs, skip;
    uint32_t groups_x;
} gw_mix_streams_params;
_Static_assert(sizeof(gw_mix_streams_params) == 28, "push constants of mix_streams.comp");

// Bindings: x, y.
typedef struct gw_gaussian_topk_params {
    uint32_t n, n_rows;
    float inv_n, scale;
    gw_columns x;
    uint32_t groups_x;
} gw_gaussian_topk_params;
_Static_assert(sizeof(gw_gaussian_topk_params) == 32, "push constants of gaussian_topk.comp");

// The sums of the squares of like and of x to what x is multiplied by, first scale, then size.
static inline void gw_match_rms_factors(const gw_match_rms_params *p, float like, float x,
                                        float *out_scale, float *out_size) {
    const float wanted = like * p->inv_n, had = x * p->inv_n;
    *out_size = wanted < 0x1p-80f ? 0.0f : gw_flush(gw_sqrt(wanted));
    *out_scale = gw_flush(gw_rsqrt(had < 1e-5f ? 1e-5f : had));
}

// What is left out of a row: the sum of the squares of x - mean to the number that is subtracted.
static inline float gw_gaussian_topk_cut(const gw_gaussian_topk_params *p, float mean,
                                         float squares) {
    const float v = squares * p->inv_n;
    const float std = v < 0x1p-80f ? 0.0f : gw_flush(gw_sqrt(v));
    return gw_flush(mean + gw_flush(std * p->scale));
}

#endif
