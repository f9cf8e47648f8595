// Models and sessions: godwit_model_*, godwit_session_*.
#include "api/handles.h"

#include <stdio.h>

// Adapters as the session's layer has them.
static godwit_status read_loras(const godwit_model_params *p, gw_lora_source *out,
                                godwit_error *err) {
    if (p->n_loras > GODWIT_LORA_MAX) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "%u adapters, at most %d are taken",
                       p->n_loras, GODWIT_LORA_MAX);
    }
    GW_WANT(p->loras || !p->n_loras, err);
    for (uint32_t i = 0; i < p->n_loras; i++) {
        const float scale = p->loras[i].scale;
        GW_WANT(p->loras[i].file, err);
        if (!(scale >= -GODWIT_LORA_SCALE_MAX && scale <= GODWIT_LORA_SCALE_MAX)) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "adapter %u: scale %g, -%g to %g is wanted", i, (double)scale,
                           (double)GODWIT_LORA_SCALE_MAX, (double)GODWIT_LORA_SCALE_MAX);
        }
        out[i] =
            (gw_lora_source){.gguf = p->loras[i].file->gguf, .scale = scale == 0.0f ? 1.0f : scale};
    }
    return GODWIT_OK;
}

godwit_status godwit_model_open(godwit_device *device, const godwit_file *file,
                                const godwit_model_params *params, godwit_model **out_model,
                                godwit_error *error) {
    GW_WANT(device && file && out_model, error);
    *out_model = NULL;
    GW_WANT_OWN(device, error);
    GW_PARAMS(godwit_model_params, p, params);
    const gw_host *host = &device->context->host;
    gw_lora_source loras[GODWIT_LORA_MAX];
    if (device->failing[0]) {
        return gw_fail(error, GODWIT_UNSUPPORTED, "device: failed verification: %s",
                       device->failing);
    }
    const gw_model_def *def;
    godwit_status status = read_loras(&p, loras, error);
    if (status == GODWIT_OK) status = gw_api_file_def(file, &def, error);
    if (status != GODWIT_OK) return status;
    godwit_model *model = gw_alloc(host, 1, sizeof *model);
    if (!model) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: model");
    status = gw_model_create(&device->backend, def, loras, p.n_loras, &p, &model->model, error);
    if (status != GODWIT_OK) {
        gw_free(host, model, sizeof *model);
        return status;
    }
    atomic_init(&model->references, 1);
    model->device = GW_RETAIN(device);
    model->file = GW_RETAIN((godwit_file *)file);
    for (uint32_t i = 0; i < p.n_loras; i++)
        model->loras[i] = GW_RETAIN((godwit_file *)p.loras[i].file);
    *out_model = model;
    return GODWIT_OK;
}

void gw_model_release(godwit_model *model) {
    if (!model || !GW_RELEASE(model)) return;
    godwit_device *device = model->device;
    gw_model_destroy(&model->model);
    gw_api_file_release(model->file);
    for (uint32_t i = 0; i < GODWIT_LORA_MAX && model->loras[i]; i++)
        gw_api_file_release(model->loras[i]);
    gw_free(&device->context->host, model, sizeof *model);
    gw_api_device_release(device);
}

void godwit_model_close(godwit_model **model) {
    if (!model) return;
    if (*model && !gw_api_device_is_forked((*model)->device)) gw_model_release(*model);
    *model = NULL;
}

