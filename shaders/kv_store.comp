// kv_store: writes the keys and values of new tokens into the cache
// k, v: [n_tok, 2 * n_row] f32; pos: [n_tok] i32; k_cache, v_cache: [n_ctx, 2 * n_row] f32, or f16 two
// to a word (p.f16).
//
// One invocation: two neighbouring elements of k or of v. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer K { vec2 k[]; };
layout(binding = 1) readonly buffer V { vec2 v[]; };
layout(binding = 2) readonly buffer Pos { uint pos[]; };
layout(binding = 3) buffer KCache { uint k_cache[]; };
layout(binding = 4) buffer VCache { uint v_cache[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_row, n_ctx;
    uint f16;
    uint groups_x;
} p;

#include "lib/exact.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint n = p.n_tok * p.n_row;
    if (at >= 2u * n) return;
    bool is_v = at >= n;
    at = is_v ? at - n : at;
    uint row = pos[at / p.n_row];
    if (row >= p.n_ctx) return;
    vec2 x = is_v ? v[at] : k[at];
    float a = gw_flush(x.x), b = gw_flush(x.y);
    uint to = row * p.n_row + at % p.n_row;
    if (p.f16 != 0u) {
        uint word = gw_f32_to_f16(a) | (gw_f32_to_f16(b) << 16);
        if (is_v) v_cache[to] = word;
        else k_cache[to] = word;
    } else if (is_v) {
        v_cache[2u * to] = floatBitsToUint(a);
        v_cache[2u * to + 1u] = floatBitsToUint(b);
    } else {
        k_cache[2u * to] = floatBitsToUint(a);
        k_cache[2u * to + 1u] = floatBitsToUint(b);
    }
}
