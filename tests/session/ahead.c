// Ahead: steps that are submitted before the one before them has ended give what steps one at a time
// give, whatever comes between them. Drafts: so do steps whose tokens were guessed before.
#include "session/internal.h"

#include "api/handles.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB = 512, CTX = 700, MOST = 4, LONGEST = 60 };

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

// The same calls on two batches, of which one looks ahead, or guesses.
typedef struct worlds {
    godwit_batch *batches[2];
    godwit_session *sessions[2][MOST];
    godwit_sample_params sampling[MOST];
    uint32_t n, n_draws;
    uint32_t n_ahead; // steps after which the next one was on its way
    uint32_t n_draft;
    uint64_t n_drafted, n_accepted, n_decoded; // of sessions that have ended
} worlds;

static uint32_t draw(worlds *w, uint32_t n) {
    return gw_philox(12, 34, w->n_draws++) % n;
}

static bool is_ahead(const godwit_batch *batch) {
    return batch->batch->ahead.step.program != NULL;
}

static void open_guessing(worlds *w, stories_run *r, uint32_t n_seq, uint32_t ctx, uint32_t seed,
                          uint32_t n_draft) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    *w = (worlds){.n = n_seq, .n_draws = seed << 20, .n_draft = n_draft};
    params.n_ctx = ctx;
    params.n_seq = n_seq;
    params.n_batch = 64;
    for (int i = 0; i < 2; i++) {
        r->device->backend.tune.looks_ahead = i == 1;
        params.n_draft = i == 1 ? n_draft : 0;
        params.n_seq = n_seq + (i == 0 && n_draft != 0); // one more to look ahead with
        MUST(godwit_batch_create(r->model, &params, &w->batches[i], &err));
        const gw_pool *pool = &w->batches[i]->batch->pool;
        cr_assert_eq(pool->n_turns, i == 0 ? 1 : n_draft ? 1 + n_draft : 2);
        for (uint32_t k = 0; k < n_seq; k++)
            MUST(godwit_batch_join(w->batches[i], &w->sessions[i][k], &err));
    }
    for (uint32_t k = 0; k < n_seq; k++) w->sampling[k] = GODWIT_INIT(godwit_sample_params);
}

static void open_worlds(worlds *w, stories_run *r, uint32_t n_seq, uint32_t ctx, uint32_t seed) {
    open_guessing(w, r, n_seq, ctx, seed, 0);
}

static void destroy(worlds *w, int i, uint32_t k) {
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    if (w->sessions[i][k]) MUST(godwit_session_get_stats(w->sessions[i][k], &stats, &err));
    cr_assert(i == 1 || stats.n_drafted + stats.n_accepted == 0);
    w->n_drafted += stats.n_drafted;
    w->n_accepted += stats.n_accepted;
    w->n_decoded += i == 1 ? stats.n_decoded : 0;
    godwit_session_destroy(&w->sessions[i][k]);
}

static void close_worlds(worlds *w) {
    for (int i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < w->n; k++) destroy(w, i, k);
        const gw_pool *pool = &w->batches[i]->batch->pool;
        cr_expect_eq(pool->n_free, pool->n_pages, "pages are lost");
        godwit_batch_destroy(&w->batches[i]);
    }
}

static void same_session(const worlds *w, uint32_t k) {
    float logits[2][VOCAB];
    godwit_status status[2];
    int32_t ids[2][CTX];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        memset(logits[i], 0, sizeof logits[i]);
        status[i] = godwit_session_logits(w->sessions[i][k], logits[i], VOCAB, &err);
        n[i] = godwit_session_tokens(w->sessions[i][k], ids[i], CTX);
    }
    cr_assert(status[0] == status[1] && n[0] == n[1], "session %u: %d and %d, %zu and %zu tokens",
              k, status[0], status[1], n[0], n[1]);
    cr_assert(!memcmp(logits[0], logits[1], sizeof logits[0]), "session %u: other logits", k);
    cr_assert(!memcmp(ids[0], ids[1], n[0] * sizeof *ids[0]), "session %u: other tokens", k);
}

