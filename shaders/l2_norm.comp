// l2_norm: y = x / sqrt(sum(x^2) + eps), row by row
// x: [n_rows, n] columns; y: [n_rows, n].
//
// One workgroup: one row. Shared memory: 4 KiB. Floor: Vulkan 1.2.
// Order of sums: units of 32 squares by halves; 8 units in order; these blocks in order.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    float eps;
    uint x_first, x_run, x_stride;
    uint groups_x;
} p;

#include "lib/exact.glsl"
#include "lib/columns.glsl"

const uint MOST = 1024u; // elements of a row, up to whole units
shared float terms[MOST];

void main() {
    uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x, units = (p.n + 31u) / 32u;
    if (row >= p.n_rows) return;
    for (uint k = lane; k < 32u * units; k += lanes) {
        float v = k < p.n ? x[gw_column_at(row * p.n + k, p.x_first, p.x_run, p.x_stride)] : 0.0;
        terms[k] = gw_mul(v, v);
    }
    barrier();
    for (uint h = 16u; h > 0u; h /= 2u) {
        for (uint i = lane; i < h * units; i += lanes) {
            uint at = i / h * 32u + i % h;
            terms[at] = gw_add(terms[at], terms[at + h]);
        }
        barrier();
    }
    float sum = 0.0;
    for (uint first = 0u; first < units; first += 8u) {
        float s = 0.0;
        for (uint u = first; u < min(first + 8u, units); u++) s = gw_add(s, terms[32u * u]);
        sum = gw_add(sum, s);
    }
    float v = gw_add(sum, p.eps);
    float g = v < 8.271806e-25 ? 0.0 : gw_flush(gw_rsqrt(v));
    for (uint k = lane; k < p.n; k += lanes) {
        float a = x[gw_column_at(row * p.n + k, p.x_first, p.x_run, p.x_stride)];
        y[row * p.n + k] = gw_flush(gw_mul(a, g));
    }
}
