// softcap: y = cap * tanh(x / cap); a is 1 / cap, b is cap, element by element
// x, y: [n_rows, n] f32.
//
// One invocation: one element. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/unary.glsl"
#include "lib/exact_math.glsl"

float gw_unary(float x) {
    return gw_mul(gw_flush(gw_tanh(gw_flush(gw_mul(x, p.a)))), p.b);
}
