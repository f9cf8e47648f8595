// Checkpoints of recurrent states: sequences that are fed, queued, chosen, shortened, forked and joined
// at random have the bits of a sequence that was only fed, with checkpoints few or many or without; how
// many tokens going back costs; what prompts that begin alike share; and what is where something fails.
#include "api/handles.h"
#include "families/golden.h"
#include "session/internal.h"
#include "support/failing.h"
#include "support/session_bytes.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <unistd.h>

enum { N_IDS = 104, N_VOCAB = 131, EVERY = 8, N_SEQ = 3 };

// A convolution alone; delta nets; scans alone; both beside attention.
static const char *const names[] = {"lfm2", "qwen35", "mamba2", "falcon-h1", "nemotron_h"};
enum { N_NAMES = sizeof names / sizeof *names };
static const int indices[N_NAMES] = {0, 1, 2, 3, 4};

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

static failing memory;

// Of one family: the model on "cpu", which tells what is right, and on the device of the test.
typedef struct opened {
    godwit_context *context;
    godwit_device *devices[2];
    godwit_model *models[2];
    godwit_session *oracle;
    int32_t ids[N_IDS];
} opened;

static void open_it(opened *o, const char *name, const char *which) {
    char path[] = "/tmp/godwit-checkpoints-XXXXXX", ids[512];
    const godwit_allocator allocator = {.user = &memory, .realloc = failing_realloc};
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    godwit_session_params plain = GODWIT_INIT(godwit_session_params);
    godwit_file *file = NULL;
    golden_write(name, path);
    golden_path(name, ".ids.txt", ids, sizeof ids);
    FILE *text = fopen(ids, "rb");
    cr_assert_not_null(text, "%s is missing", ids);
    for (int i = 0; i < N_IDS; i++) cr_assert_eq(fscanf(text, "%d", &o->ids[i]), 1);
    fclose(text);
    params.allocator = &allocator;
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    OK(godwit_context_create(&params, &o->context, &err));
    if (!which && godwit_context_n_devices(o->context) < 2) cr_skip_test("no Vulkan device");
    OK(godwit_file_open(o->context, path, &file, &err));
    for (int i = 0; i < 2; i++) {
        const char *device = i == 0 ? "cpu" : which ? which : "0";
        OK(godwit_device_open(o->context, device, NULL, &o->devices[i], &err));
        OK(godwit_model_open(o->devices[i], file, NULL, &o->models[i], &err));
    }
    godwit_file_close(&file);
    unlink(path);
    plain.n_ctx = N_IDS;
    OK(godwit_session_create(o->models[0], &plain, &o->oracle, &err));
}

static void close_it(opened *o) {
    cr_expect(godwit_context_validation_count(o->context) == 0, "validation complained");
    godwit_session_destroy(&o->oracle);
    for (int i = 0; i < 2; i++) {
        godwit_model_close(&o->models[i]);
        godwit_device_close(&o->devices[i]);
    }
    godwit_context_destroy(&o->context);
}

// The session's logits are those of its tokens, fed at once to one that has nothing else.
static void check_logits(const opened *o, godwit_session *session, const char *what) {
    float got[N_VOCAB], want[N_VOCAB];
    int32_t ids[N_IDS];
    OK(godwit_session_logits(session, got, N_VOCAB, &err));
    const size_t n = godwit_session_tokens(session, ids, N_IDS);
    OK(godwit_session_truncate(o->oracle, 0, &err));
    OK(godwit_session_feed(o->oracle, ids, n, &err));
    OK(godwit_session_logits(o->oracle, want, N_VOCAB, &err));
    cr_assert(!memcmp(got, want, sizeof got), "%s: other logits after %zu tokens", what, n);
}

static godwit_session_params params_of(uint32_t every, uint32_t n_checkpoints) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = N_IDS;
    params.n_batch = 16;
    params.checkpoint_every = every;
    params.n_checkpoints = n_checkpoints;
    return params;
}

static godwit_session *begin(const opened *o, uint32_t every, uint32_t n_checkpoints) {
    const godwit_session_params params = params_of(every, n_checkpoints);
    godwit_session *session = NULL;
    OK(godwit_session_create(o->models[1], &params, &session, &err));
    return session;
}

static godwit_session_stats stats_of(const godwit_session *session) {
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    OK(godwit_session_get_stats(session, &stats, &err));
    return stats;
}

