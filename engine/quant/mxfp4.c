// MXFP4: 32 FP4 (e2m1) numbers with a power of two: w = 2^(e - 127) * number = 2^(e - 128) * q, q
// being twice the number.
//
//   file:   | e: e8m0 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      17 bytes a block
//   repack: quants: four bit planes (iq.h); tails: e, a byte
//
// Kernels take d = 2^(e - 128) below 2^-40 as 0, as every stored value; dequantize does not. A row
// with e = 255, which is NaN (the gguf package reads it as 2^128), or with weights past the largest
// float is refused.
#include "quant/iq.h"

enum { BLOCK_BYTES = 17, TINY = 88, NAN_CODE = 255 };

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
                                   .name = "mxfp4",
                                   .form = GW_FORM_PLAIN,
                                   .block = GW_UNIT,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 4,
                                   .tail_bytes = 1,
                                   .decode = decode,
                                   .repack = repack,
                                   .unpack = unpack};
