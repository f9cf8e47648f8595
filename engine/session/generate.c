// Generate: feeding tokens, choosing the next, going back.
#include "session/internal.h"

#include "base/clock.h"
#include "base/status.h"

// --- feeding -------------------------------------------------------------------------------------

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

void gw_session_append(gw_session *s, const int32_t *ids, uint32_t n) {
    memcpy(s->ids.items + s->ids.n, ids, n * sizeof *ids);
    s->ids.n += n;
    s->n_past += n;
    gw_session_keep_block(s);
    gw_session_keep_checkpoint(s, false);
    s->has_logits = true;
}

void gw_session_append_prompt(gw_session *s, const int32_t *ids, uint32_t n) {
    gw_session_append(s, ids, n);
    s->stats.n_prompt += n;
}

static gw_store *logits_store(const gw_session *s) {
    gw_pool *pool = &s->batch->pool;
    return &pool->states[pool->logits.buffer - GW_STORE_STATE];
}
static uint64_t logits_offset(const gw_session *s) {
    return gw_pool_logits_offset(&s->batch->pool, s->slot, s->turn);
}

godwit_status gw_session_read_logits(gw_session *s, float *out, godwit_error *err) {
    return gw_store_read(logits_store(s), logits_offset(s), out,
                         s->model->def->h.n_vocab * sizeof *out, err);
}

// Adds the logits of a run's last n tokens to the session's rows, and makes the last ones those that
// are sampled from.
static godwit_status take_rows(gw_session *s, const gw_step *step, uint32_t n, godwit_error *err) {
    const size_t n_vocab = s->model->def->h.n_vocab, row_bytes = n_vocab * sizeof(float);
    float *to = s->all_logits + s->n_all_logits * n_vocab;
    const uint64_t from = step->logits.offset + (step->n_tok - n) * row_bytes;
    godwit_status status = gw_store_read(&s->batch->workspace.arena, from, to, n * row_bytes, err);
    if (status != GODWIT_OK) return status;
    s->n_all_logits += n;
    return gw_store_write(logits_store(s), logits_offset(s), to + (n - 1) * n_vocab, row_bytes,
                          err);
}

// Where each token's logits are wanted, a run may be smaller, for their memory.
static uint32_t rows_at_once(const gw_batch *b) {
    uint64_t row_bytes = (uint64_t)b->model->def->h.n_vocab * sizeof(float);
    uint64_t max = b->model->backend->tune.max_range, n;
    if (max > GW_ROWS_RUN_BYTES) max = GW_ROWS_RUN_BYTES;
    n = max / row_bytes;
    return n < 1 ? 1 : n < b->n_batch ? (uint32_t)n : b->n_batch;
}

// Idle tokens come first, so that the last one's logits are where they always are.
static godwit_status write_prompt(gw_session *s, const gw_step *step, const int32_t *ids,
                                  uint32_t n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = s->batch;
    const uint32_t n_idle = step->n_tok - n, first = gw_session_n_stated(s);
    const bool again = s->n_behind != 0;
    int32_t tokens[GW_BATCH_MAX];
    gw_place places[GW_BATCH_MAX];
    for (uint32_t i = 0; i < step->n_tok; i++) {
        const bool idle = i < n_idle;
        tokens[i] = idle ? -1 : ids[i - n_idle];
        places[i] = (gw_place){s, first + (idle ? 0 : i - n_idle), s->turn, idle, again, again};
    }
    GW_TRY(gw_store_write(step->upload, step->tokens.offset, tokens, step->n_tok * sizeof *tokens,
                          err));
    GW_TRY(gw_places_write(b, step, places, err));
done:
    return status;
}

godwit_status gw_session_run_prompt(gw_session *s, const gw_step *step, godwit_error *err) {
    gw_run_figures figures = {0};
    godwit_status status = gw_session_check_cancelled(s, err);
    if (status != GODWIT_OK) return status;
    status = gw_batch_run(s->batch, step, &s->cancelled, &figures, err);
    if (status == GODWIT_CANCELLED) status = gw_session_check_cancelled(s, err);
    gw_session_add_figures(s, &figures, s->n_behind ? &s->stats.replay_ns : &s->stats.prompt_ns);
    return status;
}

