// xielu: an activation of two halves, element by element (engine/ops/unary.h)
//   y = alpha_p * x^2 + beta * x where x > 0, else alpha_n * (e^min(x, eps) - 1 - x) + beta * x
// Order: (alpha_p * x) * x, or (gw_expm1(min(x, eps)) - x) * alpha_n; then + beta * x.
// Source: Huang and Schlag, "Deriving Activation Functions Using Integration", 2024.
#include "ops/unary.h"

#include "base/exact_math.h"

static const gw_attr_row attrs[] = {
    {"alpha_p", GW_ATTR_F32, offsetof(gw_xielu_attrs, alpha_p), 0.8f},
    {"alpha_n", GW_ATTR_F32, offsetof(gw_xielu_attrs, alpha_n), 0.8f},
    {"beta", GW_ATTR_F32, offsetof(gw_xielu_attrs, beta), 0.5f},
    {"eps", GW_ATTR_F32, offsetof(gw_xielu_attrs, eps), -1e-6f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_xielu_attrs *a = (const gw_xielu_attrs *)node->attrs;
    const float numbers[4] = {a->alpha_p, a->alpha_n, a->beta, a->eps};
    for (int i = 0; i < 4; i++) {
        GW_OP_CHECK(node, gw_abs(numbers[i]) <= GW_XIELU_MAX, err, "%s is %g; at most %g is wanted",
                    attrs[i].name, (double)numbers[i], (double)GW_XIELU_MAX);
    }
    GW_OP_CHECK(node, a->eps <= 0.0f, err, "eps is %g; it is not above 0", (double)a->eps);
    return gw_unary_infer(node, out, err);
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_xielu_attrs *a = (const gw_xielu_attrs *)node->attrs;
    const float numbers[4] = {gw_flush(a->alpha_p), gw_flush(a->alpha_n), gw_flush(a->beta),
                              gw_flush(a->eps)};
    return gw_unary_launch_with(plan, node, numbers, 0, err);
}

static float apply(const gw_unary_params *p, float x) {
    const float low = x < p->d ? x : p->d;
    const float y = x > 0.0f ? (p->a * x) * x : (gw_expm1(low) - x) * p->b;
    return gw_flush(y + p->c * x);
}

static void reference(const gw_reference_args *args) {
    const gw_unary_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        float *y = (float *)args->bufs[1] + row * p->n;
        for (uint32_t k = 0; k < p->n; k++) y[k] = apply(p, x[k]);
    }
}

const gw_op gw_op_xielu = {.name = "xielu",
                           .n_inputs_min = 1,
                           .n_inputs_max = 1,
                           .strided_inputs = 1,
                           .internal = true,
                           .attrs = attrs,
                           .infer = infer,
                           .launch = launch,
                           .n_items = gw_unary_n_items,
                           .reference = reference};
