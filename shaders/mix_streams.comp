// mix_streams: adds to each of a token's rows a mixture of others, or from row skip on one row
// x: [n_tok, m, n], d: [n_tok, r, n], w: [n_tok, m * r]; y: as x.
//
// One invocation: one element of y. Floor: Vulkan 1.2, no shared memory.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer D { float d[]; };
layout(binding = 2) readonly buffer W { float w[]; };
layout(binding = 3) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_tok, m, r;
    uint weighs, skip; // weighs 0: d is added as it is, from row skip on
    uint groups_x;
} p;

#include "lib/exact.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint row = at / p.n, k = at - row * p.n, t = row / p.m, i = row - t * p.m;
    if (t >= p.n_tok) return;
    float sum = x[at];
    if (p.weighs == 0u) {
        if (i >= p.skip) sum = gw_add(sum, d[t * p.n + k]);
    } else {
        for (uint j = 0u; j < p.r; j++)
            sum = gw_add(sum, gw_mul(w[row * p.r + j], d[(t * p.r + j) * p.n + k]));
    }
    y[at] = gw_flush(sum);
}
