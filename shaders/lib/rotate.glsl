// Rotate: Hadamard's rotation of heads in shared memory; the twin of engine/ops/kv.h. A run of h
// elements, a power of two, is turned; twice in turn multiplies by h. The including shader has LANES and
// lane, and defines GW_TURN(i), element i. The whole workgroup calls it; a barrier stands before and behind.
#ifndef GW_LIB_ROTATE
#define GW_LIB_ROTATE

#include "lib/exact.glsl"

// The largest power of two that divides HEAD_DIM.
const uint ROTATION = HEAD_DIM & (~HEAD_DIM + 1u);

// n: elements, whole heads.
void gw_rotate(uint n) {
    [[dont_unroll]] for (uint s = 1u; s < ROTATION; s *= 2u) {
        barrier();
        for (uint j = lane; j < n / 2u; j += LANES) {
            uint i = j / s * 2u * s + j % s;
            float a = GW_TURN(i), b = GW_TURN(i + s);
            GW_TURN(i) = gw_add(a, b);
            GW_TURN(i + s) = gw_sub(a, b);
        }
    }
    barrier();
}

// After a second rotation.
void gw_rotate_back(uint n) {
    gw_rotate(n);
    float scale = gw_pow2(-findLSB(HEAD_DIM));
    for (uint i = lane; i < n; i += LANES) GW_TURN(i) = gw_flush(gw_mul(GW_TURN(i), scale));
    barrier();
}

#endif
