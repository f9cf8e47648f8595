// IQ4_NL: 32 nibbles, each one of 16 uneven values, with one half scale; w = d * value[q].
//
//   file:   | d: f16 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      18 bytes a block
//   repack: quants: four bit planes (iq.h); tails: d
#include "quant/iq_search.h"

enum { BLOCK_BYTES = 18 };

static void fill(const uint8_t *codes, uint32_t d, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = gw_iq4_value(codes[i]);
    out->d = gw_f16_to_f32(d);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    uint8_t codes[GW_UNIT];
    gw_nibbles(block + 2, GW_UNIT, codes);
    fill(codes, gw_half_at(block), out);
}

// ggml's reference: the scale of least error, codes by it before its rounding to half.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const float *x = src + b * GW_UNIT;
        float mean = 0.0f, counts[GW_UNIT];
        for (int i = 0; i < GW_UNIT; i++) mean += x[i] * x[i];
        mean *= 2.0f / GW_UNIT;
        gw_iq4_counts(x, weights ? weights + b * GW_UNIT : NULL, mean, counts);
        float scale = gw_iq4_scale(x, counts);
        uint8_t codes[GW_UNIT];
        gw_iq4_codes(x, scale != 0.0f ? 1.0f / scale : 0.0f, codes);
        gw_put_half(out + b * BLOCK_BYTES, gw_f32_to_f16(scale));
        gw_put_nibbles(codes, GW_UNIT, out + b * BLOCK_BYTES + 2);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        gw_nibbles(block + 2, GW_UNIT, codes);
        gw_put_bits4(out->quants + b * 4, codes);
        gw_put_tail_half(out->sides, b, gw_half_at(block));
        finite &= gw_half_finite(gw_half_at(block));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    gw_get_bits4(row->quants + at * 4, codes);
    fill(codes, gw_tail_half(row->sides, at), out);
}

const gw_format gw_format_iq4_nl = {.id = GW_FMT_iq4_nl,
                                    .type = GODWIT_IQ4_NL,
                                    .file_type = 25,
                                    .name = "iq4_nl",
                                    .form = GW_FORM_PLAIN,
                                    .block = GW_UNIT,
                                    .block_bytes = BLOCK_BYTES,
                                    .quant_words = 4,
                                    .tail_bytes = 2,
                                    .limit = 113 * GW_HALF_MAX,
                                    .decode = decode,
                                    .quantize = quantize,
                                    .repack = repack,
                                    .unpack = unpack};
