// Sample: what the two kernels of sampling share: keys, sums of 64 bits, a search through 256 bins.
// 64-bit numbers are uvec2 (low, high); a bin's sum of 24-bit weights is kept as two sums of 12-bit
// halves. All of it is integers, so no order of adding matters. Any number of lanes. Shared memory: 2.2 KiB.
// Loops are not unrolled: of such a long kernel drivers that enter it take more time for its size than
// for what it does.
#ifndef GW_LIB_SAMPLE
#define GW_LIB_SAMPLE

const uint NO_ID = 0xffffffffu;
const uint GIVEN = 0x80000000u;
const uint PART = 2048u, PART_TOP = 64u, PART_WORDS = 2u + 2u * PART_TOP; // engine/ops/sample.h

shared uint bins_lo[256], bins_hi[256];
shared uvec2 group_sums[16]; // of 16 bins each
shared uint s_key, s_id;

uint lane, lanes;

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

uint key_of_bits(uint u) {
    return (u & 0x80000000u) != 0u ? ~u : u | 0x80000000u;
}
float logit_of_key(uint key) {
    return uintBitsToFloat((key & 0x80000000u) != 0u ? key ^ 0x80000000u : ~key);
}

// The first in order of what lanes have: larger key, then lower id.
uvec2 first_of(uint key, uint id) {
    barrier();
    if (lane == 0u) {
        s_key = 0u;
        s_id = NO_ID;
    }
    barrier();
    atomicMax(s_key, key);
    barrier();
    uint best = s_key;
    if (key == best) atomicMin(s_id, id);
    barrier();
    return uvec2(best, s_id);
}

void clear_bins() {
    barrier();
    for (uint b = lane; b < 256u; b += lanes) bins_lo[b] = bins_hi[b] = 0u;
    barrier();
}
void add_to(uint bin, uvec2 m) {
    uint hi = (m.x >> 12) | (m.y << 20);
    if ((m.x & 4095u) != 0u) atomicAdd(bins_lo[bin], m.x & 4095u);
    if (hi != 0u) atomicAdd(bins_hi[bin], hi);
}
uvec2 bin_sum(uint b) {
    return add64(uvec2(bins_hi[b] << 12, bins_hi[b] >> 20), uvec2(bins_lo[b], 0u));
}
void add_groups() {
    barrier();
    for (uint g = lane; g < 16u; g += lanes) {
        uvec2 sum = uvec2(0u);
        [[dont_unroll]] for (uint b = 0u; b < 16u; b++) sum = add64(sum, bin_sum(16u * g + b));
        group_sums[g] = sum;
    }
    barrier();
}
uvec2 all_bins() {
    uvec2 sum = uvec2(0u);
    [[dont_unroll]] for (uint g = 0u; g < 16u; g++) sum = add64(sum, group_sums[g]);
    return sum;
}
// After add_groups: the bin at which the sum from the first bin on, or from the last one down, reaches
// target; what is left of target there. Bins that do not reach it give the last one walked to.
uint find(inout uvec2 target, bool down) {
    uint turn = down ? 15u : 0u, g = 0u, b = 0u;
    [[dont_unroll]] for (; g < 15u; g++) {
        uvec2 sum = group_sums[g ^ turn];
        if (!less64(sum, target)) break;
        target = sub64(target, sum);
    }
    g = 16u * (g ^ turn);
    [[dont_unroll]] for (; b < 15u; b++) {
        uvec2 sum = bin_sum(g + (b ^ turn));
        if (!less64(sum, target)) break;
        target = sub64(target, sum);
    }
    return g + (b ^ turn);
}

#endif