// One step of some of the sessions.
static godwit_status step(worlds *w, const uint32_t *which, uint32_t n, bool alone) {
    godwit_status status[2];
    int32_t tokens[2][MOST] = {{0}};
    for (int i = 0; i < 2; i++) {
        godwit_session *some[MOST];
        godwit_sample_params params[MOST];
        for (uint32_t k = 0; k < n; k++) some[k] = w->sessions[i][which[k]];
        for (uint32_t k = 0; k < n; k++) params[k] = w->sampling[which[k]];
        status[i] = alone ? godwit_session_step(some[0], params, tokens[i], &err)
                          : godwit_batch_step(w->batches[i], some, params, n, tokens[i], &err);
    }
    cr_assert_eq(status[0], status[1], "%d and %d: %s", status[0], status[1], err.message);
    cr_assert(!memcmp(tokens[0], tokens[1], sizeof tokens[0]), "other tokens");
    cr_assert(!is_ahead(w->batches[0]));
    w->n_ahead += is_ahead(w->batches[1]);
    return status[0];
}

static void feed(worlds *w, uint32_t k, bool queue) {
    int32_t ids[80];
    const uint32_t kind = draw(w, 3), n = kind == 0 ? 1 : kind == 1 ? 20 : 80;
    for (uint32_t i = 0; i < n; i++) ids[i] = (int32_t)(1 + draw(w, kind == 1 ? 1 : VOCAB - 1));
    godwit_status status[2];
    for (int i = 0; i < 2; i++)
        status[i] =
            (queue ? godwit_session_queue : godwit_session_feed)(w->sessions[i][k], ids, n, &err);
    cr_assert_eq(status[0], status[1], "%s", err.message);
}

static void sample(worlds *w, uint32_t k) {
    int32_t tokens[2] = {0};
    godwit_status status[2];
    for (int i = 0; i < 2; i++)
        status[i] = godwit_session_sample(w->sessions[i][k], &w->sampling[k], &tokens[i], &err);
    cr_assert(status[0] == status[1] && tokens[0] == tokens[1], "%d and %d", tokens[0], tokens[1]);
}

// As it is saved, and gone on with from there.
static void save(worlds *w, uint32_t k) {
    session_bytes saved[2] = {{0}};
    for (int i = 0; i < 2; i++)
        MUST(godwit_session_save(w->sessions[i][k], &w->sampling[k], false, session_bytes_write,
                                 &saved[i], &err));
    cr_assert(saved[0].n == saved[1].n && !memcmp(saved[0].data, saved[1].data, saved[0].n),
              "session %u: it is saved otherwise", k);
    for (int i = 0; i < 2; i++) {
        godwit_session_info info = GODWIT_INIT(godwit_session_info);
        destroy(w, i, k);
        MUST(godwit_batch_load(w->batches[i], session_bytes_read, &saved[i], &w->sessions[i][k],
                               &info, &err));
        free(saved[i].data);
    }
}

static void fork_to(worlds *w, uint32_t from, uint32_t to) {
    if (from == to) return;
    for (int i = 0; i < 2; i++) {
        destroy(w, i, to);
        MUST(godwit_session_fork(w->sessions[i][from], &w->sessions[i][to], &err));
    }
}

static void cancel(worlds *w, uint32_t k) {
    for (int i = 0; i < 2; i++) godwit_session_cancel(w->sessions[i][k]);
    const godwit_status status = step(w, &k, 1, true);
    cr_assert(status == GODWIT_CANCELLED || status == GODWIT_INVALID_ARGUMENT, "%d", status);
}

static void sampling_of(worlds *w, uint32_t k) {
    godwit_sample_params *p = &w->sampling[k];
    *p = GODWIT_INIT(godwit_sample_params);
    p->seed = draw(w, 100);
    if (draw(w, 2)) p->temp = 0.8f;
    if (draw(w, 2)) p->top_k = 30;
    if (!w->n_draft) return;
    if (draw(w, 4) == 0) p->repeat_penalty = 1.1f;
    if (draw(w, 4) == 0) p->n_logprobs = 3;
    if (draw(w, 4) == 0) p->mirostat = 2;
}

