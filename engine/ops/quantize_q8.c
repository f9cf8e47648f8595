// quantize_q8: rows to int8 activations, in groups of 32 with one scale each
//   x: [.., n] f32, n a multiple of 32; y: [.., n] q8_act
// d = amax / 127, q = round(x * 127 / amax) (engine/ops/q8_act.h). Made by the pack pass in front
// of products with integer weights; no sums.
#include "ops/ops.h"
#include "ops/q8_act.h"

typedef struct quantize_q8_params {
    uint32_t n_groups;
    uint32_t groups_x;
} quantize_q8_params;
_Static_assert(sizeof(quantize_q8_params) == 8, "push constants of quantize_q8.comp");

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && !x->weight, err, "x is not f32");
    GW_OP_CHECK(node, gw_value_row(x) % 32 == 0, err, "rows of %llu are no multiple of 32",
                (unsigned long long)gw_value_row(x));
    *out = (gw_value){.dtype = GW_DTYPE_Q8_ACT, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0];
    uint32_t lanes = plan->tune.elem_lanes;
    quantize_q8_params params = {.n_groups = (uint32_t)(gw_value_n_elements(x) / 32)};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, x, false);
    gw_launch_bind_q8_act(launch, node->outputs[0], true);
    uint32_t spec[2] = {gw_q8_group_lanes(&plan->tune, lanes), lanes};
    gw_launch_spec(launch, lanes, 2, spec);
    gw_launch_grid(launch, &plan->tune, gw_div_up((uint64_t)params.n_groups * spec[0], lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const quantize_q8_params *p = params;
    return p->n_groups;
}

static void reference(const gw_reference_args *args) {
    for (uint64_t g = args->first; g < args->end; g++) {
        ((float *)args->bufs[2])[g] =
            gw_q8_pack((const float *)args->bufs[0] + g * 32, (int8_t *)args->bufs[1] + g * 32);
    }
}

const gw_op gw_op_quantize_q8 = {.name = "quantize_q8",
                                 .n_inputs_min = 1,
                                 .n_inputs_max = 1,
                                 .internal = true,
                                 .infer = infer,
                                 .launch = launch,
                                 .n_items = n_items,
                                 .reference = reference};
