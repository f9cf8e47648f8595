// Q8 activations: 32 floats to 32 signed bytes and one scale; the twin of shaders/lib/q8_act.glsl.
//   d = flush(amax / 127), q = round(v * 127 / amax), ties to even; d = 0 gives all zeros
#ifndef GW_OPS_Q8_ACT_H
#define GW_OPS_Q8_ACT_H

#include "base/exact.h"

// v: [32]; out_q: [32] bytes. Returns d.
static inline float gw_q8_pack(const float *v, int8_t *out_q) {
    float amax = 0.0f;
    for (int i = 0; i < 32; i++) {
        float a = gw_from_bits(gw_bits(v[i]) & 0x7fffffffu);
        amax = a > amax ? a : amax;
    }
    float d = gw_flush(amax * 0.00787401574f);
    float scale = d == 0.0f ? 0.0f : 127.0f * gw_rcp(amax);
    for (int i = 0; i < 32; i++) out_q[i] = (int8_t)gw_round(v[i] * scale);
    return d;
}

#endif
