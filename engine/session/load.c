// Load: a session out of a file, or what a file holds. Both walk it in the order of saved.h, by the
// same checks; with a model a session is filled on the way, and dropped where something is wrong.
#include "session/load.h"

#include <stdio.h>
#include <string.h>

godwit_status gw_load_next(gw_walk *w, const char *tag, godwit_error *err) {
    godwit_status status = gw_chunk_read(w->reader, &w->chunk, err);
    if (status != GODWIT_OK) return status;
    w->info.n_chunks++;
    if (gw_chunk_is(&w->chunk, tag)) return GODWIT_OK;
    return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "%s is wanted there", tag);
}

godwit_status gw_load_next_of(gw_walk *w, const char *tag, size_t n_bytes, godwit_error *err) {
    godwit_status status = gw_load_next(w, tag, err);
    if (status != GODWIT_OK || w->chunk.n_bytes == n_bytes) return status;
    return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "%zu bytes, %zu are wanted", w->chunk.n_bytes,
                        n_bytes);
}

// --- what the session is -------------------------------------------------------------------------

// Fields of the first chunk that have ranges.
static godwit_status check_session(const gw_walk *w, godwit_error *err) {
    const uint32_t flags = gw_load_word(w, 8), n_ctx = gw_load_word(w, 20),
                   n_tokens = gw_load_word(w, 24);
    if (gw_load_word(w, 0) != GW_CONTRACT) {
        return GW_LOAD_FAIL(w, GODWIT_UNSUPPORTED,
                            "contract %u; this build computes by contract %d, with "
                            "other bits",
                            gw_load_word(w, 0), GW_CONTRACT);
    }
    if (gw_load_word(w, 4) > GODWIT_FAST)
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "numerics %u", gw_load_word(w, 4));
    if (flags >= 2 * GW_SAVED_LORA) return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "flags %u", flags);
    if (gw_load_word(w, 28) > n_tokens) {
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "an encoder's text of %u tokens, of %u in all",
                            gw_load_word(w, 28), n_tokens);
    }
    if (gw_load_word(w, 12) > GODWIT_KV_Q8_0 || gw_load_word(w, 16) > GODWIT_KV_Q8_0) {
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "KV formats %u and %u", gw_load_word(w, 12),
                            gw_load_word(w, 16));
    }
    if (n_ctx < 1 || n_ctx > GW_MAX_CTX || n_tokens > n_ctx ||
        (!n_tokens && (flags & GW_SAVED_LOGITS))) {
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED,
                            "%u tokens (flags %u) in a context of %u, at most %d", n_tokens, flags,
                            n_ctx, GW_MAX_CTX);
    }
    return GODWIT_OK;
}

static godwit_status read_session(gw_walk *w, godwit_error *err) {
    static const char *const names[] = {"exact", "fast"};
    godwit_status status = GODWIT_OK;
    godwit_session_info *info = &w->info;
    GW_TRY(gw_load_next_of(w, GW_TAG_SESSION, GW_SAVED_SESSION_BYTES, err));
    GW_TRY(check_session(w, err));
    info->contract = gw_load_word(w, 0);
    info->numerics = (godwit_numerics)gw_load_word(w, 4);
    info->tokens_only = gw_load_word(w, 8) & GW_SAVED_TOKENS_ONLY;
    info->has_logits = gw_load_word(w, 8) & GW_SAVED_LOGITS;
    w->has_changes = gw_load_word(w, 8) & GW_SAVED_CHANGES;
    w->has_filters = gw_load_word(w, 8) & GW_SAVED_FILTERS;
    w->has_lora = gw_load_word(w, 8) & GW_SAVED_LORA;
    info->kv_k = w->shape.kv[0] = (godwit_kv)gw_load_word(w, 12);
    info->kv_v = w->shape.kv[1] = (godwit_kv)gw_load_word(w, 16);
    info->n_ctx = gw_load_word(w, 20);
    info->n_tokens = gw_load_word(w, 24);
    info->n_encoded = gw_load_word(w, 28);
    if (w->model && w->params.numerics != info->numerics) {
        status = GW_LOAD_FAIL(
            w, GODWIT_UNSUPPORTED,
            "numerics are %s, of this session they would be %s; `--numerics %s` goes on",
            names[info->numerics], names[w->params.numerics == GODWIT_FAST], names[info->numerics]);
    }
done:
    return status;
}

