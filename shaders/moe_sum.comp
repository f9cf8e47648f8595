// moe_sum: adds what a token's experts gave, each by its weight, in their order
// x: [n_tok, n_used, n] f32; weights: [n_tok, n_used] f32; y: [n_tok, n] f32
//
// One invocation: one element of y. Floor: Vulkan 1.2.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Weights { float weights[]; };
layout(binding = 2) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_tok, n_used;
    uint groups_x;
} p;

#include "lib/exact.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    if (at >= p.n * p.n_tok) return;
    uint t = at / p.n, i = at % p.n;
    float sum = 0.0;
    for (uint j = 0u; j < p.n_used; j++) {
        uint pair = t * p.n_used + j;
        sum = gw_add(sum, gw_mul(weights[pair], x[pair * p.n + i]));
    }
    y[at] = gw_flush(sum);
}
