// Cpu: see cpu.h.
#include "cpu/cpu.h"

#include "base/status.h"
#include "cpu/kernels.h"
#include "cpu/moe.h"
#include "cpu/thread_pool.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/gated.h"
#include "ops/kv.h"
#include "ops/matmul.h"
#include "ops/moe.h"
#include "ops/recurrent.h"
#include "ops/selective_scan.h"
#include "ops/rope_store.h"
#include "ops/unary.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif
#include <pthread.h>
#include <stdio.h>

struct gw_cpu {
    const gw_host *host;
    const gw_cpu_kernels *kernels;
    gw_thread_pool *pool;
    pthread_mutex_t busy;
    bool has_callers_threads;
};

// --- instruction sets

typedef struct isa {
    const char *name;
    const gw_cpu_kernels *(*kernels)(void);
    bool (*is_there)(void); // NULL: always
} isa;

#if defined(__x86_64__)
static bool has_avx2(void) {
    unsigned a, b, c, d;
    // clang 14 does not know "f16c".
    bool halves = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && halves;
}
static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
// Dots of bytes without AVX-512.
static bool has_avxvnni(void) {
    unsigned a, b, c, d;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}
#elif defined(__aarch64__)
// Elsewhere than on Linux: what this file is compiled for.
static bool has_dotprod(void) {
#if defined(__ARM_FEATURE_DOTPROD)
    return true;
#elif defined(__linux__)
    enum { ASIMDDP = 20 }; // of AT_HWCAP
    return getauxval(AT_HWCAP) >> ASIMDDP & 1;
#else
    return false;
#endif
}
static bool has_i8mm(void) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
    return has_dotprod();
#elif defined(__linux__)
    enum { I8MM = 13 }; // of AT_HWCAP2
    return has_dotprod() && (getauxval(AT_HWCAP2) >> I8MM & 1);
#else
    return false;
#endif
}
#endif

// The best first.
static const isa isas[] = {
#if defined(__x86_64__)
    {"avx512", gw_cpu_avx512, has_avx512},
    {"avxvnni", gw_cpu_avxvnni, has_avxvnni},
    {"avx2", gw_cpu_avx2, has_avx2},
#elif defined(__aarch64__)
    {"i8mm", gw_cpu_i8mm, has_i8mm},
    {"dotprod", gw_cpu_dotprod, has_dotprod},
    {"neon", gw_cpu_neon, NULL},
#endif
    {"plain", gw_cpu_plain, NULL},
};
enum { N_ISAS = sizeof isas / sizeof *isas };

// What a mask names, words with commas between: a bit for each; "floor": what every processor has is left.
static godwit_status parse_mask(const char *mask, uint32_t *out_masked, godwit_error *err) {
    static const char separators[] = ", ";
    const char *at = mask ? mask : "";
    *out_masked = 0;
    while (*(at += strspn(at, separators))) {
        const size_t n = strcspn(at, separators);
        const bool is_floor = n == strlen("floor") && memcmp(at, "floor", n) == 0;
        uint32_t named = 0;
        for (uint32_t i = 0; i < N_ISAS && isas[i].is_there; i++) {
            const bool is_it = strlen(isas[i].name) == n && memcmp(isas[i].name, at, n) == 0;
            if (is_floor || is_it) named |= 1u << i;
        }
        if (!named && !is_floor) {
            char words[64] = "";
            for (uint32_t i = 0, to = 0; i < N_ISAS && isas[i].is_there; i++)
                to += (uint32_t)snprintf(words + to, sizeof words - to, "%s, ", isas[i].name);
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "cpu: mask: \"%.*s\" is not an instruction set; use some of %sor floor "
                           "for all",
                           (int)(n < 64 ? n : 64), at, words);
        }
        *out_masked |= named;
        at += n;
    }
    return GODWIT_OK;
}

