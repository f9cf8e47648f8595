// matmul: y[t, r] = sum over k of w[r, k] * x[t, k]  (* scale[t])  (+ residual[t, r])
// w: [n_rows, n_units * UNIT] in a number format; x: [n_tok, n_units * UNIT], f32 rows for float formats,
// q8_act for integer ones; y, residual: [n_tok, y_stride] f32.
//
// One invocation: ROWS rows (row, row + ROW_GROUPS, ..., so that neighbours read side by side) by COLS tokens, over the
// units of 32 columns lane, lane + LANES, ...
// One workgroup: LANES * TOK_LANES * ROW_GROUPS invocations: ROW_GROUPS * ROWS rows by TOK_LANES * COLS
// tokens. LANES is 1, 2, 4, 8 or 16: decode may spread a row's units over lanes, so that they read side by side;
// prefill walks them one after another. Shared memory: 32 * LANES * ROW_GROUPS * ROWS * TOK_LANES * COLS bytes, none
// for LANES = 1.
// Floor: Vulkan 1.2, no subgroup operation. Variants, all with the same bits but the last: "dot" (packed 4x8
// integer dot), "texel" (lib/load.glsl), for GPUs "rows" (lib/matmul_rows.glsl: few tokens), "rows_fp16" (the same,
// halves widened by the device), "tile" (lib/matmul_tile.glsl, lib/matmul_tile_float.glsl: many tokens) and "coopmat"
// (the tile by 8-bit matrices), and "coopmat_fast" (lib/matmul_fast.glsl: half-float matrices, fast numerics).
//
// Order of sums (docs/NUMERICS.md): columns are cut into blocks of 256, blocks into units of 32. A unit of an integer
// format is one term (lib/product.glsl): scales times an exact integer dot; of a float format its products, added one
// after another. The units of a block are added in order, then the blocks in order, from 0; then the flush of a store.
// What is multiplied by a scale, or added to a residual, is flushed as well: fusing changes no bit.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef GW_ROWS
#define GW_SUMS
#define GW_IN_REGISTERS
#endif
#if defined(GW_DOT) || defined(GW_FP16)
#extension GL_EXT_spirv_intrinsics : require
#endif
#ifdef GW_FP16
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#endif
#ifdef GW_COOPMAT
#pragma use_vulkan_memory_model
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#endif

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

#include "lib/load.glsl"
GW_FOURS(2, x)
GW_WORDS(3, x_scale)
layout(binding = 4) readonly buffer Residual { float residual[]; };
layout(binding = 5) readonly buffer RowScale { float row_scale[]; };
#ifdef GW_ROWS
layout(binding = 6) coherent buffer Y { uint y[]; }; // bits of floats
#else
layout(binding = 6) buffer Y { float y[]; };
#endif

layout(push_constant) uniform Params {
    uint format;
    uint n_rows, n_units, n_tok; // rows of this chunk
    uint row0;                   // first row of this chunk in y
    uint y_stride;
    uint has_residual, has_scale;
    uint group_pieces, group_rows; // lib/weights.glsl
#ifdef GW_ROWS
    // lib/matmul_tail.glsl
    uint y_first, counters, tail_y, tail_scales, tail_row_scales, tail_sums;
    float inv_n, eps;
#endif
} p;

#if defined(GW_TILE) || defined(GW_COOPMAT) && GW_COOPMAT == 8
#include "lib/matmul_tile_shape.glsl"
#endif
#include "lib/weights.glsl"
#include "lib/product.glsl"

float scaled(uint t, float value) {
    return p.has_scale != 0u ? gw_flush(gw_mul(gw_flush(value), row_scale[t])) : value;
}

// r, t: in the chunk's rows and all tokens.
uint place_of(uint r, uint t) {
    return t * p.y_stride + p.row0 + r;
}
float finished(uint r, uint t, float value) {
    value = gw_flush(value);
    return p.has_residual != 0u ? gw_flush(gw_add(value, residual[place_of(r, t)])) : value;
}

