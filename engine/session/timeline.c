// Timeline: feeding tokens, choosing the next, going back.
#include "session/internal.h"

#include "base/clock.h"
#include "base/exact.h"
#include "base/status.h"

static godwit_status slot_for(gw_session *s, int index, uint32_t n_tok, gw_slot **out_slot,
                              godwit_error *err) {
    bool sampled = index == GW_SLOT_STEP || index == GW_SLOT_SAMPLE;
    bool all = index == GW_SLOT_ROWS || index == GW_SLOT_ROWS_REST;
    gw_slot *slot = &s->slots[index];
    *out_slot = slot;
    if (slot->program && slot->n_tok == n_tok) return GODWIT_OK;
    return gw_slot_make(s, n_tok,
                        sampled ? GW_STEP_SAMPLED
                        : all   ? GW_STEP_GIVEN_ALL
                                : GW_STEP_GIVEN,
                        slot, err);
}

// Positions and rope rows of the n tokens from n_past on.
static godwit_status write_places(gw_session *s, const gw_slot *slot, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_rope_freqs *rope = &s->model->rope;
    size_t row = 2 * (size_t)rope->n_pairs * sizeof(float), bytes = slot->n_tok * (row + 4);
    if (bytes > s->rows_bytes) {
        gw_free(s->host, s->rows, s->rows_bytes);
        s->rows_bytes = 0;
        s->rows = gw_alloc(s->host, bytes, 1);
        GW_CHECK_ALLOC(s->rows, err, "rope rows");
        s->rows_bytes = bytes;
    }
    int32_t *positions = (int32_t *)(s->rows + slot->n_tok * row);
    for (uint32_t i = 0; i < slot->n_tok; i++) {
        gw_rope_row(rope, s->n_past + i, (float *)(s->rows + i * row));
        positions[i] = (int32_t)(s->n_past + i);
    }
    GW_TRY(gw_store_write(&s->upload, slot->rope_table.offset, s->rows, slot->n_tok * row, err));
    GW_TRY(gw_store_write(&s->upload, slot->positions.offset, positions, slot->n_tok * 4, err));
done:
    return status;
}

// Checks a product of every guard-th run that has one; sampling alone reads no weights.
static godwit_status guard(gw_session *s, const gw_program *program, godwit_error *err) {
    if (!s->guard || !gw_program_plan(program)->weight_bytes) return GODWIT_OK;
    if (++s->n_guardable % s->guard) return GODWIT_OK;
    uint32_t choice = gw_philox(s->guard, 0, (uint32_t)s->n_guardable);
    godwit_status status = gw_guard_check(program, choice, err);
    if (status == GODWIT_OK || status == GODWIT_CORRUPT) s->stats.n_guarded++;
    return status;
}

static godwit_status run(gw_session *s, gw_slot *slot, uint64_t *ns, godwit_error *err) {
    uint64_t start = gw_now_ns();
    godwit_status status = gw_program_run(slot->program, err);
    *ns += gw_now_ns() - start;
    s->stats.n_submits++;
    s->stats.fast |= gw_program_plan(slot->program)->fast;
    s->stats.device_ns += gw_program_device_ns(slot->program);
    if (status == GODWIT_OK) status = gw_session_add_launch_times(s, slot->program, err);
    return status == GODWIT_OK ? guard(s, slot->program, err) : status;
}

// True once for each cancel.
static godwit_status check_cancelled(gw_session *s, godwit_error *err) {
    if (!atomic_exchange(&s->cancelled, false)) return GODWIT_OK;
    return gw_fail(err, GODWIT_CANCELLED, "session: cancelled after %u tokens", s->n_past);
}

static godwit_status check_room(const gw_session *s, size_t n, godwit_error *err) {
    if (n <= s->n_ctx - s->n_past) return GODWIT_OK;
    return gw_fail(err, GODWIT_CONTEXT_FULL,
                   "session: %zu more tokens after %u pass the context of %u; make it with a "
                   "larger n_ctx (--ctx)",
                   n, s->n_past, s->n_ctx);
}

