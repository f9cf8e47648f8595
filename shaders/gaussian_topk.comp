// gaussian_topk: y = max(x - (mean + scale * std), 0), row by row
// x: [n_rows, n], columns; y: [n_rows, n].
//
// One workgroup: one row. Shared memory: 4.7 KiB. Floor: Vulkan 1.2.
// Order of sums: that of lib/row_sum.glsl.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    float inv_n, scale;
    uint x_first, x_run, x_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"
#include "lib/exact_math.glsl"
#include "lib/row_sum.glsl"

uint x_row;
float mean;
bool squares;

float term(uint k) {
    if (k >= p.n) return 0.0;
    if (!squares) return x[x_row + k];
    float d = gw_flush(gw_sub(x[x_row + k], mean));
    return gw_mul(d, d);
}

void main() {
    uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    if (row >= p.n_rows) return;
    x_row = gw_column_at(row * p.n, p.x_first, p.x_run, p.x_stride);
    squares = false;
    mean = gw_flush(gw_mul(sum_of_terms(), p.inv_n));
    squares = true;
    float v = gw_mul(sum_of_terms(), p.inv_n);
    float std = v < 8.271806e-25 ? 0.0 : gw_flush(gw_sqrt(v));
    float cut = gw_flush(gw_add(mean, gw_flush(gw_mul(std, p.scale))));
    for (uint k = lane; k < p.n; k += lanes) {
        float d = gw_flush(gw_sub(x[x_row + k], cut));
        y[row * p.n + k] = d > 0.0 ? d : 0.0;
    }
}
