// Cpu: see cpu.h.
#include "cpu/cpu.h"

#include "base/status.h"
#include "cpu/kernels.h"
#include "cpu/thread_pool.h"
#include "ops/matmul.h"

#include <pthread.h>

struct gw_cpu {
    const gw_host *host;
    const gw_cpu_kernels *kernels;
    gw_thread_pool *pool;
    pthread_mutex_t busy;
};

// --- instruction sets

#if defined(__x86_64__)
static bool has_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
}
static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
#else
static bool has_avx2(void) {
    return false;
}
static bool has_avx512(void) {
    return false;
}
#endif

// The best first.
static const gw_cpu_kernels *kernels_for(const char *isa) {
    const gw_cpu_kernels *offered[] = {has_avx512() ? gw_cpu_avx512() : NULL,
                                       has_avx2() ? gw_cpu_avx2() : NULL, gw_cpu_plain()};
    for (size_t i = 0; i < sizeof offered / sizeof *offered; i++) {
        if (offered[i] && (!isa || strcmp(isa, offered[i]->name) == 0)) return offered[i];
    }
    return NULL;
}

// --- launches that are cut over threads

typedef struct matmul_job {
    const gw_cpu_kernels *kernels;
    gw_matmul_part whole;
    uint32_t n_groups, n_tok; // of the launch
    uint32_t n_chunks;        // of groups
} matmul_job;

static void do_matmul_part(void *user, uint32_t item) {
    const matmul_job *job = user;
    gw_matmul_part part = job->whole;
    part.group = item % job->n_chunks * part.n_groups;
    part.tok = item / job->n_chunks * part.n_tok;
    if (part.n_groups > job->n_groups - part.group) part.n_groups = job->n_groups - part.group;
    if (part.n_tok > job->n_tok - part.tok) part.n_tok = job->n_tok - part.tok;
    job->kernels->matmul(&part);
}

static uint32_t div_up(uint32_t a, uint32_t b) {
    return (a + b - 1) / b;
}

// Parts are as large as leaves each thread some, and no larger than MOST groups: a part of them is
// read block by block, each from its own place.
static bool matmul(gw_cpu *cpu, const gw_reference_args *args) {
    enum { PARTS_A_THREAD = 4, MOST = 4 };
    const gw_matmul_params *p = args->params;
    const gw_format *format = gw_format_at(p->format);
    gw_row_layout layout;
    if (p->w.group_rows != GW_GROUP_ROWS) return false;
    gw_layout_of(format, (uint64_t)p->n_units * gw_format_unit(format), GW_GROUP_ROWS, &layout);
    matmul_job job = {.kernels = cpu->kernels,
                      .whole = {.args = args, .layout = &layout},
                      .n_groups = div_up(p->n_rows, GW_GROUP_ROWS),
                      .n_tok = p->n_tok};
    job.whole.n_tok = p->n_tok < GW_TILE_TOKENS ? p->n_tok : GW_TILE_TOKENS;
    const uint32_t n_tiles = div_up(p->n_tok, job.whole.n_tok);
    uint64_t n = (uint64_t)job.n_groups * n_tiles / (gw_cpu_n_threads(cpu) * PARTS_A_THREAD);
    uint32_t most = GW_TILE_SUMS / job.whole.n_tok < MOST ? GW_TILE_SUMS / job.whole.n_tok : MOST;
    job.whole.n_groups = n < 1 ? 1 : n < most ? (uint32_t)n : most;
    job.n_chunks = div_up(job.n_groups, job.whole.n_groups);
    if ((uint64_t)job.n_chunks * n_tiles > GW_THREAD_POOL_MAX_ITEMS) return false;
    gw_thread_pool_run(cpu->pool, job.n_chunks * n_tiles, do_matmul_part, &job);
    return true;
}

static const struct {
    const gw_op *op;
    bool (*run)(gw_cpu *cpu, const gw_reference_args *args); // false: the reference is to do it
} kernels[] = {
    {&gw_op_matmul, matmul},
};

void gw_cpu_launch(gw_cpu *cpu, const gw_op *op, const gw_reference_args *args) {
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].op == op && kernels[i].run(cpu, args)) return;
    }
    op->reference(args);
}

// --- the device

godwit_status gw_cpu_create(const gw_host *host, const gw_cpu_params *params, gw_cpu **out_cpu,
                            godwit_error *err) {
    const gw_cpu_params p = params ? *params : (gw_cpu_params){0};
    const gw_cpu_kernels *found = kernels_for(p.isa);
    if (!found) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "cpu: this processor, or this build of Godwit, has no '%.20s'", p.isa);
    }
    gw_cpu *cpu = gw_alloc(host, 1, sizeof *cpu);
    if (!cpu) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: cpu");
    cpu->host = host;
    cpu->kernels = found;
    cpu->pool = gw_thread_pool_create(host, p.n_threads ? p.n_threads : gw_threads_wanted());
    if (!cpu->pool) {
        gw_free(host, cpu, sizeof *cpu);
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: threads");
    }
    pthread_mutex_init(&cpu->busy, NULL);
    *out_cpu = cpu;
    return GODWIT_OK;
}

void gw_cpu_destroy(gw_cpu **at) {
    gw_cpu *cpu = *at;
    if (!cpu) return;
    gw_thread_pool_destroy(&cpu->pool);
    pthread_mutex_destroy(&cpu->busy);
    gw_free(cpu->host, cpu, sizeof *cpu);
    *at = NULL;
}

const char *gw_cpu_isa(const gw_cpu *cpu) {
    return cpu->kernels->name;
}
uint32_t gw_cpu_n_threads(const gw_cpu *cpu) {
    return gw_thread_pool_n_threads(cpu->pool);
}

void gw_cpu_begin(gw_cpu *cpu) {
    pthread_mutex_lock(&cpu->busy);
}
void gw_cpu_end(gw_cpu *cpu) {
    pthread_mutex_unlock(&cpu->busy);
}
