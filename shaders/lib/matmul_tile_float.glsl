// matmul of float formats for many tokens on GPUs; included by matmul.comp (GW_TILE_FLOAT).
//
// As lib/matmul_tile.glsl, for fp32 products: a workgroup makes TILE_ROWS rows by TILE_TOKS tokens, and stages steps of
// 16 columns, widened to fp32, in two buffers in turns: one barrier a step, whose words were loaded in the step before.
// An invocation keeps ROWS rows by COLS tokens in registers: the sum of a unit of 32 columns, whose products are added
// one after another, and that of a block; the whole ones, in shared memory, change with a block alone.
// Shared memory: 160 bytes a row and a token, 4 a result.
const uint LINE = 5u; // fours of a row's step: one is free, so that rows begin in other banks
const uint ALL = GROUP_LANES;
const uint X_FOURS = (TILE_TOKS * 2u * STEP + ALL - 1u) / ALL; // that an invocation stages in a step
shared vec4 ws[2u * TILE_ROWS * LINE];
shared vec4 xs[2u * TILE_TOKS * LINE];
shared float totals[ALL * ROWS * COLS]; // an invocation's own, side by side with others'

uvec4 x_fours[X_FOURS];

void read_row(uint i, uint row0, uint u, bool keeping, out float w[8]) {
    gw_keep(keeping, i / ALL);
    gw_unit_floats(gw_row_at(min(row0 + i % TILE_ROWS, p.n_rows - 1u)), min(u + i / TILE_ROWS, p.n_units - 1u), w);
}

// Units u and u + 1 of 8 columns, into registers. What is past the last column becomes 0 in the activations, so that its
// products are.
void fetch(uint id, uint row0, uint tok0, uint u) {
    [[unroll]] for (uint k = 0u; k < W_EACH; k++) {
        float w[8];
        read_row(id + k * ALL, row0, u, true, w);
    }
    [[unroll]] for (uint k = 0u; k < X_FOURS; k++) {
        uint i = id + k * ALL, in_step = i % (2u * STEP), unit = u + in_step / 2u;
        uint at = min(tok0 + i / (2u * STEP), p.n_tok - 1u) * p.n_units + min(unit, p.n_units - 1u);
        uvec4 a = x(at * 2u + in_step % 2u);
        x_fours[k] = unit < p.n_units ? a : uvec4(0u);
    }
}

// What fetch() has loaded, with the same arguments, into shared memory.
void put(uint buf, uint id, uint row0, uint u) {
    [[unroll]] for (uint k = 0u; k < W_EACH; k++) {
        uint i = id + k * ALL, to = (buf * TILE_ROWS + i % TILE_ROWS) * LINE + i / TILE_ROWS * 2u;
        float w[8];
        read_row(i, row0, u, false, w);
        if (i >= TILE_ROWS * STEP) continue;
        ws[to] = vec4(w[0], w[1], w[2], w[3]);
        ws[to + 1u] = vec4(w[4], w[5], w[6], w[7]);
    }
    [[unroll]] for (uint k = 0u; k < X_FOURS; k++) {
        uint i = id + k * ALL, t = i / (2u * STEP);
        if (t < TILE_TOKS) xs[(buf * TILE_TOKS + t) * LINE + i % (2u * STEP)] = uintBitsToFloat(x_fours[k]);
    }
}

float chain[ROWS * COLS], acc[ROWS * COLS];

void add_step(uint buf, uint row, uint tok) {
    [[dont_unroll]] for (uint k = 0u; k < 2u * STEP; k++) {
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
}

void main() {
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint tok0 = gl_WorkGroupID.y * TILE_TOKS;
    if (row0 >= p.n_rows) return; // of a grid that was folded
    uint id = gl_LocalInvocationID.x, row = id % ROW_LANES, tok = id / ROW_LANES;
    uint n_steps = (p.n_units + STEP - 1u) / STEP;
    const uint PER_UNIT = 4u / STEP, PER_BLOCK = 32u / STEP;
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) chain[i] = acc[i] = totals[i * ALL + id] = 0.0;
    fetch(id, row0, tok0, 0u);
    [[dont_unroll]] for (uint s = 0u; s < n_steps; s++) {
        bool last = s + 1u == n_steps;
        put(s % 2u, id, row0, s * STEP);
        barrier();
        if (!last) fetch(id, row0, tok0, (s + 1u) * STEP);
        add_step(s % 2u, row, tok);
        if (last || (s + 1u) % PER_UNIT == 0u) {
            [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
                acc[i] = gw_add(acc[i], chain[i]);
                chain[i] = 0.0;
            }
        }
        if (last || (s + 1u) % PER_BLOCK == 0u) {
            [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
                totals[i * ALL + id] = gw_add(totals[i * ALL + id], acc[i]);
                acc[i] = 0.0;
            }
        }
    }
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
        store(row0 + row + i / COLS * ROW_LANES, tok0 + tok + i % COLS * TOK_LANES, totals[i * ALL + id]);
    }
}
