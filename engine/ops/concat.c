// concat (ONNX Concat, of the last axis): rows of a and behind each the row of b
//   a: [.., n_a] f32, b (optional): [.., n_b] f32, of as many rows; each perhaps columns; y: [.., n_a +
//   n_b] f32. Without b a copy of a, dense where a is columns.
#include "ops/ops.h"

typedef struct concat_params {
    uint32_t n_a, n_b, n_rows;
    gw_columns a, b;
    uint32_t groups_x;
} concat_params;
_Static_assert(sizeof(concat_params) == 40, "push constants of concat.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *a = node->inputs[0], *b = node->n_inputs > 1 ? node->inputs[1] : NULL;
    uint64_t n = gw_value_row(a) + (b ? gw_value_row(b) : 0);
    GW_OP_CHECK(node, a->dtype == GODWIT_F32 && !a->weight, err, "a is not f32, or a constant");
    GW_OP_CHECK(node, !b || (b->dtype == GODWIT_F32 && !b->weight), err,
                "b is not f32, or a constant");
    GW_OP_CHECK(node, !b || gw_value_n_rows(a) == gw_value_n_rows(b), err,
                "a has %llu rows, b has %llu", (unsigned long long)gw_value_n_rows(a),
                (unsigned long long)gw_value_n_rows(b));
    GW_OP_CHECK(node, gw_value_n_rows(a) < UINT32_MAX / n, err, "2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = a->n_dims};
    memcpy(out->dims, a->dims, sizeof out->dims);
    out->dims[a->n_dims - 1] = n;
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *a = node->inputs[0], *b = node->n_inputs > 1 ? node->inputs[1] : NULL;
    uint32_t lanes = plan->tune.elem_lanes;
    concat_params params = {.n_a = (uint32_t)gw_value_row(a),
                            .n_b = b ? (uint32_t)gw_value_row(b) : 0,
                            .n_rows = (uint32_t)gw_value_n_rows(a)};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, a, &params.a);
    gw_launch_bind_columns(launch, b ? b : a, &params.b);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(node->outputs[0]), lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const concat_params *p = params;
    return p->n_rows;
}

static void reference(const gw_reference_args *args) {
    const concat_params *p = args->params;
    const float *a = args->bufs[0], *b = args->bufs[1];
    for (uint64_t row = args->first; row < args->end; row++) {
        float *y = (float *)args->bufs[2] + row * (p->n_a + p->n_b);
        memcpy(y, a + gw_column_at(&p->a, row * p->n_a), p->n_a * sizeof *y);
        if (p->n_b) memcpy(y + p->n_a, b + gw_column_at(&p->b, row * p->n_b), p->n_b * sizeof *y);
    }
}

const gw_op gw_op_concat = {.name = "concat",
                            .n_inputs_min = 1,
                            .n_inputs_max = 2,
                            .strided_inputs = 3,
                            .infer = infer,
                            .launch = launch,
                            .n_items = n_items,
                            .reference = reference};
