// sample with what leaves tokens out: top-n-sigma, typical, XTC, mirostat, together with top-k, top-p and
// min-p. Equal on the device; and the reference against the words of llama.cpp's samplers in double, one
// after the other: which tokens are drawn, and how often.
#include "support/rig.h"

#include "ops/sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct shape {
    uint32_t n_vocab, n_different; // logits of that many values; 0: all are
    gw_sample_control control;
    bool parts;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {1, s->n_vocab};
    gw_value *in[3] = {rig_state(c, "logits", GODWIT_F32, 2, dims), NULL};
    float *logits = (float *)(uintptr_t)c->inputs.items[c->inputs.n - 1].data;
    for (uint32_t i = 0; i < s->n_vocab && s->n_different; i++)
        logits[i] = (float)(gw_philox(1, 2, i) % s->n_different) * 0.25f - 3.0f;
    in[1] = rig_i32(c, "control", GW_SAMPLE_CONTROL_WORDS, (const int32_t *)&s->control);
    if (s->parts) in[2] = rig_node(c, &gw_op_sample_parts, in, 2, NULL, 0);
    rig_node(c, &gw_op_sample, in, s->parts ? 3 : 2, NULL, 0);
}

static uint32_t fraction(double x) {
    return (uint32_t)(x * 16777216.0);
}

// A few bits of i choose what is asked.
static gw_sample_control control_of(uint32_t i) {
    const uint32_t bits = gw_philox(9, 9, i);
    gw_sample_control c = {.inv_temp = 0.4f + (float)(i % 5) * 0.5f, .seed_lo = i, .position = i};
    if (bits & 1) c.top_n_sigma = 0.1f + (float)(bits >> 8 & 15) * 0.2f;
    if (bits & 2) c.typical_p = fraction(0.05 + (double)(bits >> 12 & 15) * 0.06);
    if (bits & 4) c.xtc = fraction(0.001 + (double)(bits >> 16 & 7) * 0.06);
    if (bits & 8) c.top_k = 1 + (bits >> 20 & 127);
    if (bits & 16) c.top_p = fraction(0.3 + (double)(bits >> 27 & 3) * 0.2);
    if (bits & 32) c.min_p = 0.02f;
    if ((bits & 192) == 192) c.mirostat = 0x100000u << (bits >> 29);
    return c;
}

Test(ops, sample_filters) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {1, 2, 40, 513, 2049, 5000, 30000};
    static const uint32_t different[] = {0, 0, 1, 3, 20};
    for (uint32_t i = 0; i < 240; i++) {
        const shape s = {sizes[i % 7], different[i % 5], control_of(i), i % 2};
        rig_compare(&r, build, &s, (rig_fill)(i % RIG_N_FILLS), "sample, filters");
        if (i % 40 == 3) rig_compare_tunes(&r, build, &s, RIG_NORMAL, "sample, filters");
    }
    rig_close(&r);
}

// Every walk through the largest vocabulary.
Test(ops, sample_filters_of_the_largest_vocabulary) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t i = 0; i < 3; i++) {
        shape s = {GW_SAMPLE_MAX_VOCAB, i == 2 ? 1 : 0, control_of(0), false};
        s.control = (gw_sample_control){.inv_temp = 0.8f,
                                        .top_n_sigma = 2.0f,
                                        .top_k = 200000,
                                        .typical_p = fraction(0.9),
                                        .top_p = fraction(0.95),
                                        .min_p = 0.001f,
                                        .xtc = fraction(0.0001),
                                        .mirostat = 1 << 12,
                                        .seed_lo = i};
        rig_compare(&r, build, &s, i ? RIG_MIXED : RIG_NORMAL, "sample, filters, 2^18 logits");
    }
    rig_close(&r);
}

// --- in double -----------------------------------------------------------------------------------

enum { N = 60, DRAWS = 12000 };
static float logits[N];

typedef struct candidate {
    int id;
    double logit, p, by; // by: what they are sorted by
} candidate;
typedef struct candidates {
    candidate items[N];
    int n;
} candidates;

static int by_by(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    return x->by != y->by ? (x->by < y->by ? -1 : 1) : x->id - y->id;
}
// Probabilities, and the order of these.
static void softmax(candidates *c) {
    double sum = 0.0;
    for (int i = 0; i < c->n; i++) c->items[i].by = -c->items[i].logit;
    qsort(c->items, (size_t)c->n, sizeof *c->items, by_by);
    for (int i = 0; i < c->n; i++) sum += exp(c->items[i].logit - c->items[0].logit);
    for (int i = 0; i < c->n; i++) c->items[i].p = exp(c->items[i].logit - c->items[0].logit) / sum;
}
static void keep_from(candidates *c, int first) {
    memmove(c->items, c->items + first, (size_t)(c->n - first) * sizeof *c->items);
    c->n -= first;
}

