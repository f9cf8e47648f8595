// Parallel-for: each item once, and no two calls at once with the same worker number.
#include "base/threads.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>

enum { N_ITEMS = 3000, N_WORKERS = 9 };

static atomic_int n_calls[N_ITEMS], n_busy[N_WORKERS], n_clashes;

static void call(void *user, uint64_t item, uint32_t worker) {
    uint32_t n_threads = *(uint32_t *)user;
    if (worker >= (n_threads ? n_threads : 1)) atomic_fetch_add(&n_clashes, 1);
    if (atomic_fetch_add(&n_busy[worker], 1)) atomic_fetch_add(&n_clashes, 1);
    atomic_fetch_add(&n_calls[item], 1);
    atomic_fetch_sub(&n_busy[worker], 1);
}

Test(threads, each_item_once) {
    static const uint64_t counts[] = {0, 1, 2, 7, 100, N_ITEMS};
    for (uint32_t n_threads = 0; n_threads <= N_WORKERS; n_threads++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            memset(n_calls, 0, sizeof n_calls);
            gw_parallel_for(n_threads, counts[k], call, &n_threads);
            for (uint64_t i = 0; i < N_ITEMS; i++) {
                cr_assert_eq(atomic_load(&n_calls[i]), i < counts[k], "%u threads, item %d",
                             n_threads, (int)i);
            }
        }
    }
    cr_expect_eq(atomic_load(&n_clashes), 0);
}
