// gaussian_topk against its reference, of columns and long rows, too; and the reference against double.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n, n_rows;
    float scale;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    const uint64_t dims[2] = {s->n_rows, s->n};
    const gw_gaussian_topk_attrs attrs = {.scale = s->scale};
    gw_value *x = s->n % 2 ? rig_columns(c, "x", 2, dims, 5) : rig_f32(c, "x", 2, dims);
    rig_output(c, &gw_op_gaussian_topk, &x, 1, &attrs, sizeof attrs);
}

Test(ops, gaussian_topk) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {
        {1, 2, 1.0f}, {33, 3, -0.5f}, {64, 2, 0.0f}, {333, 4, 1.6448533f}, {8200, 2, 1.6448533f}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "gaussian_topk");
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "gaussian_topk");
    }
    rig_close(&r);
}

typedef struct params { // as in engine/ops/gaussian_topk.c
    uint32_t n, n_rows;
    float inv_n, scale;
    gw_columns x;
    uint32_t groups_x;
} params;

Test(ops, gaussian_topk_reference_leaves_what_is_above) {
    enum { N = 1000 };
    static float x[N], y[N];
    double mean = 0.0, var = 0.0;
    uint32_t n_left = 0;
    for (uint32_t k = 0; k < N; k++) {
        x[k] = 3.0f + (float)(int32_t)gw_philox(1, 1, k) * 0x1p-30f;
        mean += (double)x[k] / N;
    }
    for (uint32_t k = 0; k < N; k++) var += pow((double)x[k] - mean, 2.0) / N;
    params p = {
        .n = N, .n_rows = 1, .inv_n = 1.0f / N, .scale = 1.25f, .x = {.run = N, .stride = N}};
    gw_reference_args args = {.params = &p, .bufs = {x, y}};
    gw_reference(&gw_op_gaussian_topk, &args);
    for (uint32_t k = 0; k < N; k++) {
        const double want = fmax((double)x[k] - (mean + 1.25 * sqrt(var)), 0.0);
        cr_assert(fabs((double)y[k] - want) <= 2e-6, "%u: %g, %g wanted", k, (double)y[k], want);
        n_left += y[k] > 0.0f;
    }
    cr_assert(n_left > N / 20 && n_left < N / 3, "%u", n_left);
}
