// What passes may and may not do: fusing, folding and aliasing change no bit of a result, dead
// nodes go, and barriers stand where data flows.
#include "godwit/godwit.h"

#include "base/exact.h"

#include <criterion/criterion.h>
#include <string.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

enum { ROWS = 64, COLS = 32 };

static godwit_graph *graph;
static godwit_context *context;
static godwit_device *device;

static void open_graph(void) {
    MUST(godwit_context_create(NULL, &context, &err));
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    MUST(godwit_graph_create(device, &graph, &err));
}

static void close_graph(void) {
    godwit_context_destroy(&context);
    godwit_device_close(&device);
    godwit_graph_destroy(&graph);
}

static godwit_value op(const char *name, godwit_value a, godwit_value b) {
    godwit_value in[2] = {a, b}, out = 0;
    MUST(godwit_graph_op(graph, name, in, 2, NULL, 0, &out, &err));
    return out;
}

// y = W x + r with tiny numbers (products of 1 to 8 times 2^-43), where one flush too few would
// show. Keeping the product apart (an output) forbids the fusion.
static void product_plus_residual(bool apart, float *out) {
    uint64_t w_dims[2] = {ROWS, COLS}, x_dims[2] = {1, COLS}, r_dims[2] = {1, ROWS};
    static float w[ROWS * COLS], x[COLS], r[ROWS];
    godwit_value vw, vx, vr;
    for (int i = 0; i < ROWS * COLS; i++) w[i] = 0x1p-20f * (float)(i % 17 - 8);
    for (int i = 0; i < COLS; i++) x[i] = i ? 0.0f : 0x1p-23f;
    for (int i = 0; i < ROWS; i++) r[i] = 0x1p-40f * (1.0f + (float)i / 64.0f);
    open_graph();
    MUST(godwit_graph_constant(graph, "w", GODWIT_F32, 2, w_dims, w, sizeof w, &vw, &err));
    MUST(godwit_graph_input(graph, "x", GODWIT_F32, 2, x_dims, &vx, &err));
    MUST(godwit_graph_input(graph, "r", GODWIT_F32, 2, r_dims, &vr, &err));
    godwit_value product = op("matmul", vw, vx), sum = op("add", product, vr);
    if (apart) MUST(godwit_graph_output(graph, product, &err));
    MUST(godwit_graph_output(graph, sum, &err));
    MUST(godwit_graph_compile(graph, &err));
    MUST(godwit_graph_write(graph, vx, x, sizeof x, &err));
    MUST(godwit_graph_write(graph, vr, r, sizeof r, &err));
    MUST(godwit_graph_run(graph, &err));
    MUST(godwit_graph_read(graph, sum, out, ROWS * sizeof *out, &err));
    close_graph();
}

Test(graph, fusing_a_residual_changes_no_bit) {
    static float fused[ROWS], apart[ROWS];
    product_plus_residual(false, fused);
    product_plus_residual(true, apart);
    for (int i = 0; i < ROWS; i++) {
        cr_assert(gw_bits(fused[i]) == gw_bits(apart[i]), "row %d: %a fused, %a apart", i,
                  (double)fused[i], (double)apart[i]);
    }
}

// Two constants added are folded; the sum must be what the device would have made.
Test(graph, folded_constants_have_the_same_values) {
    uint64_t dims[2] = {2, 3};
    float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {0.5f, 0x1p-50f, -3, -0.0f, 1e20f, 0x1p-39f}, y[6];
    godwit_value va, vb, vx;
    open_graph();
    MUST(godwit_graph_constant(graph, "a", GODWIT_F32, 2, dims, a, sizeof a, &va, &err));
    MUST(godwit_graph_constant(graph, "b", GODWIT_F32, 2, dims, b, sizeof b, &vb, &err));
    MUST(godwit_graph_input(graph, "x", GODWIT_F32, 2, dims, &vx, &err));
    godwit_value out = op("mul", vx, op("add", va, vb));
    MUST(godwit_graph_output(graph, out, &err));
    MUST(godwit_graph_compile(graph, &err));
    float ones[6] = {1, 1, 1, 1, 1, 1};
    MUST(godwit_graph_write(graph, vx, ones, sizeof ones, &err));
    MUST(godwit_graph_run(graph, &err));
    MUST(godwit_graph_read(graph, out, y, sizeof y, &err));
    for (int i = 0; i < 6; i++) {
        float want = gw_flush(a[i] + gw_flush(b[i]));
        cr_assert(y[i] == want, "item %d: %g, %g wanted", i, (double)y[i], (double)want);
    }
    close_graph();
}

