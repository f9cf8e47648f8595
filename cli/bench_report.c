// bench_report.c: what `godwit bench` prints.
#include <stdio.h>

#include "bench.h"
#include "clock.h"
#include "print.h"

static const bench_test *first_of(const bench *b, bool is_decode) {
    for (size_t i = 0; i < b->n_tests; i++) {
        if (b->tests[i].is_decode == is_decode) return &b->tests[i];
    }
    return NULL;
}

// Of the first decode test; 0 without one.
static double decode_bandwidth(const bench *b) {
    const bench_test *t = first_of(b, true);
    return t ? t->rate.median * (double)b->stats.decode_weight_bytes : 0;
}

void bench_print_head(const bench *b) {
    printf("device   %s, %s (%s)\n", b->device.name, b->device.driver,
           cli_device_type_name(b->device.type));
    printf("verified %s%s%s\n", b->device.verified, b->device.routed[0] ? "; routed around: " : "",
           b->device.routed);
    if (b->device.tuned) printf("kernels  %s\n", cli_kernels_are(&b->device));
    printf("model    %s: %.1f M parameters, %s of weights, loaded in %.2f s\n", b->engine.path,
           (double)b->model.n_params / 1e6, cli_bytes(b->model.weights_bytes).text,
           (double)b->model.load_ns / 1e9);
    if (b->model.host_weights_bytes)
        printf("experts  %s of the weights lie in host memory\n",
               cli_bytes(b->model.host_weights_bytes).text);
    if (b->model.wide_weights_bytes)
        printf("wide     %s of the weights are unpacked to 4 bits a weight\n",
               cli_bytes(b->model.wide_weights_bytes).text);
}

static void print_ops(const bench_test *t) {
    uint64_t sum_ns = 0;
    for (size_t i = 0; i < t->n_ops; i++) sum_ns += t->ops[i].ns;
    if (sum_ns == 0) {
        printf("  this device has no timestamps: no times of kernels\n");
        return;
    }
    printf("  kernels one at a time: %.3f ms on the device, %.3f ms in all, a run\n",
           (double)sum_ns / 1e6 / t->n_steps, (double)t->ops_wall_ns / 1e6 / t->n_steps);
    printf("  %-24s %-24s %8s %10s %6s %8s\n", "kernel", "node", "launches", "us each", "%",
           "GB/s");
    for (size_t i = 0; i < t->n_ops; i++) {
        const godwit_launch_time *o = &t->ops[i];
        printf("  %-24s %-24s %8.0f %10.2f %6.1f", o->kernel, o->node,
               (double)o->n_launches / t->n_steps, (double)o->ns / 1e3 / (double)o->n_launches,
               100.0 * (double)o->ns / (double)sum_ns);
        if (o->weight_bytes) printf(" %8.1f", cli_rate((double)o->weight_bytes, o->ns) / 1e9);
        printf("\n");
    }
}

void bench_print_test(const bench *b, const bench_test *t) {
    printf("%-8s %10.2f tokens/s (%.2f to %.2f), %u tokens", t->is_decode ? "decode" : "prefill",
           t->rate.median, t->rate.min, t->rate.max, t->n_tokens);
    if (t->n_streams)
        printf(" of %u streams, %.2f a stream", t->n_streams, t->rate.median / t->n_streams);
    if (t->depth) printf(" after %u", t->depth);
    printf(", %u repetitions; %.2f ms of CPU a token\n", b->n_reps, t->cpu.median / 1e6);
    if (b->options->ops) print_ops(t);
}

void bench_print_foot(const bench *b) {
    double gb_s = decode_bandwidth(b) / 1e9;
    if (gb_s > 0) {
        printf("weights  %10.2f GB/s in decode, %s a token", gb_s,
               cli_bytes(b->stats.decode_weight_bytes).text);
        if (b->host_bandwidth > 0) {
            printf(", %.0f %% of the host's %.2f GB/s", 100 * gb_s * 1e9 / b->host_bandwidth,
                   b->host_bandwidth / 1e9);
        }
        printf("\n");
    }
    printf("numerics %s\n", b->stats.fast ? "fast" : "exact");
}

static json_t *json_of_ops(const bench_test *t) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_ops; i++) {
        const godwit_launch_time *o = &t->ops[i];
        json_t *row = json_object();
        cli_json_set(row, "kernel", cli_json_word(o->kernel));
        cli_json_set(row, "node", cli_json_word(o->node));
        cli_json_set(row, "launches", cli_json_real((double)o->n_launches / t->n_steps));
        cli_json_set(row, "ns", cli_json_real((double)o->ns / t->n_steps));
        cli_json_set(row, "weight_bytes", cli_json_real((double)o->weight_bytes / t->n_steps));
        (void)json_array_append_new(list, row);
    }
    return list;
}

static json_t *json_of_test(const bench *b, const bench_test *t) {
    json_t *o = json_object();
    cli_json_set(o, "kind", cli_json_word(t->is_decode ? "decode" : "prefill"));
    cli_json_set(o, "tokens", json_integer(t->n_tokens));
    cli_json_set(o, "depth", json_integer(t->depth));
    cli_json_set(o, "streams", json_integer(t->n_streams ? t->n_streams : 1));
    cli_json_set(o, "tokens_per_s", cli_json_real(t->rate.median));
    cli_json_set(o, "tokens_per_s_min", cli_json_real(t->rate.min));
    cli_json_set(o, "tokens_per_s_max", cli_json_real(t->rate.max));
    cli_json_set(o, "cpu_ns_per_token", cli_json_real(t->cpu.median));
    if (b->options->ops) cli_json_set(o, "ops", json_of_ops(t));
    return o;
}

int bench_print_json(const bench *b) {
    json_t *all = json_object(), *tests = json_array();
    cli_json_set(all, "device", cli_json_device_short(&b->device));
    cli_json_set(all, "model", cli_json_word(b->engine.path));
    cli_json_set(all, "n_params", json_integer((json_int_t)b->model.n_params));
    cli_json_set(all, "weights_bytes", json_integer((json_int_t)b->model.weights_bytes));
    cli_json_set(all, "host_weights_bytes", json_integer((json_int_t)b->model.host_weights_bytes));
    cli_json_set(all, "wide_weights_bytes", json_integer((json_int_t)b->model.wide_weights_bytes));
    cli_json_set(all, "load_ns", json_integer((json_int_t)b->model.load_ns));
    cli_json_set(all, "reps", json_integer(b->n_reps));
    for (int decode = 0; decode < 2; decode++) {
        const bench_test *t = first_of(b, decode);
        cli_json_set(all, decode ? "decode" : "prefill", t ? json_of_test(b, t) : json_null());
    }
    for (size_t i = 0; i < b->n_tests; i++) {
        (void)json_array_append_new(tests, json_of_test(b, &b->tests[i]));
    }
    cli_json_set(all, "tests", tests);
    cli_json_set(all, "weight_bytes_per_token",
                 json_integer((json_int_t)b->stats.decode_weight_bytes));
    cli_json_set(all, "decode_bytes_per_s", cli_json_real(decode_bandwidth(b)));
    bool has = b->host_bandwidth > 0;
    cli_json_set(all, "host_bytes_per_s", has ? cli_json_real(b->host_bandwidth) : json_null());
    cli_json_set(all, "host_percent",
                 has ? cli_json_real(100 * decode_bandwidth(b) / b->host_bandwidth) : json_null());
    cli_json_set(all, "peak_rss_bytes", json_integer((json_int_t)b->peak_rss_bytes));
    cli_json_set(all, "numerics", cli_json_word(b->stats.fast ? "fast" : "exact"));
    return cli_print_json(all);
}
