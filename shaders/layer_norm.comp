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

#include "lib/exact.glsl"

// A pass: as many units as shared memory has room for, as eighths: part j of a unit u.
const uint PASS = 128u, PART_STRIDE = PASS + 4u; // 4: so that eighths lie in memory banks of their own
shared float parts[8u * PART_STRIDE];
shared float unit_sums[PASS];
shared float block_sums[PASS / 8u];

uint lane, lanes, row;
float mean;
bool squares;

float part(uint u, uint j) {
    return parts[j * PART_STRIDE + u];
}

float off(uint k) {
    return gw_flush(gw_sub(x[p.x_first + row * p.n + k], mean));
}
float term(uint k) {
    if (k >= p.n) return 0.0;
    if (!squares) return x[p.x_first + row * p.n + k];
    float d = off(k);
    return gw_mul(d, d);
}

// The first two of a unit's halvings, for place j of 8.
float eighth(uint k) {
    return gw_add(gw_add(term(k), term(k + 16u)), gw_add(term(k + 8u), term(k + 24u)));
}
// The other three.
float unit_sum(uint u) {
    float a = gw_add(gw_add(part(u, 0u), part(u, 4u)), gw_add(part(u, 2u), part(u, 6u)));
    return gw_add(a, gw_add(gw_add(part(u, 1u), part(u, 5u)), gw_add(part(u, 3u), part(u, 7u))));
}

float sum_of_terms() {
    float sum = 0.0;
    for (uint first = 0u; first < p.n; first += 32u * PASS) {
        uint units = min((p.n - first + 31u) / 32u, PASS), blocks = (units + 7u) / 8u;
        barrier(); // block_sums of the pass before were read
        for (uint q = lane; q < 8u * units; q += lanes)
            parts[q % 8u * PART_STRIDE + q / 8u] = eighth(first + q / 8u * 32u + q % 8u);
        barrier();
        for (uint u = lane; u < units; u += lanes) unit_sums[u] = unit_sum(u);
        barrier();
        for (uint i = lane; i < blocks; i += lanes) {
            float s = 0.0;
            for (uint u = 8u * i; u < min(8u * i + 8u, units); u++) s = gw_add(s, unit_sums[u]);
            block_sums[i] = s;
        }
        barrier();
        for (uint i = 0u; i < blocks; i++) sum = gw_add(sum, block_sums[i]);
    }
    return sum;
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
