// Layout: see layout.h.
#include "quant/layout.h"

#include <string.h>

enum { MAX_PLANES = 3 };

// Words of a block of 256 columns of each plane, in the order of a repacked row.
static uint32_t planes_of(const gw_format *f, uint32_t out[MAX_PLANES]) {
    uint32_t n = 0;
    while (n < MAX_PLANES && f->planes[n]) {
        out[n] = f->planes[n];
        n++;
    }
    if (n) return n;
    uint32_t step = gw_format_is_float(f) ? GW_FLOAT_UNIT : f->block;
    out[0] = f->quant_words * (GW_BLOCK_MAX / step);
    return 1;
}

// Where the fields of a row of so many units begin.
static void find_starts(const gw_row_layout *l, uint64_t units, uint64_t *starts, uint64_t *tails) {
    const gw_format *f = l->format;
    uint64_t at = 0, per_block = GW_BLOCK_MAX / gw_format_unit(f);
    *tails = units * gw_format_unit(f) / f->block * f->side_words;
    starts[0] = *tails;
    starts[1] = 0;
    for (uint32_t i = l->n_fields; i-- > 2;) {
        starts[i] = at;
        at += units * l->fields[i] / per_block;
    }
}

void gw_layout_of(const gw_format *f, uint64_t n_cols, uint32_t rows, gw_row_layout *out) {
    bool is_float = gw_format_is_float(f);
    uint32_t planes[MAX_PLANES], n_planes = planes_of(f, planes);
    uint32_t step = is_float ? GW_FLOAT_UNIT : GW_UNIT;
    *out = (gw_row_layout){.format = f,
                           .rows = rows,
                           .n_units = gw_format_units(f, n_cols),
                           .half_tail = f->tail_bytes == 2 && f->block == GW_BLOCK_MAX};
    out->n_blocks = (out->n_units * step + GW_BLOCK_MAX - 1) / GW_BLOCK_MAX;
    uint32_t blocks = is_float ? 0 : GW_BLOCK_MAX / f->block; // of the file in one of ours
    out->fields[out->n_fields++] = out->half_tail ? 0 : blocks * f->tail_bytes / 4;
    out->fields[out->n_fields++] = blocks * f->side_words;
    for (uint32_t i = n_planes; i-- > 0;) out->fields[out->n_fields++] = planes[i];
    for (uint32_t i = 0; i < out->n_fields; i++) out->n_words += out->fields[i];
    find_starts(out, out->n_units, out->starts, &out->tails);
    uint64_t row_bytes = out->n_words * 4 + (out->half_tail ? 2 : 0);
    out->block_pieces = row_bytes * rows / GW_PIECE_BYTES;
    // Whole units of the widest plane are left out of the last block.
    uint64_t missing = out->n_blocks * (GW_BLOCK_MAX / step) - out->n_units;
    uint64_t unit_words = planes[0] / (GW_BLOCK_MAX / step);
    uint64_t cut = unit_words % 4 ? 0 : missing * unit_words / 4 * rows;
    out->group_pieces = out->n_blocks * out->block_pieces - cut;
}

// Words [at, at + n) of a row's record into a block of its group, in whole pieces where they are.
static void put_words(const gw_row_layout *l, const uint32_t *words, uint32_t at, uint32_t n,
                      uint32_t r, uint8_t *block) {
    const uint32_t alone = l->n_words % 4, end = at + n;
    const size_t step = (size_t)l->rows * GW_PIECE_BYTES;
    for (; at < end && at < alone; at++) memcpy(block + (at * l->rows + r) * 4, words++, 4);
    uint8_t *pieces = block + (size_t)alone * l->rows * 4 + (size_t)r * GW_PIECE_BYTES;
    while (at < end) {
        uint32_t in_piece = (at - alone) % 4;
        uint8_t *to = pieces + (at - alone) / 4 * step + in_piece * 4;
        if (in_piece || end - at < 4) {
            memcpy(to, words++, 4);
            at++;
        } else {
            for (; end - at >= 4; at += 4, words += 4, to += step) memcpy(to, words, 16);
        }
    }
}

