// scale against its reference, of columns, too; and the reference against libm.
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ops, scale) {
    static const gw_scale_attrs attrs[2] = {{1.75f}, {-0.0625f}};
    elementwise_unary(&gw_op_scale, (const void *[]){&attrs[0], &attrs[1]}, sizeof attrs[0]);
}

Test(ops, scale_reference_is_scale) {
    for (int form = 0; form < 2; form++) {
        for (double at = -40.0; at < 40.0; at += 0.0137) {
            const float x = (float)at;
            double y = (double)elementwise_apply(&gw_op_scale, x, form ? -3.5f : 0.125f, 0.0f);
            double want = (double)x * (form ? -3.5 : 0.125);
            cr_assert(fabs(y - want) <= fabs(want) * 2e-6 + 1e-10,
                      "form %d: %g gives %g, %g wanted", form, at, y, want);
        }
    }
}
