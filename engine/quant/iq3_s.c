// IQ3_S: 256 weights, in fours points of a grid with signs; a 4-bit scale for each 32.
//   w = d * (2 * scale + 1) * +-point, 20 bits at most
//
//   file:   | d: f16 | 64 low bytes of points' numbers | 64 ninth bits | 32 bytes of signs |
//           | 8 * 4 bits: scales |                                              110 bytes
//   repack: quants 3 words a unit: low bytes of 8 numbers; signs (iq.h)
//           sides 3 words a block: a byte of ninth bits a unit; the scales; tails: d
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 110 };

typedef struct parts {
    uint32_t low[2], ninth, scale;
    uint8_t signs[4];
} parts;

static void fill(const uint16_t *table, const parts *p, uint32_t d, gw_unit *out) {
    for (int g = 0; g < GW_UNIT / 4; g++) {
        uint32_t at = (p->low[g / 4] >> (g % 4 * 8) & 255) | (p->ninth >> g & 1) << 8;
        uint32_t entry = table[at], signs = p->signs[g / 2] >> (g % 2 * 4);
        for (int i = 0; i < 4; i++) {
            int value = (int)(2 * (entry >> (i * 4) & 7) + 1);
            out->q[4 * g + i] = gw_iq_with_sign(value, signs >> i);
        }
    }
    out->d = gw_f16_to_f32(d);
    out->s[0] = out->s[1] = (int32_t)(2 * p->scale + 1);
}

static void read_parts(const uint8_t *block, uint32_t unit, parts *out) {
    out->low[0] = gw_word_at(block + 2 + unit * 8);
    out->low[1] = gw_word_at(block + 2 + unit * 8 + 4);
    out->ninth = block[66 + unit];
    memcpy(out->signs, block + 74 + unit * 4, 4);
    out->scale = block[106 + unit / 2] >> (unit % 2 * 4) & 15;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    parts p;
    read_parts(block, unit, &p);
    fill(gw_grid_iq3_s, &p, gw_half_at(block), out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq3_s,
                                  .n_points = GW_N_GRID_IQ3_S,
                                  .code_bits = 4,
                                  .values = {{1, 3, 5, 7, 9, 11, 13, 15}},
                                  .levels = {12.0f, 14.25f, 16.5f, 18.75f},
                                  .max_scale = 15,
                                  .n_scale = 32,
                                  .unit_d = 1.0f};

static void put(const gw_grid_block *found, uint8_t *block) {
    gw_put_half(block, found->half);
    for (int i = 0; i < 64; i++) {
        block[2 + i] = (uint8_t)found->points[i];
        block[66 + i / 8] |= (uint8_t)(found->points[i] >> 8 << (i % 8));
    }
    memcpy(block + 74, found->signs, sizeof found->signs);
    gw_put_scales(found->scales, 8, block + 106);
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    gw_grid_quantize(&kind, src, weights, n, BLOCK_BYTES, put, out);
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        parts p;
        read_parts(block, u % 8, &p);
        memcpy(out->quants + u * 3, p.low, sizeof p.low);
        out->quants[u * 3 + 2] = gw_iq_put_signs(p.signs);
        gw_put_tail_byte(out->sides + u / 8 * 3, u % 8, p.ninth);
        out->sides[u / 8 * 3 + 2] |= p.scale << (u % 8 * 4);
    }
    return gw_iq_put_tails(row, n / BLOCK, BLOCK_BYTES, out->sides + n / BLOCK * 3);
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *side = row->sides + at / 8 * 3, *tails = row->sides + row->n_units / 8 * 3;
    parts p = {.ninth = gw_tail_byte(side, at % 8), .scale = side[2] >> (at % 8 * 4) & 15};
    memcpy(p.low, row->quants + at * 3, sizeof p.low);
    gw_iq_get_signs(row->quants[at * 3 + 2], p.signs);
    fill(row->table, &p, gw_tail_half(tails, at / 8), out);
}

const gw_format gw_format_iq3_s = {.id = GW_FMT_iq3_s,
                                   .type = GODWIT_IQ3_S,
                                   .file_type = 26,
                                   .name = "iq3_s",
                                   .form = GW_FORM_SUB,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 24,
                                   .side_words = 3,
                                   .tail_bytes = 2,
                                   .table = gw_grid_iq3_s,
                                   .n_table = GW_N_GRID_IQ3_S,
                                   .limit = 372 * GW_HALF_MAX,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
