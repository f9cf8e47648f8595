// moe_matmul: each token by the weights of the experts that were chosen for it
//   y[t, j, r] = sum over k of w[ids[t, j], r, k] * x[t or (t, j), k]  (* scale[t])  (+ bias[ids[t, j], r])
//   w: [n_experts, n_rows, n_cols] any number format, n_rows a multiple of 32; x: [n_tok, n_cols] or
//   [n_tok, n_used, n_cols] f32, or q8_act after the pack pass; ids: [n_tok, n_used] i32;
//   scale (optional): [n_tok, 1] f32, of a norm that was folded; bias (optional): [n_experts, n_rows] f32;
//   groups (optional): [n_tiles, 1 + tile] i32, ids as moe_group sorts them; y: [n_tok, n_used, n_rows] f32
// With groups an expert's rows are read once a tile. Order of sums: of matmul. Ids are clamped to the experts there are.
#include "ops/moe.h"

#include "graph/variant.h"
#include "ops/ops.h"

static const gw_value *optional(const gw_node *node, uint32_t i) {
    return node->n_inputs > i ? node->inputs[i] : NULL;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *w = node->inputs[0], *x = node->inputs[1], *ids = node->inputs[2];
    const gw_value *scale = optional(node, 3), *bias = optional(node, 4);
    const gw_value *groups = optional(node, 5);
    GW_OP_CHECK(node, w->weight && w->n_dims == 3, err,
                "weights are not [n_experts, n_rows, n_cols]");
    const gw_format *format = w->weight->format;
    GW_OP_CHECK(node, w->dims[1] % GW_GROUP_ROWS == 0, err,
                "experts have %llu rows, a multiple of %d is wanted",
                (unsigned long long)w->dims[1], GW_GROUP_ROWS);
    GW_OP_CHECK(node, w->dims[2] % format->block == 0, err,
                "rows of %llu are no multiple of %u, as %s needs", (unsigned long long)w->dims[2],
                format->block, format->name);
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 || x->dtype == GW_DTYPE_Q8_ACT, err,
                "x is %s, f32 is wanted", gw_value_dtype_name(x));
    GW_OP_CHECK(node, ids->dtype == GODWIT_I32 && ids->n_dims == 2, err,
                "ids are not [n_tok, n_used] i32");
    const uint64_t n_tok = ids->dims[0], n_pairs = gw_value_n_elements(ids);
    const uint64_t n_x = gw_value_n_rows(x);
    GW_OP_CHECK(node, n_x == n_tok || n_x == n_pairs, err,
                "x has %llu rows, there are %llu tokens and %llu chosen experts",
                (unsigned long long)n_x, (unsigned long long)n_tok, (unsigned long long)n_pairs);
    GW_OP_CHECK(node, gw_value_row(x) == w->dims[2], err, "x has rows of %llu, the weights of %llu",
                (unsigned long long)gw_value_row(x), (unsigned long long)w->dims[2]);
    GW_OP_CHECK(node, !scale || gw_value_n_elements(scale) == n_tok, err,
                "the scale is not one number a token");
    GW_OP_CHECK(node, !bias || gw_value_n_elements(bias) == w->dims[0] * w->dims[1], err,
                "the bias is not [n_experts, n_rows]");
    GW_OP_CHECK(node,
                !groups || (groups->dtype == GODWIT_I32 && groups->n_dims == 2 &&
                            (groups->dims[1] - 1) % GW_MOE_COLS == 0 &&
                            groups->dims[1] - 1 <= GW_MOE_MAX_TILE),
                err, "the groups are no tiles of %d or more pairs", GW_MOE_COLS);
    GW_OP_CHECK(node, n_pairs * w->dims[1] < UINT32_MAX && w->dims[0] * w->dims[1] < UINT32_MAX,
                err, "2^32 rows or elements, or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 3, .dims = {n_tok, ids->dims[1], w->dims[1]}};
    return GODWIT_OK;
}

