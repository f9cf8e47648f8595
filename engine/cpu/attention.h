// Attention in vectors, over caches in F32 and F16: for scores a lane is a key, for results an element
// of a head. Order: docs/NUMERICS.md; structure and names: ops/attention_reference.c.
#ifndef GW_CPU_ATTENTION_H
#define GW_CPU_ATTENTION_H

#include "base/sums.h"
#include "cpu/kernels.h"
#include "cpu/units.h"
#include "ops/attention.h"
#include "ops/kv.h"

enum {
    KEY_VECTORS = GW_SUM_UNIT / GW_LANES,
    DIM_VECTORS = GW_MAX_HEAD_DIM / GW_LANES,
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
    gw_vf p[SCORE_VECTORS]; // scores, then 2^(score - e); 0 for hidden keys
} lane_pair;

typedef struct lane_heads {
    const gw_attention_params *p;
    const gw_reference_args *args;
    uint32_t g, n_pairs, n_vectors; // of a head
    const uint32_t *pages;
    lane_pair pairs[GW_ATTN_PAIRS];
    gw_vf keys[GW_MAX_HEAD_DIM][KEY_VECTORS];
    gw_vf values[GW_SUM_UNIT][DIM_VECTORS];
} lane_heads;

static inline uint64_t cached_at(const lane_heads *t, int32_t key) {
    return gw_attn_element(t->p, t->pages, t->g, (uint32_t)key);
}
static inline bool pair_sees(const lane_pair *a, int32_t key) {
    return key >= a->lo && key <= a->pos;
}
static inline bool pair_sees_some(const lane_pair *a, int32_t first, int32_t n) {
    return a->lo < first + n && a->pos >= first;
}
static inline bool anyone_sees(const lane_heads *t, int32_t key) {
    for (uint32_t i = 0; i < t->n_pairs; i++)
        if (pair_sees(&t->pairs[i], key)) return true;
    return false;
}

// --- scores

// Elements d .. d + 7, or + 3 of F32, of GW_LANES keys, a key in each lane. rows: in the order that
// gw_transpose takes.
GW_INLINE void read_key_piece(const uint8_t *const rows[GW_LANES], uint32_t at, gw_vu w[4]) {
    for (int k = 0; k < 4; k++) {
        uint8_t bytes[4 * GW_LANES];
        for (int i = 0; i < GW_LANES / 4; i++)
            memcpy(bytes + 16 * i, rows[k * (GW_LANES / 4) + i] + at, 16);
        w[k] = gw_load(bytes);
    }
    gw_transpose(w);
}

// Keys that nobody sees are read as zeros, since they may lie where nothing is.
static inline void read_keys(lane_heads *t, int32_t first) {
    static const uint8_t nothing[GW_MAX_HEAD_DIM * 4];
    const bool is_half = t->p->k_type == GW_KV_F16;
    const uint32_t bytes = is_half ? 2 : 4;
    for (uint32_t v = 0; v < KEY_VECTORS; v++) {
        const uint8_t *rows[GW_LANES];
        for (uint32_t i = 0; i < GW_LANES; i++) {
            int32_t key = first + (int32_t)(v * GW_LANES + i);
            rows[i] = anyone_sees(t, key)
                          ? (const uint8_t *)t->args->bufs[1] + cached_at(t, key) * bytes
                          : nothing;
        }
        for (uint32_t d = 0; d < t->p->head_dim; d += 16 / bytes) {
            gw_vu w[4];
            read_key_piece(rows, d * bytes, w);
            for (uint32_t i = 0; i < 4; i++) {
                if (is_half) {
                    t->keys[d + 2 * i][v] = gw_half(w[i] & 0xffffu);
                    t->keys[d + 2 * i + 1][v] = gw_half(w[i] >> 16);
                } else {
                    t->keys[d + i][v] = (gw_vf)w[i];
                }
            }
        }
    }
}

GW_INLINE gw_vf cut_scores(gw_vf dot, float scale2) {
    const gw_vf max = gw_splat_f(GW_ATTN_MAX_SCORE), nan = gw_splat_f(GW_ATTN_NAN_SCORE);
    gw_vf t = gw_flush_v(gw_flush_v(dot) * gw_splat_f(scale2));
    t = gw_pick_f(t < -max, -max, t);
    gw_vf cut = gw_pick_f(t > max, max, t);
    return gw_pick_f(t != t, nan, cut);
}

