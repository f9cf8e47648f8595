// Mixtures of experts: what their ops share: moe_route chooses the experts of a token, moe_group sorts many
// tokens by expert, moe_matmul multiplies by their weights, moe_sum adds their results.
#ifndef GW_OPS_MOE_H
#define GW_OPS_MOE_H

#include "graph/op.h"
#include "ops/matmul.h"
#include "ops/ops.h"

#define GW_MOE_NONE UINT32_MAX // no pair, or no expert, in moe_group's tiles

typedef struct gw_moe_route_params {
    uint32_t n_tok, n_experts, n_used;
    uint32_t gate, normed, has_bias;
    float scale;
    uint32_t groups_x;
    uint32_t n_groups, n_groups_used;
} gw_moe_route_params;
_Static_assert(sizeof(gw_moe_route_params) == 40, "push constants of moe_route.comp");

// Numbers as unsigned ones in the same order, so that whatever bits they are one is chosen.
static inline uint32_t gw_moe_key(float x) {
    const uint32_t u = gw_bits(x);
    return u >> 31 ? ~u : u | 0x80000000u;
}
// Experts of groups that are not chosen get the lowest key.
void gw_moe_limit_groups(const gw_moe_route_params *p, uint32_t *keys);
// What those chosen count for, of what the weights are made of.
void gw_moe_weigh_used(const gw_moe_route_params *p, const float *values, const int32_t *ids,
                       float *weights);

typedef struct gw_moe_matmul_params {
    uint32_t format;
    uint32_t n_rows, n_units, n_pairs; // rows of an expert; pairs of a token and an expert
    uint32_t n_experts;
    uint32_t share; // pairs that read one row of x
    uint32_t n_used;
    uint32_t has_scale, has_bias;
    uint32_t chunk_row0, chunk_rows; // of all experts' rows, those that are bound
    gw_weight_params w;
    uint32_t tile, n_tiles; // of moe_group, which is bound in place of ids; tile 0: pair by pair
} gw_moe_matmul_params;
_Static_assert(sizeof(gw_moe_matmul_params) == 60, "push constants of moe_matmul.comp");

typedef struct gw_moe_group_params {
    uint32_t n_pairs, n_experts, tile, n_tiles;
} gw_moe_group_params;
_Static_assert(sizeof(gw_moe_group_params) == 16, "push constants of moe_group.comp");

typedef struct gw_moe_sum_params {
    uint32_t n, n_tok, n_used;
    uint32_t groups_x;
} gw_moe_sum_params;
_Static_assert(sizeof(gw_moe_sum_params) == 16, "push constants of moe_sum.comp");

// A pair of moe_matmul as a product of one token by one expert's rows.
typedef struct gw_moe_pair {
    gw_matmul_params params;
    gw_reference_args args;
    bool is_bound; // whether the launch's chunk has the rows
} gw_moe_pair;
void gw_moe_pair_of(const gw_reference_args *args, uint32_t expert, uint64_t pair,
                    gw_moe_pair *out);
// What is left to do for a pair's results, once they are made: its expert's bias.
void gw_moe_pair_end(const gw_reference_args *args, uint32_t expert, uint64_t pair);
// The expert of a pair, of a launch without tiles.
uint32_t gw_moe_expert_of(const gw_reference_args *args, uint64_t pair);
// A tile of a launch with some: its expert, then its pairs; GW_MOE_NONE behind the last.
static inline const uint32_t *gw_moe_tile_at(const gw_reference_args *args, uint64_t tile) {
    const gw_moe_matmul_params *p = args->params;
    return (const uint32_t *)args->bufs[4] + tile * (1 + p->tile);
}

#endif
