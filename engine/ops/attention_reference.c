// Attention's reference: what its kernels must equal, bit for bit. Order: docs/NUMERICS.md.
#include "ops/attention.h"

#include "base/exact_math.h"
#include "base/sums.h"
#include "ops/kv.h"
#include "ops/q8_act.h"

// Element at of a cache; of q8_0 without its scale.
static float cached(uint32_t type, const uint32_t *cache, uint64_t at) {
    if (type == GW_KV_Q8) return (float)((const int8_t *)cache)[at];
    if (type == GW_KV_F32) return gw_from_bits(cache[at]);
    return gw_f16_to_f32(cache[at / 2] >> (at % 2 * 16) & 0xffffu);
}

// Scale i of a q8_0 cache.
static float scale_at(const gw_attention_params *p, const uint32_t *cache, uint64_t i) {
    return gw_from_bits(cache[(uint64_t)p->n_rows * p->n_head_kv * (p->head_dim / 4) + i]);
}

typedef struct partial {
    int32_t e; // GW_ATTN_NO_KEYS: nothing yet
    float l, o[GW_MAX_HEAD_DIM];
} partial;

// Pairs of a token and a head of one key head share the reading of a unit of keys and values.
enum { PAIRS = 8 };

typedef struct pair {
    float q[GW_MAX_HEAD_DIM]; // with q8_0 keys integers, with a scale for each 32
    float q_scales[GW_MAX_HEAD_DIM / 32];
    uint64_t row;     // of y
    uint32_t lo, pos; // the keys that it sees
    partial run, block;
    float p[GW_ATTN_BLOCK]; // scores, then 2^(score - e); 0 for hidden keys
} pair;

typedef struct tile {
    const gw_attention_params *p;
    const gw_reference_args *args;
    uint32_t g, n_pairs; // the key head
    const uint32_t *pages;
    pair pairs[PAIRS];
    float keys[GW_MAX_HEAD_DIM][GW_SUM_UNIT];
    float key_scales[GW_MAX_HEAD_DIM / 32][GW_SUM_UNIT];
    int32_t sums[PAIRS][GW_MAX_HEAD_DIM]; // of q8_0 values
} tile;

static uint64_t row_at(const tile *t, uint32_t key) {
    return gw_attn_element(t->p, t->pages, t->g, key);
}

static bool sees(const pair *a, uint32_t key) {
    return key >= a->lo && key <= a->pos;
}
// Whether it sees a key of the n from first on.
static bool sees_some(const pair *a, uint32_t first, uint32_t n) {
    return a->lo <= first + (n - 1) && a->pos >= first;
}

static float cut(float dot, const gw_attention_params *p) {
    float t = gw_flush(gw_flush(dot) * p->scale2);
    if (p->cap2 != 0.0f) t = gw_flush(gw_flush(gw_tanh(t)) * p->cap2);
    if (gw_is_nan(t)) return GW_ATTN_NAN_SCORE;
    return t > GW_ATTN_MAX_SCORE    ? GW_ATTN_MAX_SCORE
           : t < -GW_ATTN_MAX_SCORE ? -GW_ATTN_MAX_SCORE
                                    : t;
}

// Scores of the unit of keys that begins at first.
static void score(const tile *t, pair *a, uint32_t first) {
    const gw_attention_params *p = t->p;
    float sum[GW_SUM_UNIT] = {0};
    for (uint32_t u = 0; u < p->head_dim; u += GW_SUM_UNIT) {
        float chain[GW_SUM_UNIT] = {0};
        for (uint32_t d = u; d < u + GW_SUM_UNIT && d < p->head_dim; d++) {
            for (uint32_t j = 0; j < GW_SUM_UNIT; j++) {
                float product = a->q[d] * t->keys[d][j];
                chain[j] = chain[j] + product;
            }
        }
        for (uint32_t j = 0; j < GW_SUM_UNIT; j++) {
            // A chain of integers is exact; a product of their units is a PLAIN one.
            if (p->k_type == GW_KV_Q8) {
                float scale = t->key_scales[u / 32][j] * a->q_scales[u / 32];
                chain[j] = scale * chain[j];
            }
            sum[j] = sum[j] + chain[j];
        }
    }
    for (uint32_t j = 0; j < GW_SUM_UNIT; j++) {
        uint32_t key = first + j;
        if (sees(a, key)) a->p[key % GW_ATTN_BLOCK] = cut(sum[j], p);
    }
}

