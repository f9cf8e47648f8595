// xielu: y = alpha_p x^2 + beta x where x > 0, else alpha_n (e^min(x, eps) - 1 - x) + beta x
// x, y: [n_rows, n] f32. a, b, c, d: alpha_p, alpha_n, beta, eps.
//
// One invocation: one element. Floor: Vulkan 1.2, no shared memory. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/unary.glsl"
#include "lib/exact_math.glsl"

float gw_unary(float x) {
    float low = x < p.d ? x : p.d;
    float y = x > 0.0 ? gw_mul(gw_mul(p.a, x), x) : gw_mul(gw_sub(gw_expm1(low), x), p.b);
    return gw_add(y, gw_mul(p.c, x));
}
