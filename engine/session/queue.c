// Queue: prompts that steps of a batch work on, beside the tokens that they choose (schedule.h).
#include "session/internal.h"

#include "base/status.h"

uint32_t gw_session_n_queued(const gw_session *s) {
    return (uint32_t)(s->queue.n - s->n_unqueued);
}

void gw_session_drop_queue(gw_session *s) {
    s->queue.n = s->n_unqueued = 0;
    s->is_fresh = false;
}

static void skip(gw_session *s, size_t n_unqueued) {
    s->n_unqueued = n_unqueued;
    if (s->n_unqueued == s->queue.n) gw_session_drop_queue(s);
}

void gw_session_unqueue(gw_session *s, uint32_t n) {
    s->is_fresh = false;
    gw_session_append_prompt(s, s->queue.items + s->n_unqueued, n);
    skip(s, s->n_unqueued + n);
    s->has_logits = gw_session_n_queued(s) == 0;
}

// Also later, when others have come further with what both begin with.
static void take_start(gw_session *s) {
    if (s->is_fresh) skip(s, gw_session_take_prefix(s, s->queue.items, s->queue.n));
}

godwit_status gw_session_queue(gw_session *s, const int32_t *ids, size_t n_ids, godwit_error *err) {
    godwit_status status = gw_session_check_ids(s, ids, n_ids, err);
    if (status == GODWIT_OK && n_ids && gw_session_wants_text(s))
        return gw_session_begin(s, ids, n_ids, err);
    if (status == GODWIT_OK) status = gw_ids_reserve(&s->queue, s->host, n_ids, err);
    if (status != GODWIT_OK || n_ids == 0) return status;
    if (s->queue.n == 0) {
        s->is_fresh = s->n_past == 0;
        s->queued_as = ++s->batch->n_prompts;
    }
    memcpy(s->queue.items + s->queue.n, ids, n_ids * sizeof *ids);
    s->queue.n += n_ids;
    take_start(s);
    return GODWIT_OK;
}

// The next chunk, as a run of its own.
static godwit_status feed_chunk(gw_session *s, uint32_t n, uint32_t n_run, godwit_error *err) {
    godwit_status status =
        gw_session_feed_run(s, s->queue.items + s->n_unqueued, n, n_run, false, err);
    if (status != GODWIT_OK) return status;
    s->is_fresh = false;
    if (n == gw_session_n_queued(s) && s->queue.n >= GW_PREFIX_MIN)
        gw_session_keep_checkpoint(s, true);
    skip(s, s->n_unqueued + n);
    s->has_logits = gw_session_n_queued(s) == 0;
    return GODWIT_OK;
}

godwit_status gw_session_work_off(gw_session *s, godwit_error *err) {
    const uint32_t most = s->batch->n_batch, run_tokens = s->model->backend->tune.run_tokens;
    godwit_status status = GODWIT_OK;
    while (status == GODWIT_OK && gw_session_n_queued(s)) {
        const uint32_t left = gw_session_until_checkpoint(s, s->n_past, gw_session_n_queued(s));
        uint32_t n_run, n = gw_schedule_chunk(left, most, run_tokens, &n_run);
        status = feed_chunk(s, n, n_run, err);
    }
    return status;
}

// --- steps ---------------------------------------------------------------------------------------

// Each session of the batch, once.
static godwit_status check_sessions(const gw_batch *b, gw_session *const *sessions, size_t n,
                                    godwit_error *err) {
    for (size_t i = 0; i < n; i++) {
        bool twice = false;
        for (size_t k = 0; k < i; k++) twice |= sessions[k] == sessions[i];
        if (twice || sessions[i]->batch != b) {
            return gw_fail(err, GODWIT_INVALID_ARGUMENT, "batch: session %zu is %s", i,
                           twice ? "there twice" : "of another batch");
        }
    }
    return GODWIT_OK;
}

// Its k-th token, worked on or not.
static int32_t token_at(const gw_session *s, size_t k) {
    return k < s->n_past ? s->ids.items[k] : s->queue.items[s->n_unqueued + k - s->n_past];
}

// Tokens of its start that another one at work will have, for which it had better wait; 0: none.
static uint32_t waits_for(const gw_session *s, const gw_session *other) {
    const size_t n = other->n_past + gw_session_n_queued(other);
    const bool is_behind = !other->is_fresh || other->queued_as < s->queued_as;
    size_t common = 0;
    if (!s->is_fresh || other == s || !gw_session_n_queued(other) || !is_behind) return 0;
    while (common < n && common + 1 < s->queue.n &&
           token_at(other, common) == s->queue.items[common])
        common++;
    const bool is_worth_it = common > other->n_past && common >= s->n_past + GW_PREFIX_MIN;
    return is_worth_it ? (uint32_t)common : 0;
}

static void schedule(const gw_batch *b, gw_session *const *sessions, uint32_t n, gw_schedule *out) {
    gw_schedule_seq seqs[GW_STEP_MAX];
    // A block takes one token after the other of a sequence.
    const bool has_blocks = b->pool.n_blocks != 0;
    const gw_schedule_limits limits = {.n_batch = b->n_batch,
                                       .run_tokens = b->model->backend->tune.run_tokens,
                                       .apart = has_blocks};
    for (uint32_t i = 0; i < n; i++) {
        take_start(sessions[i]);
        sessions[i]->stop = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        const gw_session *s = sessions[i];
        seqs[i] = (gw_schedule_seq){.n_past = s->n_past, .since = s->queued_as};
        for (uint32_t k = 0; k < n && (!has_blocks || b->pool.n_checkpoints); k++) {
            const uint32_t at = waits_for(s, sessions[k]);
            seqs[i].waits |= at != 0;
            if (at && (!sessions[k]->stop || at < sessions[k]->stop)) sessions[k]->stop = at;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        seqs[i].n_waiting = gw_session_until_checkpoint(sessions[i], sessions[i]->n_past,
                                                        gw_session_n_queued(sessions[i]));
    gw_schedule_step(seqs, n, &limits, out);
}

godwit_status gw_batch_step(gw_batch *b, gw_session *const *sessions,
                            const godwit_sample_params *params, uint32_t n, int32_t *out_tokens,
                            godwit_error *err) {
    gw_schedule plan;
    godwit_status status = check_sessions(b, sessions, n, err);
    if (status != GODWIT_OK || n == 0) return status;
    if (n == 1 && b->n_draft && !gw_session_n_queued(sessions[0]))
        return gw_draft_step(sessions[0], params, out_tokens, err);
    schedule(b, sessions, n, &plan);
    for (uint32_t i = 0; i < n; i++)
        if (gw_session_n_queued(sessions[i])) out_tokens[i] = GODWIT_TOKEN_PENDING;
    if (plan.n_rows) status = gw_step_run(b, sessions, params, n, &plan, out_tokens, err);
    if (status != GODWIT_OK || !plan.n_alone) return status;
    return feed_chunk(sessions[plan.alone], plan.n_alone, plan.n_alone_run, err);
}
