// Fold: computes nodes whose inputs are all constants, with the op's own reference, so that the
// result has the bits that the device would give. Weights that are already on a device are left
// alone.
#include "graph/op.h"

#include "base/status.h"

static bool can_fold(const gw_node *node) {
    if (!node->op->foldable || node->output->keep) return false;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const gw_value *value = node->inputs[i];
        if (!value->weight || value->weight->n_chunks || value->dtype != GODWIT_F32) return false;
    }
    return true;
}

// A copy of a weight, repacked into the arena and placed there as store `index`.
static gw_weight *repacked(gw_graph *graph, const gw_weight *w, uint32_t index, uint8_t **out) {
    uint64_t row_quants = gw_weight_row_quants(w);
    gw_weight *copy = gw_arena_alloc(&graph->arena, 1, sizeof *copy);
    *out = gw_arena_alloc(&graph->arena, w->n_rows, row_quants);
    if (!copy || !*out) return NULL;
    *copy = *w;
    copy->n_chunks = 1;
    copy->chunks[0] = (gw_weight_chunk){
        .store = index, .n_rows = w->n_rows, .quants_bytes = w->n_rows * row_quants};
    for (uint64_t row = 0; row < w->n_rows; row++) {
        gw_packed packed = {.quants = (uint32_t *)(*out + row * row_quants)};
        w->format->repack(w->data + row * gw_format_row_bytes(w->format, w->n_cols), w->n_cols,
                          &packed);
    }
    return copy;
}

static void become_constant(gw_value *value, gw_weight *w, const uint8_t *data) {
    gw_weight_init(w, value->name, gw_format_find(GODWIT_F32), value->n_dims, value->dims, data);
    value->kind = GW_VALUE_WEIGHT;
    value->weight = w;
}

static godwit_status fold_node(gw_graph *graph, gw_node *node, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_plan plan = {.host = graph->host, .tune = {.elem_lanes = 1, .row_lanes = 1}};
    uint8_t *bufs[GW_MAX_INPUTS + 1];
    gw_weight *result = gw_arena_alloc(&graph->arena, 1, sizeof *result);
    bufs[GW_MAX_INPUTS] = gw_arena_alloc(&graph->arena, gw_value_n_elements(node->output), 4);
    GW_CHECK_ALLOC(result && bufs[GW_MAX_INPUTS], err, "constant folding");
    gw_value inputs[GW_MAX_INPUTS];
    gw_node placed = *node;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        inputs[i] = *node->inputs[i];
        inputs[i].weight = repacked(graph, node->inputs[i]->weight, i, &bufs[i]);
        GW_CHECK_ALLOC(inputs[i].weight, err, "constant folding");
        placed.inputs[i] = &inputs[i];
    }
    node->output->slice = (gw_slice){.buffer = GW_STORE_ARENA};
    GW_TRY(node->op->launch(&plan, &placed, err));
    for (size_t n = 0; n < plan.launches.n; n++) {
        const gw_launch *launch = &plan.launches.items[n];
        gw_reference_args args = {.params = launch->params};
        for (uint32_t k = 0; k < launch->n_slices; k++) {
            uint32_t buffer = launch->slices[k].buffer;
            args.bufs[k] =
                buffer == GW_STORE_ARENA ? bufs[GW_MAX_INPUTS] : bufs[buffer - GW_STORE_WEIGHTS];
        }
        node->op->reference(&args);
    }
    become_constant(node->output, result, bufs[GW_MAX_INPUTS]);
done:
    gw_vec_deinit(&plan.launches, plan.host);
    return status;
}

godwit_status gw_pass_fold(gw_graph *graph, godwit_error *err) {
    for (size_t i = 0; i < graph->nodes.n;) {
        if (!can_fold(graph->nodes.items[i])) {
            i++;
            continue;
        }
        godwit_status status = fold_node(graph, graph->nodes.items[i], err);
        if (status != GODWIT_OK) return status;
        gw_graph_remove(graph, i);
    }
    return GODWIT_OK;
}