// isa NULL: the best. NULL: this processor, or this build, has it not.
static const gw_cpu_kernels *kernels_for(const char *isa, uint32_t masked) {
    for (uint32_t i = 0; i < N_ISAS; i++) {
        if (masked >> i & 1 || (isa && strcmp(isa, isas[i].name) != 0)) continue;
        if (isas[i].is_there && !isas[i].is_there()) continue;
        const gw_cpu_kernels *kernels = isas[i].kernels();
        if (kernels) return kernels;
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

// Of `most` things a part at most: so many that the thread with most parts has least to do.
static uint32_t even_part(uint32_t n, uint32_t n_tiles, uint32_t most, uint32_t n_threads) {
    uint32_t best = most;
    uint64_t least = UINT64_MAX;
    for (uint32_t size = most; size >= 1; size--) {
        const uint64_t n_parts = (uint64_t)gw_div_up(n, size) * n_tiles;
        const uint64_t longest = (n_parts + n_threads - 1) / n_threads * size;
        if (longest >= least) continue;
        least = longest;
        best = size;
    }
    return best;
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
                      .n_groups = gw_div_up(p->n_rows, GW_GROUP_ROWS),
                      .n_tok = p->n_tok};
    job.whole.n_tok = p->n_tok < GW_TILE_TOKENS ? p->n_tok : GW_TILE_TOKENS;
    const uint32_t n_tiles = gw_div_up(p->n_tok, job.whole.n_tok);
    uint64_t n = (uint64_t)job.n_groups * n_tiles / (gw_cpu_n_threads(cpu) * PARTS_A_THREAD);
    uint32_t most = GW_TILE_SUMS / job.whole.n_tok < MOST ? GW_TILE_SUMS / job.whole.n_tok : MOST;
    job.whole.n_groups = even_part(job.n_groups, n_tiles,
                                   n < 1      ? 1
                                   : n < most ? (uint32_t)n
                                              : most,
                                   gw_cpu_n_threads(cpu));
    job.n_chunks = gw_div_up(job.n_groups, job.whole.n_groups);
    if ((uint64_t)job.n_chunks * n_tiles > GW_THREAD_POOL_MAX_ITEMS) return false;
    gw_thread_pool_run(cpu->pool, job.n_chunks * n_tiles, do_matmul_part, &job);
    return true;
}

static bool moe_matmul(gw_cpu *cpu, const gw_reference_args *args) {
    gw_cpu_moe_matmul(cpu, cpu->host, args, matmul);
    return true;
}

typedef struct rows_job {
    const gw_reference_args *args;
    void (*fn)(const gw_reference_args *args);
    uint64_t n, step;
} rows_job;

static void do_rows(void *user, uint32_t item) {
    const rows_job *job = user;
    gw_reference_args args = *job->args;
    args.first = item * job->step;
    args.end = args.first + job->step < job->n ? args.first + job->step : job->n;
    job->fn(&args);
}

// n like things, at least so many at once.
static void share_out(gw_cpu *cpu, rows_job job, uint64_t least) {
    enum { PARTS_A_THREAD = 4 };
    const uint64_t n_parts = (uint64_t)gw_cpu_n_threads(cpu) * PARTS_A_THREAD;
    job.step = (job.n + n_parts - 1) / n_parts;
    if (job.step < least) job.step = least;
    gw_thread_pool_run(cpu->pool, gw_div_up(job.n, job.step), do_rows, &job);
}

typedef struct attention_job {
    const gw_cpu_kernels *kernels;
    gw_attention_part whole;
    uint64_t first, end;       // of the pairs
    uint64_t n_tiles;          // of pairs
    uint32_t group, in_group;  // pairs that share a table, tiles of them
    uint32_t n_runs, n_blocks; // runs of so many blocks are worked on apart
} attention_job;

static void do_attention_part(void *user, uint32_t item) {
    const attention_job *job = user;
    const gw_attention_params *p = job->whole.args->params;
    gw_attention_part part = job->whole;
    const uint64_t tile = item / job->n_runs % job->n_tiles;
    const uint32_t in_group = (uint32_t)(tile % job->in_group) * part.n_pairs;
    part.pair = job->first + tile / job->in_group * job->group + in_group;
    part.g = (uint32_t)(item / job->n_runs / job->n_tiles) * part.n_heads;
    if (part.n_heads > p->n_head_kv - part.g) part.n_heads = p->n_head_kv - part.g;
    if (part.n_pairs > job->group - in_group) part.n_pairs = job->group - in_group;
    if (part.n_pairs > job->end - part.pair) part.n_pairs = (uint32_t)(job->end - part.pair);
    part.block = 0;
    part.block_end = UINT32_MAX;
    if (p->mode == GW_ATTN_PART) {
        part.block = item % job->n_runs * job->n_blocks;
        part.block_end = part.block + job->n_blocks;
    }
    job->kernels->attention(&part);
}

// Blocks of keys up to the last that a token sees.
static uint32_t n_blocks_seen(const gw_attention_params *p, const void *positions) {
    uint32_t lo, pos, most = 0;
    for (uint64_t tok = 0; tok < p->n_tok; tok++) {
        gw_attn_see(p, positions, tok, &lo, &pos);
        most = pos > most ? pos : most;
    }
    return most / GW_ATTN_BLOCK + 1;
}

// Tiles of pairs, smaller ones where they are too few for all threads. What is left of a tile's room
// goes to more key heads, whose keys lie side by side.
static bool attention(gw_cpu *cpu, const gw_reference_args *args) {
    enum { PARTS_A_THREAD = 2 };
    const gw_attention_params *p = args->params;
    if (p->mode == GW_ATTN_COMBINE) {
        const uint64_t n_heads = gw_op_n_items(&gw_op_attention, p);
        rows_job rows = {.args = args, .fn = cpu->kernels->attention_combined, .n = n_heads};
        share_out(cpu, rows, 8);
        return true;
    }
    const uint32_t share = p->n_head / p->n_head_kv, n_given = p->end - p->first;
    const uint32_t n_parts = gw_cpu_n_threads(cpu) * PARTS_A_THREAD;
    attention_job job = {.kernels = cpu->kernels,
                         .whole = {.args = args, .n_heads = 1, .n_pairs = GW_ATTN_PAIRS},
                         .first = p->first,
                         .end = p->end,
                         .group = p->paged ? share : n_given,
                         .n_blocks = 1,
                         .n_runs = p->mode == GW_ATTN_PART ? n_blocks_seen(p, args->bufs[3]) : 1};
    if (job.group == 0) return true;
    for (;; job.whole.n_pairs /= 2) {
        job.in_group = gw_div_up(job.group, job.whole.n_pairs);
        job.n_tiles = (uint64_t)job.in_group * (n_given / job.group);
        if (job.whole.n_pairs == 1 || job.n_tiles * p->n_head_kv * job.n_runs >= n_parts) break;
    }
    const uint32_t n_pairs = job.group < job.whole.n_pairs ? job.group : job.whole.n_pairs;
    uint32_t n_groups = gw_div_up(p->n_head_kv, GW_ATTN_PAIRS / n_pairs);
    while (n_groups < p->n_head_kv && job.n_tiles * job.n_runs * n_groups < n_parts) n_groups++;
    job.whole.n_heads = gw_div_up(p->n_head_kv, n_groups);
    n_groups = gw_div_up(p->n_head_kv, job.whole.n_heads);
    // Blocks one after the other, as far as that leaves each thread some: the next is fetched beside the work.
    const uint64_t n = job.n_tiles * n_groups * job.n_runs / (2 * n_parts);
    if (n > 1) job.n_blocks = n < job.n_runs ? (uint32_t)n : job.n_runs;
    job.n_runs = gw_div_up(job.n_runs, job.n_blocks);
    const uint64_t n_items = job.n_tiles * n_groups * job.n_runs;
    if (n_items > GW_THREAD_POOL_MAX_ITEMS) return false;
    gw_thread_pool_run(cpu->pool, (uint32_t)n_items, do_attention_part, &job);
    return true;
}

// Items of an op that is cut in this way, and at least how many are worth a part; 0: the reference is to
// do it.
typedef struct cut {
    uint64_t n, least;
} cut;

static cut cut_rope_store(const void *params) {
    enum { MOST_LANES = 16 };
    const gw_rope_store_params *p = params;
    if ((p->paired ? p->n_rot : p->n_rot / 2) % MOST_LANES) return (cut){0};
    return (cut){gw_op_n_items(&gw_op_rope_store, p), 1};
}
static cut cut_gated(const void *params) {
    const gw_gated_params *p = params;
    if (p->gate.run % 32 || p->up.run % 32)
        return (cut){0}; // groups would not be whole in their columns
    return (cut){p->quantize ? p->n : gw_div_up(p->n, 32), 32};
}
// Tokens' channels, or heads, must lie side by side.
static cut cut_ssm_conv(const void *params) {
    const gw_ssm_conv_params *p = params;
    if (p->x.run % ((p->gated ? 3 : 1) * p->n)) return (cut){0};
    return (cut){gw_div_up(p->n, 32), 1};
}
static cut cut_ssm_gates(const void *params) {
    const gw_ssm_gates_params *p = params;
    if (p->dt.run % p->n || (p->sigmoid && p->rate.run % p->n_rates)) return (cut){0};
    return (cut){p->n_tok, 1};
}
static cut cut_selective_scan(const void *params) {
    const gw_selective_scan_params *p = params;
    if (p->v.run % p->n || p->dt.run % p->n) return (cut){0};
    return (cut){gw_div_up(p->n, GW_SCAN_COLUMNS), 1};
}
static cut cut_elements(uint64_t n_rows, uint32_t n) {
    const uint64_t n_pieces = gw_div_up(n, GW_ELEMENTS), each = n < GW_ELEMENTS ? n : GW_ELEMENTS;
    return (cut){n_rows * n_pieces, each ? gw_div_up(GW_ELEMENTS, each) : 1};
}
static cut cut_unary(const void *params) {
    const gw_unary_params *p = params;
    return cut_elements(p->n_rows, p->n);
}
static cut cut_binary(const void *params) {
    const gw_binary_params *p = params;
    return cut_elements(p->n_rows, p->n);
}
static cut cut_moe_sum(const void *params) {
    const gw_moe_sum_params *p = params;
    return cut_elements(p->n_tok, p->n);
}

static const struct {
    const gw_op *op;
    uint32_t kernel;
    cut (*cut)(const void *params); // NULL: by the reference's items
} item_ops[] = {
    {&gw_op_rms_norm, GW_CPU_rms_norm, NULL},
    {&gw_op_layer_norm, GW_CPU_layer_norm, NULL},
    {&gw_op_sample, GW_CPU_sample, NULL},
    {&gw_op_sample_parts, GW_CPU_sample_parts, NULL},
    {&gw_op_rope_store, GW_CPU_rope_store, cut_rope_store},
    {&gw_op_silu_mul, GW_CPU_silu_mul, cut_gated},
    {&gw_op_gelu_mul, GW_CPU_gelu_mul, cut_gated},
    {&gw_op_sigmoid_mul, GW_CPU_sigmoid_mul, cut_gated},
    {&gw_op_swiglu_clamp, GW_CPU_swiglu_clamp, cut_gated},
    {&gw_op_l2_norm, GW_CPU_l2_norm, NULL},
    {&gw_op_ssm_conv, GW_CPU_ssm_conv, cut_ssm_conv},
    {&gw_op_ssm_gates, GW_CPU_ssm_gates, cut_ssm_gates},
    {&gw_op_ssm_scan, GW_CPU_ssm_scan, NULL},
    {&gw_op_gated_delta_net, GW_CPU_gated_delta_net, NULL},
    {&gw_op_selective_scan, GW_CPU_selective_scan, cut_selective_scan},
    {&gw_op_gelu, GW_CPU_gelu, cut_unary},
    {&gw_op_clip, GW_CPU_clip, cut_unary},
    {&gw_op_relu, GW_CPU_relu, cut_unary},
    {&gw_op_softcap, GW_CPU_softcap, cut_unary},
    {&gw_op_scale, GW_CPU_scale, cut_unary},
    {&gw_op_add, GW_CPU_add, cut_binary},
    {&gw_op_mul, GW_CPU_mul, cut_binary},
    {&gw_op_moe_sum, GW_CPU_moe_sum, cut_moe_sum},
    {&gw_op_moe_route, GW_CPU_moe_route, NULL},
    {&gw_op_match_rms, GW_CPU_match_rms, NULL},
    {&gw_op_mix_streams, GW_CPU_mix_streams, NULL},
    {&gw_op_gaussian_topk, GW_CPU_gaussian_topk, NULL},
};

static bool items(gw_cpu *cpu, const gw_op *op, const gw_reference_args *args) {
    for (size_t i = 0; i < sizeof item_ops / sizeof *item_ops; i++) {
        if (item_ops[i].op != op) continue;
        cut c = {gw_op_n_items(op, args->params), 1};
        if (item_ops[i].cut) c = item_ops[i].cut(args->params);
        if (c.n == 0) return false;
        rows_job job = {.args = args, .fn = cpu->kernels->items[item_ops[i].kernel], .n = c.n};
        share_out(cpu, job, c.least);
        return true;
    }
    return false;
}

static const struct {
    const gw_op *op;
    bool (*run)(gw_cpu *cpu, const gw_reference_args *args); // false: the reference is to do it
} kernels[] = {
    {&gw_op_matmul, matmul}, {&gw_op_moe_matmul, moe_matmul}, {&gw_op_attention, attention}};

void gw_cpu_launch(gw_cpu *cpu, const gw_op *op, const gw_reference_args *args) {
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].op == op && kernels[i].run(cpu, args)) return;
    }
    if (items(cpu, op, args)) return;
    const uint64_t n = gw_op_n_items(op, args->params);
    share_out(cpu, (rows_job){.args = args, .fn = op->reference, .n = n}, 1);
}

