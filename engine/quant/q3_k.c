// Q3_K: 256 codes of 3 bits, 16 runs of 16 with a signed 6-bit scale each.
//   w = d * (scale - 32) * (q - 4)
//
//   file:   | 32 bytes: bit u of byte l: bit 2 of q[32u + l] | 64 bytes: bits 0 and 1 of q
//           (gw_read_twos) | 12 bytes of scales | d: f16 |                        110 bytes a block
//           scale j: bits 0..3 in byte j % 8 at bit j / 8 * 4, bits 4 and 5 in byte 8 + j % 4 at
//           bit j / 4 * 2
//   repack: quants: planes 2 and 1; sides 3 words a block: the 12 bytes; tails: d
#include "quant/k_search.h"
#include "quant/planes.h"

enum { BLOCK = 256, BLOCK_BYTES = 110, CODES = 32, SCALES = 96, D = 108 };

static void read_codes(const uint8_t *block, uint32_t unit, uint8_t *codes) {
    gw_read_twos(block + CODES, unit, codes);
    for (int l = 0; l < GW_UNIT; l++) codes[l] |= (uint8_t)((block[l] >> unit & 1) << 2);
}

// scales: the 12 bytes.
static void fill(uint32_t d, const uint8_t *scales, uint32_t unit, const uint8_t *codes,
                 gw_unit *out) {
    out->d = gw_f16_to_f32(d);
    for (int i = 0; i < GW_UNIT; i++) out->q[i] = (int8_t)(codes[i] - 4);
    for (uint32_t h = 0; h < 2; h++) {
        uint32_t j = 2 * unit + h;
        uint32_t low = scales[j % 8] >> (j / 8 * 4) & 15;
        uint32_t high = scales[8 + j % 4] >> (j / 4 * 2) & 3;
        out->s[h] = (int32_t)(low | high << 4) - 32;
    }
}

static void decode(const uint8_t *block, uint32_t unit, gw_unit *out) {
    uint8_t codes[GW_UNIT];
    read_codes(block, unit, codes);
    fill(gw_half_at(block + D), block + SCALES, unit, codes, out);
}

// scales: 16 of 0 .. 63, into what fill reads.
static void write_scales(const uint8_t *scales, uint8_t *bytes) {
    memset(bytes, 0, 12);
    for (int j = 0; j < 16; j++) {
        bytes[j % 8] |= (uint8_t)((scales[j] & 15) << (j / 8 * 4));
        bytes[8 + j % 4] |= (uint8_t)(scales[j] >> 4 << (j / 4 * 2));
    }
}

// x ~ result * (scales - 32) * (codes - 4).
static float search(const float *x, const float *importances, uint8_t *scales, uint8_t *codes) {
    float fits[16], w[BLOCK], run_w[16];
    if (importances) gw_k_weigh(x, importances, 2.0f, w);
    for (int r = 0; r < 16; r++) {
        if (!importances) {
            fits[r] = gw_k_climb_signed(16, 4, x + 16 * r, codes + 16 * r);
            continue;
        }
        run_w[r] = 0.0f;
        for (int i = 0; i < 16; i++) run_w[r] += w[16 * r + i];
        fits[r] = gw_k_fit_signed(16, 4, x + 16 * r, w + 16 * r, codes + 16 * r);
    }
    if (importances) return gw_k_fit_signed(16, 32, fits, run_w, scales);
    float max = gw_k_largest(16, fits);
    memset(scales, 0, 16);
    if (max == 0.0f) return 0.0f;
    float inverse = -32.0f / max;
    for (int r = 0; r < 16; r++) scales[r] = (uint8_t)(gw_k_round(inverse * fits[r], -32, 31) + 32);
    return 1.0f / inverse;
}

static void quantize(const float *src, const float *weights, uint64_t n, uint8_t *out) {
    for (uint64_t b = 0; b < n / BLOCK; b++) {
        const float *x = src + b * BLOCK;
        uint8_t scales[16], codes[BLOCK], *block = out + b * BLOCK_BYTES;
        uint32_t d = gw_f32_to_f16(search(x, weights ? weights + b * BLOCK : NULL, scales, codes));
        for (int r = 0; r < 16; r++) {
            float scale = gw_f16_to_f32(d) * (float)(scales[r] - 32);
            gw_k_requantize(16, -4, 3, scale, x + 16 * r, codes + 16 * r);
        }
        memset(block, 0, BLOCK_BYTES);
        for (int i = 0; i < BLOCK; i++) {
            block[i % 32] |= (uint8_t)(codes[i] >> 2 << (i / 32));
            codes[i] &= 3;
        }
        for (uint32_t u = 0; u < 8; u++) gw_write_twos(block + CODES, u, codes + u * GW_UNIT);
        write_scales(scales, block + SCALES);
        gw_put_half(block + D, d);
    }
}

static bool repack(const uint8_t *row, uint64_t n, const gw_packed *out) {
    uint32_t *tails = out->sides + n / BLOCK * 3;
    bool finite = true;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        const uint8_t *block = row + u / 8 * BLOCK_BYTES;
        uint8_t codes[GW_UNIT];
        read_codes(block, u % 8, codes);
        gw_put_plane2(out->quants + u * 2, codes, 0);
        gw_put_plane1(out->quants + out->n_units * 2 + u, codes, 2);
        if (u % 8) continue;
        memcpy(out->sides + u / 8 * 3, block + SCALES, 12);
        gw_put_tail_half(tails, u / 8, gw_half_at(block + D));
        finite &= gw_half_finite(gw_half_at(block + D));
    }
    return finite;
}

static void unpack(const gw_packed *row, uint64_t at, gw_unit *out) {
    uint8_t codes[GW_UNIT] = {0};
    gw_get_plane2(row->quants + at * 2, codes, 0);
    gw_get_plane1(row->quants + row->n_units * 2 + at, codes, 2);
    fill(gw_tail_half(row->sides + row->n_units / 8 * 3, at / 8),
         (const uint8_t *)(row->sides + at / 8 * 3), at % 8, codes, out);
}

const gw_format gw_format_q3_k = {.id = GW_FMT_q3_k,
                                  .type = GODWIT_Q3_K,
                                  .file_type = 12,
                                  .name = "q3_k",
                                  .form = GW_FORM_SUB,
                                  .block = BLOCK,
                                  .block_bytes = BLOCK_BYTES,
                                  .quant_words = 24,
                                  .planes = {16, 8},
                                  .side_words = 3,
                                  .tail_bytes = 2,
                                  .limit = 32 * 4 * GW_HALF_MAX,
                                  .decode = decode,
                                  .quantize = quantize,
                                  .repack = repack,
                                  .unpack = unpack};
