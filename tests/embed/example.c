// A program of somebody else: y = a + b on the plain-C device, through the installed header alone.
// Built by the tests of tests/embed in each way that the README names.
#include <stdio.h>
#include <string.h>

#include <godwit/godwit.h>

static const uint64_t shape[] = {2, 3};

// Builds and compiles the graph a + b.
static godwit_status build(godwit_device *device, godwit_graph **out_graph, godwit_value v[3],
                           godwit_error *error) {
    godwit_status status = godwit_graph_create(device, out_graph, error);
    godwit_graph *graph = *out_graph;
    if (status == GODWIT_OK)
        status = godwit_graph_input(graph, "a", GODWIT_F32, 2, shape, &v[0], error);
    if (status == GODWIT_OK)
        status = godwit_graph_input(graph, "b", GODWIT_F32, 2, shape, &v[1], error);
    if (status == GODWIT_OK) status = godwit_graph_op(graph, "add", v, 2, NULL, 0, &v[2], error);
    if (status == GODWIT_OK) status = godwit_graph_output(graph, v[2], error);
    if (status == GODWIT_OK) status = godwit_graph_compile(graph, error);
    return status;
}

static godwit_status run(godwit_graph *graph, const godwit_value v[3], float y[6],
                         godwit_error *error) {
    const float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {10, 20, 30, 40, 50, 60};
    godwit_status status = godwit_graph_write(graph, v[0], a, sizeof(a), error);
    if (status == GODWIT_OK) status = godwit_graph_write(graph, v[1], b, sizeof(b), error);
    if (status == GODWIT_OK) status = godwit_graph_run(graph, error);
    if (status == GODWIT_OK) status = godwit_graph_read(graph, v[2], y, 6 * sizeof(float), error);
    return status;
}

int main(void) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_graph *graph = NULL;
    godwit_value v[3];
    float y[6] = {0};
    godwit_error error = {GODWIT_OK, 0, ""};
    godwit_status status = godwit_context_create(NULL, &context, &error);
    if (status == GODWIT_OK) status = godwit_device_open(context, "cpu", NULL, &device, &error);
    if (status == GODWIT_OK) status = build(device, &graph, v, &error);
    if (status == GODWIT_OK) status = run(graph, v, y, &error);
    godwit_graph_destroy(&graph);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    if (status != GODWIT_OK) {
        fprintf(stderr, "%s: %s\n", godwit_status_name(status), error.message);
        return 1;
    }
    const float expected[6] = {11, 22, 33, 44, 55, 66};
    printf("godwit %s: %g %g %g %g %g %g\n", godwit_version(), y[0], y[1], y[2], y[3], y[4], y[5]);
    return memcmp(y, expected, sizeof(y)) != 0;
}
