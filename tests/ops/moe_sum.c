// moe_sum against its reference, and the reference against what its words say.
#include "support/rig.h"

#include <criterion/criterion.h>

static void build(rig_case *c) {
    const uint32_t *user = c->user;
    uint64_t x[3] = {3, user[0], user[1]};
    gw_value *in[2] = {rig_f32(c, "x", 3, x), rig_f32(c, "weights", 2, x)};
    rig_output(c, &gw_op_moe_sum, in, 2, NULL, 0);
}

Test(ops, moe_sum) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[][2] = {{1, 1}, {2, 33}, {8, 256}, {32, 65}};
    for (int i = 0; i < 4; i++) {
        rig_compare(&r, build, sizes[i], (rig_fill)(i % RIG_N_FILLS), "moe_sum");
        rig_compare_tunes(&r, build, sizes[i], RIG_NORMAL, "moe_sum");
    }
    rig_close(&r);
}

Test(ops, moe_sum_reference_adds_by_weight) {
    float x[] = {1, 2, 10, 20, 100, 200, 3, 4, 30, 40, 300, 400}, w[] = {1, 2, 3, 0.5f, 0, -1},
          y[4];
    uint32_t params[4] = {2, 2, 3, 1};
    gw_reference_args args = {.params = params, .bufs = {x, w, y}};
    gw_reference(&gw_op_moe_sum, &args);
    cr_assert(y[0] == 321.0f && y[1] == 642.0f && y[2] == -298.5f && y[3] == -398.0f);
}
