// Model: the weights of a definition, on a backend.
#include "session/internal.h"

#include "arch/next.h"
#include "base/clock.h"
#include "base/status.h"

// Of how many layers experts lie in host memory; asked as in godwit_model_params.
static uint32_t host_layers(const gw_model *model, gw_weight *const *all, size_t n, int32_t asked) {
    enum { ACTIVATIONS = 16 }; // its share of what is free: activations, logits and others' work
    const gw_model_def *def = model->def;
    const uint32_t n_ctx =
        def->h.n_ctx_train < GODWIT_CTX_DEFAULT_MAX ? def->h.n_ctx_train : GODWIT_CTX_DEFAULT_MAX;
    if (asked) return asked > 0 ? (uint32_t)asked : 0;
    if (!model->backend->device) return 0;
    const uint64_t room = gw_device_room(model->backend->device);
    if (room == UINT64_MAX) return 0;
    const uint64_t kept = room / ACTIVATIONS + gw_pool_state_bytes(def, n_ctx);
    return gw_weights_host_layers(all, n, room > kept ? room - kept : 0);
}

// The definition's weights and those of adapters.
static godwit_status upload(gw_model *model, const godwit_model_params *params, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_model_def *def = model->def;
    const size_t n_def = def->weights.n, n_deltas = model->lora ? model->lora->deltas.n : 0;
    const size_t n_next = model->next_def ? model->next_def->weights.n : 0;
    const size_t n = n_def + 2 * n_deltas + n_next;
    gw_weight **all = gw_alloc(def->host, n, sizeof(*all));
    GW_CHECK_ALLOC(all, err, "model");
    memcpy(all, def->weights.items, n_def * sizeof(*all));
    for (size_t i = 0; i < n_deltas; i++) {
        all[n_def + 2 * i] = model->lora->deltas.items[i].a;
        all[n_def + 2 * i + 1] = model->lora->deltas.items[i].b;
    }
    if (n_next)
        memcpy(all + n_def + 2 * n_deltas, model->next_def->weights.items, n_next * sizeof(*all));
    const uint32_t n_host = host_layers(model, all, n, params ? params->host_experts : 0);
    status = gw_weights_upload(model->backend, all, n, n_host, params ? params->progress : NULL,
                               params ? params->progress_user : NULL, &model->weights, err);
    if (status != GODWIT_IO) gw_note(err, status, "%s", gw_gguf_name(def->gguf)); // a read names it
done:
    gw_free(def->host, all, n * sizeof(*all));
    return status;
}

godwit_status gw_model_create(const gw_backend *backend, const gw_model_def *def,
                              const gw_lora_source *loras, uint32_t n_loras,
                              const godwit_model_params *params, gw_model **out_model,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t start = gw_now_ns();
    gw_model *model = gw_alloc(backend->host, 1, sizeof *model);
    GW_CHECK_ALLOC(model, err, "model");
    model->backend = backend;
    pthread_mutex_init(&model->fingerprint_lock, NULL);
    model->def = def;
    if (n_loras) {
        GW_TRY(gw_lora_create(def, loras, n_loras, &model->lora, err));
        GW_TRY(gw_lora_check(def, model->lora, err));
    }
    if (params && params->mtp) GW_TRY(gw_next_create(def, &model->next_def, err));
    GW_TRY(upload(model, params, err));
    if (model->next_def) {
        model->next = gw_alloc(backend->host, 1, sizeof *model->next);
        GW_CHECK_ALLOC(model->next, err, "model");
        model->next->backend = backend;
        model->next->def = model->next_def;
        model->next->weights = model->weights; // lent
    }
    model->load_ns = gw_now_ns() - start;
    *out_model = model;
    model = NULL;
done:
    gw_model_destroy(&model);
    return status;
}

void gw_model_destroy(gw_model **model) {
    if (!*model) return;
    const gw_host *host = (*model)->backend->host;
    gw_free(host, (*model)->next, sizeof *(*model)->next);
    gw_weight_stores_destroy(&(*model)->weights);
    gw_model_def_destroy(&(*model)->next_def);
    gw_lora_destroy(&(*model)->lora);
    pthread_mutex_destroy(&(*model)->fingerprint_lock);
    gw_free(host, *model, sizeof **model);
    *model = NULL;
}

godwit_status gw_model_scrub(gw_model *model, uint64_t max_bytes, godwit_scrub_report *report,
                             godwit_error *err) {
    godwit_status status = gw_weights_scrub(&model->weights, max_bytes, report, err);
    return gw_note(err, status, "%s", gw_gguf_name(model->def->gguf));
}