// What is neither a step nor told to come.
static void interrupt(worlds *w, uint32_t k) {
    const uint32_t n_past = godwit_session_n_past(w->sessions[0][k]), some = draw(w, 8);
    const uint32_t n_keep = some == 0 ? 0 : n_past > some ? n_past - some : n_past;
    switch (draw(w, 9)) {
    case 0:
        feed(w, k, false);
        break;
    case 1:
        feed(w, k, true);
        break;
    case 2:
        sample(w, k);
        break;
    case 3:
        save(w, k);
        break;
    case 4:
        fork_to(w, k, draw(w, w->n));
        break;
    case 5:
        cancel(w, k);
        break;
    case 6:
        sampling_of(w, k);
        break;
    default:
        for (int i = 0; i < 2; i++) MUST(godwit_session_truncate(w->sessions[i][k], n_keep, &err));
    }
}

// Rounds of steps of the same sessions, and what comes between them.
static void wander(worlds *w, uint32_t n_rounds) {
    for (uint32_t round = 0; round < n_rounds; round++) {
        uint32_t which[MOST], n = 0;
        for (uint32_t k = 0; k < w->n; k++)
            if (godwit_session_n_past(w->sessions[0][k]) == 0) feed(w, k, false);
        const uint32_t n_steps = draw(w, 3) ? draw(w, 8) : draw(w, LONGEST);
        while (n == 0)
            for (uint32_t k = 0; k < w->n; k++)
                if (w->n == 1 || draw(w, 3)) which[n++] = k;
        for (uint32_t s = 0; s < n_steps; s++) {
            if (step(w, which, n, n == 1 && round % 2) != GODWIT_OK) break;
            if (draw(w, 4) == 0) same_session(w, which[draw(w, n)]);
            if (n > 1 && draw(w, 20) == 0) n--; // one ends
        }
        interrupt(w, draw(w, w->n));
        for (uint32_t k = 0; k < w->n; k++) same_session(w, k);
        for (uint32_t k = 0; k < w->n; k++)
            if (godwit_session_n_past(w->sessions[0][k]) + LONGEST > CTX - 100)
                for (int i = 0; i < 2; i++)
                    MUST(godwit_session_truncate(w->sessions[i][k], 0, &err));
    }
}

// submit_ms: of the device's watchdog; 0: none. Under one a program is ready once it has been looked into.
static void check(uint32_t n_seq, uint32_t n_rounds, uint32_t submit_ms) {
    stories_run r;
    worlds w;
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    ((gw_caps *)gw_device_caps(r.device->backend.device))->submit_ms = submit_ms;
    open_worlds(&w, &r, n_seq, CTX, n_seq);
    wander(&w, n_rounds);
    if (submit_ms == 0 || submit_ms > 1000)
        cr_assert_gt(w.n_ahead, n_rounds / 4, "%u steps of %u rounds were ahead", w.n_ahead,
                     n_rounds);
    close_worlds(&w);
    stories_close(&r);
}

Test(ahead, a_session_alone_has_the_same_bits, .timeout = 240) {
    check(1, 60, 0);
}

Test(ahead, sessions_of_a_batch_have_the_same_bits, .timeout = 240) {
    check(2, 40, 0);
    check(MOST, 40, 0);
}

Test(ahead, under_a_watchdog, .timeout = 240) {
    check(1, 40, 600000);
    check(3, 40, 600000);
    check(2, 20, 4); // some programs are submitted in parts
}

// The page that the step on its way writes to becomes another session's, too.
Test(ahead, its_page_is_shared, .timeout = 240) {
    stories_run r;
    int32_t ids[CTX];
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    for (int way = 0; way < 2; way++) {
        worlds w;
        const uint32_t both[] = {0, 1};
        open_worlds(&w, &r, 2, CTX, 0);
        for (int i = 0; i < 2; i++) godwit_session_destroy(&w.sessions[i][1]);
        feed(&w, 0, false);
        for (int s = 0; s < 20; s++) MUST(step(&w, both, 1, true));
        cr_assert(is_ahead(w.batches[1]));
        for (int i = 0; i < 2; i++) {
            const size_t n = godwit_session_tokens(w.sessions[i][0], ids, CTX);
            if (way == 0) {
                MUST(godwit_session_fork(w.sessions[i][0], &w.sessions[i][1], &err));
                continue;
            }
            MUST(godwit_batch_join(w.batches[i], &w.sessions[i][1], &err));
            ids[n] = 7;
            MUST(godwit_session_queue(w.sessions[i][1], ids, n + 1, &err));
            cr_assert_eq(godwit_session_n_past(w.sessions[i][1]), n, "it takes no start over");
        }
        for (int s = 0; s < 20; s++) {
            MUST(step(&w, both, 1, true));
            same_session(&w, 0);
        }
        for (int s = 0; s < 20; s++) MUST(step(&w, both, 2, false));
        for (uint32_t k = 0; k < 2; k++) same_session(&w, k);
        close_worlds(&w);
    }
    stories_close(&r);
}

