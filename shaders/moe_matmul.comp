// moe_matmul: y[t, j, r] = sum over k of w[ids[t, j], r, k] * x[k]  (* scale[t])  (+ bias[ids[t, j], r])
// w: [n_experts, n_rows, n_units * UNIT] in a number format, of which a chunk of whole groups of rows is bound; x: a row
// for each token, or for each pair of a token and an expert, f32 or q8_act; y: [n_pairs, n_rows] f32
//
// One workgroup: PARTS times 32 invocations, for a group of 32 rows of one pair's expert. An invocation owns a row; part
// i takes the blocks i, i + PARTS, ... of a span, and one invocation a row adds the blocks' sums up in their order.
// Shared memory: 128 bytes a block of the span, none for PARTS = 1.
// With tiles (COLS > 1; ids then are those of moe_group: an expert and its pairs each) a workgroup is tile / COLS times
// 32 invocations, each of which owns a row for COLS pairs, and unpacks a unit once for all of them.
// Floor: Vulkan 1.2. Variant "dot": packed 4x8 integer dot. Order of sums: of matmul.comp.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#ifdef GW_DOT
#extension GL_EXT_spirv_intrinsics : require
#endif

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

#include "lib/load.glsl"
GW_FOURS(2, x)
GW_WORDS(3, x_scale)
layout(binding = 4) readonly buffer Ids { uint ids[]; };
layout(binding = 5) readonly buffer RowScale { float row_scale[]; };
layout(binding = 6) readonly buffer Bias { float bias[]; };
layout(binding = 7) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint format;
    uint n_rows, n_units, n_pairs;
    uint n_experts, share, n_used;
    uint has_scale, has_bias;
    uint chunk_row0, chunk_rows;
    uint group_pieces, group_rows; // lib/weights.glsl
    uint tile, n_tiles; // pairs of one, their number
} p;

#include "lib/weights.glsl"
#include "lib/product.glsl"

layout(constant_id = 4) const uint PARTS = 1u;
layout(constant_id = 5) const uint COLS = 1u; // pairs of an invocation; of a tile where there are more than one
const bool TILED = COLS > 1u;
const uint NONE = 0xffffffffu;
const uint SPAN = PARTS == 1u ? 1u : 4u * PARTS; // blocks between two rounds of adding up
shared float sums[PARTS == 1u ? 1u : SPAN * 32u];

uint pairs[COLS];
uint x0[COLS]; // units
float sum[COLS], total[COLS];

void add_float_unit(gw_row row, uint u) {
    float chain[COLS];
    [[unroll]] for (uint c = 0u; c < COLS; c++) chain[c] = 0.0;
    for (uint k = 4u * u; k < min(4u * u + 4u, p.n_units); k++) {
        float w[8];
        gw_unit_floats(row, k, w);
        [[unroll]] for (uint c = 0u; c < COLS; c++) {
            uvec4 a = x((x0[c] + k) * 2u), b = x((x0[c] + k) * 2u + 1u);
            for (uint i = 0u; i < 4u; i++) chain[c] = gw_add(chain[c], gw_mul(w[i], uintBitsToFloat(a[i])));
            for (uint i = 0u; i < 4u; i++) chain[c] = gw_add(chain[c], gw_mul(w[4u + i], uintBitsToFloat(b[i])));
        }
    }
    [[unroll]] for (uint c = 0u; c < COLS; c++) sum[c] = gw_add(sum[c], chain[c]);
}

void add_int_unit(gw_row row, uint u) {
    gw_unit w;
    gw_unit_read(gw_block_at(row, u / 8u), u % 8u, w);
    [[unroll]] for (uint c = 0u; c < COLS; c++) {
        uvec4 a = x((x0[c] + u) * 2u), b = x((x0[c] + u) * 2u + 1u);
        ivec2 of_x = ivec2(0), dot = ivec2(0);
        for (uint i = 0u; i < 4u; i++) {
            if (MIN_FORMAT) {
                of_x.x = gw_dot4(a[i], 0x01010101u, of_x.x);
                of_x.y = gw_dot4(b[i], 0x01010101u, of_x.y);
            }
            dot.x = gw_dot4(w.w[i], a[i], dot.x);
            dot.y = gw_dot4(w.w[4u + i], b[i], dot.y);
        }
        sum[c] = gw_add(sum[c], gw_term(w, dot, of_x, uintBitsToFloat(x_scale(x0[c] + u))));
    }
}

