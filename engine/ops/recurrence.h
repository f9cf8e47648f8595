// Recurrence: what gated_delta_net and ssm_scan share, a head's state S of dk rows from token to token:
//   S = S * decay;  d = rate * new;  S = S + key d^T;  y = S^T query * scale
// Each element of S is flushed after either step; new is the value, of gated_delta_net flush(value -
// flush(S^T key)); d is flushed.
//   inputs: rows: [n_tok, 2 * n_heads_k, dk] f32, queries and keys (ssm_scan: B and C, keys and queries);
//   v: [n_tok, n_heads * dv] f32; gates: [n_tok, n_heads * n_decays + n_heads], decays and rates, where n_decays is 1, or
//   dk: one decay of each row of S; segments
//   (ops/recurrent.h); state: [n_blocks, n_heads, dk * dv]; of ssm_scan skip: [n_heads] constant
//   y: [n_tok, n_heads, dv]
// Order of sums: units of 32 rows, each in order from +0; the units in order from +0.
#ifndef GW_OPS_RECURRENCE_H
#define GW_OPS_RECURRENCE_H

#include "base/limits.h"
#include "ops/recurrent.h"

enum {
    GW_RECURRENCE_ROWS = GW_MAX_STATE_ROWS, // dk at most
    GW_RECURRENCE_COLUMNS = 32,             // that a reference works on at once
};

typedef struct gw_recurrence_params {
    uint32_t n_tok, n_segments, n_blocks;
    uint32_t n_heads, n_heads_k, dk, dv;
    uint32_t n_decays; // of a head: 1, or dk
    uint32_t tiled;    // head h has keys h % n_heads_k, else those of its group
    float scale;
    gw_columns rows, v;
    uint32_t groups_n; // workgroups of a head
    uint32_t groups_x;
} gw_recurrence_params;
_Static_assert(sizeof(gw_recurrence_params) == 72, "push constants of lib/recurrence.glsl");

// A token's query or key of head h: which of the two in `rows`.
static inline const float *gw_recurrence_row(const gw_recurrence_params *p, const void *rows,
                                             uint64_t t, uint32_t h, uint32_t which) {
    const uint32_t own = p->tiled ? h % p->n_heads_k : h / (p->n_heads / p->n_heads_k);
    const uint64_t i = (t * 2 * p->n_heads_k + which * p->n_heads_k + own) * p->dk;
    return (const float *)rows + gw_column_at(&p->rows, i);
}
// A token's decays of head h, and the rate behind all decays.
static inline const float *gw_recurrence_decays(const gw_recurrence_params *p, const void *gates,
                                                uint64_t t, uint32_t h) {
    return (const float *)gates + t * (p->n_decays + 1) * p->n_heads + (uint64_t)h * p->n_decays;
}
static inline float gw_recurrence_rate(const gw_recurrence_params *p, const void *gates, uint64_t t,
                                       uint32_t h) {
    return ((const float *)gates)[(t * (p->n_decays + 1) + p->n_decays) * p->n_heads + h];
}
// Where column c of the first row of head h lies in a block's state; rows are dv apart.
static inline uint64_t gw_recurrence_state_at(const gw_recurrence_params *p, int32_t block,
                                              uint32_t h, uint32_t c) {
    return ((uint64_t)block * p->n_heads + h) * p->dk * p->dv + c;
}

godwit_status gw_recurrence_infer(const gw_node *node, gw_value *out, godwit_error *err);
godwit_status gw_recurrence_launch(gw_plan *plan, const gw_node *node, godwit_error *err);
uint64_t gw_recurrence_n_items(const void *params); // some columns of a head
void gw_recurrence_reference(const gw_reference_args *args, bool delta);

#endif
