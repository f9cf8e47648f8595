// TQ1_0: 256 ternary weights, five to a byte, with one half scale; w = d * (q - 1).
//
//   file:   | 32 bytes: trit k of byte l: q[32k + l] | 16 bytes: trit k of byte l:
//           q[160 + 16k + l] | 4 bytes: trit k < 4 of byte l: q[240 + 4k + l] | d: f16 |
//           54 bytes a block
//   repack: quants 13 words a block, in which four neighbouring weights are one trit of four bytes:
//           a plane of 1 word a unit: trit k < 5 of byte b: q[4k + b]; then 5 words a block: the
//           unit's rest, q[20 + 4k + b], k < 3, is trit t % 5 of byte b of word t / 5, t = 3 * unit
//           + k. So a unit is 2 or 3 words, where the file's order would make it 8. tails: d
#include "quant/planes.h"
#include "quant/ternary.h"

enum { BLOCK = 256, BLOCK_BYTES = 54, D = 52, RESTS = 5 };

static void fill(uint32_t d, const uint8_t *codes, gw_unit *out) {
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 1);
    out->d = gw_f16_to_f32(d);
}

// Byte and trit of weight i of a block.
static uint32_t place(uint32_t i, uint32_t *out_trit) {
    uint32_t width = i < 160 ? 32 : i < 240 ? 16 : 4, first = i < 160 ? 0 : i < 240 ? 160 : 240;
    *out_trit = (i - first) / width;
    return first / 5 + (i - first) % width;
}

static void read_codes(const uint8_t *block, uint32_t unit, uint8_t *codes) {
    for (uint32_t i = 0; i < GW_UNIT; i++) {
        uint32_t trit, byte = place(unit * GW_UNIT + i, &trit);
        codes[i] = gw_trit(block[byte], trit);
    }
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    read_codes(block, unit, codes);
    fill(gw_half_at(block + D), codes, out);
}

// ggml's reference: gw_ternary. The last four bytes hold four trits, their fifth is 0.
static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    static const uint8_t power[5] = {81, 27, 9, 3, 1};
    (void)weights;
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        uint8_t codes[BLOCK], *block = out + b * BLOCK_BYTES;
        gw_put_half(block + D, gw_ternary(src + b * BLOCK, BLOCK, codes));
        memset(block, 0, D);
        for (uint32_t i = 0; i < BLOCK; i++) {
            uint32_t trit, byte = place(i, &trit);
            block[byte] = (uint8_t)(block[byte] + codes[i] * power[trit]);
        }
        for (uint32_t i = 0; i < D; i++) block[i] = gw_trits_byte(block[i]);
    }
}

// rows: n_rows <= 5 times four codes. One word whose byte b has rows[k][b] as its trit k.
static uint32_t trits_word(const uint8_t *codes, uint32_t n_rows) {
    uint32_t word = 0;
    for (uint32_t b = 0; b < 4; b++) {
        uint32_t value = 0;
        for (uint32_t k = 0; k < 5; k++) value = value * 3 + (k < n_rows ? codes[4 * k + b] : 0);
        word |= (uint32_t)gw_trits_byte(value) << (8 * b);
    }
    return word;
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    bool finite = true;
    for (uint64_t block = 0; block < n / BLOCK; block++) {
        const uint8_t *bytes = row + block * BLOCK_BYTES;
        uint8_t rests[8 * 12]; // 24 times four
        for (uint32_t u = 0; u < 8; u++) {
            uint8_t codes[GW_UNIT];
            read_codes(bytes, u, codes);
            out->quants[block * 8 + u] = trits_word(codes, 5);
            memcpy(rests + u * 12, codes + 20, 12);
        }
        uint32_t *rest = out->quants + out->n_units + block * RESTS;
        for (uint32_t i = 0; i < RESTS; i++) rest[i] = trits_word(rests + i * 20, i < 4 ? 5 : 4);
        gw_put_tail_half(out->sides, block, gw_half_at(bytes + D));
        finite &= gw_half_finite(gw_half_at(bytes + D));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    const uint32_t *rest = row->quants + row->n_units + at / 8 * RESTS;
    uint8_t codes[GW_UNIT];
    for (uint32_t i = 0; i < GW_UNIT; i++) {
        uint32_t k = i / 4, t = at % 8 * 3 + k - 5;
        uint32_t word = i < 20 ? row->quants[at] : rest[t / 5];
        codes[i] = gw_trit(word >> (i % 4 * 8) & 255, i < 20 ? k : t % 5);
    }
    fill(gw_tail_half(row->sides, at / 8), codes, out);
}

const gw_format gw_format_tq1_0 = {.id = GW_FMT_tq1_0,
                                   .type = GODWIT_TQ1_0,
                                   .file_type = 36,
                                   .name = "tq1_0",
                                   .form = GW_FORM_PLAIN,
                                   .block = BLOCK,
                                   .block_bytes = BLOCK_BYTES,
                                   .quant_words = 13,
                                   .planes = {8, 5},
                                   .tail_bytes = 2,
                                   .limit = GW_HALF_MAX,
                                   .decode = decode,
                                   .quantize = quantize,
                                   .repack = repack,
                                   .unpack = unpack};
