// Every integer format against the gguf package and ggml: reading, repacking, refusing, writing.
#include "base/exact.h"
#include "quant/golden_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

// The formats that the loop below visits; each must have a golden.
static const gw_format *next_format(uint32_t *id) {
    while (*id < GW_FMT_COUNT && gw_format_is_float(gw_format_at(*id))) (*id)++;
    return *id < GW_FMT_COUNT ? gw_format_at((*id)++) : NULL;
}

Test(golden, dequantize) {
    uint32_t n_formats = 0, id = 0;
    for (const gw_format *f; (f = next_format(&id)); n_formats++) {
        golden g = golden_open(f);
        float *values = malloc(g.n_blocks * f->block * sizeof *values);
        cr_assert(values);
        gw_format_dequantize(f, g.blocks, (uint64_t)g.n_blocks * f->block, values);
        for (uint32_t u = 0; u < g.n_blocks * f->block / GW_UNIT; u++) {
            uint32_t wanted;
            memcpy(&wanted, g.hashes + u * 4, 4);
            cr_assert_eq(golden_hash(values + u * GW_UNIT), wanted,
                         "%s: values %u.. of block %u: other bits than the gguf package's", f->name,
                         u * GW_UNIT % f->block, u * GW_UNIT / f->block);
        }
        free(values);
        golden_close(&g);
    }
    cr_assert(n_formats >= 3, "%u formats seen", n_formats);
}

// --- repack --------------------------------------------------------------------------------------

typedef struct row {
    uint32_t *words;
    gw_packed packed;
    uint64_t n_words;
} row;

enum { GUARD = 0x5a5a5a5a };

// Buffers of exactly a row, with a word behind each that must stay.
static row row_make(const gw_format *f, uint64_t n) {
    uint64_t quants = gw_format_quant_row(f, n), sides = gw_format_side_row(f, n);
    row r = {.n_words = quants + sides + 2};
    r.words = calloc(r.n_words, sizeof *r.words);
    cr_assert(r.words);
    r.words[quants] = r.words[quants + sides + 1] = GUARD;
    r.packed = (gw_packed){.quants = r.words,
                           .sides = r.words + quants + 1,
                           .n_units = gw_format_units(f, n),
                           .table = f->table};
    return r;
}

static void row_free(const gw_format *f, row *r, uint64_t n) {
    uint64_t quants = gw_format_quant_row(f, n), sides = gw_format_side_row(f, n);
    cr_assert(r->words[quants] == GUARD && r->words[quants + sides + 1] == GUARD,
              "%s: repack of %llu wrote past its row", f->name, (unsigned long long)n);
    free(r->words);
}

// What kernels see of a row is what the file says, less what a stored value may not be.
static void check_row(const gw_format *f, const uint8_t *blocks, uint64_t n_blocks) {
    uint64_t n = n_blocks * f->block;
    row r = row_make(f, n);
    cr_assert(f->repack(blocks, n, &r.packed), "%s: a row without NaN is refused", f->name);
    uint32_t n_units = f->block / GW_UNIT;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        gw_unit file = {.s = {1, 1}}, packed = {.s = {1, 1}};
        f->decode(blocks + u / n_units * f->block_bytes, (uint32_t)(u % n_units), &file);
        f->unpack(&r.packed, u, &packed);
        for (uint32_t i = 0; i < GW_UNIT; i++) {
            float a = gw_flush(gw_unit_weight(f->form, &file, i));
            float b = gw_flush(gw_unit_weight(f->form, &packed, i));
            cr_assert_eq(gw_bits(a), gw_bits(b),
                         "%s: %llu blocks, unit %llu, weight %u: %g repacked, %g in the file",
                         f->name, (unsigned long long)n_blocks, (unsigned long long)u, i, (double)b,
                         (double)a);
        }
    }
    row_free(f, &r, n);
}

Test(golden, repack) {
    uint32_t id = 0;
    for (const gw_format *f; (f = next_format(&id));) {
        golden g = golden_open(f);
        static const uint32_t counts[] = {1, 2, 3, 5, 7, 8};
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            for (uint32_t b = 0; b + counts[i] <= g.n_blocks; b += counts[i]) {
                check_row(f, g.blocks + (size_t)b * f->block_bytes, counts[i]);
            }
        }
        check_row(f, g.blocks, g.n_blocks);
        golden_close(&g);
    }
}

// At most 3 % more than the file, or what whole words of tails and four words of quants need.
Test(golden, repacked_size) {
    uint32_t id = 0;
    for (const gw_format *f; (f = next_format(&id));) {
        for (uint64_t n = 1024; n <= 16384; n += f->block) {
            uint64_t bytes = 4 * (gw_format_quant_row(f, n) + gw_format_side_row(f, n));
            uint64_t file = gw_format_row_bytes(f, n);
            cr_assert(bytes * 100 <= file * 103 || bytes <= file + 15,
                      "%s: a row of %llu: %llu bytes, %llu in the file", f->name,
                      (unsigned long long)n, (unsigned long long)bytes, (unsigned long long)file);
        }
    }
}

