// What passes do and may not do: fusing, packing and folding leave fewer nodes and change no bit of
// a result, dead nodes go, values share memory whose lives do not meet, and barriers stand where
// data flows and nowhere else. On the reference; graph/fold.c runs folded graphs on devices.
#include "base/exact.h"
#include "graph/op.h"
#include "ops/ops.h"
#include "run/executable.h"

#include <criterion/criterion.h>
#include <string.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

enum { MAX_VALUES = 64, MAX_FLOATS = 4096 };

// --- a graph at hand -----------------------------------------------------------------------------

static gw_host host;
static gw_graph graph;
static gw_weight weights[MAX_VALUES];
static uint32_t n_weights;

static void setup(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    gw_graph_init(&graph, &host);
}

static void teardown(void) {
    gw_graph_deinit(&graph);
}

// Ends the graph at hand and begins another one.
static void begin_again(void) {
    teardown();
    setup();
    n_weights = 0;
}

TestSuite(passes, .init = setup, .fini = teardown);

static gw_value *value(gw_value_kind kind, uint32_t dtype, uint64_t rows, uint64_t cols) {
    const uint64_t dims[2] = {rows, cols};
    gw_value *v = NULL;
    MUST(gw_graph_value(&graph, kind, "value", dtype, 2, dims, &v, &err));
    return v;
}

static gw_value *input(uint64_t rows, uint64_t cols) {
    return value(GW_VALUE_INPUT, GODWIT_F32, rows, cols);
}

// data: in the format's layout, and must stay.
static gw_value *constant(const gw_format *format, uint64_t rows, uint64_t cols, const void *data) {
    gw_weight *w = &weights[n_weights++];
    gw_value *v = NULL;
    *w = (gw_weight){.name = "constant",
                     .format = format,
                     .n_dims = 2,
                     .dims = {rows, cols},
                     .n_rows = rows,
                     .n_cols = cols,
                     .group_rows = GW_GROUP_ROWS,
                     .source = {.bytes = data}};
    MUST(gw_graph_weight(&graph, w, &v, &err));
    return v;
}

static gw_value *node(const gw_op *op, gw_value *a, gw_value *b) {
    gw_value *in[2] = {a, b}, *out = NULL;
    const gw_rms_norm_attrs norm = {.eps = 1e-5f};
    bool is_norm = op == &gw_op_rms_norm;
    MUST(gw_graph_node(&graph, op, op->name, in, 2, is_norm ? &norm : NULL,
                       is_norm ? sizeof norm : 0, &out, &err));
    return out;
}

static gw_value *keep(gw_value *v) {
    v->keep = true;
    return v;
}

static void optimize(void) {
    MUST(gw_graph_optimize(&graph, NULL, NULL, &err));
}

// The ops of the optimized graph, in order.
static void nodes_are(uint32_t n, const gw_op *const *ops) {
    cr_assert_eq(graph.nodes.n, n, "%zu nodes, %u wanted", graph.nodes.n, n);
    for (uint32_t i = 0; i < n; i++) {
        const gw_op *op = graph.nodes.items[i]->op;
        cr_assert(op == ops[i], "node %u is %s, %s wanted", i, op->name, ops[i]->name);
    }
}
#define OPS(...)                                                                                   \
    (sizeof((const gw_op *[]){__VA_ARGS__}) / sizeof(gw_op *)), (const gw_op *[]) {                \
        __VA_ARGS__                                                                                \
    }

static gw_plan *plan_of(bool keep_values) {
    gw_plan *plan = NULL;
    gw_tune tune;
    gw_tune_for(NULL, &tune);
    tune.keep_values = keep_values;
    MUST(gw_plan_create(&graph, &tune, &plan, &err));
    return plan;
}