// A workgroup is a group of 32 rows of a pair's expert, whose parts share the blocks of columns; or of a tile's
// expert, whose parts share the pairs.
static void shape(gw_launch *launch, const gw_tune *tune, const gw_moe_matmul_params *p) {
    enum { MAX_PARTS = 8 };
    const uint32_t units = GW_BLOCK_MAX / gw_format_unit(gw_format_at(p->format));
    const uint32_t n_blocks = gw_div_up(p->n_units, units);
    uint32_t parts = 1, most = tune->small_tiles ? 1 : tune->max_invocations / GW_GROUP_ROWS;
    if (most > MAX_PARTS) most = MAX_PARTS;
    while (2 * parts <= most && parts < n_blocks) parts *= 2;
    uint32_t more[] = {p->format, parts, 1};
    launch->groups[0] = p->n_rows / GW_GROUP_ROWS;
    launch->groups[1] = p->n_pairs;
    if (p->tile) {
        parts = p->tile / GW_MOE_COLS;
        more[1] = 1;
        more[2] = GW_MOE_COLS;
        launch->groups[1] = p->n_tiles;
    }
    gw_launch_spec(launch, GW_GROUP_ROWS * parts, 3, more);
}

static void bind(gw_launch *launch, const gw_node *node, const gw_weight_chunk *chunk) {
    const gw_value *x = node->inputs[1], *scale = optional(node, 3), *bias = optional(node, 4);
    gw_launch_bind_weight(launch, node->inputs[0]->placed, chunk);
    if (x->dtype == GW_DTYPE_Q8_ACT) {
        gw_launch_bind_q8_act(launch, x, false);
    } else {
        gw_launch_bind(launch, x, false);
        gw_launch_bind(launch, x, false);
    }
    gw_launch_bind(launch, optional(node, 5) ? optional(node, 5) : node->inputs[2], false);
    gw_launch_bind(launch, scale ? scale : x, false);
    gw_launch_bind_f32(launch, bias ? bias : x, false);
    gw_launch_bind(launch, node->outputs[0], true);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *wv = node->inputs[0], *x = node->inputs[1], *ids = node->inputs[2];
    const gw_placed *placed = wv->placed;
    const gw_weight *w = placed->weight;
    const uint64_t n_pairs = gw_value_n_elements(ids), n_experts = wv->dims[0];
    const gw_value *groups = optional(node, 5);
    for (uint32_t i = 0; i < placed->n_chunks; i++) {
        const gw_weight_chunk *chunk = &placed->chunks[i];
        gw_moe_matmul_params params = {.format = placed->format->id,
                                       .n_rows = (uint32_t)wv->dims[1],
                                       .n_units = (uint32_t)gw_format_units(w->format, w->n_cols),
                                       .n_pairs = (uint32_t)n_pairs,
                                       .n_experts = (uint32_t)n_experts,
                                       .share = (uint32_t)(n_pairs / gw_value_n_rows(x)),
                                       .n_used = (uint32_t)ids->dims[1],
                                       .has_scale = optional(node, 3) != NULL,
                                       .has_bias = optional(node, 4) != NULL,
                                       .chunk_row0 = (uint32_t)chunk->row0,
                                       .chunk_rows = (uint32_t)chunk->n_rows,
                                       .w = gw_placed_params(placed),
                                       .tile = groups ? (uint32_t)groups->dims[1] - 1 : 0,
                                       .n_tiles = groups ? (uint32_t)groups->dims[0] : 0};
        GW_OP_LAUNCH(launch, plan, node, params);
        bind(launch, node, chunk);
        gw_launch_variant(launch, gw_variant_for(&plan->tune, node->op, w->format, n_pairs));
        gw_launch_format(launch, w->format);
        shape(launch, &plan->tune, &params);
        // What is read of the chunk: no more experts than there are pairs.
        plan->weight_bytes +=
            n_pairs < n_experts ? chunk->bytes / n_experts * n_pairs : chunk->bytes;
    }
    return GODWIT_OK;
}

uint32_t gw_moe_expert_of(const gw_reference_args *args, uint64_t pair) {
    const gw_moe_matmul_params *p = args->params;
    const uint32_t id = ((const uint32_t *)args->bufs[4])[pair];
    return id < p->n_experts ? id : p->n_experts - 1;
}

