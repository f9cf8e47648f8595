// Scrub: bits that change in the weights of a running model are found and named, on this driver and
// on the plain-C reference; weights that are as they were pass.
#include "api/handles.h"
#include "run/scrub.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

typedef struct rig {
    stories_run run;
    gw_weight_stores own; // weights without a model; n_stores 0: the model's
    char info_name[256];  // of the device
} rig;

static void open_rig(rig *r, const char *which, uint32_t type) {
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    int32_t id = 1;
    *r = (rig){0};
    stories_open(&r->run, which, NULL, type, NULL);
    MUST(godwit_device_get_info(r->run.device, &info, &err));
    snprintf(r->info_name, sizeof r->info_name, "%.40s", which ? "cpu" : info.name);
    MUST(godwit_session_feed(r->run.session, &id, 1, &err)); // it runs
}

static void close_rig(rig *r) {
    stories_close(&r->run);
}

static gw_weight_stores *stores_of(rig *r) {
    return r->own.n_stores ? &r->own : &r->run.model->model->weights;
}

static const gw_weight_chunk *chunk_of(rig *r, const gw_weight *w) {
    return gw_placement_find(&stores_of(r)->placement, w)->chunks;
}

static godwit_status scrub_all(rig *r, godwit_scrub_report *report) {
    if (r->own.n_stores) return gw_weights_scrub(&r->own, 0, report, &err);
    return godwit_model_scrub(r->run.model, 0, report, &err);
}

static void flip(rig *r, uint32_t store, uint64_t offset, uint32_t bit) {
    gw_store *s = &stores_of(r)->stores[store];
    uint32_t word;
    MUST(gw_store_read(s, offset, &word, 4, &err));
    word ^= 1u << bit;
    MUST(gw_store_write(s, offset, &word, 4, &err));
}

static void passes(rig *r) {
    godwit_scrub_report report = GODWIT_INIT(godwit_scrub_report);
    MUST(scrub_all(r, &report));
    cr_assert(report.n_bytes == report.total_bytes && report.n_bytes > 0);
    // Alignment between chunks is all that is not covered.
    cr_assert(report.total_bytes <= stores_of(r)->n_bytes);
}

static void is_found(rig *r, const gw_weight *w, const char *part, const char *what) {
    godwit_scrub_report report = GODWIT_INIT(godwit_scrub_report);
    err = (godwit_error){0};
    cr_assert(scrub_all(r, &report) == GODWIT_CORRUPT, "%s %s: %s", w->name, part, what);
    cr_assert(strstr(err.message, w->name) && strstr(err.message, part) &&
                  strstr(err.message, r->info_name) && strstr(err.message, "offset"),
              "%s %s: %s", w->name, part, err.message);
}

// The first and the last word of a run of words, lowest, a middle and the highest bit.
static void flips_are_found(rig *r, const gw_weight *w, const char *part, uint32_t store,
                            uint64_t offset, uint64_t bytes) {
    static const uint32_t bits[] = {0, 13, 31};
    for (int last = 0; last < 2; last++) {
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
            uint64_t at = last ? offset + bytes - 4 : offset;
            flip(r, store, at, bits[i]);
            is_found(r, w, part, last ? "a bit of the last word" : "a bit of the first word");
            flip(r, store, at, bits[i]);
        }
    }
}

static void every_part_of(rig *r, const gw_weight *w) {
    const gw_placed *placed = gw_placement_find(&stores_of(r)->placement, w);
    for (uint32_t k = 0; k < placed->n_chunks; k++) {
        const gw_weight_chunk *c = &placed->chunks[k];
        flips_are_found(r, w, "rows", c->store, c->offset, c->bytes);
    }
    const gw_weight_chunk *t = &placed->table;
    if (t->bytes) flips_are_found(r, w, "table", t->store, t->offset, t->bytes);
}

