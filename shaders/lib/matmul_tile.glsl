// matmul for many tokens on GPUs; included by matmul.comp: integer formats, by packed dots (GW_TILE) or by 8-bit
// matrices (GW_COOPMAT = 8, VK_KHR_cooperative_matrix).
//
// A workgroup makes TILE_ROWS rows by TILE_TOKS tokens. In steps of two units it stages weights as signed bytes, and
// activations, in shared memory. A step's words are loaded while the step before is worked on, and wait in registers.
// What differs is how the terms of a step are made:
//   dots      an invocation keeps ROWS rows by COLS tokens in registers
//   matrices  a subgroup keeps ROW_TILES by TOK_TILES matrices of M rows by N tokens. The dots of a unit are exact
//             32-bit sums, so terms, their order and every bit are the same. Scales are loaded as matrices whose rows,
//             or columns, are all alike (stride 0), so nobody needs to know which element lies where; terms are made
//             and added element by element, since a driver may fuse a product and a sum of whole matrices.
// Where a product makes few tiles, BLOCK_GROUPS groups of subgroups share one: each takes every BLOCK_GROUPS-th block of
// 256 columns, and the sums of blocks, through shared memory, are added in their order by all. Else there are two
// buffers in turns: one barrier a step.
// Forms that scale each 16 weights apart (HALVES) keep the dots of a unit's halves apart: where a matrix has 32 columns,
// weights are staged twice, with zeros in one half each.

#ifdef GW_COOPMAT
const bool TWICE = HALVES && K == 32u;
#else
const bool TWICE = false;
#endif

const bool SHARED = BLOCK_GROUPS > 1u;
const uint BUFS = SHARED ? BLOCK_GROUPS : 2u;
const uint LINE = STEP * 2u + 1u; // pieces of a row's step in shared memory: one is free, so that rows begin in other banks
const uint W_LINES = TWICE ? 2u * TILE_ROWS : TILE_ROWS;
// Scales of a row's unit: d; of MIN and PAIR m; of SUB and MIN s, twice with HALVES; of MIN z likewise.
const bool SCALED = SUB_FORMAT || MIN_FORMAT;
const uint SUMS = HALVES && SCALED ? 2u : 1u;
const uint AT_M = 1u, AT_S = MIN_FORMAT || PAIR_FORMAT ? 2u : 1u, AT_Z = AT_S + SUMS;
const uint W_SCALES = AT_S + (SCALED ? SUMS : 0u) + (MIN_FORMAT ? SUMS : 0u);
// Of a token's: xd, and of MIN the sums of its halves.
const uint X_SCALES = MIN_FORMAT ? 3u : 1u;
// Matrices of 8 columns begin at halves of a piece.
#ifdef GW_COOPMAT
#define GW_LINE uvec2
const uint PER_PIECE = 2u;
#else
#define GW_LINE uvec4
const uint PER_PIECE = 1u;
#endif
const uint TILE = TILE_ROWS * TILE_TOKS;
const uint X_LINES = BUFS * W_LINES; // where those of activations begin
const uint STAGED = (X_LINES + BUFS * TILE_TOKS) * LINE * PER_PIECE;
const uint SUM_SIZE = SHARED ? BLOCK_GROUPS * TILE / 2u : 0u; // of sums of blocks, in the same place
shared GW_LINE q[STAGED > SUM_SIZE ? STAGED : SUM_SIZE];
shared float ws[BUFS * STEP * W_SCALES * TILE_ROWS];
shared float xs[BUFS * STEP * X_SCALES * TILE_TOKS];

uint ws_at(uint buf, uint h, uint which) {
    return ((buf * STEP + h) * W_SCALES + which) * TILE_ROWS;
}
uint xs_at(uint buf, uint h, uint which) {
    return ((buf * STEP + h) * X_SCALES + which) * TILE_TOKS;
}

void put_piece(uint piece, uvec4 v) {
#ifdef GW_COOPMAT
    q[piece * 2u] = v.xy;
    q[piece * 2u + 1u] = v.zw;
#else
    q[piece] = v;
#endif
}

