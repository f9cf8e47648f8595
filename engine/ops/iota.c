// iota (ONNX Range, a row of it for each token): y[t, i] = i
//   y: [n_rows, n] i32
// What names the matrix of each head for moe_matmul, where every token is multiplied by every one.
#include "ops/ops.h"

typedef struct iota_params {
    uint32_t n, n_rows;
    uint32_t groups_x;
} iota_params;
_Static_assert(sizeof(iota_params) == 12, "push constants of iota.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_iota_attrs *a = (const void *)node->attrs;
    GW_OP_CHECK(node, a->n && a->n_rows && a->n_rows < INT32_MAX / a->n, err, "%u rows of %u",
                a->n_rows, a->n);
    *out = (gw_value){.dtype = GODWIT_I32, .n_dims = 2, .dims = {a->n_rows, a->n}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_iota_attrs *a = (const void *)node->attrs;
    uint32_t lanes = plan->tune.elem_lanes;
    iota_params params = {.n = a->n, .n_rows = a->n_rows};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up((uint64_t)a->n * a->n_rows, lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static void reference(const gw_reference_args *args) {
    const iota_params *p = args->params;
    uint32_t *y = args->bufs[0];
    for (uint32_t i = 0; i < p->n * p->n_rows; i++) y[i] = i % p->n;
}

const gw_op gw_op_iota = {.name = "iota",
                          .n_inputs_min = 0,
                          .n_inputs_max = 0,
                          .internal = true,
                          .infer = infer,
                          .launch = launch,
                          .reference = reference};
