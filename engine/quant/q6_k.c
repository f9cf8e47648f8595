// Q6_K: 256 codes of 6 bits, 16 runs of 16 with a signed byte as scale each.
//   w = d * scale * (q - 32)
//
//   file:   | 128 bytes: low nibbles | 64 bytes: bits 4 and 5 (gw_read_twos) | 16 scales: int8 |
//           d: f16 |                                                              210 bytes a block
//           byte 64g + l of the first: q[128g + l] low nibble, q[128g + 64 + l] high nibble
//   repack: quants: planes 4 and 2; sides 4 words a block: the 16 scales; tails: d
//
// |s . (sum of q * x)| is at most 128 * 32 * 127 * 32 = 16646144 < 2^24, and d * s * q is exact: at
// most 11 + 7 + 5 bits, -128 and -32 being powers of two.
#include "quant/k_search.h"
#include "quant/planes.h"

enum { BLOCK = 256, BLOCK_BYTES = 210, HIGH = 128, SCALES = 192, D = 208 };

static void read_codes(const uint8_t *block, uint32_t unit, uint8_t *codes) {
    uint8_t low[GW_UNIT];
    gw_read_codes(block + unit / 4 * 64 + unit % 2 * GW_UNIT, unit / 2 % 2 * 4, 15, low);
    gw_read_twos(block + HIGH, unit, codes);
    for (int l = 0; l < GW_UNIT; l++) codes[l] = (uint8_t)(codes[l] << 4 | low[l]);
}

// scales: the two bytes of the unit.
static void fill(uint32_t d, const uint8_t *scales, const uint8_t *codes, gw_unit *out) {
    out->d = gw_f16_to_f32(d);
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 32);
    for (int h = 0; h < 2; h++) out->s[h] = (int8_t)scales[h];
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    read_codes(block, unit, codes);
    fill(gw_half_at(block + D), block + SCALES + 2 * unit, codes, out);
}

// Chooses d and the scales; codes: what is left where d * scale is 0.
static float search(const float *x, const float *importances, int8_t *scales, uint8_t *codes) {
    float fits[16];
    for (int r = 0; r < 16; r++) {
        const float *w = importances ? importances + 16 * r : NULL;
        fits[r] = gw_k_fit_signed(16, 32, x + 16 * r, w, codes + 16 * r);
    }
    float max = gw_k_largest(16, fits);
    bool nothing = max < 1e-15f && max > -1e-15f;
    float inverse = nothing ? 0.0f : -128.0f / max;
    for (int r = 0; r < 16; r++) scales[r] = (int8_t)gw_k_round(inverse * fits[r], -128, 127);
    if (nothing) memset(codes, 0, BLOCK);
    return nothing ? 0.0f : 1.0f / inverse;
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const float *x = src + b * BLOCK;
        uint8_t codes[BLOCK], high[BLOCK], *block = out + b * BLOCK_BYTES;
        int8_t scales[16];
        uint32_t d = gw_f32_to_f16(search(x, weights ? weights + b * BLOCK : NULL, scales, codes));
        for (int r = 0; r < 16; r++) {
            float scale = gw_f16_to_f32(d) * (float)scales[r];
            gw_k_requantize(16, -32, 31, scale, x + 16 * r, codes + 16 * r);
        }
        memset(block, 0, BLOCK_BYTES);
        for (int i = 0; i < BLOCK; i++) {
            int at = i / 128 * 64 + i % 64;
            block[at] |= (uint8_t)((codes[i] & 15) << (i / 64 % 2 * 4));
            high[i] = codes[i] >> 4;
        }
        for (uint32_t u = 0; u < 8; u++) gw_write_twos(block + HIGH, u, high + u * GW_UNIT);
        memcpy(block + SCALES, scales, 16);
        gw_put_half(block + D, d);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    uint32_t *tails = out->sides + n / BLOCK * 4;
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block, u % 8, codes);
        gw_put_plane4(out->quants + u * 4, codes, 0);
        gw_put_plane2(out->quants + out->n_units * 4 + u * 2, codes, 4);
        if (u % 8) continue;
        memcpy(out->sides + u / 8 * 4, block + SCALES, 16);
        gw_put_tail_half(tails, u / 8, gw_half_at(block + D));
        finite &= gw_half_finite(gw_half_at(block + D));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane4(row->quants + at * 4, codes, 0);
    gw_get_plane2(row->quants + row->n_units * 4 + at * 2, codes, 4);
    fill(gw_tail_half(row->sides + row->n_units / 8 * 4, at / 8),
         (const uint8_t *)(row->sides + at / 8 * 4) + at % 8 * 2, codes, out);
}

const gw_format gw_format_q6_k = {.id = GW_FMT_q6_k,
                                  .type = GODWIT_Q6_K,
                                  .file_type = 18,
                                  .name = "q6_k",
                                  .form = GW_FORM_SUB,
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 48,
                                  .planes = {32, 16},
                                  .side_words = 4,
                                  .tail_bytes = 2,
                                  .limit = 128 * 32 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