// n pairs, two vectors of keys side by side.
GW_INLINE void score_pairs(const lane_heads *t, lane_pair *a, const int n, int32_t first) {
    const uint32_t head_dim = t->p->head_dim, at = (uint32_t)first % GW_ATTN_BLOCK / GW_LANES;
    for (uint32_t v = 0; v < KEY_VECTORS; v += 2) {
        gw_vf sum[4][2];
        for (int i = 0; i < n; i++) sum[i][0] = sum[i][1] = gw_splat_f(0.0f);
        for (uint32_t u = 0; u < head_dim; u += GW_SUM_UNIT) {
            const uint32_t end = u + GW_SUM_UNIT < head_dim ? u + GW_SUM_UNIT : head_dim;
            gw_vf chain[4][2];
            for (int i = 0; i < n; i++) chain[i][0] = chain[i][1] = gw_splat_f(0.0f);
            for (uint32_t d = u; d < end; d++) {
                for (int i = 0; i < n; i++) {
                    gw_vf q = (gw_vf)gw_splat_at(&a[i].q[d]);
                    chain[i][0] = chain[i][0] + q * t->keys[d][v];
                    chain[i][1] = chain[i][1] + q * t->keys[d][v + 1];
                }
            }
            for (int i = 0; i < n; i++) {
                sum[i][0] = sum[i][0] + chain[i][0];
                sum[i][1] = sum[i][1] + chain[i][1];
            }
        }
        for (int i = 0; i < n; i++) {
            for (uint32_t k = 0; k < 2; k++) {
                gw_vf s = (gw_vf)gw_to_rows((gw_vu)sum[i][k]);
                a[i].p[at + v + k] = cut_scores(s, t->p->scale2);
            }
        }
    }
}

// Scores of a block to powers of two over their largest.
static inline void scores_to_p(lane_pair *a, int32_t first) {
    gw_vi n[SCORE_VECTORS], most = gw_splat_i(GW_ATTN_NO_KEYS), index = gw_splat_i(first);
    for (int i = 0; i < GW_LANES; i++) index[i] += i;
    for (int v = 0; v < SCORE_VECTORS; v++, index += GW_LANES) {
        gw_vi seen = (index >= a->lo) & (index <= a->pos);
        n[v] =
            (gw_vi)gw_pick(seen, (gw_vu)gw_round_v(a->p[v]), gw_splat((uint32_t)GW_ATTN_NO_KEYS));
        most = (gw_vi)gw_pick(n[v] > most, (gw_vu)n[v], (gw_vu)most);
    }
    a->block.e = gw_max_of(most);
    if (a->block.e == GW_ATTN_NO_KEYS) return;
    for (int v = 0; v < SCORE_VECTORS; v++) {
        gw_vf t = a->p[v];
        gw_vi power = n[v] - a->block.e;
        gw_vu f = (gw_vu)gw_exp2_part_v(t - gw_to_float(n[v])) + ((gw_vu)power << 23);
        f = gw_pick(t > GW_ATTN_MAX_SCORE, gw_splat(GW_NAN_BITS), f);
        a->p[v] = (gw_vf)gw_pick(power < GW_ATTN_LOWEST, gw_splat(0), f);
    }
    gw_sum l = {0};
    for (int v = 0; v < SCORE_VECTORS; v += KEY_VECTORS) gw_sum_add(&l, gw_sum_halves_v(a->p + v));
    a->block.l = gw_sum_end(&l);
}

// --- values

static inline void read_values(lane_heads *t, int32_t first) {
    const uint32_t head_dim = t->p->head_dim;
    for (int32_t k = 0; k < GW_SUM_UNIT; k++) {
        if (!anyone_sees(t, first + k)) continue;
        uint64_t at = cached_at(t, first + k);
        for (uint32_t v = 0; v < t->n_vectors; v++) {
            const uint32_t d = v * GW_LANES, left = head_dim - d;
            t->values[k][v] =
                t->p->v_type == GW_KV_F16
                    ? gw_load_halves((const uint16_t *)t->args->bufs[2] + at + d, left)
                    : gw_load_floats((const float *)t->args->bufs[2] + at + d, left);
        }
    }
}

