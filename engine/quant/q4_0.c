// Q4_0: 32 nibbles with one half scale; w = d * (q - 8).
//
//   file:   | d: f16 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      18 bytes a block
//   repack: quants: plane 4, which is the 16 bytes as they are; tails: d
#include "quant/planes.h"

enum { BLOCK_BYTES = 18 };

static void codes_to_q(const uint8_t *codes, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 8);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    uint8_t codes[GW_UNIT];
    for (int j = 0; j < 16; j++) {
        codes[j] = block[2 + j] & 15;
        codes[16 + j] = block[2 + j] >> 4;
    }
    codes_to_q(codes, out);
    out->d = gw_f16_to_f32(gw_half_at(block));
}

static uint8_t nibble(float x, float id) {
    return gw_code(x * id + 8.5f, 15);
}

// ggml's reference: d = (the value of largest magnitude) / -8.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const float *x = src + b * GW_UNIT;
        uint8_t *block = out + b * BLOCK_BYTES;
        float amax = 0.0f, max = 0.0f;
        for (int i = 0; i < GW_UNIT; i++) {
            float a = x[i] < 0.0f ? -x[i] : x[i];
            if (a > amax) {
                amax = a;
                max = x[i];
            }
        }
        float d = max / -8.0f, id = d != 0.0f ? 1.0f / d : 0.0f;
        gw_put_half(block, gw_f32_to_f16(d));
        for (int j = 0; j < 16; j++) {
            block[2 + j] = (uint8_t)(nibble(x[j], id) | nibble(x[j + 16], id) << 4);
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        finite &= gw_half_finite(gw_half_at(block));
        gw_put_tail_half(out->sides, b, gw_half_at(block));
        memcpy(out->quants + b * 4, block + 2, 16);
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane4(row->quants + at * 4, codes, 0);
    codes_to_q(codes, out);
    out->d = gw_f16_to_f32(gw_tail_half(row->sides, at));
}

const gw_format gw_format_q4_0 = {.id = GW_FMT_q4_0,
                                  .type = GODWIT_Q4_0,
                                  .file_type = 2,
                                  .name = "q4_0",
                                  .form = GW_FORM_PLAIN,
                                  .block = GW_UNIT,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 4,
                                  .tail_bytes = 2,
                                  .limit = 8 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
