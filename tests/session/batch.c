// Batches: sessions that are worked on together give, token by token, the bits that each gives alone,
// whoever joins, leaves, forks or shares a start; and what happens where there is no room.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { VOCAB = 512, CTX = 700, MOST = 64, STEPS = 8, PAGE = 256 };

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

// A sequence: a prompt, and how its tokens are chosen.
typedef struct plan {
    int32_t prompt[CTX];
    uint32_t n_prompt, n_steps;
    godwit_sample_params sampling;
} plan;

// What it gave: tokens, and a hash of the logits that each was chosen from.
typedef struct outcome {
    int32_t ids[STEPS];
    uint64_t logits[STEPS];
} outcome;

static plan plans[MOST + 8];
static outcome alone[MOST + 8];

// Lengths on both sides of a page's end, of buckets, and of one token.
static void draw_plans(uint32_t n) {
    static const uint32_t lengths[] = {1, 5, 300, 17, 255, 256, 2, 64, 257, 33, 511, 7, 513, 90};
    for (uint32_t i = 0; i < n; i++) {
        plan *p = &plans[i];
        *p = (plan){.n_prompt = lengths[i % 14], .n_steps = 1 + (i * 5 + 3) % STEPS};
        for (uint32_t k = 0; k < p->n_prompt; k++)
            p->prompt[k] = (int32_t)(1 + gw_philox(i, 7, k) % (VOCAB - 1));
        p->sampling = GODWIT_INIT(godwit_sample_params);
        p->sampling.seed = i;
        if (i % 2) p->sampling.temp = 0.5f + 0.1f * (float)(i % 5);
        if (i % 4 == 1) p->sampling.top_k = 40;
    }
}

static uint64_t logits_of(godwit_session *session) {
    float logits[VOCAB];
    MUST(godwit_session_logits(session, logits, VOCAB, &err));
    return XXH64(logits, sizeof logits, 0);
}

static void go_alone(godwit_model *model, const godwit_session_params *params, uint32_t n) {
    godwit_session *session = NULL;
    MUST(godwit_session_create(model, params, &session, &err));
    for (uint32_t i = 0; i < n; i++) {
        MUST(godwit_session_truncate(session, 0, &err));
        MUST(godwit_session_feed(session, plans[i].prompt, plans[i].n_prompt, &err));
        for (uint32_t s = 0; s < plans[i].n_steps; s++) {
            alone[i].logits[s] = logits_of(session);
            MUST(godwit_session_step(session, &plans[i].sampling, &alone[i].ids[s], &err));
        }
    }
    godwit_session_destroy(&session);
}

// The sessions at work: of each, its plan and how many tokens it has.
typedef struct crowd {
    godwit_batch *batch;
    godwit_session *sessions[MOST];
    godwit_sample_params sampling[MOST];
    uint32_t which[MOST], done[MOST], n;
    bool queues; // prompts are left to the steps
} crowd;

static void join(crowd *c, uint32_t which) {
    godwit_session *session = NULL;
    MUST(godwit_batch_join(c->batch, &session, &err));
    MUST((c->queues ? godwit_session_queue : godwit_session_feed)(session, plans[which].prompt,
                                                                  plans[which].n_prompt, &err));
    c->sessions[c->n] = session;
    c->sampling[c->n] = plans[which].sampling;
    c->which[c->n] = which;
    c->done[c->n++] = 0;
}

static void leave(crowd *c, uint32_t i) {
    godwit_session_destroy(&c->sessions[i]);
    c->n--;
    c->sessions[i] = c->sessions[c->n];
    c->sampling[i] = c->sampling[c->n];
    c->which[i] = c->which[c->n];
    c->done[i] = c->done[c->n];
}

static void step_all(crowd *c, const char *what) {
    int32_t tokens[MOST];
    bool ready[MOST];
    for (uint32_t i = 0; i < c->n; i++) {
        const plan *p = &plans[c->which[i]];
        ready[i] = godwit_session_n_past(c->sessions[i]) >= p->n_prompt;
        if (!ready[i]) continue;
        cr_assert(logits_of(c->sessions[i]) == alone[c->which[i]].logits[c->done[i]],
                  "%s: %u at once: sequence %u, token %u: other logits than alone", what, c->n,
                  c->which[i], c->done[i]);
    }
    MUST(godwit_batch_step(c->batch, c->sessions, c->sampling, c->n, tokens, &err));
    for (uint32_t i = 0; i < c->n; i++) {
        if (!ready[i]) cr_assert_eq(tokens[i], GODWIT_TOKEN_PENDING);
        if (!ready[i]) continue;
        int32_t want = alone[c->which[i]].ids[c->done[i]++];
        cr_assert_eq(tokens[i], want, "%s: sequence %u: token %d, %d alone", what, c->which[i],
                     tokens[i], want);
    }
    for (uint32_t i = c->n; i-- > 0;)
        if (c->done[i] == plans[c->which[i]].n_steps) leave(c, i);
}

