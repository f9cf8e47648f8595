// The tiling of matmul's cooperative-matrix variant (shaders/lib/matmul_coopmat.glsl) in plain C,
// against the op's reference, bit for bit, for all shapes of matrices that the shader takes; the
// one software driver that has such matrices (tools/drivers: lavapipe26) has 8 x 8 x 8 alone. What
// the shader keeps in shared memory is here in the same arrays with the same offsets and strides,
// and a matrix product is what VK_KHR_cooperative_matrix says of it: M x K bytes times K x N bytes,
// 32-bit sums.
#include "base/exact.h"
#include "ops/ops.h"
#include "ops/product.h"
#include "quant/quant.h"
#include "run/cases.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ROWS = 41, COLS = 768, TOKENS = 35, UNITS = COLS / GW_UNIT };
enum { TILE_ROWS = 32, TILE_TOKS = 32 };

// Matrices of m x k bytes times k x n bytes.
typedef struct shape {
    uint32_t m, n, k;
} shape;

// One workgroup's shared memory.
static uint32_t sw[2 * TILE_ROWS * 8], sx[TILE_TOKS * 8];
static int32_t sdot[2 * 256];
static gw_unit units[TILE_ROWS];
static float sxd[TILE_TOKS];
static int32_t ssum[TILE_TOKS][2];

typedef struct product {
    const gw_format *format;
    uint32_t *quants, *sides;
    uint64_t q_stride, s_stride;
    gw_row_layout layout;
    uint8_t *rows; // the same as the reference reads them
    int8_t *x;     // [TOKENS, COLS]
    float *xd;     // [TOKENS, UNITS]
} product;

static bool halves_of(const gw_format *f) {
    return f->form != GW_FORM_PLAIN;
}

static void load_unit(const product *p, uint32_t row0, uint32_t tok0, uint32_t u, shape s) {
    bool split = halves_of(p->format) && s.k == 32;
    for (uint32_t r = 0; r < TILE_ROWS; r++) {
        uint32_t row = row0 + r < ROWS ? row0 + r : ROWS - 1;
        gw_packed packed = {.quants = p->quants + row * p->q_stride,
                            .sides = p->sides + row * p->s_stride,
                            .n_units = UNITS,
                            .table = p->format->table};
        units[r] = (gw_unit){.s = {1, 1}};
        p->format->unpack(&packed, u, &units[r]);
        uint32_t w[8];
        memcpy(w, units[r].q, sizeof w);
        for (uint32_t i = 0; i < 8; i++) {
            sw[r * 8 + i] = split && i >= 4 ? 0 : w[i];
            if (split) sw[(TILE_ROWS + r) * 8 + i] = i >= 4 ? w[i] : 0;
        }
    }
    for (uint32_t t = 0; t < TILE_TOKS; t++) {
        uint32_t tok = tok0 + t < TOKENS ? tok0 + t : TOKENS - 1;
        const int8_t *x = p->x + (size_t)tok * COLS + u * GW_UNIT;
        memcpy(sx + t * 8, x, GW_UNIT);
        ssum[t][0] = ssum[t][1] = 0;
        for (int i = 0; i < GW_UNIT; i++) ssum[t][i / 16] += x[i];
        sxd[t] = p->xd[(size_t)tok * UNITS + u];
    }
}

// c += A B; A: row-major from word `a` of sw, B: column-major from word `b` of sx, both of 8 words
// from a row (a column) to the next.
static void mul_add(int32_t *c, uint32_t a, uint32_t b, shape s) {
    const int8_t *wa = (const int8_t *)(sw + a), *xb = (const int8_t *)(sx + b);
    for (uint32_t i = 0; i < s.m * s.n; i++) {
        for (uint32_t k = 0; k < s.k; k++) {
            c[i] += (int32_t)wa[i / s.n * 32 + k] * xb[i % s.n * 32 + k];
        }
    }
}

static void dots(bool halves, uint32_t rt, uint32_t tt, shape s) {
    uint32_t w_at = rt * s.m * 8, x_at = tt * s.n * 8;
    int32_t *low = sdot, *high = sdot + s.m * s.n;
    memset(sdot, 0, sizeof sdot);
    for (uint32_t k = 0; k < 32; k += s.k) {
        mul_add(halves && k >= 16 ? high : low, w_at + k / 4, x_at + k / 4, s);
    }
    if (halves && s.k == 32) mul_add(high, TILE_ROWS * 8 + w_at, x_at, s);
}

