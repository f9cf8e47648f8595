// Attention on the cpu, what every format of caches shares: the pairs at work, and scores of floats.
#ifndef GW_CPU_ATTENTION_SCORES_H
#define GW_CPU_ATTENTION_SCORES_H

#include "base/sums.h"
#include "cpu/kernels.h"
#include "cpu/units.h"
#include "cpu/vec_math.h"
#include "ops/attention.h"
#include "ops/kv.h"

enum {
    KEY_VECTORS = GW_SUM_UNIT / GW_LANES,
    DIM_VECTORS = GW_MAX_HEAD_DIM / GW_LANES,
    DIM_UNITS = GW_MAX_HEAD_DIM / GW_SUM_UNIT,
    SCORE_VECTORS = GW_ATTN_BLOCK / GW_LANES,
};

typedef struct lane_partial {
    int32_t e; // GW_ATTN_NO_KEYS: nothing yet
    float l;
    gw_vf o[DIM_VECTORS];
} lane_partial;

typedef struct lane_pair {
    float q[GW_MAX_HEAD_DIM];
    uint64_t row;
    int32_t lo, pos;
    lane_partial run, block;
    gw_vf p[SCORE_VECTORS]; // scores, then 2^(score - e); 0 for hidden keys of a unit that is seen
    // With q8_0 keys: q as integers, a scale and what a dot begins with for each 32.
    int8_t quants[GW_MAX_HEAD_DIM];
    float scales[DIM_UNITS];
    int32_t bias[DIM_UNITS];
    // With q8_0 values: p in integers of 14 bits, 7 and 7.
    int8_t high[GW_ATTN_BLOCK], low[GW_ATTN_BLOCK];
} lane_pair;

typedef struct lane_heads {
    const gw_attention_params *p;
    const gw_reference_args *args;
    uint32_t first_g, n_heads;   // key heads, which see the same keys
    uint32_t n_pairs, n_vectors; // of a head
    const uint32_t *pages;
    uint32_t g; // the head that is worked on, and its pairs
    lane_pair *pairs;
    uintptr_t ahead; // how far behind what is read that lies what comes next; 0: nothing to fetch
    lane_pair all[GW_ATTN_PAIRS];
    // A unit of keys.
    union {
        gw_vf floats[KEY_VECTORS][GW_MAX_HEAD_DIM];
        uint16_t halves[KEY_VECTORS][GW_MAX_HEAD_DIM][GW_LANES];
        struct {
            gw_vu words[KEY_VECTORS][GW_MAX_HEAD_DIM / 4];
            gw_vf scales[KEY_VECTORS][DIM_UNITS];
        } ints;
    } keys;
} lane_heads;

static inline void turn_to_head(lane_heads *t, uint32_t h) {
    t->g = t->first_g + h;
    t->pairs = t->all + h * t->n_pairs;
}

static inline uint32_t bytes_of(uint32_t kv_type) {
    return kv_type == GW_KV_Q8 ? 1 : kv_type == GW_KV_F16 ? 2 : 4;
}
// The first byte of a key's, or value's, row; the rows of a block lie row_bytes apart.
static inline const uint8_t *cached_row(const lane_heads *t, bool of_values, int32_t key) {
    const uint32_t type = of_values ? t->p->v_type : t->p->k_type;
    return (const uint8_t *)t->args->bufs[of_values ? 2 : 1] +
           gw_attn_element(t->p, t->pages, t->g, (uint32_t)key) * bytes_of(type);
}
static inline uint64_t row_bytes(const lane_heads *t, bool of_values) {
    return (uint64_t)t->p->n_head_kv * t->p->head_dim *
           bytes_of(of_values ? t->p->v_type : t->p->k_type);
}
// What a head's keys or values have as scales in a q8_0 cache, of which each head has n.
static inline const float *cached_scales(const lane_heads *t, bool of_values, int32_t key,
                                         uint32_t n) {
    const gw_attention_params *p = t->p;
    const uint64_t row = gw_attn_element(p, t->pages, t->g, (uint32_t)key) / p->head_dim;
    const uint8_t *cache = t->args->bufs[of_values ? 2 : 1];
    return (const float *)(const void *)(cache + (uint64_t)p->n_rows * p->n_head_kv * p->head_dim) +
           row * n;
}

static inline bool pair_sees_some(const lane_pair *a, int32_t first, int32_t n) {
    return a->lo < first + n && a->pos >= first;
}
// The keys from `first` on that a pair sees, as places of n: *out_from to *out_end - 1.
static inline void pair_range(const lane_pair *a, int32_t first, int32_t n, int32_t *out_from,
                              int32_t *out_end) {
    *out_from = a->lo > first ? a->lo - first : 0;
    *out_end = a->pos - first < n - 1 ? a->pos - first + 1 : n;
}
// The same of all pairs together; false: nobody sees one. What lies between is seen by somebody.
static inline bool seen_range(const lane_heads *t, int32_t first, int32_t n, int32_t *out_from,
                              int32_t *out_end) {
    *out_from = n;
    *out_end = 0;
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        int32_t from, end;
        pair_range(&t->pairs[i], first, n, &from, &end);
        if (from >= end) continue;
        *out_from = from < *out_from ? from : *out_from;
        *out_end = end > *out_end ? end : *out_end;
    }
    return *out_from < *out_end;
}

