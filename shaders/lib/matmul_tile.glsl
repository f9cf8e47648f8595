// matmul for many tokens on GPUs; included by matmul.comp: integer formats, by packed dots (GW_TILE) or by 8-bit
// matrices (GW_COOPMAT = 8, VK_KHR_cooperative_matrix).
//
// A workgroup makes TILE_ROWS rows by TILE_TOKS tokens. In steps of two units it stages weights as signed bytes, and
// activations, in shared memory, in two buffers in turns: one barrier a step. What differs is how the terms of a step
// are made:
//   dots      an invocation keeps ROWS rows by COLS tokens in registers
//   matrices  a subgroup keeps ROW_TILES by TOK_TILES matrices of M rows by N tokens. The dots of a unit are exact
//             32-bit sums, so terms, their order and every bit are the same. Scales are loaded as matrices whose rows,
//             or columns, are all alike (stride 0), so nobody needs to know which element lies where; terms are made
//             and added element by element, since a driver may fuse a product and a sum of whole matrices.
// Forms that scale each 16 weights apart (HALVES) keep the dots of a unit's halves apart: where a matrix has 32 columns,
// weights are staged twice, with zeros in one half each.

#ifdef GW_COOPMAT
layout(constant_id = 4) const uint LANES = 32u; // of a subgroup
layout(constant_id = 5) const uint M = 16u;     // 8 or 16
layout(constant_id = 6) const uint N = 16u;     // 8 or 16
layout(constant_id = 7) const uint K = 16u;     // 8, 16 or 32
layout(constant_id = 8) const uint ROW_GROUPS = 2u; // subgroups of a workgroup over rows
layout(constant_id = 9) const uint TOK_GROUPS = 4u; // and over tokens
layout(constant_id = 10) const uint ROW_TILES = 4u;
layout(constant_id = 11) const uint TOK_TILES = 2u;
const uint TILE_ROWS = M * ROW_TILES * ROW_GROUPS, TILE_TOKS = N * TOK_TILES * TOK_GROUPS;
const uint ALL = LANES * ROW_GROUPS * TOK_GROUPS;
const bool TWICE = HALVES && K == 32u;
#else
layout(constant_id = 4) const uint ROW_LANES = 8u;
layout(constant_id = 5) const uint TOK_LANES = 16u;
layout(constant_id = 6) const uint ROWS = 8u;
layout(constant_id = 7) const uint COLS = 4u;
const uint TILE_ROWS = ROW_LANES * ROWS, TILE_TOKS = TOK_LANES * COLS;
const uint ALL = ROW_LANES * TOK_LANES;
const bool TWICE = false;
#endif

const uint STEP = 2u;         // units
const uint LINE = STEP * 2u + 1u; // pieces of a row's step in shared memory: one is free, so that rows begin in other banks
const uint W_LINES = TWICE ? 2u * TILE_ROWS : TILE_ROWS;
// Scales of a row's unit: d; of MIN and PAIR m; of SUB and MIN s, twice with HALVES; of MIN z likewise.
const bool SCALED = SUB_FORMAT || MIN_FORMAT;
const uint SUMS = HALVES && SCALED ? 2u : 1u;
const uint AT_M = 1u, AT_S = MIN_FORMAT || PAIR_FORMAT ? 2u : 1u, AT_Z = AT_S + SUMS;
const uint W_SCALES = AT_S + (SCALED ? SUMS : 0u) + (MIN_FORMAT ? SUMS : 0u);
// Of a token's: xd, and of MIN its sums.
const uint X_SCALES = MIN_FORMAT ? 1u + SUMS : 1u;
// Matrices of 8 columns begin at halves of a piece.
#ifdef GW_COOPMAT
#define GW_LINE uvec2
const uint PER_PIECE = 2u;
#else
#define GW_LINE uvec4
const uint PER_PIECE = 1u;
#endif
shared GW_LINE wq[2u * W_LINES * LINE * PER_PIECE];
shared GW_LINE xq[2u * TILE_TOKS * LINE * PER_PIECE];
shared float ws[2u * STEP * W_SCALES * TILE_ROWS];
shared float xs[2u * STEP * X_SCALES * TILE_TOKS];

