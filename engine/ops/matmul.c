// matmul (ONNX MatMul with a constant, transposed second operand): y = x W^T (+ residual)
//   y[t, r] = sum over k of w[r, k] * x[t, k] (+ residual[t, r])
//   W: [n_rows, n_cols] any number format; x: [.., n_cols] f32, or q8_act after the pack pass;
//   residual (optional): [.., n_rows] f32; y: [.., n_rows] f32
// Order of sums: shaders/matmul.comp.
#include "graph/variant.h"
#include "ops/ops.h"
#include "ops/product.h"

typedef struct matmul_params {
    uint32_t format;
    uint32_t n_rows, n_units, n_tok; // rows of this chunk
    uint32_t row0;                   // first row of this chunk in y
    uint32_t y_stride;
    uint32_t has_residual;
    uint32_t q_stride, s_stride, t_offset; // gw_weight_strides
} matmul_params;
_Static_assert(sizeof(matmul_params) == 40, "push constants of matmul.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *w = node->inputs[0], *x = node->inputs[1];
    const gw_value *residual = node->n_inputs > 2 ? node->inputs[2] : NULL;
    GW_OP_CHECK(node, w->weight != NULL, err, "the first input is not a constant");
    const gw_format *format = w->weight->format;
    GW_OP_CHECK(node, w->n_dims == 2, err, "weights have %u dims, 2 are wanted", w->n_dims);
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 || x->dtype == GW_DTYPE_Q8_ACT, err,
                "x is %s, f32 is wanted", gw_value_dtype_name(x));
    GW_OP_CHECK(node, !x->weight && !(residual && residual->weight), err,
                "x and the residual are computed values or inputs, not constants");
    GW_OP_CHECK(node, gw_value_row(x) == w->dims[1], err, "x has rows of %llu, the weights of %llu",
                (unsigned long long)gw_value_row(x), (unsigned long long)w->dims[1]);
    GW_OP_CHECK(node, w->dims[1] % format->block == 0, err,
                "rows of %llu are no multiple of %u, as %s needs", (unsigned long long)w->dims[1],
                format->block, format->name);
    GW_OP_CHECK(node, gw_value_n_rows(x) * w->dims[0] < UINT32_MAX, err,
                "the result has 2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    out->dims[x->n_dims - 1] = w->dims[0];
    if (residual) {
        GW_OP_CHECK(node, gw_value_n_elements(residual) == gw_value_n_elements(out), err,
                    "the residual has another shape than the result");
    }
    return GODWIT_OK;
}

static const struct gw_matmul_tune *tune_for(const gw_tune *tune, const matmul_params *p) {
    bool is_float = gw_format_is_float(gw_format_at(p->format));
    return &tune->choice.matmul[is_float][gw_tokens_of(p->n_tok)];
}

// Long matrices fold into z, where x alone would pass the device's limit.
static void shape_grid(gw_launch *launch, const gw_tune *tune, const matmul_params *p,
                       uint32_t tile_rows, uint32_t tile_toks) {
    gw_launch_grid(launch, tune, gw_div_up(p->n_rows, tile_rows));
    launch->groups[2] = launch->groups[1];
    launch->groups[1] = gw_div_up(p->n_tok, tile_toks);
}

static void shape_tiles(gw_launch *launch, const gw_tune *tune, const matmul_params *p) {
    const struct gw_matmul_tune *t = tune_for(tune, p);
    uint32_t more[] = {p->format, t->lanes, t->tok_lanes, t->row_groups, t->rows, t->cols};
    gw_launch_spec(launch, t->lanes * t->tok_lanes * t->row_groups, 6, more);
    shape_grid(launch, tune, p, t->row_groups * t->rows, t->tok_lanes * t->cols);
}

// One subgroup a workgroup, for 32 rows by 32 tokens in tiles of the matrices' size.
static void shape_coopmat(gw_launch *launch, const gw_tune *tune, const matmul_params *p) {
    enum { ROWS = 32, TOKS = 32 };
    bool is_float = gw_format_is_float(gw_format_at(p->format));
    const struct gw_matrix_tune *t = &tune->matrices[is_float];
    uint32_t more[] = {p->format, tune->subgroup_size, t->m, t->n, t->k, ROWS / t->m, TOKS / t->n};
    gw_launch_spec(launch, tune->subgroup_size, 7, more);
    shape_grid(launch, tune, p, ROWS, TOKS);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_weight *w = node->inputs[0]->weight;
    const gw_value *x = node->inputs[1], *y = node->output;
    const gw_value *residual = node->n_inputs > 2 ? node->inputs[2] : NULL;
    uint64_t n_tok = gw_value_n_rows(x);
    if (w->n_chunks == 0) return GW_BUG(err, "%s: weight %s is not placed", node->name, w->name);
    for (uint32_t i = 0; i < w->n_chunks; i++) {
        const gw_weight_chunk *chunk = &w->chunks[i];
        matmul_params params = {.format = w->format->id,
                                .n_rows = (uint32_t)chunk->n_rows,
                                .n_units = (uint32_t)gw_format_units(w->format, w->n_cols),
                                .n_tok = (uint32_t)n_tok,
                                .row0 = (uint32_t)chunk->row0,
                                .y_stride = (uint32_t)gw_value_row(y),
                                .has_residual = residual != NULL};
        gw_weight_strides(w, &params.q_stride, &params.s_stride, &params.t_offset);
        GW_OP_LAUNCH(launch, plan, node, params);
        gw_launch_bind_weight(launch, w, chunk);
        if (x->dtype == GW_DTYPE_Q8_ACT) {
            gw_launch_bind_q8_act(launch, x, false);
        } else {
            gw_launch_bind(launch, x, false);
            gw_launch_bind(launch, x, false);
        }
        gw_launch_bind(launch, residual ? residual : x, false);
        gw_launch_bind(launch, y, true);
        uint32_t variant = gw_variant_for(&plan->tune, node->op, w->format, n_tok);
        gw_launch_variant(launch, variant);
        gw_launch_format(launch, w->format);
        plan->fast |= variant != GW_VARIANT_PLAIN && gw_variant_at(variant)->fast;
        if (variant == GW_VARIANT_matmul_coopmat || variant == GW_VARIANT_matmul_coopmat_fast) {
            shape_coopmat(launch, &plan->tune, &params);
        } else {
            shape_tiles(launch, &plan->tune, &params);
        }
        plan->weight_bytes += chunk->quants_bytes + chunk->sides_bytes;
    }
    return GODWIT_OK;
}

