// iota: y[t, i] = i
// y: [n_rows, n] i32.
//
// One invocation: one element of y. Floor: Vulkan 1.2. No sums.
#version 450

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) buffer Y { uint y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    uint groups_x;
} p;

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    if (at < p.n * p.n_rows) y[at] = at % p.n;
}
