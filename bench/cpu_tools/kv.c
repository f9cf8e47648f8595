// kv.c: how fast attention of one token reads its cache on the cores, beside a plain read of the same
// memory by the same threads, taken in turns.
//
//   kv [KEYS [THREADS [ROUNDS [MB]]]]      4096 keys, as many threads as the device cpu takes, 40 rounds, 150 MB
//
// Each shape has as many layers as make so many MB of caches, which are read one after the other, as a step
// does; few MB stay in the processor's own caches, and show what the work itself allows. GB/s of the fastest
// and of the middle round; the last column, GB for each second that a thread ran, is what a machine with
// other work to do can be trusted with. KV_ISA: an instruction set instead of the best; KV_ONLY: shapes with
// that in their names.
#include "cpu/cpu.h"
#include "ops/attention.h"
#include "ops/kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_LAYERS = 64, MAX_ROUNDS = 1000, READ_BYTES = 65536 };

typedef struct shape {
    const char *name;
    uint32_t n_head, n_head_kv, head_dim, type;
} shape;

static const shape shapes[] = {
    {"12 heads of 64, 12 kv, f16", 12, 12, 64, GW_KV_F16},
    {"9 heads of 64, 3 kv, f16", 9, 3, 64, GW_KV_F16},
    {"32 heads of 64, 8 kv, f16", 32, 8, 64, GW_KV_F16},
    {"32 heads of 128, 8 kv, f16", 32, 8, 128, GW_KV_F16},
    {"12 heads of 64, 12 kv, q8_0", 12, 12, 64, GW_KV_Q8},
    {"32 heads of 128, 8 kv, q8_0", 32, 8, 128, GW_KV_Q8},
};

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *get(size_t bytes) {
    void *p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!p) {
        fprintf(stderr, "kv: out of memory\n");
        exit(1);
    }
    memset(p, 0, bytes);
    return p;
}

// --- a plain read: an op whose items are pieces of memory

typedef struct read_params {
    uint64_t bytes;
} read_params;

static uint64_t n_reads(const void *params) {
    return ((const read_params *)params)->bytes / READ_BYTES;
}

static void read_pieces(const gw_reference_args *args) {
    for (uint64_t item = args->first; item < args->end; item++) {
        const uint64_t *words = (const void *)((const uint8_t *)args->bufs[0] + item * READ_BYTES);
        uint64_t sums[8] = {0};
        for (size_t i = 0; i < READ_BYTES / 8; i += 8)
            for (size_t j = 0; j < 8; j++) sums[j] += words[i + j];
        for (size_t j = 1; j < 8; j++) sums[0] += sums[j];
        ((volatile uint64_t *)args->bufs[1])[item % 8] = sums[0];
    }
}

static const gw_op read_op = {.name = "read", .n_items = n_reads, .reference = read_pieces};

// --- caches of small numbers

typedef struct caches {
    const shape *of;
    uint32_t n_keys, n_layers;
    size_t bytes; // of one of the two of a layer
    uint8_t *k[MAX_LAYERS], *v[MAX_LAYERS];
} caches;

static void fill(const caches *c, bool values, uint8_t *cache) {
    const uint32_t d = c->of->head_dim, n = c->n_keys * c->of->n_head_kv;
    float head[GW_MAX_HEAD_DIM];
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < d; j++) head[j] = (float)((i * 31 + j * 17) % 61) / 64.0f - 0.5f;
        gw_kv_put_head(c->of->type, values, head, d, i, n, cache);
    }
}

static void make_caches(const shape *of, uint32_t n_keys, double mb, caches *c) {
    const uint64_t n = (uint64_t)n_keys * of->n_head_kv;
    *c = (caches){.of = of, .n_keys = n_keys};
    c->bytes = n * of->head_dim * (of->type == GW_KV_F16 ? 2 : 1);
    if (of->type == GW_KV_Q8) c->bytes += n * gw_div_up(of->head_dim, 32) * sizeof(float);
    while (c->n_layers < MAX_LAYERS && (double)c->n_layers * 2 * (double)c->bytes < mb * 1e6) {
        const uint32_t i = c->n_layers++;
        c->k[i] = get(c->bytes);
        c->v[i] = get(c->bytes);
        fill(c, false, c->k[i]);
        fill(c, true, c->v[i]);
    }
}

static void free_caches(caches *c) {
    for (uint32_t i = 0; i < c->n_layers; i++) {
        free(c->k[i]);
        free(c->v[i]);
    }
}

// --- a round: all layers

typedef struct rate {
    double gbs[MAX_ROUNDS], cpu;
} rate;

static void read_all(gw_cpu *cpu, const caches *c) {
    static uint64_t sums[8];
    for (uint32_t i = 0; i < 2 * c->n_layers; i++) {
        const read_params params = {c->bytes};
        uint8_t *from = i % 2 ? c->v[i / 2] : c->k[i / 2];
        gw_cpu_launch(cpu, &read_op, &(gw_reference_args){.params = &params, .bufs = {from, sums}});
    }
}

