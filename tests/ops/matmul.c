// matmul against its reference, bit for bit: every format, awkward shapes and values, every tiling.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

typedef struct shape {
    uint32_t format, rows, cols, n_tok;
    bool residual, scale;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t x_dims[2] = {s->n_tok, s->cols}, y_dims[2] = {s->n_tok, s->rows};
    uint64_t scale_dims[2] = {s->n_tok, 1};
    gw_value *in[4] = {rig_weight(c, gw_format_at(s->format), s->rows, s->cols),
                       rig_f32(c, "x", 2, x_dims)};
    if (s->scale) in[3] = rig_f32(c, "scale", 2, scale_dims);
    gw_value *y = rig_node(c, &gw_op_matmul, in, s->scale ? 4 : 2, NULL, 0);
    if (!s->residual) {
        y->keep = true;
        return;
    }
    gw_value *sum[2] = {y, rig_f32(c, "r", 2, y_dims)};
    rig_output(c, &gw_op_add, sum, 2, NULL, 0);
}

static void compare_shape(rig *r, const shape *s, rig_fill fill, bool tunes) {
    char label[96];
    snprintf(label, sizeof label, "%s [%u, %u] x %u%s%s", gw_format_at(s->format)->name, s->rows,
             s->cols, s->n_tok, s->scale ? " * scale" : "", s->residual ? " + residual" : "");
    if (tunes)
        rig_compare_tunes(r, build, s, fill, label);
    else
        rig_compare(r, build, s, fill, label);
}

// The next whole number of blocks.
static uint32_t whole(uint32_t format, uint32_t cols) {
    uint32_t block = gw_format_at(format)->block;
    return (cols + block - 1) / block * block;
}

static const uint32_t shapes[][3] = {
    {1, 32, 1}, {33, 64, 1}, {31, 96, 3}, {7, 544, 5}, {65, 1056, 2}, {130, 512, 33}, {70, 800, 1},
};

Test(ops, matmul) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t format = 0; format < GW_FMT_COUNT; format++) {
        if (!rig_sees(format)) continue;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            shape s = {format,       shapes[i][0], whole(format, shapes[i][1]),
                       shapes[i][2], i % 2,        i / 2 % 2};
            compare_shape(&r, &s, (rig_fill)(i % RIG_N_FILLS), i == 3);
        }
        shape s = {format, 9, whole(format, 544), 3, true, true};
        shape one = {format, 40, whole(format, 544), 1, false, true};
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            compare_shape(&r, &s, (rig_fill)fill, false);
            compare_shape(&r, &one, (rig_fill)fill, false);
        }
    }
    rig_close(&r);
}

// Tiles more than one wide, and more blocks than groups share (16 x 16 results, 8 groups), of each form of term.
Test(ops, matmul_in_tiles) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t formats[] = {GW_FMT_q8_0, GW_FMT_q4_k, GW_FMT_q6_k, GW_FMT_q2_k,
                                       GW_FMT_nvfp4};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!rig_sees(i)) continue;
        shape s = {formats[i], 37, whole(formats[i], 9 * 256 + 32), 19, i % 2, i / 2 % 2};
        compare_shape(&r, &s, RIG_MIXED, true);
    }
    rig_close(&r);
}

// Rows that are no whole unit go through pad_rows; only float formats have them.
Test(ops, matmul_odd_rows) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t cols[] = {1, 7, 31, 33, 129};
    for (uint32_t format = GW_FMT_f32; format <= GW_FMT_bf16; format++) {
        for (size_t i = 0; i < sizeof cols / sizeof *cols; i++) {
            shape s = {format, 5, cols[i], 2, false, true};
            compare_shape(&r, &s, RIG_NORMAL, false);
        }
    }
    rig_close(&r);
}

// A constant that another op reads as plain fp32 rows is laid out so: its groups are of one row.
static void build_twice_read(rig_case *c) {
    enum { N = 37, COLS = 72 };
    uint64_t dims[2] = {N, COLS};
    gw_value *w = rig_weight(c, gw_format_at(GW_FMT_f32), N, COLS);
    gw_value *sum[2] = {rig_f32(c, "x", 2, dims), w};
    gw_value *in[2] = {w, rig_node(c, &gw_op_add, sum, 2, NULL, 0)};
    rig_output(c, &gw_op_matmul, in, 2, NULL, 0);
}

Test(ops, matmul_of_plain_rows) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    rig_compare_tunes(&r, build_twice_read, NULL, RIG_NORMAL, "matmul of plain rows");
    rig_close(&r);
}

// --- the reference itself ------------------------------------------------------------------------

