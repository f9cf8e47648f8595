// softcap: y = cap * tanh(x / cap), element by element (engine/ops/unary.h)
// 1 / cap is taken once, on the host; x times that is flushed. Source: Gemma Team, "Gemma 2", 2024.
#include "ops/unary.h"

#include "base/exact_math.h"

static const gw_attr_row attrs[] = {
    {"cap", GW_ATTR_F32, offsetof(gw_softcap_attrs, cap), 30.0f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_softcap_attrs *a = (const gw_softcap_attrs *)node->attrs;
    GW_OP_CHECK(node, a->cap >= GW_SOFTCAP_MIN && a->cap <= GW_SOFTCAP_MAX, err,
                "cap is %g; 2^-10 to 2^20 is wanted", (double)a->cap);
    return gw_unary_infer(node, out, err);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_softcap_attrs *a = (const gw_softcap_attrs *)node->attrs;
    return gw_unary_launch(plan, node, gw_div(1.0f, a->cap), a->cap, 0, err);
}

static float apply(float x, float a, float b) {
    return gw_flush(gw_tanh(gw_flush(x * a))) * b;
}

static void reference(const gw_reference_args *args) {
    gw_unary_reference(args, apply);
}

const gw_op gw_op_softcap = {.name = "softcap",
                             .n_inputs_min = 1,
                             .n_inputs_max = 1,
                             .strided_inputs = 1,
                             .attrs = attrs,
                             .infer = infer,
                             .launch = launch,
                             .n_items = gw_unary_n_items,
                             .reference = reference};
