// rms_norm against its reference, alone and fused with quantize_q8; and the reference against double.
#include "ops/rms_norm.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct shape {
    uint32_t n, n_rows;
    float eps;
    bool quantize, folded;
} shape;

static void build(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->n_rows, s->n};
    gw_rms_norm_attrs attrs = {.eps = s->eps, .folded = s->folded};
    gw_value *in[2] = {rig_f32(c, "x", 2, dims), rig_weight(c, &gw_format_f32, 0, s->n)};
    gw_value *y = rig_node(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
    if (s->folded) c->graph.nodes.items[c->graph.nodes.n - 1]->outputs[1]->keep = true;
    if (s->quantize)
        rig_output(c, &gw_op_quantize_q8, &y, 1, NULL, 0);
    else
        y->keep = true;
}

// Rows of a view, as a model's last token is: with rows of 128 bytes, say, they begin where no
// binding may begin on some devices.
static void build_view(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->n_rows + 3, s->n};
    gw_rms_norm_attrs attrs = {.eps = s->eps};
    gw_value *sum[2] = {rig_f32(c, "a", 2, dims), rig_f32(c, "b", 2, dims)}, *in[2];
    gw_value *x = rig_node(c, &gw_op_add, sum, 2, NULL, 0);
    cr_assert(gw_graph_view(&c->graph, x, 3, s->n_rows, &in[0], NULL) == GODWIT_OK);
    in[1] = rig_weight(c, &gw_format_f32, 0, s->n);
    rig_output(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
}

Test(ops, rms_norm_of_a_view) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {1, 8, 32, 33, 48, 64, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        shape s = {sizes[i], 1 + (uint32_t)i % 2, 1e-5f, false, false};
        rig_compare(&r, build_view, &s, RIG_NORMAL, "rms_norm of a view");
    }
    rig_close(&r);
}

// Heads in columns, as those of a joined product are.
static void build_columns(rig_case *c) {
    const shape *s = c->user;
    uint64_t dims[2] = {s->n_rows, 3 * (uint64_t)s->n}, heads[3] = {s->n_rows, 3, s->n};
    gw_rms_norm_attrs attrs = {.eps = s->eps};
    gw_value *in[2] = {rig_columns(c, "x", 2, dims, s->quantize ? 5 : s->n)};
    cr_assert(gw_graph_reshape(&c->graph, in[0], 3, heads, &in[0], NULL) == GODWIT_OK);
    in[1] = rig_weight(c, &gw_format_f32, 0, s->n);
    rig_output(c, &gw_op_rms_norm, in, 2, &attrs, sizeof attrs);
}

Test(ops, rms_norm_of_columns) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {8, 33, 64, 128};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t odd = 0; odd < 2; odd++) {
            shape s = {sizes[i], 1 + 2 * (uint32_t)i, 1e-5f, odd, false};
            rig_compare_tunes(&r, build_columns, &s, RIG_NORMAL, "rms_norm of columns");
        }
    }
    rig_close(&r);
}

Test(ops, rms_norm) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[][2] = {{1, 1}, {31, 2}, {33, 1}, {64, 3}, {1000, 2}, {4096, 1}};
    for (int fill = 0; fill < RIG_N_FILLS; fill++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            shape s = {sizes[i][0], sizes[i][1], i % 2 ? 1e-5f : 0.0f, false, false};
            rig_compare(&r, build, &s, (rig_fill)fill, "rms_norm");
            s.quantize = s.n % 32 == 0;
            if (s.quantize) rig_compare(&r, build, &s, (rig_fill)fill, "rms_norm, quantized");
            s.folded = true;
            rig_compare(&r, build, &s, (rig_fill)fill, "rms_norm, folded");
        }
    }
    shape s = {288, 5, 1e-5f, true, false};
    rig_compare_tunes(&r, build, &s, RIG_NORMAL, "rms_norm, quantized");
    s.quantize = false;
    rig_compare_tunes(&r, build, &s, RIG_MIXED, "rms_norm");
    s.folded = true;
    rig_compare_tunes(&r, build, &s, RIG_MIXED, "rms_norm, folded");
    rig_close(&r);
}

