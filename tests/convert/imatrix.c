// Imatrix: both containers, means, and what is refused.
#include "convert/convert_support.h"
#include "convert/imatrix.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

typedef struct bytes {
    uint8_t data[1024];
    size_t n;
} bytes;

static void put_u32(bytes *b, uint32_t number) {
    for (int i = 0; i < 4; i++) b->data[b->n++] = (uint8_t)(number >> 8 * i);
}

static void put_entry(bytes *b, const char *name, uint32_t n_calls, uint32_t n,
                      const float *values) {
    put_u32(b, (uint32_t)strlen(name));
    memcpy(b->data + b->n, name, strlen(name));
    b->n += strlen(name);
    put_u32(b, n_calls);
    put_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], 4);
        put_u32(b, bits);
    }
}

static bytes two_entries(void) {
    bytes b = {0};
    put_u32(&b, 2);
    put_entry(&b, "blk.0.ffn_up.weight", 4, 3, (float[]){8, 2, 0});
    put_entry(&b, "zeros", 1, 2, (float[]){0, 0});
    return b;
}

static void expect_values(const gw_imatrix *m, const char *name, uint64_t n_cols, uint64_t n_rows,
                          const float *want, uint64_t n_want) {
    const float *w = NULL;
    uint64_t n = 0;
    godwit_error err = {0};
    cr_assert_eq(gw_imatrix_find(m, name, n_cols, n_rows, &w, &n, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_eq(n, n_want);
    for (uint64_t i = 0; i < n; i++) cr_expect_eq(w[i], want[i], "%s[%d]: %g", name, (int)i, w[i]);
}

Test(imatrix, binary) {
    bytes b = two_entries();
    gw_imatrix *m = NULL;
    godwit_error err = {0};
    cr_assert_eq(gw_imatrix_parse(plain_host(), b.data, b.n, "x", &m, &err), GODWIT_OK, "%s",
                 err.message);
    cr_expect_eq(gw_imatrix_n(m), 2);
    expect_values(m, "blk.0.ffn_up.weight", 3, 1, (float[]){2, 0.5f, 0}, 3);
    expect_values(m, "blk.0.ffn_down.weight", 3, 1, NULL, 0);
    expect_values(m, "zeros", 2, 1, NULL, 0);
    const float *w;
    uint64_t n;
    cr_expect_eq(gw_imatrix_find(m, "blk.0.ffn_up.weight", 4, 1, &w, &n, &err), GODWIT_MALFORMED);
    cr_expect_not_null(strstr(err.message, "another model"));
    // Its values would do for three rows of one column, but are those of another tensor.
    cr_expect_eq(gw_imatrix_find(m, "blk.0.ffn_up.weight", 1, 1, &w, &n, &err), GODWIT_MALFORMED);
    cr_expect_eq(gw_imatrix_find(m, "blk.0.ffn_up.weight", 1, 2, &w, &n, &err), GODWIT_MALFORMED);
    gw_imatrix_destroy(&m);
}

Test(imatrix, every_cut_is_refused) {
    bytes b = two_entries();
    for (size_t n = 0; n < b.n; n++) {
        gw_imatrix *m = NULL;
        godwit_error err = {0};
        cr_expect_eq(gw_imatrix_parse(plain_host(), b.data, n, "cut", &m, &err), GODWIT_MALFORMED,
                     "%d bytes", (int)n);
        cr_expect_null(m);
        cr_expect_not_null(strstr(err.message, "cut: "));
    }
}

Test(imatrix, bad_values) {
    const float bad[] = {-1, NAN, INFINITY};
    for (int i = 0; i < 3; i++) {
        bytes b = {0};
        gw_imatrix *m = NULL;
        godwit_error err = {0};
        put_u32(&b, 1);
        put_entry(&b, "w", 1, 2, (float[]){1, bad[i]});
        cr_expect_eq(gw_imatrix_parse(plain_host(), b.data, b.n, "x", &m, &err), GODWIT_MALFORMED);
        cr_expect_not_null(strstr(err.message, "w: importance 1"), "%s", err.message);
    }
    bytes twice = {0};
    gw_imatrix *m = NULL;
    godwit_error err = {0};
    put_u32(&twice, 2);
    put_entry(&twice, "w", 1, 1, (float[]){1});
    put_entry(&twice, "w", 1, 1, (float[]){1});
    cr_expect_eq(gw_imatrix_parse(plain_host(), twice.data, twice.n, "x", &m, &err),
                 GODWIT_MALFORMED);
}

static void write_matrix(const char *path, const float *sums, const float *counts,
                         uint64_t n_counts) {
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "e.weight.in_sum2", GODWIT_F32, 2,
                                          (uint64_t[]){2, 4}, sums, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "e.weight.counts", GODWIT_F32, 2,
                                          (uint64_t[]){n_counts, 1}, counts, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
}

// Two experts; nothing has met the second, whose columns then count alike.
Test(imatrix, gguf) {
    char dir[512], path[600];
    gw_imatrix *m = NULL;
    godwit_error err = {0};
    folder_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/matrix.gguf", dir);
    write_matrix(path, (float[]){2, 4, 6, 8, 0, 0, 0, 0}, (float[]){2, 0}, 2);
    cr_assert_eq(gw_imatrix_open(plain_host(), path, &m, &err), GODWIT_OK, "%s", err.message);
    expect_values(m, "e.weight", 4, 2, (float[]){1, 2, 3, 4, 1, 1, 1, 1}, 8);
    const float *w;
    uint64_t n;
    cr_expect_eq(gw_imatrix_find(m, "e.weight", 4, 1, &w, &n, &err), GODWIT_MALFORMED);
    cr_expect_eq(gw_imatrix_find(m, "e.weight", 4, 4, &w, &n, &err), GODWIT_MALFORMED);
    gw_imatrix_destroy(&m);
    folder_remove(dir);
}

static void expect_refused(const char *path, const char *says) {
    gw_imatrix *m = NULL;
    godwit_error err = {0};
    cr_expect_eq(gw_imatrix_open(plain_host(), path, &m, &err), GODWIT_MALFORMED);
    cr_expect_not_null(strstr(err.message, says), "%s", err.message);
    cr_expect_eq(strncmp(err.message, path, strlen(path)), 0, "%s", err.message);
    cr_expect_null(strstr(err.message + 1, path), "named twice: %s", err.message);
}

// Whatever is wrong with it, and whoever finds that: the file is named, once.
Test(imatrix, a_bad_gguf_is_named_once) {
    char dir[512], path[600];
    gw_gguf_writer *writer = NULL;
    godwit_error err = {0};
    folder_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/matrix.gguf", dir);
    write_matrix(path, (float[]){2, 4, 6, 8, 0, 0, 0, 0}, (float[]){2, 0, 1}, 3);
    expect_refused(path, "counts");
    write_matrix(path, (float[]){2, 4, -6, 8, 0, 0, 0, 0}, (float[]){2, 0}, 2);
    expect_refused(path, "e.weight: importance 2");
    write_matrix(path, (float[]){2, 4, 6, 8, 0, 0, 0, 0}, (float[]){2, NAN}, 2);
    expect_refused(path, "tensor e.weight.counts: count 1 is nan");
    write_matrix(path, (float[]){2, 4, 6, 8, 0, 0, 0, 0}, (float[]){-2, 1}, 2);
    expect_refused(path, "tensor e.weight.counts: count 0 is -2");
    cr_assert_eq(truncate(path, 100), 0);
    expect_refused(path, "truncated?");
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &writer, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&writer);
    expect_refused(path, "no importance matrix");
    folder_remove(dir);
}
