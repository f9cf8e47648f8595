// batch.c: `godwit batch`: many prompts from a file, several at once.
//
// A step works on the prompts that are new and gives each of the others its next token. One that ends
// makes room for the next in batch_order; the session that was begun last stays until the next one has taken over what both begin
// with, so that a common start is worked on once, also by one stream. Each prompt has the text that
// `godwit run` gives it.
#include "batch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch_plan.h"
#include "batch_stream.h"
#include "cancel.h"
#include "clock.h"
#include "output.h"
#include "progress.h"
#include "prompt.h"
#include "sampling.h"

enum { STREAMS_DEFAULT = 16 };

typedef struct batch {
    const cli_options *options;
    cli_engine engine;
    batch_output out;
    batch_requests requests;
    batch_text text;
    uint32_t n_ctx;     // that a prompt and what is generated may take
    batch_prompt *todo; // [n_todo], in the order of work
    size_t n_todo, n_begun;
    godwit_batch *batch;
    batch_stream *streams; // [n_streams] places, n_at_work of them taken
    uint32_t n_at_work;
    godwit_session *last, *left; // begun last; the same where its prompt has ended
    uint64_t began_ns;
    batch_result result;
    int code;
} batch;

// --- prompts -------------------------------------------------------------------------------------

// Errors of the output have no status of their own: what failed was said.
static const godwit_status SAID = GODWIT_IO;

static godwit_status write_line(batch *b, json_t *value, bool failed) {
    if (!batch_output_write(&b->out, value)) {
        b->code = b->out.is_closed && b->out.fd == STDOUT_FILENO ? CLI_CLOSED : CLI_FAILED;
        return SAID;
    }
    b->result.n_failed += failed;
    b->result.n_done += !failed;
    return GODWIT_OK;
}

// Ids of the request's prompt, or an error of it.
static godwit_status encode(batch *b, batch_request *q, bool *noted, godwit_error *error) {
    const cli_text prompt = {.data = (char *)json_string_value(q->prompt),
                             .n_bytes = json_string_length(q->prompt)};
    godwit_encode_params encoding = GODWIT_INIT(godwit_encode_params);
    encoding.parse_special = b->options->parse_special;
    encoding.no_eos = !b->engine.n_start; // an encoder's text ends with one
    size_t n = 0;
    godwit_error why = {0};
    godwit_status status =
        cli_encode_prompt(b->engine.tokenizer, &prompt, &encoding, &q->ids, &n, &why);
    if (status == GODWIT_INVALID_ARGUMENT) {
        batch_request_fail(q, "invalid_prompt", "line %llu: %s", (unsigned long long)q->line,
                           why.message);
    } else if (status != GODWIT_OK) {
        *error = why;
        return status;
    } else if (n + b->engine.n_start > b->n_ctx) {
        batch_request_fail(q, "prompt_too_long",
                           "line %llu: prompt of %zu tokens does not fit the context of %u; --ctx "
                           "%zu would hold it and %u more",
                           (unsigned long long)q->line, n, b->n_ctx,
                           n + b->engine.n_start + q->max_tokens, q->max_tokens);
    } else {
        if (!*noted && !encoding.parse_special) {
            *noted = cli_note_markers(b->engine.tokenizer, &prompt, &encoding, q->ids, n);
        }
        q->n_prompt = (uint32_t)n;
        q->ids = cli_realloc(q->ids, n * sizeof(*q->ids));
    }
    json_decref(q->prompt);
    q->prompt = NULL;
    return GODWIT_OK;
}

static uint32_t room_of(const batch *b, const batch_request *q) {
    const uint32_t room = b->n_ctx - q->n_prompt - b->engine.n_start;
    return q->max_tokens < room ? q->max_tokens : room;
}

// Encodes all prompts, writes the lines of those that are wrong, and puts the others in order.
static godwit_status prepare_prompts(batch *b, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    bool noted = false;
    b->todo = cli_realloc(NULL, (b->requests.n + 1) * sizeof(*b->todo));
    for (size_t i = 0; i < b->requests.n && status == GODWIT_OK; i++) {
        batch_request *q = &b->requests.items[i];
        if (cli_cancelled()) return GODWIT_CANCELLED;
        cli_progress("reading prompts: %zu of %zu", i, b->requests.n);
        if (!q->code) status = encode(b, q, &noted, error);
        if (status == GODWIT_OK && q->code) {
            status = write_line(b, batch_json_of_error(q), true);
        } else if (status == GODWIT_OK) {
            b->todo[b->n_todo++] = (batch_prompt){.ids = q->ids, .n_ids = q->n_prompt, .index = i};
        }
    }
    batch_order(b->todo, b->n_todo);
    return status;
}

