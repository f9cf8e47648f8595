// selective_scan against its reference, of columns and of several sequences, too; the reference against double, and
// however its tokens are cut.
#include "ops/selective_scan.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n_tok, n, dk;
    bool columns;
    const int32_t *segments;
    uint32_t n_segments;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t flat[2] = {s->n_tok, 2ull * s->dk}, v[2] = {s->n_tok, s->n};
    uint64_t rows[3] = {s->n_tok, 2, s->dk}, blocks[3] = {4, s->dk, s->n};
    gw_value *in[7] = {s->columns ? rig_columns(c, "rows", 2, flat, 3)
                                  : rig_f32(c, "rows", 2, flat),
                       s->columns ? rig_columns(c, "v", 2, v, 9) : rig_f32(c, "v", 2, v),
                       s->columns ? rig_columns(c, "dt", 2, v, 1) : rig_f32(c, "dt", 2, v),
                       rig_i32(c, "segments", 4 * s->n_segments, s->segments),
                       rig_state(c, "state", GODWIT_F32, 3, blocks),
                       rig_weight(c, &gw_format_f32, 0, (uint64_t)s->n * s->dk),
                       rig_weight(c, &gw_format_f32, 0, s->n)};
    cr_assert(gw_graph_reshape(&c->graph, in[0], 3, rows, &in[0], NULL) == GODWIT_OK);
    rig_output(c, &gw_op_selective_scan, in, 7, NULL, 0);
}

Test(ops, selective_scan) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const int32_t one[] = {0, 1, -1, 2};
    static const int32_t many[] = {0, 1, 3, 0, 1, 2, -1, 1, 3, 7, 3, 2, 0, 0, 0, 0, 10, 5, -1, -1};
    static const shape shapes[] = {
        {1, 5, 7, false, one, 1}, {11, 70, 16, true, many, 5}, {11, 33, 40, false, many, 5}};
    // What a state is multiplied by is above 1 where A and dt are, so huge ones pass the largest float.
    static const rig_fill fills[] = {RIG_ZEROS, RIG_TINY};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int k = 0; k < 2; k++) rig_compare(&r, build, &shapes[i], fills[k], "selective_scan");
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "selective_scan");
    }
    rig_close(&r);
}

enum { TOK = 9, N = 3, DK = 40 };

typedef struct data {
    float rows[TOK * 2 * DK], v[TOK * N], dt[TOK * N], a[N * DK], d[N], state[2 * N * DK];
} data;

// Tokens first .. end - 1, out of block `from` into `to`.
static void run(data *d, int32_t first, int32_t end, int32_t from, int32_t to, float *y) {
    int32_t segment[] = {first, end - first, from, to};
    gw_selective_scan_params p = {.n_tok = TOK,
                                  .n_segments = 1,
                                  .n_blocks = 2,
                                  .n = N,
                                  .dk = DK,
                                  .rows = {.run = DK, .stride = DK},
                                  .v = {.run = N, .stride = N},
                                  .dt = {.run = N, .stride = N}};
    gw_reference_args args = {.params = &p,
                              .bufs = {d->rows, d->v, d->dt, segment, d->state, y, d->a, d->d}};
    gw_reference(&gw_op_selective_scan, &args);
}

Test(ops, selective_scan_reference_is_the_scan_however_it_is_cut) {
    static data d;
    float y[TOK * N], cut[TOK * N], *all = d.rows;
    for (uint32_t i = 0; i < sizeof d / sizeof *all; i++)
        all[i] = (float)(int32_t)gw_philox(3, 1, i) * 0x1p-31f;
    for (int i = 0; i < N * DK; i++) d.a[i] = -1.5f + d.a[i];
    run(&d, 0, TOK, -1, 0, y);
    for (int c = 0; c < N; c++) {
        double s[DK] = {0};
        for (int t = 0; t < TOK; t++) {
            const double step = log1p(exp((double)d.dt[t * N + c])), v = (double)d.v[t * N + c];
            double want = (double)d.d[c] * v;
            for (int i = 0; i < DK; i++) {
                s[i] = s[i] * exp((double)d.a[c * DK + i] * step) +
                       (double)d.rows[2 * t * DK + i] * step * v;
                want += s[i] * (double)d.rows[(2 * t + 1) * DK + i];
            }
            cr_assert(fabs((double)y[t * N + c] - want) < 4e-6, "channel %d, token %d: %g, not %g",
                      c, t, (double)y[t * N + c], want);
        }
    }
    for (int32_t at = 1; at < TOK; at++) {
        run(&d, 0, at, -1, 1, cut);
        run(&d, at, TOK, 1, 0, cut);
        cr_assert(!memcmp(cut, y, sizeof y), "cut after %d tokens", at);
    }
}