static void top_n_sigma(candidates *c, double n) {
    double mean = 0.0, squares = 0.0;
    softmax(c);
    for (int i = 0; i < c->n; i++) mean += c->items[i].logit / c->n;
    for (int i = 0; i < c->n; i++) squares += pow(c->items[i].logit - mean, 2.0);
    const double cut = c->items[0].logit - n * sqrt(squares / c->n);
    while (c->items[c->n - 1].logit < cut) c->n--;
}
static void typical(candidates *c, double p) {
    double entropy = 0.0, sum = 0.0;
    int n = 0;
    softmax(c);
    for (int i = 0; i < c->n; i++) entropy -= c->items[i].p * log(c->items[i].p);
    for (int i = 0; i < c->n; i++) // to a few digits, so that equals are equal
        c->items[i].by = round(fabs(-log(c->items[i].p) - entropy) * 1e9);
    qsort(c->items, (size_t)c->n, sizeof *c->items, by_by);
    while (n < c->n && sum <= p) sum += c->items[n++].p;
    c->n = n;
}
static void top_p(candidates *c, double p) {
    double sum = 0.0;
    int n = 0;
    softmax(c);
    while (n < c->n && sum < p) sum += c->items[n++].p;
    c->n = n;
}
static void min_p(candidates *c, double p) {
    softmax(c);
    while (c->items[c->n - 1].p < p * c->items[0].p) c->n--;
}
static void xtc(candidates *c, double threshold) {
    int last = 0;
    softmax(c);
    for (int i = 0; i < c->n && c->items[i].p >= threshold; i++) last = i;
    keep_from(c, last);
}

static void sample_in_double(const gw_sample_control *control, candidates *c) {
    c->n = N;
    for (int i = 0; i < N; i++) c->items[i] = (candidate){.id = i, .logit = (double)logits[i]};
    if (control->top_n_sigma > 0.0f) top_n_sigma(c, (double)control->top_n_sigma);
    softmax(c);
    if (control->top_k && (int)control->top_k < c->n) c->n = (int)control->top_k;
    if (control->typical_p) typical(c, control->typical_p * 0x1p-24);
    if (control->top_p) top_p(c, control->top_p * 0x1p-24);
    if (control->min_p > 0.0f) min_p(c, (double)control->min_p);
    if (control->xtc) xtc(c, control->xtc * 0x1p-24);
    for (int i = 0; i < c->n; i++) c->items[i].logit *= (double)control->inv_temp;
    softmax(c);
    while (c->n > 1 && c->items[c->n - 1].p < control->mirostat * 0x1p-32) c->n--;
    softmax(c);
}

// Chi-square of the draws at DRAWS positions; what is expected less than five times is one class.
static void check_draws(gw_sample_control control, const candidates *c, uint32_t which) {
    int count[N] = {0}, n_classes = 0;
    double want[N] = {0}, rest = 0.0, n_rest = 0.0, chi = 0.0;
    uint32_t params[6] = {N, 0, 1, 1, 1, 0};
    for (int i = 0; i < c->n; i++) want[c->items[i].id] = c->items[i].p * DRAWS;
    for (uint32_t i = 0; i < DRAWS; i++) {
        int32_t y = -1;
        control.position = i;
        gw_reference_args args = {.params = params, .bufs = {logits, &control, NULL, NULL, &y}};
        gw_reference(&gw_op_sample, &args);
        cr_assert(y >= 0 && y < N && want[y] > 0.0, "control %u: drew %d, which is not kept", which,
                  y);
        count[y]++;
    }
    for (int i = 0; i < N; i++) {
        if (want[i] < 5.0) {
            rest += want[i];
            n_rest += count[i];
            continue;
        }
        cr_assert_gt(count[i], 0, "control %u: never drew %d", which, i);
        chi += pow(count[i] - want[i], 2.0) / want[i];
        n_classes++;
    }
    if (rest >= 5.0) chi += pow(n_rest - rest, 2.0) / rest;
    const double free = n_classes - 1 + (rest >= 5.0);
    cr_assert(chi <= free + 4.0 * sqrt(2.0 * free + 1.0), "control %u: chi-square %g of %g", which,
              chi, free);
}

Test(ops, sample_filters_draw_what_llama_cpp_keeps) {
    int n_kept[2] = {0};
    for (uint32_t i = 0; i < 120; i++) {
        gw_sample_control control = control_of(i);
        candidates c;
        for (uint32_t k = 0; k < N; k++)
            logits[k] = (float)(gw_philox(i, 5, k) >> 8) * 0x1p-24f * (i % 3 ? 9.0f : 3.0f);
        if (i < 12) { // each alone, twice
            const gw_sample_control one[6] = {
                {.top_n_sigma = 0.7f},     {.typical_p = fraction(0.4)}, {.xtc = fraction(0.05)},
                {.mirostat = 0x06000000u}, {.typical_p = fraction(0.9)}, {.xtc = fraction(0.02)}};
            const float inv_temp = control.inv_temp;
            control = one[i % 6];
            control.inv_temp = inv_temp;
        }
        sample_in_double(&control, &c);
        n_kept[0] += c.n == 1;
        n_kept[1] += c.n < N && c.n > 1;
        check_draws(control, &c, i);
    }
    cr_assert(n_kept[0] < 40 && n_kept[1] > 60, "%d of one token, %d of some", n_kept[0],
              n_kept[1]);
}
