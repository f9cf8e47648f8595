// Unary: the elementwise kernel of one operand; the including shader defines gw_unary(x). FORM is which
// of its functions.
#ifndef GW_LIB_UNARY
#define GW_LIB_UNARY

#include "lib/columns.glsl"
#include "lib/exact.glsl"

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint FORM = 0u;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    uint x_first, x_run, x_stride;
    float a, b;
    uint groups_x;
    float c, d;
} p;

float gw_unary(float x);

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint row = at / p.n, k = at - row * p.n;
    if (row >= p.n_rows) return;
    y[at] = gw_flush(gw_unary(x[gw_column_at(row * p.n, p.x_first, p.x_run, p.x_stride) + k]));
}

#endif
