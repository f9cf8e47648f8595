// bench.h: `godwit bench`: what it measures (bench.c) and how it says it (bench_report.c).
#ifndef GODWIT_CLI_BENCH_H
#define GODWIT_CLI_BENCH_H

#include "cli.h"

enum { BENCH_MAX_OPS = 256 };

typedef struct bench_spread {
    double median, min, max;
} bench_spread;

// A row of the table: prefill of n_tokens, or that many decode steps, after depth tokens; n_streams:
// of a batch at once, each so many, 0 for the one session.
typedef struct bench_test {
    bool is_decode;
    uint32_t n_tokens, depth, n_streams;
    double *rates, *cpu_ns; // [reps]: tokens a second; what the processors did for each token
    bench_spread rate, cpu;
    godwit_launch_time *ops; // [n_ops], of n_steps runs, with --ops
    size_t n_ops;
    uint32_t n_steps;
    uint64_t ops_wall_ns;
} bench_test;

typedef struct bench {
    const cli_options *options;
    cli_engine engine;
    godwit_session *session;
    godwit_batch *batch;      // of tests of many streams; NULL: none yet
    godwit_session **streams; // [n_streams]
    uint32_t n_streams;
    godwit_device_info device;
    godwit_model_info model;
    godwit_session_stats stats;
    bench_test *tests;    // [n_tests]
    size_t n_tests, test; // the one that runs
    uint32_t n_reps, n_ctx;
    int32_t *ids; // [n_ctx]
    uint64_t peak_rss_bytes;
    double host_bandwidth; // bytes a second; 0: not measured
    uint32_t n_done;       // repetitions, this one included; 0: the warm-up
} bench;

// What stands above the rows, once; a row when its test is done; what stands below.
void bench_print_head(const bench *b);
void bench_print_test(const bench *b, const bench_test *test);
void bench_print_foot(const bench *b);
int bench_print_json(const bench *b);

#endif
