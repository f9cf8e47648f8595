// Draft: tokens that are guessed behind one that was chosen, and worked on in the same run.
//
// A run of few tokens takes hardly longer than one of a token, since both read all weights once. So behind a
// token that is chosen some more are guessed, and the run makes the logits after each. Later steps choose from
// these as if each had been fed alone, by the same bits; while what they choose is what was guessed, no run
// is needed. Where it is not, the other guesses are forgotten: their keys and values lie behind the session's
// tokens, where nobody reads them. A guess changes no token, whatever it is.
//
// Guesses are looked up: what came behind the longest run of tokens, ending here, that was there before.
// Where guesses go wrong fewer are made, and none for a while, as long as that goes on.
//
// A block of recurrent states is of all tokens of a run. It becomes the session's where all guesses were
// right; else the session stays where it was before them (n_behind), and the next run, without guesses, works
// on the tokens that were chosen once more.
#include "session/internal.h"

#include "base/status.h"

enum { MATCH_LEAST = 2, MATCH_MOST = 16, PAUSE_MOST = 32 };

void gw_drafts_drop(gw_session *s) {
    gw_drafts *d = &s->drafts;
    if (d->block >= 0) s->batch->pool.block_references[d->block]--;
    d->block = -1;
    d->n = d->n_chosen = 0;
}

// --- guessing ------------------------------------------------------------------------------------

// The i-th token where `token` and guesses stand behind the session's.
static int32_t at(const gw_session *s, int32_t token, const int32_t *guesses, size_t i) {
    return i < s->n_past ? s->ids.items[i] : i == s->n_past ? token : guesses[i - s->n_past - 1];
}

uint32_t gw_draft_look_up(void *user, gw_session *s, int32_t token, uint32_t most, int32_t *out) {
    (void)user;
    const int32_t *ids = s->ids.items;
    const uint32_t n = s->n_past;
    uint32_t longest = 0, end = 0;
    for (uint32_t i = n; i-- > 0 && longest < MATCH_MOST;) {
        uint32_t length = 1;
        if (ids[i] != token) continue;
        while (length < MATCH_MOST && length <= i && ids[i - length] == ids[n - length]) length++;
        if (length <= longest) continue;
        longest = length;
        end = i + 1;
    }
    if (longest < MATCH_LEAST) return 0;
    for (uint32_t i = 0; i < most; i++) out[i] = at(s, token, out, end + i);
    return most;
}

// What came of the guesses before.
static void learn(gw_session *s) {
    gw_drafts *d = &s->drafts;
    const uint32_t most = s->batch->n_draft, n_right = s->turn;
    if (!d->n) return;
    d->n_bad = n_right ? 0 : d->n_bad + 1;
    if (d->n_bad) d->pause = d->n_bad > 5 ? PAUSE_MOST : 1u << (d->n_bad - 1);
    const uint32_t next = n_right == d->n ? 2 * d->n : n_right + 1;
    d->most = next < most ? next : most;
}

static uint32_t guess(gw_session *s, int32_t token, int32_t *out) {
    gw_drafts *d = &s->drafts;
    gw_batch *b = s->batch;
    uint32_t most = d->most ? d->most : b->n_draft;
    if (d->pause) {
        d->pause--;
        return 0;
    }
    if (s->n_behind) return 0;
    if (most > b->n_ctx - s->n_past - 1) most = b->n_ctx - s->n_past - 1;
    if (most > b->n_batch - 1) most = b->n_batch - 1;
    most = gw_session_until_checkpoint(s, s->n_past, 1 + most) - 1;
    return most ? b->guess(b->guess_user, s, token, most, out) : 0;
}

// --- the run -------------------------------------------------------------------------------------

// Whether what is chosen from a row of logits is known without the tokens before it.
static bool is_plain(const godwit_sample_params *params) {
    return !params || (!gw_sample_needs_history(params) && !gw_sample_changes_logits(params));
}

// Behind the session's tokens and ahead more; of which row is another matter.
gw_sample_control gw_draft_control(const gw_session *s, const godwit_sample_params *params,
                                   uint32_t ahead) {
    gw_sample_control c;
    gw_sampling_control(s, is_plain(params) ? params : NULL, ahead, 0, &c);
    return c;
}

// Tokens that it went back to, then the one that was chosen and the guesses, which have logits.
static godwit_status write(gw_session *s, const gw_step *step, const int32_t *ids,
                           const gw_sample_control *controls, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t n_again = s->n_behind, first = gw_session_n_stated(s);
    int32_t tokens[2 * GODWIT_DRAFT_MAX + 2];
    gw_place places[2 * GODWIT_DRAFT_MAX + 2];
    gw_sample_control rows[GODWIT_DRAFT_MAX + 1];
    for (uint32_t i = 0; i < step->n_tok; i++) {
        const bool again = i < n_again;
        tokens[i] = again ? s->ids.items[first + i] : ids[i - n_again];
        places[i] = (gw_place){s, first + i, again ? 0 : i - n_again, false, again, again};
    }
    for (uint32_t i = 0; i < step->n_logits; i++) {
        rows[i] = controls[i];
        rows[i].row = i;
    }
    GW_TRY(gw_store_write(step->upload, step->tokens.offset, tokens, step->n_tok * sizeof *tokens,
                          err));
    GW_TRY(gw_store_write(step->upload, step->control.offset, rows, step->n_logits * sizeof *rows,
                          err));
    GW_TRY(gw_places_write(s->batch, step, places, err));
done:
    return status;
}

