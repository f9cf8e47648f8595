// rms_norm: y = x / sqrt(mean(x^2) + eps) * w, row by row
// x: [n_rows, n] f32, or columns (rows of n lie in one run); w: [n] f32; y: [n_rows, n] f32, or q8_act (quants in Y, scales in YScales).
// folded: y = x * w, and scale: [n_rows] f32, by which products of y are scaled.
//
// One workgroup: one row, whatever the number of lanes. Specialization: QUANTIZE 0 or 1: whether y is
// q8_act; GROUP_LANES 1 or 8: the lanes that make a group of 32 of it. Shared memory: 4.7 KiB. Floor:
// Vulkan 1.2. With GW_WIDE (lib/rms_norm_wide.glsl) a row is held in registers: LANES, QUADS.
// Order of sums: units of 32 squares by halves; 8 units in order; these blocks in order.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint QUANTIZE = 0u;
layout(constant_id = 4) const uint GROUP_LANES = 1u;

#ifdef GW_WIDE
layout(constant_id = 5) const uint LANES = 32u;
layout(constant_id = 6) const uint QUADS = 1u; // four elements side by side, of a lane
layout(binding = 0) readonly buffer X { vec4 x[]; };
layout(binding = 1) readonly buffer W { vec4 w[]; };
#else
layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer W { float w[]; };
#endif
layout(binding = 2) buffer Y { uint y[]; };
layout(binding = 3) buffer YScales { float y_scales[]; };
layout(binding = 4) buffer Scale { float row_scale[]; };

layout(push_constant) uniform Params {
    uint n, n_rows;
    float inv_n, eps;
    uint quantize, folded;
    uint groups_x;
    uint x_first, x_run, x_stride;
} p;

#include "lib/columns.glsl"
#include "lib/exact4.glsl"
#include "lib/q8_act.glsl"

uint row_first(uint row) {
    return gw_column_at(row * p.n, p.x_first, p.x_run, p.x_stride);
}

#ifdef GW_WIDE
#include "lib/rms_norm_wide.glsl"
#else

// A pass: as many units as shared memory has room for, as eighths: part j of a unit u.
const uint PASS = 128u, PART_STRIDE = PASS + 4u; // 4: so that eighths lie in memory banks of their own
shared uint parts[8u * PART_STRIDE]; // bits of floats: of sums, then of amax
shared float unit_sums[PASS];
shared float block_sums[PASS / 8u];

uint slot(uint u, uint j) {
    return j * PART_STRIDE + u;
}
float part(uint u, uint j) {
    return uintBitsToFloat(parts[slot(u, j)]);
}

uint lane, lanes, row, x0; // x0: where the row begins

float square(uint k) {
    float v = k < p.n ? x[x0 + k] : 0.0;
    return gw_mul(v, v);
}

// The first two of a unit's halvings, for place j of 8.
float eighth(uint k) {
    return gw_add(gw_add(square(k), square(k + 16u)), gw_add(square(k + 8u), square(k + 24u)));
}
// The other three.
float unit_sum(uint u) {
    float a = gw_add(gw_add(part(u, 0u), part(u, 4u)), gw_add(part(u, 2u), part(u, 6u)));
    return gw_add(a, gw_add(gw_add(part(u, 1u), part(u, 5u)), gw_add(part(u, 3u), part(u, 7u))));
}

float sum_of_squares() {
    float sum = 0.0;
    for (uint first = 0u; first < p.n; first += 32u * PASS) {
        uint units = min((p.n - first + 31u) / 32u, PASS), blocks = (units + 7u) / 8u;
        for (uint q = lane; q < 8u * units; q += lanes) {
            float s = eighth(first + q / 8u * 32u + q % 8u);
            parts[slot(q / 8u, q % 8u)] = floatBitsToUint(s);
        }
        barrier();
        for (uint u = lane; u < units; u += lanes) unit_sums[u] = unit_sum(u);
        barrier();
        for (uint b = lane; b < blocks; b += lanes) {
            float s = 0.0;
            for (uint u = 8u * b; u < min(8u * b + 8u, units); u++) s = gw_add(s, unit_sums[u]);
            block_sums[b] = s;
        }
        barrier();
        for (uint b = 0u; b < blocks; b++) sum = gw_add(sum, block_sums[b]);
    }
    return sum;
}

float normed(uint k, float scale) {
    float v = x[x0 + k];
    return gw_flush(gw_mul(p.folded != 0u ? v : gw_flush(gw_mul(v, scale)), w[k]));
}
vec4 normed_four(uint k, float scale) {
    vec4 v;
    for (uint i = 0u; i < 4u; i++) v[i] = normed(k + i, scale);
    return v;
}

void quantized(uint g, float scale) {
    float v[32];
    uint words[8];
    for (uint k = 0u; k < 32u; k++) v[k] = normed(g * 32u + k, scale);
    uint at = row * (p.n / 32u) + g;
    y_scales[at] = gw_q8_pack(v, words);
    for (uint i = 0u; i < 8u; i++) y[at * 8u + i] = words[i];
}

// Eight lanes a group; values are made twice, which is cheaper than to keep them.
void quantized_by_eighths(float scale) {
    uint groups = p.n / 32u;
    for (uint first = 0u; first < groups; first += PASS) {
        uint n = 8u * min(groups - first, PASS), k0 = 32u * first;
        for (uint q = lane; q < n; q += lanes) {
            parts[slot(q / 8u, q % 8u)] = gw_q8_amax(0u, normed_four(k0 + 4u * q, scale));
        }
        barrier();
        for (uint q = lane; q < n; q += lanes) {
            uint amax = 0u, at = row * groups * 8u + first * 8u + q;
            for (uint j = 0u; j < 8u; j++) amax = max(amax, parts[slot(q / 8u, j)]);
            float by, d = gw_q8_scale(amax, by);
            y[at] = gw_q8_word(normed_four(k0 + 4u * q, scale), by);
            if (q % 8u == 0u) y_scales[at / 8u] = d;
        }
        barrier();
    }
}

void main() {
    row = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    if (row >= p.n_rows) return;
    x0 = row_first(row);
    float v = gw_add(gw_mul(sum_of_squares(), p.inv_n), p.eps);
    float scale = v < 8.271806e-25 ? 0.0 : gw_flush(gw_rsqrt(v));
    if (p.folded != 0u && lane == 0u) row_scale[row] = scale;
    if (QUANTIZE == 0u) {
        for (uint k = lane; k < p.n; k += lanes) y[row * p.n + k] = floatBitsToUint(normed(k, scale));
    } else if (GROUP_LANES != 1u) {
        quantized_by_eighths(scale);
    } else {
        for (uint g = lane; g < p.n / 32u; g += lanes) quantized(g, scale);
    }
}
#endif
