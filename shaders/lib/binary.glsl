// Binary: the elementwise kernel of two operands; the including shader defines gw_binary(a, b).
#ifndef GW_LIB_BINARY
#define GW_LIB_BINARY

#include "lib/columns.glsl"
#include "lib/exact.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer A { float a[]; };
layout(binding = 1) readonly buffer B { float b[]; };
layout(binding = 2) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    uint a_first, a_run, a_stride, b_stride;
    uint groups_x;
} p;

float gw_binary(float a, float b);

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint row = at / p.n, k = at % p.n;
    if (row >= p.n_rows) return;
    y[at] = gw_flush(gw_binary(a[gw_column_at(row * p.n, p.a_first, p.a_run, p.a_stride) + k], b[row * p.b_stride + k]));
}

#endif