// --- reference
// ------------------------------------------------------------------------------------

enum { TILE = 16 }; // tokens that share the unpacking of a unit

// A row times some tokens, in the order of shaders/matmul.comp.
typedef struct tile {
    const matmul_params *p;
    const gw_reference_args *args;
    const gw_format *format;
    gw_packed row;
    uint32_t tok0, n_tok;
    float chain[TILE]; // float formats: of 32 columns
    float sum[TILE];   // of a block
} tile;

static void int_unit(tile *t, uint32_t u) {
    gw_unit w = {.s = {1, 1}};
    t->format->unpack(&t->row, u, &w);
    for (uint32_t i = 0; i < t->n_tok; i++) {
        uint64_t at = (uint64_t)(t->tok0 + i) * t->p->n_units + u;
        const int8_t *x = (const int8_t *)t->args->bufs[3] + at * GW_UNIT;
        float term = gw_term(t->format->form, &w, x, ((const float *)t->args->bufs[4])[at]);
        t->sum[i] = t->sum[i] + term;
    }
}

static void float_unit(tile *t, uint32_t u) {
    float w[GW_FLOAT_UNIT];
    t->format->unpack_floats(&t->row, u, w);
    for (uint32_t i = 0; i < t->n_tok; i++) {
        uint64_t at = (uint64_t)(t->tok0 + i) * t->p->n_units + u;
        const float *x = (const float *)t->args->bufs[3] + at * GW_FLOAT_UNIT;
        float sum = t->chain[i];
        for (int k = 0; k < GW_FLOAT_UNIT; k++) {
            float product = w[k] * x[k];
            sum = sum + product;
        }
        t->chain[i] = sum;
    }
}

static void float_block(tile *t, uint32_t first, uint32_t end) {
    enum { CHAIN = GW_UNIT / GW_FLOAT_UNIT };
    for (uint32_t u = first; u < end; u += CHAIN) {
        memset(t->chain, 0, sizeof t->chain);
        for (uint32_t k = u; k < end && k < u + CHAIN; k++) float_unit(t, k);
        for (uint32_t i = 0; i < t->n_tok; i++) t->sum[i] = t->sum[i] + t->chain[i];
    }
}

// Row r times the tile's tokens: total [TILE].
static void row_times_tile(tile *t, float *total) {
    for (uint32_t i = 0; i < TILE; i++) total[i] = 0.0f;
    bool is_float = gw_format_is_float(t->format);
    uint32_t step = GW_BLOCK_MAX / gw_format_unit(t->format), n = t->p->n_units;
    for (uint32_t first = 0; first < n; first += step) {
        uint32_t end = n - first < step ? n : first + step;
        memset(t->sum, 0, sizeof t->sum);
        if (is_float) float_block(t, first, end);
        for (uint32_t u = first; !is_float && u < end; u++) int_unit(t, u);
        for (uint32_t i = 0; i < t->n_tok; i++) total[i] = total[i] + t->sum[i];
    }
}

static void reference(const gw_reference_args *args) {
    const matmul_params *p = args->params;
    const float *residual = args->bufs[5];
    float *y = args->bufs[6], total[TILE];
    tile t = {.p = p, .args = args, .format = gw_format_at(p->format)};
    for (uint32_t r = 0; r < p->n_rows; r++) {
        gw_weight_row(t.format, args->bufs, r, p->n_units, p->q_stride, p->s_stride, &t.row);
        for (t.tok0 = 0; t.tok0 < p->n_tok; t.tok0 += TILE) {
            t.n_tok = p->n_tok - t.tok0 < TILE ? p->n_tok - t.tok0 : TILE;
            row_times_tile(&t, total);
            for (uint32_t i = 0; i < t.n_tok; i++) {
                uint64_t at = (uint64_t)(t.tok0 + i) * p->y_stride + p->row0 + r;
                float value = gw_flush(total[i]);
                if (p->has_residual) value = gw_flush(value + residual[at]);
                y[at] = value;
            }
        }
    }
}

const gw_op gw_op_matmul = {.name = "matmul",
                            .n_inputs_min = 2,
                            .n_inputs_max = 3,
                            .infer = infer,
                            .launch = launch,
                            .reference = reference};
