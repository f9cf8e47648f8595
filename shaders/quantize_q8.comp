// quantize_q8: rows to int8 activations, in groups of 32 with one scale each
// x: [n_groups, 32] f32; y: [n_groups, 8] words of four signed bytes; y_scales: [n_groups] f32.
//
// GROUP_LANES invocations (1 or 8): one group. Shared memory: 4 bytes a lane where 8. Floor: Vulkan 1.2.
// No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint GROUP_LANES = 1u;
layout(constant_id = 4) const uint LANES = 64u; // the workgroup: gl_WorkGroupSize sizes no array on Metal

layout(binding = 0) readonly buffer X { vec4 x[]; };
layout(binding = 1) buffer Y { uint y[]; };
layout(binding = 2) buffer YScales { float y_scales[]; };

layout(push_constant) uniform Params {
    uint n_groups;
    uint groups_x;
} p;

#include "lib/q8_groups.glsl"

vec4 gw_q8_four(uint i) {
    return x[i];
}

void main() {
    gw_q8_groups((gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * LANES + gl_LocalInvocationID.x,
                 p.n_groups);
}
