// Q5_0: 32 codes of 5 bits with one half scale; w = d * (q - 16).
//
//   file:   | d: f16 | 4 bytes: bit i: the fifth bit of q[i] | byte j: q[j] low nibble, q[j + 16]
//           high nibble, j = 0..15 |                                               22 bytes a block
//   repack: quants: planes 4 (the 16 bytes as they are) and 1; tails: d
#include "quant/planes.h"

enum { BLOCK_BYTES = 22 };

// high: the 4 bytes of fifth bits, low: the 16 bytes of nibbles.
static void read_codes(const uint8_t *high, const uint8_t *low, uint8_t *codes) {
    for (int i = 0; i < GW_UNIT; i++) {
        uint32_t nibble = low[i % 16] >> (i / 16 * 4) & 15;
        codes[i] = (uint8_t)(nibble | (uint32_t)(high[i / 8] >> (i % 8) & 1) << 4);
    }
}

static void fill(uint32_t d, const uint8_t *codes, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 16);
    out->d = gw_f16_to_f32(d);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    uint8_t codes[GW_UNIT];
    read_codes(block + 2, block + 6, codes);
    fill(gw_half_at(block), codes, out);
}

// codes: 32 of 5 bits, into what read_codes reads.
static void write_codes(const uint8_t *codes, uint8_t *high, uint8_t *low) {
    memset(high, 0, 4);
    for (int i = 0; i < GW_UNIT; i++) high[i / 8] |= (uint8_t)(codes[i] >> 4 << (i % 8));
    for (int j = 0; j < 16; j++) low[j] = (uint8_t)((codes[j] & 15) | codes[j + 16] << 4);
}

// ggml's reference: d = (the value of largest magnitude) / -16.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const float *x = src + b * GW_UNIT;
        uint8_t codes[GW_UNIT], *block = out + b * BLOCK_BYTES;
        float amax = 0.0f, max = 0.0f;
        for (int i = 0; i < GW_UNIT; i++) {
            float a = x[i] < 0.0f ? -x[i] : x[i];
            if (a > amax) {
                amax = a;
                max = x[i];
            }
        }
        float d = max / -16.0f, id = d != 0.0f ? 1.0f / d : 0.0f;
        gw_put_half(block, gw_f32_to_f16(d));
        for (int i = 0; i < GW_UNIT; i++) codes[i] = gw_code(x[i] * id + 16.5f, 31);
        write_codes(codes, block + 2, block + 6);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block + 2, block + 6, codes);
        memcpy(out->quants + b * 4, block + 6, 16);
        gw_put_plane1(out->quants + out->n_units * 4 + b, codes, 4);
        finite &= gw_half_finite(gw_half_at(block));
        gw_put_tail_half(out->sides, b, gw_half_at(block));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane4(row->quants + at * 4, codes, 0);
    gw_get_plane1(row->quants + row->n_units * 4 + at, codes, 4);
    fill(gw_tail_half(row->sides, at), codes, out);
}

const gw_format gw_format_q5_0 = {.id = GW_FMT_q5_0,
                                  .type = GODWIT_Q5_0,
                                  .file_type = 8,
                                  .name = "q5_0",
                                  .form = GW_FORM_PLAIN,
                                  .block = GW_UNIT,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 5,
                                  .planes = {32, 8},
                                  .tail_bytes = 2,
                                  .limit = 16 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
