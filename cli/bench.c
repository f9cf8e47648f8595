// bench.c: `godwit bench`: prefill and decode speed of a model on a device.
//
// Tokens are drawn from the whole vocabulary by a fixed generator. One repetition that is not
// counted comes first (kernels are compiled, memory is touched). Medians, with least and most.
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bandwidth.h"
#include "clock.h"
#include "print.h"
#include "progress.h"

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bench_spread spread_of(double *values, size_t n) {
    qsort(values, n, sizeof(*values), compare);
    double median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    return (bench_spread){median, values[0], values[n - 1]};
}

// splitmix64 (Steele, Lea and Flood, 2014).
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// Its cost is nothing beside a step's.
static void show_progress(const bench *b, const char *what, uint32_t n_done, uint32_t n) {
    if (b->n_done == 0) {
        cli_progress("warm-up, %s: %u of %u tokens", what, n_done, n);
    } else {
        cli_progress("repetition %u of %u, %s: %u of %u tokens", b->n_done, b->n_reps, what, n_done,
                     n);
    }
}

// --- a test --------------------------------------------------------------------------------------

static godwit_status decode(bench *b, godwit_session *session, uint32_t n, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; status == GODWIT_OK && i < n; i++) {
        int32_t token = -1;
        show_progress(b, "decode", i, n);
        status = godwit_session_step(session, NULL, &token, error);
    }
    return status;
}

// Brings the session to the first n tokens; what it has of them stays.
static godwit_status fill_to(bench *b, godwit_session *session, uint32_t n, godwit_error *error) {
    uint32_t n_past = godwit_session_n_past(session);
    // Of an encoder's text no part is kept.
    uint32_t n_keep = b->engine.n_start ? 0 : n < n_past ? n : n_past;
    godwit_status status = godwit_session_truncate(session, n_keep, error);
    if (status != GODWIT_OK || n == n_keep) return status;
    show_progress(b, "filling the context", n_keep, n);
    return godwit_session_feed(session, b->ids + n_keep, n - n_keep, error);
}

static godwit_session_params session_params(const bench *b) {
    godwit_session_params params = cli_session_params(b->options);
    params.n_ctx = b->n_ctx;
    return params;
}

// --- many streams --------------------------------------------------------------------------------

static godwit_status open_streams(bench *b, godwit_error *error) {
    if (b->batch) return GODWIT_OK;
    godwit_session_params params = session_params(b);
    params.n_seq = b->n_streams;
    godwit_status status = godwit_batch_create(b->engine.model, &params, &b->batch, error);
    b->streams = cli_realloc(NULL, b->n_streams * sizeof(godwit_session *));
    for (uint32_t i = 0; i < b->n_streams; i++) b->streams[i] = NULL;
    for (uint32_t i = 0; status == GODWIT_OK && i < b->n_streams; i++)
        status = godwit_batch_join(b->batch, &b->streams[i], error);
    return status;
}

static void close_streams(bench *b) {
    for (uint32_t i = 0; b->streams && i < b->n_streams; i++)
        godwit_session_destroy(&b->streams[i]);
    free(b->streams);
    godwit_batch_destroy(&b->batch);
}

// Each has other tokens, so that they share no memory.
static godwit_status fill_streams(bench *b, const bench_test *t, godwit_error *error) {
    const uint32_t n = t->depth ? t->depth : 1;
    int32_t *ids = cli_realloc(NULL, n * sizeof(*ids));
    godwit_status status = open_streams(b, error);
    for (uint32_t i = 0; status == GODWIT_OK && i < t->n_streams; i++) {
        show_progress(b, "filling the contexts", i * n, t->n_streams * n);
        for (uint32_t k = 0; k < n; k++) ids[k] = b->ids[(k + 17 * i) % b->n_ctx];
        status = godwit_session_truncate(b->streams[i], 0, error);
        if (status == GODWIT_OK) status = godwit_session_feed(b->streams[i], ids, n, error);
    }
    free(ids);
    return status;
}