// Tokens behind those whose states the session has: new ones, or such as it went back to.
static godwit_status run_prompt(gw_session *s, const int32_t *ids, uint32_t n, uint32_t n_run,
                                bool all, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = s->batch;
    gw_step *step = NULL;
    gw_drafts_drop(s);
    gw_session_next_block(s);
    GW_TRY(gw_step_find(b, all ? GW_STEP_GIVEN_ALL : GW_STEP_GIVEN, n_run, all ? n_run : 1, &step,
                        err));
    if (!s->n_behind) s->has_logits = false;
    if (!s->n_behind) s->turn = 0;
    GW_TRY(write_prompt(s, step, ids, n, err));
    status = gw_session_run_prompt(s, step, err);
    if (status == GODWIT_OK && all) status = take_rows(s, step, n, err);
    if (status == GODWIT_OK && !all && !s->n_behind) gw_next_take(s, step, s->n_past, n);
done:
    return status;
}

// What fails is gone on with by the next call that needs the states.
godwit_status gw_session_catch_up(gw_session *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    while (s->n_behind) {
        uint32_t n_run, left = gw_session_until_checkpoint(s, gw_session_n_stated(s), s->n_behind);
        const uint32_t n =
            gw_schedule_chunk(left, s->batch->n_batch, s->model->backend->tune.run_tokens, &n_run);
        GW_TRY(gw_session_check_cancelled(s, err));
        GW_TRY(run_prompt(s, s->ids.items + gw_session_n_stated(s), n, n_run, false, err));
        s->n_behind -= n;
        s->stats.n_replayed += n;
        gw_session_keep_block(s);
        gw_session_keep_checkpoint(s, s->n_behind == 0); // who went back here may do so again
    }
done:
    return status;
}

godwit_status gw_session_feed_run(gw_session *s, const int32_t *ids, uint32_t n, uint32_t n_run,
                                  bool all, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_session_check_cancelled(s, err));
    GW_TRY(gw_session_catch_up(s, err));
    GW_TRY(gw_session_own_pages(s, n, err));
    GW_TRY(gw_ids_reserve(&s->ids, s->host, n, err));
    GW_TRY(run_prompt(s, ids, n, n_run, all, err));
    gw_session_append_prompt(s, ids, n);
    gw_next_follow(s);
done:
    return status;
}

