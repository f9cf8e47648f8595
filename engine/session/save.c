// Save: a session as a file, in the order of saved.h.
#include "session/saved.h"

#include "base/exact.h"
#include "base/status.h"
#include "file/session_file.h"

#include <stdio.h>
#include <string.h>

static godwit_status put_session(const gw_session *s, const godwit_sample_params *sampling,
                                 bool tokens_only, gw_chunk_writer *writer, godwit_error *err) {
    gw_state_shape shape;
    uint8_t bytes[GW_SAVED_SESSION_BYTES] = {0};
    gw_session_shape(s, &shape);
    const uint32_t flags = (tokens_only ? GW_SAVED_TOKENS_ONLY : 0) |
                           (s->has_logits ? GW_SAVED_LOGITS : 0) |
                           (sampling && gw_sample_changes_logits(sampling) ? GW_SAVED_CHANGES : 0) |
                           (gw_saved_has_filters(sampling) ? GW_SAVED_FILTERS : 0) |
                           (s->model->lora ? GW_SAVED_LORA : 0);
    const uint32_t words[] = {GW_CONTRACT,
                              s->batch->fast ? GODWIT_FAST : GODWIT_EXACT,
                              flags,
                              (uint32_t)shape.kv[0],
                              (uint32_t)shape.kv[1],
                              s->batch->n_ctx,
                              s->n_past,
                              s->n_encoded};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) gw_put_le32(bytes + 4 * i, words[i]);
    return gw_chunk_write(writer, GW_TAG_SESSION, bytes, sizeof bytes, err);
}

// Where layers differ: what each state is.
static godwit_status put_shape(const gw_session *s, const gw_state_shape *shape,
                               gw_chunk_writer *writer, godwit_error *err) {
    const size_t n_bytes = (size_t)shape->n_states * GW_SAVED_SHAPE_BYTES;
    uint8_t *bytes = gw_alloc(s->host, n_bytes, 1);
    if (!bytes) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session file");
    for (uint32_t i = 0; i < shape->n_states; i++) {
        const gw_state_def *d = &shape->states[i];
        const uint32_t words[] = {(uint32_t)d->kind, (uint32_t)d->type, d->layer, d->n_heads,
                                  d->head};
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            gw_put_le32(bytes + i * GW_SAVED_SHAPE_BYTES + 4 * k, words[k]);
    }
    godwit_status status = gw_chunk_write(writer, GW_TAG_SHAPE, bytes, n_bytes, err);
    gw_free(s->host, bytes, n_bytes);
    return status;
}

static godwit_status put_model(const gw_session *s, gw_chunk_writer *writer, godwit_error *err) {
    gw_model *model = s->model;
    const gw_hparams *h = &model->def->h;
    gw_state_shape shape;
    uint32_t n_heads, head;
    gw_session_shape(s, &shape);
    gw_states_alike(&shape, h->n_layer, &n_heads, &head);
    const uint32_t words[] = {h->n_layer, h->n_embd, n_heads, head, h->n_vocab, h->n_ctx_train};
    uint8_t bytes[GW_SAVED_MODEL_BYTES] = {0}, *at = bytes + GW_FINGERPRINT_BYTES;
    gw_str name = {NULL, 0};
    godwit_status status = gw_model_fingerprint(model, bytes, err);
    if (status != GODWIT_OK) return status;
    snprintf((char *)at, GW_SAVED_ARCH_BYTES, "%s", model->def->arch->name);
    at += GW_SAVED_ARCH_BYTES;
    if (gw_gguf_get_str(model->def->gguf, "general.name", &name, NULL) == GODWIT_OK && name.text) {
        memcpy(at, name.text, name.n < GW_SAVED_NAME_BYTES ? name.n : GW_SAVED_NAME_BYTES - 1);
    }
    at += GW_SAVED_NAME_BYTES;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) gw_put_le32(at + 4 * i, words[i]);
    status = gw_chunk_write(writer, GW_TAG_MODEL, bytes, sizeof bytes, err);
    return status != GODWIT_OK || n_heads ? status : put_shape(s, &shape, writer, err);
}

static godwit_status put_lora(const gw_session *s, gw_chunk_writer *writer, godwit_error *err) {
    uint8_t bytes[GODWIT_LORA_MAX * GW_SAVED_LORA_BYTES];
    if (!s->model->lora) return GODWIT_OK;
    godwit_status status = gw_lora_put_saved(s->model, bytes, err);
    if (status != GODWIT_OK) return status;
    const size_t n_bytes = (size_t)s->model->lora->n_sources * GW_SAVED_LORA_BYTES;
    return gw_chunk_write(writer, GW_TAG_LORA, bytes, n_bytes, err);
}

