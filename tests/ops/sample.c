// sample against its reference, alone and behind sample_parts, and the reference against a plain sort
// in double.
#include "support/rig.h"

#include "ops/sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_GIVEN = 400 };

typedef struct shape {
    uint32_t n_vocab;
    gw_sample_control control;
    bool parts;
    uint32_t n_tok; // 0: one; each draws otherwise, from rows in descending order and one past all
    uint32_t n_given; // tokens before them; then every fifth of them is given, too
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    gw_sample_control controls[8];
    uint32_t n = s->n_tok ? s->n_tok : 1;
    uint64_t dims[2] = {n, s->n_vocab};
    for (uint32_t i = 0; i < n; i++) {
        controls[i] = s->control;
        controls[i].seed_hi += i;
        controls[i].row = i == 0 ? n : n - i;
        if (i % 3 == 1) controls[i].inv_temp = 0.0f;
        if (s->n_given && i % 5 == 1) controls[i].row = GW_SAMPLE_GIVEN | (i * 1000 + 7);
    }
    int32_t given[MOST_GIVEN];
    for (uint32_t i = 0; i < s->n_given; i++) given[i] = (int32_t)(i * 77) - 1;
    gw_value *in[4] = {
        rig_state(c, "logits", GODWIT_F32, 2, dims),
        rig_i32(c, "control", GW_SAMPLE_CONTROL_WORDS * n, (const int32_t *)controls)};
    if (s->parts) in[2] = rig_node(c, &gw_op_sample_parts, in, 2, NULL, 0);
    if (s->parts) in[2]->keep = true;
    uint32_t n_in = s->parts ? 3 : 2;
    if (s->n_given) in[n_in++] = rig_i32(c, "given", s->n_given, given);
    rig_node(c, &gw_op_sample, in, n_in, NULL, 0);
}

Test(ops, sample) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {1, 31, 33, 512, 5000, 2048, 2049, 70000};
    for (uint32_t i = 0; i < 120; i++) {
        shape s = {sizes[i % 8],
                   {.inv_temp = i % 4 ? 0.5f + (float)i * 0.05f : 0.0f,
                    .top_k = i % 3 ? i : 0,
                    .top_p = i % 2 ? (i * 270000u) & 0xffffffu : 0,
                    .min_p = i % 5 == 1 ? 0.2f : 0.0f,
                    .seed_lo = i,
                    .position = i * 7},
                   i % 7 > 2,
                   i % 6,
                   i % 4 == 2 ? i * 3 : 0};
        s.control.top_k = s.n_vocab > 10000 ? s.control.top_k % 100 : s.control.top_k;
        rig_compare(&r, build, &s, (rig_fill)(i % RIG_N_FILLS), "sample");
        if (i % 10 == 3) rig_compare_tunes(&r, build, &s, RIG_NORMAL, "sample");
    }
    rig_close(&r);
}

// The largest vocabulary, and every way through the kernel.
Test(ops, sample_of_the_largest_vocabulary) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const gw_sample_control controls[] = {
        {.inv_temp = 0.0f},
        {.inv_temp = 1.0f, .seed_lo = 1},
        {.inv_temp = 0.1f, .top_p = 0xf00000u, .min_p = 0.001f, .seed_lo = 2},
        {.inv_temp = 0.8f, .top_k = 40, .top_p = 0xf00000u, .seed_lo = 3},
        {.inv_temp = 2.0f, .top_k = 100000, .top_p = 0xffff00u, .min_p = 0.1f, .seed_lo = 4},
    };
    for (uint32_t i = 0; i < 2 * sizeof controls / sizeof *controls; i++) {
        shape s = {GW_SAMPLE_MAX_VOCAB, controls[i / 2], i % 2, 0, 0};
        rig_compare(&r, build, &s, i % 4 < 2 ? RIG_NORMAL : RIG_MIXED, "sample of 2^18 logits");
    }
    rig_close(&r);
}

enum { N = 40 };
static float logits[N];

static int by_logit(const void *a, const void *b) {
    int i = *(const int *)a, k = *(const int *)b;
    if (logits[i] != logits[k]) return logits[i] > logits[k] ? -1 : 1;
    return i - k;
}

// How often each token is drawn, against the distribution that the words "top-k, min-p, top-p at
// temperature" mean, computed apart.
Test(ops, sample_reference_draws_the_distribution) {
    int order[N], count[N] = {0};
    for (int i = 0; i < N; i++) {
        logits[i] = (float)(i * 37 % 11) * 0.4f;
        order[i] = i;
    }
    qsort(order, N, sizeof *order, by_logit);
    gw_sample_control control = {
        .inv_temp = 1.0f / 1.3f, .top_k = 20, .top_p = 0.8 * 16777216.0, .min_p = 0.05f};
    double total = 0.0, sum = 0.0, weights = 0.0, p[N] = {0.0};
    int n = 0;
    double top = (double)logits[order[0]];
    while (n < 20 && exp((double)logits[order[n]] - top) >= 0.05) {
        total += exp((double)logits[order[n++]] - top);
    }
    int kept = 0;
    while (kept < n && sum < 0.8 * total) sum += exp((double)logits[order[kept++]] - top);
    for (int i = 0; i < kept; i++) {
        p[order[i]] = exp(((double)logits[order[i]] - top) / 1.3);
        weights += p[order[i]];
    }
    enum { DRAWS = 20000 };
    uint32_t params[6] = {N, 0, 1, 1, 1, 0};
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t y = -1;
        control.position = i;
        gw_reference_args args = {.params = params, .bufs = {logits, &control, NULL, NULL, &y}};
        gw_reference(&gw_op_sample, &args);
        cr_assert(y >= 0 && y < N && p[y] > 0.0, "drew %d, which is not kept", y);
        count[y]++;
    }
    for (int i = 0; i < N; i++) {
        double want = p[i] / weights * DRAWS;
        cr_assert(fabs(count[i] - want) <= 5.0 * sqrt(want + 1.0), "token %d: %d of %g", i,
                  count[i], want);
    }
}
