// Wide twins: every unit of a row is what the format's own is, in q, s and d; and what the table of them says of
// their layout is so.
#include "quant/layout.h"
#include "quant/wide.h"
#include "run/cases.h"

#include <criterion/criterion.h>
#include <string.h>

enum { COLS = 3 * GW_BLOCK_MAX, ROWS = 40 };

static const struct {
    const char *name;
    uint32_t words;
    bool half_tail;
} stated[] = {
#define X(id, name, form, words, half, offset, sixteens) {#name, words, half},
#include "quant/wide.def"
#undef X
};

// Rows of random bits, repacked as both into groups.
static void check(const gw_format *f, const gw_format *wide) {
    static uint8_t file[ROWS][COLS], rows[2][2 * GW_GROUP_ROWS * COLS];
    const uint32_t key[2] = {5, f->id};
    uint32_t drawn = 0;
    gw_row_layout l[2];
    cr_assert(wide->type == f->type && wide->form == f->form && wide->block == f->block &&
                  wide->block_bytes == f->block_bytes,
              "%s", f->name);
    for (int k = 0; k < 2; k++) {
        gw_layout_of(k ? wide : f, COLS, GW_GROUP_ROWS, &l[k]);
        cr_assert(gw_layout_bytes(&l[k], ROWS) <= sizeof rows[k]);
    }
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t b = 0; b < COLS / GW_BLOCK_MAX; b++)
            gw_case_random_block(f, key, &drawn, 0x1p20f, file[r] + b * f->block_bytes);
        for (uint32_t k = 0; k < 2; k++) {
            uint8_t *group = rows[k] + r / GW_GROUP_ROWS * gw_layout_group_bytes(&l[k]);
            for (uint32_t b = 0; b < COLS / GW_BLOCK_MAX; b++)
                cr_assert(gw_layout_put(&l[k], file[r], b, r % GW_GROUP_ROWS, group));
        }
    }
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t u = 0; u < COLS / GW_UNIT; u++) {
            gw_block_row block;
            gw_unit unit[2];
            memset(unit, 0, sizeof unit);
            for (uint32_t k = 0; k < 2; k++) {
                gw_layout_get(&l[k], rows[k], r, u / 8, &block);
                l[k].format->unpack(&block.packed, u % 8, &unit[k]);
            }
            // A format with one scale may leave the second as it is.
            if (!unit[0].s[1]) unit[1].s[1] = 0;
            cr_assert(!memcmp(&unit[0], &unit[1], sizeof *unit), "%s: row %u, unit %u", f->name, r,
                      u);
        }
    }
}

Test(wide, says_what_the_format_says) {
    uint32_t n = 0;
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id), *wide = gw_format_wide(f);
        cr_assert_eq(wide != NULL, strncmp(f->name, "iq", 2) == 0 && f->name[2] < '4', "%s",
                     f->name);
        if (!wide) continue;
        cr_assert_eq(wide, gw_format_at(wide->id));
        check(f, wide);
        n++;
    }
    cr_assert_eq(n, sizeof stated / sizeof *stated);
}

Test(wide, takes_what_the_table_says) {
    for (uint32_t i = 0; i < sizeof stated / sizeof *stated; i++) {
        gw_row_layout l;
        gw_layout_of(gw_format_at(GW_FMT_COUNT + i), 4096, GW_GROUP_ROWS, &l);
        cr_assert_str_eq(l.format->name, stated[i].name);
        cr_assert(l.n_words == stated[i].words && l.half_tail == stated[i].half_tail, "%s",
                  l.format->name);
    }
}

// Scales that are no number are found as they are in the format itself.
Test(wide, refuses_what_is_not_finite) {
    for (uint32_t i = 0; i < sizeof stated / sizeof *stated; i++) {
        const gw_format *wide = gw_format_at(GW_FMT_COUNT + i), *f = gw_format_find(wide->type);
        uint8_t block[GW_BLOCK_MAX];
        uint32_t quants[32], sides[4];
        gw_packed out = {.quants = quants, .sides = sides, .n_units = 8};
        memset(sides, 0, sizeof sides);
        memset(block, 0xff, sizeof block); // NaN
        cr_assert(!wide->repack(block, GW_BLOCK_MAX, &out), "%s", f->name);
        memset(sides, 0, sizeof sides);
        memset(block, 0, sizeof block);
        cr_assert(wide->repack(block, GW_BLOCK_MAX, &out), "%s", f->name);
    }
}
