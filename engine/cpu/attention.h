// Attention in vectors: for scores a lane is a key, for results an element of a head. Order:
// docs/NUMERICS.md; structure and names: ops/attention_reference.c. Of q8_0 caches, attention_q8.h.
#ifndef GW_CPU_ATTENTION_H
#define GW_CPU_ATTENTION_H

#include "cpu/attention_q8.h"
#include "cpu/attention_scores.h"

// kind: GW_KV_F32 as floats, GW_KV_F16 as halves, GW_KV_Q8.
GW_INLINE void score_pairs(const lane_heads *t, lane_pair *a, const uint32_t kind, int32_t first) {
    uint32_t i = 0;
#define SCORE(n)                                                                                   \
    if (kind == GW_KV_Q8)                                                                          \
        score_ints(t, a + i, n, first);                                                            \
    else                                                                                           \
        score_floats(t, a + i, n, kind == GW_KV_F16, first)
    for (; i + 4 <= t->n_pairs; i += 4) SCORE(4);
    if (t->n_pairs - i == 3) {
        SCORE(3);
    } else if (t->n_pairs - i == 2) {
        SCORE(2);
    } else if (t->n_pairs - i == 1) {
        SCORE(1);
    }
#undef SCORE
}

static inline void score_unit_of_keys(lane_heads *t, int32_t first) {
    if (t->p->k_type == GW_KV_Q8) {
        read_int_keys(t, first);
        score_pairs(t, t->pairs, GW_KV_Q8, first);
    } else if (t->p->k_type == GW_KV_F16 && KEEPS_HALVES) {
        read_half_keys(t, first);
        score_pairs(t, t->pairs, GW_KV_F16, first);
    } else {
        read_float_keys(t, first);
        score_pairs(t, t->pairs, GW_KV_F32, first);
    }
}

// Scores of a block to powers of two over their largest, in the units of which the pair sees some.
static inline void scores_to_p(lane_pair *a, int32_t first) {
    int32_t from, end;
    pair_range(a, first, GW_ATTN_BLOCK, &from, &end);
    a->block.e = GW_ATTN_NO_KEYS;
    if (from >= end) return;
    const int begin_v = from / GW_SUM_UNIT * KEY_VECTORS;
    const int end_v = ((end - 1) / GW_SUM_UNIT + 1) * KEY_VECTORS;
    gw_vi n[SCORE_VECTORS], most = gw_splat_i(GW_ATTN_NO_KEYS);
    gw_vi index = gw_splat_i(begin_v * GW_LANES);
    for (int i = 0; i < GW_LANES; i++) index[i] += i;
    for (int v = begin_v; v < end_v; v++, index += GW_LANES) {
        const gw_vu none = gw_splat((uint32_t)GW_ATTN_NO_KEYS);
        gw_vu round = (gw_vu)gw_round_v(a->p[v]);
        round = gw_if_less_i(index, gw_splat_i(from), none, round);
        n[v] = (gw_vi)gw_if_less_i(index, gw_splat_i(end), round, none);
        most = (gw_vi)gw_if_less_i(most, n[v], (gw_vu)n[v], (gw_vu)most);
    }
    a->block.e = gw_max_of(most);
    // Units that are left out add 0.
    for (int v = 0; v < begin_v; v++) a->p[v] = gw_splat_f(0.0f);
    for (int v = end_v; v < SCORE_VECTORS; v++) a->p[v] = gw_splat_f(0.0f);
    for (int v = begin_v; v < end_v; v++) {
        gw_vf t = a->p[v];
        gw_vi power = n[v] - a->block.e;
        gw_vu f = (gw_vu)gw_exp2_part_v(t - gw_to_float(n[v])) + ((gw_vu)power << 23);
        f = (gw_vu)gw_if_less(gw_splat_f(GW_ATTN_MAX_SCORE), t, (gw_vf)gw_splat(GW_NAN_BITS),
                              (gw_vf)f);
        a->p[v] = (gw_vf)gw_if_less_i(power, gw_splat_i(GW_ATTN_LOWEST), gw_splat(0), f);
    }
    float sums[GW_SUM_BLOCK_UNITS], l = 0.0f;
    gw_sums_of_units_v(a->p, sums);
    for (int i = 0; i < GW_SUM_BLOCK_UNITS; i++) l = l + sums[i];
    a->block.l = l;
}

