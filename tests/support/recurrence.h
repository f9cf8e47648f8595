// Recurrence: cases of gated_delta_net and ssm_scan, and their reference against double and however its
// tokens are cut.
#ifndef GW_TESTS_RECURRENCE_H
#define GW_TESTS_RECURRENCE_H

#include "ops/recurrence.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct recurrence_shape {
    const gw_op *op;
    uint32_t n_tok, n_heads, n_heads_k, dk, dv;
    bool tiled, columns;
    const int32_t *segments;
    uint32_t n_segments;
    bool of_rows; // each row of a state decays by itself
} recurrence_shape;

static inline void recurrence_build(rig_case *c) {
    const recurrence_shape *s = c->user;
    const bool scan = s->op == &gw_op_ssm_scan;
    const gw_recurrence_attrs attrs = {.scale = 0.3f, .tiled = s->tiled};
    uint64_t flat[2] = {s->n_tok, 2ull * s->n_heads_k * s->dk},
             v[2] = {s->n_tok, s->n_heads * s->dv};
    uint64_t rows[3] = {s->n_tok, 2ull * s->n_heads_k, s->dk},
             gates[2] = {s->n_tok, (s->of_rows ? s->dk + 1 : 2) * s->n_heads};
    uint64_t blocks[3] = {4, s->n_heads, (uint64_t)s->dk * s->dv};
    gw_value *in[6] = {
        s->columns ? rig_columns(c, "rows", 2, flat, 3) : rig_f32(c, "rows", 2, flat),
        s->columns ? rig_columns(c, "v", 2, v, 9) : rig_f32(c, "v", 2, v),
        rig_f32(c, "gates", 2, gates), rig_i32(c, "segments", 4 * s->n_segments, s->segments),
        rig_state(c, "state", GODWIT_F32, 3, blocks)};
    cr_assert(gw_graph_reshape(&c->graph, in[0], 3, rows, &in[0], NULL) == GODWIT_OK);
    if (scan) in[5] = rig_weight(c, &gw_format_f32, 0, s->n_heads);
    rig_output(c, s->op, in, scan ? 6 : 5, &attrs, sizeof attrs);
}

// So many tokens in a run that a lane comes near what llvmpipe lets it have of rounds of loops (docs/QUIRKS.md).
static inline void recurrence_compare_long(const gw_op *op) {
    static const int32_t segment[4] = {0, 512, 1, 2};
    const recurrence_shape s = {.op = op,
                                .n_tok = 512,
                                .n_heads = 1,
                                .n_heads_k = 1,
                                .dk = GW_RECURRENCE_ROWS,
                                .dv = 4,
                                .segments = segment,
                                .n_segments = 1};
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    rig_compare(&r, recurrence_build, &s, RIG_TINY, "512 tokens");
    rig_close(&r);
}

static inline void recurrence_compare(const gw_op *op) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const int32_t one[] = {0, 1, -1, 2}, prompt[] = {2, 9, 1, 0};
    static const int32_t many[] = {0, 1, 3, 0, 1, 2, -1, 1, 3, 7, 3, 2, 0, 0, 0, 0, 10, 5, -1, -1};
    const recurrence_shape shapes[] = {
        {op, 1, 2, 1, 7, 5, false, false, one, 1, false},
        {op, 11, 4, 2, 40, 33, false, true, many, 5, true},
        {op, 11, 6, 2, 40, 24, true, true, prompt, 1, false},
        {op, 11, 4, 2, 64, 33, false, true, many, 5, false},
        {op, 10, 2, 2, 256, 3, false, false, many, 5, false},
    };
    // Sums of squares of a state pass the largest float with huge ones, of which nothing is promised.
    static const rig_fill fills[] = {RIG_NORMAL, RIG_ZEROS, RIG_TINY};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int k = 0; k < 3; k++)
            rig_compare(&r, recurrence_build, &shapes[i], fills[k], op->name);
        rig_compare_tunes(&r, recurrence_build, &shapes[i], RIG_NORMAL, op->name);
    }
    rig_close(&r);
}

enum { R_TOK = 9, R_HEADS = 2, R_DK = 40, R_DV = 3 };

