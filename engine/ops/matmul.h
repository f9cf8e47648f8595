// Matmul: what its launches, its reference and the CPU's kernel share: the parameters.
#ifndef GW_OPS_MATMUL_H
#define GW_OPS_MATMUL_H

#include "graph/weight.h"

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

#endif
