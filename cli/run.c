// run.c: `godwit run`: prompt in, text out, token by token.
//
// The first token is only sampled, printed, and then appended by the step that chooses it once
// more: a draw depends on seed and position alone, so both are the same, and the reader need not
// wait for the second token's logits. The last one is not appended: nothing comes after it, unless
// the session is saved. A saved session holds what was read and printed, no more and no less.
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "clock.h"
#include "output.h"
#include "progress.h"
#include "prompt.h"
#include "sampling.h"
#include "saved.h"
#include "talk.h"

enum { PIECE_BYTES = 65536, TOKENS_DEFAULT = 256, SCRUB_PIECE_BYTES = 4 << 20 };

typedef struct run {
    const cli_options *options;
    cli_options own; // of a resumed session, what options points at
    cli_engine engine;
    cli_talk talk; // of --chat
    godwit_session *session;
    godwit_sample_params sampling;
    godwit_decoder decoder;
    char *piece; // [PIECE_BYTES]
    int32_t *prompt;
    uint32_t n_tokens;  // to generate at most
    uint32_t n_start;   // tokens that come behind the prompt by themselves (cli_engine)
    uint32_t n_encoded; // of a resumed session, what an encoder read
    cli_output out;     // of logits
    cli_output saved;   // of the session
    float *logits;      // [n_vocab]
    uint32_t n_vocab;
    cli_run_result result;
    int write_code; // of stdout: CLI_OK, CLI_FAILED, CLI_CLOSED
} run;

static void print_piece(run *r, const char *text, size_t n_bytes) {
    cli_text_add(&r->result.text, text, n_bytes);
    if (r->options->json || r->options->ids || n_bytes == 0) return;
    if (isatty(STDOUT_FILENO)) {
        cli_print_safe(stdout, text, n_bytes);
    } else {
        (void)fwrite(text, 1, n_bytes, stdout);
    }
    r->write_code = cli_flush_stdout();
}

// Token -1 prints what is left of a character.
static godwit_status emit(run *r, int32_t token, godwit_error *error) {
    cli_run_result *result = &r->result;
    size_t n_bytes = 0;
    if (isatty(STDOUT_FILENO)) {
        cli_progress_stop();
    } else {
        cli_progress_end();
    }
    godwit_status status = godwit_tokenizer_decode(r->engine.tokenizer, &r->decoder, token,
                                                   r->piece, PIECE_BYTES, &n_bytes, error);
    if (status != GODWIT_OK) return status;
    print_piece(r, r->piece, n_bytes);
    if (token < 0) return GODWIT_OK;
    result->ids[result->n_ids++] = token;
    if (r->options->n_logprobs != CLI_NOT_GIVEN)
        (void)json_array_append_new(result->logprobs,
                                    cli_json_logprobs(r->session, r->engine.tokenizer));
    if (r->options->ids && !r->options->json) {
        printf(result->n_ids > 1 ? " %d" : "%d", (int)token);
        r->write_code = cli_flush_stdout();
    }
    if (result->n_ids == 1) result->first_token_ns = cli_process_age_ns();
    return GODWIT_OK;
}

static godwit_status write_logits(run *r, godwit_error *error) {
    if (!r->out.file) return GODWIT_OK;
    godwit_status status = godwit_session_logits(r->session, r->logits, r->n_vocab, error);
    if (status != GODWIT_OK) return status;
    return cli_output_write(&r->out, r->logits, (size_t)r->n_vocab * sizeof(float), error);
}

static godwit_status open_logits(run *r, godwit_error *error) {
    if (!r->options->logits) return GODWIT_OK;
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_status status = godwit_model_get_info(r->engine.model, &info, error);
    if (status != GODWIT_OK) return status;
    r->n_vocab = info.n_vocab;
    r->logits = cli_realloc(NULL, (size_t)r->n_vocab * sizeof(float));
    return cli_output_open(&r->out, "logits", r->options->logits, error);
}

