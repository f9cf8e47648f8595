// IQ: what the IQ and FP4 formats share: values of codes, signs, bit planes of 4-bit codes.
//
// Signs of a unit lie in one word as a plane 1 does: bit k of byte b is the sign of weight 4k + b.
// Formats that store 7 signs of 8 (the eighth makes their number even) leave four bits of that word
// free, 25, 27, 29 and 31: the "spare" nibble, where they keep a scale or bits of grid numbers.
// Codes of IQ4 and FP4 lie as four planes 1, bit by bit: kernels then work on all 32 at once
// (shaders/lib/iq.glsl, the twin of this file).
#ifndef GW_QUANT_IQ_H
#define GW_QUANT_IQ_H

#include "quant/fours.h"
#include "quant/grids.h"
#include "quant/planes.h"

static inline uint32_t gw_word_at(const uint8_t *p) {
    return gw_half_at(p) | gw_half_at(p + 2) << 16;
}

// The halves at which blocks begin, to a row's tails. False where one is NaN or infinity.
static inline bool gw_iq_put_tails(const uint8_t *row, uint64_t n_blocks, uint32_t block_bytes,
                                   uint32_t *tails) {
    bool finite = true;
    for (uint64_t b = 0; b < n_blocks; b++) {
        uint32_t half = gw_half_at(row + b * block_bytes);
        gw_put_tail_half(tails, b, half);
        finite &= gw_half_finite(half);
    }
    return finite;
}

// What codes stand for: IQ2's points, IQ4's nibbles, twice what an FP4 (e2m1) number is.
static inline int gw_iq2_value(uint32_t code) {
    return (int)(8 + 17 * code + (code >> 1)); // 8, 25, 43
}
static inline int8_t gw_iq4_value(uint32_t code) {
    return gw_iq4_fours[code & 15];
}
static inline int8_t gw_fp4_value(uint32_t code) {
    return gw_fp4_fours[code & 15];
}

// Without a branch: signs are as chance has them.
static inline int8_t gw_iq_with_sign(int value, uint32_t minus) {
    const int all = -(int)(minus & 1);
    return (int8_t)((value ^ all) - all);
}

// 8 weights of a point of IQ2, with a byte of signs.
static inline void gw_iq2_point(uint32_t entry, uint32_t signs, int8_t *q) {
    for (int i = 0; i < 8; i++) {
        int value = gw_iq2_value(entry >> (2 * i) & 3);
        q[i] = gw_iq_with_sign(value, signs >> i);
    }
}
// 8 weights of a point of IQ1: eight times (point + delta), delta 1/8 or -1/8.
static inline void gw_iq1_point(uint32_t entry, bool minus, int8_t *q) {
    for (int i = 0; i < 8; i++) {
        q[i] = (int8_t)(8 * ((int)(entry >> (2 * i) & 3) - 1) + (minus ? -1 : 1));
    }
}

// 7 signs and the eighth, which makes the number of minus signs even.
static inline uint8_t gw_iq_eighth(uint32_t seven) {
    uint32_t fold = seven & 127;
    fold ^= fold >> 4;
    fold ^= fold >> 2;
    fold ^= fold >> 1;
    return (uint8_t)((seven & 127) | (fold & 1) << 7);
}

// Bits 0..3 to bit 0 of four bytes, and back.
static inline uint32_t gw_spread_bits(uint32_t nibble) {
    return nibble * 0x00204081u & 0x01010101u;
}
static inline uint32_t gw_gather_bits(uint32_t word) {
    return (word | word >> 7 | word >> 14 | word >> 21) & 15;
}

// signs: [4], bit i of byte g belongs to weight 8g + i.
static inline uint32_t gw_iq_put_signs(const uint8_t *signs) {
    uint32_t word = 0;
    for (int g = 0; g < 4; g++) {
        word |= gw_spread_bits(signs[g] & 15) << (2 * g);
        word |= gw_spread_bits(signs[g] >> 4) << (2 * g + 1);
    }
    return word;
}
static inline void gw_iq_get_signs(uint32_t word, uint8_t *signs) {
    for (int g = 0; g < 4; g++) {
        uint32_t low = word >> (2 * g) & 0x01010101u, high = word >> (2 * g + 1) & 0x01010101u;
        signs[g] = (uint8_t)(gw_gather_bits(low) | gw_gather_bits(high) << 4);
    }
}

// The same with 7 signs of 8, and the spare nibble.
static inline uint32_t gw_iq_put_sevens(const uint8_t *signs, uint32_t spare) {
    uint32_t word = gw_iq_put_signs(signs) & 0x55ffffffu;
    for (int g = 0; g < 4; g++) word |= (spare >> g & 1) << (25 + 2 * g);
    return word;
}
static inline uint32_t gw_iq_get_sevens(uint32_t word, uint8_t *signs) {
    uint32_t spare = 0;
    gw_iq_get_signs(word, signs);
    for (int g = 0; g < 4; g++) {
        spare |= (word >> (25 + 2 * g) & 1) << g;
        signs[g] = gw_iq_eighth(signs[g]);
    }
    return spare;
}

// 32 codes of 4 bits, as four planes 1; four codes at a time.
static inline void gw_put_bits4(uint32_t *words, const uint8_t *codes) {
    words[0] = words[1] = words[2] = words[3] = 0;
    for (int k = 0; k < 8; k++) {
        uint32_t four;
        memcpy(&four, codes + 4 * k, sizeof four);
        for (int bit = 0; bit < 4; bit++) words[bit] |= (four >> bit & 0x01010101u) << k;
    }
}
static inline void gw_get_bits4(const uint32_t *words, uint8_t *codes) {
    for (int k = 0; k < 8; k++) {
        uint32_t four = 0;
        for (int bit = 0; bit < 4; bit++) four |= (words[bit] >> k & 0x01010101u) << bit;
        memcpy(codes + 4 * k, &four, sizeof four);
    }
}
// n / 2 bytes of a file: byte j has code j low and code n / 2 + j high.
static inline void gw_nibbles(const uint8_t *bytes, int n, uint8_t *codes) {
    for (int j = 0; j < n / 2; j++) {
        codes[j] = bytes[j] & 15;
        codes[n / 2 + j] = bytes[j] >> 4;
    }
}

#endif
