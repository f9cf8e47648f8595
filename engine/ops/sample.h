// Sample: what its two ops share, and share with the CPU's kernels: the control block that the host writes,
// keys, what a part of a row of logits is boiled down to, the walks over tokens and over parts.
#ifndef GW_OPS_SAMPLE_H
#define GW_OPS_SAMPLE_H

#include "base/exact.h"
#include "graph/op.h"

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

// What is done to the logit of a token before one is chosen (adjust.c). A value that does nothing is
// 0, and 1 of repeat.
typedef struct gw_sample_adjust {
    uint32_t id;
    float bias, repeat, minus, dry;
} gw_sample_adjust;
enum {
    GW_SAMPLE_ADJUST_WORDS = sizeof(gw_sample_adjust) / 4,
    GW_SAMPLE_HEAD_WORDS = 4, // row, first entry, how many, 0
};
#define GW_SAMPLE_NEVER 0xff800000u // the bits of the bias of what is never chosen
float gw_sample_adjusted(float logit, const gw_sample_adjust *how);

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

// A token to be chosen. parts: [n_parts] of GW_SAMPLE_PART_WORDS words; n_parts 0: there are none.
typedef struct gw_sample_choice {
    const float *logits;
    uint32_t n;
    gw_sample_control c;
    const uint32_t *parts;
    uint32_t n_parts;
} gw_sample_choice;
// What a launch of sample does: choose gives a token's id, -1 where none can be chosen.
void gw_sample_walk(const gw_reference_args *args, int32_t (*choose)(const gw_sample_choice *at));
// What a launch of sample_parts does: part boils n logits down, of which the first has that id, with a list
// of k of them; y is filled with what is in no place of a list.
void gw_sample_parts_walk(const gw_reference_args *args,
                          void (*part)(const float *logits, uint32_t first, uint32_t n, uint32_t k,
                                       uint32_t *y));

// What sample and sample_parts ask of their logits and control.
godwit_status gw_sample_check_inputs(const gw_node *node, godwit_error *err);

#endif
