// rms_norm against its reference, alone and fused with quantize_q8.
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct shape {
    uint32_t n, n_rows;
    float eps;
    bool quantize;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->n_rows, s->n};
    gw_rms_norm_attrs attrs = {.eps = s->eps};
    gw_value *in[2] = {rig_f32(c, "x", 2, dims), rig_weight(c, &gw_format_f32, 0, s->n)};
    gw_value *y = rig_node(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

Test(ops, rms_norm) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[][2] = {{1, 1}, {31, 2}, {33, 1}, {64, 3}, {1000, 2}, {4096, 1}};
    for (int fill = 0; fill < RIG_N_FILLS; fill++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            shape s = {sizes[i][0], sizes[i][1], i % 2 ? 1e-5f : 0.0f, false};
            rig_compare(&r, build, &s, (rig_fill)fill, "rms_norm");
            s.quantize = s.n % 32 == 0;
            if (s.quantize) rig_compare(&r, build, &s, (rig_fill)fill, "rms_norm, quantized");
        }
    }
    shape s = {288, 5, 1e-5f, true};
    rig_compare_tunes(&r, build, &s, RIG_NORMAL, "rms_norm, quantized");
    s.quantize = false;
    rig_compare_tunes(&r, build, &s, RIG_MIXED, "rms_norm");
    rig_close(&r);
}
