// Q4_0: 32 nibbles with one half scale; w = d * (q - 8).
//
//   file:   | d: f16 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      18 bytes a block
//   repack: words 4 a block, the 16 bytes as they are; scales: d
//           word i holds q[4i..4i+3] in its low nibbles and q[16+4i..16+4i+3] in its high ones
#include "quant/quant.h"
#include "base/exact.h"

enum { BLOCK = 32, BLOCK_BYTES = 18 };

static uint32_t scale_of(const uint8_t *block) {
    return (uint32_t)block[0] | (uint32_t)block[1] << 8;
}

static void dequantize(const uint8_t *src, uint64_t n, float *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const uint8_t *block = src + b * BLOCK_BYTES;
        float d = gw_f16_to_f32(scale_of(block));
        for (int j = 0; j < 16; j++) {
            out[b * BLOCK + j] = (float)((block[2 + j] & 15) - 8) * d;
            out[b * BLOCK + 16 + j] = (float)((block[2 + j] >> 4) - 8) * d;
        }
    }
}

static uint8_t nibble(float x, float id) {
    int q = (int)(x * id + 8.5f);
    return (uint8_t)(q < 0 ? 0 : q > 15 ? 15 : q);
}

// ggml's reference: d = (the value of largest magnitude) / -8.
static void quantize(const float *src, uint64_t n, uint8_t *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const float *x = src + b * BLOCK;
        uint8_t *block = out + b * BLOCK_BYTES;
        float amax = 0.0f, max = 0.0f;
        for (int i = 0; i < BLOCK; i++) {
            float a = x[i] < 0.0f ? -x[i] : x[i];
            if (a > amax) {
                amax = a;
                max = x[i];
            }
        }
        float d = max / -8.0f, id = d != 0.0f ? 1.0f / d : 0.0f;
        uint32_t h = gw_f32_to_f16(d);
        block[0] = (uint8_t)h;
        block[1] = (uint8_t)(h >> 8);
        for (int j = 0; j < 16; j++) {
            block[2 + j] = (uint8_t)(nibble(x[j], id) | nibble(x[j + 16], id) << 4);
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, uint32_t *words, uint16_t *scales) {
    bool finite = true;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        scales[b] = (uint16_t)scale_of(block);
        finite &= (scales[b] & 0x7c00u) != 0x7c00u;
        memcpy(words + b * 4, block + 2, 16);
    }
    return finite;
}

static void unpack(const uint32_t *quants, uint64_t at, void *out) {
    const uint8_t *nibbles = (const uint8_t *)(quants + at * 4);
    int8_t *q = out;
    for (int i = 0; i < 16; i++) {
        q[i] = (int8_t)((nibbles[i] & 15) - 8);
        q[16 + i] = (int8_t)((nibbles[i] >> 4) - 8);
    }
}

const gw_format gw_format_q4_0 = {.id = GW_FMT_q4_0,
                                  .type = GODWIT_Q4_0,
                                  .name = "q4_0",
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .unit = 32,
                                  .words = 4,
                                  .is_float = false,
                                  .dequantize = dequantize,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
