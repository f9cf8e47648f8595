// TQ2_0: 256 ternary weights in 2 bits each with one half scale; w = d * (q - 1).
// A file may hold the fourth code as well: it stands for 2.
//
//   file:   | 64 bytes of codes (gw_read_twos) | d: f16 |                          66 bytes a block
//   repack: quants: plane 2; tails: d
#include "quant/planes.h"
#include "quant/ternary.h"

enum { BLOCK = 256, BLOCK_BYTES = 66, D = 64 };

static void fill(uint32_t d, const uint8_t *codes, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 1);
    out->d = gw_f16_to_f32(d);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    gw_read_twos(block, unit, codes);
    fill(gw_half_at(block + D), codes, out);
}

// ggml's reference: gw_ternary.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        uint8_t codes[BLOCK], *block = out + b * BLOCK_BYTES;
        memset(block, 0, D);
        gw_put_half(block + D, gw_ternary(src + b * BLOCK, BLOCK, codes));
        for (uint32_t u = 0; u < BLOCK / GW_UNIT; u++) gw_write_twos(block, u, codes + u * GW_UNIT);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        gw_read_twos(block, u % 8, codes);
        gw_put_plane2(out->quants + u * 2, codes, 0);
        if (u % 8) continue;
        gw_put_tail_half(out->sides, u / 8, gw_half_at(block + D));
        finite &= gw_half_finite(gw_half_at(block + D));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane2(row->quants + at * 2, codes, 0);
    fill(gw_tail_half(row->sides, at / 8), codes, out);
}

const gw_format gw_format_tq2_0 = {.id = GW_FMT_tq2_0,
                                   .type = GODWIT_TQ2_0,
                                   .file_type = 37,
                                   .name = "tq2_0",
                                   .form = GW_FORM_PLAIN,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 16,
                                   .tail_bytes = 2,
                                   .limit = GW_HALF_MAX,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
