// ssm_gates against its reference, of columns that take turns, too; and the reference against libm.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n_tok, n, share; // share: heads whose rates and dts take turns; 0: each by itself
    bool rate;
    uint32_t one_a; // decays that have one A and one rate; 0: each has its own
    bool bound;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    const gw_ssm_gates_attrs attrs = {.bound = s->bound ? -5.0f : 0.0f};
    uint64_t flat[2] = {s->n_tok, s->n}, few[2] = {s->n_tok, s->one_a ? s->n / s->one_a : s->n};
    gw_value *in[4] = {NULL, rig_weight(c, &gw_format_f32, 0, few[1]),
                       rig_weight(c, &gw_format_f32, 0, s->n), NULL};
    if (s->share) {
        uint64_t both[3] = {s->n_tok, s->n / s->share, 2ull * s->share};
        gw_value *x = rig_f32(c, "x", 3, both);
        cr_assert(gw_graph_columns(&c->graph, x, s->share, s->share, &in[0], NULL) == GODWIT_OK);
        cr_assert(gw_graph_columns(&c->graph, x, 0, s->share, &in[3], NULL) == GODWIT_OK);
    } else {
        in[0] = rig_f32(c, "dt", 2, flat);
        in[3] = rig_f32(c, "rate", 2, few);
    }
    rig_output(c, &gw_op_ssm_gates, in, s->rate ? 4 : 3, &attrs, sizeof attrs);
}

Test(ops, ssm_gates) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {{1, 6, 3, true, 0, false},   {5, 48, 0, true, 0, false},
                                   {3, 33, 0, false, 0, false}, {5, 72, 0, true, 24, false},
                                   {5, 72, 0, true, 24, true},  {3, 33, 0, false, 0, true}};
    static const rig_fill fills[] = {RIG_NORMAL, RIG_ZEROS, RIG_TINY};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int k = 0; k < 3; k++) rig_compare(&r, build, &shapes[i], fills[k], "ssm_gates");
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "ssm_gates");
    }
    rig_close(&r);
}

typedef struct params { // as in engine/ops/ssm_gates.c
    uint32_t n, n_tok, sigmoid, n_rates, n_share;
    float bound;
    gw_columns dt, rate;
    uint32_t groups_x;
} params;

Test(ops, ssm_gates_reference_is_what_it_says) {
    float a[] = {-0.5f, -3.0f}, bias[] = {0.25f, -1.0f}, dt[] = {2.0f, -4.0f},
          rate[] = {-1.0f, 3.0f};
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t sigmoid = i % 2;
        const float bound = i < 2 ? 0.0f : -5.0f;
        float y[4];
        params p = {
            .n = 2, .n_tok = 1, .sigmoid = sigmoid, .n_rates = 2, .n_share = 1, .bound = bound};
        p.dt = p.rate = (gw_columns){.run = 2, .stride = 2};
        gw_reference_args args = {.params = &p, .bufs = {dt, a, bias, rate, y}};
        gw_reference(&gw_op_ssm_gates, &args);
        for (int h = 0; h < 2; h++) {
            double x = (double)dt[h] + (double)bias[h];
            double s = bound != 0.0f ? 1.0 / (1.0 + exp(-(double)a[h] * x)) : log1p(exp(x));
            double of = bound != 0.0f ? (double)bound : (double)a[h];
            double by = sigmoid ? 1.0 / (1.0 + exp(-(double)rate[h])) : s;
            cr_assert(fabs((double)y[h] - exp(of * s)) < 1e-6, "decay of head %d", h);
            cr_assert(fabs((double)y[2 + h] - by) < 1e-6, "rate of head %d", h);
        }
    }
}
