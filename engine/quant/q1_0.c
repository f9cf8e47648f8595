// Q1_0: 128 signs in a bit each with one half scale; w = d where the bit is set, else -d.
//
//   file:   | d: f16 | 16 bytes: sign[8j + b] is bit b of byte j |    18 bytes a block
//   repack: quants: plane 1; tails: d
#include "quant/planes.h"

enum { BLOCK = 128, BLOCK_BYTES = 18, SIGNS = 2, UNITS = BLOCK / GW_UNIT, UNIT_BYTES = 4 };

// codes: 0 or 1.
static void fill(uint32_t d, const uint8_t *codes, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(2 * codes[i] - 1);
    out->d = gw_f16_to_f32(d);
}

static void read_codes(const uint8_t *block, uint64_t unit, uint8_t *codes) {
    const uint8_t *signs = block + SIGNS + unit * UNIT_BYTES;
    for (int i = 0; i < GW_UNIT; i++) codes[i] = signs[i / 8] >> (i % 8) & 1;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    read_codes(block, unit, codes);
    fill(gw_half_at(block), codes, out);
}

// ggml's reference: d = the mean of the magnitudes; zeros of both signs count as positive.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const float *x = src + b * BLOCK;
        uint8_t *block = out + b * BLOCK_BYTES;
        float sum = 0.0f;
        memset(block, 0, BLOCK_BYTES);
        for (int i = 0; i < BLOCK; i++) {
            sum += x[i] < 0.0f ? -x[i] : x[i];
            if (x[i] >= 0.0f) block[SIGNS + i / 8] |= (uint8_t)(1 << (i % 8));
        }
        gw_put_half(block, gw_f32_to_f16(sum / (float)BLOCK));
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / UNITS * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block, u % UNITS, codes);
        gw_put_plane1(out->quants + u, codes, 0);
        if (u % UNITS) continue;
        gw_put_tail_half(out->sides, u / UNITS, gw_half_at(block));
        finite &= gw_half_finite(gw_half_at(block));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane1(row->quants + at, codes, 0);
    fill(gw_tail_half(row->sides, at / UNITS), codes, out);
}

const gw_format gw_format_q1_0 = {.id = GW_FMT_q1_0,
                                  .type = GODWIT_Q1_0,
                                  .file_type = 40,
                                  .name = "q1_0",
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
