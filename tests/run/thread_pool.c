// The threads of the device "cpu": each item is done once, whatever the number of threads, of items,
// and of pieces of work one behind another, and after a sleep.
#include "cpu/cpu.h"
#include "cpu/thread_pool.h"
#include "ops/binary.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { MOST = 300 };

typedef struct piece {
    _Atomic uint32_t done[MOST];
} piece;

static void do_item(void *user, uint32_t item) {
    piece *p = user;
    atomic_fetch_add(&p->done[item], 1);
}

static void check(gw_thread_pool *pool, uint32_t n_items) {
    piece p = {{0}};
    gw_thread_pool_run(pool, n_items, do_item, &p);
    for (uint32_t i = 0; i < MOST; i++) {
        cr_assert(atomic_load(&p.done[i]) == (i < n_items), "item %u of %u", i, n_items);
    }
}

Test(run, thread_pool_does_each_item_once) {
    static const uint32_t n_threads[] = {1, 2, 3, 7, 64};
    gw_host host;
    gw_host_init(&host, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof n_threads / sizeof *n_threads; i++) {
        gw_thread_pool *pool = gw_thread_pool_create(&host, n_threads[i]);
        cr_assert(pool);
        for (uint32_t k = 0; k < 400; k++) check(pool, k * 7 % MOST);
        const struct timespec a_while = {.tv_nsec = 20000000}; // they sleep by then
        nanosleep(&a_while, NULL);
        check(pool, MOST);
        gw_thread_pool_destroy(&pool);
        cr_assert(pool == NULL);
    }
}

Test(run, threads_wanted_are_some) {
    uint32_t n = gw_threads_wanted();
    cr_assert(n >= 1 && n <= GW_MAX_THREADS, "%u", n);
}

// --- several callers of one cpu

enum { N_CALLERS = 8, N_ROWS = 40, N = 64, ROUNDS = 50 };

typedef struct caller {
    gw_cpu *cpu;
    float a[N_ROWS * N], b[N_ROWS * N], y[N_ROWS * N];
    bool right;
} caller;

// y = a + b, over and over.
static void *call(void *user) {
    caller *c = user;
    const gw_binary_params params = {
        .n = N, .n_rows = N_ROWS, .a = {.run = N, .stride = N}, .b_stride = N};
    gw_reference_args args = {.params = &params, .bufs = {c->a, c->b, c->y}};
    c->right = true;
    for (int round = 0; round < ROUNDS; round++) {
        memset(c->y, 0, sizeof c->y);
        gw_cpu_begin(c->cpu);
        gw_cpu_launch(c->cpu, &gw_op_add, &args);
        gw_cpu_end(c->cpu);
        for (uint32_t i = 0; i < N_ROWS * N; i++) c->right &= c->y[i] == c->a[i] + c->b[i];
    }
    return NULL;
}

Test(run, cpu_is_shared_by_callers) {
    static caller callers[N_CALLERS];
    pthread_t threads[N_CALLERS];
    godwit_error err = {0};
    gw_host host;
    gw_cpu *cpu = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.n_threads = 3}, &cpu, &err) == GODWIT_OK);
    cr_assert(gw_cpu_n_threads(cpu) <= 3);
    for (uint32_t i = 0; i < N_CALLERS; i++) {
        callers[i].cpu = cpu;
        for (uint32_t k = 0; k < N_ROWS * N; k++) {
            callers[i].a[k] = (float)(i * 1000 + k);
            callers[i].b[k] = 0.5f;
        }
        cr_assert(pthread_create(&threads[i], NULL, call, &callers[i]) == 0);
    }
    for (uint32_t i = 0; i < N_CALLERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect(callers[i].right, "caller %u", i);
    }
    gw_cpu_destroy(&cpu);
}

Test(run, cpu_refuses_what_is_not_there) {
    godwit_error err = {0};
    gw_host host;
    gw_cpu *cpu = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.isa = "mmx"}, &cpu, &err) ==
              GODWIT_UNSUPPORTED);
    cr_assert(cpu == NULL && strstr(err.message, "mmx"), "%s", err.message);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.isa = "plain"}, &cpu, &err) == GODWIT_OK);
    cr_assert_str_eq(gw_cpu_isa(cpu), "plain");
    gw_cpu_destroy(&cpu);
}
