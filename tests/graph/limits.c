// Limits: what a caller may ask for and a device cannot bind or dispatch is unsupported, and the
// message says what, how much and what to do; it is no bug, and nothing of that size is allocated.
#include "api/handles.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static godwit_error err;
static godwit_context *context;
static godwit_device *device;
static godwit_graph *graph;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static void open_graph(const char *which, const char *mask) {
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    params.mask = mask;
    godwit_context_params context_params = GODWIT_INIT(godwit_context_params);
    context_params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    MUST(godwit_context_create(&context_params, &context, &err));
    if (!which && godwit_context_n_devices(context) < 2) cr_skip_test("no Vulkan device");
    MUST(godwit_device_open(context, which ? which : "0", &params, &device, &err));
    MUST(godwit_graph_create(device, &graph, &err));
}

static void close_graph(void) {
    godwit_graph_destroy(&graph);
    cr_expect(godwit_context_validation_count(context) == 0, "validation complained");
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}

static godwit_value input(uint32_t n_dims, const uint64_t *dims) {
    godwit_value v = 0;
    MUST(godwit_graph_input(graph, "x", GODWIT_F32, n_dims, dims, &v, &err));
    return v;
}

static godwit_value constant(const char *name, uint64_t rows, uint64_t cols) {
    static float data[4096];
    const uint64_t dims[2] = {rows, cols};
    godwit_value v = 0;
    cr_assert_leq(rows * cols, 4096);
    for (uint64_t i = 0; i < rows * cols; i++) data[i] = (float)i;
    MUST(godwit_graph_constant(graph, name, GODWIT_F32, 2, dims, data, rows * cols * 4, &v, &err));
    return v;
}

static godwit_value op(const char *name, godwit_value a, godwit_value b) {
    godwit_value in[2] = {a, b}, out = 0;
    MUST(godwit_graph_op(graph, name, in, 2, NULL, 0, &out, &err));
    MUST(godwit_graph_output(graph, out, &err));
    return out;
}

static void is_refused(const char *const *words) {
    cr_assert_eq(godwit_graph_compile(graph, &err), GODWIT_UNSUPPORTED, "%s", err.message);
    for (; *words; words++) cr_assert(strstr(err.message, *words), "%s", err.message);
}

// A float more than the 128 MiB that each device binds.
Test(limits, a_binding) {
    const uint64_t n = 33554433;
    open_graph(NULL, "floor");
    godwit_value x = input(1, &n);
    op("add", x, x);
    is_refused((const char *const[]){"add: add: ", "134217732", "134217728", "would fit", NULL});
    close_graph();
}

static void too_many_groups(const char *which) {
    const uint64_t dims[2] = {1000, 8};
    open_graph(which, NULL);
    device->backend.tune.max_groups[1] = 7;
    op("matmul", constant("w", 16, 8), input(2, dims));
    is_refused((const char *const[]){"matmul: matmul: ", "workgroups", " x 7 x ", NULL});
    close_graph();
}

Test(limits, a_dispatch) {
    too_many_groups("cpu");
    too_many_groups(NULL);
}

// A row of one float takes 32 bytes on a device, so 130 of them are cut into two chunks.
static void a_constant_in_chunks(const char *which) {
    const uint64_t dims[2] = {130, 1};
    open_graph(which, NULL);
    device->backend.tune.max_range = device->backend.tune.max_weight_range = 4096;
    op("add", input(2, dims), constant("bias", 130, 1));
    is_refused((const char *const[]){"add: add: ", "bias", "4096", NULL});
    close_graph();
}

// A product reads each chunk by a launch of its own.
static void a_weight_in_chunks(const char *which) {
    const uint64_t dims[2] = {1, 8};
    static float x[8] = {0, 0, 1}, y[200];
    open_graph(which, NULL);
    device->backend.tune.max_range = device->backend.tune.max_weight_range = 4096;
    godwit_value vx = input(2, dims), product = op("matmul", constant("w", 200, 8), vx);
    MUST(godwit_graph_compile(graph, &err));
    MUST(godwit_graph_write(graph, vx, x, sizeof x, &err));
    MUST(godwit_graph_run(graph, &err));
    MUST(godwit_graph_read(graph, product, y, sizeof y, &err));
    for (int i = 0; i < 200; i++) cr_assert_eq(y[i], (float)(8 * i + 2));
    close_graph();
}

Test(limits, a_constant_that_is_bound_whole) {
    a_constant_in_chunks("cpu");
    a_constant_in_chunks(NULL);
    a_weight_in_chunks("cpu");
    a_weight_in_chunks(NULL);
}
