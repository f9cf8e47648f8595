// Matmul in vectors: a lane owns a row, all of its units in order (docs/NUMERICS.md, "Products").
//
// A part is some groups of 32 rows by some tokens. Its blocks of 256 columns are walked in order; of
// GW_LANES rows a block is unpacked once, and then serves all tokens, FOUR at a time.
#ifndef GW_CPU_MATMUL_H
#define GW_CPU_MATMUL_H

#include "cpu/matmul_many.h"
#include "cpu/matmul_one.h"

// --- float formats

typedef struct float_columns {
    gw_vf w[GW_BLOCK_MAX];
} float_columns;

// Eight columns of GW_LANES rows, at `rows` of their group.
GW_INLINE void unpack_eight(const uint32_t format, const uint8_t *rows, gw_vf out[8]) {
    gw_vu w[8];
#if GW_WIDENS
    if (format == GW_FMT_f16) {
        for (int k = 0; k < 4; k++) w[k] = gw_load(rows + k * 4 * GW_LANES);
        gw_transpose_halves(w);
        gw_widen_halves(w, out);
        return;
    }
#endif
    gw_read_piece(rows, w);
    if (format == GW_FMT_f32) gw_read_piece(rows + GW_GROUP_ROWS * GW_PIECE_BYTES, w + 4);
    for (int i = 0; i < 8; i++) {
        const gw_vu pair = w[i / 2];
        if (format == GW_FMT_f32) out[i] = (gw_vf)w[i];
        if (format == GW_FMT_f16) out[i] = i % 2 ? gw_high_half(pair) : gw_low_half(pair);
        if (format == GW_FMT_bf16) out[i] = (gw_vf)(i % 2 ? pair & 0xffff0000u : pair << 16);
    }
}

// n columns of block b, a multiple of 8; group rows from `first` on.
GW_INLINE void unpack_columns(const uint32_t format, const uint8_t *at, uint32_t n, gw_vf *to) {
    const uint32_t step = GW_GROUP_ROWS * GW_PIECE_BYTES * (format == GW_FMT_f32 ? 2 : 1);
    for (gw_vf *const end = to + n; to < end; at += step, to += 8) unpack_eight(format, at, to);
}
static inline void unpack_floats(const gw_row_layout *l, const uint8_t *group, uint64_t b,
                                 uint32_t first, uint32_t n, float_columns *out) {
    const uint8_t *at = group + b * l->block_pieces * GW_PIECE_BYTES + first * GW_PIECE_BYTES;
    if (l->format->id == GW_FMT_f32) unpack_columns(GW_FMT_f32, at, n, out->w);
    if (l->format->id == GW_FMT_f16) unpack_columns(GW_FMT_f16, at, n, out->w);
    if (l->format->id == GW_FMT_bf16) unpack_columns(GW_FMT_bf16, at, n, out->w);
}

// One token: a unit of all rows of a group goes through registers, n columns of block b.
GW_INLINE void add_columns_of_one(const uint32_t format, const uint8_t *at, uint32_t n,
                                  const float *x, gw_vf *total) {
    gw_vf sum[VECTORS], chain[VECTORS];
    for (uint32_t v = 0; v < VECTORS; v++) sum[v] = gw_splat_f(0.0f);
    for (uint32_t c = 0; c < n;) {
        const uint32_t end = c + GW_UNIT < n ? c + GW_UNIT : n;
        for (uint32_t v = 0; v < VECTORS; v++) chain[v] = gw_splat_f(0.0f);
        for (; c < end;
             c += 8, at += GW_GROUP_ROWS * GW_PIECE_BYTES * (format == GW_FMT_f32 ? 2 : 1)) {
            for (uint32_t v = 0; v < VECTORS; v++) {
                gw_vf w[8];
                unpack_eight(format, at + v * GW_LANES * GW_PIECE_BYTES, w);
#pragma GCC unroll 8
                for (uint32_t i = 0; i < 8; i++)
                    chain[v] = chain[v] +
                               gw_times(w[i], gw_load_run(x + c + i / GW_RUN * GW_RUN), i % GW_RUN);
            }
        }
        for (uint32_t v = 0; v < VECTORS; v++) sum[v] = sum[v] + chain[v];
    }
    for (uint32_t v = 0; v < VECTORS; v++) total[v] = total[v] + sum[v];
}
static inline void add_floats_of_one(const gw_row_layout *l, const uint8_t *group, uint64_t b,
                                     uint32_t n, const float *x, gw_vf *total) {
    const uint8_t *at = group + b * l->block_pieces * GW_PIECE_BYTES;
    if (l->format->id == GW_FMT_f32) add_columns_of_one(GW_FMT_f32, at, n, x, total);
    if (l->format->id == GW_FMT_f16) add_columns_of_one(GW_FMT_f16, at, n, x, total);
    if (l->format->id == GW_FMT_bf16) add_columns_of_one(GW_FMT_bf16, at, n, x, total);
}

