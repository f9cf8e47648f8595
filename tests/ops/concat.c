// concat against its reference, and the reference against what its words say.
#include "support/rig.h"

#include <criterion/criterion.h>

static void build(rig_case *c) {
    const uint32_t *s =
        c->user; // rows, columns of a, of b (0: none), whether they are of wider values
    uint64_t dims[2][2] = {{s[0], s[1]}, {s[0], s[2]}};
    gw_value *in[2] = {NULL};
    for (uint32_t i = 0; i < (s[2] ? 2u : 1u); i++)
        in[i] = s[3] ? rig_columns(c, i ? "b" : "a", 2, dims[i], 11 + i)
                     : rig_f32(c, i ? "b" : "a", 2, dims[i]);
    rig_output(c, &gw_op_concat, in, s[2] ? 2 : 1, NULL, 0);
}

Test(ops, concat) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t shapes[][4] = {
        {1, 1, 1, 0}, {3, 512, 64, 0}, {31, 33, 7, 1}, {60, 128, 0, 1}, {5, 64, 16, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, shapes[i], (rig_fill)fill, "concat");
        rig_compare_tunes(&r, build, shapes[i], RIG_MIXED, "concat");
    }
    rig_close(&r);
}

Test(ops, concat_reference_puts_rows_side_by_side) {
    enum { ROWS = 3, A = 2, B = 1, WIDE = 4 };
    float a[ROWS * A], b[ROWS * WIDE], y[ROWS * (A + B)];
    // b: column 3 of rows of 4
    const uint32_t params[10] = {A, B, ROWS, 0, ROWS * A, 0, 3, B, WIDE, 1};
    for (int i = 0; i < ROWS * A; i++) a[i] = (float)i;
    for (int i = 0; i < ROWS * WIDE; i++) b[i] = (float)(100 + i);
    gw_reference_args args = {.params = params, .bufs = {a, b, y}};
    gw_reference(&gw_op_concat, &args);
    for (int r = 0; r < ROWS; r++) {
        cr_assert(y[3 * r] == (float)(2 * r) && y[3 * r + 1] == (float)(2 * r + 1), "row %d", r);
        cr_assert(y[3 * r + 2] == (float)(100 + WIDE * r + 3), "row %d", r);
    }
}
