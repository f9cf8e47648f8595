// gelu: y = x * Phi(x); FORM 1: in its form with tanh, element by element
// x, y: [n_rows, n] f32.
//
// One invocation: one element. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/unary.glsl"
#include "lib/exact_math.glsl"

float gw_unary(float x) {
    return FORM != 0u ? gw_gelu_tanh(x) : gw_gelu(x);
}