// To its end: the step behind the last one is not on its way, nor one that would need a page.
Test(ahead, a_context_is_filled, .timeout = 240) {
    stories_run r;
    worlds w;
    const uint32_t only = 0;
    int32_t id = 5;
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    open_worlds(&w, &r, 1, 300, 0);
    for (int i = 0; i < 2; i++) MUST(godwit_session_feed(w.sessions[i][0], &id, 1, &err));
    for (uint32_t n = 1; n < 300; n++) {
        MUST(step(&w, &only, 1, true));
        const bool ends = n + 2 > 300 || (n + 1) % GW_PAGE_ROWS == 0;
        cr_assert_eq(is_ahead(w.batches[1]), n > 1 && !ends, "after %u steps", n);
    }
    same_session(&w, 0);
    cr_assert_eq(step(&w, &only, 1, true), GODWIT_CONTEXT_FULL);
    same_session(&w, 0);
    close_worlds(&w);
    stories_close(&r);
}

// Where each step is followed by something else, the device is not made to work for nothing.
Test(ahead, it_is_left_where_it_does_not_pay, .timeout = 120) {
    stories_run r;
    worlds w;
    const uint32_t only = 0;
    int32_t id = 5;
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    open_worlds(&w, &r, 1, CTX, 0);
    for (uint32_t round = 0; round < 60; round++) {
        for (int i = 0; i < 2; i++) MUST(godwit_session_feed(w.sessions[i][0], &id, 1, &err));
        for (int s = 0; s < 4; s++) MUST(step(&w, &only, 1, true));
    }
    cr_assert(w.n_ahead > 0 && w.n_ahead < 8, "%u steps were ahead", w.n_ahead);
    close_worlds(&w);
    stories_close(&r);
}

// --- drafts --------------------------------------------------------------------------------------

// What the session of the other world will choose next, but for some.
static uint32_t foresee(void *user, gw_session *session, int32_t token, uint32_t most,
                        int32_t *out) {
    worlds *w = user;
    uint32_t k = 0;
    godwit_session *fork = NULL;
    while (w->sessions[1][k]->session != session) k++;
    (void)token; // it has that one
    MUST(godwit_session_fork(w->sessions[0][k], &fork, &err));
    const uint32_t n = 1 + draw(w, most), room = CTX - godwit_session_n_past(fork);
    for (uint32_t i = 0; i < n; i++) {
        if (i >= room) out[i] = 0;
        if (i < room) MUST(godwit_session_step(fork, &w->sampling[k], &out[i], &err));
        if (draw(w, 6) == 0) out[i] = (int32_t)draw(w, VOCAB);
    }
    godwit_session_destroy(&fork);
    return n;
}

static void check_drafts(uint32_t n_seq, uint32_t n_draft, uint32_t n_rounds) {
    stories_run r;
    worlds w;
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    open_guessing(&w, &r, n_seq, CTX, n_seq + n_draft, n_draft);
    w.batches[1]->batch->guess = foresee;
    w.batches[1]->batch->guess_user = &w;
    wander(&w, n_rounds);
    close_worlds(&w);
    cr_assert(w.n_accepted > w.n_decoded / 5 && w.n_drafted > w.n_accepted,
              "of %llu tokens %llu were guessed, %llu rightly", (unsigned long long)w.n_decoded,
              (unsigned long long)w.n_drafted, (unsigned long long)w.n_accepted);
    stories_close(&r);
}