// Sets how many tokens are generated, and says where that is fewer than asked for or goes past what
// the model was trained for.
static godwit_status fit_context(run *r, godwit_error *error) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_status status = godwit_model_get_info(r->engine.model, &info, error);
    if (status != GODWIT_OK) return status;
    uint32_t asked = r->options->n_tokens == CLI_NOT_GIVEN ? TOKENS_DEFAULT : r->options->n_tokens;
    uint32_t n_ctx = godwit_session_n_ctx(r->session);
    // All that stands before what is generated.
    size_t n_prompt = r->result.n_prompt + r->result.n_resumed + r->n_start;
    if (n_prompt > n_ctx) {
        (void)snprintf(
            error->message, sizeof(error->message),
            "prompt of %zu tokens does not fit the context of %u; --ctx %zu would hold it "
            "and %u more",
            n_prompt, n_ctx, n_prompt + asked, asked);
        return GODWIT_CONTEXT_FULL;
    }
    uint32_t room = n_ctx - (uint32_t)n_prompt;
    r->result.n_ctx = n_ctx;
    r->n_tokens = asked < room ? asked : room;
    size_t n_all = n_prompt + asked;
    if (room < asked) {
        cli_say("context of %u tokens: room for %u of %u after the prompt's %zu; --ctx %zu would "
                "hold all%s",
                n_ctx, room, asked, n_prompt, n_all,
                n_all > info.n_ctx_train ? ", past what the model was trained for" : "");
    } else if (n_ctx > info.n_ctx_train) {
        cli_say("context of %u tokens is past the %u that the model was trained for", n_ctx,
                info.n_ctx_train);
    }
    return GODWIT_OK;
}

// The prompt as one turn, as the model's template has it.
static godwit_status encode_turn(run *r, const cli_text *text, godwit_error *error) {
    cli_text rendered = {0};
    godwit_encode_params encoding = cli_talk_encoding();
    cli_talk_add(&r->talk, "user", text->data, text->n_bytes);
    godwit_status status = cli_talk_render(&r->talk, &r->engine, &rendered, error);
    if (status == GODWIT_OK) {
        status = cli_encode_prompt(r->engine.tokenizer, &rendered, &encoding, &r->prompt,
                                   &r->result.n_prompt, error);
    }
    cli_text_free(&rendered);
    return status;
}

// Ids of the prompt; a text that is added to a session has no token in front, and may be none.
static godwit_status encode_prompt(run *r, const cli_text *text, godwit_error *error) {
    const godwit_tokenizer *tokenizer = r->engine.tokenizer;
    godwit_encode_params encoding = GODWIT_INIT(godwit_encode_params);
    encoding.parse_special = r->options->parse_special;
    encoding.no_eos = !r->n_start; // an encoder's text ends with one
    encoding.no_special = r->options->resume != NULL;
    if (r->options->resume && text->n_bytes == 0) return GODWIT_OK;
    godwit_status status =
        cli_encode_prompt(tokenizer, text, &encoding, &r->prompt, &r->result.n_prompt, error);
    if (status == GODWIT_OK && !encoding.parse_special) {
        (void)cli_note_markers(tokenizer, text, &encoding, r->prompt, r->result.n_prompt);
    }
    return status;
}

// What the options do not say is as it was when the session was saved.
static godwit_status take_over(run *r, const godwit_session_info *info, godwit_error *error) {
    const godwit_sample_params *p = &info->sampling;
    cli_options *o = &r->own;
    const uint32_t kv[2] = {(uint32_t)info->kv_k, (uint32_t)info->kv_v};
    *o = *r->options;
    r->options = o;
    if (cli_is_given(o, "kv") && memcmp(kv, o->kv, sizeof(kv)) != 0) {
        (void)snprintf(error->message, sizeof(error->message),
                       "--kv %s: the KV cache of %.300s is %s, and stays so",
                       cli_name_of_kv(o->kv).text, o->resume, cli_name_of_kv(kv).text);
        return GODWIT_INVALID_ARGUMENT;
    }
    memcpy(o->kv, kv, sizeof(kv));
    cli_sampling_take_over(o, p, &r->sampling);
    if (cli_is_given(o, "dry-sequence-breaker"))
        cli_sampling_breakers(o, r->engine.tokenizer, &r->sampling);
    r->result.seed = r->sampling.seed;
    r->result.n_resumed = info->n_tokens;
    r->n_encoded = info->n_encoded;
    return GODWIT_OK;
}

