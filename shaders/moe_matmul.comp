// moe_matmul: y[t, j, r] = sum over k of w[ids[t, j], r, k] * x[k]  (* scale[t])  (+ bias[ids[t, j], r])
// w: [n_experts, n_rows, n_units * UNIT] in a number format, of which a chunk of whole groups of rows is bound; x: a row
// for each token, or for each pair of a token and an expert, f32 or q8_act; y: [n_pairs, n_rows] f32
//
// One workgroup: PARTS times 32 invocations, for a group of 32 rows of one pair's expert. An invocation owns a row; part
// i takes the blocks i, i + PARTS, ... of a span, and one invocation a row adds the blocks' sums up in their order.
// Shared memory: 128 bytes a block of the span, none for PARTS = 1.
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
} p;

#include "lib/weights.glsl"
#include "lib/product.glsl"

layout(constant_id = 4) const uint PARTS = 1u;
const uint SPAN = PARTS == 1u ? 1u : 4u * PARTS; // blocks between two rounds of adding up
shared float sums[PARTS == 1u ? 1u : SPAN * 32u];

float float_unit(gw_row row, uint x0, uint u) {
    float chain = 0.0;
    for (uint k = 4u * u; k < min(4u * u + 4u, p.n_units); k++) {
        float w[8];
        gw_unit_floats(row, k, w);
        uvec4 a = x((x0 + k) * 2u), b = x((x0 + k) * 2u + 1u);
        for (uint i = 0u; i < 4u; i++) chain = gw_add(chain, gw_mul(w[i], uintBitsToFloat(a[i])));
        for (uint i = 0u; i < 4u; i++) chain = gw_add(chain, gw_mul(w[4u + i], uintBitsToFloat(b[i])));
    }
    return chain;
}

float int_unit(gw_row row, uint x0, uint u) {
    uvec4 a = x((x0 + u) * 2u), b = x((x0 + u) * 2u + 1u);
    ivec2 sum = ivec2(0), dot = ivec2(0);
    gw_unit w;
    gw_unit_read(gw_block_at(row, u / 8u), u % 8u, w);
    for (uint i = 0u; i < 4u; i++) {
        if (MIN_FORMAT) {
            sum.x = gw_dot4(a[i], 0x01010101u, sum.x);
            sum.y = gw_dot4(b[i], 0x01010101u, sum.y);
        }
        dot.x = gw_dot4(w.w[i], a[i], dot.x);
        dot.y = gw_dot4(w.w[4u + i], b[i], dot.y);
    }
    return gw_term(w, dot, sum, uintBitsToFloat(x_scale(x0 + u)));
}

void main() {
    uint lane = gl_LocalInvocationID.x % 32u, part = gl_LocalInvocationID.x / 32u;
    uint pair = gl_WorkGroupID.y, expert = min(ids[pair], p.n_experts - 1u);
    uint r = gl_WorkGroupID.x * 32u + lane, whole = expert * p.n_rows + r;
    // A group of rows lies in one chunk: all of the workgroup goes, or none.
    if (whole < p.chunk_row0 || whole - p.chunk_row0 >= p.chunk_rows) return;
    gw_row row = gw_row_at(whole - p.chunk_row0);
    uint x0 = pair / p.share * p.n_units;
    const uint n_units = FLOAT_FORMAT ? (p.n_units + 3u) / 4u : p.n_units; // of 32 columns
    uint n_blocks = (n_units + 7u) / 8u;
    float total = 0.0;
    [[dont_unroll]] for (uint first = 0u; first < n_blocks; first += SPAN) {
        [[dont_unroll]] for (uint b = first + part; b < min(first + SPAN, n_blocks); b += PARTS) {
            float sum = 0.0;
            [[dont_unroll]] for (uint u = 8u * b; u < min(8u * b + 8u, n_units); u++) {
                float term = FLOAT_FORMAT ? float_unit(row, x0, u) : int_unit(row, x0, u);
                sum = gw_add(sum, term);
            }
            if (PARTS == 1u) total = gw_add(total, sum);
            else sums[(b - first) * 32u + lane] = sum;
        }
        if (PARTS > 1u) {
            barrier();
            if (part == 0u) {
                [[dont_unroll]] for (uint b = 0u; b < min(SPAN, n_blocks - first); b++)
                    total = gw_add(total, sums[b * 32u + lane]);
            }
            barrier();
        }
    }
    if (part != 0u) return;
    float value = gw_flush(total);
    if (p.has_scale != 0u) value = gw_flush(gw_mul(value, row_scale[pair / p.n_used]));
    if (p.has_bias != 0u) value = gw_flush(gw_add(value, bias[whole]));
    y[pair * p.n_rows + r] = value;
}