godwit_status godwit_model_get_info(const godwit_model *model, godwit_model_info *out_info,
                                    godwit_error *error) {
    GW_WANT(model && out_info, error);
    const gw_model *m = model->model;
    const gw_hparams *h = &m->def->h;
    godwit_model_info info = {.n_layer = h->n_layer,
                              .n_embd = h->n_embd,
                              .n_head = h->n_head,
                              .n_head_kv = h->n_head_kv,
                              .n_ff = h->n_ff,
                              .n_vocab = h->n_vocab,
                              .n_ctx_train = h->n_ctx_train,
                              .weights_bytes = m->weights.n_bytes,
                              .host_weights_bytes = m->weights.n_host_bytes,
                              .wide_weights_bytes = m->weights.n_wide_bytes,
                              .load_ns = m->load_ns,
                              .both_ways = h->both_ways,
                              .pooling = h->pooling,
                              .n_out = h->n_out,
                              .n_labels = h->n_labels,
                              .decoder_start = h->encodes ? (int32_t)h->decoder_start : -1};
    gw_str name = {NULL, 0};
    godwit_status status = gw_gguf_get_str(m->def->gguf, "general.name", &name, NULL);
    snprintf(info.architecture, sizeof info.architecture, "%s", m->def->arch->name);
    if (status == GODWIT_OK && name.text) {
        snprintf(info.name, sizeof info.name, "%.*s", GW_STR_ARG(name));
    }
    for (size_t i = 0; i < m->def->weights.n; i++) {
        info.n_params += m->def->weights.items[i]->n_rows * m->def->weights.items[i]->n_cols;
    }
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

godwit_status godwit_model_scrub(godwit_model *model, uint64_t max_bytes,
                                 godwit_scrub_report *out_report, godwit_error *error) {
    GW_WANT(model, error);
    GW_WANT_OWN(model->device, error);
    godwit_scrub_report report = {0};
    godwit_status status = gw_model_scrub(model->model, max_bytes, &report, error);
    if (out_report) GW_RESULT(out_report, report);
    return status;
}

// --- sessions ------------------------------------------------------------------------------------

godwit_status gw_api_session(godwit_model *model, gw_session *made, godwit_session **out_session,
                             godwit_error *err) {
    const gw_host *host = &model->device->context->host;
    godwit_session *session = gw_alloc(host, 1, sizeof *session);
    if (!session) {
        gw_session_destroy(&made);
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session");
    }
    *session = (godwit_session){.model = GW_RETAIN(model), .session = made};
    *out_session = session;
    return GODWIT_OK;
}

godwit_status godwit_session_create(godwit_model *model, const godwit_session_params *params,
                                    godwit_session **out_session, godwit_error *error) {
    GW_WANT(model && out_session, error);
    *out_session = NULL;
    GW_WANT_OWN(model->device, error);
    GW_PARAMS(godwit_session_params, p, params);
    gw_session *made = NULL;
    godwit_status status = gw_session_create(model->model, &p, &made, error);
    return status == GODWIT_OK ? gw_api_session(model, made, out_session, error) : status;
}

void godwit_session_destroy(godwit_session **session) {
    godwit_session *s = session ? *session : NULL;
    if (session) *session = NULL;
    if (!s || gw_api_device_is_forked(s->model->device)) return;
    godwit_model *model = s->model;
    gw_session_destroy(&s->session);
    gw_free(&model->device->context->host, s, sizeof *s);
    gw_model_release(model);
}

uint32_t godwit_session_n_ctx(const godwit_session *session) {
    return session ? gw_session_n_ctx(session->session) : 0;
}

uint32_t godwit_session_n_past(const godwit_session *session) {
    return session ? gw_session_n_past(session->session) : 0;
}

size_t godwit_session_tokens(const godwit_session *session, int32_t *out_ids, size_t n_max) {
    return session ? gw_session_tokens(session->session, out_ids, out_ids ? n_max : 0) : 0;
}

godwit_status godwit_session_feed(godwit_session *session, const int32_t *ids, size_t n_ids,
                                  godwit_error *error) {
    GW_WANT(session && (ids || !n_ids), error);
    GW_WANT_OWN(session->model->device, error);
    return gw_session_feed(session->session, ids, n_ids, error);
}

godwit_status godwit_session_feed_rows(godwit_session *session, const int32_t *ids, size_t n_ids,
                                       size_t n_rows, godwit_error *error) {
    GW_WANT(session && (ids || !n_ids), error);
    GW_WANT_OWN(session->model->device, error);
    return gw_session_feed_rows(session->session, ids, n_ids, n_rows, error);
}

godwit_status godwit_session_logits_row(const godwit_session *session, size_t row,
                                        float *out_logits, size_t n_logits, godwit_error *error) {
    GW_WANT(session && out_logits, error);
    GW_WANT_OWN(session->model->device, error);
    return gw_session_logits_row(session->session, row, out_logits, n_logits, error);
}

godwit_status godwit_session_sample(godwit_session *session, const godwit_sample_params *params,
                                    int32_t *out_token, godwit_error *error) {
    GW_WANT(session && out_token, error);
    GW_WANT_OWN(session->model->device, error);
    GW_PARAMS(godwit_sample_params, p, params);
    return gw_session_sample(session->session, &p, out_token, error);
}

godwit_status godwit_session_step(godwit_session *session, const godwit_sample_params *params,
                                  int32_t *out_token, godwit_error *error) {
    GW_WANT(session && out_token, error);
    GW_WANT_OWN(session->model->device, error);
    GW_PARAMS(godwit_sample_params, p, params);
    return gw_session_step(session->session, &p, out_token, error);
}

godwit_status godwit_session_logits(godwit_session *session, float *out_logits, size_t n_logits,
                                    godwit_error *error) {
    GW_WANT(session && out_logits, error);
    GW_WANT_OWN(session->model->device, error);
    return gw_session_logits(session->session, out_logits, n_logits, error);
}

godwit_status godwit_session_truncate(godwit_session *session, uint32_t n_keep,
                                      godwit_error *error) {
    GW_WANT(session, error);
    GW_WANT_OWN(session->model->device, error);
    return gw_session_truncate(session->session, n_keep, error);
}

size_t godwit_session_logprobs(const godwit_session *session, godwit_logprob *out, size_t n_max) {
    return session ? gw_session_logprobs(session->session, out, out ? n_max : 0) : 0;
}

void godwit_session_cancel(godwit_session *session) {
    if (session) gw_session_cancel(session->session);
}

godwit_status godwit_session_launch_times(godwit_session *session, godwit_launch_time *out,
                                          size_t n_max, size_t *out_n, godwit_error *error) {
    GW_WANT(session && out_n && (out || !n_max), error);
    GW_WANT_OWN(session->model->device, error);
    *out_n = gw_session_take_launch_times(session->session, out, n_max);
    return GODWIT_OK;
}

godwit_status godwit_session_get_stats(const godwit_session *session,
                                       godwit_session_stats *out_stats, godwit_error *error) {
    GW_WANT(session && out_stats, error);
    GW_WANT_OWN(session->model->device, error);
    godwit_session_stats stats = {0};
    gw_session_stats(session->session, &stats);
    GW_RESULT(out_stats, stats);
    return GODWIT_OK;
}

// --- session files -------------------------------------------------------------------------------

godwit_status godwit_session_save(godwit_session *session, const godwit_sample_params *sampling,
                                  bool tokens_only, godwit_write_fn write, void *user,
                                  godwit_error *error) {
    GW_WANT(session && write, error);
    GW_WANT_OWN(session->model->device, error);
    GW_PARAMS(godwit_sample_params, p, sampling);
    return gw_session_save(session->session, &p, tokens_only, write, user, error);
}

godwit_status godwit_session_load(godwit_model *model, const godwit_session_params *params,
                                  godwit_read_fn read, void *user, godwit_session **out_session,
                                  godwit_session_info *out_info, godwit_error *error) {
    GW_WANT(model && read && out_session, error);
    *out_session = NULL;
    GW_WANT_OWN(model->device, error);
    GW_PARAMS(godwit_session_params, p, params);
    godwit_session_info info = {0};
    gw_session *made = NULL;
    godwit_status status = gw_session_load(model->model, &p, read, user, &made, &info, error);
    if (status == GODWIT_OK) status = gw_api_session(model, made, out_session, error);
    if (status == GODWIT_OK && out_info) GW_RESULT(out_info, info);
    return status;
}

godwit_status godwit_session_inspect(godwit_context *context, godwit_read_fn read, void *user,
                                     int32_t *out_tokens, size_t n_max,
                                     godwit_session_info *out_info, godwit_error *error) {
    GW_WANT(context && read && out_info && (out_tokens || !n_max), error);
    godwit_session_info info = {0};
    godwit_status status =
        gw_session_inspect(&context->host, read, user, out_tokens, n_max, &info, error);
    if (status == GODWIT_OK) GW_RESULT(out_info, info);
    return status;
}
