// Thread pool: see thread_pool.h.
//
// A piece of work is published in one number, `ticket`: which piece it is, and how many of its items
// nobody has taken. To take one is to count that down. fn and user are written before the ticket and
// stay until all items are done; a thread that read them of a piece that is over cannot count down the
// ticket of another.
#include "cpu/thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LEFT_BITS = 24, LINE = 64, SPINS = 4000 }; // of 10 to 40 ns each
#define LEFT_MASK ((UINT64_C(1) << LEFT_BITS) - 1)
_Static_assert(GW_THREAD_POOL_MAX_ITEMS <= LEFT_MASK, "items of a ticket");

struct gw_thread_pool {
    const gw_host *host;
    uint32_t n_started; // beside the caller
    pthread_mutex_t lock;
    pthread_cond_t wake;
    _Atomic uint32_t n_asleep;
    atomic_bool stop;
    _Atomic(gw_thread_pool_fn) fn;
    _Atomic(void *) user;
    // Lines of their own in the processors' caches.
    uint8_t apart[LINE];
    _Atomic uint64_t ticket;
    uint8_t from[LINE];
    _Atomic uint32_t n_done;
    uint8_t others[LINE];
    pthread_t threads[GW_MAX_THREADS];
};

static void pause_a_little(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Works on the piece of ticket `seen` until nothing is left of it.
static void work(gw_thread_pool *pool, uint64_t seen) {
    const uint64_t piece = seen >> LEFT_BITS;
    while ((seen & LEFT_MASK) && seen >> LEFT_BITS == piece) {
        gw_thread_pool_fn fn = atomic_load_explicit(&pool->fn, memory_order_relaxed);
        void *user = atomic_load_explicit(&pool->user, memory_order_relaxed);
        if (!atomic_compare_exchange_weak(&pool->ticket, &seen, seen - 1)) continue;
        fn(user, (uint32_t)(seen & LEFT_MASK) - 1);
        atomic_fetch_add_explicit(&pool->n_done, 1, memory_order_release);
        seen = atomic_load(&pool->ticket);
    }
}

static bool has_work(const gw_thread_pool *pool) {
    return (atomic_load(&pool->ticket) & LEFT_MASK) || atomic_load(&pool->stop);
}

static void sleep_until_work(gw_thread_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->n_asleep, 1);
    while (!has_work(pool)) pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->n_asleep, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void wake_all(gw_thread_pool *pool) {
    if (!atomic_load(&pool->n_asleep)) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static void *start(void *user) {
    gw_thread_pool *pool = user;
    for (uint32_t n_spins = 0; !atomic_load(&pool->stop);) {
        uint64_t seen = atomic_load(&pool->ticket);
        if (seen & LEFT_MASK) {
            work(pool, seen);
            n_spins = 0;
        } else if (n_spins++ < SPINS) {
            pause_a_little();
        } else {
            sleep_until_work(pool);
            n_spins = 0;
        }
    }
    return NULL;
}

gw_thread_pool *gw_thread_pool_create(const gw_host *host, uint32_t n_threads) {
    gw_thread_pool *pool = gw_alloc(host, 1, sizeof *pool);
    if (!pool) return NULL;
    pool->host = host;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    while (pool->n_started + 1 < n_threads && pool->n_started + 1 < GW_MAX_THREADS &&
           pthread_create(&pool->threads[pool->n_started], NULL, start, pool) == 0)
        pool->n_started++;
    return pool;
}

void gw_thread_pool_destroy(gw_thread_pool **at) {
    gw_thread_pool *pool = *at;
    if (!pool) return;
    atomic_store(&pool->stop, true);
    wake_all(pool);
    for (uint32_t i = 0; i < pool->n_started; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    gw_free(pool->host, pool, sizeof *pool);
    *at = NULL;
}

uint32_t gw_thread_pool_n_threads(const gw_thread_pool *pool) {
    return pool->n_started + 1;
}

void gw_thread_pool_run(gw_thread_pool *pool, uint32_t n_items, gw_thread_pool_fn fn, void *user) {
    if (n_items < 2 || pool->n_started == 0) {
        for (uint32_t i = 0; i < n_items; i++) fn(user, i);
        return;
    }
    uint64_t piece = (atomic_load(&pool->ticket) >> LEFT_BITS) + 1, ticket = piece << LEFT_BITS;
    atomic_store_explicit(&pool->n_done, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->fn, fn, memory_order_relaxed);
    atomic_store_explicit(&pool->user, user, memory_order_relaxed);
    atomic_store(&pool->ticket, ticket | n_items);
    wake_all(pool);
    work(pool, ticket | n_items);
    while (atomic_load_explicit(&pool->n_done, memory_order_acquire) < n_items) pause_a_little();
}
