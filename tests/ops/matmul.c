// matmul against its reference, bit for bit: every format, awkward shapes and values, every tiling.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

typedef struct shape {
    uint32_t format, rows, cols, n_tok;
    bool residual;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t x_dims[2] = {s->n_tok, s->cols}, y_dims[2] = {s->n_tok, s->rows};
    gw_value *in[2] = {rig_weight(c, gw_format_at(s->format), s->rows, s->cols),
                       rig_f32(c, "x", 2, x_dims)};
    if (!s->residual) {
        rig_output(c, &gw_op_matmul, in, 2, NULL, 0);
        return;
    }
    gw_value *sum[2] = {rig_node(c, &gw_op_matmul, in, 2, NULL, 0), rig_f32(c, "r", 2, y_dims)};
    rig_output(c, &gw_op_add, sum, 2, NULL, 0);
}

static void compare_shape(rig *r, const shape *s, rig_fill fill, bool tunes) {
    char label[96];
    snprintf(label, sizeof label, "%s [%u, %u] x %u%s", gw_format_at(s->format)->name, s->rows,
             s->cols, s->n_tok, s->residual ? " + residual" : "");
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
    {1, 32, 1}, {33, 64, 1}, {31, 96, 3}, {7, 544, 5}, {65, 1056, 2}, {130, 512, 33},
};

Test(ops, matmul) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (uint32_t format = 0; format < GW_FMT_COUNT; format++) {
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            shape s = {format, shapes[i][0], whole(format, shapes[i][1]), shapes[i][2], i % 2};
            compare_shape(&r, &s, (rig_fill)(i % RIG_N_FILLS), i == 3);
        }
        shape s = {format, 9, whole(format, 544), 3, true};
        for (int fill = 0; fill < RIG_N_FILLS; fill++) compare_shape(&r, &s, (rig_fill)fill, false);
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
            shape s = {format, 5, cols[i], 2, false};
            compare_shape(&r, &s, RIG_NORMAL, false);
        }
    }
    rig_close(&r);
}

// The reference itself, against a plain double sum: an order-free bound on what rounding can do.
Test(ops, matmul_reference_is_a_product) {
    enum { ROWS = 3, COLS = 96 };
    float w[ROWS * COLS], x[COLS];
    uint32_t words[ROWS * COLS];
    float y[ROWS];
    for (int i = 0; i < ROWS * COLS; i++) w[i] = sinf((float)i);
    for (int i = 0; i < COLS; i++) x[i] = cosf((float)(i * 3));
    for (int r = 0; r < ROWS; r++) {
        gw_packed row = {.quants = words + r * COLS};
        cr_assert(gw_format_f32.repack((const uint8_t *)(w + r * COLS), COLS, &row));
    }
    struct {
        uint32_t format, n_rows, n_units, n_tok, row0, y_stride, has_residual, strides[3];
    } params = {GW_FMT_f32, ROWS, COLS / 8, 1, 0, ROWS, 0, {COLS, 0, 0}};
    gw_reference_args args = {.params = &params, .bufs = {words, words, words, x, x, x, y}};
    gw_op_matmul.reference(&args);
    for (int r = 0; r < ROWS; r++) {
        double sum = 0.0, size = 0.0;
        for (int k = 0; k < COLS; k++) {
            sum += (double)w[r * COLS + k] * (double)x[k];
            size += fabs((double)w[r * COLS + k] * (double)x[k]);
        }
        cr_assert(fabs((double)y[r] - sum) <= size * 1e-5, "row %d: %g, %g wanted", r, (double)y[r],
                  sum);
    }
}
