// Rope_store in vectors: names and structure of ops/rope_store.c. A turned part is whole vectors. The
// reference's loop over pairs is not for these files: GCC 12 makes fused instructions of it where there are
// any, whatever -ffp-contract says.
#ifndef GW_CPU_ROPE_STORE_H
#define GW_CPU_ROPE_STORE_H

#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "ops/kv.h"
#include "ops/rope_store.h"

// As gw_rope_head; both forms end in x0 * cos - x1 * sin and x1 * cos + x0 * sin.
static inline void turn_halves(const float *x, const float *table, uint32_t n, float *y) {
    for (uint32_t i = 0; i < n; i += GW_LANES) {
        gw_vf a = gw_load_f(table + 2 * i), b = gw_load_f(table + 2 * i + GW_LANES);
        gw_vf c = gw_even_of(a, b), s = gw_odd_of(a, b);
        gw_vf k = gw_load_f(x + i), m = gw_load_f(x + n + i);
        gw_save_f(y + i, gw_flush_v(k * c - m * s));
        gw_save_f(y + n + i, gw_flush_v(k * s + m * c));
    }
}

static inline void turn_pairs(const float *x, const float *table, uint32_t n_rot, float *y) {
    gw_vu minus = gw_splat(0);
    for (int i = 0; i < GW_LANES; i += 2) minus[i] = 0x80000000u;
    for (uint32_t i = 0; i < n_rot; i += GW_LANES) {
        gw_vf t = gw_load_f(table + i), v = gw_load_f(x + i);
        gw_vf other = gw_neighbours(v) * gw_odd_twice(t);
        other = (gw_vf)((gw_vu)other ^ minus);
        gw_save_f(y + i, gw_flush_v(v * gw_even_twice(t) + other));
    }
}

static inline void turn_head(const gw_rope_store_params *p, const float *x, const float *table,
                             float *y) {
    if (p->paired)
        turn_pairs(x, table, p->n_rot, y);
    else
        turn_halves(x, table, p->n_rot / 2, y);
    for (uint32_t i = p->n_rot; i < p->head_dim; i++) y[i] = x[i];
}

// gw_kv_put_head.
static inline void put_head(uint32_t type, bool values, float *x, uint32_t d, uint64_t at,
                            uint64_t n_heads, void *cache) {
    if (type == GW_KV_Q8 || d % GW_LANES) {
        gw_kv_put_head(type, values, x, d, at, n_heads, cache);
        return;
    }
    for (uint32_t i = 0; i < d; i += GW_LANES) {
        gw_vf v = gw_flush_v(gw_load_f(x + i));
        if (type == GW_KV_F32)
            gw_save_f((float *)cache + at * d + i, v);
        else
            gw_save_halves((uint16_t *)cache + at * d + i, v);
    }
}

static inline void make_heads(const gw_reference_args *args, uint32_t part, uint64_t t) {
    const gw_rope_store_params *p = args->params;
    const uint32_t n = part ? p->n_head_kv : p->n_head, d = p->row_dim;
    const uint32_t row = ((const uint32_t *)args->bufs[GW_ROPE_BUF_ROWS])[t];
    const float *table = (const float *)args->bufs[GW_ROPE_BUF_TABLE] + t * p->n_rot;
    const float *from = args->bufs[part == 2 ? GW_ROPE_BUF_V : GW_ROPE_BUF_QK];
    for (uint32_t h = 0; h < n; h++) {
        const float *x = from + gw_column_at(&p->x[part], (t * n + h) * p->head_dim);
        float head[GW_MAX_HEAD_DIM];
        for (uint32_t i = p->head_dim; i < d; i++) head[i] = 0.0f;
        if (part == 2)
            memcpy(head, x, p->head_dim * sizeof *head);
        else
            turn_head(p, x, table, head);
        if (part == 0)
            memcpy((float *)args->bufs[GW_ROPE_BUF_Y] + (t * n + h) * d, head, d * sizeof *head);
        else if (row < p->n_rows)
            put_head(part == 2 ? p->v_type : p->k_type, part == 2, head, d, (uint64_t)row * n + h,
                     (uint64_t)p->n_rows * n, args->bufs[GW_ROPE_BUF_KEYS + part - 1]);
    }
}

// Items: tokens.
static inline void gw_rope_store_rows(const gw_reference_args *args) {
    const gw_rope_store_params *p = args->params;
    for (uint32_t part = 0; part < 3; part++) {
        if (!(p->parts >> part & 1)) continue;
        for (uint64_t t = args->first; t < args->end; t++) make_heads(args, part, t);
    }
}

#endif