// --- values

// Keys from .. end - 1 of the unit, which n pairs see, in n_v vectors from v on; `left` elements of the
// last, or GW_LANES.
GW_INLINE void add_value_vectors(const lane_heads *t, lane_pair *a, const int n, const int n_v,
                                 const bool halves, uint32_t v, uint32_t left, int32_t first,
                                 int32_t from, int32_t end) {
    gw_vf chain[4][4];
    const uint32_t at = (uint32_t)first % GW_ATTN_BLOCK, bytes = halves ? 2 : 4;
    const uint64_t stride = row_bytes(t, true);
    const uint8_t *row = cached_row(t, true, first + from) + v * GW_LANES * bytes;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n_v; j++) chain[i][j] = gw_splat_f(0.0f);
    for (int32_t k = from; k < end; k++, row += stride) {
        gw_vf x[4];
        for (int j = 0; j < n_v; j++) {
            const uint8_t *here = row + (uint32_t)j * GW_LANES * bytes;
            x[j] = halves ? gw_load_halves(here, left) : gw_load_floats(here, left);
        }
        for (uint32_t i = 0; i < (uint32_t)n_v * GW_LANES * bytes; i += 64) fetch_next(t, row + i);
        for (int i = 0; i < n; i++) {
            gw_vf p = (gw_vf)gw_splat_at((const float *)(const void *)a[i].p + at + k);
            for (int j = 0; j < n_v; j++) chain[i][j] = chain[i][j] + p * x[j];
        }
    }
    for (int i = 0; i < n; i++) {
        gw_vf *o = a[i].block.o + v;
        for (int j = 0; j < n_v; j++) o[j] = o[j] + chain[i][j];
    }
}

GW_INLINE void add_values_of(const lane_heads *t, lane_pair *a, const int n, const bool halves,
                             int32_t first, int32_t from, int32_t end) {
#if GW_LANES == 16 || defined(GW_NEON) // of 32 registers
    enum { SOME = 4 };
#else
    enum { SOME = 2 };
#endif
    enum { ALL = GW_LANES, MANY = 4 };
    const uint32_t n_whole = t->p->head_dim / GW_LANES;
    uint32_t v = 0;
    for (; n == 1 && v + MANY <= n_whole; v += MANY)
        add_value_vectors(t, a, n, MANY, halves, v, ALL, first, from, end);
    for (; n > 1 && v + SOME <= n_whole; v += SOME)
        add_value_vectors(t, a, n, SOME, halves, v, ALL, first, from, end);
    for (; v < n_whole; v++) add_value_vectors(t, a, n, 1, halves, v, ALL, first, from, end);
    if (v < t->n_vectors)
        add_value_vectors(t, a, n, 1, halves, v, t->p->head_dim - v * GW_LANES, first, from, end);
}

// How many of the pairs from a on, at most 4, see the same of the unit.
static inline uint32_t n_alike(const lane_pair *a, uint32_t n_left, int32_t first, int32_t from,
                               int32_t end) {
    uint32_t n = 1;
    for (; n < n_left && n < 4; n++) {
        int32_t its_from, its_end;
        pair_range(&a[n], first, GW_SUM_UNIT, &its_from, &its_end);
        if (its_from != from || its_end != end) break;
    }
    return n;
}

GW_INLINE void add_unit_of_values(lane_heads *t, const bool halves, int32_t first) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < t->n_pairs; i += n) {
        lane_pair *a = &t->pairs[i];
        int32_t from, end;
        pair_range(a, first, GW_SUM_UNIT, &from, &end);
        n = 1;
        if (from >= end) continue;
        n = n_alike(a, t->n_pairs - i, first, from, end);
        if (n == 4)
            add_values_of(t, a, 4, halves, first, from, end);
        else if (n == 3)
            add_values_of(t, a, 3, halves, first, from, end);
        else if (n == 2)
            add_values_of(t, a, 2, halves, first, from, end);
        else
            add_values_of(t, a, 1, halves, first, from, end);
    }
}

