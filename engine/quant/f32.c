// F32: IEEE single floats, little-endian.
#include "quant/quant.h"
#include "base/exact.h"

static void widen(const uint8_t *src, uint64_t n, float *out) {
    memcpy(out, src, n * 4);
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    memcpy(out, src, n * 4);
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t i = 0; i < (n + 7) / 8 * 8; i++) {
        uint32_t u = 0;
        if (i < n) memcpy(&u, row + i * 4, 4);
        finite &= (u & 0x7f800000u) != 0x7f800000u;
        out->quants[i] = gw_bits(gw_flush(gw_from_bits(u)));
    }
    return finite;
}

static void unpack_floats(const gw_packed *row, uint64_t at, float *out) {
    memcpy(out, row->quants + at * 8, 32);
}

const gw_format gw_format_f32 = {.id = GW_FMT_f32,
                                 .type = GODWIT_F32,
                                 .file_type = 0,
                                 .name = "f32",
                                 .form = GW_FORM_FLOAT,
                                 .block = 1,
                                 .block_bytes = 4,
                                 .quant_words = 8,
                                 .widen = widen,
                                 .quantize = quantize,
                                 .repack = repack,
                                 .unpack_floats = unpack_floats};
