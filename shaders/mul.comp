// mul: y = a * b, element by element
// a, y: [n_rows, n] f32; b: [n_rows, n] or one row (b_stride 0).
//
// One invocation: one element. Floor: Vulkan 1.2, no shared memory. No sums beyond the one operation.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/binary.glsl"

float gw_binary(float a, float b) {
    return gw_mul(a, b);
}
