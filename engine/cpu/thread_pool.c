// Thread pool: see thread_pool.h.
//
// Each thread has a queue of its own: one number, which piece of work it is of and how many of its items are
// left. To take an item, of the own queue first, then of others', is to count that down; nobody else's memory
// is touched before a queue is empty. Who has taken an item holds the piece up, so what is known of the piece
// (fn, user, n_items) is read then, and cannot be that of another.
#include "cpu/thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LEFT_BITS = 24, LINE = 128, SPINS = 4000 }; // of 10 to 40 ns each
#define LEFT_MASK ((UINT64_C(1) << LEFT_BITS) - 1)
_Static_assert(GW_THREAD_POOL_MAX_ITEMS <= LEFT_MASK, "items of a queue");

// A line of its own in the processors' caches, and the next, which comes along.
typedef struct queue {
    _Atomic uint64_t left; // piece << LEFT_BITS | items
    uint8_t apart[LINE - sizeof(uint64_t)];
} queue;

typedef struct member {
    gw_thread_pool *pool;
    uint32_t i; // its queue; 0 is the caller's
    pthread_t thread;
} member;

struct gw_thread_pool {
    const gw_host *host;
    uint32_t n_threads;          // the queues
    uint32_t n_started;          // beside the caller
    godwit_parallel_fn parallel; // the threads of somebody else's; NULL: our own
    void *parallel_user;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    gw_thread_pool_fn fn;
    void *user;
    uint32_t n_items;
    atomic_bool stop;
    _Atomic uint32_t n_asleep;
    uint8_t apart[LINE];
    _Atomic uint64_t piece; // what threads wait for
    uint8_t from[LINE];
    _Atomic uint32_t n_done;
    uint8_t others[LINE];
    queue queues[GW_MAX_THREADS];
    member members[GW_MAX_THREADS];
};

static void pause_a_little(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Items of thread i: first_of(i) to first_of(i + 1) - 1.
static uint32_t first_of(uint32_t i, uint32_t n_items, uint32_t n_threads) {
    return (uint32_t)((uint64_t)n_items * i / n_threads);
}

// Takes items of queue i until none is left of this piece. Returns how many.
static uint32_t empty_queue(gw_thread_pool *pool, uint32_t i, uint64_t piece) {
    uint32_t n = 0;
    uint64_t left = atomic_load(&pool->queues[i].left);
    while ((left & LEFT_MASK) && left >> LEFT_BITS == piece) {
        if (!atomic_compare_exchange_weak(&pool->queues[i].left, &left, left - 1)) continue;
        const uint32_t end = first_of(i + 1, pool->n_items, pool->n_threads);
        pool->fn(pool->user, end - (uint32_t)(left & LEFT_MASK));
        n++;
        left = atomic_load(&pool->queues[i].left);
    }
    return n;
}

// Works on a piece until nothing is left of it to take.
static void work(gw_thread_pool *pool, uint32_t own, uint64_t piece) {
    const uint32_t n_threads = pool->n_threads;
    uint32_t n = 0;
    for (uint32_t k = 0, i = own; k < n_threads; k++, i = i + 1 < n_threads ? i + 1 : 0)
        n += empty_queue(pool, i, piece);
    if (n) atomic_fetch_add_explicit(&pool->n_done, n, memory_order_release);
}

static void sleep_until_work(gw_thread_pool *pool, uint64_t seen) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->n_asleep, 1);
    while (atomic_load(&pool->piece) == seen && !atomic_load(&pool->stop))
        pthread_cond_wait(&pool->wake, &pool->lock);
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
    const member *m = user;
    gw_thread_pool *pool = m->pool;
    uint64_t seen = 0;
    for (uint32_t n_spins = 0; !atomic_load(&pool->stop);) {
        const uint64_t piece = atomic_load(&pool->piece);
        if (piece != seen) {
            work(pool, m->i, piece);
            seen = piece;
            n_spins = 0;
        } else if (n_spins++ < SPINS) {
            pause_a_little();
        } else {
            sleep_until_work(pool, seen);
            n_spins = 0;
        }
    }
    return NULL;
}

