// Matmul on the cpu, what its walks share: a block of activations, terms, units of integer formats.
#ifndef GW_CPU_MATMUL_TERMS_H
#define GW_CPU_MATMUL_TERMS_H

#include "cpu/formats.h"
#include "cpu/wide.h"
#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "ops/matmul.h"

// SIDE: vectors of rows that share what is read of a token, where there are registers for their sums.
#if GW_LANES == 16 || defined(GW_NEON)
enum { SIDE = 2 };
#else
enum { SIDE = 1 };
#endif
enum { VECTORS = GW_LANE_VECTORS, FOUR = 4, X_BLOCKS = 64 };

// --- integer formats

// A token's block of activations.
typedef struct x_block {
    const int8_t *q;    // [units][32]
    const float *d;     // [units]
    int32_t bias[8][2]; // what the dots of a unit, or of its halves, begin with
    float sum[8][2];    // sums of q of the same
} x_block;

// How the units of a format are multiplied.
typedef struct int_kind {
    gw_form form;
    bool halves;    // a unit's halves have scales of their own
    bool is_signed; // codes
} int_kind;

// Of each format: what its codes are more than q, and whether its halves have scales of their own (quant.def).
static const struct int_format {
    gw_form form;
    uint32_t words;
    bool half_tail;
    int32_t offset;
    bool halves;
} int_formats[] = {
#define X(id, name, form, words, half, offset, sixteens)                                           \
    [id] = {GW_FORM_##form, (words), (half) != 0, (offset), (sixteens) != 0},
#include "quant/quant.def"
#include "quant/wide.def"
#undef X
};

GW_INLINE int_kind kind_of(uint32_t format) {
    const struct int_format *f = &int_formats[format];
    return (int_kind){f->form, f->halves, f->offset == 0 && f->form != GW_FORM_MIN};
}

// What a dot begins with.
GW_INLINE gw_vi bias_of(const int_kind kind, const x_block *x, uint32_t u, uint32_t half) {
    const bool is_biased = kind.is_signed ? GW_SIGNED_BIAS != 0 : kind.form != GW_FORM_MIN;
    if (!is_biased || (half && !kind.halves)) return gw_splat_i(0);
    return (gw_vi)gw_splat_at(&x->bias[u][half]);
}

// Sums of the 16 halves of a block's units; missing ones are 0.
GW_INLINE void sum_halves(const int8_t *q, uint32_t n_units, int32_t sums[16]) {
    int8_t whole[GW_BLOCK_MAX];
    if (n_units < 8) {
        memset(whole, 0, sizeof whole);
        memcpy(whole, q, (size_t)n_units * GW_UNIT);
        q = whole;
    }
    for (int at = 0; at < 16; at += GW_LANES) {
        gw_vu four[4];
        for (int k = 0; k < 4; k++) {
            gw_vu x = gw_load(q + at * 16 + k * 4 * GW_LANES);
            four[k] = (gw_vu)gw_dot4(gw_splat_i(0), gw_splat(0x01010101u), x);
        }
        gw_transpose(four);
        gw_save(sums + at, gw_to_rows(four[0] + four[1] + four[2] + four[3]));
    }
}

// A function of its own: inlined, it takes the registers of what unpacks weights beside it (GCC 12: prompts an eighth
// slower).
static __attribute__((noinline)) void sum_activations(int32_t offset, bool halves, uint32_t n_units,
                                                      x_block *x) {
    int32_t sums[16];
    sum_halves(x->q, n_units, sums);
    for (int u = 0; u < 8; u++) {
        int32_t low = sums[2 * u], high = sums[2 * u + 1];
        low = halves ? low : low + high;
        x->bias[u][0] = -offset * low;
        x->bias[u][1] = -offset * high;
        x->sum[u][0] = (float)low;
        x->sum[u][1] = (float)high;
    }
}

// The term of unit u, which is w, for a token (engine/ops/product.h).
GW_INLINE gw_vf term_of(const int_kind kind, const gw_lane_unit *w, uint32_t u, const gw_vi dot[2],
                        const x_block *x) {
    gw_vf xd = (gw_vf)gw_splat_at(x->d + u), d = w->d * xd, sum = gw_to_float(dot[0]);
    if (kind.form == GW_FORM_PLAIN) return d * sum;
    if (kind.form == GW_FORM_PAIR) return d * sum + w->m * xd * gw_to_float(dot[1]);
    sum = w->s[0] * sum;
    if (kind.halves) sum = sum + w->s[1] * gw_to_float(dot[1]);
    if (kind.form == GW_FORM_SUB) return d * sum;
    gw_vf min = w->z[0] * (gw_vf)gw_splat_at(&x->sum[u][0]);
    if (kind.halves) min = min + w->z[1] * (gw_vf)gw_splat_at(&x->sum[u][1]);
    return d * sum - w->m * xd * min;
}

// --- units of SIDE vectors of rows, one after the other

enum { PIECES = GW_GROUP_ROWS * GW_PIECE_BYTES };

// Formats whose records end in a plane in which units follow each other, X(name, words of it that are a unit's):
// rows of the first end with a whole block, those of the others need not.
#define ONE_OF_WHOLE(X)                                                                            \
    X(q2_k, 2)                                                                                     \
    X(q3_k, 2)                                                                                     \
    X(q4_k, 4)                                                                                     \
    X(q5_k, 4)                                                                                     \
    X(q6_k, 4)                                                                                     \
    X(iq4_xs, 4)                                                                                   \
    X(tq1_0, 1)                                                                                    \
    X(tq2_0, 2)                                                                                    \
    X(iq2_xxs_wide, 4)                                                                             \
    X(iq2_xs_wide, 4)                                                                              \
    X(iq2_s_wide, 4)                                                                               \
    X(iq3_xxs_wide, 4)                                                                             \
    X(iq3_s_wide, 4)                                                                               \
    X(iq1_s_wide, 4)                                                                               \
    X(iq1_m_wide, 4)
#define ONE_OF_ANY(X)                                                                              \
    X(q8_0, 8)                                                                                     \
    X(q4_0, 4)                                                                                     \
    X(q4_1, 4)                                                                                     \
    X(q5_0, 4)                                                                                     \
    X(q5_1, 4)                                                                                     \
    X(iq4_nl, 4)                                                                                   \
    X(mxfp4, 4)                                                                                    \
    X(nvfp4, 4)                                                                                    \
    X(q1_0, 1)                                                                                     \
    X(q2_0, 2)

// Those of points of a grid, all of whose records is read before the first unit.
#define ONE_OF_GRIDS(X)                                                                            \
    X(iq2_xxs, 0)                                                                                  \
    X(iq2_xs, 0)                                                                                   \
    X(iq2_s, 0)                                                                                    \
    X(iq3_xxs, 0)                                                                                  \
    X(iq3_s, 0)                                                                                    \
    X(iq1_s, 0)                                                                                    \
    X(iq1_m, 0)

GW_INLINE void unpack_unit(const uint32_t format, const gw_lane_record *r, const gw_vu *last,
                           uint32_t j, gw_lane_unit *u) {
#define ONE(name, unit_words)                                                                      \
    if (format == GW_FMT_##name) gw_lanes_##name(r, last, j, u);
    ONE_OF_WHOLE(ONE)
    ONE_OF_ANY(ONE)
    ONE_OF_GRIDS(ONE)
#undef ONE
}

static const uint8_t unit_words_of[] = {
#define ONE(name, unit_words) [GW_FMT_##name] = unit_words,
    ONE_OF_WHOLE(ONE) ONE_OF_ANY(ONE) ONE_OF_GRIDS(ONE)
#undef ONE
};

// Asks for what is read some blocks later, where that is before `end`: one token's weights come from memory,
// and the processor's own looking ahead keeps too little on its way. Of 2, 4, 8 and 16 KiB ahead 4 was best.
// That it is asked whether there is anything keeps GCC 12 from working on all units of a block at once, with
// their dots on the stack. Of the time of one token on a busy machine both are a quarter (SmolLM2, Q4_1), 13 %
// (Q4_K of 110M), 10 % (Q6_K), 3 % (Q4_0, Q8_0).
GW_INLINE void fetch_far(const uint8_t *at, uint32_t n_bytes, const uint8_t *end) {
    enum { AHEAD = 4096, LINE = 64 };
    if (end - at < AHEAD + (int32_t)n_bytes) return;
#pragma GCC unroll 16
    for (uint32_t i = 0; i < n_bytes; i += LINE) __builtin_prefetch(at + AHEAD + i);
}

// Words of a record before its plane.
GW_INLINE uint32_t words_before(const uint32_t format, const uint32_t unit_words) {
    return int_formats[format].words - 8 * unit_words;
}

// What stands before the plane, of rows `row` and on of a block; returns where those rows' plane begins.
// end: of what may be asked for ahead.
GW_INLINE const uint8_t *read_before_plane(const uint32_t format, const uint32_t unit_words,
                                           const uint8_t *block, uint32_t row, const uint8_t *end,
                                           gw_lane_record *r) {
    const uint32_t words = words_before(format, unit_words);
    if (int_formats[format].half_tail) {
        for (uint32_t v = 0; v < SIDE; v++)
            r[v].half = gw_read_half_tails(block + (row + v * GW_LANES) * 2);
        block += GW_GROUP_ROWS * 2;
    }
#pragma GCC unroll 4
    for (uint32_t w = 0; w < words % 4; w++, block += GW_GROUP_ROWS * 4)
        for (uint32_t v = 0; v < SIDE; v++)
            r[v].w[w] = gw_to_lanes(gw_load(block + (row + v * GW_LANES) * 4));
    const uint8_t *at = block + row * GW_PIECE_BYTES;
#pragma GCC unroll 8
    for (uint32_t w = words % 4; w < words; w += 4, at += PIECES) {
        fetch_far(at, PIECES / VECTORS * SIDE, end);
        for (uint32_t v = 0; v < SIDE; v++)
            gw_read_piece(at + v * GW_LANES * GW_PIECE_BYTES, r[v].w + w);
    }
    return at;
}

// Pieces of the plane before those that unit j is the first to read: one may be of several units. Whole ones of
// each unit are seen to be a constant.
GW_INLINE uint32_t pieces_before(const uint32_t unit_words, uint32_t j) {
    return unit_words % 4 ? (j * unit_words + 3) / 4 : unit_words / 4 * j;
}
GW_INLINE uint32_t n_pieces_of(const uint32_t unit_words, uint32_t j) {
    if (unit_words % 4 == 0) return unit_words / 4;
    return pieces_before(unit_words, j + 1) - pieces_before(unit_words, j);
}

// Unit j, whose pieces begin at `at`. Whole ones are in registers alone.
GW_INLINE void read_unit(const uint32_t format, const uint32_t unit_words, const uint8_t *at,
                         uint32_t j, gw_lane_record *r, gw_lane_unit *u) {
    const uint32_t before = words_before(format, unit_words);
    for (uint32_t v = 0; v < SIDE; v++, at += GW_LANES * GW_PIECE_BYTES) {
        gw_vu whole[8], *to = &r[v].w[before + pieces_before(unit_words, j) * 4];
        const bool is_whole = unit_words && unit_words % 4 == 0;
        for (uint32_t k = 0; k < n_pieces_of(unit_words, j); k++)
            gw_read_piece(at + k * PIECES, (is_whole ? whole : to) + 4 * k);
        unpack_unit(format, &r[v], is_whole ? whole : &r[v].w[before + j * unit_words], j, &u[v]);
    }
}

#endif
