// Joined weights: a whole lies in memory as one matrix of its parts' rows would, also where it is cut
// into chunks in the middle of a part; parts keep their names.
#include "base/exact.h"
#include "run/run.h"

#include <criterion/criterion.h>
#include <string.h>

enum { COLS = 64, N_PARTS = 3, ROWS = 64 + 96 + 40 };
static const uint64_t n_rows[N_PARTS] = {64, 96, 40};
static const char *const names[N_PARTS] = {"first", "second", "third"};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

typedef struct joined {
    gw_host host;
    gw_backend backend;
    float data[ROWS * COLS];
    gw_weight whole, parts[N_PARTS], *list[N_PARTS];
} joined;

static void make(joined *j) {
    const uint64_t all[2] = {ROWS, COLS};
    *j = (joined){.backend = {.host = &j->host}};
    gw_host_init(&j->host, NULL, NULL, NULL);
    gw_tune_for(NULL, &j->backend.tune);
    for (int i = 0; i < ROWS * COLS; i++) j->data[i] = (float)i;
    gw_weight_init(&j->whole, "whole", &gw_format_f32, 2, all, (gw_source){0});
    for (uint32_t i = 0, row = 0; i < N_PARTS; row += (uint32_t)n_rows[i++]) {
        const uint64_t dims[2] = {n_rows[i], COLS};
        gw_weight_init(&j->parts[i], names[i], &gw_format_f32, 2, dims,
                       (gw_source){.bytes = (const uint8_t *)&j->data[row * COLS]});
        j->list[i] = j->whole.parts[i] = &j->parts[i];
        j->parts[i].whole = &j->whole;
        j->parts[i].whole_row0 = row;
    }
    j->whole.n_parts = N_PARTS;
}

// The rows of w as they lie in the stores: each as one matrix of all rows has it.
static uint64_t check_rows(const joined *j, const gw_weight *w, uint64_t row0,
                           const gw_weight_stores *stores) {
    gw_row_layout layout = gw_weight_layout(w);
    uint64_t n = 0;
    const gw_placed *placed = gw_placement_find(&stores->placement, w);
    for (uint32_t i = 0; i < placed->n_chunks; i++) {
        const gw_weight_chunk *c = &placed->chunks[i];
        cr_assert_eq(c->row0, n);
        for (uint64_t r = 0; r < c->n_rows; r++, n++) {
            gw_block_row block;
            gw_layout_get(&layout, stores->stores[c->store].bytes + c->offset, r, 0, &block);
            for (uint32_t k = 0; k < COLS; k++) {
                float want = j->data[(row0 + n) * COLS + k];
                cr_assert_eq(block.quants[k], gw_bits(want), "%s, row %llu", w->name,
                             (unsigned long long)n);
            }
        }
    }
    return n;
}

static void check(uint64_t max_range, uint32_t n_chunks) {
    static joined j;
    gw_weight_stores stores;
    godwit_scrub_report report = {0};
    make(&j);
    if (max_range) j.backend.tune.max_weight_range = max_range;
    MUST(gw_weights_upload(&j.backend, j.list, N_PARTS, 0, NULL, NULL, &stores, &err));
    cr_assert_eq(gw_placement_find(&stores.placement, &j.whole)->n_chunks, n_chunks);
    cr_assert_eq(check_rows(&j, &j.whole, 0, &stores), ROWS);
    for (uint32_t i = 0; i < N_PARTS; i++) {
        const gw_weight *w = &j.parts[i];
        cr_assert_eq(check_rows(&j, w, w->whole_row0, &stores), w->n_rows);
        const gw_placed *placed = gw_placement_find(&stores.placement, w);
        for (uint32_t k = 0; k < placed->n_chunks; k++) {
            const gw_weight_chunk *c = &placed->chunks[k];
            uint8_t *byte = stores.stores[c->store].bytes + c->offset + c->bytes - 4;
            *byte ^= 1;
            err = (godwit_error){0};
            cr_assert_eq(gw_weights_scrub(&stores, 0, &report, &err), GODWIT_CORRUPT);
            cr_assert(strstr(err.message, w->name), "%s", err.message);
            *byte ^= 1;
        }
    }
    gw_weight_stores_destroy(&stores);
}

Test(joined, rows_lie_as_those_of_one_matrix) {
    check(0, 1);
    check(64 * COLS * 4 + 256, 4); // two groups of rows a chunk
}

// Of vectors, the numbers.
Test(joined, vectors_lie_one_behind_the_other) {
    static joined j;
    gw_weight_stores stores;
    const uint64_t all[1] = {ROWS};
    make(&j);
    gw_weight_init(&j.whole, "whole", &gw_format_f32, 1, all, (gw_source){0});
    j.whole.n_parts = N_PARTS;
    for (uint32_t i = 0, at = 0; i < N_PARTS; at += (uint32_t)n_rows[i++]) {
        gw_weight_init(&j.parts[i], names[i], &gw_format_f32, 1, &n_rows[i],
                       (gw_source){.bytes = (const uint8_t *)&j.data[at]});
        j.whole.parts[i] = &j.parts[i];
        j.parts[i].whole = &j.whole;
        j.parts[i].whole_row0 = at;
    }
    MUST(gw_weights_upload(&j.backend, j.list, N_PARTS, 0, NULL, NULL, &stores, &err));
    const gw_placed *placed = gw_placement_find(&stores.placement, &j.whole);
    cr_assert(placed->n_chunks == 1 && j.whole.group_rows == 1);
    const gw_weight_chunk *c = placed->chunks;
    cr_assert(!memcmp(stores.stores[c->store].bytes + c->offset, j.data, ROWS * sizeof(float)));
    gw_weight_stores_destroy(&stores);
}

Test(joined, what_is_not_finite_is_named) {
    static joined j;
    gw_weight_stores stores;
    make(&j);
    j.data[(64 + 95) * COLS] = gw_from_bits(0x7f800000u);
    cr_assert_eq(gw_weights_upload(&j.backend, j.list, N_PARTS, 0, NULL, NULL, &stores, &err),
                 GODWIT_MALFORMED);
    cr_assert(strstr(err.message, "second"), "%s", err.message);
}
