// iota against its reference, and the reference against what its words say.
#include "support/rig.h"

#include <criterion/criterion.h>

static void build(rig_case *c) {
    const gw_iota_attrs *attrs = c->user;
    gw_value *none = NULL;
    rig_output(c, &gw_op_iota, &none, 0, attrs, sizeof *attrs);
}

Test(ops, iota) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const gw_iota_attrs shapes[] = {{1, 1}, {3, 7}, {128, 65}, {20, 512}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        rig_compare(&r, build, &shapes[i], RIG_NORMAL, "iota");
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "iota");
    }
    rig_close(&r);
}

Test(ops, iota_reference_counts_in_each_row) {
    enum { N = 3, ROWS = 4 };
    uint32_t y[N * ROWS];
    const uint32_t params[3] = {N, ROWS, 1};
    gw_reference_args args = {.params = params, .bufs = {y}};
    gw_reference(&gw_op_iota, &args);
    for (uint32_t i = 0; i < N * ROWS; i++) cr_assert_eq(y[i], i % N);
}
