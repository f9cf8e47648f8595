#version 450
// checksum: two sums over words by index, to see whether weights are still what was written
//
// Equation:    weighted = sum of w[i] * (2 i + 1);  mixed = sum of mix(w[i] ^ i * 0x9e3779b1)
//              (mod 2^32), i < n_words; mix is the 32-bit finalizer of MurmurHash3
// Finds:       any change within one word, surely, by each sum alone: w -> w * odd and w -> mix(w ^ c)
//              are one-to-one, so one changed summand changes the sum. Changes in two or more words
//              can cancel. In the weighted sum some patterns always do (two flipped top bits), so
//              there is the mixed one, where no such pattern is known: what is left is chance, about
//              2^-32. Words that change places count as two changed words: a plain sum would never
//              see them.
// Shapes:      words [n_words] u32 from w[first] on, n_words <= 2^20; sums [groups, 2] u32, which the host adds up
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

uint mix32(uint h) {
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    return h ^ (h >> 16);
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uvec2 sum = uvec2(0u);
    for (uint i = gl_GlobalInvocationID.x; i < push.n_words; i += push.groups * gl_WorkGroupSize.x) {
        uint word = w[push.first + i];
        sum += uvec2(word * (2u * i + 1u), mix32(word ^ i * 0x9e3779b1u));
    }
    part[lane] = sum;
    for (uint half_n = gl_WorkGroupSize.x / 2u; half_n > 0u; half_n /= 2u) {
        barrier();
        if (lane < half_n) part[lane] += part[lane + half_n];
    }
    if (lane == 0u) sums[gl_WorkGroupID.x] = part[0];
}
