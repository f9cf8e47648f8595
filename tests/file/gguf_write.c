// GGUF writer: what it writes is read back the same, and what cannot be written is refused, without
// a trace in the folder.
#include "file/gguf_write.h"

#include "base/status.h"
#include "file/file_support.h"
#include "file/gguf_walk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static gw_host host;
static godwit_error err;
static gw_gguf_writer *writer;
static char dir[256], path[300];

static void setup(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert_eq(gw_gguf_writer_create(&host, &writer, &err), GODWIT_OK);
    files_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/model.gguf", dir);
}

static void teardown(void) {
    gw_gguf_writer_destroy(&writer);
    cr_assert_null(writer);
    gw_gguf_writer_destroy(&writer);
    files_remove(dir);
}

TestSuite(gguf_write, .init = setup, .fini = teardown);

// Copies all of a file through a writer.
static bytes rewrite(const bytes *in) {
    gw_gguf *gguf = NULL;
    gw_gguf_writer *copy = NULL;
    bytes out = {0};
    cr_assert_eq(gw_gguf_parse(&host, in->data, in->n, "in", &gguf, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_eq(gw_gguf_writer_create(&host, &copy, &err), GODWIT_OK);
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++) {
        cr_assert_eq(gw_gguf_writer_copy(copy, gw_gguf_value_at(gguf, i), &err), GODWIT_OK);
    }
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        cr_assert_eq(gw_gguf_writer_add_bytes(copy, t->name, t->type, t->n_dims, t->dims,
                                              t->source.bytes, &err),
                     GODWIT_OK, "%s", err.message);
    }
    cr_assert_eq(gw_gguf_writer_emit(copy, bytes_out, &out, &err), GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&copy);
    gw_gguf_destroy(&gguf);
    return out;
}

// The format's own package lays its files out as this writer does, so a copy is the same file.
static void check_copy(const char *file) {
    bytes in = bytes_of_file(file), out = rewrite(&in);
    cr_assert_eq(out.n, in.n, "%zu bytes, not %zu", out.n, in.n);
    cr_assert_eq(memcmp(out.data, in.data, in.n), 0);
    bytes_free(&in);
    bytes_free(&out);
}

Test(gguf_write, copy_is_the_same_file) {
    char buffer[512];
    check_copy(golden_path(buffer, sizeof buffer, "all-types.gguf"));
}

Test(gguf_write, copy_of_a_model_is_the_same_file) {
    check_copy(GODWIT_TEST_ROOT "/tests/golden/run/small.gguf");
}