// goes_on: the next block's keys are read then.
static inline void add_float_values(lane_heads *t, int32_t first, int32_t from, int32_t end,
                                    bool goes_on) {
    for (uint32_t i = 0; i < t->n_heads * t->n_pairs; i++)
        for (uint32_t v = 0; v < t->n_vectors; v++) t->all[i].block.o[v] = gw_splat_f(0.0f);
    for (int32_t at = from / GW_SUM_UNIT * GW_SUM_UNIT; at < end; at += GW_SUM_UNIT) {
        if (at + GW_SUM_UNIT < end)
            t->ahead = distance(t, true, first + at, true, first + at + GW_SUM_UNIT);
        else
            t->ahead = goes_on ? distance(t, true, first + at, false, first + GW_ATTN_BLOCK) : 0;
        for (uint32_t h = 0; h < t->n_heads; h++) {
            turn_to_head(t, h);
            if (t->p->v_type == GW_KV_F16)
                add_unit_of_values(t, true, first + at);
            else
                add_unit_of_values(t, false, first + at);
        }
    }
}

// --- a tile of pairs

// Its results are left in the pairs that see some of the block. n_after: blocks that come after it.
static inline void attend_block(lane_heads *t, uint32_t b, uint32_t n_after) {
    const int32_t first = (int32_t)b * GW_ATTN_BLOCK;
    const uint32_t n = t->n_heads * t->n_pairs;
    const bool q8 = t->p->v_type == GW_KV_Q8, alike = t->p->k_type == t->p->v_type && !q8;
    int32_t from, end;
    for (uint32_t i = 0; i < n; i++) t->all[i].block.e = GW_ATTN_NO_KEYS;
    turn_to_head(t, 0);
    if (!seen_range(t, first, GW_ATTN_BLOCK, &from, &end)) return;
    from = from / GW_SUM_UNIT * GW_SUM_UNIT;
    if (!t->ahead) fetch_rows(t, false, first + from);
    for (int32_t at = from; at < end; at += GW_SUM_UNIT) {
        if (q8) fetch_rows(t, true, first + at);
        if (at + GW_SUM_UNIT < end)
            t->ahead = distance(t, false, first + at, false, first + at + GW_SUM_UNIT);
        else
            t->ahead = alike ? distance(t, false, first + at, true, first + from) : 0;
        if (!q8 && !t->ahead) fetch_rows(t, true, first + from);
        for (uint32_t h = 0; h < t->n_heads; h++) {
            turn_to_head(t, h);
            score_unit_of_keys(t, first + at);
        }
    }
    for (uint32_t i = 0; i < n; i++) scores_to_p(&t->all[i], first);
    for (uint32_t h = 0; h < t->n_heads && q8; h++) {
        turn_to_head(t, h);
        (void)seen_range(t, first, GW_ATTN_BLOCK, &from, &end);
        add_int_values(t, first, from, end);
    }
    if (!q8) add_float_values(t, first, from, end, alike && n_after);
    for (uint32_t i = 0; i < n; i++) {
        gw_vf *o = t->all[i].block.o;
        for (uint32_t v = 0; v < t->n_vectors; v++) o[v] = gw_flush_v(o[v]);
    }
}

static inline void combine_block(uint32_t n_vectors, lane_pair *a) {
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
    for (uint32_t v = 0; v < n_vectors; v++)
        run->o[v] = gw_flush_v(run->o[v] * gw_splat_f(x) + block->o[v] * gw_splat_f(y));
}

static inline void add_sink(const gw_attention_params *p, const float *sinks, lane_pair *a) {
    lane_partial *sink = &a->block;
    if (!p->has_sinks) return;
    for (uint32_t v = 0; v * GW_LANES < p->head_dim; v++) sink->o[v] = gw_splat_f(0.0f);
    sink->l = gw_attn_sink(sinks[a->row % p->n_head], &sink->e);
    combine_block(gw_div_up(p->head_dim, GW_LANES), a);
}