// --- at random -----------------------------------------------------------------------------------

typedef struct walk {
    const opened *o;
    godwit_batch *batch;
    godwit_session *sessions[N_SEQ];
    uint32_t n_checkpoints, seed, n_drawn;
    uint64_t n_drafted, n_accepted; // of sessions that have ended
} walk;

static uint32_t draw(walk *w, uint32_t below) {
    return gw_philox(w->seed, 11, w->n_drawn++) % below;
}

// Some of the golden's tokens, so that sequences begin alike, or others.
static uint32_t draw_ids(walk *w, const godwit_session *s, int32_t *out) {
    const uint32_t at = godwit_session_n_past(s), n = 1 + draw(w, 20);
    const bool golden = draw(w, 3) != 0;
    for (uint32_t i = 0; i < n; i++)
        out[i] = golden && at + i < N_IDS ? w->o->ids[at + i] : (int32_t)draw(w, N_VOCAB);
    return at + n + 2 < N_IDS ? n : 0;
}

static void append(walk *w, godwit_session *s) {
    int32_t ids[32], token = 0;
    const uint32_t way = draw(w, 4), n = draw_ids(w, s, ids), n_past = godwit_session_n_past(s);
    if (!n) return;
    if (way == 0) {
        OK(godwit_session_queue(s, ids, n, &err));
        for (token = GODWIT_TOKEN_PENDING; godwit_session_n_past(s) < n_past + n;)
            OK(godwit_batch_step(w->batch, &s, NULL, 1, &token, &err));
    } else if (way == 1) {
        float row[N_VOCAB];
        OK(godwit_session_feed_rows(s, ids, n, 1 + n / 2, &err));
        OK(godwit_session_logits_row(s, n / 2, row, N_VOCAB, &err));
    } else {
        OK(godwit_session_feed(s, ids, n, &err));
    }
    if (draw(w, 2)) OK(godwit_session_step(s, NULL, &token, &err));
    check_logits(w->o, s, "appended");
    // With guesses in some of them: what was right and what was not.
    for (uint32_t k = w->batch->batch->n_draft ? draw(w, 12) : 0; k > 0; k--) {
        if (godwit_session_n_past(s) + 2 > N_IDS) return;
        OK(godwit_session_step(s, NULL, &token, &err));
        if (draw(w, 2)) check_logits(w->o, s, "guessed");
    }
}

static void shorten(walk *w, godwit_session *s) {
    int32_t ids[N_IDS], left[N_IDS];
    const size_t n = godwit_session_tokens(s, ids, N_IDS);
    const uint32_t n_keep = draw(w, (uint32_t)n + 1);
    if (n_keep < n && draw(w, 4) == 0) { // stopped on the way
        godwit_session_cancel(s);
        const godwit_status status = godwit_session_truncate(s, n_keep, &err);
        cr_assert(status == GODWIT_OK || status == GODWIT_CANCELLED, "%s", err.message);
        if (status == GODWIT_OK)
            cr_assert_eq(godwit_session_feed(s, ids, 1, &err), GODWIT_CANCELLED);
    } else {
        OK(godwit_session_truncate(s, n_keep, &err));
    }
    cr_assert_eq(godwit_session_n_past(s), n_keep);
    cr_assert_eq(godwit_session_tokens(s, left, N_IDS), n_keep);
    cr_assert(!memcmp(ids, left, n_keep * sizeof *ids), "other tokens");
}

static void end(walk *w, uint32_t i) {
    const godwit_session_stats stats = stats_of(w->sessions[i]);
    w->n_drafted += stats.n_drafted;
    w->n_accepted += stats.n_accepted;
    godwit_session_destroy(&w->sessions[i]);
}

static void fork_or_end(walk *w, uint32_t i) {
    const uint32_t k = draw(w, N_SEQ);
    if (k != i) end(w, k);
    if (k != i && draw(w, 2))
        OK(godwit_session_fork(w->sessions[i], &w->sessions[k], &err));
    else if (k != i)
        OK(godwit_batch_join(w->batch, &w->sessions[k], &err));
}