// --- the device

godwit_status gw_cpu_create(const gw_host *host, const gw_cpu_params *params, gw_cpu **out_cpu,
                            godwit_error *err) {
    const gw_cpu_params p = params ? *params : (gw_cpu_params){0};
    uint32_t masked = 0;
    const godwit_status status = parse_mask(p.mask, &masked, err);
    if (status != GODWIT_OK) return status;
    const gw_cpu_kernels *found = kernels_for(p.isa, masked);
    if (!found) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "cpu: this processor, or this build of Godwit, has no '%.20s'", p.isa);
    }
    gw_cpu *cpu = gw_alloc(host, 1, sizeof *cpu);
    if (!cpu) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: cpu");
    cpu->host = host;
    cpu->kernels = found;
    cpu->has_callers_threads = p.parallel != NULL;
    cpu->pool = gw_thread_pool_create(host, p.n_threads ? p.n_threads : gw_threads_wanted(),
                                      p.parallel, p.parallel_user);
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

const char *gw_cpu_best_isa(void) {
    return kernels_for(NULL, 0)->name;
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

void gw_cpu_for(gw_cpu *cpu, uint32_t n_workers, uint64_t n_items, gw_item_fn fn, void *user) {
    if (cpu->has_callers_threads) gw_cpu_begin(cpu); // one call at a time
    gw_thread_pool_for(cpu->pool, n_workers, n_items, fn, user);
    if (cpu->has_callers_threads) gw_cpu_end(cpu);
}