// Pages for a token and n guesses; where there are none for these, for the token.
static godwit_status make_room(gw_session *s, uint32_t *n, godwit_error *err) {
    if (*n && gw_session_own_pages(s, 1 + *n, NULL) != GODWIT_OK) *n = 0;
    godwit_status status = *n ? GODWIT_OK : gw_session_own_pages(s, 1, err);
    return status == GODWIT_OK ? gw_ids_reserve(&s->ids, s->host, 1 + *n, err) : status;
}

// A token that has been worked on becomes the session's; the states may be those before it.
static void take(gw_session *s, int32_t token) {
    if (s->batch->pool.n_blocks && s->next_block < 0) s->n_behind++;
    gw_session_append(s, &token, 1);
    s->stats.n_decoded++;
}

// Works on a token and guesses behind it.
static godwit_status run_token(gw_session *s, const godwit_sample_params *params, int32_t token,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = s->batch;
    gw_drafts *d = &s->drafts;
    gw_step *step = NULL;
    gw_run_figures figures = {0};
    gw_sample_control controls[GODWIT_DRAFT_MAX + 1] = {{0}};
    int32_t ids[GODWIT_DRAFT_MAX + 1] = {token};
    learn(s);
    gw_drafts_drop(s);
    d->params = params;
    if (s->n_behind > GODWIT_DRAFT_MAX) GW_TRY(gw_session_catch_up(s, err));
    uint32_t n = guess(s, token, ids + 1);
    GW_TRY(make_room(s, &n, err));
    gw_session_next_block(s);
    GW_TRY(gw_step_find(b, GW_STEP_VERIFY, s->n_behind + 1 + n, 1 + n, &step, err));
    const bool plain = is_plain(params);
    for (uint32_t i = 0; i <= n && plain; i++) controls[i] = gw_draft_control(s, params, 1 + i);
    GW_TRY(write(s, step, ids, controls, err));
    s->has_logits = false;
    s->n_all_logits = 0;
    status = gw_batch_run(b, step, NULL, &figures, err);
    gw_session_add_figures(s, &figures, &s->stats.decode_ns);
    if (status != GODWIT_OK) goto done;
    GW_TRY(gw_store_read(step->readback, step->chosen.offset, d->chosen,
                         (1 + n) * sizeof *d->chosen, err));
    memcpy(d->controls, controls, sizeof controls);
    memcpy(d->ids, ids + 1, n * sizeof *ids);
    d->n = n;
    d->n_chosen = plain ? 1 + n : 0;
    s->turn = 0;
    s->stats.n_drafted += n;
    gw_next_take(s, step, s->n_past, 1 + n);
    if (n) {
        d->block = s->next_block;
        s->next_block = -1;
    } else {
        s->n_behind = 0;
    }
    take(s, token);
done:
    return status;
}

// --- steps ---------------------------------------------------------------------------------------

// From the last logits: it may be known already.
static godwit_status choose(gw_session *s, const godwit_sample_params *params, int32_t *out_token,
                            godwit_error *err) {
    const gw_drafts *d = &s->drafts;
    if (s->turn < d->n_chosen && is_plain(params)) {
        godwit_status status = params ? gw_sampling_check(params, err) : GODWIT_OK;
        if (status != GODWIT_OK) return status;
        const gw_sample_control c = gw_draft_control(s, params, 0);
        s->logprobs.n = 0;
        *out_token = d->chosen[s->turn];
        if (memcmp(&c, &d->controls[s->turn], sizeof c) == 0) return GODWIT_OK;
    }
    return gw_session_choose(s, params, out_token, err);
}

godwit_status gw_draft_step(gw_session *s, const godwit_sample_params *params, int32_t *out_token,
                            godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_drafts *d = &s->drafts;
    int32_t token = -1;
    if (!s->has_logits)
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "session: no logits yet; feed tokens first");
    GW_TRY(gw_session_check_room(s, 1, err));
    GW_TRY(gw_session_check_cancelled(s, err));
    GW_TRY(choose(s, params, &token, err));
    if (token >= 0 && s->turn < d->n && d->ids[s->turn] == token) {
        take(s, token);
        s->turn++;
        s->stats.n_accepted++;
        s->n_all_logits = 0;
        if (s->turn == d->n && d->block >= 0) { // all were right
            s->next_block = d->block;
            d->block = -1;
            s->n_behind = 0;
            gw_session_keep_block(s);
            gw_session_keep_checkpoint(s, false);
        }
    } else if (token >= 0) {
        GW_TRY(run_token(s, params, token, err));
    }
    *out_token = token;
    if (token < 0) { // as a step of many has it
        s->has_logits = false;
    }
done:
    return status;
}