// --- sizes ---------------------------------------------------------------------------------------

static godwit_status create(batch *b, uint32_t n_ctx, uint32_t n_seq, uint64_t kv_tokens,
                            godwit_error *error) {
    godwit_session_params params = cli_session_params(b->options);
    params.n_ctx = n_ctx;
    params.n_seq = n_seq;
    params.kv_tokens = kv_tokens < UINT32_MAX ? (uint32_t)kv_tokens : UINT32_MAX;
    return godwit_batch_create(b->engine.model, &params, &b->batch, error);
}

static godwit_status get_stats(const batch *b, godwit_batch_stats *stats, godwit_error *error) {
    *stats = GODWIT_INIT(godwit_batch_stats);
    return godwit_batch_get_stats(b->batch, stats, error);
}

// Tokens of KV cache in half of the memory that the device has left; as one stream's cache measures.
static godwit_status tokens_that_fit(batch *b, uint32_t n_ctx, uint32_t *out_page_tokens,
                                     uint64_t *out_tokens, godwit_error *error) {
    godwit_device_info device = GODWIT_INIT(godwit_device_info);
    godwit_batch_stats stats;
    godwit_status status = godwit_device_get_info(b->engine.device, &device, error);
    if (status == GODWIT_OK) status = create(b, n_ctx, 1, 0, error);
    if (status == GODWIT_OK) status = get_stats(b, &stats, error);
    godwit_batch_destroy(&b->batch);
    if (status != GODWIT_OK) return status;
    uint64_t bytes = device.memory_budget_bytes;
    if (!bytes) bytes = device.memory_bytes;
    if (!bytes) bytes = device.host_memory_bytes;
    const double each = (double)(stats.kv_bytes - stats.checkpoint_bytes) / n_ctx;
    const double n = each > 0 ? (double)bytes / 2 / each : 0;
    *out_page_tokens = stats.page_tokens;
    *out_tokens = n < GODWIT_CTX_MAX ? (uint64_t)n : GODWIT_CTX_MAX;
    return GODWIT_OK;
}

// The batch: as many streams as were asked for, else as fit. Its KV cache holds the longest of the
// prompts that are left, not whole contexts.
static godwit_status create_batch(batch *b, godwit_error *error) {
    const uint32_t asked = b->options->n_parallel;
    uint32_t *needs = cli_realloc(NULL, b->n_todo * sizeof(*needs)), n_ctx = 1, page = 0;
    uint64_t kv_tokens_max = 0;
    for (size_t i = 0; i < b->n_todo; i++) {
        const batch_request *q = &b->requests.items[b->todo[i].index];
        needs[i] = q->n_prompt + b->engine.n_start + room_of(b, q);
        if (needs[i] > n_ctx) n_ctx = needs[i];
    }
    godwit_status status = tokens_that_fit(b, n_ctx, &page, &kv_tokens_max, error);
    for (uint32_t most = asked ? asked : STREAMS_DEFAULT; status == GODWIT_OK;) {
        const batch_size size =
            batch_fit(needs, b->n_todo, most, page, asked ? UINT64_MAX : kv_tokens_max);
        // One more: the session that leaves is there until the next has begun.
        godwit_status made = create(b, n_ctx, size.n_streams + 1, size.kv_tokens, error);
        b->result.n_streams = size.n_streams;
        if (made == GODWIT_OK) break;
        most = size.n_streams / 2;
        if (asked || most == 0) status = made;
    }
    free(needs);
    godwit_batch_stats stats = {0};
    if (status == GODWIT_OK) status = get_stats(b, &stats, error);
    b->result.kv_bytes = stats.kv_bytes;
    b->streams = cli_realloc(NULL, (b->result.n_streams + 1) * sizeof(*b->streams));
    return status;
}

// --- work ----------------------------------------------------------------------------------------

// The session that left keeps no more than what the next prompt begins with, too.
static godwit_status shorten_left(batch *b, const batch_prompt *next, godwit_error *error) {
    if (!b->left) return GODWIT_OK;
    int32_t *ids = cli_realloc(NULL, next->n_ids * sizeof(*ids));
    size_t n = godwit_session_tokens(b->left, ids, next->n_ids);
    uint32_t n_common =
        batch_common_start(ids, n < next->n_ids ? n : next->n_ids, next->ids, next->n_ids);
    free(ids);
    // Of an encoder's text no part is kept.
    if (n_common >= BATCH_SHARED_MIN && !b->engine.n_start)
        return godwit_session_truncate(b->left, n_common, error);
    godwit_session_destroy(&b->left);
    return GODWIT_OK;
}

