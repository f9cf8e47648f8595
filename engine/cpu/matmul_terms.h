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

// The term of unit u for a token (engine/ops/product.h).
GW_INLINE gw_vf term_of(const int_kind kind, const gw_lane_units *w, uint32_t u, const gw_vi dot[2],
                        const x_block *x) {
    gw_vf xd = (gw_vf)gw_splat_at(x->d + u), d = w->d[u] * xd, sum = gw_to_float(dot[0]);
    if (kind.form == GW_FORM_PLAIN) return d * sum;
    if (kind.form == GW_FORM_PAIR) return d * sum + w->m[u] * xd * gw_to_float(dot[1]);
    sum = w->s[u][0] * sum;
    if (kind.halves) sum = sum + w->s[u][1] * gw_to_float(dot[1]);
    if (kind.form == GW_FORM_SUB) return d * sum;
    gw_vf min = w->z[u][0] * (gw_vf)gw_splat_at(&x->sum[u][0]);
    if (kind.halves) min = min + w->z[u][1] * (gw_vf)gw_splat_at(&x->sum[u][1]);
    return d * sum - w->m[u] * xd * min;
}

// Adds unit u's dots, of n tokens with SIDE vectors of rows. Lanes of a dot are the same before.
#if defined(GW_NEON)
GW_INLINE void add_dots(const int_kind kind, const int n, const gw_lane_units *w, uint32_t u,
                        const x_block *x, gw_vi dot[SIDE][FOUR][2]) {
    const int step = kind.halves ? 4 : 8;
    for (int k = 0, h = 0; k < 8; k += step, h++) {
        const uint32_t at = u * GW_UNIT + (uint32_t)k * 4;
#if defined(GW_I8MM)
        for (int t = 0; t < n; t += 2) {
            const int next = t + 1 < n ? t + 1 : t;
            for (int v = 0; v < SIDE; v++)
                gw_dot_pairs(&dot[v][t][h], &dot[v][next][h], w[v].q[u] + k, x[t].q + at,
                             x[next].q + at, step);
        }
#else
        for (int t = 0; t < n; t++)
            for (int v = 0; v < SIDE; v++)
                dot[v][t][h] = gw_dot_words(dot[v][t][h], w[v].q[u] + k, x[t].q + at, step);
#endif
    }
}
#else
GW_INLINE void add_dots(const int_kind kind, const int n, const gw_lane_units *w, uint32_t u,
                        const x_block *x, gw_vi dot[SIDE][FOUR][2]) {
#pragma GCC unroll 8
    for (uint32_t k = 0; k < 8; k++) {
        const int h = kind.halves && k >= 4;
        for (int t = 0; t < n; t++) {
            gw_vu four = gw_splat_at(x[t].q + u * GW_UNIT + k * 4);
            for (int v = 0; v < SIDE; v++)
                dot[v][t][h] = kind.is_signed ? gw_dot4_signed(dot[v][t][h], w[v].q[u][k], four)
                                              : gw_dot4(dot[v][t][h], w[v].q[u][k], four);
        }
    }
}
#endif

// A block of SIDE vectors of rows times n tokens, added to their sums, those of a vector side by side.
GW_INLINE void add_int_block(const int_kind kind, const int n, const gw_lane_units *w,
                             uint32_t n_units, const x_block *x, gw_vf *total, uint32_t n_tok) {
    gw_vf sum[SIDE][FOUR];
    for (int v = 0; v < SIDE; v++)
        for (int t = 0; t < n; t++) sum[v][t] = gw_splat_f(0.0f);
    for (uint32_t u = 0; u < n_units; u++) {
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
                sum[v][t] = sum[v][t] + term_of(kind, &w[v], u, dot[v][t], &x[t]);
    }
    for (int v = 0; v < SIDE; v++) {
        gw_vf *at = total + (uint32_t)v * n_tok;
        for (int t = 0; t < n; t++) at[t] = at[t] + sum[v][t];
    }
}

GW_INLINE void add_int_tokens(const int_kind kind, const gw_lane_units *w, uint32_t n_units,
                              const x_block *x, uint32_t n_tok, gw_vf *total) {
    uint32_t t = 0;
    for (; t + FOUR <= n_tok; t += FOUR)
        add_int_block(kind, FOUR, w, n_units, x + t, total + t, n_tok);
    for (; t < n_tok; t++) add_int_block(kind, 1, w, n_units, x + t, total + t, n_tok);
}

// A function of its own, as sum_activations is.
static __attribute__((noinline)) void unpack_wide(uint32_t format, const gw_lane_record *r,
                                                  uint32_t n, gw_lane_units *u) {
    switch (format) {
#define X(id, name, form, words, half, offset, sixteens)                                           \
    case GW_FMT_##name:                                                                            \
        for (uint32_t j = 0; j < n; j++) gw_lanes_##name(r, j, u);                                 \
        break;
#include "quant/wide.def"
#undef X
    }
}

GW_INLINE void unpack_units(uint32_t format, const gw_lane_record *r, uint32_t n,
                            gw_lane_units *u) {
    switch (format) {
#define CASE(name)                                                                                 \
    case GW_FMT_##name:                                                                            \
        for (uint32_t j = 0; j < n; j++) gw_lanes_##name(r, j, u);                                 \
        break;
        CASE(q8_0)
        CASE(q4_0)
        CASE(q4_1)
        CASE(q5_0)
        CASE(q5_1)
        CASE(q2_k)
        CASE(q3_k)
        CASE(q4_k)
        CASE(q5_k)
        CASE(q6_k)
        CASE(tq1_0)
        CASE(tq2_0)
        CASE(q1_0)
        CASE(q2_0)
        CASE(iq4_nl)
        CASE(iq4_xs)
        CASE(iq2_xxs)
        CASE(iq2_xs)
        CASE(iq2_s)
        CASE(iq3_xxs)
        CASE(iq3_s)
        CASE(iq1_s)
        CASE(iq1_m)
        CASE(mxfp4)
        CASE(nvfp4)
#undef CASE
    default:
        unpack_wide(format, r, n, u);
    }
#if defined(GW_I8MM)
    for (uint32_t j = 0; j < n; j++) gw_pair_words(u->q[j]);
#endif
}

// A kind is a constant of the loop that it is given to.
static inline void add_ints(const gw_format *f, const gw_lane_units *w, uint32_t n_units,
                            const x_block *x, uint32_t n_tok, gw_vf *total) {
    const bool halves = int_formats[f->id].halves, is_signed = int_formats[f->id].offset == 0;
#define KIND(...) add_int_tokens((int_kind){__VA_ARGS__}, w, n_units, x, n_tok, total)
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