// Keys from .. end - 1 of the unit, which n pairs see, in n_v vectors from v on.
GW_INLINE void add_value_vectors(const lane_heads *t, lane_pair *a, const int n, const int n_v,
                                 uint32_t v, int32_t first, int32_t from, int32_t end) {
    gw_vf chain[4][2];
    const uint32_t at = (uint32_t)first % GW_ATTN_BLOCK;
    for (int i = 0; i < n; i++) chain[i][0] = chain[i][1] = gw_splat_f(0.0f);
    for (int32_t k = from; k < end; k++) {
        for (int i = 0; i < n; i++) {
            gw_vf p = (gw_vf)gw_splat_at((const float *)(const void *)a[i].p + at + k);
            for (int j = 0; j < n_v; j++)
                chain[i][j] = chain[i][j] + p * t->values[k][v + (uint32_t)j];
        }
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n_v; j++)
            a[i].block.o[v + (uint32_t)j] = a[i].block.o[v + (uint32_t)j] + chain[i][j];
}

GW_INLINE void add_values_of(const lane_heads *t, lane_pair *a, const int n, int32_t first) {
    const int32_t lo = a->lo > first ? a->lo - first : 0;
    const int32_t end = a->pos - first < GW_SUM_UNIT - 1 ? a->pos - first + 1 : GW_SUM_UNIT;
    uint32_t v = 0;
    for (; v + 2 <= t->n_vectors; v += 2) add_value_vectors(t, a, n, 2, v, first, lo, end);
    if (v < t->n_vectors) add_value_vectors(t, a, n, 1, v, first, lo, end);
}

// --- a tile of pairs

static inline bool all_see_all(const lane_pair *a, int n, int32_t first) {
    for (int i = 0; i < n; i++)
        if (!pair_sees(&a[i], first) || !pair_sees(&a[i], first + GW_SUM_UNIT - 1)) return false;
    return true;
}

static inline void score_unit_of_keys(lane_heads *t, int32_t first) {
    uint32_t i = 0;
    read_keys(t, first);
    for (; i + 4 <= t->n_pairs; i += 4) score_pairs(t, &t->pairs[i], 4, first);
    for (; i < t->n_pairs; i++)
        if (pair_sees_some(&t->pairs[i], first, GW_SUM_UNIT))
            score_pairs(t, &t->pairs[i], 1, first);
}

static inline void add_unit_of_values(lane_heads *t, int32_t first) {
    read_values(t, first);
    for (uint32_t i = 0; i < t->n_pairs;) {
        lane_pair *a = &t->pairs[i];
        if (i + 4 <= t->n_pairs && all_see_all(a, 4, first)) {
            add_values_of(t, a, 4, first);
            i += 4;
        } else {
            if (pair_sees_some(a, first, GW_SUM_UNIT)) add_values_of(t, a, 1, first);
            i++;
        }
    }
}

static inline void attend_block(lane_heads *t, uint32_t b) {
    const int32_t first = (int32_t)b * GW_ATTN_BLOCK;
    bool some[GW_SUM_BLOCK_UNITS] = {false};
    for (uint32_t i = 0; i < t->n_pairs; i++) memset(t->pairs[i].p, 0, sizeof t->pairs[i].p);
    for (int32_t u = 0; u < GW_SUM_BLOCK_UNITS; u++) {
        for (uint32_t i = 0; i < t->n_pairs; i++)
            some[u] |= pair_sees_some(&t->pairs[i], first + u * GW_SUM_UNIT, GW_SUM_UNIT);
        if (some[u]) score_unit_of_keys(t, first + u * GW_SUM_UNIT);
    }
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        scores_to_p(&t->pairs[i], first);
        for (uint32_t v = 0; v < t->n_vectors; v++) t->pairs[i].block.o[v] = gw_splat_f(0.0f);
    }
    for (int32_t u = 0; u < GW_SUM_BLOCK_UNITS; u++)
        if (some[u]) add_unit_of_values(t, first + u * GW_SUM_UNIT);
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        gw_vf *o = t->pairs[i].block.o;
        for (uint32_t v = 0; v < t->n_vectors; v++) o[v] = gw_flush_v(o[v]);
    }
}

