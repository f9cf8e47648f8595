// Silu_mul: what its launches, its reference and the CPU's kernel share: the parameters.
#ifndef GW_OPS_SILU_MUL_H
#define GW_OPS_SILU_MUL_H

#include "graph/plan.h"

// Bindings: gate, up, y (quants and scales of q8_act, else twice the floats).
typedef struct gw_silu_mul_params {
    uint32_t n; // elements, or groups of 32 where quantize
    uint32_t quantize;
    gw_columns gate, up;
    uint32_t groups_x;
} gw_silu_mul_params;
_Static_assert(sizeof(gw_silu_mul_params) == 36, "push constants of silu_mul.comp");

#endif