// No more of them than were asked for, and no block that nobody has.
static void check_bounds(const walk *w) {
    godwit_batch_stats stats = GODWIT_INIT(godwit_batch_stats);
    const gw_pool *pool = &w->batch->batch->pool;
    OK(godwit_batch_get_stats(w->batch, &stats, &err));
    cr_assert_leq(stats.n_checkpoints, w->n_checkpoints);
    cr_assert_eq(stats.checkpoint_bytes, w->n_checkpoints * pool->block_bytes);
    uint32_t n_kept = 0, n_referenced = 0, n_had = 0;
    for (uint32_t i = 0; i < pool->n_blocks; i++) {
        n_kept += pool->block_checkpoints[i] != 0;
        n_referenced += pool->block_references[i];
    }
    for (int i = 0; i < N_SEQ; i++) {
        const gw_session *s = w->sessions[i] ? w->sessions[i]->session : NULL;
        if (s)
            n_had += (uint32_t)s->checkpoints.n + (s->block >= 0) + (s->next_block >= 0) +
                     (s->drafts.block >= 0);
    }
    cr_assert_eq(n_kept, pool->n_kept);
    cr_assert_eq(n_referenced, n_had);
}

// What the oracle will choose next, but for some.
static uint32_t foresee(void *user, gw_session *s, int32_t token, uint32_t most, int32_t *out) {
    walk *w = user;
    godwit_session *oracle = w->o->oracle;
    const uint32_t n = 1 + draw(w, most);
    OK(godwit_session_truncate(oracle, 0, &err));
    OK(godwit_session_feed(oracle, s->ids.items, s->n_past, &err));
    OK(godwit_session_feed(oracle, &token, 1, &err));
    for (uint32_t i = 0; i < n; i++) {
        OK(godwit_session_step(oracle, NULL, &out[i], &err));
        if (draw(w, 6) == 0) out[i] = (int32_t)draw(w, N_VOCAB);
    }
    return n;
}

static void go(const opened *o, uint32_t n_checkpoints, uint32_t n_rounds, uint32_t seed,
               uint32_t n_draft) {
    walk w = {.o = o, .n_checkpoints = n_checkpoints, .seed = seed};
    godwit_session_params params = params_of(n_checkpoints ? EVERY : 0, n_checkpoints);
    params.n_seq = N_SEQ;
    params.n_draft = n_draft;
    OK(godwit_batch_create(o->models[1], &params, &w.batch, &err));
    w.batch->batch->guess = foresee;
    w.batch->batch->guess_user = &w;
    for (int i = 0; i < N_SEQ; i++) OK(godwit_batch_join(w.batch, &w.sessions[i], &err));
    for (uint32_t r = 0; r < n_rounds; r++) {
        const uint32_t i = draw(&w, N_SEQ), what = draw(&w, 8);
        if (what < 4) append(&w, w.sessions[i]);
        if (what == 4 || what == 5) shorten(&w, w.sessions[i]);
        if (what == 6) fork_or_end(&w, i);
        if (what == 7 && godwit_session_n_past(w.sessions[i]) > N_IDS / 2)
            OK(godwit_session_truncate(w.sessions[i], draw(&w, N_IDS / 2), &err));
        check_bounds(&w);
    }
    for (uint32_t i = 0; i < N_SEQ; i++) end(&w, i);
    check_bounds(&w);
    cr_assert(!n_draft || (w.n_accepted > 0 && w.n_drafted > w.n_accepted),
              "%llu of %llu were right", (unsigned long long)w.n_accepted,
              (unsigned long long)w.n_drafted);
    godwit_batch_destroy(&w.batch);
}

// --- what it costs -------------------------------------------------------------------------------

