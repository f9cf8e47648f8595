// sample_parts: of each part of a row of logits the first in order and, where few are kept, the first
// top_k
// logits: [n_rows, n] f32; control: [n_tok] of 12 words; y: [n_tok, n_parts, 130] words
// (engine/ops/sample_parts.c).
//
// One workgroup: one part of 2,048 logits of a token's row, whatever the number of lanes. Shared memory: 10.7 KiB. Floor:
// Vulkan 1.2; shared-memory atomics on uint. No sums of floats.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Logits { uint logits[]; };
struct control {
    float inv_temp;
    uint top_k;
    uint unused[5];
    uint row;
    uint more[4];
};
layout(binding = 1) readonly buffer Control { control controls[]; };
layout(binding = 2) buffer Y { uint y[]; };

layout(push_constant) uniform Params {
    uint n, n_rows, n_tok;
    uint groups_x;
} p;

#include "lib/sample.glsl"

const uint WORDS = PART / 32u;
shared uint keys[PART];
shared uint marks[WORDS], kept[WORDS], before[WORDS]; // a bit a logit; bits of marks before each word

uint first, n_own; // of the part, in its row

// After marks are set: the bits of marks before each word. To be read behind a barrier.
void count_before() {
    barrier();
    for (uint w = lane; w < WORDS; w += lanes) {
        uint n = 0u;
        for (uint v = 0u; v < w; v++) n += bitCount(marks[v]);
        before[w] = n;
    }
    barrier();
}
uint bit_of(uint i) {
    return 1u << (i % 32u);
}
uint rank(uint i) {
    return before[i / 32u] + bitCount(marks[i / 32u] & (bit_of(i) - 1u));
}

// Marks the first k of the part: those above the k-th key, then of its equals the first ids.
void mark_top(uint k) {
    uint prefix = 0u;
    uvec2 target = uvec2(k, 0u);
    for (uint w = lane; w < WORDS; w += lanes) marks[w] = kept[w] = 0u;
    [[dont_unroll]] for (int shift = 24; shift >= 0; shift -= 8) {
        clear_bins();
        for (uint i = lane; i < n_own; i += lanes) {
            bool inside = shift == 24 || (keys[i] >> (shift + 8)) == (prefix >> (shift + 8));
            if (inside) add_to((keys[i] >> shift) & 255u, uvec2(1u, 0u));
        }
        add_groups();
        prefix |= find(target, true) << shift;
    }
    // Equals are ranked by id; target is how many of them are left to keep.
    for (uint i = lane; i < n_own; i += lanes) {
        if (keys[i] == prefix) atomicOr(marks[i / 32u], bit_of(i));
    }
    count_before();
    for (uint i = lane; i < n_own; i += lanes) {
        bool keep = keys[i] > prefix || (keys[i] == prefix && rank(i) < target.x);
        if (keep) atomicOr(kept[i / 32u], bit_of(i));
    }
    barrier();
    for (uint w = lane; w < WORDS; w += lanes) marks[w] = kept[w];
    count_before();
}

void main() {
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    uint part = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x, n_parts = (p.n + PART - 1u) / PART;
    uint t = part / n_parts;
    if (t >= p.n_tok) return;
    control c = controls[t];
    if (c.row >= GIVEN) {
        for (uint k = lane; k < PART_WORDS; k += lanes) y[part * PART_WORDS + k] = k % 2u == 0u ? 0u : NO_ID;
        return;
    }
    uint row = min(c.row, p.n_rows - 1u) * p.n;
    first = part % n_parts * PART;
    n_own = min(p.n - first, PART);
    uint at = part * PART_WORDS, key = 0u, id = NO_ID;
    for (uint i = lane; i < n_own; i += lanes) {
        uint own = key_of_bits(logits[row + first + i]);
        keys[i] = own;
        id = id == NO_ID || own > key ? first + i : id;
        key = max(key, own);
    }
    uvec2 best = first_of(key, id);
    if (lane == 0u) {
        y[at] = best.x;
        y[at + 1u] = best.y;
    }
    uint k = min(c.top_k, n_own);
    bool listed = c.inv_temp != 0.0 && c.top_k != 0u && c.top_k <= PART_TOP;
    for (uint s = lane; s < PART_TOP; s += lanes) {
        if (listed && s < k) continue;
        y[at + 2u + 2u * s] = 0u;
        y[at + 3u + 2u * s] = NO_ID;
    }
    if (!listed) return;
    mark_top(k);
    for (uint i = lane; i < n_own; i += lanes) {
        if ((marks[i / 32u] & bit_of(i)) == 0u) continue;
        uint to = at + 2u + 2u * rank(i);
        y[to] = logits[row + first + i];
        y[to + 1u] = first + i;
    }
}