godwit_status gw_session_check_ids(const gw_session *s, const int32_t *ids, size_t n_ids,
                                   godwit_error *err) {
    godwit_status status = gw_session_check_room(s, n_ids, err);
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

static godwit_status feed_runs(gw_session *s, const int32_t *ids, size_t n_ids, bool all,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t most = all ? rows_at_once(s->batch) : s->batch->n_batch;
    for (size_t at = 0; at < n_ids && status == GODWIT_OK;) {
        uint32_t left = n_ids - at < UINT32_MAX ? (uint32_t)(n_ids - at) : UINT32_MAX, n_run;
        const uint32_t run_tokens = s->model->backend->tune.run_tokens;
        left = gw_session_until_checkpoint(s, s->n_past, left);
        uint32_t n = gw_schedule_chunk(left, most, run_tokens, &n_run);
        status = gw_session_feed_run(s, ids + at, n, n_run, all, err);
        at += n;
    }
    if (status == GODWIT_OK && n_ids >= GW_PREFIX_MIN) gw_session_keep_checkpoint(s, true);
    return status;
}

godwit_status gw_session_feed(gw_session *s, const int32_t *ids, size_t n_ids, godwit_error *err) {
    godwit_status status = gw_session_work_off(s, err);
    if (status == GODWIT_OK) status = gw_session_check_ids(s, ids, n_ids, err);
    if (status != GODWIT_OK) return status;
    s->n_all_logits = 0;
    if (n_ids && gw_session_wants_text(s)) return gw_session_begin(s, ids, n_ids, err);
    size_t n_there = gw_session_take_prefix(s, ids, n_ids);
    return feed_runs(s, ids + n_there, n_ids - n_there, false, err);
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
    GW_TRY(gw_session_work_off(s, err));
    GW_TRY(gw_session_check_ids(s, ids, n_ids, err));
    if (gw_session_wants_text(s)) {
        GW_FAIL(
            err, GODWIT_UNSUPPORTED,
            "session: an encoder's text has no logits; feed it by itself (godwit_session_feed)");
    }
    s->n_all_logits = 0;
    bytes = n_rows * row_bytes;
    if (bytes > s->all_logits_bytes) {
        gw_free(s->host, s->all_logits, s->all_logits_bytes);
        s->all_logits_bytes = 0;
        s->all_logits = gw_alloc(s->host, bytes, 1);
        GW_CHECK_ALLOC(s->all_logits, err, "rows of logits");
        s->all_logits_bytes = bytes;
    }
    GW_TRY(feed_runs(s, ids, n_ids - n_rows, false, err));
    GW_TRY(feed_runs(s, ids + (n_ids - n_rows), n_rows, true, err));
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

// Before a token is chosen for a session, and with step for the tokens after it.
static godwit_status prepare(gw_session *s, bool step, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!s->has_logits) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "session: no logits yet; feed tokens first");
    }
    if (step) GW_TRY(gw_session_check_room(s, 1, err));
    GW_TRY(gw_session_check_cancelled(s, err));
    if (step) GW_TRY(gw_session_catch_up(s, err));
    if (step) GW_TRY(gw_session_own_pages(s, 1, err));
    if (step) GW_TRY(gw_ids_reserve(&s->ids, s->host, 1, err));
    if (step) gw_session_next_block(s);
done:
    return status;
}

// Before tokens of its queue are worked on.
static godwit_status prepare_prompt(gw_session *s, uint32_t n, godwit_error *err) {
    godwit_status status = gw_session_check_cancelled(s, err);
    if (status == GODWIT_OK) status = gw_session_catch_up(s, err);
    if (status == GODWIT_OK) status = gw_session_own_pages(s, n, err);
    return status == GODWIT_OK ? gw_ids_reserve(&s->ids, s->host, n, err) : status;
}

// The tokens of a run of many sessions: idle ones first, in the end those that have logits.
typedef struct lineup {
    uint32_t n_tok, n;
    gw_place places[GW_BATCH_MAX];
    int32_t tokens[GW_BATCH_MAX]; // CHOSEN: it is to be
    uint32_t seqs[GW_BATCH_MAX];  // whose it is
} lineup;
enum { IDLE = -1, CHOSEN = -2 };

static void put(lineup *l, uint32_t seq, int32_t token, gw_place where) {
    l->places[l->n] = where;
    l->tokens[l->n] = token;
    l->seqs[l->n++] = seq;
}

// Of the logits that a step of the session writes.
static uint32_t other_turn(const gw_session *s) {
    return gw_pool_looks_ahead(&s->batch->pool) ? 1 - s->turn : 0;
}

static void line_up(gw_session *const *sessions, const gw_schedule *plan, uint32_t n, lineup *out) {
    *out = (lineup){.n_tok = plan->n_run};
    while (out->n < plan->n_run - plan->n_rows)
        put(out, 0, IDLE, (gw_place){sessions[0], 0, 0, true, true, false});
    for (int last = 0; last < 2; last++) {
        for (uint32_t i = 0; i < n; i++) {
            gw_session *s = sessions[i];
            const uint32_t n_queued = gw_session_n_queued(s), take = plan->takes[i];
            const uint32_t n_quiet = take && take >= n_queued ? take - 1 : take;
            for (uint32_t k = last ? n_quiet : 0; k < (last ? take : n_quiet); k++) {
                const int32_t token = n_queued ? s->queue.items[s->n_unqueued + k] : CHOSEN;
                put(out, i, token,
                    (gw_place){s, s->n_past + k, other_turn(s), false, !last, false});
            }
        }
    }
}

