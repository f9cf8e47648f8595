// gelu_mul (GeGLU's gate): y = gelu(gate) * up, gelu in its form with tanh (gw_gelu_tanh of
// base/exact_math.h)
//   gate, up: [.., n] f32; y: [.., n] f32, or q8_act when fused with quantize_q8
// The gelu is flushed before the product. Source: Shazeer, "GLU Variants Improve Transformer",
// 2020.
#include "ops/gated.h"

#include "base/exact_math.h"

static float act(float x) {
    return gw_flush(gw_gelu_tanh(x));
}

static void reference(const gw_reference_args *args) {
    gw_gated_reference(args, act);
}

const gw_op gw_op_gelu_mul = {.name = "gelu_mul",
                              .n_inputs_min = 2,
                              .n_inputs_max = 2,
                              .strided_inputs = 3,
                              .writes_q8 = true,
                              .infer = gw_gated_infer,
                              .launch = gw_gated_launch,
                              .n_items = gw_gated_n_items,
                              .reference = reference};
