// The threads of the device "cpu": each item is done once, whatever the number of threads, of items,
// and of pieces of work one behind another, and after a sleep.
#include "cpu/cpu.h"
#include "cpu/thread_pool.h"
#include "ops/binary.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
        gw_thread_pool *pool = gw_thread_pool_create(&host, n_threads[i], NULL, NULL);
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

// A group's quota is that of the least of those around it; either version's files count.
Test(run, threads_follow_the_quotas_of_control_groups) {
    static const struct {
        const char *file, *text;
    } files[] = {
        {"groups", "3:memory:/m\n2:cpu,cpuacct:/old\n1:name=systemd:/m\n0::/a/b\n"},
        {"cpu.max", "max 100000\n"},
        {"a/cpu.max", "350000 100000\n"},
        {"a/b/cpu.max", "max 100000\n"},
        {"m/cpu.max", "100000 100000\n"}, // of a controller that is not the processors'
        {"cpu,cpuacct/old/cpu.cfs_quota_us", "-1\n"},
        {"cpu,cpuacct/old/cpu.cfs_period_us", "100000\n"},
        {"cpu,cpuacct/cpu.cfs_quota_us", "200001\n"},
        {"cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
    };
    enum { N_FILES = sizeof files / sizeof *files };
    static const char *const folders[] = {"a", "a/b", "m", "cpu,cpuacct", "cpu,cpuacct/old"};
    char dir[] = "/tmp/godwit-test-groups-XXXXXX", path[200], groups[200];
    cr_assert(mkdtemp(dir));
    snprintf(groups, sizeof groups, "%s/groups", dir);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
    }
    for (size_t n = 0; n <= N_FILES; n++) {
        // Nothing, the limit of a alone, then version 1's, which is less.
        const uint32_t want = n < 3 ? UINT32_MAX : n < 9 ? 4 : 3;
        cr_expect_eq(gw_threads_quota(groups, dir), want, "after %zu files", n);
        if (n == N_FILES) break;
        snprintf(path, sizeof path, "%s/%s", dir, files[n].file);
        FILE *file = fopen(path, "w");
        cr_assert(file && fputs(files[n].text, file) >= 0 && fclose(file) == 0, "%s", path);
    }
    for (size_t i = 0; i < N_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i].file);
        remove(path);
    }
    for (size_t i = sizeof folders / sizeof *folders; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
        remove(path);
    }
    remove(dir);
}

Test(run, a_caller_may_say_how_many_threads_the_cpu_has) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_error err = {0};
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    cr_assert_eq(godwit_context_create(NULL, &context, &err), GODWIT_OK);
    params.n_threads = 3;
    cr_assert_eq(godwit_device_open(context, "cpu", &params, &device, &err), GODWIT_OK);
    cr_assert_eq(godwit_device_get_info(device, &info, &err), GODWIT_OK);
    cr_expect(strstr(info.driver, "threads: 3"), "%s", info.driver);
    godwit_device_close(&device);
    params.n_threads = GODWIT_THREADS_MAX + 1;
    cr_expect_eq(godwit_device_open(context, "cpu", &params, &device, &err),
                 GODWIT_INVALID_ARGUMENT);
    godwit_context_destroy(&context);
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

// What every processor of this kind has.
#if defined(__aarch64__)
#define LEAST "neon"
#else
#define LEAST "plain"
#endif

Test(run, cpu_refuses_what_is_not_there) {
    godwit_error err = {0};
    gw_host host;
    gw_cpu *cpu = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.isa = "mmx"}, &cpu, &err) ==
              GODWIT_UNSUPPORTED);
    cr_assert(cpu == NULL && strstr(err.message, "mmx"), "%s", err.message);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.isa = LEAST}, &cpu, &err) == GODWIT_OK);
    cr_assert_str_eq(gw_cpu_isa(cpu), LEAST);
    gw_cpu_destroy(&cpu);
}

Test(run, cpu_goes_without_what_a_mask_names) {
    godwit_error err = {0};
    gw_host host;
    gw_cpu *cpu = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.mask = "floor"}, &cpu, &err) == GODWIT_OK);
    cr_assert_str_eq(gw_cpu_isa(cpu), LEAST);
    gw_cpu_destroy(&cpu);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.mask = gw_cpu_best_isa()}, &cpu, &err) ==
                  (strcmp(gw_cpu_best_isa(), LEAST) == 0 ? GODWIT_INVALID_ARGUMENT : GODWIT_OK),
              "%s", err.message);
    cr_assert(!cpu || strcmp(gw_cpu_isa(cpu), gw_cpu_best_isa()) != 0);
    gw_cpu_destroy(&cpu);
    cr_assert(gw_cpu_create(&host, &(gw_cpu_params){.mask = "floor, mmx"}, &cpu, &err) ==
              GODWIT_INVALID_ARGUMENT);
    cr_assert(cpu == NULL && strstr(err.message, "\"mmx\""), "%s", err.message);
}
