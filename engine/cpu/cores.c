// Cores: how many threads are of use on this machine, for this process.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // sched_getaffinity
#endif
#include "cpu/thread_pool.h"

#include <sched.h>
#include <stdio.h>

#if defined(__linux__)
// Whether it is the first of the processors that share its core.
static bool is_first_of_core(uint32_t processor) {
    char path[96];
    unsigned first = processor;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
             processor);
    FILE *file = fopen(path, "r");
    if (!file) return true;
    if (fscanf(file, "%u", &first) != 1) first = processor;
    fclose(file);
    return first == processor;
}

// Whole processors that the cgroup's quota makes; UINT32_MAX: it has none.
static uint32_t quota(void) {
    unsigned long long quota = 0, period = 0;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (!file) return UINT32_MAX;
    bool limited = fscanf(file, "%llu %llu", &quota, &period) == 2 && period > 0;
    fclose(file);
    if (!limited) return UINT32_MAX;
    unsigned long long whole = (quota + period - 1) / period;
    return whole < 1 ? 1 : whole > GW_MAX_THREADS ? GW_MAX_THREADS : (uint32_t)whole;
}

uint32_t gw_threads_wanted(void) {
    cpu_set_t mine;
    uint32_t n_cores = 0, n = 0;
    if (sched_getaffinity(0, sizeof mine, &mine) == 0) {
        for (uint32_t i = 0; i < CPU_SETSIZE; i++) {
            if (!CPU_ISSET(i, &mine)) continue;
            n++;
            n_cores += is_first_of_core(i);
        }
    }
    // A mask may hold second processors of cores alone.
    if (n_cores == 0) n_cores = n ? n : gw_n_processors();
    uint32_t most = quota();
    n_cores = n_cores < most ? n_cores : most;
    return n_cores < GW_MAX_THREADS ? n_cores : GW_MAX_THREADS;
}
#else
uint32_t gw_threads_wanted(void) {
    uint32_t n = gw_n_processors();
    return n < GW_MAX_THREADS ? n : GW_MAX_THREADS;
}
#endif
