// bench.c: `godwit bench`: prefill and decode speed of a model on a device.
//
// Tokens are drawn from the whole vocabulary by a fixed generator. One repetition that is not
// counted comes first (kernels are compiled, memory is touched). Medians, with least and most.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bandwidth.h"
#include "cli.h"
#include "clock.h"
#include "print.h"

typedef struct spread {
    double median, min, max;
} spread;

// Repetitions of a kind of work: tokens a second, and what the processors did for each token.
typedef struct work {
    double *rates, *cpu_ns; // [n_reps]
    spread rate, cpu;
} work;

typedef struct bench {
    const cli_options *options;
    cli_engine engine;
    godwit_session *session;
    godwit_device_info device;
    godwit_model_info model;
    godwit_session_stats stats;
    uint32_t n_prompt, n_tokens, n_reps;
    int32_t *ids; // [n_prompt]
    work prefill, decode;
    uint64_t peak_rss_bytes;
    double host_bandwidth; // bytes a second; 0: not measured
    bool on_terminal;      // what is shown while it runs:
    uint32_t n_done;       //   repetitions, this one included; 0: the warm-up
    uint64_t shown_ns;
} bench;

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static spread spread_of(double *values, size_t n) {
    qsort(values, n, sizeof(*values), compare);
    double median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    return (spread){median, values[0], values[n - 1]};
}

// splitmix64 (Steele, Lea and Flood, 2014).
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// One line that is written over, ten times a second; on a terminal only. Its cost is nothing beside
// a step's.
static void show_progress(bench *b, const char *what, uint32_t n_done, uint32_t n) {
    uint64_t now_ns = cli_now_ns();
    if (!b->on_terminal || now_ns - b->shown_ns < 100000000u) return;
    b->shown_ns = now_ns;
    if (b->n_done == 0) {
        (void)fputs("\rwarm-up", stderr);
    } else {
        (void)fprintf(stderr, "\rrepetition %u of %u", b->n_done, b->n_reps);
    }
    (void)fprintf(stderr, ", %s: %u of %u tokens\033[K", what, n_done, n);
}

static void end_progress(const bench *b) {
    if (b->on_terminal) (void)fputs("\r\033[K", stderr);
}

static godwit_status decode(bench *b, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; status == GODWIT_OK && i < b->n_tokens; i++) {
        int32_t token = -1;
        show_progress(b, "decode", i, b->n_tokens);
        status = godwit_session_step(b->session, NULL, &token, error);
    }
    return status;
}

// Repetition i of both.
static godwit_status repeat(bench *b, uint32_t i, godwit_error *error) {
    uint64_t start_ns = 0, start_cpu_ns = 0;
    godwit_status status = godwit_session_truncate(b->session, 0, error);
    if (status != GODWIT_OK) return status;
    show_progress(b, "prefill", 0, b->n_prompt);
    start_ns = cli_now_ns();
    start_cpu_ns = cli_cpu_ns();
    status = godwit_session_feed(b->session, b->ids, b->n_prompt, error);
    if (status != GODWIT_OK) return status;
    b->prefill.rates[i] = cli_rate(b->n_prompt, cli_now_ns() - start_ns);
    b->prefill.cpu_ns[i] = (double)(cli_cpu_ns() - start_cpu_ns) / b->n_prompt;
    status = godwit_session_truncate(b->session, 0, error);
    if (status == GODWIT_OK) status = godwit_session_feed(b->session, b->ids, 1, error);
    if (status != GODWIT_OK) return status;
    start_ns = cli_now_ns();
    start_cpu_ns = cli_cpu_ns();
    status = decode(b, error);
    b->decode.rates[i] = cli_rate(b->n_tokens, cli_now_ns() - start_ns);
    b->decode.cpu_ns[i] = (double)(cli_cpu_ns() - start_cpu_ns) / b->n_tokens;
    return status;
}

static void sum_up(work *w, size_t n) {
    w->rate = spread_of(w->rates, n);
    w->cpu = spread_of(w->cpu_ns, n);
}

static godwit_status measure(bench *b, godwit_error *error) {
    godwit_status status = repeat(b, 0, error); // warms up
    for (uint32_t i = 0; status == GODWIT_OK && i < b->n_reps; i++) {
        b->n_done = i + 1;
        status = repeat(b, i, error);
    }
    end_progress(b);
    if (status != GODWIT_OK) return status;
    sum_up(&b->prefill, b->n_reps);
    sum_up(&b->decode, b->n_reps);
    b->stats = GODWIT_INIT(godwit_session_stats);
    status = godwit_session_get_stats(b->session, &b->stats, error);
    if (status != GODWIT_OK) return status;
    b->peak_rss_bytes = cli_peak_rss_bytes(); // before the next line's large buffer
    if (b->device.type == GODWIT_DEVICE_REFERENCE || b->device.type == GODWIT_DEVICE_SOFTWARE) {
        b->host_bandwidth = cli_host_read_bandwidth();
    }
    return GODWIT_OK;
}

static work make_work(size_t n) {
    return (work){.rates = cli_realloc(NULL, n * sizeof(double)),
                  .cpu_ns = cli_realloc(NULL, n * sizeof(double))};
}

// Sizes left open are cut to the model's context.
static void choose_sizes(bench *b) {
    const cli_options *o = b->options;
    uint32_t n_ctx = o->n_ctx ? o->n_ctx : b->model.n_ctx_train;
    if (n_ctx < 2) n_ctx = 2;
    b->n_prompt = o->n_prompt != CLI_NOT_GIVEN ? o->n_prompt : n_ctx < 512 ? n_ctx : 512;
    b->n_tokens = o->n_tokens != CLI_NOT_GIVEN ? o->n_tokens : n_ctx < 65 ? n_ctx - 1 : 64;
    b->n_reps = o->n_reps;
}

