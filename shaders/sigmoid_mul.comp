// sigmoid_mul: y = sigmoid(gate) * up (shaders/lib/gated.glsl)
// gate, up: [n] f32; y: [n] f32, or q8_act (quants in y, scales in y_scales; n then counts groups).
//
// One invocation: one element; where QUANTIZE, GROUP_LANES invocations (1 or 8) make one group of 32.
// Shared memory: 4 bytes a lane where 8. Floor: Vulkan 1.2. No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "lib/gated.glsl"

float gw_act(float x) {
    return gw_flush(gw_sigmoid(x));
}