typedef struct recurrence_data {
    float rows[R_TOK * 2 * R_DK], v[R_TOK * R_HEADS * R_DV];
    float gates[R_TOK * (R_DK + 1) * R_HEADS], skip[R_HEADS];
    float state[2 * R_HEADS * R_DK * R_DV];
    uint32_t n_decays; // of a head
} recurrence_data;

// Tokens first .. end - 1, out of block `from` into `to`.
static inline void recurrence_run(const gw_op *op, recurrence_data *d, int32_t first, int32_t end,
                                  int32_t from, int32_t to, float *y) {
    int32_t segment[] = {first, end - first, from, to};
    gw_recurrence_params p = {.n_tok = R_TOK,
                              .n_segments = 1,
                              .n_blocks = 2,
                              .n_heads = R_HEADS,
                              .n_heads_k = 1,
                              .dk = R_DK,
                              .dv = R_DV,
                              .n_decays = d->n_decays,
                              .scale = 0.5f,
                              .rows = {.run = R_DK, .stride = R_DK},
                              .v = {.run = R_DV, .stride = R_DV}};
    gw_reference_args args = {.params = &p,
                              .bufs = {d->rows, d->v, d->gates, segment, d->state, y, d->skip}};
    gw_reference(op, &args);
}

// The same in double: y of a head's column.
static inline void recurrence_in_double(const recurrence_data *d, bool delta, int head, int c,
                                        double *y) {
    double s[R_DK] = {0};
    for (int t = 0; t < R_TOK; t++) {
        const float *q = d->rows + (2 * t + !delta) * R_DK, *k = d->rows + (2 * t + delta) * R_DK;
        const int n = (int)d->n_decays;
        const float *gates = d->gates + t * (n + 1) * R_HEADS;
        const double v = (double)d->v[(t * R_HEADS + head) * R_DV + c];
        double had = 0.0;
        y[t] = 0.0;
        for (int i = 0; i < R_DK; i++) {
            s[i] *= (double)gates[head * n + (n > 1 ? i : 0)];
            had += s[i] * (double)k[i];
        }
        const double more = (v - (delta ? had : 0.0)) * (double)gates[n * R_HEADS + head];
        for (int i = 0; i < R_DK; i++) {
            s[i] += (double)k[i] * more;
            y[t] += s[i] * (double)q[i];
        }
        y[t] = delta ? 0.5 * y[t] : y[t] + (double)d->skip[head] * v;
    }
}

static inline void recurrence_check_with(const gw_op *op, uint32_t n_decays) {
    static recurrence_data d;
    float y[R_TOK * R_HEADS * R_DV], cut[R_TOK * R_HEADS * R_DV];
    float *all = d.rows;
    for (uint32_t i = 0; i < offsetof(recurrence_data, n_decays) / sizeof *all; i++)
        all[i] = (float)(int32_t)gw_philox(3, 1, i) * 0x1p-33f;
    d.n_decays = n_decays;
    for (uint32_t i = 0; i < R_TOK * (R_DK + 1) * R_HEADS; i++) d.gates[i] = 0.75f + d.gates[i];
    recurrence_run(op, &d, 0, R_TOK, -1, 0, y);
    for (int head = 0; head < R_HEADS; head++) {
        for (int c = 0; c < R_DV; c++) {
            double want[R_TOK];
            recurrence_in_double(&d, op == &gw_op_gated_delta_net, head, c, want);
            for (int t = 0; t < R_TOK; t++) {
                const double got = (double)y[(t * R_HEADS + head) * R_DV + c];
                cr_assert(fabs(got - want[t]) < 1e-6, "token %d: %g, %g wanted", t, got, want[t]);
            }
        }
    }
    for (int32_t at = 1; at < R_TOK; at++) {
        recurrence_run(op, &d, 0, at, -1, 1, cut);
        recurrence_run(op, &d, at, R_TOK, 1, 0, cut);
        cr_assert(!memcmp(cut, y, sizeof y), "cut after %d tokens", at);
    }
}

static inline void recurrence_check(const gw_op *op) {
    recurrence_check_with(op, 1);
    recurrence_check_with(op, R_DK);
}

#endif
