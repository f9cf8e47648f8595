// KV: number formats of KV caches, as kv_store writes and attention reads them; the twin of
// shaders/lib/rotate.glsl.
//
// A q8_0 cache holds heads that were rotated (gw_rotate), as int8 with fp32 scales by q8_act's
// rule: keys a scale for each 32 elements, the last of a head perhaps fewer; values one a head. First
// all quants, then all scales, rows in the same order. docs/NUMERICS.md says why.
#ifndef GW_OPS_KV_H
#define GW_OPS_KV_H

#include "base/limits.h"
#include "ops/ops.h"

typedef enum gw_kv_type { GW_KV_F32, GW_KV_F16, GW_KV_Q8 } gw_kv_type;

// False: no format of a cache of keys, or of values.
static inline bool gw_kv_type_of(const gw_value *cache, bool values, uint32_t *out_type) {
    uint32_t q8 = values ? GW_DTYPE_Q8_VALUES : GW_DTYPE_Q8_KEYS;
    *out_type = cache->dtype == q8 ? GW_KV_Q8 : cache->dtype == GODWIT_F16 ? GW_KV_F16 : GW_KV_F32;
    return cache->dtype == q8 || cache->dtype == GODWIT_F16 || cache->dtype == GODWIT_F32;
}

// The length of a rotation: the largest power of two that divides a head of d elements.
static inline uint32_t gw_rotation(uint32_t d) {
    return d & (~d + 1);
}

// Hadamard's, not scaled: twice in turn it multiplies by gw_rotation(d). No sum of stored values is
// subnormal.
static inline void gw_rotate(float *x, uint32_t d) {
    for (uint32_t s = 1; s < gw_rotation(d); s *= 2) {
        for (uint32_t j = 0; j < d / 2; j++) {
            uint32_t i = j / s * 2 * s + j % s;
            float a = x[i], b = x[i + s];
            x[i] = a + b;
            x[i + s] = a - b;
        }
    }
}

// Back to what it was, flushed.
static inline void gw_rotate_back(float *x, uint32_t d) {
    const float scale = 1.0f / (float)gw_rotation(d); // exact
    gw_rotate(x, d);
    for (uint32_t i = 0; i < d; i++) x[i] = gw_flush(x[i] * scale);
}

// q8_act's rule over n elements. Returns d.
static inline float gw_kv_pack(const float *v, uint32_t n, int8_t *out_q) {
    uint32_t amax = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = gw_bits(v[i]) & 0x7fffffffu;
        amax = a > amax ? a : amax;
    }
    if (amax >= GW_INF_BITS) {
        memset(out_q, 0, n);
        return gw_from_bits(GW_NAN_BITS);
    }
    float d = gw_flush(gw_from_bits(amax) * 0.00787401574f);
    float scale = d == 0.0f ? 0.0f : 127.0f * gw_rcp(gw_from_bits(amax));
    for (uint32_t i = 0; i < n; i++) out_q[i] = (int8_t)gw_round(v[i] * scale);
    return d;
}

// A head; group: elements that share a scale. quants: [d], scales: [d / group, rounded up].
static inline void gw_kv_pack_head(const float *x, uint32_t d, uint32_t group, int8_t *quants,
                                   float *scales) {
    for (uint32_t at = 0; at < d; at += group) {
        uint32_t n = d - at < group ? d - at : group;
        scales[at / group] = gw_kv_pack(x + at, n, quants + at);
    }
}
static inline uint32_t gw_kv_group(uint32_t d, bool values) {
    return values ? d : 32;
}

// Writes a head, number `at` of a cache's n_heads, flushed, as its type wants it. x: [d], overwritten;
// d is even.
static inline void gw_kv_put_head(uint32_t type, bool values, float *x, uint32_t d, uint64_t at,
                                  uint64_t n_heads, void *cache) {
    uint32_t *words = cache;
    for (uint32_t i = 0; i < d; i++) x[i] = gw_flush(x[i]);
    for (uint32_t i = 0; i < d && type == GW_KV_F32; i++) words[at * d + i] = gw_bits(x[i]);
    for (uint32_t i = 0; i < d / 2 && type == GW_KV_F16; i++)
        words[at * d / 2 + i] = gw_f32_to_f16(x[2 * i]) | gw_f32_to_f16(x[2 * i + 1]) << 16;
    if (type != GW_KV_Q8) return;
    const uint32_t group = gw_kv_group(d, values), n_scales = gw_div_up(d, group);
    int8_t *quants = cache;
    float *scales = (float *)(void *)(quants + n_heads * d);
    gw_rotate(x, d);
    gw_kv_pack_head(x, d, group, quants + at * d, scales + at * n_scales);
}

#endif
