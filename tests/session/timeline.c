// A session's timeline: limits, going back, sampling, cancelling, and what is refused.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static godwit_context *context;
static godwit_session *session;

static void open_all(uint32_t n_ctx) {
    char path[512];
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = n_ctx;
    stories_small(path, sizeof path);
    MUST(godwit_context_create(NULL, &context, &err));
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    MUST(godwit_file_open(context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, &params, &session, &err));
    // Any order of destruction is safe.
    godwit_device_close(&device);
    godwit_model_close(&model);
    godwit_file_close(&file);
}

static void close_all(void) {
    godwit_context_destroy(&context);
    godwit_session_destroy(&session);
}

Test(session, a_full_context_is_refused_and_says_so) {
    int32_t ids[20] = {1}, token;
    open_all(16);
    cr_assert(godwit_session_n_ctx(session) == 16);
    cr_assert(godwit_session_feed(session, ids, 17, &err) == GODWIT_CONTEXT_FULL);
    cr_assert(strstr(err.message, "context of 16"), "%s", err.message);
    cr_assert(godwit_session_n_past(session) == 0);
    MUST(godwit_session_feed(session, ids, 15, &err));
    MUST(godwit_session_step(session, NULL, &token, &err));
    cr_assert(godwit_session_step(session, NULL, &token, &err) == GODWIT_CONTEXT_FULL);
    MUST(godwit_session_sample(session, NULL, &token, &err));
    close_all();
}

Test(session, the_models_own_context_is_the_default) {
    open_all(0);
    cr_assert(godwit_session_n_ctx(session) == 128);
    close_all();
}

Test(session, going_back_gives_the_same_bits_again) {
    int32_t ids[4] = {1, 403, 407, 261};
    static float first[512], again[512];
    open_all(64);
    MUST(godwit_session_feed(session, ids, 4, &err));
    MUST(godwit_session_logits(session, first, 512, &err));
    MUST(godwit_session_truncate(session, 1, &err));
    cr_assert(godwit_session_logits(session, again, 512, &err) == GODWIT_INVALID_ARGUMENT);
    MUST(godwit_session_feed(session, ids + 1, 3, &err));
    MUST(godwit_session_logits(session, again, 512, &err));
    cr_assert(!memcmp(first, again, sizeof first));
    cr_assert(godwit_session_truncate(session, 5, &err) == GODWIT_INVALID_ARGUMENT);
    close_all();
}

Test(session, bad_ids_and_bad_sampling_are_refused) {
    int32_t low = -1, high = 512, one = 1, token;
    godwit_sample_params params = GODWIT_INIT(godwit_sample_params);
    open_all(64);
    cr_assert(godwit_session_feed(session, &low, 1, &err) == GODWIT_INVALID_ARGUMENT);
    cr_assert(godwit_session_feed(session, &high, 1, &err) == GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "512"), "%s", err.message);
    cr_assert(godwit_session_step(session, NULL, &token, &err) == GODWIT_INVALID_ARGUMENT);
    cr_assert(godwit_session_feed_rows(session, &one, 1, 0, &err) == GODWIT_INVALID_ARGUMENT);
    cr_assert(godwit_session_feed_rows(session, &one, 1, 2, &err) == GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "2 of 1"), "%s", err.message);
    cr_assert(godwit_session_feed_rows(session, &low, 1, 1, &err) == GODWIT_INVALID_ARGUMENT);
    MUST(godwit_session_feed(session, &one, 1, &err));
    params.temp = (float)NAN;
    cr_assert(godwit_session_step(session, &params, &token, &err) == GODWIT_INVALID_ARGUMENT);
    params.temp = GODWIT_TEMP_MAX * 1.001f;
    cr_assert(godwit_session_sample(session, &params, &token, &err) == GODWIT_INVALID_ARGUMENT);
    params.temp = GODWIT_TEMP_MAX;
    MUST(godwit_session_sample(session, &params, &token, &err));
    params.temp = 1.0f;
    params.top_p = 1.5f;
    cr_assert(godwit_session_step(session, &params, &token, &err) == GODWIT_INVALID_ARGUMENT);
    cr_assert(godwit_session_n_past(session) == 1);
    close_all();
}

Test(session, a_draw_depends_on_seed_and_position_alone) {
    int32_t one = 1, a[20], b[20], differ = 0;
    godwit_sample_params params = GODWIT_INIT(godwit_sample_params);
    params.temp = 1.0f;
    params.top_p = 0.95f;
    open_all(64);
    for (int round = 0; round < 3; round++) {
        params.seed = round == 2 ? 43 : 42;
        MUST(godwit_session_truncate(session, 0, &err));
        MUST(godwit_session_feed(session, &one, 1, &err));
        for (int i = 0; i < 20; i++) {
            MUST(godwit_session_step(session, &params, round == 0 ? &a[i] : &b[i], &err));
            if (round == 1) cr_assert(a[i] == b[i], "token %d", i);
            if (round == 2) differ += a[i] != b[i];
        }
    }
    cr_assert(differ > 0, "another seed tells another story");
    close_all();
}

Test(session, cancel_stops_and_the_session_goes_on) {
    int32_t ids[40] = {1};
    open_all(64);
    godwit_session_cancel(session);
    cr_assert(godwit_session_feed(session, ids, 40, &err) == GODWIT_CANCELLED);
    MUST(godwit_session_feed(session, ids, 40, &err));
    cr_assert(godwit_session_n_past(session) == 40);
    close_all();
}