// What is read next comes into the second cache: beside the work, since lines that are asked for all at
// once are waited for; only what nothing comes before is fetched by itself.
static inline uintptr_t distance(const lane_heads *t, bool of_values, int32_t key, bool to_values,
                                 int32_t next) {
    return (uintptr_t)cached_row(t, to_values, next) - (uintptr_t)cached_row(t, of_values, key);
}
GW_INLINE void fetch_next(const lane_heads *t, const uint8_t *at) {
    __builtin_prefetch((const void *)((uintptr_t)at + t->ahead), 0, 2);
}
// Rows of a unit, all heads side by side.
static inline void fetch_rows(lane_heads *t, bool of_values, int32_t first) {
    int32_t from, end;
    turn_to_head(t, 0);
    if (!seen_range(t, first, GW_SUM_UNIT, &from, &end)) return;
    const uint64_t stride = row_bytes(t, of_values);
    const uint32_t n =
        t->n_heads * t->p->head_dim * bytes_of(of_values ? t->p->v_type : t->p->k_type);
    const uint8_t *row = cached_row(t, of_values, first + from);
    for (; from < end; from++, row += stride)
        for (uint32_t at = 0; at < n; at += 64) __builtin_prefetch(row + at, 0, 2);
}

// --- scores

// Rows of GW_LANES keys, in the order that gw_transpose takes: `stride` bytes apart where all are seen.
// Those that nobody sees are read as zeros, since they may lie where nothing is.
typedef struct key_rows {
    bool all;
    uint64_t stride;
    const uint8_t *first[4]; // of each fourth of them
    const uint8_t *rows[GW_LANES];
} key_rows;

// v: which of the unit's vectors.
GW_INLINE void find_key_rows(const lane_heads *t, int32_t first, uint32_t v, key_rows *r) {
    static const uint8_t nothing[GW_MAX_HEAD_DIM * 4];
    const int32_t begin = (int32_t)v * GW_LANES;
    int32_t from, end;
    (void)seen_range(t, first, GW_SUM_UNIT, &from, &end);
    const uint8_t *row = cached_row(t, false, first + from);
    r->all = from <= begin && end >= begin + GW_LANES;
    r->stride = row_bytes(t, false);
    for (int i = 0; i < 4 && r->all; i++)
        r->first[i] = row + (uint64_t)(begin - from + i * (GW_LANES / 4)) * r->stride;
    for (int32_t i = 0; i < GW_LANES && !r->all; i++) {
        const int32_t k = begin + i;
        r->rows[i] = k >= from && k < end ? row + (uint64_t)(k - from) * r->stride : nothing;
    }
}

// Elements in 16 bytes of each, words side by side.
GW_INLINE void load_key_piece(const lane_heads *t, const key_rows *r, const bool all, uint32_t at,
                              gw_vu w[4]) {
    enum { FOURTH = GW_LANES / 4, LINE = 64 };
    if (!all) {
        for (int k = 0; k < 4; k++) w[k] = gw_load_pieces(r->rows + k * FOURTH, at);
        return;
    }
    for (int k = 0; k < 4; k++) w[k] = gw_load_strided(r->first[k] + at, r->stride);
    // A fourth of the lines with each of the four pieces of a line.
    const uint8_t *next = r->first[at / 16 % 4] + at / LINE * LINE;
    for (int i = 0; i < FOURTH; i++, next += r->stride) fetch_next(t, next);
}

GW_INLINE void read_float_vector(lane_heads *t, const key_rows *r, const bool all, uint32_t v) {
    const bool is_half = t->p->k_type == GW_KV_F16;
    const uint32_t step = is_half ? 8 : 4;
    for (uint32_t d = 0; d < t->p->head_dim; d += step) {
        gw_vu w[4];
        gw_vf *out = &t->keys.floats[v][d];
        load_key_piece(t, r, all, d * (16 / step), w);
        gw_transpose(w);
        for (uint32_t i = 0; i < 4; i++) {
            if (is_half) {
                out[2 * i] = gw_half(w[i] & 0xffffu);
                out[2 * i + 1] = gw_half(w[i] >> 16);
            } else {
                out[i] = (gw_vf)w[i];
            }
        }
    }
}
static inline void read_float_keys(lane_heads *t, int32_t first) {
    for (uint32_t v = 0; v < KEY_VECTORS; v++) {
        key_rows r;
        find_key_rows(t, first, v, &r);
        if (r.all)
            read_float_vector(t, &r, true, v);
        else
            read_float_vector(t, &r, false, v);
    }
}

