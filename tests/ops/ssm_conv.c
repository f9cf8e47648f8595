// ssm_conv against its reference, of columns and of several sequences, too; the reference against double,
// and however its tokens are cut.
#include "ops/recurrent.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n_tok, n, n_taps;
    bool gated, silu, bias, columns;
    const int32_t *segments;
    uint32_t n_segments;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t x[2] = {s->n_tok, s->gated ? 3 * s->n : s->n}, blocks[3] = {4, s->n_taps - 1, s->n};
    const gw_ssm_conv_attrs attrs = {.n_taps = s->n_taps, .gated = s->gated, .silu = s->silu};
    gw_value *in[5] = {s->columns ? rig_columns(c, "x", 2, x, 7) : rig_f32(c, "x", 2, x),
                       rig_weight(c, &gw_format_f32, 0, (uint64_t)s->n * s->n_taps),
                       rig_i32(c, "segments", 4 * s->n_segments, s->segments),
                       rig_state(c, "state", GODWIT_F32, 3, blocks)};
    if (s->bias) in[4] = rig_weight(c, &gw_format_f32, 0, s->n);
    rig_output(c, &gw_op_ssm_conv, in, s->bias ? 5 : 4, &attrs, sizeof attrs);
}

// Sequences that begin, that go on, that have fewer tokens than taps; one idle, one past the end.
static const int32_t one[] = {0, 1, -1, 2}, prompt[] = {3, 37, 1, 0};
static const int32_t many[] = {0, 1, 3, 0, 1, 2, -1, 1, 3, 17, 3, 2, 0, 0, 0, 0, 39, 5, -1, -1};

Test(ops, ssm_conv) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {
        {1, 33, 3, true, false, false, false, one, 1},
        {40, 70, 4, false, true, true, false, prompt, 1},
        {40, 5, 2, false, false, true, true, many, 5},
        {40, 128, 4, true, true, false, true, many, 5},
        {40, 9, 16, false, true, false, false, many, 5},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "ssm_conv");
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "ssm_conv");
    }
    rig_close(&r);
}

typedef struct params { // as in engine/ops/ssm_conv.c
    uint32_t n, n_tok, n_segments, n_blocks, n_chunks, n_taps, gated, silu, has_bias;
    gw_columns x;
    uint32_t groups_n, groups_x;
} params;

enum { N = 3, TOK = 11, TAPS = 4 };

// Tokens first .. end - 1 of what x holds, out of block `from` into `to`.
static void run(const float *x, const float *w, const float *bias, int32_t first, int32_t end,
                int32_t from, int32_t to, float *state, float *y) {
    const int32_t segment[] = {first, end - first, from, to};
    params p = {.n = N, .n_tok = TOK, .n_segments = 1, .n_blocks = 2, .n_taps = TAPS, .silu = 1};
    p.has_bias = 1;
    p.x = (gw_columns){.run = N, .stride = N};
    gw_reference_args args = {.params = &p};
    const void *bufs[] = {x, w, bias, segment, state, y};
    memcpy(args.bufs, bufs, sizeof bufs);
    gw_reference(&gw_op_ssm_conv, &args);
}

Test(ops, ssm_conv_reference_is_the_convolution_however_it_is_cut) {
    float x[TOK * N], w[N * TAPS], bias[N], state[2 * (TAPS - 1) * N], y[TOK * N], cut[TOK * N];
    for (uint32_t i = 0; i < TOK * N; i++) x[i] = (float)(int32_t)gw_philox(1, 1, i) * 0x1p-30f;
    for (uint32_t i = 0; i < N * TAPS; i++) w[i] = (float)(int32_t)gw_philox(1, 2, i) * 0x1p-31f;
    for (uint32_t i = 0; i < N; i++) bias[i] = (float)(int32_t)gw_philox(1, 3, i) * 0x1p-31f;
    run(x, w, bias, 0, TOK, -1, 0, state, y);
    for (int t = 0; t < TOK; t++) {
        for (int c = 0; c < N; c++) {
            double sum = (double)bias[c];
            for (int k = 0; k < TAPS; k++) {
                const int from = t + k - TAPS + 1;
                if (from >= 0) sum += (double)w[c * TAPS + k] * (double)x[from * N + c];
            }
            const double want = sum / (1.0 + exp(-sum));
            cr_assert(fabs((double)y[t * N + c] - want) < 1e-6, "token %d: %g, %g wanted", t,
                      (double)y[t * N + c], want);
        }
    }
    for (int32_t at = 1; at < TOK; at++) {
        run(x, w, bias, 0, at, -1, 1, state, cut);
        run(x, w, bias, at, TOK, 1, 0, state, cut);
        cr_assert(!memcmp(cut, y, sizeof y), "cut after %d tokens", at);
    }
}
