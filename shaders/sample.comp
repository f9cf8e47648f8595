// sample: chooses tokens from rows of logits, greedy or drawn
// logits: [n_rows, n] f32; control: [n_tok] of 12 words (engine/ops/sample.h), which name a row; parts: [n_tok,
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
    float top_n_sigma;
    uint typical_p, xtc, mirostat;
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

#include "lib/exact_math.glsl"
#include "lib/sample.glsl"

// Uniform over the workgroup. What is kept: key > threshold, or == with place <= last_place; the same of
// nearness; key < xtc_key, or == with place >= xtc_place; what min-p keeps; a weight of least, at temperature.
control c;
uint first_logit, first_part; // of the token
bool listed = false;
uint n_places = 0u;
uint threshold = 0u, last_place = NO_ID, near = 0u, near_place = NO_ID, xtc_key = NO_ID, xtc_place = 0u, least = 0u;
bool use_sigma = false, use_typical = false, use_min_p = false;
float top = 0.0, first_top = 0.0, min_top = 0.0, mean = 0.0; // as sample.c's

const uint BY_NUMBER = 0u, BY_TYPICAL = 1u, BY_WEIGHT = 2u, BY_DRAW = 3u;

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
float below(float x) {
    uint u = floatBitsToUint(x);
    return u > 0x80000000u && u <= 0xff800000u ? x : 0.0;
}
float share_of(float x) {
    return gw_exp(below(x));
}
uint weight_of(float x) {
    return uint(gw_mul(share_of(x), 16777216.0));
}
bool cuts(uint fraction) {
    return fraction != 0u && fraction < 16777216u;
}
// To what is typical.
float distance_of(uint i) {
    float d = gw_abs(below(gw_sub(logit_of(i), first_top)));
    return gw_flush(gw_abs(gw_sub(d, mean)));
}
uint nearness(uint i) {
    return ~floatBitsToUint(distance_of(i));
}
bool is_kept(uint i) {
    if (listed && id_of(i) == NO_ID) return false;
    uint key = key_of(i);
    if (key < threshold || (key == threshold && i > last_place)) return false;
    if (key > xtc_key || (key == xtc_key && i < xtc_place)) return false;
    if (use_typical) {
        uint own = nearness(i);
        if (own < near || (own == near && i > near_place)) return false;
    }
    return !use_min_p || share_of(gw_sub(logit_of(i), min_top)) >= c.min_p;
}
uint order_of(uint i, uint by) {
    return by == BY_TYPICAL ? nearness(i) : key_of(i);
}
// What a place counts for: 1, or its weight.
uint measure(uint i, uint by) {
    if (!is_kept(i)) return 0u;
    float x = gw_sub(logit_of(i), top);
    uint weight = weight_of(by == BY_DRAW ? gw_mul(x, c.inv_temp) : x);
    if (by == BY_DRAW && weight < least) weight = 0u;
    return by == BY_NUMBER ? 1u : weight;
}

// Bins of fifteenths of a logit, counted down from the first in order: monotone in the key. The bits of keys
// alone would put most logits in very few bins, where the additions of all lanes meet.
uint coarse(uint i, uint by) {
    float d = by == BY_TYPICAL ? distance_of(i) : gw_flush(gw_sub(top, logit_of(i)));
    return floatBitsToUint(d) >= 0x41880000u ? 0u : 255u - uint(gw_mul(d, 15.0)); // 17.0, NaN, infinity
}

