// Map: what is mapped, what is refused, and a file that shrinks below us.
#include "base/map.h"

#include "file/file_support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[256], path[300];
static gw_map map;
static godwit_error err;

static void setup(void) {
    files_make(dir, sizeof dir);
    snprintf(path, sizeof path, "%s/file", dir);
}

static void teardown(void) {
    files_remove(dir);
}

TestSuite(map, .init = setup, .fini = teardown);

static void make_file(const char *text) {
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(map, maps_the_bytes) {
    make_file("godwit");
    cr_assert_eq(gw_map_open(path, &map, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(map.n_bytes, 6);
    cr_assert_eq(memcmp(map.bytes, "godwit", 6), 0);
    cr_assert_eq(gw_map_check_size(&map, &err), GODWIT_OK);
    gw_map_close(&map);
    cr_assert_null(map.bytes);
    gw_map_close(&map);
}

Test(map, tells_of_a_file_that_shrank) {
    make_file("godwit");
    cr_assert_eq(gw_map_open(path, &map, &err), GODWIT_OK);
    cr_assert_eq(truncate(path, 9), 0);
    cr_assert_eq(gw_map_check_size(&map, &err), GODWIT_OK);
    cr_assert_eq(truncate(path, 5), 0);
    cr_assert_eq(gw_map_check_size(&map, &err), GODWIT_IO);
    cr_assert_not_null(strstr(err.message, "from 6 to 5 bytes"), "%s", err.message);
    gw_map_close(&map);
}

Test(map, refuses_what_is_no_file) {
    cr_assert_eq(gw_map_open(path, &map, &err), GODWIT_IO);
    cr_assert_eq(err.driver_code, ENOENT);
    cr_assert_not_null(strstr(err.message, path));
    cr_assert_eq(gw_map_open(dir, &map, &err), GODWIT_MALFORMED);
    cr_assert_not_null(strstr(err.message, "directory"));
    make_file("");
    cr_assert_eq(gw_map_open(path, &map, &err), GODWIT_MALFORMED);
    cr_assert_not_null(strstr(err.message, "empty"));
    cr_assert_null(map.bytes);
}

// Without care, opening a pipe waits for a writer for ever.
Test(map, does_not_wait_on_a_pipe, .timeout = 10) {
    cr_assert_eq(mkfifo(path, 0644), 0);
    cr_assert_eq(gw_map_open(path, &map, &err), GODWIT_MALFORMED);
}

Test(map, a_zeroed_map_closes_nothing) {
    gw_map zero = {0};
    int before = fcntl(0, F_GETFD);
    gw_map_close(&zero);
    cr_assert_eq(fcntl(0, F_GETFD), before);
}

// The file descriptor is given back, or a server would run out of them.
Test(map, leaks_no_descriptor) {
    make_file("godwit");
    int first = dup(0);
    close(first);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(gw_map_open(path, &map, &err), GODWIT_OK);
        gw_map_close(&map);
        cr_assert_eq(gw_map_open(dir, &map, &err), GODWIT_MALFORMED);
    }
    int last = dup(0);
    cr_assert_eq(first, last);
}
