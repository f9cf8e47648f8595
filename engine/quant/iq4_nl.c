// IQ4_NL: 32 nibbles, each one of 16 uneven values, with one half scale; w = d * value[q].
//
//   file:   | d: f16 | byte j: q[j] low, q[j + 16] high, j = 0..15 |      18 bytes a block
//   repack: quants: four bit planes (iq.h); tails: d
#include "quant/iq.h"

enum { BLOCK_BYTES = 18 };

static void fill(const uint8_t *codes, uint32_t d, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = gw_iq4_value(codes[i]);
    out->d = gw_f16_to_f32(d);
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    (void)unit;
    uint8_t codes[GW_UNIT];
    gw_nibbles(block + 2, GW_UNIT, codes);
    fill(codes, gw_half_at(block), out);
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t b = 0; b < n / GW_UNIT; b++) {
        const uint8_t *block = row + b * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        gw_nibbles(block + 2, GW_UNIT, codes);
        gw_put_bits4(out->quants + b * 4, codes);
        gw_put_tail_half(out->sides, b, gw_half_at(block));
        finite &= gw_half_finite(gw_half_at(block));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    gw_get_bits4(row->quants + at * 4, codes);
    fill(codes, gw_tail_half(row->sides, at), out);
}

const gw_format gw_format_iq4_nl = {.id = GW_FMT_iq4_nl,
                                    .type = GODWIT_IQ4_NL,
                                    .name = "iq4_nl",
                                    .form = GW_FORM_PLAIN,
                                    .block = GW_UNIT,
                                    .block_bytes = BLOCK_BYTES,
                                    .quant_words = 4,
                                    .tail_bytes = 2,
                                    .decode = decode,
                                    .repack = repack,
                                    .unpack = unpack};