static godwit_status decode_streams(bench *b, const bench_test *t, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    int32_t *out = cli_realloc(NULL, t->n_streams * sizeof(*out));
    for (uint32_t i = 0; status == GODWIT_OK && i < t->n_tokens; i++) {
        show_progress(b, "decode", i, t->n_tokens);
        status = godwit_batch_step(b->batch, b->streams, NULL, t->n_streams, out, error);
    }
    free(out);
    return status;
}

// --- a test's parts ------------------------------------------------------------------------------

// What a test does before it is timed, and then.
static godwit_status prepare(bench *b, const bench_test *t, godwit_session *session,
                             godwit_error *error) {
    if (t->n_streams) return fill_streams(b, t, error);
    if (!t->is_decode) return fill_to(b, session, t->depth, error);
    // Decode goes on from logits: the last token is fed each time.
    uint32_t depth = t->depth ? t->depth : 1;
    godwit_status status = fill_to(b, session, depth - 1, error);
    return status == GODWIT_OK ? godwit_session_feed(session, b->ids + depth - 1, 1, error)
                               : status;
}

static godwit_status work(bench *b, const bench_test *t, godwit_session *session,
                          godwit_error *error) {
    if (t->n_streams) return decode_streams(b, t, error);
    if (t->is_decode) return decode(b, session, t->n_tokens, error);
    show_progress(b, "prefill", 0, t->n_tokens);
    return godwit_session_feed(session, b->ids + t->depth, t->n_tokens, error);
}

static godwit_status repeat(bench *b, bench_test *t, uint32_t i, godwit_error *error) {
    godwit_status status = prepare(b, t, b->session, error);
    if (status != GODWIT_OK) return status;
    uint64_t start_ns = cli_now_ns(), start_cpu_ns = cli_cpu_ns();
    status = work(b, t, b->session, error);
    const double n = (double)t->n_tokens * (t->n_streams ? t->n_streams : 1);
    t->rates[i] = cli_rate(n, cli_now_ns() - start_ns);
    t->cpu_ns[i] = (double)(cli_cpu_ns() - start_cpu_ns) / n;
    return status;
}

// Each kernel's part of the work, in a session of its own: timing keeps kernels from overlapping.
// The first run is not counted; of a decode test a few steps are enough.
static godwit_status time_ops(bench *b, bench_test *t, godwit_session **session,
                              godwit_error *error) {
    bench_test few = *t;
    if (t->is_decode && few.n_tokens > 4) few.n_tokens = 4;
    godwit_session_params params = session_params(b);
    params.time_launches = true;
    godwit_status status = GODWIT_OK;
    if (!*session) status = godwit_session_create(b->engine.model, &params, session, error);
    t->ops = cli_realloc(NULL, BENCH_MAX_OPS * sizeof(*t->ops));
    for (int run = 0; status == GODWIT_OK && run < 2; run++) {
        status = prepare(b, &few, *session, error);
        if (status != GODWIT_OK) break;
        status = godwit_session_launch_times(*session, t->ops, BENCH_MAX_OPS, &t->n_ops, error);
        uint64_t start_ns = cli_now_ns();
        if (status == GODWIT_OK) status = work(b, &few, *session, error);
        t->ops_wall_ns = cli_now_ns() - start_ns;
    }
    if (status == GODWIT_OK) {
        status = godwit_session_launch_times(*session, t->ops, BENCH_MAX_OPS, &t->n_ops, error);
    }
    if (status != GODWIT_OK || t->n_ops > BENCH_MAX_OPS) t->n_ops = 0;
    t->n_steps = t->is_decode ? few.n_tokens : 1;
    return status;
}

