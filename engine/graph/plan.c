// Plan: see plan.h. The order of passes, and what ops use to describe launches.
#include "graph/plan.h"

#include "base/status.h"
#include "graph/op.h"

#include <stdio.h>

typedef struct graph_pass {
    const char *name;
    godwit_status (*run)(gw_graph *graph, godwit_error *err);
} graph_pass;

static const graph_pass graph_passes[] = {
    {"fold", gw_pass_fold},
    {"dead", gw_pass_dead},
    {"pack", gw_pass_pack},
    {"fuse", gw_pass_fuse},
};

godwit_status gw_graph_optimize(gw_graph *graph, gw_pass_fn each, void *user, godwit_error *err) {
    for (size_t i = 0; i < sizeof graph_passes / sizeof *graph_passes; i++) {
        const graph_pass *pass = &graph_passes[i];
        if (each) each(user, pass->name, false, graph);
        godwit_status status = pass->run(graph, err);
        if (status != GODWIT_OK) return gw_note(err, status, "pass %s", pass->name);
        if (each) each(user, pass->name, true, graph);
    }
    return GODWIT_OK;
}

void gw_graph_lay_out(const gw_graph *graph) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const gw_node *node = graph->nodes.items[i];
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            gw_value *input = node->inputs[k];
            if (!input || !input->weight || !(node->op->raw_inputs >> k & 1)) continue;
            ((gw_weight *)input->weight)->group_rows = 1; // the graph's own
        }
    }
}

// --- plan ----------------------------------------------------------------------------------------

#define HINT "fewer tokens at once (n_batch) or a smaller input would fit"

// What a device can bind and dispatch. Sizes come from the caller's shapes, so what does not fit is
// no bug; a slice without a place is: a constant was bound like a computed value, or a state was
// not placed.
static godwit_status check_launch(const gw_tune *tune, const gw_launch *launch, godwit_error *err) {
    const char *op = launch->op->name, *node = launch->node;
    for (uint32_t i = 0; i < launch->n_slices; i++) {
        uint64_t bytes = launch->slices[i].bytes;
        if (bytes == 0) return GW_BUG(err, "%s: %s: binding %u has no place", op, node, i);
        if (bytes <= tune->max_range) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "%s: %s: binding %u takes %llu bytes, the device binds %llu at once; " HINT,
                       op, node, i, (unsigned long long)bytes, (unsigned long long)tune->max_range);
    }
    const uint32_t *n = launch->groups, *max = tune->max_groups;
    for (int i = 0; i < 3; i++) {
        if (!max[i] || n[i] <= max[i]) continue; // 0: the reference has no limit
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "%s: %s: it takes %u x %u x %u workgroups, the device %u x %u x %u; " HINT,
                       op, node, n[0], n[1], n[2], max[0], max[1], max[2]);
    }
    return GODWIT_OK;
}

// An op that binds a constant whole cannot read one that was cut into chunks.
static godwit_status check_constants(const gw_plan *plan, size_t first, const gw_node *node,
                                     godwit_error *err) {
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const gw_weight *w = node->inputs[i] ? node->inputs[i]->weight : NULL;
        bool fits = !w || node->inputs[i]->placed->n_chunks == 1;
        for (size_t k = first; k < plan->launches.n && !fits; k++)
            fits = plan->launches.items[k].placed == node->inputs[i]->placed;
        if (fits) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "%s: %s: constant %s takes more than the %llu bytes that the device binds "
                       "at once; a smaller one would fit",
                       node->op->name, node->name, w->name,
                       (unsigned long long)plan->tune.max_range);
    }
    return GODWIT_OK;
}

// A placement may have some of a model's weights alone.
static godwit_status check_placed(const gw_node *node, godwit_error *err) {
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const gw_value *input = node->inputs[i];
        if (!input || !input->weight || input->placed) continue;
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "%s: %s: tensor %s is not placed on this device", node->op->name, node->name,
                       input->weight->name);
    }
    return GODWIT_OK;
}

static godwit_status launch_node(gw_plan *plan, const gw_node *node, godwit_error *err) {
    size_t first = plan->launches.n;
    uint64_t weight_bytes = plan->weight_bytes;
    godwit_status status = check_placed(node, err);
    if (status == GODWIT_OK) status = node->op->launch(plan, node, err);
    if (status == GODWIT_OK) status = check_constants(plan, first, node, err);
    for (size_t i = first; i < plan->launches.n && status == GODWIT_OK; i++) {
        gw_launch *launch = &plan->launches.items[i];
        snprintf(launch->node, sizeof launch->node, "%s", node->name);
        launch->tail = node->tail ? node->tail->op : NULL;
        if (i == first) launch->weight_bytes = plan->weight_bytes - weight_bytes;
        status = check_launch(&plan->tune, launch, err);
    }
    return status;
}

