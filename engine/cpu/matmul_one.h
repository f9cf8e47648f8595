// Products of one token: a block of SIDE vectors of rows goes through registers, unit by unit.
//
// For formats whose records end in a plane in which units follow each other: its pieces are read where the first
// unit that has words of one is multiplied, what stands before them at the block's begin.
#ifndef GW_CPU_MATMUL_ONE_H
#define GW_CPU_MATMUL_ONE_H

#include "cpu/matmul_terms.h"

#if defined(GW_NEON)
GW_INLINE void add_dots_of_one(const int_kind kind, const gw_lane_unit *u, const int8_t *x,
                               gw_vi dot[SIDE][2]) {
    for (uint32_t v = 0; v < SIDE; v++) {
        const gw_vu *q = u[v].q;
        dot[v][0] = gw_dot_words(dot[v][0], q, x, kind.halves ? 4 : 8);
        if (kind.halves) dot[v][1] = gw_dot_words(dot[v][1], q + 4, x + 16, 4);
    }
}
#else
GW_INLINE void add_dots_of_one(const int_kind kind, const gw_lane_unit *u, const int8_t *x,
                               gw_vi dot[SIDE][2]) {
#pragma GCC unroll 8
    for (uint32_t k = 0; k < 8; k++) {
        gw_vu four = gw_splat_at(x + k * 4);
        const uint32_t h = kind.halves ? k / 4 : k % 2;
        for (uint32_t v = 0; v < SIDE; v++)
            dot[v][h] = kind.is_signed ? gw_dot4_signed(dot[v][h], u[v].q[k], four)
                                       : gw_dot4(dot[v][h], u[v].q[k], four);
    }
    for (uint32_t v = 0; v < SIDE; v++)
        if (!kind.halves) dot[v][0] = dot[v][0] + dot[v][1];
}
#endif

// Whether a unit of the format is multiplied as it lies, a row's 16 bytes in a vector, not word by word.
GW_INLINE bool goes_by_rows(const uint32_t format) {
#if defined(GW_NEON)
    return format == GW_FMT_q8_0 || format == GW_FMT_q4_0 || format == GW_FMT_q4_1 ||
           format == GW_FMT_q4_k;
#else
    (void)format;
    return false;
#endif
}

#if defined(GW_NEON)
// Unit j of such a format: its scales, from what stands before its pieces, `at`; and its dot.
GW_INLINE void add_dot_by_rows(const uint32_t format, const gw_lane_record *r, uint32_t j,
                               const uint8_t *at, const int8_t *x, gw_lane_unit *u, gw_vi *dot) {
    const int8x16_t x0 = gw_load_bytes(x), x1 = gw_load_bytes(x + 16);
    int32x4_t parts[4];
    for (int i = 0; i < 4; i++, at += GW_PIECE_BYTES) {
        int8x16_t a = gw_load_bytes(at), b;
        if (format == GW_FMT_q8_0) {
            b = gw_load_bytes(at + GW_GROUP_ROWS * GW_PIECE_BYTES);
        } else {
            b = (int8x16_t)vshrq_n_u8((uint8x16_t)a, 4);
            a = vandq_s8(a, vdupq_n_s8(15));
        }
        parts[i] = gw_dot_row(a, b, x0, x1);
    }
    *dot = *dot + gw_sum_rows(parts);
    if (format == GW_FMT_q8_0 || format == GW_FMT_q4_0) u->d = gw_rec_float(r, 0, j);
    if (format == GW_FMT_q4_1) gw_added(r->w[j], u);
    if (format == GW_FMT_q4_k) gw_lane_k_scales(r, j, u);
}
#else
GW_INLINE void add_dot_by_rows(const uint32_t format, const gw_lane_record *r, uint32_t j,
                               const uint8_t *at, const int8_t *x, gw_lane_unit *u, gw_vi *dot) {
    (void)format, (void)r, (void)j, (void)at, (void)x, (void)u, (void)dot;
}
#endif

