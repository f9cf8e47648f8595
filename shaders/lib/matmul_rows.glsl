// matmul for one to eight tokens on GPUs: an invocation owns a row; included by matmul.comp.
//
// One workgroup: PARTS times ROWS invocations, for ROWS rows (a group of 32 or a part of it, where there are few) by COLS
// tokens. The activations of SPAN blocks are staged in shared memory, while each part's first block of weights is on its
// way; part i then takes the blocks i, i + PARTS, ... of them, an invocation one row's, all words
// of a block in flight at once, and leaves each block's sum in shared memory, where one invocation a result adds them
// up in order. So nothing but shared memory and barriers is asked of a device.
// RAGGED: the last block is short. Shared memory: SPAN * COLS * (4 * ROWS + 352 bytes of an integer format, 1024 of a
// float one).

layout(constant_id = 4) const uint PARTS = 8u;
layout(constant_id = 5) const uint COLS = 1u;
layout(constant_id = 6) const uint SPAN = 16u;
layout(constant_id = 7) const bool RAGGED = true;
layout(constant_id = 8) const uint ROWS = 32u;
layout(constant_id = 9) const uint TAIL = 0u; // what follows: lib/matmul_tail.glsl
layout(constant_id = 10) const uint TAIL_Q8 = 0u;

const uint ALL = ROWS * PARTS;
#include "lib/matmul_tail.glsl"

void store_row(uint r, uint t, float value) {
    if (r < p.n_rows && t < p.n_tok)
        y[(TAIL == 0u ? 0u : p.y_first) + place_of(r, t)] = floatBitsToUint(finished(r, t, scaled(t, value)));
}

const uint X_PIECES = FLOAT_FORMAT ? 64u : 16u; // of a block's activations, for a token
shared uvec4 xs[COLS * SPAN * X_PIECES];
shared float xd[FLOAT_FORMAT ? 1u : COLS * SPAN * 8u];
// Of a unit, or of its halves: what a dot begins with, less the offset's part, or what a minimum is multiplied by.
const uint SUMS = HALVES ? 2u : 1u;
const bool SUMMED = MIN_FORMAT || OFFSET != 0;
const uint N_SUMS = COLS * SPAN * 8u * SUMS;
shared int xsum[SUMMED ? N_SUMS : 1u];
shared float sums[COLS * SPAN * ROWS];

// Units past the last one become zeros, so that their terms are +0 or -0 and change no sum.
void stage(uint tok0, uint first, uint n_blocks) {
    uint id = gl_LocalInvocationID.x;
    uint n_pieces = n_blocks * X_PIECES, there = min(n_pieces, 2u * p.n_units - first * X_PIECES);
    for (uint c = 0u; c < COLS; c++) {
        uint tok = min(tok0 + c, p.n_tok - 1u), at = tok * 2u * p.n_units + first * X_PIECES;
        for (uint i = id; i < n_pieces; i += ALL) {
            xs[c * SPAN * X_PIECES + i] = !RAGGED || i < there ? x(at + i) : uvec4(0u);
        }
        if (FLOAT_FORMAT) continue;
        for (uint i = id; i < n_pieces / 2u; i += ALL) {
            uint unit = at / 2u + i, to = c * SPAN * 8u + i;
            xd[to] = !RAGGED || i < there / 2u ? uintBitsToFloat(x_scale(unit)) : 0.0;
            if (!SUMMED || (RAGGED && i >= there / 2u)) continue;
            [[unroll]] for (uint h = 0u; h < SUMS; h++) {
                int sum = 0;
                for (uint k = h; k < 2u; k += SUMS) {
                    uvec4 a = x(unit * 2u + k);
                    for (uint j = 0u; j < 4u; j++) sum = gw_dot4(a[j], 0x01010101u, sum);
                }
                xsum[to * SUMS + h] = MIN_FORMAT ? sum : -OFFSET * sum;
            }
        }
    }
}

float acc[COLS];

void add_int_unit(gw_block block, uint b, uint u) {
    gw_unit w;
    gw_unit_read(block, u, w);
    [[unroll]] for (uint c = 0u; c < COLS; c++) {
        uint at = (c * SPAN + b) * 8u + u;
        uvec4 low = xs[at * 2u], high = xs[at * 2u + 1u];
        ivec2 sum = ivec2(0), dot = ivec2(0);
        if (MIN_FORMAT) sum = ivec2(xsum[at * SUMS], HALVES ? xsum[at * SUMS + SUMS - 1u] : 0);
        if (OFFSET != 0) dot = ivec2(xsum[at * SUMS], HALVES ? xsum[at * SUMS + SUMS - 1u] : 0);
        [[unroll]] for (uint i = 0u; i < 4u; i++) dot.x = gw_dot4(w.w[i], low[i], dot.x);
        [[unroll]] for (uint i = 0u; i < 4u; i++) {
            if (HALVES) dot.y = gw_dot4(w.w[4u + i], high[i], dot.y);
            else dot.x = gw_dot4(w.w[4u + i], high[i], dot.x);
        }
        acc[c] = gw_add(acc[c], gw_term(w, dot, sum, xd[at]));
    }
}

