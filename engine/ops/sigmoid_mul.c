// sigmoid_mul (a gate of attention): y = sigmoid(gate) * up, sigmoid(x) = 1 / (1 + e^-x)
//   gate, up: [.., n] f32; y: [.., n] f32, or q8_act when fused with quantize_q8
// The sigmoid is flushed before the product. Source: Qiu et al., "Gated Attention for Large Language
// Models", 2025.
#include "ops/gated.h"

#include "base/exact.h"

static float act(float x) {
    return gw_flush(gw_sigmoid(x));
}

static void reference(const gw_reference_args *args) {
    gw_gated_reference(args, act);
}

const gw_op gw_op_sigmoid_mul = {.name = "sigmoid_mul",
                                 .n_inputs_min = 2,
                                 .n_inputs_max = 2,
                                 .strided_inputs = 3,
                                 .writes_q8 = true,
                                 .infer = gw_gated_infer,
                                 .launch = gw_gated_launch,
                                 .n_items = gw_gated_n_items,
                                 .reference = reference};
