// swiglu_clamp against its reference, alone and fused, and the reference against the formula in double.
#include "ops/gated.h"
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

// Of gpt-oss and of Step 3.5.
static const gw_swiglu_clamp_attrs kinds[] = {{1.702f, 7.0f, 1.0f, 7.0f, GW_SWIGLU_NO_LIMIT},
                                              {1.0f, 7.0f, 0.0f, GW_SWIGLU_NO_LIMIT, 2.5f}};

Test(ops, swiglu_clamp) {
    static const gw_swiglu_clamp_attrs narrow = {1.0f, 0.5f, 0.0f, 0.5f, 0.25f};
    elementwise_gated_with(&gw_op_swiglu_clamp, &kinds[0], sizeof *kinds);
    elementwise_gated_with(&gw_op_swiglu_clamp, &kinds[1], sizeof *kinds);
    elementwise_gated_with(&gw_op_swiglu_clamp, &narrow, sizeof narrow);
}

static void check_formula(const gw_swiglu_clamp_attrs *a) {
    struct {
        gw_gated_params gated;
        gw_swiglu_clamp_attrs a;
    } params = {{.n = 1, .gate = {0, 1, 1}, .up = {0, 1, 1}}, *a};
    static const float numbers[] = {-20.0f, -7.5f, -1.0f, 0.0f, 0.25f, 3.0f, 6.9f, 7.0f, 30.0f};
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 9; k++) {
            float g = numbers[i], u = numbers[k], y = 0.0f;
            gw_reference_args args = {.params = &params, .bufs = {&g, &u, &y}};
            gw_reference(&gw_op_swiglu_clamp, &args);
            const double x = fmin((double)g, (double)a->gate_limit);
            const double z = fmin(fmax((double)u, -(double)a->limit), (double)a->limit);
            const double act = fmin(x / (1.0 + exp(-(double)a->alpha * x)), (double)a->act_limit);
            const double want = act * (z + (double)a->offset);
            cr_expect(fabs((double)y - want) <= 1e-6 * fabs(want) + 1e-9, "%g, %g: %g, not %g",
                      (double)g, (double)u, (double)y, want);
        }
    }
}

Test(ops, swiglu_clamp_reference_is_its_formula) {
    check_formula(&kinds[0]);
    check_formula(&kinds[1]);
}