godwit_status gw_ids_reserve(gw_ids *ids, const gw_host *host, size_t n, godwit_error *err) {
    const size_t item = sizeof *ids->items, wanted = ids->n + n;
    if (wanted <= ids->cap) return GODWIT_OK;
    size_t cap = 2 * ids->cap > wanted ? 2 * ids->cap : wanted;
    int32_t *grown = gw_realloc(host, ids->items, ids->cap * item, cap * item);
    if (!grown) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: tokens");
    ids->items = grown;
    ids->cap = cap;
    return GODWIT_OK;
}

size_t gw_session_tokens(const gw_session *s, int32_t *out, size_t n_max) {
    size_t n = n_max < s->ids.n ? n_max : s->ids.n;
    if (n) memcpy(out, s->ids.items, n * sizeof *out);
    return s->ids.n;
}

// Adds the logits that a run made to the session's rows, and makes the last ones those that are
// sampled from.
static godwit_status take_rows(gw_session *s, const gw_slot *slot, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t n_vocab = s->model->def->h.n_vocab, row_bytes = n_vocab * sizeof(float);
    float *to = s->all_logits + s->n_all_logits * n_vocab;
    gw_store *state = &s->states[s->logits.buffer - GW_STORE_STATE];
    uint64_t last = (slot->n_tok - 1) * n_vocab;
    if (slot->n_tok == 1) {
        GW_TRY(gw_store_read(state, s->logits.offset, to, row_bytes, err));
    } else {
        GW_TRY(gw_store_read(&s->arena, slot->logits.offset, to, slot->n_tok * row_bytes, err));
        GW_TRY(gw_store_write(state, s->logits.offset, to + last, row_bytes, err));
    }
    s->n_all_logits += slot->n_tok;
done:
    return status;
}

// Where each token's logits are wanted, a chunk may be smaller, for their memory.
static uint32_t rows_at_once(const gw_session *s) {
    uint64_t row_bytes = (uint64_t)s->model->def->h.n_vocab * sizeof(float);
    uint64_t max = s->model->backend->tune.max_range, n;
    if (max > GW_ROWS_RUN_BYTES) max = GW_ROWS_RUN_BYTES;
    n = max / row_bytes;
    return n < 1 ? 1 : n < s->n_batch ? (uint32_t)n : s->n_batch;
}

static godwit_status feed_chunk(gw_session *s, const int32_t *ids, uint32_t n, bool all,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_slot *slot = NULL;
    int index = n == 1 ? GW_SLOT_ONE : n == s->n_batch ? GW_SLOT_BATCH : GW_SLOT_REST;
    if (all && n > 1) index = n == rows_at_once(s) ? GW_SLOT_ROWS : GW_SLOT_ROWS_REST;
    GW_TRY(check_cancelled(s, err));
    GW_TRY(slot_for(s, index, n, &slot, err));
    GW_TRY(gw_ids_reserve(&s->ids, s->host, n, err));
    s->has_logits = false;
    GW_TRY(gw_store_write(&s->upload, slot->tokens.offset, ids, n * sizeof *ids, err));
    GW_TRY(write_places(s, slot, err));
    GW_TRY(run(s, slot, &s->stats.prompt_ns, err));
    if (all) GW_TRY(take_rows(s, slot, err));
    memcpy(s->ids.items + s->ids.n, ids, n * sizeof *ids);
    s->ids.n += n;
    s->n_past += n;
    s->stats.n_prompt += n;
    s->has_logits = true;
done:
    return status;
}

static godwit_status check_ids(const gw_session *s, const int32_t *ids, size_t n_ids,
                               godwit_error *err) {
    godwit_status status = check_room(s, n_ids, err);
    if (status != GODWIT_OK) return status;
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] < 0 || (uint32_t)ids[i] >= s->model->def->h.n_vocab) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "session: token %zu is %d, the vocabulary has %u", i, ids[i],
                           s->model->def->h.n_vocab);
        }
    }
    return GODWIT_OK;
}

