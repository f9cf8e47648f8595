// IQ2_XS: 256 weights, in eights points of a grid with signs; a 4-bit scale for each 16.
//   w = d / 8 * (2 * scale + 1) * +-point, 22 bits at most
//
//   file:   | d: f16 | 32 * u16: number of a point in 9 bits, 7 signs | 16 * 4 bits: scales |  74
//   bytes
//   repack: quants 2 words a unit: low bytes of 4 numbers; signs with their ninth bits as spare
//           (iq.h); sides 2 words a block: the scales; tails: d
#include "quant/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 74 };

typedef struct parts {
    uint32_t low, ninth, scales; // ninth: 4 bits; scales: of a unit, 2 nibbles
    uint8_t signs[4];
} parts;

static void fill(const uint16_t *table, const parts *p, uint32_t d, gw_unit *out) {
    for (int g = 0; g < 4; g++) {
        uint32_t at = (p->low >> (8 * g) & 255) | (p->ninth >> g & 1) << 8;
        gw_iq2_point(table[at], p->signs[g], out->q + 8 * g);
    }
    out->d = gw_f16_to_f32(d) * 0.125f;
    out->s[0] = (int32_t)(2 * (p->scales & 15) + 1);
    out->s[1] = (int32_t)(2 * (p->scales >> 4) + 1);
}

static void read_parts(const uint8_t *block, uint32_t unit, parts *out) {
    *out = (parts){.scales = block[66 + unit]};
    for (uint32_t g = 0; g < 4; g++) {
        uint32_t item = gw_half_at(block + 2 + unit * 8 + g * 2);
        out->low |= (item & 255) << (8 * g);
        out->ninth |= (item >> 8 & 1) << g;
        out->signs[g] = gw_iq_eighth(item >> 9);
    }
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    parts p;
    read_parts(block, unit, &p);
    fill(gw_grid_iq2_xs, &p, gw_half_at(block), out);
}

static const gw_grid_kind kind = {.grid = gw_grid_iq2_xs,
                                  .n_points = GW_N_GRID_IQ2_XS,
                                  .code_bits = 2,
                                  .values = {{8, 25, 43}},
                                  .levels = {32.0f, 40.0f, 47.0f, 56.0f},
                                  .n_scale = 16,
                                  .max_scale = 15,
                                  .signs = GW_GRID_EVEN,
                                  .unit_d = 0.125f};

static void put(const gw_grid_block *found, uint8_t *block) {
    gw_put_half(block, found->half);
    for (uint32_t g = 0; g < 32; g++) {
        gw_put_half(block + 2 + g * 2, found->points[g] | (found->signs[g] & 127u) << 9);
    }
    gw_put_scales(found->scales, 16, block + 66);
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
        out->quants[u * 2 + 1] = gw_iq_put_sevens(p.signs, p.ninth);
        gw_put_tail_byte(out->sides, u, p.scales);
    }
    return gw_iq_put_tails(row, n / BLOCK, BLOCK_BYTES, out->sides + n / BLOCK * 2);
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *tails = row->sides + row->n_units / 8 * 2;
    parts p = {.low = row->quants[at * 2], .scales = gw_tail_byte(row->sides, at)};
    p.ninth = gw_iq_get_sevens(row->quants[at * 2 + 1], p.signs);
    fill(row->table, &p, gw_tail_half(tails, at / 8), out);
}

const gw_format gw_format_iq2_xs = {.id = GW_FMT_iq2_xs,
                                    .type = GODWIT_IQ2_XS,
                                    .file_type = 20,
                                    .name = "iq2_xs",
                                    .form = GW_FORM_SUB,
                                    .block = BLOCK,
                                    .block_bytes = BLOCK_BYTES,
                                    .quant_words = 16,
                                    .side_words = 2,
                                    .tail_bytes = 2,
                                    .table = gw_grid_iq2_xs,
                                    .n_table = GW_N_GRID_IQ2_XS,
                                    .needs_importances = true,
                                    .limit = 124 * GW_HALF_MAX,
                                    .decode = decode,
                                    .quantize = quantize,
                                    .repack = repack,
                                    .unpack = unpack};