static godwit_status open_session(run *r, godwit_error *error) {
    godwit_session_params params = cli_session_params(r->options);
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    if (!r->options->resume) {
        return godwit_session_create(r->engine.model, &params, &r->session, error);
    }
    godwit_status status =
        cli_saved_load(r->options->resume, r->engine.model, &params, &r->session, &info, error);
    return status == GODWIT_OK ? take_over(r, &info, error) : status;
}

// The decoder reads what stands before, too: whether a token's leading blank is text depends on it. Behind an encoder's
// text another one begins.
static godwit_status decode_before(run *r, const int32_t *ids, size_t n_ids, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; status == GODWIT_OK && i < n_ids; i++) {
        size_t n_bytes = 0;
        status = godwit_tokenizer_decode(r->engine.tokenizer, &r->decoder, ids[i], r->piece,
                                         PIECE_BYTES, &n_bytes, error);
    }
    return status;
}

static godwit_status start(run *r, const cli_text *text, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    // Before a model is loaded for nothing.
    if (r->options->resume) status = cli_saved_check(r->options->resume, error);
    if (status == GODWIT_OK) status = cli_open_engine(r->options, &r->engine, error);
    if (!r->options->resume) r->n_start = r->engine.n_start;
    if (status == GODWIT_OK) {
        status = r->options->chat ? encode_turn(r, text, error) : encode_prompt(r, text, error);
    }
    if (status == GODWIT_OK) cli_sampling_breakers(r->options, r->engine.tokenizer, &r->sampling);
    if (status == GODWIT_OK) status = open_session(r, error);
    if (status != GODWIT_OK) return status;
    cli_cancel_session(r->session);
    status = fit_context(r, error);
    if (status != GODWIT_OK) return status;
    r->result.ids = cli_realloc(NULL, (size_t)r->n_tokens * sizeof(int32_t));
    status = open_logits(r, error);
    if (status == GODWIT_OK && r->options->save) {
        status = cli_saved_prepare(&r->saved, r->options->save, error);
    }
    if (status != GODWIT_OK) return status;
    size_t n = godwit_session_tokens(r->session, NULL, 0);
    int32_t *ids = cli_realloc(NULL, n * sizeof(*ids));
    (void)godwit_session_tokens(r->session, ids, n);
    const size_t n_before = r->n_encoded ? r->n_encoded + r->engine.n_start : 0;
    if (n > n_before) status = decode_before(r, ids + n_before, n - n_before, error);
    free(ids);
    if (status != GODWIT_OK || r->n_start) return status;
    return decode_before(r, r->prompt, r->result.n_prompt, error);
}

static godwit_status step_same(run *r, int32_t token, godwit_error *error) {
    int32_t again = -1;
    godwit_status status = godwit_session_step(r->session, &r->sampling, &again, error);
    if (status != GODWIT_OK || again == token) return status;
    (void)snprintf(error->message, sizeof(error->message),
                   "first token was %d and then %d from the same logits", (int)token, (int)again);
    return GODWIT_BUG;
}

static godwit_status scrub(run *r, uint64_t max_bytes, godwit_error *error) {
    godwit_scrub_report report = GODWIT_INIT(godwit_scrub_report);
    uint64_t start = cli_now_ns();
    godwit_status status = godwit_model_scrub(r->engine.model, max_bytes, &report, error);
    r->result.scrub_ns += cli_now_ns() - start;
    r->result.scrub_bytes += report.n_bytes;
    r->result.scrub_passes = report.n_passes;
    return status;
}

