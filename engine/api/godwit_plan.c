// The plan of a step, of a file alone: godwit_file_plan, godwit_file_print_plan. Planned as for a GPU
// without limits; a device with small bindings cuts large weights into more launches.
#include "api/handles.h"

#include <stdio.h>
#include <string.h>

// Every weight in one piece: nothing is allocated.
static godwit_status place_weights(const gw_model_def *def, gw_placement *placement,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < def->weights.n && status == GODWIT_OK; i++) {
        const gw_weight *w = def->weights.items[i];
        if (w->whole && w != w->whole->parts[0]) continue;
        status =
            gw_placement_add(placement, w->whole ? w->whole : w, w->format, 0, NULL, NULL, err);
    }
    return status;
}

// One behind the other.
static void place_states(const gw_graph *graph) {
    gw_slice at = {.buffer = GW_STORE_STATE};
    for (size_t i = 0; i < graph->values.n; i++) {
        gw_value *v = graph->values.items[i];
        if (v->kind != GW_VALUE_STATE || v->view_of) continue;
        at.bytes = gw_value_bytes(v);
        v->slice = at;
        at.offset = GW_ALIGN_UP(at.offset + at.bytes, GW_SLICE_ALIGN);
    }
}

static godwit_status plan_of(const godwit_file *file, uint32_t n_tokens, gw_plan **out_plan,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_model_def *def = NULL;
    gw_graph graph;
    gw_step_io io;
    gw_tune tune;
    gw_placement placement;
    gw_tune_for_gpu(&tune);
    gw_graph_init(&graph, &file->context->host);
    gw_placement_init(&placement, &file->context->host);
    GW_TRY(gw_api_file_def(file, &def, err));
    const gw_step_shape shape = gw_api_step_of(def, n_tokens == 1 ? GW_STEP_SAMPLED : GW_STEP_GIVEN,
                                               n_tokens, def->h.n_ctx_train);
    GW_TRY(gw_step_graph(def, &graph, &shape, &io, err));
    GW_TRY(gw_graph_optimize(&graph, NULL, NULL, err));
    GW_TRY(place_weights(def, &placement, err));
    gw_graph_place(&graph, &placement);
    place_states(&graph);
    GW_TRY(gw_plan_create(&graph, &tune, out_plan, err));
done:
    gw_graph_deinit(&graph);
    gw_placement_deinit(&placement);
    return status;
}

// Layer 1 stands for all: the norm at the first one's begin follows no product.
static bool in_a_layer(const gw_launch *launch, const gw_plan *plan) {
    bool one = true;
    for (size_t i = 0; i < plan->launches.n && one; i++)
        one = strncmp(plan->launches.items[i].node, "blk.1.", 6) != 0;
    return strncmp(launch->node, one ? "blk.0." : "blk.1.", 6) == 0;
}

godwit_status godwit_file_plan(const godwit_file *file, uint32_t n_tokens,
                               godwit_plan_info *out_info, godwit_error *error) {
    GW_WANT(file && n_tokens >= 1 && out_info, error);
    godwit_plan_info info = {0};
    gw_plan *plan = NULL;
    godwit_status status = plan_of(file, n_tokens, &plan, error);
    if (status != GODWIT_OK) return status;
    info.n_launches = (uint32_t)plan->launches.n;
    info.n_barriers = plan->n_barriers;
    for (size_t i = 0; i < plan->launches.n; i++) {
        if (!in_a_layer(&plan->launches.items[i], plan)) continue;
        info.n_layer_launches++;
        info.n_layer_barriers += plan->launches.items[i].barrier_before;
    }
    gw_plan_destroy(&plan);
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

godwit_status godwit_file_print_plan(const godwit_file *file, uint32_t n_tokens,
                                     godwit_write_fn write, void *user, godwit_error *error) {
    GW_WANT(file && n_tokens >= 1 && write, error);
    gw_plan *plan = NULL;
    bool go = true;
    godwit_status status = plan_of(file, n_tokens, &plan, error);
    for (size_t i = 0; status == GODWIT_OK && i < plan->launches.n && go; i++) {
        const gw_launch *launch = &plan->launches.items[i];
        char text[128];
        int n = snprintf(text, sizeof text, "%c %-20s %s%s%s\n", launch->barrier_before ? '|' : ' ',
                         launch->shader, launch->node, launch->tail ? ", then " : "",
                         launch->tail ? launch->tail->name : "");
        go = write(user, text, (size_t)n);
    }
    gw_plan_destroy(&plan);
    return go ? status : gw_fail(error, GODWIT_CANCELLED, "stopped by the caller");
}
