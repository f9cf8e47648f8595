// Recurrent: what ops share that carry a state from token to token (ssm_conv, gated_delta_net, ssm_scan).
//
// segments: [4 * n_segments] i32, of each: the first token, how many (0: none), the block that holds
// the state before them (-1: it is 0), the block that it is written to, another one. Tokens are worked
// on in order, and what passes from one to the next is flushed as if it were stored between them, so a
// cut at any place changes no bit.
#ifndef GW_OPS_RECURRENT_H
#define GW_OPS_RECURRENT_H

#include "ops/ops.h"

typedef struct gw_segment {
    int32_t first, n, from, to;
} gw_segment;
enum { GW_SEGMENT_WORDS = sizeof(gw_segment) / sizeof(int32_t) };

static inline bool gw_is_segments(const gw_value *v) {
    return v->dtype == GODWIT_I32 && v->n_dims == 1 && v->dims[0] % GW_SEGMENT_WORDS == 0 &&
           !v->weight;
}
// Blocks: [n_blocks, n_heads, head] f32.
static inline bool gw_is_blocks(const gw_value *v, uint64_t n_heads, uint64_t head) {
    return v->kind == GW_VALUE_STATE && v->dtype == GODWIT_F32 && v->n_dims == 3 &&
           v->dims[1] == n_heads && v->dims[2] == head;
}

// A segment whose tokens and blocks are there; false: nothing is to be done.
static inline bool gw_segment_at(const int32_t *segments, uint32_t i, uint32_t n_tok,
                                 uint32_t n_blocks, gw_segment *out) {
    memcpy(out, segments + (size_t)i * GW_SEGMENT_WORDS, sizeof *out);
    if (out->n <= 0 || out->first < 0 || (uint32_t)out->first >= n_tok) return false;
    if ((uint32_t)out->n > n_tok - (uint32_t)out->first)
        out->n = (int32_t)(n_tok - (uint32_t)out->first);
    if (out->from >= 0 && (uint32_t)out->from >= n_blocks) out->from = -1;
    return true;
}
static inline bool gw_segment_writes(const gw_segment *s, uint32_t n_blocks) {
    return s->to >= 0 && (uint32_t)s->to < n_blocks;
}

// --- parameters

// Bindings: x, w, bias (or w again), segments, state, y.
typedef struct gw_ssm_conv_params {
    uint32_t n, n_tok, n_segments, n_blocks, n_chunks;
    uint32_t n_taps;
    uint32_t gated, silu, has_bias;
    gw_columns x;
    uint32_t groups_n; // workgroups of a token's channels
    uint32_t groups_x;
} gw_ssm_conv_params;
_Static_assert(sizeof(gw_ssm_conv_params) == 56, "push constants of ssm_conv.comp");

// Bindings: dt, A, bias, rate (or dt again), y.
typedef struct gw_ssm_gates_params {
    uint32_t n, n_tok, sigmoid;
    uint32_t n_rates; // n, or of rates that have more decays than one fewer
    uint32_t n_share; // decays that have one A
    float bound;      // 0: none
    gw_columns dt, rate;
    uint32_t groups_x;
} gw_ssm_gates_params;
_Static_assert(sizeof(gw_ssm_gates_params) == 52, "push constants of ssm_gates.comp");

#endif
