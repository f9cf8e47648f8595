// rope: turns pairs of a head's dimensions by an angle of the token's position
// x, y: [n_tok, n_head, head_dim] f32; table: [n_tok, n_rot] f32, (cos, sin) of each pair.
//
// One invocation: one pair. Floor: Vulkan 1.2, no shared memory. No sums beyond y = a * c -+ b * s.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer Table { float table[]; };
layout(binding = 2) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_head, head_dim, n_rot, paired;
    uint x_first, x_run, x_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"
#include "lib/exact.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint half_dim = p.head_dim / 2u, i = at % half_dim, row = at / half_dim;
    if (row >= p.n_tok * p.n_head) return;
    bool turned = i < p.n_rot / 2u, neighbours = p.paired != 0u || !turned;
    uint from = gw_column_at(row * p.head_dim, p.x_first, p.x_run, p.x_stride), to = row * p.head_dim;
    uint a = neighbours ? 2u * i : i;
    uint b = neighbours ? 2u * i + 1u : i + p.n_rot / 2u;
    float xa = x[from + a], xb = x[from + b];
    a += to;
    b += to;
    if (!turned) {
        y[a] = xa;
        y[b] = xb;
        return;
    }
    uint t = row / p.n_head * p.n_rot + 2u * i;
    float c = table[t], s = table[t + 1u];
    y[a] = gw_flush(gw_sub(gw_mul(xa, c), gw_mul(xb, s)));
    y[b] = gw_flush(gw_add(gw_mul(xa, s), gw_mul(xb, c)));
}
