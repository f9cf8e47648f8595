// Model: the weights of a definition, on a backend.
#include "session/session.h"

#include "base/clock.h"
#include "base/status.h"

godwit_status gw_model_create(const gw_backend *backend, const gw_model_def *def,
                              const godwit_model_params *params, gw_model **out_model,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t start = gw_now_ns();
    gw_model *model = gw_alloc(backend->host, 1, sizeof *model);
    GW_CHECK_ALLOC(model, err, "model");
    model->backend = backend;
    pthread_mutex_init(&model->fingerprint_lock, NULL);
    model->def = def;
    status = gw_weights_upload(backend, def->weights.items, def->weights.n,
                               params ? params->progress : NULL,
                               params ? params->progress_user : NULL, &model->weights, err);
    if (status != GODWIT_IO) gw_note(err, status, "%s", gw_gguf_name(def->gguf)); // a read names it
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
    pthread_mutex_destroy(&(*model)->fingerprint_lock);
    gw_free(host, *model, sizeof **model);
    *model = NULL;
}

godwit_status gw_model_scrub(gw_model *model, uint64_t max_bytes, godwit_scrub_report *report,
                             godwit_error *err) {
    godwit_status status = gw_weights_scrub(&model->weights, max_bytes, report, err);
    return gw_note(err, status, "%s", gw_gguf_name(model->def->gguf));
}
