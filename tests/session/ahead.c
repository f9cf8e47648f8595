// Ahead: steps that are submitted before the one before them has ended give what steps one at a time
// give, whatever comes between them.
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

// The same calls on two batches, of which one looks ahead.
typedef struct worlds {
    godwit_batch *batches[2];
    godwit_session *sessions[2][MOST];
    godwit_sample_params sampling[MOST];
    uint32_t n, n_draws;
    uint32_t n_ahead; // steps after which the next one was on its way
} worlds;

static uint32_t draw(worlds *w, uint32_t n) {
    return gw_philox(12, 34, w->n_draws++) % n;
}

static bool is_ahead(const godwit_batch *batch) {
    return batch->batch->ahead.step.program != NULL;
}

static void open_worlds(worlds *w, stories_run *r, uint32_t n_seq, uint32_t ctx, uint32_t seed) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    *w = (worlds){.n = n_seq, .n_draws = seed << 20};
    params.n_ctx = ctx;
    params.n_seq = n_seq;
    params.n_batch = 64;
    for (int i = 0; i < 2; i++) {
        r->device->backend.tune.looks_ahead = i == 1;
        MUST(godwit_batch_create(r->model, &params, &w->batches[i], &err));
        cr_assert_eq(w->batches[i]->batch->pool.n_turns, (uint32_t)i + 1);
        for (uint32_t k = 0; k < n_seq; k++)
            MUST(godwit_batch_join(w->batches[i], &w->sessions[i][k], &err));
    }
    for (uint32_t k = 0; k < n_seq; k++) w->sampling[k] = GODWIT_INIT(godwit_sample_params);
}

static void close_worlds(worlds *w) {
    for (int i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < w->n; k++) godwit_session_destroy(&w->sessions[i][k]);
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
        godwit_session_destroy(&w->sessions[i][k]);
        MUST(godwit_batch_load(w->batches[i], session_bytes_read, &saved[i], &w->sessions[i][k],
                               &info, &err));
        free(saved[i].data);
    }
}

static void fork_to(worlds *w, uint32_t from, uint32_t to) {
    if (from == to) return;
    for (int i = 0; i < 2; i++) {
        godwit_session_destroy(&w->sessions[i][to]);
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