// As much as a twentieth of the time since began pays for, at the pace so far. What the first slice
// costs, which shows the pace and compiles the kernel, is waited out before the second.
static godwit_status scrub_between(run *r, uint64_t began, godwit_error *error) {
    if (!r->options->scrub) return GODWIT_OK;
    const cli_run_result *result = &r->result;
    uint64_t allowed = (cli_now_ns() - began) / 20;
    if (allowed <= result->scrub_ns) return GODWIT_OK;
    if (result->scrub_ns == 0) return scrub(r, 1, error);
    double pace = cli_rate((double)result->scrub_bytes, result->scrub_ns); // bytes a second
    double bytes = pace * (double)(allowed - result->scrub_ns) / 1e9;
    // One piece costs its 4 MiB, however few bytes are asked for: saved up for.
    if (bytes < SCRUB_PIECE_BYTES) return GODWIT_OK;
    return scrub(r, (uint64_t)bytes - (SCRUB_PIECE_BYTES - 1), error);
}

static godwit_status generate(run *r, godwit_error *error) {
    uint32_t n = r->n_tokens;
    uint64_t began = cli_now_ns();
    godwit_status status = godwit_session_feed(r->session, r->prompt, r->result.n_prompt, error);
    if (status == GODWIT_OK) status = write_logits(r, error);
    for (uint32_t i = 0; status == GODWIT_OK && i < n; i++) {
        bool first = i == 0, last = i + 1 == n;
        int32_t token = -1;
        status = first || last ? godwit_session_sample(r->session, &r->sampling, &token, error)
                               : godwit_session_step(r->session, &r->sampling, &token, error);
        if (status != GODWIT_OK) break;
        if (!r->options->ignore_eos && godwit_tokenizer_is_end(r->engine.tokenizer, token)) {
            r->result.stop = "end";
            break;
        }
        status = emit(r, token, error);
        if (status != GODWIT_OK) break;
        if (r->write_code != CLI_OK) {
            r->result.stop = "closed";
            break;
        }
        if (first && !last) status = step_same(r, token, error);
        if (status == GODWIT_OK && !last) status = write_logits(r, error);
        if (status == GODWIT_OK && !last) status = scrub_between(r, began, error);
    }
    if (status == GODWIT_OK && r->options->scrub) status = scrub(r, 0, error);
    return status;
}

// So that the session holds what was read and printed: a token that was only sampled is appended, an
// end token that was not printed is taken back.
static godwit_status settle(run *r, godwit_error *error) {
    const cli_run_result *result = &r->result;
    const size_t n = result->n_resumed + result->n_prompt + r->n_start + result->n_ids;
    const size_t has = godwit_session_n_past(r->session);
    const int32_t *last = result->n_ids ? &result->ids[result->n_ids - 1] : NULL;
    if (has == n) return GODWIT_OK;
    if (last && (has + 1 == n || has == n + 1)) {
        godwit_status status = godwit_session_truncate(r->session, (uint32_t)n - 1, error);
        return status == GODWIT_OK ? godwit_session_feed(r->session, last, 1, error) : status;
    }
    (void)snprintf(error->message, sizeof(error->message),
                   "session: not saved: it has read %zu of %zu tokens", has, n);
    return GODWIT_INVALID_ARGUMENT;
}

// Where the work was done or cut short by a signal; another exit code only where it was done.
static int save(run *r, int code) {
    godwit_error error = {0};
    if (!r->options->save || !r->session) return code;
    cli_cancel_saves();
    godwit_status status = settle(r, &error);
    // A signal that came as the text ended.
    if (status == GODWIT_CANCELLED) status = settle(r, &error);
    if (status == GODWIT_OK) {
        status = cli_saved_write(&r->saved, r->options->save, r->session, &r->sampling,
                                 r->options->save_tokens_only, &error);
    }
    if (status == GODWIT_OK) return code;
    // Also after a signal it is said that nothing was saved.
    int failed = cli_fail(status == GODWIT_CANCELLED ? GODWIT_IO : status, &error);
    return code == CLI_OK ? failed : code;
}

