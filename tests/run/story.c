// Story: the model that comes with Godwit, told through the public interface with a cache directory
// of the test's own, on a device whose modules may be wrong on purpose.
#include "run/story.h"

#include "api/handles.h"
#include "support/folder.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char story_dir[64];
godwit_error story_err;

void story_make_dir(void) {
    folder_make(story_dir, sizeof story_dir);
}

void story_remove_dir(void) {
    folder_remove(story_dir);
}

bool story_open_device(table_fn fault, const char *which, godwit_self_check when,
                       bool allow_failing, godwit_context **context, godwit_device **device) {
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.cache_dir = story_dir;
    STORY_OK(godwit_context_create(&params, context, &story_err));
    if (godwit_context_n_devices(*context) < 2) return false;
    uint32_t n = 0;
    const gw_shader *table = fault ? fault(&n) : NULL;
    gw_gpu_override_shaders((*context)->gpu, table, n);
    godwit_device_params open = GODWIT_INIT(godwit_device_params);
    open.self_check = when;
    open.allow_failing = allow_failing;
    STORY_OK(godwit_device_open(*context, which, &open, device, &story_err));
    return true;
}

void story_info(const godwit_device *device, godwit_device_info *info) {
    *info = GODWIT_INIT(godwit_device_info);
    STORY_OK(godwit_device_get_info(device, info, &story_err));
}

void story_tell(godwit_context *context, godwit_device *device, story *out) {
    static const int32_t prompt[] = {5, 100, 77, 310, 42, 9, 12, 600, 31};
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    memset(out, 0, sizeof *out);
    params.n_ctx = 32;
    STORY_OK(
        godwit_file_open(context, GODWIT_TEST_ROOT "/models/story-q8_0.gguf", &file, &story_err));
    STORY_OK(godwit_model_open(device, file, NULL, &model, &story_err));
    STORY_OK(godwit_model_get_info(model, &info, &story_err));
    cr_assert_leq(info.n_vocab, 1 << 16);
    STORY_OK(godwit_session_create(model, &params, &session, &story_err));
    STORY_OK(godwit_session_feed(session, prompt, sizeof prompt / sizeof *prompt, &story_err));
    for (int i = 0; i < STORY_STEPS; i++)
        STORY_OK(godwit_session_step(session, NULL, &out->ids[i], &story_err));
    STORY_OK(godwit_session_logits(session, out->logits, info.n_vocab, &story_err));
    godwit_session_destroy(&session);
    godwit_model_close(&model);
    godwit_file_close(&file);
}

void story_tell_with(table_fn fault, const char *which, godwit_self_check when, story *out,
                     godwit_device_info *info) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    if (!story_open_device(fault, which, when, false, &context, &device)) {
        cr_skip_test("SKIPPED: no Vulkan device");
    }
    story_info(device, info);
    story_tell(context, device, out);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}