static void score_unit(tile *t, uint32_t first) {
    const gw_attention_params *p = t->p;
    for (uint32_t j = 0; j < GW_SUM_UNIT; j++) {
        bool seen = false;
        for (uint32_t i = 0; i < t->n_pairs; i++) seen |= sees(&t->pairs[i], first + j);
        uint64_t row = row_at(t, first + j);
        for (uint32_t d = 0; d < p->head_dim; d++)
            t->keys[d][j] = seen ? cached(p->k_type, t->args->bufs[1], row + d) : 0.0f;
        const uint32_t n_scales = p->k_type == GW_KV_Q8 ? gw_div_up(p->head_dim, 32) : 0;
        for (uint32_t g = 0; g < n_scales; g++)
            t->key_scales[g][j] =
                seen ? scale_at(p, t->args->bufs[1], row / p->head_dim * n_scales + g) : 0.0f;
    }
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        if (sees_some(&t->pairs[i], first, GW_SUM_UNIT)) score(t, &t->pairs[i], first);
    }
}

// Scores of a block to powers of two over their largest.
static void make_p(pair *a, uint32_t first) {
    int32_t n[GW_ATTN_BLOCK];
    a->block = (partial){.e = GW_ATTN_NO_KEYS};
    for (uint32_t j = 0; j < GW_ATTN_BLOCK; j++) {
        if (!sees(a, first + j)) continue;
        n[j] = gw_round(a->p[j]);
        a->block.e = n[j] > a->block.e ? n[j] : a->block.e;
    }
    for (uint32_t j = 0; j < GW_ATTN_BLOCK; j++) {
        float t = a->p[j];
        a->p[j] = 0.0f;
        if (!sees(a, first + j) || n[j] - a->block.e < GW_ATTN_LOWEST) continue;
        uint32_t f = gw_bits(gw_exp2_part(t - (float)n[j]));
        a->p[j] = t > GW_ATTN_MAX_SCORE ? gw_from_bits(GW_NAN_BITS)
                                        : gw_from_bits(f + ((uint32_t)(n[j] - a->block.e) << 23));
    }
    a->block.l = gw_reduce(a->p, GW_ATTN_BLOCK);
}

static void add_values(tile *t, uint32_t first) {
    const gw_attention_params *p = t->p;
    float chain[PAIRS][GW_MAX_HEAD_DIM] = {{0}}, v[GW_MAX_HEAD_DIM];
    for (uint32_t key = first; key < first + GW_SUM_UNIT; key++) {
        bool seen = false;
        for (uint32_t i = 0; i < t->n_pairs; i++) seen |= sees(&t->pairs[i], key);
        if (!seen) continue;
        uint64_t row = row_at(t, key);
        for (uint32_t d = 0; d < p->head_dim; d++)
            v[d] = cached(p->v_type, t->args->bufs[2], row + d);
        for (uint32_t i = 0; i < t->n_pairs; i++) {
            const pair *a = &t->pairs[i];
            if (!sees(a, key)) continue;
            float w = a->p[key % GW_ATTN_BLOCK];
            for (uint32_t d = 0; d < p->head_dim; d++) {
                float product = w * v[d];
                chain[i][d] = chain[i][d] + product;
            }
        }
    }
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        float *o = t->pairs[i].block.o;
        for (uint32_t d = 0; d < p->head_dim; d++) o[d] = o[d] + chain[i][d];
    }
}

// q8_0 values: p * scale as integers of 14 bits over the largest of the block, in a->p; l by
// integers. Returns what a sum of them is multiplied by.
static float make_weights(const tile *t, pair *a, uint32_t first) {
    const gw_attention_params *p = t->p;
    float w[GW_ATTN_BLOCK] = {0};
    int32_t l = 0;
    uint32_t top = 0;
    for (uint32_t j = 0; j < GW_ATTN_BLOCK; j++) {
        if (!sees(a, first + j)) continue;
        w[j] = a->p[j] * scale_at(p, t->args->bufs[2], row_at(t, first + j) / p->head_dim);
        l += gw_is_nan(a->p[j]) ? 0 : gw_round(a->p[j] * 0x1p21f);
        uint32_t bits = gw_bits(w[j]) & 0x7fffffffu;
        top = bits > top ? bits : top;
    }
    a->block.l = gw_i32_to_f32(l) * 0x1p-21f;
    memset(a->p, 0, sizeof a->p);
    if (top >= GW_INF_BITS) return gw_from_bits(GW_NAN_BITS);
    if (top == 0) return 0.0f;
    int32_t f = (int32_t)(top >> 23) - 126; // top < 2^f
    for (uint32_t j = 0; j < GW_ATTN_BLOCK; j++) {
        int32_t n = gw_round(w[j] * gw_pow2(14 - f));
        a->p[j] = (float)(n < 16383 ? n : 16383);
    }
    return gw_pow2(f - 14);
}

