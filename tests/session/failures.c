// Failures: memory that runs out at the n-th request of a feed, on the host and on the device. The
// call says so, and the session is as good as before: feeding it again gives the right logits.
#include "api/handles.h"
#include "support/failing.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB = 512, PROMPT = 5, MAX_REQUESTS = 400 };
static const int32_t prompt[PROMPT] = {1, 400, 12, 77, 300};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static failing memory;
static bool looks_ahead; // steps are submitted before the ones before them have ended

typedef struct stand {
    godwit_context *context;
    godwit_device *device;
    godwit_model *model;
} stand;

static void open_stand(stand *s, const char *which) {
    char path[512];
    godwit_file *file = NULL;
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    const godwit_allocator allocator = {.user = &memory, .realloc = failing_realloc};
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    params.allocator = &allocator;
    stories_small(path, sizeof path);
    MUST(godwit_context_create(&params, &s->context, &err));
    if (!which && godwit_context_n_devices(s->context) < 2) cr_skip_test("no Vulkan device");
    MUST(godwit_device_open(s->context, which ? which : "0", NULL, &s->device, &err));
    if (looks_ahead) s->device->backend.tune.looks_ahead = true;
    MUST(godwit_file_open(s->context, path, &file, &err));
    MUST(godwit_model_open(s->device, file, NULL, &s->model, &err));
    godwit_file_close(&file);
}

static void close_stand(stand *s) {
    cr_expect(godwit_context_validation_count(s->context) == 0, "validation complained");
    godwit_model_close(&s->model);
    godwit_device_close(&s->device);
    godwit_context_destroy(&s->context);
}

static void tell(godwit_session *session, float *out_logits) {
    int32_t token;
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    MUST(godwit_session_step(session, NULL, &token, &err));
    MUST(godwit_session_logits(session, out_logits, VOCAB, &err));
}

// A new session whose first feed, for one row of logits or for all, lacks the n-th request. False:
// it made fewer.
static bool one_fails(const stand *s, uint32_t nth, bool on_device, bool all, const float *want) {
    godwit_session *session = NULL;
    float got[VOCAB];
    MUST(godwit_session_create(s->model, NULL, &session, &err));
    if (on_device)
        gw_device_inject(s->device->backend.device, 0, nth);
    else
        memory.until_failure = nth;
    godwit_status status = all ? godwit_session_feed_rows(session, prompt, PROMPT, PROMPT, &err)
                               : godwit_session_feed(session, prompt, PROMPT, &err);
    memory.until_failure = 0;
    if (on_device) gw_device_inject(s->device->backend.device, 0, 0);
    if (status != GODWIT_OK) {
        godwit_status wanted = on_device ? GODWIT_OUT_OF_DEVICE_MEMORY : GODWIT_OUT_OF_MEMORY;
        cr_assert(status == wanted, "request %u: %s", nth, err.message);
        cr_assert_eq(godwit_session_n_past(session), 0);
        tell(session, got);
        cr_assert(!memcmp(got, want, sizeof got), "request %u: other logits", nth);
    }
    godwit_session_destroy(&session);
    return status != GODWIT_OK;
}

static void each_in_turn(const char *which, bool on_device) {
    stand s = {0};
    float want[VOCAB];
    godwit_session *session = NULL;
    open_stand(&s, "cpu");
    MUST(godwit_session_create(s.model, NULL, &session, &err));
    tell(session, want);
    godwit_session_destroy(&session);
    close_stand(&s);
    open_stand(&s, which);
    for (int all = 0; all < 2; all++) {
        uint32_t nth = 1;
        while (nth < MAX_REQUESTS && one_fails(&s, nth, on_device, all, want)) nth++;
        // The stores for activations and for what the host writes, at the least.
        cr_assert(nth > 2 && nth < MAX_REQUESTS, "%u requests", nth - 1);
    }
    close_stand(&s);
}

Test(failures, a_feed_after_one_without_host_memory_on_the_reference, .timeout = 120) {
    each_in_turn("cpu", false);
}

Test(failures, a_feed_after_one_without_host_memory_on_the_device, .timeout = 120) {
    each_in_turn(NULL, false);
}

Test(failures, a_feed_after_one_without_device_memory, .timeout = 120) {
    each_in_turn(NULL, true);
}

// --- a device that is lost -----------------------------------------------------------------------

enum { STEPS = 200 };