uint ws_at(uint buf, uint h, uint which) {
    return ((buf * STEP + h) * W_SCALES + which) * TILE_ROWS;
}
uint xs_at(uint buf, uint h, uint which) {
    return ((buf * STEP + h) * X_SCALES + which) * TILE_TOKS;
}

void put_w(uint piece, uvec4 v) {
#ifdef GW_COOPMAT
    wq[piece * 2u] = v.xy;
    wq[piece * 2u + 1u] = v.zw;
#else
    wq[piece] = v;
#endif
}
void put_x(uint piece, uvec4 v) {
#ifdef GW_COOPMAT
    xq[piece * 2u] = v.xy;
    xq[piece * 2u + 1u] = v.zw;
#else
    xq[piece] = v;
#endif
}

void put_row(uint buf, uint r, uint h, gw_unit w) {
    uint at = (buf * W_LINES + r) * LINE + h * 2u, other = at + TILE_ROWS * LINE, s = ws_at(buf, h, 0u) + r;
    uvec4 low = uvec4(w.w[0], w.w[1], w.w[2], w.w[3]), high = uvec4(w.w[4], w.w[5], w.w[6], w.w[7]);
    put_w(at, low);
    put_w(at + 1u, TWICE ? uvec4(0u) : high);
    if (TWICE) put_w(other, uvec4(0u));
    if (TWICE) put_w(other + 1u, high);
    ws[s] = w.d;
    if (AT_S == 2u) ws[s + AT_M * TILE_ROWS] = w.m;
    if (SCALED) ws[s + AT_S * TILE_ROWS] = float(w.s0);
    if (SCALED && HALVES) ws[s + (AT_S + 1u) * TILE_ROWS] = float(w.s1);
    if (MIN_FORMAT) ws[s + AT_Z * TILE_ROWS] = float(w.z0);
    if (MIN_FORMAT && HALVES) ws[s + (AT_Z + 1u) * TILE_ROWS] = float(w.z1);
}

// Units u and u + 1. One past the last is not there: its scale of activations is 0, so its terms are.
void stage(uint buf, uint row0, uint tok0, uint u) {
    uint id = gl_LocalInvocationID.x;
    [[dont_unroll]] for (uint i = id; i < TILE_ROWS * STEP; i += ALL) {
        uint r = i % TILE_ROWS, h = i / TILE_ROWS, at = min(u + h, p.n_units - 1u);
        gw_unit w;
        gw_unit_read(gw_block_at(gw_row_at(min(row0 + r, p.n_rows - 1u)), at / 8u), at % 8u, w);
        put_row(buf, r, h, w);
    }
    [[dont_unroll]] for (uint i = id; i < TILE_TOKS * STEP; i += ALL) {
        uint t = i / STEP, h = i % STEP, to = (buf * TILE_TOKS + t) * LINE + h * 2u;
        uint at = min(tok0 + t, p.n_tok - 1u) * p.n_units + min(u + h, p.n_units - 1u);
        uvec4 a = x(at * 2u), b = x(at * 2u + 1u);
        put_x(to, a);
        put_x(to + 1u, b);
        xs[xs_at(buf, h, 0u) + t] = u + h < p.n_units ? uintBitsToFloat(x_scale(at)) : 0.0;
        if (!MIN_FORMAT) continue;
        int low = 0, high = 0;
        for (uint k = 0u; k < 4u; k++) {
            low = gw_dot4(a[k], 0x01010101u, low);
            high = gw_dot4(b[k], 0x01010101u, high);
        }
        xs[xs_at(buf, h, 1u) + t] = float(HALVES ? low : low + high);
        if (HALVES) xs[xs_at(buf, h, 2u) + t] = float(high);
    }
}

#ifdef GW_COOPMAT

#define GW_A coopmat<int8_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA>
#define GW_B coopmat<int8_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB>
#define GW_DOTS coopmat<int, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>
#define GW_FLOATS coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>
#define GW_LOAD_ROWS(of, at) coopMatLoad(of, ws, at, 0u, gl_CooperativeMatrixLayoutColumnMajor)
#define GW_LOAD_TOKS(of, at) coopMatLoad(of, xs, at, 0u, gl_CooperativeMatrixLayoutRowMajor)
const uint N_K = 32u / K;
const uint PITCH = LINE * PER_PIECE; // from a row to the next

