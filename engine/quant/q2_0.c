// Q2_0: 64 ternary weights in 2 bits each with one half scale; w = d * (q - 1).
// A file may hold the fourth code as well: it stands for 2.
//
//   file:   | d: f16 | 16 bytes: q[4j + i] is bits 2i and 2i + 1 of byte j |    18 bytes a block
//   repack: quants: plane 2; tails: d
#include "quant/planes.h"
#include "quant/ternary.h"

enum { BLOCK = 64, BLOCK_BYTES = 18, CODES = 2, UNITS = BLOCK / GW_UNIT, UNIT_BYTES = 8 };

static void fill(uint32_t d, const uint8_t *codes, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 1);
    out->d = gw_f16_to_f32(d);
}

static void read_codes(const uint8_t *block, uint64_t unit, uint8_t *codes) {
    const uint8_t *bytes = block + CODES + unit * UNIT_BYTES;
    for (int i = 0; i < GW_UNIT; i++) codes[i] = bytes[i / 4] >> (i % 4 * 2) & 3;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    read_codes(block, unit, codes);
    fill(gw_half_at(block), codes, out);
}

// ggml's reference: gw_ternary.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        uint8_t codes[BLOCK], *block = out + b * BLOCK_BYTES;
        memset(block, 0, BLOCK_BYTES);
        gw_put_half(block, gw_ternary(src + b * BLOCK, BLOCK, codes));
        for (int i = 0; i < BLOCK; i++) {
            block[CODES + i / 4] |= (uint8_t)(codes[i] << (i % 4 * 2));
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / UNITS * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block, u % UNITS, codes);
        gw_put_plane2(out->quants + u * 2, codes, 0);
        if (u % UNITS) continue;
        gw_put_tail_half(out->sides, u / UNITS, gw_half_at(block));
        finite &= gw_half_finite(gw_half_at(block));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane2(row->quants + at * 2, codes, 0);
    fill(gw_tail_half(row->sides, at / UNITS), codes, out);
}

const gw_format gw_format_q2_0 = {.id = GW_FMT_q2_0,
                                  .type = GODWIT_Q2_0,
                                  .file_type = 41,
                                  .name = "q2_0",
                                  .form = GW_FORM_PLAIN,
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 4,
                                  .tail_bytes = 2,
                                  .limit = GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
