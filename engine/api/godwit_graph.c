// Graphs of the caller's own: godwit_graph_*.
#include "api/handles.h"

#include "base/exact.h"
#include "graph/op.h"
#include "run/executable.h"

struct godwit_graph {
    godwit_device *device;
    gw_graph graph;
    gw_vec(gw_weight *) weights; // constants, then what folding left
    gw_weight_stores weight_stores;
    gw_workspace workspace;
    gw_program *program;
    bool compiled;
};

godwit_status godwit_graph_create(godwit_device *device, godwit_graph **out_graph,
                                  godwit_error *error) {
    GW_WANT(device && out_graph, error);
    *out_graph = NULL;
    GW_WANT_OWN(device, error);
    const gw_host *host = &device->context->host;
    godwit_graph *graph = *out_graph = gw_alloc(host, 1, sizeof *graph);
    if (!graph) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: graph");
    graph->device = GW_RETAIN(device);
    gw_graph_init(&graph->graph, host);
    return GODWIT_OK;
}

void godwit_graph_destroy(godwit_graph **graph) {
    godwit_graph *g = graph ? *graph : NULL;
    if (graph) *graph = NULL;
    if (!g || gw_api_device_is_forked(g->device)) return;
    godwit_device *device = g->device;
    const gw_host *host = &device->context->host;
    gw_program_destroy(&g->program);
    gw_workspace_destroy(&g->workspace);
    gw_weight_stores_destroy(&g->weight_stores);
    gw_vec_deinit(&g->weights, host);
    gw_graph_deinit(&g->graph);
    gw_free(host, g, sizeof *g);
    gw_api_device_release(device);
}

// --- building ------------------------------------------------------------------------------------

#define WANT_OPEN(graph, err)                                                                      \
    do {                                                                                           \
        GW_WANT((graph) != NULL, (err));                                                           \
        GW_WANT_OWN((graph)->device, (err));                                                       \
        if ((graph)->compiled) {                                                                   \
            return gw_fail((err), GODWIT_INVALID_ARGUMENT, "%s: the graph is compiled already",    \
                           __func__);                                                              \
        }                                                                                          \
    } while (0)

static gw_value *value_at(const godwit_graph *graph, godwit_value value) {
    return value < graph->graph.values.n ? graph->graph.values.items[value] : NULL;
}

static godwit_status fail_no_value(const godwit_graph *graph, const char *call, godwit_value value,
                                   godwit_error *err) {
    return gw_fail(err, GODWIT_INVALID_ARGUMENT, "%s: value %u: the graph has only %zu", call,
                   value, graph->graph.values.n);
}

godwit_status godwit_graph_input(godwit_graph *graph, const char *name, godwit_dtype dtype,
                                 uint32_t n_dims, const uint64_t *dims, godwit_value *out_value,
                                 godwit_error *error) {
    WANT_OPEN(graph, error);
    GW_WANT(name && dims && out_value && n_dims <= GODWIT_MAX_DIMS, error);
    if (dtype != GODWIT_F32 && dtype != GODWIT_I32) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT,
                       "godwit_graph_input: %s: type %d is not F32 or I32", name, (int)dtype);
    }
    gw_value *value = NULL;
    godwit_status status =
        gw_graph_value(&graph->graph, GW_VALUE_INPUT, name, dtype, n_dims, dims, &value, error);
    if (status == GODWIT_OK) *out_value = value->id;
    return status;
}

static godwit_status check_constant(const char *name, const gw_format *format, godwit_dtype dtype,
                                    uint32_t n_dims, const uint64_t *dims, size_t data_bytes,
                                    godwit_error *err) {
    if (!format) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "constant %s: no kernel reads type %d", name,
                       (int)dtype);
    }
    uint64_t rows = 1, cols = n_dims ? dims[n_dims - 1] : 0;
    for (uint32_t i = 0; i + 1 < n_dims; i++) {
        if (__builtin_mul_overflow(rows, dims[i], &rows)) rows = 0;
    }
    uint64_t bytes = 0;
    bool bad = rows == 0 || cols == 0 || cols > UINT32_MAX || cols % format->block ||
               __builtin_mul_overflow(rows, gw_format_row_bytes(format, cols), &bytes);
    if (bad || bytes != data_bytes) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "constant %s: %zu bytes given, its shape in %s takes %llu (rows are whole "
                       "blocks of %u)",
                       name, data_bytes, format->name, (unsigned long long)bytes, format->block);
    }
    return GODWIT_OK;
}