// The expert and the pairs of an invocation; false: it has none.
bool find_pairs(uint part, out uint expert) {
    expert = 0u;
    if (TILED) {
        uint at = gl_WorkGroupID.y * (1u + p.tile), first = at + 1u + part * COLS;
        expert = min(ids[at], p.n_experts - 1u);
        if (ids[at] == NONE || ids[first] == NONE) return false;
        [[unroll]] for (uint c = 0u; c < COLS; c++) pairs[c] = ids[first + c];
    } else {
        pairs[0] = gl_WorkGroupID.y;
        expert = min(ids[pairs[0]], p.n_experts - 1u);
    }
    // Where there are no more pairs the first one's work is done again.
    [[unroll]] for (uint c = 0u; c < COLS; c++)
        x0[c] = (pairs[c] < p.n_pairs ? pairs[c] : min(pairs[0], p.n_pairs - 1u)) / p.share * p.n_units;
    return true;
}

void store(uint pair, uint whole, uint r, float value) {
    value = gw_flush(value);
    if (p.has_scale != 0u) value = gw_flush(gw_mul(value, row_scale[pair / p.n_used]));
    if (p.has_bias != 0u) value = gw_flush(gw_add(value, bias[whole]));
    y[pair * p.n_rows + r] = value;
}

void main() {
    uint lane = gl_LocalInvocationID.x % 32u, part = gl_LocalInvocationID.x / 32u, expert;
    if (!find_pairs(part, expert)) return; // only of tiles, which have no barriers
    uint r = gl_WorkGroupID.x * 32u + lane, whole = expert * p.n_rows + r;
    // A group of rows lies in one chunk: all of the workgroup goes, or none.
    if (whole < p.chunk_row0 || whole - p.chunk_row0 >= p.chunk_rows) return;
    gw_row row = gw_row_at(whole - p.chunk_row0);
    const uint n_units = FLOAT_FORMAT ? (p.n_units + 3u) / 4u : p.n_units; // of 32 columns
    uint n_blocks = (n_units + 7u) / 8u;
    [[unroll]] for (uint c = 0u; c < COLS; c++) total[c] = 0.0;
    [[dont_unroll]] for (uint first = 0u; first < n_blocks; first += SPAN) {
        [[dont_unroll]] for (uint b = first + (TILED ? 0u : part); b < min(first + SPAN, n_blocks); b += PARTS) {
            [[unroll]] for (uint c = 0u; c < COLS; c++) sum[c] = 0.0;
            [[dont_unroll]] for (uint u = 8u * b; u < min(8u * b + 8u, n_units); u++) {
                if (FLOAT_FORMAT) add_float_unit(row, u);
                else add_int_unit(row, u);
            }
            [[unroll]] for (uint c = 0u; c < COLS; c++) {
                if (PARTS == 1u) total[c] = gw_add(total[c], sum[c]);
                else sums[(b - first) * 32u + lane] = sum[c];
            }
        }
        if (PARTS > 1u) {
            barrier();
            if (part == 0u) {
                [[dont_unroll]] for (uint b = 0u; b < min(SPAN, n_blocks - first); b++)
                    total[0] = gw_add(total[0], sums[b * 32u + lane]);
            }
            barrier();
        }
    }
    if (!TILED && part != 0u) return;
    [[unroll]] for (uint c = 0u; c < COLS; c++)
        if (pairs[c] < p.n_pairs) store(pairs[c], whole, r, total[c]);
}
