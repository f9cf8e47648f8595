// IQ1_M: 256 weights, in eights points of a grid of -1, 0, 1, each moved by its delta = 1/8 or
// -1/8; a 3-bit scale for each 16.
//   w = d / 8 * (2 * scale + 1) * 8 (point + delta), 19 bits at most
//
//   file:   | 32 low bytes of points' numbers | 32 * 4 bits: 3 high bits, delta is negative |
//           | 4 * u16: 4 scales of 3 bits, a nibble of d (f16, the lowest first) |    56 bytes
//   repack: quants 1 word a unit: low bytes of 4 numbers
//           sides 6 words a block: the 32 * 4 bits, the 4 * u16
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 56 };

static uint32_t scale_of(uint32_t a, uint32_t b) {
    return (a >> 12 & 0xf) | (a >> 24 & 0xf0) | (b >> 4 & 0xf00) | (b >> 16 & 0xf000);
}

// low: low bytes of the unit's numbers, side: its 4 * 4 bits; a, b: the block's 4 * u16.
static void fill(const uint16_t *table, uint32_t low, uint32_t side, uint32_t a, uint32_t b,
                 uint32_t unit, gw_unit *out) {
    for (int g = 0; g < 4; g++) {
        uint32_t part = side >> (4 * g);
        uint32_t at = (low >> (8 * g) & 255) | (part & 7) << 8;
        gw_iq1_point(table[at], part >> 3 & 1, out->q + 8 * g);
    }
    uint32_t scales = (unit < 4 ? a : b) >> (unit % 4 / 2 * 16 + unit % 2 * 6);
    out->d = gw_f16_to_f32(scale_of(a, b)) * 0.125f;
    out->s[0] = (int32_t)(2 * (scales & 7) + 1);
    out->s[1] = (int32_t)(2 * (scales >> 3 & 7) + 1);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    fill(gw_grid_iq1, gw_word_at(block + unit * 4), gw_half_at(block + 32 + unit * 2),
         gw_word_at(block + 48), gw_word_at(block + 52), unit, out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq1,
                                  .n_points = GW_N_GRID_IQ1,
                                  .code_bits = 2,
                                  .values = {{-7, 1, 9}, {-9, -1, 7}},
                                  .levels = {9.0f, 12.0f, 16.0f, 21.0f},
                                  .n_scale = 16,
                                  .max_scale = 7,
                                  .signs = GW_GRID_UNSIGNED,
                                  .n_shift = 8,
                                  .unit_d = 0.125f};

static void put(const gw_grid_block *found, uint8_t *block) {
    for (uint32_t g = 0; g < 32; g++) {
        block[g] = (uint8_t)found->points[g];
        block[32 + g / 2] |=
            (uint8_t)((found->points[g] >> 8 | found->shifts[g] << 3) << g % 2 * 4);
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t item = (found->half >> (4 * i) & 15) << 12;
        for (uint32_t k = 0; k < 4; k++) item |= (uint32_t)found->scales[i * 4 + k] << (3 * k);
        gw_put_half(block + 48 + i * 2, item);
    }
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    gw_grid_quantize(&kind, src, weights, n, BLOCK_BYTES, put, out);
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        memcpy(out->quants + b * 8, block, 32);
        memcpy(out->sides + b * 6, block + 32, 24);
        finite &= gw_half_finite(scale_of(gw_word_at(block + 48), gw_word_at(block + 52)));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *side = row->sides + at / 8 * 6;
    fill(row->table, row->quants[at], gw_tail_half(side, at % 8), side[4], side[5], at % 8, out);
}

const gw_format gw_format_iq1_m = {.id = GW_FMT_iq1_m,
                                   .type = GODWIT_IQ1_M,
                                   .file_type = 31,
                                   .name = "iq1_m",
                                   .form = GW_FORM_SUB,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 8,
                                   .side_words = 6,
                                   .table = gw_grid_iq1,
                                   .n_table = GW_N_GRID_IQ1,
                                   .needs_importances = true,
                                   .limit = 16 * GW_HALF_MAX,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