static void every_part_of_a_model(const char *which) {
    rig r;
    open_rig(&r, which, GODWIT_Q4_0);
    const gw_model_def *def = r.run.model->model->def;
    passes(&r);
    for (size_t i = 0; i < def->weights.n; i++) every_part_of(&r, def->weights.items[i]);
    passes(&r);
    close_rig(&r);
}

Test(scrub, single_bits_are_found_and_named) {
    every_part_of_a_model(NULL);
}

Test(scrub, single_bits_are_found_on_the_reference) {
    every_part_of_a_model("cpu");
}

// Quants, scales and tables of every number format, through the same upload. Grids that lie wide have no table.
static void every_format(const char *which, uint64_t memory_free, bool has_tables) {
    enum { ROWS = 3, COLS = 512 };
    static uint8_t data[ROWS * COLS * 4];
    rig r;
    uint32_t n_tables = 0;
    open_rig(&r, which, GODWIT_Q8_0);
    r.run.device->backend.memory_free = memory_free;
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *format = gw_format_at(id);
        gw_weight w = {.name = format->name,
                       .format = format,
                       .n_dims = 2,
                       .dims = {ROWS, COLS},
                       .n_rows = ROWS,
                       .n_cols = COLS,
                       .group_rows = GW_GROUP_ROWS,
                       .source = {.bytes = data}},
                  *list[1] = {&w};
        // Bytes of 0x2d are finite in every format, and no two rows need differ.
        memset(data, 0x2d, sizeof data);
        MUST(gw_weights_upload(&r.run.device->backend, list, 1, 0, NULL, NULL, &r.own, &err));
        passes(&r);
        every_part_of(&r, &w);
        passes(&r);
        n_tables += gw_placement_find(&r.own.placement, &w)->table.bytes > 0;
        gw_weight_stores_destroy(&r.own);
    }
    cr_assert_eq(n_tables > 0, has_tables);
    close_rig(&r);
}

Test(scrub, every_format_is_covered) {
    every_format(NULL, 0, true);
}

Test(scrub, every_format_is_covered_on_the_cores) {
    every_format("cpu", UINT64_MAX, false);
    every_format("cpu", 1, true);
}

// A plain sum over words would not see that two of them changed places.
static void swapped_words(const char *which) {
    rig r;
    open_rig(&r, which, GODWIT_Q8_0);
    const gw_weight *w = r.run.model->model->def->weights.items[0];
    const gw_weight_chunk *c = chunk_of(&r, w);
    gw_store *s = &r.run.model->model->weights.stores[c->store];
    for (uint64_t distance = 1; distance < c->bytes / 4; distance *= 2) {
        uint64_t other = c->offset + distance * 4;
        uint32_t a, b;
        MUST(gw_store_read(s, c->offset, &a, 4, &err));
        MUST(gw_store_read(s, other, &b, 4, &err));
        if (a == b) continue;
        MUST(gw_store_write(s, c->offset, &b, 4, &err));
        MUST(gw_store_write(s, other, &a, 4, &err));
        is_found(&r, w, "rows", "two words changed places");
        MUST(gw_store_write(s, c->offset, &a, 4, &err));
        MUST(gw_store_write(s, other, &b, 4, &err));
    }
    passes(&r);
    close_rig(&r);
}

// Two flipped top bits cancel in the weighted sum, always: the mixed one is there for them.
static void two_top_bits(const char *which) {
    rig r;
    open_rig(&r, which, GODWIT_Q8_0);
    const gw_weight *w = r.run.model->model->def->weights.items[0];
    const gw_weight_chunk *c = chunk_of(&r, w);
    for (uint64_t distance = 1; distance < c->bytes / 4; distance *= 2) {
        uint64_t other = c->offset + distance * 4;
        flip(&r, c->store, c->offset, 31);
        flip(&r, c->store, other, 31);
        is_found(&r, w, "rows", "two top bits");
        flip(&r, c->store, c->offset, 31);
        flip(&r, c->store, other, 31);
    }
    passes(&r);
    close_rig(&r);
}

