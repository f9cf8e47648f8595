// attention (ONNX Attention, causal, grouped query): softmax(q K^T * scale) V over a token's past
//   q: [n_tok, n_head, head_dim] f32; K, V: [n_rows, n_head_kv, head_dim], each f32, f16 or q8_0
//   (ops/kv.h), states; pos: [n_tok] i32; pages: [n_pages] i32, or [n_tok * n_pages], a table for
//   each token: key i of a token lies in row 256 * table[i / 256] + i % 256 of K and V;
//   sinks (optional): [n_head] f32, a logit of each head that takes its part of the softmax and has no value;
//   y: [n_tok, n_head * out_dim] f32, or q8_act when fused with quantize_q8.
//   Token t sees keys max(0, pos - window + 1) .. pos (window 0: from 0; GIVEN: pos is [2 n_tok], and
//   it sees pos[n_tok + t] .. pos[t]). head_dim: a multiple of
//   8, up to 256; smaller heads have zeros behind, and out_dim (the attribute head_dim) is theirs.
// Order: docs/NUMERICS.md. Keys are worked on in blocks of 256, each with a power of two of its
// own, and blocks are combined in ascending order; so the result depends on positions alone, not on
// how a prompt was cut, and a launch may do one block (PART) whose results another combines.
// Source of the running combination: Dao et al., "FlashAttention", 2022.
#include "ops/attention.h"

#include "base/exact_math.h"
#include "graph/variant.h"
#include "ops/kv.h"

#include <stdio.h>

