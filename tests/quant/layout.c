// Layouts: what a group of rows gives back is what was repacked, block by block, for every format; and the
// numbers that shaders take from quant.def are those of the layout.
#include "quant/layout.h"
#include "run/cases.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, COLS = 1216 }; // 4.75 blocks of 256, one and a quarter groups

static const struct {
    uint32_t words;
    bool half_tail;
} stated[] = {
#define X(id, name, form, words, half, offset, sixteens) [id] = {words, half},
#include "quant/quant.def"
#undef X
};

static uint64_t row_words(const gw_format *f, uint32_t cols) {
    return gw_format_quant_row(f, cols) + gw_format_side_row(f, cols);
}

static gw_packed packed_row(const gw_row_layout *l, uint32_t cols, uint32_t *words) {
    uint64_t n = gw_format_quant_row(l->format, cols);
    memset(words, 0, row_words(l->format, cols) * sizeof *words);
    return (gw_packed){words, words + n, l->n_units, l->format->table};
}

static void same_units(const gw_format *f, const gw_packed *row, const gw_block_row *block,
                       uint64_t u, uint32_t in_block, uint32_t r) {
    if (gw_format_is_float(f)) {
        float a[GW_FLOAT_UNIT], b[GW_FLOAT_UNIT];
        f->unpack_floats(row, u, a);
        f->unpack_floats(&block->packed, in_block, b);
        cr_assert(!memcmp(a, b, sizeof a), "%s: row %u, unit %u", f->name, r, (unsigned)u);
        return;
    }
    gw_unit a, b;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    f->unpack(row, u, &a);
    f->unpack(&block->packed, in_block, &b);
    cr_assert(!memcmp(&a, &b, sizeof a), "%s: row %u, unit %u", f->name, r, (unsigned)u);
}

static void check_format(const gw_format *f, uint32_t cols, uint32_t group_rows) {
    static uint8_t file[ROWS][COLS * 4];
    const uint32_t key[2] = {7, f->id};
    uint32_t drawn = 0, per_block = GW_BLOCK_MAX / gw_format_unit(f);
    gw_row_layout l;
    gw_layout_of(f, cols, group_rows, &l);
    uint32_t *words = malloc(row_words(f, cols) * sizeof *words);
    uint64_t bytes = gw_layout_bytes(&l, ROWS);
    uint8_t *rows = calloc(bytes + 1, 1);
    cr_assert(words && rows);
    rows[bytes] = 0x5a;
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t b = 0; b < cols / f->block; b++) {
            gw_case_random_block(f, key, &drawn, 0x1p20f, file[r] + b * f->block_bytes);
        }
        uint8_t *group = rows + r / group_rows * gw_layout_group_bytes(&l);
        for (uint64_t b = 0; b < l.n_blocks; b++) {
            cr_assert(gw_layout_put(&l, file[r], b, r % group_rows, group), "%s", f->name);
        }
    }
    cr_assert_eq(rows[bytes], 0x5a, "%s: written past the last group", f->name);
    for (uint32_t r = 0; r < ROWS; r++) {
        gw_packed row = packed_row(&l, cols, words);
        gw_block_row block;
        f->repack(file[r], cols, &row);
        for (uint64_t u = 0; u < l.n_units; u++) {
            if (u % per_block == 0) gw_layout_get(&l, rows, r, u / per_block, &block);
            same_units(f, &row, &block, u, u % per_block, r);
        }
    }
    free(words);
    free(rows);
}

Test(layout, gives_back_what_was_put) {
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id);
        check_format(f, COLS / f->block * f->block, GW_GROUP_ROWS);
        check_format(f, f->block < GW_BLOCK_MAX ? f->block : 2 * GW_BLOCK_MAX, GW_GROUP_ROWS);
        if (id == GW_FMT_f32) check_format(f, COLS, 1);
    }
}

// Rows of whole blocks take the file's bytes, but for what a half tail or a word costs.
Test(layout, takes_the_bytes_of_the_file) {
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id);
        gw_row_layout l;
        gw_layout_of(f, 4096, GW_GROUP_ROWS, &l);
        cr_assert(l.n_words == stated[id].words && l.half_tail == stated[id].half_tail,
                  "%s: %u words, quant.def says %u", f->name, l.n_words, stated[id].words);
        uint64_t bytes = gw_layout_bytes(&l, 64), file = 64 * gw_format_row_bytes(f, 4096);
        cr_assert(bytes * 100 <= file * 103, "%s: %llu bytes, %llu in the file", f->name,
                  (unsigned long long)bytes, (unsigned long long)file);
    }
}
