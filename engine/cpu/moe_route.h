// Moe_route in vectors: a lane is an expert. Names and structure of ops/moe_route.c.
#ifndef GW_CPU_MOE_ROUTE_H
#define GW_CPU_MOE_ROUTE_H

#include "base/exact_math.h"
#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "ops/moe.h"

enum { EXPERT_VECTORS = (GW_MOE_MAX_EXPERTS + GW_LANES - 1) / GW_LANES };

// Of a token; lanes behind the last expert hold anything.
typedef struct lane_experts {
    gw_vf value[EXPERT_VECTORS]; // what weights are made of
    gw_vu key[EXPERT_VECTORS];
} lane_experts;

// gw_moe_key as signed numbers in the same order.
GW_INLINE gw_vi order_of(gw_vf x) {
    gw_vi u = (gw_vi)x;
    return u ^ (u >> 31 & 0x7fffffff);
}

static inline float largest_logit(const float *logits, uint32_t n) {
    gw_vi most = order_of(gw_splat_f(logits[0]));
    uint32_t i = 0;
    for (; i + GW_LANES <= n; i += GW_LANES) {
        const gw_vi o = order_of(gw_load_f(logits + i));
        most = (gw_vi)gw_if_less_i(most, o, (gw_vu)o, (gw_vu)most);
    }
    int32_t max = gw_max_of(most);
    for (; i < n; i++) {
        const int32_t o = (int32_t)(gw_moe_key(logits[i]) ^ 0x80000000u);
        max = o > max ? o : max;
    }
    return gw_from_bits((uint32_t)(max < 0 ? max ^ 0x7fffffff : max));
}

static inline void weigh_lanes(const gw_moe_route_params *p, const float *logits, const float *bias,
                               lane_experts *out) {
    const uint32_t n = p->n_experts, n_vectors = (n + GW_LANES - 1) / GW_LANES;
    const bool sigmoid = p->gate == GW_MOE_SIGMOID, divides = p->has_bias && !sigmoid;
    const gw_vf max = gw_splat_f(largest_logit(logits, n));
    for (uint32_t v = 0; v < n_vectors; v++) {
        const gw_vf x = gw_load_floats(logits + v * GW_LANES, n - v * GW_LANES);
        out->value[v] = sigmoid ? gw_flush_v(gw_sigmoid_v(x)) : gw_exp_v(x - max);
    }
    const float *values = (const float *)(const void *)out->value;
    float sum = 0.0f;
    for (uint32_t i = 0; i < n && divides; i++) sum = sum + values[i];
    for (uint32_t v = 0; v < n_vectors; v++) {
        const uint32_t at = v * GW_LANES, left = n - at;
        gw_vf score = sigmoid ? out->value[v] : gw_load_floats(logits + at, left);
        for (uint32_t i = 0; i < GW_LANES && i < left && divides; i++)
            score[i] = gw_flush(gw_div(gw_flush(values[at + i]), gw_flush(sum)));
        if (p->has_bias) score = gw_flush_v(score + gw_load_floats(bias + at, left));
        out->key[v] = (gw_vu)order_of(score) ^ 0x80000000u;
    }
}

// The first of n_used experts by key, of equals those with the lower number: how many come before each.
static inline void choose_experts(const gw_moe_route_params *p, const lane_experts *e,
                                  int32_t *ids) {
    const uint32_t n = p->n_experts;
    const uint32_t *keys = (const uint32_t *)(const void *)e->key;
    for (uint32_t at = 0, v = 0; at < n; at += GW_LANES, v++) {
        const gw_vi own = (gw_vi)(e->key[v] ^ 0x80000000u);
        gw_vu rank = gw_splat(0);
        gw_vi number = gw_splat_i((int32_t)at);
        for (int32_t i = 0; i < GW_LANES; i++) number[i] += i;
        for (uint32_t k = 0; k < n; k++) {
            // Where both are equal k comes before the lanes behind it.
            const gw_vi its = gw_splat_i((int32_t)(keys[k] ^ 0x80000000u));
            const gw_vu first = gw_if_less_i(own, its, gw_splat(1), gw_splat(0));
            const gw_vu same = gw_if_less_i(its, own, gw_splat(0), gw_splat(1)) & ~first;
            rank += first + gw_if_less_i(gw_splat_i((int32_t)k), number, same, gw_splat(0));
        }
        for (uint32_t i = 0; i < GW_LANES && at + i < n; i++)
            if (rank[i] < p->n_used) ids[rank[i]] = (int32_t)(at + i);
    }
}

// Items: tokens.
static inline void gw_moe_route_rows(const gw_reference_args *args) {
    const gw_moe_route_params *p = args->params;
    for (uint64_t t = args->first; t < args->end; t++) {
        lane_experts e;
        int32_t *ids = (int32_t *)args->bufs[2] + t * p->n_used;
        weigh_lanes(p, (const float *)args->bufs[0] + t * p->n_experts, args->bufs[1], &e);
        if (p->n_groups > 1) gw_moe_limit_groups(p, (uint32_t *)(void *)e.key);
        choose_experts(p, &e, ids);
        gw_moe_weigh_used(p, (const float *)(const void *)e.value, ids,
                          (float *)args->bufs[3] + t * p->n_used);
    }
}

#endif
