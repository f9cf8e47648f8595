// sample_parts against its reference, many equals among the logits, and the reference against a sort.
#include "support/rig.h"

#include "ops/sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>

typedef struct shape {
    uint32_t n_vocab, n_different; // logits of that many values; 0: all are
    gw_sample_control control;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {1, s->n_vocab};
    gw_value *in[2] = {rig_state(c, "logits", GODWIT_F32, 2, dims), NULL};
    float *logits = (float *)(uintptr_t)c->inputs.items[c->inputs.n - 1].data;
    for (uint32_t i = 0; i < s->n_vocab && s->n_different; i++) {
        logits[i] = (float)(gw_philox(1, 2, i) % s->n_different) - 3.0f;
    }
    in[1] = rig_i32(c, "control", GW_SAMPLE_CONTROL_WORDS, (const int32_t *)&s->control);
    rig_output(c, &gw_op_sample_parts, in, 2, NULL, 0);
}

static const shape shapes[] = {
    {1, 0, {.inv_temp = 1.0f, .top_k = 3}},
    {100, 0, {.inv_temp = 0.0f, .top_k = 3}}, // greedy: no list
    {2048, 0, {.inv_temp = 1.0f, .top_k = 64}},
    {2049, 0, {.inv_temp = 1.0f, .top_k = 64}},
    {5000, 0, {.inv_temp = 1.0f, .top_k = 65}}, // nor here
    {5000, 0, {.inv_temp = 1.0f}},
    {5000, 7, {.inv_temp = 1.0f, .top_k = 40}},
    {5000, 1, {.inv_temp = 1.0f, .top_k = 33}},
    {2080, 200, {.inv_temp = 1.0f, .top_k = 40}},
    {130000, 0, {.inv_temp = 1.0f, .top_k = 1}},
    {5000, 0, {.inv_temp = 1.0f, .top_k = 3, .row = GW_SAMPLE_GIVEN | 9}}, // nothing is chosen
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

Test(ops, sample_parts) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t i = 0; i < N_SHAPES; i++) {
        rig_compare(&r, build, &shapes[i], RIG_NORMAL, "sample_parts");
        rig_compare_tunes(&r, build, &shapes[i], RIG_MIXED, "sample_parts");
    }
    rig_close(&r);
}

enum { N = 2048 + 300 };
static float logits[N];

static int by_order(const void *a, const void *b) {
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    if (logits[i] != logits[k]) return logits[i] > logits[k] ? -1 : 1;
    return i < k ? -1 : i > k;
}
static int by_id(const void *a, const void *b) {
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    return i < k ? -1 : i > k;
}

Test(ops, sample_parts_reference_is_the_top_of_a_sort) {
    static uint32_t y[2 * GW_SAMPLE_PART_WORDS], order[N];
    enum { K = 40 };
    gw_sample_control c = {.inv_temp = 1.0f, .top_k = K};
    uint32_t params[4] = {N, 1, 1, 1};
    for (uint32_t i = 0; i < N; i++) {
        logits[i] = (float)(gw_philox(3, 4, i) % 500) * 0.1f - 9.0f;
        order[i] = i;
    }
    gw_reference_args args = {.params = params, .bufs = {logits, &c, y}};
    gw_reference(&gw_op_sample_parts, &args);
    qsort(order, 2048, sizeof *order, by_order);
    qsort(order + 2048, N - 2048, sizeof *order, by_order);
    for (uint32_t part = 0; part < 2; part++) {
        const uint32_t *of = y + (size_t)part * GW_SAMPLE_PART_WORDS, *want = order + 2048 * part;
        cr_assert_eq(of[0], gw_sample_key(logits[want[0]]));
        cr_assert_eq(of[1], want[0]);
        uint32_t kept[K];
        memcpy(kept, want, sizeof kept);
        qsort(kept, K, sizeof *kept, by_id);
        for (uint32_t s = 0; s < GW_SAMPLE_PART_TOP; s++) {
            uint32_t id = s < K ? kept[s] : GW_SAMPLE_NO_ID;
            cr_assert_eq(of[3 + 2 * s], id, "part %u, place %u", part, s);
            cr_assert_eq(of[2 + 2 * s], s < K ? gw_bits(logits[id]) : 0);
        }
    }
}