static godwit_status feed_chunks(gw_session *s, const int32_t *ids, size_t n_ids, bool all,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t most = all ? rows_at_once(s) : s->n_batch;
    for (size_t at = 0; at < n_ids && status == GODWIT_OK;) {
        uint32_t n = n_ids - at < most ? (uint32_t)(n_ids - at) : most;
        status = feed_chunk(s, ids + at, n, all, err);
        at += n;
    }
    return status;
}

godwit_status gw_session_feed(gw_session *s, const int32_t *ids, size_t n_ids, godwit_error *err) {
    godwit_status status = check_ids(s, ids, n_ids, err);
    if (status != GODWIT_OK) return status;
    s->n_all_logits = 0;
    return feed_chunks(s, ids, n_ids, false, err);
}

godwit_status gw_session_feed_rows(gw_session *s, const int32_t *ids, size_t n_ids, size_t n_rows,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t row_bytes = (size_t)s->model->def->h.n_vocab * sizeof(float), bytes = 0;
    if (n_rows < 1 || n_rows > n_ids || n_rows > GW_ROWS_MAX_BYTES / row_bytes) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "session: logits of %zu of %zu tokens; 1 to as many as are fed are wanted, at most "
                "%zu at once",
                n_rows, n_ids, GW_ROWS_MAX_BYTES / row_bytes);
    }
    GW_TRY(check_ids(s, ids, n_ids, err));
    s->n_all_logits = 0;
    bytes = n_rows * row_bytes;
    if (bytes > s->all_logits_bytes) {
        gw_free(s->host, s->all_logits, s->all_logits_bytes);
        s->all_logits_bytes = 0;
        s->all_logits = gw_alloc(s->host, bytes, 1);
        GW_CHECK_ALLOC(s->all_logits, err, "rows of logits");
        s->all_logits_bytes = bytes;
    }
    GW_TRY(feed_chunks(s, ids, n_ids - n_rows, false, err));
    GW_TRY(feed_chunks(s, ids + (n_ids - n_rows), n_rows, true, err));
done:
    return status;
}

godwit_status gw_session_logits_row(const gw_session *s, size_t row, float *out_logits,
                                    size_t n_logits, godwit_error *err) {
    uint32_t n_vocab = s->model->def->h.n_vocab;
    if (row >= s->n_all_logits || n_logits != n_vocab) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: row %zu of logits, room for %zu; there are %zu rows of %u", row,
                       n_logits, s->n_all_logits, n_vocab);
    }
    memcpy(out_logits, s->all_logits + row * n_vocab, n_vocab * sizeof *out_logits);
    return GODWIT_OK;
}

// --- sampling ------------------------------------------------------------------------------------

static bool in_range(float x, float low, float high) {
    return x >= low && x <= high;
}

godwit_status gw_sampling_check(const godwit_sample_params *params, godwit_error *err) {
    if (!in_range(params->temp, 0.0f, GODWIT_TEMP_MAX) || !in_range(params->top_p, 0.0f, 1.0f) ||
        !in_range(params->min_p, 0.0f, 1.0f)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "sampling: temp %g, top_p %g, min_p %g; 0 to %g, 0 to 1, 0 to 1 are wanted",
                       (double)params->temp, (double)params->top_p, (double)params->min_p,
                       (double)GODWIT_TEMP_MAX);
    }
    return GODWIT_OK;
}

static godwit_status control_of(const gw_session *s, const godwit_sample_params *params,
                                gw_sample_control *out, godwit_error *err) {
    *out = (gw_sample_control){.position = s->n_past};
    if (!params) return GODWIT_OK;
    godwit_status status = gw_sampling_check(params, err);
    if (status != GODWIT_OK) return status;
    // Colder than a thousandth is greedy: e^(1000 d) leaves one token anyway.
    if (params->temp >= 0.001f) out->inv_temp = 1.0f / params->temp;
    out->top_k = params->top_k;
    out->top_p = (uint32_t)(params->top_p * 16777216.0f);
    out->min_p = params->min_p;
    out->seed_lo = (uint32_t)params->seed;
    out->seed_hi = (uint32_t)(params->seed >> 32);
    return GODWIT_OK;
}