// Steps until the device is lost at its n-th submit; what was chosen until then, and how many.
static uint32_t step_until_lost(const stand *s, uint32_t nth, int32_t *out_ids) {
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = STEPS + PROMPT + 1;
    MUST(godwit_session_create(s->model, &params, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    gw_device_inject(s->device->backend.device, nth, 0);
    uint32_t n = 0;
    godwit_status status = GODWIT_OK;
    for (; n < STEPS && status == GODWIT_OK; n++)
        status = godwit_session_step(session, NULL, &out_ids[n], &err);
    if (status != GODWIT_OK) {
        n--;
        cr_assert_eq(status, GODWIT_DEVICE_LOST, "submit %u: %s", nth, err.message);
        cr_assert(strlen(err.message) > 20, "submit %u: %s", nth, err.message);
        cr_assert_eq(godwit_session_n_past(session), PROMPT + n, "submit %u", nth);
        int32_t again;
        cr_assert_eq(godwit_session_step(session, NULL, &again, &err), GODWIT_INVALID_ARGUMENT,
                     "there are no logits any more: %s", err.message);
        MUST(godwit_session_truncate(session, PROMPT, &err));
        cr_assert_eq(godwit_session_feed(session, prompt, 1, &err), GODWIT_DEVICE_LOST);
    }
    godwit_session_destroy(&session);
    return n;
}

// At each of the first submits, then at some of the others. The device is opened again each time, and
// does what it did.
static void lose_a_session(uint32_t n_first, uint32_t then) {
    stand s = {0};
    int32_t want[STEPS], got[STEPS];
    open_stand(&s, NULL);
    cr_assert_eq(step_until_lost(&s, 0, want), STEPS);
    for (uint32_t nth = 1; nth <= STEPS; nth += nth < n_first ? 1 : then) {
        uint32_t n = step_until_lost(&s, nth, got);
        cr_assert(n < nth && n + 2 >= nth, "lost after %u steps, at submit %u", n, nth);
        cr_assert(!memcmp(got, want, n * sizeof *got), "other tokens before submit %u", nth);
        close_stand(&s);
        open_stand(&s, NULL);
    }
    cr_assert_eq(step_until_lost(&s, 0, got), STEPS);
    cr_assert(!memcmp(got, want, sizeof want));
    close_stand(&s);
}

Test(failures, a_session_whose_device_is_lost_says_so_and_another_goes_on, .timeout = 240) {
    lose_a_session(20, 15);
}

Test(failures, a_session_that_looks_ahead_says_so_too, .timeout = 240) {
    looks_ahead = true;
    lose_a_session(8, 30);
}

// --- a batch whose device is lost

enum { N_SEQ = 3, ROUNDS = 12 };

// Prompts of several lengths, left to the steps, and what each gives; what was chosen until the device
// is lost at its n-th submit. Returns the steps that ended.
static uint32_t step_batch_until_lost(const stand *s, uint32_t nth, int32_t out_ids[][N_SEQ]) {
    static const uint32_t lengths[N_SEQ] = {PROMPT, 2, 11};
    godwit_batch *batch = NULL;
    godwit_session *sessions[N_SEQ];
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = 64;
    params.n_seq = N_SEQ;
    params.n_batch = 8; // prompts take several steps
    int32_t ids[11];
    for (int32_t i = 0; i < 11; i++) ids[i] = 20 + 7 * i;
    MUST(godwit_batch_create(s->model, &params, &batch, &err));
    for (uint32_t i = 0; i < N_SEQ; i++) {
        MUST(godwit_batch_join(batch, &sessions[i], &err));
        MUST(godwit_session_queue(sessions[i], ids, lengths[i], &err));
    }
    gw_device_inject(s->device->backend.device, nth, 0);
    uint32_t n = 0, n_past[N_SEQ] = {0};
    for (; n < ROUNDS; n++) {
        for (uint32_t i = 0; i < N_SEQ; i++) n_past[i] = godwit_session_n_past(sessions[i]);
        if (godwit_batch_step(batch, sessions, NULL, N_SEQ, out_ids[n], &err) != GODWIT_OK) break;
    }
    // A step may be a run of all and one of a prompt: the first had ended, or not.
    for (uint32_t i = 0; n < ROUNDS && i < N_SEQ; i++) {
        const uint32_t n_more = godwit_session_n_past(sessions[i]) - n_past[i];
        cr_assert(n_more == 0 || (n_more == 1 && out_ids[n][i] >= 0), "submit %u: session %u", nth,
                  i);
    }
    int32_t again[N_SEQ];
    if (n < ROUNDS) {
        cr_assert(strstr(err.message, "lost"), "submit %u: %s", nth, err.message);
        cr_assert_neq(godwit_batch_step(batch, sessions, NULL, N_SEQ, again, &err), GODWIT_OK);
    }
    for (uint32_t i = 0; i < N_SEQ; i++) godwit_session_destroy(&sessions[i]);
    godwit_batch_destroy(&batch);
    return n;
}

static void lose_a_batch(void) {
    stand s = {0};
    int32_t want[ROUNDS][N_SEQ], got[ROUNDS][N_SEQ];
    open_stand(&s, NULL);
    cr_assert_eq(step_batch_until_lost(&s, 0, want), ROUNDS);
    cr_assert_eq(want[0][2], GODWIT_TOKEN_PENDING);
    cr_assert_geq(want[ROUNDS - 1][2], 0);
    for (uint32_t nth = 1; nth <= ROUNDS; nth++) {
        uint32_t n = step_batch_until_lost(&s, nth, got);
        cr_assert(n < nth, "lost after %u steps, at submit %u", n, nth);
        cr_assert(!memcmp(got, want, n * sizeof *got), "other tokens before submit %u", nth);
        close_stand(&s);
        open_stand(&s, NULL);
    }
    close_stand(&s);
}

Test(failures, a_batch_whose_device_is_lost_says_so_and_another_goes_on, .timeout = 240) {
    lose_a_batch();
}

Test(failures, a_batch_that_looks_ahead_says_so_too, .timeout = 240) {
    looks_ahead = true;
    lose_a_batch();
}
