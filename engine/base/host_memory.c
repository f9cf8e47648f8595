// Host memory: see host_memory.h.
#include "base/host_memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t gw_host_memory_bytes(void) {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

// The number behind a word at a line's begin; UINT64_MAX: there is none ("max").
static uint64_t number_in(const char *mount, const char *name, const char *word) {
    char path[4096], line[128];
    unsigned long long n;
    uint64_t found = UINT64_MAX;
    const size_t skip = strlen(word);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", mount, name) >= sizeof path) return found;
    FILE *file = fopen(path, "r");
    if (!file) return found;
    while (found == UINT64_MAX && fgets(line, sizeof line, file))
        if (strncmp(line, word, skip) == 0 && sscanf(line + skip, "%llu", &n) == 1) found = n;
    fclose(file);
    return found;
}

uint64_t gw_host_memory_group_free(const char *mount) {
    static const char *const files[2][3] = {
        {"memory.max", "memory.current", "memory.stat"}, // version 2
        {"memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"}};
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        const uint64_t limit = number_in(mount, files[i][0], "");
        uint64_t used = number_in(mount, files[i][1], "");
        const uint64_t cached[2] = {number_in(mount, files[i][2], "inactive_file "),
                                    number_in(mount, files[i][2], "active_file ")};
        if (limit == UINT64_MAX || used == UINT64_MAX) continue;
        for (int k = 0; k < 2; k++)
            if (cached[k] != UINT64_MAX) used -= cached[k] < used ? cached[k] : used;
        const uint64_t left = limit > used ? limit - used : 1;
        least = left < least ? left : least;
    }
    return least;
}

// Linux counts what the page cache could give back; free pages alone would refuse a model whose
// file has just been read.
uint64_t gw_host_memory_free(void) {
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    if (!file) return gw_host_memory_bytes();
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) break;
    fclose(file);
    const uint64_t all = kib ? (uint64_t)kib * 1024 : gw_host_memory_bytes();
    const uint64_t group = gw_host_memory_group_free("/sys/fs/cgroup");
    return group < all ? group : all;
}

void gw_host_memory_large_pages(void *at, uint64_t n_bytes) {
#ifdef MADV_HUGEPAGE
    enum { PAGE = 2 << 20 };
    uint64_t skip = (PAGE - (uintptr_t)at % PAGE) % PAGE;
    if (n_bytes < skip + PAGE) return;
    (void)madvise((uint8_t *)at + skip, (size_t)((n_bytes - skip) / PAGE * PAGE), MADV_HUGEPAGE);
#else
    (void)at;
    (void)n_bytes;
#endif
}
