// IQ: what the IQ and FP4 formats share; the twin of engine/quant/iq.h.
#ifndef GW_LIB_IQ
#define GW_LIB_IQ

// Entry i of the format's table, two to a word.
uint gw_grid(uint i) {
    return (gw_entry(i >> 1) >> ((i & 1u) * 16u)) & 0xffffu;
}
// Four codes of 2 bits (the low 8 of 16 bits), or of 4 bits, to bytes.
uint gw_spread2(uint codes) {
    uint x = (codes | (codes << 12)) & 0x000f000fu;
    return (x | (x << 6)) & 0x03030303u;
}
uint gw_spread4(uint codes) {
    uint x = (codes | (codes << 8)) & 0x00ff00ffu;
    return (x | (x << 4)) & 0x0f0f0f0fu;
}

// Four values, none of them 0, with the signs of bits k of the bytes of `signs`.
uint gw_signed(uint values, uint signs, int k) {
    uint minus = (signs >> k) & 0x01010101u;
    return (values ^ ((minus << 8) - minus)) + minus;
}
// Word of 7 signs of 8 (bits 25 + 2g hold other things): the eighth makes their number even.
uint gw_eighth_signs(uint word) {
    uint signs = word & 0x55ffffffu;
    uint fold = signs ^ (signs >> 16);
    fold ^= fold >> 8;
    fold ^= fold >> 1;
    return signs | ((fold & 0x55u) << 25);
}
// Those other things: bits 25, 27, 29, 31 as a nibble.
uint gw_spare(uint word) {
    uint x = (word >> 25) & 0x55u;
    x = (x | (x >> 1)) & 0x33u;
    return (x | (x >> 2)) & 0x0fu;
}

// 8, 25, 43 of codes 0, 1, 2.
uint gw_iq2_values(uint codes) {
    return 0x08080808u + codes + (codes << 4) + ((codes >> 1) & 0x01010101u);
}
// Group g of 8 weights of a unit: a point of IQ2 with its signs; one of IQ1, 8 * (point + delta), shift: 7 or 9.
void gw_iq2_point(uint at, uint signs, int g, inout uint w[8]) {
    uint entry = gw_grid(at);
    w[2 * g] = gw_signed(gw_iq2_values(gw_spread2(entry)), signs, 2 * g);
    w[2 * g + 1] = gw_signed(gw_iq2_values(gw_spread2(entry >> 8)), signs, 2 * g + 1);
}
void gw_iq1_point(uint at, uint shift, int g, inout uint w[8]) {
    uint entry = gw_grid(at);
    w[2 * g] = gw_minus(gw_spread2(entry) << 3, shift);
    w[2 * g + 1] = gw_minus(gw_spread2(entry >> 8) << 3, shift);
}

// Bits to bytes: w[k], bit j of byte b, becomes bit k of byte b of w[j].
void gw_swap_bits(inout uint a, inout uint b, int shift, uint mask) {
    uint t = ((a >> shift) ^ b) & mask;
    b ^= t;
    a ^= t << shift;
}
void gw_bits_to_bytes(inout uint w[8]) {
    for (int i = 0; i < 4; i++) gw_swap_bits(w[i], w[i + 4], 4, 0x0f0f0f0fu);
    for (int i = 0; i < 2; i++) {
        gw_swap_bits(w[i], w[i + 2], 2, 0x33333333u);
        gw_swap_bits(w[i + 4], w[i + 6], 2, 0x33333333u);
    }
    for (int i = 0; i < 8; i += 2) gw_swap_bits(w[i], w[i + 1], 1, 0x55555555u);
}

// The 32 values of IQ4's codes, from their four bit planes: each bit of the 16 values is a polynomial of the code's
// bits over AND and XOR.
void gw_iq4_values(uvec4 bits, out uint w[8]) {
    uint a = bits.x, b = bits.y, c = bits.z, e = bits.w;
    uint both = a & b, any = a | b, odd = a ^ b;
    w[0] = (b | ~a) ^ (c & any) ^ (e & (a ^ (c & odd)));
    w[1] = both ^ (c & (~a ^ (e & (b | ~a))));
    w[2] = b ^ (c & ~both) ^ (e & (odd ^ (c & any)));
    w[3] = any ^ (c & ~odd) ^ (e & (both ^ (c & (a | ~b))));
    w[4] = a ^ (e & (any ^ (c & ~odd)));
    w[5] = b ^ (e & ((b & ~a) ^ (c & ~any)));
    w[6] = c & (any | ~e);
    w[7] = ~e;
    gw_bits_to_bytes(w);
}

// The same for FP4 (e2m1), twice the number: 0, 1, 2, 3, 4, 6, 8, 12 and their negatives.
void gw_fp4_values(uvec4 bits, out uint w[8]) {
    uint a = bits.x, b = bits.y, c = bits.z, minus = bits.w;
    uint v0 = a & ~c, v1 = (b & ~c) | (c & a & ~b), v2 = c & (a | ~b), v3 = c & b;
    w[0] = v0;
    w[1] = v1 ^ (minus & v0);
    w[2] = v2 ^ (minus & (v0 | v1));
    w[3] = v3 ^ (minus & (v0 | v1 | v2));
    w[4] = minus & (v0 | v1 | v2 | v3);
    w[5] = w[6] = w[7] = w[4];
    gw_bits_to_bytes(w);
}

#endif
