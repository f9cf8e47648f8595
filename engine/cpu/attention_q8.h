// Attention over q8_0 caches (docs/NUMERICS.md, "KV caches in q8_0"): scores as dots of bytes, values as
// bytes times p in integers of 14 bits.
#ifndef GW_CPU_ATTENTION_Q8_H
#define GW_CPU_ATTENTION_Q8_H

#include "cpu/attention_scores.h"

static inline void pack_query(const gw_attention_params *p, lane_pair *a) {
    gw_rotate(a->q, p->head_dim);
    gw_kv_pack_head(a->q, p->head_dim, GW_SUM_UNIT, a->quants, a->scales);
    for (uint32_t u = 0; u * GW_SUM_UNIT < p->head_dim; u++) {
        int32_t sum = 0;
        for (uint32_t d = u * GW_SUM_UNIT; d < p->head_dim && d < (u + 1) * GW_SUM_UNIT; d++)
            sum += a->quants[d];
        a->bias[u] = -GW_SIGNED_BIAS * sum;
    }
}

// Scales of the keys of vector v of a unit, in the order of lanes; 0 where nobody sees them.
static inline void read_key_scales(lane_heads *t, int32_t first, uint32_t v) {
    const uint32_t n_scales = gw_div_up(t->p->head_dim, GW_SUM_UNIT);
    const size_t stride = (size_t)t->p->n_head_kv * n_scales;
    int32_t from, end;
    (void)seen_range(t, first, GW_SUM_UNIT, &from, &end);
    const float *at = cached_scales(t, false, first + from, n_scales);
    const int32_t begin = (int32_t)v * GW_LANES;
    const bool all = from <= begin && end >= begin + GW_LANES;
    for (uint32_t u = 0; u < n_scales; u++) {
        gw_vf scale = gw_splat_f(0.0f);
        if (all) {
            scale = gw_load_apart(at + (size_t)(begin - from) * stride + u, stride);
        } else {
            for (int32_t i = 0; i < GW_LANES; i++)
                if (begin + i >= from && begin + i < end)
                    scale[i] = at[(size_t)(begin + i - from) * stride + u];
        }
        t->keys.ints.scales[v][u] = (gw_vf)gw_to_lanes((gw_vu)scale);
    }
}

GW_INLINE void read_int_vector(lane_heads *t, const key_rows *r, const bool all, uint32_t v) {
    const uint32_t head_dim = t->p->head_dim;
    for (uint32_t d = 0; d < head_dim; d += 16) {
        // Behind the last half a piece lie other heads, or scales.
        gw_vu w[4];
        load_key_piece(t, r, all, d, w);
        gw_transpose(w);
        for (int i = 0; i < 4; i++)
            t->keys.ints.words[v][d / 4 + (uint32_t)i] = gw_signed_codes(w[i]);
    }
}
static inline void read_int_keys(lane_heads *t, int32_t first) {
    for (uint32_t v = 0; v < KEY_VECTORS; v++) {
        key_rows r;
        find_key_rows(t, first, v, &r);
        if (r.all)
            read_int_vector(t, &r, true, v);
        else
            read_int_vector(t, &r, false, v);
        read_key_scales(t, first, v);
    }
}

GW_INLINE void score_ints(const lane_heads *t, lane_pair *a, const int n, int32_t first) {
    const uint32_t n_words = t->p->head_dim / 4;
    const uint32_t at = (uint32_t)first % GW_ATTN_BLOCK / GW_LANES;
    for (uint32_t v = 0; v < KEY_VECTORS; v++) {
        gw_vf sum[4];
        for (int i = 0; i < n; i++) sum[i] = gw_splat_f(0.0f);
        for (uint32_t u = 0, w = 0; w < n_words; u++) {
            const uint32_t end = n_words - w < 8 ? n_words : w + 8;
            gw_vi dot[4];
            for (int i = 0; i < n; i++) dot[i] = gw_splat_i(a[i].bias[u]);
            for (; w < end; w++) {
                gw_vu codes = t->keys.ints.words[v][w];
                for (int i = 0; i < n; i++)
                    dot[i] = gw_dot4_signed(dot[i], codes, gw_splat_at(a[i].quants + 4 * w));
            }
            for (int i = 0; i < n; i++) {
                gw_vf scale = t->keys.ints.scales[v][u] * gw_splat_f(a[i].scales[u]);
                sum[i] = sum[i] + scale * gw_to_float(dot[i]);
            }
        }
        for (int i = 0; i < n; i++) save_scores(t, &a[i], at + v, sum[i]);
    }
}