#ifndef GW_ROWS
void store_scaled(uint r, uint t, float value) {
    if (r < p.n_rows && t < p.n_tok) y[place_of(r, t)] = finished(r, t, value);
}

void store(uint r, uint t, float value) {
    if (t < p.n_tok) store_scaled(r, t, scaled(t, value));
}
#endif

#if defined(GW_COOPMAT) && GW_COOPMAT == 16
#include "lib/matmul_fast.glsl"
#elif defined(GW_COOPMAT) || defined(GW_TILE)
#include "lib/matmul_tile.glsl"
#elif defined(GW_TILE_FLOAT)
#include "lib/matmul_tile_float.glsl"
#elif defined(GW_ROWS)
#include "lib/matmul_rows.glsl"
#else

layout(constant_id = 4) const uint LANES = 8u;
layout(constant_id = 5) const uint TOK_LANES = 1u;
layout(constant_id = 6) const uint ROW_GROUPS = 1u;
layout(constant_id = 7) const uint ROWS = 4u;
layout(constant_id = 8) const uint COLS = 1u;

const uint TILE_ROWS = ROW_GROUPS * ROWS;
const uint TILE_COLS = TOK_LANES * COLS;
const uint TILE = TILE_ROWS * TILE_COLS;

const uint OWN = (ROWS * COLS + LANES - 1u) / LANES; // results that an invocation adds up
shared float parts[LANES > 1u ? 8u * LANES * TILE : 1u]; // the units of LANES blocks

float acc[ROWS * COLS]; // of a block, or of a unit of one
float chain[ROWS * COLS]; // float formats: of 32 columns

gw_row own_rows[ROWS]; // rows past the last one are not stored

void float_unit(uint row, uint tok, uint u) {
    float xs[COLS * 8u];
    for (uint c = 0u; c < COLS; c++) {
        uint at = (min(tok + c, p.n_tok - 1u) * p.n_units + u) * 2u;
        uvec4 a = x(at), b = x(at + 1u);
        for (uint i = 0u; i < 4u; i++) {
            xs[c * 8u + i] = uintBitsToFloat(a[i]);
            xs[c * 8u + 4u + i] = uintBitsToFloat(b[i]);
        }
    }
    for (uint r = 0u; r < ROWS; r++) {
        float w[8];
        gw_unit_floats(own_rows[r], u, w);
        for (uint c = 0u; c < COLS; c++) {
            float sum = chain[r * COLS + c];
            for (uint i = 0u; i < 8u; i++) sum = gw_add(sum, gw_mul(w[i], xs[c * 8u + i]));
            chain[r * COLS + c] = sum;
        }
    }
}

void int_unit(uint row, uint tok, uint u) {
    uint xs[COLS * 8u];
    float xd[COLS];
    ivec2 sum[COLS];
    for (uint c = 0u; c < COLS; c++) {
        uint at = min(tok + c, p.n_tok - 1u) * p.n_units + u;
        uvec4 a = x(at * 2u), b = x(at * 2u + 1u);
        sum[c] = ivec2(0);
        for (uint i = 0u; i < 4u; i++) {
            xs[c * 8u + i] = a[i];
            xs[c * 8u + 4u + i] = b[i];
            if (MIN_FORMAT) {
                sum[c].x = gw_dot4(a[i], 0x01010101u, sum[c].x);
                sum[c].y = gw_dot4(b[i], 0x01010101u, sum[c].y);
            }
        }
        xd[c] = uintBitsToFloat(x_scale(at));
    }
    for (uint r = 0u; r < ROWS; r++) {
        gw_unit w;
        gw_unit_read(gw_block_at(own_rows[r], u / 8u), u % 8u, w);
        for (uint c = 0u; c < COLS; c++) {
            ivec2 dot = ivec2(0);
            for (uint i = 0u; i < 4u; i++) {
                dot.x = gw_dot4(w.w[i], xs[c * 8u + i], dot.x);
                dot.y = gw_dot4(w.w[4u + i], xs[c * 8u + 4u + i], dot.y);
            }
            acc[r * COLS + c] = gw_add(acc[r * COLS + c], gw_term(w, dot, sum[c], xd[c]));
        }
    }
}

