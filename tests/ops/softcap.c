// softcap against its reference, of columns, too; and the reference against libm.
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ops, softcap) {
    static const gw_softcap_attrs attrs[2] = {{30.0f}, {1.5f}};
    elementwise_unary(&gw_op_softcap, (const void *[]){&attrs[0], &attrs[1]}, sizeof attrs[0]);
}

Test(ops, softcap_reference_is_softcap) {
    for (int form = 0; form < 2; form++) {
        for (double at = -40.0; at < 40.0; at += 0.0137) {
            const float x = (float)at, cap = form ? 5.0f : 30.0f;
            double y = (double)elementwise_apply(&gw_op_softcap, x, 1.0f / cap, cap);
            double want = (double)cap * tanh((double)x / (double)cap);
            cr_assert(fabs(y - want) <= fabs(want) * 2e-6 + 1e-10,
                      "form %d: %g gives %g, %g wanted", form, at, y, want);
        }
    }
}
