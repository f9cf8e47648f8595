// sample of logits that no sound model has: NaN, infinities, all alike. What the op's comment says
// of them, on the reference and, with the same ids, on the device; nothing is converted that does
// not fit.
#include "support/rig.h"

#include "ops/sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

enum { N = 40, DRAWS = 4000 };

// What stands at the first places; all others are logits of their own.
typedef struct odd {
    const char *what;
    float at[4]; // 0: a logit as any
    bool may[4]; // what may be drawn of these
    bool others; // and of the others
} odd;

static const odd odds[] = {
    {"NaN", {0, (float)NAN, 0, 0}, {true, true, true, true}, true},
    {"NaN and infinity", {(float)INFINITY, (float)NAN, 0, 0}, {true, true, true, true}, true},
    {"infinity", {0, 0, (float)INFINITY, 0}, {false, false, true, false}, false},
    {"infinities", {(float)INFINITY, 0, (float)INFINITY}, {true, false, true, false}, false},
    {"minus infinity", {(float)-INFINITY, 0, 0, 0}, {false, true, true, true}, true},
    {"the whole range", {3e38f, -3e38f, 0, 0}, {true, false, false, false}, false},
};
enum { N_ODDS = sizeof odds / sizeof *odds };

static void fill(const odd *o, float *logits) {
    for (int i = 0; i < N; i++) logits[i] = (float)(i * 37 % 11) * 0.4f;
    for (int i = 0; i < 4; i++) logits[i] = o->at[i] == 0.0f ? logits[i] : o->at[i];
}

static const gw_sample_control controls[] = {
    {.inv_temp = 1.0f},
    {.inv_temp = 0.01f}, // differences of infinities stay what they are
    {.inv_temp = 1000.0f},
    {.inv_temp = 0.7f, .top_k = 7},
    {.inv_temp = 0.7f, .top_p = 0.6 * 16777216.0},
    {.inv_temp = 0.7f, .min_p = 0.05f},
    {.inv_temp = 0.7f, .top_k = 12, .top_p = 0.9 * 16777216.0, .min_p = 0.01f},
    {.inv_temp = 0.0f},
};
enum { N_CONTROLS = sizeof controls / sizeof *controls };

static int32_t drawn(const float *logits, const gw_sample_control *control) {
    uint32_t n = N;
    int32_t y = -1;
    gw_reference_args args = {.params = &n,
                              .bufs = {(void *)(uintptr_t)logits, (void *)(uintptr_t)control, &y}};
    gw_op_sample.reference(&args);
    return y;
}

Test(ops, sample_draws_what_may_be_drawn_of_odd_logits) {
    for (size_t k = 0; k < N_ODDS; k++) {
        float logits[N];
        fill(&odds[k], logits);
        for (uint32_t i = 0; i < N_CONTROLS * 100; i++) {
            gw_sample_control control = controls[i / 100];
            control.position = i;
            int32_t y = drawn(logits, &control);
            cr_assert(y >= 0 && y < N && (y < 4 ? odds[k].may[y] : odds[k].others),
                      "%s, control %u: drew %d", odds[k].what, i / 100, y);
        }
    }
}

// One NaN, and every kept token weighs the same, whatever the temperature.
Test(ops, sample_of_nan_is_uniform) {
    for (uint32_t cold = 0; cold < 3; cold++) {
        for (uint32_t top_k = 0; top_k < 8; top_k += 7) {
            float logits[N];
            int count[N] = {0}, n_kept = top_k ? (int)top_k : N, n_seen = 0;
            gw_sample_control control = {.inv_temp = controls[cold].inv_temp, .top_k = top_k};
            fill(&odds[0], logits);
            for (uint32_t i = 0; i < DRAWS; i++) {
                control.position = i;
                count[drawn(logits, &control)]++;
            }
            double want = (double)DRAWS / n_kept;
            for (int i = 0; i < N; i++) {
                n_seen += count[i] > 0;
                cr_assert(count[i] == 0 || fabs(count[i] - want) <= 5.0 * sqrt(want),
                          "token %d: %d of %g", i, count[i], want);
            }
            cr_assert_eq(n_seen, n_kept, "%d tokens were drawn", n_seen);
            cr_assert(count[1] > 0, "NaN comes first in the order");
        }
    }
}

typedef struct shape {
    const odd *o;
    gw_sample_control control;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {1, N};
    gw_value *in[2] = {rig_state(c, "logits", GODWIT_F32, 2, dims), NULL};
    fill(s->o, (float *)(uintptr_t)c->inputs.items[c->inputs.n - 1].data);
    in[1] = rig_i32(c, "control", 8, (const int32_t *)&s->control);
    rig_node(c, &gw_op_sample, in, 2, NULL, 0);
}

Test(ops, sample_of_odd_logits_has_the_same_bits) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t i = 0; i < N_ODDS * N_CONTROLS; i++) {
        shape s = {.o = &odds[i % N_ODDS], .control = controls[i / N_ODDS]};
        for (s.control.position = 0; s.control.position < 5; s.control.position++) {
            char label[80];
            snprintf(label, sizeof label, "sample of %s, control %u", s.o->what, i / N_ODDS);
            rig_compare(&r, build, &s, RIG_NORMAL, label);
            if (s.control.position == 0) rig_compare_tunes(&r, build, &s, RIG_NORMAL, label);
        }
    }
    rig_close(&r);
}
