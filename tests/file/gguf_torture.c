// GGUF under failing memory: the n-th allocation fails, for n = 1, 2, ... until all goes well. Each
// time the error says so and nothing is left behind.
#include "base/status.h"
#include "file/file_support.h"
#include "file/gguf_walk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

typedef godwit_status (*torture_fn)(const gw_host *host, const void *user, godwit_error *err);

static void torture(torture_fn call, const void *user, int64_t least_allocations) {
    for (int64_t n = 1;; n++) {
        counting c;
        godwit_error err = {0};
        counting_init(&c, n);
        godwit_status status = call(&c.host, user, &err);
        cr_assert_eq(c.n_live, 0, "failing allocation %d: %d left", (int)n, (int)c.n_live);
        cr_assert_eq(c.n_bad, 0, "failing allocation %d: freed with another size", (int)n);
        if (c.n_until_failure > 0) {
            cr_assert_eq(status, GODWIT_OK, "%s", err.message);
            cr_assert_geq(n, least_allocations);
            return;
        }
        cr_assert_eq(status, GODWIT_OUT_OF_MEMORY, "failing allocation %d: %s", (int)n,
                     err.message);
        cr_assert_eq(err.status, GODWIT_OUT_OF_MEMORY);
        cr_assert_not_null(strstr(err.message, "out of host memory"), "%s", err.message);
    }
}

static godwit_status parse_and_walk(const gw_host *host, const void *user, godwit_error *err) {
    const bytes *b = user;
    gw_gguf *gguf = NULL;
    godwit_status status = gw_gguf_parse(host, b->data, b->n, "torture", &gguf, err);
    cr_assert_eq(status == GODWIT_OK, gguf != NULL);
    if (gguf) cr_assert_null(gguf_walk(gguf, b->data, b->n));
    gw_gguf_destroy(&gguf);
    return status;
}

Test(gguf_torture, parse_small) {
    bytes b = small_file();
    torture(parse_and_walk, &b, 3);
    bytes_free(&b);
}

// Large enough that the arena takes a block for each part.
Test(gguf_torture, parse_vocabulary) {
    bytes b = bytes_of_file(GODWIT_TEST_ROOT "/models/story-q8_0.gguf");
    torture(parse_and_walk, &b, 3);
    bytes_free(&b);
}

static godwit_status discard(void *user, const void *data, size_t n, godwit_error *err) {
    (void)data;
    (void)err;
    *(size_t *)user += n;
    return GODWIT_OK;
}

static godwit_status build(const gw_host *host, const void *path, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_writer *writer = NULL;
    size_t n = 0;
    GW_TRY(gw_gguf_writer_create(host, &writer, err));
    GW_TRY(small_fill(writer, err));
    for (uint32_t i = 0; i < 40; i++) {
        char key[32];
        snprintf(key, sizeof key, "key.%u", i);
        GW_TRY(gw_gguf_writer_set_u32(writer, key, i, err));
    }
    GW_TRY(gw_gguf_writer_emit(writer, discard, &n, err));
    GW_TRY(gw_gguf_writer_save(writer, path, err));
done:
    gw_gguf_writer_destroy(&writer);
    return status;
}

Test(gguf_torture, write) {
    char dir[256], path[300];
    files_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/out.gguf", dir);
    torture(build, path, 8);
    cr_assert_eq(files_count(dir), 1);
    files_remove(dir);
}
