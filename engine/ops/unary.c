// Unary: see unary.h.
#include "ops/unary.h"

godwit_status gw_unary_infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight, err, "x is not f32, or a constant");
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX, err, "2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

godwit_status gw_unary_launch(gw_plan *plan, const gw_node *node, float a, float b, uint32_t form,
                              godwit_error *err) {
    return gw_unary_launch_with(plan, node, (const float[4]){a, b}, form, err);
}

godwit_status gw_unary_launch_with(gw_plan *plan, const gw_node *node, const float numbers[4],
                                   uint32_t form, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    uint32_t lanes = plan->tune.elem_lanes;
    gw_unary_params params = {.n = (uint32_t)gw_value_row(x),
                              .n_rows = (uint32_t)gw_value_n_rows(x),
                              .a = numbers[0],
                              .b = numbers[1],
                              .c = numbers[2],
                              .d = numbers[3]};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 1, &form);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(x), lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

uint64_t gw_unary_n_items(const void *params) {
    const gw_unary_params *p = params;
    return p->n_rows;
}

void gw_unary_reference(const gw_reference_args *args, float (*op)(float x, float a, float b)) {
    const gw_unary_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        float *y = (float *)args->bufs[1] + row * p->n;
        for (uint32_t k = 0; k < p->n; k++) y[k] = gw_flush(op(x[k], p->a, p->b));
    }
}
