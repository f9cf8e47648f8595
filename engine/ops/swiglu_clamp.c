// swiglu_clamp (the gate of gpt-oss, and of Step 3.5): y = min(g * sigmoid(alpha * g), act_limit) * (u + offset), where
// g = min(gate, gate_limit) and u = up, cut to -limit .. limit
//   gate, up: [.., n] f32; y: [.., n] f32, or q8_act when fused with quantize_q8
// alpha * g, the sigmoid, its product with g, and u + offset are flushed before the last product. Source: OpenAI,
// "gpt-oss-120b & gpt-oss-20b Model Card", 2025; StepFun, "Step 3.5 Flash", 2026.
#include "ops/gated.h"

#include "base/exact_math.h"

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    return gw_gated_launch_with(plan, node, node->attrs, sizeof(gw_swiglu_clamp_attrs), err);
}

static float gate(const void *params, float g, float u) {
    const gw_swiglu_clamp_attrs *a = &((const gw_swiglu_clamp_params *)params)->a;
    g = g > a->gate_limit ? a->gate_limit : g;
    u = u > a->limit ? a->limit : u;
    u = u < -a->limit ? -a->limit : u;
    float act = gw_flush(g * gw_flush(gw_sigmoid(gw_flush(a->alpha * g))));
    act = act > a->act_limit ? a->act_limit : act;
    return gw_flush(act * gw_flush(u + a->offset));
}

static void reference(const gw_reference_args *args) {
    gw_gated_reference_of(args, gate, args->params);
}

const gw_op gw_op_swiglu_clamp = {.name = "swiglu_clamp",
                                  .n_inputs_min = 2,
                                  .n_inputs_max = 2,
                                  .strided_inputs = 3,
                                  .writes_q8 = true,
                                  .internal = true,
                                  .infer = gw_gated_infer,
                                  .launch = launch,
                                  .n_items = gw_gated_n_items,
                                  .reference = reference};