static const gw_attr_row attrs[] = {
    {"scale", GW_ATTR_F32, offsetof(gw_attention_attrs, scale), 1.0f},
    {"window", GW_ATTR_U32, offsetof(gw_attention_attrs, window), 0},
    {"head_dim", GW_ATTR_U32, offsetof(gw_attention_attrs, head_dim), 0},
    {"softcap", GW_ATTR_F32, offsetof(gw_attention_attrs, softcap), 0.0f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static const gw_attention_attrs *attrs_of(const gw_node *node) {
    return (const gw_attention_attrs *)node->attrs;
}
static const gw_value *sinks_of(const gw_node *node) {
    return node->n_inputs > 5 ? node->inputs[5] : NULL;
}
static uint32_t out_dim(const gw_node *node) {
    uint32_t n = attrs_of(node)->head_dim;
    return n ? n : (uint32_t)node->inputs[0]->dims[2];
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *q = node->inputs[0], *k = node->inputs[1], *v = node->inputs[2];
    const gw_value *pos = node->inputs[3], *pages = node->inputs[4];
    uint32_t type, n_pages = attrs_of(node)->n_pages;
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
    const uint32_t n_pos = attrs_of(node)->window == GW_ATTN_GIVEN ? 2 : 1;
    GW_OP_CHECK(node, pos->dtype == GODWIT_I32 && pos->dims[0] == n_pos * q->dims[0], err,
                "pos is not [n_tok] i32, or twice that where first keys are given");
    GW_OP_CHECK(node,
                pages->dtype == GODWIT_I32 && n_pages &&
                    (pages->dims[0] == n_pages || pages->dims[0] == n_pages * q->dims[0]),
                err, "pages are not a table of %u, or one for each token", n_pages);
    GW_OP_CHECK(node, !sinks_of(node) || gw_value_n_elements(sinks_of(node)) == q->dims[1], err,
                "the sinks are not one number a head");
    const float cap = attrs_of(node)->softcap;
    GW_OP_CHECK(node, cap == 0.0f || (cap >= GW_SOFTCAP_MIN && cap <= GW_SOFTCAP_MAX), err,
                "softcap is %g; 0, or 2^-10 to 2^20 is wanted", (double)cap);
    *out = (gw_value){
        .dtype = GODWIT_F32, .n_dims = 2, .dims = {q->dims[0], q->dims[1] * out_dim(node)}};
    return GODWIT_OK;
}

// --- launches

enum {
    MAX_QUERIES = 8,
    MAX_PART_TOKENS = 7, // of more, there are enough queries to keep a device busy
    WANTED_GROUPS = 512, // workgroups that keep a GPU busy (H200: 132 multiprocessors)
    TILE = 32,           // queries of attention.tile, at most
    MIN_PARTS = 3,       // blocks that are worth being worked on apart in tiles
    BLOCKS_A_LANE = 3,   // of a walk at most: Mesa ends a lane's loops (docs/QUIRKS.md)
    SHARED_FLOOR = 16384,
};
// Of one launch, in products of a query's and a key's elements: a fraction of a second on a slow
// device, where a driver ends what takes seconds.
static const uint64_t max_work = UINT64_C(1) << 35;
// Of the results of blocks, which are kept between two launches.
static const uint64_t max_part_bytes = UINT64_C(1) << 27;

static uint32_t n_share(const gw_node *node) {
    return (uint32_t)(node->inputs[0]->dims[1] / node->inputs[1]->dims[1]);
}
static bool is_paged(const gw_node *node) {
    return node->inputs[4]->dims[0] != attrs_of(node)->n_pages;
}

static uint32_t variant_for(const gw_node *node, const gw_tune *tune) {
    return gw_variant_for(tune, node->op, NULL, node->inputs[0]->dims[0]);
}
// Whether kernels for GPUs do it (attention.tile, attention.split), in workgroups of *out_lanes.
static bool is_wide(const gw_node *node, const gw_tune *tune, uint32_t *out_lanes) {
    uint32_t k_type, v_type, lanes = 64;
    bool known = gw_kv_type_of(node->inputs[1], false, &k_type) &&
                 gw_kv_type_of(node->inputs[2], true, &v_type);
    while (lanes <= tune->attn_lanes && 2 * lanes <= tune->max_invocations && lanes < 512)
        lanes *= 2;
    *out_lanes = lanes;
    return known && k_type != GW_KV_Q8 && v_type != GW_KV_Q8 &&
           variant_for(node, tune) != GW_VARIANT_PLAIN;
}

// Whether it takes attention.split, which is for one token at a time.
static bool is_split(const gw_node *node) {
    return is_paged(node) || node->inputs[0]->dims[0] <= MAX_PART_TOKENS;
}

// Where there are few queries, blocks are worked on side by side; their results go to scratch memory: [n_tok,
// n_head, n_blocks, head_dim] floats, then [n_tok, n_head, n_blocks, 2].
static uint64_t scratch(const gw_node *node, const gw_tune *tune) {
    const gw_value *q = node->inputs[0];
    const uint64_t n_tok = q->dims[0], n_blocks = attrs_of(node)->n_pages;
    uint32_t lanes;
    bool few = n_tok <= MAX_PART_TOKENS && n_blocks >= 2;
    if (is_wide(node, tune, &lanes))
        few = is_split(node) ||
              (n_blocks >= MIN_PARTS && n_tok * q->dims[1] / TILE < WANTED_GROUPS / 2);
    if (!tune->attn_parts || !few) return 0;
    uint64_t bytes = n_tok * q->dims[1] * n_blocks * (q->dims[2] + 2) * 4;
    return bytes <= max_part_bytes && bytes <= tune->max_range ? bytes : 0;
}

// What shaders/attention.comp keeps in shared memory.
static uint64_t shared_bytes(const gw_attention_params *p, uint32_t queries, uint32_t lanes,
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
    bool wide, tile;
    bool combines; // of parts: who ends last combines them
} shape;

// n: pairs that share a key head and a table.
static shape shape_for(const gw_tune *tune, uint64_t n, const gw_attention_params *p) {
    shape s = {.lanes = tune->attn_lanes, .queries = 1, .exchange = 1};
    while (p->mode == GW_ATTN_WALK && p->n_blocks > BLOCKS_A_LANE * s.lanes &&
           2 * s.lanes <= tune->max_invocations)
        s.lanes *= 2;
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

// What shaders/lib/attention_split.glsl keeps in shared memory.
static uint64_t split_bytes(uint32_t head_dim, uint32_t queries) {
    uint64_t chains = gw_div_up(head_dim, 32), sums = 264 * chains, values = 8ull * head_dim;
    return 4 * queries * ((sums > values ? sums : values) + 36 * chains + 280);
}

// The shape of attention.split; false: the device has no room for it. n_tok tokens in n_blocks blocks.
static bool split_shape(const gw_tune *tune, const gw_attention_params *p, shape *s) {
    uint32_t share = p->n_head / p->n_head_kv, max = tune->attn_queries;
    max = max < MAX_QUERIES ? max : MAX_QUERIES;
    s->lanes = s->lanes < 256 ? s->lanes : 256;
    s->queries = 1;
    while (s->queries < share && 2 * s->queries <= max &&
           split_bytes(p->head_dim, 2 * s->queries) <= tune->attn_shared &&
           (uint64_t)p->n_tok * p->n_head_kv * p->n_blocks * gw_div_up(share, 2 * s->queries) >=
               WANTED_GROUPS)
        s->queries *= 2;
    return split_bytes(p->head_dim, s->queries) <= tune->attn_shared;
}

// The shape of attention.tile for n pairs; false: the device has no room for it.
static bool tile_shape(const gw_tune *tune, const gw_attention_params *p, uint64_t n, shape *s) {
    n *= p->mode == GW_ATTN_PART ? p->n_blocks : 1;
    s->queries = s->lanes / 16 < TILE ? s->lanes / 16 : TILE; // 4 keys a lane
    while (s->queries > 4 && s->queries / 4 * p->head_dim / 4 > s->lanes) s->queries /= 2;
    while (s->queries > 16 && n * p->n_head_kv / s->queries < WANTED_GROUPS / 2) s->queries /= 2;
    uint64_t words = p->k_type == GW_KV_F16 ? 1 : 2;
    uint64_t pool = 1024ull * s->queries, stages = 16640 * words + 128ull * s->queries;
    return s->queries / 4 * p->head_dim / 4 <= s->lanes &&
           (pool > stages ? pool : stages) + 80ull * s->queries <= tune->attn_shared;
}

static gw_launch *add_launch(gw_plan *plan, const gw_node *node, const gw_attention_params *params,
                             const shape *s) {
    const gw_value *y = node->outputs[0];
    gw_launch *launch = gw_plan_launch(plan, node, params, sizeof *params);
    if (!launch) return NULL;
    if (params->mode == GW_ATTN_COMBINE) {
        gw_launch_bind(launch, node->inputs[3], false);
        gw_launch_bind_slice(launch, node->scratch, false);
    } else {
        for (uint32_t i = 0; i < 5; i++) gw_launch_bind(launch, node->inputs[i], false);
    }
    if (s->combines) {
        gw_launch_bind_arena(launch, plan);
    } else if (params->mode == GW_ATTN_PART) {
        gw_launch_bind_slice(launch, node->scratch, true);
        if (s->tile) gw_launch_bind_slice(launch, node->scratch, true); // has room for y's scales
    } else if (params->quantize) {
        gw_launch_bind_q8_act(launch, y, true);
    } else {
        gw_launch_bind(launch, y, true);
        gw_launch_bind(launch, y, true);
    }
    if (params->mode != GW_ATTN_PART || s->tile) {
        const gw_value *sinks = sinks_of(node) ? sinks_of(node) : node->inputs[3];
        gw_launch_bind_f32(launch, sinks, false);
    }
    static const char *const modules[] = {"attention", "attention_part", "attention_combine"};
    bool combine = params->mode == GW_ATTN_COMBINE, wide = s->wide && !combine;
    bool q8 = params->v_type == GW_KV_Q8 && !combine;
    bool fp16 = wide && variant_for(node, &plan->tune) == GW_VARIANT_attention_tile_fp16;
    snprintf(launch->shader, sizeof launch->shader, "%s%s",
             !wide     ? modules[params->mode]
             : s->tile ? "attention.tile"
                       : "attention.split",
             q8     ? "_q8"
             : fp16 ? "_fp16"
                    : "");
    const uint32_t more[] = {params->head_dim,  params->k_type, params->quantize,
                             s->lanes,          s->queries,     s->keys,
                             s->exchange,       params->v_type, params->cap2 != 0.0f,
                             params->has_sinks, s->combines};
    gw_launch_spec(launch, s->lanes, sizeof more / sizeof *more, more);
    return launch;
}

// Of n_group pairs that a workgroup may take its queries from, as many as n pairs have.
static uint64_t n_tiles(uint64_t n, uint64_t n_group, const shape *s) {
    return n / n_group * gw_div_up(n_group, s->queries);
}

// Whether workgroups that count, for each of n_sums results, can combine what they made, where y is in the
// arena as their parts are. Sinks, which come last, are read by launches of their own alone.
static bool may_combine(const gw_plan *plan, const gw_node *node, uint64_t n_sums) {
    const gw_value *y = node->outputs[0];
    return plan->tune.counts && y->kind == GW_VALUE_COMPUTED && !y->view_of && !sinks_of(node) &&
           n_sums * sizeof(uint32_t) <= GW_COUNTER_BYTES;
}

static void place_in_arena(gw_attention_params *p, const gw_node *node) {
    const gw_value *y = node->outputs[0];
    p->parts_first = gw_arena_word(node->scratch);
    p->y_first = gw_arena_word(y->slice);
    if (p->quantize) p->y_scales_first = p->y_first + (uint32_t)(gw_q8_act_scales_offset(y) / 4);
}

// n_group of n pairs share a table.
static bool launch_parts(gw_plan *plan, const gw_node *node, gw_attention_params *p, uint64_t n,
                         uint64_t n_group) {
    shape s = {.keys = 1, .exchange = 1};
    bool split = is_split(node);
    p->mode = GW_ATTN_PART;
    s.wide = is_wide(node, &plan->tune, &s.lanes) &&
             (split ? split_shape(&plan->tune, p, &s) : tile_shape(&plan->tune, p, n, &s));
    if (!s.wide) s = shape_for(&plan->tune, n_group, p);
    s.tile = s.wide && !split;
    p->end = (uint32_t)n;
    const uint64_t tiles = n_tiles(n, s.wide && split ? n_share(node) : n_group, &s);
    s.combines = s.wide && split && may_combine(plan, node, tiles * p->n_head_kv);
    if (s.combines) place_in_arena(p, node);
    gw_launch *part = add_launch(plan, node, p, &s);
    if (!part) return false;
    part->groups[0] = p->n_head_kv;
    part->groups[1] = (uint32_t)tiles;
    part->groups[2] = p->n_blocks;
    if (s.combines) return true;
    p->mode = GW_ATTN_COMBINE;
    s = (shape){.lanes = s.lanes < p->head_dim ? s.lanes : p->head_dim,
                .queries = 1,
                .keys = s.wide ? 16 : 4, // parts ahead
                .exchange = 1};
    gw_launch *combine = add_launch(plan, node, p, &s);
    if (!combine) return false;
    combine->groups[0] = p->n_head;
    combine->groups[1] = p->n_tok;
    return true;
}

// Tiles of pairs, as many launches as bound the work of each.
static bool launch_walk(gw_plan *plan, const gw_node *node, gw_attention_params *p, uint64_t n,
                        uint64_t n_group) {
    shape s = {.keys = 1, .exchange = 1};
    p->mode = GW_ATTN_WALK;
    s.wide = !p->paged && is_wide(node, &plan->tune, &s.lanes) && tile_shape(&plan->tune, p, n, &s);
    s.tile = s.wide;
    if (!s.wide) s = shape_for(&plan->tune, n_group, p);
    uint64_t max_tiles = plan->tune.max_groups[1] ? plan->tune.max_groups[1] : 65535;
    uint64_t work = (uint64_t)p->n_head_kv * s.queries * p->n_ctx * p->head_dim;
    uint64_t tiles = work < max_work ? max_work / work : 1, step;
    tiles = tiles < max_tiles ? tiles : max_tiles;
    step = tiles * s.queries; // pairs of a launch; where tokens have tables, whole tokens
    if (p->paged) step = gw_div_up(tiles, gw_div_up(n_group, s.queries)) * n_group;
    for (uint64_t first = 0; first < n; first += step) {
        uint64_t left = n - first, some = step < left ? step : left;
        p->first = (uint32_t)first;
        p->end = (uint32_t)(first + some);
        gw_launch *walk = add_launch(plan, node, p, &s);
        if (!walk) return false;
        walk->groups[0] = p->n_head_kv;
        walk->groups[1] =
            (uint32_t)(p->paged ? n_tiles(some, n_group, &s) : gw_div_up(some, s.queries));
    }
    return true;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *q = node->inputs[0], *k = node->inputs[1], *y = node->outputs[0];
    const gw_attention_attrs *a = attrs_of(node);
    uint64_t n_rows = k->dims[0], n_keys = (uint64_t)a->n_pages * GW_ATTN_BLOCK;
    gw_attention_params params = {.n_tok = (uint32_t)q->dims[0],
                                  .n_head = (uint32_t)q->dims[1],
                                  .n_head_kv = (uint32_t)k->dims[1],
                                  .head_dim = (uint32_t)q->dims[2],
                                  .window = a->window,
                                  .quantize = y->dtype == GW_DTYPE_Q8_ACT,
                                  .out_dim = out_dim(node),
                                  .n_rows = (uint32_t)n_rows,
                                  .n_ctx = (uint32_t)(n_keys < n_rows ? n_keys : n_rows),
                                  .n_blocks = a->n_pages,
                                  .paged = is_paged(node),
                                  .has_sinks = sinks_of(node) != NULL};
    (void)gw_kv_type_of(k, false, &params.k_type);
    (void)gw_kv_type_of(node->inputs[2], true, &params.v_type);
    params.scale2 = gw_flush(a->scale * 1.44269504f);
    if (a->softcap != 0.0f) {
        params.scale2 = gw_flush(gw_div(a->scale, a->softcap));
        params.cap2 = gw_flush(a->softcap * 1.44269504f);
    }
    // Rotated heads have a product as many times as large.
    if (params.k_type == GW_KV_Q8)
        params.scale2 = gw_flush(params.scale2 * (1.0f / (float)gw_rotation(params.head_dim)));
    uint64_t n = q->dims[0] * n_share(node), n_group = params.paged ? n_share(node) : n;
    bool ok = node->scratch.bytes ? launch_parts(plan, node, &params, n, n_group)
                                  : launch_walk(plan, node, &params, n, n_group);
    return ok ? GODWIT_OK : gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: plan");
}

static uint64_t work(const void *params) {
    const gw_attention_params *p = params;
    return 2 * (uint64_t)p->n_tok * p->n_head * p->head_dim * p->n_ctx;
}

const gw_op gw_op_attention = {.name = "attention",
                               .n_inputs_min = 5,
                               .n_inputs_max = 6,
                               .internal = true,
                               .raw_inputs = 1u << 5,
                               .one_raw_row = true,
                               .attrs = attrs,
                               .infer = infer,
                               .launch = launch,
                               .scratch = scratch,
                               .work = work,
                               .n_items = gw_attention_n_items,
                               .reference = gw_attention_reference};
