// File: what is opened, what is refused, and a file that changes below us.
#include "base/file.h"

#include "support/folder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128], text[16];
static gw_host host;
static gw_file file;
static godwit_error err;

static void setup(void) {
    folder_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/file", dir);
    gw_host_init(&host, NULL, NULL, NULL);
}

static void teardown(void) {
    folder_remove(dir);
}

TestSuite(file, .init = setup, .fini = teardown);

static void make_file(const char *content) {
    FILE *to = fopen(path, "wb");
    cr_assert_not_null(to);
    fputs(content, to);
    fclose(to);
}

Test(file, reads_by_position) {
    make_file("godwit");
    cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(file.n_bytes, 6);
    cr_assert_eq(gw_file_read(&file, 3, text, 3, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_file_read(&file, 0, text + 3, 3, &err), GODWIT_OK, "%s", err.message);
    cr_assert_str_eq(text, "witgod");
    cr_assert_eq(gw_file_read(&file, 6, text, 0, &err), GODWIT_OK);
    cr_assert_eq(gw_file_read(&file, 4, text, 3, &err), GODWIT_IO);
    cr_assert_not_null(strstr(err.message, path));
    gw_file_close(&file);
    gw_file_close(&file);
}

// Once it is not what was opened, no byte of it counts, wherever the change was.
Test(file, tells_of_a_file_that_changed) {
    static const struct {
        off_t size;       // 0: it is written to
        const char *says; // of the message
    } changes[] = {{5, "from 6 to 5 bytes"}, {9, "written to"}, {0, "written to"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_file("godwit");
        cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_OK);
        cr_assert_eq(gw_file_read(&file, 0, text, 3, &err), GODWIT_OK);
        usleep(20000); // a tick of the clock that files are dated by
        if (changes[i].size) {
            cr_assert_eq(truncate(path, changes[i].size), 0);
        } else {
            int fd = open(path, O_WRONLY);
            cr_assert_eq(pwrite(fd, "x", 1, 5), 1);
            close(fd);
        }
        cr_assert_eq(gw_file_read(&file, 0, text, 3, &err), GODWIT_IO, "%d", (int)i);
        cr_assert(strstr(err.message, changes[i].says) && strstr(err.message, path), "%s",
                  err.message);
        gw_file_close(&file);
    }
}

// A file that is replaced by rename is another one: what was opened stays.
Test(file, outlives_its_name) {
    make_file("godwit");
    cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_OK);
    cr_assert_eq(unlink(path), 0);
    make_file("another");
    cr_assert_eq(gw_file_read(&file, 0, text, 6, &err), GODWIT_OK, "%s", err.message);
    cr_assert_str_eq(text, "godwit");
    gw_file_close(&file);
}

Test(file, refuses_what_is_no_file) {
    cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_IO);
    cr_assert_eq(err.driver_code, ENOENT);
    cr_assert_not_null(strstr(err.message, path));
    cr_assert_eq(gw_file_open(dir, &file, &err), GODWIT_MALFORMED);
    cr_assert_not_null(strstr(err.message, "directory"));
    make_file("");
    cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_MALFORMED);
    cr_assert_not_null(strstr(err.message, "empty"));
    cr_assert_null(file.path);
}

// Without care, opening a pipe waits for a writer for ever.
Test(file, does_not_wait_on_a_pipe, .timeout = 10) {
    cr_assert_eq(mkfifo(path, 0644), 0);
    cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_MALFORMED);
}

Test(file, a_zeroed_file_closes_nothing) {
    gw_file zero = {0};
    int before = fcntl(0, F_GETFD);
    gw_file_close(&zero);
    cr_assert_eq(fcntl(0, F_GETFD), before);
}

Test(file, loads_up_to_a_limit) {
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    make_file("godwit");
    cr_assert_eq(gw_file_load(&host, path, 6, &bytes, &n, &err), GODWIT_OK, "%s", err.message);
    cr_assert(n == 6 && memcmp(bytes, "godwit", 6) == 0);
    gw_free(&host, bytes, n);
    cr_assert_eq(gw_file_load(&host, path, 5, &bytes, &n, &err), GODWIT_MALFORMED);
    cr_assert(!bytes && n == 0 && strstr(err.message, path));
}

// The file descriptor is given back, or a server would run out of them.
Test(file, leaks_no_descriptor) {
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    make_file("godwit");
    int first = dup(0);
    close(first);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(gw_file_open(path, &file, &err), GODWIT_OK);
        gw_file_close(&file);
        cr_assert_eq(gw_file_open(dir, &file, &err), GODWIT_MALFORMED);
        cr_assert_eq(gw_file_load(&host, path, 5, &bytes, &n, &err), GODWIT_MALFORMED);
    }
    int last = dup(0);
    cr_assert_eq(first, last);
}
