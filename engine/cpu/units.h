// Units: reading a block of GW_LANES rows of integer weights, the twin of shaders/lib/planes.glsl,
// iq.glsl and shaders/quant: the same code with a lane for each row.
//
// A record's words are taken apart once (gw_read_record); <name>_unit makes the codes and scales of a
// unit of it. Codes are 0 .. 127, the format's offset (quant.def) more than q, or where they may be
// negative as gw_signed_codes makes them.
#ifndef GW_CPU_UNITS_H
#define GW_CPU_UNITS_H

#include "cpu/dots.h"
#include "quant/fours.h"
#include "quant/layout.h"

enum {
    GW_INT_WORDS = 68, // the largest record of an integer format
    GW_LANE_VECTORS = GW_GROUP_ROWS / GW_LANES,
};

typedef struct gw_lane_record {
    gw_vu w[GW_INT_WORDS]; // of a plane of whole pieces a unit, which come last, none
    gw_vu half;            // the half tail
    const uint16_t *table;
} gw_lane_record;

// A unit: docs/NUMERICS.md, "Integer formats". s and z are integers.
typedef struct gw_lane_unit {
    gw_vu q[8];
    gw_vf d, m, s[2], z[2];
} gw_lane_unit;

// Pieces i of GW_LANES rows from `rows` on as words w to w + 3 of each.
GW_INLINE void gw_read_piece(const uint8_t *rows, gw_vu w[4]) {
    for (int k = 0; k < 4; k++) w[k] = gw_load(rows + k * 4 * GW_LANES);
    gw_transpose(w);
}

// Half tails of GW_LANES rows from `rows` on.
GW_INLINE gw_vu gw_read_half_tails(const uint8_t *rows) {
    uint16_t halves[GW_LANES];
    gw_vu wide;
    memcpy(halves, rows, sizeof halves);
    for (int i = 0; i < GW_LANES; i++) wide[i] = halves[i];
    return gw_to_lanes(wide);
}

// --- as in planes.glsl

GW_INLINE gw_vu gw_rec_byte(const gw_lane_record *r, uint32_t w, uint32_t at) {
    return r->w[w + at / 4] >> (at % 4 * 8) & 0xffu;
}
GW_INLINE gw_vu gw_rec_half(const gw_lane_record *r, uint32_t w, uint32_t at) {
    return r->w[w + at / 2] >> (at % 2 * 16) & 0xffffu;
}
GW_INLINE gw_vf gw_rec_float(const gw_lane_record *r, uint32_t w, uint32_t at) {
    return at % 2 ? gw_high_half(r->w[w + at / 2]) : gw_low_half(r->w[w + at / 2]);
}
GW_INLINE gw_vf gw_ints(gw_vu x) {
    return gw_to_float((gw_vi)x);
}

// A unit's words of a plane.
GW_INLINE void gw_plane4(const gw_vu words[4], gw_vu w[8]) {
    for (uint32_t i = 0; i < 4; i++) {
        gw_vu a = words[i];
        w[i] = a & 0x0f0f0f0fu;
        w[4 + i] = a >> 4 & 0x0f0f0f0fu;
    }
}
GW_INLINE gw_vu gw_shifted(gw_vu x, const int right) {
    return right < 0 ? x << -right : x >> right;
}
GW_INLINE void gw_plane2(const gw_vu words[2], int shift, gw_vu w[8]) {
    for (int i = 0; i < 8; i++)
        w[i] |= gw_shifted(words[i / 4], 2 * (i % 4) - shift) & 0x03030303u << shift;
}
GW_INLINE void gw_plane1(gw_vu word, int shift, gw_vu w[8]) {
    for (int i = 0; i < 8; i++) w[i] |= gw_shifted(word, i - shift) & 0x01010101u << shift;
}
GW_INLINE void gw_zero_codes(gw_vu w[8]) {
    for (int i = 0; i < 8; i++) w[i] = gw_splat(0);
}
GW_INLINE void gw_signed_unit(gw_vu w[8]) {
    for (int i = 0; i < 8; i++) w[i] = gw_signed_codes(w[i]);
}

