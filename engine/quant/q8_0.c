// Q8_0: 32 signed bytes with one half scale; w = d * q.
//
//   file:   | d: f16 | q0 .. q31: int8 |                       34 bytes a block
//   repack: quants 8 words a block: q0..q3, q4..q7, ...; tails: d
#include "quant/planes.h"

enum { BLOCK_BYTES = 34 };

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    out->d = gw_f16_to_f32(gw_half_at(block));
    memcpy(out->q, block + 2, GW_UNIT);
}

// ggml's reference: d = amax / 127, q = round half away from zero of x / d (d before its rounding).
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const float *x = src + b * GW_UNIT;
        uint8_t *block = out + b * BLOCK_BYTES;
        float amax = 0.0f;
        for (int i = 0; i < GW_UNIT; i++) {
            float a = x[i] < 0.0f ? -x[i] : x[i];
            amax = a > amax ? a : amax;
        }
        float d = amax / 127.0f, id = d != 0.0f ? 1.0f / d : 0.0f;
        gw_put_half(block, gw_f32_to_f16(d));
        for (int i = 0; i < GW_UNIT; i++) {
            float q = x[i] * id;
            uint8_t away = gw_code((q < 0.0f ? -q : q) + 0.5f, 127);
            block[2 + i] = (uint8_t)(q < 0.0f ? -away : away);
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        finite &= gw_half_finite(gw_half_at(block));
        gw_put_tail_half(out->sides, b, gw_half_at(block));
        memcpy(out->quants + b * 8, block + 2, GW_UNIT);
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    out->d = gw_f16_to_f32(gw_tail_half(row->sides, at));
    memcpy(out->q, row->quants + at * 8, GW_UNIT);
}

const gw_format gw_format_q8_0 = {.id = GW_FMT_q8_0,
                                  .type = GODWIT_Q8_0,
                                  .file_type = 7,
                                  .name = "q8_0",
                                  .form = GW_FORM_PLAIN,
                                  .block = GW_UNIT,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 8,
                                  .tail_bytes = 2,
                                  .limit = 127 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
