// clip: y = min(max(x, a), b), element by element
// x, y: [n_rows, n] f32.
//
// One invocation: one element. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/unary.glsl"

float gw_unary(float x) {
    float y = x < p.a ? p.a : x;
    return y > p.b ? p.b : y;
}