// Runs the optimized graph: x and r are written where they are given, y is read.
static void run(gw_value *x, const float *x_data, gw_value *r, const float *r_data,
                const gw_value *y, float *out) {
    gw_backend backend = {.host = &host};
    gw_weight_stores stores;
    gw_workspace work = {0};
    gw_program *program = NULL;
    const gw_executable_stores bound = {.workspace = &work, .weights = &stores};
    gw_tune_for(NULL, &backend.tune);
    // Folding may have left constants that nothing reads, and made others.
    gw_weight *list[MAX_VALUES];
    uint32_t n = 0;
    for (size_t i = 0; i < graph.nodes.n; i++) {
        for (uint32_t k = 0; k < graph.nodes.items[i]->n_inputs; k++) {
            const gw_weight *w = graph.nodes.items[i]->inputs[k]->weight;
            bool listed = !w;
            for (uint32_t j = 0; j < n; j++) listed |= list[j] == w;
            if (!listed) list[n++] = (gw_weight *)(uintptr_t)w;
        }
    }
    gw_graph_lay_out(&graph);
    MUST(gw_weights_upload(&backend, list, n, 0, NULL, NULL, &stores, &err));
    MUST(gw_executable_create(&backend, &graph, &backend.tune, &bound, &program, &err));
    MUST(gw_store_write(&work.upload, x->slice.offset, x_data, x->slice.bytes, &err));
    if (r) MUST(gw_store_write(&work.upload, r->slice.offset, r_data, r->slice.bytes, &err));
    MUST(gw_program_run(program, NULL, &err));
    MUST(gw_store_read(&work.arena, y->slice.offset, out, y->slice.bytes, &err));
    gw_program_destroy(&program);
    gw_workspace_destroy(&work);
    gw_weight_stores_destroy(&stores);
}

static void same_bits(const float *a, const float *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        cr_assert(gw_bits(a[i]) == gw_bits(b[i]), "element %u: %a and %a", i, (double)a[i],
                  (double)b[i]);
    }
}

// --- fuse, pack ----------------------------------------------------------------------------------

enum { ROWS = 64, COLS = 32 };

// y = W x + r with tiny numbers (products of 1 to 8 times 2^-43), where one flush too few would
// show. Keeping the product apart (an output) forbids the fusion.
static void product_plus_residual(bool apart, float *out) {
    static float w[ROWS * COLS], x[COLS], r[ROWS];
    for (int i = 0; i < ROWS * COLS; i++) w[i] = 0x1p-20f * (float)(i % 17 - 8);
    for (int i = 0; i < COLS; i++) x[i] = i ? 0.0f : 0x1p-23f;
    for (int i = 0; i < ROWS; i++) r[i] = 0x1p-40f * (1.0f + (float)i / 64.0f);
    gw_value *vx = input(1, COLS), *vr = input(1, ROWS);
    gw_value *product = node(&gw_op_matmul, constant(&gw_format_f32, ROWS, COLS, w), vx);
    gw_value *sum = keep(node(&gw_op_add, product, vr));
    product->keep = apart;
    optimize();
    if (apart)
        nodes_are(OPS(&gw_op_matmul, &gw_op_add));
    else
        nodes_are(OPS(&gw_op_matmul));
    run(vx, x, vr, r, sum, out);
}

Test(passes, fusing_a_residual_changes_no_bit) {
    static float fused[ROWS], apart[ROWS];
    product_plus_residual(false, fused);
    begin_again();
    product_plus_residual(true, apart);
    same_bits(fused, apart, ROWS);
}

// Two products with integer weights of one norm: one quantized copy for both, made by the norm.
static void norm_and_products(bool apart, float *out) {
    static float w[2][ROWS * COLS], norm[COLS], x[COLS], y[2][ROWS];
    static uint8_t blocks[2][ROWS * COLS * 2];
    for (int i = 0; i < ROWS * COLS; i++) {
        w[0][i] = 0.1f * (float)(i % 17 - 8);
        w[1][i] = 0.2f * (float)(i % 13 - 6);
    }
    for (int i = 0; i < COLS; i++) {
        x[i] = (float)(i % 7) - 3.0f;
        norm[i] = 1.0f + (float)i;
    }
    gw_value *vx = input(1, COLS), *products[2];
    gw_value *normed = node(&gw_op_rms_norm, vx, constant(&gw_format_f32, 1, COLS, norm));
    normed->keep = apart;
    for (int i = 0; i < 2; i++) {
        gw_format_q8_0.quantize(w[i], NULL, ROWS * COLS, blocks[i]);
        gw_value *weight = constant(&gw_format_q8_0, ROWS, COLS, blocks[i]);
        products[i] = keep(node(&gw_op_matmul, weight, normed));
    }
    optimize();
    if (apart)
        nodes_are(OPS(&gw_op_rms_norm, &gw_op_quantize_q8, &gw_op_matmul, &gw_op_matmul));
    else
        nodes_are(OPS(&gw_op_rms_norm, &gw_op_matmul, &gw_op_matmul));
    for (int i = 0; i < 2; i++) run(vx, x, NULL, NULL, products[i], y[i]);
    memcpy(out, y, sizeof y);
}

