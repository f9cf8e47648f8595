// Rope_store: what its launches, its reference and the kernel of the device cpu share.
#ifndef GW_OPS_ROPE_STORE_H
#define GW_OPS_ROPE_STORE_H

#include "ops/ops.h"

// What a launch makes.
enum { GW_ROPE_QUERIES = 1, GW_ROPE_KEYS = 2, GW_ROPE_VALUES = 4 };
// What a launch binds. q and k are of one product, or made by launches of their own.
enum {
    GW_ROPE_BUF_QK,
    GW_ROPE_BUF_V,
    GW_ROPE_BUF_TABLE,
    GW_ROPE_BUF_ROWS,
    GW_ROPE_BUF_KEYS,
    GW_ROPE_BUF_VALUES,
    GW_ROPE_BUF_Y,
};

typedef struct gw_rope_store_params {
    uint32_t n_tok, n_head, n_head_kv, head_dim, row_dim;
    uint32_t n_rot, paired;
    uint32_t n_rows;
    uint32_t k_type, v_type; // gw_kv_type
    uint32_t parts;          // QUERIES, KEYS, VALUES: what a launch makes
    gw_columns x[3];         // q, k, v
    uint32_t groups_x;
} gw_rope_store_params;
_Static_assert(sizeof(gw_rope_store_params) == 84, "push constants of rope_store.comp");

#endif
