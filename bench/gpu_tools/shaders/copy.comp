#version 450
layout(local_size_x_id = 0) in;
layout(binding = 0) readonly buffer Source { uvec4 source[]; };
layout(binding = 1) writeonly buffer Sink { uvec4 sink[]; };
layout(push_constant) uniform P { uint first, n_vectors; } p;
void main() {
    uint lanes = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.n_vectors; i += lanes)
        sink[p.first + i] = source[p.first + i];
}
