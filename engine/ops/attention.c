// attention (ONNX Attention, causal, grouped query): softmax(q K^T * scale) V over a token's past
//   q: [n_tok, n_head, head_dim] f32; K, V: [n_ctx, n_head_kv, head_dim], each f32, f16 or q8_0
//   (ops/kv.h), states;
//   pos: [n_tok] i32; y: [n_tok, n_head * out_dim] f32, or q8_act when fused with quantize_q8.
//   Token t sees keys max(0, pos - window + 1) .. pos (window 0: from 0). head_dim: a multiple of
//   8, up to 256; smaller heads have zeros behind, and out_dim (the attribute head_dim) is theirs.
// Order: docs/NUMERICS.md. Keys are worked on in blocks of 256, each with a power of two of its
// own, and blocks are combined in ascending order; so the result depends on positions alone, not on
// how a prompt was cut, and a launch may do one block (PART) whose results another combines.
// Source of the running combination: Dao et al., "FlashAttention", 2022.
#include "base/sums.h"
#include "ops/kv.h"
#include "ops/q8_act.h"

#include <stdio.h>

// What a launch does: all of it, one block of keys, or the combination of blocks.
enum { WALK, PART, COMBINE };

typedef struct attention_params {
    uint32_t n_tok, n_head, n_head_kv, head_dim;
    float scale2; // scale / ln 2: scores are powers of two
    uint32_t window;
    uint32_t k_type, v_type; // gw_kv_type
    uint32_t quantize;
    uint32_t out_dim;
    uint32_t n_ctx;
    uint32_t mode;
    uint32_t n_blocks;   // of the whole cache
    uint32_t first, end; // of the pairs of a token and a head that share a key head
} attention_params;
_Static_assert(sizeof(attention_params) == 60, "push constants of attention.comp");

