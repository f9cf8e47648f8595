// Threads: see threads.h.
#include "base/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct loop {
    gw_item_fn fn;
    void *user;
    uint64_t n_items;
    _Atomic uint64_t next_item;
} loop;

typedef struct worker {
    loop *shared;
    uint32_t number;
    pthread_t thread;
} worker;

static void work(loop *l, uint32_t number) {
    for (;;) {
        uint64_t item = atomic_fetch_add(&l->next_item, 1);
        if (item >= l->n_items) return;
        l->fn(l->user, item, number);
    }
}

static void *start(void *user) {
    worker *w = user;
    work(w->shared, w->number);
    return NULL;
}

void gw_parallel_for(uint32_t n_threads, uint64_t n_items, gw_item_fn fn, void *user) {
    worker workers[GW_MAX_THREADS];
    loop shared = {.fn = fn, .user = user, .n_items = n_items};
    uint32_t n = 1;
    atomic_init(&shared.next_item, 0);
    if (n_threads > GW_MAX_THREADS) n_threads = GW_MAX_THREADS;
    if (n_threads > n_items) n_threads = (uint32_t)n_items;
    for (; n < n_threads; n++) {
        workers[n] = (worker){.shared = &shared, .number = n};
        if (pthread_create(&workers[n].thread, NULL, start, &workers[n]) != 0) break;
    }
    work(&shared, 0);
    while (n-- > 1) pthread_join(workers[n].thread, NULL);
}

uint32_t gw_n_processors(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}
