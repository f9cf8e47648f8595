// A file that was cut short after it was opened: reading what is gone would be a SIGBUS, so the
// calls that read the whole of it look first, and say which file it was.
#include "convert/convert_support.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

Test(shrunk, is_not_opened_as_a_model) {
    godwit_device *device = NULL;
    godwit_model *model = NULL;
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    cr_assert_eq(truncate(in, 4096), 0);
    cr_assert_eq(godwit_model_open(device, file, NULL, &model, &err), GODWIT_IO, "%s", err.message);
    cr_assert(strstr(err.message, in), "%s", err.message);
    godwit_device_close(&device);
}

Test(shrunk, gives_no_tokenizer) {
    char path[512];
    size_t n = 0;
    godwit_file *copy = NULL;
    godwit_tokenizer *tokenizer = NULL;
    char *bytes = stories_read(stories_small(path, sizeof path), &n);
    FILE *to = fopen(out, "wb");
    cr_assert(to && fwrite(bytes, 1, n, to) == n);
    fclose(to);
    free(bytes);
    MUST(godwit_file_open(context, out, &copy, &err));
    MUST(godwit_tokenizer_create(copy, &tokenizer, &err));
    godwit_tokenizer_destroy(&tokenizer);
    cr_assert_eq(truncate(out, 1000), 0);
    cr_assert_eq(godwit_tokenizer_create(copy, &tokenizer, &err), GODWIT_IO, "%s", err.message);
    cr_assert(strstr(err.message, out), "%s", err.message);
    godwit_file_close(&copy);
}
