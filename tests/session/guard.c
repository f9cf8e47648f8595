// Guard: a bit that changes in the weights of a running model makes a product differ from what the
// file's weights give, and that is found, on this driver and on the plain-C reference; a model that
// is as it was runs on, with the same logits as without the guard.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <unistd.h>

enum { VOCAB = 512, PROMPT = 5, N_WEIGHTS = 21 };
static const int32_t prompt[PROMPT] = {1, 400, 12, 77, 300};
static const uint32_t types[] = {GODWIT_F32,  GODWIT_F16,  GODWIT_Q8_0,
                                 GODWIT_Q4_0, GODWIT_Q4_1, GODWIT_MXFP4};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static void open_run(stories_run *r, const char *which, uint32_t type, uint32_t guard) {
    godwit_session_params session = GODWIT_INIT(godwit_session_params);
    session.guard = guard;
    session.n_ctx = 512;
    stories_open(r, which, NULL, type, &session);
}

// Up to n greedy tokens; the status that ended it.
static godwit_status go_on(stories_run *r, int n) {
    int32_t token;
    godwit_status status = GODWIT_OK;
    for (int i = 0; i < n && status == GODWIT_OK; i++) {
        status = godwit_session_step(r->session, NULL, &token, &err);
    }
    return status;
}

static void runs_on(const char *which, uint32_t type) {
    float logits[2][VOCAB];
    for (uint32_t guard = 0; guard < 2; guard++) {
        stories_run r;
        godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
        open_run(&r, which, type, guard);
        MUST(godwit_session_feed(r.session, prompt, PROMPT, &err));
        MUST(go_on(&r, 60));
        MUST(godwit_session_logits(r.session, logits[guard], VOCAB, &err));
        MUST(godwit_session_get_stats(r.session, &stats, &err));
        cr_assert(stats.n_guarded == (guard ? 61 : 0), "%llu", (unsigned long long)stats.n_guarded);
        stories_close(&r);
    }
    cr_assert(!memcmp(logits[0], logits[1], sizeof logits[0]), "guarding changed the logits");
}

static void flip(stories_run *r, const gw_weight_chunk *chunk, uint64_t offset) {
    gw_store *store = &r->model->model->weights.stores[chunk->store];
    uint32_t word;
    MUST(gw_store_read(store, offset, &word, 4, &err));
    word ^= 0x40000000u;
    MUST(gw_store_write(store, offset, &word, 4, &err));
}

// The highest bit of a word of a weight, near its middle or its end; it is put right afterwards.
static void is_found(stories_run *r, uint32_t at, bool end) {
    const gw_model *model = r->model->model;
    const gw_weight *w = model->def->weights.items[at];
    const gw_weight_chunk *chunk = gw_placement_find(&model->weights.placement, w)->chunks;
    if (w->n_dims != 2) return;
    MUST(godwit_session_truncate(r->session, 0, &err));
    MUST(godwit_session_feed(r->session, prompt, PROMPT, &err));
    // The last piece of the last group's first row: its other rows may be padding.
    const uint64_t last = chunk->bytes - GW_GROUP_ROWS * GW_PIECE_BYTES;
    const uint64_t offset = chunk->offset + (end ? last : chunk->bytes / 8 * 4);
    flip(r, chunk, offset);
    // Which product is checked is drawn; a row that nothing looks up is never wrong.
    godwit_status status = go_on(r, 400);
    if (status == GODWIT_CORRUPT) {
        cr_assert(strstr(err.message, w->name), "%s is named, not %s", err.message, w->name);
    } else {
        MUST(status);
        cr_assert(strstr(w->name, "token_embd"), "%s %s: not found", w->name,
                  end ? "end" : "middle");
    }
    flip(r, chunk, offset);
}