static void gather(const gw_row_layout *l, const uint8_t *block, uint32_t n, uint32_t r,
                   uint32_t *record) {
    uint32_t alone = l->n_words % 4;
    for (uint32_t w = 0; w < alone; w++) memcpy(record + w, block + (w * l->rows + r) * 4, 4);
    const uint8_t *pieces = block + (size_t)alone * l->rows * 4 + (size_t)r * GW_PIECE_BYTES;
    for (uint32_t i = 0; i < (n - alone) / 4; i++) {
        memcpy(record + alone + 4 * i, pieces + (size_t)i * l->rows * GW_PIECE_BYTES, 16);
    }
}

// Words of block b's record that are stored: the last block is cut.
static uint32_t stored_words(const gw_row_layout *l, uint64_t b) {
    uint64_t pieces = l->group_pieces - b * l->block_pieces;
    if (pieces > l->block_pieces) pieces = l->block_pieces;
    uint64_t bytes = pieces * GW_PIECE_BYTES / l->rows - (l->half_tail ? 2 : 0);
    return (uint32_t)(bytes / 4);
}

// Words of field i that block b of a row has: the last block may be short.
static uint32_t words_of(const gw_row_layout *l, uint32_t i, uint64_t b) {
    uint64_t per_block = GW_BLOCK_MAX / gw_format_unit(l->format),
             left = l->n_units - b * per_block;
    if (left >= per_block) return l->fields[i];
    return (uint32_t)((left * l->fields[i] + per_block - 1) / per_block);
}

// The fields of the last block, which may be short: what is not there is zeros, and the end is cut.
static void put_last(const gw_row_layout *l, const gw_packed *row, uint32_t r, uint8_t *block) {
    uint64_t b = l->n_blocks - 1;
    uint32_t record[GW_RECORD_WORDS] = {0}, at = 0;
    for (uint32_t i = 0; i < l->n_fields; i++) {
        const uint32_t *from = (i < 2 ? row->sides : row->quants) + l->starts[i];
        memcpy(record + at, from + b * l->fields[i], words_of(l, i, b) * sizeof *record);
        at += l->fields[i];
    }
    put_words(l, record, 0, stored_words(l, b), r, block);
}

void gw_layout_put(const gw_row_layout *l, const gw_packed *row, uint32_t r, uint8_t *group) {
    for (uint64_t b = 0; b < l->n_blocks; b++) {
        uint8_t *block = group + b * l->block_pieces * GW_PIECE_BYTES;
        if (l->half_tail) {
            uint16_t half = (uint16_t)(row->sides[l->tails + b / 2] >> (b % 2 * 16));
            memcpy(block + r * 2, &half, 2);
            block += l->rows * 2;
        }
        if (b + 1 == l->n_blocks) {
            put_last(l, row, r, block);
            continue;
        }
        for (uint32_t i = 0, at = 0; i < l->n_fields; at += l->fields[i++]) {
            const uint32_t *from = (i < 2 ? row->sides : row->quants) + l->starts[i];
            put_words(l, from + b * l->fields[i], at, l->fields[i], r, block);
        }
    }
}

void gw_layout_get(const gw_row_layout *l, const uint8_t *bytes, uint64_t row, uint64_t b,
                   gw_block_row *out) {
    const uint64_t units = GW_BLOCK_MAX / gw_format_unit(l->format);
    uint32_t r = (uint32_t)(row % l->rows), record[GW_RECORD_WORDS] = {0}, at = 0;
    uint64_t starts[5], tails;
    const uint8_t *block =
        bytes + row / l->rows * gw_layout_group_bytes(l) + b * l->block_pieces * GW_PIECE_BYTES;
    find_starts(l, units, starts, &tails);
    out->packed = (gw_packed){
        .quants = out->quants, .sides = out->sides, .n_units = units, .table = l->format->table};
    if (l->half_tail) {
        uint16_t half;
        memcpy(&half, block + r * 2, 2);
        out->sides[tails] = half;
        block += l->rows * 2;
    }
    gather(l, block, stored_words(l, b), r, record);
    for (uint32_t i = 0; i < l->n_fields; i++) {
        uint32_t *to = (i < 2 ? out->sides : out->quants) + starts[i];
        memcpy(to, record + at, l->fields[i] * sizeof *record);
        at += l->fields[i];
    }
}
