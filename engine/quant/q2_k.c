// Q2_K: 256 codes of 2 bits, 16 runs of 16 with a 4-bit scale and a 4-bit minimum each.
//   w = d * scale * q - dmin * min
//
//   file:   | 16 bytes: scale low nibble, min high nibble | 64 bytes of codes (gw_read_twos) |
//           d: f16 | dmin: f16 |                                                   84 bytes a block
//   repack: quants: plane 2; sides 5 words a block: the 16 bytes of scales, then d and dmin
#include "quant/k_search.h"
#include "quant/planes.h"

enum { BLOCK = 256, BLOCK_BYTES = 84, CODES = 16, HALVES = 80, SIDES = 5 };

// scales: the two bytes of the unit.
static void fill(uint32_t d, uint32_t dmin, const uint8_t *scales, gw_unit *out) {
    out->d = gw_f16_to_f32(d);
    out->m = gw_f16_to_f32(dmin);
    for (int h = 0; h < 2; h++) {
        out->s[h] = scales[h] & 15;
        out->z[h] = scales[h] >> 4;
    }
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    gw_read_twos(block + CODES, unit, (uint8_t *)out->q);
    fill(gw_half_at(block + HALVES), gw_half_at(block + HALVES + 2), block + 2 * unit, out);
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    static const gw_k_min_format format = {16, 3, 15, 1.0f, false, {-0.5f, 0.1f, 15, true}};
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        gw_k_min_block k;
        uint8_t *block = out + b * BLOCK_BYTES;
        gw_k_min_quantize(&format, src + b * BLOCK, weights ? weights + b * BLOCK : NULL, &k);
        memset(block, 0, BLOCK_BYTES);
        for (int r = 0; r < 16; r++) block[r] = (uint8_t)(k.scales[r] | k.mins[r] << 4);
        for (uint32_t u = 0; u < 8; u++) gw_write_twos(block + CODES, u, k.codes + u * GW_UNIT);
        gw_put_half(block + HALVES, k.d);
        gw_put_half(block + HALVES + 2, k.dmin);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        gw_read_twos(block + CODES, u % 8, codes);
        gw_put_plane2(out->quants + u * 2, codes, 0);
        if (u % 8) continue;
        uint8_t *sides = (uint8_t *)(out->sides + u / 8 * SIDES);
        memcpy(sides, block, 16);
        memcpy(sides + 16, block + HALVES, 4);
        finite &= gw_half_finite(gw_half_at(block + HALVES)) &&
                  gw_half_finite(gw_half_at(block + HALVES + 2));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *sides = row->sides + at / 8 * SIDES;
    memset(out->q, 0, sizeof out->q);
    gw_get_plane2(row->quants + at * 2, (uint8_t *)out->q, 0);
    fill(sides[4] & 0xffffu, sides[4] >> 16, (const uint8_t *)sides + at % 8 * 2, out);
}

const gw_format gw_format_q2_k = {.id = GW_FMT_q2_k,
                                  .type = GODWIT_Q2_K,
                                  .file_type = 10,
                                  .name = "q2_k",
                                  .form = GW_FORM_MIN,
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 16,
                                  .side_words = SIDES,
                                  .limit = 15 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
