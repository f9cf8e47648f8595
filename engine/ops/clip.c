// clip (ONNX Clip): y = min(max(x, -limit), limit), element by element (engine/ops/unary.h)
#include "ops/unary.h"

#include "base/exact.h"

static const gw_attr_row attrs[] = {
    {"limit", GW_ATTR_F32, offsetof(gw_clip_attrs, limit), 8.0f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_clip_attrs *a = (const gw_clip_attrs *)node->attrs;
    GW_OP_CHECK(node, a->limit >= GW_CLIP_MIN && a->limit <= GW_CLIP_MAX, err,
                "limit is %g; %g to %g is wanted", (double)a->limit, (double)GW_CLIP_MIN,
                (double)GW_CLIP_MAX);
    return gw_unary_infer(node, out, err);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_clip_attrs *a = (const gw_clip_attrs *)node->attrs;
    return gw_unary_launch(plan, node, -a->limit, a->limit, 0, err);
}

static float apply(float x, float a, float b) {
    const float y = x < a ? a : x;
    return y > b ? b : y;
}

static void reference(const gw_reference_args *args) {
    gw_unary_reference(args, apply);
}

const gw_op gw_op_clip = {.name = "clip",
                          .n_inputs_min = 1,
                          .n_inputs_max = 1,
                          .internal = true,
                          .strided_inputs = 1,
                          .attrs = attrs,
                          .infer = infer,
                          .launch = launch,
                          .n_items = gw_unary_n_items,
                          .reference = reference};
