// gelu against its reference, of columns, too; and the reference against libm.
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ops, gelu) {
    static const gw_gelu_attrs attrs[2] = {{0}, {1}};
    elementwise_unary(&gw_op_gelu, (const void *[]){&attrs[0], &attrs[1]}, sizeof attrs[0]);
}

Test(ops, gelu_reference_is_gelu) {
    for (int form = 0; form < 2; form++) {
        for (double at = -40.0; at < 40.0; at += 0.0137) {
            const float xf = (float)at;
            const double x = (double)xf;
            double y = (double)elementwise_apply(&gw_op_gelu, xf, form ? 1.0f : 0.0f, 0.0f);
            double want =
                form ? 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * pow(x, 3.0))))
                     : 0.5 * x * erfc(-x * 0.7071067811865476);
            cr_assert(fabs(y - want) <= fabs(want) * 2e-6 + 2e-7, "form %d: %g gives %g, %g wanted",
                      form, at, y, want);
        }
    }
}