// n sequences, at most n_seq at once, that come when it suits chance.
static void check_crowd(godwit_model *model, godwit_session_params params, uint32_t n,
                        uint32_t n_seq, bool queues, const char *what) {
    crowd c = {.queues = queues};
    draw_plans(n);
    go_alone(model, &params, n);
    params.n_seq = n_seq;
    MUST(godwit_batch_create(model, &params, &c.batch, &err));
    for (uint32_t next = 0, round = 0; next < n || c.n; round++) {
        while (next < n && c.n < n_seq && (c.n == 0 || gw_philox(3, n_seq, round + next) % 3))
            join(&c, next++);
        if (round > 10000) cr_assert_fail("%s: prompts are not worked on", what);
        step_all(&c, what);
    }
    godwit_batch_stats stats = GODWIT_INIT(godwit_batch_stats);
    MUST(godwit_batch_get_stats(c.batch, &stats, &err));
    cr_assert(stats.n_sessions == 0 && stats.n_free_pages == stats.n_pages, "pages are lost");
    godwit_batch_destroy(&c.batch);
}

static const struct mixture {
    uint32_t weights;
    godwit_kv k, v;
    const char *name;
} mixtures[] = {
    {GODWIT_F32, GODWIT_KV_F32, GODWIT_KV_F32, "F32, f32"},
    {GODWIT_Q8_0, GODWIT_KV_F16, GODWIT_KV_F16, "Q8_0, f16"},
    {GODWIT_Q4_0, GODWIT_KV_Q8_0, GODWIT_KV_Q8_0, "Q4_0, q8_0"},
    {GODWIT_F16, GODWIT_KV_F16, GODWIT_KV_Q8_0, "F16, f16,q8_0"},
};

// n_batch: 0: prompts are fed as they come; else left to steps of as many tokens.
static void check_mixture(const char *device, const struct mixture *m, uint32_t n, uint32_t n_seq,
                          uint32_t n_batch) {
    stories_run r;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = CTX;
    params.kv_k = m->k;
    params.kv_v = m->v;
    params.n_batch = n_batch;
    stories_open(&r, device, NULL, m->weights, &params);
    godwit_session_destroy(&r.session);
    check_crowd(r.model, params, n, n_seq, n_batch > 0, m->name);
    stories_close(&r);
}

Test(batch, sequences_are_what_they_are_alone) {
    static const uint32_t at_once[] = {1, 2, 3, 5, 8, 17};
    for (uint32_t i = 0; i < 6; i++)
        check_mixture(NULL, &mixtures[i % 4], 2 * at_once[i] + 3, at_once[i], 0);
}

// Prompts of several share runs with each other and with those that decode, in pieces of any length.
Test(batch, prompts_in_one_run_are_what_they_are_alone) {
    static const uint32_t at_once[] = {2, 3, 5, 11}, n_batch[] = {64, 7, 512, 48};
    for (uint32_t i = 0; i < 4; i++)
        check_mixture(NULL, &mixtures[i], at_once[i] + 2, at_once[i], n_batch[i]);
}

Test(batch, prompts_in_one_run_are_what_they_are_alone_on_the_cpu) {
    for (uint32_t i = 0; i < 4; i++)
        check_mixture("cpu", &mixtures[i], 9, 4 + i, (uint32_t[]){100, 64, 13, 512}[i]);
}

Test(batch, sequences_are_what_they_are_alone_on_the_cpu) {
    for (uint32_t i = 0; i < 4; i++) check_mixture("cpu", &mixtures[i], 7, 2 + i, 0);
}

Test(batch, of_many_sequences) {
    check_mixture(NULL, &mixtures[1], MOST + 8, MOST, 0);
}

// --- forks and starts in common ------------------------------------------------------------------

static void open_batch(stories_run *r, const char *device, uint32_t n_seq, uint32_t kv_tokens,
                       godwit_session_params *params, godwit_batch **out) {
    *params = GODWIT_INIT(godwit_session_params);
    params->n_ctx = CTX;
    stories_open(r, device, NULL, GODWIT_Q8_0, params);
    godwit_session_destroy(&r->session);
    params->n_seq = n_seq;
    params->kv_tokens = kv_tokens;
    MUST(godwit_batch_create(r->model, params, out, &err));
}

