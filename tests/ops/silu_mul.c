// silu_mul against its reference, alone and fused; and the reference against libm.
#include "support/elementwise.h"

#include "base/exact.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ops, silu_mul) {
    elementwise_gated(&gw_op_silu_mul);
}

Test(ops, silu_reference_is_silu) {
    for (double x = -40.0; x < 40.0; x += 0.0137) {
        double want = x / (1.0 + exp(-x)), got = (double)gw_silu((float)x);
        cr_assert(fabs(got - want) <= fabs(want) * 1e-6 + 1e-10, "silu(%g) = %g, %g wanted", x, got,
                  want);
    }
}
