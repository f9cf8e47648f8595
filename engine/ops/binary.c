// Binary: see binary.h.
#include "ops/binary.h"

godwit_status gw_binary_infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *a = node->inputs[0], *b = node->inputs[1];
    GW_OP_CHECK(node, gw_is_f32_rows(a) && gw_is_f32_rows(b), err, "operands are not both f32");
    uint64_t n_b = gw_value_n_elements(b);
    GW_OP_CHECK(node,
                gw_value_row(a) == gw_value_row(b) &&
                    (n_b == gw_value_n_elements(a) || n_b == gw_value_row(a)),
                err, "the second operand has neither the first's shape nor that of its row");
    GW_OP_CHECK(node, gw_value_n_elements(a) < UINT32_MAX, err, "2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = a->n_dims};
    memcpy(out->dims, a->dims, sizeof out->dims);
    return GODWIT_OK;
}

godwit_status gw_binary_launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *a = node->inputs[0], *b = node->inputs[1];
    uint32_t lanes = plan->tune.elem_lanes;
    bool repeats = gw_value_n_elements(b) != gw_value_n_elements(a);
    gw_binary_params params = {.n = (uint32_t)gw_value_row(a),
                               .n_rows = (uint32_t)gw_value_n_rows(a),
                               .a = {.run = (uint32_t)gw_value_row(a), .stride = gw_row_stride(a)},
                               .b_stride = repeats ? 0 : gw_row_stride(b)};
    GW_OP_LAUNCH(launch, plan, node, params);
    if (a->weight)
        gw_launch_bind_f32(launch, a, false);
    else
        gw_launch_bind_columns(launch, a, &params.a);
    gw_launch_bind_f32(launch, b, false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(a), lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

uint64_t gw_binary_n_items(const void *params) {
    const gw_binary_params *p = params;
    return p->n_rows;
}

void gw_binary_reference(const gw_reference_args *args, float (*op)(float a, float b)) {
    const gw_binary_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *a = (const float *)args->bufs[0] + gw_column_at(&p->a, row * p->n);
        const float *b = (const float *)args->bufs[1] + row * p->b_stride;
        float *y = (float *)args->bufs[2] + row * p->n;
        for (uint32_t k = 0; k < p->n; k++) y[k] = gw_flush(op(a[k], b[k]));
    }
}
