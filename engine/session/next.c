// Next: guesses by the block for the token after the next one (arch/next.h).
//
// The block is a model with a batch and sessions of its own, which have pages, lengths and a way back as any
// other. A token of its sequence is a token of the session together with what the session's model made of the
// one before it, which its runs leave behind (gw_step.hidden) and the host keeps until the block has worked on
// it. Behind these it guesses: by its own token and what it made itself; such tokens are truncated before the
// next ones. What is missing (after going back, or of a session file) is zeros, or the sequence begins anew:
// guesses are worse then, and the text the same.
#include "session/internal.h"

#include "base/status.h"

enum { FOLLOW_FROM = 64 }; // rows that are kept, of prompts

static size_t row_floats(const gw_session *s) {
    return s->model->def->h.n_embd;
}

static void forget(gw_session *s, uint32_t position) {
    gw_next_tokens *x = &s->next;
    if (x->session) (void)gw_session_truncate(x->session, 0, NULL);
    x->base = x->first = position;
    x->n = x->n_hidden = 0;
}

godwit_status gw_next_join(gw_session *s, godwit_error *err) {
    if (!s->batch->next) return GODWIT_OK;
    return gw_batch_join(s->batch->next, &s->next.session, err);
}

void gw_next_leave(gw_session *s) {
    gw_session_destroy(&s->next.session);
    gw_free(s->host, s->next.hidden, s->next.n_room * row_floats(s) * sizeof(float));
}

// n: tokens of the session that its own are of.
static void keep(gw_session *s, uint32_t n_keep, uint32_t n) {
    gw_next_tokens *x = &s->next;
    if (!x->session) return;
    if (n_keep <= x->base) {
        forget(s, n_keep);
        return;
    }
    if (x->first + x->n_hidden > n_keep) x->n_hidden = n_keep > x->first ? n_keep - x->first : 0;
    if (x->base + x->n + 1 > n) x->n = n - x->base - 1;
    if (x->base + x->n < x->first) x->first = x->base + x->n; // and there are no rows
}

void gw_next_truncate(gw_session *s, uint32_t n_keep) {
    keep(s, n_keep, n_keep);
}

static bool make_room(gw_session *s, uint32_t n) {
    gw_next_tokens *x = &s->next;
    const size_t row = row_floats(s) * sizeof(float);
    const uint32_t wanted = x->n_hidden + n;
    if (wanted <= x->n_room) return true;
    const uint32_t room = wanted > 2 * x->n_room ? wanted : 2 * x->n_room;
    float *grown = gw_realloc(s->host, x->hidden, x->n_room * row, room * row);
    if (!grown) return false;
    x->hidden = grown;
    x->n_room = room;
    return true;
}

void gw_next_take(gw_session *s, const gw_step *step, uint32_t position, uint32_t n) {
    gw_next_tokens *x = &s->next;
    const size_t d = row_floats(s), row = d * sizeof(float);
    if (!x->session) return;
    keep(s, position, position + 1);
    uint32_t n_missing = position - (x->first + x->n_hidden);
    if (n_missing > 1 || !make_room(s, n_missing + n)) {
        forget(s, position);
        n_missing = 0;
        if (!make_room(s, n)) return;
    }
    float *to = x->hidden + x->n_hidden * d;
    memset(to, 0, n_missing * row);
    if (gw_store_read(&s->batch->workspace.arena, step->hidden.offset + (step->n_tok - n) * row,
                      to + n_missing * d, n * row, NULL) == GODWIT_OK)
        x->n_hidden += n_missing + n;
}

