#version 450
// checksum: a sum over words by index, to see whether weights are still what was written
//
// Equation:    sum of (w[i] ^ i * 0x9e3779b1)^2 mod 2^64, i < n_words; what is squared is 32 bits
// Finds:       any change within one word, surely: whole numbers below 2^32 have different squares.
//              Changes in two or more words can cancel, by chance: what a change adds to the sum
//              depends on the word that was there and on its index, so no pattern of changes (words
//              or blocks that change places, flips of the same bit in several words, a page of
//              zeros or of other words) is known that always does. Two flipped bits of random words
//              cancel once in 2^32, more bits more seldom.
// Shapes:      words [n_words] u32 from w[first] on, n_words <= 2^20; sums [groups] u64, the low word first, which
//              the host adds up
// A workgroup: every (groups * local_size_x)-th word
// Constants:   0, 1, 2 the workgroup size (x: 1..128, a power of two, y and z: 1)
// Shared:      1 KiB
// Floor:       Vulkan 1.2 with nothing optional; integers only, added in no order that matters
// Used by:     engine/run/scrub.c, which is also the plain-C twin; no op, no model runs it
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(push_constant) uniform Push { uint n_words, groups, first; } push;
layout(set = 0, binding = 0) readonly buffer Words { uint w[]; };
layout(set = 0, binding = 1) writeonly buffer Sums { uvec2 sums[]; };

shared uvec2 part[128];

uvec2 add(uvec2 a, uvec2 b) {
    uint carry, low = uaddCarry(a.x, b.x, carry);
    return uvec2(low, a.y + b.y + carry);
}

uvec2 square(uint word) {
    uvec2 s;
    umulExtended(word, word, s.y, s.x);
    return s;
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uvec2 sum = uvec2(0u);
    for (uint i = gl_GlobalInvocationID.x; i < push.n_words; i += push.groups * gl_WorkGroupSize.x) {
        sum = add(sum, square(w[push.first + i] ^ i * 0x9e3779b1u));
    }
    part[lane] = sum;
    for (uint half_n = gl_WorkGroupSize.x / 2u; half_n > 0u; half_n /= 2u) {
        barrier();
        if (lane < half_n) part[lane] = add(part[lane], part[lane + half_n]);
    }
    if (lane == 0u) sums[gl_WorkGroupID.x] = part[0];
}
