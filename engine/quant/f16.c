// F16: IEEE half floats, little-endian. Two to a word after repack. The smallest half is 2^-24, so
// the contract's flush of loads has nothing to do.
#include "quant/quant.h"
#include "base/exact.h"

static uint32_t half_at(const uint8_t *src, uint64_t i) {
    return (uint32_t)src[2 * i] | (uint32_t)src[2 * i + 1] << 8;
}

static void widen(const uint8_t *src, uint64_t n, float *out) {
    for (uint64_t i = 0; i < n; i++) out[i] = gw_f16_to_f32(half_at(src, i));
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t h = gw_f32_to_f16(src[i]);
        out[2 * i] = (uint8_t)h;
        out[2 * i + 1] = (uint8_t)(h >> 8);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    uint32_t bad = 0; // not a bool: of that compilers make no vectors
    for (uint64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, row + 2 * i, 2);
        bad |= (h & 0x7c00u) == 0x7c00u;
    }
    memcpy(out->quants, row, n * 2);
    return !bad;
}

static void unpack_floats(const gw_packed *row, uint64_t at, float *out) {
    widen((const uint8_t *)(row->quants + at * 4), 8, out);
}

const gw_format gw_format_f16 = {.id = GW_FMT_f16,
                                 .type = GODWIT_F16,
                                 .file_type = 1,
                                 .name = "f16",
                                 .form = GW_FORM_FLOAT,
                                 .block = 1,
                                 .block_bytes = 2,
                                 .quant_words = 4,
                                 .limit = GW_HALF_MAX,
                                 .widen = widen,
                                 .quantize = quantize,
                                 .repack = repack,
                                 .unpack_floats = unpack_floats};
