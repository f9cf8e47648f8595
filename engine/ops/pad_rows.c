// pad_rows: copies rows into rows that are a multiple of 8 long, zeros behind
//   x: [.., n] f32; y: [.., n rounded up to 8] f32 as stored; its shape stays [.., n]
// Made by the pack pass in front of products with float weights whose rows are not whole units.
#include "ops/ops.h"

typedef struct pad_rows_params {
    uint32_t n, n_padded, n_rows;
    gw_columns x;
    uint32_t groups_x;
} pad_rows_params;
_Static_assert(sizeof(pad_rows_params) == 28, "push constants of pad_rows.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight, err, "x is not f32");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    out->dims[x->n_dims - 1] = GW_ALIGN_UP(gw_value_row(x), 8);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    uint32_t lanes = plan->tune.elem_lanes;
    pad_rows_params params = {.n = (uint32_t)gw_value_row(x),
                              .n_padded = (uint32_t)gw_value_row(node->outputs[0]),
                              .n_rows = (uint32_t)gw_value_n_rows(x)};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(node->outputs[0]), lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const pad_rows_params *p = params;
    return p->n_rows;
}

static void reference(const gw_reference_args *args) {
    const pad_rows_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        float *y = (float *)args->bufs[1] + row * p->n_padded;
        memset(y, 0, p->n_padded * sizeof *y);
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        memcpy(y, x, p->n * sizeof *y);
    }
}

const gw_op gw_op_pad_rows = {.name = "pad_rows",
                              .n_inputs_min = 1,
                              .n_inputs_max = 1,
                              .internal = true,
                              .strided_inputs = 1,
                              .infer = infer,
                              .launch = launch,
                              .n_items = n_items,
                              .reference = reference};
