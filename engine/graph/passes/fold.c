// Fold: computes nodes whose inputs are all constants, with the op's own reference, so that the
// result has the bits that the device would give. Weights that are already on a device are left
// alone, and so is what could be no constant: a value that some op reads as a computed one, and one
// that is not finite, which upload refuses.
#include "graph/op.h"

#include "base/status.h"

static bool all_take_constant(const gw_graph *graph, const gw_value *value) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const gw_node *reader = graph->nodes.items[i];
        for (uint32_t k = 0; k < reader->n_inputs; k++) {
            gw_value *input = reader->inputs[k];
            if (!input || gw_value_root(input) != value) continue;
            // There is no view of a constant.
            bool one_row = gw_value_n_rows(input) == 1;
            bool takes = reader->op->raw_inputs >> k & 1 && (one_row || !reader->op->one_raw_row);
            if (input != value || !takes) return false;
        }
    }
    return true;
}

static bool can_fold(const gw_graph *graph, const gw_node *node) {
    if (!node->op->foldable || node->outputs[0]->keep) return false;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const gw_value *value = node->inputs[i];
        if (!value->weight || value->placed || value->dtype != GODWIT_F32) return false;
    }
    return all_take_constant(graph, node->outputs[0]);
}

// A copy of a weight, repacked into the arena as plain fp32 rows and placed there as store `index`.
static godwit_status repacked(gw_graph *graph, const gw_weight *w, uint32_t index,
                              gw_value *out_value, uint8_t **out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_groups rows = {.rows = {.host = graph->host}};
    gw_weight *copy = gw_arena_alloc(&graph->arena, 1, sizeof *copy);
    GW_CHECK_ALLOC(copy, err, "constant folding");
    *copy = *w;
    copy->group_rows = 1;
    gw_row_layout layout = gw_weight_layout(copy);
    uint64_t row_bytes = gw_layout_group_bytes(&layout);
    *out = gw_arena_alloc(&graph->arena, w->n_rows, row_bytes);
    GW_CHECK_ALLOC(*out, err, "constant folding");
    gw_placed *placed = gw_arena_alloc(&graph->arena, 1, sizeof *placed);
    gw_weight_chunk *chunk = gw_arena_alloc(&graph->arena, 1, sizeof *chunk);
    GW_CHECK_ALLOC(placed && chunk, err, "constant folding");
    *chunk = (gw_weight_chunk){.store = index, .n_rows = w->n_rows, .bytes = w->n_rows * row_bytes};
    *placed = (gw_placed){.weight = copy, .format = copy->format, .n_chunks = 1, .chunks = chunk};
    out_value->weight = copy;
    out_value->placed = placed;
    GW_TRY(gw_groups_init(&rows, graph->host, copy, copy->format, err));
    for (uint64_t row = 0; row < w->n_rows; row++) {
        GW_TRY(gw_groups_get(&rows, row, *out + row * row_bytes, err));
    }
done:
    gw_groups_deinit(&rows);
    return status;
}

static bool is_finite(const uint8_t *data, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, data + 4 * i, 4);
        if ((bits & 0x7f800000u) == 0x7f800000u) return false;
    }
    return true;
}

static void become_constant(gw_value *value, gw_weight *w, const uint8_t *data) {
    gw_weight_init(w, value->name, gw_format_find(GODWIT_F32), value->n_dims, value->dims,
                   (gw_source){.bytes = data});
    value->kind = GW_VALUE_WEIGHT;
    value->weight = w;
}

static godwit_status fold_node(gw_graph *graph, gw_node *node, bool *out_folded,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t n = gw_value_n_elements(node->outputs[0]);
    gw_plan plan = {.host = graph->host, .tune = {.elem_lanes = 1, .row_lanes = 1}};
    uint8_t *bufs[GW_MAX_INPUTS + 1];
    gw_weight *result = gw_arena_alloc(&graph->arena, 1, sizeof *result);
    bufs[GW_MAX_INPUTS] = gw_arena_alloc(&graph->arena, n, 4);
    GW_CHECK_ALLOC(result && bufs[GW_MAX_INPUTS], err, "constant folding");
    gw_value inputs[GW_MAX_INPUTS];
    gw_node placed = *node;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        inputs[i] = *node->inputs[i];
        GW_TRY(repacked(graph, node->inputs[i]->weight, i, &inputs[i], &bufs[i], err));
        placed.inputs[i] = &inputs[i];
    }
    node->outputs[0]->slice = (gw_slice){.buffer = GW_STORE_ARENA};
    GW_TRY(node->op->launch(&plan, &placed, err));
    for (size_t i = 0; i < plan.launches.n; i++) {
        const gw_launch *launch = &plan.launches.items[i];
        gw_reference_args args = {.params = launch->params};
        for (uint32_t k = 0; k < launch->n_slices; k++) {
            uint32_t buffer = launch->slices[k].buffer;
            args.bufs[k] =
                buffer == GW_STORE_ARENA ? bufs[GW_MAX_INPUTS] : bufs[buffer - GW_STORE_WEIGHTS];
        }
        gw_reference(node->op, &args);
    }
    *out_folded = is_finite(bufs[GW_MAX_INPUTS], n);
    if (*out_folded) become_constant(node->outputs[0], result, bufs[GW_MAX_INPUTS]);
done:
    gw_vec_deinit(&plan.launches, plan.host);
    return status;
}

godwit_status gw_pass_fold(gw_graph *graph, godwit_error *err) {
    for (size_t i = 0; i < graph->nodes.n;) {
        gw_node *node = graph->nodes.items[i];
        bool folded = false;
        if (can_fold(graph, node)) {
            godwit_status status = fold_node(graph, node, &folded, err);
            if (status != GODWIT_OK) return status;
        }
        if (folded)
            gw_graph_remove(graph, i);
        else
            i++;
    }
    return GODWIT_OK;
}
