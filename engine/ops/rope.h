// Rope: the turning of a head, for the ops that do it; the equation is in rope.c.
#ifndef GW_OPS_ROPE_H
#define GW_OPS_ROPE_H

#include "ops/ops.h"

// table: [n_rot], (cos, sin) of each pair. Dimensions from n_rot on pass.
static inline void gw_rope_head(const gw_rope_attrs *a, const float *x, uint32_t head_dim,
                                const float *table, float *y) {
    const uint32_t n = a->n_rot / 2;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = a->paired ? 2 * i : i, m = a->paired ? 2 * i + 1 : i + n;
        float c = table[2 * i], s = table[2 * i + 1];
        float kc = x[k] * c, ms = x[m] * s, ks = x[k] * s, mc = x[m] * c;
        y[k] = gw_flush(kc - ms);
        y[m] = gw_flush(ks + mc);
    }
    for (uint32_t i = a->n_rot; i < head_dim; i++) y[i] = x[i];
}

#endif