static godwit_status put_sampler(const gw_session *s, const godwit_sample_params *sampling,
                                 gw_chunk_writer *writer, godwit_error *err) {
    const godwit_sample_params p = sampling ? *sampling : (godwit_sample_params){0};
    uint8_t bytes[GW_SAVED_SAMPLER_BYTES] = {0};
    godwit_status status = gw_sampling_check(&p, err);
    if (status != GODWIT_OK) return status;
    gw_put_le32(bytes, gw_bits(p.temp));
    gw_put_le32(bytes + 4, p.top_k);
    gw_put_le32(bytes + 8, gw_bits(p.top_p));
    gw_put_le32(bytes + 12, gw_bits(p.min_p));
    gw_put_le64(bytes + 16, p.seed);
    gw_put_le64(bytes + 24, s->n_past);
    return gw_chunk_write(writer, GW_TAG_SAMPLER, bytes, sizeof bytes, err);
}

// What is done to logits, where something is.
static godwit_status put_changes(const gw_session *s, const godwit_sample_params *p,
                                 gw_chunk_writer *writer, godwit_error *err) {
    if (!p || !gw_sample_changes_logits(p)) return GODWIT_OK;
    const size_t n_ids = (size_t)p->n_dry_breakers + p->n_dry_sequences;
    const size_t n_bytes = GW_SAVED_CHANGES_BYTES + 8 * (size_t)p->n_logit_bias + 4 * n_ids;
    uint8_t *bytes = gw_alloc(s->host, n_bytes, 1), *at = bytes + GW_SAVED_CHANGES_BYTES;
    if (!bytes) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session file");
    gw_put_le32(bytes, gw_bits(p->repeat_penalty));
    gw_put_le32(bytes + 4, gw_bits(p->frequency_penalty));
    gw_put_le32(bytes + 8, gw_bits(p->presence_penalty));
    gw_put_le32(bytes + 12, p->penalty_last_n);
    gw_put_le32(bytes + 16, p->n_logit_bias);
    for (uint32_t i = 0; i < p->n_logit_bias; i++) {
        gw_put_le32(at + 8 * i, (uint32_t)p->logit_bias[i].id);
        gw_put_le32(at + 8 * i + 4, gw_bits(p->logit_bias[i].bias));
    }
    gw_put_le32(bytes + 20, gw_bits(p->dry_multiplier));
    gw_put_le32(bytes + 24, gw_bits(p->dry_base));
    gw_put_le32(bytes + 28, p->dry_allowed_length);
    gw_put_le32(bytes + 32, p->dry_last_n);
    gw_put_le32(bytes + 36, p->n_dry_breakers);
    gw_put_le32(bytes + 40, p->n_dry_sequences);
    at += 8 * (size_t)p->n_logit_bias;
    for (size_t i = 0; i < n_ids; i++, at += 4) {
        const bool alone = i < p->n_dry_breakers;
        gw_put_le32(
            at, (uint32_t)(alone ? p->dry_breakers[i] : p->dry_sequences[i - p->n_dry_breakers]));
    }
    godwit_status status = gw_chunk_write(writer, GW_TAG_CHANGES, bytes, n_bytes, err);
    gw_free(s->host, bytes, n_bytes);
    return status;
}

// What leaves tokens out, where something does.
static godwit_status put_filters(const gw_session *s, const godwit_sample_params *p,
                                 gw_chunk_writer *writer, godwit_error *err) {
    uint8_t bytes[GW_SAVED_FILTERS_BYTES];
    float mu;
    if (!gw_saved_has_filters(p)) return GODWIT_OK;
    gw_saved_filters_put(p, gw_mirostat_mu(s, &mu) ? &mu : NULL, bytes);
    return gw_chunk_write(writer, GW_TAG_FILTERS, bytes, sizeof bytes, err);
}

