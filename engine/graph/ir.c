// IR: see ir.h. Building and rewriting; print.c prints.
#include "graph/ir.h"

#include "base/status.h"
#include "graph/op.h"

void gw_graph_init(gw_graph *graph, const gw_host *host) {
    *graph = (gw_graph){.host = host};
    gw_arena_init(&graph->arena, host);
}

void gw_graph_deinit(gw_graph *graph) {
    if (!graph->host) return;
    gw_vec_deinit(&graph->values, graph->host);
    gw_vec_deinit(&graph->nodes, graph->host);
    gw_arena_deinit(&graph->arena);
    graph->host = NULL;
}

uint64_t gw_value_n_elements(const gw_value *value) {
    uint64_t n = 1;
    for (uint32_t i = 0; i < value->n_dims; i++) n *= value->dims[i];
    return n;
}

uint64_t gw_value_row(const gw_value *value) {
    return value->dims[value->n_dims - 1];
}

uint64_t gw_value_n_rows(const gw_value *value) {
    return gw_value_n_elements(value) / gw_value_row(value);
}

uint64_t gw_q8_act_scales_offset(const gw_value *value) {
    return GW_ALIGN_UP(gw_value_n_elements(value), GW_SLICE_ALIGN);
}

uint64_t gw_value_bytes(const gw_value *value) {
    uint64_t n = gw_value_n_elements(value);
    switch (value->dtype) {
    case GW_DTYPE_Q8_ACT:
        return gw_q8_act_scales_offset(value) + n / 32 * 4;
    case GW_DTYPE_Q8_KEYS:
        return GW_ALIGN_UP(n + n / gw_value_row(value) * ((gw_value_row(value) + 31) / 32) * 4, 16);
    case GW_DTYPE_Q8_VALUES:
        return GW_ALIGN_UP(n + n / gw_value_row(value) * 4, 16);
    case GODWIT_F16:
        return (n + 1) / 2 * 4; // KV cache: two to a word
    default:
        return value->kind == GW_VALUE_WEIGHT ? 0 : n * 4;
    }
}

gw_value *gw_value_root(gw_value *value) {
    while (value->view_of) value = value->view_of;
    return value;
}

bool gw_node_makes(const gw_node *node, const gw_value *value) {
    for (uint32_t i = 0; i < GW_MAX_OUTPUTS && node->outputs[i]; i++) {
        if (node->outputs[i] == value) return true;
    }
    return false;
}

// The product of dims must stay far from overflow in every later computation of bytes and indices.
static const uint64_t MAX_ELEMENTS = UINT64_C(1) << 40;

static bool dims_are_sane(uint32_t n_dims, const uint64_t *dims) {
    uint64_t n = 1;
    if (n_dims < 1 || n_dims > GODWIT_MAX_DIMS) return false;
    for (uint32_t i = 0; i < n_dims; i++) {
        if (dims[i] < 1 || dims[i] > MAX_ELEMENTS / n) return false;
        n *= dims[i];
    }
    return true;
}

godwit_status gw_graph_value(gw_graph *graph, gw_value_kind kind, const char *name, uint32_t dtype,
                             uint32_t n_dims, const uint64_t *dims, gw_value **out_value,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!dims_are_sane(n_dims, dims)) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "value %s: its %u dims are not 1 to %d sizes >= 1 with at most 2^40 elements", name,
                n_dims, GODWIT_MAX_DIMS);
    }
    gw_value *value = gw_arena_alloc(&graph->arena, 1, sizeof *value);
    GW_CHECK_ALLOC(value, err, "graph value");
    value->name = gw_arena_strndup(&graph->arena, name, strlen(name));
    GW_CHECK_ALLOC(value->name, err, "graph value name");
    gw_value **item = gw_vec_push(&graph->values, graph->host);
    GW_CHECK_ALLOC(item, err, "graph values");
    *item = value;
    value->id = (uint32_t)graph->values.n - 1;
    value->kind = kind;
    value->dtype = dtype;
    value->n_dims = n_dims;
    memcpy(value->dims, dims, n_dims * sizeof *dims);
    *out_value = value;
done:
    return status;
}

godwit_status gw_graph_weight(gw_graph *graph, const gw_weight *weight, gw_value **out_value,
                              godwit_error *err) {
    godwit_status status =
        gw_graph_value(graph, GW_VALUE_WEIGHT, weight->name, weight->format->type, weight->n_dims,
                       weight->dims, out_value, err);
    if (status != GODWIT_OK) return status;
    (*out_value)->weight = weight;
    if (graph->placement) (*out_value)->placed = gw_placement_find(graph->placement, weight);
    return GODWIT_OK;
}

void gw_graph_place(gw_graph *graph, const gw_placement *placement) {
    graph->placement = placement;
    for (size_t i = 0; i < graph->values.n; i++) {
        gw_value *value = graph->values.items[i];
        if (value->weight) value->placed = gw_placement_find(placement, value->weight);
    }
}

static godwit_status add_view(gw_graph *graph, gw_value *of, uint32_t n_dims, const uint64_t *dims,
                              gw_view view, gw_value **out_value, godwit_error *err) {
    godwit_status status =
        gw_graph_value(graph, of->kind, of->name, of->dtype, n_dims, dims, out_value, err);
    if (status != GODWIT_OK) return status;
    (*out_value)->view_of = of;
    (*out_value)->view = view;
    return GODWIT_OK;
}

