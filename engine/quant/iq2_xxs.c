// IQ2_XXS: 256 weights, in eights points of a grid with signs; a 4-bit scale for each 32.
//   w = d / 8 * (2 * scale + 1) * +-point, 22 bits at most
//
//   file:   | d: f16 | 8 units: 4 bytes: numbers of points; 4 * 7 signs, scale in 4 bits |  66
//   bytes repack: quants 2 words a unit: the numbers; signs with the scale as spare (iq.h); tails:
//   d
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 66 };

typedef struct parts {
    uint32_t points, scale;
    uint8_t signs[4];
} parts;

static void fill(const uint16_t *table, const parts *p, uint32_t d, gw_unit *out) {
    for (int g = 0; g < 4; g++) {
        gw_iq2_point(table[p->points >> (8 * g) & 255], p->signs[g], out->q + 8 * g);
    }
    out->d = gw_f16_to_f32(d) * 0.125f;
    out->s[0] = out->s[1] = (int32_t)(2 * p->scale + 1);
}

static void read_parts(const uint8_t *block, uint32_t unit, parts *out) {
    uint32_t word = gw_word_at(block + 2 + unit * 8 + 4);
    out->points = gw_word_at(block + 2 + unit * 8);
    out->scale = word >> 28;
    for (int g = 0; g < 4; g++) out->signs[g] = gw_iq_eighth(word >> (7 * g));
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    parts p;
    read_parts(block, unit, &p);
    fill(gw_grid_iq2_xxs, &p, gw_half_at(block), out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq2_xxs,
                                  .n_points = GW_N_GRID_IQ2_XXS,
                                  .code_bits = 2,
                                  .values = {{8, 25, 43}},
                                  .levels = {32.0f, 40.0f, 47.0f, 56.0f},
                                  .n_scale = 32,
                                  .max_scale = 15,
                                  .signs = GW_GRID_EVEN,
                                  .unit_d = 0.125f};

static void put(const gw_grid_block *found, uint8_t *block) {
    gw_put_half(block, found->half);
    for (uint32_t u = 0; u < 8; u++) {
        uint32_t word = (uint32_t)found->scales[u] << 28;
        for (uint32_t g = 0; g < 4; g++) {
            block[2 + u * 8 + g] = (uint8_t)found->points[u * 4 + g];
            word |= (uint32_t)(found->signs[u * 4 + g] & 127) << (7 * g);
        }
        gw_put_half(block + 6 + u * 8, word & 0xffffu);
        gw_put_half(block + 8 + u * 8, word >> 16);
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
        out->quants[u * 2] = p.points;
        out->quants[u * 2 + 1] = gw_iq_put_sevens(p.signs, p.scale);
    }
    return gw_iq_put_tails(row, n / BLOCK, BLOCK_BYTES, out->sides);
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    parts p = {.points = row->quants[at * 2]};
    p.scale = gw_iq_get_sevens(row->quants[at * 2 + 1], p.signs);
    fill(row->table, &p, gw_tail_half(row->sides, at / 8), out);
}

const gw_format gw_format_iq2_xxs = {.id = GW_FMT_iq2_xxs,
                                     .type = GODWIT_IQ2_XXS,
                                     .file_type = 19,
                                     .name = "iq2_xxs",
                                     .form = GW_FORM_SUB,
                                     .block = BLOCK,
                                     .block_bytes = BLOCK_BYTES,
                                     .quant_words = 16,
                                     .tail_bytes = 2,
                                     .table = gw_grid_iq2_xxs,
                                     .n_table = GW_N_GRID_IQ2_XXS,
                                     .needs_importances = true,
                                     .limit = 124 * GW_HALF_MAX,
                                     .decode = decode,
                                     .quantize = quantize,
                                     .repack = repack,
                                     .unpack = unpack};
