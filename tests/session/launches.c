// A step as it is planned for GPUs, whose workgroups count each other: few launches, and the bits of the
// reference, also in pieces, and after what was stopped between two of them.
#include "api/handles.h"
#include "gpu/internal.h"
#include "graph/variant.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { N_PROMPT = 300, STEPS = 12, MAX_VOCAB = 2048, MAX_LAYER_LAUNCHES = 6, OTHERS = 4 };

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static godwit_session *open_session(godwit_device *device, const char *path) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_batch = 8;
    MUST(godwit_file_open(device->context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, &params, &session, &err));
    godwit_file_close(&file);
    godwit_model_close(&model);
    return session;
}

static godwit_status feed(godwit_session *session, uint32_t n) {
    static int32_t ids[N_PROMPT];
    for (int i = 0; i < N_PROMPT; i++) ids[i] = i == 0 ? 1 : 3 + i * 37 % 2000;
    return godwit_session_feed(session, ids, n, &err);
}

static void tell(godwit_session *session, float (*logits)[MAX_VOCAB]) {
    int32_t id;
    for (int i = 0; i < STEPS; i++) {
        MUST(godwit_session_logits(session, logits[i], MAX_VOCAB, &err));
        MUST(godwit_session_step(session, NULL, &id, &err));
    }
}

static float want[STEPS][MAX_VOCAB], got[STEPS][MAX_VOCAB];

static const char story[] = GODWIT_TEST_ROOT "/models/story-q8_0.gguf";

Test(session, a_layer_is_few_launches_with_the_same_bits) {
    stories_pair b = {0};
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    stories_open_pair(&b);
    if (!stories_plan_as_for_gpus(b.gpu)) cr_skip_test("workgroups do not count");
    // More keys than a block, so that the attention is of several workgroups.
    godwit_session *on_gpu = open_session(b.gpu, story), *on_cpu = open_session(b.cpu, story);
    MUST(feed(on_cpu, N_PROMPT));
    tell(on_cpu, want);
    MUST(feed(on_gpu, N_PROMPT));
    tell(on_gpu, got);
    cr_assert(!memcmp(want, got, sizeof want));
    MUST(godwit_session_get_stats(on_gpu, &stats, &err));
    printf("a decode step of 6 layers: %llu launches, %llu barriers\n",
           (unsigned long long)stats.n_launches, (unsigned long long)stats.n_barriers);
    cr_assert_leq(stats.n_launches, 6 * MAX_LAYER_LAUNCHES + OTHERS);
    cr_assert_leq(stats.n_barriers, 6 * MAX_LAYER_LAUNCHES + OTHERS);
    godwit_session_destroy(&on_gpu);
    godwit_session_destroy(&on_cpu);
    stories_close_pair(&b);
}

static struct timespec soon;
static void *cancel_soon(void *user) {
    nanosleep(&soon, NULL);
    godwit_session_cancel(user);
    return NULL;
}

// Launches are cut where a device has a watchdog and is expected to be slow.
Test(session, counted_workgroups_may_run_in_pieces_and_be_stopped) {
    stories_pair b = {0};
    uint32_t n_stopped = 0;
    stories_open_pair(&b);
    if (!stories_plan_as_for_gpus(b.gpu)) cr_skip_test("workgroups do not count");
    godwit_session *on_gpu = open_session(b.gpu, story), *on_cpu = open_session(b.cpu, story);
    MUST(feed(on_cpu, 5));
    tell(on_cpu, want);
    gw_device *device = b.gpu->backend.device;
    ((gw_caps *)gw_device_caps(device))->submit_ms = 1000;
    gw_device_inject_pace(device, UINT64_C(1) << 42);
    for (int i = 0; i < 16; i++) {
        pthread_t other;
        soon.tv_nsec = (i + 1) * 4000000;
        cr_assert_eq(pthread_create(&other, NULL, cancel_soon, on_gpu), 0);
        const godwit_status status = feed(on_gpu, 5);
        cr_assert_eq(pthread_join(other, NULL), 0);
        n_stopped += status == GODWIT_CANCELLED && godwit_session_n_past(on_gpu) == 0;
        cr_assert(status == GODWIT_OK || status == GODWIT_CANCELLED, "%s", err.message);
        MUST(godwit_session_truncate(on_gpu, 0, &err));
    }
    cr_assert_gt(n_stopped, 0, "no step was stopped");
    // What was cancelled when it was done is the next call's.
    if (feed(on_gpu, 5) != GODWIT_OK) MUST(feed(on_gpu, 5));
    tell(on_gpu, got);
    cr_assert(!memcmp(want, got, sizeof want));
    godwit_session_destroy(&on_gpu);
    godwit_session_destroy(&on_cpu);
    stories_close_pair(&b);
}