// Rows longer than what a kernel takes at once (4,096), and what is left of them: of a unit, of a
// block, nothing.
Test(ops, rms_norm_of_long_rows) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    static const uint32_t sizes[] = {4097, 4128, 4360, 8191, 8192, 13000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        shape s = {sizes[i], 2, 1e-5f, sizes[i] % 32 == 0, i % 2};
        rig_compare(&r, build, &s, RIG_NORMAL, "rms_norm of a long row");
        rig_compare_tunes(&r, build, &s, RIG_MIXED, "rms_norm of a long row");
    }
    rig_close(&r);
}

Test(ops, rms_norm_reference_is_the_norm) {
    enum { MAX = 14336 };
    static float x[MAX], w[MAX], y[MAX];
    static const uint32_t sizes[] = {1, 31, 576, 4096, MAX};
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t n = sizes[i % 5];
        double sum = 0.0, eps = 1e-5;
        for (uint32_t k = 0; k < n; k++) {
            x[k] = (float)(int32_t)gw_philox(i, 1, k) * 0x1p-30f * (k % 97 ? 1.0f : 100.0f);
            w[k] = (float)(int32_t)gw_philox(i, 2, k) * 0x1p-31f;
            sum += (double)x[k] * (double)x[k];
        }
        double scale = 1.0 / sqrt(sum / n + eps);
        gw_rms_norm_params p = {.n = n,
                                .n_rows = 1,
                                .inv_n = 1.0f / (float)n,
                                .eps = (float)eps,
                                .x = {.run = n, .stride = n}};
        gw_reference_args args = {.params = &p, .bufs = {x, w, y, y}};
        gw_reference(&gw_op_rms_norm, &args);
        for (uint32_t k = 0; k < n; k++) {
            double want = (double)x[k] * scale * (double)w[k];
            cr_assert(fabs((double)y[k] - want) <= fabs(want) * 8e-7 + 0x1p-40,
                      "%u values: y[%u] = %g, %g wanted", n, k, (double)y[k], want);
        }
    }
}

// The order itself, in the contract's words: x[i]^2 of a unit by halves, units in order inside a
// block of eight, blocks in order.
Test(ops, rms_norm_reference_adds_in_the_contract_s_order) {
    enum { N = 32 * 19 + 5 };
    static float x[N], w[N], y[N];
    float total = 0.0f, block = 0.0f;
    for (uint32_t k = 0; k < N; k++) {
        x[k] = (float)(int32_t)gw_philox(5, 6, k) * 0x1p-30f;
        w[k] = 1.0f;
    }
    for (uint32_t u = 0; u * 32 < N; u++) {
        float s[32];
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t k = u * 32 + i;
            s[i] = k < N ? x[k] * x[k] : 0.0f;
        }
        for (uint32_t i = 0; i < 16; i++) s[i] = s[i] + s[i + 16];
        for (uint32_t i = 0; i < 8; i++) s[i] = s[i] + s[i + 8];
        for (uint32_t i = 0; i < 4; i++) s[i] = s[i] + s[i + 4];
        block = u % 8 ? block + ((s[0] + s[2]) + (s[1] + s[3])) : (s[0] + s[2]) + (s[1] + s[3]);
        if (u % 8 == 7 || u * 32 + 32 >= N) total = total + block;
    }
    float v = total * (1.0f / (float)N);
    float g = gw_flush(gw_rsqrt(v + 1e-5f));
    gw_rms_norm_params p = {
        .n = N, .n_rows = 1, .inv_n = 1.0f / (float)N, .eps = 1e-5f, .x = {.run = N, .stride = N}};
    gw_reference_args args = {.params = &p, .bufs = {x, w, y, y}};
    gw_reference(&gw_op_rms_norm, &args);
    for (uint32_t k = 0; k < N; k++) {
        cr_assert(gw_bits(y[k]) == gw_bits(gw_flush(gw_flush(x[k] * g) * w[k])), "y[%u] = %g", k,
                  (double)y[k]);
    }
}
