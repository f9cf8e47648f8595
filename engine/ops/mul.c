// mul (ONNX Mul): y = a * b, element by element; b may be one row for all rows
// (engine/ops/binary.h).
#include "ops/binary.h"

static float apply(float a, float b) {
    return a * b;
}

static void reference(const gw_reference_args *args) {
    gw_binary_reference(args, apply);
}

const gw_op gw_op_mul = {.name = "mul",
                         .n_inputs_min = 2,
                         .n_inputs_max = 2,
                         .raw_inputs = 3,
                         .strided_inputs = 1,
                         .foldable = true,
                         .infer = gw_binary_infer,
                         .launch = gw_binary_launch,
                         .n_items = gw_binary_n_items,
                         .reference = reference};