Test(graph, what_does_not_fit_is_refused_with_numbers) {
    uint64_t w_dims[2] = {4, 32}, x_dims[2] = {1, 31};
    static float w[4 * 32];
    godwit_value vw, vx, out;
    open_graph();
    MUST(godwit_graph_constant(graph, "w", GODWIT_F32, 2, w_dims, w, sizeof w, &vw, &err));
    MUST(godwit_graph_input(graph, "x", GODWIT_F32, 2, x_dims, &vx, &err));
    godwit_value in[2] = {vw, vx}, same[2] = {vw, vw};
    cr_assert(godwit_graph_op(graph, "matmul", in, 2, NULL, 0, &out, &err) ==
              GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "31") && strstr(err.message, "32"), "%s", err.message);
    cr_assert(godwit_graph_op(graph, "matmul", same, 2, NULL, 0, &out, &err) ==
              GODWIT_INVALID_ARGUMENT);
    cr_assert(godwit_graph_op(graph, "no_such", in, 2, NULL, 0, &out, &err) == GODWIT_NOT_FOUND);
    cr_assert(godwit_graph_constant(graph, "w", GODWIT_F32, 2, w_dims, w, 4, &vw, &err) ==
              GODWIT_INVALID_ARGUMENT);
    close_graph();
}

static void refused(godwit_status status, const char *says) {
    cr_expect_eq(status, GODWIT_INVALID_ARGUMENT, "%s", says);
    cr_expect(strstr(err.message, says), "'%s' is not in: %s", says, err.message);
}

// What a caller gets wrong is said in words, with the value's number and name.
Test(graph, misuse_is_told_in_words) {
    uint64_t dims[2] = {1, 2};
    float data[2] = {1, 2};
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    godwit_value x = 0, y = 0, none = 0;
    open_graph();
    uint32_t n = godwit_context_n_devices(context);
    refused(godwit_context_device_info(context, n, &info, &err), ": there are only ");
    refused(godwit_graph_input(graph, "x", GODWIT_F16, 2, dims, &x, &err), "is not F32 or I32");
    MUST(godwit_graph_input(graph, "x", GODWIT_F32, 2, dims, &x, &err));
    MUST(godwit_graph_input(graph, "y", GODWIT_F32, 2, dims, &y, &err));
    godwit_value product = op("mul", x, y), sum = op("add", product, y);
    none = sum + 1;
    refused(godwit_graph_output(graph, none, &err), "value 4: the graph has only 4");
    refused(godwit_graph_output(graph, x, &err), "value 0 (x) is not the result of an op");
    MUST(godwit_graph_output(graph, sum, &err));
    refused(godwit_graph_run(graph, &err), "the graph is not compiled");
    MUST(godwit_graph_compile(graph, &err));
    refused(godwit_graph_write(graph, none, data, sizeof data, &err), "value ");
    refused(godwit_graph_write(graph, product, data, sizeof data, &err), "(mul) is no input");
    refused(godwit_graph_read(graph, none, data, sizeof data, &err), "value ");
    refused(godwit_graph_read(graph, product, data, sizeof data, &err), "(mul) is no output");
    refused(godwit_graph_read(graph, sum, data, 1, &err), "room for 1 bytes");
    close_graph();
}
