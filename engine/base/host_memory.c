// Host memory: see host_memory.h.
#include "base/host_memory.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t gw_host_memory_bytes(void) {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
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
    return kib ? (uint64_t)kib * 1024 : gw_host_memory_bytes();
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