GW_FLOATS acc[ROW_TILES * TOK_TILES], total[ROW_TILES * TOK_TILES];

void add_unit(uint buf, uint h, uint row, uint tok) {
    [[unroll]] for (uint i = 0u; i < ROW_TILES; i++) {
        uint r = row + i * M, w_at = ((buf * W_LINES + r) * LINE + h * 2u) * PER_PIECE, s_at = ws_at(buf, h, 0u) + r;
        GW_A a[N_K], high[TWICE ? N_K : 1u];
        GW_FLOATS d, m, s0, s1, z0, z1;
        [[unroll]] for (uint k = 0u; k < N_K; k++) {
            coopMatLoad(a[k], wq, w_at + k * K / 8u, PITCH, gl_CooperativeMatrixLayoutRowMajor);
        }
        if (TWICE) {
            coopMatLoad(high[0], wq, w_at + TILE_ROWS * PITCH, PITCH, gl_CooperativeMatrixLayoutRowMajor);
        }
        GW_LOAD_ROWS(d, s_at);
        m = s0 = s1 = z0 = z1 = d;
        if (AT_S == 2u) GW_LOAD_ROWS(m, s_at + AT_M * TILE_ROWS);
        if (SCALED) GW_LOAD_ROWS(s0, s_at + AT_S * TILE_ROWS);
        if (SCALED && HALVES) GW_LOAD_ROWS(s1, s_at + (AT_S + 1u) * TILE_ROWS);
        if (MIN_FORMAT) GW_LOAD_ROWS(z0, s_at + AT_Z * TILE_ROWS);
        if (MIN_FORMAT && HALVES) GW_LOAD_ROWS(z1, s_at + (AT_Z + 1u) * TILE_ROWS);
        [[unroll]] for (uint j = 0u; j < TOK_TILES; j++) {
            uint t = tok + j * N, x_at = ((buf * TILE_TOKS + t) * LINE + h * 2u) * PER_PIECE;
            GW_B b;
            GW_FLOATS xd, sum0, sum1;
            GW_DOTS low = GW_DOTS(0), other = GW_DOTS(0);
            [[unroll]] for (uint k = 0u; k < N_K; k++) {
                coopMatLoad(b, xq, x_at + k * K / 8u, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
                if (HALVES && k * K >= 16u) other = coopMatMulAdd(a[k], b, other);
                else low = coopMatMulAdd(a[k], b, low);
            }
            if (TWICE) other = coopMatMulAdd(high[0], b, other);
            GW_LOAD_TOKS(xd, xs_at(buf, h, 0u) + t);
            sum0 = sum1 = xd;
            if (MIN_FORMAT) GW_LOAD_TOKS(sum0, xs_at(buf, h, 1u) + t);
            if (MIN_FORMAT && HALVES) GW_LOAD_TOKS(sum1, xs_at(buf, h, 2u) + t);
            uint own = i * TOK_TILES + j;
            for (int e = 0; e < low.length(); e++) {
                gw_scales w = gw_scales(d[e], m[e], s0[e], s1[e], z0[e], z1[e]);
                float term = gw_term_of(w, float(low[e]), float(other[e]), sum0[e], sum1[e], xd[e]);
                acc[own][e] = gw_add(acc[own][e], term);
            }
        }
    }
}

void end_block() {
    [[unroll]] for (uint i = 0u; i < ROW_TILES * TOK_TILES; i++) {
        for (int e = 0; e < acc[i].length(); e++) total[i][e] = gw_add(total[i][e], acc[i][e]);
        acc[i] = GW_FLOATS(0.0);
    }
}

#else

float acc[ROWS * COLS], total[ROWS * COLS];

void add_unit(uint buf, uint h, uint row, uint tok) {
    uvec4 x0[COLS], x1[COLS];
    float xd[COLS], sum0[COLS], sum1[COLS];
    [[unroll]] for (uint c = 0u; c < COLS; c++) {
        uint t = tok + c * TOK_LANES, at = (buf * TILE_TOKS + t) * LINE + h * 2u;
        x0[c] = xq[at];
        x1[c] = xq[at + 1u];
        xd[c] = xs[xs_at(buf, h, 0u) + t];
        sum0[c] = MIN_FORMAT ? xs[xs_at(buf, h, 1u) + t] : 0.0;
        sum1[c] = MIN_FORMAT && HALVES ? xs[xs_at(buf, h, 2u) + t] : 0.0;
    }
    [[unroll]] for (uint i = 0u; i < ROWS; i++) {
        uint r = row + i * ROW_LANES, at = (buf * W_LINES + r) * LINE + h * 2u, s = ws_at(buf, h, 0u) + r;
        uvec4 w0 = wq[at], w1 = wq[at + 1u];
        gw_scales w;
        w.d = ws[s];
        w.m = AT_S == 2u ? ws[s + AT_M * TILE_ROWS] : 0.0;
        w.s0 = SCALED ? ws[s + AT_S * TILE_ROWS] : 0.0;
        w.s1 = SCALED && HALVES ? ws[s + (AT_S + 1u) * TILE_ROWS] : 0.0;
        w.z0 = MIN_FORMAT ? ws[s + AT_Z * TILE_ROWS] : 0.0;
        w.z1 = MIN_FORMAT && HALVES ? ws[s + (AT_Z + 1u) * TILE_ROWS] : 0.0;
        [[unroll]] for (uint c = 0u; c < COLS; c++) {
            int low = 0, high = 0;
            [[unroll]] for (uint k = 0u; k < 4u; k++) low = gw_dot4(w0[k], x0[c][k], low);
            if (!HALVES) high = low;
            [[unroll]] for (uint k = 0u; k < 4u; k++) high = gw_dot4(w1[k], x1[c][k], high);
            float term = gw_term_of(w, float(HALVES ? low : high), float(high), sum0[c], sum1[c], xd[c]);
            acc[i * COLS + c] = gw_add(acc[i * COLS + c], term);
        }
    }
}

void end_block() {
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
        total[i] = gw_add(total[i], acc[i]);
        acc[i] = 0.0;
    }
}