static godwit_status start(bench *b, godwit_error *error) {
    godwit_status status = cli_open_engine(b->options, &b->engine, error);
    if (status == GODWIT_OK) status = godwit_device_get_info(b->engine.device, &b->device, error);
    if (status == GODWIT_OK) status = godwit_model_get_info(b->engine.model, &b->model, error);
    if (status != GODWIT_OK) return status;
    choose_sizes(b);
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    uint32_t n_needed = b->n_prompt > b->n_tokens ? b->n_prompt : b->n_tokens + 1;
    if (n_needed > b->model.n_ctx_train) {
        cli_say("context of %u tokens is past the %u that the model was trained for", n_needed,
                b->model.n_ctx_train);
    }
    params.n_ctx = b->options->n_ctx ? b->options->n_ctx : n_needed;
    params.n_batch = b->options->n_batch;
    params.kv_dtype = b->options->kv ? GODWIT_F16 : GODWIT_F32;
    params.numerics = (godwit_numerics)b->options->numerics;
    status = godwit_session_create(b->engine.model, &params, &b->session, error);
    if (status != GODWIT_OK) return status;
    b->ids = cli_realloc(NULL, (size_t)b->n_prompt * sizeof(*b->ids));
    uint64_t state = 1;
    for (uint32_t i = 0; i < b->n_prompt; i++) {
        b->ids[i] = (int32_t)(next_random(&state) % (b->model.n_vocab ? b->model.n_vocab : 1));
    }
    b->prefill = make_work(b->n_reps);
    b->decode = make_work(b->n_reps);
    return GODWIT_OK;
}

static double decode_bandwidth(const bench *b) {
    return b->decode.rate.median * (double)b->stats.decode_weight_bytes;
}

static void print_work(const char *name, const work *w, uint32_t n_tokens, uint32_t n_reps) {
    printf(
        "%-8s %10.2f tokens/s (%.2f to %.2f), %u tokens, %u repetitions; %.2f ms of CPU a token\n",
        name, w->rate.median, w->rate.min, w->rate.max, n_tokens, n_reps, w->cpu.median / 1e6);
}

static void print_text(const bench *b) {
    double gb_s = decode_bandwidth(b) / 1e9;
    printf("device   %s, %s (%s)\n", b->device.name, b->device.driver,
           cli_device_type_name(b->device.type));
    printf("verified %s%s%s\n", b->device.verified, b->device.routed[0] ? "; routed around: " : "",
           b->device.routed);
    if (b->device.tuned) printf("kernels  %s\n", cli_kernels_are(&b->device));
    printf("model    %s: %.1f M parameters, %s of weights\n", b->engine.path,
           (double)b->model.n_params / 1e6, cli_bytes(b->model.weights_bytes).text);
    print_work("prefill", &b->prefill, b->n_prompt, b->n_reps);
    print_work("decode", &b->decode, b->n_tokens, b->n_reps);
    printf("weights  %10.2f GB/s in decode, %s a token", gb_s,
           cli_bytes(b->stats.decode_weight_bytes).text);
    if (b->host_bandwidth > 0) {
        printf(", %.0f %% of the host's %.2f GB/s", 100 * gb_s * 1e9 / b->host_bandwidth,
               b->host_bandwidth / 1e9);
    }
    printf("\nnumerics %s\n", b->stats.fast ? "fast" : "exact");
}

static json_t *json_of_work(const work *w, uint32_t n_tokens) {
    json_t *o = json_object();
    cli_json_set(o, "tokens", json_integer(n_tokens));
    cli_json_set(o, "tokens_per_s", cli_json_real(w->rate.median));
    cli_json_set(o, "tokens_per_s_min", cli_json_real(w->rate.min));
    cli_json_set(o, "tokens_per_s_max", cli_json_real(w->rate.max));
    cli_json_set(o, "cpu_ns_per_token", cli_json_real(w->cpu.median));
    return o;
}

static int print_json(const bench *b) {
    json_t *all = json_object();
    cli_json_set(all, "device", cli_json_device_short(&b->device));
    cli_json_set(all, "model", cli_json_word(b->engine.path));
    cli_json_set(all, "n_params", json_integer((json_int_t)b->model.n_params));
    cli_json_set(all, "weights_bytes", json_integer((json_int_t)b->model.weights_bytes));
    cli_json_set(all, "load_ns", json_integer((json_int_t)b->model.load_ns));
    cli_json_set(all, "reps", json_integer(b->n_reps));
    cli_json_set(all, "prefill", json_of_work(&b->prefill, b->n_prompt));
    cli_json_set(all, "decode", json_of_work(&b->decode, b->n_tokens));
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

int cli_bench(const cli_options *options) {
    bench b = {.options = options, .on_terminal = isatty(STDERR_FILENO)};
    b.device = GODWIT_INIT(godwit_device_info);
    b.model = GODWIT_INIT(godwit_model_info);
    godwit_error error = {0};
    int code = CLI_OK;
    godwit_status status = start(&b, &error);
    if (status == GODWIT_OK) status = measure(&b, &error);
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (options->json) {
        code = print_json(&b);
    } else {
        print_text(&b);
        code = cli_flush_stdout();
    }
    godwit_session_destroy(&b.session);
    free(b.ids);
    free(b.prefill.rates);
    free(b.prefill.cpu_ns);
    free(b.decode.rates);
    free(b.decode.cpu_ns);
    return cli_close_engine(&b.engine, code);
}