// block: the record of a block of n_units, 8 of a whole one, from the rows of the first vector on; a unit has
// unit_words of the plane; end: of the weights.
GW_INLINE void add_int_block_of_one(const uint32_t format, const uint32_t unit_words,
                                    const bool whole, uint32_t n_units, const uint8_t *block,
                                    const uint8_t *end, uint32_t row, const x_block *x,
                                    gw_vf *total) {
    const int_kind kind = kind_of(format);
    gw_lane_record r[SIDE];
    gw_lane_unit u[SIDE];
    gw_vf sum[SIDE];
    for (uint32_t v = 0; v < SIDE; v++) sum[v] = gw_splat_f(0.0f);
    const uint8_t *at = read_before_plane(format, unit_words, block, row, end, r);
#pragma GCC unroll 8
    for (uint32_t j = 0; j < 8; j++) {
        gw_vi dot[SIDE][2];
        if (!whole && j == n_units) break;
        const int8_t *q = x->q + j * GW_UNIT;
        const uint32_t n = n_pieces_of(unit_words, j);
        if (!goes_by_rows(format)) read_unit(format, unit_words, at, j, r, u);
        for (uint32_t v = 0; v < SIDE; v++) {
            dot[v][0] = bias_of(kind, x, j, 0);
            dot[v][1] = bias_of(kind, x, j, 1);
            if (goes_by_rows(format))
                add_dot_by_rows(format, &r[v], j, at + v * GW_LANES * GW_PIECE_BYTES, q, &u[v],
                                &dot[v][0]);
        }
        fetch_far(at, n * PIECES / VECTORS * SIDE, end);
        at += n * PIECES;
        if (!goes_by_rows(format)) add_dots_of_one(kind, u, q, dot);
        for (uint32_t v = 0; v < SIDE; v++) sum[v] = sum[v] + term_of(kind, &u[v], j, dot[v], x);
    }
    for (uint32_t v = 0; v < SIDE; v++) total[v] = total[v] + sum[v];
}

// Blocks first .. end - 1, all of them whole, of a group of weights that end at weights_end; false: not of
// this format.
static inline bool add_int_columns_of_one(const gw_row_layout *l, const uint8_t *group,
                                          const uint8_t *weights_end, uint64_t first, uint64_t end,
                                          const x_block *x, gw_vf *total) {
    const uint64_t block_bytes = l->block_pieces * GW_PIECE_BYTES;
    for (uint64_t b = first; b < end; b++) {
        const uint8_t *block = group + b * block_bytes;
        for (uint32_t v = 0; v < VECTORS; v += SIDE) {
            switch (l->format->id) {
#define ONE(name, unit_words)                                                                      \
    case GW_FMT_##name:                                                                            \
        add_int_block_of_one(GW_FMT_##name, unit_words, true, 8, block, weights_end, v *GW_LANES,  \
                             x + (b - first), total + v);                                          \
        break;
                ONE_OF_WHOLE(ONE)
                ONE_OF_ANY(ONE)
#undef ONE
            default:
                return false;
            }
        }
    }
    return true;
}

// The last block of a row, of n_units, which only formats of small blocks have.
static inline bool add_int_end_of_one(const gw_row_layout *l, const uint8_t *block,
                                      const uint8_t *weights_end, uint32_t n_units,
                                      const x_block *x, gw_vf *total) {
    for (uint32_t v = 0; v < VECTORS; v += SIDE) {
        switch (l->format->id) {
#define ONE(name, unit_words)                                                                      \
    case GW_FMT_##name:                                                                            \
        add_int_block_of_one(GW_FMT_##name, unit_words, false, n_units, block, weights_end,        \
                             v *GW_LANES, x, total + v);                                           \
        break;
            ONE_OF_ANY(ONE)
#undef ONE
        default:
            return false;
        }
    }
    return true;
}

#endif