static void check_costs(const opened *o) {
    godwit_session *s = begin(o, EVERY, 16);
    OK(godwit_session_feed(s, o->ids, 40, &err));
    check_logits(o, s, "checkpoints on the way");
    cr_assert_eq(stats_of(s).n_checkpoints, 5);
    cr_assert_eq(stats_of(s).n_prompt, 40);
    // From 32; then it is there; then from 32 again; then from 36, where it went back to.
    static const uint32_t rows[][2] = {{37, 5}, {37, 5}, {36, 9}, {36, 9}, {32, 9}, {7, 16}};
    for (int i = 0; i < 6; i++) {
        OK(godwit_session_truncate(s, rows[i][0], &err));
        cr_assert_eq(stats_of(s).n_replayed, rows[i][1], "back to %u: %llu", rows[i][0],
                     (unsigned long long)stats_of(s).n_replayed);
        OK(godwit_session_feed(s, o->ids + rows[i][0], 40 - rows[i][0], &err));
        check_logits(o, s, "gone back");
    }
    cr_assert_eq(stats_of(s).n_prompt, 40 + 3 + 3 + 4 + 4 + 8 + 33);
    godwit_session_destroy(&s);
    // With few of them the near past is dearer than the far one.
    s = begin(o, EVERY, 5);
    OK(godwit_session_feed(s, o->ids, 96, &err));
    cr_assert_eq(stats_of(s).n_checkpoints, 5);
    OK(godwit_session_truncate(s, 95, &err));
    cr_assert_eq(stats_of(s).n_replayed, 7);
    OK(godwit_session_truncate(s, 40, &err));
    cr_assert_lt(stats_of(s).n_replayed, 7 + 40, "there was none of the far past");
    OK(godwit_session_feed(s, o->ids + 40, 2, &err));
    check_logits(o, s, "with five checkpoints");
    godwit_session_destroy(&s);
    // The end of a prompt is one, of a few tokens not.
    s = begin(o, 1000, 4);
    OK(godwit_session_feed(s, o->ids, 20, &err));
    OK(godwit_session_feed(s, o->ids + 20, 15, &err));
    cr_assert_eq(stats_of(s).n_checkpoints, 1);
    OK(godwit_session_truncate(s, 21, &err));
    cr_assert_eq(stats_of(s).n_replayed, 1);
    godwit_session_destroy(&s);
    // Without any, from the beginning.
    s = begin(o, 0, 16);
    OK(godwit_session_feed(s, o->ids, 40, &err));
    cr_assert_eq(stats_of(s).n_checkpoints + stats_of(s).checkpoint_bytes, 0);
    OK(godwit_session_truncate(s, 39, &err));
    cr_assert_eq(stats_of(s).n_replayed, 39);
    OK(godwit_session_feed(s, o->ids + 39, 1, &err));
    check_logits(o, s, "without checkpoints");
    godwit_session_destroy(&s);
}

// --- what is shared ------------------------------------------------------------------------------

static void check_prefixes(const opened *o) {
    godwit_session_params params = params_of(EVERY, 16);
    godwit_batch *batch = NULL;
    godwit_session *s[N_SEQ] = {NULL};
    int32_t other[40], tokens[N_SEQ];
    params.n_seq = N_SEQ;
    OK(godwit_batch_create(o->models[1], &params, &batch, &err));
    for (int i = 0; i < N_SEQ; i++) OK(godwit_batch_join(batch, &s[i], &err));
    OK(godwit_session_feed(s[0], o->ids, 43, &err));
    memcpy(other, o->ids, sizeof other);
    other[29] = (other[29] + 1) % N_VOCAB; // 29 in common: the checkpoint at 24
    OK(godwit_session_feed(s[1], other, 40, &err));
    cr_assert_eq(stats_of(s[1]).n_shared, 24);
    check_logits(o, s[1], "from a checkpoint of another one");
    OK(godwit_session_feed(s[2], o->ids, 60, &err)); // all that the first has
    cr_assert_eq(stats_of(s[2]).n_shared, 43);
    check_logits(o, s[2], "from the end of another one");
    check_logits(o, s[0], "shared from");
    // What was shared is there to go back to, and none of what the other one went on with.
    OK(godwit_session_truncate(s[1], 39, &err));
    OK(godwit_session_feed(s[1], o->ids + 39, 3, &err));
    check_logits(o, s[1], "back where the other one is no more");
    OK(godwit_session_truncate(s[1], 17, &err));
    cr_assert_eq(stats_of(s[1]).n_replayed, 7 + 1);
    for (int i = 0; i < N_SEQ; i++) godwit_session_destroy(&s[i]);
    godwit_batch_destroy(&batch);
    // Queued at once, they wait for the first, which keeps its states where they part.
    params.checkpoint_every = 1000;
    params.n_batch = 64;
    OK(godwit_batch_create(o->models[1], &params, &batch, &err));
    for (int i = 0; i < N_SEQ; i++) OK(godwit_batch_join(batch, &s[i], &err));
    OK(godwit_session_queue(s[0], o->ids, 40, &err));
    OK(godwit_session_queue(s[1], other, 40, &err));
    other[31] = (other[31] + 1) % N_VOCAB; // not worth waiting for another one
    OK(godwit_session_queue(s[2], other, 40, &err));
    for (int i = 0; i < N_SEQ; i++) {
        for (int round = 0; godwit_session_n_past(s[i]) < 40; round++) {
            cr_assert_lt(round, 100, "prompts are not worked on");
            OK(godwit_batch_step(batch, s, NULL, N_SEQ, tokens, &err));
        }
    }
    cr_assert(stats_of(s[1]).n_shared == 29 && stats_of(s[2]).n_shared == 29, "%llu, %llu",
              (unsigned long long)stats_of(s[1]).n_shared,
              (unsigned long long)stats_of(s[2]).n_shared);
    for (int i = 0; i < N_SEQ; i++) check_logits(o, s[i], "queued with others");
    for (int i = 0; i < N_SEQ; i++) godwit_session_destroy(&s[i]);
    godwit_batch_destroy(&batch);
}

