// IQ1_S: 256 weights, in eights points of a grid of -1, 0, 1, moved by delta = 1/8 or -1/8; a 3-bit
// scale for each 32.
//   w = d / 8 * (2 * scale + 1) * 8 (point + delta), 19 bits at most
//
//   file:   | d: f16 | 32 low bytes of points' numbers |
//           | 8 * u16: 4 * 3 high bits, scale in 3 bits, delta is negative |       50 bytes
//   repack: quants 1 word a unit: low bytes of 4 numbers
//           sides 4 words a block: the 8 * u16; tails: d
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 50 };

typedef struct parts {
    uint32_t low, side;
} parts;

static void fill(const uint16_t *table, const parts *p, uint32_t d, gw_unit *out) {
    for (int g = 0; g < 4; g++) {
        uint32_t at = (p->low >> (8 * g) & 255) | (p->side >> (3 * g) & 7) << 8;
        gw_iq1_point(table[at], p->side >> 15, out->q + 8 * g);
    }
    out->d = gw_f16_to_f32(d) * 0.125f;
    out->s[0] = out->s[1] = (int32_t)(2 * (p->side >> 12 & 7) + 1);
}

static void read_parts(const uint8_t *block, uint32_t unit, parts *out) {
    out->low = gw_word_at(block + 2 + unit * 4);
    out->side = gw_half_at(block + 34 + unit * 2);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    parts p;
    read_parts(block, unit, &p);
    fill(gw_grid_iq1, &p, gw_half_at(block), out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq1,
                                  .n_points = GW_N_GRID_IQ1,
                                  .code_bits = 2,
                                  .values = {{-7, 1, 9}, {-9, -1, 7}},
                                  .levels = {9.0f, 12.0f, 16.0f, 21.0f},
                                  .n_scale = 32,
                                  .max_scale = 7,
                                  .signs = GW_GRID_UNSIGNED,
                                  .n_shift = 32,
                                  .unit_d = 0.125f};

static void put(const gw_grid_block *found, uint8_t *block) {
    gw_put_half(block, found->half);
    for (uint32_t u = 0; u < 8; u++) {
        uint32_t side = (uint32_t)found->scales[u] << 12 | (uint32_t)found->shifts[u * 4] << 15;
        for (uint32_t g = 0; g < 4; g++) {
            block[2 + u * 4 + g] = (uint8_t)found->points[u * 4 + g];
            side |= (uint32_t)(found->points[u * 4 + g] >> 8) << (3 * g);
        }
        gw_put_half(block + 34 + u * 2, side);
    }
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    gw_grid_quantize(&kind, src, weights, n, BLOCK_BYTES, put, out);
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        parts p;
        read_parts(block, u % 8, &p);
        out->quants[u] = p.low;
        gw_put_tail_half(out->sides, u, p.side);
    }
    return gw_iq_put_tails(row, n / BLOCK, BLOCK_BYTES, out->sides + n / BLOCK * 4);
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *tails = row->sides + row->n_units / 8 * 4;
    parts p = {.low = row->quants[at], .side = gw_tail_half(row->sides, at)};
    fill(row->table, &p, gw_tail_half(tails, at / 8), out);
}

const gw_format gw_format_iq1_s = {.id = GW_FMT_iq1_s,
                                   .type = GODWIT_IQ1_S,
                                   .file_type = 24,
                                   .name = "iq1_s",
                                   .form = GW_FORM_SUB,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 8,
                                   .side_words = 4,
                                   .tail_bytes = 2,
                                   .table = gw_grid_iq1,
                                   .n_table = GW_N_GRID_IQ1,
                                   .needs_importances = true,
                                   .limit = 16 * GW_HALF_MAX,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
