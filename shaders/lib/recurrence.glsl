// Recurrence: a head's state, a matrix S of DK rows, one column to each invocation, from token to token
// (engine/ops/recurrence.h):
//   S = S * decay;  d = rate * new;  S = S + key d^T;  y = S^T query * scale
// gated_delta_net takes as new the value less what S had at key, ssm_scan the value itself.
// v: [n_tok, n_heads, dv] columns; gates: [n_tok, n_heads * n_decays + n_heads], decays and rates, n_decays 1 or DK; segments: lib/segments.glsl; state: [n_blocks, n_heads,
// DK, dv]; y: [n_tok, n_heads, dv]. Keys and queries: [n_tok, 2 * n_heads_k, DK] columns.
//
// One invocation: a column of a head, over the tokens of a segment. Floor: Vulkan 1.2, no shared memory. Order of
// sums: units of 32 rows, each in order; the units in order.
#ifndef GW_LIB_RECURRENCE
#define GW_LIB_RECURRENCE

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(constant_id = 3) const uint DK = 128u;
layout(constant_id = 4) const uint ROW_DECAYS = 0u; // 1: each row of S decays by a factor of its own

layout(binding = 0) readonly buffer Rows { float rows[]; };
layout(binding = 1) readonly buffer V { float v[]; };
layout(binding = 2) readonly buffer Gates { float gates[]; };
layout(binding = 3) readonly buffer Segments { int segments[]; };
layout(binding = 4) buffer State { float state[]; };
layout(binding = 5) buffer Y { float y[]; };
layout(binding = 6) readonly buffer Skip { float skip[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_segments, n_blocks;
    uint n_heads, n_heads_k, dk, dv;
    uint n_decays;
    uint tiled;
    float scale;
    uint rows_first, rows_run, rows_stride;
    uint v_first, v_run, v_stride;
    uint groups_n;
    uint groups_x;
} p;

#include "lib/exact.glsl"
#include "lib/columns.glsl"
#include "lib/segments.glsl"

#ifdef GW_DELTA
const uint QUERIES = 0u, KEYS = 1u; // which of the two comes first
#else
const uint QUERIES = 1u, KEYS = 0u;
#endif

const uint STEP = 8u; // rows, a round of a loop: Mesa counts these (docs/QUIRKS.md)

float s[DK];

// Where the row of a head at a token begins, of keys or queries.
uint row_at(uint t, uint head, uint which) {
    uint own = p.tiled != 0u ? head % p.n_heads_k : head / (p.n_heads / p.n_heads_k);
    uint i = (t * 2u * p.n_heads_k + which * p.n_heads_k + own) * DK;
    return gw_column_at(i, p.rows_first, p.rows_run, p.rows_stride);
}

void token(uint t, uint head, uint column) {
    uint key = row_at(t, head, KEYS), query = row_at(t, head, QUERIES);
    uint gate = t * (p.n_decays + 1u) * p.n_heads, decay = gate + head * p.n_decays;
    uint at = (t * p.n_heads + head) * p.dv + column;
    float rate = gates[gate + p.n_decays * p.n_heads + head], by = gates[decay];
    float value = v[gw_column_at(at, p.v_first, p.v_run, p.v_stride)], had = 0.0, sum = 0.0;
    for (uint u = 0u; u < DK; u += 32u) {
        float unit = 0.0;
        for (uint first = u; first < min(u + 32u, DK); first += STEP) {
            [[unroll]] for (uint k = 0u; k < STEP; k++) {
                uint i = first + k;
                if (i < DK) s[i] = gw_flush(gw_mul(s[i], ROW_DECAYS != 0u ? gates[decay + i] : by));
#ifdef GW_DELTA
                if (i < DK) unit = gw_add(unit, gw_mul(s[i], rows[key + i]));
#endif
            }
        }
        had = gw_add(had, unit);
    }
#ifdef GW_DELTA
    float d = gw_flush(gw_mul(gw_flush(gw_sub(value, gw_flush(had))), rate));
#else
    float d = gw_flush(gw_mul(value, rate));
#endif
    for (uint u = 0u; u < DK; u += 32u) {
        float unit = 0.0;
        for (uint first = u; first < min(u + 32u, DK); first += STEP) {
            [[unroll]] for (uint k = 0u; k < STEP; k++) {
                uint i = first + k;
                if (i < DK) {
                    s[i] = gw_flush(gw_add(s[i], gw_mul(rows[key + i], d)));
                    unit = gw_add(unit, gw_mul(s[i], rows[query + i]));
                }
            }
        }
        sum = gw_add(sum, unit);
    }
#ifdef GW_DELTA
    y[at] = gw_flush(gw_mul(gw_flush(sum), p.scale));
#else
    y[at] = gw_flush(gw_add(gw_flush(sum), gw_flush(gw_mul(skip[head], value))));
#endif
}

void main() {
    uint group = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    uint column = group % p.groups_n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    uint head = group / p.groups_n % p.n_heads, i = group / p.groups_n / p.n_heads;
    if (column >= p.dv || i >= p.n_segments || !gw_segment(i)) return;
    uint from = (uint(max(seg_from, 0)) * p.n_heads + head) * DK * p.dv + column;
    for (uint k = 0u; k < DK; k++) s[k] = seg_from < 0 ? 0.0 : state[from + k * p.dv];
    for (uint t = 0u; t < seg_n; t++) token(seg_first + t, head, column);
    if (seg_to < 0) return;
    uint to = (uint(seg_to) * p.n_heads + head) * DK * p.dv + column;
    for (uint k = 0u; k < DK; k++) state[to + k * p.dv] = s[k];
}

#endif
