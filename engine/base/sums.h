// Sums: the order in which the contract adds floats, for host code and references.
//
// A sum is cut at fixed places: units of 32 terms, blocks of 8 units. Units of a block are added in
// order, then the blocks. How the terms of a unit are added depends on what they are: products in
// order, values that lanes already hold (a reduction) by halves. No sum is flushed here.
#ifndef GW_BASE_SUMS_H
#define GW_BASE_SUMS_H

#include <stdint.h>

enum { GW_SUM_UNIT = 32, GW_SUM_BLOCK_UNITS = 8 };

// Takes the sums of units, one after another.
typedef struct gw_sum {
    float blocks, block;
    uint32_t n_units; // of the block that is not full
} gw_sum;

static inline void gw_sum_add(gw_sum *sum, float unit) {
    sum->block = sum->block + unit;
    if (++sum->n_units < GW_SUM_BLOCK_UNITS) return;
    sum->blocks = sum->blocks + sum->block;
    sum->block = 0.0f;
    sum->n_units = 0;
}
static inline float gw_sum_end(const gw_sum *sum) {
    return sum->n_units ? sum->blocks + sum->block : sum->blocks;
}

// A unit of a reduction; terms is overwritten. Terms that are missing must be +0.
static inline float gw_sum_halves(float terms[GW_SUM_UNIT]) {
    for (uint32_t h = GW_SUM_UNIT / 2; h; h /= 2)
        for (uint32_t i = 0; i < h; i++) terms[i] = terms[i] + terms[i + h];
    return terms[0];
}

// The reduction of n values.
static inline float gw_reduce(const float *x, uint64_t n) {
    gw_sum sum = {0};
    for (uint64_t at = 0; at < n; at += GW_SUM_UNIT) {
        float terms[GW_SUM_UNIT] = {0};
        for (uint64_t i = 0; i < GW_SUM_UNIT && i < n - at; i++) terms[i] = x[at + i];
        gw_sum_add(&sum, gw_sum_halves(terms));
    }
    return gw_sum_end(&sum);
}

// The reduction of their squares.
static inline float gw_reduce_squares(const float *x, uint64_t n) {
    gw_sum sum = {0};
    for (uint64_t at = 0; at < n; at += GW_SUM_UNIT) {
        float terms[GW_SUM_UNIT] = {0};
        for (uint64_t i = 0; i < GW_SUM_UNIT && i < n - at; i++) terms[i] = x[at + i] * x[at + i];
        gw_sum_add(&sum, gw_sum_halves(terms));
    }
    return gw_sum_end(&sum);
}

#endif