godwit_status godwit_graph_constant(godwit_graph *graph, const char *name, godwit_dtype dtype,
                                    uint32_t n_dims, const uint64_t *dims, const void *data,
                                    size_t data_bytes, godwit_value *out_value,
                                    godwit_error *error) {
    WANT_OPEN(graph, error);
    GW_WANT(name && dims && data && out_value && n_dims >= 1 && n_dims <= GODWIT_MAX_DIMS, error);
    godwit_status status = GODWIT_OK;
    godwit_error *err = error;
    gw_arena *arena = &graph->graph.arena;
    const gw_format *format = gw_format_find(dtype);
    GW_TRY(check_constant(name, format, dtype, n_dims, dims, data_bytes, err));
    gw_weight *w = gw_arena_alloc(arena, 1, sizeof *w);
    uint8_t *copy = gw_arena_alloc(arena, data_bytes, 1);
    char *text = gw_arena_strndup(arena, name, strlen(name));
    GW_CHECK_ALLOC(w && copy && text, err, "constant");
    memcpy(copy, data, data_bytes);
    gw_weight_init(w, text, format, n_dims, dims, (gw_source){.bytes = copy});
    gw_value *value = NULL;
    GW_TRY(gw_graph_weight(&graph->graph, w, &value, err));
    *out_value = value->id;
done:
    return status;
}

static godwit_status set_attrs(const gw_op *op, const godwit_attr *attrs, uint32_t n_attrs,
                               uint8_t *out, godwit_error *err) {
    for (const gw_attr_row *row = op->attrs; row && row->name; row++) {
        uint32_t u = (uint32_t)row->fallback;
        memcpy(out + row->offset, row->type == GW_ATTR_F32 ? (const void *)&row->fallback : &u, 4);
    }
    for (uint32_t i = 0; i < n_attrs; i++) {
        const gw_attr_row *row = op->attrs;
        while (row && row->name && strcmp(row->name, attrs[i].name) != 0) row++;
        if (!row || !row->name) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT, "%s: it has no attribute '%s'", op->name,
                           attrs[i].name);
        }
        if (row->type == GW_ATTR_U32 && (attrs[i].i < 0 || attrs[i].i > UINT32_MAX)) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT, "%s: attribute %s is out of range",
                           op->name, row->name);
        }
        uint32_t u = (uint32_t)attrs[i].i;
        memcpy(out + row->offset, row->type == GW_ATTR_F32 ? (const void *)&attrs[i].f : &u, 4);
    }
    return GODWIT_OK;
}

godwit_status godwit_graph_op(godwit_graph *graph, const char *op, const godwit_value *inputs,
                              uint32_t n_inputs, const godwit_attr *attrs, uint32_t n_attrs,
                              godwit_value *out_value, godwit_error *error) {
    WANT_OPEN(graph, error);
    GW_WANT(op && inputs && out_value && n_inputs <= GW_MAX_INPUTS && (attrs || !n_attrs), error);
    const gw_op *row = gw_op_find(op);
    if (!row || row->internal) {
        return gw_fail(error, GODWIT_NOT_FOUND, "op '%s': not one that graphs are built of", op);
    }
    _Alignas(8) uint8_t bytes[GW_MAX_ATTR_BYTES] = {0};
    gw_value *values[GW_MAX_INPUTS] = {NULL}, *out[GW_MAX_OUTPUTS] = {NULL};
    godwit_status status = set_attrs(row, attrs, n_attrs, bytes, error);
    for (uint32_t i = 0; i < n_inputs && status == GODWIT_OK; i++) {
        values[i] = value_at(graph, inputs[i]);
        if (values[i]) continue;
        status = gw_fail(error, GODWIT_INVALID_ARGUMENT, "%s: input %u is no value of this graph",
                         op, i);
    }
    if (status != GODWIT_OK) return status;
    status =
        gw_graph_node(&graph->graph, row, op, values, n_inputs, bytes, sizeof bytes, out, error);
    if (status == GODWIT_OK) *out_value = out[0]->id;
    return status;
}

godwit_status godwit_graph_output(godwit_graph *graph, godwit_value value, godwit_error *error) {
    WANT_OPEN(graph, error);
    gw_value *v = value_at(graph, value);
    if (!v) return fail_no_value(graph, __func__, value, error);
    if (v->kind != GW_VALUE_COMPUTED) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT,
                       "%s: value %u (%s) is not the result of an op; only results are outputs",
                       __func__, value, v->name);
    }
    v->keep = true;
    return GODWIT_OK;
}

godwit_status godwit_graph_shape(const godwit_graph *graph, godwit_value value,
                                 godwit_dtype *out_dtype, uint32_t *out_n_dims, uint64_t *out_dims,
                                 godwit_error *error) {
    GW_WANT(graph && out_dtype && out_n_dims && out_dims, error);
    const gw_value *v = value_at(graph, value);
    if (!v) return fail_no_value(graph, __func__, value, error);
    *out_dtype = (godwit_dtype)v->dtype;
    *out_n_dims = v->n_dims;
    memcpy(out_dims, v->dims, sizeof v->dims);
    return GODWIT_OK;
}