// What the tokens that have logits are to be.
static godwit_status ask(gw_batch *b, const lineup *l, uint32_t n_logits,
                         const godwit_sample_params *params, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_sampling_begin(b);
    for (uint32_t i = l->n_tok - n_logits; i < l->n_tok && status == GODWIT_OK; i++) {
        gw_session *s = l->tokens[i] == CHOSEN ? l->places[i].session : NULL;
        status = gw_sampling_ask(b, s, params ? &params[l->seqs[i]] : NULL, err);
    }
    return status;
}

// Whether what is asked of some token is known only when the one before it is.
static bool needs_history(const gw_batch *b, const godwit_sample_params *params, uint32_t n) {
    bool any = b->asked.n_adjusts != 0;
    for (uint32_t i = 0; params && i < n; i++) any |= gw_sample_needs_history(&params[i]);
    return any;
}

// The controls of those that have logits; ahead: of the tokens after so many more.
static void read_controls(const gw_batch *b, const lineup *l, const gw_schedule *plan,
                          uint32_t ahead, const godwit_sample_params *params,
                          gw_sample_control *out) {
    const uint32_t first = plan->n_run - plan->n_logits;
    for (uint32_t i = first; i < plan->n_run; i++) {
        gw_sample_control *c = &out[i - first];
        *c = (gw_sample_control){.row = GW_SAMPLE_GIVEN | (uint32_t)l->tokens[i]};
        if (l->tokens[i] != CHOSEN) continue;
        const gw_session *s = l->places[i].session;
        const uint32_t row = gw_pool_logits_row(&b->pool, s->slot, s->turn ^ (ahead & 1));
        gw_sampling_control(s, params ? &params[l->seqs[i]] : NULL, ahead,
                            b->asked.n_adjusts ? i - first : row, c);
    }
}

static godwit_status write_lineup(gw_batch *b, const gw_step *step, const lineup *l,
                                  const gw_sample_control *controls, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n_given = step->n_tok - step->n_logits;
    GW_TRY(gw_sampling_write(b, step, err));
    GW_TRY(gw_store_write(step->upload, step->control.offset, controls,
                          step->n_logits * sizeof *controls, err));
    GW_TRY(gw_store_write(step->upload, step->given.offset, l->tokens, n_given * sizeof *l->tokens,
                          err));
    GW_TRY(gw_places_write(b, step, l->places, err));
done:
    return status;
}

// After a run: what each session has of it. tokens: the last ones.
static void take_tokens(const lineup *l, gw_session *const *sessions, const gw_schedule *plan,
                        uint32_t n, const godwit_sample_params *params, const int32_t *tokens,
                        int32_t *out_tokens) {
    const uint32_t n_given = l->n_tok - plan->n_logits;
    for (uint32_t i = 0; i < n; i++) {
        if (plan->takes[i]) sessions[i]->turn = other_turn(sessions[i]);
        if (!plan->takes[i] || !gw_session_n_queued(sessions[i])) continue;
        gw_session_unqueue(sessions[i], plan->takes[i]);
    }
    for (uint32_t i = 0; i < l->n_tok; i++) {
        gw_session *s = l->places[i].session;
        const int32_t token = tokens[i];
        if (l->tokens[i] != CHOSEN) continue;
        out_tokens[l->seqs[i]] = token;
        if (token < 0) continue;
        gw_sampling_take(s, params ? &params[l->seqs[i]] : NULL, i - n_given, token);
        gw_session_append(s, &token, 1);
        s->stats.n_decoded++;
    }
}

