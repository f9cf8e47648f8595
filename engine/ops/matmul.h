// Matmul: what its launches, its reference and the CPU's kernel share: the parameters.
#ifndef GW_OPS_MATMUL_H
#define GW_OPS_MATMUL_H

#include "graph/op.h"

// Bindings: rows, table, x (quants and scales of q8_act, else twice the floats), residual, scale, y.
typedef struct gw_matmul_params {
    uint32_t format;
    uint32_t n_rows, n_units, n_tok; // rows of this chunk
    uint32_t row0;                   // first row of this chunk in y
    uint32_t y_stride;
    uint32_t has_residual, has_scale;
    gw_weight_params w;
} gw_matmul_params;
_Static_assert(sizeof(gw_matmul_params) == 40, "push constants of matmul.comp");

// What may follow a product in its launch, as "matmul.rows" makes it (shaders/lib/matmul_tail.glsl).
typedef enum gw_matmul_tail_kind {
    GW_TAIL_NONE,
    GW_TAIL_NORM, // rms_norm, folded, of the result
    GW_TAIL_SILU, // silu_mul of the result's first half and the second
} gw_matmul_tail_kind;

// Behind gw_matmul_params; places are words of the arena.
typedef struct gw_matmul_tail_params {
    uint32_t y_first, counters, y, scales, row_scales, sums;
    float inv_n, eps;
} gw_matmul_tail_params;
_Static_assert(sizeof(gw_matmul_tail_params) == 32, "push constants of matmul.comp");
enum { GW_MATMUL_TAIL_SHARED = 2048 }; // bytes of shared memory, at most

// Whether its kernel has tails.
bool gw_matmul_has_tails(uint32_t variant);
// gw_op.takes_tail and scratch, of products.
bool gw_matmul_takes_tail(const gw_node *node, const gw_node *tail, const gw_tune *tune);
uint64_t gw_matmul_tail_scratch(const gw_node *node, const gw_tune *tune);
// Gives a launch of the kernel what node->tail needs: parameters and constants.
void gw_matmul_add_tail(gw_launch *launch, const gw_node *node);

#endif
