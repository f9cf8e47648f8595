// perplexity.c: `godwit perplexity`: how well a model predicts a text, and how far it is from
// another.
//
// The text is cut into windows of --ctx tokens, each read from an empty context. The second half of
// a window is scored, so that every scored token has at least half a window before it: what
// llama.cpp's tool of that name does, so figures can be set side by side. What is left over at the
// end is not read.
//
// A file of logits (--logits) is little-endian: "GWLOGIT1", u32 vocabulary, u32 n; n i32, the
// scored tokens; n rows of the vocabulary's f32 logits, each for the token of its row. --kl-base
// reads one, so a file that was made of another text or vocabulary is told from its head.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "cli.h"
#include "clock.h"
#include "output.h"
#include "print.h"
#include "progress.h"
#include "prompt.h"

enum { WINDOW_DEFAULT = 512, WINDOW_MIN = 4, TEXT_BYTES_MAX = 256 << 20 };

// Logits that are asked for at once: of at most this many bytes, and of whole batches.
enum { ROWS_BYTES_MAX = 256 << 20, ROWS_STEP = 64 };

static const char magic[8] = {'G', 'W', 'L', 'O', 'G', 'I', 'T', '1'};

// Running sum and sum of squares.
typedef struct series {
    double sum, squares, max;
    uint64_t n;
} series;

typedef struct perplexity {
    const cli_options *options;
    cli_engine engine;
    godwit_session *session;
    godwit_model_info model;
    godwit_device_info device;
    int32_t *ids; // [n_ids]
    size_t n_ids;
    bool has_bos;
    uint32_t n_ctx, n_skip; // of a window; its tokens from n_skip on are scored
    uint64_t n_scored;      // to score
    cli_output out;
    FILE *base_file;
    float *logits, *base; // [n_vocab]
    series loss, base_loss, kl;
    uint64_t n_same_top;
    uint64_t took_ns;
} perplexity;

static void add(series *s, double x) {
    s->sum += x;
    s->squares += x * x;
    if (s->n == 0 || x > s->max) s->max = x;
    s->n++;
}

static double mean(const series *s) {
    return s->n ? s->sum / (double)s->n : 0;
}

// Standard error of the mean.
static double deviation(const series *s) {
    if (s->n < 2) return 0;
    double n = (double)s->n, variance = s->squares / n - mean(s) * mean(s);
    return variance > 0 ? sqrt(variance / (n - 1)) : 0;
}

static godwit_status fail_io(godwit_error *error, const char *what, const char *path, int number) {
    (void)snprintf(error->message, sizeof(error->message), "%s: %.300s: %s", what, path,
                   strerror(number));
    return GODWIT_IO;
}

// --- text and windows ----------------------------------------------------------------------------

static godwit_status read_text(const char *path, cli_text *text, godwit_error *error) {
    FILE *file = path ? fopen(path, "rb") : stdin;
    const char *name = path ? path : "stdin";
    if (!file) return fail_io(error, "text", name, errno);
    static char chunk[65536];
    size_t n = 0;
    cli_text_add(text, "", 0);
    while (text->n_bytes <= TEXT_BYTES_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        cli_text_add(text, chunk, n);
    }
    bool failed = ferror(file) != 0;
    int number = errno;
    if (path) (void)fclose(file);
    if (failed) return fail_io(error, "text", name, number);
    if (text->n_bytes <= TEXT_BYTES_MAX) return GODWIT_OK;
    (void)snprintf(error->message, sizeof(error->message), "text: %.300s: longer than %d MiB", name,
                   TEXT_BYTES_MAX >> 20);
    return GODWIT_UNSUPPORTED;
}

// A tokenizer may know more tokens than the model has logits for.
static godwit_status check_ids(const perplexity *p, godwit_error *error) {
    for (size_t i = 0; i < p->n_ids; i++) {
        if (p->ids[i] >= 0 && (uint32_t)p->ids[i] < p->model.n_vocab) continue;
        (void)snprintf(error->message, sizeof(error->message),
                       "text: token %zu is %d, the model has logits for %u", i, (int)p->ids[i],
                       p->model.n_vocab);
        return GODWIT_INVALID_ARGUMENT;
    }
    return GODWIT_OK;
}

