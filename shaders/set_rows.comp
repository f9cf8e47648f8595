// set_rows: copies rows into those of a state that are named
// x: [n, m] words; rows: [n] i32; state: [n_rows, m] words. Bits are copied as they are.
//
// One invocation: one element of x. Floor: Vulkan 1.2. No sums.
#version 450

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { uint x[]; };
layout(binding = 1) readonly buffer Rows { uint rows[]; };
layout(binding = 2) buffer State { uint state[]; };

layout(push_constant) uniform Params {
    uint m, n, n_rows;
    uint groups_x;
} p;

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    if (at >= p.n * p.m) return;
    uint row = rows[at / p.m];
    if (row < p.n_rows) state[row * p.m + at % p.m] = x[at];
}
