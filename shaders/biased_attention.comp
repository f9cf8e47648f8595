// biased_attention: softmax(q K^T * scale + bias of the distance) V, over keys 0, or first, to last
// q: [n_tok, n_head, head_dim] f32; k_cache, v_cache: [n_rows, n_head_kv, head_dim], each f32 or f16 (two to a
// word); last, own: [n_tok] i32 (given: last [2 n_tok], then the first); pages: as attention's; bias: [n_head * n_bias] f32; y: [n_tok, n_head * out_dim] f32.
//
// One workgroup: a head of a token, over blocks of 256 keys in order. In a block a lane owns keys for the scores, then
// dimensions. Specialization: HEAD_DIM (up to 576), K_TYPE, V_TYPE (0 f32, 1 f16), LANES. Shared memory: 8 * HEAD_DIM + 1088
// bytes. Floor: Vulkan 1.2. Order of sums: docs/NUMERICS.md, as attention's.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint HEAD_DIM = 64u;
layout(constant_id = 4) const uint K_TYPE = 0u;
layout(constant_id = 5) const uint V_TYPE = 0u;
layout(constant_id = 6) const uint LANES = 32u;

layout(binding = 0) readonly buffer Q { float q[]; };
layout(binding = 1) readonly buffer KCache { uint k_cache[]; };
layout(binding = 2) readonly buffer VCache { uint v_cache[]; };
layout(binding = 3) readonly buffer Last { uint last_of[]; };
layout(binding = 4) readonly buffer Own { uint own_of[]; };
layout(binding = 5) readonly buffer Pages { uint pages[]; };
layout(binding = 6) readonly buffer Bias { float bias[]; };
layout(binding = 7) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n_head, n_head_kv, out_dim, n_ctx, n_blocks, paged;
    float scale2;
    uint n_bias, zero, slopes;
    uint n_tok, groups_x;
    uint head_dim, k_type, v_type;
    uint given;
} p;

#include "lib/exact.glsl"

const uint F16 = 1u;
const uint BLOCK = 256u, UNIT = 32u, UNITS = 8u;
const uint STEP = 8u; // of a unit, a round of a loop: Mesa counts these (docs/QUIRKS.md)
const float CUT = 1048576.0; // 2^20
const float NAN_SCORE = 2097152.0;
const float HIDDEN = -2097152.0;
const int LOWEST = -40;

shared float qs[HEAD_DIM], run[HEAD_DIM], ps[BLOCK], tops[UNITS], sums[UNITS];
uint lane, head, own;

float pow2_or_0(int k) {
    return k < LOWEST ? 0.0 : gw_pow2(k);
}

float key_at(uint at) {
    if (K_TYPE == F16) return gw_f16_to_f32(k_cache[at / 2u] >> (at % 2u * 16u) & 0xffffu);
    return uintBitsToFloat(k_cache[at]);
}
float value_at(uint at) {
    if (V_TYPE == F16) return gw_f16_to_f32(v_cache[at / 2u] >> (at % 2u * 16u) & 0xffffu);
    return uintBitsToFloat(v_cache[at]);
}
// The first element of key k of a block, which begins at row.
uint element(uint row, uint k) {
    return ((row + k) * p.n_head_kv + head / (p.n_head / p.n_head_kv)) * HEAD_DIM;
}

float bias_of(uint key) {
    int d = int(key) - int(own);
    if (p.slopes != 0u) return gw_flush(gw_mul(bias[head], gw_i32_to_f32(abs(d))));
    return bias[head * p.n_bias + uint(clamp(d + int(p.zero), 0, int(p.n_bias) - 1))];
}

float score(uint at, uint key) {
    float sum = 0.0;
    [[dont_unroll]] for (uint u = 0u; u < HEAD_DIM; u += UNIT) {
        float chain = 0.0;
        [[dont_unroll]] for (uint d = u; d < min(u + UNIT, HEAD_DIM); d += STEP)
            [[unroll]] for (uint i = 0u; i < STEP; i++)
                if (d + i < HEAD_DIM) chain = gw_add(chain, gw_mul(qs[d + i], key_at(at + d + i)));
        sum = gw_add(sum, chain);
    }
    float t = gw_flush(gw_mul(gw_flush(sum), p.scale2));
    t = gw_flush(gw_add(t, gw_flush(gw_mul(bias_of(key), 1.44269504))));
    bool nan = gw_is_nan(t);
    t = t > CUT ? CUT : t;
    t = t < -CUT ? -CUT : t;
    return nan ? NAN_SCORE : t;
}

