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

// Where the fields of a block begin in its sides, or quants: tails behind sides, the widest plane
// first.
static void find_starts(gw_row_layout *l) {
    uint32_t at = 0;
    l->starts[0] = l->fields[1];
    l->starts[1] = 0;
    for (uint32_t i = l->n_fields; i-- > 2;) {
        l->starts[i] = at;
        at += l->fields[i];
    }
}

void gw_layout_of(const gw_format *f, uint64_t n_cols, uint32_t rows, gw_row_layout *out) {
    bool is_float = gw_format_is_float(f);
    uint32_t planes[MAX_PLANES], n_planes = planes_of(f, planes);
    uint32_t step = is_float ? GW_FLOAT_UNIT : GW_UNIT;
    *out = (gw_row_layout){.format = f,
                           .rows = rows,
                           .n_cols = n_cols,
                           .n_units = gw_format_units(f, n_cols),
                           .half_tail = f->tail_bytes == 2 && f->block == GW_BLOCK_MAX};
    out->block_units = GW_BLOCK_MAX / step;
    out->file_bytes = GW_BLOCK_MAX / f->block * f->block_bytes;
    out->n_blocks = (out->n_units * step + GW_BLOCK_MAX - 1) / GW_BLOCK_MAX;
    uint32_t blocks = is_float ? 0 : GW_BLOCK_MAX / f->block; // of the file in one of ours
    out->fields[out->n_fields++] = out->half_tail ? 0 : blocks * f->tail_bytes / 4;
    out->fields[out->n_fields++] = blocks * f->side_words;
    for (uint32_t i = n_planes; i-- > 0;) out->fields[out->n_fields++] = planes[i];
    for (uint32_t i = 0; i < out->n_fields; i++) out->n_words += out->fields[i];
    find_starts(out);
    uint64_t row_bytes = out->n_words * 4 + (out->half_tail ? 2 : 0);
    out->block_pieces = row_bytes * rows / GW_PIECE_BYTES;
    // Whole units of the widest plane are left out of the last block.
    uint64_t missing = out->n_blocks * out->block_units - out->n_units;
    uint64_t unit_words = planes[0] / out->block_units;
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

static void empty_block(const gw_row_layout *l, gw_block_row *out) {
    memset(out->quants, 0, l->n_words * sizeof *out->quants);
    memset(out->sides, 0, sizeof out->sides);
    out->packed = (gw_packed){.quants = out->quants,
                              .sides = out->sides,
                              .n_units = l->block_units,
                              .table = l->format->table};
}

bool gw_layout_put(const gw_row_layout *l, const uint8_t *row, uint64_t b, uint32_t r,
                   uint8_t *group) {
    uint8_t *block = group + b * l->block_pieces * GW_PIECE_BYTES;
    uint64_t left = l->n_cols - b * GW_BLOCK_MAX, n = left < GW_BLOCK_MAX ? left : GW_BLOCK_MAX;
    uint32_t end = b + 1 < l->n_blocks ? l->n_words : stored_words(l, b);
    gw_block_row x;
    empty_block(l, &x);
    bool finite = l->format->repack(row + b * l->file_bytes, n, &x.packed);
    if (l->half_tail) {
        memcpy(block + r * 2, &x.sides[l->starts[0]], 2);
        block += l->rows * 2;
    }
    // Tails last: a load waits for the small stores that it spans.
    for (uint32_t i = l->n_fields, at = l->n_words; i-- > 0;) {
        const uint32_t *from = (i < 2 ? x.sides : x.quants) + l->starts[i];
        at -= l->fields[i];
        if (at < end)
            put_words(l, from, at, l->fields[i] < end - at ? l->fields[i] : end - at, r, block);
    }
    return finite;
}

void gw_layout_get(const gw_row_layout *l, const uint8_t *bytes, uint64_t row, uint64_t b,
                   gw_block_row *out) {
    uint32_t r = (uint32_t)(row % l->rows), record[GW_RECORD_WORDS] = {0}, at = 0;
    const uint8_t *block =
        bytes + row / l->rows * gw_layout_group_bytes(l) + b * l->block_pieces * GW_PIECE_BYTES;
    empty_block(l, out);
    if (l->half_tail) {
        memcpy(&out->sides[l->starts[0]], block + r * 2, 2);
        block += l->rows * 2;
    }
    gather(l, block, stored_words(l, b), r, record);
    for (uint32_t i = 0; i < l->n_fields; i++) {
        uint32_t *to = (i < 2 ? out->sides : out->quants) + l->starts[i];
        memcpy(to, record + at, l->fields[i] * sizeof *record);
        at += l->fields[i];
    }
}
