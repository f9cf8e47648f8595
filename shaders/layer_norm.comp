// layer_norm: y = (x - mean) / sqrt(var + eps) * w (+ b), row by row
// x, y: [n_rows, n] f32; w, b: [n] f32.
//
// One workgroup: one row, whatever the number of lanes. Shared memory: 4.7 KiB. Floor: Vulkan 1.2.
// Order of sums: units of 32 by halves; 8 units in order; these blocks in order.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer W { float w[]; };
layout(binding = 2) readonly buffer B { float b[]; };
layout(binding = 3) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    float inv_n, eps;
    uint has_bias;
    uint groups_x;
    uint x_first; // where x begins in its binding
} p;

#include "lib/row_sum.glsl"

uint row;
float mean;
bool squares;

float off(uint k) {
    return gw_flush(gw_sub(x[p.x_first + row * p.n + k], mean));
}
float term(uint k) {
    if (k >= p.n) return 0.0;
    if (!squares) return x[p.x_first + row * p.n + k];
    float d = off(k);
    return gw_mul(d, d);
}

void main() {
    row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    if (row >= p.n_rows) return;
    squares = false;
    mean = gw_flush(gw_mul(sum_of_terms(), p.inv_n));
    squares = true;
    float v = gw_add(gw_mul(sum_of_terms(), p.inv_n), p.eps);
    float scale = v < 8.271806e-25 ? 0.0 : gw_flush(gw_rsqrt(v));
    for (uint k = lane; k < p.n; k += lanes) {
        float r = gw_flush(gw_mul(gw_flush(gw_mul(off(k), scale)), w[k]));
        y[row * p.n + k] = p.has_bias != 0u ? gw_flush(gw_add(r, b[k])) : r;
    }
}