// bufs: of the launch.
static inline void store_head(const gw_attention_params *p, void *const *bufs, lane_pair *a) {
    void *const *y = bufs + (p->mode == GW_ATTN_COMBINE ? 2 : 5);
    add_sink(p, bufs[gw_attn_sinks_at(p)], a);
    const float scale = gw_rcp(a->run.l);
    const uint64_t at = a->row * p->out_dim;
    gw_vf *o = a->run.o;
    for (uint32_t v = 0; v * GW_LANES < p->head_dim; v++)
        o[v] = gw_flush_v(o[v] * gw_splat_f(scale));
    if (p->v_type == GW_KV_Q8) {
        float out[GW_MAX_HEAD_DIM];
        memcpy(out, o, p->head_dim * sizeof *out);
        gw_rotate_back(out, p->head_dim);
        memcpy(o, out, p->head_dim * sizeof *out);
    }
    if (!p->quantize) memcpy((float *)y[0] + at, o, p->out_dim * sizeof(float));
    for (uint32_t g = 0; p->quantize && g < p->out_dim / 32; g++) {
        int8_t *quants = (int8_t *)y[0] + at + g * 32;
        ((float *)y[1])[at / 32 + g] = gw_q8_pack_v(o + g * GW_Q8_VECTORS, quants);
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
    if (p->k_type == GW_KV_Q8) pack_query(p, a);
}

static inline void begin_pairs(lane_heads *t, uint64_t first) {
    for (uint32_t h = 0; h < t->n_heads; h++) {
        turn_to_head(t, h);
        for (uint32_t i = 0; i < t->n_pairs; i++) begin_lane_pair(t, first + i, &t->pairs[i]);
    }
}

static inline void gw_attend(const gw_attention_part *part) {
    lane_heads t;
    t.p = part->args->params;
    t.ahead = 0;
    t.args = part->args;
    t.first_g = part->g;
    t.n_heads = part->n_heads;
    t.n_pairs = part->n_pairs;
    t.n_vectors = (t.p->head_dim + GW_LANES - 1) / GW_LANES;
    const uint32_t share = t.p->n_head / t.p->n_head_kv, n = t.n_heads * t.n_pairs;
    t.pages =
        (const uint32_t *)t.args->bufs[4] + (t.p->paged ? part->pair / share * t.p->n_blocks : 0);
    int32_t lo = INT32_MAX, pos = 0;
    begin_pairs(&t, part->pair);
    for (uint32_t i = 0; i < n; i++) {
        lo = t.all[i].lo < lo ? t.all[i].lo : lo;
        pos = t.all[i].pos > pos ? t.all[i].pos : pos;
    }
    uint32_t b = (uint32_t)lo / GW_ATTN_BLOCK, end = (uint32_t)pos / GW_ATTN_BLOCK + 1;
    if (b < part->block) b = part->block;
    if (end > part->block_end) end = part->block_end;
    for (; b < end; b++) {
        attend_block(&t, b, end - b - 1);
        for (uint32_t i = 0; i < n; i++) {
            lane_pair *a = &t.all[i];
            if (a->block.e == GW_ATTN_NO_KEYS) continue;
            if (t.p->mode == GW_ATTN_PART)
                store_block(&t, a, b);
            else
                combine_block(t.n_vectors, a);
        }
    }
    for (uint32_t i = 0; i < n && t.p->mode == GW_ATTN_WALK; i++)
        store_head(t.p, t.args->bufs, &t.all[i]);
}

// Items: heads of tokens.
static inline void gw_attend_combined(const gw_reference_args *args) {
    const gw_attention_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        lane_pair a;
        uint32_t lo, pos;
        gw_attn_see(p, args->bufs[0], row / p->n_head, &lo, &pos);
        a.row = row;
        a.run.e = GW_ATTN_NO_KEYS;
        for (uint32_t b = lo / GW_ATTN_BLOCK; b <= pos / GW_ATTN_BLOCK; b++) {
            float *side, *o = gw_attn_part_at(p, args->bufs[1], row, b, &side);
            memcpy(a.block.o, o, p->head_dim * sizeof(float));
            a.block.l = side[0];
            memcpy(&a.block.e, side + 1, 4);
            combine_block(gw_div_up(p->head_dim, GW_LANES), &a);
        }
        store_head(p, args->bufs, &a);
    }
}

#endif
