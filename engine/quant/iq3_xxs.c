// IQ3_XXS: 256 weights, in fours points of a grid with signs; a 4-bit scale for each 32.
//   w = d / 4 * (2 * scale + 1) * +-point, 22 bits at most
//
//   file:   | d: f16 | 64 bytes: numbers of points | 8 * u32: 4 * 7 signs, scale in 4 bits |
//           98 bytes
//   repack: quants 3 words a unit: the numbers; signs with the scale as spare (iq.h); tails: d
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 98 };

typedef struct parts {
    uint32_t points[2], scale;
    uint8_t signs[4];
} parts;

static void fill(const uint16_t *table, const parts *p, uint32_t d, gw_unit *out) {
    for (int g = 0; g < GW_UNIT / 4; g++) {
        uint32_t entry = table[p->points[g / 4] >> (g % 4 * 8) & 255];
        uint32_t signs = p->signs[g / 2] >> (g % 2 * 4);
        for (int i = 0; i < 4; i++) {
            uint32_t code = entry >> (i * 4) & 7;
            int value = (int)(4 + 8 * code + ((code + 1) >> 3 << 1)); // 4, 12, .. 52, 62
            out->q[4 * g + i] = gw_iq_with_sign(value, signs >> i);
        }
    }
    out->d = gw_f16_to_f32(d) * 0.25f;
    out->s[0] = out->s[1] = (int32_t)(2 * p->scale + 1);
}

static void read_parts(const uint8_t *block, uint32_t unit, parts *out) {
    uint32_t word = gw_word_at(block + 66 + unit * 4);
    out->points[0] = gw_word_at(block + 2 + unit * 8);
    out->points[1] = gw_word_at(block + 2 + unit * 8 + 4);
    out->scale = word >> 28;
    for (int g = 0; g < 4; g++) out->signs[g] = gw_iq_eighth(word >> (7 * g));
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    parts p;
    read_parts(block, unit, &p);
    fill(gw_grid_iq3_xxs, &p, gw_half_at(block), out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq3_xxs,
                                  .n_points = GW_N_GRID_IQ3_XXS,
                                  .code_bits = 4,
                                  .values = {{4, 12, 20, 28, 36, 44, 52, 62}},
                                  .levels = {50.0f, 59.0f, 68.0f, 77.0f},
                                  .max_scale = 15,
                                  .n_scale = 32,
                                  .signs = GW_GRID_EVEN,
                                  .unit_d = 0.25f};

static void put(const gw_grid_block *found, uint8_t *block) {
    gw_put_half(block, found->half);
    for (int i = 0; i < 64; i++) block[2 + i] = (uint8_t)found->points[i];
    for (uint32_t u = 0; u < 8; u++) {
        uint32_t word = (uint32_t)found->scales[u] << 28;
        for (uint32_t g = 0; g < 4; g++) {
            word |= (uint32_t)(found->signs[u * 4 + g] & 127) << (7 * g);
        }
        gw_put_half(block + 66 + u * 4, word & 0xffffu);
        gw_put_half(block + 68 + u * 4, word >> 16);
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
        memcpy(out->quants + u * 3, p.points, sizeof p.points);
        out->quants[u * 3 + 2] = gw_iq_put_sevens(p.signs, p.scale);
    }
    return gw_iq_put_tails(row, n / BLOCK, BLOCK_BYTES, out->sides);
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    parts p;
    memcpy(p.points, row->quants + at * 3, sizeof p.points);
    p.scale = gw_iq_get_sevens(row->quants[at * 3 + 2], p.signs);
    fill(row->table, &p, gw_tail_half(row->sides, at / 8), out);
}

const gw_format gw_format_iq3_xxs = {.id = GW_FMT_iq3_xxs,
                                     .type = GODWIT_IQ3_XXS,
                                     .file_type = 23,
                                     .name = "iq3_xxs",
                                     .form = GW_FORM_SUB,
                                     .block = BLOCK,
                                     .block_bytes = BLOCK_BYTES,
                                     .quant_words = 24,
                                     .tail_bytes = 2,
                                     .table = gw_grid_iq3_xxs,
                                     .n_table = GW_N_GRID_IQ3_XXS,
                                     .limit = 387 * GW_HALF_MAX,
                                     .decode = decode,
                                     .quantize = quantize,
                                     .repack = repack,
                                     .unpack = unpack};
