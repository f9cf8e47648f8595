// clock.c: see clock.h. Reads /proc, as proc(5) describes it.
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock) {
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t cli_now_ns(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t cli_cpu_ns(void) {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

// Field 22 of /proc/self/stat: clock ticks from boot to this process's start. The name in field 2
// may hold blanks and parentheses, so counting starts at its last parenthesis.
static uint64_t start_ticks(void) {
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file) return 0;
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[n] = 0;
    char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

uint64_t cli_process_age_ns(void) {
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    uint64_t ticks = start_ticks();
    if (ticks == 0 || ticks_per_s <= 0) return 0;
    uint64_t start_ns = ticks * (1000000000u / (uint64_t)ticks_per_s);
#if defined(CLOCK_BOOTTIME)
    uint64_t now_ns = read_clock(CLOCK_BOOTTIME);
#else
    uint64_t now_ns = cli_now_ns();
#endif
    return now_ns > start_ns ? now_ns - start_ns : 0;
}

// VmHWM, not getrusage: that one carries over the peak of what called exec.
uint64_t cli_peak_rss_bytes(void) {
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return 0;
    char line[256];
    uint64_t kib = 0;
    while (kib == 0 && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtoull(line + 6, NULL, 10);
    }
    (void)fclose(file);
    return kib * 1024;
}

double cli_rate(double n, uint64_t t_ns) {
    return t_ns ? n * 1e9 / (double)t_ns : 0;
}
