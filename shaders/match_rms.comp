// match_rms: rows of x as large as those of like, whose rows may stand in front of them
// like: [n_tok, n], x: [n_tok, m, n], both columns; y: [n_tok, lead + m, n].
//
// One workgroup: one row of y. Shared memory: 4.7 KiB. Floor: Vulkan 1.2.
// Order of sums: that of lib/row_sum.glsl.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Like { float like[]; };
layout(binding = 1) readonly buffer X { float x[]; };
layout(binding = 2) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_tok, m, lead;
    float inv_n;
    uint like_first, like_run, like_stride;
    uint x_first, x_run, x_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"
#include "lib/exact_math.glsl"
#include "lib/row_sum.glsl"

uint like_row, x_row;
bool of_like;

float term(uint k) {
    if (k >= p.n) return 0.0;
    float v = of_like ? like[like_row + k] : x[x_row + k];
    return gw_mul(v, v);
}

void main() {
    uint row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, rows = p.lead + p.m;
    uint t = row / rows, i = row - t * rows;
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    if (t >= p.n_tok) return;
    like_row = gw_column_at(t * p.n, p.like_first, p.like_run, p.like_stride);
    if (i < p.lead) {
        for (uint k = lane; k < p.n; k += lanes) y[row * p.n + k] = like[like_row + k];
        return;
    }
    x_row = gw_column_at((t * p.m + i - p.lead) * p.n, p.x_first, p.x_run, p.x_stride);
    of_like = true;
    float wanted = gw_mul(sum_of_terms(), p.inv_n);
    of_like = false;
    float had = gw_mul(sum_of_terms(), p.inv_n);
    float size = wanted < 8.271806e-25 ? 0.0 : gw_flush(gw_sqrt(wanted));
    float scale = gw_flush(gw_rsqrt(had < 1e-5 ? 1e-5 : had));
    for (uint k = lane; k < p.n; k += lanes)
        y[row * p.n + k] = gw_flush(gw_mul(gw_flush(gw_mul(x[x_row + k], scale)), size));
}