// Kernels are compiled and memory is touched; a GPU needs some time until its clocks are up (an H200 began at a
// quarter of its speed). A prompt whose logits are no numbers is an error, which only sampling looks for.
static godwit_status warm_up(bench *b, bench_test *t, godwit_error *error) {
    enum { WARM_NS = 500000000 };
    const bool on_gpu =
        b->device.type == GODWIT_DEVICE_DISCRETE || b->device.type == GODWIT_DEVICE_INTEGRATED;
    const uint64_t start_ns = cli_now_ns();
    int32_t token = 0;
    godwit_status status = repeat(b, t, 0, error);
    while (status == GODWIT_OK && on_gpu && cli_now_ns() - start_ns < WARM_NS)
        status = repeat(b, t, 0, error);
    if (status == GODWIT_OK && !t->is_decode && !t->n_streams)
        status = godwit_session_sample(b->session, NULL, &token, error);
    return status;
}

static godwit_status run_test(bench *b, bench_test *t, godwit_session **timed,
                              godwit_error *error) {
    b->n_done = 0;
    godwit_status status = warm_up(b, t, error);
    for (uint32_t i = 0; status == GODWIT_OK && i < b->n_reps; i++) {
        b->n_done = i + 1;
        status = repeat(b, t, i, error);
    }
    if (status == GODWIT_OK && b->options->ops && !t->n_streams)
        status = time_ops(b, t, timed, error);
    cli_progress_end();
    if (status != GODWIT_OK) return status;
    t->rate = spread_of(t->rates, b->n_reps);
    t->cpu = spread_of(t->cpu_ns, b->n_reps);
    return GODWIT_OK;
}

// Rows come as they are measured: a run that is stopped has said what it knows.
static godwit_status measure(bench *b, godwit_error *error) {
    godwit_session *timed = NULL;
    godwit_status status = GODWIT_OK;
    if (!b->options->json) bench_print_head(b);
    for (size_t i = 0; status == GODWIT_OK && i < b->n_tests; i++) {
        status = run_test(b, &b->tests[i], &timed, error);
        if (status != GODWIT_OK || b->options->json) continue;
        bench_print_test(b, &b->tests[i]);
        (void)fflush(stdout);
    }
    godwit_session_destroy(&timed);
    if (status != GODWIT_OK) return status;
    b->stats = GODWIT_INIT(godwit_session_stats);
    status = godwit_session_get_stats(b->session, &b->stats, error);
    if (status != GODWIT_OK) return status;
    b->peak_rss_bytes = cli_peak_rss_bytes(); // before the next line's large buffer
    if (b->device.type == GODWIT_DEVICE_REFERENCE || b->device.type == GODWIT_DEVICE_CPU ||
        b->device.type == GODWIT_DEVICE_SOFTWARE) {
        b->host_bandwidth = cli_host_read_bandwidth();
    }
    return GODWIT_OK;
}

// --- sizes ---------------------------------------------------------------------------------------

static uint32_t most_of(const cli_numbers *numbers) {
    uint32_t most = 0;
    for (size_t i = 0; i < numbers->n; i++) {
        if (numbers->items[i] > most) most = numbers->items[i];
    }
    return most;
}

static void add_test(bench *b, bool is_decode, uint32_t n_tokens, uint32_t depth,
                     uint32_t n_streams) {
    if (n_tokens == 0) return;
    b->tests = cli_realloc(b->tests, (b->n_tests + 1) * sizeof(*b->tests));
    b->tests[b->n_tests++] = (bench_test){
        .is_decode = is_decode,
        .n_tokens = n_tokens,
        .depth = depth,
        .n_streams = n_streams,
        .rates = cli_realloc(NULL, b->n_reps * sizeof(double)),
        .cpu_ns = cli_realloc(NULL, b->n_reps * sizeof(double)),
    };
}

static uint32_t tokens_of(const bench_test *t) {
    return (t->is_decode && t->depth == 0 ? 1 : t->depth) + t->n_tokens;
}

