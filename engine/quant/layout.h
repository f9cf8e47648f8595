// Layout: how the repacked rows of a weight lie on a device; the twin of shaders/lib/weights.glsl.
//
// Rows are taken in groups of 32 (a weight that is read as plain fp32 rows: of 1), columns in blocks
// of 256. What a kernel reads of a block's row is its record: the same bits as in the file, in 32-bit
// words: tails, sides, then planes, the narrowest first. A group and block is
//
//   [32 rows] the half tail, where a block has one
//   [w % 4][32 rows] the first words of the record, one by one
//   [w / 4][32 rows] the other ones, in pieces of four words, 16 bytes
//
// and those of a group lie one behind the other. So 32 lanes that own a row each read 512 bytes side
// by side, and all that a block needs is in one place. The last block is cut behind the last piece
// that its columns need: the widest plane is the last one for that. The last group is whole, its
// missing rows are zeros.
#ifndef GW_QUANT_LAYOUT_H
#define GW_QUANT_LAYOUT_H

#include "quant/quant.h"

enum { GW_GROUP_ROWS = 32, GW_PIECE_BYTES = 16, GW_RECORD_WORDS = GW_BLOCK_MAX };

typedef struct gw_row_layout {
    const gw_format *format;
    uint32_t rows; // of a group: GW_GROUP_ROWS or 1
    uint64_t n_cols;
    uint64_t n_units;      // gw_format_units
    uint64_t n_blocks;     // of a row
    uint32_t block_units;  // of a whole block
    uint32_t file_bytes;   // of a whole block as the file has it
    uint32_t n_words;      // of a record
    bool half_tail;        // and a half beside them
    uint32_t n_fields;     // where a record's words come from, in their order
    uint32_t fields[5];    // words of each: tails, sides, planes from the last to the first
    uint32_t starts[5];    // where each begins in a repacked block's sides, or quants
    uint64_t block_pieces; // of a whole block, in pieces of 16 bytes
    uint64_t group_pieces;
} gw_row_layout;

void gw_layout_of(const gw_format *format, uint64_t n_cols, uint32_t rows, gw_row_layout *out);

static inline uint64_t gw_layout_group_bytes(const gw_row_layout *layout) {
    return layout->group_pieces * GW_PIECE_BYTES;
}
static inline uint64_t gw_layout_bytes(const gw_row_layout *layout, uint64_t n_rows) {
    return (n_rows + layout->rows - 1) / layout->rows * gw_layout_group_bytes(layout);
}

// Block b of a row, given as the file has the row, repacked to its place as row r of a group: all of
// its bytes. False when it holds NaN or infinity. Rows of a group that are missing stay as they are:
// the caller zeroes a group that is not whole.
bool gw_layout_put(const gw_row_layout *layout, const uint8_t *row, uint64_t b, uint32_t r,
                   uint8_t *group);

// A row's block as gw_format.unpack reads it: units 0 to 7 (of float formats: 0 to 31).
typedef struct gw_block_row {
    uint32_t quants[GW_RECORD_WORDS];
    uint32_t sides[16];
    gw_packed packed;
} gw_block_row;
// Block b of row `row` of a weight's bytes.
void gw_layout_get(const gw_row_layout *layout, const uint8_t *bytes, uint64_t row, uint64_t b,
                   gw_block_row *out);

#endif