// A text of so many bytes, ended and filled up by zeros.
static godwit_status read_text(const gw_walk *w, size_t at, size_t n, char *out,
                               godwit_error *err) {
    const char *text = (const char *)w->chunk.bytes + at;
    const size_t length = strnlen(text, n);
    for (size_t i = length; i < n; i++) {
        if (text[i]) return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "bytes behind the end of a text");
    }
    if (length == n) return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "a text without an end");
    memcpy(out, text, n);
    return GODWIT_OK;
}

static godwit_status check_model(const gw_walk *w, godwit_error *err) {
    uint8_t own[GW_FINGERPRINT_BYTES];
    char text[2 * GW_FINGERPRINT_BYTES + 1];
    godwit_status status = gw_model_fingerprint(w->model, own, err);
    if (status != GODWIT_OK) return status;
    if (!memcmp(own, w->chunk.bytes, sizeof own)) return GODWIT_OK;
    gw_fingerprint_text(own, text);
    return GW_LOAD_FAIL(w, GODWIT_UNSUPPORTED,
                        "of another model: %.60s (%.20s), fingerprint %s; this one, %.100s, has %s",
                        w->info.model, w->info.architecture, w->info.fingerprint,
                        gw_gguf_name(w->model->def->gguf), text);
}

// --- its states, where a layer is as the others or as SHAP says

static godwit_status add_state(gw_walk *w, gw_state_def state, godwit_error *err) {
    gw_state_def *item = gw_vec_push(&w->states, w->host);
    if (!item) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session file");
    static const char *const names[] = {"k",   "v",      "conv",
                                        "ssm", "logits", "latent"}; // of gw_state_type
    state.name = names[state.type];
    *item = state;
    w->shape.states = w->states.items;
    w->shape.n_states = (uint32_t)w->states.n;
    return GODWIT_OK;
}

static godwit_status make_shape(gw_walk *w, uint32_t n_layer, uint32_t n_heads, uint32_t head,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < 2 * n_layer && status == GODWIT_OK; i++) {
        const gw_state_def state = {.type = i % 2 ? GW_STATE_VALUES : GW_STATE_KEYS,
                                    .layer = i / 2,
                                    .n_heads = n_heads,
                                    .head = head};
        status = add_state(w, state, err);
    }
    return status;
}

static bool is_state(const gw_state_def *s) {
    if (!s->n_heads || !s->head) return false;
    if (s->kind == GW_STATE_ROWS)
        return (s->type <= GW_STATE_VALUES || s->type == GW_STATE_LATENTS) &&
               s->n_heads <= GW_MAX_HEADS && s->head <= GW_MAX_HEAD_DIM;
    return s->kind == GW_STATE_BLOCK && (s->type == GW_STATE_CONV || s->type == GW_STATE_SSM) &&
           (uint64_t)s->n_heads * s->head <= GW_MAX_BLOCK_BYTES / sizeof(float);
}

static godwit_status read_shape(gw_walk *w, uint32_t n_layer, godwit_error *err) {
    godwit_status status = gw_load_next(w, GW_TAG_SHAPE, err);
    if (status != GODWIT_OK) return status;
    const size_t n = w->chunk.n_bytes / GW_SAVED_SHAPE_BYTES;
    if (w->chunk.n_bytes % GW_SAVED_SHAPE_BYTES || n < 1 || n > 4 * (size_t)n_layer)
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "%zu bytes are no states of %u layers",
                            w->chunk.n_bytes, n_layer);
    for (size_t i = 0; i < n && status == GODWIT_OK; i++) {
        const size_t at = i * GW_SAVED_SHAPE_BYTES;
        const gw_state_def state = {.kind = (gw_state_kind)gw_load_word(w, at),
                                    .type = (gw_state_type)gw_load_word(w, at + 4),
                                    .layer = gw_load_word(w, at + 8),
                                    .n_heads = gw_load_word(w, at + 12),
                                    .head = gw_load_word(w, at + 16)};
        if (!is_state(&state) || state.layer >= n_layer) {
            return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "state %zu is of layer %u, %u heads of %u", i,
                                state.layer, state.n_heads, state.head);
        }
        status = add_state(w, state, err);
    }
    return status;
}