static uint32_t pages_in_use(const godwit_batch *batch) {
    godwit_batch_stats stats = GODWIT_INIT(godwit_batch_stats);
    MUST(godwit_batch_get_stats(batch, &stats, &err));
    return stats.n_pages - stats.n_free_pages;
}

// Forks at n tokens, which go on otherwise than their origin; both as alone.
static void check_fork(stories_run *r, godwit_batch *batch, const godwit_session_params *params,
                       uint32_t n) {
    godwit_session *one = NULL, *two = NULL, *plain = NULL;
    godwit_sample_params draw[2] = {GODWIT_INIT(godwit_sample_params),
                                    GODWIT_INIT(godwit_sample_params)};
    draw[0].temp = draw[1].temp = 1.0f;
    draw[1].seed = 99;
    draw_plans(1);
    for (uint32_t k = 0; k < n; k++) plans[0].prompt[k] = (int32_t)(1 + k * 7 % (VOCAB - 1));
    MUST(godwit_batch_join(batch, &one, &err));
    MUST(godwit_session_feed(one, plans[0].prompt, n, &err));
    uint32_t pages = pages_in_use(batch);
    MUST(godwit_session_fork(one, &two, &err));
    cr_assert_eq(pages_in_use(batch), pages, "a fork takes no pages");
    godwit_session *both[2] = {one, two};
    int32_t tokens[2][6];
    for (int s = 0; s < 6; s++) {
        int32_t out[2];
        MUST(godwit_batch_step(batch, both, draw, 2, out, &err));
        tokens[0][s] = out[0];
        tokens[1][s] = out[1];
    }
    cr_assert(memcmp(tokens[0], tokens[1], sizeof tokens[0]) != 0, "the two go on alike");
    // One of them copies a page that is not full, and each takes a new one behind it.
    bool more = n + 6 > (n + PAGE - 1) / PAGE * PAGE;
    cr_assert_eq(pages_in_use(batch), pages + (n % PAGE != 0) + 2 * more);
    for (int i = 0; i < 2; i++) {
        MUST(godwit_session_create(r->model, params, &plain, &err));
        MUST(godwit_session_feed(plain, plans[0].prompt, n, &err));
        for (int s = 0; s < 6; s++) {
            int32_t token;
            MUST(godwit_session_step(plain, &draw[i], &token, &err));
            cr_assert_eq(token, tokens[i][s], "fork at %u, session %d, token %d", n, i, s);
        }
        cr_assert(logits_of(plain) == logits_of(both[i]), "fork at %u, session %d", n, i);
        godwit_session_destroy(&plain);
    }
    godwit_session_destroy(&one);
    godwit_session_destroy(&two);
    cr_assert_eq(pages_in_use(batch), 0);
}

Test(batch, a_fork_goes_on_by_itself) {
    static const uint32_t lengths[] = {1, 200, 253, 255, 256, 257, 300, 512};
    for (int i = 0; i < 2; i++) {
        stories_run r;
        godwit_session_params params;
        godwit_batch *batch = NULL;
        open_batch(&r, i ? "cpu" : NULL, 3, 0, &params, &batch);
        for (int k = 0; k < 8; k++) check_fork(&r, batch, &params, lengths[k]);
        godwit_batch_destroy(&batch);
        stories_close(&r);
    }
}

// Steps of those that are at their prompts, until none is.
static void step_prompts(godwit_batch *batch, godwit_session *const *sessions, uint32_t n) {
    godwit_session *left[MOST];
    int32_t tokens[MOST];
    for (uint32_t n_left = 1, round = 0; n_left; round++) {
        n_left = 0;
        for (uint32_t i = 0; i < n; i++)
            if (godwit_session_n_past(sessions[i]) < plans[i].n_prompt)
                left[n_left++] = sessions[i];
        cr_assert_lt(round, 1000, "prompts are not worked on");
        MUST(godwit_batch_step(batch, left, NULL, n_left, tokens, &err));
        for (uint32_t i = 0; i < n_left; i++) cr_assert_eq(tokens[i], GODWIT_TOKEN_PENDING);
    }
}

