// sample of logits that no sound model has: NaN, infinities, the whole range. What the op's comment
// says of them, on the reference and, with the same ids, on the device; nothing is converted that
// does not fit.
#include "support/rig.h"

#include "ops/sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

enum { N = 40 };

// What stands at the first places; all others are logits of their own.
typedef struct odd {
    const char *what;
    float at[4]; // 0: a logit as any
    bool none;   // there is nothing to choose
    bool may[4]; // what may be drawn of these
    bool others; // and of the others
} odd;

static const odd odds[] = {
    {"NaN", {0, (float)NAN}, .none = true},
    {"NaN and infinity", {(float)INFINITY, (float)NAN}, .none = true},
    {"infinity", {0, 0, (float)INFINITY}, .none = true},
    {"minus NaN", {0, -(float)NAN}, .may = {true, true, true, true}, .others = true},
    {"minus infinity", {(float)-INFINITY, 0, 0, 0}, false, {false, true, true, true}, true},
    {"the whole range", {3e38f, -3e38f, 0, 0}, false, {true, false, false, false}, false},
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
    uint32_t params[6] = {N, 0, 1, 1, 1, 0};
    int32_t y = -1;
    gw_reference_args args = {
        .params = params,
        .bufs = {(void *)(uintptr_t)logits, (void *)(uintptr_t)control, NULL, NULL, &y}};
    gw_reference(&gw_op_sample, &args);
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
            if (odds[k].none)
                cr_assert_eq(y, -1, "%s, control %u: drew %d", odds[k].what, i / 100, y);
            else
                cr_assert(y >= 0 && y < N && (y < 4 ? odds[k].may[y] : odds[k].others),
                          "%s, control %u: drew %d", odds[k].what, i / 100, y);
        }
    }
}

typedef struct shape {
    const odd *o;
    gw_sample_control control;
    bool parts;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {1, N};
    gw_value *in[3] = {rig_state(c, "logits", GODWIT_F32, 2, dims), NULL};
    fill(s->o, (float *)(uintptr_t)c->inputs.items[c->inputs.n - 1].data);
    in[1] = rig_i32(c, "control", GW_SAMPLE_CONTROL_WORDS, (const int32_t *)&s->control);
    if (s->parts) in[2] = rig_node(c, &gw_op_sample_parts, in, 2, NULL, 0);
    rig_node(c, &gw_op_sample, in, s->parts ? 3 : 2, NULL, 0);
}

Test(ops, sample_of_odd_logits_has_the_same_bits) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t k = 0; k < 2 * N_ODDS * N_CONTROLS; k++) {
        uint32_t i = k / 2;
        shape s = {.o = &odds[i % N_ODDS], .control = controls[i / N_ODDS], .parts = k % 2};
        for (s.control.position = 0; s.control.position < 5; s.control.position++) {
            char label[80];
            snprintf(label, sizeof label, "sample of %s, control %u", s.o->what, i / N_ODDS);
            rig_compare(&r, build, &s, RIG_NORMAL, label);
            if (s.control.position == 0) rig_compare_tunes(&r, build, &s, RIG_NORMAL, label);
        }
    }
    rig_close(&r);
}
