// chat.c: `godwit chat`: turns in, answers out, until the end of stdin.
//
// Each turn the whole conversation is rendered and encoded anew, since a template may say old turns
// in another way than it said them when they were new; what the session has read of it already is
// not read again. So a resumed, an interrupted and a regenerated conversation are all one case.
#include "chat.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "clock.h"
#include "progress.h"
#include "prompt.h"
#include "sampling.h"

enum { ANSWER_TOKENS = 256 }; // that room is made for

// --- the conversation as tokens ------------------------------------------------------------------

static godwit_status encode(chat *c, godwit_error *error) {
    godwit_encode_params encoding = cli_talk_encoding();
    godwit_status status = cli_talk_render(&c->talk, &c->engine, &c->rendered, error);
    if (status != GODWIT_OK) return status;
    free(c->ids);
    c->ids = NULL;
    return cli_encode_prompt(c->engine.tokenizer, &c->rendered, &encoding, &c->ids, &c->n_ids,
                             error);
}

static bool has_role(const json_t *message, const char *role) {
    const char *is = json_string_value(json_object_get(message, "role"));
    return is && strcmp(is, role) == 0;
}

// Forgets the oldest turn behind the system's and its answers; false: the last one is the oldest.
static bool forget_oldest(chat *c) {
    size_t first = 0;
    json_t *all = c->talk.messages;
    while (first < json_array_size(all) && has_role(json_array_get(all, first), "system")) first++;
    size_t next = first + 1;
    while (next < json_array_size(all) && !has_role(json_array_get(all, next), "user")) next++;
    if (next >= json_array_size(all)) return false;
    for (size_t i = first; i < next; i++) (void)json_array_remove(all, first);
    return true;
}

// Tokens of the conversation, of as much of it as the context holds with an answer.
static godwit_status fit(chat *c, godwit_error *error) {
    const uint32_t n_ctx = godwit_session_n_ctx(c->session), given = c->options->n_tokens;
    const uint32_t wanted = given != CLI_NOT_GIVEN ? given : ANSWER_TOKENS;
    const size_t room = wanted < n_ctx / 2 ? n_ctx - wanted : n_ctx / 2;
    size_t n_forgotten = 0;
    godwit_status status = encode(c, error);
    while (status == GODWIT_OK && c->n_ids > room && forget_oldest(c)) {
        n_forgotten++;
        status = encode(c, error);
    }
    if (n_forgotten > 0) {
        cli_say("chat: the context of %u tokens is full: forgot the oldest %s; --ctx N holds more",
                n_ctx, n_forgotten == 1 ? "turn" : "turns");
    }
    if (status != GODWIT_OK || c->n_ids < n_ctx) return status;
    (void)snprintf(error->message, sizeof(error->message),
                   "chat: %zu tokens do not fit the context of %u; --ctx %zu would hold them",
                   c->n_ids, n_ctx, c->n_ids + wanted);
    return GODWIT_CONTEXT_FULL;
}

// How many tokens the session begins with as the conversation does, the last of which is read again:
// its logits are wanted.
static size_t n_common(const chat *c) {
    size_t n = godwit_session_tokens(c->session, NULL, 0), i = 0;
    int32_t *has = cli_realloc(NULL, n * sizeof(*has));
    n = godwit_session_tokens(c->session, has, n);
    while (i < n && i + 1 < c->n_ids && has[i] == c->ids[i]) i++;
    free(has);
    return i;
}

static godwit_status begin_session(chat *c, godwit_error *error) {
    godwit_session_params params = cli_session_params(c->options);
    godwit_status status = godwit_session_create(c->engine.model, &params, &c->session, error);
    const bool no_room = status == GODWIT_OUT_OF_MEMORY || status == GODWIT_OUT_OF_DEVICE_MEMORY;
    // Nobody asked for checkpoints: what there is room for is a conversation.
    if (!no_room || cli_is_given(c->options, "checkpoint-every")) return status;
    params.checkpoint_every = 0;
    return godwit_session_create(c->engine.model, &params, &c->session, error);
}

static godwit_session_stats stats_of(const chat *c) {
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    const godwit_status status = godwit_session_get_stats(c->session, &stats, NULL);
    return status == GODWIT_OK ? stats : (godwit_session_stats){0};
}

// What the session has not. Where it keeps checkpoints, the last token by itself: another answer goes back to
// before it.
static godwit_status read_rest(chat *c, godwit_error *error) {
    const int32_t *ids = c->ids + c->n_reused;
    const size_t n = c->n_ids - c->n_reused, n_first = stats_of(c).checkpoint_bytes ? n - 1 : 0;
    godwit_status status = GODWIT_OK;
    if (n_first) status = godwit_session_feed(c->session, ids, n_first, error);
    if (status != GODWIT_OK) return status;
    return godwit_session_feed(c->session, ids + n_first, n - n_first, error);
}

