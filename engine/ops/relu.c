// relu (ONNX Relu): y = max(x, 0), or its square, element by element (engine/ops/unary.h)
// Source of the square: So et al., "Primer", 2021.
#include "ops/unary.h"

static const gw_attr_row attrs[] = {
    {"squared", GW_ATTR_U32, offsetof(gw_relu_attrs, squared), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_relu_attrs *a = (const gw_relu_attrs *)node->attrs;
    return gw_unary_launch(plan, node, a->squared ? 1.0f : 0.0f, 0.0f, a->squared != 0, err);
}

static float apply(float x, float a, float b) {
    (void)b;
    const float y = x > 0.0f ? x : 0.0f;
    return a != 0.0f ? y * y : y;
}

static void reference(const gw_reference_args *args) {
    gw_unary_reference(args, apply);
}

const gw_op gw_op_relu = {.name = "relu",
                          .n_inputs_min = 1,
                          .n_inputs_max = 1,
                          .strided_inputs = 1,
                          .attrs = attrs,
                          .infer = gw_unary_infer,
                          .launch = launch,
                          .n_items = gw_unary_n_items,
                          .reference = reference};
