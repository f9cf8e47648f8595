// product.c: products on the cores, for what their time or their instructions are (bench/insns).
//
//   product FORMAT TOKENS [ROWS [COLUMNS [ROUNDS]]]    64 rows, 2048 columns, once, on one thread
//
// Prints nanoseconds of that thread of the fastest and of the middle round for each block of 256 weights and token. Under an
// emulator PRODUCT_MASK and the processor that is emulated choose the path.
#include "cpu/cpu.h"
#include "ops/matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_ROUNDS = 10000 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *get(size_t bytes) {
    void *p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!p) {
        fprintf(stderr, "product: out of memory\n");
        exit(1);
    }
    memset(p, 0x3c, bytes); // 1.06 as a half, 0.0115 as a float: nothing is subnormal
    return p;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint32_t number(int argc, char **argv, int i, uint32_t otherwise) {
    return argc > i ? (uint32_t)strtoul(argv[i], NULL, 10) : otherwise;
}

static void multiply(gw_cpu *cpu, const gw_format *format, uint32_t n_tok, uint32_t n_rows,
                     uint32_t n_cols, uint32_t n_rounds) {
    static double taken[MAX_ROUNDS];
    gw_row_layout layout;
    gw_layout_of(format, n_cols, GW_GROUP_ROWS, &layout);
    const gw_matmul_params p = {.format = format->id,
                                .n_rows = n_rows,
                                .n_units = n_cols / gw_format_unit(format),
                                .n_tok = n_tok,
                                .y_stride = n_rows,
                                .w = {(uint32_t)layout.group_pieces, layout.rows}};
    const gw_reference_args args = {
        .params = &p,
        .bufs = {get(gw_layout_bytes(&layout, n_rows)), (void *)(uintptr_t)format->table,
                 get((size_t)n_tok * n_cols * 4), get((size_t)n_tok * n_cols / 8), NULL, NULL,
                 get((size_t)n_tok * n_rows * 4)}};
    for (uint32_t i = 0; i < n_rounds; i++) {
        const double start = seconds();
        gw_cpu_launch(cpu, &gw_op_matmul, &args);
        taken[i] = seconds() - start;
    }
    qsort(taken, n_rounds, sizeof *taken, by_size);
    const double blocks = (double)n_rows * n_cols / 256 * n_tok;
    printf("%s, %s, tokens: %u: %.2f ns a block at best, %.2f in the middle\n", gw_cpu_isa(cpu),
           format->name, n_tok, taken[0] / blocks * 1e9, taken[n_rounds / 2] / blocks * 1e9);
    for (int i = 0; i < 7; i++)
        if (i != 1) free(args.bufs[i]);
}

int main(int argc, char **argv) {
    const gw_format *format = argc > 1 ? gw_format_named(argv[1]) : NULL;
    const uint32_t n_tok = number(argc, argv, 2, 0), n_rows = number(argc, argv, 3, 64);
    const uint32_t n_cols = number(argc, argv, 4, 2048), n_rounds = number(argc, argv, 5, 1);
    godwit_error error = {0};
    gw_host host;
    gw_cpu *cpu = NULL;
    if (!format || n_tok < 1 || n_tok > 4096 || n_rows < 1 || n_rows > 1 << 16 || n_cols % 256 ||
        n_cols < 256 || n_cols > 1 << 16 || n_rounds < 1 || n_rounds > MAX_ROUNDS) {
        fprintf(stderr, "product FORMAT TOKENS [ROWS [COLUMNS [ROUNDS]]]\n");
        return 2;
    }
    gw_host_init(&host, NULL, NULL, NULL);
    const gw_cpu_params params = {.n_threads = 1, .mask = getenv("PRODUCT_MASK")};
    if (gw_cpu_create(&host, &params, &cpu, &error) != GODWIT_OK) {
        fprintf(stderr, "product: %s\n", error.message);
        return 1;
    }
    gw_cpu_begin(cpu);
    multiply(cpu, format, n_tok, n_rows, n_cols, n_rounds);
    gw_cpu_end(cpu);
    gw_cpu_destroy(&cpu);
    return 0;
}
