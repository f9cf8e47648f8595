// Executable: see executable.h.
#include "run/executable.h"

#include "base/status.h"

void gw_workspace_destroy(gw_workspace *w) {
    gw_store_destroy(&w->arena);
    gw_store_destroy(&w->upload);
    gw_store_destroy(&w->readback);
    gw_store_destroy(&w->twin_upload);
    gw_store_destroy(&w->twin_readback);
}

// table: what the program is to be bound to.
static godwit_status fit(gw_workspace *w, const gw_store_table *table, const gw_backend *backend,
                         const gw_plan *plan, godwit_error *err) {
    const struct {
        gw_store *store;
        gw_buffer_kind kind;
        uint64_t bytes;
        const char *owner;
    } wanted[] = {
        {table->stores[GW_STORE_ARENA], GW_BUFFER_DEVICE, plan->arena_bytes, "activations"},
        {table->stores[GW_STORE_UPLOAD], GW_BUFFER_UPLOAD, plan->upload_bytes, "step"},
        {table->stores[GW_STORE_READBACK], GW_BUFFER_READBACK, plan->readback_bytes, "step"},
    };
    // Nothing is bound to what is not there yet.
    bool grows = false;
    for (int i = 0; i < 3; i++)
        grows |= wanted[i].store->n_bytes && wanted[i].bytes > wanted[i].store->n_bytes;
    if (grows && w->before_growing) w->before_growing(w->user);
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
    out->stores[GW_STORE_UPLOAD] = s->twin ? &s->workspace->twin_upload : &s->workspace->upload;
    out->stores[GW_STORE_READBACK] =
        s->twin ? &s->workspace->twin_readback : &s->workspace->readback;
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
    make_table(stores, &table);
    GW_TRY(fit(stores->workspace, &table, backend, plan, err));
    GW_TRY(gw_program_create(backend, &plan, &table, out_program, err));
done:
    gw_plan_destroy(&plan);
    return status;
}