static void attend_all(gw_cpu *cpu, const caches *c, const float *q, float *parts, float *y) {
    static uint32_t pages[1 << 12];
    const uint32_t n_blocks = gw_div_up(c->n_keys, GW_ATTN_BLOCK), position = c->n_keys - 1;
    for (uint32_t i = 0; i < n_blocks; i++) pages[i] = i;
    gw_attention_params p = {.n_tok = 1,
                             .n_head = c->of->n_head,
                             .n_head_kv = c->of->n_head_kv,
                             .head_dim = c->of->head_dim,
                             .scale2 = 0.18f,
                             .k_type = c->of->type,
                             .v_type = c->of->type,
                             .out_dim = c->of->head_dim,
                             .n_rows = c->n_keys,
                             .n_ctx = c->n_keys,
                             .n_blocks = n_blocks,
                             .end = c->of->n_head / c->of->n_head_kv};
    for (uint32_t i = 0; i < c->n_layers; i++) {
        uint32_t at = position;
        p.mode = GW_ATTN_PART;
        gw_reference_args part = {
            .params = &p,
            .bufs = {(void *)(uintptr_t)q, c->k[i], c->v[i], &at, pages, parts, parts}};
        gw_cpu_launch(cpu, &gw_op_attention, &part);
        p.mode = GW_ATTN_COMBINE;
        gw_reference_args combine = {.params = &p, .bufs = {&at, parts, y, y}};
        gw_cpu_launch(cpu, &gw_op_attention, &combine);
    }
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_rate(const char *what, rate *r, uint32_t n, double gb) {
    qsort(r->gbs, n, sizeof *r->gbs, by_size);
    printf("  %-12s %6.1f GB/s at best, %6.1f in the middle, %6.1f a thread's second\n", what,
           r->gbs[n - 1], r->gbs[n / 2], gb * n / r->cpu);
}

static void measure(gw_cpu *cpu, const shape *of, uint32_t n_keys, uint32_t n_rounds, double mb) {
    static rate reads, attention;
    caches c;
    make_caches(of, n_keys, mb, &c);
    const double gb = (double)c.bytes * 2 * c.n_layers / 1e9;
    const size_t n_q = (size_t)of->n_head * of->head_dim;
    float *q = get(n_q * sizeof *q), *y = get(n_q * sizeof *y);
    float *parts = get((n_q + 2 * of->n_head) * gw_div_up(n_keys, GW_ATTN_BLOCK) * sizeof *parts);
    for (size_t i = 0; i < n_q; i++) q[i] = (float)(i % 7) / 8.0f;
    reads.cpu = attention.cpu = 0;
    for (uint32_t i = 0; i < 2 * n_rounds; i++) {
        rate *r = i % 2 ? &attention : &reads;
        const double wall = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
        gw_cpu_begin(cpu);
        if (i % 2)
            attend_all(cpu, &c, q, parts, y);
        else
            read_all(cpu, &c);
        gw_cpu_end(cpu);
        r->gbs[i / 2] = gb / (seconds(CLOCK_MONOTONIC) - wall);
        r->cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
    }
    printf("%s, %u keys, %u layers, %.0f MB\n", of->name, n_keys, c.n_layers, gb * 1e3);
    print_rate("plain read", &reads, n_rounds, gb);
    print_rate("attention", &attention, n_rounds, gb);
    free(q);
    free(y);
    free(parts);
    free_caches(&c);
}

int main(int argc, char **argv) {
    const long n_keys = argc > 1 ? strtol(argv[1], NULL, 10) : 4096;
    const long n_threads = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    const long n_rounds = argc > 3 ? strtol(argv[3], NULL, 10) : 40;
    const double mb = argc > 4 ? strtod(argv[4], NULL) : 150;
    godwit_error error = {0};
    gw_host host;
    gw_cpu *cpu = NULL;
    if (n_keys < 1 || n_keys > 1 << 20 || n_threads < 0 || n_threads > GW_MAX_THREADS ||
        n_rounds < 1 || n_rounds > MAX_ROUNDS) {
        fprintf(stderr, "kv [KEYS [THREADS [ROUNDS [MB]]]]\n");
        return 2;
    }
    gw_host_init(&host, NULL, NULL, NULL);
    const gw_cpu_params params = {.n_threads = (uint32_t)n_threads, .isa = getenv("KV_ISA")};
    if (gw_cpu_create(&host, &params, &cpu, &error) != GODWIT_OK) {
        fprintf(stderr, "kv: %s\n", error.message);
        return 1;
    }
    printf("%s, threads: %u\n", gw_cpu_isa(cpu), gw_cpu_n_threads(cpu));
    const char *only = getenv("KV_ONLY");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (!only || strstr(shapes[i].name, only))
            measure(cpu, &shapes[i], (uint32_t)n_keys, (uint32_t)n_rounds, mb);
    gw_cpu_destroy(&cpu);
    return 0;
}
