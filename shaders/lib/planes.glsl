// Planes: reading repacked rows, the twin of engine/quant/planes.h.
// The including shader has declared  gw_quant4() (uvec4), gw_quant() (the same words), gw_side() and gw_entry() (lib/load.glsl).
// A function takes the word where its plane begins; planes 4 begin at multiples of 4 words.
#ifndef GW_LIB_PLANES
#define GW_LIB_PLANES

// Where a row is: words of quants, words of sides, words of tails; its number of units.
struct gw_row {
    uint q, s, t, n_units;
};

// w[i] = d * s[h] * q[i] - m * z[h], h = i / 16: engine/quant/quant.h. q: four signed bytes to a word, in order.
struct gw_unit {
    uint w[8];
    float d, m;
    int s0, s1, z0, z1;
};

// Codes of unit u, four bytes to a word.
void gw_plane4(uint at, uint u, out uint w[8]) {
    uvec4 a = gw_quant4((at >> 2) + u);
    for (int i = 0; i < 4; i++) {
        w[i] = a[i] & 0x0f0f0f0fu;
        w[4 + i] = (a[i] >> 4) & 0x0f0f0f0fu;
    }
}
// Adds pieces of 2 or 1 bits at bit `shift` of each byte.
void gw_plane2(uint at, uint u, int shift, inout uint w[8]) {
    for (int k = 0; k < 2; k++) {
        uint a = gw_quant(at + 2u * u + uint(k));
        for (int j = 0; j < 4; j++) w[4 * k + j] |= ((a >> (2 * j)) & 0x03030303u) << shift;
    }
}
void gw_plane1(uint at, uint u, int shift, inout uint w[8]) {
    uint a = gw_quant(at + u);
    for (int j = 0; j < 8; j++) w[j] |= ((a >> j) & 0x01010101u) << shift;
}
void gw_zero(out uint w[8]) {
    for (int i = 0; i < 8; i++) w[i] = 0u;
}

// Each byte, below 128, minus `offset`, as signed bytes: the 0x80 keeps each byte's borrow to itself.
uint gw_minus(uint word, uint offset) {
    return ((word | 0x80808080u) - offset * 0x01010101u) ^ 0x80808080u;
}
void gw_minus8(inout uint w[8], uint offset) {
    for (int i = 0; i < 8; i++) w[i] = gw_minus(w[i], offset);
}

// Byte `at` of a run of words that begins at side word `word`.
uint gw_side_byte(uint word, uint at) {
    return (gw_side(word + (at >> 2)) >> ((at & 3u) * 8u)) & 0xffu;
}
uint gw_side_half(uint word, uint at) {
    return (gw_side(word + (at >> 1)) >> ((at & 1u) * 16u)) & 0xffffu;
}
// The half tail of a row's block, as a float.
float gw_tail(gw_row row, uint block) {
    return gw_f16_to_f32(gw_side_half(row.t, block));
}

// What a form without scales for each 16, or without minima, has there.
void gw_no_scales(inout gw_unit unit) {
    unit.s0 = unit.s1 = 1;
}
void gw_no_minima(inout gw_unit unit) {
    unit.m = 0.0;
    unit.z0 = unit.z1 = 0;
}

// d and m of w = d * q + m, as halves of a word.
void gw_added(uint both, inout gw_unit unit) {
    unit.d = gw_f16_to_f32(both & 0xffffu);
    unit.m = gw_f16_to_f32((both >> 16) ^ 0x8000u);
    unit.s0 = unit.s1 = unit.z0 = unit.z1 = 1;
}

int gw_byte(uint word, int i) {
    return bitfieldExtract(int(word), 8 * i, 8);
}

#endif
