// Silu_mul: what its launches, its reference and the CPU's kernel share: the parameters.
#ifndef GW_OPS_SILU_MUL_H
#define GW_OPS_SILU_MUL_H

#include "ops/gated.h"

typedef gw_gated_params gw_silu_mul_params;

#endif
