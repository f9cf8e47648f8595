// relu: y = max(x, 0); FORM 1: its square, element by element
// x, y: [n_rows, n] f32.
//
// One invocation: one element. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/unary.glsl"

float gw_unary(float x) {
    float y = x > 0.0 ? x : 0.0;
    return FORM != 0u ? gw_mul(y, y) : y;
}
