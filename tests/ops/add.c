// add against its reference: whole operands, one repeated row, constants.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t rows, cols;
    int b; // 0: as a; 1: one row; 2: a constant row; 3: that, and a is columns of a wider value
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->rows, s->cols};
    gw_value *in[2] = {s->b == 3 ? rig_columns(c, "a", 2, dims, 70) : rig_f32(c, "a", 2, dims),
                       NULL};
    if (s->b == 0) in[1] = rig_f32(c, "b", 2, dims);
    if (s->b == 1) in[1] = rig_f32(c, "b", 1, dims + 1);
    if (s->b >= 2) in[1] = rig_weight(c, &gw_format_f32, 0, s->cols);
    rig_output(c, &gw_op_add, in, 2, NULL, 0);
}

Test(ops, add) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[][2] = {{1, 1}, {3, 31}, {33, 7}, {5, 1024}};
    for (size_t i = 0; i < 4 * 4; i++) {
        shape s = {sizes[i / 4][0], sizes[i / 4][1], (int)(i % 4)};
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            rig_compare(&r, build, &s, (rig_fill)fill, "add");
        }
        rig_compare_tunes(&r, build, &s, RIG_MIXED, "add");
    }
    rig_close(&r);
}
