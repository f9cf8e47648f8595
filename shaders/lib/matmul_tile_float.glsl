// matmul of float formats for many tokens on GPUs; included by matmul.comp (GW_TILE_FLOAT).
//
// As lib/matmul_tile.glsl, for fp32 products: a workgroup makes TILE_ROWS rows by TILE_TOKS tokens, and stages units of
// 32 columns, widened to fp32, in two buffers in turns: one barrier a unit. An invocation keeps ROWS rows by COLS tokens
// in registers: the sum of a unit, whose products are added one after another, that of a block, and the whole one.
// Shared memory: 288 bytes a row and a token.
layout(constant_id = 4) const uint ROW_LANES = 8u;
layout(constant_id = 5) const uint TOK_LANES = 16u;
layout(constant_id = 6) const uint ROWS = 8u;
layout(constant_id = 7) const uint COLS = 4u;
const uint TILE_ROWS = ROW_LANES * ROWS, TILE_TOKS = TOK_LANES * COLS;
const uint ALL = ROW_LANES * TOK_LANES;
const uint LINE = 9u; // fours of a row's unit: one is free, so that rows begin in other banks
shared vec4 ws[2u * TILE_ROWS * LINE];
shared vec4 xs[2u * TILE_TOKS * LINE];

// Unit u of 32 columns. What is past the last column becomes 0 in the activations, so that its products are.
void stage(uint buf, uint row0, uint tok0, uint u) {
    uint id = gl_LocalInvocationID.x;
    [[dont_unroll]] for (uint i = id; i < TILE_ROWS * 4u; i += ALL) {
        uint r = i % TILE_ROWS, k = i / TILE_ROWS, to = (buf * TILE_ROWS + r) * LINE + 2u * k;
        float w[8];
        gw_unit_floats(gw_row_at(min(row0 + r, p.n_rows - 1u)), min(4u * u + k, p.n_units - 1u), w);
        ws[to] = vec4(w[0], w[1], w[2], w[3]);
        ws[to + 1u] = vec4(w[4], w[5], w[6], w[7]);
    }
    [[dont_unroll]] for (uint i = id; i < TILE_TOKS * 8u; i += ALL) {
        uint t = i / 8u, k = i % 8u, unit = 4u * u + k / 2u;
        uint at = min(tok0 + t, p.n_tok - 1u) * p.n_units + min(unit, p.n_units - 1u);
        uvec4 a = x(at * 2u + k % 2u);
        xs[(buf * TILE_TOKS + t) * LINE + k] = uintBitsToFloat(unit < p.n_units ? a : uvec4(0u));
    }
}

float chain[ROWS * COLS], acc[ROWS * COLS], total[ROWS * COLS];

void add_unit(uint buf, uint row, uint tok) {
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) chain[i] = 0.0;
    [[dont_unroll]] for (uint k = 0u; k < 8u; k++) {
        vec4 a[COLS];
        [[unroll]] for (uint c = 0u; c < COLS; c++) a[c] = xs[(buf * TILE_TOKS + tok + c * TOK_LANES) * LINE + k];
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            vec4 w = ws[(buf * TILE_ROWS + row + r * ROW_LANES) * LINE + k];
            [[unroll]] for (uint c = 0u; c < COLS; c++) {
                float sum = chain[r * COLS + c];
                [[unroll]] for (uint i = 0u; i < 4u; i++) sum = gw_add(sum, gw_mul(w[i], a[c][i]));
                chain[r * COLS + c] = sum;
            }
        }
    }
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) acc[i] = gw_add(acc[i], chain[i]);
}

void main() {
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint tok0 = gl_WorkGroupID.y * TILE_TOKS;
    if (row0 >= p.n_rows) return; // of a grid that was folded
    uint row = gl_LocalInvocationID.x % ROW_LANES, tok = gl_LocalInvocationID.x / ROW_LANES;
    uint n = (p.n_units + 3u) / 4u;
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) acc[i] = total[i] = 0.0;
    // A round stages its unit, and adds the one that the round before has staged in the other buffer.
    [[dont_unroll]] for (uint next = 0u; next <= n; next++) {
        if (next < n) stage(next % 2u, row0, tok0, next);
        if (next > 0u) {
            add_unit((next - 1u) % 2u, row, tok);
            if (next % 8u == 0u || next == n) {
                [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
                    total[i] = gw_add(total[i], acc[i]);
                    acc[i] = 0.0;
                }
            }
        }
        barrier();
    }
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
        store(row0 + row + i / COLS * ROW_LANES, tok0 + tok + i % COLS * TOK_LANES, total[i]);
    }
}