Test(scrub, swapped_words_are_found) {
    swapped_words(NULL);
    swapped_words("cpu");
}

Test(scrub, two_top_bits_are_found) {
    two_top_bits(NULL);
    two_top_bits("cpu");
}

// Slices go round: each piece comes up once in a pass, and the report counts.
Test(scrub, slices_go_round) {
    rig r;
    godwit_scrub_report report = GODWIT_INIT(godwit_scrub_report);
    uint64_t sum = 0, calls = 0;
    open_rig(&r, "cpu", GODWIT_Q8_0);
    const gw_weight *w = r.run.model->model->def->weights.items[0];
    do {
        MUST(godwit_model_scrub(r.run.model, 1, &report, &err));
        cr_assert(report.n_bytes > 0 && report.n_bytes <= GW_SCRUB_PIECE_BYTES);
        sum += report.n_bytes;
        calls++;
    } while (report.n_passes == 0);
    cr_assert(sum == report.total_bytes && calls > 1);
    // Found within a round, once, wherever it starts; the calls after it go on behind.
    flip(&r, chunk_of(&r, w)->store, chunk_of(&r, w)->offset, 5);
    uint64_t found = 0;
    for (uint64_t i = 0; i < calls; i++) {
        found += godwit_model_scrub(r.run.model, 1, &report, &err) == GODWIT_CORRUPT;
        cr_assert(report.n_bytes > 0);
    }
    cr_assert(found == 1 && report.n_passes == 2);
    cr_assert(godwit_model_scrub(NULL, 0, NULL, &err) == GODWIT_INVALID_ARGUMENT);
    close_rig(&r);
}

// A run of more than a piece is cut: the words after the cut count from 0 again, on the device too.
static void long_runs(const char *which) {
    enum { N_WORDS = 2 * GW_SCRUB_PIECE_BYTES / 4 + 77, STEP = 1000 };
    rig r;
    gw_store store;
    gw_scrub *scrub = NULL;
    godwit_scrub_report report = {0};
    const uint64_t spots[] = {0, GW_SCRUB_PIECE_BYTES / 4 - 1, GW_SCRUB_PIECE_BYTES / 4,
                              N_WORDS - 1};
    uint32_t *words = malloc(N_WORDS * sizeof *words);
    cr_assert(words);
    for (uint32_t i = 0; i < N_WORDS; i++) words[i] = gw_philox(1, 2, i);
    open_rig(&r, which, GODWIT_Q8_0);
    const gw_weight *w = r.run.model->model->def->weights.items[0];
    MUST(gw_store_create(&r.run.device->backend, GW_BUFFER_DEVICE, N_WORDS * 4 + 256, "test",
                         &store, &err));
    MUST(gw_store_write(&store, 256, words, N_WORDS * 4, &err));
    MUST(gw_scrub_create(&r.run.device->backend, &scrub, &err));
    MUST(gw_scrub_begin(scrub, w, "rows", 0, 256, N_WORDS * 4, &err));
    for (uint32_t i = 0; i < N_WORDS; i += STEP) {
        gw_scrub_add(scrub, i, words + i, N_WORDS - i < STEP ? N_WORDS - i : STEP);
    }
    MUST(gw_scrub_check(scrub, &store, 0, &report, &err));
    cr_assert(report.n_bytes == N_WORDS * UINT64_C(4) && report.n_passes == 1);
    for (size_t i = 0; i < sizeof spots / sizeof *spots; i++) {
        uint32_t bad = words[spots[i]] ^ 0x400;
        char place[64];
        MUST(gw_store_write(&store, 256 + spots[i] * 4, &bad, 4, &err));
        cr_assert(gw_scrub_check(scrub, &store, 0, &report, &err) == GODWIT_CORRUPT);
        snprintf(place, sizeof place, "at offset %llu of them",
                 (unsigned long long)(spots[i] * 4 / GW_SCRUB_PIECE_BYTES * GW_SCRUB_PIECE_BYTES));
        cr_assert(strstr(err.message, place), "%s: %s", place, err.message);
        MUST(gw_store_write(&store, 256 + spots[i] * 4, &words[spots[i]], 4, &err));
    }
    MUST(gw_scrub_check(scrub, &store, 0, &report, &err));
    gw_scrub_destroy(&scrub);
    gw_store_destroy(&store);
    free(words);
    close_rig(&r);
}