// Submits the step after the one that is on its way, whose lineup that is; where it cannot, the step is
// run when it is asked for.
static void look_ahead(gw_batch *b, gw_session *const *sessions, const gw_schedule *plan,
                       uint32_t n, bool wants, const gw_flight *before,
                       const gw_sample_control *controls, lineup *l) {
    gw_flight next = {0};
    const gw_step *step =
        gw_step_known(b, GW_STEP_SAMPLED, plan->n_run, plan->n_logits, 0, 1 - before->step.twin);
    const bool can = wants && before->submitted && step && gw_program_is_ready(step->program);
    for (uint32_t i = 0; can && i < l->n_tok; i++) {
        if (l->places[i].idle) continue;
        l->places[i].position++;
        l->places[i].turn ^= 1;
    }
    if (can) {
        next.step = *step;
        if (write_lineup(b, step, l, controls, NULL) == GODWIT_OK)
            (void)gw_flight_submit(&next, NULL);
    }
    b->ahead.submitted_ns = next.submitted_ns;
    gw_ahead_expect(b, next.submitted ? &next.step : NULL, sessions,
                    controls + (plan->n_logits - n), n);
}

// Waits for a step, or runs it.
static godwit_status land(gw_batch *b, const gw_flight *f, gw_run_figures *out, godwit_error *err) {
    if (!f->submitted) return gw_batch_run(b, &f->step, NULL, out, err);
    *out = (gw_run_figures){.fast = gw_program_plan(f->step.program)->fast};
    godwit_status status = gw_flight_wait(b, f, &out->ns, err);
    out->device_ns = gw_program_device_ns(f->step.program);
    return status;
}

// tokens: [n_run] of the lineup, where the step had others beside these.
static godwit_status read_tokens(const gw_flight *f, const gw_schedule *plan, uint32_t n,
                                 bool decode, int32_t *tokens, godwit_error *err) {
    int32_t own[GW_STEP_MAX];
    godwit_status status = gw_store_read(f->step.readback, f->step.tokens.offset, tokens,
                                         f->step.n_tok * sizeof *tokens, err);
    if (status != GODWIT_OK || !decode) return status;
    for (uint32_t i = 0; i < n; i++) own[i] = tokens[f->step.n_tok - f->n + f->at[i]];
    memcpy(tokens + (plan->n_run - n), own, n * sizeof *own);
    return GODWIT_OK;
}

// Runs a step, or waits for it; before that, the one after it is submitted, where it can be.
static godwit_status fly(gw_batch *b, gw_session *const *sessions,
                         const godwit_sample_params *params, uint32_t n, const gw_schedule *plan,
                         lineup *line, int32_t *tokens, gw_run_figures *figures,
                         godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_sample_control controls[GW_STEP_MAX];
    const bool decode = gw_flight_is_decode(sessions, plan, n) && !needs_history(b, params, n);
    bool met = false, wants = false;
    gw_flight f;
    read_controls(b, line, plan, 0, params, controls);
    if (decode)
        met = gw_ahead_meets(b, sessions, controls + (plan->n_logits - n), n);
    else
        gw_ahead_drop(b);
    wants = decode && gw_ahead_wants(b, sessions, n);
    GW_TRY(gw_flight_board(b, sessions, plan, n, met, wants, &f, err));
    if (!f.submitted) GW_TRY(write_lineup(b, &f.step, line, controls, err));
    for (uint32_t i = 0; i < n; i++) {
        if (!plan->takes[i]) continue;
        sessions[i]->has_logits = false;
        sessions[i]->n_all_logits = 0;
    }
    if (wants && !f.submitted && gw_program_is_ready(f.step.program))
        GW_TRY(gw_flight_submit(&f, err));
    if (decode) {
        read_controls(b, line, plan, 1, params, controls);
        look_ahead(b, sessions, plan, n, wants, &f, controls, line);
    }
    GW_TRY(land(b, &f, figures, err));
    GW_TRY(read_tokens(&f, plan, n, decode, tokens, err));
done:
    return status;
}