static godwit_status check_shape(const gw_walk *w, uint32_t n_layer, godwit_error *err) {
    const gw_model_def *def = w->model->def;
    bool same = def->h.n_layer == n_layer && def->h.n_vocab == w->shape.n_vocab &&
                def->states.n == w->shape.n_states;
    for (uint32_t i = 0; same && i < w->shape.n_states; i++) {
        const gw_state_def *a = &w->shape.states[i], *b = &def->states.items[i];
        same = a->kind == b->kind && a->type == b->type && a->layer == b->layer &&
               a->n_heads == b->n_heads && a->head == b->head;
    }
    if (same) return GODWIT_OK;
    return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "its sizes are not those of its own model");
}

// Of a chunk before.
static godwit_status check_encoded(const gw_walk *w, godwit_error *err) {
    const bool encodes = w->model->def->h.encodes;
    const uint32_t n = w->info.n_encoded, n_tokens = w->info.n_tokens;
    if ((n != 0) == (encodes && n_tokens)) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED,
                   "session file: chunk 0 (SESS): %u of %u tokens are an encoder's text; this "
                   "model has %s",
                   n, n_tokens, encodes ? "one" : "none");
}

static godwit_status read_model(gw_walk *w, godwit_error *err) {
    enum {
        ARCH = GW_FINGERPRINT_BYTES,
        NAME = ARCH + GW_SAVED_ARCH_BYTES,
        SIZES = NAME + GW_SAVED_NAME_BYTES
    };
    _Static_assert(sizeof w->info.architecture == GW_SAVED_ARCH_BYTES, "info has the file's text");
    _Static_assert(sizeof w->info.model == GW_SAVED_NAME_BYTES, "info has the file's text");
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_load_next_of(w, GW_TAG_MODEL, GW_SAVED_MODEL_BYTES, err));
    gw_fingerprint_text(w->chunk.bytes, w->info.fingerprint);
    GW_TRY(read_text(w, ARCH, GW_SAVED_ARCH_BYTES, w->info.architecture, err));
    GW_TRY(read_text(w, NAME, GW_SAVED_NAME_BYTES, w->info.model, err));
    const uint32_t n_layer = gw_load_word(w, SIZES), n_heads = gw_load_word(w, SIZES + 8);
    const uint32_t head = gw_load_word(w, SIZES + 12), n_vocab = gw_load_word(w, SIZES + 16);
    w->info.n_layer = n_layer;
    w->info.n_vocab = w->shape.n_vocab = n_vocab;
    if (!n_layer || n_layer > GW_MAX_LAYERS || n_heads > GW_MAX_HEADS || head > GW_MAX_HEAD_DIM ||
        !n_heads != !head || !n_vocab || n_vocab > GW_MAX_VOCAB) {
        status = GW_LOAD_FAIL(
            w, GODWIT_MALFORMED,
            "%u layers, %u heads of %u, %u tokens of vocabulary; at most %d, %d, %d, %d", n_layer,
            n_heads, head, n_vocab, GW_MAX_LAYERS, GW_MAX_HEADS, GW_MAX_HEAD_DIM, GW_MAX_VOCAB);
        goto done;
    }
    if (w->model) GW_TRY(check_model(w, err));
    if (n_heads)
        GW_TRY(make_shape(w, n_layer, n_heads, head, err));
    else
        GW_TRY(read_shape(w, n_layer, err));
    if (w->model) GW_TRY(check_shape(w, n_layer, err));
    if (w->model) GW_TRY(check_encoded(w, err));
done:
    return status;
}

