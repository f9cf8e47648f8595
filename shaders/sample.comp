// sample: chooses a token from logits, greedy or drawn
// logits: [n] f32; control: [8] words (engine/ops/sample.h); y: [1] i32.
//
// One workgroup does it all; its lanes (at most 256) own contiguous runs of ids. Shared memory: 2.1 KiB and
// 20 bytes a lane. Floor: Vulkan 1.2; shared-memory atomics on uint.
// No float sums: the order of keys, weights and the draw are integers (engine/ops/sample.c). 64-bit
// numbers are uvec2 (low, high); a bin's sum of 24-bit weights is kept as two sums of 12-bit halves.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(binding = 0) readonly buffer Logits { float logits[]; };
layout(binding = 1) readonly buffer Control {
    float inv_temp;
    uint top_k;
    uint top_p;
    float min_p;
    uint seed_lo, seed_hi;
    uint position;
} c;
layout(binding = 2) buffer Y { uint y[]; };

layout(push_constant) uniform Params {
    uint n;
} p;

#include "lib/exact.glsl"

const uint MAX_LANES = 256u;
shared uint bins_lo[256], bins_hi[256];
shared uint lane_key[MAX_LANES], lane_id[MAX_LANES];
shared uvec2 lane_sum[MAX_LANES];
shared uint s_prefix, s_last_id;
shared uvec2 s_target;

// Uniform over the workgroup.
uint threshold = 0u, last_id = 0xffffffffu;
bool use_min_p = false;
float top = 0.0;

uvec2 add64(uvec2 a, uvec2 b) {
    uint carry;
    uint lo = uaddCarry(a.x, b.x, carry);
    return uvec2(lo, a.y + b.y + carry);
}
uvec2 sub64(uvec2 a, uvec2 b) {
    uint borrow;
    uint lo = usubBorrow(a.x, b.x, borrow);
    return uvec2(lo, a.y - b.y - borrow);
}
bool less64(uvec2 a, uvec2 b) {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}
uvec2 mul32(uint a, uint b) {
    uint hi, lo;
    umulExtended(a, b, hi, lo);
    return uvec2(lo, hi);
}

uint key_of(uint i) {
    uint u = floatBitsToUint(logits[i]);
    return (u & 0x80000000u) != 0u ? ~u : u | 0x80000000u;
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
    uint key = key_of(i);
    if (key < threshold || (key == threshold && i > last_id)) return false;
    return !use_min_p || share_of(gw_sub(logits[i], top)) >= c.min_p;
}
uint measure(uint i, bool by_weight) {
    if (!is_kept(i)) return 0u;
    return by_weight ? weight_of(gw_sub(logits[i], top)) : 1u;
}

uint lane, lanes, first, end;

// The lane's id with the largest key, then over lanes; ties to the lower id.
uint greedy() {
    uint best = first < end ? first : 0u;
    for (uint i = first + 1u; i < end; i++) best = key_of(i) > key_of(best) ? i : best;
    lane_key[lane] = first < end ? key_of(best) : 0u;
    lane_id[lane] = best;
    barrier();
    uint at = 0u;
    for (uint k = 1u; k < lanes; k++) at = lane_key[k] > lane_key[at] ? k : at;
    uint id = lane_id[at];
    barrier();
    return id;
}

// Every lane's sum, then the sum of all; lane_sum holds them.
uvec2 total_of(uvec2 own) {
    lane_sum[lane] = own;
    barrier();
    uvec2 sum = uvec2(0u);
    for (uint k = 0u; k < lanes; k++) sum = add64(sum, lane_sum[k]);
    return sum;
}