// --- compile, run --------------------------------------------------------------------------------

#define WANT_COMPILED(graph, err)                                                                  \
    do {                                                                                           \
        GW_WANT((graph) != NULL, (err));                                                           \
        GW_WANT_OWN((graph)->device, (err));                                                       \
        if (!(graph)->program) {                                                                   \
            return gw_fail((err), GODWIT_INVALID_ARGUMENT, "%s: the graph is not compiled",        \
                           __func__);                                                              \
        }                                                                                          \
    } while (0)

// The constants that the optimized graph still reads.
static godwit_status collect_weights(godwit_graph *g, godwit_error *err) {
    for (size_t i = 0; i < g->graph.nodes.n; i++) {
        const gw_node *node = g->graph.nodes.items[i];
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            const gw_weight *w = node->inputs[k] ? node->inputs[k]->weight : NULL;
            bool there = !w;
            for (size_t n = 0; n < g->weights.n; n++) there |= g->weights.items[n] == w;
            if (there) continue;
            gw_weight **item = gw_vec_push(&g->weights, g->graph.host);
            if (!item) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: constants");
            *item = (gw_weight *)w; // this graph made it
        }
    }
    return GODWIT_OK;
}

godwit_status godwit_graph_compile(godwit_graph *graph, godwit_error *error) {
    WANT_OPEN(graph, error);
    godwit_status status = GODWIT_OK;
    godwit_error *err = error;
    const gw_backend *backend = &graph->device->backend;
    graph->compiled = true; // also after a failure: passes have rewritten it
    GW_TRY(gw_graph_optimize(&graph->graph, NULL, NULL, err));
    GW_TRY(collect_weights(graph, err));
    gw_graph_lay_out(&graph->graph);
    GW_TRY(gw_weights_upload(backend, graph->weights.items, graph->weights.n, 0, NULL, NULL,
                             &graph->weight_stores, err));
    const gw_executable_stores stores = {.workspace = &graph->workspace,
                                         .weights = &graph->weight_stores};
    GW_TRY(gw_executable_create(backend, &graph->graph, &backend->tune, &stores, &graph->program,
                                err));
done:
    return status;
}

// Values between ops are stored ones: below 2^-40 is 0 (docs/NUMERICS.md). That holds for inputs
// too.
static godwit_status write_flushed(godwit_graph *graph, const gw_value *v, const float *data,
                                   size_t n, godwit_error *err) {
    float piece[256];
    for (size_t at = 0; at < n; at += 256) {
        size_t n_piece = n - at < 256 ? n - at : 256;
        for (size_t i = 0; i < n_piece; i++) piece[i] = gw_flush(data[at + i]);
        godwit_status status =
            gw_store_write(&graph->workspace.upload, v->slice.offset + at * sizeof *data, piece,
                           n_piece * sizeof *data, err);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

godwit_status godwit_graph_write(godwit_graph *graph, godwit_value input, const void *data,
                                 size_t data_bytes, godwit_error *error) {
    GW_WANT(data, error);
    WANT_COMPILED(graph, error);
    const gw_value *v = value_at(graph, input);
    if (!v) return fail_no_value(graph, __func__, input, error);
    if (v->kind != GW_VALUE_INPUT) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT,
                       "%s: value %u (%s) is no input; godwit_graph_input makes inputs", __func__,
                       input, v->name);
    }
    if (data_bytes != gw_value_bytes(v)) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT, "input %s: %zu bytes given, it takes %llu",
                       v->name, data_bytes, (unsigned long long)gw_value_bytes(v));
    }
    if (!v->slice.bytes) return GODWIT_OK; // nothing reads it
    if (v->dtype == GODWIT_F32) return write_flushed(graph, v, data, data_bytes / 4, error);
    return gw_store_write(&graph->workspace.upload, v->slice.offset, data, data_bytes, error);
}

godwit_status godwit_graph_run(godwit_graph *graph, godwit_error *error) {
    WANT_COMPILED(graph, error);
    return gw_program_run(graph->program, NULL, error);
}

godwit_status godwit_graph_read(godwit_graph *graph, godwit_value output, void *out_data,
                                size_t data_bytes, godwit_error *error) {
    GW_WANT(out_data, error);
    WANT_COMPILED(graph, error);
    const gw_value *v = value_at(graph, output);
    if (!v) return fail_no_value(graph, __func__, output, error);
    if (!v->keep) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT,
                       "%s: value %u (%s) is no output; godwit_graph_output makes it one, before "
                       "the graph is compiled",
                       __func__, output, v->name);
    }
    if (data_bytes != gw_value_bytes(v)) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT, "output %s: room for %zu bytes, it has %llu",
                       v->name, data_bytes, (unsigned long long)gw_value_bytes(v));
    }
    return gw_store_read(&graph->workspace.arena, v->slice.offset, out_data, data_bytes, error);
}
