// Planes: reading a block's record, the twin of engine/quant/planes.h.
// The including shader has declared gw_piece() and gw_word(), gw_entry() (lib/weights.glsl), RECORD_WORDS and HALF_TAIL.
#ifndef GW_LIB_PLANES
#define GW_LIB_PLANES

const uint ALONE_WORDS = RECORD_WORDS % 4u; // that lie one by one, before those in pieces
const uint HEAD_PIECES = (HALF_TAIL ? 4u : 0u) + ALONE_WORDS * 8u;
const uint BLOCK_PIECES = (HALF_TAIL ? 4u : 0u) + RECORD_WORDS * 8u; // of a group of 32 rows

// A row's record of a block: the piece where the group's begins, and the row's number in it.
struct gw_block {
    uint at, lane;
};

// w[i] = d * s[h] * q[i] - m * z[h], h = i / 16: engine/quant/quant.h. q: four signed bytes to a word, in order.
struct gw_unit {
    uint w[8];
    float d, m;
    int s0, s1, z0, z1;
};

#ifdef GW_AHEAD
// Kernels that load ahead read a unit twice, with the same calls: first for its loads, which are kept (what is made of
// them is not used, so compilers leave it out), and later, keeping false, from what was kept. Which word is at hand is
// known when the kernel is compiled, so that what is kept lies in registers.
const uint KEPT = 12u; // words, at most, of a unit
uint gw_kept[KEPT * GW_AHEAD];
uint gw_kept_at;
bool gw_keeping;

void gw_keep(bool keeping, uint i) {
    gw_keeping = keeping;
    gw_kept_at = i * KEPT;
}
uvec4 gw_piece_or_kept(uint at) {
    uint k = gw_kept_at;
    gw_kept_at += 4u;
    if (!gw_keeping) return uvec4(gw_kept[k], gw_kept[k + 1u], gw_kept[k + 2u], gw_kept[k + 3u]);
    uvec4 v = gw_piece(at);
    gw_kept[k] = v.x;
    gw_kept[k + 1u] = v.y;
    gw_kept[k + 2u] = v.z;
    gw_kept[k + 3u] = v.w;
    return v;
}
uint gw_word_or_kept(uint at) {
    uint k = gw_kept_at++;
    if (gw_keeping) gw_kept[k] = gw_word(at);
    return gw_kept[k];
}
#else
#define gw_piece_or_kept gw_piece
#define gw_word_or_kept gw_word
#endif

uint gw_alone_at(gw_block block, uint w) {
    return block.at * 4u + (HALF_TAIL ? 16u : 0u) + w * GROUP + block.lane;
}
uint gw_piece_at(gw_block block, uint i) {
    return block.at + HEAD_PIECES + i * GROUP + block.lane;
}
uint gw_read_half_tail(gw_block block) {
    return (gw_word_or_kept(block.at * 4u + (block.lane >> 1)) >> ((block.lane & 1u) * 16u)) & 0xffffu;
}

#ifdef GW_IN_REGISTERS
// A whole record is read at once, so that its loads are in flight together; units then take their words from
// registers: kernels unroll the units of a block, so that each index is a constant.
const uint PIECES = RECORD_WORDS / 4u;
uvec4 gw_record[PIECES];
uint gw_record_alone[4], gw_record_half;

// n_pieces: that are there; of the last block of a row some may be missing.
void gw_read_record(gw_block block, uint n_pieces) {
    [[unroll]] for (uint i = 0u; i < PIECES; i++) gw_record[i] = gw_piece(gw_piece_at(block, min(i, n_pieces - 1u)));
    [[unroll]] for (uint i = 0u; i < ALONE_WORDS; i++) gw_record_alone[i] = gw_word(gw_alone_at(block, i));
    if (HALF_TAIL) gw_record_half = gw_read_half_tail(block);
}
// Words w to w + 3 of a record, of one piece; word w; the half beside them.
uvec4 gw_rec4(gw_block block, uint w) {
    return gw_record[(w - ALONE_WORDS) / 4u];
}
uint gw_rec(gw_block block, uint w) {
    if (w < ALONE_WORDS) return gw_record_alone[w];
    return gw_record[(w - ALONE_WORDS) / 4u][(w - ALONE_WORDS) % 4u];
}
float gw_half_tail(gw_block block) {
    return gw_f16_to_f32(gw_record_half);
}
#else
uvec4 gw_rec4(gw_block block, uint w) {
    return gw_piece_or_kept(gw_piece_at(block, (w - ALONE_WORDS) / 4u));
}
uint gw_rec(gw_block block, uint w) {
    uint k = w - ALONE_WORDS, in_piece = gw_piece_at(block, k / 4u) * 4u + k % 4u;
    return gw_word_or_kept(ALONE_WORDS > 0u && w < ALONE_WORDS ? gw_alone_at(block, w) : in_piece);
}
float gw_half_tail(gw_block block) {
    return gw_f16_to_f32(gw_read_half_tail(block));
}
#endif
// Byte, or half, `at` of the run of words that begins at word w.
uint gw_rec_byte(gw_block block, uint w, uint at) {
    return (gw_rec(block, w + (at >> 2)) >> ((at & 3u) * 8u)) & 0xffu;
}
uint gw_rec_half(gw_block block, uint w, uint at) {
    return (gw_rec(block, w + (at >> 1)) >> ((at & 1u) * 16u)) & 0xffffu;
}
// Half j of the run of words that begins at w, as a float.
float gw_rec_float(gw_block block, uint w, uint j) {
    return gw_f16_to_f32(gw_rec_half(block, w, j));
}

// Codes of unit j of a block, four bytes to a word; `at`: the word where the plane begins.
void gw_plane4(gw_block block, uint at, uint j, out uint w[8]) {
    uvec4 a = gw_rec4(block, at + 4u * j);
    for (int i = 0; i < 4; i++) {
        w[i] = a[i] & 0x0f0f0f0fu;
        w[4 + i] = (a[i] >> 4) & 0x0f0f0f0fu;
    }
}
// Adds pieces of 2 or 1 bits at bit `shift` of each byte.
void gw_plane2(gw_block block, uint at, uint j, int shift, inout uint w[8]) {
    for (int k = 0; k < 2; k++) {
        uint a = gw_rec(block, at + 2u * j + uint(k));
        for (int i = 0; i < 4; i++) w[4 * k + i] |= ((a >> (2 * i)) & 0x03030303u) << shift;
    }
}
void gw_plane1(gw_block block, uint at, uint j, int shift, inout uint w[8]) {
    uint a = gw_rec(block, at + j);
    for (int i = 0; i < 8; i++) w[i] |= ((a >> i) & 0x01010101u) << shift;
}
void gw_zero(out uint w[8]) {
    for (int i = 0; i < 8; i++) w[i] = 0u;
}

// Each byte, below 128, minus `offset`, as signed bytes: the 0x80 keeps each byte's borrow to itself.
uint gw_minus(uint word, uint offset) {
    return ((word | 0x80808080u) - offset * 0x01010101u) ^ 0x80808080u;
}
// Kernels that have sums of activations take that of products of the offset from a dot, at once; others from each byte.
void gw_codes(inout uint w[8]) {
#ifndef GW_SUMS
    for (int i = 0; i < 8; i++) w[i] = gw_minus(w[i], uint(OFFSET));
#endif
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
