// BF16: the upper half of an IEEE single float, little-endian. Two to a word after repack; what is
// below 2^-40 becomes 0 there.
#include "quant/quant.h"
#include "base/exact.h"

static uint32_t upper_at(const uint8_t *src, uint64_t i) {
    return (uint32_t)src[2 * i] | (uint32_t)src[2 * i + 1] << 8;
}

static void widen(const uint8_t *src, uint64_t n, float *out) {
    for (uint64_t i = 0; i < n; i++) out[i] = gw_from_bits(upper_at(src, i) << 16);
}

// Round to nearest, ties to even; a NaN keeps its sign and becomes quiet (as ggml does).
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t u = gw_bits(src[i]);
        uint32_t h = (u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 64u
                                                     : (u + (0x7fffu + ((u >> 16) & 1u))) >> 16;
        out[2 * i] = (uint8_t)h;
        out[2 * i + 1] = (uint8_t)(h >> 8);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    uint8_t *to = (uint8_t *)out->quants;
    uint32_t bad = 0; // not a bool: of that compilers make no vectors
    for (uint64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, row + 2 * i, 2);
        bad |= (h & 0x7f80u) == 0x7f80u;
        if ((h & 0x7fffu) < GW_TINY_BITS >> 16) h = 0;
        memcpy(to + 2 * i, &h, 2);
    }
    return !bad;
}

static void unpack_floats(const gw_packed *row, uint64_t at, float *out) {
    widen((const uint8_t *)(row->quants + at * 4), 8, out);
}

const gw_format gw_format_bf16 = {.id = GW_FMT_bf16,
                                  .type = GODWIT_BF16,
                                  .file_type = 32,
                                  .name = "bf16",
                                  .form = GW_FORM_FLOAT,
                                  .block = 1,
                                  .block_bytes = 2,
                                  .quant_words = 4,
                                  .widen = widen,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack_floats = unpack_floats};