Test(drafts, a_session_alone_has_the_same_bits, .timeout = 240) {
    check_drafts(1, 3, 60);
    check_drafts(1, GODWIT_DRAFT_MAX, 40);
}

Test(drafts, sessions_of_a_batch_have_the_same_bits, .timeout = 240) {
    check_drafts(2, 4, 40);
}

// What came behind the same tokens before; a run serves several tokens, and a context is filled.
Test(drafts, fewer_runs, .timeout = 240) {
    enum { N_TEXT = 90, CTX_SHORT = 300 };
    stories_run r;
    worlds w;
    const uint32_t only = 0;
    int32_t ids[CTX_SHORT];
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    const godwit_logit_bias bias = {.id = 300, .bias = 100.0f};
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    open_guessing(&w, &r, 1, CTX_SHORT, 0, 7);
    for (uint32_t i = 0; i < N_TEXT; i++) ids[i] = (int32_t)(1 + i);
    for (int i = 0; i < 2; i++) MUST(godwit_session_feed(w.sessions[i][0], ids, N_TEXT, &err));
    w.sampling[0].logit_bias = &bias;
    w.sampling[0].n_logit_bias = 1;
    for (uint32_t n = N_TEXT; n < CTX_SHORT; n++) {
        MUST(step(&w, &only, 1, true));
        if (n % 16 == 0) same_session(&w, 0);
    }
    same_session(&w, 0);
    cr_assert_eq(step(&w, &only, 1, true), GODWIT_CONTEXT_FULL);
    same_session(&w, 0);
    MUST(godwit_session_get_stats(w.sessions[1][0], &stats, &err));
    cr_assert_eq(stats.n_decoded, CTX_SHORT - N_TEXT);
    cr_assert(stats.n_accepted > (CTX_SHORT - N_TEXT) * 4 / 5 &&
                  stats.n_accepted == stats.n_drafted,
              "%llu of %llu were right", (unsigned long long)stats.n_accepted,
              (unsigned long long)stats.n_drafted);
    close_worlds(&w);
    // The longest that fits counts, of these the last.
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    static const int32_t text[] = {5, 6, 7, 8, 9, 6, 7, 10, 11, 1, 6, 7, 12, 13, 5, 6};
    int32_t out[4] = {0};
    params.n_ctx = 64;
    MUST(godwit_session_create(r.model, &params, &session, &err));
    MUST(godwit_session_feed(session, text, sizeof text / sizeof *text, &err));
    cr_assert_eq(gw_draft_look_up(NULL, session->session, 7, 3, out), 3);
    cr_assert(out[0] == 8 && out[1] == 9 && out[2] == 6, "%d %d %d", out[0], out[1], out[2]);
    MUST(godwit_session_truncate(session, 14, &err));
    MUST(godwit_session_feed(session, (int32_t[]){9, 6}, 2, &err));
    cr_assert_eq(gw_draft_look_up(NULL, session->session, 7, 2, out), 2);
    cr_assert(out[0] == 10 && out[1] == 11, "%d %d", out[0], out[1]);
    cr_assert_eq(gw_draft_look_up(NULL, session->session, 99, 3, out), 0);
    MUST(godwit_session_feed(session, (int32_t[]){20, 21, 20}, 3, &err));
    cr_assert_eq(gw_draft_look_up(NULL, session->session, 21, 4, out), 4); // goes on in itself
    cr_assert(out[0] == 20 && out[1] == 21 && out[2] == 20 && out[3] == 21);
    godwit_session_destroy(&session);
    stories_close(&r);
}

Test(drafts, what_is_refused, .timeout = 60) {
    stories_run r;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    stories_open(&r, NULL, NULL, GODWIT_Q8_0, NULL);
    params.n_draft = GODWIT_DRAFT_MAX + 1;
    cr_assert_eq(godwit_session_create(r.model, &params, &session, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "n_draft 16"), "%s", err.message);
    params.n_draft = 1;
    params.numerics = GODWIT_FAST;
    cr_assert_eq(godwit_session_create(r.model, &params, &session, &err), GODWIT_INVALID_ARGUMENT);
    stories_close(&r);
}