static godwit_status choose(gw_session *s, const godwit_sample_params *params, bool step,
                            int32_t *out_token, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_sample_control control;
    gw_slot *slot = NULL;
    int32_t token = -1;
    if (!s->has_logits) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "session: no logits yet; feed tokens first");
    }
    GW_TRY(check_cancelled(s, err));
    GW_TRY(control_of(s, params, &control, err));
    GW_TRY(slot_for(s, step ? GW_SLOT_STEP : GW_SLOT_SAMPLE, step, &slot, err));
    GW_TRY(gw_store_write(&s->upload, slot->control.offset, &control, sizeof control, err));
    if (step) GW_TRY(write_places(s, slot, err));
    if (step) GW_TRY(gw_ids_reserve(&s->ids, s->host, 1, err));
    if (step) s->has_logits = false;
    if (step) s->n_all_logits = 0;
    GW_TRY(run(s, slot, &s->stats.decode_ns, err));
    GW_TRY(gw_store_read(&s->readback, slot->tokens.offset, &token, sizeof token, err));
    if (token < 0) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "session: the logits after %u tokens are not finite: the model's weights overflow",
                s->n_past);
    }
    *out_token = token;
    if (!step) goto done;
    s->ids.items[s->ids.n++] = token;
    s->n_past++;
    s->stats.n_decoded++;
    s->has_logits = true;
done:
    return status;
}

godwit_status gw_session_sample(gw_session *s, const godwit_sample_params *params,
                                int32_t *out_token, godwit_error *err) {
    return choose(s, params, false, out_token, err);
}

godwit_status gw_session_step(gw_session *s, const godwit_sample_params *params, int32_t *out_token,
                              godwit_error *err) {
    godwit_status status = check_room(s, 1, err);
    if (status != GODWIT_OK) return status;
    return choose(s, params, true, out_token, err);
}

godwit_status gw_session_logits(gw_session *s, float *out_logits, size_t n_logits,
                                godwit_error *err) {
    if (n_logits != s->model->def->h.n_vocab || !s->has_logits) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       s->has_logits ? "session: room for %zu logits, there are %u"
                                     : "session: no logits yet (room for %zu, there will be %u)",
                       n_logits, s->model->def->h.n_vocab);
    }
    return gw_store_read(&s->states[s->logits.buffer - GW_STORE_STATE], s->logits.offset,
                         out_logits, n_logits * sizeof *out_logits, err);
}

godwit_status gw_session_truncate(gw_session *s, uint32_t n_keep, godwit_error *err) {
    if (n_keep > s->n_past) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "session: cannot keep %u of %u tokens", n_keep,
                       s->n_past);
    }
    if (n_keep != s->n_past) s->has_logits = false;
    if (n_keep != s->n_past) s->n_all_logits = 0;
    s->ids.n = n_keep;
    s->n_past = n_keep;
    return GODWIT_OK;
}

void gw_session_stats(const gw_session *s, godwit_session_stats *out_stats) {
    size_t struct_size = out_stats->struct_size;
    *out_stats = s->stats;
    out_stats->struct_size = struct_size;
    out_stats->activation_bytes = s->arena.n_bytes;
    out_stats->kv_bytes = s->kv_bytes;
    const gw_slot *step = &s->slots[s->slots[GW_SLOT_STEP].program ? GW_SLOT_STEP : GW_SLOT_ONE];
    if (!step->program) return;
    const gw_plan *plan = gw_program_plan(step->program);
    out_stats->n_launches = plan->launches.n;
    out_stats->n_barriers = plan->n_barriers;
    out_stats->decode_weight_bytes = plan->weight_bytes;
}
