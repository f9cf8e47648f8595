// quantize_q8: rows to int8 activations, in groups of 32 with one scale each
// x: [n_groups, 32] f32; y: [n_groups, 8] words of four signed bytes; y_scales: [n_groups] f32.
//
// One invocation: one group. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { vec4 x[]; };
layout(binding = 1) buffer Y { uvec4 y[]; };
layout(binding = 2) buffer YScales { float y_scales[]; };

layout(push_constant) uniform Params {
    uint n_groups;
    uint groups_x;
} p;

#include "lib/q8_act.glsl"

void main() {
    uint g = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
             gl_LocalInvocationID.x;
    if (g >= p.n_groups) return;
    float v[32];
    uint w[8];
    for (uint i = 0u; i < 8u; i++) {
        vec4 a = x[g * 8u + i];
        for (uint k = 0u; k < 4u; k++) v[4u * i + k] = a[k];
    }
    y_scales[g] = gw_q8_pack(v, w);
    y[2u * g] = uvec4(w[0], w[1], w[2], w[3]);
    y[2u * g + 1u] = uvec4(w[4], w[5], w[6], w[7]);
}