static godwit_status join(batch *b, batch_stream *s, godwit_error *error) {
    const batch_request *q = s->request;
    godwit_status status = godwit_batch_join(b->batch, &s->session, error);
    if (status != GODWIT_OK) return status;
    b->last = s->session;
    return godwit_session_queue(s->session, q->ids, q->n_prompt, error);
}

static godwit_status begin_next(batch *b, godwit_error *error) {
    const batch_prompt *next = &b->todo[b->n_begun];
    batch_request *q = &b->requests.items[next->index];
    batch_stream *s = &b->streams[b->n_at_work];
    batch_stream_init(s, q, room_of(b, q));
    b->n_at_work++;
    b->n_begun++;
    if (s->reason) return GODWIT_OK; // no token is wanted
    godwit_status status = shorten_left(b, next, error);
    if (status == GODWIT_OK) status = join(b, s, error);
    if (status != GODWIT_OK) return status;
    b->result.n_prompt += q->n_prompt;
    godwit_session_destroy(&b->left);        // what of it goes on is the new one's as well
    if (b->engine.n_start) return GODWIT_OK; // another text begins
    return batch_stream_begin(s, &b->text, error);
}

// Writes what has ended and makes room.
static godwit_status end_streams(batch *b) {
    for (uint32_t i = b->n_at_work; i-- > 0;) {
        batch_stream *s = &b->streams[i];
        if (!s->reason) continue;
        godwit_status status = write_line(b, batch_stream_json(s), s->request->code != NULL);
        if (status != GODWIT_OK) return status;
        if (s->session && s->session == b->last) {
            b->left = s->session;
            s->session = NULL;
        }
        batch_request_free(s->request);
        batch_stream_free(s);
        b->streams[i] = b->streams[--b->n_at_work];
    }
    return GODWIT_OK;
}

static void show_progress(const batch *b) {
    const batch_result *r = &b->result;
    cli_progress("%zu of %zu prompts, %u at work, %.1f tokens/s",
                 r->n_done + r->n_failed + r->n_done_before, r->n_lines, b->n_at_work,
                 cli_rate((double)r->n_decoded, cli_now_ns() - b->began_ns));
}

// Once its prompt is worked on: what it took over of others.
static godwit_status count_shared(batch *b, batch_stream *s, godwit_error *error) {
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    godwit_status status = godwit_session_get_stats(s->session, &stats, error);
    s->n_shared = stats.n_shared;
    b->result.n_shared += stats.n_shared;
    return status;
}

static godwit_status step(batch *b, godwit_error *error) {
    const uint32_t n = b->n_at_work;
    godwit_session **sessions = cli_realloc(NULL, n * sizeof(godwit_session *));
    godwit_sample_params *sampling = cli_realloc(NULL, n * sizeof(*sampling));
    int32_t *tokens = cli_realloc(NULL, n * sizeof(*tokens));
    for (uint32_t i = 0; i < n; i++) {
        sessions[i] = b->streams[i].session;
        sampling[i] = b->streams[i].request->sampling;
    }
    godwit_status status = godwit_batch_step(b->batch, sessions, sampling, n, tokens, error);
    for (uint32_t i = 0; i < n && status == GODWIT_OK; i++) {
        batch_stream *s = &b->streams[i];
        const uint32_t n_before = s->n_ids;
        if (tokens[i] == GODWIT_TOKEN_PENDING) continue;
        if (n_before == 0) status = count_shared(b, s, error);
        if (status == GODWIT_OK) status = batch_stream_take(s, &b->text, tokens[i], error);
        b->result.n_decoded += s->n_ids - n_before;
    }
    free(sessions);
    free(sampling);
    free(tokens);
    return status;
}

static godwit_status work(batch *b, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    b->began_ns = cli_now_ns();
    while (status == GODWIT_OK && (b->n_at_work || b->n_begun < b->n_todo)) {
        show_progress(b);
        if (cli_cancelled()) status = GODWIT_CANCELLED;
        bool room = b->n_at_work < b->result.n_streams && b->n_begun < b->n_todo;
        if (status == GODWIT_OK) status = room ? begin_next(b, error) : step(b, error);
        if (status == GODWIT_OK) status = end_streams(b);
    }
    b->result.ns = cli_now_ns() - b->began_ns;
    cli_progress_end();
    return status;
}

