// Ops of models with several streams of a token, in vectors: items are rows.
#ifndef GW_CPU_STREAMS_H
#define GW_CPU_STREAMS_H

#include "cpu/rows.h"
#include "ops/streams.h"

static inline void gw_match_rms_rows(const gw_reference_args *args) {
    const gw_match_rms_params *p = args->params;
    const uint32_t n_rows = p->lead + p->m;
    for (uint64_t row = args->first; row < args->end; row++) {
        const uint64_t t = row / n_rows, i = row % n_rows;
        const float *like = (const float *)args->bufs[0] + gw_column_at(&p->like, t * p->n);
        float *y = (float *)args->bufs[2] + row * p->n, scale, size;
        if (i < p->lead) {
            memcpy(y, like, p->n * sizeof *y);
            continue;
        }
        const float *x =
            (const float *)args->bufs[1] + gw_column_at(&p->x, (t * p->m + i - p->lead) * p->n);
        gw_match_rms_factors(p, sum_of_squares(like, p->n), sum_of_squares(x, p->n), &scale, &size);
        for (uint32_t k = 0; k < p->n; k += GW_LANES) {
            gw_vf v = gw_flush_v(gw_load_floats(x + k, p->n - k) * gw_splat_f(scale));
            gw_save_floats(y + k, p->n - k, gw_flush_v(v * gw_splat_f(size)));
        }
    }
}

static inline void gw_mix_streams_rows(const gw_reference_args *args) {
    const gw_mix_streams_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const uint64_t t = row / p->m;
        const float *x = (const float *)args->bufs[0] + row * p->n;
        const float *d = (const float *)args->bufs[1] + t * p->r * p->n;
        const float *w = (const float *)args->bufs[2] + (p->weighs ? row * p->r : 0);
        float *y = (float *)args->bufs[3] + row * p->n;
        const uint32_t n_weighed = p->weighs ? p->r : 0;
        const bool adds = !p->weighs && row % p->m >= p->skip;
        for (uint32_t k = 0; k < p->n; k += GW_LANES) {
            gw_vf sum = gw_load_floats(x + k, p->n - k);
            if (adds) sum = sum + gw_load_floats(d + k, p->n - k);
            for (uint32_t j = 0; j < n_weighed; j++)
                sum = sum + gw_load_floats(d + (uint64_t)j * p->n + k, p->n - k) * gw_splat_f(w[j]);
            gw_save_floats(y + k, p->n - k, gw_flush_v(sum));
        }
    }
}

static inline void gw_gaussian_topk_rows(const gw_reference_args *args) {
    const gw_gaussian_topk_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        float *y = (float *)args->bufs[1] + row * p->n;
        const float mean = gw_flush(sum_of(x, p->n) * p->inv_n);
        const gw_vf cut =
            gw_splat_f(gw_gaussian_topk_cut(p, mean, sum_of_squares_from(x, p->n, mean)));
        for (uint32_t k = 0; k < p->n; k += GW_LANES) {
            const gw_vf v = gw_flush_v(gw_load_floats(x + k, p->n - k) - cut),
                        zero = gw_splat_f(0.0f);
            gw_save_floats(y + k, p->n - k, gw_if_less(zero, v, v, zero));
        }
    }
}

#endif
