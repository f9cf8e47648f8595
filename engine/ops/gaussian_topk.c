// gaussian_topk: y = max(x - (mean + scale * std), 0), row by row: of values as a normal distribution has
// them a part is left that scale says
//   x: [.., n] f32; y: as x
// Order of sums: as layer_norm's mean and variance v; mean, x - mean, std = sqrt(v), 0 where v is below 2^-80,
// std * scale, its sum with mean and the difference are flushed.
// Source: Gemma 3n Team, "Gemma 3n", 2025; Zhao et al., "Spark Transformer", 2025.
#include "ops/streams.h"

#include "base/sums.h"

static const gw_attr_row attrs[] = {
    {"scale", GW_ATTR_F32, offsetof(gw_gaussian_topk_attrs, scale), 0.0f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_gaussian_topk_attrs *a = (const gw_gaussian_topk_attrs *)node->attrs;
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight, err, "x is not f32, or a constant");
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX, err, "x has 2^32 elements or more");
    GW_OP_CHECK(node, a->scale >= -GW_GAUSSIAN_MAX && a->scale <= GW_GAUSSIAN_MAX, err,
                "scale is not between -%g and %g", (double)GW_GAUSSIAN_MAX,
                (double)GW_GAUSSIAN_MAX);
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_gaussian_topk_attrs *a = (const gw_gaussian_topk_attrs *)node->attrs;
    const uint32_t lanes = plan->tune.row_lanes;
    gw_gaussian_topk_params params = {.n = (uint32_t)gw_value_row(x),
                                      .n_rows = (uint32_t)gw_value_n_rows(x),
                                      .inv_n = 1.0f / (float)gw_value_row(x),
                                      .scale = a->scale};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, params.n_rows);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    return ((const gw_gaussian_topk_params *)params)->n_rows;
}

// The reduction of the squares of x - mean.
static float squares_from(const float *x, uint32_t n, float mean) {
    gw_sum sum = {0};
    for (uint32_t at = 0; at < n; at += GW_SUM_UNIT) {
        float terms[GW_SUM_UNIT] = {0};
        for (uint32_t i = 0; i < GW_SUM_UNIT && i < n - at; i++) {
            const float d = gw_flush(x[at + i] - mean);
            terms[i] = d * d;
        }
        gw_sum_add(&sum, gw_sum_halves(terms));
    }
    return gw_sum_end(&sum);
}

static void reference(const gw_reference_args *args) {
    const gw_gaussian_topk_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        // A row lies in one run.
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        float *y = (float *)args->bufs[1] + row * p->n;
        const float mean = gw_flush(gw_reduce(x, p->n) * p->inv_n);
        const float cut = gw_gaussian_topk_cut(p, mean, squares_from(x, p->n, mean));
        for (uint32_t k = 0; k < p->n; k++) {
            const float d = gw_flush(x[k] - cut);
            y[k] = d > 0.0f ? d : 0.0f;
        }
    }
}

const gw_op gw_op_gaussian_topk = {.name = "gaussian_topk",
                                   .n_inputs_min = 1,
                                   .n_inputs_max = 1,
                                   .strided_inputs = 1,
                                   .internal = true,
                                   .attrs = attrs,
                                   .infer = infer,
                                   .launch = launch,
                                   .n_items = n_items,
                                   .reference = reference};
