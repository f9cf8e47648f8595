// swiglu_clamp against its reference, alone and fused, and the reference against the formula in double.
#include "ops/gated.h"
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

static const gw_swiglu_clamp_attrs attrs = {.alpha = 1.702f, .limit = 7.0f, .offset = 1.0f};

Test(ops, swiglu_clamp) {
    static const gw_swiglu_clamp_attrs narrow = {.alpha = 1.0f, .limit = 0.5f, .offset = 0.0f};
    elementwise_gated_with(&gw_op_swiglu_clamp, &attrs, sizeof attrs);
    elementwise_gated_with(&gw_op_swiglu_clamp, &narrow, sizeof narrow);
}

Test(ops, swiglu_clamp_reference_is_its_formula) {
    struct {
        gw_gated_params gated;
        gw_swiglu_clamp_attrs a;
    } params = {{.n = 1, .gate = {0, 1, 1}, .up = {0, 1, 1}}, attrs};
    static const float numbers[] = {-20.0f, -7.5f, -1.0f, 0.0f, 0.25f, 3.0f, 6.9f, 7.0f, 30.0f};
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 9; k++) {
            float g = numbers[i], u = numbers[k], y = 0.0f;
            gw_reference_args args = {.params = &params, .bufs = {&g, &u, &y}};
            gw_reference(&gw_op_swiglu_clamp, &args);
            const double x = fmin((double)g, 7.0), z = fmin(fmax((double)u, -7.0), 7.0);
            const double want = x / (1.0 + exp(-1.702 * x)) * (z + 1.0);
            cr_expect(fabs((double)y - want) <= 1e-6 * fabs(want) + 1e-9, "%g, %g: %g, not %g",
                      (double)g, (double)u, (double)y, want);
        }
    }
}