// Prompts that begin alike: the start is worked on, and lies in memory, once.
static void check_start(bool queues) {
    enum { N = 8, START = 400, REST = 9 };
    stories_run r;
    godwit_session_params params;
    godwit_batch *batch = NULL;
    godwit_session *sessions[N];
    open_batch(&r, NULL, N, 0, &params, &batch);
    draw_plans(N);
    for (int i = 0; i < N; i++) {
        plan *p = &plans[i];
        p->n_prompt = START + REST;
        p->n_steps = 2;
        for (uint32_t k = 0; k < p->n_prompt; k++)
            p->prompt[k] =
                (int32_t)(1 + gw_philox(k < START ? 0 : (uint32_t)i, 9, k) % (VOCAB - 1));
    }
    params.n_seq = 0;
    go_alone(r.model, &params, N);
    for (int i = 0; i < N; i++) {
        MUST(godwit_batch_join(batch, &sessions[i], &err));
        MUST((queues ? godwit_session_queue : godwit_session_feed)(sessions[i], plans[i].prompt,
                                                                   START + REST, &err));
    }
    if (queues) step_prompts(batch, sessions, N); // who is queued later waits for the first one
    for (int i = 0; i < N; i++) {
        godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
        MUST(godwit_session_get_stats(sessions[i], &stats, &err));
        cr_assert(i == 0 ? stats.n_shared == 0 : stats.n_shared >= START, "%llu are shared",
                  (unsigned long long)stats.n_shared);
        cr_assert_eq(stats.n_prompt + stats.n_shared, START + REST);
        cr_assert(logits_of(sessions[i]) == alone[i].logits[0], "prompt %d", i);
    }
    // The first page is everybody's; the second was copied where prompts part.
    cr_assert_eq(pages_in_use(batch), 1 + N);
    for (int i = N - 1; i >= 0; i--) godwit_session_destroy(&sessions[i]);
    cr_assert_eq(pages_in_use(batch), 0);
    godwit_batch_destroy(&batch);
    stories_close(&r);
}

Test(batch, a_start_in_common_is_worked_on_once) {
    check_start(false);
}
Test(batch, a_start_in_common_of_queued_prompts_is_worked_on_once) {
    check_start(true);
}

// --- queues --------------------------------------------------------------------------------------

// What each call does where tokens are queued: works them off first, or drops them.
Test(batch, a_queue_is_worked_off_or_dropped) {
    stories_run r;
    godwit_session_params params;
    godwit_batch *batch = NULL;
    godwit_session *s = NULL, *fork = NULL;
    int32_t token = 0;
    float rows[3][VOCAB];
    open_batch(&r, NULL, 2, 0, &params, &batch);
    draw_plans(3);
    const int32_t *prompt = plans[2].prompt;
    params.n_seq = 0;
    go_alone(r.model, &params, 3); // of plan 2: 300 tokens
    MUST(godwit_batch_join(batch, &s, &err));
    for (int way = 0; way < 5; way++) {
        MUST(godwit_session_truncate(s, 0, &err));
        MUST(godwit_session_queue(s, prompt, 200, &err));
        MUST(godwit_session_queue(s, prompt + 200, way == 1 ? 97 : way < 3 ? 99 : 100, &err));
        cr_assert_eq(godwit_session_n_past(s), 0);
        if (way == 0) MUST(godwit_session_feed(s, prompt + 299, 1, &err));
        if (way == 1) MUST(godwit_session_feed_rows(s, prompt + 297, 3, 3, &err));
        if (way == 1) MUST(godwit_session_logits_row(s, 2, rows[2], VOCAB, &err));
        if (way == 2) {
            MUST(godwit_batch_step(batch, &s, NULL, 1, &token, &err));
            cr_assert(token == GODWIT_TOKEN_PENDING && godwit_session_n_past(s) < 300);
            MUST(godwit_session_queue(s, prompt + 299, 1, &err));
        }
        cr_assert(logits_of(s) == alone[2].logits[0], "way %d: other logits than alone", way);
        if (way == 3) MUST(godwit_session_step(s, &plans[2].sampling, &token, &err));
        if (way == 4) MUST(godwit_session_sample(s, &plans[2].sampling, &token, &err));
        if (way >= 3) cr_assert_eq(token, alone[2].ids[0]);
    }
    // A fork is what has been worked on.
    MUST(godwit_session_truncate(s, 100, &err));
    MUST(godwit_session_queue(s, prompt + 100, 200, &err));
    MUST(godwit_session_fork(s, &fork, &err));
    cr_assert_eq(godwit_session_n_past(fork), 100);
    MUST(godwit_session_feed(fork, prompt + 100, 200, &err));
    cr_assert(logits_of(fork) == alone[2].logits[0] && logits_of(s) == logits_of(fork));
    // Dropped.
    for (int way = 0; way < 2; way++) {
        MUST(godwit_session_truncate(s, 100, &err));
        MUST(godwit_session_queue(s, prompt, 50, &err));
        if (way) godwit_session_cancel(s);
        if (way)
            cr_assert_eq(godwit_batch_step(batch, &s, NULL, 1, &token, &err), GODWIT_CANCELLED);
        if (!way) MUST(godwit_session_truncate(s, 100, &err));
        cr_assert_eq(godwit_batch_step(batch, &s, NULL, 1, &token, &err), GODWIT_INVALID_ARGUMENT);
        MUST(godwit_session_feed(s, prompt + 100, 200, &err));
        cr_assert(logits_of(s) == alone[2].logits[0]);
    }
    // What is not queued at all.
    const int32_t wrong = VOCAB;
    cr_assert_eq(godwit_session_queue(s, &wrong, 1, &err), GODWIT_INVALID_ARGUMENT);
    MUST(godwit_session_queue(s, prompt, CTX - 300, &err));
    cr_assert_eq(godwit_session_queue(s, prompt, 1, &err), GODWIT_CONTEXT_FULL);
    cr_assert_not_null(strstr(err.message, "context of 700"), "%s", err.message);
    godwit_session_destroy(&s);
    godwit_session_destroy(&fork);
    cr_assert_eq(pages_in_use(batch), 0);
    godwit_batch_destroy(&batch);
    stories_close(&r);
}