// One token: the chains of eight units side by side.
static inline void add_float_token(const float_columns *w, const float *x, uint32_t n,
                                   gw_vf *total) {
    gw_vf sum = gw_splat_f(0.0f), chain[8];
    for (uint32_t u = 0; u < 8; u++) chain[u] = sum;
    if (n == GW_BLOCK_MAX) {
        for (uint32_t k = 0; k < GW_UNIT; k += GW_RUN) {
#pragma GCC unroll 8
            for (uint32_t u = 0; u < 8; u++) {
                const uint32_t c = u * GW_UNIT + k;
                gw_vf y = gw_load_run(x + c);
                for (int i = 0; i < GW_RUN; i++)
                    chain[u] = chain[u] + gw_times(w->w[c + (uint32_t)i], y, i);
            }
        }
    } else {
        for (uint32_t c = 0; c < n; c++)
            chain[c / GW_UNIT] = chain[c / GW_UNIT] + w->w[c] * (gw_vf)gw_splat_at(x + c);
    }
    for (uint32_t u = 0; u * GW_UNIT < n; u++) sum = sum + chain[u];
    *total = *total + sum;
}

// Of SIDE vectors of rows; their totals lie n_tok apart.
static inline void add_four_float_tokens(const float_columns *w, const float *const *x, uint32_t n,
                                         gw_vf *total, uint32_t n_tok) {
    gw_vf sum[SIDE][FOUR], chain[SIDE][FOUR];
    for (int v = 0; v < SIDE; v++)
        for (int t = 0; t < FOUR; t++) sum[v][t] = gw_splat_f(0.0f);
    for (uint32_t c = 0; c < n;) {
        uint32_t end = c + GW_UNIT < n ? c + GW_UNIT : n;
        for (int v = 0; v < SIDE; v++)
            for (int t = 0; t < FOUR; t++) chain[v][t] = gw_splat_f(0.0f);
        for (; c < end; c += GW_RUN) {
            for (int t = 0; t < FOUR; t++) {
                gw_vf y = gw_load_run(x[t] + c);
                for (int i = 0; i < GW_RUN; i++)
                    for (int v = 0; v < SIDE; v++)
                        chain[v][t] = chain[v][t] + gw_times(w[v].w[c + (uint32_t)i], y, i);
            }
        }
        for (int v = 0; v < SIDE; v++)
            for (int t = 0; t < FOUR; t++) sum[v][t] = sum[v][t] + chain[v][t];
    }
    for (uint32_t v = 0; v < SIDE; v++)
        for (uint32_t t = 0; t < FOUR; t++) total[v * n_tok + t] = total[v * n_tok + t] + sum[v][t];
}

// --- a part

typedef struct tile {
    const gw_matmul_part *part;
    const gw_matmul_params *p;
    union {
        struct {
            x_block x[X_BLOCKS]; // of some blocks, a block's tokens side by side
            int_block block;
        } ints;
        struct {
            const float *x[GW_TILE_TOKENS];
            float_columns columns[SIDE];
        } floats;
    };
    gw_vf total[GW_TILE_SUMS * VECTORS];
} tile;

static inline const uint8_t *group_at(const tile *t, uint32_t g) {
    return (const uint8_t *)t->part->args->bufs[0] +
           (t->part->group + g) * gw_layout_group_bytes(t->part->layout);
}
static inline gw_vf *totals_of(tile *t, uint32_t g, uint32_t v) {
    return t->total + (g * VECTORS + v) * t->part->n_tok;
}

static inline uint32_t units_of(const tile *t, uint64_t b) {
    const uint32_t left = t->p->n_units - (uint32_t)b * 8;
    return left < 8 ? left : 8;
}

// The activations of blocks first .. end - 1.
static inline void read_activations(tile *t, uint64_t first, uint64_t end) {
    const gw_matmul_part *part = t->part;
    const gw_format *f = part->layout->format;
    int32_t offset = int_formats[f->id].offset;
    if (offset == 0 && f->form != GW_FORM_MIN) offset = GW_SIGNED_BIAS;
    const bool wants_sums = offset != 0 || f->form == GW_FORM_MIN;
    x_block *x = t->ints.x;
    for (uint64_t b = first; b < end; b++) {
        for (uint32_t i = 0; i < part->n_tok; i++, x++) {
            uint64_t at = (uint64_t)(part->tok + i) * t->p->n_units + b * 8;
            x->q = (const int8_t *)part->args->bufs[2] + at * GW_UNIT;
            x->d = (const float *)part->args->bufs[3] + at;
            if (wants_sums) sum_activations(offset, int_formats[f->id].halves, units_of(t, b), x);
        }
    }
}

