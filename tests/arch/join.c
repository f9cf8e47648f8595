// Which weights become one: those of one format, but for parts in the middle of a group of rows.
#include "arch/arch.h"

#include <criterion/criterion.h>

enum { COLS = 256, MAX = 4 };

typedef struct join_case {
    const gw_format *formats[MAX];
    uint64_t rows[MAX], row0[MAX];
    int whole[MAX]; // by number of the first part; -1: alone
    const char *name;
} join_case;

static const join_case cases[] = {
    {{&gw_format_q8_0, &gw_format_q8_0, &gw_format_q8_0},
     {64, 32, 32},
     {0, 64, 96},
     {0, 0, 0},
     "blk.0.a+b+c"},
    {{&gw_format_q4_k, &gw_format_q4_k, &gw_format_q6_k},
     {64, 32, 32},
     {0, 64, 0},
     {0, 0, -1},
     "blk.0.a+b"},
    {{&gw_format_q8_0, &gw_format_q6_k, &gw_format_q8_0},
     {64, 32, 40},
     {0, 0, 64},
     {0, -1, 0},
     "blk.0.a+c"}, // the last part may end in a group
    {{&gw_format_q8_0, &gw_format_q8_0, &gw_format_q8_0},
     {64, 40, 32},
     {0, 64, 0},
     {0, 0, -1},
     "blk.0.a+b"},
    {{&gw_format_q8_0, &gw_format_q8_0}, {48, 48}, {0, 0}, {-1, -1}, NULL},
    {{&gw_format_q8_0, &gw_format_q6_k, &gw_format_q8_0, &gw_format_q6_k},
     {32, 32, 32, 32},
     {0, 0, 32, 32},
     {0, 1, 0, 1},
     "blk.0.a+c"},
};

static void check(const join_case *c) {
    static const char *const names[] = {"blk.0.a.weight", "blk.0.b.weight", "blk.0.c.weight",
                                        "blk.0.d.weight"};
    gw_host host;
    gw_weight parts[MAX];
    gw_linear linears[MAX] = {{0}}, *list[MAX];
    godwit_error err = {0};
    uint32_t n = 0;
    gw_host_init(&host, NULL, NULL, NULL);
    gw_model_def def = {.host = &host};
    gw_arena_init(&def.arena, &host);
    for (; n < MAX && c->formats[n]; n++) {
        const uint64_t dims[2] = {c->rows[n], COLS};
        gw_weight_init(&parts[n], names[n], c->formats[n], 2, dims, (gw_source){0});
        linears[n].w = &parts[n];
        list[n] = &linears[n];
    }
    cr_assert_eq(gw_def_join(&def, list, n, &err), GODWIT_OK, "%s", err.message);
    for (uint32_t i = 0; i < n; i++) {
        const gw_weight *w = linears[i].w;
        uint64_t row = 0;
        cr_expect(linears[i].n_rows == c->rows[i] && linears[i].row0 == c->row0[i]);
        if (c->whole[i] < 0) {
            cr_expect(w == &parts[i] && !w->whole && gw_weight_part(w, 7, &row) == w && row == 7);
            continue;
        }
        cr_expect(w == parts[i].whole && w == linears[c->whole[i]].w && w->n_cols == COLS);
        cr_expect(c->whole[i] || !strcmp(w->name, c->name), "%s", w->name);
        cr_expect(gw_weight_part(w, c->row0[i] + 9, &row) == &parts[i] && row == 9);
        cr_expect(gw_weight_part(w, c->row0[i] + c->rows[i] - 1, &row) == &parts[i]);
    }
    gw_arena_deinit(&def.arena);
}

Test(arch, weights_of_one_format_are_joined) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

// Biases go with their products, where each part has one.
Test(arch, biases_are_joined_where_all_are_there) {
    static const char *const names[] = {"blk.3.a.bias", "blk.3.b.bias", "blk.3.c.bias"};
    const uint64_t matrix[2] = {32, COLS}, vector[1] = {32};
    for (int missing = -1; missing < 3; missing++) {
        gw_host host;
        gw_weight parts[3], biases[3];
        gw_linear linears[3] = {{0}}, *list[3];
        godwit_error err = {0};
        gw_host_init(&host, NULL, NULL, NULL);
        gw_model_def def = {.host = &host};
        gw_arena_init(&def.arena, &host);
        for (int i = 0; i < 3; i++) {
            gw_weight_init(&parts[i], "w", &gw_format_q8_0, 2, matrix, (gw_source){0});
            gw_weight_init(&biases[i], names[i], &gw_format_f32, 1, vector, (gw_source){0});
            linears[i] = (gw_linear){.w = &parts[i], .bias = i == missing ? NULL : &biases[i]};
            list[i] = &linears[i];
        }
        cr_assert_eq(gw_def_join(&def, list, 3, &err), GODWIT_OK, "%s", err.message);
        cr_assert(linears[2].w == linears[0].w && linears[0].w->n_parts == 3);
        for (int i = 0; i < 3; i++) {
            const gw_weight *bias = linears[i].bias;
            if (missing >= 0) {
                cr_expect(bias == (i == missing ? NULL : &biases[i]) && !biases[i].whole);
                continue;
            }
            cr_expect(bias == linears[0].bias && bias->n_cols == 96 && bias->n_rows == 1);
            cr_expect(biases[i].whole == bias && biases[i].whole_row0 == 32u * (uint32_t)i);
            cr_expect_str_eq(bias->name, "blk.3.a+b+c");
        }
        gw_arena_deinit(&def.arena);
    }
}