void read_block(gw_row row, uint b) {
    // The widest plane is the last one: as many of its pieces are missing as it has for the missing units.
    uint units = min(8u, p.n_units - b * 8u);
    uint missing = RAGGED ? (8u - units) * (FORMAT == GW_FMT_q8_0 ? 2u : 1u) : 0u;
    gw_read_record(gw_block_at(row, b), PIECES - missing);
}

void int_block(gw_row row, uint first, uint b) {
    [[unroll]] for (uint u = 0u; u < 8u; u++) add_int_unit(gw_block_at(row, first + b), b, u);
}

// A unit of 32 columns is four of 8. The loads of two such units are in flight together.
void add_float_unit(gw_row row, uint first, uint b, uint u, const float w[4][8]) {
    float chain[COLS];
    [[unroll]] for (uint c = 0u; c < COLS; c++) chain[c] = 0.0;
    [[unroll]] for (uint k = 0u; k < 4u; k++) {
        [[unroll]] for (uint c = 0u; c < COLS; c++) {
            uint at = (c * SPAN + b) * 64u + (u + k) * 2u;
            vec4 x0 = uintBitsToFloat(xs[at]), x1 = uintBitsToFloat(xs[at + 1u]);
            [[unroll]] for (uint i = 0u; i < 4u; i++) chain[c] = gw_add(chain[c], gw_mul(w[k][i], x0[i]));
            [[unroll]] for (uint i = 0u; i < 4u; i++) chain[c] = gw_add(chain[c], gw_mul(w[k][4u + i], x1[i]));
        }
    }
    [[unroll]] for (uint c = 0u; c < COLS; c++) acc[c] = gw_add(acc[c], chain[c]);
}

void float_block(gw_row row, uint first, uint b) {
    [[dont_unroll]] for (uint u = 0u; u < 32u; u += 8u) {
        float w[4][8], v[4][8];
        [[unroll]] for (uint k = 0u; k < 4u; k++) {
            uint unit = (first + b) * 32u + u + k;
            gw_unit_floats(row, RAGGED ? min(unit, p.n_units - 1u) : unit, w[k]);
            gw_unit_floats(row, RAGGED ? min(unit + 4u, p.n_units - 1u) : unit + 4u, v[k]);
        }
        add_float_unit(row, first, b, u, w);
        add_float_unit(row, first, b, u + 4u, v);
    }
}

void main() {
    uint id = gl_LocalInvocationID.x, lane = id % ROWS, part = id / ROWS;
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * ROWS;
    uint tok0 = gl_WorkGroupID.y * COLS;
    const uint units = FLOAT_FORMAT ? 32u : 8u; // of a block
    uint n_blocks = (p.n_units + units - 1u) / units;
    if (row0 >= p.n_rows) return; // of a grid that was folded
    gw_row row = gw_row_at(min(row0 + lane, p.n_rows - 1u)); // groups of 1 are not filled up
    const uint OWN = (ROWS * COLS + ALL - 1u) / ALL;
    float totals[OWN];
    for (uint k = 0u; k < OWN; k++) totals[k] = 0.0;
    [[dont_unroll]] for (uint first = 0u; first < n_blocks; first += SPAN) {
        uint n = min(SPAN, n_blocks - first);
        if (!FLOAT_FORMAT && part < n) read_block(row, first + part);
        stage(tok0, first, n);
        barrier();
        [[dont_unroll]] for (uint b = part; b < n;) {
            [[unroll]] for (uint c = 0u; c < COLS; c++) acc[c] = 0.0;
            if (FLOAT_FORMAT) float_block(row, first, b);
            else int_block(row, first, b);
            [[unroll]] for (uint c = 0u; c < COLS; c++) sums[(c * SPAN + b) * ROWS + lane] = acc[c];
            b += PARTS;
            if (!FLOAT_FORMAT && b < n) read_block(row, first + b);
        }
        barrier();
        for (uint k = 0u; k < OWN; k++) {
            uint i = id + k * ALL, c = i / ROWS;
            if (c >= COLS) break;
            [[dont_unroll]] for (uint b = 0u; b < n; b++) {
                totals[k] = gw_add(totals[k], sums[(c * SPAN + b) * ROWS + i % ROWS]);
            }
        }
    }
    for (uint k = 0u; k < OWN; k++) {
        uint i = id + k * ALL;
        if (i / ROWS < COLS) store_row(row0 + i % ROWS, tok0 + i / ROWS, totals[k]);
    }
    if (TAIL != 0u) tail(row0, tok0);
}
