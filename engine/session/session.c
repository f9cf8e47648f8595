// Session: see session.h. Memory and programs; timeline.c feeds and samples.
#include "session/internal.h"

#include "base/status.h"
#include "graph/op.h"

// --- memory --------------------------------------------------------------------------------------

// Gives a state value its place behind the others.
static godwit_status place_state(gw_session *s, gw_slice *slice, uint64_t bytes, const char *what,
                                 godwit_error *err) {
    const gw_backend *backend = s->model->backend;
    uint64_t max = UINT64_MAX;
    if (backend->device) max = gw_device_caps(backend->device)->max_buffer_bytes;
    if (bytes > backend->tune.max_range || bytes > max) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "session: %s takes %llu bytes, the device binds %llu; a context of %llu "
                       "tokens would fit",
                       what, (unsigned long long)bytes, (unsigned long long)backend->tune.max_range,
                       (unsigned long long)(backend->tune.max_range / (bytes / s->n_ctx + 1)));
    }
    if (s->n_states == 0 || bytes > max - s->state_bytes[s->n_states - 1]) {
        if (s->n_states == GW_MAX_STATE_STORES) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "session: the KV cache of %u tokens needs more than %d buffers",
                           s->n_ctx, GW_MAX_STATE_STORES);
        }
        s->n_states++;
    }
    uint64_t *end = &s->state_bytes[s->n_states - 1];
    *slice = (gw_slice){.buffer = GW_STORE_STATE + s->n_states - 1, .offset = *end, .bytes = bytes};
    *end = GW_ALIGN_UP(*end + bytes, GW_SLICE_ALIGN);
    return GODWIT_OK;
}

static godwit_status make_states(gw_session *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hparams *h = &s->model->def->h;
    s->kv = gw_alloc(s->host, 2 * (size_t)h->n_layer, sizeof *s->kv);
    GW_CHECK_ALLOC(s->kv, err, "session");
    for (uint32_t i = 0; i < 2 * h->n_layer; i++) {
        gw_value cache = {.dtype = s->kv_dtypes[i % 2],
                          .kind = GW_VALUE_STATE,
                          .n_dims = 3,
                          .dims = {s->n_ctx, h->n_head_kv, gw_head_row(h)}};
        uint64_t bytes = gw_value_bytes(&cache);
        GW_TRY(place_state(s, &s->kv[i], bytes, "a layer's KV cache", err));
        s->kv_bytes += bytes;
    }
    GW_TRY(place_state(s, &s->logits, (uint64_t)h->n_vocab * 4, "logits", err));
    for (uint32_t i = 0; i < s->n_states; i++) {
        GW_TRY(gw_store_create(s->model->backend, GW_BUFFER_DEVICE, s->state_bytes[i], "kv",
                               &s->states[i], err));
    }
done:
    return status;
}

// Makes the working stores large enough for a plan; programs bound to the old ones go.
static godwit_status reserve(gw_session *s, const gw_plan *plan, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const struct {
        gw_store *store;
        gw_buffer_kind kind;
        uint64_t bytes;
        const char *owner;
    } wanted[] = {
        {&s->arena, GW_BUFFER_DEVICE, plan->arena_bytes, "activations"},
        {&s->upload, GW_BUFFER_UPLOAD, plan->upload_bytes, "step"},
        {&s->readback, GW_BUFFER_READBACK, plan->readback_bytes, "step"},
    };
    bool fits = true;
    for (int i = 0; i < 3; i++) fits &= wanted[i].bytes <= wanted[i].store->n_bytes;
    if (fits) return GODWIT_OK;
    for (int i = 0; i < GW_N_SLOTS; i++) gw_slot_clear(&s->slots[i]);
    for (int i = 0; i < 3; i++) {
        uint64_t old = wanted[i].store->n_bytes;
        if (wanted[i].bytes <= old) continue;
        gw_store_destroy(wanted[i].store);
        GW_TRY(gw_store_create(s->model->backend, wanted[i].kind, wanted[i].bytes, wanted[i].owner,
                               wanted[i].store, err));
    }
done:
    return status;
}

// --- programs ------------------------------------------------------------------------------------

void gw_slot_clear(gw_slot *slot) {
    gw_program_destroy(&slot->program);
    *slot = (gw_slot){0};
}

static void store_table(gw_session *s, gw_store_table *table) {
    *table = (gw_store_table){0};
    table->stores[GW_STORE_ARENA] = &s->arena;
    table->stores[GW_STORE_UPLOAD] = &s->upload;
    table->stores[GW_STORE_READBACK] = &s->readback;
    for (uint32_t i = 0; i < s->n_states; i++) table->stores[GW_STORE_STATE + i] = &s->states[i];
    for (uint32_t i = 0; i < s->model->weights.n_stores; i++) {
        table->stores[GW_STORE_WEIGHTS + i] = &s->model->weights.stores[i];
    }
}

static void place_states(gw_session *s, const gw_graph *graph, gw_step_io *io, bool caches) {
    for (uint32_t i = 0; caches && i < s->model->def->h.n_layer; i++) {
        io->k_cache[i]->slice = s->kv[2 * i];
        io->v_cache[i]->slice = s->kv[2 * i + 1];
    }
    for (size_t i = 0; i < graph->values.n; i++) {
        gw_value *value = graph->values.items[i];
        bool is_logits = value->kind == GW_VALUE_STATE && value->dims[0] == 1 &&
                         value->n_dims == 2 && !value->view_of;
        if (is_logits) value->slice = s->logits;
    }
}

