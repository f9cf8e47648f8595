// A lesser device gives the same bits: with all that is optional masked off (the floor), and with
// each capability alone masked off, a prompt and what follows it have the logits of the reference.
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROMPT = 37, BATCH = 20, STEPS = 2, VOCAB = 512 };

static const char *const masks[] = {"floor",     "subgroup", "dot",     "fp16",  "int8",
                                    "storage16", "storage8", "coopmat", "budget"};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

typedef float story[1 + STEPS][VOCAB];

// On the device that `which` names, less what mask takes.
static void tell(godwit_context *context, const char *which, const char *mask, const char *path,
                 story out) {
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    godwit_session_params session_params = GODWIT_INIT(godwit_session_params);
    int32_t ids[PROMPT], next = 0;
    params.mask = mask;
    params.self_check = GODWIT_SELF_CHECK_NEVER;
    session_params.n_batch = BATCH;
    session_params.n_ctx = 64;
    for (int i = 0; i < PROMPT; i++) ids[i] = i == 0 ? 1 : 3 + i * 37 % 500;
    MUST(godwit_device_open(context, which, &params, &device, &err));
    MUST(godwit_file_open(context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, &session_params, &session, &err));
    MUST(godwit_session_feed(session, ids, PROMPT, &err));
    for (int i = 0; i <= STEPS; i++) {
        MUST(godwit_session_logits(session, out[i], VOCAB, &err));
        MUST(godwit_session_step(session, NULL, &next, &err));
    }
    godwit_session_destroy(&session);
    godwit_model_close(&model);
    godwit_file_close(&file);
    godwit_device_close(&device);
}

static void check(godwit_context *context, uint32_t type) {
    static story want, got;
    char from[512], path[64];
    stories_small(from, sizeof from);
    snprintf(path, sizeof path, "/tmp/godwit-test-%d-masks.gguf", (int)getpid());
    stories_requantize(from, path, type);
    tell(context, "reference", NULL, path, want);
    // The floor everywhere, each capability where the driver's kernels are not those of another.
    const size_t n = getenv("GODWIT_TEST_MASKS") ? sizeof masks / sizeof *masks : 1;
    for (size_t i = 0; i < n; i++) {
        tell(context, NULL, masks[i], path, got);
        cr_expect(!memcmp(want, got, sizeof want), "%s without \"%s\": other logits",
                  godwit_dtype_name((godwit_dtype)type), masks[i]);
    }
    remove(path);
}

Test(session, masked_devices_have_the_same_bits) {
    godwit_context *context = NULL;
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    MUST(godwit_context_create(&params, &context, &err));
    if (godwit_context_n_devices(context) < 2) {
        fprintf(stderr, "SKIPPED, %s\n", godwit_context_no_vulkan_reason(context));
        cr_skip_test("no Vulkan device");
    }
    check(context, GODWIT_Q4_0);
    check(context, GODWIT_F16);
    cr_expect(godwit_context_validation_count(context) == 0, "validation complained");
    godwit_context_destroy(&context);
}