// The block's run of the last n of n_run tokens; of the last: what is chosen, and in *hidden what it made.
static godwit_status run(gw_session *s, const int32_t *ids, const float *hidden, uint32_t n,
                         uint32_t n_run, const gw_sample_control *control, int32_t *out_token,
                         float *out_hidden) {
    godwit_status status = GODWIT_OK;
    gw_session *x = s->next.session;
    gw_batch *b = x->batch;
    gw_step *step = NULL;
    gw_run_figures figures = {0};
    const size_t row = row_floats(s) * sizeof(float);
    const uint32_t n_idle = n_run - n;
    int32_t tokens[GW_BATCH_MAX];
    gw_place places[GW_BATCH_MAX];
    GW_TRY(gw_session_own_pages(x, n, NULL));
    GW_TRY(gw_ids_reserve(&x->ids, x->host, n, NULL));
    GW_TRY(gw_step_find(b, GW_STEP_VERIFY, n_run, 1, &step, NULL));
    for (uint32_t i = 0; i < n_run; i++) {
        const bool idle = i < n_idle;
        tokens[i] = idle ? -1 : ids[i - n_idle];
        places[i] = (gw_place){x, x->n_past + (idle ? 0 : i - n_idle), 0, idle, false, false};
    }
    GW_TRY(gw_store_write(step->upload, step->tokens.offset, tokens, n_run * sizeof *tokens, NULL));
    GW_TRY(
        gw_store_write(step->upload, step->hidden_in.offset + n_idle * row, hidden, n * row, NULL));
    GW_TRY(gw_store_write(step->upload, step->control.offset, control, sizeof *control, NULL));
    GW_TRY(gw_places_write(b, step, places, NULL));
    status = gw_batch_run(b, step, NULL, &figures, NULL);
    gw_session_add_figures(s, &figures, &s->stats.decode_ns);
    if (status != GODWIT_OK) goto done;
    GW_TRY(gw_store_read(step->readback, step->chosen.offset, out_token, sizeof *out_token, NULL));
    GW_TRY(gw_store_read(&b->workspace.arena, step->hidden.offset, out_hidden, row, NULL));
    gw_session_append(x, ids, n);
done:
    return status;
}

// Works on the tokens whose hidden states are there, up to position `end`; the last may be `token`.
static godwit_status work_off(gw_session *s, uint32_t end, int32_t token,
                              const gw_sample_control *control, int32_t *out_token,
                              float *out_hidden) {
    godwit_status status = GODWIT_OK;
    gw_next_tokens *x = &s->next;
    const size_t d = row_floats(s);
    if (x->session->n_past > x->n) GW_TRY(gw_session_truncate(x->session, x->n, NULL));
    while (x->base + x->n < end) {
        const gw_batch *b = x->session->batch;
        const uint32_t at = x->base + x->n;
        int32_t ids[GW_BATCH_MAX];
        uint32_t n_run,
            n = gw_schedule_chunk(end - at, b->n_batch, b->model->backend->tune.run_tokens, &n_run);
        for (uint32_t i = 0; i < n; i++)
            ids[i] = at + i + 1 < s->n_past ? s->ids.items[at + i + 1] : token;
        GW_TRY(
            run(s, ids, x->hidden + (at - x->first) * d, n, n_run, control, out_token, out_hidden));
        x->n += n;
    }
    // Of the rest the last one may be wanted still.
    const uint32_t n_done = x->base + x->n - x->first;
    x->n_hidden -= n_done;
    memmove(x->hidden, x->hidden + n_done * d, x->n_hidden * d * sizeof *x->hidden);
    x->first += n_done;
done:
    return status;
}

void gw_next_follow(gw_session *s) {
    static const gw_sample_control greedy = {0};
    gw_next_tokens *x = &s->next;
    int32_t token;
    if (!x->session || x->n_hidden < FOLLOW_FROM || s->n_past < 2) return;
    float *hidden = gw_alloc(s->host, row_floats(s), sizeof *hidden);
    if (!hidden || work_off(s, s->n_past - 1, 0, &greedy, &token, hidden) != GODWIT_OK)
        forget(s, s->n_past);
    gw_free(s->host, hidden, row_floats(s) * sizeof *hidden);
}

uint32_t gw_next_guess(void *user, gw_session *s, int32_t token, uint32_t most, int32_t *out) {
    (void)user;
    gw_next_tokens *x = &s->next;
    uint32_t n = 0;
    gw_next_truncate(s, s->n_past);
    if (s->n_past == 0 || x->first + x->n_hidden != s->n_past || x->base + x->n >= s->n_past)
        return 0;
    float *hidden = gw_alloc(s->host, row_floats(s), sizeof *hidden);
    gw_sample_control control = gw_draft_control(s, s->drafts.params, 1);
    godwit_status status =
        hidden ? work_off(s, s->n_past, token, &control, &out[0], hidden) : GODWIT_OUT_OF_MEMORY;
    while (status == GODWIT_OK && out[n] >= 0 && ++n < most) {
        control = gw_draft_control(s, s->drafts.params, 1 + n);
        status = run(s, &out[n - 1], hidden, 1, 1, &control, &out[n], hidden);
    }
    if (status != GODWIT_OK && n == 0) forget(s, s->n_past);
    gw_free(s->host, hidden, row_floats(s) * sizeof *hidden);
    return n;
}