// Ends the text with a line end, prints what was asked for, returns the exit code.
static int report(run *r, godwit_status status, const godwit_error *error) {
    cli_run_result *result = &r->result;
    bool cancelled = status == GODWIT_CANCELLED && cli_cancelled();
    if (cancelled) result->stop = "cancelled";
    if (r->write_code == CLI_OK && r->session) {
        (void)emit(r, -1, NULL);
        size_t n = result->text.n_bytes;
        bool open_line =
            r->options->ids ? result->n_ids > 0 : n > 0 && result->text.data[n - 1] != '\n';
        if (open_line && !r->options->json) (void)putchar('\n');
        r->write_code = cli_flush_stdout();
    }
    if (status != GODWIT_OK && !cancelled) return cli_fail(status, error);
    if (!r->session)
        return CLI_SIGNAL + cli_cancelled_by(); // while the model was loaded: nothing to report
    result->stats = GODWIT_INIT(godwit_session_stats);
    godwit_error stats_error = {0};
    status = godwit_session_get_stats(r->session, &result->stats, &stats_error);
    if (status != GODWIT_OK) return cli_fail(status, &stats_error);
    if (r->options->json && r->write_code == CLI_OK) {
        r->write_code = cli_run_print_json(r->options, &r->engine, result);
    }
    if (r->options->stats) cli_run_print_stats(r->options, &r->engine, result);
    return cancelled ? CLI_SIGNAL + cli_cancelled_by() : r->write_code;
}

// What no option alone is wrong about.
static bool check_options(const cli_options *options) {
    int n_prompts = (options->prompt != NULL) + (options->text != NULL) + options->no_prompt;
    if (n_prompts > 1) {
        cli_say("run: one of --prompt, --file and --no-prompt is enough");
    } else if (!options->chat && (options->system || options->template_file || options->vars)) {
        cli_say("run: --system, --template and --vars are of a conversation: with --chat");
    } else if (options->chat && (options->no_prompt || options->resume || options->parse_special)) {
        cli_say("run: --chat answers a prompt, with no --no-prompt, --resume or --parse-special");
    } else if (options->guard && options->numerics == GODWIT_FAST) {
        cli_say("run: --guard compares bits, which --numerics fast does not keep");
    } else if (options->save_tokens_only && !options->save) {
        cli_say("run: --save-tokens-only needs --save FILE");
    } else if (options->save_tokens_only && options->numerics == GODWIT_FAST) {
        cli_say("run: --save-tokens-only: fast numerics do not give the same bits again");
    } else if (options->save && options->logits && strcmp(options->save, options->logits) == 0) {
        cli_say("run: --save and --logits name one file");
    } else {
        return true;
    }
    return false;
}

int cli_run(const cli_options *options) {
    if (!check_options(options)) return CLI_USAGE;
    run r = {.options = options};
    godwit_error error = {0};
    cli_text text = {0};
    bool has_prompt = !options->resume || options->prompt || options->text;
    bool ready = cli_talk_begin(&r.talk, options);
    if (!ready || (has_prompt && !cli_read_prompt(options, &text))) {
        cli_text_free(&text);
        cli_talk_end(&r.talk);
        return CLI_FAILED;
    }
    cli_cancel_watch();
    r.piece = cli_realloc(NULL, PIECE_BYTES);
    godwit_status status = cli_sampling(options, &r.sampling, &error);
    r.result.seed = r.sampling.seed;
    r.result.logprobs = json_array();
    if (status == GODWIT_OK) status = start(&r, &text, &error);
    cli_text_free(&text);
    uint32_t asked = options->n_tokens == CLI_NOT_GIVEN ? TOKENS_DEFAULT : options->n_tokens;
    r.result.stop = r.n_tokens < asked ? "context" : "tokens";
    if (status == GODWIT_OK) status = generate(&r, &error);
    if (status == GODWIT_OK && r.out.file) status = cli_output_commit(&r.out, &error);
    cli_output_discard(&r.out);
    int code = report(&r, status, &error);
    if (status == GODWIT_OK || (status == GODWIT_CANCELLED && cli_cancelled())) {
        code = save(&r, code);
    }
    cli_output_discard(&r.saved);
    cli_cancel_session(NULL);
    godwit_session_destroy(&r.session);
    free(r.logits);
    free(r.prompt);
    free(r.piece);
    free(r.result.ids);
    json_decref(r.result.logprobs);
    cli_text_free(&r.result.text);
    cli_talk_end(&r.talk);
    return cli_close_engine(&r.engine, code);
}
