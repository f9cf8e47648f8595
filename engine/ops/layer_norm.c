// layer_norm (ONNX LayerNormalization, over the last dim): y = (x - mean) / sqrt(var + eps) * w (+ b),
// row by row
//   x: [.., n] f32; w, b: [n] f32 constants, b may be missing; y: as x
// Order of sums: the sum of x and that of the squares of d are reductions (base/sums.h), each times
// 1 / n, taken once on the host. mean and d = x - mean are flushed; g = flush(rsqrt(var + eps)), 0 where
// that is below 2^-80; y = flush(flush(d * g) * w), then flush(y + b). Source: Ba et al., "Layer
// Normalization", 2016.
#include "ops/layer_norm.h"

#include "base/sums.h"
#include "ops/ops.h"

static const gw_attr_row attrs[] = {
    {"eps", GW_ATTR_F32, offsetof(gw_layer_norm_attrs, eps), 1e-5f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static bool is_row_of(const gw_value *w, const gw_value *x) {
    return gw_is_f32_rows(w) && gw_value_n_rows(w) == 1 && gw_value_row(w) == gw_value_row(x);
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_value *b = node->n_inputs > 2 ? node->inputs[2] : NULL;
    const gw_layer_norm_attrs *a = (const gw_layer_norm_attrs *)node->attrs;
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight, err, "x is not f32, or a constant");
    GW_OP_CHECK(node, is_row_of(node->inputs[1], x) && (!b || is_row_of(b, x)), err,
                "w or b is not one row of %llu f32, as x has", (unsigned long long)gw_value_row(x));
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX, err, "x has 2^32 elements or more");
    GW_OP_CHECK(node, a->eps >= 0.0f && a->eps <= 1.0f, err, "eps is not between 0 and 1");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_value *b = node->n_inputs > 2 ? node->inputs[2] : NULL;
    const gw_layer_norm_attrs *a = (const gw_layer_norm_attrs *)node->attrs;
    gw_layer_norm_params params = {.n = (uint32_t)gw_value_row(x),
                                   .n_rows = (uint32_t)gw_value_n_rows(x),
                                   .inv_n = 1.0f / (float)gw_value_row(x),
                                   .eps = a->eps,
                                   .has_bias = b != NULL};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_view(launch, x, &params.x_first);
    gw_launch_bind_f32(launch, node->inputs[1], false);
    gw_launch_bind_f32(launch, b ? b : node->inputs[1], false);
    gw_launch_bind(launch, node->outputs[0], true);
    const uint32_t lanes = plan->tune.row_lanes;
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, params.n_rows);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const gw_layer_norm_params *p = params;
    return p->n_rows;
}

// The reduction of the squares of x - mean.
static float squares_from(const float *x, uint32_t n, float mean) {
    gw_sum sum = {0};
    for (uint32_t at = 0; at < n; at += GW_SUM_UNIT) {
        float terms[GW_SUM_UNIT] = {0};
        for (uint32_t i = 0; i < GW_SUM_UNIT && i < n - at; i++) {
            float d = gw_flush(x[at + i] - mean);
            terms[i] = d * d;
        }
        gw_sum_add(&sum, gw_sum_halves(terms));
    }
    return gw_sum_end(&sum);
}

static void reference(const gw_reference_args *args) {
    const gw_layer_norm_params *p = args->params;
    const float *w = args->bufs[1], *b = args->bufs[2];
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = (const float *)args->bufs[0] + p->x_first + row * p->n;
        float *y = (float *)args->bufs[3] + row * p->n;
        const float mean = gw_flush(gw_reduce(x, p->n) * p->inv_n);
        const float scale = gw_layer_norm_scale(p, squares_from(x, p->n, mean));
        for (uint32_t k = 0; k < p->n; k++) {
            float d = gw_flush(gw_flush(x[k] - mean) * scale);
            y[k] = gw_flush(d * w[k]);
            if (p->has_bias) y[k] = gw_flush(y[k] + b[k]);
        }
    }
}

const gw_op gw_op_layer_norm = {.name = "layer_norm",
                                .n_inputs_min = 2,
                                .n_inputs_max = 3,
                                .raw_inputs = 6,
                                .one_raw_row = true,
                                .attrs = attrs,
                                .infer = infer,
                                .launch = launch,
                                .n_items = n_items,
                                .reference = reference};