static godwit_status put_tokens(const gw_session *s, uint8_t *scratch, gw_chunk_writer *writer,
                                godwit_error *err) {
    enum { MOST = (GW_CHUNK_BYTES - GW_SAVED_RUN_BYTES) / 4 };
    for (uint32_t first = 0; first < s->n_past;) {
        const uint32_t n = s->n_past - first < MOST ? s->n_past - first : MOST;
        gw_put_le32(scratch, first);
        gw_put_le32(scratch + 4, n);
        for (uint32_t i = 0; i < n; i++) {
            gw_put_le32(scratch + GW_SAVED_RUN_BYTES + 4 * i, (uint32_t)s->ids.items[first + i]);
        }
        godwit_status status =
            gw_chunk_write(writer, GW_TAG_TOKENS, scratch, GW_SAVED_RUN_BYTES + 4 * n, err);
        if (status != GODWIT_OK) return status;
        first += n;
    }
    return GODWIT_OK;
}

// Bytes of a chunk of the state, and how many rows it has.
static size_t chunk_of(const gw_state *state, uint32_t *out_rows) {
    const uint64_t n = (GW_CHUNK_BYTES - GW_SAVED_STATE_BYTES) / state->row_bytes;
    *out_rows = n > 1 ? (uint32_t)n : 1;
    return GW_SAVED_STATE_BYTES + (size_t)(*out_rows * state->row_bytes);
}

static godwit_status put_state(gw_session *s, uint32_t index, const gw_state *state,
                               uint8_t *scratch, gw_chunk_writer *writer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n_rows = state->kind == GW_STATE_BLOCK ? s->n_past > 0 : s->n_past;
    uint32_t most;
    (void)chunk_of(state, &most);
    for (uint32_t first = 0; first < n_rows;) {
        const uint32_t n = n_rows - first < most ? n_rows - first : most;
        gw_state_put(state, first, n, scratch);
        GW_TRY(gw_session_read_rows(s, index, first, n, scratch + GW_SAVED_STATE_BYTES, err));
        GW_TRY(gw_chunk_write(writer, GW_TAG_STATE, scratch,
                              GW_SAVED_STATE_BYTES + (size_t)(n * state->row_bytes), err));
        first += n;
    }
done:
    return status;
}

static godwit_status put_states(gw_session *s, uint8_t *scratch, gw_chunk_writer *writer,
                                godwit_error *err) {
    gw_state_shape shape;
    gw_session_shape(s, &shape);
    for (uint32_t i = 0; i < gw_n_states(&shape, s->has_logits); i++) {
        gw_state state;
        gw_state_at(&shape, i, &state);
        godwit_status status = put_state(s, i, &state, scratch, writer, err);
        if (status != GODWIT_OK) return gw_note(err, status, "saving %s", state.name);
    }
    return GODWIT_OK;
}

// Of the largest chunk.
static size_t scratch_bytes(const gw_session *s) {
    gw_state_shape shape;
    size_t most = GW_CHUNK_BYTES;
    gw_session_shape(s, &shape);
    for (uint32_t i = 0; i < gw_n_states(&shape, true); i++) {
        gw_state state;
        uint32_t n;
        gw_state_at(&shape, i, &state);
        const size_t bytes = chunk_of(&state, &n);
        if (bytes > most) most = bytes;
    }
    return most;
}

godwit_status gw_session_save(gw_session *s, const godwit_sample_params *sampling, bool tokens_only,
                              godwit_write_fn write, void *user, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_chunk_writer *writer = NULL;
    const size_t n_scratch = scratch_bytes(s);
    uint8_t *scratch = NULL;
    if (tokens_only && s->batch->fast) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "session: fast numerics do not give the same bits when tokens are fed again; save "
                "the states, too");
    }
    if (!tokens_only) GW_TRY(gw_session_catch_up(s, err));
    scratch = gw_alloc(s->host, n_scratch, 1);
    GW_CHECK_ALLOC(scratch, err, "session file");
    GW_TRY(gw_chunk_writer_create(s->host, write, user, &writer, err));
    GW_TRY(put_session(s, sampling, tokens_only, writer, err));
    GW_TRY(put_model(s, writer, err));
    GW_TRY(put_lora(s, writer, err));
    GW_TRY(put_sampler(s, sampling, writer, err));
    GW_TRY(put_changes(s, sampling, writer, err));
    GW_TRY(put_filters(s, sampling, writer, err));
    GW_TRY(put_tokens(s, scratch, writer, err));
    if (!tokens_only) GW_TRY(put_states(s, scratch, writer, err));
    GW_TRY(gw_chunk_write_end(writer, err));
done:
    gw_chunk_writer_destroy(&writer);
    gw_free(s->host, scratch, n_scratch);
    return status;
}
