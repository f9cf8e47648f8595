// silu_mul: y = silu(gate) * up
// gate, up: [n] f32; y: [n] f32, or q8_act (quants in y, scales in y_scales; n then counts groups).
//
// One invocation: one element, or one group of 32 where QUANTIZE. Floor: Vulkan 1.2, no shared memory.
// No sums.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint QUANTIZE = 0u;

layout(binding = 0) readonly buffer Gate { float gate[]; };
layout(binding = 1) readonly buffer Up { float up[]; };
layout(binding = 2) buffer Y { uint y[]; };
layout(binding = 3) buffer YScales { float y_scales[]; };

layout(push_constant) uniform Params {
    uint n;
    uint quantize;
    uint groups_x;
} p;

#include "lib/q8_act.glsl"

float gated(uint i) {
    return gw_flush(gw_mul(gw_silu(gate[i]), up[i]));
}

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    if (at >= p.n) return;
    if (QUANTIZE == 0u) {
        y[at] = floatBitsToUint(gated(at));
        return;
    }
    float v[32];
    uint words[8];
    for (uint k = 0u; k < 32u; k++) v[k] = gated(at * 32u + k);
    y_scales[at] = gw_q8_pack(v, words);
    for (uint i = 0u; i < 8u; i++) y[at * 8u + i] = words[i];
}