// p * scale as integers over the largest of the block; l by integers. scales: of the block's values, 0
// where nobody sees them. Returns what a sum of the integers times values is multiplied by.
static inline float weights_to_ints(lane_pair *a, const float *scales, int32_t first) {
    gw_vf w[SCORE_VECTORS];
    gw_vi l = gw_splat_i(0), top = gw_splat_i(0);
    int32_t from, end, sum = 0;
    memset(a->high, 0, sizeof a->high);
    memset(a->low, 0, sizeof a->low);
    pair_range(a, first, GW_ATTN_BLOCK, &from, &end);
    if (from >= end) return 0.0f;
    const int begin_v = from / GW_SUM_UNIT * KEY_VECTORS;
    const int end_v = ((end - 1) / GW_SUM_UNIT + 1) * KEY_VECTORS;
    gw_vi index = gw_splat_i(begin_v * GW_LANES);
    for (int i = 0; i < GW_LANES; i++) index[i] += i;
    for (int v = begin_v; v < end_v; v++, index += GW_LANES) {
        gw_vf p = a->p[v];
        w[v] = gw_pick_f((index >= from) & (index < end), p * gw_load_f(scales + v * GW_LANES),
                         gw_splat_f(0.0f));
        l += (gw_vi)gw_pick(p != p, gw_splat(0), (gw_vu)gw_round_v(p * 0x1p21f));
        gw_vi bits = (gw_vi)w[v] & 0x7fffffff;
        top = (gw_vi)gw_pick(bits > top, (gw_vu)bits, (gw_vu)top);
    }
    for (int i = 0; i < GW_LANES; i++) sum += l[i];
    a->block.l = gw_i32_to_f32(sum) * 0x1p-21f;
    const uint32_t most = (uint32_t)gw_max_of(top);
    if (most >= GW_INF_BITS) return gw_from_bits(GW_NAN_BITS);
    if (most == 0) return 0.0f;
    const int32_t f = (int32_t)(most >> 23) - 126; // top < 2^f
    for (int v = begin_v; v < end_v; v++) {
        gw_vi n = gw_round_v(w[v] * gw_splat_f(gw_pow2(14 - f)));
        n = (gw_vi)gw_pick(n < 16383, (gw_vu)n, gw_splat(16383));
        gw_save_bytes(a->high + v * GW_LANES, n >> 7);
        gw_save_bytes(a->low + v * GW_LANES, n & 127);
    }
    return gw_pow2(f - 14);
}

// Words of four rows to words of four elements each: byte k of word i of w[j] is byte j of word i of what
// w[k] was.
GW_INLINE void transpose_bytes(gw_vu w[4]) {
    gw_swap_bits(&w[0], &w[1], 8, 0x00ff00ffu);
    gw_swap_bits(&w[2], &w[3], 8, 0x00ff00ffu);
    gw_swap_bits(&w[0], &w[2], 16, 0x0000ffffu);
    gw_swap_bits(&w[1], &w[3], 16, 0x0000ffffu);
}

// Elements d .. d + 4 * GW_LANES - 1, of which `left` are there, of keys from .. end - 1 of a block, times n
// pairs' integers. out: [n][4 * GW_LANES].
GW_INLINE void sum_int_values(const lane_heads *t, const lane_pair *a, const int n, uint32_t d,
                              const uint32_t left, int32_t first, int32_t from, int32_t end,
                              int32_t *out) {
    const uint8_t *row = cached_row(t, true, first + from) + d;
    const uint64_t stride = row_bytes(t, true);
    gw_vi high[2][4], low[2][4];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 4; j++) high[i][j] = low[i][j] = gw_splat_i(0);
    for (int32_t key = from & ~3; key < end; key += 4) {
        gw_vu w[4];
        for (int32_t k = 0; k < 4; k++) {
            // Beside the keys that are seen: one that is, times 0.
            const int32_t at = key + k < from ? 0 : key + k < end ? key + k - from : end - 1 - from;
            w[k] = gw_splat(0);
            memcpy(&w[k], row + (uint64_t)at * stride, left);
        }
        transpose_bytes(w);
        for (int i = 0; i < n; i++) {
            gw_vu p_high = gw_splat_at(a[i].high + key), p_low = gw_splat_at(a[i].low + key);
            for (int j = 0; j < 4; j++) {
                high[i][j] = gw_dot4(high[i][j], p_high, w[j]);
                low[i][j] = gw_dot4(low[i][j], p_low, w[j]);
            }
        }
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < 4; j++) {
            gw_vi both = (high[i][j] << 7) + low[i][j];
            for (int k = 0; k < GW_LANES; k++) out[(i * GW_LANES + k) * 4 + j] = both[k];
        }
    }
}

GW_INLINE void add_int_values_of(const lane_heads *t, lane_pair *a, const int n, const float *scale,
                                 int32_t first, int32_t from, int32_t end) {
    enum { STEP = 4 * GW_LANES };
    const uint32_t head_dim = t->p->head_dim;
    int32_t sums[2 * STEP];
    for (uint32_t d = 0; d < head_dim; d += STEP) {
        if (head_dim - d >= STEP)
            sum_int_values(t, a, n, d, STEP, first, from, end, sums);
        else
            sum_int_values(t, a, n, d, head_dim - d, first, from, end, sums);
        for (int i = 0; i < n; i++) {
            for (int v = 0; v < 4 && d + (uint32_t)v * GW_LANES < head_dim; v++) {
                gw_vi sum = (gw_vi)gw_load(sums + i * STEP + v * GW_LANES);
                // gw_i32_to_f32.
                gw_vf x = gw_to_float(sum & ~4095) + gw_to_float(sum & 4095);
                a[i].block.o[d / GW_LANES + (uint32_t)v] = x * gw_splat_f(scale[i]);
            }
        }
    }
}

static inline void add_int_values(lane_heads *t, int32_t first, int32_t from, int32_t end) {
    float scales[GW_ATTN_BLOCK] = {0}, factors[GW_ATTN_PAIRS];
    const float *at = cached_scales(t, true, first + from, 1);
    for (int32_t k = from; k < end; k++, at += t->p->n_head_kv) scales[k] = *at;
    for (uint32_t i = 0; i < t->n_pairs; i++)
        factors[i] = weights_to_ints(&t->pairs[i], scales, first);
    uint32_t i = 0;
    for (; i + 2 <= t->n_pairs; i += 2)
        add_int_values_of(t, &t->pairs[i], 2, factors + i, first, from, end);
    if (i < t->n_pairs) add_int_values_of(t, &t->pairs[i], 1, factors + i, first, from, end);
}

#endif
