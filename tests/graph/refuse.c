// What does not fit is refused as a graph is built, with the numbers, and misuse in words.
#include <criterion/criterion.h>
#include <godwit/godwit.h>
#include <string.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static godwit_context *context;
static godwit_device *device;
static godwit_graph *graph;

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
    // Rows of a constant are padded: the weights of a norm are one row, not as many numbers in
    // rows.
    uint64_t rows[2] = {3, 5}, wide[2] = {2, 15};
    MUST(godwit_graph_constant(graph, "rows", GODWIT_F32, 2, rows, w, 15 * sizeof *w, &vw, &err));
    MUST(godwit_graph_input(graph, "x", GODWIT_F32, 2, wide, &vx, &err));
    godwit_value norm[2] = {vx, vw};
    cr_assert(godwit_graph_op(graph, "rms_norm", norm, 2, NULL, 0, &out, &err) ==
              GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "not one row"), "%s", err.message);
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
