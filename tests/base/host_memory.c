// Host memory: what a container's limit leaves, in both versions of control groups.
#include "base/host_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_text(const char *dir, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
}

Test(host_memory, a_container_has_what_its_limit_leaves) {
    static const struct {
        const char *name, *text;
        uint64_t left; // once it is there
    } steps[] = {
        {"memory.max", "max\n", UINT64_MAX},
        {"memory.current", "3000\n", UINT64_MAX},
        {"memory.max", "10000\n", 7000},
        {"memory.stat", "anon 1\nfile 900\ninactive_file 300\nactive_file 200\n", 7500},
        {"memory.stat", "inactive_file 4000\n", 10000}, // more than is used
        {"memory.current", "20000\n", 1},               // 0 is for what is not known
        {"memory.current", "3000\n", 10000},
        {"memory/memory.limit_in_bytes", "5000\n", 10000},
        {"memory/memory.usage_in_bytes", "1000\n", 4000},
        {"memory/memory.stat", "cache 77\ninactive_file 50\n", 4050},
    };
    enum { N = sizeof steps / sizeof *steps };
    char dir[] = "/tmp/godwit-test-memory-XXXXXX", path[256];
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/memory", dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(gw_host_memory_group_free(dir), UINT64_MAX);
    for (int i = 0; i < N; i++) {
        write_text(dir, steps[i].name, steps[i].text);
        cr_expect_eq(gw_host_memory_group_free(dir), steps[i].left, "after step %d", i);
    }
    for (int i = 0; i < N; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, steps[i].name);
        remove(path);
    }
    snprintf(path, sizeof path, "%s/memory", dir);
    remove(path);
    remove(dir);
    cr_expect(gw_host_memory_free() <= gw_host_memory_bytes());
}