static void workgroup(const product *p, uint32_t row0, uint32_t tok0, shape of, float *y) {
    uint32_t row_tiles = TILE_ROWS / of.m, tok_tiles = TILE_TOKS / of.n, tile_n = of.m * of.n;
    bool halves = halves_of(p->format);
    static float acc[TILE_ROWS][TILE_TOKS], total[TILE_ROWS][TILE_TOKS];
    memset(total, 0, sizeof total);
    for (uint32_t first = 0; first < UNITS; first += 8) { // a block of 256 columns
        memset(acc, 0, sizeof acc);
        for (uint32_t u = first; u < UNITS && u < first + 8; u++) {
            load_unit(p, row0, tok0, u, of);
            for (uint32_t tile = 0; tile < row_tiles * tok_tiles; tile++) {
                uint32_t rt = tile / tok_tiles, tt = tile % tok_tiles;
                dots(halves, rt, tt, of);
                for (uint32_t at = 0; at < tile_n; at++) {
                    uint32_t r = rt * of.m + at / of.n, t = tt * of.n + at % of.n;
                    int32_t dot[2] = {sdot[at], halves ? sdot[tile_n + at] : 0};
                    float more = gw_term_of_dots(p->format->form, &units[r], dot, ssum[t], sxd[t]);
                    acc[r][t] = acc[r][t] + more;
                }
            }
        }
        for (int r = 0; r < TILE_ROWS; r++) {
            for (int t = 0; t < TILE_TOKS; t++) total[r][t] = total[r][t] + acc[r][t];
        }
    }
    for (uint32_t r = 0; r < TILE_ROWS && row0 + r < ROWS; r++) {
        for (uint32_t t = 0; t < TILE_TOKS && tok0 + t < TOKENS; t++) {
            y[(size_t)(tok0 + t) * ROWS + row0 + r] = gw_flush(total[r][t]);
        }
    }
}

static void random_rows(const gw_format *f, product *p) {
    uint32_t drawn = f->id * 1000003u;
    const uint32_t key[2] = {9, 9};
    uint8_t row[COLS * 4];
    p->q_stride = gw_format_quant_row(f, COLS);
    p->s_stride = gw_format_side_row(f, COLS);
    p->quants = calloc(ROWS * p->q_stride, 4);
    p->sides = calloc(ROWS * p->s_stride + 1, 4);
    gw_layout_of(f, COLS, GW_GROUP_ROWS, &p->layout);
    p->rows = calloc(gw_layout_bytes(&p->layout, ROWS), 1);
    cr_assert(p->quants && p->sides && p->rows);
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t b = 0; b < COLS / f->block; b++) {
            gw_case_random_block(f, key, &drawn, 0x1p20f, row + b * f->block_bytes);
        }
        gw_packed packed = {.quants = p->quants + r * p->q_stride,
                            .sides = p->sides + r * p->s_stride,
                            .n_units = UNITS};
        cr_assert(f->repack(row, COLS, &packed), "%s", f->name);
        gw_layout_put(&p->layout, &packed, r % GW_GROUP_ROWS,
                      p->rows + r / GW_GROUP_ROWS * gw_layout_group_bytes(&p->layout));
    }
}

static void compare_shape(const product *p, shape s, float *y, const float *want) {
    memset(y, 0, (size_t)TOKENS * ROWS * sizeof *y);
    for (uint32_t row0 = 0; row0 < ROWS; row0 += TILE_ROWS) {
        for (uint32_t tok0 = 0; tok0 < TOKENS; tok0 += TILE_TOKS) {
            workgroup(p, row0, tok0, s, y);
        }
    }
    for (uint32_t i = 0; i < TOKENS * ROWS; i++) {
        cr_assert(gw_bits(y[i]) == gw_bits(want[i]),
                  "%s, %u x %u x %u: token %u, row %u: %a, %a wanted", p->format->name, s.m, s.n,
                  s.k, i / ROWS, i % ROWS, (double)y[i], (double)want[i]);
    }
}

static void compare(const gw_format *f) {
    product p = {.format = f};
    random_rows(f, &p);
    float *y = malloc(2 * (size_t)TOKENS * ROWS * sizeof *y), *want = y + TOKENS * ROWS;
    p.x = malloc((size_t)TOKENS * COLS);
    p.xd = malloc((size_t)TOKENS * UNITS * sizeof *p.xd);
    cr_assert(y && p.x && p.xd);
    for (uint32_t i = 0; i < TOKENS * COLS; i++) {
        int q = (int)(gw_philox(1, 2, i) % 255) - 127;
        p.x[i] = (int8_t)(i % 5 ? q : q < 0 ? -127 : 127);
    }
    for (uint32_t i = 0; i < TOKENS * UNITS; i++)
        p.xd[i] = (float)(gw_philox(1, 3, i) >> 8) * 0x1p-30f;
    struct {
        uint32_t format, n_rows, n_units, n_tok, row0, y_stride, has_residual;
        gw_weight_params w;
    } params = {f->id, ROWS, UNITS, TOKENS,
                0,     ROWS, 0,     {(uint32_t)p.layout.group_pieces, GW_GROUP_ROWS}};
    gw_reference_args args = {.params = &params,
                              .bufs = {p.rows, (void *)(uintptr_t)f->table, p.x, p.xd, y, want}};
    gw_op_matmul.reference(&args);
    for (uint32_t i = 0; i < 12; i++)
        compare_shape(&p, (shape){8 << i % 2, 8 << i / 2 % 2, 8 << i / 4}, y, want);
    free(p.quants);
    free(p.sides);
    free(p.rows);
    free(p.x);
    free(p.xd);
    free(y);
}

Test(ops, matmul_coopmat_tiling) {
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        if (!gw_format_is_float(gw_format_at(id))) compare(gw_format_at(id));
    }
}