static void add_integers(tile *t, uint32_t first) {
    const gw_attention_params *p = t->p;
    for (uint32_t key = first; key < first + GW_ATTN_BLOCK; key++) {
        for (uint32_t i = 0; i < t->n_pairs; i++) {
            int32_t w = (int32_t)t->pairs[i].p[key - first];
            if (!w) continue;
            const int8_t *v = (const int8_t *)t->args->bufs[2] + row_at(t, key);
            for (uint32_t d = 0; d < p->head_dim; d++) t->sums[i][d] += w * v[d];
        }
    }
}

static void make_values_q8(tile *t, uint32_t first) {
    float scales[PAIRS];
    memset(t->sums, 0, sizeof t->sums);
    for (uint32_t i = 0; i < t->n_pairs; i++) scales[i] = make_weights(t, &t->pairs[i], first);
    add_integers(t, first);
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        for (uint32_t d = 0; d < t->p->head_dim; d++)
            t->pairs[i].block.o[d] = gw_i32_to_f32(t->sums[i][d]) * scales[i];
    }
}

static void combine(partial *run, const partial *block, uint32_t n) {
    if (run->e == GW_ATTN_NO_KEYS) {
        *run = *block;
        return;
    }
    int32_t e = run->e > block->e ? run->e : block->e;
    float a = gw_attn_pow2_or_0(run->e - e), c = gw_attn_pow2_or_0(block->e - e);
    float la = run->l * a, lc = block->l * c;
    run->l = la + lc;
    run->e = e;
    for (uint32_t d = 0; d < n; d++) {
        float oa = run->o[d] * a, oc = block->o[d] * c;
        run->o[d] = gw_flush(oa + oc);
    }
}

// Leaves the results of a block in the pairs that see some of it.
static void work_on_block(tile *t, uint32_t b) {
    uint32_t first = b * GW_ATTN_BLOCK;
    bool some[GW_SUM_BLOCK_UNITS] = {false};
    for (uint32_t u = 0; u < GW_SUM_BLOCK_UNITS; u++) {
        uint32_t at = first + u * GW_SUM_UNIT;
        for (uint32_t i = 0; i < t->n_pairs; i++)
            some[u] |= sees_some(&t->pairs[i], at, GW_SUM_UNIT);
        if (some[u]) score_unit(t, at);
    }
    for (uint32_t i = 0; i < t->n_pairs; i++) make_p(&t->pairs[i], first);
    bool q8 = t->p->v_type == GW_KV_Q8;
    if (q8) make_values_q8(t, first);
    for (uint32_t u = 0; u < GW_SUM_BLOCK_UNITS; u++)
        if (some[u] && !q8) add_values(t, first + u * GW_SUM_UNIT);
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        float *o = t->pairs[i].block.o;
        for (uint32_t d = 0; d < t->p->head_dim; d++) o[d] = gw_flush(o[d]);
    }
}

// The keys that token tok sees.
static void see(const gw_attention_params *p, const void *positions, uint64_t tok, pair *out) {
    gw_attn_see(p, positions, tok, &out->lo, &out->pos);
    out->run = (partial){.e = GW_ATTN_NO_KEYS};
}

// Pair `at` of the key head's: a token's heads lie side by side.
static void begin_pair(tile *t, uint64_t at, pair *out) {
    const gw_attention_params *p = t->p;
    uint32_t share = p->n_head / p->n_head_kv;
    uint64_t tok = at / share, head = t->g * share + at % share;
    see(p, t->args->bufs[3], tok, out);
    out->row = tok * p->n_head + head;
    memcpy(out->q, (const float *)t->args->bufs[0] + out->row * p->head_dim, p->head_dim * 4);
    if (p->k_type != GW_KV_Q8) return;
    gw_rotate(out->q, p->head_dim);
    int8_t quants[GW_MAX_HEAD_DIM];
    gw_kv_pack_head(out->q, p->head_dim, gw_kv_group(p->head_dim, false), quants, out->q_scales);
    for (uint32_t d = 0; d < p->head_dim; d++) out->q[d] = (float)quants[d];
}

