// A model whose weights are finite and whose logits are not: choosing a token says so, instead of
// choosing one.
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

// The story with the last norm's weights so large that the output matrix overflows.
static void write_overflowing(godwit_context *context, char path[64]) {
    char from[512];
    size_t n = 0;
    godwit_file *file = NULL;
    bool found = false;
    stories_small(from, sizeof from);
    char *bytes = stories_read(from, &n);
    MUST(godwit_file_open(context, from, &file, &err));
    for (uint64_t i = 0; i < godwit_file_n_tensors(file); i++) {
        godwit_tensor_info info = {0};
        MUST(godwit_file_tensor(file, i, &info, &err));
        if (strcmp(info.name, "output_norm.weight") != 0) continue;
        const float large = 3e38f;
        for (uint64_t k = 0; k < info.bytes; k += 4) memcpy(bytes + info.offset + k, &large, 4);
        found = true;
    }
    godwit_file_close(&file);
    cr_assert(found);
    strcpy(path, "/tmp/godwit-overflow-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
    free(bytes);
}

static void refuses_to_choose(const char *which) {
    char path[64];
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    const int32_t prompt[] = {1, 400, 12};
    const godwit_sample_params drawn = {
        .struct_size = sizeof drawn, .temp = 0.8f, .top_p = 0.9f, .seed = 3};
    MUST(godwit_context_create(NULL, &context, &err));
    if (!which && godwit_context_n_devices(context) < 2) cr_skip_test("no Vulkan device");
    write_overflowing(context, path);
    MUST(godwit_device_open(context, which ? which : "0", NULL, &device, &err));
    MUST(godwit_file_open(context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, NULL, &session, &err));
    for (int i = 0; i < 4; i++) {
        const godwit_sample_params *params = i & 1 ? &drawn : NULL;
        int32_t token = 7;
        godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
        MUST(godwit_session_feed(session, prompt, 3, &err));
        godwit_status status = i < 2 ? godwit_session_sample(session, params, &token, &err)
                                     : godwit_session_step(session, params, &token, &err);
        cr_assert_eq(status, GODWIT_UNSUPPORTED);
        cr_assert(strstr(err.message, "are not finite"), "%s", err.message);
        cr_assert_eq(token, 7, "a token was given all the same");
        MUST(godwit_session_get_stats(session, &stats, &err));
        cr_assert_eq(stats.n_decoded, 0);
    }
    godwit_session_destroy(&session);
    godwit_model_close(&model);
    godwit_file_close(&file);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    unlink(path);
}

Test(overflow, no_token_on_the_device) {
    refuses_to_choose(NULL);
}

Test(overflow, no_token_on_the_cpu) {
    refuses_to_choose("cpu");
}
