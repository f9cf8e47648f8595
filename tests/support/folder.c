#include "support/folder.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void folder_make(char *dir, size_t dir_bytes) {
    const char *root = getenv("TMPDIR");
    snprintf(dir, dir_bytes, "%s/godwit-test-XXXXXX", root ? root : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
}

static int each_name(const char *dir, bool removes) {
    int n = 0;
    char path[1024];
    DIR *d = opendir(dir);
    cr_assert_not_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (removes) remove(path);
        n++;
    }
    closedir(d);
    return n;
}

void folder_remove(const char *dir) {
    each_name(dir, true);
    cr_assert_eq(rmdir(dir), 0);
}

int folder_count(const char *dir) {
    return each_name(dir, false);
}
