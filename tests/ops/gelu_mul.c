// gelu_mul against its reference, alone and fused.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t rows, cols;
    bool quantize, columns;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->rows, s->cols};
    gw_value *in[2] = {rig_f32(c, "gate", 2, dims), rig_f32(c, "up", 2, dims)};
    if (s->columns) {
        in[0] = rig_columns(c, "gate", 2, dims, 0);
        in[1] = rig_columns(c, "up", 2, dims, 77);
    }
    gw_value *y = rig_node(c, &gw_op_gelu_mul, in, 2, NULL, 0);
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

Test(ops, gelu_mul) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {{1, 1, false, false},  {3, 33, false, false},
                                   {2, 64, true, false},  {31, 96, true, false},
                                   {31, 33, false, true}, {7, 96, true, true}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "gelu_mul");
        }
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "gelu_mul");
    }
    rig_close(&r);
}
