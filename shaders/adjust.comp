// adjust: rows of logits with some of them changed, before tokens are chosen from them
// logits: [n_rows, n] f32; heads: [n_tok] of 4 words, row, first entry, how many; entries: [n_entries] of 5
// words (engine/ops/adjust.c); y: [n_tok, n] f32.
//
// One workgroup: one part of 2,048 logits of a token's row. Floor: Vulkan 1.2. No sums of many.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Logits { float logits[]; };
layout(binding = 1) readonly buffer Heads { uvec4 heads[]; };
struct entry {
    uint id;
    float bias, repeat, minus, dry;
};
layout(binding = 2) readonly buffer Entries { entry entries[]; };
layout(binding = 3) buffer Y { float y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows, n_tok, n_entries;
    uint groups_x;
} p;

#include "lib/exact.glsl"
#include "lib/exact_math.glsl"

const uint PART = 2048u;         // engine/ops/sample.h
const uint NEVER = 0xff800000u;

float adjusted(float l, entry e) {
    if (floatBitsToUint(e.bias) == NEVER) return uintBitsToFloat(NEVER);
    if ((floatBitsToUint(l) & 0x7f800000u) == 0x7f800000u) return l;
    l = gw_flush(gw_add(l, e.bias));
    l = gw_flush(l <= 0.0 ? gw_mul(l, e.repeat) : gw_div(l, e.repeat));
    l = gw_flush(gw_sub(l, e.minus));
    return gw_flush(gw_sub(l, e.dry));
}

void main() {
    uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
    uint part = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, n_parts = (p.n + PART - 1u) / PART;
    uint t = part / n_parts;
    if (t >= p.n_tok) return;
    uvec4 head = heads[t];
    uint first = part % n_parts * PART, end = min(first + PART, p.n);
    bool some = head.x < p.n_rows;
    uint from = some ? head.x * p.n : 0u, to = t * p.n;
    for (uint i = first + lane; i < end; i += lanes) y[to + i] = some ? logits[from + i] : 0.0;
    if (!some) return;
    memoryBarrierBuffer();
    barrier();
    uint n_own = head.y < p.n_entries ? min(head.z, p.n_entries - head.y) : 0u;
    for (uint k = lane; k < n_own; k += lanes) {
        entry e = entries[head.y + k];
        if (e.id >= first && e.id < end) y[to + e.id] = adjusted(logits[from + e.id], e);
    }
}
