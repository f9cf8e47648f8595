// pad_rows: copies rows into rows that are a multiple of 8 long, zeros behind
// x: [n_rows, n] words; y: [n_rows, n_padded] words. Bits are copied as they are.
//
// One invocation: one element of y. Floor: Vulkan 1.2. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) buffer Y { uint y[]; };

layout(push_constant) uniform Params {
    uint n, n_padded, n_rows;
    uint x_first, x_run, x_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint row = at / p.n_padded, k = at % p.n_padded;
    if (row >= p.n_rows) return;
    y[at] = k < p.n ? x[gw_column_at(row * p.n, p.x_first, p.x_run, p.x_stride) + k] : 0u;
}
