// attention: softmax(q K^T * scale) V over a token's past, grouped query, causal, sliding window
// q: [n_tok, n_head, head_dim] f32; k_cache, v_cache: [n_ctx, n_head_kv, head_dim] f32 or f16 (two to a
// word); pos: [n_tok] i32; y: [n_tok, n_head * out_dim] f32, or q8_act (quants in y, scales in y_scales).
// out_dim: head_dim, or less where heads have zeros behind.
//
// One workgroup: one head of one token, walking the key chunks in order. Its lanes share a chunk's 32
// scores, then the head's dimensions in units of 8. Specialization: HEAD_DIM (multiple of 8, <= 256), F16
// cache 0 or 1, QUANTIZE 0 or 1. Shared memory: 128 bytes + 4 * HEAD_DIM where QUANTIZE. Floor: Vulkan 1.2.
// Order of sums: engine/ops/attention.c.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint HEAD_DIM = 64u;
layout(constant_id = 4) const uint F16 = 0u;
layout(constant_id = 5) const uint QUANTIZE = 0u;
layout(constant_id = 6) const uint LANES = 32u; // the workgroup: gl_WorkGroupSize sizes no array on Metal

layout(binding = 0) readonly buffer Q { vec4 q[]; };
layout(binding = 1) readonly buffer KCache { uvec4 k_cache[]; };
layout(binding = 2) readonly buffer VCache { uvec4 v_cache[]; };
layout(binding = 3) readonly buffer Pos { uint pos[]; };
layout(binding = 4) buffer Y { uint y[]; };
layout(binding = 5) buffer YScales { float y_scales[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_head, n_head_kv, head_dim;
    float scale;
    uint window;
    uint f16;
    uint quantize;
    uint out_dim;
} p;

#include "lib/q8_act.glsl"

const uint CHUNK = 32u;
const uint UNITS = HEAD_DIM / 8u;
const uint PER_LANE = (UNITS + LANES - 1u) / LANES;

shared float scores[CHUNK];
shared float outs[QUANTIZE != 0u ? HEAD_DIM : 1u];

void halves(uvec4 a, out float x[8]) {
    for (int i = 0; i < 4; i++) {
        x[2 * i] = gw_f16_to_f32(a[i] & 0xffffu);
        x[2 * i + 1] = gw_f16_to_f32(a[i] >> 16);
    }
}
void floats(uvec4 a, uvec4 b, out float x[8]) {
    for (int i = 0; i < 4; i++) {
        x[i] = uintBitsToFloat(a[i]);
        x[4 + i] = uintBitsToFloat(b[i]);
    }
}
// Unit `at` (8 elements) of a cache.
void k_unit(uint at, out float x[8]) {
    if (F16 != 0u) halves(k_cache[at], x);
    else floats(k_cache[2u * at], k_cache[2u * at + 1u], x);
}
void v_unit(uint at, out float x[8]) {
    if (F16 != 0u) halves(v_cache[at], x);
    else floats(v_cache[2u * at], v_cache[2u * at + 1u], x);
}

float score(uint q_at, uint k_at) {
    float sum = 0.0;
    // Not unrolled: a software driver would compile 16 copies for seconds.
    [[dont_unroll]] for (uint u = 0u; u < UNITS; u++) {
        float k[8];
        k_unit(k_at + u, k);
        vec4 a = q[q_at + 2u * u], b = q[q_at + 2u * u + 1u];
        for (int i = 0; i < 4; i++) sum = gw_add(sum, gw_mul(a[i], k[i]));
        for (int i = 0; i < 4; i++) sum = gw_add(sum, gw_mul(b[i], k[4 + i]));
    }
    return gw_mul(sum, p.scale);
}

void main() {
    uint h = gl_WorkGroupID.x, t = gl_WorkGroupID.y;
    uint lane = gl_LocalInvocationID.x, lanes = LANES;
    uint last = pos[t], lo = p.window != 0u && last >= p.window ? last - p.window + 1u : 0u;
    uint stride = p.n_head_kv * UNITS, base = h / (p.n_head / p.n_head_kv) * UNITS;
    uint q_at = (t * p.n_head + h) * UNITS * 2u;

    float o[PER_LANE * 8u], m = 0.0, l = 0.0;
    for (uint i = 0u; i < PER_LANE * 8u; i++) o[i] = 0.0;
    for (uint c = lo / CHUNK; c <= last / CHUNK; c++) {
        uint j0 = max(c * CHUNK, lo), j1 = min(c * CHUNK + CHUNK - 1u, last);
        for (uint j = j0 + lane; j <= j1; j += lanes) scores[j - j0] = score(q_at, base + j * stride);
        barrier();
        float mc = scores[0], lc = 0.0;
        for (uint j = 1u; j <= j1 - j0; j++) mc = scores[j] > mc ? scores[j] : mc;
        barrier();
        for (uint j = lane; j <= j1 - j0; j += lanes) scores[j] = gw_exp(gw_sub(scores[j], mc));
        barrier();
        float oc[PER_LANE * 8u];
        for (uint i = 0u; i < PER_LANE * 8u; i++) oc[i] = 0.0;
        for (uint j = 0u; j <= j1 - j0; j++) {
            float e = scores[j];
            lc = gw_add(lc, e);
            for (uint n = 0u; n < PER_LANE; n++) {
                uint u = min(lane + n * lanes, UNITS - 1u);
                float v[8];
                v_unit(base + (j0 + j) * stride + u, v);
                for (uint i = 0u; i < 8u; i++) oc[n * 8u + i] = gw_add(oc[n * 8u + i], gw_mul(e, v[i]));
            }
        }
        barrier();
        bool first = c == lo / CHUNK;
        float top = first || mc > m ? mc : m;
        float a = first ? 0.0 : gw_exp(gw_sub(m, top)), b = gw_exp(gw_sub(mc, top));
        l = first ? lc : gw_add(gw_mul(l, a), gw_mul(lc, b));
        m = top;
        for (uint i = 0u; i < PER_LANE * 8u; i++) {
            float own = gw_flush(oc[i]);
            o[i] = first ? own : gw_flush(gw_add(gw_mul(o[i], a), gw_mul(own, b)));
        }
    }
    float scale = gw_rcp(l);
    uint y_at = (t * p.n_head + h) * p.out_dim;
    for (uint n = 0u; n < PER_LANE; n++) {
        uint u = lane + n * lanes;
        for (uint i = 0u; i < 8u && u * 8u + i < p.out_dim; i++) {
            float value = gw_flush(gw_mul(o[n * 8u + i], scale));
            if (QUANTIZE != 0u) outs[u * 8u + i] = value;
            else y[y_at + u * 8u + i] = floatBitsToUint(value);
        }
    }
    if (QUANTIZE == 0u) return;
    barrier();
    for (uint g = lane; g < HEAD_DIM / 32u; g += lanes) {
        float v[32];
        uint words[8];
        for (uint k = 0u; k < 32u; k++) v[k] = outs[g * 32u + k];
        y_scales[y_at / 32u + g] = gw_q8_pack(v, words);
        for (uint i = 0u; i < 8u; i++) y[y_at / 4u + g * 8u + i] = words[i];
    }
}
