// IQ2_S: 256 weights, in eights points of a grid with signs; a 4-bit scale for each 16.
//   w = d / 8 * (2 * scale + 1) * +-point, 22 bits at most
//
//   file:   | d: f16 | 32 low bytes of points' numbers | 32 bytes of signs | 32 * 2 high bits |
//           | 16 * 4 bits: scales |                                              82 bytes
//   repack: quants 2 words a unit: low bytes of 4 numbers; signs (iq.h)
//           sides 4 words a block: a half a unit: 4 * 2 high bits, 2 * 4 bits: scales; tails: d
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 82 };

typedef struct parts {
    uint32_t low, side;
    uint8_t signs[4];
} parts;

static void fill(const uint16_t *table, const parts *p, uint32_t d, gw_unit *out) {
    for (int g = 0; g < 4; g++) {
        uint32_t at = (p->low >> (8 * g) & 255) | (p->side >> (2 * g) & 3) << 8;
        gw_iq2_point(table[at], p->signs[g], out->q + 8 * g);
    }
    out->d = gw_f16_to_f32(d) * 0.125f;
    out->s[0] = (int32_t)(2 * (p->side >> 8 & 15) + 1);
    out->s[1] = (int32_t)(2 * (p->side >> 12) + 1);
}

static void read_parts(const uint8_t *block, uint32_t unit, parts *out) {
    out->low = gw_word_at(block + 2 + unit * 4);
    memcpy(out->signs, block + 34 + unit * 4, 4);
    out->side = block[66 + unit] | (uint32_t)block[74 + unit] << 8;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    parts p;
    read_parts(block, unit, &p);
    fill(gw_grid_iq2_s, &p, gw_half_at(block), out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq2_s,
                                  .n_points = GW_N_GRID_IQ2_S,
                                  .code_bits = 2,
                                  .values = {{8, 25, 43}},
                                  .levels = {32.0f, 40.0f, 47.0f, 56.0f},
                                  .max_scale = 15,
                                  .n_scale = 16,
                                  .unit_d = 0.125f};

static void put(const gw_grid_block *found, uint8_t *block) {
    gw_put_half(block, found->half);
    for (int g = 0; g < 32; g++) {
        block[2 + g] = (uint8_t)found->points[g];
        block[66 + g / 4] |= (uint8_t)(found->points[g] >> 8 << (2 * (g % 4)));
    }
    memcpy(block + 34, found->signs, sizeof found->signs);
    gw_put_scales(found->scales, 16, block + 74);
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    gw_grid_quantize(&kind, src, weights, n, BLOCK_BYTES, put, out);
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        parts p;
        read_parts(block, u % 8, &p);
        out->quants[u * 2] = p.low;
        out->quants[u * 2 + 1] = gw_iq_put_signs(p.signs);
        gw_put_tail_half(out->sides, u, p.side);
    }
    return gw_iq_put_tails(row, n / BLOCK, BLOCK_BYTES, out->sides + n / BLOCK * 4);
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *tails = row->sides + row->n_units / 8 * 4;
    parts p = {.low = row->quants[at * 2], .side = gw_tail_half(row->sides, at)};
    gw_iq_get_signs(row->quants[at * 2 + 1], p.signs);
    fill(row->table, &p, gw_tail_half(tails, at / 8), out);
}

const gw_format gw_format_iq2_s = {.id = GW_FMT_iq2_s,
                                   .type = GODWIT_IQ2_S,
                                   .file_type = 28,
                                   .name = "iq2_s",
                                   .form = GW_FORM_SUB,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 16,
                                   .side_words = 4,
                                   .tail_bytes = 2,
                                   .table = gw_grid_iq2_s,
                                   .n_table = GW_N_GRID_IQ2_S,
                                   .limit = 124 * GW_HALF_MAX,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
