// matmul on cooperative matrices (VK_KHR_cooperative_matrix), for many tokens; included by matmul.comp.
//
// One workgroup is one subgroup: ROW_TILES x TOK_TILES tiles of M rows by N tokens. Integer formats
// (GW_COOPMAT = 8): the dots of a unit are 8-bit matrix products with exact 32-bit sums, so terms, their order and
// every bit are those of the plain kernel; K columns of a unit's 32 are multiplied at a time, and the forms that
// scale each 16 weights apart keep the sums of a unit's halves apart. Float formats (GW_COOPMAT = 16, fast
// numerics): operands are rounded to half floats, sums are fp32 in the hardware's order.
// M, N and K are what the device offers (VkCooperativeMatrixPropertiesKHR). Shared memory at 32 rows by 32 tokens:
// about 7 KiB. LANES: the subgroup's size, a power of two up to 64, so M * N is a multiple of it.

layout(constant_id = 4) const uint LANES = 32u;
layout(constant_id = 5) const uint M = 16u; // 8 or 16
layout(constant_id = 6) const uint N = 16u; // 8 or 16
layout(constant_id = 7) const uint K = 16u; // 8, 16 or for bytes 32
layout(constant_id = 8) const uint ROW_TILES = 2u;
layout(constant_id = 9) const uint TOK_TILES = 2u;

const uint TILE_ROWS = M * ROW_TILES, TILE_TOKS = N * TOK_TILES, TILES = ROW_TILES * TOK_TILES;
const uint TILE = M * N, OWN = TILE / LANES; // elements of a tile; what an invocation adds up of them

#if GW_COOPMAT == 8

shared uint sw[2u * TILE_ROWS * 8u]; // a unit of each row; for K = 32 and HALVES its halves, the other one zero
shared uint sx[TILE_TOKS * 8u];
shared float sd[TILE_ROWS], sm[TILE_ROWS], sxd[TILE_TOKS];
shared ivec4 ss[TILE_ROWS]; // s0, s1, z0, z1
shared ivec2 ssum[TILE_TOKS];
shared int sdot[2u * TILE];

void load_unit(uint row0, uint tok0, uint u) {
    for (uint r = gl_LocalInvocationID.x; r < TILE_ROWS; r += LANES) {
        gw_unit w;
        gw_unit_read(gw_block_at(gw_row_at(min(row0 + r, p.n_rows - 1u)), u / 8u), u % 8u, w);
        bool split = HALVES && K == 32u;
        for (uint i = 0u; i < 8u; i++) {
            sw[r * 8u + i] = split && i >= 4u ? 0u : w.w[i];
            if (split) sw[(TILE_ROWS + r) * 8u + i] = i >= 4u ? w.w[i] : 0u;
        }
        sd[r] = w.d;
        sm[r] = w.m;
        ss[r] = ivec4(w.s0, w.s1, w.z0, w.z1);
    }
    for (uint t = gl_LocalInvocationID.x; t < TILE_TOKS; t += LANES) {
        uint at = min(tok0 + t, p.n_tok - 1u) * p.n_units + u;
        uvec4 a = x(at * 2u), b = x(at * 2u + 1u);
        ivec2 sum = ivec2(0);
        for (uint i = 0u; i < 4u; i++) {
            sx[t * 8u + i] = a[i];
            sx[t * 8u + 4u + i] = b[i];
            sum.x = gw_dot4(a[i], 0x01010101u, sum.x);
            sum.y = gw_dot4(b[i], 0x01010101u, sum.y);
        }
        ssum[t] = sum;
        sxd[t] = uintBitsToFloat(x_scale(at));
    }
}

// The dots of one tile into sdot: [2][M rows][N tokens].
void dots(uint rt, uint tt) {
    coopmat<int8_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a;
    coopmat<int8_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;
    coopmat<int, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> low =
        coopmat<int, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(0);
    coopmat<int, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> high = low;
    uint w_at = rt * M * 8u, x_at = tt * N * 8u;
    for (uint k = 0u; k < 32u; k += K) {
        coopMatLoad(a, sw, w_at + k / 4u, 8u, gl_CooperativeMatrixLayoutRowMajor);
        coopMatLoad(b, sx, x_at + k / 4u, 8u, gl_CooperativeMatrixLayoutColumnMajor);
        if (HALVES && k >= 16u) high = coopMatMulAdd(a, b, high);
        else low = coopMatMulAdd(a, b, low);
    }
    if (HALVES && K == 32u) {
        coopMatLoad(a, sw, TILE_ROWS * 8u + w_at, 8u, gl_CooperativeMatrixLayoutRowMajor);
        high = coopMatMulAdd(a, b, high);
    }
    coopMatStore(low, sdot, 0u, N, gl_CooperativeMatrixLayoutRowMajor);
    if (HALVES) coopMatStore(high, sdot, TILE, N, gl_CooperativeMatrixLayoutRowMajor);
}