// --- what fails ----------------------------------------------------------------------------------

// Stopped on the way back, a session is saved, loaded and gone on with as if it had not been.
static void check_saved(const opened *o) {
    session_bytes saved = {0};
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session_params params = params_of(EVERY, 4);
    godwit_session *s = begin(o, 0, 0), *loaded = NULL;
    OK(godwit_session_feed(s, o->ids, 40, &err));
    godwit_session_cancel(s);
    cr_assert_eq(godwit_session_truncate(s, 35, &err), GODWIT_CANCELLED);
    cr_assert_eq(godwit_session_n_past(s), 35);
    OK(godwit_session_save(s, NULL, false, session_bytes_write, &saved, &err));
    OK(godwit_session_load(o->models[1], &params, session_bytes_read, &saved, &loaded, &info,
                           &err));
    cr_assert_eq(info.n_tokens, 35);
    OK(godwit_session_feed(loaded, o->ids + 35, 6, &err));
    check_logits(o, loaded, "saved on the way back");
    // The file has no checkpoints: from the beginning, then from 8 and from 40.
    OK(godwit_session_truncate(loaded, 20, &err));
    cr_assert_eq(stats_of(loaded).n_replayed, 20);
    OK(godwit_session_feed(loaded, o->ids, 3, &err));
    check_logits(o, loaded, "loaded and gone back");
    godwit_session_destroy(&s);
    godwit_session_destroy(&loaded);
    free(saved.data);
}

static void check_refused(const opened *o) {
    godwit_session_params params = params_of(EVERY, GW_CHECKPOINTS_MAX + 1);
    godwit_session *s = NULL;
    cr_assert_eq(godwit_session_create(o->models[1], &params, &s, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "n_checkpoints 4097 is above the limit of 4096"), "%s",
              err.message);
    // More than a device binds.
    gw_tune *tune = &o->devices[1]->backend.tune;
    const uint64_t max_range = tune->max_range;
    tune->max_range = 40000;
    params.n_checkpoints = GW_CHECKPOINTS_MAX;
    cr_assert_eq(godwit_session_create(o->models[1], &params, &s, &err), GODWIT_UNSUPPORTED);
    cr_assert(strstr(err.message, "with 4096 checkpoints (n_checkpoints)"), "%s", err.message);
    cr_assert(strstr(err.message, "2 n_seq + n_checkpoints ="), "%s", err.message);
    tune->max_range = max_range;
    params.n_checkpoints = 0; // what is sensible
    OK(godwit_session_create(o->models[1], &params, &s, &err));
    const uint64_t n = s->session->batch->pool.n_checkpoints;
    cr_assert(n >= 2 && n <= 4, "%llu", (unsigned long long)n);
    cr_assert(stats_of(s).checkpoint_bytes == n * s->session->batch->pool.block_bytes);
    godwit_session_destroy(&s);
}