Test(passes, packing_once_and_fusing_it_changes_no_bit) {
    static float fused[2 * ROWS], apart[2 * ROWS];
    norm_and_products(false, fused);
    begin_again();
    norm_and_products(true, apart);
    same_bits(fused, apart, 2 * ROWS);
    cr_assert(fused[1] != 0.0f && fused[ROWS + 1] != 0.0f);
}

// --- fold ----------------------------------------------------------------------------------------

// x times the sum of two constants, which must be what the device would have made.
Test(passes, folded_constants_have_the_same_values) {
    static const float a[6] = {1, 2, 3, 4, 5, 6}, ones[6] = {1, 1, 1, 1, 1, 1},
                       b[6] = {0.5f, 0x1p-50f, -3, -0.0f, 1e20f, 0x1p-39f};
    float y[6];
    gw_value *x = input(2, 3);
    gw_value *sum =
        node(&gw_op_add, constant(&gw_format_f32, 2, 3, a), constant(&gw_format_f32, 2, 3, b));
    gw_value *product = keep(node(&gw_op_mul, x, sum));
    optimize();
    nodes_are(OPS(&gw_op_mul));
    cr_assert(sum->kind == GW_VALUE_WEIGHT && sum->weight);
    run(x, ones, NULL, NULL, product, y);
    for (int i = 0; i < 6; i++) {
        float want = gw_flush(a[i] + gw_flush(b[i]));
        cr_assert(y[i] == want, "item %d: %g, %g wanted", i, (double)y[i], (double)want);
    }
}

Test(passes, what_must_be_computed_is_not_folded) {
    static const float a[2 * COLS] = {1, 2, 3}, w[COLS * COLS] = {4}, large[2 * COLS] = {3e38f};
    gw_value *c[2] = {constant(&gw_format_f32, 2, COLS, a), constant(&gw_format_f32, 2, COLS, a)};
    keep(node(&gw_op_add, c[0], c[1])); // an output
    gw_value *sum = node(&gw_op_mul, c[0], c[1]);
    keep(node(&gw_op_matmul, constant(&gw_format_f32, COLS, COLS, w), sum));
    gw_value *big = constant(&gw_format_f32, 2, COLS, large);
    keep(node(&gw_op_mul, input(2, COLS), node(&gw_op_add, big, big))); // infinite
    optimize();
    nodes_are(OPS(&gw_op_add, &gw_op_mul, &gw_op_matmul, &gw_op_add, &gw_op_mul));
    // A reader through a view wants memory, too, whatever its op.
    begin_again();
    gw_value *view = NULL;
    c[0] = constant(&gw_format_f32, 2, COLS, a);
    MUST(gw_graph_view(&graph, node(&gw_op_add, c[0], c[0]), 1, 1, &view, &err));
    keep(node(&gw_op_add, input(1, COLS), view));
    optimize();
    nodes_are(OPS(&gw_op_add, &gw_op_add));
}

// --- dead ----------------------------------------------------------------------------------------

Test(passes, dead_nodes_go) {
    gw_value *x = input(4, 8), *view = NULL;
    gw_value *viewed = node(&gw_op_mul, x, x);
    gw_value *dead = node(&gw_op_add, x, viewed); // read by a dead one alone
    node(&gw_op_mul, dead, dead);                 // read by nobody
    MUST(gw_graph_view(&graph, viewed, 1, 1, &view, &err));
    gw_value *y = keep(node(&gw_op_add, view, view)); // reads the first through a view
    node(&gw_op_add, y, y);                           // behind an output
    cr_assert_eq(graph.nodes.n, 5);
    MUST(gw_pass_dead(&graph, &err));
    nodes_are(OPS(&gw_op_mul, &gw_op_add));
    cr_assert(graph.nodes.items[0]->outputs[0] == viewed && graph.nodes.items[1]->outputs[0] == y);
}

// --- place ---------------------------------------------------------------------------------------

enum { CHAIN = 6 };

