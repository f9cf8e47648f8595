// Save: links are written through, names up to the longest work, what cannot be saved is refused
// before a byte is written, and nothing is left beside the file.
#include "base/save.h"
#include "base/status.h"
#include "support/folder.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[1024], other[1024];
static gw_host host;
static godwit_error err;

static void setup(void) {
    folder_make(dir, sizeof dir);
    gw_host_init(&host, NULL, NULL, NULL);
}

static void teardown(void) {
    folder_remove(dir);
}

TestSuite(save, .init = setup, .fini = teardown);

static const char *at(char *out, const char *name) {
    snprintf(out, sizeof path, "%s/%s", dir, name);
    return out;
}

static int n_files(void) {
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static godwit_status save_text(const char *to, const char *text) {
    gw_save *save = NULL;
    godwit_status status = gw_save_open(&host, to, &save, &err);
    if (status == GODWIT_OK) status = gw_save_write(save, text, strlen(text), &err);
    if (status == GODWIT_OK) status = gw_save_commit(save, &err);
    gw_save_destroy(&save);
    return status;
}

static void holds(const char *file, const char *text) {
    char got[64] = "";
    FILE *f = fopen(file, "rb");
    cr_assert_not_null(f, "%s", file);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    cr_assert_str_eq(got, text);
}

Test(save, links_are_written_through) {
    struct stat info;
    cr_assert_eq(save_text(at(path, "target"), "old"), GODWIT_OK, "%s", err.message);
    cr_assert_eq(symlink("target", at(path, "link")), 0);
    cr_assert_eq(symlink(at(other, "link"), at(path, "link2")), 0);
    cr_assert_eq(save_text(path, "new"), GODWIT_OK, "%s", err.message);
    holds(at(path, "target"), "new");
    cr_assert(lstat(at(path, "link"), &info) == 0 && S_ISLNK(info.st_mode));
    cr_assert(lstat(at(path, "link2"), &info) == 0 && S_ISLNK(info.st_mode));
    // One that names nothing yet, and one that ends nowhere.
    cr_assert_eq(symlink("fresh", at(path, "dangling")), 0);
    cr_assert_eq(save_text(path, "made"), GODWIT_OK, "%s", err.message);
    holds(at(path, "fresh"), "made");
    cr_assert_eq(symlink("circle", at(path, "circle")), 0);
    cr_assert_eq(save_text(path, "x"), GODWIT_IO);
    cr_assert_eq(n_files(), 6);
}

Test(save, names_of_every_length) {
    char name[300];
    for (size_t n = 200; n <= 257; n++) {
        memset(name, 'n', n);
        name[n] = '\0';
        godwit_status status = save_text(at(path, name), "text");
        cr_assert_eq(status, n <= 255 ? GODWIT_OK : GODWIT_IO, "%zu: %s", n, err.message);
        if (n > 255) {
            // Before the work, not at its end.
            cr_assert_eq(gw_save_check(path, &err), GODWIT_IO);
            cr_assert_eq(err.driver_code, ENAMETOOLONG);
            continue;
        }
        holds(path, "text");
        cr_assert_eq(unlink(path), 0);
        cr_assert_eq(n_files(), 0);
    }
}

Test(save, what_cannot_be_saved_to) {
    cr_assert_eq(gw_save_check("", &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_save_check("/dev/null", &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_save_check(dir, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_save_check(at(path, "new"), &err), GODWIT_OK);
    cr_assert_eq(save_text("", "x"), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(save_text(at(path, "none/file"), "x"), GODWIT_IO);
}

Test(save, a_file_that_is_read) {
    cr_assert_eq(save_text(at(path, "in"), "in"), GODWIT_OK, "%s", err.message);
    cr_assert_eq(save_text(at(other, "copy"), "in"), GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_save_check_input(other, path, &err), GODWIT_OK);
    cr_assert_eq(gw_save_check_input(at(other, "new"), path, &err), GODWIT_OK);
    cr_assert_eq(gw_save_check_input(path, path, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(err.message, path));
    cr_assert_eq(link(path, at(other, "hard")), 0);
    cr_assert_eq(gw_save_check_input(other, path, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(symlink("in", at(other, "soft")), 0);
    cr_assert_eq(gw_save_check_input(other, path, &err), GODWIT_INVALID_ARGUMENT);
}

// What a killed process left goes at the next save; what is being written, and what others call so,
// stays.
Test(save, temporary_files_that_are_left) {
    gw_save *open_one = NULL;
    FILE *f = fopen(at(path, "out.123-0.part"), "wb");
    cr_assert(f && fclose(f) == 0);
    f = fopen(at(path, "out.123-0.parts"), "wb");
    cr_assert(f && fclose(f) == 0);
    f = fopen(at(path, "other.123-0.part"), "wb");
    cr_assert(f && fclose(f) == 0);
    cr_assert_eq(gw_save_open(&host, at(path, "out"), &open_one, &err), GODWIT_OK);
    cr_assert_eq(n_files(), 3);
    cr_assert_eq(save_text(path, "second"), GODWIT_OK, "%s", err.message);
    cr_assert_eq(n_files(), 4);
    cr_assert_eq(gw_save_write(open_one, "first", 5, &err), GODWIT_OK);
    cr_assert_eq(gw_save_commit(open_one, &err), GODWIT_OK, "%s", err.message);
    gw_save_destroy(&open_one);
    holds(path, "first");
    cr_assert_eq(n_files(), 3);
}

// Which of strerror_r's two kinds this C library has must not matter.
Test(save, errno_as_text) {
    char text[64], cut[5];
    gw_errno_text(ENOSPC, text, sizeof text);
    cr_assert_str_eq(text, "No space left on device");
    gw_errno_text(ENOSPC, cut, sizeof cut);
    cr_assert_str_eq(cut, "No s");
    gw_errno_text(123456, text, sizeof text);
    cr_assert_neq(text[0], '\0');
}
