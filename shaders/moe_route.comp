// moe_route: chooses n_used experts for each token and how much each of them counts
// logits: [n_tok, n_experts] f32; bias: [n_experts] f32; ids: [n_tok, n_used] i32; weights: [n_tok, n_used] f32
//
// One workgroup: one token. An expert's place is how many are ahead of it, a group's likewise. Shared memory: 4.4 KiB. Floor: Vulkan 1.2.
// Order of sums: of those used by their place, or of all by their number.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Logits { float logits[]; };
layout(binding = 1) readonly buffer Bias { float bias[]; };
layout(binding = 2) buffer Ids { int ids[]; };
layout(binding = 3) buffer Weights { float weights[]; };

layout(push_constant) uniform Params {
    uint n_tok, n_experts, n_used;
    uint gate, normed, has_bias;
    float scale;
    uint groups_x;
    uint n_groups, n_groups_used;
} p;

#include "lib/exact_math.glsl"

const uint MAX_EXPERTS = 512u, MAX_USED = 32u;
const uint SOFTMAX = 0u, SOFTMAX_USED = 1u, SIGMOID = 2u;
shared float value[MAX_EXPERTS];
shared uint key[MAX_EXPERTS];
shared uint used[MAX_USED];
const uint MAX_GROUPS = 64u;
shared uint groups[MAX_GROUPS];

uint key_of(float x) {
    uint u = floatBitsToUint(x);
    return (u & 0x80000000u) != 0u ? ~u : u | 0x80000000u;
}

float score_of(uint k) {
    return uintBitsToFloat((k & 0x80000000u) != 0u ? k & 0x7fffffffu : ~k);
}

// Experts of groups that are not chosen get the lowest key.
void limit_groups(uint lane, uint lanes) {
    if (p.n_groups <= 1u) return;
    uint n = p.n_experts / p.n_groups;
    for (uint g = lane; g < p.n_groups; g += lanes) {
        uint top = 0u, second = 0u;
        for (uint i = g * n; i < g * n + n; i++) {
            second = max(second, min(key[i], top));
            top = max(top, key[i]);
        }
        bool two = p.gate == SIGMOID && n > 1u;
        groups[g] = two ? key_of(gw_flush(gw_add(score_of(top), score_of(second)))) : top;
    }
    barrier();
    for (uint i = lane; i < p.n_experts; i += lanes) {
        uint g = i / n, place = 0u, own = groups[g];
        for (uint k = 0u; k < p.n_groups; k++) place += groups[k] > own || (groups[k] == own && k < g) ? 1u : 0u;
        if (place >= p.n_groups_used) key[i] = 0u;
    }
    barrier();
}

void main() {
    uint t = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    if (t >= p.n_tok) return;
    uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x, first = t * p.n_experts;
    float most = logits[first];
    for (uint i = 1u; i < p.n_experts; i++) {
        float x = logits[first + i];
        if (key_of(x) > key_of(most)) most = x;
    }
    for (uint i = lane; i < p.n_experts; i += lanes) {
        float x = logits[first + i];
        value[i] = p.gate == SIGMOID ? gw_flush(gw_sigmoid(x)) : gw_exp(gw_sub(x, most));
    }
    barrier();
    bool of_softmax = p.has_bias != 0u && p.gate == SOFTMAX;
    float all = 0.0;
    for (uint i = 0u; i < p.n_experts && of_softmax; i++) all = gw_add(all, value[i]);
    for (uint i = lane; i < p.n_experts; i += lanes) {
        float score = p.gate == SIGMOID ? value[i] : logits[first + i];
        if (of_softmax) score = gw_flush(gw_div(gw_flush(value[i]), gw_flush(all)));
        if (p.has_bias != 0u) score = gw_flush(gw_add(score, bias[i]));
        key[i] = key_of(score);
    }
    barrier();
    limit_groups(lane, lanes);
    for (uint i = lane; i < p.n_experts; i += lanes) {
        uint place = 0u, own = key[i];
        for (uint k = 0u; k < p.n_experts; k++) place += key[k] > own || (key[k] == own && k < i) ? 1u : 0u;
        if (place < p.n_used) used[place] = i;
    }
    barrier();
    bool of_used = p.normed != 0u || p.gate == SOFTMAX_USED;
    for (uint j = lane; j < p.n_used; j += lanes) {
        float sum = 0.0, w = value[used[j]];
        for (uint k = 0u; k < p.n_used && of_used; k++) sum = gw_add(sum, value[used[k]]);
        if (!of_used && p.gate == SOFTMAX) {
            for (uint i = 0u; i < p.n_experts; i++) sum = gw_add(sum, value[i]);
        }
        if (of_used || p.gate == SOFTMAX) w = gw_div(gw_flush(w), gw_flush(sum));
        ids[t * p.n_used + j] = int(used[j]);
        weights[t * p.n_used + j] = gw_flush(gw_mul(w, p.scale));
    }
}
