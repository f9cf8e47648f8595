// Cores: how many threads are of use on this machine, for this process.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "cpu/thread_pool.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#if defined(__linux__)
// The first of the processors that share a core with this one.
static uint32_t core_of(uint32_t processor) {
    char path[96];
    unsigned first = processor;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
             processor);
    FILE *file = fopen(path, "r");
    if (!file) return processor;
    if (fscanf(file, "%u", &first) != 1 || first >= CPU_SETSIZE) first = processor;
    fclose(file);
    return first;
}

// The numbers of a file, as many as there are, at most 2; "max" and what else is none ends them.
static int read_numbers(const char *dir, const char *name, long long out[2]) {
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path) return 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    int n = fscanf(file, "%lld %lld", &out[0], &out[1]);
    fclose(file);
    return n < 0 ? 0 : n;
}

// Processors that the quota of one group makes, rounded up; UINT32_MAX: it has none.
static uint32_t quota_of(const char *dir) {
    long long both[2], period[2];
    bool is_limited = read_numbers(dir, "cpu.max", both) == 2; // of version 2
    if (!is_limited)
        is_limited = read_numbers(dir, "cpu.cfs_quota_us", both) >= 1 &&
                     read_numbers(dir, "cpu.cfs_period_us", period) >= 1;
    else
        period[0] = both[1];
    if (!is_limited || both[0] < 1 || period[0] < 1) return UINT32_MAX;
    const long long whole = (both[0] - 1) / period[0] + 1;
    return whole > GW_MAX_THREADS ? GW_MAX_THREADS : (uint32_t)whole;
}

// The least quota of a group and of those around it, up to the first `root` bytes of dir.
static uint32_t quota_up_to(char *dir, size_t root) {
    uint32_t least = quota_of(dir);
    for (size_t n = strlen(dir); n-- > root;) {
        if (dir[n] != '/') continue;
        dir[n] = 0;
        uint32_t q = quota_of(dir);
        least = q < least ? q : least;
    }
    return least;
}

uint32_t gw_threads_quota(const char *groups, const char *mount) {
    char line[4096], dir[sizeof line + 64];
    uint32_t least = UINT32_MAX;
    FILE *file = fopen(groups, "r");
    if (!file) return least;
    // "number:controllers:/path"; version 2 has no controllers.
    while (fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':'),
             *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        path[strcspn(path, "\n")] = 0;
        controllers++;
        const bool is_cpu = strcmp(controllers, "cpu") == 0 || strncmp(controllers, "cpu,", 4) == 0;
        if (controllers[0] && !is_cpu) continue;
        int n = snprintf(dir, sizeof dir, "%s%s%s", mount, controllers[0] ? "/" : "", controllers);
        if (n < 0 || (size_t)n + strlen(path) >= sizeof dir) continue;
        memcpy(dir + n, path, strlen(path) + 1);
        uint32_t q = quota_up_to(dir, (size_t)n);
        least = q < least ? q : least;
    }
    fclose(file);
    return least;
}

uint32_t gw_threads_wanted(void) {
    cpu_set_t mine, cores;
    uint32_t n = 0;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof mine, &mine) == 0) {
        for (uint32_t i = 0; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &mine)) CPU_SET(core_of(i), &cores);
        n = (uint32_t)CPU_COUNT(&cores);
    }
    if (n == 0) n = gw_n_processors();
    const uint32_t most = gw_threads_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    n = n < most ? n : most;
    return n < GW_MAX_THREADS ? n : GW_MAX_THREADS;
}
#else
uint32_t gw_threads_quota(const char *groups, const char *mount) {
    (void)groups;
    (void)mount;
    return UINT32_MAX;
}
uint32_t gw_threads_wanted(void) {
    uint32_t n = gw_n_processors();
    return n < GW_MAX_THREADS ? n : GW_MAX_THREADS;
}
#endif