// p of a score where the block's largest exponent is e.
float p_of(float t, int e) {
    int n = gw_round(t), k = n - e;
    uint w = floatBitsToUint(gw_exp2_part(gw_sub(t, gw_i32_to_f32(n)))) + (uint(k) << 23);
    return uintBitsToFloat(t > CUT ? GW_NAN_BITS : k < LOWEST ? 0u : w);
}

// The sum of a unit's p, by halves.
float sum_of(uint u) {
    float s[16];
    [[unroll]] for (uint k = 0u; k < 16u; k++) s[k] = gw_add(ps[u * UNIT + k], ps[u * UNIT + k + 16u]);
    [[unroll]] for (uint h = 8u; h > 0u; h /= 2u)
        [[unroll]] for (uint k = 0u; k < h; k++) s[k] = gw_add(s[k], s[k + h]);
    return s[0];
}

// The results of the block's first n keys in dimension d.
float value_of(uint row, uint n, uint d) {
    float o = 0.0;
    [[dont_unroll]] for (uint u = 0u; u < n; u += UNIT) {
        float chain = 0.0;
        [[dont_unroll]] for (uint k = u; k < min(u + UNIT, n); k += STEP)
            [[unroll]] for (uint i = 0u; i < STEP; i++)
                if (k + i < n) chain = gw_add(chain, gw_mul(ps[k + i], value_at(element(row, k + i) + d)));
        o = gw_add(o, chain);
    }
    return gw_flush(o);
}

void main() {
    lane = gl_LocalInvocationID.x;
    uint at = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, t = at / p.n_head;
    if (t >= p.n_tok) return;
    head = at % p.n_head;
    uint last = min(last_of[t], p.n_ctx - 1u), table = p.paged != 0u ? t * p.n_blocks : 0u;
    uint first = p.given != 0u ? min(last_of[p.n_tok + t], last) : 0u;
    own = own_of[t];
    for (uint d = lane; d < HEAD_DIM; d += LANES) {
        qs[d] = q[at * HEAD_DIM + d];
        run[d] = 0.0;
    }
    barrier();
    float l = 0.0;
    int e = int(HIDDEN);
    [[dont_unroll]] for (uint b = first / BLOCK; b <= last / BLOCK; b++) {
        uint n = min(last + 1u - b * BLOCK, BLOCK), row = pages[table + b] * BLOCK, k0 = max(first, b * BLOCK) - b * BLOCK;
        [[dont_unroll]] for (uint k = lane; k < BLOCK; k += LANES) {
            float s = HIDDEN;
            if (k >= k0 && k < n) s = score(element(row, k), b * BLOCK + k);
            ps[k] = s;
        }
        barrier();
        [[dont_unroll]] for (uint u = lane; u < UNITS; u += LANES) {
            float top = HIDDEN;
            [[dont_unroll]] for (uint k = 0u; k < UNIT; k++) top = max(top, ps[u * UNIT + k]);
            tops[u] = top;
        }
        barrier();
        float most = tops[0];
        [[dont_unroll]] for (uint u = 1u; u < UNITS; u++) most = max(most, tops[u]);
        int block_e = gw_round(most);
        [[dont_unroll]] for (uint k = lane; k < BLOCK; k += LANES) ps[k] = k >= k0 && k < n ? p_of(ps[k], block_e) : 0.0;
        barrier();
        [[dont_unroll]] for (uint u = lane; u < UNITS; u += LANES) sums[u] = sum_of(u);
        barrier();
        float block_l = sums[0];
        [[dont_unroll]] for (uint u = 1u; u < UNITS; u++) block_l = gw_add(block_l, sums[u]);
        int top = max(e, block_e);
        float a = pow2_or_0(e - top), c = pow2_or_0(block_e - top);
        l = gw_add(gw_mul(l, a), gw_mul(block_l, c));
        e = top;
        [[dont_unroll]] for (uint d = lane; d < HEAD_DIM; d += LANES)
            run[d] = gw_flush(gw_add(gw_mul(run[d], a), gw_mul(value_of(row, n, d), c)));
        barrier();
    }
    float scale = gw_rcp(l);
    for (uint d = lane; d < p.out_dim; d += LANES) y[at * p.out_dim + d] = gw_flush(gw_mul(run[d], scale));
}