// The model is opened once: a device compiles its kernels each time that it is.
static void try_all(const char *which) {
    stories_run r;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) runs_on(which, types[t]);
    open_run(&r, which, GODWIT_Q8_0, 1);
    for (uint32_t at = 0; at < N_WEIGHTS; at += 2) {
        is_found(&r, at, false);
        is_found(&r, at, true);
    }
    // Put right, all is well again.
    MUST(godwit_session_truncate(r.session, 0, &err));
    MUST(godwit_session_feed(r.session, prompt, PROMPT, &err));
    MUST(go_on(&r, 60));
    stories_close(&r);
}

// What a server does that chooses tokens itself: one is fed, then the logits are sampled. Sampling
// reads no weights, so it must not take the place of a run that does.
static godwit_status feed_and_sample(stories_run *r, int n) {
    int32_t token = 1;
    godwit_status status = GODWIT_OK;
    for (int i = 0; i < n && status == GODWIT_OK; i++) {
        status = godwit_session_feed(r->session, &token, 1, &err);
        if (status == GODWIT_OK) status = godwit_session_sample(r->session, NULL, &token, &err);
    }
    return status;
}

static void sampling_is_no_run_to_guard(const char *which) {
    stories_run r;
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    open_run(&r, which, GODWIT_Q8_0, 2);
    MUST(feed_and_sample(&r, 21));
    MUST(godwit_session_get_stats(r.session, &stats, &err));
    cr_assert(stats.n_submits == 42 && stats.n_guarded == 10, "%llu of %llu",
              (unsigned long long)stats.n_guarded, (unsigned long long)stats.n_submits);
    // The highest bits of all weights of a layer: any check of one of its products finds it.
    gw_model *model = r.model->model;
    for (size_t i = 0; i < model->def->weights.n; i++) {
        const gw_weight *w = model->def->weights.items[i];
        if (w->n_dims != 2 || !strstr(w->name, "blk.1.")) continue;
        const gw_weight_chunk *chunk = gw_placement_find(&model->weights.placement, w)->chunks;
        gw_store *store = &model->weights.stores[chunk->store];
        for (uint64_t at = 0; at + 4 <= chunk->bytes; at += 4) {
            uint32_t word;
            MUST(gw_store_read(store, chunk->offset + at, &word, 4, &err));
            word ^= 0x40404040u;
            MUST(gw_store_write(store, chunk->offset + at, &word, 4, &err));
        }
    }
    cr_assert_eq(feed_and_sample(&r, 100), GODWIT_CORRUPT, "not found");
    cr_assert(strstr(err.message, "blk.1."), "%s", err.message);
    uint64_t n_before = stats.n_guarded;
    MUST(godwit_session_get_stats(r.session, &stats, &err));
    cr_assert(stats.n_guarded > n_before, "the check that found it counts");
    stories_close(&r);
}

Test(guard, a_file_that_became_shorter_is_an_error) {
    stories_run r;
    int32_t token;
    open_run(&r, "cpu", GODWIT_Q8_0, 1);
    MUST(godwit_session_feed(r.session, prompt, PROMPT, &err));
    cr_assert_eq(ftruncate(r.file, 4096), 0);
    cr_assert_eq(godwit_session_step(r.session, NULL, &token, &err), GODWIT_IO);
    cr_assert(strstr(err.message, "-open.gguf"), "%s", err.message);
    stories_close(&r);
}

Test(guard, sampling_is_no_run_to_guard) {
    sampling_is_no_run_to_guard(NULL);
    sampling_is_no_run_to_guard("cpu");
}

Test(guard, on_the_device, .timeout = 840) {
    try_all(NULL);
}

Test(guard, on_the_reference, .timeout = 840) {
    try_all("cpu");
}

Test(guard, fast_numerics_are_refused) {
    stories_run r;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    open_run(&r, "cpu", GODWIT_Q8_0, 0);
    params.guard = 1;
    params.numerics = GODWIT_FAST;
    cr_assert_eq(godwit_session_create(r.model, &params, &session, &err), GODWIT_INVALID_ARGUMENT);
    stories_close(&r);
}