static godwit_status cut_windows(perplexity *p, godwit_error *error) {
    uint32_t trained = p->model.n_ctx_train, asked = p->options->n_ctx;
    p->n_ctx = asked ? asked : trained < WINDOW_DEFAULT ? trained : WINDOW_DEFAULT;
    if (p->n_ctx < WINDOW_MIN || p->n_ids < p->n_ctx) {
        (void)snprintf(error->message, sizeof(error->message),
                       "text of %zu tokens, windows of %u: a window has at least %d tokens and the "
                       "text at least one window; --ctx makes windows shorter",
                       p->n_ids, p->n_ctx, (int)WINDOW_MIN);
        return GODWIT_INVALID_ARGUMENT;
    }
    if (p->n_ctx > trained) {
        cli_say("windows of %u tokens are past the %u that the model was trained for", p->n_ctx,
                trained);
    }
    p->n_skip = p->n_ctx / 2 + 1;
    p->n_scored = (uint64_t)(p->n_ids / p->n_ctx) * (p->n_ctx - p->n_skip);
    uint32_t most = p->options->n_tokens;
    if (most != CLI_NOT_GIVEN && most < p->n_scored) p->n_scored = most;
    int32_t bos = godwit_tokenizer_bos(p->engine.tokenizer);
    p->has_bos = bos >= 0 && p->ids[0] == bos;
    return GODWIT_OK;
}

// Token k of those scored.
static int32_t scored_id(const perplexity *p, uint64_t k) {
    uint32_t n = p->n_ctx - p->n_skip;
    return p->ids[k / n * p->n_ctx + p->n_skip + k % n];
}

// --- files of logits -----------------------------------------------------------------------------

static godwit_status write_logits(perplexity *p, const void *data, size_t n_bytes,
                                  godwit_error *error) {
    return p->out.file ? cli_output_write(&p->out, data, n_bytes, error) : GODWIT_OK;
}

static godwit_status open_logits(perplexity *p, godwit_error *error) {
    if (!p->options->logits) return GODWIT_OK;
    uint32_t sizes[2] = {p->model.n_vocab, (uint32_t)p->n_scored};
    godwit_status status = cli_output_open(&p->out, "logits", p->options->logits, error);
    if (status == GODWIT_OK) status = write_logits(p, magic, sizeof(magic), error);
    if (status == GODWIT_OK) status = write_logits(p, sizes, sizeof(sizes), error);
    for (uint64_t k = 0; status == GODWIT_OK && k < p->n_scored; k++) {
        int32_t id = scored_id(p, k);
        status = write_logits(p, &id, sizeof(id), error);
    }
    return status;
}

static godwit_status read_base(const perplexity *p, void *data, size_t n_bytes,
                               godwit_error *error) {
    if (fread(data, 1, n_bytes, p->base_file) == n_bytes) return GODWIT_OK;
    if (ferror(p->base_file)) return fail_io(error, "base", p->options->kl_base, errno);
    (void)snprintf(error->message, sizeof(error->message), "base: %.300s: ends too early",
                   p->options->kl_base);
    return GODWIT_INVALID_ARGUMENT;
}

static godwit_status open_base(perplexity *p, godwit_error *error) {
    const char *path = p->options->kl_base;
    if (!path) return GODWIT_OK;
    p->base_file = fopen(path, "rb");
    if (!p->base_file) return fail_io(error, "base", path, errno);
    char head[sizeof(magic)];
    uint32_t sizes[2];
    godwit_status status = read_base(p, head, sizeof(head), error);
    if (status == GODWIT_OK) status = read_base(p, sizes, sizeof(sizes), error);
    if (status != GODWIT_OK) return status;
    bool same = memcmp(head, magic, sizeof(magic)) == 0;
    if (!same) {
        (void)snprintf(error->message, sizeof(error->message),
                       "base: %.300s: not a file of `godwit perplexity --logits`", path);
        return GODWIT_INVALID_ARGUMENT;
    }
    same = sizes[0] == p->model.n_vocab && sizes[1] == p->n_scored;
    for (uint64_t k = 0; same && k < p->n_scored; k++) {
        int32_t id = -1;
        status = read_base(p, &id, sizeof(id), error);
        if (status != GODWIT_OK) return status;
        same = id == scored_id(p, k);
    }
    if (same) return GODWIT_OK;
    (void)snprintf(
        error->message, sizeof(error->message),
        "base: %.300s: of another text, window or vocabulary (%u tokens of %u; here %llu "
        "of %u); make it with the same text, --ctx and -n",
        path, sizes[1], sizes[0], (unsigned long long)p->n_scored, p->model.n_vocab);
    return GODWIT_INVALID_ARGUMENT;
}

// --- scoring -------------------------------------------------------------------------------------

static uint32_t top_of(const float *logits, uint32_t n) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++) {
        if (logits[i] > logits[best]) best = i;
    }
    return best;
}

// log of the sum of e^logit; top: the index of the largest.
static double log_total(const float *logits, uint32_t n, uint32_t top) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += exp((double)logits[i] - (double)logits[top]);
    return log(sum) + (double)logits[top];
}

