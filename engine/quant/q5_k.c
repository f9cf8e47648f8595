// Q5_K: 256 codes of 5 bits, 8 units of 32 with a 6-bit scale and a 6-bit minimum each.
//   w = d * scale * q - dmin * min
//
//   file:   | d: f16 | dmin: f16 | 12 bytes of scales (k_scales.h) | 32 bytes: bit u of byte l:
//           bit 4 of q[32u + l] | 4 runs of 32 bytes |                            176 bytes a block
//           run c: byte l: q[64c + l] low nibble, q[64c + 32 + l] high nibble
//   repack: quants: planes 4 and 1; sides 4 words a block: scales (k_scales.h), then d and dmin
//
// s . (sum of q * x) is at most 63 * 31 * 127 * 32 = 7936992 < 2^24.
#include "quant/k_scales.h"
#include "quant/k_search.h"
#include "quant/planes.h"

enum { BLOCK = 256, BLOCK_BYTES = 176, HIGH = 16, LOW = 48 };

static void read_codes(const uint8_t *block, uint32_t unit, uint8_t *codes) {
    uint8_t high[GW_UNIT];
    gw_read_codes(block + LOW + unit / 2 * 32, unit % 2 * 4, 15, codes);
    gw_read_codes(block + HIGH, unit, 1, high);
    for (int l = 0; l < GW_UNIT; l++) codes[l] = (uint8_t)(codes[l] | high[l] << 4);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    read_codes(block, unit, (uint8_t *)out->q);
    gw_k_scales(block + 4, unit, &out->s[0], &out->z[0]);
    gw_k_fill(gw_half_at(block), gw_half_at(block + 2), out);
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    static const gw_k_min_format format = {32, 31, 63, 2.0f, true, {-0.5f, 0.1f, 15, false}};
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        gw_k_min_block k;
        uint8_t *block = out + b * BLOCK_BYTES;
        gw_k_min_quantize(&format, src + b * BLOCK, weights ? weights + b * BLOCK : NULL, &k);
        memset(block, 0, BLOCK_BYTES);
        gw_put_half(block, k.d);
        gw_put_half(block + 2, k.dmin);
        gw_put_k_scales(k.scales, k.mins, block + 4);
        for (int i = 0; i < BLOCK; i++) {
            int low = k.codes[i] & 15, high = k.codes[i] >> 4;
            block[LOW + i / 64 * 32 + i % 32] |= (uint8_t)(low << (i / 32 % 2 * 4));
            block[HIGH + i % 32] |= (uint8_t)(high << (i / 32));
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block, u % 8, codes);
        gw_put_plane4(out->quants + u * 4, codes, 0);
        gw_put_plane1(out->quants + out->n_units * 4 + u, codes, 4);
        if (u % 8) continue;
        uint32_t *sides = out->sides + u / 8 * 4;
        gw_pack_k_scales(block + 4, sides);
        sides[3] = gw_half_at(block) | gw_half_at(block + 2) << 16;
        finite &= gw_half_finite(gw_half_at(block)) && gw_half_finite(gw_half_at(block + 2));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *sides = row->sides + at / 8 * 4;
    memset(out->q, 0, sizeof out->q);
    gw_get_plane4(row->quants + at * 4, (uint8_t *)out->q, 0);
    gw_get_plane1(row->quants + row->n_units * 4 + at, (uint8_t *)out->q, 4);
    gw_packed_k_scales(sides, at % 8, &out->s[0], &out->z[0]);
    gw_k_fill(sides[3] & 0xffffu, sides[3] >> 16, out);
}

const gw_format gw_format_q5_k = {.id = GW_FMT_q5_k,
                                  .type = GODWIT_Q5_K,
                                  .file_type = 17,
                                  .name = "q5_k",
                                  .form = GW_FORM_MIN,
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 40,
                                  .planes = {32, 8},
                                  .side_words = 4,
                                  .limit = 63 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
