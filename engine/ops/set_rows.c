// set_rows (ONNX ScatterND of whole rows): copies rows into those of a state that are named
//   x: [n, m] f32; rows: [n] i32; state: [n_rows, m] f32, whose rows rows[i] are written; no output
// Rows outside the state are not written; of equal ones, which of x is written is not said.
#include "ops/ops.h"

typedef struct set_rows_params {
    uint32_t m, n, n_rows;
    uint32_t groups_x;
} set_rows_params;
_Static_assert(sizeof(set_rows_params) == 16, "push constants of set_rows.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0], *rows = node->inputs[1], *state = node->inputs[2];
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && x->n_dims == 2 && !x->weight, err,
                "x is not rows of f32");
    GW_OP_CHECK(node, rows->dtype == GODWIT_I32 && rows->n_dims == 1 && rows->dims[0] == x->dims[0],
                err, "rows are not [n] i32");
    GW_OP_CHECK(node,
                state->kind == GW_VALUE_STATE && state->dtype == GODWIT_F32 && state->n_dims == 2 &&
                    state->dims[1] == x->dims[1],
                err, "the state has no rows like those of x");
    GW_OP_CHECK(node,
                gw_value_n_elements(x) < UINT32_MAX && gw_value_n_elements(state) < UINT32_MAX, err,
                "there are 2^32 elements or more");
    *out = (gw_value){.n_dims = 0};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0], *state = node->inputs[2];
    uint32_t lanes = plan->tune.elem_lanes;
    set_rows_params params = {
        .m = (uint32_t)x->dims[1], .n = (uint32_t)x->dims[0], .n_rows = (uint32_t)state->dims[0]};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, x, false);
    gw_launch_bind(launch, node->inputs[1], false);
    gw_launch_bind(launch, state, true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up(gw_value_n_elements(x), lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static void reference(const gw_reference_args *args) {
    const set_rows_params *p = args->params;
    const uint32_t *rows = args->bufs[1];
    for (uint64_t i = 0; i < p->n; i++) {
        if (rows[i] >= p->n_rows) continue;
        memcpy((float *)args->bufs[2] + (uint64_t)rows[i] * p->m,
               (const float *)args->bufs[0] + i * p->m, p->m * sizeof(float));
    }
}

const gw_op gw_op_set_rows = {.name = "set_rows",
                              .n_inputs_min = 3,
                              .n_inputs_max = 3,
                              .internal = true,
                              .infer = infer,
                              .launch = launch,
                              .reference = reference};
