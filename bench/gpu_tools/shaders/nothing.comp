#version 450
// A launch that does next to nothing: what a launch costs by itself.
layout(local_size_x_id = 0) in;
layout(binding = 0) readonly buffer Source { uvec4 source[]; };
layout(binding = 1) buffer Sink { uvec4 sink[]; };
layout(push_constant) uniform P { uint first, n_vectors; } p;
void main() {
    if (p.n_vectors == 77u) sink[0] = source[0];
}
