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

// Rows of a view, as a model's last token is: with rows of 128 bytes, say, they begin where no
// binding may begin on some devices.
static void build_view(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->n_rows + 3, s->n};
    gw_rms_norm_attrs attrs = {.eps = s->eps};
    gw_value *sum[2] = {rig_f32(c, "a", 2, dims), rig_f32(c, "b", 2, dims)}, *in[2];
    gw_value *x = rig_node(c, &gw_op_add, sum, 2, NULL, 0);
    cr_assert(gw_graph_view(&c->graph, x, 3, s->n_rows, &in[0], NULL) == GODWIT_OK);
    in[1] = rig_weight(c, &gw_format_f32, 0, s->n);
    rig_output(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
}

Test(ops, rms_norm_of_a_view) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {1, 8, 32, 33, 48, 64, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        shape s = {sizes[i], 1 + (uint32_t)i % 2, 1e-5f, false};
        rig_compare(&r, build_view, &s, RIG_NORMAL, "rms_norm of a view");
    }
    rig_close(&r);
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
