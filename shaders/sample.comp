// sample: chooses tokens from rows of logits, greedy or drawn
// logits: [n_rows, n] f32; control: [n_tok] of 8 words (engine/ops/sample.h), which name a row; parts: [n_tok,
// n_parts, 130] words of sample_parts, or none (n_parts 0); given: [n_given] i32; y: [n_given + n_tok] i32.
//
// One workgroup a token, whatever the number of lanes; those behind copy what is given. Places are ids, or, where parts have lists, the places
// in these: in the order of ids as well. Shared memory: 2.2 KiB. Floor: Vulkan 1.2; shared-memory atomics on
// uint. No float sums: the order of keys, weights and the draw are integers (engine/ops/sample.c).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Logits { float logits[]; };
struct control {
    float inv_temp;
    uint top_k;
    uint top_p;
    float min_p;
    uint seed_lo, seed_hi;
    uint position;
    uint row;
};
layout(binding = 1) readonly buffer Control { control controls[]; };
layout(binding = 2) readonly buffer Parts { uint parts[]; };
layout(binding = 3) readonly buffer Given { uint given[]; };
layout(binding = 4) buffer Y { uint y[]; };

layout(push_constant) uniform Params {
    uint n, n_parts, n_rows;
    uint n_tok;
    uint groups_x;
    uint n_given;
} p;

#include "lib/exact.glsl"
#include "lib/sample.glsl"

// Uniform over the workgroup.
control c;
uint first_logit, first_part; // of the token
bool listed = false;
uint n_places = 0u;
uint threshold = 0u, last_place = 0xffffffffu;
bool use_min_p = false;
float top = 0.0;

uint entry(uint i) {
    return (first_part + i / PART_TOP) * PART_WORDS + 2u + 2u * (i % PART_TOP);
}
uint id_of(uint i) {
    return listed ? parts[entry(i) + 1u] : i;
}
float logit_of(uint i) {
    return listed ? uintBitsToFloat(parts[entry(i)]) : logits[first_logit + i];
}
uint key_of(uint i) {
    return key_of_bits(listed ? parts[entry(i)] : floatBitsToUint(logits[first_logit + i]));
}

// By its bits, since a driver may take NaN for something that does not happen: x where it is below
// 0, else 0.
float share_of(float x) {
    uint u = floatBitsToUint(x);
    return gw_exp(u > 0x80000000u && u <= 0xff800000u ? x : 0.0);
}
uint weight_of(float x) {
    return uint(gw_mul(share_of(x), 16777216.0));
}
bool is_kept(uint i) {
    if (listed && id_of(i) == NO_ID) return false;
    uint key = key_of(i);
    if (key < threshold || (key == threshold && i > last_place)) return false;
    return !use_min_p || share_of(gw_sub(logit_of(i), top)) >= c.min_p;
}
// What a place counts for: 1, or its weight, with its distance to the top times scale.
uint measure(uint i, bool by_weight, float scale) {
    if (!is_kept(i)) return 0u;
    return by_weight ? weight_of(gw_mul(gw_sub(logit_of(i), top), scale)) : 1u;
}

// Bins of fifteenths of a logit, counted down from the largest: monotone in the key. The bits of keys
// alone would put most logits in very few bins, where the additions of all lanes meet.
uint coarse(uint i) {
    float d = gw_flush(gw_sub(top, logit_of(i)));
    return floatBitsToUint(d) >= 0x41880000u ? 0u : 255u - uint(gw_mul(d, 15.0)); // 17.0, NaN, infinity
}

// The place at which the running sum, in order of places, passes the drawn share of the sum of drawn
// weights; or, among the equals of a key, at which it reaches target. NO_ID: the sum is 0.
uint place_of(uvec2 target, bool drawn, uint key, bool by_weight) {
    uint base = 0u, per = max(lanes / 256u, 1u); // lanes side by side on one bin
    int shift = max(findMSB(n_places - 1u) - 7, 0);
    for (bool begun = false;; begun = true) {
        clear_bins();
        for (uint b = lane / per; b < 256u; b += lanes / per) {
            uvec2 own = uvec2(0u);
            uint from = base + (b << shift), end = min(from + (1u << shift), n_places);
            for (uint i = from + lane % per; i < end; i += per) {
                if (!drawn && key_of(i) != key) continue;
                own = add64(own, uvec2(measure(i, by_weight, drawn ? c.inv_temp : 1.0), 0u));
            }
            add_to(b, own);
        }
        add_groups();
        if (drawn && !begun) {
            uvec2 total = all_bins();
            if (total == uvec2(0u)) return NO_ID;
            uint u = gw_philox(c.seed_lo, c.seed_hi, c.position);
            target = add64(mul32(u, total.y), uvec2(mul32(u, total.x).y, 0u));
            target = add64(target, uvec2(1u, 0u)); // to pass it
        }
        base += find(target, false) << shift;
        if (shift == 0) return base;
        shift = max(shift - 8, 0);
    }
}