godwit_status gw_graph_view(gw_graph *graph, gw_value *value, uint64_t row, uint64_t n_rows,
                            gw_value **out_value, godwit_error *err) {
    uint64_t dims[GODWIT_MAX_DIMS];
    gw_view view = value->view;
    memcpy(dims, value->dims, sizeof dims);
    uint64_t step = gw_value_n_elements(value) / dims[0];
    bool fits = row <= dims[0] && n_rows <= dims[0] - row;
    if (value->dtype != GODWIT_F32 || !fits || (view.run && view.run != step)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "view of %s: rows %llu + %llu of %llu",
                       value->name, (unsigned long long)row, (unsigned long long)n_rows,
                       (unsigned long long)dims[0]);
    }
    dims[0] = n_rows;
    view.first += row * (view.run ? view.stride : step);
    return add_view(graph, value, value->n_dims, dims, view, out_value, err);
}

godwit_status gw_graph_columns(gw_graph *graph, gw_value *value, uint64_t first, uint64_t n,
                               gw_value **out_value, godwit_error *err) {
    uint64_t dims[GODWIT_MAX_DIMS], row = gw_value_row(value);
    gw_view view = value->view;
    bool fits = first <= row && n <= row - first;
    if (value->dtype != GODWIT_F32 || value->weight || !fits || (view.run && view.run != row)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "view of %s: columns %llu + %llu of %llu",
                       value->name, (unsigned long long)first, (unsigned long long)n,
                       (unsigned long long)row);
    }
    memcpy(dims, value->dims, sizeof dims);
    dims[value->n_dims - 1] = n;
    view.first += first;
    if (!view.run) view.stride = row;
    view.run = n;
    return add_view(graph, value, value->n_dims, dims, view, out_value, err);
}

godwit_status gw_graph_reshape(gw_graph *graph, gw_value *value, uint32_t n_dims,
                               const uint64_t *dims, gw_value **out_value, godwit_error *err) {
    godwit_status status = add_view(graph, value, n_dims, dims, value->view, out_value, err);
    if (status != GODWIT_OK) return status;
    if (value->weight || gw_value_n_elements(*out_value) != gw_value_n_elements(value)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "reshape of %s: not the same number of elements, or a constant",
                       value->name);
    }
    if (value->view.run % dims[n_dims - 1]) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "reshape of %s: rows of %llu are not whole in its %llu columns", value->name,
                       (unsigned long long)dims[n_dims - 1], (unsigned long long)value->view.run);
    }
    return GODWIT_OK;
}

// A view of columns is read by ops that know how.
static godwit_status check_strided(const gw_node *node, godwit_error *err) {
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const gw_value *input = node->inputs[i];
        if (!input || !gw_value_is_strided(input) || node->op->strided_inputs >> i & 1) continue;
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "%s: %s: input %u is columns of %s, which it does not read", node->op->name,
                       node->name, i, input->name);
    }
    return GODWIT_OK;
}

godwit_status gw_graph_insert(gw_graph *graph, size_t at, const gw_op *op, const char *name,
                              gw_value *const *inputs, uint32_t n_inputs, const void *attrs,
                              size_t attr_bytes, gw_value **out_values, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (n_inputs < op->n_inputs_min || n_inputs > op->n_inputs_max) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "%s: %s: %u inputs; it takes %u to %u", op->name,
                name, n_inputs, op->n_inputs_min, op->n_inputs_max);
    }
    if (attr_bytes > GW_MAX_ATTR_BYTES) GW_TRY(GW_BUG(err, "%s: attrs too large", op->name));
    gw_node *node = gw_arena_alloc(&graph->arena, 1, sizeof *node);
    GW_CHECK_ALLOC(node, err, "graph node");
    node->op = op;
    node->n_inputs = n_inputs;
    memcpy(node->inputs, inputs, n_inputs * sizeof *inputs);
    if (attr_bytes) memcpy(node->attrs, attrs, attr_bytes);
    node->name = gw_arena_strndup(&graph->arena, name, strlen(name));
    GW_CHECK_ALLOC(node->name, err, "graph node name");

    gw_value shapes[GW_MAX_OUTPUTS] = {0};
    GW_TRY(check_strided(node, err));
    GW_TRY(op->infer(node, shapes, err));
    for (uint32_t i = 0; i < GW_MAX_OUTPUTS && shapes[i].n_dims; i++) {
        GW_TRY(gw_graph_value(graph, shapes[i].kind, name, shapes[i].dtype, shapes[i].n_dims,
                              shapes[i].dims, &node->outputs[i], err));
    }
    gw_node **item = gw_vec_push(&graph->nodes, graph->host);
    GW_CHECK_ALLOC(item, err, "graph nodes");
    memmove(&graph->nodes.items[at + 1], &graph->nodes.items[at],
            (graph->nodes.n - 1 - at) * sizeof *graph->nodes.items);
    graph->nodes.items[at] = node;
    for (uint32_t i = 0; i < GW_MAX_OUTPUTS && out_values && node->outputs[i]; i++) {
        out_values[i] = node->outputs[i];
    }
done:
    return status;
}

godwit_status gw_graph_node(gw_graph *graph, const gw_op *op, const char *name,
                            gw_value *const *inputs, uint32_t n_inputs, const void *attrs,
                            size_t attr_bytes, gw_value **out_values, godwit_error *err) {
    return gw_graph_insert(graph, graph->nodes.n, op, name, inputs, n_inputs, attrs, attr_bytes,
                           out_values, err);
}

void gw_graph_remove(gw_graph *graph, size_t at) {
    graph->nodes.n--;
    memmove(&graph->nodes.items[at], &graph->nodes.items[at + 1],
            (graph->nodes.n - at) * sizeof *graph->nodes.items);
}
