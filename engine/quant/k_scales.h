// K scales: the 6-bit scales and minima of a Q4_K or Q5_K block, 8 of each.
//
//   file:   12 bytes. j < 4:  scale j = byte[j] & 63, min j = byte[j + 4] & 63
//           j >= 4: scale j = byte[j + 4] & 15 | byte[j - 4] >> 6 << 4,
//                   min j = byte[j + 4] >> 4 | byte[j] >> 6 << 4
//   repack: 3 words, of which unit j needs two (the file's order would need all three).
//           Word j / 4, byte j % 4: low 4 bits of scale j, then of min j. Word 2, bits 4j ..: high
//           2 bits of scale j, then of min j
#ifndef GW_QUANT_K_SCALES_H
#define GW_QUANT_K_SCALES_H

#include "base/exact.h"
#include "quant/quant.h"

static inline void gw_k_scales(const uint8_t *bytes, uint32_t j, int32_t *out_scale,
                               int32_t *out_min) {
    if (j < 4) {
        *out_scale = bytes[j] & 63;
        *out_min = bytes[j + 4] & 63;
    } else {
        *out_scale = (bytes[j + 4] & 15) | bytes[j - 4] >> 6 << 4;
        *out_min = bytes[j + 4] >> 4 | bytes[j] >> 6 << 4;
    }
}

// 8 scales and 8 minima to the file's 12 bytes.
static inline void gw_put_k_scales(const uint8_t *scales, const uint8_t *mins, uint8_t *bytes) {
    for (int j = 0; j < 4; j++) {
        bytes[j] = (uint8_t)(scales[j] | scales[j + 4] >> 4 << 6);
        bytes[j + 4] = (uint8_t)(mins[j] | mins[j + 4] >> 4 << 6);
        bytes[j + 8] = (uint8_t)((scales[j + 4] & 15) | (mins[j + 4] & 15) << 4);
    }
}

// The file's bytes to the 3 words, and unit j back.
static inline void gw_pack_k_scales(const uint8_t *bytes, uint32_t *words) {
    words[0] = words[1] = words[2] = 0;
    for (uint32_t j = 0; j < 8; j++) {
        int32_t scale, min;
        gw_k_scales(bytes, j, &scale, &min);
        words[j / 4] |= (uint32_t)((scale & 15) | (min & 15) << 4) << (8 * (j % 4));
        words[2] |= (uint32_t)(scale >> 4 | min >> 4 << 2) << (4 * j);
    }
}
static inline void gw_packed_k_scales(const uint32_t *words, uint32_t j, int32_t *out_scale,
                                      int32_t *out_min) {
    uint32_t low = words[j / 4] >> (8 * (j % 4)), high = words[2] >> (4 * j);
    *out_scale = (int32_t)((low & 15) | (high & 3) << 4);
    *out_min = (int32_t)((low >> 4 & 15) | (high & 12) << 2);
}

// The unit's scale and minimum stand in s[0], z[0].
static inline void gw_k_fill(uint32_t d, uint32_t dmin, gw_unit *out) {
    out->d = gw_f16_to_f32(d);
    out->m = gw_f16_to_f32(dmin);
    out->s[1] = out->s[0];
    out->z[1] = out->z[0];
}

#endif