godwit_status gw_plan_create(gw_graph *graph, const gw_tune *tune, gw_plan **out_plan,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_plan *plan = gw_alloc(graph->host, 1, sizeof *plan);
    GW_CHECK_ALLOC(plan, err, "plan");
    plan->host = graph->host;
    plan->tune = *tune;
    plan->counter_bytes = tune->counts ? GW_COUNTER_BYTES : 0;
    gw_pass_tails(graph, &plan->tune);
    GW_TRY(gw_pass_place(graph, plan, err));
    if (plan->tune.counts && plan->arena_bytes > tune->max_range) { // it cannot be bound whole
        plan->tune.counts = false;
        gw_pass_tails(graph, &plan->tune);
        GW_TRY(gw_pass_place(graph, plan, err));
    }
    for (size_t i = 0; i < graph->nodes.n; i++) {
        if (!graph->nodes.items[i]->is_tail) GW_TRY(launch_node(plan, graph->nodes.items[i], err));
    }
    gw_pass_barriers(plan);
    *out_plan = plan;
    plan = NULL;
done:
    gw_plan_destroy(&plan);
    return status;
}

void gw_plan_destroy(gw_plan **plan) {
    if (!*plan) return;
    const gw_host *host = (*plan)->host;
    gw_vec_deinit(&(*plan)->launches, host);
    gw_free(host, *plan, sizeof **plan);
    *plan = NULL;
}

// --- launches, for ops ---------------------------------------------------------------------------

gw_launch *gw_plan_launch(gw_plan *plan, const gw_node *node, const void *params,
                          uint32_t params_bytes) {
    gw_launch *launch = gw_vec_push(&plan->launches, plan->host);
    if (!launch) return NULL;
    launch->op = node->op;
    snprintf(launch->shader, sizeof launch->shader, "%s", node->op->name);
    memcpy(launch->params, params, params_bytes);
    launch->params_bytes = params_bytes;
    launch->groups[0] = launch->groups[1] = launch->groups[2] = 1;
    return launch;
}

void gw_launch_bind_slice(gw_launch *launch, gw_slice slice, bool write) {
    if (write) launch->writes |= 1u << launch->n_slices;
    launch->slices[launch->n_slices++] = slice;
}

// The slice of a value, through views; of columns from the first element to the last.
static gw_slice slice_of(const gw_value *value) {
    if (!value->view_of) return value->slice;
    const gw_value *root = value;
    while (root->view_of) root = root->view_of;
    gw_slice slice = root->slice;
    slice.offset += value->view.first * 4;
    slice.bytes = gw_value_bytes(value);
    if (gw_value_is_strided(value)) {
        uint64_t n_runs = gw_value_n_elements(value) / value->view.run;
        slice.bytes = ((n_runs - 1) * value->view.stride + value->view.run) * 4;
    }
    return slice;
}

void gw_launch_bind(gw_launch *launch, const gw_value *value, bool write) {
    gw_launch_bind_slice(launch, slice_of(value), write);
}

void gw_launch_bind_view(gw_launch *launch, const gw_value *value, uint32_t *out_first) {
    gw_slice slice = slice_of(value);
    uint64_t before = value->view_of ? slice.offset % GW_SLICE_ALIGN : 0;
    slice.offset -= before;
    slice.bytes += before;
    *out_first = (uint32_t)(before / 4);
    gw_launch_bind_slice(launch, slice, false);
}

void gw_launch_bind_arena(gw_launch *launch, const gw_plan *plan) {
    gw_launch_bind_slice(launch, (gw_slice){.buffer = GW_STORE_ARENA, .bytes = plan->arena_bytes},
                         true);
}

gw_columns gw_columns_of(const gw_value *value) {
    const gw_view *view = &value->view;
    uint64_t row = gw_value_row(value);
    return (gw_columns){.first = (uint32_t)view->first,
                        .run = (uint32_t)(view->run ? view->run : row),
                        .stride = (uint32_t)(view->run ? view->stride : row)};
}

void gw_launch_bind_columns(gw_launch *launch, const gw_value *value, gw_columns *out) {
    *out = gw_columns_of(value);
    gw_launch_bind_view(launch, value, &out->first);
}

static gw_slice slice_of_chunk(const gw_weight_chunk *chunk) {
    return (gw_slice){
        .buffer = GW_STORE_WEIGHTS + chunk->store, .offset = chunk->offset, .bytes = chunk->bytes};
}

void gw_launch_bind_chunk(gw_launch *launch, const gw_weight_chunk *chunk) {
    gw_launch_bind_slice(launch, slice_of_chunk(chunk), false);
}

void gw_launch_bind_weight(gw_launch *launch, const gw_placed *placed,
                           const gw_weight_chunk *chunk) {
    const gw_slice rows = slice_of_chunk(chunk), table = slice_of_chunk(&placed->table);
    launch->placed = placed;
    launch->chunk = chunk;
    gw_launch_bind_slice(launch, rows, false);
    gw_launch_bind_slice(launch, table.bytes ? table : rows, false);
}

void gw_launch_bind_q8_act(gw_launch *launch, const gw_value *value, bool write) {
    gw_slice whole = slice_of(value), quants = whole, scales = whole;
    quants.bytes = gw_value_n_elements(value);
    scales.offset += gw_q8_act_scales_offset(value);
    scales.bytes = whole.bytes - gw_q8_act_scales_offset(value);
    gw_launch_bind_slice(launch, quants, write);
    gw_launch_bind_slice(launch, scales, write);
}

void gw_launch_spec(gw_launch *launch, uint32_t x, uint32_t n_more, const uint32_t *more) {
    launch->spec[0] = x;
    launch->spec[1] = launch->spec[2] = 1;
    memcpy(launch->spec + 3, more, n_more * sizeof *more);
    launch->n_spec = 3 + n_more;
}