void gw_moe_pair_of(const gw_reference_args *args, uint32_t expert, uint64_t pair,
                    gw_moe_pair *out) {
    const gw_moe_matmul_params *p = args->params;
    const gw_format *format = gw_format_at(p->format);
    const uint64_t unit = pair / p->share * p->n_units;
    gw_row_layout layout;
    gw_layout_of(format, (uint64_t)p->n_units * gw_format_unit(format), p->w.group_rows, &layout);
    const bool is_float = gw_format_is_float(format);
    *out = (gw_moe_pair){.params = {.format = p->format,
                                    .n_units = p->n_units,
                                    .n_tok = 1,
                                    .has_scale = p->has_scale,
                                    .w = p->w}};
    // Rows of an expert that lie in the chunk; groups are never cut.
    const int64_t begin = (int64_t)expert * p->n_rows - p->chunk_row0;
    const int64_t end = begin + p->n_rows;
    const int64_t from = begin < 0 ? 0 : begin, to = end < p->chunk_rows ? end : p->chunk_rows;
    out->is_bound = from < to;
    if (!out->is_bound) return;
    out->params.n_rows = (uint32_t)(to - from);
    out->params.y_stride = p->n_rows;
    out->params.row0 = (uint32_t)(from - begin);
    out->args = (gw_reference_args){.params = &out->params, .end = 1};
    void **bufs = out->args.bufs;
    bufs[0] =
        (uint8_t *)args->bufs[0] + (uint64_t)from / layout.rows * gw_layout_group_bytes(&layout);
    bufs[1] = args->bufs[1];
    bufs[2] = (uint8_t *)args->bufs[2] + unit * (is_float ? GW_FLOAT_UNIT * 4 : GW_UNIT);
    bufs[3] = (uint8_t *)args->bufs[3] + (is_float ? 0 : unit * 4);
    bufs[4] = args->bufs[2];
    bufs[5] = (float *)args->bufs[5] + (p->has_scale ? pair / p->n_used : 0);
    bufs[6] = (float *)args->bufs[7] + pair * p->n_rows;
}

void gw_moe_pair_end(const gw_reference_args *args, uint32_t expert, uint64_t pair) {
    const gw_moe_matmul_params *p = args->params;
    const uint64_t row = (uint64_t)expert * p->n_rows;
    const float *bias = (const float *)args->bufs[6] + (p->has_bias ? row : 0);
    float *y = (float *)args->bufs[7] + pair * p->n_rows;
    for (uint32_t r = 0; r < p->n_rows && p->has_bias; r++) {
        // Each chunk ends its own rows.
        if (row + r >= p->chunk_row0 && row + r - p->chunk_row0 < p->chunk_rows)
            y[r] = gw_flush(y[r] + bias[r]);
    }
}

static uint64_t work(const void *params) {
    const gw_moe_matmul_params *p = params;
    return (uint64_t)p->n_rows * p->n_units * GW_UNIT * p->n_pairs;
}

static uint64_t n_items(const void *params) {
    const gw_moe_matmul_params *p = params;
    return p->tile ? p->n_tiles : p->n_pairs;
}

static void make_pair(const gw_reference_args *args, uint32_t expert, uint64_t i) {
    gw_moe_pair pair;
    gw_moe_pair_of(args, expert, i, &pair);
    if (!pair.is_bound) return;
    gw_op_matmul.reference(&pair.args);
    gw_moe_pair_end(args, expert, i);
}

static void reference(const gw_reference_args *args) {
    const gw_moe_matmul_params *p = args->params;
    for (uint64_t i = args->first; i < args->end; i++) {
        if (!p->tile) {
            make_pair(args, gw_moe_expert_of(args, i), i);
            continue;
        }
        const uint32_t *tile = gw_moe_tile_at(args, i);
        for (uint32_t k = 1; k <= p->tile && tile[k] < p->n_pairs; k++)
            make_pair(args, tile[0], tile[k]);
    }
}

const gw_op gw_op_moe_matmul = {.name = "moe_matmul",
                                .n_inputs_min = 3,
                                .n_inputs_max = 6,
                                .internal = true,
                                .packs_x = true,
                                .raw_inputs = 1u << 4,
                                .infer = infer,
                                .launch = launch,
                                .work = work,
                                .n_items = n_items,
                                .reference = reference};
