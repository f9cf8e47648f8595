// kv_store: writes the keys and values of new tokens into the cache
// k, v: [n_tok, 2 * n_row] f32; pos: [n_tok] i32; k_cache, v_cache: [n_ctx, 2 * n_row], each f32, f16 two
// to a word, or q8_0 (lib/rotate.glsl, engine/ops/kv.h). A launch writes those of `writes`: 1 keys, 2 values, 3 both.
//
// One invocation: two neighbouring elements of k or of v; with GW_Q8, for q8_0 caches, one workgroup:
// a head of k or of v. Specialization of that: HEAD_DIM (multiple of 8, <= 256), LANES. Shared memory:
// 5 * HEAD_DIM bytes. Floor: Vulkan 1.2. Order of sums: docs/NUMERICS.md.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
#ifdef GW_Q8
layout(constant_id = 3) const uint HEAD_DIM = 64u;
layout(constant_id = 4) const uint LANES = 32u;
#endif

layout(binding = 0) readonly buffer K { float k[]; };
layout(binding = 1) readonly buffer V { float v[]; };
layout(binding = 2) readonly buffer Pos { uint pos[]; };
layout(binding = 3) buffer KCache { uint k_cache[]; };
layout(binding = 4) buffer VCache { uint v_cache[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_row, n_ctx;
    uint k_type, v_type;
    uint writes;
    uint n_head, head_dim;
    uint k_first, k_run, k_stride;
    uint v_first, v_run, v_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"

const uint VALUES = 2u, BOTH = 3u; // of writes
const uint F16 = 1u;

// Elements i and i + 1 of a row.
vec2 new_pair(bool is_v, uint i) {
    if (is_v) {
        uint at = gw_column_at(i, p.v_first, p.v_run, p.v_stride);
        return vec2(v[at], v[at + 1u]);
    }
    uint at = gw_column_at(i, p.k_first, p.k_run, p.k_stride);
    return vec2(k[at], k[at + 1u]);
}

void store(bool is_v, uint at, uint word) {
    if (is_v) v_cache[at] = word;
    else k_cache[at] = word;
}

#ifdef GW_Q8

#include "lib/kv_pack.glsl"

void main() {
    lane = gl_LocalInvocationID.x;
    uint head = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, n = p.n_tok * p.n_head;
    if (head >= (p.writes == BOTH ? 2u * n : n)) return;
    bool is_v = p.writes == VALUES || head >= n;
    head %= n;
    uint row = pos[head / p.n_head];
    if (row >= p.n_ctx) return;
    for (uint i = lane; i < HEAD_DIM / 2u; i += LANES) {
        vec2 x = new_pair(is_v, head * HEAD_DIM + 2u * i);
        GW_TURN(2u * i) = gw_flush(x.x);
        GW_TURN(2u * i + 1u) = gw_flush(x.y);
    }
    gw_kv_pack(is_v, row * p.n_head + head % p.n_head, p.n_ctx * p.n_head);
}

#else

#include "lib/exact.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint n = p.n_tok * p.n_row;
    if (at >= (p.writes == BOTH ? 2u * n : n)) return;
    bool is_v = p.writes == VALUES || at >= n;
    at %= n;
    uint row = pos[at / p.n_row];
    if (row >= p.n_ctx) return;
    vec2 x = new_pair(is_v, 2u * at);
    float a = gw_flush(x.x), b = gw_flush(x.y);
    uint to = row * p.n_row + at % p.n_row;
    if ((is_v ? p.v_type : p.k_type) == F16) {
        store(is_v, to, gw_f32_to_f16(a) | (gw_f32_to_f16(b) << 16));
    } else {
        store(is_v, 2u * to, floatBitsToUint(a));
        store(is_v, 2u * to + 1u, floatBitsToUint(b));
    }
}

#endif
