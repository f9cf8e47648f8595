// l2_norm (ONNX LpNormalization): y = x / sqrt(sum(x^2) + eps), row by row
//   x: [.., n] f32, n at most 1024; y: as x
// Order of sums: a reduction (base/sums.h); g = flush(rsqrt(sum + eps)), 0 where that is below 2^-80;
// y = flush(x * g).
#include "base/sums.h"
#include "ops/ops.h"
#include "ops/rms_norm.h"

enum { MOST = 1024 };

static const gw_attr_row attrs[] = {
    {"eps", GW_ATTR_F32, offsetof(gw_l2_norm_attrs, eps), 1e-6f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_l2_norm_attrs *a = (const gw_l2_norm_attrs *)node->attrs;
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight, err, "x is not f32, or a constant");
    GW_OP_CHECK(node, gw_value_row(x) <= MOST, err, "rows of %llu; at most %d",
                (unsigned long long)gw_value_row(x), MOST);
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX, err, "x has 2^32 elements or more");
    GW_OP_CHECK(node, a->eps >= 0.0f && a->eps <= 1.0f, err, "eps is not between 0 and 1");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const gw_l2_norm_attrs *a = (const gw_l2_norm_attrs *)node->attrs;
    gw_l2_norm_params params = {
        .n = (uint32_t)gw_value_row(x), .n_rows = (uint32_t)gw_value_n_rows(x), .eps = a->eps};
    const uint32_t lanes = plan->tune.elem_lanes;
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
    return ((const gw_l2_norm_params *)params)->n_rows;
}

static void reference(const gw_reference_args *args) {
    const gw_l2_norm_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        // A row lies in one run.
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        float *y = (float *)args->bufs[1] + row * p->n;
        const float g = gw_l2_norm_scale(p, gw_reduce_squares(x, p->n));
        for (uint32_t k = 0; k < p->n; k++) y[k] = gw_flush(x[k] * g);
    }
}

const gw_op gw_op_l2_norm = {.name = "l2_norm",
                             .n_inputs_min = 1,
                             .n_inputs_max = 1,
                             .strided_inputs = 1,
                             .attrs = attrs,
                             .infer = infer,
                             .launch = launch,
                             .n_items = n_items,
                             .reference = reference};