// Kullback-Leibler divergence of the model from the base.
static double divergence(const perplexity *p, double total, double base_total) {
    double sum = 0;
    for (uint32_t i = 0; i < p->model.n_vocab; i++) {
        double log_base = (double)p->base[i] - base_total;
        sum += exp(log_base) * (log_base - ((double)p->logits[i] - total));
    }
    return sum;
}

static bool all_finite(const float *x, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

// The base's logits of the same token.
static godwit_status score_base(perplexity *p, int32_t id, uint32_t top, double total,
                                godwit_error *error) {
    uint32_t n = p->model.n_vocab;
    godwit_status status = read_base(p, p->base, (size_t)n * sizeof(float), error);
    if (status != GODWIT_OK) return status;
    if (!all_finite(p->base, n)) {
        (void)snprintf(error->message, sizeof(error->message),
                       "base: %.300s: logits of scored token %llu are not all finite",
                       p->options->kl_base, (unsigned long long)p->kl.n);
        return GODWIT_MALFORMED;
    }
    uint32_t base_top = top_of(p->base, n);
    double base_total = log_total(p->base, n, base_top);
    add(&p->base_loss, base_total - (double)p->base[id]);
    add(&p->kl, divergence(p, total, base_total));
    p->n_same_top += top == base_top;
    return GODWIT_OK;
}

// A row of the session's logits against the token that follows.
static godwit_status score(perplexity *p, size_t row, int32_t id, godwit_error *error) {
    uint32_t n = p->model.n_vocab;
    size_t n_bytes = (size_t)n * sizeof(float);
    godwit_status status = godwit_session_logits_row(p->session, row, p->logits, n, error);
    if (status == GODWIT_OK) status = write_logits(p, p->logits, n_bytes, error);
    if (status != GODWIT_OK) return status;
    uint32_t top = top_of(p->logits, n);
    double total = log_total(p->logits, n, top);
    double loss = total - (double)p->logits[id];
    if (!isfinite(loss) || !all_finite(p->logits, n)) {
        (void)snprintf(error->message, sizeof(error->message),
                       "logits of scored token %llu are not finite: the model's weights overflow",
                       (unsigned long long)p->loss.n);
        return GODWIT_UNSUPPORTED;
    }
    add(&p->loss, loss);
    return p->base_file ? score_base(p, id, top, total, error) : GODWIT_OK;
}

static void show_progress(const perplexity *p) {
    cli_progress("%llu of %llu tokens, perplexity %.4f", (unsigned long long)p->loss.n,
                 (unsigned long long)p->n_scored, exp(mean(&p->loss)));
}

static godwit_status score_window(perplexity *p, int32_t *ids, godwit_error *error) {
    if (p->has_bos) ids[0] = godwit_tokenizer_bos(p->engine.tokenizer);
    uint64_t left = p->n_scored - p->loss.n;
    uint32_t n_left = p->n_ctx - p->n_skip, at = p->n_skip - 1; // the token before the next scored
    if (left < n_left) n_left = (uint32_t)left;
    size_t most = ROWS_BYTES_MAX / sizeof(float) / p->model.n_vocab;
    most = most > ROWS_STEP ? most / ROWS_STEP * ROWS_STEP : most < 1 ? 1 : most;
    godwit_status status = godwit_session_truncate(p->session, 0, error);
    if (status == GODWIT_OK) status = godwit_session_feed(p->session, ids, at, error);
    while (status == GODWIT_OK && n_left > 0) {
        uint32_t n = n_left < most ? n_left : (uint32_t)most;
        status = godwit_session_feed_rows(p->session, ids + at, n, n, error);
        for (uint32_t i = 0; i < n && status == GODWIT_OK; i++) {
            status = score(p, i, ids[at + i + 1], error);
        }
        at += n;
        n_left -= n;
    }
    return status;
}

static godwit_status measure(perplexity *p, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    uint64_t start_ns = cli_now_ns();
    for (size_t at = 0; status == GODWIT_OK && p->loss.n < p->n_scored; at += p->n_ctx) {
        status = score_window(p, p->ids + at, error);
        show_progress(p);
    }
    cli_progress_end();
    p->took_ns = cli_now_ns() - start_ns;
    return status;
}

static godwit_status start(perplexity *p, godwit_error *error) {
    cli_text text = {0};
    godwit_status status = read_text(p->options->text, &text, error);
    if (status == GODWIT_OK) status = cli_open_engine(p->options, &p->engine, error);
    if (status == GODWIT_OK) status = godwit_model_get_info(p->engine.model, &p->model, error);
    if (status == GODWIT_OK) status = godwit_device_get_info(p->engine.device, &p->device, error);
    if (status == GODWIT_OK && p->engine.n_start) {
        (void)snprintf(error->message, sizeof(error->message),
                       "%.300s: perplexity is of models that go on with a text; this one has an "
                       "encoder that reads it",
                       p->engine.path);
        status = GODWIT_UNSUPPORTED;
    }
    if (status == GODWIT_OK) {
        godwit_encode_params encoding = GODWIT_INIT(godwit_encode_params);
        encoding.parse_special = p->options->parse_special;
        status =
            cli_encode_prompt(p->engine.tokenizer, &text, &encoding, &p->ids, &p->n_ids, error);
    }
    cli_text_free(&text);
    if (status == GODWIT_OK) status = check_ids(p, error);
    if (status == GODWIT_OK) status = cut_windows(p, error);
    if (status != GODWIT_OK) return status;
    godwit_session_params params = cli_session_params(p->options);
    params.n_ctx = p->n_ctx;
    status = godwit_session_create(p->engine.model, &params, &p->session, error);
    if (status != GODWIT_OK) return status;
    cli_cancel_session(p->session);
    p->logits = cli_realloc(NULL, (size_t)p->model.n_vocab * sizeof(float));
    p->base = cli_realloc(NULL, (size_t)p->model.n_vocab * sizeof(float));
    status = open_base(p, error);
    return status == GODWIT_OK ? open_logits(p, error) : status;
}

// --- report --------------------------------------------------------------------------------------

static void print_text(const perplexity *p) {
    double value = exp(mean(&p->loss));
    printf("device      %s, %s (%s)\n", p->device.name, p->device.driver,
           cli_device_type_name(p->device.type));
    printf("text        %zu tokens in windows of %u; %llu scored in %.1f s\n", p->n_ids, p->n_ctx,
           (unsigned long long)p->loss.n, (double)p->took_ns / 1e9);
    printf("perplexity  %.4f +- %.4f\n", value, value * deviation(&p->loss));
    if (!p->base_file) return;
    printf("base        %.4f, ratio %.6f\n", exp(mean(&p->base_loss)),
           exp(mean(&p->loss) - mean(&p->base_loss)));
    printf("divergence  %.6f +- %.6f nats a token, most %.4f\n", mean(&p->kl), deviation(&p->kl),
           p->kl.max);
    printf("same top    %.2f %%\n", 100 * (double)p->n_same_top / (double)p->loss.n);
}

static int print_json(const perplexity *p) {
    json_t *all = json_object();
    double value = exp(mean(&p->loss));
    cli_json_set(all, "device", cli_json_device_short(&p->device));
    cli_json_set(all, "model", cli_json_word(p->engine.path));
    cli_json_set(all, "tokens", json_integer((json_int_t)p->n_ids));
    cli_json_set(all, "ctx", json_integer(p->n_ctx));
    cli_json_set(all, "scored", json_integer((json_int_t)p->loss.n));
    cli_json_set(all, "took_ns", json_integer((json_int_t)p->took_ns));
    cli_json_set(all, "perplexity", cli_json_real(value));
    cli_json_set(all, "perplexity_error", cli_json_real(value * deviation(&p->loss)));
    if (p->base_file) {
        cli_json_set(all, "base_perplexity", cli_json_real(exp(mean(&p->base_loss))));
        cli_json_set(all, "kl_divergence", cli_json_real(mean(&p->kl)));
        cli_json_set(all, "kl_divergence_error", cli_json_real(deviation(&p->kl)));
        cli_json_set(all, "kl_divergence_max", cli_json_real(p->kl.max));
        cli_json_set(all, "same_top", cli_json_real((double)p->n_same_top / (double)p->loss.n));
    }
    return cli_print_json(all);
}

int cli_perplexity(const cli_options *options) {
    perplexity p = {.options = options};
    p.model = GODWIT_INIT(godwit_model_info);
    p.device = GODWIT_INIT(godwit_device_info);
    godwit_error error = {0};
    cli_cancel_watch();
    godwit_status status = start(&p, &error);
    if (status == GODWIT_OK) status = measure(&p, &error);
    if (status == GODWIT_OK && p.out.file) status = cli_output_commit(&p.out, &error);
    cli_output_discard(&p.out);
    int code = CLI_OK;
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (options->json) {
        code = print_json(&p);
    } else {
        print_text(&p);
        code = cli_flush_stdout();
    }
    cli_cancel_session(NULL);
    godwit_session_destroy(&p.session);
    if (p.base_file) (void)fclose(p.base_file);
    free(p.ids);
    free(p.logits);
    free(p.base);
    return cli_close_engine(&p.engine, code);
}
