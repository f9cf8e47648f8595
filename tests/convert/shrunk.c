// A file that was cut short or written to after it was opened: what is read of it then is an error
// that says which file and tensor it was; what is in memory goes on.
#include "convert/convert_support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 64, COLS = 1024 };

static char dir[512], in[600], out[600];
static godwit_error err;
static godwit_context *context;
static godwit_file *file;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static void setup(void) {
    static float values[ROWS * COLS];
    const shape rows = {"blk.0.ffn_up.weight", 2, {ROWS, COLS}};
    folder_make(dir, sizeof dir);
    snprintf(in, sizeof in, "%s/in.gguf", dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    write_f32(in, &rows, 1, values);
    MUST(godwit_context_create(NULL, &context, &err));
    MUST(godwit_file_open(context, in, &file, &err));
}

static void teardown(void) {
    godwit_file_close(&file);
    godwit_context_destroy(&context);
    folder_remove(dir);
}

TestSuite(shrunk, .init = setup, .fini = teardown);

Test(shrunk, is_not_quantized) {
    godwit_quantize_params params = GODWIT_INIT(godwit_quantize_params);
    params.dtype = GODWIT_Q8_0;
    MUST(godwit_quantize(context, file, &params, out, NULL, &err));
    cr_assert_eq(truncate(in, 4096), 0);
    cr_assert_eq(remove(out), 0);
    cr_assert_eq(godwit_quantize(context, file, &params, out, NULL, &err), GODWIT_IO, "%s",
                 err.message);
    cr_assert(strstr(err.message, in) && strstr(err.message, "4096"), "%s", err.message);
    cr_assert_eq(folder_count(dir), 1, "it left something behind");
}

static off_t size_of(const char *path) {
    struct stat info;
    cr_assert_eq(stat(path, &info), 0);
    return info.st_size;
}

// The model that ships, in a file of the test's own, opened.
static godwit_file *open_story(void) {
    contents model = read_file(GODWIT_TEST_ROOT "/models/story-q8_0.gguf");
    godwit_file *story = NULL;
    write_text(dir, "story.gguf", (const char *)model.bytes, (size_t)model.n);
    drop_file(&model);
    snprintf(out, sizeof out, "%s/story.gguf", dir);
    MUST(godwit_file_open(context, out, &story, &err));
    return story;
}

Test(shrunk, is_not_opened_as_a_model) {
    godwit_device *device = NULL;
    godwit_model *model = NULL;
    godwit_file *story = open_story();
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    MUST(godwit_model_open(device, story, NULL, &model, &err));
    godwit_model_close(&model);
    // Also by less than what is left to be read: the last tensor alone misses bytes.
    cr_assert_eq(truncate(out, size_of(out) - 1), 0);
    cr_assert_eq(godwit_model_open(device, story, NULL, &model, &err), GODWIT_IO, "%s",
                 err.message);
    cr_assert(strstr(err.message, out) && strstr(err.message, "tensor "), "%s", err.message);
    godwit_file_close(&story);
    godwit_device_close(&device);
}

// What was overwritten in place has other bytes, which no length tells.
Test(shrunk, nor_one_that_was_overwritten) {
    godwit_device *device = NULL;
    godwit_model *model = NULL;
    godwit_file *story = open_story();
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    usleep(20000); // a tick of the clock that files are dated by
    int fd = open(out, O_WRONLY);
    cr_assert_eq(pwrite(fd, "godwit", 6, 200000), 6);
    close(fd);
    cr_assert_eq(godwit_model_open(device, story, NULL, &model, &err), GODWIT_IO, "%s",
                 err.message);
    cr_assert(strstr(err.message, out) && strstr(err.message, "written to"), "%s", err.message);
    godwit_file_close(&story);
    godwit_device_close(&device);
}

// Vocabulary and metadata are in memory: all that needs no weights goes on.
Test(shrunk, keeps_its_vocabulary) {
    godwit_file *story = open_story();
    godwit_tokenizer *tokenizer = NULL;
    int32_t ids[16];
    size_t n = 0;
    char text[256];
    cr_assert_eq(truncate(out, 0), 0);
    MUST(godwit_file_check(story, &err));
    MUST(godwit_tokenizer_create(story, &tokenizer, &err));
    MUST(godwit_tokenizer_encode(tokenizer, "Once upon", 9, NULL, ids, 16, &n, &err));
    cr_assert_gt(n, 0);
    for (uint64_t i = 0; i < godwit_file_n_metadata(story); i++) {
        cr_assert_gt(godwit_file_metadata_text(story, i, UINT64_MAX, text, sizeof text), 0);
    }
    godwit_tokenizer_destroy(&tokenizer);
    godwit_file_close(&story);
}

// --- cut while it is read ------------------------------------------------------------------------

typedef struct cutter {
    const char *path;
    int n_left; // calls until it cuts
} cutter;

static bool cut(void *user, const char *what, uint64_t done, uint64_t total) {
    cutter *c = user;
    (void)what;
    (void)done;
    (void)total;
    if (c->n_left-- == 0) cr_assert_eq(truncate(c->path, size_of(c->path) / 2), 0);
    return true;
}

// Whatever had been read by then, nothing is left of it.
Test(shrunk, while_it_is_quantized) {
    for (int n = 0; n < 40; n += 3) {
        char to[600];
        godwit_file *story = open_story();
        cutter c = {out, n};
        godwit_quantize_params params = GODWIT_INIT(godwit_quantize_params);
        params.dtype = n % 2 ? GODWIT_Q4_0 : GODWIT_Q8_0; // which copies rows
        params.n_threads = 2;
        params.progress = cut;
        params.progress_user = &c;
        snprintf(to, sizeof to, "%s/to.gguf", dir);
        cr_assert_eq(godwit_quantize(context, story, &params, to, NULL, &err), GODWIT_IO,
                     "after %d: %s", n, err.message);
        cr_assert(strstr(err.message, out) && strstr(err.message, "tensor ") &&
                      !strstr(err.message, "to.gguf"),
                  "%s", err.message);
        cr_assert_eq(folder_count(dir), 2, "it left something behind");
        godwit_file_close(&story);
    }
}

static void while_it_is_uploaded(const char *which) {
    godwit_device *device = NULL;
    MUST(godwit_device_open(context, which, NULL, &device, &err));
    for (int n = 0; n < 40; n += 3) {
        godwit_model *model = NULL;
        godwit_file *story = open_story();
        cutter c = {out, n};
        godwit_model_params params = GODWIT_INIT(godwit_model_params);
        params.progress = cut;
        params.progress_user = &c;
        cr_assert_eq(godwit_model_open(device, story, &params, &model, &err), GODWIT_IO,
                     "after %d: %s", n, err.message);
        cr_assert(strstr(err.message, out) && strstr(err.message, "tensor "), "%s", err.message);
        godwit_file_close(&story);
    }
    godwit_device_close(&device);
}

Test(shrunk, while_it_is_uploaded) {
    while_it_is_uploaded("cpu");
    if (godwit_context_n_devices(context) > 1) while_it_is_uploaded("0");
}

Test(shrunk, while_it_is_converted) {
    for (int n = 0; n < 12; n += 2) {
        char folder[600], weights[700], to[600];
        folder_make(folder, sizeof folder);
        copy_folder(folder, GODWIT_TEST_ROOT "/tests/golden/hf/plain", "model.safetensors");
        contents c = read_file(GODWIT_TEST_ROOT "/tests/golden/hf/plain/model.safetensors");
        write_text(folder, "model.safetensors", (const char *)c.bytes, (size_t)c.n);
        drop_file(&c);
        snprintf(weights, sizeof weights, "%s/model.safetensors", folder);
        snprintf(to, sizeof to, "%s/to.gguf", dir);
        cutter cuts = {weights, n};
        godwit_quantize_params params = GODWIT_INIT(godwit_quantize_params);
        params.dtype = GODWIT_F16;
        params.progress = cut;
        params.progress_user = &cuts;
        cr_assert_eq(godwit_convert(context, folder, &params, to, NULL, &err), GODWIT_IO,
                     "after %d: %s", n, err.message);
        cr_assert(strstr(err.message, weights) && strstr(err.message, "tensor "), "%s",
                  err.message);
        cr_assert_eq(folder_count(dir), 1, "it left something behind");
        folder_remove(folder);
    }
}