godwit_status gw_step_run(gw_batch *b, gw_session *const *sessions,
                          const godwit_sample_params *params, uint32_t n, const gw_schedule *plan,
                          int32_t *out_tokens, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t tokens[GW_BATCH_MAX];
    lineup line;
    gw_run_figures figures = {0};
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t n_queued = gw_session_n_queued(sessions[i]);
        if (!n_queued) GW_TRY(prepare(sessions[i], true, err));
        if (n_queued && plan->takes[i]) GW_TRY(prepare_prompt(sessions[i], plan->takes[i], err));
    }
    line_up(sessions, plan, n, &line);
    GW_TRY(ask(b, &line, plan->n_logits, params, err));
    status = fly(b, sessions, params, n, plan, &line, tokens, &figures, err);
    if (status != GODWIT_OK) gw_ahead_drop(b);
    for (uint32_t i = 0; i < n && figures.ns; i++) {
        godwit_session_stats *stats = &sessions[i]->stats;
        if (plan->takes[i])
            gw_session_add_figures(sessions[i], &figures,
                                   gw_session_n_queued(sessions[i]) ? &stats->prompt_ns
                                                                    : &stats->decode_ns);
    }
    if (status == GODWIT_OK) take_tokens(&line, sessions, plan, n, params, tokens, out_tokens);
done:
    return status;
}

// Chosen and nothing more.
godwit_status gw_session_choose(gw_session *s, const godwit_sample_params *params,
                                int32_t *out_token, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = s->batch;
    gw_sample_control control;
    gw_run_figures figures = {0};
    gw_step *step = NULL;
    GW_TRY(prepare(s, false, err));
    gw_ahead_drop(b);
    gw_sampling_begin(b);
    GW_TRY(gw_sampling_ask(b, s, params, err));
    gw_sampling_control(s, params, 0,
                        b->asked.n_adjusts ? 0 : gw_pool_logits_row(&b->pool, s->slot, s->turn),
                        &control);
    GW_TRY(gw_step_find_twin(b, GW_STEP_SAMPLE, 1, 1, b->asked.n_adjusts,
                             gw_pool_binds_all(&b->pool) ? 0 : s->turn, &step, err));
    GW_TRY(gw_sampling_write(b, step, err));
    GW_TRY(gw_store_write(step->upload, step->control.offset, &control, sizeof control, err));
    status = gw_batch_run(b, step, NULL, &figures, err);
    gw_session_add_figures(s, &figures, &s->stats.decode_ns);
    if (status != GODWIT_OK) goto done;
    GW_TRY(gw_store_read(step->readback, step->tokens.offset, out_token, sizeof *out_token, err));
    if (*out_token >= 0) gw_sampling_take(s, params, 0, *out_token);
done:
    return status;
}

static godwit_status choose_one(gw_session *s, const godwit_sample_params *params, bool step,
                                int32_t *out_token, godwit_error *err) {
    static const gw_schedule one = {.takes = {1}, .n_rows = 1, .n_run = 1, .n_logits = 1};
    int32_t token = -1;
    godwit_status status = gw_session_work_off(s, err);
    if (status != GODWIT_OK) return status;
    if (!step)
        status = gw_session_choose(s, params, &token, err);
    else if (s->batch->n_draft)
        status = gw_draft_step(s, params, &token, err);
    else
        status = gw_step_run(s->batch, &s, params, 1, &one, &token, err);
    if (status != GODWIT_OK) return status;
    if (token >= 0) {
        *out_token = token;
        return GODWIT_OK;
    }
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "session: the logits after %u tokens are not finite: the model's weights "
                   "overflow",
                   s->n_past);
}

godwit_status gw_session_sample(gw_session *s, const godwit_sample_params *params,
                                int32_t *out_token, godwit_error *err) {
    return choose_one(s, params, false, out_token, err);
}

godwit_status gw_session_step(gw_session *s, const godwit_sample_params *params, int32_t *out_token,
                              godwit_error *err) {
    return choose_one(s, params, true, out_token, err);
}

// --- what there is -------------------------------------------------------------------------------

godwit_status gw_session_logits(gw_session *s, float *out_logits, size_t n_logits,
                                godwit_error *err) {
    godwit_status status = gw_session_work_off(s, err);
    if (status != GODWIT_OK) return status;
    if (n_logits != s->model->def->h.n_vocab || !s->has_logits) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       s->has_logits ? "session: room for %zu logits, there are %u"
                                     : "session: no logits yet (room for %zu, there will be %u)",
                       n_logits, s->model->def->h.n_vocab);
    }
    return gw_session_read_logits(s, out_logits, err);
}
