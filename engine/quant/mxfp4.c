// MXFP4: 32 FP4 (e2m1) numbers with a power of two: w = 2^(e - 127) * number = 2^(e - 128) * q, q
// being twice the number.
//
//   file:   | e: e8m0 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      17 bytes a block
//   repack: quants: four bit planes (iq.h); tails: e, a byte
//
// Kernels take d = 2^(e - 128) below 2^-44 as 0: all its weights, at most 12 d, are then below
// 2^-40 and count as 0 as stored values do; dequantize gives them. d * x >= 2^-84 is no subnormal.
// A row with e = 255, which is NaN (the gguf package reads it as 2^128), or with weights past the
// largest float is refused.
#include "quant/iq_search.h"

enum { BLOCK_BYTES = 17, TINY = 84, NAN_CODE = 255 };

// 2^(e - 128): for 0 and 1 a subnormal.
static float scale_of(uint32_t e) {
    return gw_from_bits(e < 2 ? 0x00200000u << e : (e - 1) << 23);
}

static void fill(const uint8_t *codes, float d, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = gw_fp4_value(codes[i]);
    out->d = d;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    uint8_t codes[GW_UNIT];
    gw_nibbles(block + 1, GW_UNIT, codes);
    fill(codes, scale_of(block[0]), out);
}

// 2^(e - 128) * q is a float: q stays below 2^(256 - e).
static bool is_finite(uint32_t e, const uint8_t *codes) {
    if (e == NAN_CODE) return false;
    int largest = 0;
    for (int i = 0; i < GW_UNIT; i++) {
        int q = gw_fp4_value(codes[i] & 7);
        largest = q > largest ? q : largest;
    }
    return e < 253 || largest < 1 << (256 - e);
}

// floor(log2(x)) as the reference has it, for normal x > 0: log2 rounds to float first, so that
// numbers close below a power of two count as that power. With x = 2^k (1 - j 2^-24) the distance
// is j 2^-24 / ln 2, and the spacing of floats next below k is 2^(m - 23), 2^m < |k| <= 2^(m + 1)
// for k > 0, 2^m <= |k| < 2^(m + 1) for k < 0.
static int floor_log2(float x) {
    int e = (int)(gw_bits(x) >> 23) - 127, k = e + 1;
    uint32_t short_of = 0x800000u - (gw_bits(x) & 0x7fffffu); // j
    if (k == 0) return e;
    uint32_t half_spacing = 1, below = (uint32_t)(k < 0 ? -k : k - 1);
    while (half_spacing * 2 <= below) half_spacing *= 2;
    if (below == 0) return e;
    return (float)short_of * 1.44269504f < (float)half_spacing ? k : e;
}

// ggml's reference: 2^(e - 127) is the power of two of the largest magnitude, by 4.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        float largest = gw_abs(gw_largest(src + b * GW_UNIT, GW_UNIT));
        int e = largest > 0.0f ? floor_log2(largest) - 2 + 127 : 0;
        e = e < 0 ? 0 : e;
        uint8_t codes[GW_UNIT];
        gw_fp4_codes(src + b * GW_UNIT, GW_UNIT, scale_of((uint32_t)e), codes);
        out[b * BLOCK_BYTES] = (uint8_t)e;
        gw_put_nibbles(codes, GW_UNIT, out + b * BLOCK_BYTES + 1);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        gw_nibbles(block + 1, GW_UNIT, codes);
        gw_put_bits4(out->quants + b * 4, codes);
        gw_put_tail_byte(out->sides, b, block[0]);
        finite &= is_finite(block[0], codes);
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    gw_get_bits4(row->quants + at * 4, codes);
    uint32_t e = gw_tail_byte(row->sides, at);
    fill(codes, e < TINY ? 0.0f : scale_of(e), out);
}

const gw_format gw_format_mxfp4 = {.id = GW_FMT_mxfp4,
                                   .type = GODWIT_MXFP4,
                                   .file_type = 38,
                                   .name = "mxfp4",
                                   .form = GW_FORM_PLAIN,
                                   .block = GW_UNIT,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 4,
                                   .tail_bytes = 1,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