void put_row(uint buf, uint r, uint h, gw_unit w) {
    uint at = (buf * W_LINES + r) * LINE + h * 2u, other = at + TILE_ROWS * LINE, s = ws_at(buf, h, 0u) + r;
    uvec4 low = uvec4(w.w[0], w.w[1], w.w[2], w.w[3]), high = uvec4(w.w[4], w.w[5], w.w[6], w.w[7]);
    put_piece(at, low);
    put_piece(at + 1u, TWICE ? uvec4(0u) : high);
    if (TWICE) put_piece(other, uvec4(0u));
    if (TWICE) put_piece(other + 1u, high);
    ws[s] = w.d;
    if (AT_S == 2u) ws[s + AT_M * TILE_ROWS] = w.m;
    if (SCALED) ws[s + AT_S * TILE_ROWS] = float(w.s0);
    if (SCALED && HALVES) ws[s + (AT_S + 1u) * TILE_ROWS] = float(w.s1);
    if (MIN_FORMAT) ws[s + AT_Z * TILE_ROWS] = float(w.z0);
    if (MIN_FORMAT && HALVES) ws[s + (AT_Z + 1u) * TILE_ROWS] = float(w.z1);
}

// What an invocation stages of a step: units of rows, neighbours those of neighbouring rows, and fours of activations,
// neighbours those of a token, each the half of a unit.
gw_row w_rows[W_EACH];
uint x_units[X_EACH]; // of the token's first
uvec4 x_fours[X_EACH];
float x_d[X_EACH];

void place(uint id, uint row0, uint tok0) {
    [[unroll]] for (uint k = 0u; k < W_EACH; k++) {
        w_rows[k] = gw_row_at(min(row0 + (id + k * GROUP_LANES) % TILE_ROWS, p.n_rows - 1u));
    }
    [[unroll]] for (uint k = 0u; k < X_EACH; k++) {
        x_units[k] = min(tok0 + (id + k * GROUP_LANES) / (2u * STEP), p.n_tok - 1u) * p.n_units;
    }
}

void read_row(uint k, uint i, uint u, bool keeping, out gw_unit w) {
    uint at = min(u + i / TILE_ROWS, p.n_units - 1u);
    gw_keep(keeping, k);
    gw_unit_read(gw_block_at(w_rows[k], at / 8u), at % 8u, w);
}

bool has_row(uint i) {
    return TILE_ROWS * STEP % GROUP_LANES == 0u || i < TILE_ROWS * STEP;
}

// Units u and u + 1, into registers. One past the last is not there: its scale of activations is 0, so its terms are.
// id: in the group that shares them.
void fetch(uint id, uint u) {
    [[unroll]] for (uint k = 0u; k < W_EACH; k++) {
        gw_unit w;
        if (has_row(id + k * GROUP_LANES)) read_row(k, id + k * GROUP_LANES, u, true, w);
    }
    [[unroll]] for (uint k = 0u; k < X_EACH; k++) {
        uint in_step = (id + k * GROUP_LANES) % (2u * STEP), unit = u + in_step / 2u;
        uint at = x_units[k] + min(unit, p.n_units - 1u);
        x_fours[k] = x(at * 2u + in_step % 2u);
        x_d[k] = unit < p.n_units ? uintBitsToFloat(x_scale(at)) : 0.0;
    }
}

