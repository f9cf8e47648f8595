// matmul (ONNX MatMul with a constant, transposed second operand): y = x W^T (+ residual)
//   y[t, r] = sum over k of w[r, k] * x[t, k] (+ residual[t, r])
//   W: [n_rows, n_cols] any number format; x: [.., n_cols] f32, or q8_act after the pack pass;
//   residual (optional): [.., n_rows] f32; y: [.., n_rows] f32
// Order of sums: shaders/matmul.comp.
#include "ops/ops.h"

#include <stdio.h>

typedef struct matmul_params {
    uint32_t format;
    uint32_t n_rows, n_units, n_tok; // rows of this chunk
    uint32_t row0;                   // first row of this chunk in y
    uint32_t y_stride;
    uint32_t has_residual;
} matmul_params;
_Static_assert(sizeof(matmul_params) == 28, "push constants of matmul.comp");

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
    GW_OP_CHECK(node, format->is_float || w->dims[1] % format->unit == 0, err,
                "rows of %llu are no multiple of %u, as %s needs", (unsigned long long)w->dims[1],
                format->unit, format->name);
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

static const struct gw_matmul_tune *tune_for(const gw_tune *tune, uint64_t n_tok) {
    for (int i = 0; i < 2; i++) {
        if (n_tok <= tune->matmul[i].max_tokens) return &tune->matmul[i];
    }
    return &tune->matmul[2];
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_weight *w = node->inputs[0]->weight;
    const gw_value *x = node->inputs[1], *y = node->output;
    const gw_value *residual = node->n_inputs > 2 ? node->inputs[2] : NULL;
    uint64_t n_tok = gw_value_n_rows(x);
    const struct gw_matmul_tune *t = tune_for(&plan->tune, n_tok);
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
        GW_OP_LAUNCH(launch, plan, node, params);
        gw_launch_bind_weight(launch, chunk);
        if (x->dtype == GW_DTYPE_Q8_ACT) {
            gw_launch_bind_q8_act(launch, x, false);
        } else {
            gw_launch_bind(launch, x, false);
            gw_launch_bind(launch, x, false);
        }
        gw_launch_bind(launch, residual ? residual : x, false);
        gw_launch_bind(launch, y, true);
        if (plan->tune.int_dot && !w->format->is_float) {
            snprintf(launch->shader, sizeof launch->shader, "matmul.dot");
        }
        uint32_t more[] = {w->format->id, t->lanes, t->tok_lanes, t->row_groups, t->rows, t->cols};
        gw_launch_spec(launch, t->lanes * t->tok_lanes * t->row_groups, 6, more);
        // Long matrices fold into z, where x alone would pass the device's limit.
        gw_launch_grid(launch, &plan->tune,
                       gw_div_up(chunk->n_rows, (uint64_t)t->row_groups * t->rows));
        launch->groups[2] = launch->groups[1];
        launch->groups[1] = gw_div_up(n_tok, (uint64_t)t->tok_lanes * t->cols);
        plan->weight_bytes += chunk->quants_bytes + chunk->scales_bytes;
    }
    return GODWIT_OK;
}

// --- reference
// ------------------------------------------------------------------------------------

static float int_term(const gw_format *format, const gw_reference_args *args, uint64_t w_at,
                      uint64_t x_at) {
    int8_t w[32];
    const int8_t *x = (const int8_t *)args->bufs[2] + x_at * 32;
    format->unpack(args->bufs[0], w_at, w);
    int32_t sum = 0;
    for (int i = 0; i < 32; i++) sum += (int32_t)w[i] * x[i];
    float d = gw_format_scale(args->bufs[1], w_at) * ((const float *)args->bufs[3])[x_at];
    return d * (float)sum;
}

static float float_unit(const gw_format *format, const gw_reference_args *args, uint64_t w_at,
                        uint64_t x_at, float sum) {
    float w[8];
    const float *x = (const float *)args->bufs[2] + x_at * 8;
    format->unpack(args->bufs[0], w_at, w);
    for (int i = 0; i < 8; i++) {
        float product = w[i] * x[i];
        sum = sum + product;
    }
    return sum;
}

static float row_times_token(const matmul_params *p, const gw_reference_args *args, uint32_t r,
                             uint32_t t) {
    const gw_format *format = gw_format_at(p->format);
    uint64_t w0 = (uint64_t)r * p->n_units, x0 = (uint64_t)t * p->n_units;
    float total = 0.0f;
    for (uint32_t s = 0; s < GW_SEGMENTS; s++) {
        float sum = 0.0f;
        for (uint32_t u = s; u < p->n_units; u += GW_SEGMENTS) {
            sum = format->is_float ? float_unit(format, args, w0 + u, x0 + u, sum)
                                   : sum + int_term(format, args, w0 + u, x0 + u);
        }
        total = total + sum;
    }
    return total;
}

static void reference(const gw_reference_args *args) {
    const matmul_params *p = args->params;
    const float *residual = args->bufs[4];
    float *y = args->bufs[5];
    for (uint32_t r = 0; r < p->n_rows; r++) {
        for (uint32_t t = 0; t < p->n_tok; t++) {
            uint64_t at = (uint64_t)t * p->y_stride + p->row0 + r;
            float value = gw_flush(row_times_token(p, args, r, t));
            if (p->has_residual) value = gw_flush(value + residual[at]);
            y[at] = value;
        }
    }
}

const gw_op gw_op_matmul = {.name = "matmul",
                            .n_inputs_min = 2,
                            .n_inputs_max = 3,
                            .infer = infer,
                            .launch = launch,
                            .reference = reference};