// The place at which the running sum, in order of places, passes the drawn share of the sum of drawn
// weights; or, among the equals of a key, at which it reaches target. NO_ID: the sum is 0.
uint place_of(uvec2 target, uint key, uint by) {
    uint base = 0u, per = max(lanes / 256u, 1u); // lanes side by side on one bin
    int shift = max(findMSB(n_places - 1u) - 7, 0);
    for (bool begun = false;; begun = true) {
        clear_bins();
        for (uint b = lane / per; b < 256u; b += lanes / per) {
            uvec2 own = uvec2(0u);
            uint from = base + (b << shift), end = min(from + (1u << shift), n_places);
            for (uint i = from + lane % per; i < end; i += per) {
                if (by != BY_DRAW && order_of(i, by) != key) continue;
                own = add64(own, uvec2(measure(i, by), 0u));
            }
            add_to(b, own);
        }
        add_groups();
        if (by == BY_DRAW && !begun) {
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

// (total * fraction + up) >> 24, total < 2^42 + 1
uvec2 part_of(uvec2 total, uint fraction, uint up) {
    uvec2 low = add64(mul32(total.x & 0xffffffu, fraction), uvec2(up, 0u));
    return add64(mul32((total.x >> 24) | (total.y << 8), fraction), uvec2((low.x >> 24) | (low.y << 8), low.y >> 24));
}
uvec2 reached(uvec2 total, uint fraction) {
    uvec2 target = part_of(total, fraction, 0xffffffu);
    return target == uvec2(0u) ? uvec2(1u, 0u) : target;
}

// The key at which the run from the top reaches top_k tokens, or its part of the weight; target: what is
// left of that for its equals.
uint key_at(uint by, out uvec2 target) {
    uint bin = 0u, prefix = 0u;
    [[dont_unroll]] for (int shift = 32; shift >= 0; shift -= 8) { // 32: by coarse bins
        clear_bins();
        for (uint i = lane; i < n_places; i += lanes) {
            uint key = order_of(i, by), own = coarse(i, by);
            if (shift < 24 && (key >> (shift + 8)) != (prefix >> (shift + 8))) continue;
            if (shift < 32 && own != bin) continue;
            add_to(shift == 32 ? own : (key >> (shift & 31)) & 255u, uvec2(measure(i, by), 0u));
        }
        add_groups();
        if (shift == 32) {
            target = uvec2(c.top_k, 0u);
            if (by == BY_WEIGHT) target = reached(all_bins(), c.top_p);
            if (by == BY_TYPICAL) target = add64(part_of(all_bins(), c.typical_p, 0u), uvec2(1u, 0u));
        }
        uint found = find(target, true);
        bin = shift == 32 ? found : bin;
        prefix |= shift == 32 ? 0u : found << shift;
    }
    return prefix;
}

// Its highest 24 bits.
float float_of(uvec2 sum) {
    int shift = max((sum.y != 0u ? 32 + findMSB(sum.y) : findMSB(sum.x)) - 23, 0);
    uint low = shift == 0 ? sum.x : (sum.x >> shift) | (sum.y << (32 - shift));
    return gw_mul(float(shift >= 32 ? sum.y >> (shift - 32) : low), gw_pow2(shift));
}
// Of all lanes.
uvec2 sum_of(uvec2 own) {
    barrier();
    for (uint b = lane; b < 4u; b += lanes) bins_lo[b] = 0u;
    barrier();
    atomicAdd(bins_lo[0], own.x & 0xffffu);
    atomicAdd(bins_lo[1], own.x >> 16);
    atomicAdd(bins_lo[2], own.y & 0xffffu);
    atomicAdd(bins_lo[3], own.y >> 16);
    barrier();
    uvec2 high = uvec2(bins_lo[1] << 16, (bins_lo[1] >> 16) + bins_lo[2] + (bins_lo[3] << 16));
    return add64(uvec2(bins_lo[0], 0u), high);
}

// Walks through all logits, or all places, before those of an order: of top-n-sigma (engine/ops/sample.h) the
// largest distance, the sum of distances and how many, the squares; of typical the sums of weights and of
// distances by weight, and the first that is left; of XTC the sum of weights and the last that is left out
// before; of mirostat the sum of weights.
const uint RANGE = 0u, DISTANCES = 1u, SQUARES = 2u, WEIGHTS = 3u, MEAN = 4u, FIRST = 5u, TOTAL = 6u, LAST = 7u, AT_TEMP = 8u;
int scale = 0;
uint from = 0u, n_finite = 0u;
float weights = 0.0;
uvec2 xtc_least = uvec2(0u);

uvec2 spread_of(uint i, uint what, uvec2 sum) {
    float logit = logits[first_logit + i], d = gw_flush(gw_abs(below(gw_sub(logit, first_top))));
    if ((floatBitsToUint(logit) & GW_INF_BITS) == GW_INF_BITS) return sum;
    if (what == RANGE) return uvec2(max(sum.x, floatBitsToUint(d)), 0u);
    uint q = uint(gw_mul(d, gw_pow2(scale))), off = q < from ? from - q : q - from;
    return add64(sum, what == DISTANCES ? uvec2(q, 256u) : mul32(off, off)); // a sum has 40 bits
}
uvec2 weight_added(uint i, uint what, uvec2 sum) {
    uint key = key_of(i);
    float x = below(gw_sub(logit_of(i), top)), share = share_of(what == AT_TEMP ? gw_mul(x, c.inv_temp) : x);
    float weight = gw_mul(share, what <= MEAN ? 1073741824.0 : 16777216.0);
    if (what == LAST) {
        key = less64(uvec2(uint(weight), 0u), xtc_least) ? 0u : ~key;
        i = ~i;
    }
    if (what == FIRST || what == LAST)
        return key > sum.x || (key == sum.x && i < sum.y) ? uvec2(key, i) : sum;
    if (what == MEAN) weight = share > 0.0 ? gw_mul(weight, gw_abs(x)) : 0.0;
    return add64(sum, uvec2(uint(weight), 0u));
}
void walk(uint what) {
    uvec2 sum = uvec2(0u, what == FIRST || what == LAST ? NO_ID : 0u);
    uint end = what <= SQUARES ? p.n : n_places;
    [[dont_unroll]] for (uint i = lane; i < end; i += lanes) {
        if (what <= SQUARES)
            sum = spread_of(i, what, sum);
        else if (is_kept(i))
            sum = weight_added(i, what, sum);
    }
    if (what == RANGE || what == FIRST || what == LAST)
        sum = first_of(sum.x, sum.y);
    else
        sum = sum_of(sum);
    if (what == RANGE) {
        scale = sum.x == 0u ? 0 : 148 - int(sum.x >> 23);
        use_sigma = sum.x != GW_INF_BITS;
    } else if (what == DISTANCES) {
        n_finite = sum.y >> 8;
        from = uint(gw_div(float_of(uvec2(sum.x, sum.y & 255u)), float(n_finite)));
    } else if (what == SQUARES) {
        float std = gw_flush(gw_mul(gw_sqrt(gw_div(float_of(sum), float(n_finite))), gw_pow2(-scale)));
        float cut = gw_flush(gw_sub(top, gw_flush(gw_mul(std, c.top_n_sigma))));
        threshold = min(key_of_bits(floatBitsToUint(cut)), key_of_bits(floatBitsToUint(top)));
    } else if (what == WEIGHTS) {
        weights = float_of(sum);
    } else if (what == MEAN) {
        mean = gw_div(float_of(sum), weights);
    } else if (what == FIRST) {
        top = logit_of_key(sum.x);
    } else if (what == TOTAL) {
        xtc_least = reached(sum, c.xtc);
    } else if (what == LAST && sum.x != 0u) {
        xtc_key = ~sum.x;
        xtc_place = ~sum.y;
        top = logit_of_key(xtc_key);
    } else if (what == AT_TEMP) {
        uvec2 low = mul32(c.mirostat, sum.x);
        uvec2 share = add64(mul32(c.mirostat, sum.y), uvec2(low.y, 0u));
        share = add64(share, uvec2(low.x != 0u ? 1u : 0u, 0u));
        least = share.y != 0u ? 16777216u : min(share.x, 16777216u);
    }
}
bool is_walked(uint what) {
    if (what <= SQUARES) return use_sigma;
    if (what <= MEAN) return cuts(c.typical_p);
    if (what == FIRST) return use_typical;
    if (what == AT_TEMP) return c.mirostat != 0u;
    return cuts(c.xtc);
}

// What is cut off, in its order, and the draw. Loops, so that drivers compile their parts once.
uint draw() {
    const uint walks[5] = uint[](0u, 3u, 5u, 6u, 9u); // before each order
    uint place = NO_ID;
    use_sigma = c.top_n_sigma > 0.0;
    [[dont_unroll]] for (uint by = BY_NUMBER; by <= BY_DRAW; by++) {
        if (by == BY_DRAW) {
            min_top = top;
            use_min_p = c.min_p > 0.0;
        }
        [[dont_unroll]] for (uint what = walks[by]; what < walks[by + 1u]; what++)
            if (is_walked(what)) walk(what);
        if (by == BY_NUMBER && (c.top_k == 0u || c.top_k >= p.n)) continue;
        if (by == BY_TYPICAL && !cuts(c.typical_p)) continue;
        if (by == BY_WEIGHT && !cuts(c.top_p)) continue;
        uvec2 target = uvec2(0u);
        uint key = 0u;
        if (by != BY_DRAW) key = key_at(by, target);
        place = place_of(target, key, by);
        if (by == BY_TYPICAL) {
            near = key;
            near_place = place;
            use_typical = true;
        } else if (by != BY_DRAW && (key > threshold || (key == threshold && place < last_place))) {
            threshold = key;
            last_place = place;
        }
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
    top = first_top = logits[first_logit + best];
    listed = p.n_parts != 0u && c.top_k != 0u && c.top_k <= PART_TOP;
    n_places = listed ? p.n_parts * PART_TOP : p.n;
    uint place = draw();
    if (lane == 0u) y[p.n_given + t] = place == NO_ID ? p.n - 1u : id_of(place);
}
