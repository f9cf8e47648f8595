// selective_scan: the selective scan of Mamba 1 (engine/ops/selective_scan.c), where each number of a state decays by
// a factor of its own
//   step = softplus(dt);  s = s * e^(A step);  s = s + B (step v);  y = s C + D v, of each channel
// B and C: [n_tok, 2, DK] columns; v, dt: [n_tok, n] columns; segments: lib/segments.glsl; state: [n_blocks, DK, n]; A:
// [n, DK]; D: [n]; y: [n_tok, n].
//
// One invocation: a channel, over the tokens of a segment. Specialization: DK. Floor: Vulkan 1.2, no shared memory. Order
// of sums: units of 32 rows, each in order; the units in order.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint DK = 16u;

layout(binding = 0) readonly buffer Rows { float rows[]; };
layout(binding = 1) readonly buffer V { float v[]; };
layout(binding = 2) readonly buffer Dt { float dt[]; };
layout(binding = 3) readonly buffer Segments { int segments[]; };
layout(binding = 4) buffer State { float state[]; };
layout(binding = 5) buffer Y { float y[]; };
layout(binding = 6) readonly buffer A { float a[]; };
layout(binding = 7) readonly buffer Skip { float skip[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_segments, n_blocks;
    uint n, dk;
    uint rows_first, rows_run, rows_stride;
    uint v_first, v_run, v_stride;
    uint dt_first, dt_run, dt_stride;
    uint groups_n;
    uint groups_x;
} p;

#include "lib/exact_math.glsl"
#include "lib/columns.glsl"
#include "lib/segments.glsl"

float s[DK];

void token(uint t, uint c) {
    uint b = gw_column_at(t * 2u * DK, p.rows_first, p.rows_run, p.rows_stride);
    uint from = gw_column_at((t * 2u + 1u) * DK, p.rows_first, p.rows_run, p.rows_stride);
    uint at = t * p.n + c;
    float value = v[gw_column_at(at, p.v_first, p.v_run, p.v_stride)], sum = 0.0;
    float step = gw_flush(gw_softplus(dt[gw_column_at(at, p.dt_first, p.dt_run, p.dt_stride)]));
    float d = gw_flush(gw_mul(step, value));
    for (uint u = 0u; u < DK; u += 32u) {
        float unit = 0.0;
        for (uint i = u; i < min(u + 32u, DK); i++) {
            float by = gw_flush(gw_exp(gw_flush(gw_mul(a[c * DK + i], step))));
            float left = gw_flush(gw_mul(s[i], by));
            s[i] = gw_flush(gw_add(left, gw_mul(rows[b + i], d)));
            unit = gw_add(unit, gw_mul(s[i], rows[from + i]));
        }
        sum = gw_add(sum, unit);
    }
    y[at] = gw_flush(gw_add(gw_flush(sum), gw_flush(gw_mul(skip[c], value))));
}

void main() {
    uint group = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    uint c = group % p.groups_n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    uint i = group / p.groups_n;
    if (c >= p.n || i >= p.n_segments || !gw_segment(i)) return;
    uint block = p.n * DK;
    for (uint k = 0u; k < DK; k++)
        s[k] = seg_from < 0 ? 0.0 : state[uint(max(seg_from, 0)) * block + k * p.n + c];
    for (uint t = 0u; t < seg_n; t++) token(seg_first + t, c);
    if (seg_to < 0) return;
    for (uint k = 0u; k < DK; k++) state[uint(seg_to) * block + k * p.n + c] = s[k];
}
