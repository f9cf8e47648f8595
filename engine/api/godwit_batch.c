// Batches: godwit_batch_*, godwit_session_fork.
#include "api/handles.h"

godwit_status godwit_batch_create(godwit_model *model, const godwit_session_params *params,
                                  godwit_batch **out_batch, godwit_error *error) {
    GW_WANT(model && out_batch, error);
    *out_batch = NULL;
    GW_WANT_OWN(model->device, error);
    GW_PARAMS(godwit_session_params, p, params);
    const gw_host *host = &model->device->context->host;
    godwit_batch *batch = gw_alloc(host, 1, sizeof *batch);
    if (!batch) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: batch");
    godwit_status status = gw_batch_create(model->model, &p, &batch->batch, error);
    if (status != GODWIT_OK) {
        gw_free(host, batch, sizeof *batch);
        return status;
    }
    batch->model = GW_RETAIN(model);
    *out_batch = batch;
    return GODWIT_OK;
}

void godwit_batch_destroy(godwit_batch **batch) {
    godwit_batch *b = batch ? *batch : NULL;
    if (batch) *batch = NULL;
    if (!b || gw_api_device_is_forked(b->model->device)) return;
    godwit_model *model = b->model;
    gw_batch_release(&b->batch);
    gw_free(&model->device->context->host, b, sizeof *b);
    gw_model_release(model);
}

godwit_status godwit_batch_join(godwit_batch *batch, godwit_session **out_session,
                                godwit_error *error) {
    GW_WANT(batch && out_session, error);
    *out_session = NULL;
    GW_WANT_OWN(batch->model->device, error);
    gw_session *made = NULL;
    godwit_status status = gw_batch_join(batch->batch, &made, error);
    return status == GODWIT_OK ? gw_api_session(batch->model, made, out_session, error) : status;
}

godwit_status godwit_batch_load(godwit_batch *batch, godwit_read_fn read, void *user,
                                godwit_session **out_session, godwit_session_info *out_info,
                                godwit_error *error) {
    GW_WANT(batch && read && out_session, error);
    *out_session = NULL;
    GW_WANT_OWN(batch->model->device, error);
    godwit_session_info info = {0};
    gw_session *made = NULL;
    godwit_status status = gw_batch_load(batch->batch, read, user, &made, &info, error);
    if (status == GODWIT_OK) status = gw_api_session(batch->model, made, out_session, error);
    if (status == GODWIT_OK && out_info) GW_RESULT(out_info, info);
    return status;
}

godwit_status godwit_session_fork(godwit_session *session, godwit_session **out_session,
                                  godwit_error *error) {
    GW_WANT(session && out_session, error);
    *out_session = NULL;
    GW_WANT_OWN(session->model->device, error);
    gw_session *made = NULL;
    godwit_status status = gw_session_fork(session->session, &made, error);
    return status == GODWIT_OK ? gw_api_session(session->model, made, out_session, error) : status;
}

godwit_status godwit_session_queue(godwit_session *session, const int32_t *ids, size_t n_ids,
                                   godwit_error *error) {
    GW_WANT(session && (ids || !n_ids), error);
    GW_WANT_OWN(session->model->device, error);
    return gw_session_queue(session->session, ids, n_ids, error);
}

godwit_status godwit_batch_step(godwit_batch *batch, godwit_session *const *sessions,
                                const godwit_sample_params *params, size_t n, int32_t *out_tokens,
                                godwit_error *error) {
    GW_WANT(batch && (n == 0 || (sessions && out_tokens)), error);
    GW_WANT_OWN(batch->model->device, error);
    enum { SOME = 64 }; // of a run at most
    for (size_t at = 0; at < n; at += SOME) {
        gw_session *own[SOME];
        godwit_sample_params p[SOME] = {0};
        const size_t some = n - at < SOME ? n - at : SOME;
        for (size_t i = 0; i < some; i++) {
            GW_WANT(sessions[at + i] != NULL, error);
            own[i] = sessions[at + i]->session;
            if (!params) continue;
            GW_PARAMS(godwit_sample_params, one, &params[at + i]);
            p[i] = one;
        }
        godwit_status status = gw_batch_step(batch->batch, own, p, some, out_tokens + at, error);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

godwit_status godwit_batch_embed(godwit_batch *batch, const godwit_embed_params *params,
                                 const int32_t *ids, const size_t *n_ids, size_t n_texts,
                                 float *out, size_t n_out, godwit_error *error) {
    GW_WANT(batch && (n_texts == 0 || (ids && n_ids && out)), error);
    GW_WANT_OWN(batch->model->device, error);
    GW_PARAMS(godwit_embed_params, p, params);
    return gw_batch_embed(batch->batch, &p, ids, n_ids, n_texts, out, n_out, error);
}

godwit_status godwit_batch_get_stats(const godwit_batch *batch, godwit_batch_stats *out_stats,
                                     godwit_error *error) {
    GW_WANT(batch && out_stats, error);
    godwit_batch_stats stats = {0};
    gw_batch_stats(batch->batch, &stats);
    GW_RESULT(out_stats, stats);
    return GODWIT_OK;
}