Test(scrub, long_runs_are_cut) {
    long_runs(NULL);
    long_runs("cpu");
}

// The definition, by hand: 0x9e3779b1 is the second word's key, its double the third's.
Test(scrub, the_sum_is_what_it_says) {
    const uint32_t words[3] = {5, 0x9e3779b1u ^ 7u, 0x3c6ef362u ^ 0xffffffffu};
    uint64_t wanted = 25 + 49 + UINT64_C(0xffffffff) * 0xffffffffu;
    cr_assert(gw_checksum(words, 3, 0) == wanted);
    cr_assert(gw_checksum(words + 1, 2, 1) + gw_checksum(words, 1, 0) == wanted);
    cr_assert(gw_checksum(words, 0, 9) == 0);
}

enum { PAGE_WORDS = 1024, N_PAGES = 3 };

static void swap(uint32_t *a, uint32_t *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t held = a[i];
        a[i] = b[i];
        b[i] = held;
    }
}

static void flip_bits(uint32_t *words, uint32_t n, uint32_t bit) {
    for (uint32_t i = 0; i < n; i++) words[i] ^= 1u << bit;
}

// What sums of words, plain or weighted by their index, would miss.
static void damage(uint32_t *w, uint32_t kind) {
    switch (kind) {
    case 0:
        swap(w + 3, w + 700, 1);
        break;
    case 1:
        swap(w, w + 1, 1);
        break;
    case 2:
        swap(w + 64, w + 512, 64);
        break;
    case 3:
        swap(w, w + PAGE_WORDS, PAGE_WORDS);
        break;
    case 4:
        memset(w + PAGE_WORDS, 0, PAGE_WORDS * sizeof *w);
        break;
    case 5:
        memcpy(w + PAGE_WORDS, w, PAGE_WORDS * sizeof *w);
        break;
    case 6:
        memmove(w, w + 1, PAGE_WORDS * sizeof *w);
        break;
    default:
        flip_bits(w + 8, kind - 5, 31);
        break; // of 2, 3, ... neighbours
    }
}

Test(scrub, damage_changes_the_sum) {
    static uint32_t words[N_PAGES * PAGE_WORDS], bad[N_PAGES * PAGE_WORDS];
    const uint32_t n = N_PAGES * PAGE_WORDS, patterns[] = {0xffffffffu, 0x0f0f0f0fu, 0x80000000u};
    uint32_t state = 1;
    for (uint32_t p = 0; p < 3; p++) {
        // Of the pattern's bits alone, so that many are equal; pages 0 and 1 have the same words.
        for (uint32_t i = 0; i < n; i++)
            words[i] = (state = state * 1664525u + 1013904223u) & patterns[p];
        for (uint32_t i = 0; i < PAGE_WORDS; i++) words[2 * PAGE_WORDS - 1 - i] = words[i];
        uint64_t sum = gw_checksum(words, n, 0);
        for (uint32_t bit = 0; bit < 32 * n; bit += 31) {
            words[bit / 32] ^= 1u << bit % 32;
            cr_assert(gw_checksum(words, n, 0) != sum, "bit %u", bit);
            words[bit / 32] ^= 1u << bit % 32;
        }
        for (uint32_t kind = 0; kind < 16; kind++) {
            memcpy(bad, words, sizeof bad);
            damage(bad, kind);
            bool same = !memcmp(bad, words, sizeof bad);
            cr_assert((gw_checksum(bad, n, 0) == sum) == same, "pattern %u, damage %u", p, kind);
        }
    }
}
