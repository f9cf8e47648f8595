#version 450
// selftest: the least kernel that uses everything engine/gpu offers; no op, no model runs it.
//
// Equation:    out[i] = in[i] * a + c  (mod 2^32), i < n;  a, n pushed, c specialized
// Shapes:      in [n] u32, out [n] u32; the two may be the same buffer range
// A workgroup: local_size_x consecutive elements
// Constants:   0, 1, 2 the workgroup size (x: 1..128, y and z: 1); 3: c, any
// Shared:      none
// Floor:       Vulkan 1.2 with nothing optional; integers only, so that it tells nothing of floats
// Used by:     tests/gpu, and to see whether a device runs what it is given
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint c = 0;

layout(push_constant) uniform Push { uint n, a; } push;
layout(set = 0, binding = 0) readonly buffer In { uint x[]; };
layout(set = 0, binding = 1) buffer Out { uint y[]; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < push.n) y[i] = x[i] * push.a + c;
}