void main() {
    uint id = gl_LocalInvocationID.x;
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint tok0 = gl_WorkGroupID.y * TILE_TOKS;
    float acc[TILES * OWN], total[TILES * OWN];
    for (uint i = 0u; i < TILES * OWN; i++) total[i] = 0.0;
    [[dont_unroll]] for (uint first = 0u; first < p.n_units; first += 8u) { // a block of 256 columns
        for (uint i = 0u; i < TILES * OWN; i++) acc[i] = 0.0;
        [[dont_unroll]] for (uint u = first; u < min(first + 8u, p.n_units); u++) {
            load_unit(row0, tok0, u);
            barrier();
            for (uint tile = 0u; tile < TILES; tile++) {
                uint rt = tile / TOK_TILES, tt = tile % TOK_TILES;
                dots(rt, tt);
                barrier();
                for (uint i = 0u; i < OWN; i++) {
                    uint at = i * LANES + id, r = rt * M + at / N, t = tt * N + at % N;
                    gw_unit w;
                    w.d = sd[r];
                    w.m = sm[r];
                    w.s0 = ss[r].x;
                    w.s1 = ss[r].y;
                    w.z0 = ss[r].z;
                    w.z1 = ss[r].w;
                    ivec2 dot = ivec2(sdot[at], HALVES ? sdot[TILE + at] : 0);
                    uint own = tile * OWN + i;
                    acc[own] = gw_add(acc[own], gw_term(w, dot, ssum[t], sxd[t]));
                }
                barrier(); // sdot, and after the last tile everything else, is written again
            }
        }
        for (uint i = 0u; i < TILES * OWN; i++) total[i] = gw_add(total[i], acc[i]);
    }
    for (uint tile = 0u; tile < TILES; tile++) {
        for (uint i = 0u; i < OWN; i++) {
            uint at = i * LANES + id;
            store(row0 + tile / TOK_TILES * M + at / N, tok0 + tile % TOK_TILES * N + at % N,
                  total[tile * OWN + i]);
        }
    }
}

#else

// 16 columns at a time: two units of 8 floats, as half floats.
shared uint sw[TILE_ROWS * 8u], sx[TILE_TOKS * 8u];
shared float sdot[TILE];

// Out of a half's range: the largest half, not infinity.
uint halves(float a, float b) {
    return packHalf2x16(clamp(vec2(a, b), -65504.0, 65504.0));
}

void load_units(uint row0, uint tok0, uint u) {
    for (uint i = gl_LocalInvocationID.x; i < TILE_ROWS * 2u; i += LANES) {
        uint r = i / 2u, at = u + i % 2u;
        float w[8];
        gw_unit_floats(gw_row_at(min(row0 + r, p.n_rows - 1u)), min(at, p.n_units - 1u), w);
        for (uint k = 0u; k < 4u; k++) {
            sw[r * 8u + i % 2u * 4u + k] = at < p.n_units ? halves(w[2u * k], w[2u * k + 1u]) : 0u;
        }
    }
    for (uint i = gl_LocalInvocationID.x; i < TILE_TOKS * 2u; i += LANES) {
        uint t = i / 2u, unit = min(u + i % 2u, p.n_units - 1u);
        uint at = (min(tok0 + t, p.n_tok - 1u) * p.n_units + unit) * 2u;
        vec4 a = uintBitsToFloat(x(at)), b = uintBitsToFloat(x(at + 1u));
        sx[t * 8u + i % 2u * 4u] = halves(a.x, a.y);
        sx[t * 8u + i % 2u * 4u + 1u] = halves(a.z, a.w);
        sx[t * 8u + i % 2u * 4u + 2u] = halves(b.x, b.y);
        sx[t * 8u + i % 2u * 4u + 3u] = halves(b.z, b.w);
    }
}

void main() {
    uint id = gl_LocalInvocationID.x;
    uint row0 = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint tok0 = gl_WorkGroupID.y * TILE_TOKS;
    coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sum[TILES];
    for (uint i = 0u; i < TILES; i++) {
        sum[i] = coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(0.0);
    }
    [[dont_unroll]] for (uint u = 0u; u < p.n_units; u += 2u) {
        load_units(row0, tok0, u);
        barrier();
        for (uint i = 0u; i < TILES; i++) {
            coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a;
            coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;
            uint w_at = i / TOK_TILES * M * 8u, x_at = i % TOK_TILES * N * 8u;
            for (uint k = 0u; k < 16u; k += K) {
                coopMatLoad(a, sw, w_at + k / 2u, 8u, gl_CooperativeMatrixLayoutRowMajor);
                coopMatLoad(b, sx, x_at + k / 2u, 8u, gl_CooperativeMatrixLayoutColumnMajor);
                sum[i] = coopMatMulAdd(a, b, sum[i]);
            }
        }
        barrier();
    }
    for (uint tile = 0u; tile < TILES; tile++) {
        coopMatStore(sum[tile], sdot, 0u, N, gl_CooperativeMatrixLayoutRowMajor);
        barrier();
        for (uint i = 0u; i < OWN; i++) {
            uint at = i * LANES + id;
            store(row0 + tile / TOK_TILES * M + at / N, tok0 + tile % TOK_TILES * N + at % N, sdot[at]);
        }
        barrier();
    }
}

#endif