#endif

void main() {
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint tok0 = gl_WorkGroupID.y * TILE_TOKS;
    if (row0 >= p.n_rows) return; // of a grid that was folded
#ifdef GW_COOPMAT
    uint row = gl_SubgroupID % ROW_GROUPS * ROW_TILES * M, tok = gl_SubgroupID / ROW_GROUPS * TOK_TILES * N;
    [[unroll]] for (uint i = 0u; i < ROW_TILES * TOK_TILES; i++) acc[i] = total[i] = GW_FLOATS(0.0);
#else
    uint row = gl_LocalInvocationID.x % ROW_LANES, tok = gl_LocalInvocationID.x / ROW_LANES;
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) acc[i] = total[i] = 0.0;
#endif
    // A round stages its units, and adds those that the round before has staged in the other buffer.
    [[dont_unroll]] for (uint next = 0u; next < p.n_units + STEP; next += STEP) {
        uint buf = next / STEP % 2u;
        if (next < p.n_units) stage(buf, row0, tok0, next);
        if (next > 0u) {
            [[dont_unroll]] for (uint h = 0u; h < STEP; h++) add_unit(1u - buf, h, row, tok);
            if (next % 8u == 0u || next >= p.n_units) end_block();
        }
        barrier();
    }
#ifdef GW_COOPMAT
    // Through shared memory, a matrix of each subgroup at a time.
    uint lane = gl_SubgroupInvocationID, area = gl_SubgroupID * M * N / 2u;
    [[unroll]] for (uint i = 0u; i < ROW_TILES * TOK_TILES; i++) {
        coopMatStore(total[i], wq, area, N / 2u, gl_CooperativeMatrixLayoutRowMajor);
        barrier();
        for (uint e = lane; e < M * N / 2u; e += LANES) {
            vec2 two = uintBitsToFloat(wq[area + e]);
            uint r = row0 + row + i / TOK_TILES * M + e / (N / 2u), t = tok0 + tok + i % TOK_TILES * N + e % (N / 2u) * 2u;
            store(r, t, two.x);
            store(r, t + 1u, two.y);
        }
        barrier();
    }
#else
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
        store(row0 + row + i / COLS * ROW_LANES, tok0 + tok + i % COLS * TOK_LANES, total[i]);
    }
#endif
}
