// softcap against its reference, of columns, too; and the reference against libm.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t rows, cols;
    bool columns;
    gw_softcap_attrs attrs;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->rows, s->cols};
    gw_value *x = s->columns ? rig_columns(c, "x", 2, dims, 7) : rig_f32(c, "x", 2, dims);
    rig_output(c, &gw_op_softcap, &x, 1, &s->attrs, sizeof s->attrs);
}

Test(ops, softcap) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const shape shapes[] = {{1, 1, false, {30.0f}},
                                   {3, 33, false, {1.5f}},
                                   {31, 96, true, {30.0f}},
                                   {7, 260, true, {1.5f}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++) {
            rig_compare(&r, build, &shapes[i], (rig_fill)fill, "softcap");
        }
        rig_compare_tunes(&r, build, &shapes[i], RIG_NORMAL, "softcap");
    }
    rig_close(&r);
}

typedef struct params { // gw_unary_params
    uint32_t n, n_rows, first, run, stride;
    float a, b;
    uint32_t groups_x;
} params;

Test(ops, softcap_reference_is_softcap) {
    for (int form = 0; form < 2; form++) {
        for (double at = -40.0; at < 40.0; at += 0.0137) {
            float x = (float)at, y = 0.0f;
            params p = {.n = 1,
                        .n_rows = 1,
                        .run = 1,
                        .stride = 1,
                        .a = form ? 1.0f / 5.0f : 1.0f / 30.0f,
                        .b = form ? 5.0f : 30.0f};
            gw_reference_args args = {.params = &p, .bufs = {&x, &y}};
            gw_reference(&gw_op_softcap, &args);
            double want = (form ? 5.0 : 30.0) * tanh((double)x / (form ? 5.0 : 30.0));
            cr_assert(fabs((double)y - want) <= fabs(want) * 2e-6 + 1e-10,
                      "form %d: %g gives %g, %g wanted", form, at, (double)y, want);
        }
    }
}
