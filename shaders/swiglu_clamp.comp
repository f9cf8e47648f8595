// swiglu_clamp: y = min(g * sigmoid(alpha * g), act_limit) * (u + offset), g = min(gate, gate_limit), u = up cut to
// -limit .. limit (shaders/lib/gated.glsl)
// gate, up: [n] f32; y: [n] f32, or q8_act (quants in y, scales in y_scales; n then counts groups).
//
// One invocation: one element; where QUANTIZE, GROUP_LANES invocations (1 or 8) make one group of 32.
// Shared memory: 4 bytes a lane where 8. Floor: Vulkan 1.2. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#define GW_GATED_PARAMS float alpha, limit, offset, gate_limit, act_limit;
#define GW_GATED_UP
#include "lib/gated.glsl"
#include "lib/exact_math.glsl"

float gw_act(float x) {
    x = x > p.gate_limit ? p.gate_limit : x;
    x = gw_flush(gw_mul(x, gw_flush(gw_sigmoid(gw_flush(gw_mul(p.alpha, x))))));
    return x > p.act_limit ? p.act_limit : x;
}
float gw_up(float x) {
    x = x > p.limit ? p.limit : x;
    x = x < -p.limit ? -p.limit : x;
    return gw_flush(gw_add(x, p.offset));
}