static godwit_status read_lora(gw_walk *w, godwit_error *err) {
    godwit_status status = w->has_lora ? gw_load_next(w, GW_TAG_LORA, err) : GODWIT_OK;
    const size_t n_bytes = w->has_lora ? w->chunk.n_bytes : 0;
    if (status != GODWIT_OK) return status;
    status = gw_lora_check_saved(w->model, w->chunk.bytes, n_bytes, &w->info.n_loras, err);
    return gw_note(err, status, "session file: chunk %u (%s)", w->chunk.index, w->chunk.tag);
}

static godwit_status join(gw_walk *w, godwit_error *err) {
    static const char *const names[] = {"F16", "F32", "Q8_0"}; // of godwit_kv
    gw_state_shape own;
    godwit_status status = gw_batch_join(w->batch, &w->session, err);
    if (status != GODWIT_OK) return status;
    gw_session_shape(w->session, &own);
    if (!memcmp(own.kv, w->shape.kv, sizeof own.kv)) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "session file: keys are %s and values %s, those of the batch %s and %s",
                   names[w->shape.kv[0]], names[w->shape.kv[1]], names[own.kv[0]],
                   names[own.kv[1]]);
}

static godwit_status make_session(gw_walk *w, godwit_error *err) {
    godwit_session_params params = w->params;
    if (w->batch) params.n_ctx = w->batch->n_ctx;
    if (!params.n_ctx) params.n_ctx = w->info.n_ctx;
    params.kv_k = w->info.kv_k;
    params.kv_v = w->info.kv_v;
    if (w->info.n_tokens > params.n_ctx) {
        return gw_fail(
            err, GODWIT_CONTEXT_FULL,
            "session file: %u tokens do not fit the context of %u; load it with a larger "
            "n_ctx (--ctx)",
            w->info.n_tokens, params.n_ctx);
    }
    for (uint32_t i = 0; !w->info.tokens_only && i < w->model->def->h.n_ropes; i++) {
        if (gw_rope_is_same(&w->model->def->h.ropes[i], w->info.n_ctx, params.n_ctx)) continue;
        return gw_fail(
            err, GODWIT_UNSUPPORTED,
            "session file: its context was %u; this model turns keys otherwise in one of "
            "%u; load it with n_ctx (--ctx) %u",
            w->info.n_ctx, params.n_ctx, w->info.n_ctx);
    }
    godwit_status status =
        w->batch ? join(w, err) : gw_session_create(w->model, &params, &w->session, err);
    if (status != GODWIT_OK || w->info.tokens_only) return status;
    if (w->info.n_tokens) gw_session_next_block(w->session);
    gw_session_keep_block(w->session);
    return gw_session_own_pages(w->session, w->info.n_tokens, err);
}

// --- tokens and states ---------------------------------------------------------------------------

static godwit_status read_tokens(gw_walk *w, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    while (w->ids.n < w->info.n_tokens) {
        GW_TRY(gw_load_next(w, GW_TAG_TOKENS, err));
        const size_t n = w->chunk.n_bytes < GW_SAVED_RUN_BYTES ? 0 : gw_load_word(w, 4);
        const size_t left = w->info.n_tokens - w->ids.n;
        if (n == 0 || n > left || w->chunk.n_bytes != GW_SAVED_RUN_BYTES + 4 * n ||
            gw_load_word(w, 0) != w->ids.n) {
            status = GW_LOAD_FAIL(
                w, GODWIT_MALFORMED,
                "%zu tokens from %u on in %zu bytes, where %zu are missing from %zu on", n,
                n ? gw_load_word(w, 0) : 0, w->chunk.n_bytes, left, w->ids.n);
            goto done;
        }
        GW_TRY(gw_ids_reserve(&w->ids, w->host, n, err));
        for (size_t i = 0; i < n; i++) {
            const uint32_t id = gw_load_word(w, GW_SAVED_RUN_BYTES + 4 * i);
            if (id >= w->shape.n_vocab) {
                status = GW_LOAD_FAIL(w, GODWIT_MALFORMED, "token %zu is %u, the vocabulary has %u",
                                      w->ids.n, id, w->shape.n_vocab);
                goto done;
            }
            w->ids.items[w->ids.n++] = (int32_t)id;
        }
    }
done:
    return status;
}

