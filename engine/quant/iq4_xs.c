// IQ4_XS: 256 nibbles, each one of 16 uneven values, with a 6-bit scale for each 32;
//   w = d * (scale - 32) * value[q], 23 bits at most; (scale - 32) * sum stays below 2^24:
//   32 * 127 * 127 * 32 = 16516096.
//
//   file:   | d: f16 | high: 8 * 2 bits | low: 8 * 4 bits | 8 runs of 16 bytes |  136 bytes
//           run u: byte j: q[32u + j] low, q[32u + 16 + j] high
//   repack: quants: four bit planes (iq.h); sides 2 words a block: d and high, low
#include "quant/iq_search.h"

enum { BLOCK = 256, BLOCK_BYTES = 136 };

static void fill(const uint8_t *codes, uint32_t d_high, uint32_t low, uint32_t unit, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = gw_iq4_value(codes[i]);
    out->d = gw_f16_to_f32(d_high & 0xffffu);
    uint32_t scale = (low >> (4 * unit) & 15) | (d_high >> (16 + 2 * unit) & 3) << 4;
    out->s[0] = out->s[1] = (int32_t)scale - 32;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    gw_nibbles(block + 8 + unit * 16, GW_UNIT, codes);
    fill(codes, gw_word_at(block), gw_word_at(block + 4), unit, out);
}

static void quantize_block(const float *x, const float *weights, uint8_t *out) {
    float mean = 0.0f, counts[GW_UNIT], scales[8];
    for (int i = 0; i < BLOCK; i++) mean += x[i] * x[i];
    mean *= 2.0f / BLOCK;
    for (int u = 0; u < 8; u++) {
        gw_iq4_counts(x + u * GW_UNIT, weights ? weights + u * GW_UNIT : NULL, mean, counts);
        scales[u] = gw_iq4_scale(x + u * GW_UNIT, counts);
    }
    float d = -gw_largest(scales, 8) / 32.0f, id = d != 0.0f ? 1.0f / d : 0.0f;
    uint32_t high = 0, low = 0;
    for (int u = 0; u < 8; u++) {
        int scale = gw_round(id * scales[u]);
        scale = scale < -32 ? -32 : scale > 31 ? 31 : scale;
        float unit_d = d * (float)scale;
        uint8_t codes[GW_UNIT];
        gw_iq4_codes(x + u * GW_UNIT, unit_d != 0.0f ? 1.0f / unit_d : 0.0f, codes);
        gw_put_nibbles(codes, GW_UNIT, out + 8 + u * 16);
        low |= (uint32_t)((scale + 32) & 15) << (4 * u);
        high |= (uint32_t)((scale + 32) >> 4) << (2 * u);
    }
    gw_put_half(out, gw_f32_to_f16(d));
    gw_put_half(out + 2, high);
    gw_put_half(out + 4, low & 0xffffu);
    gw_put_half(out + 6, low >> 16);
}

// ggml's reference: the scale of least error for each 32, the largest becomes 32 d.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        quantize_block(src + b * BLOCK, weights ? weights + b * BLOCK : NULL,
                       out + b * BLOCK_BYTES);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        gw_nibbles(block + 8 + u % 8 * 16, GW_UNIT, codes);
        gw_put_bits4(out->quants + u * 4, codes);
        if (u % 8) continue;
        out->sides[u / 4] = gw_word_at(block);
        out->sides[u / 4 + 1] = gw_word_at(block + 4);
        finite &= gw_half_finite(gw_half_at(block));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *sides = row->sides + at / 8 * 2;
    uint8_t codes[GW_UNIT];
    gw_get_bits4(row->quants + at * 4, codes);
    fill(codes, sides[0], sides[1], at % 8, out);
}

const gw_format gw_format_iq4_xs = {.id = GW_FMT_iq4_xs,
                                    .type = GODWIT_IQ4_XS,
                                    .file_type = 30,
                                    .name = "iq4_xs",
                                    .form = GW_FORM_SUB,
                                    .block = BLOCK,
                                    .block_bytes = BLOCK_BYTES,
                                    .quant_words = 32,
                                    .side_words = 2,
                                    .limit = 32 * 113 * GW_HALF_MAX,
                                    .decode = decode,
                                    .quantize = quantize,
                                    .repack = repack,
                                    .unpack = unpack};
