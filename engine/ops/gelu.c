// gelu (ONNX Gelu): y = x * Phi(x), element by element (engine/ops/unary.h); gw_gelu and gw_gelu_tanh
// of base/exact_math.h
// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
#include "ops/unary.h"

#include "base/exact_math.h"

static const gw_attr_row attrs[] = {
    {"tanh", GW_ATTR_U32, offsetof(gw_gelu_attrs, tanh), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_gelu_attrs *a = (const gw_gelu_attrs *)node->attrs;
    return gw_unary_launch(plan, node, a->tanh ? 1.0f : 0.0f, 0.0f, a->tanh != 0, err);
}

static float apply(float x, float a, float b) {
    (void)b;
    return a != 0.0f ? gw_gelu_tanh(x) : gw_gelu(x);
}

static void reference(const gw_reference_args *args) {
    gw_unary_reference(args, apply);
}

const gw_op gw_op_gelu = {.name = "gelu",
                          .n_inputs_min = 1,
                          .n_inputs_max = 1,
                          .strided_inputs = 1,
                          .attrs = attrs,
                          .infer = gw_unary_infer,
                          .launch = launch,
                          .n_items = gw_unary_n_items,
                          .reference = reference};
