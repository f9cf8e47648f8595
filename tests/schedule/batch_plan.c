// The schedule of `godwit batch`: which prompt is begun when, and how many at once.
#include "../../cli/batch_plan.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 12, TOKENS = 40 };

// --- order ---------------------------------------------------------------------------------------

// A prompt is a word: its letters are its tokens, and 9 is the letter before it sixteen times more.
static const struct order_row {
    const char *prompts[MOST], *order; // order: indices in hexadecimal
} order_rows[] = {
    {{NULL}, ""},
    {{"a"}, "0"},
    {{"c", "b", "a"}, "012"},                       // nothing in common: as they come
    {{"zb", "za", "ya"}, "012"},                    // too little in common
    {{"z9b", "ya", "z9a"}, "201"},                  // the start in common goes together
    {{"b", "z9b", "a", "z9a"}, "0312"},             // where its first prompt stands
    {{"z9", "z9", "a", "z9"}, "0132"},              // the same prompt again and again
    {{"z9b", "z9", "z9a"}, "120"},                  // the start itself first
    {{"z9x9c", "z9y9a", "z9x9a", "z9y9b"}, "2013"}, // starts within a start
    {{"z9b", "x9a", "z9a", "x9b", "m"}, "20134"},   // two starts, each where it first stands
    {{"y9a", "z9a", "", "y9b"}, "0312"},            // nothing at all is a prompt, too
};
enum { N_ORDER_ROWS = sizeof(order_rows) / sizeof(order_rows[0]) };

static uint32_t tokens_of(const char *word, int32_t *ids) {
    uint32_t n = 0;
    for (const char *c = word; *c; c++) {
        for (int k = 0; k < (*c == '9' ? BATCH_SHARED_MIN : 1); k++)
            ids[n++] = *c == '9' ? c[-1] : *c;
    }
    return n;
}

ParameterizedTestParameters(schedule, order) {
    static size_t rows[N_ORDER_ROWS];
    for (size_t i = 0; i < N_ORDER_ROWS; i++) rows[i] = i;
    return cr_make_param_array(size_t, rows, N_ORDER_ROWS);
}

ParameterizedTest(size_t *row, schedule, order) {
    static int32_t ids[MOST][TOKENS];
    const struct order_row *r = &order_rows[*row];
    batch_prompt prompts[MOST];
    char got[MOST + 1] = "";
    size_t n = 0;
    for (; n < MOST && r->prompts[n]; n++)
        prompts[n] = (batch_prompt){ids[n], tokens_of(r->prompts[n], ids[n]), n, 0};
    batch_order(prompts, n);
    for (size_t i = 0; i < n; i++) (void)snprintf(got + i, 2, "%zx", prompts[i].index);
    cr_assert_str_eq(got, r->order, "row %zu: order %s, wanted %s", *row, got, r->order);
}

// What sharing rests on: no prompt before has a longer start in common than the one just before.
Test(schedule, the_last_one_has_the_longest_start_in_common) {
    static int32_t ids[200][TOKENS];
    batch_prompt prompts[200];
    uint32_t random = 1;
    for (size_t i = 0; i < 200; i++) {
        uint32_t n = 17 + i % 20;
        for (uint32_t k = 0; k < n; k++) {
            random = random * 1664525u + 1013904223u;
            ids[i][k] = k < 16 ? (int32_t)(i % 3) : (int32_t)(random >> 31);
        }
        prompts[i] = (batch_prompt){ids[i], n, i, 0};
    }
    batch_order(prompts, 200);
    for (size_t i = 1; i < 200; i++) {
        const batch_prompt *a = &prompts[i];
        uint32_t last =
            batch_common_start(a->ids, a->n_ids, prompts[i - 1].ids, prompts[i - 1].n_ids);
        for (size_t k = 0; k + 1 < i; k++) {
            const batch_prompt *b = &prompts[k];
            uint32_t other = batch_common_start(a->ids, a->n_ids, b->ids, b->n_ids);
            cr_assert(other <= last, "prompt %zu has %u in common with %zu, %u with the last", i,
                      other, k, last);
        }
    }
}

// --- streams -------------------------------------------------------------------------------------

static const struct fit_row {
    uint32_t needs[MOST], n, most;
    uint64_t max;
    uint32_t n_streams;
    uint64_t kv_tokens;
} fit_rows[] = {
    {{1}, 1, 16, 1 << 20, 1, 512},                                   // a page, and one to copy to
    {{256}, 1, 16, 1 << 20, 1, 512},                                 // just a page
    {{257}, 1, 16, 1 << 20, 1, 768},                                 // a token more
    {{9, 9, 9}, 3, 16, 1 << 20, 3, 1024},                            // no more streams than prompts
    {{9, 9, 9}, 3, 2, 1 << 20, 2, 768},                              // nor than asked for
    {{100, 1000, 300}, 3, 2, 1 << 20, 2, 256 + 1024 + 512},          // the longest ones count
    {{100, 1000, 300}, 3, 3, 256 + 1024 + 512, 2, 256 + 1024 + 512}, // as many as fit
    {{1000, 1000}, 2, 2, 100, 1, 256 + 1024},                        // one always
    {{0, 0}, 2, 4, 1 << 20, 2, 256},                                 // that generate nothing
    {{UINT32_MAX, UINT32_MAX}, 2, 2, UINT64_MAX, 2, 256 + (UINT64_C(1) << 33)},
};
enum { N_FIT_ROWS = sizeof(fit_rows) / sizeof(fit_rows[0]) };

ParameterizedTestParameters(schedule, fit) {
    static size_t rows[N_FIT_ROWS];
    for (size_t i = 0; i < N_FIT_ROWS; i++) rows[i] = i;
    return cr_make_param_array(size_t, rows, N_FIT_ROWS);
}

ParameterizedTest(size_t *row, schedule, fit) {
    const struct fit_row *r = &fit_rows[*row];
    uint32_t needs[MOST];
    memcpy(needs, r->needs, sizeof(needs));
    batch_size got = batch_fit(needs, r->n, r->most, 256, r->max);
    cr_assert(got.n_streams == r->n_streams && got.kv_tokens == r->kv_tokens,
              "row %zu: %u streams, %llu tokens; wanted %u, %llu", *row, got.n_streams,
              (unsigned long long)got.kv_tokens, r->n_streams, (unsigned long long)r->kv_tokens);
}
