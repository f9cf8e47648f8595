// moe_sum: adds what a token's experts gave, each by its weight, in their order
//   x: [n_tok, n_used, n] f32; weights: [n_tok, n_used] f32; y: [n_tok, n] f32
#include "ops/moe.h"

#include "ops/ops.h"

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0], *w = node->inputs[1];
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && x->n_dims == 3 && !x->weight, err,
                "x is not [n_tok, n_used, n] f32");
    GW_OP_CHECK(node,
                w->dtype == GODWIT_F32 && w->n_dims == 2 && w->dims[0] == x->dims[0] &&
                    w->dims[1] == x->dims[1] && !w->weight,
                err, "weights are not [n_tok, n_used] f32");
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX, err, "2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {x->dims[0], x->dims[2]}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    const uint32_t lanes = plan->tune.elem_lanes;
    gw_moe_sum_params params = {
        .n = (uint32_t)x->dims[2], .n_tok = (uint32_t)x->dims[0], .n_used = (uint32_t)x->dims[1]};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, x, false);
    gw_launch_bind(launch, node->inputs[1], false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, gw_div_up((uint64_t)params.n * params.n_tok, lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    return ((const gw_moe_sum_params *)params)->n_tok;
}

static void reference(const gw_reference_args *args) {
    const gw_moe_sum_params *p = args->params;
    for (uint64_t t = args->first; t < args->end; t++) {
        const float *x = (const float *)args->bufs[0] + t * p->n_used * p->n;
        const float *w = (const float *)args->bufs[1] + t * p->n_used;
        float *y = (float *)args->bufs[2] + t * p->n;
        for (uint32_t i = 0; i < p->n; i++) {
            float sum = 0.0f;
            for (uint32_t j = 0; j < p->n_used; j++) {
                float product = w[j] * x[(uint64_t)j * p->n + i];
                sum = sum + product;
            }
            y[i] = gw_flush(sum);
        }
    }
}

const gw_op gw_op_moe_sum = {.name = "moe_sum",
                             .n_inputs_min = 2,
                             .n_inputs_max = 2,
                             .internal = true,
                             .infer = infer,
                             .launch = launch,
                             .n_items = n_items,
                             .reference = reference};
