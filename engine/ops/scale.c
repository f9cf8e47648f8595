// scale: y = x * factor, element by element (engine/ops/unary.h)
#include "ops/unary.h"

static const gw_attr_row attrs[] = {
    {"factor", GW_ATTR_F32, offsetof(gw_scale_attrs, factor), 1.0f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_scale_attrs *a = (const gw_scale_attrs *)node->attrs;
    return gw_unary_launch(plan, node, a->factor, 0.0f, 0, err);
}

static float apply(float x, float a, float b) {
    (void)b;
    return x * a;
}

static void reference(const gw_reference_args *args) {
    gw_unary_reference(args, apply);
}

const gw_op gw_op_scale = {.name = "scale",
                           .n_inputs_min = 1,
                           .n_inputs_max = 1,
                           .strided_inputs = 1,
                           .attrs = attrs,
                           .infer = gw_unary_infer,
                           .launch = launch,
                           .n_items = gw_unary_n_items,
                           .reference = reference};
