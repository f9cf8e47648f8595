// l2_norm against its reference, of columns and long rows, too; and the reference against double.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n, n_rows, heads;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t flat[2] = {s->n_rows, (uint64_t)s->n * s->heads},
             dims[3] = {s->n_rows, s->heads, s->n};
    const gw_l2_norm_attrs attrs = {.eps = 1e-6f};
    gw_value *x = s->heads > 1 ? rig_columns(c, "x", 2, flat, 5) : rig_f32(c, "x", 2, flat);
    cr_assert(gw_graph_reshape(&c->graph, x, 3, dims, &x, NULL) == GODWIT_OK);
    rig_output(c, &gw_op_l2_norm, &x, 1, &attrs, sizeof attrs);
}

Test(ops, l2_norm) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {{1, 3, 1}, {33, 2, 3}, {128, 5, 4}, {1024, 1, 1}, {300, 2, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "l2_norm");
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "l2_norm");
    }
    rig_close(&r);
}

typedef struct params { // as in engine/ops/l2_norm.c
    uint32_t n, n_rows;
    float eps;
    gw_columns x;
    uint32_t groups_x;
} params;

Test(ops, l2_norm_reference_makes_rows_of_length_one) {
    enum { N = 100 };
    float x[N], y[N];
    for (int zero = 0; zero < 2; zero++) {
        double sum = 0.0;
        for (uint32_t k = 0; k < N; k++) {
            x[k] = zero ? 0.0f : (float)(int32_t)gw_philox(1, 1, k) * 0x1p-30f;
            sum += (double)x[k] * (double)x[k];
        }
        params p = {.n = N, .n_rows = 1, .eps = 1e-6f, .x = {.run = N, .stride = N}};
        gw_reference_args args = {.params = &p, .bufs = {x, y}};
        gw_reference(&gw_op_l2_norm, &args);
        for (uint32_t k = 0; k < N; k++)
            cr_assert(fabs((double)y[k] - (double)x[k] / sqrt(sum + 1e-6)) < 1e-7, "y[%u]", k);
    }
}