// No kernel is asked to take what no kernel writes.
static bool is_finite(const gw_state *state, const uint8_t *rows, uint32_t n) {
    const size_t n_quants = state->group ? (size_t)state->n_heads * state->head : 0;
    const bool half = state->dtype == GODWIT_F16;
    for (uint32_t i = 0; i < n; i++, rows += state->row_bytes) {
        for (size_t at = n_quants; at < state->row_bytes; at += half ? 2 : 4) {
            if (half ? (gw_le16(rows + at) & 0x7c00u) == 0x7c00u
                     : (gw_le32(rows + at) & GW_INF_BITS) == GW_INF_BITS)
                return false;
        }
    }
    return true;
}

static godwit_status check_rows(const gw_walk *w, const gw_state *state, uint32_t first, uint32_t n,
                                godwit_error *err) {
    uint8_t wanted[GW_SAVED_STATE_BYTES];
    gw_state_put(state, first, n, wanted);
    if (memcmp(wanted, w->chunk.bytes, sizeof wanted) != 0) {
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED,
                            "not the rows of %s of layer %u from %u on that belong "
                            "there",
                            state->name, state->layer, first);
    }
    if (is_finite(state, w->chunk.bytes + GW_SAVED_STATE_BYTES, n)) return GODWIT_OK;
    return GW_LOAD_FAIL(w, GODWIT_MALFORMED, "%s of layer %u, rows %u to %u: a value is not finite",
                        state->name, state->layer, first, first + n - 1);
}

// All of one name: there are fewer of these than places.
static godwit_saved_state *sum_of(godwit_session_info *info, const gw_state *state) {
    uint32_t i = 0;
    while (i < info->n_states && strcmp(info->states[i].name, state->name) != 0) i++;
    godwit_saved_state *sum = &info->states[i];
    if (i < info->n_states) return sum;
    info->n_states++;
    snprintf(sum->name, sizeof sum->name, "%s", state->name);
    snprintf(sum->dtype_name, sizeof sum->dtype_name, "%s", godwit_dtype_name(state->dtype));
    return sum;
}

static godwit_status read_state(gw_walk *w, uint32_t index, const gw_state *state,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n_tokens = w->info.n_tokens;
    const uint32_t n_rows = state->kind == GW_STATE_BLOCK ? n_tokens > 0 : n_tokens;
    godwit_saved_state *sum = sum_of(&w->info, state);
    sum->n_layers += index < w->shape.n_states;
    for (uint32_t first = 0; first < n_rows;) {
        GW_TRY(gw_load_next(w, GW_TAG_STATE, err));
        const uint64_t bytes = w->chunk.n_bytes;
        const uint64_t n =
            bytes < GW_SAVED_STATE_BYTES ? 0 : (bytes - GW_SAVED_STATE_BYTES) / state->row_bytes;
        if (n == 0 || n > n_rows - first || bytes != GW_SAVED_STATE_BYTES + n * state->row_bytes) {
            status =
                GW_LOAD_FAIL(w, GODWIT_MALFORMED,
                             "%llu bytes are no rows of %s of layer %u: of %llu bytes, %u to come",
                             (unsigned long long)bytes, state->name, state->layer,
                             (unsigned long long)state->row_bytes, n_rows - first);
            goto done;
        }
        GW_TRY(check_rows(w, state, first, (uint32_t)n, err));
        if (w->session) {
            GW_TRY(gw_session_write_rows(w->session, index, first, (uint32_t)n,
                                         w->chunk.bytes + GW_SAVED_STATE_BYTES, err));
        }
        sum->n_rows += n;
        sum->n_bytes += n * state->row_bytes;
        sum->stored_bytes += w->chunk.stored_bytes;
        first += (uint32_t)n;
    }
done:
    return status;
}

