// F32: IEEE single floats, little-endian.
#include "quant/quant.h"
#include "base/exact.h"

static void dequantize(const uint8_t *src, uint64_t n, float *out) {
    memcpy(out, src, n * 4);
}

static void quantize(const float *src, uint64_t n, uint8_t *out) {
    memcpy(out, src, n * 4);
}

static bool repack(const uint8_t *row, uint64_t n, uint32_t *words, uint16_t *scales) {
    (void)scales;
    bool finite = true;
    for (uint64_t i = 0; i < (n + 7) / 8 * 8; i++) {
        uint32_t u = 0;
        if (i < n) memcpy(&u, row + i * 4, 4);
        finite &= (u & 0x7f800000u) != 0x7f800000u;
        words[i] = gw_bits(gw_flush(gw_from_bits(u)));
    }
    return finite;
}

static void unpack(const uint32_t *quants, uint64_t at, void *out) {
    memcpy(out, quants + at * 8, 32);
}

const gw_format gw_format_f32 = {.id = GW_FMT_f32,
                                 .type = GODWIT_F32,
                                 .name = "f32",
                                 .block = 1,
                                 .block_bytes = 4,
                                 .unit = 8,
                                 .words = 8,
                                 .is_float = true,
                                 .dequantize = dequantize,
                                 .quantize = quantize,
                                 .repack = repack,
                                 .unpack = unpack};
