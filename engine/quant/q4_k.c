// Q4_K: 256 nibbles, 8 units of 32 with a 6-bit scale and a 6-bit minimum each.
//   w = d * scale * q - dmin * min
//
//   file:   | d: f16 | dmin: f16 | 12 bytes of scales (k_scales.h) | 4 runs of 32 bytes |
//           144 bytes a block
//           run c: byte l: q[64c + l] low, q[64c + 32 + l] high
//   repack: quants: plane 4; sides 4 words a block: scales (k_scales.h), then d and dmin
#include "quant/k_scales.h"
#include "quant/k_search.h"
#include "quant/planes.h"

enum { BLOCK = 256, BLOCK_BYTES = 144 };

static void read_codes(const uint8_t *block, uint32_t unit, uint8_t *codes) {
    gw_read_codes(block + 16 + unit / 2 * 32, unit % 2 * 4, 15, codes);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    read_codes(block, unit, (uint8_t *)out->q);
    gw_k_scales(block + 4, unit, &out->s[0], &out->z[0]);
    gw_k_fill(gw_half_at(block), gw_half_at(block + 2), out);
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    static const gw_k_min_format format = {32, 15, 63, 2.0f, true, {-1.0f, 0.1f, 20, false}};
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        gw_k_min_block k;
        uint8_t *block = out + b * BLOCK_BYTES;
        gw_k_min_quantize(&format, src + b * BLOCK, weights ? weights + b * BLOCK : NULL, &k);
        memset(block, 0, BLOCK_BYTES);
        gw_put_half(block, k.d);
        gw_put_half(block + 2, k.dmin);
        gw_put_k_scales(k.scales, k.mins, block + 4);
        for (int i = 0; i < BLOCK; i++) {
            block[16 + i / 64 * 32 + i % 32] |= (uint8_t)(k.codes[i] << (i / 32 % 2 * 4));
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
    gw_packed_k_scales(sides, at % 8, &out->s[0], &out->z[0]);
    gw_k_fill(sides[3] & 0xffffu, sides[3] >> 16, out);
}

const gw_format gw_format_q4_k = {.id = GW_FMT_q4_k,
                                  .type = GODWIT_Q4_K,
                                  .file_type = 15,
                                  .name = "q4_k",
                                  .form = GW_FORM_MIN,
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 32,
                                  .side_words = 4,
                                  .limit = 63 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
