// Folding constants changes no bit, and compiles whatever reads the result: each graph is built
// twice, with its operands as constants and as inputs, on the reference and on the device.
#include "base/exact.h"

#include <criterion/criterion.h>
#include <godwit/godwit.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FLOATS = 512 };

static godwit_error err;
static godwit_context *context;
static godwit_device *device;
static godwit_graph *graph;
static bool as_constants;
static const char *label;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s: %s", label, err.message)

// --- building ------------------------------------------------------------------------------------

typedef struct written {
    godwit_value value;
    const void *data;
    size_t bytes;
} written;
static written inputs[16];
static uint32_t n_inputs;

static float *floats(uint32_t n_dims, const uint64_t *dims, size_t *out_bytes) {
    static float data[16][MAX_FLOATS];
    static uint32_t seed;
    uint64_t n = 1;
    float *to = data[seed % 16];
    for (uint32_t i = 0; i < n_dims; i++) n *= dims[i];
    cr_assert_leq(n, MAX_FLOATS);
    seed++;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (float)(int32_t)gw_philox(3, 5, n_inputs * MAX_FLOATS + i) * 0x1p-31f;
    }
    *out_bytes = n * sizeof *to;
    return to;
}

static godwit_value input_of(godwit_dtype dtype, uint32_t n_dims, const uint64_t *dims,
                             const void *data, size_t bytes) {
    godwit_value v = 0;
    MUST(godwit_graph_input(graph, "input", dtype, n_dims, dims, &v, &err));
    inputs[n_inputs++] = (written){v, data, bytes};
    return v;
}

static godwit_value input(uint32_t n_dims, const uint64_t *dims) {
    size_t bytes;
    const float *data = floats(n_dims, dims, &bytes);
    return input_of(GODWIT_F32, n_dims, dims, data, bytes);
}

// The weight of a product: always a constant.
static godwit_value weight(uint64_t rows, uint64_t cols) {
    const uint64_t dims[2] = {rows, cols};
    size_t bytes;
    godwit_value v = 0;
    const float *data = floats(2, dims, &bytes);
    MUST(godwit_graph_constant(graph, "w", GODWIT_F32, 2, dims, data, bytes, &v, &err));
    return v;
}

static godwit_value node(const char *op, uint32_t n, const godwit_value *in,
                         const godwit_attr *attr) {
    godwit_value v = 0;
    MUST(godwit_graph_op(graph, op, in, n, attr, attr ? 1 : 0, &v, &err));
    return v;
}

static godwit_value two(const char *op, godwit_value a, godwit_value b) {
    return node(op, 2, (godwit_value[]){a, b}, NULL);
}

// A sum of two constants; or of two inputs with the same values.
static godwit_value sum(uint32_t n_dims, const uint64_t *dims, float times) {
    godwit_value v[2];
    for (int i = 0; i < 2; i++) {
        size_t bytes;
        float *data = floats(n_dims, dims, &bytes);
        for (size_t k = 0; k < bytes / 4; k++) data[k] *= times;
        v[i] = input_of(GODWIT_F32, n_dims, dims, data, bytes);
        if (!as_constants) continue;
        n_inputs--;
        MUST(godwit_graph_constant(graph, "c", GODWIT_F32, n_dims, dims, data, bytes, &v[i], &err));
        // The numbers that follow are the same both ways.
        inputs[n_inputs++] = (written){.bytes = 0};
    }
    return two("add", v[0], v[1]);
}

#define DIMS(...)                                                                                  \
    (sizeof((uint64_t[]){__VA_ARGS__}) / 8), (const uint64_t[]) {                                  \
        __VA_ARGS__                                                                                \
    }

