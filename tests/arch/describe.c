// Describing a file: what is said of it does not depend on how much memory there is. Without enough
// nothing is said, and that is no fault of the file.
#include "godwit/godwit.h"
#include "support/failing.h"

#include <criterion/criterion.h>
#include <string.h>

#define MODEL GODWIT_TEST_ROOT "/models/story-q8_0.gguf"

typedef struct text {
    char bytes[4096];
    size_t n;
} text;

static bool keep(void *user, const char *bytes, size_t n) {
    text *t = user;
    cr_assert_lt(t->n + n, sizeof t->bytes);
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    return true;
}

static godwit_status describe(godwit_context *context, text *out, godwit_error *err) {
    godwit_file *file = NULL;
    *out = (text){.n = 0};
    godwit_status status = godwit_file_open(context, MODEL, &file, err);
    if (status == GODWIT_OK) status = godwit_file_describe(file, keep, out, err);
    if (status == GODWIT_OK) status = godwit_file_check(file, err);
    godwit_file_close(&file);
    return status;
}

Test(describe, without_memory) {
    failing f = {0};
    text all = {.n = 0}, got;
    godwit_error err = {0};
    godwit_context *context = NULL;
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    const godwit_allocator allocator = {.user = &f, .realloc = failing_realloc};
    params.allocator = &allocator;
    cr_assert_eq(godwit_context_create(&params, &context, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(describe(context, &all, &err), GODWIT_OK, "%s", err.message);
    cr_assert(strstr(all.bytes, "nothing: it runs"), "%s", all.bytes);
    int64_t held = f.held;
    for (uint32_t n = 1;; n++) {
        f.until_failure = n;
        godwit_status status = describe(context, &got, &err);
        cr_assert_eq(f.held, held, "request %u: something leaked", n);
        if (f.until_failure) { // so many there are not
            cr_assert_eq(status, GODWIT_OK);
            cr_assert_gt(n, 20);
            break;
        }
        cr_assert_eq(status, GODWIT_OUT_OF_MEMORY, "request %u: %s", n, err.message);
        cr_assert(got.n == 0 || (got.n == all.n && !memcmp(got.bytes, all.bytes, all.n)),
                  "request %u: %s", n, got.bytes);
    }
    godwit_context_destroy(&context);
}
