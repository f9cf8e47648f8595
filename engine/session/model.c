// Model: a file's weights on a backend.
#include "session/session.h"

#include "base/clock.h"
#include "base/status.h"

godwit_status gw_model_create(const gw_backend *backend, const gw_gguf *gguf,
                              const godwit_model_params *params, gw_model **out_model,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t start = gw_now_ns();
    gw_model *model = gw_alloc(backend->host, 1, sizeof *model);
    GW_CHECK_ALLOC(model, err, "model");
    model->backend = backend;
    pthread_mutex_init(&model->fingerprint_lock, NULL);
    GW_TRY(gw_model_def_create(backend->host, gguf, &model->def, err));
    for (uint32_t i = 0; i < model->def->h.n_ropes; i++)
        GW_TRY(gw_rope_freqs_of(&model->def->h.ropes[i], &model->ropes[i], err));
    status = gw_weights_upload(backend, model->def->weights.items, model->def->weights.n,
                               params ? params->progress : NULL,
                               params ? params->progress_user : NULL, &model->weights, err);
    if (status != GODWIT_IO) gw_note(err, status, "%s", gw_gguf_name(gguf)); // a read names it
    if (status != GODWIT_OK) goto done;
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
    gw_weight_stores_destroy(&(*model)->weights);
    gw_model_def_destroy(&(*model)->def);
    pthread_mutex_destroy(&(*model)->fingerprint_lock);
    gw_free(host, *model, sizeof **model);
    *model = NULL;
}

godwit_status gw_model_scrub(gw_model *model, uint64_t max_bytes, godwit_scrub_report *report,
                             godwit_error *err) {
    godwit_status status = gw_weights_scrub(&model->weights, max_bytes, report, err);
    return gw_note(err, status, "%s", gw_gguf_name(model->def->gguf));
}
