// ssm_conv: a short causal convolution of each channel by itself over the tokens of a sequence
// x: [n_tok, n], or gated [n_tok, 3 n] (b, c, x; what is convolved is b * x, and y is times c); w: [n * TAPS];
// bias: [n]; segments: lib/segments.glsl; state: [n_blocks, TAPS - 1, n], the last inputs; y: [n_tok, n].
//
// One invocation: a channel of CHUNK tokens. Specialization: TAPS, GATED, SILU, BIAS. Floor: Vulkan 1.2, no
// shared memory. Order of sums: the oldest token first.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint TAPS = 4u;
layout(constant_id = 4) const uint GATED = 0u;
layout(constant_id = 5) const uint SILU = 0u;
layout(constant_id = 6) const uint BIAS = 0u;

layout(binding = 0) readonly buffer X { float x[]; };
layout(binding = 1) readonly buffer W { float w[]; };
layout(binding = 2) readonly buffer Bias { float bias[]; };
layout(binding = 3) readonly buffer Segments { int segments[]; };
layout(binding = 4) buffer State { float state[]; };
layout(binding = 5) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_tok, n_segments, n_blocks, n_chunks;
    uint n_taps;
    uint gated, silu, has_bias;
    uint x_first, x_run, x_stride;
    uint groups_n;
    uint groups_x;
} p;

#include "lib/exact.glsl"
#include "lib/columns.glsl"
#include "lib/segments.glsl"

const uint CHUNK = 16u;

float x_at(uint i) {
    return x[gw_column_at(i, p.x_first, p.x_run, p.x_stride)];
}

// What is convolved, of token t of the segment; before it, of its state.
float taken(int t, uint c) {
    if (t < 0) {
        return seg_from < 0 ? 0.0 : state[(uint(seg_from) * (TAPS - 1u) + uint(t + int(TAPS) - 1)) * p.n + c];
    }
    uint row = seg_first + uint(t);
    if (GATED == 0u) return x_at(row * p.n + c);
    uint at = row * 3u * p.n + c;
    return gw_flush(gw_mul(x_at(at), x_at(at + 2u * p.n)));
}

float convolved(int t, uint c) {
    float sum = 0.0;
    for (uint k = 0u; k < TAPS; k++) {
        sum = gw_add(sum, gw_mul(w[c * TAPS + k], taken(t + int(k) - int(TAPS) + 1, c)));
    }
    float v = gw_flush(sum);
    if (BIAS != 0u) v = gw_flush(gw_add(v, bias[c]));
    if (SILU != 0u) v = gw_flush(gw_silu(v));
    if (GATED != 0u) v = gw_flush(gw_mul(v, x_at((seg_first + uint(t)) * 3u * p.n + p.n + c)));
    return v;
}

void main() {
    uint group = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    uint c = group % p.groups_n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    uint chunk = group / p.groups_n % p.n_chunks, i = group / p.groups_n / p.n_chunks;
    if (c >= p.n || i >= p.n_segments || !gw_segment(i)) return;
    uint first = chunk * CHUNK, end = min(first + CHUNK, seg_n);
    for (uint t = first; t < end; t++) y[(seg_first + t) * p.n + c] = convolved(int(t), c);
    if (first >= seg_n || end != seg_n || seg_to < 0) return;
    for (uint k = 0u; k + 1u < TAPS; k++) {
        float v = taken(int(seg_n + k) - int(TAPS) + 1, c);
        state[(uint(seg_to) * (TAPS - 1u) + k) * p.n + c] = v;
    }
}