static godwit_value product_x(void) {
    return two("matmul", weight(7, 32), sum(DIMS(3, 32), 1));
}
static godwit_value product_odd_x(void) {
    return two("matmul", weight(7, 31), sum(DIMS(3, 31), 1));
}
static godwit_value product_residual(void) {
    godwit_value in[3] = {weight(7, 32), input(DIMS(3, 32)), sum(DIMS(3, 7), 1)};
    return node("matmul", 3, in, NULL);
}
static godwit_value norm_x(void) {
    return two("rms_norm", sum(DIMS(3, 20), 1), input(DIMS(20)));
}
static godwit_value norm_weight(void) {
    return two("rms_norm", input(DIMS(3, 20)), sum(DIMS(20), 1));
}
static godwit_value rope_x(void) {
    const godwit_attr n_rot = {.name = "n_rot", .i = 6};
    godwit_value in[2] = {sum(DIMS(2, 3, 8), 1), input(DIMS(2, 6))};
    return node("rope", 2, in, &n_rot);
}
static godwit_value rope_table(void) {
    const godwit_attr n_rot = {.name = "n_rot", .i = 6};
    godwit_value in[2] = {input(DIMS(2, 3, 8)), sum(DIMS(2, 6), 1)};
    return node("rope", 2, in, &n_rot);
}
static godwit_value gate(void) {
    return two("silu_mul", sum(DIMS(3, 20), 1), input(DIMS(3, 20)));
}
static godwit_value up(void) {
    return two("silu_mul", input(DIMS(3, 20)), sum(DIMS(3, 20), 1));
}
static godwit_value chain(void) {
    godwit_value in = two("mul", sum(DIMS(3, 5), 1), sum(DIMS(5), 1));
    return two("add", input(DIMS(3, 5)), in);
}
static godwit_value read_twice(void) {
    godwit_value c = sum(DIMS(3, 32), 1);
    return two("mul", two("add", c, input(DIMS(3, 32))), two("silu_mul", c, c));
}
// The sum of some of them is infinite, which no constant may be.
static godwit_value overflowing(void) {
    return two("add", sum(DIMS(3, 5), 3.4e38f), input(DIMS(3, 5)));
}

static const struct {
    const char *name;
    godwit_value (*build)(void);
} graphs[] = {{"matmul's x", product_x},
              {"matmul's x, odd rows", product_odd_x},
              {"matmul's residual", product_residual},
              {"rms_norm's x", norm_x},
              {"rms_norm's w", norm_weight},
              {"rope's x", rope_x},
              {"rope's table", rope_table},
              {"silu_mul's gate", gate},
              {"silu_mul's up", up},
              {"a chain", chain},
              {"two readers", read_twice},
              {"overflow", overflowing}};

// --- running -------------------------------------------------------------------------------------

static size_t result_of(godwit_value (*build)(void), bool constants, float *out) {
    godwit_dtype dtype;
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS], n = 1;
    as_constants = constants;
    n_inputs = 0;
    MUST(godwit_graph_create(device, &graph, &err));
    godwit_value y = build();
    MUST(godwit_graph_shape(graph, y, &dtype, &n_dims, dims, &err));
    for (uint32_t i = 0; i < n_dims; i++) n *= dims[i];
    cr_assert_leq(n, MAX_FLOATS);
    MUST(godwit_graph_output(graph, y, &err));
    MUST(godwit_graph_compile(graph, &err));
    for (uint32_t i = 0; i < n_inputs; i++) {
        if (!inputs[i].bytes) continue;
        MUST(godwit_graph_write(graph, inputs[i].value, inputs[i].data, inputs[i].bytes, &err));
    }
    MUST(godwit_graph_run(graph, &err));
    MUST(godwit_graph_read(graph, y, out, n * sizeof *out, &err));
    godwit_graph_destroy(&graph);
    return n;
}

static void try_all(const char *which) {
    godwit_context_params context_params = GODWIT_INIT(godwit_context_params);
    context_params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    MUST(godwit_context_create(&context_params, &context, &err));
    if (!which && godwit_context_n_devices(context) < 2) cr_skip_test("no Vulkan device");
    MUST(godwit_device_open(context, which ? which : "0", NULL, &device, &err));
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        static float folded[MAX_FLOATS], plain[MAX_FLOATS];
        label = graphs[i].name;
        size_t n = result_of(graphs[i].build, true, folded), n_not_zero = 0;
        cr_assert_eq(result_of(graphs[i].build, false, plain), n);
        for (size_t k = 0; k < n; k++) {
            cr_assert(gw_bits(folded[k]) == gw_bits(plain[k]), "%s, element %zu: %a, %a wanted",
                      label, k, (double)folded[k], (double)plain[k]);
            n_not_zero += plain[k] != 0.0f;
        }
        cr_assert(n_not_zero > n / 2, "%s: all zeros say little", label);
    }
    cr_expect(godwit_context_validation_count(context) == 0, "validation complained");
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}

Test(fold, compiles_for_every_reader_on_the_reference) {
    try_all("cpu");
}

Test(fold, compiles_for_every_reader_on_the_device) {
    try_all(NULL);
}