// (total * top_p + 2^24 - 1) >> 24, total < 2^42; at least 1
uvec2 top_p_of(uvec2 total) {
    uvec2 product = add64(mul32(total.x, c.top_p), uvec2(0u, total.y * c.top_p));
    product = add64(product, uvec2(0xffffffu, 0u));
    uvec2 target = uvec2((product.x >> 24) | (product.y << 8), product.y >> 24);
    return target == uvec2(0u) ? uvec2(1u, 0u) : target;
}

// The key at which the run from the top reaches top_k tokens, or top_p of the weight; target: what is
// left of that for its equals.
uint key_at(bool by_weight, out uvec2 target) {
    uint bin = 0u, prefix = 0u;
    [[dont_unroll]] for (int shift = 32; shift >= 0; shift -= 8) { // 32: by coarse bins
        clear_bins();
        for (uint i = lane; i < n_places; i += lanes) {
            uint key = key_of(i), own = coarse(i);
            if (shift < 24 && (key >> (shift + 8)) != (prefix >> (shift + 8))) continue;
            if (shift < 32 && own != bin) continue;
            add_to(shift == 32 ? own : (key >> (shift & 31)) & 255u, uvec2(measure(i, by_weight, 1.0), 0u));
        }
        add_groups();
        if (shift == 32) target = by_weight ? top_p_of(all_bins()) : uvec2(c.top_k, 0u);
        uint found = find(target, true);
        bin = shift == 32 ? found : bin;
        prefix |= shift == 32 ? 0u : found << shift;
    }
    return prefix;
}

// Two cuts, by number and by weight, and the draw. One loop, so that drivers compile its parts once.
uint draw() {
    bool by_number = c.top_k != 0u && c.top_k < p.n, by_weight = c.top_p != 0u && c.top_p < 16777216u;
    uint place = NO_ID;
    [[dont_unroll]] for (uint round = 0u; round < 3u; round++) {
        bool drawn = round == 2u;
        use_min_p = round != 0u && c.min_p > 0.0;
        if (!drawn && !(round == 0u ? by_number : by_weight)) continue;
        uvec2 target = uvec2(0u);
        uint key = 0u;
        if (!drawn) key = key_at(round == 1u, target);
        place = place_of(target, drawn, key, round != 0u);
        if (drawn) continue;
        // What is kept: the shortest run that reaches it.
        threshold = key;
        last_place = place;
    }
    return place;
}

uvec2 best_of() {
    uint key = 0u, id = NO_ID, n = p.n_parts != 0u ? p.n_parts : p.n;
    for (uint i = lane; i < n; i += lanes) {
        bool by_part = p.n_parts != 0u;
        uint at = (first_part + i) * PART_WORDS;
        uint own = by_part ? parts[at] : key_of_bits(floatBitsToUint(logits[first_logit + i]));
        uint own_id = by_part ? parts[at + 1u] : i;
        id = id == NO_ID || own > key ? own_id : id;
        key = max(key, own);
    }
    return first_of(key, id);
}

void main() {
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    uint t = gl_WorkGroupID.x + gl_WorkGroupID.y * p.groups_x;
    if (t >= p.n_tok) {
        uint i = (t - p.n_tok) * lanes + lane;
        if (i < p.n_given) y[i] = given[i];
        return;
    }
    c = controls[t];
    if (c.row >= GIVEN) {
        if (lane == 0u) y[p.n_given + t] = c.row - GIVEN;
        return;
    }
    first_logit = min(c.row, p.n_rows - 1u) * p.n;
    first_part = t * p.n_parts;
    uint best = best_of().y;
    bool finite = (floatBitsToUint(logits[first_logit + best]) & 0x7f800000u) != 0x7f800000u;
    if (!finite || c.inv_temp == 0.0) {
        if (lane == 0u) y[p.n_given + t] = finite ? best : NO_ID;
        return;
    }
    top = logits[first_logit + best];
    listed = p.n_parts != 0u && c.top_k != 0u && c.top_k <= PART_TOP;
    n_places = listed ? p.n_parts * PART_TOP : p.n;
    uint place = draw();
    if (lane == 0u) y[p.n_given + t] = place == NO_ID ? p.n - 1u : id_of(place);
}