static const gw_attr_row attrs[] = {
    {"scale", GW_ATTR_F32, offsetof(gw_attention_attrs, scale), 1.0f},
    {"window", GW_ATTR_U32, offsetof(gw_attention_attrs, window), 0},
    {"head_dim", GW_ATTR_U32, offsetof(gw_attention_attrs, head_dim), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static uint32_t out_dim(const gw_node *node) {
    const gw_attention_attrs *a = (const gw_attention_attrs *)node->attrs;
    return a->head_dim ? a->head_dim : (uint32_t)node->inputs[0]->dims[2];
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *q = node->inputs[0], *k = node->inputs[1], *v = node->inputs[2];
    const gw_value *pos = node->inputs[3];
    uint32_t type;
    GW_OP_CHECK(node, q->dtype == GODWIT_F32 && q->n_dims == 3, err,
                "q is not [n_tok, n_head, head_dim] f32");
    GW_OP_CHECK(node,
                k->n_dims == 3 && v->n_dims == 3 && !memcmp(k->dims, v->dims, 24) && !k->weight &&
                    !v->weight && gw_kv_type_of(k, false, &type) && gw_kv_type_of(v, true, &type),
                err, "K and V are not one shape of 3 dims, f32, f16 or q8_0");
    GW_OP_CHECK(node, k->dims[2] == q->dims[2] && q->dims[1] % k->dims[1] == 0, err,
                "%llu heads of %llu do not share %llu key heads of %llu",
                (unsigned long long)q->dims[1], (unsigned long long)q->dims[2],
                (unsigned long long)k->dims[1], (unsigned long long)k->dims[2]);
    GW_OP_CHECK(node, q->dims[2] % GW_HEAD_DIM_STEP == 0 && q->dims[2] <= GW_MAX_HEAD_DIM, err,
                "head_dim %llu is not a multiple of 8 up to %d", (unsigned long long)q->dims[2],
                GW_MAX_HEAD_DIM);
    GW_OP_CHECK(node, out_dim(node) <= q->dims[2], err, "head_dim %u is above q's %llu",
                out_dim(node), (unsigned long long)q->dims[2]);
    GW_OP_CHECK(node, pos->dtype == GODWIT_I32 && pos->dims[0] == q->dims[0], err,
                "pos is not [n_tok] i32");
    *out = (gw_value){
        .dtype = GODWIT_F32, .n_dims = 2, .dims = {q->dims[0], q->dims[1] * out_dim(node)}};
    return GODWIT_OK;
}

// --- launches

enum {
    MAX_QUERIES = 8,
    MAX_PART_TOKENS = 7, // of more, there are enough queries to keep a device busy
    SHARED_FLOOR = 16384,
};
// Of one launch, in products of a query's and a key's elements: a fraction of a second on a slow
// device, where a driver ends what takes seconds.
static const uint64_t max_work = UINT64_C(1) << 35;
// Of the results of blocks, which are kept between two launches.
static const uint64_t max_part_bytes = UINT64_C(1) << 26;

static uint32_t n_share(const gw_node *node) {
    return (uint32_t)(node->inputs[0]->dims[1] / node->inputs[1]->dims[1]);
}

// Blocks of few tokens are worked on side by side; their results go to scratch memory: [n_tok,
// n_head, n_blocks, head_dim] floats, then [n_tok, n_head, n_blocks, 2].
static uint64_t scratch(const gw_node *node, const gw_tune *tune) {
    const gw_value *q = node->inputs[0];
    uint64_t n_blocks = gw_div_up(node->inputs[1]->dims[0], GW_ATTN_BLOCK);
    if (!tune->attn_parts || n_blocks < 2 || q->dims[0] > MAX_PART_TOKENS) return 0;
    uint64_t bytes = q->dims[0] * q->dims[1] * n_blocks * (q->dims[2] + 2) * 4;
    return bytes <= max_part_bytes && bytes <= tune->max_range ? bytes : 0;
}

// What shaders/attention.comp keeps in shared memory.
static uint64_t shared_bytes(const attention_params *p, uint32_t queries, uint32_t lanes,
                             uint32_t exchange) {
    uint32_t groups = lanes / (p->head_dim / 4);
    uint32_t parts = groups < 2 ? 0 : groups > 8 ? 8 : groups;
    uint64_t bytes = 4ull * queries * p->head_dim + 4224ull * gw_div_up(queries, 4) +
                     92ull * queries + 4ull * parts * p->head_dim * exchange;
    if (p->k_type == GW_KV_Q8) bytes += 4ull * queries * gw_div_up(p->head_dim, 32);
    if (p->v_type == GW_KV_Q8) bytes += 4ull * GW_ATTN_BLOCK + 8ull * queries;
    return bytes;
}

typedef struct shape {
    uint32_t lanes, queries, keys, exchange;
} shape;

// n: pairs that share a key head.
static shape shape_for(const gw_tune *tune, uint64_t n, const attention_params *p) {
    shape s = {.lanes = tune->attn_lanes, .queries = 1, .exchange = 1};
    uint64_t budget = tune->attn_shared > SHARED_FLOOR ? tune->attn_shared : SHARED_FLOOR;
    uint32_t max = tune->attn_queries < MAX_QUERIES ? tune->attn_queries : MAX_QUERIES;
    while (s.queries < n && 2 * s.queries <= max &&
           shared_bytes(p, 2 * s.queries, s.lanes, 1) <= budget)
        s.queries *= 2;
    while (2 * s.exchange <= s.queries &&
           shared_bytes(p, s.queries, s.lanes, 2 * s.exchange) <= budget)
        s.exchange *= 2;
    // Few lanes: what is read of a query serves more keys.
    s.keys = s.lanes >= 64 ? 1 : s.queries > 4 ? 2 : 4;
    return s;
}

static gw_launch *add_launch(gw_plan *plan, const gw_node *node, const attention_params *params,
                             const shape *s) {
    const gw_value *y = node->outputs[0];
    gw_launch *launch = gw_plan_launch(plan, node, params, sizeof *params);
    if (!launch) return NULL;
    for (uint32_t i = 0; i < 4; i++) gw_launch_bind(launch, node->inputs[i], false);
    if (params->mode == PART) {
        for (uint32_t i = 0; i < 3; i++) gw_launch_bind_slice(launch, node->scratch, true);
    } else {
        if (params->quantize) {
            gw_launch_bind_q8_act(launch, y, true);
        } else {
            gw_launch_bind(launch, y, true);
            gw_launch_bind(launch, y, true);
        }
        if (params->mode == COMBINE)
            gw_launch_bind_slice(launch, node->scratch, false);
        else
            gw_launch_bind(launch, y, true);
    }
    static const char *const modules[] = {"attention", "attention_part", "attention_combine"};
    bool q8 = params->v_type == GW_KV_Q8 && params->mode != COMBINE;
    snprintf(launch->shader, sizeof launch->shader, "%s%s", modules[params->mode], q8 ? "_q8" : "");
    const uint32_t more[] = {params->head_dim, params->k_type, params->quantize, s->lanes,
                             s->queries,       s->keys,        s->exchange,      params->v_type};
    gw_launch_spec(launch, s->lanes, sizeof more / sizeof *more, more);
    return launch;
}

static bool launch_parts(gw_plan *plan, const gw_node *node, attention_params *p, uint64_t n) {
    shape s = shape_for(&plan->tune, n, p);
    p->mode = PART;
    p->end = (uint32_t)n;
    gw_launch *part = add_launch(plan, node, p, &s);
    if (!part) return false;
    part->groups[0] = p->n_head_kv;
    part->groups[1] = gw_div_up(n, s.queries);
    part->groups[2] = p->n_blocks;
    p->mode = COMBINE;
    s = (shape){.lanes = s.lanes < p->head_dim ? s.lanes : p->head_dim,
                .queries = 1,
                .keys = 1,
                .exchange = 1};
    gw_launch *combine = add_launch(plan, node, p, &s);
    if (!combine) return false;
    combine->groups[0] = p->n_head;
    combine->groups[1] = p->n_tok;
    return true;
}

// Tiles of pairs, as many launches as bound the work of each.
static bool launch_walk(gw_plan *plan, const gw_node *node, attention_params *p, uint64_t n) {
    shape s = shape_for(&plan->tune, n, p);
    uint64_t max_tiles = plan->tune.max_groups[1] ? plan->tune.max_groups[1] : 65535;
    uint64_t work = (uint64_t)p->n_head_kv * s.queries * p->n_ctx * p->head_dim;
    uint64_t tiles = work < max_work ? max_work / work : 1;
    tiles = tiles < max_tiles ? tiles : max_tiles;
    p->mode = WALK;
    for (uint64_t first = 0; first < n; first += tiles * s.queries) {
        uint64_t left = n - first, some = tiles * s.queries < left ? tiles * s.queries : left;
        p->first = (uint32_t)first;
        p->end = (uint32_t)(first + some);
        gw_launch *walk = add_launch(plan, node, p, &s);
        if (!walk) return false;
        walk->groups[0] = p->n_head_kv;
        walk->groups[1] = gw_div_up(some, s.queries);
    }
    return true;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *q = node->inputs[0], *k = node->inputs[1], *y = node->outputs[0];
    const gw_attention_attrs *a = (const gw_attention_attrs *)node->attrs;
    attention_params params = {.n_tok = (uint32_t)q->dims[0],
                               .n_head = (uint32_t)q->dims[1],
                               .n_head_kv = (uint32_t)k->dims[1],
                               .head_dim = (uint32_t)q->dims[2],
                               .window = a->window,
                               .quantize = y->dtype == GW_DTYPE_Q8_ACT,
                               .out_dim = out_dim(node),
                               .n_ctx = (uint32_t)k->dims[0],
                               .n_blocks = gw_div_up(k->dims[0], GW_ATTN_BLOCK)};
    (void)gw_kv_type_of(k, false, &params.k_type);
    (void)gw_kv_type_of(node->inputs[2], true, &params.v_type);
    params.scale2 = gw_flush(a->scale * 1.44269504f);
    // Rotated heads have a product as many times as large.
    if (params.k_type == GW_KV_Q8)
        params.scale2 = gw_flush(params.scale2 * (1.0f / (float)gw_rotation(params.head_dim)));
    uint64_t n = q->dims[0] * n_share(node);
    bool ok = node->scratch.bytes ? launch_parts(plan, node, &params, n)
                                  : launch_walk(plan, node, &params, n);
    return ok ? GODWIT_OK : gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: plan");
}

// --- reference -----------------------------------------------------------------------------------

// Element at of a cache; of q8_0 without its scale.
static float cached(uint32_t type, const uint32_t *cache, uint64_t at) {
    if (type == GW_KV_Q8) return (float)((const int8_t *)cache)[at];
    if (type == GW_KV_F32) return gw_from_bits(cache[at]);
    return gw_f16_to_f32(cache[at / 2] >> (at % 2 * 16) & 0xffffu);
}

// Scale i of a q8_0 cache.
static float scale_at(const attention_params *p, const uint32_t *cache, uint64_t i) {
    return gw_from_bits(cache[(uint64_t)p->n_ctx * p->n_head_kv * (p->head_dim / 4) + i]);
}

static const float max_score = 1048576.0f; // 2^20
// Past the cut: of a score that is NaN. It makes the whole result NaN.
static const float nan_score = 2097152.0f;
enum { NO_KEYS = -2097152, LOWEST = -40 };

static float pow2_or_0(int32_t k) {
    return k < LOWEST ? 0.0f : gw_pow2(k);
}

typedef struct partial {
    int32_t e; // NO_KEYS: nothing yet
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
    const attention_params *p;
    const gw_reference_args *args;
    uint32_t g, n_pairs; // the key head
    pair pairs[PAIRS];
    float keys[GW_MAX_HEAD_DIM][GW_SUM_UNIT];
    float key_scales[GW_MAX_HEAD_DIM / 32][GW_SUM_UNIT];
    int32_t sums[PAIRS][GW_MAX_HEAD_DIM]; // of q8_0 values
} tile;

static uint64_t row_at(const tile *t, uint32_t key) {
    return ((uint64_t)key * t->p->n_head_kv + t->g) * t->p->head_dim;
}

static bool sees(const pair *a, uint32_t key) {
    return key >= a->lo && key <= a->pos;
}
// Whether it sees a key of the n from first on.
static bool sees_some(const pair *a, uint32_t first, uint32_t n) {
    return a->lo <= first + (n - 1) && a->pos >= first;
}

static float cut(float dot, float scale2) {
    float t = gw_flush(gw_flush(dot) * scale2);
    if (gw_is_nan(t)) return nan_score;
    return t > max_score ? max_score : t < -max_score ? -max_score : t;
}

// Scores of the unit of keys that begins at first.
static void score(const tile *t, pair *a, uint32_t first) {
    const attention_params *p = t->p;
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
        if (sees(a, key)) a->p[key % GW_ATTN_BLOCK] = cut(sum[j], p->scale2);
    }
}

static void score_unit(tile *t, uint32_t first) {
    const attention_params *p = t->p;
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
    a->block = (partial){.e = NO_KEYS};
    for (uint32_t j = 0; j < GW_ATTN_BLOCK; j++) {
        if (!sees(a, first + j)) continue;
        n[j] = gw_round(a->p[j]);
        a->block.e = n[j] > a->block.e ? n[j] : a->block.e;
    }
    for (uint32_t j = 0; j < GW_ATTN_BLOCK; j++) {
        float t = a->p[j];
        a->p[j] = 0.0f;
        if (!sees(a, first + j) || n[j] - a->block.e < LOWEST) continue;
        uint32_t f = gw_bits(gw_exp2_part(t - (float)n[j]));
        a->p[j] = t > max_score ? gw_from_bits(GW_NAN_BITS)
                                : gw_from_bits(f + ((uint32_t)(n[j] - a->block.e) << 23));
    }
    a->block.l = gw_reduce(a->p, GW_ATTN_BLOCK);
}

static void add_values(tile *t, uint32_t first) {
    const attention_params *p = t->p;
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
    const attention_params *p = t->p;
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
    const attention_params *p = t->p;
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
    if (run->e == NO_KEYS) {
        *run = *block;
        return;
    }
    int32_t e = run->e > block->e ? run->e : block->e;
    float a = pow2_or_0(run->e - e), c = pow2_or_0(block->e - e);
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
static void see(const attention_params *p, const void *positions, uint64_t tok, pair *out) {
    uint32_t pos = ((const uint32_t *)positions)[tok];
    out->pos = pos < p->n_ctx ? pos : p->n_ctx - 1;
    out->lo = p->window && out->pos >= p->window ? out->pos - p->window + 1 : 0;
    out->run = (partial){.e = NO_KEYS};
}

// Pair `at` of the key head's: a token's heads lie side by side.
static void begin_pair(tile *t, uint64_t at, pair *out) {
    const attention_params *p = t->p;
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

static void store_y(const attention_params *p, const gw_reference_args *args, const pair *a) {
    float out[GW_MAX_HEAD_DIM], scale = gw_rcp(a->run.l);
    uint64_t at = a->row * p->out_dim;
    for (uint32_t d = 0; d < p->head_dim; d++) out[d] = gw_flush(a->run.o[d] * scale);
    if (p->v_type == GW_KV_Q8) gw_rotate_back(out, p->head_dim);
    if (!p->quantize) memcpy((float *)args->bufs[4] + at, out, p->out_dim * 4);
    for (uint32_t g = 0; p->quantize && g < p->out_dim / 32; g++) {
        ((float *)args->bufs[5])[at / 32 + g] =
            gw_q8_pack(out + g * 32, (int8_t *)args->bufs[4] + at + g * 32);
    }
}

// Where a block's o and its l and e lie in scratch.
static float *part_at(const attention_params *p, const gw_reference_args *args, uint64_t row,
                      uint32_t b, float **out_side) {
    uint64_t n = (uint64_t)p->n_tok * p->n_head * p->n_blocks, at = row * p->n_blocks + b;
    float *parts = args->bufs[6];
    *out_side = parts + n * p->head_dim + at * 2;
    return parts + at * p->head_dim;
}

static void store_part(const tile *t, const pair *a, uint32_t b) {
    float *side, *o = part_at(t->p, t->args, a->row, b, &side);
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
            if (a->block.e == NO_KEYS) continue;
            if (t->p->mode == PART)
                store_part(t, a, b);
            else
                combine(&a->run, &a->block, t->p->head_dim);
        }
    }
    for (uint32_t i = 0; i < t->n_pairs && t->p->mode == WALK; i++)
        store_y(t->p, t->args, &t->pairs[i]);
}

static void combine_parts(const attention_params *p, const gw_reference_args *args) {
    for (uint64_t row = 0; row < (uint64_t)p->n_tok * p->n_head; row++) {
        pair a = {.row = row};
        see(p, args->bufs[3], row / p->n_head, &a);
        for (uint32_t b = a.lo / GW_ATTN_BLOCK; b <= a.pos / GW_ATTN_BLOCK; b++) {
            float *side, *o = part_at(p, args, row, b, &side);
            memcpy(a.block.o, o, p->head_dim * 4);
            a.block.l = side[0];
            memcpy(&a.block.e, side + 1, 4);
            combine(&a.run, &a.block, p->head_dim);
        }
        store_y(p, args, &a);
    }
}

static void reference(const gw_reference_args *args) {
    const attention_params *p = args->params;
    if (p->mode == COMBINE) {
        combine_parts(p, args);
        return;
    }
    tile t = {.p = p, .args = args};
    for (t.g = 0; t.g < p->n_head_kv; t.g++) {
        for (uint64_t at = p->first; at < p->end; at += PAIRS) {
            t.n_pairs = p->end - at < PAIRS ? (uint32_t)(p->end - at) : PAIRS;
            for (uint32_t i = 0; i < t.n_pairs; i++) begin_pair(&t, at + i, &t.pairs[i]);
            work_on_tile(&t);
        }
    }
}

const gw_op gw_op_attention = {.name = "attention",
                               .n_inputs_min = 4,
                               .n_inputs_max = 4,
                               .internal = true,
                               .attrs = attrs,
                               .infer = infer,
                               .launch = launch,
                               .scratch = scratch,
                               .reference = reference};