void select_top(uvec2 target, bool by_weight) {
    uint prefix = 0u;
    for (int shift = 24; shift >= 0; shift -= 8) {
        for (uint b = lane; b < 256u; b += lanes) bins_lo[b] = bins_hi[b] = 0u;
        barrier();
        for (uint i = first; i < end; i++) {
            uint key = key_of(i);
            if (shift < 24 && (key >> (shift + 8)) != (prefix >> (shift + 8))) continue;
            uint m = measure(i, by_weight);
            if (m == 0u) continue;
            atomicAdd(bins_lo[(key >> shift) & 255u], m & 4095u);
            if (m > 4095u) atomicAdd(bins_hi[(key >> shift) & 255u], m >> 12);
        }
        barrier();
        if (lane == 0u) {
            uint bin = 255u;
            for (; bin > 0u; bin--) {
                uvec2 sum = add64(mul32(bins_hi[bin], 4096u), uvec2(bins_lo[bin], 0u));
                if (!less64(sum, target)) break;
                target = sub64(target, sum);
            }
            s_prefix = prefix | (bin << shift);
            s_target = target;
        }
        barrier();
        prefix = s_prefix;
        target = s_target;
    }
    // Among equals of the threshold, the id at which the target is reached.
    uvec2 own = uvec2(0u);
    uint last = 0xffffffffu;
    for (uint i = first; i < end; i++) {
        if (key_of(i) != prefix) continue;
        own = add64(own, uvec2(measure(i, by_weight), 0u));
        last = i;
    }
    lane_sum[lane] = own;
    lane_id[lane] = last;
    barrier();
    if (lane == 0u) {
        uvec2 sum = uvec2(0u);
        uint at = 0u, id = 0u;
        for (uint k = 0u; k < lanes; k++) {
            if (lane_id[k] != 0xffffffffu) id = lane_id[k];
            uvec2 next = add64(sum, lane_sum[k]);
            if (!less64(next, target)) break;
            sum = next;
            at = k + 1u;
        }
        for (uint i = at * ((p.n + lanes - 1u) / lanes); at < lanes && i < p.n; i++) {
            if (key_of(i) != prefix) continue;
            sum = add64(sum, uvec2(measure(i, by_weight), 0u));
            id = i;
            if (!less64(sum, target)) break;
        }
        s_last_id = id;
    }
    barrier();
    last_id = s_last_id;
    threshold = prefix;
    barrier();
}

uint drawn_weight(uint i) {
    return is_kept(i) ? weight_of(gw_mul(gw_sub(logits[i], top), c.inv_temp)) : 0u;
}

uint draw() {
    uvec2 own = uvec2(0u);
    for (uint i = first; i < end; i++) own = add64(own, uvec2(drawn_weight(i), 0u));
    uvec2 total = total_of(own);
    uint u = gw_philox(c.seed_lo, c.seed_hi, c.position);
    uvec2 target = add64(mul32(u, total.y), uvec2(mul32(u, total.x).y, 0u));
    uvec2 sum = uvec2(0u);
    uint at = lanes;
    for (uint k = 0u; k < lanes; k++) {
        uvec2 next = add64(sum, lane_sum[k]);
        if (less64(target, next)) {
            at = k;
            break;
        }
        sum = next;
    }
    uint per = (p.n + lanes - 1u) / lanes;
    for (uint i = at * per; at < lanes && i < p.n; i++) {
        sum = add64(sum, uvec2(drawn_weight(i), 0u));
        if (less64(target, sum)) return i;
    }
    return p.n - 1u;
}

void main() {
    lane = gl_LocalInvocationID.x;
    lanes = gl_WorkGroupSize.x;
    uint per = (p.n + lanes - 1u) / lanes;
    first = min(lane * per, p.n);
    end = min(first + per, p.n);
    uint best = greedy();
    bool finite = (floatBitsToUint(logits[best]) & 0x7f800000u) != 0x7f800000u;
    if (!finite || c.inv_temp == 0.0) {
        if (lane == 0u) y[0] = finite ? best : 0xffffffffu;
        return;
    }
    top = logits[best];
    if (c.top_k != 0u && c.top_k < p.n) select_top(uvec2(c.top_k, 0u), false);
    use_min_p = c.min_p > 0.0;
    if (c.top_p != 0u && c.top_p < 16777216u) {
        uvec2 own = uvec2(0u);
        for (uint i = first; i < end; i++) own = add64(own, uvec2(measure(i, true), 0u));
        uvec2 total = total_of(own);
        barrier();
        // (total * top_p + 2^24 - 1) >> 24, total < 2^42
        uvec2 product = add64(mul32(total.x, c.top_p), uvec2(0u, total.y * c.top_p));
        product = add64(product, uvec2(0xffffffu, 0u));
        uvec2 target = uvec2((product.x >> 24) | (product.y << 8), product.y >> 24);
        select_top(target == uvec2(0u) ? uvec2(1u, 0u) : target, true);
    }
    uint id = draw();
    if (lane == 0u) y[0] = id;
}
