// Selective scan: the parameters of selective_scan, which is also a loop of the cpu.
#ifndef GW_OPS_SELECTIVE_SCAN_H
#define GW_OPS_SELECTIVE_SCAN_H

#include "base/limits.h"
#include "ops/recurrent.h"

enum { GW_SCAN_COLUMNS = 32 }; // channels of an item

// Bindings: rows, v, dt, segments, state, y, A, D.
typedef struct gw_selective_scan_params {
    uint32_t n_tok, n_segments, n_blocks;
    uint32_t n, dk;
    gw_columns rows, v, dt;
    uint32_t groups_n; // workgroups of a token's channels
    uint32_t groups_x;
} gw_selective_scan_params;
_Static_assert(sizeof(gw_selective_scan_params) == 64, "push constants of selective_scan.comp");

// Where row k of channel c lies in a state.
static inline uint64_t gw_scan_state_at(const gw_selective_scan_params *p, int32_t block,
                                        uint32_t k, uint32_t c) {
    return ((uint64_t)block * p->dk + k) * p->n + c;
}

#endif