Test(gguf_write, saved_file_reads_back) {
    gw_gguf *gguf = NULL;
    uint32_t u = 0;
    gw_str text;
    cr_assert_eq(small_fill(writer, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(files_count(dir), 1);
    bytes file = bytes_of_file(path);
    cr_assert_eq(gw_gguf_parse(&host, file.data, file.n, path, &gguf, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_null(gguf_walk(gguf, file.data, file.n));
    cr_assert_eq(gw_gguf_version(gguf), 3);
    cr_assert_eq(gw_gguf_n_values(gguf), 9);
    cr_assert_eq(gw_gguf_require_u32(gguf, "general.alignment", 1, 999, &u, &err), GODWIT_OK);
    cr_assert_eq(u, 64);
    const gw_gguf_value *words = gw_gguf_find(gguf, "words");
    cr_assert_eq(words->n_items, 3);
    cr_assert_eq(gw_gguf_item_str(words, 2, &text, &err), GODWIT_OK);
    cr_assert(gw_str_eq(text, GW_STR("godwit")));
    const gw_gguf_tensor *up = gw_gguf_find_tensor(gguf, "up");
    cr_assert_eq(up->type, 8);
    cr_assert_eq(up->n_dims, 2);
    cr_assert_eq(up->dims[0], 2);
    cr_assert_eq(up->dims[1], 64);
    cr_assert_eq(up->bytes, 2 * 2 * 34);
    cr_assert_eq(up->offset % 64, 0);
    cr_assert_eq(up->source.bytes[0], 38); // the second byte of small_fill's pattern
    gw_gguf_destroy(&gguf);
    bytes_free(&file);
}

Test(gguf_write, set_again_replaces_in_place) {
    bytes out = {0};
    gw_gguf *gguf = NULL;
    uint32_t u = 0;
    cr_assert_eq(gw_gguf_writer_set_u32(writer, "a", 1, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_u32(writer, "b", 2, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_str(writer, "a", GW_STR("x"), &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_u32(writer, "b", 7, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_emit(writer, bytes_out, &out, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_parse(&host, out.data, out.n, NULL, &gguf, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_eq(gw_gguf_n_values(gguf), 2);
    cr_assert(gw_str_eq(gw_gguf_value_at(gguf, 0)->key, GW_STR("a")));
    cr_assert_eq(gw_gguf_value_at(gguf, 0)->type, GW_GGUF_STRING);
    cr_assert_eq(gw_gguf_get_u32(gguf, "b", 0, 9, 0, &u, &err), GODWIT_OK);
    cr_assert_eq(u, 7);
    gw_gguf_destroy(&gguf);
    bytes_free(&out);
}

Test(gguf_write, refuses_what_the_reader_would) {
    static const uint8_t data[4096];
    const uint64_t d32[] = {32}, d31[] = {31}, d0[] = {4, 0};
    const uint64_t huge[] = {UINT64_MAX / 2, 32}, d5[] = {1, 1, 1, 1, 1};
    struct {
        const char *name;
        uint32_t type, n_dims;
        const uint64_t *dims;
        godwit_status want;
    } cases[] = {
        {"a", 8, 1, d31, GODWIT_MALFORMED},
        {"a", 0, 0, d32, GODWIT_MALFORMED},
        {"a", 0, 5, d5, GODWIT_MALFORMED},
        {"a", 0, 2, d0, GODWIT_MALFORMED},
        {"a", 0, 2, huge, GODWIT_MALFORMED},
        {"a", 4, 1, d32, GODWIT_UNSUPPORTED},
        {"a", 999, 1, d32, GODWIT_UNSUPPORTED},
        {"", 0, 1, d32, GODWIT_INVALID_ARGUMENT},
        {"a\nb", 0, 1, d32, GODWIT_INVALID_ARGUMENT},
        {"\xff", 0, 1, d32, GODWIT_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (godwit_error){0};
        cr_expect_eq(gw_gguf_writer_add_bytes(writer, cases[i].name, cases[i].type, cases[i].n_dims,
                                              cases[i].dims, data, &err),
                     cases[i].want, "case %zu: %s", i, err.message);
        cr_expect_neq(err.message[0], 0, "case %zu", i);
    }
    cr_expect_eq(gw_gguf_writer_set_u32(writer, "", 1, &err), GODWIT_INVALID_ARGUMENT);
    cr_expect_eq(gw_gguf_writer_set_array(writer, "k", GW_GGUF_STRING, data, 1, &err),
                 GODWIT_INVALID_ARGUMENT);
    cr_expect_eq(gw_gguf_writer_set_array(writer, "k", GW_GGUF_U8, data,
                                          (uint64_t)GW_GGUF_MAX_ARRAY_ITEMS + 1, &err),
                 GODWIT_INVALID_ARGUMENT);
    cr_expect_eq(gw_gguf_writer_set_array(writer, "k", GW_GGUF_U64, data, UINT64_MAX, &err),
                 GODWIT_INVALID_ARGUMENT);
}

Test(gguf_write, refuses_a_name_that_comes_twice) {
    static const uint8_t data[64];
    bytes out = {0};
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "a", 24, 1, (uint64_t[]){4}, data, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "a", 24, 1, (uint64_t[]){4}, data, &err),
                 GODWIT_OK);
    cr_assert_neq(gw_gguf_writer_emit(writer, bytes_out, &out, &err), GODWIT_OK);
    cr_assert_not_null(strstr(err.message, "same name"));
    cr_assert_eq(out.n, 0);
}

Test(gguf_write, refuses_a_bad_alignment) {
    static const uint32_t bad[] = {0, 1, 4, 48, (1 << 20) + 1, 1 << 21, UINT32_MAX};
    bytes out = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(gw_gguf_writer_set_u32(writer, "general.alignment", bad[i], &err), GODWIT_OK);
        cr_expect_neq(gw_gguf_writer_emit(writer, bytes_out, &out, &err), GODWIT_OK, "%u", bad[i]);
    }
    cr_assert_eq(out.n, 0);
}

// Writes as many bytes as user says, whatever the tensor's size.
static godwit_status write_some(void *user, const gw_gguf_tensor *tensor, gw_gguf_sink *sink,
                                godwit_error *e) {
    (void)tensor;
    const int *n = user;
    godwit_status status = GODWIT_OK;
    if (*n < 0) GW_FAIL(e, GODWIT_CANCELLED, "the callback's own reason");
    for (int i = 0; i < *n; i++) GW_TRY(gw_gguf_sink_write(sink, "x", 1, e));
done:
    return status;
}

// Whatever the callback does wrong, the old file stays and no temporary one does.
Test(gguf_write, failed_save_leaves_the_old_file) {
    static const struct {
        int n;
        godwit_status want;
        const char *message;
    } cases[] = {{9, GODWIT_INVALID_ARGUMENT, "1 of its 10 bytes"},
                 {11, GODWIT_INVALID_ARGUMENT, "only 0 are left"},
                 {-1, GODWIT_CANCELLED, "tensor a: the callback's own reason"},
                 {10, GODWIT_OK, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        cr_assert_eq(write(fd, "old", 3), 3);
        close(fd);
        gw_gguf_writer *w = NULL;
        int n = cases[i].n;
        err.message[0] = 0;
        cr_assert_eq(gw_gguf_writer_create(&host, &w, &err), GODWIT_OK);
        cr_assert_eq(
            gw_gguf_writer_add_tensor(w, "a", 24, 1, (uint64_t[]){10}, write_some, &n, &err),
            GODWIT_OK);
        cr_expect_eq(gw_gguf_writer_save(w, path, &err), cases[i].want, "%s", err.message);
        cr_expect_not_null(strstr(err.message, cases[i].message), "%s", err.message);
        gw_gguf_writer_destroy(&w);
        bytes now = bytes_of_file(path);
        cr_expect_eq(now.n == 3, cases[i].want != GODWIT_OK);
        bytes_free(&now);
        cr_expect_eq(files_count(dir), 1);
    }
}

Test(gguf_write, full_disk_leaves_nothing) {
    static uint8_t big[1 << 20];
    // A file size limit stands for a full disk; its signal must not kill us.
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(gw_gguf_writer_add_bytes(writer, "a", 24, 1, (uint64_t[]){sizeof big}, big, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_save(writer, path, &err), GODWIT_IO);
    cr_assert_eq(err.driver_code, EFBIG);
    cr_assert_not_null(strstr(err.message, path));
    cr_assert_eq(files_count(dir), 0);
}

Test(gguf_write, refuses_places_that_are_no_files) {
    cr_assert_eq(gw_gguf_writer_save(writer, "/dev/null", &err), GODWIT_INVALID_ARGUMENT);
    struct stat info;
    cr_assert_eq(stat("/dev/null", &info), 0);
    cr_assert(S_ISCHR(info.st_mode));
    cr_assert_eq(gw_gguf_writer_save(writer, dir, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_gguf_writer_save(writer, "/no/such/folder/x.gguf", &err), GODWIT_IO);
    cr_assert_eq(err.driver_code, ENOENT);
}

// An empty file is a file: no pairs, no tensors.
Test(gguf_write, nothing_is_a_file) {
    bytes out = {0};
    gw_gguf *gguf = NULL;
    cr_assert_eq(gw_gguf_writer_emit(writer, bytes_out, &out, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_parse(&host, out.data, out.n, "empty", &gguf, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_eq(gw_gguf_n_tensors(gguf) + gw_gguf_n_values(gguf), 0);
    cr_assert_null(gw_gguf_find(gguf, "general.name"));
    cr_assert_null(gw_gguf_find_tensor(gguf, "output.weight"));
    gw_gguf_destroy(&gguf);
    bytes_free(&out);
}

// Out callback of a file whose zeros are a hole.
typedef struct hole {
    uint64_t n;
    bytes head;
} hole;

static godwit_status hole_out(void *user, const void *data, size_t n, godwit_error *e) {
    (void)e;
    hole *h = user;
    if (h->n < 4096) bytes_add(&h->head, data, n < 4096 ? n : 4096);
    h->n += n;
    return GODWIT_OK;
}

static godwit_status write_zeros(void *user, const gw_gguf_tensor *tensor, gw_gguf_sink *sink,
                                 godwit_error *e) {
    (void)user;
    static const uint8_t zeros[1 << 20];
    godwit_status status = GODWIT_OK;
    for (uint64_t left = tensor->bytes; left > 0;) {
        size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;
        GW_TRY(gw_gguf_sink_write(sink, zeros, n, e));
        left -= n;
    }
done:
    return status;
}

// Offsets past 4 GiB, in a sparse file.
Test(gguf_write, file_of_five_gigabytes) {
    const uint64_t rows = (uint64_t)5 << 20;
    hole h = {0};
    gw_gguf *gguf = NULL;
    cr_assert_eq(gw_gguf_writer_add_tensor(writer, "big", 24, 2, (uint64_t[]){rows, 1024},
                                           write_zeros, NULL, &err),
                 GODWIT_OK);
    cr_assert_eq(
        gw_gguf_writer_add_tensor(writer, "last", 0, 1, (uint64_t[]){3}, write_zeros, NULL, &err),
        GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_emit(writer, hole_out, &h, &err), GODWIT_OK, "%s", err.message);
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    cr_assert_eq(write(fd, h.head.data, h.head.n), (ssize_t)h.head.n);
    cr_assert_eq(ftruncate(fd, (off_t)h.n), 0);
    cr_assert_eq(pwrite(fd, "\x2a", 1, (off_t)(h.n - 32 + 11)), 1);
    close(fd);
    bytes_free(&h.head);
    cr_assert_eq(gw_gguf_open(&host, path, &gguf, &err), GODWIT_OK, "%s", err.message);
    const gw_gguf_tensor *last = gw_gguf_find_tensor(gguf, "last");
    cr_assert_gt(last->offset, (uint64_t)5 << 30);
    uint8_t byte = 0;
    const uint8_t *at = NULL;
    cr_assert_eq(gw_source_view(&last->source, 11, 1, &byte, &at, &err), GODWIT_OK);
    cr_assert_eq(*at, 0x2a);
    cr_assert_null(gguf_walk(gguf, NULL, h.n));
    gw_gguf_destroy(&gguf);
}
