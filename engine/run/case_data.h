// Case data: what cases.c fills its values and weights with, the same on every machine.
#ifndef GW_RUN_CASE_DATA_H
#define GW_RUN_CASE_DATA_H

#include "run/cases.h"

// Kinds of values; bits of gw_case.fills.
enum {
    MIXED = 1 << 0,  // magnitudes from 2^-38 to 2^20, zeros, exact powers of two
    NORMAL = 1 << 1, // -2 .. 2
    HUGE = 1 << 2,   // up to 2^40
    TINY = 1 << 3,   // around the flush threshold, 2^-40
    ZEROS = 1 << 4,  // of both signs
    N_FILLS = 5,
    EVERY = (1 << N_FILLS) - 1,
    MODEST = EVERY & ~HUGE,
};

// Rows take turns in the kinds of values (c->fills). Flushed, as values between ops are. NULL: out of
// memory.
float *gw_case_floats(gw_case *c, uint64_t n_rows, uint64_t n_cols);
// Rows of blocks of any bits; every second row of a float format holds ordinary values, since in
// random ones the largest exponent hides the rest.
void gw_case_fill_blocks(gw_case *c, const gw_weight *w, uint8_t *blocks);

#endif
