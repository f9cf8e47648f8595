// K scales: the 6-bit scales and minima of a Q4_K or Q5_K block, 8 of each in 12 bytes.
//   j < 4:  scale = byte[j] & 63, min = byte[j + 4] & 63
//   j >= 4: scale = byte[j + 4] & 15 | byte[j - 4] >> 6 << 4, min = byte[j + 4] >> 4 | byte[j] >> 6
//   << 4
#ifndef GW_QUANT_K_SCALES_H
#define GW_QUANT_K_SCALES_H

#include <stdint.h>

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

// And back: 8 scales and 8 minima to the 12 bytes.
static inline void gw_put_k_scales(const uint8_t *scales, const uint8_t *mins, uint8_t *bytes) {
    for (int j = 0; j < 4; j++) {
        bytes[j] = (uint8_t)(scales[j] | scales[j + 4] >> 4 << 6);
        bytes[j + 4] = (uint8_t)(mins[j] | mins[j + 4] >> 4 << 6);
        bytes[j + 8] = (uint8_t)((scales[j + 4] & 15) | (mins[j + 4] & 15) << 4);
    }
}

#endif