enum { REF_ROWS = 5, REF_COLS = 1024, REF_TOKENS = 6 };

// Weight k of a row of the file, in double, from what the format says a unit is.
static double weight_of(const gw_format *f, const uint8_t *row, uint32_t k) {
    uint32_t in_block = k % f->block, h = k % GW_UNIT / 16, i = k % GW_UNIT;
    const uint8_t *block = row + k / f->block * f->block_bytes;
    if (gw_format_is_float(f)) {
        float w;
        f->widen(block, 1, &w);
        return (double)w;
    }
    gw_unit u = {.s = {1, 1}};
    f->decode(block, in_block / GW_UNIT, &u);
    if (f->form == GW_FORM_PLAIN) return (double)u.d * u.q[i];
    if (f->form == GW_FORM_PAIR) return (double)(h ? u.m : u.d) * u.q[i];
    double min = f->form == GW_FORM_MIN ? (double)u.m * u.z[h] : 0.0;
    return (double)u.d * u.s[h] * u.q[i] - min;
}

// Activations of both kinds; value_of says what they stand for.
static float ref_floats[REF_TOKENS][REF_COLS], ref_scales[REF_TOKENS][REF_COLS / GW_UNIT];
static int8_t ref_ints[REF_TOKENS][REF_COLS];

static double value_of(bool is_float, uint32_t t, uint32_t k) {
    return is_float ? (double)ref_floats[t][k]
                    : (double)ref_scales[t][k / GW_UNIT] * ref_ints[t][k];
}

static void draw_activations(void) {
    const uint32_t key[2] = {4, 2};
    uint32_t drawn = 0;
    for (int t = 0; t < REF_TOKENS; t++) {
        for (int k = 0; k < REF_COLS; k++) {
            ref_ints[t][k] = (int8_t)((int)(gw_philox(key[0], key[1], drawn++) % 255) - 127);
            ref_floats[t][k] = cosf((float)(k * 3 + t));
            ref_scales[t][k / GW_UNIT] = 0.001f * (float)(1 + (k / GW_UNIT + t) % 7);
        }
    }
}

// Bounds what rounding can do in any order: it finds a wrong sign, scale, minimum or place.
static void check_against_double(const gw_format *f) {
    static uint8_t file[REF_ROWS][REF_COLS * 4];
    static float y[REF_TOKENS][REF_ROWS];
    bool is_float = gw_format_is_float(f);
    gw_row_layout layout;
    gw_layout_of(f, REF_COLS, GW_GROUP_ROWS, &layout);
    uint8_t *rows = calloc(gw_layout_bytes(&layout, REF_ROWS), 1);
    cr_assert(rows);
    for (uint32_t r = 0; r < REF_ROWS; r++) {
        float w[REF_COLS];
        for (uint32_t k = 0; k < REF_COLS; k++) w[k] = sinf((float)(k * (r + 2))) + 0.2f;
        f->quantize(w, NULL, REF_COLS, file[r]);
        for (uint64_t b = 0; b < layout.n_blocks; b++) {
            cr_assert(gw_layout_put(&layout, file[r], b, r, rows), "%s", f->name);
        }
    }
    struct {
        uint32_t format, n_rows, n_units, n_tok, row0, y_stride, has_residual, has_scale;
        gw_weight_params w;
    } params = {f->id,      REF_ROWS, (uint32_t)layout.n_units,
                REF_TOKENS, 0,        REF_ROWS,
                0,          0,        {(uint32_t)layout.group_pieces, GW_GROUP_ROWS}};
    void *x = is_float ? (void *)ref_floats : (void *)ref_ints;
    gw_reference_args args = {.params = &params,
                              .bufs = {rows, (void *)(uintptr_t)f->table, x, ref_scales, x, x, y}};
    gw_reference(&gw_op_matmul, &args);
    for (uint32_t t = 0; t < REF_TOKENS; t++) {
        for (uint32_t r = 0; r < REF_ROWS; r++) {
            double sum = 0.0, size = 0.0;
            for (uint32_t k = 0; k < REF_COLS; k++) {
                double term = weight_of(f, file[r], k) * value_of(is_float, t, k);
                sum += term;
                size += fabs(term);
            }
            cr_assert(fabs((double)y[t][r] - sum) <= size * 4e-7,
                      "%s, row %u, token %u: %g, %g wanted", f->name, r, t, (double)y[t][r], sum);
        }
    }
    free(rows);
}

Test(ops, matmul_reference_is_a_product) {
    draw_activations();
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) check_against_double(gw_format_at(id));
}