godwit_status gw_slot_make(gw_session *s, uint32_t n_tok, gw_step_kind kind, gw_slot *slot,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_graph graph;
    gw_step_io io;
    gw_value *control = NULL;
    gw_plan *plan = NULL;
    gw_graph_init(&graph, s->host);
    GW_TRY(gw_step_graph(s->model->def, &graph, n_tok, s->n_ctx, s->kv_dtypes, kind, &io, &control,
                         err));
    GW_TRY(gw_graph_optimize(&graph, NULL, NULL, err));
    place_states(s, &graph, &io, n_tok > 0);
    gw_tune tune = s->model->backend->tune;
    tune.fast = s->fast;
    tune.keep_values = s->guard > 0;
    tune.time_launches = s->time_launches;
    GW_TRY(gw_plan_create(&graph, &tune, &plan, err));
    GW_TRY(reserve(s, plan, err));
    gw_slot_clear(slot);
    gw_store_table table;
    store_table(s, &table);
    GW_TRY(gw_program_create(s->model->backend, &plan, &table, &slot->program, err));
    slot->n_tok = n_tok;
    slot->logits = io.logits->slice;
    slot->tokens = io.tokens->slice;
    if (io.positions) slot->positions = io.positions->slice;
    if (io.rope_table) slot->rope_table = io.rope_table->slice;
    if (control) slot->control = control->slice;
done:
    gw_plan_destroy(&plan);
    gw_graph_deinit(&graph);
    return status;
}

// --- create --------------------------------------------------------------------------------------

static bool read_kv(godwit_kv keys, godwit_kv values, uint32_t out_dtypes[2]) {
    const uint32_t kinds[2] = {(uint32_t)keys, (uint32_t)values};
    static const uint32_t dtypes[2][3] = {{GODWIT_F16, GODWIT_F32, GW_DTYPE_Q8_KEYS},
                                          {GODWIT_F16, GODWIT_F32, GW_DTYPE_Q8_VALUES}};
    for (int i = 0; i < 2; i++) {
        if (kinds[i] > GODWIT_KV_Q8_0) return false;
        out_dtypes[i] = dtypes[i][kinds[i]];
    }
    return true;
}

static godwit_status read_params(gw_session *s, const godwit_session_params *params,
                                 godwit_error *err) {
    const gw_hparams *h = &s->model->def->h;
    godwit_session_params p = params ? *params : (godwit_session_params){0};
    s->n_ctx = p.n_ctx;
    if (!p.n_ctx) {
        s->n_ctx =
            h->n_ctx_train < GODWIT_CTX_DEFAULT_MAX ? h->n_ctx_train : GODWIT_CTX_DEFAULT_MAX;
    }
    if (s->n_ctx > GW_MAX_CTX) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "session: n_ctx %u is above the limit of %d",
                       s->n_ctx, GW_MAX_CTX);
    }
    if (!read_kv(p.kv_k, p.kv_v, s->kv_dtypes)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: kv_k %d, kv_v %d: not KV_F16, KV_F32 or KV_Q8_0 each", (int)p.kv_k,
                       (int)p.kv_v);
    }
    if (p.numerics != GODWIT_EXACT && p.numerics != GODWIT_FAST) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "session: numerics %d is not EXACT or FAST",
                       (int)p.numerics);
    }
    if (p.guard && p.numerics == GODWIT_FAST) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: guard compares bits, which fast numerics do not keep");
    }
    s->guard = p.guard;
    s->time_launches = p.time_launches;
    s->fast = p.numerics == GODWIT_FAST;
    s->n_batch = p.n_batch ? p.n_batch : GW_BATCH_DEFAULT;
    if (s->n_batch > s->n_ctx) s->n_batch = s->n_ctx;
    if (s->n_batch > GW_BATCH_MAX) s->n_batch = GW_BATCH_MAX;
    return GODWIT_OK;
}

godwit_status gw_session_create(gw_model *model, const godwit_session_params *params,
                                gw_session **out_session, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = model->backend->host;
    gw_session *s = gw_alloc(host, 1, sizeof *s);
    GW_CHECK_ALLOC(s, err, "session");
    s->host = host;
    s->model = model;
    atomic_init(&s->cancelled, false);
    GW_TRY(read_params(s, params, err));
    GW_TRY(make_states(s, err));
    *out_session = s;
    s = NULL;
done:
    gw_session_destroy(&s);
    return status;
}

void gw_session_destroy(gw_session **session) {
    gw_session *s = *session;
    if (!s) return;
    for (int i = 0; i < GW_N_SLOTS; i++) gw_slot_clear(&s->slots[i]);
    gw_store_destroy(&s->arena);
    gw_store_destroy(&s->upload);
    gw_store_destroy(&s->readback);
    for (uint32_t i = 0; i < s->n_states; i++) gw_store_destroy(&s->states[i]);
    gw_free(s->host, s->kv, 2 * (size_t)s->model->def->h.n_layer * sizeof *s->kv);
    gw_free(s->host, s->rows, s->rows_bytes);
    gw_vec_deinit(&s->ids, s->host);
    gw_vec_deinit(&s->launch_times, s->host);
    gw_free(s->host, s->all_logits, s->all_logits_bytes);
    gw_free(s->host, s, sizeof *s);
    *session = NULL;
}

uint32_t gw_session_n_ctx(const gw_session *s) {
    return s->n_ctx;
}
uint32_t gw_session_n_past(const gw_session *s) {
    return s->n_past;
}
void gw_session_cancel(gw_session *s) {
    atomic_store(&s->cancelled, true);
}
