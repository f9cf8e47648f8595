// Draws: which tokens sample's reference may draw from a row of logits, and with what probability, found by
// draws whose random numbers lie close; and the words of tests/golden/sampling.
#ifndef GW_TESTS_DRAWS_H
#define GW_TESTS_DRAWS_H

#include "base/exact.h"
#include "ops/ops.h"
#include "ops/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

// So many positions; between the random numbers of two that are next to each other is less than 2^-14.
enum { N_DRAWS = 1 << 18, DRAWS_MAX_LOGITS = 64 };

typedef struct draw_place {
    uint32_t u, position;
} draw_place;

static inline int draws_by_u(const void *a, const void *b) {
    const draw_place *x = a, *y = b;
    return x->u < y->u ? -1 : x->u > y->u;
}

// Of seed 0, in the order of their random numbers.
static inline const draw_place *draws_in_order(void) {
    static draw_place *all; // as long as the process
    if (all) return all;
    all = malloc(N_DRAWS * sizeof *all);
    for (uint32_t i = 0; i < N_DRAWS; i++) all[i] = (draw_place){gw_philox(0, 0, i), i};
    qsort(all, N_DRAWS, sizeof *all, draws_by_u);
    return all;
}

typedef struct draws {
    float *logits;
    uint32_t n;
    gw_sample_control control;
    double p[DRAWS_MAX_LOGITS]; // 0: it is not drawn
} draws;

static inline uint32_t draws_at(draws *d, uint32_t i) {
    uint32_t params[6] = {d->n, 0, 1, 1, 1, 0};
    int32_t y = -1;
    d->control.position = draws_in_order()[i].position;
    gw_reference_args args = {.params = params, .bufs = {d->logits, &d->control, NULL, NULL, &y}};
    gw_reference(&gw_op_sample, &args);
    cr_assert(y >= 0 && (uint32_t)y < d->n, "drew %d", y);
    return (uint32_t)y;
}

// Of the places from `first`, of token a, to `last`, of token b. Tokens are drawn in the order of ids.
static inline void draws_between(draws *d, uint32_t first, uint32_t a, uint32_t last, uint32_t b) {
    const draw_place *all = draws_in_order();
    cr_assert_leq(a, b);
    if (a == b) return;
    if (last - first > 1) {
        const uint32_t middle = first + (last - first) / 2, c = draws_at(d, middle);
        draws_between(d, first, a, middle, c);
        draws_between(d, middle, c, last, b);
        return;
    }
    const double border = ((double)all[first].u + (double)all[last].u) * 0.5 * 0x1p-32;
    d->p[a] += border;
    d->p[b] -= border;
}

static inline void draws_find(draws *d) {
    const uint32_t first = draws_at(d, 0), last = draws_at(d, N_DRAWS - 1);
    for (uint32_t i = 0; i < d->n; i++) d->p[i] = 0.0;
    d->p[last] = 1.0;
    draws_between(d, 0, first, N_DRAWS - 1, last);
}

// --- words ---------------------------------------------------------------------------------------

static inline FILE *words_open(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/sampling/%s.txt", GODWIT_TEST_ROOT, name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    return file;
}
// Whether another record begins; it begins with that word.
static inline bool words_begin(FILE *file, const char *wanted) {
    char word[16];
    if (fscanf(file, "%15s", word) != 1) return false;
    cr_assert_str_eq(word, wanted);
    return true;
}
static inline double words_number(FILE *file) {
    double number;
    cr_assert_eq(fscanf(file, "%lf", &number), 1);
    return number;
}
static inline uint32_t words_count(FILE *file, uint32_t max) {
    const double n = words_number(file);
    cr_assert(n >= 0 && n <= max, "%g of at most %u", n, max);
    return (uint32_t)n;
}
static inline void words_floats(FILE *file, float *out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) out[i] = (float)words_number(file);
}
static inline void words_ids(FILE *file, int32_t *out, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) out[i] = (int32_t)words_number(file);
}

#endif
