// Attention: what its launches, its reference and the kernel of the device cpu share: the parameters, where
// things lie, and the numbers of docs/NUMERICS.md.
#ifndef GW_OPS_ATTENTION_H
#define GW_OPS_ATTENTION_H

#include "base/exact_math.h"
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
    float cap2;          // soft cap / ln 2, and scale2 is scale / soft cap; 0: none
    uint32_t has_sinks;
    uint32_t parts_first, counters, y_first,
        y_scales_first; // words of the arena, where it is bound
} gw_attention_params;
_Static_assert(sizeof(gw_attention_params) == 92, "push constants of attention.comp");

enum {
    GW_ATTN_NO_KEYS = -2097152, // exponent of a partial result of no key
    GW_ATTN_LOWEST = -40,       // powers of two below 2^-40 are 0
};
#define GW_ATTN_MAX_SCORE 0x1p20f
// Past the cut: of a score that is NaN. It makes the whole result NaN.
#define GW_ATTN_NAN_SCORE 0x1p21f

static inline float gw_attn_pow2_or_0(int32_t k) {
    return k < GW_ATTN_LOWEST ? 0.0f : gw_pow2(k);
}
// A head's sink is a last block of its own, of one key whose value is 0: its l, and in *out_e its exponent.
static inline float gw_attn_sink(float sink, int32_t *out_e) {
    float t = gw_flush(sink * 1.44269504f);
    t = t > GW_ATTN_MAX_SCORE ? GW_ATTN_MAX_SCORE : t;
    t = t < -GW_ATTN_MAX_SCORE ? -GW_ATTN_MAX_SCORE : t;
    *out_e = gw_round(t);
    return gw_exp2_part(t - (float)*out_e);
}
// Where a launch binds sinks.
static inline uint32_t gw_attn_sinks_at(const gw_attention_params *p) {
    return p->mode == GW_ATTN_COMBINE ? 4 : 7;
}
// The first element of a key of key head g in a cache; pages: the table of whoever sees it.
static inline uint64_t gw_attn_element(const gw_attention_params *p, const uint32_t *pages,
                                       uint32_t g, uint32_t key) {
    uint64_t row = (uint64_t)pages[key / GW_ATTN_BLOCK] * GW_ATTN_BLOCK + key % GW_ATTN_BLOCK;
    return (row * p->n_head_kv + g) * p->head_dim;
}
// The keys that token tok sees: *out_lo to *out_pos. positions: [n_tok] i32.
static inline void gw_attn_see(const gw_attention_params *p, const void *positions, uint64_t tok,
                               uint32_t *out_lo, uint32_t *out_pos) {
    uint32_t pos = ((const uint32_t *)positions)[tok];
    pos = pos < p->n_ctx ? pos : p->n_ctx - 1;
    *out_lo = p->window && pos >= p->window ? pos - p->window + 1 : 0;
    *out_pos = pos;
}
// Where the o of block b of a row of y lies in the scratch memory; *out_side: its l and e.
static inline float *gw_attn_part_at(const gw_attention_params *p, float *parts, uint64_t row,
                                     uint32_t b, float **out_side) {
    uint64_t n = (uint64_t)p->n_tok * p->n_head * p->n_blocks, at = row * p->n_blocks + b;
    *out_side = parts + n * p->head_dim + at * 2;
    return parts + at * p->head_dim;
}

// gw_op.reference, in a file of its own (attention_reference.c). Items: key heads; of a combination
// heads of tokens.
uint64_t gw_attention_n_items(const void *params);
void gw_attention_reference(const gw_reference_args *args);

#endif
