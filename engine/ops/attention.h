// Attention: what its launches and its reference share: the parameters.
#ifndef GW_OPS_ATTENTION_H
#define GW_OPS_ATTENTION_H

#include "ops/ops.h"

// What a launch does: all of it, one block of keys, or the combination of blocks.
enum { GW_ATTN_WALK, GW_ATTN_PART, GW_ATTN_COMBINE };

typedef struct gw_attention_params {
    uint32_t n_tok, n_head, n_head_kv, head_dim;
    float scale2; // scale / ln 2: scores are powers of two
    uint32_t window;
    uint32_t k_type, v_type; // gw_kv_type
    uint32_t quantize;
    uint32_t out_dim;
    uint32_t n_rows; // of the caches
    uint32_t n_ctx;  // keys that a token may see
    uint32_t mode;
    uint32_t n_blocks;   // of n_ctx keys: entries of a table
    uint32_t first, end; // of the pairs of a token and a head that share a key head
    uint32_t paged;      // each token has its own table
} gw_attention_params;
_Static_assert(sizeof(gw_attention_params) == 68, "push constants of attention.comp");

// gw_op.reference, in a file of its own (attention_reference.c). Items: key heads; of a combination
// heads of tokens.
uint64_t gw_attention_n_items(const void *params);
void gw_attention_reference(const gw_reference_args *args);

#endif
