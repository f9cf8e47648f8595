// Elementwise: see elementwise.h.
#include "support/elementwise.h"

#include "ops/unary.h"
#include "support/rig.h"

#include <criterion/criterion.h>

typedef struct gated {
    const gw_op *op;
    uint32_t rows, cols;
    bool quantize, columns;
    const void *attrs;
    size_t attr_bytes;
} gated;

static void build_gated(rig_case *c) {
    const gated *s = c->user;
    uint64_t dims[2] = {s->rows, s->cols};
    gw_value *in[2] = {rig_f32(c, "gate", 2, dims), rig_f32(c, "up", 2, dims)};
    if (s->columns) {
        in[0] = rig_columns(c, "gate", 2, dims, 0);
        in[1] = rig_columns(c, "up", 2, dims, 77);
    }
    gw_value *y = rig_node(c, s->op, in, 2, s->attrs, s->attr_bytes);
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

typedef struct unary {
    const gw_op *op;
    uint32_t rows, cols;
    bool columns;
    const void *attrs;
    size_t attr_bytes;
} unary;

static void build_unary(rig_case *c) {
    const unary *s = c->user;
    uint64_t dims[2] = {s->rows, s->cols};
    gw_value *x = s->columns ? rig_columns(c, "x", 2, dims, 7) : rig_f32(c, "x", 2, dims);
    rig_output(c, s->op, &x, 1, s->attrs, s->attr_bytes);
}

// Every kind of values, and every tuning.
static void compare(rig *r, rig_build build, const void *user, const char *label) {
    for (int fill = 0; fill < RIG_N_FILLS; fill++)
        rig_compare(r, build, user, (rig_fill)fill, label);
    rig_compare_tunes(r, build, user, RIG_NORMAL, label);
}

void elementwise_gated(const gw_op *op) {
    elementwise_gated_with(op, NULL, 0);
}

void elementwise_gated_with(const gw_op *op, const void *attrs, size_t attr_bytes) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    gated shapes[] = {{op, 1, 1, false, false, NULL, 0},  {op, 3, 33, false, false, NULL, 0},
                      {op, 2, 64, true, false, NULL, 0},  {op, 31, 96, true, false, NULL, 0},
                      {op, 31, 33, false, true, NULL, 0}, {op, 7, 96, true, true, NULL, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shapes[i].attrs = attrs;
        shapes[i].attr_bytes = attr_bytes;
        compare(&r, build_gated, &shapes[i], op->name);
    }
    rig_close(&r);
}

void elementwise_unary(const gw_op *op, const void *const attrs[2], size_t attr_bytes) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[4][2] = {{1, 1}, {3, 33}, {31, 96}, {7, 260}};
    for (uint32_t i = 0; i < 4; i++) {
        const unary s = {op, sizes[i][0], sizes[i][1], i >= 2, attrs[i % 2], attr_bytes};
        compare(&r, build_unary, &s, op->name);
    }
    rig_close(&r);
}

float elementwise_apply(const gw_op *op, float x, float a, float b) {
    float y = 0.0f;
    const gw_unary_params p = {.n = 1, .n_rows = 1, .x = {.run = 1, .stride = 1}, .a = a, .b = b};
    gw_reference_args args = {.params = &p, .bufs = {&x, &y}};
    gw_reference(op, &args);
    return y;
}
