// Executable: see executable.h.
#include "run/executable.h"

#include "base/status.h"

void gw_workspace_destroy(gw_workspace *w) {
    gw_store_destroy(&w->arena);
    gw_store_destroy(&w->upload);
    gw_store_destroy(&w->readback);
}

static godwit_status fit(gw_workspace *w, const gw_backend *backend, const gw_plan *plan,
                         godwit_error *err) {
    const struct {
        gw_store *store;
        gw_buffer_kind kind;
        uint64_t bytes;
        const char *owner;
    } wanted[] = {
        {&w->arena, GW_BUFFER_DEVICE, plan->arena_bytes, "activations"},
        {&w->upload, GW_BUFFER_UPLOAD, plan->upload_bytes, "step"},
        {&w->readback, GW_BUFFER_READBACK, plan->readback_bytes, "step"},
    };
    bool fits = true;
    for (int i = 0; i < 3; i++) fits &= wanted[i].bytes <= wanted[i].store->n_bytes;
    if (fits) return GODWIT_OK;
    if (w->before_growing) w->before_growing(w->user);
    for (int i = 0; i < 3; i++) {
        if (wanted[i].bytes <= wanted[i].store->n_bytes) continue;
        gw_store_destroy(wanted[i].store);
        godwit_status status = gw_store_create(backend, wanted[i].kind, wanted[i].bytes,
                                               wanted[i].owner, wanted[i].store, err);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

static void make_table(const gw_executable_stores *s, gw_store_table *out) {
    *out = (gw_store_table){0};
    out->stores[GW_STORE_ARENA] = &s->workspace->arena;
    out->stores[GW_STORE_UPLOAD] = &s->workspace->upload;
    out->stores[GW_STORE_READBACK] = &s->workspace->readback;
    for (uint32_t i = 0; i < s->n_states; i++) out->stores[GW_STORE_STATE + i] = &s->states[i];
    for (uint32_t i = 0; s->weights && i < s->weights->n_stores; i++)
        out->stores[GW_STORE_WEIGHTS + i] = &s->weights->stores[i];
}

godwit_status gw_executable_create(const gw_backend *backend, gw_graph *graph, const gw_tune *tune,
                                   const gw_executable_stores *stores, gw_program **out_program,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_plan *plan = NULL;
    gw_store_table table;
    if (stores->weights) gw_graph_place(graph, &stores->weights->placement);
    GW_TRY(gw_plan_create(graph, tune, &plan, err));
    GW_TRY(fit(stores->workspace, backend, plan, err));
    make_table(stores, &table);
    GW_TRY(gw_program_create(backend, &plan, &table, out_program, err));
done:
    gw_plan_destroy(&plan);
    return status;
}
