// Products of several tokens: a unit of SIDE vectors of rows is unpacked once, then serves all tokens, FOUR at a time.
#ifndef GW_CPU_MATMUL_MANY_H
#define GW_CPU_MATMUL_MANY_H

#include "cpu/kernels.h"
#include "cpu/matmul_terms.h"

// A block of SIDE vectors of rows, `row` and on, that is read unit by unit.
typedef struct int_block {
    const uint8_t *at;  // the block; then the pieces of the next unit
    const uint8_t *end; // of the weights
    uint32_t row;
    gw_lane_record r[SIDE];
} int_block;

// What is before the first unit. Like next_unit it is a function of its own: inlined, both take the registers of
// the dots.
static __attribute__((noinline)) void begin_block(uint32_t format, int_block *b) {
    b->at = read_before_plane(format, unit_words_of[format], b->at, b->row, b->end, b->r);
}

GW_INLINE void next_unit_of(const uint32_t format, const uint32_t unit_words, int_block *b,
                            uint32_t j, gw_lane_unit *u) {
    const uint32_t n_bytes = n_pieces_of(unit_words, j) * PIECES;
    read_unit(format, unit_words, b->at, j, b->r, u);
    fetch_far(b->at, n_bytes / VECTORS * SIDE, b->end);
    b->at += n_bytes;
}

// Unit j, all before which were read.
static __attribute__((noinline)) void next_unit(uint32_t format, int_block *b, uint32_t j,
                                                gw_lane_unit *u) {
    switch (format) {
#define ONE(name, unit_words)                                                                      \
    case GW_FMT_##name:                                                                            \
        next_unit_of(GW_FMT_##name, unit_words, b, j, u);                                          \
        break;
        ONE_OF_WHOLE(ONE)
        ONE_OF_ANY(ONE)
        ONE_OF_GRIDS(ONE)
#undef ONE
    }
#if defined(GW_I8MM)
    for (uint32_t v = 0; v < SIDE; v++) gw_pair_words(u[v].q);
#endif
}

// Adds unit u's dots, of n tokens with SIDE vectors of rows, w. Lanes of a dot are the same before.
#if defined(GW_NEON)
GW_INLINE void add_dots(const int_kind kind, const int n, const gw_lane_unit *w, uint32_t u,
                        const x_block *x, gw_vi dot[SIDE][FOUR][2]) {
    const int step = kind.halves ? 4 : 8;
    for (int k = 0, h = 0; k < 8; k += step, h++) {
        const uint32_t at = u * GW_UNIT + (uint32_t)k * 4;
#if defined(GW_I8MM)
        for (int t = 0; t < n; t += 2) {
            const int next = t + 1 < n ? t + 1 : t;
            for (int v = 0; v < SIDE; v++)
                gw_dot_pairs(&dot[v][t][h], &dot[v][next][h], w[v].q + k, x[t].q + at,
                             x[next].q + at, step);
        }
#else
        for (int t = 0; t < n; t++)
            for (int v = 0; v < SIDE; v++)
                dot[v][t][h] = gw_dot_words(dot[v][t][h], w[v].q + k, x[t].q + at, step);
#endif
    }
}
#else
GW_INLINE void add_dots(const int_kind kind, const int n, const gw_lane_unit *w, uint32_t u,
                        const x_block *x, gw_vi dot[SIDE][FOUR][2]) {
#pragma GCC unroll 8
    for (uint32_t k = 0; k < 8; k++) {
        const int h = kind.halves && k >= 4;
        for (int t = 0; t < n; t++) {
            gw_vu four = gw_splat_at(x[t].q + u * GW_UNIT + k * 4);
            for (int v = 0; v < SIDE; v++)
                dot[v][t][h] = kind.is_signed ? gw_dot4_signed(dot[v][t][h], w[v].q[k], four)
                                              : gw_dot4(dot[v][t][h], w[v].q[k], four);
        }
    }
}
#endif

// Adds the terms of unit u, w, for n tokens to their sums, those of a vector side by side.
GW_INLINE void add_unit(const int_kind kind, const int n, const gw_lane_unit *w, uint32_t u,
                        const x_block *x, gw_vf *sum) {
    gw_vi dot[SIDE][FOUR][2];
    for (int t = 0; t < n; t++) {
        for (int v = 0; v < SIDE; v++) {
            dot[v][t][0] = bias_of(kind, &x[t], u, 0);
            dot[v][t][1] = bias_of(kind, &x[t], u, 1);
        }
    }
    add_dots(kind, n, w, u, x, dot);
    for (int t = 0; t < n; t++)
        for (int v = 0; v < SIDE; v++)
            sum[v * GW_TILE_TOKENS + t] =
                sum[v * GW_TILE_TOKENS + t] + term_of(kind, &w[v], u, dot[v][t], &x[t]);
}

// A block times n_tok tokens, added to their totals, those of a vector side by side.
GW_INLINE void add_int_tokens(const int_kind kind, uint32_t format, int_block *b, uint32_t n_units,
                              const x_block *x, uint32_t n_tok, gw_vf *total) {
    gw_vf sum[SIDE * GW_TILE_TOKENS];
    for (uint32_t v = 0; v < SIDE; v++)
        for (uint32_t t = 0; t < n_tok; t++) sum[v * GW_TILE_TOKENS + t] = gw_splat_f(0.0f);
    begin_block(format, b);
    for (uint32_t u = 0; u < n_units; u++) {
        gw_lane_unit w[SIDE];
        uint32_t t = 0;
        next_unit(format, b, u, w);
        for (; t + FOUR <= n_tok; t += FOUR) add_unit(kind, FOUR, w, u, x + t, sum + t);
        for (; t < n_tok; t++) add_unit(kind, 1, w, u, x + t, sum + t);
    }
    for (uint32_t v = 0; v < SIDE; v++)
        for (uint32_t t = 0; t < n_tok; t++)
            total[v * n_tok + t] = total[v * n_tok + t] + sum[v * GW_TILE_TOKENS + t];
}

// A kind is a constant of the loop that it is given to.
static inline void add_ints(const gw_format *f, int_block *b, uint32_t n_units, const x_block *x,
                            uint32_t n_tok, gw_vf *total) {
    const bool halves = int_formats[f->id].halves, is_signed = int_formats[f->id].offset == 0;
#define KIND(...) add_int_tokens((int_kind){__VA_ARGS__}, f->id, b, n_units, x, n_tok, total)
    if (f->form == GW_FORM_MIN) { // all without an offset, and not signed
        if (halves)
            KIND(GW_FORM_MIN, true, false);
        else
            KIND(GW_FORM_MIN, false, false);
    } else if (f->form == GW_FORM_PAIR) {
        KIND(GW_FORM_PAIR, true, true);
    } else if (f->form == GW_FORM_PLAIN) {
        if (is_signed)
            KIND(GW_FORM_PLAIN, false, true);
        else
            KIND(GW_FORM_PLAIN, false, false);
    } else if (halves) {
        if (is_signed)
            KIND(GW_FORM_SUB, true, true);
        else
            KIND(GW_FORM_SUB, true, false);
    } else {
        KIND(GW_FORM_SUB, false, true);
    }
#undef KIND
}

#endif
