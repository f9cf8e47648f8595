// rms_norm: y = x / sqrt(mean(x^2) + eps) * w, row by row
// x: [n_rows, n] f32; w: [n] f32; y: [n_rows, n] f32, or q8_act (quants in Y, scales in YScales).
//
// One workgroup: one row; its lanes (a divisor of 64) share the row's 64 segments. Specialization:
// QUANTIZE 0 or 1: whether y is q8_act. Shared memory: 256 bytes. Floor: Vulkan 1.2.
// Order of sums: segment s adds x[s]^2, x[s + 64]^2, ... from 0; then the 64 segments in order.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint QUANTIZE = 0u;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer W { float w[]; };
layout(binding = 2) buffer Y { uint y[]; };
layout(binding = 3) buffer YScales { float y_scales[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    float inv_n, eps;
    uint quantize;
    uint groups_x;
    uint x_first; // where x begins in its binding
} p;

#include "lib/q8_act.glsl"

const uint SEGMENTS = 64u;
shared float parts[SEGMENTS];

float normed(uint row, uint k, float scale) {
    return gw_flush(gw_mul(gw_flush(gw_mul(x[p.x_first + row * p.n + k], scale)), w[k]));
}

void quantized(uint row, uint g, float scale) {
    float v[32];
    uint words[8];
    for (uint k = 0u; k < 32u; k++) v[k] = normed(row, g * 32u + k, scale);
    uint at = row * (p.n / 32u) + g;
    y_scales[at] = gw_q8_pack(v, words);
    for (uint i = 0u; i < 8u; i++) y[at * 8u + i] = words[i];
}

void main() {
    uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
    if (row >= p.n_rows) return;
    for (uint s = lane; s < SEGMENTS; s += lanes) {
        float sum = 0.0;
        for (uint k = s; k < p.n; k += SEGMENTS) {
            float v = x[p.x_first + row * p.n + k];
            sum = gw_add(sum, gw_mul(v, v));
        }
        parts[s] = sum;
    }
    barrier();
    float total = 0.0;
    [[dont_unroll]] for (uint s = 0u; s < SEGMENTS; s++) total = gw_add(total, parts[s]);
    float v = gw_add(gw_mul(total, p.inv_n), p.eps);
    float scale = v < 8.271806e-25 ? 0.0 : gw_rsqrt(v);
    if (QUANTIZE != 0u) {
        for (uint g = lane; g < p.n / 32u; g += lanes) quantized(row, g, scale);
    } else {
        for (uint k = lane; k < p.n; k += lanes) {
            y[row * p.n + k] = floatBitsToUint(normed(row, k, scale));
        }
    }
}
