// clip against its reference, of columns, too; and the reference against the function.
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>

Test(ops, clip) {
    static const gw_clip_attrs attrs[2] = {{0.5f}, {8.0f}};
    elementwise_unary(&gw_op_clip, (const void *[]){&attrs[0], &attrs[1]}, sizeof attrs[0]);
}

Test(ops, clip_reference_is_clip) {
    for (int i = -512; i <= 512; i++) {
        const float x = (float)i / 8.0f, y = x < -3.0f ? -3.0f : x > 3.0f ? 3.0f : x;
        cr_assert_eq(elementwise_apply(&gw_op_clip, x, -3.0f, 3.0f), y);
    }
}