static godwit_status read_turn(chat *c, godwit_error *error) {
    uint64_t began = cli_now_ns();
    const uint64_t before = stats_of(c).n_replayed;
    c->n_reused = n_common(c);
    godwit_status status = GODWIT_OK;
    if (c->n_reused < godwit_session_n_past(c->session))
        status = godwit_session_truncate(c->session, (uint32_t)c->n_reused, error);
    if (status == GODWIT_OK) status = read_rest(c, error);
    c->n_replayed = stats_of(c).n_replayed - before;
    c->read_ns = cli_now_ns() - began;
    return status;
}

// --- the answer ----------------------------------------------------------------------------------

static void print_piece(chat *c, const char *text, size_t n_bytes) {
    cli_text_add(&c->answer, text, n_bytes);
    if (c->options->json || n_bytes == 0) return;
    if (isatty(STDOUT_FILENO)) {
        cli_print_safe(stdout, text, n_bytes);
    } else {
        (void)fwrite(text, 1, n_bytes, stdout);
    }
    c->write_code = cli_flush_stdout();
}

// Token -1 prints what is left of a character.
static godwit_status emit(chat *c, godwit_decoder *decoder, int32_t token, godwit_error *error) {
    size_t n_bytes = 0;
    godwit_status status = godwit_tokenizer_decode(c->engine.tokenizer, decoder, token, c->piece,
                                                   CHAT_PIECE_BYTES, &n_bytes, error);
    if (status == GODWIT_OK) print_piece(c, c->piece, n_bytes);
    return status;
}

static godwit_status generate(chat *c, godwit_error *error) {
    const uint32_t n_ctx = godwit_session_n_ctx(c->session);
    godwit_decoder decoder = {0};
    godwit_status status = GODWIT_OK;
    uint64_t began = cli_now_ns();
    for (uint32_t n_most = c->options->n_tokens; c->n_answer < n_most && c->write_code == CLI_OK;) {
        int32_t token = -1;
        if (godwit_session_n_past(c->session) == n_ctx) {
            cli_say("chat: the context of %u tokens is full: the answer ends here", n_ctx);
            break;
        }
        status = godwit_session_step(c->session, &c->sampling, &token, error);
        if (status != GODWIT_OK || godwit_tokenizer_is_end(c->engine.tokenizer, token)) break;
        c->n_answer++;
        status = emit(c, &decoder, token, error);
        if (status != GODWIT_OK) break;
    }
    c->answer_ns = cli_now_ns() - began;
    (void)emit(c, &decoder, -1, NULL);
    bool open_line = c->answer.n_bytes > 0 && c->answer.data[c->answer.n_bytes - 1] != '\n';
    // In a pipe an answer has a line at least.
    bool ends_line = open_line || (c->answer.n_bytes == 0 && status == GODWIT_OK);
    if (ends_line && !c->options->json && c->write_code == CLI_OK) {
        (void)putchar('\n');
        c->write_code = cli_flush_stdout();
    }
    return status;
}

static godwit_status answer(chat *c, godwit_error *error) {
    godwit_status status = fit(c, error);
    if (status != GODWIT_OK) return status;
    cli_cancel_session(c->session);
    do {
        status = read_turn(c, error);
        // A Ctrl-C that came as the last answer ended cancels nothing of this one.
    } while (status == GODWIT_CANCELLED && !cli_cancelled() && !cli_cancel_pressed());
    if (status == GODWIT_OK) status = generate(c, error);
    cli_cancel_session(NULL);
    return status;
}

void chat_answer(chat *c) {
    godwit_error error = {0};
    c->answer.n_bytes = 0;
    cli_text_add(&c->answer, "", 0);
    c->n_answer = 0;
    (void)cli_cancel_take();
    godwit_status status = answer(c, &error);
    cli_progress_end();
    bool stopped = status == GODWIT_CANCELLED && !cli_cancelled();
    if (stopped) (void)cli_cancel_take();
    if (status == GODWIT_OK || (stopped && c->n_answer > 0)) {
        cli_talk_add(&c->talk, "assistant", c->answer.data, c->answer.n_bytes);
    } else {
        cli_talk_drop(&c->talk);
    }
    if (stopped) {
        cli_say("chat: stopped%s", c->n_answer > 0 ? "" : "; the turn is taken back");
    } else if (status != GODWIT_OK && !cli_cancelled()) {
        c->code = cli_fail(status, &error);
    }
}

