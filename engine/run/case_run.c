// Case run: a case made, and cases on a backend. See cases.h.
#include "run/case_data.h"

#include "base/clock.h"
#include "base/status.h"
#include "run/executable.h"

struct gw_loaded_case {
    const gw_backend *backend;
    gw_case c;
    gw_weight_stores weights;
    // Of the run at hand:
    gw_workspace workspace;
    gw_store state;
};

godwit_status gw_case_create(gw_case *c, const gw_host *host, const gw_case_row *row,
                             const gw_format *format, gw_case_data data, bool in_name_only,
                             godwit_error *err) {
    *c = (gw_case){.row = row,
                   .format = format,
                   .seed = format ? (format->id + 1) << 20 : 0,
                   .data = data,
                   .fills = data == GW_CASE_AWKWARD ? EVERY : NORMAL | ZEROS,
                   .in_name_only = in_name_only,
                   .err = err};
    gw_graph_init(&c->graph, host);
    gw_placement_init(&c->placement, host);
    if (in_name_only) gw_graph_place(&c->graph, &c->placement);
    row->build(c);
    if (c->status == GODWIT_OK) c->status = gw_graph_optimize(&c->graph, NULL, NULL, err);
    return c->status;
}

void gw_case_destroy(gw_case *c) {
    gw_vec_deinit(&c->inputs, c->graph.host);
    gw_vec_deinit(&c->weights, c->graph.host);
    gw_graph_deinit(&c->graph);
    gw_placement_deinit(&c->placement);
}

godwit_status gw_case_plan(gw_case *c, const gw_tune *tune, gw_plan **out_plan, godwit_error *err) {
    const gw_tune own = gw_case_tune(c, tune);
    return gw_plan_create(&c->graph, &own, out_plan, err);
}

static godwit_status write_inputs(gw_loaded_case *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < l->c.inputs.n; i++) {
        const gw_case_input *in = &l->c.inputs.items[i];
        gw_store *store = in->value->kind == GW_VALUE_STATE ? &l->state : &l->workspace.upload;
        const gw_slice *slice = &in->value->slice;
        GW_TRY(gw_store_write(store, slice->offset, in->data, slice->bytes, err));
    }
done:
    return status;
}

static godwit_status append(gw_case_result *result, gw_store *store, uint64_t offset, uint64_t n,
                            godwit_error *err) {
    uint8_t *grown = gw_realloc(result->host, result->bytes, result->n_bytes, result->n_bytes + n);
    if (!grown) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: results");
    result->bytes = grown;
    godwit_status status = gw_store_read(store, offset, grown + result->n_bytes, n, err);
    result->n_bytes += n;
    return status;
}

static godwit_status collect(gw_loaded_case *l, gw_case_result *result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_case *c = &l->c;
    for (size_t i = 0; i < c->graph.values.n; i++) {
        const gw_value *v = c->graph.values.items[i];
        bool kept = v->kind == GW_VALUE_COMPUTED && v->keep;
        if (v->view_of || !v->slice.bytes || !(kept || v->kind == GW_VALUE_OUTPUT)) continue;
        GW_TRY(append(result, kept ? &l->workspace.arena : &l->workspace.readback, v->slice.offset,
                      v->slice.bytes, err));
    }
    if (c->state_bytes) GW_TRY(append(result, &l->state, 0, c->state_bytes, err));
done:
    return status;
}

godwit_status gw_case_load(const gw_backend *backend, const gw_case_row *row,
                           const gw_format *format, gw_case_data data, gw_loaded_case **out_case,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_loaded_case *l = gw_alloc(backend->host, 1, sizeof *l);
    if (!l) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: sample case");
    l->backend = backend;
    GW_TRY(gw_case_create(&l->c, backend->host, row, format, data, false, err));
    gw_graph_lay_out(&l->c.graph);
    GW_TRY(gw_weights_upload(backend, l->c.weights.items, l->c.weights.n, 0, NULL, NULL,
                             &l->weights, err));
    *out_case = l;
    l = NULL;
done:
    gw_case_unload(&l);
    return status;
}

void gw_case_unload(gw_loaded_case **c) {
    if (!*c) return;
    gw_weight_stores_destroy(&(*c)->weights);
    gw_case_destroy(&(*c)->c);
    gw_free((*c)->backend->host, *c, sizeof **c);
    *c = NULL;
}

static godwit_status take_time(gw_program *program, uint64_t budget_ns, uint64_t *best_ns,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t begin = gw_now_ns();
    *best_ns = UINT64_MAX;
    do {
        uint64_t start = gw_now_ns();
        GW_TRY(gw_program_run(program, NULL, err));
        uint64_t wall_ns = gw_now_ns() - start, ns = gw_program_device_ns(program);
        if (!ns) ns = wall_ns;
        if (ns < *best_ns) *best_ns = ns;
    } while (gw_now_ns() - begin < budget_ns);
done:
    return status;
}

// What a launch leaves out must not be what another run has left there.
static godwit_status spoil(gw_workspace *w, const gw_program *program, godwit_error *err) {
    const uint64_t at = gw_program_plan(program)->counter_bytes;
    godwit_status status = GODWIT_OK;
    if (w->arena.n_bytes > at)
        GW_TRY(gw_store_set(&w->arena, at, w->arena.n_bytes - at, 0xff, err));
    if (w->readback.n_bytes) GW_TRY(gw_store_set(&w->readback, 0, w->readback.n_bytes, 0xff, err));
done:
    return status;
}

godwit_status gw_case_run_loaded(gw_loaded_case *c, const gw_tune *tune, uint64_t budget_ns,
                                 uint64_t *best_ns, gw_case_result *out_result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_program *program = NULL;
    const gw_tune own = gw_case_tune(&c->c, tune);
    const gw_executable_stores stores = {
        .workspace = &c->workspace, .states = &c->state, .n_states = 1, .weights = &c->weights};
    *out_result = (gw_case_result){.host = c->backend->host};
    GW_TRY(
        gw_store_create(c->backend, GW_BUFFER_DEVICE, c->c.state_bytes, "check", &c->state, err));
    GW_TRY(gw_executable_create(c->backend, &c->c.graph, &own, &stores, &program, err));
    GW_TRY(spoil(&c->workspace, program, err));
    GW_TRY(write_inputs(c, err));
    GW_TRY(gw_program_run(program, NULL, err));
    if (best_ns) GW_TRY(take_time(program, budget_ns, best_ns, err));
    GW_TRY(collect(c, out_result, err));
done:
    gw_program_destroy(&program);
    gw_workspace_destroy(&c->workspace);
    gw_store_destroy(&c->state);
    if (status != GODWIT_OK) gw_case_result_free(out_result);
    return status;
}

godwit_status gw_case_run(const gw_backend *backend, const gw_case_row *row,
                          const gw_format *format, gw_case_data data, gw_case_result *out_result,
                          godwit_error *err) {
    gw_loaded_case *c = NULL;
    *out_result = (gw_case_result){.host = backend->host};
    godwit_status status = gw_case_load(backend, row, format, data, &c, err);
    if (status == GODWIT_OK) {
        status = gw_case_run_loaded(c, &backend->tune, 0, NULL, out_result, err);
    }
    gw_case_unload(&c);
    return status;
}

void gw_case_result_free(gw_case_result *result) {
    if (result->bytes) gw_free(result->host, result->bytes, result->n_bytes);
    result->bytes = NULL;
    result->n_bytes = 0;
}
