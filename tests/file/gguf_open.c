// A file opened is what its bytes are, however long its header: it is read piece by piece until all
// of that is there, and no further.
#include "base/status.h"
#include "file/file_support.h"
#include "file/gguf_walk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[256], path[300];
static gw_host host;
static godwit_error err;

static void setup(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    files_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/m.gguf", dir);
}

static void teardown(void) {
    files_remove(dir);
}

TestSuite(gguf_open, .init = setup, .fini = teardown);

// Names of n_tokens, whose count decides how long the header is, around a tensor.
static void write_long(uint32_t n_tokens) {
    static const float ones[4] = {1, 1, 1, 1};
    gw_gguf_writer *writer = NULL;
    gw_str *tokens = malloc(n_tokens * sizeof *tokens);
    char *texts = malloc((size_t)n_tokens * 16);
    cr_assert(tokens && texts);
    for (uint32_t i = 0; i < n_tokens; i++) {
        int n = snprintf(texts + (size_t)i * 16, 16, "token %u", i);
        tokens[i] = (gw_str){texts + (size_t)i * 16, (size_t)n};
    }
    cr_assert_eq(gw_gguf_writer_create(&host, &writer, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_u32(writer, "first", 7, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_strs(writer, "tokens", tokens, n_tokens, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_u32(writer, "last", 9, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "w", 0, 1, (uint64_t[]){4}, ones, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
    free(tokens);
    free(texts);
}

static void check_long(uint32_t n_tokens) {
    gw_gguf *gguf = NULL;
    counting c;
    uint32_t u = 0;
    gw_str text;
    char want[32];
    counting_init(&c, 0);
    cr_assert_eq(gw_gguf_open(&c.host, path, &gguf, &err), GODWIT_OK, "%s", err.message);
    // The file may be gone: all but the tensors is in memory.
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert_eq(gw_gguf_require_u32(gguf, "first", 0, 9, &u, &err), GODWIT_OK);
    cr_assert_eq(u, 7);
    cr_assert_eq(gw_gguf_require_u32(gguf, "last", 0, 9, &u, &err), GODWIT_OK);
    cr_assert_eq(u, 9);
    const gw_gguf_value *tokens = gw_gguf_find(gguf, "tokens");
    cr_assert(tokens && tokens->n_items == n_tokens);
    for (uint32_t i = 0; i < n_tokens; i++) {
        int n = snprintf(want, sizeof want, "token %u", i);
        cr_assert_eq(gw_gguf_item_str(tokens, i, &text, &err), GODWIT_OK);
        cr_assert(gw_str_eq(text, (gw_str){want, (size_t)n}), "%u", i);
    }
    cr_assert_not_null(gw_gguf_find_tensor(gguf, "w"));
    gw_gguf_destroy(&gguf);
    cr_assert(c.n_live == 0 && c.n_bad == 0);
}

Test(gguf_open, headers_of_any_length) {
    for (uint32_t n = 1; n < 200000; n = n * 3 + 1) {
        write_long(n);
        check_long(n);
    }
    // Around the end of the first piece, which is 2^18 bytes.
    for (uint32_t n = 13700; n < 13900; n += 7) {
        write_long(n);
        check_long(n);
    }
}

// What a header claims costs no more memory than the file shows.
Test(gguf_open, claims_are_no_memory) {
    counting c;
    gw_gguf *gguf = NULL;
    bytes b = {0};
    bytes_add(&b, "GGUF", 4);
    bytes_u32(&b, 3);
    bytes_u64(&b, 0);
    bytes_u64(&b, 1);
    bytes_str(&b, "tokens");
    bytes_u32(&b, GW_GGUF_ARRAY);
    bytes_u32(&b, GW_GGUF_STRING);
    bytes_u64(&b, GW_GGUF_MAX_ARRAY_ITEMS);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(b.data, 1, b.n, file) == b.n);
    fclose(file);
    cr_assert_eq(truncate(path, (off_t)8 << 30), 0); // a hole: strings of no bytes
    bytes_free(&b);
    counting_init(&c, 0);
    cr_assert_eq(gw_gguf_open(&c.host, path, &gguf, &err), GODWIT_UNSUPPORTED, "%s", err.message);
    cr_assert(strstr(err.message, "header of over"), "%s", err.message);
    cr_assert(c.n_live == 0 && c.n_bad == 0);
}
