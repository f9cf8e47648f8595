// concat: rows of a and behind each the row of b
// a: [n_rows, n_a], b: [n_rows, n_b] words, each perhaps columns; y: [n_rows, n_a + n_b] words. Bits are copied as
// they are. n_b 0: y is a.
//
// One invocation: one element of y. Floor: Vulkan 1.2. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer A { uint a[]; };
layout(binding = 1) readonly buffer B { uint b[]; };
layout(binding = 2) buffer Y { uint y[]; };

layout(push_constant) uniform Params {
    uint n_a, n_b, n_rows;
    uint a_first, a_run, a_stride;
    uint b_first, b_run, b_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint n = p.n_a + p.n_b, row = at / n, k = at - row * n;
    if (row >= p.n_rows) return;
    if (k < p.n_a) y[at] = a[gw_column_at(row * p.n_a, p.a_first, p.a_run, p.a_stride) + k];
    else y[at] = b[gw_column_at(row * p.n_b, p.b_first, p.b_run, p.b_stride) + (k - p.n_a)];
}