// Sizes left open are cut to the model's context.
static void choose_tests(bench *b) {
    const cli_options *o = b->options;
    static const cli_numbers none = {.items = {0}, .n = 1};
    uint32_t n_ctx = o->n_ctx ? o->n_ctx : b->model.n_ctx_train;
    if (n_ctx < 2) n_ctx = 2;
    cli_numbers prompts = {.items = {n_ctx < 512 ? n_ctx : 512}, .n = 1};
    if (o->prompt_tokens.n) prompts = o->prompt_tokens;
    uint32_t n_tokens = o->n_tokens != CLI_NOT_GIVEN ? o->n_tokens : n_ctx < 65 ? n_ctx - 1 : 64;
    const cli_numbers *depths = o->depth.n ? &o->depth : &none;
    b->n_reps = o->n_reps;
    b->n_streams = most_of(&o->parallel);
    for (size_t d = 0; d < depths->n; d++) {
        for (size_t i = 0; i < prompts.n; i++) {
            add_test(b, false, prompts.items[i], depths->items[d], 0);
        }
        add_test(b, true, n_tokens, depths->items[d], 0);
        for (size_t i = 0; i < o->parallel.n; i++)
            add_test(b, true, n_tokens, depths->items[d], o->parallel.items[i]);
    }
    uint32_t n_needed = 1;
    for (size_t i = 0; i < b->n_tests; i++) {
        if (tokens_of(&b->tests[i]) > n_needed) n_needed = tokens_of(&b->tests[i]);
    }
    if (n_needed > b->model.n_ctx_train) {
        cli_say("context of %u tokens is past the %u that the model was trained for", n_needed,
                b->model.n_ctx_train);
    }
    b->n_ctx = o->n_ctx ? o->n_ctx : n_needed + b->engine.n_start;
}

static godwit_status start(bench *b, godwit_error *error) {
    godwit_status status = cli_open_engine(b->options, &b->engine, error);
    if (status == GODWIT_OK) status = godwit_device_get_info(b->engine.device, &b->device, error);
    if (status == GODWIT_OK) status = godwit_model_get_info(b->engine.model, &b->model, error);
    if (status != GODWIT_OK) return status;
    choose_tests(b);
    godwit_session_params params = session_params(b);
    status = godwit_session_create(b->engine.model, &params, &b->session, error);
    if (status != GODWIT_OK) return status;
    b->ids = cli_realloc(NULL, (size_t)b->n_ctx * sizeof(*b->ids));
    uint64_t state = 1;
    for (uint32_t i = 0; i < b->n_ctx; i++) {
        b->ids[i] = (int32_t)(next_random(&state) % (b->model.n_vocab ? b->model.n_vocab : 1));
    }
    return GODWIT_OK;
}

// Sizes that are named and do not go together.
static bool check_options(const cli_options *o) {
    uint64_t depth = most_of(&o->depth), n_prompt = most_of(&o->prompt_tokens);
    uint64_t n_tokens = o->n_tokens != CLI_NOT_GIVEN ? o->n_tokens : 0;
    if (n_tokens && !depth) n_tokens++; // a decode starts from something
    uint64_t n_needed = depth + (n_prompt > n_tokens ? n_prompt : n_tokens);
    if (!o->n_ctx || n_needed <= o->n_ctx) return true;
    cli_say("bench: --ctx %u: %llu tokens are asked for", o->n_ctx, (unsigned long long)n_needed);
    return false;
}

int cli_bench(const cli_options *options) {
    if (!check_options(options)) return CLI_USAGE;
    bench b = {.options = options};
    b.device = GODWIT_INIT(godwit_device_info);
    b.model = GODWIT_INIT(godwit_model_info);
    godwit_error error = {0};
    int code = CLI_OK;
    godwit_status status = start(&b, &error);
    if (status == GODWIT_OK) status = measure(&b, &error);
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (options->json) {
        code = bench_print_json(&b);
    } else {
        bench_print_foot(&b);
        code = cli_flush_stdout();
    }
    close_streams(&b);
    godwit_session_destroy(&b.session);
    free(b.ids);
    for (size_t i = 0; i < b.n_tests; i++) {
        free(b.tests[i].rates);
        free(b.tests[i].cpu_ns);
        free(b.tests[i].ops);
    }
    free(b.tests);
    return cli_close_engine(&b.engine, code);
}