// A NaN or an infinity in any half of any block of a row is refused.
static void check_refusal(const gw_format *f, const golden *g) {
    enum { N_BLOCKS = 3 };
    static const uint16_t bad[] = {0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff};
    size_t bytes = (size_t)N_BLOCKS * f->block_bytes;
    uint8_t *blocks = malloc(bytes);
    cr_assert(blocks);
    memcpy(blocks, g->blocks, bytes);
    for (uint32_t at = 0; at < 128; at++) {
        if (!(g->halves[at / 32] >> (at % 32) & 1)) continue;
        for (uint32_t k = 0; k < N_BLOCKS * sizeof bad / sizeof *bad; k++) {
            uint8_t *half = blocks + k % N_BLOCKS * f->block_bytes + 2 * at, kept[2];
            memcpy(kept, half, 2);
            half[0] = (uint8_t)bad[k / N_BLOCKS];
            half[1] = (uint8_t)(bad[k / N_BLOCKS] >> 8);
            row r = row_make(f, N_BLOCKS * f->block);
            cr_assert(!f->repack(blocks, N_BLOCKS * f->block, &r.packed),
                      "%s: half %#x at byte %u of block %u is taken", f->name, bad[k / N_BLOCKS],
                      2 * at, k % N_BLOCKS);
            row_free(f, &r, N_BLOCKS * f->block);
            memcpy(half, kept, 2);
        }
    }
    row r = row_make(f, N_BLOCKS * f->block);
    cr_assert(f->repack(blocks, N_BLOCKS * f->block, &r.packed), "%s", f->name);
    row_free(f, &r, N_BLOCKS * f->block);
    free(blocks);
}

Test(golden, refuses_nan_and_infinity) {
    uint32_t id = 0;
    for (const gw_format *f; (f = next_format(&id));) {
        golden g = golden_open(f);
        check_refusal(f, &g);
        golden_close(&g);
    }
}

// --- quantize ------------------------------------------------------------------------------------

static void check_blocks(const gw_format *f, const golden *g, const float *importances,
                         const uint8_t *wanted) {
    size_t bytes = (size_t)g->n_quantized * f->block_bytes;
    uint8_t *blocks = malloc(bytes);
    cr_assert(blocks);
    memset(blocks, 0xa5, bytes);
    f->quantize(g->input, importances, (uint64_t)g->n_quantized * f->block, blocks);
    for (size_t i = 0; i < bytes; i++) {
        cr_assert_eq(blocks[i], wanted[i], "%s%s: byte %zu of block %zu is %#x, %#x wanted",
                     f->name, importances ? " with importances" : "", i % f->block_bytes,
                     i / f->block_bytes, blocks[i], wanted[i]);
    }
    free(blocks);
}

Test(golden, quantize) {
    uint32_t id = 0;
    for (const gw_format *f; (f = next_format(&id));) {
        golden g = golden_open(f);
        cr_assert(f->block <= GW_BLOCK_MAX, "%s: blocks of %u", f->name, f->block);
        // The grid formats are searched for in a way of our own: quantize.c holds their error.
        bool own = f->id >= GW_FMT_iq2_xxs && f->id <= GW_FMT_iq1_m;
        if (f->quantize && !own) {
            cr_assert(g.n_quantized, "%s: the golden has nothing quantized", f->name);
            check_blocks(f, &g, NULL, g.quantized);
            if (g.weighted) check_blocks(f, &g, g.importances, g.quantized_weighted);
        }
        golden_close(&g);
    }
}

// --- what a file is called -----------------------------------------------------------------------

// Every format's number of general.file_type is the gguf package's; one that has none is guessed.
Test(golden, file_types) {
    enum { N_TYPES = 64, GUESSED = 1024 };
    unsigned type = 0, file_type = 0, wanted[N_TYPES], n = 0;
    FILE *file = fopen(GODWIT_TEST_ROOT "/tests/golden/quant/file_types.txt", "r");
    cr_assert(file);
    for (unsigned i = 0; i < N_TYPES; i++) wanted[i] = GUESSED;
    for (; fscanf(file, "%u %u", &type, &file_type) == 2; n++) {
        cr_assert(type < N_TYPES);
        wanted[type] = file_type;
    }
    fclose(file);
    cr_assert(n > 20, "%u lines", n);
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const gw_format *f = gw_format_at(id);
        cr_assert(f->type < N_TYPES);
        cr_expect_eq(f->file_type, wanted[f->type], "%s: %u, not %u", f->name, f->file_type,
                     wanted[f->type]);
    }
}
