// gelu_mul against its reference, alone and fused.
#include "support/elementwise.h"

#include <criterion/criterion.h>

Test(ops, gelu_mul) {
    elementwise_gated(&gw_op_gelu_mul);
}
