// attention against its reference: both cache types, grouped heads, windows, fused or not; and the
// reference against a plain softmax in double.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t dtype, n_head, n_head_kv, head_dim, window;
    bool quantize;
    uint32_t n_padding; // zeros behind a head
} shape;

enum { CTX = 130 };
static const int32_t pos[] = {0, 31, 32, 33, 129, 64};

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t row = s->head_dim + s->n_padding;
    uint64_t q[3] = {6, s->n_head, row}, cache[3] = {CTX, s->n_head_kv, row};
    gw_attention_attrs attrs = {
        .scale = 0.125f, .window = s->window, .head_dim = s->n_padding ? s->head_dim : 0};
    gw_value *in[4] = {rig_f32(c, "q", 3, q), rig_state(c, "K", s->dtype, 3, cache),
                       rig_state(c, "V", s->dtype, 3, cache), rig_i32(c, "pos", 6, pos)};
    gw_value *y = rig_node(c, &gw_op_attention, in, 4, &attrs, sizeof attrs);
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

Test(ops, attention) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {
        {GODWIT_F32, 1, 1, 8, 0, false, 0},   {GODWIT_F32, 6, 2, 40, 0, false, 0},
        {GODWIT_F32, 4, 4, 64, 40, true, 0},  {GODWIT_F16, 6, 3, 128, 0, true, 0},
        {GODWIT_F16, 2, 1, 24, 1, false, 0},  {GODWIT_F16, 6, 2, 20, 0, false, 4},
        {GODWIT_F32, 2, 2, 98, 40, false, 6}, {GODWIT_F16, 16, 4, 30, 0, true, 2},
    };
    static const rig_fill fills[] = {RIG_NORMAL, RIG_ZEROS, RIG_TINY, RIG_MIXED};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int f = 0; f < 4; f++) rig_compare(&r, build, &shapes[i], fills[f], "attention");
    }
    rig_compare_tunes(&r, build, &shapes[2], RIG_NORMAL, "attention");
    rig_compare_tunes(&r, build, &shapes[4], RIG_NORMAL, "attention");
    rig_compare_tunes(&r, build, &shapes[6], RIG_NORMAL, "attention");
    rig_close(&r);
}

Test(ops, attention_reference_is_softmax) {
    enum { DIM = 16, N = 100 };
    static float q[DIM], k[N * DIM], v[N * DIM], y[DIM];
    int32_t position = N - 1;
    for (int i = 0; i < DIM; i++) q[i] = sinf((float)i) * 2.0f;
    for (int i = 0; i < N * DIM; i++) {
        k[i] = cosf((float)i * 0.7f);
        v[i] = sinf((float)i * 0.3f);
    }
    struct {
        uint32_t n_tok, n_head, n_head_kv, head_dim;
        float scale;
        uint32_t window, f16, quantize, out_dim;
    } params = {1, 1, 1, DIM, 0.5f, 0, 0, 0, DIM};
    gw_reference_args args = {.params = &params, .bufs = {q, k, v, &position, y, y}};
    gw_op_attention.reference(&args);
    double s[N], top = -1e30, l = 0.0;
    for (int j = 0; j < N; j++) {
        s[j] = 0.0;
        for (int d = 0; d < DIM; d++) s[j] += (double)q[d] * (double)k[j * DIM + d] * 0.5;
        top = fmax(top, s[j]);
    }
    for (int j = 0; j < N; j++) l += exp(s[j] - top);
    for (int d = 0; d < DIM; d++) {
        double want = 0.0;
        for (int j = 0; j < N; j++) want += exp(s[j] - top) / l * (double)v[j * DIM + d];
        cr_assert(fabs((double)y[d] - want) < 1e-5, "dimension %d: %g, %g wanted", d, (double)y[d],
                  want);
    }
}
