// layer_norm against its reference, of views and long rows, too; and the reference against double.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n, n_rows;
    float eps;
    bool bias, view;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->n_rows + (s->view ? 3 : 0), s->n};
    const gw_layer_norm_attrs attrs = {.eps = s->eps};
    gw_value *in[3] = {rig_f32(c, "x", 2, dims), rig_weight(c, &gw_format_f32, 0, s->n)};
    if (s->bias) in[2] = rig_weight(c, &gw_format_f32, 0, s->n);
    if (s->view) {
        gw_value *sum[2] = {in[0], rig_f32(c, "more", 2, dims)};
        gw_value *x = rig_node(c, &gw_op_add, sum, 2, NULL, 0);
        cr_assert(gw_graph_view(&c->graph, x, 3, s->n_rows, &in[0], NULL) == GODWIT_OK);
    }
    rig_output(c, &gw_op_layer_norm, in, in[2] ? 3 : 2, &attrs, sizeof attrs);
}

Test(ops, layer_norm) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[][2] = {{1, 1},    {31, 2},   {33, 1},  {64, 3},
                                        {1000, 2}, {4096, 1}, {8200, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        shape s = {sizes[i][0], sizes[i][1], i % 2 ? 1e-5f : 0.0f, i % 2, false};
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &s, (rig_fill)fill, "layer_norm");
        rig_compare_tunes(&r, build, &s, RIG_MIXED, "layer_norm");
        s.view = true;
        s.bias = !s.bias;
        rig_compare(&r, build, &s, RIG_NORMAL, "layer_norm of a view");
    }
    rig_close(&r);
}

typedef struct params { // as in engine/ops/layer_norm.c
    uint32_t n, n_rows;
    float inv_n, eps;
    uint32_t has_bias, groups_x, x_first;
} params;

Test(ops, layer_norm_reference_is_the_norm) {
    enum { MAX = 4096 };
    static float x[MAX], w[MAX], b[MAX], y[MAX];
    static const uint32_t sizes[] = {2, 31, 576, MAX};
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t n = sizes[i % 4];
        double mean = 0.0, var = 0.0;
        for (uint32_t k = 0; k < n; k++) {
            x[k] = 3.0f + (float)(int32_t)gw_philox(i, 1, k) * 0x1p-30f;
            w[k] = (float)(int32_t)gw_philox(i, 2, k) * 0x1p-31f;
            b[k] = (float)(int32_t)gw_philox(i, 3, k) * 0x1p-31f;
            mean += (double)x[k] / n;
        }
        for (uint32_t k = 0; k < n; k++) var += pow((double)x[k] - mean, 2.0) / n;
        params p = {.n = n, .n_rows = 1, .inv_n = 1.0f / (float)n, .eps = 1e-5f, .has_bias = i % 2};
        gw_reference_args args = {.params = &p, .bufs = {x, w, b, y}};
        gw_reference(&gw_op_layer_norm, &args);
        for (uint32_t k = 0; k < n; k++) {
            double want = ((double)x[k] - mean) / sqrt(var + 1e-5) * (double)w[k];
            if (i % 2) want += (double)b[k];
            cr_assert(fabs((double)y[k] - want) <= 4e-6, "%u values: y[%u] = %g, %g wanted", n, k,
                      (double)y[k], want);
        }
    }
}
