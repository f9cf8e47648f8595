// sigmoid_mul against its reference, alone and fused; and the reference against libm.
#include "support/elementwise.h"

#include "ops/gated.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ops, sigmoid_mul) {
    elementwise_gated(&gw_op_sigmoid_mul);
}

Test(ops, sigmoid_mul_reference_is_a_sigmoid) {
    for (double x = -26.0; x < 40.0; x += 0.0137) {
        float gate = (float)x, up = -3.0f, y = 0.0f;
        gw_gated_params p = {
            .n = 1, .gate = {.run = 1, .stride = 1}, .up = {.run = 1, .stride = 1}};
        gw_reference_args args = {.params = &p, .bufs = {&gate, &up, &y}};
        gw_reference(&gw_op_sigmoid_mul, &args);
        double want = -3.0 / (1.0 + exp(-x));
        cr_assert(fabs((double)y - want) <= fabs(want) * 1e-6 + 1e-11, "sigmoid(%g): %g, %g wanted",
                  x, (double)y, want);
    }
}
