// What does not fit is refused as a graph is built, with the numbers.
#include <criterion/criterion.h>
#include <godwit/godwit.h>
#include <string.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

Test(graph, what_does_not_fit_is_refused_with_numbers) {
    uint64_t w_dims[2] = {4, 32}, x_dims[2] = {1, 31};
    static float w[4 * 32];
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_graph *graph = NULL;
    godwit_value vw, vx, out;
    MUST(godwit_context_create(NULL, &context, &err));
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    MUST(godwit_graph_create(device, &graph, &err));
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
    godwit_context_destroy(&context);
    godwit_device_close(&device);
    godwit_graph_destroy(&graph);
}
