#version 450
// Reads memory as a decode kernel does: 16 bytes a lane, side by side, LOADS of them in flight.
// A launch reads n_vectors from first on; lanes of all workgroups stride over them together.
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint LOADS = 8u;
layout(binding = 0) readonly buffer Source { uvec4 source[]; };
layout(binding = 1) writeonly buffer Sink { uvec4 sink[]; };
layout(push_constant) uniform P { uint first, n_vectors; } p;
void main() {
    uint lanes = gl_NumWorkGroups.x * gl_WorkGroupSize.x, lane = gl_GlobalInvocationID.x;
    uvec4 sum = uvec4(0);
    for (uint i = lane; i < p.n_vectors; i += lanes * LOADS) {
        for (uint k = 0u; k < LOADS; k++) {
            uint at = i + k * lanes;
            if (at < p.n_vectors) sum ^= source[p.first + at];
        }
    }
    // Never so, but no compiler knows it.
    if (sum == uvec4(0x9e3779b9u, 1u, 2u, 3u)) sink[lane % 64u] = sum;
}
