// Every allocation of a conversion may fail: an error, nothing leaked, nothing left on the disk.
#include "convert/convert_support.h"
#include "convert/hf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct failing {
    int64_t n_left, n_live; // allocations until one fails; blocks that are not freed
    size_t live_bytes;
} failing;

static void *failing_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    failing *f = user;
    if (new_bytes == 0) {
        f->n_live -= ptr != NULL;
        f->live_bytes -= old_bytes;
        free(ptr);
        return NULL;
    }
    if (f->n_left-- == 0) return NULL;
    void *grown = realloc(ptr, new_bytes);
    f->n_live += !ptr;
    f->live_bytes += new_bytes - (ptr ? old_bytes : 0);
    return grown;
}

typedef godwit_status (*work_fn)(const gw_host *host, const char *out, godwit_error *err);

static godwit_status convert(const gw_host *host, const char *out, godwit_error *err) {
    godwit_quantize_params params = {.dtype = GODWIT_Q8_0};
    godwit_quantize_result result;
    return gw_convert_folder(host, GODWIT_TEST_ROOT "/tests/golden/hf/spm", &params, out, &result,
                             err);
}

static godwit_status quantize(const gw_host *host, const char *out, godwit_error *err) {
    godwit_quantize_params params = {.dtype = GODWIT_Q4_0};
    godwit_quantize_result result;
    opened file = open_gguf(GODWIT_TEST_ROOT "/tests/golden/convert/blocks.gguf");
    godwit_tensor_rule rule = {"*_1", GODWIT_F16};
    params.rules = &rule;
    params.n_rules = 1;
    godwit_status status = gw_quantize_file(host, file.gguf, &params, out, &result, err);
    close_gguf(&file);
    return status;
}

static void fail_each(work_fn work) {
    char dir[512], out[600];
    int64_t n = 0;
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (;; n++) {
        gw_host host;
        failing f = {.n_left = n};
        godwit_error err = {0};
        godwit_allocator allocator = {.user = &f, .realloc = failing_realloc};
        gw_host_init(&host, &allocator, NULL, NULL);
        godwit_status status = work(&host, out, &err);
        cr_assert_eq(f.n_live, 0, "allocation %d: %d blocks leaked", (int)n, (int)f.n_live);
        cr_assert_eq(f.live_bytes, 0, "allocation %d: sizes do not match", (int)n);
        if (status == GODWIT_OK) break;
        cr_assert_eq(status, GODWIT_OUT_OF_MEMORY, "allocation %d: %s", (int)n, err.message);
        cr_assert_eq(folder_count(dir), 0, "allocation %d: a file is left", (int)n);
        cr_assert_lt(n, 10000);
    }
    cr_expect_gt(n, 10);
    folder_remove(dir);
}

Test(memory, convert) {
    fail_each(convert);
}

Test(memory, quantize) {
    fail_each(quantize);
}