// Adds unit u of 32 columns.
void add_unit(uint row, uint tok, uint u) {
    if (FLOAT_FORMAT) {
        for (uint i = 0u; i < ROWS * COLS; i++) chain[i] = 0.0;
        for (uint k = 4u * u; k < min(4u * u + 4u, p.n_units); k++) float_unit(row, tok, k);
        for (uint i = 0u; i < ROWS * COLS; i++) acc[i] = gw_add(acc[i], chain[i]);
    } else {
        int_unit(row, tok, u);
    }
}

float total[ROWS * COLS];

void store_own(uint row, uint tok) {
    for (uint r = 0u; r < ROWS; r++) {
        for (uint c = 0u; c < COLS; c++) store(row + r * ROW_GROUPS, tok + c, total[r * COLS + c]);
    }
}

void main() {
    uint id = gl_LocalInvocationID.x;
    uint lane = id % LANES, tok_lane = id / LANES % TOK_LANES, group = id / (LANES * TOK_LANES);
    // Long matrices are folded into z, where x alone would pass the device's limit.
    uint first_row = (gl_WorkGroupID.x + gl_WorkGroupID.z * gl_NumWorkGroups.x) * TILE_ROWS;
    uint row = first_row + group;
    uint tok = gl_WorkGroupID.y * TILE_COLS + tok_lane * COLS;
    const uint n_units = FLOAT_FORMAT ? (p.n_units + 3u) / 4u : p.n_units; // of 32 columns
    for (uint i = 0u; i < ROWS * COLS; i++) total[i] = 0.0;
    for (uint r = 0u; r < ROWS; r++) own_rows[r] = gw_row_at(min(row + r * ROW_GROUPS, p.n_rows - 1u));
    uint tile = (group * TOK_LANES + tok_lane) * ROWS * COLS;
    const uint lanes = LANES * TOK_LANES * ROW_GROUPS;
    float sums[OWN];
    for (uint k = 0u; k < OWN; k++) sums[k] = 0.0;
    // Rounds of LANES blocks: each lane's units, then each block's, then the blocks in order. Not unrolled: a software
    // driver would compile copies of the product.
    [[dont_unroll]] for (uint first = 0u; first < n_units; first += 8u * LANES) {
        [[dont_unroll]] for (uint at = lane; at < 8u * LANES; at += LANES) {
            if (LANES > 1u || at == 0u) {
                for (uint i = 0u; i < ROWS * COLS; i++) acc[i] = 0.0;
            }
            if (first + at < n_units) add_unit(row, tok, first + at);
            if (LANES > 1u) {
                for (uint i = 0u; i < ROWS * COLS; i++) parts[at * TILE + tile + i] = acc[i];
            }
        }
        if (LANES == 1u) {
            for (uint i = 0u; i < ROWS * COLS; i++) total[i] = gw_add(total[i], acc[i]);
        } else {
            barrier();
            for (uint i = id; i < LANES * TILE; i += lanes) {
                uint at = i / TILE * 8u * TILE + i % TILE;
                float sum = 0.0;
                for (uint u = 0u; u < 8u; u++) sum = gw_add(sum, parts[at + u * TILE]);
                parts[at] = sum;
            }
            barrier();
            for (uint k = 0u; k < OWN; k++) {
                uint i = id + k * lanes;
                if (i >= TILE) break;
                for (uint b = 0u; b < LANES; b++) sums[k] = gw_add(sums[k], parts[b * 8u * TILE + i]);
            }
            barrier();
        }
    }
    if (LANES == 1u) {
        store_own(row, tok);
        return;
    }
    for (uint k = 0u; k < OWN; k++) {
        uint i = id + k * lanes;
        if (i >= TILE) break;
        uint own = i % (ROWS * COLS), tl = i / (ROWS * COLS) % TOK_LANES;
        uint g = i / (ROWS * COLS * TOK_LANES);
        store(first_row + g + own / COLS * ROW_GROUPS,
              gl_WorkGroupID.y * TILE_COLS + tl * COLS + own % COLS, sums[k]);
    }
}

#endif