static void add_sink(const gw_attention_params *p, const gw_reference_args *args, pair *a) {
    partial sink = {0};
    if (!p->has_sinks) return;
    const float *sinks = args->bufs[gw_attn_sinks_at(p)];
    sink.l = gw_attn_sink(sinks[a->row % p->n_head], &sink.e);
    combine(&a->run, &sink, p->head_dim);
}

static void store_y(const gw_attention_params *p, const gw_reference_args *args, pair *a) {
    add_sink(p, args, a);
    float out[GW_MAX_HEAD_DIM], scale = gw_rcp(a->run.l);
    uint64_t at = a->row * p->out_dim;
    for (uint32_t d = 0; d < p->head_dim; d++) out[d] = gw_flush(a->run.o[d] * scale);
    if (p->v_type == GW_KV_Q8) gw_rotate_back(out, p->head_dim);
    void *const *y = args->bufs + (p->mode == GW_ATTN_COMBINE ? 2 : 5);
    if (!p->quantize) memcpy((float *)y[0] + at, out, p->out_dim * 4);
    for (uint32_t g = 0; p->quantize && g < p->out_dim / 32; g++) {
        ((float *)y[1])[at / 32 + g] = gw_q8_pack(out + g * 32, (int8_t *)y[0] + at + g * 32);
    }
}

static void store_part(const tile *t, const pair *a, uint32_t b) {
    float *side, *o = gw_attn_part_at(t->p, t->args->bufs[5], a->row, b, &side);
    memcpy(o, a->block.o, t->p->head_dim * 4);
    side[0] = a->block.l;
    memcpy(side + 1, &a->block.e, 4);
}

static void work_on_tile(tile *t) {
    uint32_t first = UINT32_MAX, last = 0;
    for (uint32_t i = 0; i < t->n_pairs; i++) {
        const pair *a = &t->pairs[i];
        first = a->lo < first ? a->lo : first;
        last = a->pos > last ? a->pos : last;
    }
    for (uint32_t b = first / GW_ATTN_BLOCK; b <= last / GW_ATTN_BLOCK; b++) {
        work_on_block(t, b);
        for (uint32_t i = 0; i < t->n_pairs; i++) {
            pair *a = &t->pairs[i];
            if (a->block.e == GW_ATTN_NO_KEYS) continue;
            if (t->p->mode == GW_ATTN_PART)
                store_part(t, a, b);
            else
                combine(&a->run, &a->block, t->p->head_dim);
        }
    }
    for (uint32_t i = 0; i < t->n_pairs && t->p->mode == GW_ATTN_WALK; i++)
        store_y(t->p, t->args, &t->pairs[i]);
}

static void combine_parts(const gw_attention_params *p, const gw_reference_args *args) {
    for (uint64_t row = args->first; row < args->end; row++) {
        pair a = {.row = row};
        see(p, args->bufs[0], row / p->n_head, &a);
        for (uint32_t b = a.lo / GW_ATTN_BLOCK; b <= a.pos / GW_ATTN_BLOCK; b++) {
            float *side, *o = gw_attn_part_at(p, args->bufs[1], row, b, &side);
            memcpy(a.block.o, o, p->head_dim * 4);
            a.block.l = side[0];
            memcpy(&a.block.e, side + 1, 4);
            combine(&a.run, &a.block, p->head_dim);
        }
        store_y(p, args, &a);
    }
}

uint64_t gw_attention_n_items(const void *params) {
    const gw_attention_params *p = params;
    return p->mode == GW_ATTN_COMBINE ? (uint64_t)p->n_tok * p->n_head : p->n_head_kv;
}

void gw_attention_reference(const gw_reference_args *args) {
    const gw_attention_params *p = args->params;
    if (p->mode == GW_ATTN_COMBINE) {
        combine_parts(p, args);
        return;
    }
    tile t = {.p = p, .args = args};
    uint32_t share = p->n_head / p->n_head_kv;
    for (t.g = (uint32_t)args->first; t.g < args->end; t.g++) {
        for (uint64_t at = p->first; at < p->end; at += t.n_pairs) {
            uint64_t left = p->paged ? share - at % share : p->end - at;
            t.n_pairs = left < PAIRS ? (uint32_t)left : PAIRS;
            t.pages = (const uint32_t *)args->bufs[4] + (p->paged ? at / share * p->n_blocks : 0);
            for (uint32_t i = 0; i < t.n_pairs; i++) begin_pair(&t, at + i, &t.pairs[i]);
            work_on_tile(&t);
        }
    }
}