// x + 1 + 2 + ...: a value dies as the next one is made.
static gw_value *chain(gw_value *x, gw_value **out_all) {
    gw_value *y = x;
    for (int i = 0; i < CHAIN; i++) y = out_all[i] = node(&gw_op_add, y, x);
    return keep(y);
}

Test(passes, values_whose_lives_do_not_meet_share_memory) {
    static float data[MAX_FLOATS], y[MAX_FLOATS];
    gw_value *all[CHAIN], *x = input(1, MAX_FLOATS), *last = chain(x, all);
    uint64_t bytes = MAX_FLOATS * sizeof(float);
    optimize();
    gw_plan *plan = plan_of(false);
    cr_assert_eq(plan->arena_bytes, 2 * bytes, "%llu", (unsigned long long)plan->arena_bytes);
    for (int i = 1; i < CHAIN; i++) {
        cr_assert_neq(all[i]->slice.offset, all[i - 1]->slice.offset, "%d overwrites its input", i);
    }
    gw_plan_destroy(&plan);
    for (int i = 0; i < MAX_FLOATS; i++) data[i] = (float)i;
    run(x, data, NULL, NULL, last, y);
    for (int i = 0; i < MAX_FLOATS; i++) cr_assert_eq(y[i], (float)(i * (CHAIN + 1)));
    // A guarded session finds each value where it was made.
    plan = plan_of(true);
    cr_assert_eq(plan->arena_bytes, CHAIN * bytes);
    gw_plan_destroy(&plan);
}

Test(passes, an_output_keeps_its_memory_to_itself) {
    static float data[MAX_FLOATS], y[MAX_FLOATS];
    gw_value *all[CHAIN], *x = input(1, MAX_FLOATS);
    chain(x, all);
    keep(all[1]);
    optimize();
    for (int i = 0; i < MAX_FLOATS; i++) data[i] = (float)i;
    run(x, data, NULL, NULL, all[1], y);
    for (int i = 0; i < MAX_FLOATS; i++) cr_assert_eq(y[i], (float)(i * 3));
}

// Who fills the inputs of a step writes those that this model does not read, too.
Test(passes, an_input_that_nothing_reads_has_memory_of_its_own) {
    gw_value *unread = input(2, 8), *read = input(1, 8);
    keep(node(&gw_op_add, read, read));
    optimize();
    gw_plan *plan = plan_of(false);
    cr_assert_eq(unread->slice.bytes, 64);
    cr_assert_eq(unread->slice.buffer, GW_STORE_UPLOAD);
    cr_assert_geq(unread->slice.offset, read->slice.offset + read->slice.bytes);
    cr_assert_leq(unread->slice.offset + unread->slice.bytes, plan->upload_bytes);
    gw_plan_destroy(&plan);
}

Test(passes, what_has_no_place_is_a_bug_and_no_launch) {
    gw_plan *plan = NULL;
    gw_tune tune;
    gw_tune_for(NULL, &tune);
    keep(node(&gw_op_add, value(GW_VALUE_STATE, GODWIT_F32, 1, 8), input(1, 8)));
    cr_assert_eq(gw_plan_create(&graph, &tune, &plan, &err), GODWIT_BUG);
    cr_assert(strstr(err.message, "no place") && !plan, "%s", err.message);
}

// --- columns -------------------------------------------------------------------------------------

static gw_value *columns_of(gw_value *v, uint64_t first, uint64_t n) {
    gw_value *view = NULL;
    MUST(gw_graph_columns(&graph, v, first, n, &view, &err));
    return view;
}

// Rows of columns of columns of a value that is made while the graph runs.
Test(passes, columns_are_read_where_they_lie) {
    enum { TOKENS = 4, WIDE = 96, FIRST = 33, N = 31 };
    static float x_data[TOKENS * WIDE], r_data[TOKENS * N], y[TOKENS * N];
    gw_value *x = input(TOKENS, WIDE), *r = input(TOKENS - 1, N), *some = NULL;
    gw_value *columns = columns_of(columns_of(node(&gw_op_add, x, x), FIRST - 1, 64), 1, N);
    MUST(gw_graph_view(&graph, columns, 1, TOKENS - 1, &some, &err));
    // The first sum is still needed when the product has been made.
    gw_value *last = keep(node(&gw_op_add, some, node(&gw_op_mul, some, r)));
    optimize();
    for (int i = 0; i < TOKENS * WIDE; i++) x_data[i] = (float)i;
    for (int i = 0; i < TOKENS * N; i++) r_data[i] = (float)(i % 5);
    run(x, x_data, r, r_data, last, y);
    for (int i = 0; i < (TOKENS - 1) * N; i++) {
        float v = 2.0f * x_data[(i / N + 1) * WIDE + FIRST + i % N];
        cr_assert_eq(y[i], v + v * r_data[i], "element %d", i);
    }
}