static inline void combine_block(const lane_heads *t, lane_pair *a) {
    lane_partial *run = &a->run;
    const lane_partial *block = &a->block;
    if (run->e == GW_ATTN_NO_KEYS) {
        *run = *block;
        return;
    }
    const int32_t e = run->e > block->e ? run->e : block->e;
    const float x = gw_attn_pow2_or_0(run->e - e), y = gw_attn_pow2_or_0(block->e - e);
    const float run_l = run->l * x, block_l = block->l * y;
    run->l = run_l + block_l;
    run->e = e;
    for (uint32_t v = 0; v < t->n_vectors; v++)
        run->o[v] = gw_flush_v(run->o[v] * gw_splat_f(x) + block->o[v] * gw_splat_f(y));
}

static inline void store_head(const lane_heads *t, lane_pair *a) {
    const gw_attention_params *p = t->p;
    const float scale = gw_rcp(a->run.l);
    const uint64_t at = a->row * p->out_dim;
    gw_vf *o = a->run.o;
    for (uint32_t v = 0; v < t->n_vectors; v++) o[v] = gw_flush_v(o[v] * gw_splat_f(scale));
    if (!p->quantize) memcpy((float *)t->args->bufs[5] + at, o, p->out_dim * sizeof(float));
    for (uint32_t g = 0; p->quantize && g < p->out_dim / 32; g++) {
        int8_t *quants = (int8_t *)t->args->bufs[5] + at + g * 32;
        ((float *)t->args->bufs[6])[at / 32 + g] = gw_q8_pack_v(o + g * GW_Q8_VECTORS, quants);
    }
}

static inline void store_block(const lane_heads *t, const lane_pair *a, uint32_t b) {
    const gw_attention_params *p = t->p;
    float *side, *o = gw_attn_part_at(p, t->args->bufs[5], a->row, b, &side);
    memcpy(o, a->block.o, p->head_dim * sizeof(float));
    side[0] = a->block.l;
    memcpy(side + 1, &a->block.e, 4);
}

// Pair `at` of the key head's: a token's heads lie side by side.
static inline void begin_lane_pair(const lane_heads *t, uint64_t at, lane_pair *a) {
    const gw_attention_params *p = t->p;
    const uint32_t share = p->n_head / p->n_head_kv;
    const uint64_t tok = at / share, head = t->g * share + at % share;
    uint32_t lo, pos;
    gw_attn_see(p, t->args->bufs[3], tok, &lo, &pos);
    a->lo = (int32_t)lo;
    a->pos = (int32_t)pos;
    a->run.e = GW_ATTN_NO_KEYS;
    a->row = tok * p->n_head + head;
    memcpy(a->q, (const float *)t->args->bufs[0] + a->row * p->head_dim, p->head_dim * 4);
}

static inline void gw_attend(const gw_attention_part *part) {
    lane_heads t;
    t.p = part->args->params;
    t.args = part->args;
    t.g = part->g;
    t.n_pairs = part->n_pairs;
    t.n_vectors = (t.p->head_dim + GW_LANES - 1) / GW_LANES;
    const uint32_t share = t.p->n_head / t.p->n_head_kv;
    t.pages =
        (const uint32_t *)t.args->bufs[4] + (t.p->paged ? part->pair / share * t.p->n_blocks : 0);
    int32_t lo = INT32_MAX, pos = 0;
    for (uint32_t i = 0; i < t.n_pairs; i++) {
        lane_pair *a = &t.pairs[i];
        begin_lane_pair(&t, part->pair + i, a);
        lo = a->lo < lo ? a->lo : lo;
        pos = a->pos > pos ? a->pos : pos;
    }
    uint32_t b = (uint32_t)lo / GW_ATTN_BLOCK, end = (uint32_t)pos / GW_ATTN_BLOCK + 1;
    if (b < part->block) b = part->block;
    if (end > part->block_end) end = part->block_end;
    for (; b < end; b++) {
        attend_block(&t, b);
        for (uint32_t i = 0; i < t.n_pairs; i++) {
            lane_pair *a = &t.pairs[i];
            if (a->block.e == GW_ATTN_NO_KEYS) continue;
            if (t.p->mode == GW_ATTN_PART)
                store_block(&t, a, b);
            else
                combine_block(&t, a);
        }
    }
    for (uint32_t i = 0; i < t.n_pairs && t.p->mode == GW_ATTN_WALK; i++)
        store_head(&t, &t.pairs[i]);
}

#endif