// Each request for memory on the way there, back and on fails once; then it goes on.
static void check_memory(const opened *o, bool on_device) {
    gw_device *device = o->devices[1]->backend.device;
    uint32_t nth = 1, n_failed = 0;
    if (on_device && !device) return;
    for (bool failed = true; failed; nth++) {
        godwit_session *s = NULL;
        const godwit_session_params params = params_of(EVERY, 4);
        cr_assert_lt(nth, 400);
        if (on_device)
            gw_device_inject(device, 0, nth);
        else
            memory.until_failure = nth;
        godwit_status status = godwit_session_create(o->models[1], &params, &s, &err);
        if (status == GODWIT_OK) status = godwit_session_feed(s, o->ids, 30, &err);
        if (status == GODWIT_OK) status = godwit_session_truncate(s, 21, &err);
        if (status == GODWIT_OK) status = godwit_session_feed(s, o->ids + 21, 9, &err);
        failed = status != GODWIT_OK || (!on_device && memory.until_failure == 0);
        if (on_device) gw_device_inject(device, 0, 0);
        memory.until_failure = 0;
        n_failed += status != GODWIT_OK;
        const godwit_status wanted = on_device ? GODWIT_OUT_OF_DEVICE_MEMORY : GODWIT_OUT_OF_MEMORY;
        cr_assert(status == GODWIT_OK || status == wanted, "request %u: %s", nth, err.message);
        if (s) {
            const uint32_t n_past = godwit_session_n_past(s);
            if (n_past < 30) OK(godwit_session_feed(s, o->ids + n_past, 30 - n_past, &err));
            check_logits(o, s, "after a failure");
            OK(godwit_session_truncate(s, 13, &err));
            OK(godwit_session_feed(s, o->ids + 13, 2, &err));
            check_logits(o, s, "back after a failure");
        }
        godwit_session_destroy(&s);
    }
    cr_assert_gt(n_failed, 2);
}

// A device that is lost on the way back: an error, what was there is told, another device goes on.
static void check_lost(opened *o, const char *name) {
    gw_device *device = o->devices[1]->backend.device;
    int32_t ids[N_IDS];
    if (!device) return;
    godwit_session *s = begin(o, EVERY, 4), *other = NULL;
    godwit_session_params params = params_of(EVERY, 4);
    OK(godwit_session_feed(s, o->ids, 40, &err));
    gw_device_inject(device, 1, 0);
    cr_assert_eq(godwit_session_truncate(s, 21, &err), GODWIT_DEVICE_LOST, "%s: %s", name,
                 err.message);
    cr_assert(strstr(err.message, "lost"), "%s", err.message);
    const size_t n = godwit_session_tokens(s, ids, N_IDS);
    cr_assert(n == 21 && godwit_session_n_past(s) == 21);
    cr_assert_eq(godwit_session_feed(s, o->ids, 1, &err), GODWIT_DEVICE_LOST);
    cr_assert_eq(godwit_session_truncate(s, 17, &err), GODWIT_DEVICE_LOST);
    OK(godwit_session_truncate(s, 0, &err)); // nothing to be worked on
    godwit_session_destroy(&s);
    OK(godwit_session_create(o->models[0], &params, &other, &err));
    OK(godwit_session_feed(other, ids, n, &err));
    OK(godwit_session_truncate(other, 19, &err));
    OK(godwit_session_feed(other, ids + 19, 2, &err));
    check_logits(o, other, "elsewhere");
    godwit_session_destroy(&other);
}

static void check(const char *name, const char *which, uint32_t n_rounds) {
    static opened o;
    open_it(&o, name, which);
    check_costs(&o);
    check_prefixes(&o);
    check_saved(&o);
    check_refused(&o);
    for (uint32_t i = 0; i < 3; i++) go(&o, (uint32_t[]){5, 1, 0}[i], n_rounds, 3 * i + 1, 0);
    go(&o, 2, n_rounds, 10, 4);
    check_memory(&o, false);
    check_memory(&o, true);
    check_lost(&o, name);
    close_it(&o);
}

ParameterizedTestParameters(checkpoints, lead_back_to_the_same_bits) {
    return cr_make_param_array(int, (int *)indices, N_NAMES, NULL);
}
ParameterizedTest(int *index, checkpoints, lead_back_to_the_same_bits, .timeout = 300) {
    if (golden_is_in_turn(*index)) check(names[*index], NULL, 40);
}

ParameterizedTestParameters(checkpoints, lead_back_to_the_same_bits_on_the_cpu) {
    return cr_make_param_array(int, (int *)indices, N_NAMES, NULL);
}
ParameterizedTest(int *index, checkpoints, lead_back_to_the_same_bits_on_the_cpu, .timeout = 300) {
    if (golden_is_in_turn(*index)) check(names[*index], "cpu", 150);
}