static void refused(godwit_status status, const char *word) {
    cr_assert_eq(status, GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, word), "%s", err.message);
}

Test(passes, columns_that_cannot_be_read_are_refused) {
    static const float ones[COLS];
    gw_value *x = input(2, 3 * COLS), *c = constant(&gw_format_f32, 1, COLS, ones), *out = NULL;
    gw_value *columns = columns_of(x, COLS, COLS), *in[2] = {columns, c};
    const gw_layer_norm_attrs norm = {.eps = 1e-5f};
    const uint64_t halves[2] = {4, COLS / 2}, longer[2] = {1, 2 * COLS};
    refused(gw_graph_node(&graph, &gw_op_layer_norm, "n", in, 2, &norm, sizeof norm, &out, &err),
            "columns of value");
    in[1] = columns; // of the second operand nothing is said
    refused(gw_graph_node(&graph, &gw_op_add, "n", in, 2, NULL, 0, &out, &err), "input 1");
    refused(gw_graph_columns(&graph, x, COLS, 2 * COLS + 1, &out, &err), "columns 32 + 65 of 96");
    refused(gw_graph_columns(&graph, c, 0, 1, &out, &err), "columns");
    refused(gw_graph_reshape(&graph, columns, 2, longer, &out, &err), "whole");
    MUST(gw_graph_reshape(&graph, columns, 2, halves, &out, &err));
    refused(gw_graph_view(&graph, out, 1, 1, &out, &err), "rows"); // are not one stride apart
}

// A product adds no columns.
Test(passes, columns_are_no_residual) {
    static const float w[COLS * COLS];
    gw_value *product =
        node(&gw_op_matmul, constant(&gw_format_f32, COLS, COLS, w), input(2, COLS));
    keep(node(&gw_op_add, columns_of(input(2, 2 * COLS), 1, COLS), product));
    optimize();
    nodes_are(OPS(&gw_op_matmul, &gw_op_add));
}

// --- barriers ------------------------------------------------------------------------------------

static void barriers_are(const bool *before, uint32_t n) {
    uint32_t n_barriers = 0;
    optimize();
    gw_plan *plan = plan_of(false);
    cr_assert_eq(plan->launches.n, n);
    for (uint32_t i = 0; i < n; i++) {
        cr_assert_eq(plan->launches.items[i].barrier_before, before[i], "launch %u", i);
        n_barriers += before[i];
    }
    cr_assert_eq(plan->n_barriers, n_barriers);
    gw_plan_destroy(&plan);
}

Test(passes, independent_launches_need_no_barrier) {
    gw_value *x = input(1, 8);
    keep(node(&gw_op_add, x, x));
    keep(node(&gw_op_mul, x, x));
    barriers_are((const bool[]){false, false}, 2);
}

Test(passes, a_barrier_stands_before_what_reads_a_result) {
    gw_value *x = input(1, 8);
    keep(node(&gw_op_mul, keep(node(&gw_op_add, x, x)), x));
    barriers_are((const bool[]){false, true}, 2);
}

// One covers all that was written before it.
Test(passes, one_barrier_serves_two_results) {
    gw_value *x = input(1, 8);
    gw_value *a = keep(node(&gw_op_add, x, x)), *b = keep(node(&gw_op_mul, x, x));
    keep(node(&gw_op_add, a, b));
    keep(node(&gw_op_mul, b, a));
    barriers_are((const bool[]){false, false, true, false}, 4);
}

// The third value takes the memory of the first, which the launch before reads.
Test(passes, a_barrier_stands_before_what_overwrites) {
    gw_value *x = input(1, 8), *a = node(&gw_op_add, x, x);
    keep(node(&gw_op_mul, a, x));
    gw_value *c = keep(node(&gw_op_add, x, x));
    barriers_are((const bool[]){false, true, true}, 3);
    cr_assert_eq(c->slice.offset, a->slice.offset, "nothing is overwritten here");
}
