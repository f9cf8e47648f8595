// matmul of float formats on half-float matrices (VK_KHR_cooperative_matrix, fast numerics), for many tokens; included
// by matmul.comp.
//
// One workgroup is one subgroup: ROW_TILES x TOK_TILES tiles of M rows by N tokens. Operands are rounded to half floats,
// sums are fp32 in the hardware's order. M, N and K are what the device offers
// (VkCooperativeMatrixPropertiesKHR). Shared memory at 32 rows by 32 tokens: about 3 KiB. LANES: the subgroup's size, a
// power of two up to 64, so M * N is a multiple of it.

layout(constant_id = 4) const uint LANES = 32u;
layout(constant_id = 5) const uint M = 16u; // 8 or 16
layout(constant_id = 6) const uint N = 16u; // 8 or 16
layout(constant_id = 7) const uint K = 16u; // 8, 16 or for bytes 32
layout(constant_id = 8) const uint ROW_TILES = 2u;
layout(constant_id = 9) const uint TOK_TILES = 2u;

const uint TILE_ROWS = M * ROW_TILES, TILE_TOKS = N * TOK_TILES, TILES = ROW_TILES * TOK_TILES;
const uint TILE = M * N, OWN = TILE / LANES; // elements of a tile; what an invocation adds up of them

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
        // Scaled here, since what a folded norm has not scaled may be out of a half's range.
        float by = p.has_scale != 0u ? row_scale[min(tok0 + t, p.n_tok - 1u)] : 1.0;
        vec4 a = uintBitsToFloat(x(at)) * by, b = uintBitsToFloat(x(at + 1u)) * by;
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
            store_scaled(row0 + tile / TOK_TILES * M + at / N, tok0 + tile % TOK_TILES * N + at % N, sdot[at]);
        }
        barrier();
    }
}
