// Sample: what its two ops share: the control block that the host writes, keys, what a part of a row
// of logits is boiled down to.
#ifndef GW_OPS_SAMPLE_H
#define GW_OPS_SAMPLE_H

#include "base/exact.h"
#include "graph/ir.h"

enum {
    GW_SAMPLE_MAX_VOCAB = 1 << 18,
    GW_SAMPLE_PART = 2048,   // logits of a part
    GW_SAMPLE_PART_TOP = 64, // places in its list
    // Of a part, in words: key and id of its first, then the list.
    GW_SAMPLE_PART_WORDS = 2 + 2 * GW_SAMPLE_PART_TOP,
};
#define GW_SAMPLE_NO_ID UINT32_MAX
#define GW_SAMPLE_GIVEN 0x80000000u

typedef struct gw_sample_control {
    float inv_temp; // 0: greedy
    uint32_t top_k; // 0: off
    uint32_t top_p; // in 2^-24; 0 or 2^24: off
    float min_p;    // 0: off
    uint32_t seed_lo, seed_hi;
    uint32_t position;
    uint32_t row; // of the logits; with GW_SAMPLE_GIVEN: the token itself, and nothing is chosen
} gw_sample_control;
_Static_assert(sizeof(gw_sample_control) == 32, "control of sample.comp");

// Sortable bits: larger first in the order of tokens.
static inline uint32_t gw_sample_key(float logit) {
    uint32_t u = gw_bits(logit);
    return u & 0x80000000u ? ~u : u | 0x80000000u;
}
// Where the row of its logits is; the last one, where it names none.
static inline uint64_t gw_sample_row(const gw_sample_control *c, uint32_t n_rows) {
    return c->row < n_rows ? c->row : n_rows - 1;
}
// Whether parts list the tokens that top-k may keep.
static inline bool gw_sample_is_listed(const gw_sample_control *c) {
    return c->inv_temp != 0.0f && c->top_k && c->top_k <= GW_SAMPLE_PART_TOP;
}

// What sample and sample_parts ask of their logits and control.
godwit_status gw_sample_check_inputs(const gw_node *node, godwit_error *err);

#endif
