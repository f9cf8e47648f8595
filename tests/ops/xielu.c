// xielu against its reference, of columns, too; and the reference against the formula in double.
#include "ops/ops.h"
#include "ops/unary.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ops, xielu) {
    static const gw_xielu_attrs attrs[2] = {{0.8f, 0.8f, 0.5f, -1e-6f},
                                            {1.5f, 2.25f, 0.25f, -0.5f}};
    elementwise_unary(&gw_op_xielu, (const void *[]){&attrs[0], &attrs[1]}, sizeof attrs[0]);
}

Test(ops, xielu_reference_is_xielu) {
    const gw_unary_params p = {.n = 1,
                               .n_rows = 1,
                               .x = {.run = 1, .stride = 1},
                               .a = 1.25f,
                               .b = 0.75f,
                               .c = 0.5f,
                               .d = -1e-3f};
    for (int i = -2048; i <= 2048; i++) {
        float x = (float)i / 128.0f, y = 0.0f;
        const gw_reference_args args = {.params = &p, .bufs = {&x, &y}, .first = 0, .end = 1};
        gw_op_xielu.reference(&args);
        const double d = (double)x, low = fmin(d, (double)p.d);
        const double want = (d > 0.0 ? 1.25 * d * d : 0.75 * (expm1(low) - d)) + 0.5 * d;
        cr_assert(fabs((double)y - want) <= 4e-7 * fmax(1.0, fmax(fabs(d), fabs(want))),
                  "%g: %g, not %g", d, (double)y, want);
    }
}
