// Planes: how repacked rows hold codes of 4, 2 and 1 bits, the twin of shaders/lib/planes.glsl.
//
// A code of b bits is cut into pieces of 4, 2 and 1 bits (5 = 4 + 1, 6 = 4 + 2, 3 = 2 + 1); each
// kind of piece is one plane over the whole row, so that a kernel reads whole aligned words:
//   plane 4: 4 words a unit. Word k: bytes b of its low nibbles are codes 4k + b, of its high
//            ones codes 16 + 4k + b.
//   plane 2: 2 words a unit. Word k, bits 2j and 2j + 1 of byte b: code 16k + 4j + b.
//   plane 1: 1 word a unit. Bit j of byte b: code 4j + b.
// The planes of a row lie one behind the other, the widest first. Here too: the reading of halves.
#ifndef GW_QUANT_PLANES_H
#define GW_QUANT_PLANES_H

#include "base/exact.h"
#include "quant/quant.h"

static inline uint32_t gw_half_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static inline void gw_put_half(uint8_t *p, uint32_t half) {
    p[0] = (uint8_t)half;
    p[1] = (uint8_t)(half >> 8);
}
static inline bool gw_half_finite(uint32_t half) {
    return (half & 0x7c00u) != 0x7c00u;
}

// v cut to a whole number in 0 .. max; 0 for NaN.
static inline uint8_t gw_code(float v, int max) {
    return (uint8_t)(v >= (float)max ? max : v > 0.0f ? (int)v : 0);
}

// Of Q4_1 and Q5_1: writes d = (largest - least) / max and the least, as halves; returns the least,
// and 1 / d before its rounding.
static inline float gw_put_range(uint8_t *block, const float *x, int max, float *out_id) {
    float low = x[0], high = x[0];
    for (int i = 1; i < GW_UNIT; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float d = (high - low) / (float)max;
    *out_id = d != 0.0f ? 1.0f / d : 0.0f;
    gw_put_half(block, gw_f32_to_f16(d));
    gw_put_half(block + 2, gw_f32_to_f16(low));
    return low;
}

// Four bytes from number 4 * i on as a word, shifted: what comes in from the next byte is masked.
static inline uint32_t gw_four_bytes(const uint8_t *bytes, int i, uint32_t shift) {
    uint32_t four;
    memcpy(&four, bytes + 4 * i, 4);
    return four >> shift;
}
// 32 codes out of as many bytes: code[i] = byte[i] >> shift & mask.
static inline void gw_read_codes(const uint8_t *bytes, uint32_t shift, uint32_t mask,
                                 uint8_t *codes) {
    for (int i = 0; i < GW_UNIT / 4; i++) {
        uint32_t four = gw_four_bytes(bytes, i, shift) & mask * 0x01010101u;
        memcpy(codes + 4 * i, &four, 4);
    }
}

// codes: [32], the low 4, 2 or 1 bits of (code >> shift) go in.
static inline void gw_put_plane4(uint32_t *words, const uint8_t *codes, uint32_t shift) {
    for (int k = 0; k < 4; k++) {
        words[k] = (gw_four_bytes(codes, k, shift) & 0x0f0f0f0fu) |
                   (gw_four_bytes(codes, 4 + k, shift) & 0x0f0f0f0fu) << 4;
    }
}
static inline void gw_put_plane2(uint32_t *words, const uint8_t *codes, uint32_t shift) {
    words[0] = words[1] = 0;
    for (int i = 0; i < 8; i++) {
        words[i / 4] |= (gw_four_bytes(codes, i, shift) & 0x03030303u) << (2 * (i % 4));
    }
}
static inline void gw_put_plane1(uint32_t *words, const uint8_t *codes, uint32_t shift) {
    words[0] = 0;
    for (int i = 0; i < 8; i++) words[0] |= (gw_four_bytes(codes, i, shift) & 0x01010101u) << i;
}

// The same back: the pieces are put into codes at bit `shift` (codes begin as zeros).
static inline void gw_get_plane4(const uint32_t *words, uint8_t *codes, int shift) {
    for (int i = 0; i < 16; i++) {
        uint32_t byte = words[i / 4] >> (8 * (i % 4));
        codes[i] |= (uint8_t)((byte & 15) << shift);
        codes[16 + i] |= (uint8_t)((byte >> 4 & 15) << shift);
    }
}
static inline void gw_get_plane2(const uint32_t *words, uint8_t *codes, int shift) {
    for (int i = 0; i < 32; i++) {
        uint32_t piece = words[i / 16] >> (8 * (i % 4) + 2 * (i / 4 % 4)) & 3;
        codes[i] |= (uint8_t)(piece << shift);
    }
}
static inline void gw_get_plane1(const uint32_t *words, uint8_t *codes, int shift) {
    for (int i = 0; i < 32; i++) {
        uint32_t piece = words[0] >> (8 * (i % 4) + i / 4) & 1;
        codes[i] |= (uint8_t)(piece << shift);
    }
}

// The 32 codes of 2 bits of unit `unit` as Q2_K, Q3_K and TQ2_0 store them, in 64 bytes:
// code[128g + 32s + l] = byte[32g + l] >> 2s & 3.
static inline void gw_read_twos(const uint8_t *bytes, uint32_t unit, uint8_t *codes) {
    gw_read_codes(bytes + unit / 4 * GW_UNIT, unit % 4 * 2, 3, codes);
}
// And back: codes are 0 .. 3, bytes begin as zeros.
static inline void gw_write_twos(uint8_t *bytes, uint32_t unit, const uint8_t *codes) {
    uint8_t *run = bytes + unit / 4 * GW_UNIT;
    for (int l = 0; l < GW_UNIT; l++) run[l] |= (uint8_t)(codes[l] << (unit % 4 * 2));
}

// Tails: number `block` of a row's half tails, or of its byte tails.
static inline uint32_t gw_tail_half(const uint32_t *tails, uint64_t block) {
    return tails[block / 2] >> (block % 2 * 16) & 0xffffu;
}
static inline uint32_t gw_tail_byte(const uint32_t *tails, uint64_t block) {
    return tails[block / 4] >> (block % 4 * 8) & 0xffu;
}
static inline void gw_put_tail_half(uint32_t *tails, uint64_t block, uint32_t half) {
    gw_put_half((uint8_t *)tails + 2 * block, half);
}
static inline void gw_put_tail_byte(uint32_t *tails, uint64_t block, uint32_t byte) {
    ((uint8_t *)tails)[block] = (uint8_t)byte;
}

#endif