// Group by group in the order in which they lie: memory is read fastest so.
static inline void add_int_columns(tile *t, uint64_t first, uint64_t end) {
    const gw_matmul_part *part = t->part;
    const gw_format *f = part->layout->format;
    const uint64_t block_bytes = part->layout->block_pieces * GW_PIECE_BYTES;
    const uint8_t *weights_end =
        (const uint8_t *)part->args->bufs[0] + gw_layout_bytes(part->layout, t->p->n_rows);
    read_activations(t, first, end);
    t->ints.block.end = weights_end;
    for (uint32_t v = 0; v < SIDE; v++) t->ints.block.r[v].table = f->table;
    for (uint32_t g = 0; g < part->n_groups; g++) {
        const uint64_t whole_end = units_of(t, end - 1) == 8 ? end : end - 1;
        uint64_t b = first;
        if (part->n_tok == 1 && GW_WIDENS &&
            add_int_columns_of_one(part->layout, group_at(t, g), weights_end, first, whole_end,
                                   t->ints.x, totals_of(t, g, 0)))
            b = whole_end;
        for (; b < end; b++) {
            const x_block *x = t->ints.x + (b - first) * part->n_tok;
            const uint32_t n_units = units_of(t, b);
            if (part->n_tok == 1 && GW_WIDENS && n_units < 8 &&
                add_int_end_of_one(part->layout, group_at(t, g) + b * block_bytes, weights_end,
                                   n_units, x, totals_of(t, g, 0)))
                continue;
            for (uint32_t v = 0; v < VECTORS; v += SIDE) {
                t->ints.block.at = group_at(t, g) + b * block_bytes;
                t->ints.block.row = v * GW_LANES;
                add_ints(f, &t->ints.block, n_units, x, part->n_tok, totals_of(t, g, v));
            }
        }
    }
}

static inline void add_float_columns(tile *t, uint64_t b) {
    const gw_matmul_part *part = t->part;
    uint32_t n_cols = t->p->n_units * GW_FLOAT_UNIT, left = n_cols - (uint32_t)b * GW_BLOCK_MAX;
    uint32_t n = left < GW_BLOCK_MAX ? left : GW_BLOCK_MAX;
    const float **x = t->floats.x;
    for (uint32_t i = 0; i < part->n_tok; i++)
        x[i] = (const float *)part->args->bufs[2] + (uint64_t)(part->tok + i) * n_cols +
               b * GW_BLOCK_MAX;
    for (uint32_t g = 0; g < part->n_groups; g++) {
        if (part->n_tok == 1) {
            add_floats_of_one(part->layout, group_at(t, g), b, n, x[0], totals_of(t, g, 0));
            continue;
        }
        for (uint32_t v = 0; v < VECTORS; v += SIDE) {
            gw_vf *total = totals_of(t, g, v);
            float_columns *w = t->floats.columns;
            uint32_t i = 0;
            for (uint32_t k = 0; k < SIDE; k++)
                unpack_floats(part->layout, group_at(t, g), b, (v + k) * GW_LANES, n, &w[k]);
            for (; i + FOUR <= part->n_tok; i += FOUR)
                add_four_float_tokens(w, x + i, n, total + i, part->n_tok);
            for (; i < part->n_tok; i++)
                for (uint32_t k = 0; k < SIDE; k++)
                    add_float_token(&w[k], x[i], n, total + k * part->n_tok + i);
        }
    }
}

// n rows from y's element `at` on, in the order of rows.
static inline void store_rows(const tile *t, gw_vf sum, uint32_t tok, uint64_t at, uint32_t n) {
    const gw_reference_args *args = t->part->args;
    gw_vf y = gw_flush_v((gw_vf)gw_to_rows((gw_vu)sum)), residual = gw_splat_f(0.0f);
    if (t->p->has_scale) y = gw_flush_v(y * (gw_vf)gw_splat_at((const float *)args->bufs[5] + tok));
    if (t->p->has_residual) {
        memcpy(&residual, (const float *)args->bufs[4] + at, n * sizeof(float));
        y = gw_flush_v(y + residual);
    }
    memcpy((float *)args->bufs[6] + at, &y, n * sizeof(float));
}

static inline void store_tile(tile *t) {
    const gw_matmul_part *part = t->part;
    for (uint32_t g = 0; g < part->n_groups; g++) {
        for (uint32_t v = 0; v < VECTORS; v++) {
            uint32_t row = (part->group + g) * GW_GROUP_ROWS + v * GW_LANES;
            if (row >= t->p->n_rows) break;
            uint32_t left = t->p->n_rows - row, n = left < GW_LANES ? left : GW_LANES;
            for (uint32_t i = 0; i < part->n_tok; i++) {
                uint64_t at = (uint64_t)(part->tok + i) * t->p->y_stride + t->p->row0 + row;
                gw_vf sum = totals_of(t, g, v)[i];
                if (n == GW_LANES) // a copy of a known size is one move
                    store_rows(t, sum, part->tok + i, at, GW_LANES);
                else
                    store_rows(t, sum, part->tok + i, at, n);
            }
        }
    }
}

static inline void gw_matmul_rows(const gw_matmul_part *part) {
    tile t;
    t.part = part;
    t.p = part->args->params;
    for (uint32_t i = 0; i < part->n_groups * VECTORS * part->n_tok; i++)
        t.total[i] = gw_splat_f(0.0f);
    const bool is_float = gw_format_is_float(part->layout->format);
    const uint64_t n = part->layout->n_blocks, step = is_float ? 1 : X_BLOCKS / part->n_tok;
    for (uint64_t b = 0; b < n; b += step) {
        if (is_float)
            add_float_columns(&t, b);
        else
            add_int_columns(&t, b, b + step < n ? b + step : n);
    }
    store_tile(&t);
}

#endif
