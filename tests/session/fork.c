// Fork: in the child each call on a device, or on what was made on it, says at once that it is of
// another process, and drivers that the parent loaded are not used anew; the reference is. The
// parent goes on.
#include "api/handles.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VOCAB = 2048, PROMPT = 4, SECONDS_MAX = 60 };
static const int32_t prompt[PROMPT] = {1, 400, 12, 77};

static const char model_path[] = GODWIT_TEST_ROOT "/models/story-q8_0.gguf";

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

typedef struct stand {
    godwit_context *context;
    godwit_device *device;
    godwit_file *file;
    godwit_model *model;
    godwit_session *session;
    godwit_graph *graph;
} stand;

static void open_stand(stand *s, const char *which) {
    memset(s, 0, sizeof *s);
    MUST(godwit_context_create(NULL, &s->context, &err));
    MUST(godwit_device_open(s->context, which ? which : "0", NULL, &s->device, &err));
    MUST(godwit_file_open(s->context, model_path, &s->file, &err));
    MUST(godwit_model_open(s->device, s->file, NULL, &s->model, &err));
    MUST(godwit_session_create(s->model, NULL, &s->session, &err));
    MUST(godwit_session_feed(s->session, prompt, PROMPT, &err));
    MUST(godwit_graph_create(s->device, &s->graph, &err));
}

static void close_stand(stand *s) {
    godwit_graph_destroy(&s->graph);
    godwit_session_destroy(&s->session);
    godwit_model_close(&s->model);
    godwit_file_close(&s->file);
    godwit_device_close(&s->device);
    godwit_context_destroy(&s->context);
}

// 0: every call refused with a sentence on forking; else the number of the first that did not.
static int refusals(stand *s, bool on_gpu) {
    float logits[VOCAB];
    int32_t token = 0;
    size_t n_times = 0;
    uint64_t dims[1] = {4};
    godwit_value value;
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    godwit_verify_report report = GODWIT_INIT(godwit_verify_report);
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    godwit_graph *graph = NULL;
    godwit_device *device = NULL;
    int n = 0;
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        n++;                                                                                       \
        memset(&err, 0, sizeof err);                                                               \
        if ((call) != GODWIT_INVALID_ARGUMENT || !strstr(err.message, "fork")) return n;           \
    } while (0)
    REFUSED(godwit_session_step(s->session, NULL, &token, &err));
    REFUSED(godwit_session_feed(s->session, prompt, 1, &err));
    REFUSED(godwit_session_sample(s->session, NULL, &token, &err));
    REFUSED(godwit_session_logits(s->session, logits, VOCAB, &err));
    REFUSED(godwit_session_logits_row(s->session, 0, logits, VOCAB, &err));
    REFUSED(godwit_session_truncate(s->session, 0, &err));
    REFUSED(godwit_session_get_stats(s->session, &stats, &err));
    REFUSED(godwit_session_launch_times(s->session, NULL, 0, &n_times, &err));
    REFUSED(godwit_session_create(s->model, NULL, &session, &err));
    REFUSED(godwit_model_scrub(s->model, 0, NULL, &err));
    REFUSED(godwit_model_open(s->device, s->file, NULL, &model, &err));
    REFUSED(godwit_device_get_info(s->device, &info, &err));
    REFUSED(godwit_device_compile_all(s->device, NULL, NULL, &err));
    REFUSED(godwit_device_verify(s->device, NULL, NULL, NULL, &report, &err));
    REFUSED(godwit_graph_create(s->device, &graph, &err));
    REFUSED(godwit_graph_input(s->graph, "x", GODWIT_F32, 1, dims, &value, &err));
    REFUSED(godwit_graph_compile(s->graph, &err));
    REFUSED(godwit_graph_run(s->graph, &err));
    if (on_gpu) {
        godwit_context *other = NULL;
        if (godwit_context_create(NULL, &other, &err) != GODWIT_OK) return -1;
        REFUSED(godwit_device_open(other, NULL, NULL, &device, &err));
        godwit_context_destroy(&other);
        REFUSED(godwit_context_device_info(s->context, 0, &info, &err));
        REFUSED(godwit_device_open(s->context, NULL, NULL, &device, &err));
        REFUSED(godwit_device_open(s->context, "0", NULL, &device, &err));
    }
#undef REFUSED
    return 0;
}

enum { FILE_IS_GONE = 100, KEPT_HANDLE, OWN_FAILS };

static int in_child(stand *s) {
    int failed = refusals(s, s->device->backend.device != NULL);
    if (failed) return failed;
    if (godwit_file_n_tensors(s->file) == 0) return FILE_IS_GONE;
    close_stand(s);
    if (s->session || s->device || s->context) return KEPT_HANDLE;
    stand own = {0};
    int32_t token;
    open_stand(&own, "cpu");
    if (godwit_session_step(own.session, NULL, &token, &err) != GODWIT_OK) return OWN_FAILS;
    return 0;
}

static void check(const char *which) {
    stand s;
    int ended = 0;
    int32_t token;
    open_stand(&s, which);
    if (!which && !s.device->backend.device) cr_skip_test("no Vulkan device");
    const pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        (void)alarm(SECONDS_MAX); // of a call that waits for threads that are not there
        _exit(in_child(&s));
    }
    cr_assert_eq(waitpid(child, &ended, 0), child);
    cr_expect(WIFEXITED(ended) && WEXITSTATUS(ended) == 0, "the child: exit %d, signal %d",
              WEXITSTATUS(ended), WIFSIGNALED(ended) ? WTERMSIG(ended) : 0);
    MUST(godwit_session_step(s.session, NULL, &token, &err));
    close_stand(&s);
}

Test(fork, a_device_is_of_the_process_that_opened_it) {
    check(NULL);
}

Test(fork, the_reference_too) {
    check("cpu");
}

// A context that nobody asked for devices has nothing to lose.
Test(fork, an_unused_context_goes_on_in_the_child) {
    godwit_context *context = NULL;
    int ended = 0;
    MUST(godwit_context_create(NULL, &context, &err));
    const pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        godwit_device *device = NULL;
        _exit(godwit_device_open(context, NULL, NULL, &device, &err) != GODWIT_OK);
    }
    cr_assert_eq(waitpid(child, &ended, 0), child);
    cr_expect(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    cr_expect_geq(godwit_context_n_devices(context), 1u);
    godwit_context_destroy(&context);
}

// Vulkan's loader comes with the first question for its devices, not before.
static bool vulkan_is_loaded(void) {
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps) cr_skip_test("no /proc");
    while (fgets(line, sizeof line, maps)) found = found || strstr(line, "libvulkan") != NULL;
    (void)fclose(maps);
    return found;
}

Test(lazy, a_context_a_file_and_the_reference_load_no_driver) {
    stand s;
    open_stand(&s, "cpu");
    cr_expect_not(vulkan_is_loaded());
    const uint32_t n = godwit_context_n_devices(s.context);
    cr_expect(n == 1 || vulkan_is_loaded(), "the test would not see it");
    close_stand(&s);
}

static void *count_devices(void *user) {
    return (void *)(uintptr_t)godwit_context_n_devices(user);
}

Test(lazy, threads_may_be_first_together) {
    pthread_t threads[4];
    void *n[4];
    godwit_context *context = NULL;
    MUST(godwit_context_create(NULL, &context, &err));
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, count_devices, context), 0);
    for (int i = 0; i < 4; i++) cr_assert_eq(pthread_join(threads[i], &n[i]), 0);
    for (int i = 1; i < 4; i++) cr_expect_eq(n[i], n[0]);
    godwit_context_destroy(&context);
}
