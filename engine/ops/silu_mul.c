// silu_mul (SwiGLU's gate): y = silu(gate) * up, silu(x) = x / (1 + e^-x)
//   gate, up: [.., n] f32; y: [.., n] f32, or q8_act when fused with quantize_q8
// The silu is flushed before the product. Source: Shazeer, "GLU Variants Improve Transformer",
// 2020.
#include "ops/gated.h"

#include "base/exact.h"

static void reference(const gw_reference_args *args) {
    gw_gated_reference(args, gw_silu);
}

const gw_op gw_op_silu_mul = {.name = "silu_mul",
                              .n_inputs_min = 2,
                              .n_inputs_max = 2,
                              .strided_inputs = 3,
                              .writes_q8 = true,
                              .infer = gw_gated_infer,
                              .launch = gw_gated_launch,
                              .n_items = gw_gated_n_items,
                              .reference = reference};
