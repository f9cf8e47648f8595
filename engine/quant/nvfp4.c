// NVFP4: 64 FP4 (e2m1) numbers with a ue4m3 scale for each 16: w = scale * number = scale / 2 * q,
// q being twice the number.
//
//   file:   | 4 scales | 4 runs of 8 bytes |                                36 bytes a block
//           run r: byte j: q[16r + j] low, q[16r + 8 + j] high
//   repack: quants: four bit planes (iq.h); sides 1 word a block: the scales, NaN as 0
//
// A scale has 4 bits of exponent (bias 7) and 3 of mantissa; its highest bit says nothing. ue4m3's
// NaN, 0x7f (not 0xff), is 0 here: GGUF's format has it so, and no scale is NaN or infinity.
#include "quant/iq_search.h"

enum { BLOCK = 64, BLOCK_BYTES = 36, NAN_CODE = 0x7f };

// Half the scale.
static float scale_of(uint32_t code) {
    uint32_t low = code & 7, e = code >> 3 & 15;
    if (code == NAN_CODE) return 0.0f;
    if (e == 0) return (float)low * 0.0009765625f; // low * 2^-9 / 2
    return gw_from_bits((e + 119) << 23 | low << 20);
}

// scales: of weights 0..15 and 16..31.
static void fill(const uint8_t *codes, uint32_t scales, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = gw_fp4_value(codes[i]);
    out->d = scale_of(scales & 255);
    out->m = scale_of(scales >> 8);
}

static void read_codes(const uint8_t *block, uint32_t unit, uint8_t *codes) {
    gw_nibbles(block + 4 + unit * 16, 16, codes);
    gw_nibbles(block + 4 + unit * 16 + 8, 16, codes + 16);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    read_codes(block, unit, codes);
    fill(codes, gw_half_at(block + unit * 2), out);
}

// The code of a scale >= 0: halves go up; from 256 on, the largest code.
static uint8_t code_of(float scale) {
    scale = scale < 448.0f ? scale : 448.0f;
    int e = (int)(gw_bits(scale) >> 23) - 127 + 7;
    if (e <= 0) {
        int low = (int)(scale * 512.0f + 0.5f);
        return (uint8_t)(low > 7 ? 7 : low);
    }
    uint32_t code = (((uint32_t)e << 4 | (gw_bits(scale) >> 19 & 15)) + 1) >> 1;
    return code >= 0x78 ? 0x7e : (uint8_t)code;
}

// ggml's reference: a scale maps the largest magnitude of 16 to 6.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t r = 0; r < n / 16; r++) {
        const float *x = src + r * 16;
        uint8_t *block = out + r / 4 * BLOCK_BYTES, codes[16];
        uint8_t code = code_of(gw_abs(gw_largest(x, 16)) / 6.0f);
        block[r % 4] = code;
        gw_fp4_codes(x, 16, scale_of(code), codes);
        gw_put_nibbles(codes, 16, block + 4 + r % 4 * 8);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 2 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block, u % 2, codes);
        gw_put_bits4(out->quants + u * 4, codes);
        if (u % 2) continue;
        for (int i = 0; i < 4; i++)
            out->sides[u / 2] |= (uint32_t)(block[i] == NAN_CODE ? 0 : block[i]) << (8 * i);
    }
    return true;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    gw_get_bits4(row->quants + at * 4, codes);
    fill(codes, gw_tail_half(row->sides, at), out);
}

const gw_format gw_format_nvfp4 = {.id = GW_FMT_nvfp4,
                                   .type = GODWIT_NVFP4,
                                   .file_type = 39,
                                   .name = "nvfp4",
                                   .form = GW_FORM_PAIR,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 8,
                                   .side_words = 1,
                                   .limit = 2688.0f, // 448 * 6
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
