// bandwidth.c: see bandwidth.h.
//
// Each thread sums its own slice of one buffer, in eight independent chains so that the adds do not
// wait for each other. The buffer is far larger than the caches of common hosts; it is read window
// by window, round and round, since a short window is more likely to have the cores to itself.
#include "bandwidth.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { THREADS_MAX = 256, WINDOWS = 16, PASSES_MAX = 4096 };
#define MEASURED_NS  500000000u
#define BUFFER_BYTES ((size_t)512 << 20)

typedef struct slice {
    const uint64_t *words; // of the window
    size_t n_words;        // a multiple of 8
    uint64_t sum;          // kept, so that the reads are not optimised away
} slice;

static void *read_slice(void *user) {
    slice *s = user;
    uint64_t sums[8] = {0};
    for (size_t i = 0; i < s->n_words; i += 8) {
        for (size_t j = 0; j < 8; j++) sums[j] += s->words[i + j];
    }
    for (size_t j = 0; j < 8; j++) s->sum += sums[j];
    return NULL;
}

// Reads all slices at once; false where a thread could not be started.
static bool read_all(slice *slices, size_t n_slices) {
    pthread_t threads[THREADS_MAX];
    size_t n_started = 0;
    while (n_started < n_slices &&
           pthread_create(&threads[n_started], NULL, read_slice, &slices[n_started]) == 0) {
        n_started++;
    }
    for (size_t i = 0; i < n_started; i++) (void)pthread_join(threads[i], NULL);
    return n_started == n_slices;
}

static size_t buffer_bytes(void) {
    long n_pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (n_pages <= 0 || page_bytes <= 0) return BUFFER_BYTES;
    size_t quarter = (size_t)n_pages / 4 * (size_t)page_bytes;
    return quarter < BUFFER_BYTES ? quarter : BUFFER_BYTES;
}

uint32_t cli_n_cores(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (uint32_t)n;
}

double cli_host_read_bandwidth(void) {
    size_t n_slices = cli_n_cores() > THREADS_MAX ? THREADS_MAX : cli_n_cores();
    size_t n_words = buffer_bytes() / sizeof(uint64_t) / WINDOWS / n_slices / 8 * 8;
    size_t window_words = n_words * n_slices;
    uint64_t *words = malloc(window_words * WINDOWS * sizeof(uint64_t));
    if (!words) return 0;
    memset(words, 1, window_words * WINDOWS * sizeof(uint64_t)); // makes the pages real
    slice slices[THREADS_MAX] = {0};
    double best = 0;
    uint64_t n_passes = 0;
    uint64_t begin_ns = cli_now_ns(), start_ns = begin_ns;
    for (; n_passes < PASSES_MAX; n_passes++) {
        if (n_passes >= WINDOWS && start_ns - begin_ns > MEASURED_NS) break;
        for (size_t i = 0; i < n_slices; i++) {
            slices[i].words = words + n_passes % WINDOWS * window_words + i * n_words;
            slices[i].n_words = n_words;
        }
        if (!read_all(slices, n_slices)) break;
        uint64_t end_ns = cli_now_ns();
        double rate = cli_rate((double)(window_words * sizeof(uint64_t)), end_ns - start_ns);
        start_ns = end_ns;
        if (rate > best) best = rate;
    }
    // Every byte is 1: a wrong sum would mean that the loop did not read what it should.
    if (slices[0].sum != n_passes * n_words * 0x0101010101010101u) best = 0;
    free(words);
    return best;
}
