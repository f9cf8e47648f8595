// Mixtures of experts: what their three ops share: moe_route chooses the experts of a token, moe_matmul
// multiplies by their weights, moe_sum adds their results.
#ifndef GW_OPS_MOE_H
#define GW_OPS_MOE_H

#include "graph/op.h"
#include "ops/matmul.h"

enum { GW_MOE_MAX_EXPERTS = 512, GW_MOE_MAX_USED = 32 };

typedef struct gw_moe_route_params {
    uint32_t n_tok, n_experts, n_used;
    uint32_t gate, normed, has_bias;
    float scale;
    uint32_t groups_x;
} gw_moe_route_params;
_Static_assert(sizeof(gw_moe_route_params) == 32, "push constants of moe_route.comp");

typedef struct gw_moe_matmul_params {
    uint32_t format;
    uint32_t n_rows, n_units, n_pairs; // rows of an expert; pairs of a token and an expert
    uint32_t n_experts;
    uint32_t share; // pairs that read one row of x
    uint32_t n_used;
    uint32_t has_scale, has_bias;
    uint32_t chunk_row0, chunk_rows; // of all experts' rows, those that are bound
    gw_weight_params w;
} gw_moe_matmul_params;
_Static_assert(sizeof(gw_moe_matmul_params) == 52, "push constants of moe_matmul.comp");

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
void gw_moe_pair_of(const gw_reference_args *args, uint64_t pair, gw_moe_pair *out);
// What is left to do for a pair's results, once they are made: its expert's bias.
void gw_moe_pair_end(const gw_reference_args *args, uint64_t pair);

#endif