static godwit_status read_states(gw_walk *w, godwit_error *err) {
    if (w->info.tokens_only) return GODWIT_OK;
    for (uint32_t i = 0; i < gw_n_states(&w->shape, w->info.has_logits); i++) {
        gw_state state;
        gw_state_at(&w->shape, i, &state);
        godwit_status status = read_state(w, i, &state, err);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

static godwit_status read_all(gw_walk *w, godwit_read_fn read, void *user, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_chunk_reader_create(w->host, read, user, &w->reader, err));
    GW_TRY(read_session(w, err));
    GW_TRY(read_model(w, err));
    GW_TRY(read_lora(w, err));
    GW_TRY(gw_load_sampling(w, err));
    if (w->model) GW_TRY(make_session(w, err));
    GW_TRY(read_tokens(w, err));
    GW_TRY(read_states(w, err));
    GW_TRY(gw_load_next(w, GW_CHUNK_END, err));
    w->info.version = GW_SESSION_FILE_VERSION;
    w->info.n_bytes = gw_chunk_reader_n_bytes(w->reader);
done:
    gw_chunk_reader_destroy(&w->reader);
    return status;
}

// The session goes on where the file's did.
static godwit_status finish(gw_walk *w, godwit_error *err) {
    gw_session *s = w->session;
    godwit_status status = GODWIT_OK;
    const size_t n_encoded = w->info.n_encoded;
    if (w->info.tokens_only) {
        if (n_encoded) GW_TRY(gw_session_encode(s, w->ids.items, n_encoded, err));
        if (w->ids.n > n_encoded)
            GW_TRY(gw_session_feed(s, w->ids.items + n_encoded, w->ids.n - n_encoded, err));
    } else {
        s->n_encoded = w->info.n_encoded;
        s->ids = w->ids;
        w->ids = (gw_ids){0};
        s->n_past = w->info.n_tokens;
    }
    s->has_logits = w->info.has_logits;
    memcpy(&s->saved_bias, &w->bias, sizeof s->saved_bias);
    memset(&w->bias, 0, sizeof w->bias);
    s->saved_breakers = w->breakers;
    w->breakers = (gw_ids){0};
    if (w->has_mu) {
        const int32_t last = s->n_past ? s->ids.items[s->n_past - 1] : -1;
        GW_TRY(gw_mirostat_set(s, (gw_mu){s->n_past, last, w->mu}, err));
    }
done:
    return status;
}

static void deinit(gw_walk *w) {
    gw_vec_deinit(&w->ids, w->host);
    gw_vec_deinit(&w->bias, w->host);
    gw_vec_deinit(&w->breakers, w->host);
    gw_vec_deinit(&w->states, w->host);
}

static godwit_status load(gw_walk *w, godwit_read_fn read, void *user, gw_session **out_session,
                          godwit_session_info *out_info, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(read_all(w, read, user, err));
    GW_TRY(finish(w, err));
    *out_info = w->info;
    *out_session = w->session;
    w->session = NULL;
done:
    gw_session_destroy(&w->session);
    deinit(w);
    return status;
}

godwit_status gw_session_load(gw_model *model, const godwit_session_params *params,
                              godwit_read_fn read, void *user, gw_session **out_session,
                              godwit_session_info *out_info, godwit_error *err) {
    gw_walk w = {.host = model->backend->host, .model = model};
    if (params) w.params = *params;
    return load(&w, read, user, out_session, out_info, err);
}

godwit_status gw_batch_load(gw_batch *batch, godwit_read_fn read, void *user,
                            gw_session **out_session, godwit_session_info *out_info,
                            godwit_error *err) {
    gw_walk w = {.host = batch->host, .model = batch->model, .batch = batch};
    w.params.numerics = batch->fast ? GODWIT_FAST : GODWIT_EXACT;
    return load(&w, read, user, out_session, out_info, err);
}

godwit_status gw_session_inspect(const gw_host *host, godwit_read_fn read, void *user,
                                 int32_t *out_tokens, size_t n_max, godwit_session_info *out_info,
                                 godwit_error *err) {
    gw_walk w = {.host = host};
    godwit_status status = read_all(&w, read, user, err);
    if (status == GODWIT_OK) {
        const size_t n = n_max < w.ids.n ? n_max : w.ids.n;
        if (n) memcpy(out_tokens, w.ids.items, n * sizeof *out_tokens);
        *out_info = w.info;
        out_info->sampling.logit_bias = NULL;
        out_info->sampling.dry_breakers = out_info->sampling.dry_sequences = NULL;
    }
    deinit(&w);
    return status;
}
