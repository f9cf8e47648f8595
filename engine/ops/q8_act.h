// Q8 activations: 32 floats to 32 signed bytes and one scale; the twin of shaders/lib/q8_act.glsl.
//   d = flush(amax / 127), q = round(v * 127 / amax), ties to even; d = 0 gives all zeros
// amax is the largest of the bits of |v|, so that infinity and NaN are found on every driver: there d
// is the one NaN, and all q are 0.
#ifndef GW_OPS_Q8_ACT_H
#define GW_OPS_Q8_ACT_H

#include "base/exact.h"
#include "graph/plan.h"

// v: [32]; out_q: [32] bytes. Returns d.
static inline float gw_q8_pack(const float *v, int8_t *out_q) {
    uint32_t amax = 0;
    for (int i = 0; i < 32; i++) {
        uint32_t a = gw_bits(v[i]) & 0x7fffffffu;
        amax = a > amax ? a : amax;
    }
    if (amax >= GW_INF_BITS) {
        memset(out_q, 0, 32);
        return gw_from_bits(GW_NAN_BITS);
    }
    float d = gw_flush(gw_from_bits(amax) * 0.00787401574f);
    float scale = d == 0.0f ? 0.0f : 127.0f * gw_rcp(gw_from_bits(amax));
    for (int i = 0; i < 32; i++) out_q[i] = (int8_t)gw_round(v[i] * scale);
    return d;
}

// GROUP_LANES of kernels that make q8_act (shaders/lib/q8_groups.glsl), in workgroups of `lanes`.
static inline uint32_t gw_q8_group_lanes(const gw_tune *tune, uint32_t lanes) {
    return tune->group_lanes == 8 && lanes % 8 == 0 ? 8 : 1;
}

#endif
