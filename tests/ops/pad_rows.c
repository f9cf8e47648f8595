// pad_rows against its reference.
#include "support/rig.h"

#include <criterion/criterion.h>

static void build(rig_case *c) {
    const uint32_t *s = c->user; // rows, columns, whether these are of a wider value
    uint64_t dims[2] = {s[0], s[1]};
    gw_value *x = s[2] ? rig_columns(c, "x", 2, dims, 65) : rig_f32(c, "x", 2, dims);
    rig_output(c, &gw_op_pad_rows, &x, 1, NULL, 0);
}

Test(ops, pad_rows) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t shapes[][3] = {{1, 1, 0}, {3, 7, 0}, {31, 33, 0}, {2, 64, 0}, {5, 20, 1}};
    for (int fill = 0; fill < RIG_N_FILLS; fill++) {
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            rig_compare(&r, build, shapes[i], (rig_fill)fill, "pad_rows");
        }
    }
    rig_compare_tunes(&r, build, shapes[2], RIG_MIXED, "pad_rows");
    rig_close(&r);
}
