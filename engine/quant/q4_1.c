// Q4_1: 32 nibbles with a half scale and a half that is added; w = d * q + m.
//
//   file:   | d: f16 | m: f16 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      20 bytes a block
//   repack: quants: plane 4, which is the 16 bytes as they are; tails of 4 bytes: d and m
//
// As a MIN unit: s = z = 1 and unit.m = -m, since d * q - (-m) is the same sum.
#include "quant/planes.h"

enum { BLOCK_BYTES = 20 };

static void fill(uint32_t d, uint32_t m, gw_unit *out) {
    out->d = gw_f16_to_f32(d);
    out->m = gw_f16_to_f32(m ^ 0x8000u);
    out->s[0] = out->s[1] = out->z[0] = out->z[1] = 1;
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    for (int j = 0; j < 16; j++) {
        out->q[j] = block[4 + j] & 15;
        out->q[16 + j] = (int8_t)(block[4 + j] >> 4);
    }
    fill(gw_half_at(block), gw_half_at(block + 2), out);
}

// ggml's reference: m = the least, d = (the largest - m) / 15.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    (void)weights;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const float *x = src + b * GW_UNIT;
        uint8_t *block = out + b * BLOCK_BYTES;
        float id, min = gw_put_range(block, x, 15, &id);
        for (int j = 0; j < 16; j++) {
            block[4 + j] = (uint8_t)(gw_code((x[j] - min) * id + 0.5f, 15) |
                                     gw_code((x[j + 16] - min) * id + 0.5f, 15) << 4);
        }
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        finite &= gw_half_finite(gw_half_at(block)) && gw_half_finite(gw_half_at(block + 2));
        out->sides[b] = gw_half_at(block) | gw_half_at(block + 2) << 16;
        memcpy(out->quants + b * 4, block + 4, 16);
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    memset(out->q, 0, sizeof out->q);
    gw_get_plane4(row->quants + at * 4, (uint8_t *)out->q, 0);
    fill(row->sides[at] & 0xffffu, row->sides[at] >> 16, out);
}

const gw_format gw_format_q4_1 = {.id = GW_FMT_q4_1,
                                  .type = GODWIT_Q4_1,
                                  .file_type = 3,
                                  .name = "q4_1",
                                  .form = GW_FORM_MIN,
                                  .block = GW_UNIT,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 4,
                                  .tail_bytes = 4,
                                  .limit = GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
