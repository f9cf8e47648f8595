// relu against its reference, of columns, too; and the reference against the function.
#include "ops/ops.h"
#include "support/elementwise.h"

#include <criterion/criterion.h>

Test(ops, relu) {
    static const gw_relu_attrs attrs[2] = {{0}, {1}};
    elementwise_unary(&gw_op_relu, (const void *[]){&attrs[0], &attrs[1]}, sizeof attrs[0]);
}

Test(ops, relu_reference_is_relu) {
    for (int i = -512; i <= 512; i++) {
        const float x = (float)i / 8.0f, y = x < 0.0f ? 0.0f : x; // their squares are whole 64ths
        cr_assert_eq(elementwise_apply(&gw_op_relu, x, 0.0f, 0.0f), y);
        cr_assert_eq(elementwise_apply(&gw_op_relu, x, 1.0f, 0.0f), y * y);
    }
}