// Halves stay halves where widening is part of a load.
#if GW_WIDENS
enum { KEEPS_HALVES = 1 };
GW_INLINE void read_half_piece(lane_heads *t, const key_rows *r, const bool all, uint32_t v,
                               uint32_t d) {
    gw_vu w[4];
    load_key_piece(t, r, all, d * 2, w);
    gw_transpose_halves(w);
    memcpy(t->keys.halves[v][d], w, sizeof w);
}
GW_INLINE void read_half_vector(lane_heads *t, const key_rows *r, const bool all, uint32_t v) {
    enum { STEP = 8, LINE = 4 * STEP };
    const uint32_t head_dim = t->p->head_dim;
    uint32_t d = 0;
    for (; all && d + LINE <= head_dim; d += LINE)
        for (uint32_t i = 0; i < LINE; i += STEP) read_half_piece(t, r, all, v, d + i);
    for (; d < head_dim; d += STEP) read_half_piece(t, r, all, v, d);
}
static inline void read_half_keys(lane_heads *t, int32_t first) {
    for (uint32_t v = 0; v < KEY_VECTORS; v++) {
        key_rows r;
        find_key_rows(t, first, v, &r);
        if (r.all)
            read_half_vector(t, &r, true, v);
        else
            read_half_vector(t, &r, false, v);
    }
}
GW_INLINE gw_vf key_at(const lane_heads *t, const bool halves, uint32_t v, uint32_t d) {
    return halves ? gw_load_whole_halves(t->keys.halves[v][d]) : t->keys.floats[v][d];
}
#else
enum { KEEPS_HALVES = 0 };
static inline void read_half_keys(lane_heads *t, int32_t first) {
    read_float_keys(t, first);
}
GW_INLINE gw_vf key_at(const lane_heads *t, const bool halves, uint32_t v, uint32_t d) {
    (void)halves;
    return t->keys.floats[v][d];
}
#endif

GW_INLINE gw_vf cut_scores(gw_vf dot, const gw_attention_params *p) {
    const gw_vf max = gw_splat_f(GW_ATTN_MAX_SCORE), nan = gw_splat_f(GW_ATTN_NAN_SCORE);
    gw_vf t = gw_flush_v(gw_flush_v(dot) * gw_splat_f(p->scale2));
    if (p->cap2 != 0.0f) t = gw_flush_v(gw_flush_v(gw_tanh_v(t)) * gw_splat_f(p->cap2));
    t = gw_if_less(t, -max, -max, t);
    return gw_if_nan(t, nan, gw_if_less(max, t, max, t));
}

GW_INLINE void save_scores(const lane_heads *t, lane_pair *a, uint32_t at, gw_vf sum) {
    a->p[at] = cut_scores((gw_vf)gw_to_rows((gw_vu)sum), t->p);
}

// n pairs, two vectors of keys side by side; of one pair two units of the head, too.
GW_INLINE void score_floats(const lane_heads *t, lane_pair *a, const int n, const bool halves,
                            int32_t first) {
    enum { U = GW_SUM_UNIT };
    const uint32_t head_dim = t->p->head_dim, at = (uint32_t)first % GW_ATTN_BLOCK / GW_LANES;
    for (uint32_t v = 0; v < KEY_VECTORS; v += 2) {
        gw_vf sum[4][2], chain[4][2];
        uint32_t u = 0;
        for (int i = 0; i < n; i++) sum[i][0] = sum[i][1] = gw_splat_f(0.0f);
        for (; n == 1 && u + 2 * U <= head_dim; u += 2 * U) {
            for (int i = 0; i < 2; i++) chain[i][0] = chain[i][1] = gw_splat_f(0.0f);
            for (uint32_t d = u; d < u + U; d++) {
                for (uint32_t i = 0; i < 2; i++) {
                    gw_vf q = (gw_vf)gw_splat_at(&a->q[d + i * U]);
                    for (uint32_t k = 0; k < 2; k++)
                        chain[i][k] = chain[i][k] + q * key_at(t, halves, v + k, d + i * U);
                }
            }
            for (int i = 0; i < 2; i++)
                for (int k = 0; k < 2; k++) sum[0][k] = sum[0][k] + chain[i][k];
        }
        for (; u < head_dim; u += U) {
            const uint32_t end = u + U < head_dim ? u + U : head_dim;
            for (int i = 0; i < n; i++) chain[i][0] = chain[i][1] = gw_splat_f(0.0f);
            for (uint32_t d = u; d < end; d++) {
                gw_vf x[2] = {key_at(t, halves, v, d), key_at(t, halves, v + 1, d)};
                for (int i = 0; i < n; i++) {
                    gw_vf q = (gw_vf)gw_splat_at(&a[i].q[d]);
                    chain[i][0] = chain[i][0] + q * x[0];
                    chain[i][1] = chain[i][1] + q * x[1];
                }
            }
            for (int i = 0; i < n; i++)
                for (int k = 0; k < 2; k++) sum[i][k] = sum[i][k] + chain[i][k];
        }
        for (int i = 0; i < n; i++)
            for (uint32_t k = 0; k < 2; k++) save_scores(t, &a[i], at + v + k, sum[i][k]);
    }
}

#endif