// What fetch() has loaded, with the same arguments, into shared memory.
void put(uint buf, uint id, uint u) {
    [[unroll]] for (uint k = 0u; k < W_EACH; k++) {
        uint i = id + k * GROUP_LANES;
        gw_unit w;
        if (!has_row(i)) continue;
        read_row(k, i, u, false, w);
        put_row(buf, i % TILE_ROWS, i / TILE_ROWS, w);
    }
    [[unroll]] for (uint k = 0u; k < X_EACH; k++) {
        uint i = id + k * GROUP_LANES, t = i / (2u * STEP), h = i / 2u % STEP, half_of = i % 2u;
        int sum = 0;
        if (t >= TILE_TOKS) continue;
        put_piece((X_LINES + buf * TILE_TOKS + t) * LINE + i % (2u * STEP), x_fours[k]);
        if (half_of == 0u) xs[xs_at(buf, h, 0u) + t] = x_d[k];
        if (!MIN_FORMAT) continue;
        [[unroll]] for (uint j = 0u; j < 4u; j++) sum = gw_dot4(x_fours[k][j], 0x01010101u, sum);
        xs[xs_at(buf, h, 1u + half_of) + t] = float(sum);
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
const uint MATRICES = ROW_TILES * TOK_TILES;
const uint OWN = SHARED ? (TILE + GROUP_LANES * BLOCK_GROUPS - 1u) / (GROUP_LANES * BLOCK_GROUPS) : 1u;

GW_FLOATS acc[MATRICES];                      // of a block
GW_FLOATS total[SHARED ? 1u : MATRICES];      // of all
float own[OWN];                               // where groups share a tile: of an invocation's results

void add_unit(uint buf, uint h, uint row, uint tok) {
    GW_B b[TOK_TILES * N_K];
    GW_FLOATS xd[TOK_TILES], sum0[TOK_TILES], sum1[TOK_TILES];
    [[unroll]] for (uint j = 0u; j < TOK_TILES; j++) {
        uint t = tok + j * N, x_at = ((X_LINES + buf * TILE_TOKS + t) * LINE + h * 2u) * PER_PIECE;
        [[unroll]] for (uint k = 0u; k < N_K; k++) {
            coopMatLoad(b[j * N_K + k], q, x_at + k * K / 8u, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
        }
        GW_LOAD_TOKS(xd[j], xs_at(buf, h, 0u) + t);
        sum0[j] = sum1[j] = xd[j];
        if (MIN_FORMAT) GW_LOAD_TOKS(sum0[j], xs_at(buf, h, 1u) + t);
        if (MIN_FORMAT) GW_LOAD_TOKS(sum1[j], xs_at(buf, h, 2u) + t);
        if (MIN_FORMAT && !HALVES) {
            for (int e = 0; e < sum0[j].length(); e++) sum0[j][e] = gw_add(sum0[j][e], sum1[j][e]);
        }
    }
    [[unroll]] for (uint i = 0u; i < ROW_TILES; i++) {
        uint r = row + i * M, w_at = ((buf * W_LINES + r) * LINE + h * 2u) * PER_PIECE, s_at = ws_at(buf, h, 0u) + r;
        GW_A a[N_K], high[TWICE ? N_K : 1u];
        GW_FLOATS d, m, s0, s1, z0, z1;
        [[unroll]] for (uint k = 0u; k < N_K; k++) {
            coopMatLoad(a[k], q, w_at + k * K / 8u, PITCH, gl_CooperativeMatrixLayoutRowMajor);
        }
        if (TWICE) {
            coopMatLoad(high[0], q, w_at + TILE_ROWS * PITCH, PITCH, gl_CooperativeMatrixLayoutRowMajor);
        }
        GW_LOAD_ROWS(d, s_at);
        m = s0 = s1 = z0 = z1 = d;
        if (AT_S == 2u) GW_LOAD_ROWS(m, s_at + AT_M * TILE_ROWS);
        if (SCALED) GW_LOAD_ROWS(s0, s_at + AT_S * TILE_ROWS);
        if (SCALED && HALVES) GW_LOAD_ROWS(s1, s_at + (AT_S + 1u) * TILE_ROWS);
        if (MIN_FORMAT) GW_LOAD_ROWS(z0, s_at + AT_Z * TILE_ROWS);
        if (MIN_FORMAT && HALVES) GW_LOAD_ROWS(z1, s_at + (AT_Z + 1u) * TILE_ROWS);
        [[unroll]] for (uint j = 0u; j < TOK_TILES; j++) {
            GW_DOTS low = GW_DOTS(0), other = GW_DOTS(0);
            [[unroll]] for (uint k = 0u; k < N_K; k++) {
                if (HALVES && k * K >= 16u) other = coopMatMulAdd(a[k], b[j * N_K + k], other);
                else low = coopMatMulAdd(a[k], b[j * N_K + k], low);
            }
            if (TWICE) other = coopMatMulAdd(high[0], b[j * N_K], other);
            uint at = i * TOK_TILES + j;
            for (int e = 0; e < low.length(); e++) {
                gw_scales w = gw_scales(d[e], m[e], s0[e], s1[e], z0[e], z1[e]);
                float term = gw_term_of(w, float(low[e]), float(other[e]), sum0[j][e], sum1[j][e], xd[j][e]);
                acc[at][e] = gw_add(acc[at][e], term);
            }
        }
    }
}

// Where groups share a tile: its results lie in shared memory one after another, as the matrices are stored, by columns.
void put_sums(uint area) {
    [[unroll]] for (uint i = 0u; i < MATRICES; i++) {
        coopMatStore(acc[i], q, (area + i * M * N) / 2u, M / 2u, gl_CooperativeMatrixLayoutColumnMajor);
    }
}
float sum_at(uint i) {
    return uintBitsToFloat(q[i / 2u][i % 2u]);
}

void end_block() {
    if (SHARED) {
        barrier();
        put_sums(gl_SubgroupID * (M * N * MATRICES));
        barrier();
        [[unroll]] for (uint k = 0u; k < OWN; k++) {
            uint i = gl_SubgroupID * LANES + gl_SubgroupInvocationID + k * GROUP_LANES * BLOCK_GROUPS;
            if (i >= TILE) continue;
            for (uint g = 0u; g < BLOCK_GROUPS; g++) own[k] = gw_add(own[k], sum_at(g * TILE + i));
        }
        barrier();
        [[unroll]] for (uint i = 0u; i < MATRICES; i++) acc[i] = GW_FLOATS(0.0);
        return;
    }
    [[unroll]] for (uint i = 0u; i < (SHARED ? 1u : MATRICES); i++) {
        for (int e = 0; e < acc[i].length(); e++) total[i][e] = gw_add(total[i][e], acc[i][e]);
        acc[i] = GW_FLOATS(0.0);
    }
}

// Result i of the tile, in the order of put_sums, subgroup by subgroup.
void store_at(uint i, uint row0, uint tok0, float value) {
    uint subgroup = i / (M * N * MATRICES), matrix = i / (M * N) % MATRICES, e = i % (M * N);
    uint r = (subgroup % ROW_GROUPS * ROW_TILES + matrix / TOK_TILES) * M + e % M;
    uint t = (subgroup / ROW_GROUPS * TOK_TILES + matrix % TOK_TILES) * N + e / M;
    store(row0 + r, tok0 + t, value);
}

void store_all(uint row0, uint tok0) {
    // Where groups do not share a tile, through shared memory, a matrix of each subgroup at a time.
    uint lane = gl_SubgroupInvocationID, first = gl_SubgroupID * (SHARED ? LANES : MATRICES * M * N);
    if (!SHARED) barrier();
    [[unroll]] for (uint k = 0u; k < (SHARED ? OWN : MATRICES); k++) {
        if (!SHARED) {
            coopMatStore(total[SHARED ? 0u : k], q, gl_SubgroupID * (M * N / 2u), M / 2u,
                         gl_CooperativeMatrixLayoutColumnMajor);
            subgroupBarrier();
        }
        for (uint e = lane; e < (SHARED ? LANES : M * N); e += LANES) {
            uint i = first + k * (SHARED ? GROUP_LANES * BLOCK_GROUPS : M * N) + e;
            if (i < TILE) store_at(i, row0, tok0, SHARED ? own[SHARED ? k : 0u] : sum_at(gl_SubgroupID * M * N + e));
        }
        if (!SHARED) subgroupBarrier();
    }
}

#else

float acc[ROWS * COLS], total[ROWS * COLS];

void add_unit(uint buf, uint h, uint row, uint tok) {
    uvec4 x0[COLS], x1[COLS];
    float xd[COLS], sum0[COLS], sum1[COLS];
    [[unroll]] for (uint c = 0u; c < COLS; c++) {
        uint t = tok + c * TOK_LANES, at = (X_LINES + buf * TILE_TOKS + t) * LINE + h * 2u;
        x0[c] = q[at];
        x1[c] = q[at + 1u];
        xd[c] = xs[xs_at(buf, h, 0u) + t];
        sum0[c] = MIN_FORMAT ? xs[xs_at(buf, h, 1u) + t] : 0.0;
        sum1[c] = MIN_FORMAT ? xs[xs_at(buf, h, 2u) + t] : 0.0;
        if (MIN_FORMAT && !HALVES) sum0[c] = gw_add(sum0[c], sum1[c]);
    }
    [[unroll]] for (uint i = 0u; i < ROWS; i++) {
        uint r = row + i * ROW_LANES, at = (buf * W_LINES + r) * LINE + h * 2u, s = ws_at(buf, h, 0u) + r;
        uvec4 w0 = q[at], w1 = q[at + 1u];
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

// A software driver, whose subgroups are small, would compile copies of a unit.
#ifdef GW_COOPMAT
const uint TOGETHER = LANES >= 16u ? STEP : 1u;
#else
const uint TOGETHER = 1u;
#endif

void add_step(uint buf, uint row, uint tok) {
    [[dont_unroll]] for (uint h = 0u; h < STEP; h += TOGETHER) {
        [[unroll]] for (uint k = 0u; k < TOGETHER; k++) add_unit(buf, h + k, row, tok);
    }
}

// Of the subgroups that share what one step stages.
void wait() {
#ifdef GW_COOPMAT
    if (ROW_GROUPS * TOK_GROUPS == 1u) {
        subgroupBarrier();
        return;
    }
#endif
    barrier();
}

void main() {
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint tok0 = gl_WorkGroupID.y * TILE_TOKS;
    if (row0 >= p.n_rows) return; // of a grid that was folded
#ifdef GW_COOPMAT
    uint id = gl_SubgroupID * LANES + gl_SubgroupInvocationID, group = id / GROUP_LANES;
    uint subgroup = gl_SubgroupID % (ROW_GROUPS * TOK_GROUPS);
    uint row = subgroup % ROW_GROUPS * ROW_TILES * M, tok = subgroup / ROW_GROUPS * TOK_TILES * N;
    id %= GROUP_LANES;
    [[unroll]] for (uint i = 0u; i < MATRICES; i++) acc[i] = GW_FLOATS(0.0);
    [[unroll]] for (uint i = 0u; i < (SHARED ? 1u : MATRICES); i++) total[i] = GW_FLOATS(0.0);
    [[unroll]] for (uint i = 0u; i < OWN; i++) own[i] = 0.0;
#else
    uint id = gl_LocalInvocationID.x, group = 0u, row = id % ROW_LANES, tok = id / ROW_LANES;
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) acc[i] = total[i] = 0.0;
#endif
    // Groups go through their blocks side by side; of the last ones some may be missing, so that their terms are 0.
    const uint PER_BLOCK = 8u / STEP;
    uint n_steps = SHARED ? (p.n_units + 8u * BLOCK_GROUPS - 1u) / (8u * BLOCK_GROUPS) * PER_BLOCK : (p.n_units + STEP - 1u) / STEP;
    uint u = group * 8u;
    place(id, row0, tok0);
    // A round takes what the one before has loaded, and loads what the next one takes.
    [[dont_unroll]] for (uint s = 0u; s <= n_steps; s++) {
        uint buf = SHARED ? group : s % 2u;
        bool begins = s % PER_BLOCK == 0u; // a block, so that the step at hand is the last of one
        if (s > 0u) {
            put(buf, id, u);
            wait();
            u += begins ? 8u * BLOCK_GROUPS - 8u + STEP : STEP;
        }
        if (s < n_steps) fetch(id, u);
        if (s == 0u) continue;
        add_step(buf, row, tok);
        if (SHARED && !begins) wait();
        if (begins || s == n_steps) end_block();
    }
#ifdef GW_COOPMAT
    store_all(row0, tok0);
#else
    [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++) {
        store(row0 + row + i / COLS * ROW_LANES, tok0 + tok + i % COLS * TOK_LANES, total[i]);
    }
#endif
}