// d and m of w = d * q + m, as halves of a word.
GW_INLINE void gw_added(gw_vu both, gw_lane_unit *u) {
    u->d = gw_low_half(both);
    u->m = gw_half(both >> 16 ^ 0x8000u);
    u->s[0] = u->z[0] = gw_splat_f(1.0f);
}
GW_INLINE void gw_lane_k_scales(const gw_lane_record *r, uint32_t j, gw_lane_unit *u) {
    gw_vu low = r->w[j / 4] >> (j % 4 * 8), high = r->w[2] >> (j * 4);
    u->s[0] = gw_ints((low & 15u) | (high & 3u) << 4);
    u->z[0] = gw_ints((low >> 4 & 15u) | (high & 12u) << 2);
    u->d = gw_low_half(r->w[3]);
    u->m = gw_high_half(r->w[3]);
}

// --- as in iq.glsl

GW_INLINE gw_vu gw_grid_entries(const gw_lane_record *r, gw_vu i) {
    gw_vu entry = i;
    for (int k = 0; k < GW_LANES; k++) entry[k] = r->table[i[k]];
    return entry;
}
GW_INLINE gw_vu gw_spread2(gw_vu codes) {
    gw_vu x = (codes | codes << 12) & 0x000f000fu;
    return (x | x << 6) & 0x03030303u;
}
GW_INLINE gw_vu gw_spread4(gw_vu codes) {
    gw_vu x = (codes | codes << 8) & 0x00ff00ffu;
    return (x | x << 4) & 0x0f0f0f0fu;
}
GW_INLINE gw_vu gw_with_signs(gw_vu values, gw_vu signs, int k) {
    gw_vu minus = signs >> k & 0x01010101u;
    return (values ^ ((minus << 8) - minus)) + minus;
}
GW_INLINE gw_vu gw_eighth_signs(gw_vu word) {
    gw_vu signs = word & 0x55ffffffu, fold = signs ^ signs >> 16;
    fold ^= fold >> 8;
    fold ^= fold >> 1;
    return signs | (fold & 0x55u) << 25;
}
GW_INLINE gw_vu gw_spare(gw_vu word) {
    gw_vu x = word >> 25 & 0x55u;
    x = (x | x >> 1) & 0x33u;
    return (x | x >> 2) & 0x0fu;
}
GW_INLINE gw_vu gw_iq2_values(gw_vu codes) {
    return 0x08080808u + codes + (codes << 4) + (codes >> 1 & 0x01010101u);
}
GW_INLINE void gw_iq2_point(const gw_lane_record *r, gw_vu at, gw_vu signs, int g, gw_vu w[8]) {
    gw_vu entry = gw_grid_entries(r, at);
    w[2 * g] = gw_with_signs(gw_iq2_values(gw_spread2(entry)), signs, 2 * g);
    w[2 * g + 1] = gw_with_signs(gw_iq2_values(gw_spread2(entry >> 8)), signs, 2 * g + 1);
}
// Each byte, below 128, minus `offset`: the 0x80 keeps each byte's borrow to itself.
GW_INLINE gw_vu gw_minus(gw_vu word, gw_vu offset) {
    return ((word | 0x80808080u) - offset * 0x01010101u) ^ 0x80808080u;
}
GW_INLINE void gw_iq1_point(const gw_lane_record *r, gw_vu at, gw_vu shift, int g, gw_vu w[8]) {
    gw_vu entry = gw_grid_entries(r, at);
    w[2 * g] = gw_minus(gw_spread2(entry) << 3, shift);
    w[2 * g + 1] = gw_minus(gw_spread2(entry >> 8) << 3, shift);
}
// Changes over the bits of b at mask with those of a `shift` above it.
GW_INLINE void gw_swap_bits(gw_vu *a, gw_vu *b, int shift, uint32_t mask) {
#if GW_LANES == 16 || defined(GW_NEON)
    gw_vu low = *a >> shift;
    *a = gw_pick((gw_vi)gw_splat(mask << shift), *b << shift, *a);
    *b = gw_pick((gw_vi)gw_splat(mask), low, *b);
#else
    gw_vu t = (*a >> shift ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
#endif
}
// Codes of 4 bits, 32 of a row in four bit planes: what they stand for, as gw_signed_codes has it.
#if GW_WIDENS
GW_INLINE void gw_look_up_fours(const int8_t table[16], const gw_vu *bits, gw_vu w[8]) {
    const gw_vu values = gw_signed_codes(gw_load_table(table));
    gw_vu x[4] = {bits[0], bits[1], bits[2], bits[3]};
    // To the places of plane 4.
    gw_swap_bits(&x[0], &x[1], 1, 0x55555555u);
    gw_swap_bits(&x[2], &x[3], 1, 0x55555555u);
    gw_swap_bits(&x[0], &x[2], 2, 0x33333333u);
    gw_swap_bits(&x[1], &x[3], 2, 0x33333333u);
    for (int i = 0; i < 4; i++) {
        w[i] = gw_look_up(values, x[i] & 0x0f0f0f0fu);
        w[4 + i] = gw_look_up(values, x[i] >> 4 & 0x0f0f0f0fu);
    }
}
GW_INLINE void gw_iq4_values(const gw_vu *bits, gw_vu w[8]) {
    gw_look_up_fours(gw_iq4_fours, bits, w);
}
GW_INLINE void gw_fp4_values(const gw_vu *bits, gw_vu w[8]) {
    gw_look_up_fours(gw_fp4_fours, bits, w);
}
#else
GW_INLINE void gw_bits_to_bytes(gw_vu w[8]) {
    for (int i = 0; i < 4; i++) gw_swap_bits(&w[i], &w[i + 4], 4, 0x0f0f0f0fu);
    for (int i = 0; i < 2; i++) {
        gw_swap_bits(&w[i], &w[i + 2], 2, 0x33333333u);
        gw_swap_bits(&w[i + 4], &w[i + 6], 2, 0x33333333u);
    }
    for (int i = 0; i < 8; i += 2) gw_swap_bits(&w[i], &w[i + 1], 1, 0x55555555u);
}
GW_INLINE void gw_iq4_values(const gw_vu *bits, gw_vu w[8]) {
    gw_vu a = bits[0], b = bits[1], c = bits[2], e = bits[3];
    gw_vu both = a & b, any = a | b, odd = a ^ b;
    w[0] = (b | ~a) ^ (c & any) ^ (e & (a ^ (c & odd)));
    w[1] = both ^ (c & (~a ^ (e & (b | ~a))));
    w[2] = b ^ (c & ~both) ^ (e & (odd ^ (c & any)));
    w[3] = any ^ (c & ~odd) ^ (e & (both ^ (c & (a | ~b))));
    w[4] = a ^ (e & (any ^ (c & ~odd)));
    w[5] = b ^ (e & ((b & ~a) ^ (c & ~any)));
    w[6] = c & (any | ~e);
    w[7] = ~e;
    gw_bits_to_bytes(w);
    gw_signed_unit(w);
}
GW_INLINE void gw_fp4_values(const gw_vu *bits, gw_vu w[8]) {
    gw_vu a = bits[0], b = bits[1], c = bits[2], minus = bits[3];
    gw_vu v0 = a & ~c, v1 = (b & ~c) | (c & a & ~b), v2 = c & (a | ~b), v3 = c & b;
    w[0] = v0;
    w[1] = v1 ^ (minus & v0);
    w[2] = v2 ^ (minus & (v0 | v1));
    w[3] = v3 ^ (minus & (v0 | v1 | v2));
    w[4] = minus & (v0 | v1 | v2 | v3);
    w[5] = w[6] = w[7] = w[4];
    gw_bits_to_bytes(w);
    gw_signed_unit(w);
}
#endif

#endif