// A thread of somebody else's. One that comes late finds nothing left, or works on a later piece.
static void do_task(void *arg, uint32_t i) {
    gw_thread_pool *pool = arg;
    if (i < pool->n_threads) work(pool, i, atomic_load(&pool->piece));
}

gw_thread_pool *gw_thread_pool_create(const gw_host *host, uint32_t n_threads,
                                      godwit_parallel_fn parallel, void *parallel_user) {
    gw_thread_pool *pool = gw_alloc(host, 1, sizeof *pool);
    if (!pool) return NULL;
    pool->host = host;
    // As many queues as were wanted: those of threads that do not come are emptied by others.
    pool->n_threads = n_threads < GW_MAX_THREADS ? n_threads : GW_MAX_THREADS;
    pool->parallel = parallel;
    pool->parallel_user = parallel_user;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    while (!parallel && pool->n_started + 1 < pool->n_threads) {
        member *m = &pool->members[pool->n_started];
        *m = (member){.pool = pool, .i = pool->n_started + 1};
        if (pthread_create(&m->thread, NULL, start, m) != 0) break;
        pool->n_started++;
    }
    return pool;
}

void gw_thread_pool_destroy(gw_thread_pool **at) {
    gw_thread_pool *pool = *at;
    if (!pool) return;
    atomic_store(&pool->stop, true);
    wake_all(pool);
    for (uint32_t i = 0; i < pool->n_started; i++) pthread_join(pool->members[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    gw_free(pool->host, pool, sizeof *pool);
    *at = NULL;
}

uint32_t gw_thread_pool_n_threads(const gw_thread_pool *pool) {
    return pool->parallel ? pool->n_threads : pool->n_started + 1;
}

void gw_thread_pool_run(gw_thread_pool *pool, uint32_t n_items, gw_thread_pool_fn fn, void *user) {
    if (n_items < 2 || gw_thread_pool_n_threads(pool) == 1) {
        for (uint32_t i = 0; i < n_items; i++) fn(user, i);
        return;
    }
    const uint32_t n = pool->n_threads;
    const uint64_t piece = atomic_load(&pool->piece) + 1;
    pool->fn = fn;
    pool->user = user;
    pool->n_items = n_items;
    atomic_store_explicit(&pool->n_done, 0, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t mine = first_of(i + 1, n_items, n) - first_of(i, n_items, n);
        atomic_store(&pool->queues[i].left, piece << LEFT_BITS | mine);
    }
    atomic_store(&pool->piece, piece);
    if (pool->parallel)
        pool->parallel(pool->parallel_user, n < n_items ? n : n_items, do_task, pool);
    else
        wake_all(pool);
    work(pool, 0, piece);
    while (atomic_load_explicit(&pool->n_done, memory_order_acquire) < n_items) pause_a_little();
}

typedef struct loop {
    gw_item_fn fn;
    void *user;
    uint64_t n_items;
    _Atomic uint64_t next_item;
} loop;

static void take_items(void *arg, uint32_t worker) {
    loop *l = arg;
    for (uint64_t i; (i = atomic_fetch_add(&l->next_item, 1)) < l->n_items;)
        l->fn(l->user, i, worker);
}

void gw_thread_pool_for(gw_thread_pool *pool, uint32_t n_workers, uint64_t n_items, gw_item_fn fn,
                        void *user) {
    if (!pool->parallel) {
        gw_parallel_for(n_workers, n_items, fn, user);
        return;
    }
    loop l = {.fn = fn, .user = user, .n_items = n_items};
    if (n_workers > pool->n_threads) n_workers = pool->n_threads;
    if (n_workers > n_items) n_workers = (uint32_t)n_items;
    if (n_workers > 1) pool->parallel(pool->parallel_user, n_workers, take_items, &l);
    take_items(&l, 0); // what nobody did
}