// --- from the first line to the last -------------------------------------------------------------

// A model without a template is none to talk with, which shows before the first turn.
static godwit_status try_template(chat *c, godwit_error *error) {
    godwit_error why = {0};
    cli_talk_add(&c->talk, "user", "Hi", 2);
    godwit_status status = cli_talk_render(&c->talk, &c->engine, &c->rendered, &why);
    cli_talk_drop(&c->talk);
    // Why it would refuse these words alone is its own affair.
    if (status == GODWIT_OK || status == GODWIT_INVALID_ARGUMENT) return GODWIT_OK;
    *error = why;
    return status;
}

static godwit_status start(chat *c, godwit_error *error) {
    godwit_status status = cli_sampling(c->options, &c->sampling, error);
    if (status == GODWIT_OK) status = cli_open_engine(c->options, &c->engine, error);
    if (status == GODWIT_OK) status = try_template(c, error);
    if (status == GODWIT_OK) cli_sampling_breakers(c->options, c->engine.tokenizer, &c->sampling);
    if (status == GODWIT_OK) status = begin_session(c, error);
    return status;
}

static void greet(const chat *c) {
    godwit_device_info device = GODWIT_INIT(godwit_device_info);
    const char *name = strrchr(c->engine.path, '/');
    if (!c->lines.is_terminal) return;
    if (godwit_device_get_info(c->engine.device, &device, NULL) != GODWIT_OK) return;
    (void)fprintf(stderr,
                  "%s%s on %s. /help lists commands, Ctrl-C stops an answer, Ctrl-D ends.%s\n",
                  cli_lines_colour(&c->lines, "\x1b[2m"), name ? name + 1 : c->engine.path,
                  device.name, cli_lines_colour(&c->lines, "\x1b[0m"));
}

// A signal that came while a turn was typed. Whether to go on.
static bool go_on(void) {
    bool pressed = cli_cancel_take();
    if (cli_cancelled() || !pressed) return false;
    (void)fprintf(stderr, "\n(/quit or Ctrl-D ends it)\n");
    return true;
}

static int talk(chat *c) {
    cli_text turn = {0};
    int code = CLI_OK;
    while (!c->ends && c->write_code == CLI_OK && !cli_cancelled()) {
        cli_line got = cli_lines_next(&c->lines, &turn);
        if (got == CLI_LINE_INTERRUPTED && go_on()) continue;
        if (got == CLI_LINE_INTERRUPTED && !cli_cancelled()) code = CLI_SIGNAL + 2;
        if (got == CLI_LINE_FAILED) code = CLI_FAILED;
        if (got != CLI_LINE_GIVEN) break;
        if (turn.data[0] == '/') {
            chat_command(c, turn.data);
        } else if (turn.data[strspn(turn.data, " \t\n")]) {
            cli_talk_add(&c->talk, "user", turn.data, turn.n_bytes);
            chat_answer(c);
        }
    }
    if (c->lines.is_terminal && !c->ends) (void)fputc('\n', stderr);
    cli_text_free(&turn);
    if (code == CLI_OK) code = c->write_code != CLI_OK ? c->write_code : c->code;
    return cli_cancelled() ? CLI_SIGNAL + cli_cancelled_by() : code;
}

int cli_chat(const cli_options *options) {
    chat c = {.options = options};
    godwit_error error = {0};
    if (!cli_talk_begin(&c.talk, options)) {
        cli_talk_end(&c.talk);
        return CLI_FAILED;
    }
    cli_lines_begin(&c.lines);
    cli_cancel_watch();
    c.piece = cli_realloc(NULL, CHAT_PIECE_BYTES);
    godwit_status status = start(&c, &error);
    int code = status == GODWIT_OK ? CLI_OK : cli_fail(status, &error);
    if (code == CLI_OK && options->resume && !chat_resume(&c, options->resume)) code = CLI_FAILED;
    if (code == CLI_OK) {
        cli_cancel_answers(c.lines.is_terminal); // of a script it ends all
        greet(&c);
        code = talk(&c);
        if (options->json && code != CLI_CLOSED) {
            json_t *all = json_object();
            cli_json_set(all, "messages", json_incref(c.talk.messages));
            int printed = cli_print_json(all);
            if (code == CLI_OK) code = printed;
        }
    }
    godwit_session_destroy(&c.session);
    free(c.ids);
    free(c.piece);
    cli_text_free(&c.rendered);
    cli_text_free(&c.answer);
    cli_talk_end(&c.talk);
    return cli_close_engine(&c.engine, code);
}
