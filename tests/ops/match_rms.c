// match_rms against its reference, of columns and long rows, too; and the reference against double.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n, n_tok, m, lead;
    bool columns;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    const uint64_t like[2] = {s->n_tok, s->n}, flat[2] = {s->n_tok, (uint64_t)s->m * s->n};
    const uint64_t x[3] = {s->n_tok, s->m, s->n};
    const gw_match_rms_attrs attrs = {.lead = s->lead};
    gw_value *in[2] = {s->columns ? rig_columns(c, "like", 2, like, 3)
                                  : rig_f32(c, "like", 2, like),
                       s->columns ? rig_columns(c, "x", 2, flat, 7) : rig_f32(c, "x", 2, flat)};
    cr_assert(gw_graph_reshape(&c->graph, in[1], 3, x, &in[1], NULL) == GODWIT_OK);
    rig_output(c, &gw_op_match_rms, in, 2, &attrs, sizeof attrs);
}

Test(ops, match_rms) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {
        {1, 3, 1, 0, false}, {33, 2, 3, 1, true}, {300, 2, 3, 1, false}, {4200, 1, 1, 0, true}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "match_rms");
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "match_rms");
    }
    rig_close(&r);
}

typedef struct params { // as in engine/ops/match_rms.c
    uint32_t n, n_tok, m, lead;
    float inv_n;
    gw_columns like, x;
    uint32_t groups_x;
} params;

Test(ops, match_rms_reference_makes_rows_as_large) {
    enum { N = 100, M = 2 };
    float like[N], x[M * N], y[(M + 1) * N];
    double wanted = 0.0;
    for (uint32_t k = 0; k < N; k++) {
        like[k] = (float)(int32_t)gw_philox(1, 1, k) * 0x1p-28f;
        wanted += (double)like[k] * (double)like[k] / N;
        for (uint32_t i = 0; i < M; i++) // the second is nearly nothing
            x[i * N + k] = (float)(int32_t)gw_philox(1, 2 + i, k) * (i ? 0x1p-44f : 0x1p-30f);
    }
    params p = {.n = N,
                .n_tok = 1,
                .m = M,
                .lead = 1,
                .inv_n = 1.0f / N,
                .like = {.run = N, .stride = N},
                .x = {.run = M * N, .stride = M * N}};
    gw_reference_args args = {.params = &p, .bufs = {like, x, y}};
    gw_reference(&gw_op_match_rms, &args);
    cr_assert(!memcmp(y, like, sizeof like));
    for (uint32_t i = 0; i < M; i++) {
        double had = 0.0;
        for (uint32_t k = 0; k < N; k++) had += (double)x[i * N + k] * (double)x[i * N + k] / N;
        for (uint32_t k = 0; k < N; k++) {
            const double want = (double)x[i * N + k] * sqrt(wanted / fmax(had, 1e-5));
            cr_assert(fabs((double)y[(1 + i) * N + k] - want) <= 1e-6 * fabs(want) + 1e-9);
        }
    }
}
