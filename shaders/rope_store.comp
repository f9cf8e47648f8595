// rope_store: turns queries and keys by an angle of the token's position, and writes keys and values into
// the cache
// q: [n_tok, n_head, head_dim] f32; k, v: [n_tok, n_head_kv, head_dim] f32, each perhaps columns;
// table: [n_tok, n_rot] f32; rows: [n_tok] i32; k_cache, v_cache: [n_rows, n_head_kv, row_dim], each f32,
// f16 two to a word, or q8_0; y: [n_tok, n_head, row_dim] f32. Behind head_dim stand zeros. A launch makes
// those of `parts`: 1 queries, 2 keys, 4 values.
//
// One invocation: two neighbouring elements of a head; with GW_Q8, for q8_0 caches, one workgroup: a head.
// Specialization of that: HEAD_DIM (row_dim; multiple of 8, <= 256), LANES. Shared memory: 5 * HEAD_DIM
// bytes. PAIRED and types of the caches are in the parameters, too. Floor: Vulkan 1.2. Order of sums: docs/NUMERICS.md.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
#ifdef GW_Q8
layout(constant_id = 3) const uint HEAD_DIM = 64u;
layout(constant_id = 4) const uint LANES = 32u;
layout(constant_id = 5) const uint PAIRED = 1u;
#else
// Constants, since drivers on CPUs go both ways of a branch.
layout(constant_id = 3) const uint PAIRED = 1u;
layout(constant_id = 4) const uint K_TYPE = 1u;
layout(constant_id = 5) const uint V_TYPE = 1u;
#endif

layout(binding = 0) readonly buffer QK { float qk[]; }; // both, or one of them
layout(binding = 1) readonly buffer V { float v[]; };
layout(binding = 2) readonly buffer Table { float table[]; };
layout(binding = 3) readonly buffer Rows { uint rows[]; };
layout(binding = 4) buffer KCache { uint k_cache[]; };
layout(binding = 5) buffer VCache { uint v_cache[]; };
layout(binding = 6) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_head, n_head_kv, head_dim, row_dim;
    uint n_rot, paired;
    uint n_rows;
    uint k_type, v_type;
    uint parts;
    uint q_first, q_run, q_stride;
    uint k_first, k_run, k_stride;
    uint v_first, v_run, v_stride;
    uint groups_x;
} p;

#include "lib/columns.glsl"
#include "lib/exact.glsl"

const uint QUERY = 0u, KEY = 1u, VALUE = 2u; // bits of parts
const uint F16 = 1u;

void store(bool is_v, uint at, uint word) {
    if (is_v) v_cache[at] = word;
    else k_cache[at] = word;
}

struct head_place {
    uint part, token;
    uint number; // among the part's heads of the token
    uint n;      // of these
    uint first;  // where its elements begin
};

uint n_heads_of(uint part) {
    return (p.parts >> part & 1u) == 0u ? 0u : part == QUERY ? p.n_head : p.n_head_kv;
}

// Head i of the launch; false past the last.
bool find_head(uint i, out head_place h) {
    uint nq = n_heads_of(QUERY), nk = n_heads_of(KEY), n = nq + nk + n_heads_of(VALUE);
    h.token = i / n;
    h.number = i - h.token * n;
    h.part = h.number < nq ? QUERY : h.number < nq + nk ? KEY : VALUE;
    h.number -= h.part == QUERY ? 0u : h.part == KEY ? nq : nq + nk;
    h.n = h.part == QUERY ? p.n_head : p.n_head_kv;
    uint at = (h.token * h.n + h.number) * p.head_dim;
    if (h.part == QUERY) h.first = gw_column_at(at, p.q_first, p.q_run, p.q_stride);
    else if (h.part == KEY) h.first = gw_column_at(at, p.k_first, p.k_run, p.k_stride);
    else h.first = gw_column_at(at, p.v_first, p.v_run, p.v_stride);
    return h.token < p.n_tok;
}

float read(head_place h, uint i) {
    return h.part == VALUE ? v[h.first + i] : qk[h.first + i];
}

// Element i of a head, turned.
float element(head_place h, uint i) {
    if (i >= p.head_dim) return 0.0;
    if (h.part == VALUE || i >= p.n_rot) return read(h, i);
    uint n = p.n_rot / 2u;
    bool paired = PAIRED != 0u, second = paired ? (i & 1u) != 0u : i >= n;
    uint pair = paired ? i / 2u : second ? i - n : i;
    float a = read(h, paired ? 2u * pair : pair), b = read(h, paired ? 2u * pair + 1u : pair + n);
    uint t = h.token * p.n_rot + 2u * pair;
    float c = table[t], s = table[t + 1u];
    return gw_flush(second ? gw_add(gw_mul(a, s), gw_mul(b, c)) : gw_sub(gw_mul(a, c), gw_mul(b, s)));
}

// Elements 2 * i and 2 * i + 1: where neighbours are a pair, from one reading of it.
vec2 elements(head_place h, uint i) {
    if (PAIRED == 0u || h.part == VALUE || 2u * i >= p.n_rot)
        return vec2(element(h, 2u * i), element(h, 2u * i + 1u));
    float a = read(h, 2u * i), b = read(h, 2u * i + 1u);
    uint t = h.token * p.n_rot + 2u * i;
    float c = table[t], s = table[t + 1u];
    return vec2(gw_flush(gw_sub(gw_mul(a, c), gw_mul(b, s))), gw_flush(gw_add(gw_mul(a, s), gw_mul(b, c))));
}

#ifdef GW_Q8

#include "lib/kv_pack.glsl"

void main() {
    lane = gl_LocalInvocationID.x;
    head_place h;
    if (!find_head(gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, h)) return;
    uint to = h.token * h.n + h.number;
    if (h.part == QUERY) {
        for (uint i = lane; i < HEAD_DIM; i += LANES) y[to * HEAD_DIM + i] = element(h, i);
        return;
    }
    uint row = rows[h.token];
    if (row >= p.n_rows) return;
    for (uint i = lane; i < HEAD_DIM; i += LANES) GW_TURN(i) = gw_flush(element(h, i));
    gw_kv_pack(h.part == VALUE, row * h.n + h.number, p.n_rows * h.n);
}

#else

void main() {
    uint at = (gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x) * gl_WorkGroupSize.x +
              gl_LocalInvocationID.x;
    uint n = p.row_dim / 2u, head = at / n, i = at - head * n;
    head_place h;
    if (!find_head(head, h)) return;
    vec2 x = elements(h, i);
    float a = x.x, b = x.y;
    if (h.part == QUERY) {
        uint to = ((h.token * h.n + h.number) * n + i) * 2u;
        y[to] = a;
        y[to + 1u] = b;
        return;
    }
    uint row = rows[h.token];
    if (row >= p.n_rows) return;
    bool is_v = h.part == VALUE;
    uint to = (row * h.n + h.number) * n + i;
    a = gw_flush(a);
    b = gw_flush(b);
    if ((is_v ? V_TYPE : K_TYPE) == F16) {
        store(is_v, to, gw_f32_to_f16(a) | (gw_f32_to_f16(b) << 16));
    } else {
        store(is_v, 2u * to, floatBitsToUint(a));
        store(is_v, 2u * to + 1u, floatBitsToUint(b));
    }
}

#endif