// --- where there is no room ----------------------------------------------------------------------

Test(batch, that_is_full_says_so_and_goes_on) {
    stories_run r;
    godwit_session_params params;
    godwit_batch *batch = NULL;
    godwit_session *a = NULL, *b = NULL, *c = NULL;
    open_batch(&r, NULL, 2, 3 * PAGE, &params, &batch);
    draw_plans(3);
    MUST(godwit_batch_join(batch, &a, &err));
    MUST(godwit_batch_join(batch, &b, &err));
    cr_assert_eq(godwit_batch_join(batch, &c, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(err.message, "2 sessions"), "%s", err.message);
    MUST(godwit_session_feed(a, plans[2].prompt, 300, &err)); // two pages
    uint64_t before = logits_of(a);
    cr_assert_eq(godwit_session_feed(b, plans[10 % 3].prompt, 1, &err), GODWIT_OK);
    MUST(godwit_session_truncate(b, 0, &err));
    for (int k = 0; k < 300; k++) plans[0].prompt[k] = 3;
    cr_assert_eq(godwit_session_feed(b, plans[0].prompt, 300, &err), GODWIT_CONTEXT_FULL);
    cr_assert_not_null(strstr(err.message, "kv_tokens"), "%s", err.message);
    cr_assert(logits_of(a) == before, "the other one is as it was");
    godwit_session_destroy(&a);
    MUST(godwit_session_truncate(b, 0, &err));
    MUST(godwit_session_feed(b, plans[0].prompt, 300, &err));
    godwit_session_destroy(&b);
    godwit_batch_destroy(&batch);
    stories_close(&r);
}

Test(batch, refuses_what_is_not_its_own) {
    stories_run r;
    godwit_session_params params;
    godwit_batch *batch = NULL;
    godwit_session *a = NULL, *other = NULL;
    int32_t tokens[2] = {-7, -7}, bos = 1;
    open_batch(&r, "cpu", 2, 0, &params, &batch);
    MUST(godwit_batch_join(batch, &a, &err));
    MUST(godwit_session_create(r.model, &params, &other, &err));
    MUST(godwit_session_feed(a, &bos, 1, &err));
    MUST(godwit_session_feed(other, &bos, 1, &err));
    godwit_session *twice[2] = {a, a}, *strange[2] = {a, other};
    cr_assert_eq(godwit_batch_step(batch, twice, NULL, 2, tokens, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(err.message, "twice"), "%s", err.message);
    cr_assert_eq(godwit_batch_step(batch, strange, NULL, 2, tokens, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(err.message, "another batch"), "%s", err.message);
    cr_assert_eq(godwit_session_n_past(a), 1);
    // Children hold their parents.
    godwit_batch_destroy(&batch);
    MUST(godwit_session_step(a, NULL, tokens, &err));
    godwit_session_destroy(&a);
    godwit_session_destroy(&other);
    stories_close(&r);
}
