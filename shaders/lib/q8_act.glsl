// Q8 activations: 32 floats to 32 signed bytes and one scale; the twin of engine/ops/q8_act.h.
//   d = flush(amax / 127), q = round(v * 127 / amax), ties to even; d = 0 gives all zeros
#ifndef GW_LIB_Q8_ACT
#define GW_LIB_Q8_ACT

#include "lib/exact.glsl"

float gw_q8_pack(float v[32], out uint w[8]) {
    float amax = 0.0;
    for (int i = 0; i < 32; i++) amax = max(amax, abs(v[i]));
    float d = gw_flush(gw_mul(amax, 0.00787401574));
    float scale = d == 0.0 ? 0.0 : gw_mul(127.0, gw_rcp(amax));
    for (int i = 0; i < 8; i++) {
        uint word = 0u;
        for (int k = 0; k < 4; k++) {
            word |= (uint(gw_round(gw_mul(v[4 * i + k], scale))) & 0xffu) << (8 * k);
        }
        w[i] = word;
    }
    return d;
}

#endif