// --- the command ---------------------------------------------------------------------------------

static godwit_status start(batch *b, godwit_error *error) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_status status = cli_open_engine(b->options, &b->engine, error);
    if (status == GODWIT_OK) status = godwit_model_get_info(b->engine.model, &info, error);
    if (status != GODWIT_OK) return status;
    b->n_ctx = b->options->n_ctx;
    if (!b->n_ctx) {
        b->n_ctx =
            info.n_ctx_train < GODWIT_CTX_DEFAULT_MAX ? info.n_ctx_train : GODWIT_CTX_DEFAULT_MAX;
    }
    if (b->n_ctx > info.n_ctx_train) {
        cli_say("context of %u tokens is past the %u that the model was trained for", b->n_ctx,
                info.n_ctx_train);
    }
    b->text = (batch_text){.tokenizer = b->engine.tokenizer,
                           .ignore_eos = b->options->ignore_eos,
                           .piece = cli_realloc(NULL, BATCH_PIECE_BYTES)};
    for (size_t i = 0; i < b->requests.n; i++)
        cli_sampling_breakers(b->options, b->engine.tokenizer, &b->requests.items[i].sampling);
    return GODWIT_OK;
}

static bool check_options(const cli_options *o) {
    if (!o->in || !o->out) {
        cli_say("batch: --in FILE and --out FILE are needed; - is stdin, or stdout");
    } else if (!o->in[0] || !o->out[0]) {
        cli_say("batch: --%s: the name of the file is empty", o->in[0] ? "out" : "in");
    } else if (o->json && strcmp(o->out, "-") == 0) {
        cli_say("batch: --out - and --json both write to stdout; name a file");
    } else {
        return true;
    }
    return false;
}

static void destroy(batch *b) {
    for (uint32_t i = 0; i < b->n_at_work; i++) batch_stream_free(&b->streams[i]);
    godwit_session_destroy(&b->left);
    godwit_batch_destroy(&b->batch);
    batch_requests_free(&b->requests);
    free(b->streams);
    free(b->todo);
    free(b->text.piece);
}

// Returns the exit code.
static int report(batch *b, godwit_status status, const godwit_error *error) {
    batch_result *r = &b->result;
    int code = b->code;
    r->cancelled = status == GODWIT_CANCELLED && cli_cancelled();
    const bool stopped = status != GODWIT_OK && !r->cancelled;
    if (r->n_streams || !stopped) batch_print_summary(r, b->out.is_regular);
    if (code == CLI_OK && status != GODWIT_OK) code = cli_fail(status, error);
    if (code == CLI_OK && r->n_failed + r->n_failed_before > 0) code = batch_say_failed(r);
    if (!b->options->json || stopped) return code; // what stopped it was said last
    int printed = batch_print_json(b->options, &b->engine, r);
    return code == CLI_OK ? printed : code;
}

static godwit_status run_batch(batch *b, godwit_error *error) {
    b->result.n_lines = b->requests.n_lines;
    b->result.n_done_before = b->requests.n_done_before;
    b->result.n_failed_before = b->requests.n_failed_before;
    if (b->requests.n == 0) return GODWIT_OK; // no model is needed for that
    godwit_status status = start(b, error);
    if (status == GODWIT_OK) status = prepare_prompts(b, error);
    if (status == GODWIT_OK && b->n_todo) status = create_batch(b, error);
    if (status == GODWIT_OK && b->n_todo) status = work(b, error);
    return status;
}

int cli_batch(const cli_options *options) {
    if (!check_options(options)) return CLI_USAGE;
    batch b = {.options = options, .out = {.fd = -1}};
    godwit_error error = {0};
    godwit_sample_params defaults;
    int code = CLI_FAILED;
    godwit_status status = cli_output_check_inputs(options, NULL, &error);
    if (status == GODWIT_OK) status = cli_sampling(options, &defaults, &error);
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (batch_output_open(&b.out, options->out) &&
               batch_read_requests(options, &defaults, &b.out, &b.requests)) {
        cli_cancel_watch(); // before that, a signal ends it at once: nothing is at work
        status = run_batch(&b, &error);
        code = report(&b, status, &error);
    }
    destroy(&b);
    if (!batch_output_close(&b.out) && code == CLI_OK) code = CLI_FAILED;
    return cli_close_engine(&b.engine, code);
}
