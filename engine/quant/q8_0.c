// Q8_0: 32 signed bytes with one half scale; w = d * q.
//
//   file:   | d: f16 | q0 .. q31: int8 |                       34 bytes a block
//   repack: words 8 a block: q0..q3, q4..q7, ...; scales: d
#include "quant/quant.h"
#include "base/exact.h"

enum { BLOCK = 32, BLOCK_BYTES = 34 };

static uint32_t scale_of(const uint8_t *block) {
    return (uint32_t)block[0] | (uint32_t)block[1] << 8;
}

static void dequantize(const uint8_t *src, uint64_t n, float *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const uint8_t *block = src + b * BLOCK_BYTES;
        float d = gw_f16_to_f32(scale_of(block));
        for (int i = 0; i < BLOCK; i++) out[b * BLOCK + i] = (float)(int8_t)block[2 + i] * d;
    }
}

// ggml's reference: d = amax / 127, q = round half away from zero of x / d (d before its rounding).
static void quantize(const float *src, uint64_t n, uint8_t *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const float *x = src + b * BLOCK;
        uint8_t *block = out + b * BLOCK_BYTES;
        float amax = 0.0f;
        for (int i = 0; i < BLOCK; i++) {
            float a = x[i] < 0.0f ? -x[i] : x[i];
            amax = a > amax ? a : amax;
        }
        float d = amax / 127.0f, id = d != 0.0f ? 1.0f / d : 0.0f;
        uint32_t h = gw_f32_to_f16(d);
        block[0] = (uint8_t)h;
        block[1] = (uint8_t)(h >> 8);
        for (int i = 0; i < BLOCK; i++) {
            float q = x[i] * id;
            int away = (int)(q < 0.0f ? q - 0.5f : q + 0.5f);
            block[2 + i] = (uint8_t)(int8_t)away;
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, uint32_t *words, uint16_t *scales) {
    bool finite = true;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        scales[b] = (uint16_t)scale_of(block);
        finite &= (scales[b] & 0x7c00u) != 0x7c00u;
        memcpy(words + b * 8, block + 2, BLOCK);
    }
    return finite;
}

static void unpack(const uint32_t *quants, uint64_t at, void *out) {
    memcpy(out, quants + at * 8, BLOCK);
}

const gw_format gw_format_q8_0 = {.id = GW_FMT_q8_0,
                                  .type = GODWIT_Q8_0,
                                  .name = "q8_0",
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .unit = 32,
                                  .words = 8,
                                  .is_float = false,
                                  .dequantize = dequantize,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
