// Sample: what its two ops share, and share with the CPU's kernels: the control block that the host writes,
// keys, what a part of a row of logits is boiled down to, the walks over tokens and over parts.
#ifndef GW_OPS_SAMPLE_H
#define GW_OPS_SAMPLE_H

#include "base/exact_math.h"
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
    float top_n_sigma;  // 0: off
    uint32_t typical_p; // in 2^-24; 0 or 2^24: off
    uint32_t xtc;       // in 2^-24; 0: off
    uint32_t mirostat;  // the least share at temperature, in 2^-32; 0: off
} gw_sample_control;
enum { GW_SAMPLE_CONTROL_WORDS = sizeof(gw_sample_control) / 4 };
_Static_assert(GW_SAMPLE_CONTROL_WORDS == 12, "control of sample.comp and sample_parts.comp");

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
static inline float gw_sample_logit(uint32_t key) {
    return gw_from_bits(key & 0x80000000u ? key ^ 0x80000000u : ~key);
}

// Of a difference to the largest logit, which counts as 0 where it is not below: e^ that in 2^-24.
static inline uint32_t gw_sample_weight(float x) {
    if (x < -16.7f) return 0; // as below, sooner
    return (uint32_t)(gw_exp(x < 0.0f ? x : 0.0f) * 16777216.0f);
}

// --- what is cut off where: of sums that have no order, the same in sample.comp, name for name

// (total * fraction + up) >> 24 of a total up to 2^42.
static inline uint64_t gw_sample_part(uint64_t total, uint32_t fraction, uint32_t up) {
    return (total >> 24) * fraction + (((total & 0xffffffu) * fraction + up) >> 24);
}
// What a run from the top has to reach to be top_p of total; what one in the order of distances has to,
// to pass typical_p of it.
static inline uint64_t gw_sample_reached(uint64_t total, uint32_t fraction) {
    const uint64_t part = gw_sample_part(total, fraction, 0xffffffu);
    return part ? part : 1;
}
static inline uint64_t gw_sample_passed(uint64_t total, uint32_t fraction) {
    return gw_sample_part(total, fraction, 0) + 1;
}
// The weight of which a token has at least that many 2^-32 of total; at most the largest one.
static inline uint32_t gw_sample_least(uint64_t total, uint32_t fraction) {
    const uint64_t low = (uint64_t)fraction * (total & 0xffffffffu);
    const uint64_t least = fraction * (total >> 32) + (low >> 32) + ((uint32_t)low != 0);
    return least < 1u << 24 ? (uint32_t)least : 1u << 24;
}
// Its highest 24 bits.
static inline float gw_sample_float(uint64_t sum) {
    int shift = 0;
    while (sum >> shift >= 1u << 24) shift++;
    return (float)(uint32_t)(sum >> shift) * gw_pow2(shift);
}
// Top-n-sigma. Distances to the largest logit become integers below 2^22, by a power of two that the largest
// of them, range, gives: 2^-40 or more, and finite. The mean of these is one, too.
static inline int gw_sample_scale(float range) {
    return 148 - (int)(gw_bits(range) >> 23);
}
static inline uint32_t gw_sample_mean(uint64_t sum, uint32_t n) {
    return (uint32_t)gw_div(gw_sample_float(sum), (float)n);
}
// The key of the last logit that stays; squares: of what lies between the n integers and their mean.
static inline uint32_t gw_sample_cut(float top, float sigmas, int scale, uint64_t squares,
                                     uint32_t n) {
    const float std = gw_sqrt(gw_div(gw_sample_float(squares), (float)n)) * gw_pow2(-scale);
    const uint32_t cut = gw_sample_key(gw_flush(top - gw_flush(gw_flush(std) * sigmas)));
    return cut < gw_sample_key(top) ? cut : gw_sample_key(top);
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
