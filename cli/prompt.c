// prompt.c: see prompt.h.
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROMPT_BYTES_MAX = 64 << 20, PASTE_MS = 50 };

// One line of a terminal; of a text that was pasted the lines that came with it.
static bool is_whole_line(const cli_text *text) {
    if (text->n_bytes == 0 || text->data[text->n_bytes - 1] != '\n') return false;
    struct pollfd more = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&more, 1, PASTE_MS) <= 0;
}

// To the end, of a terminal to that of a line. Says what failed.
static bool read_all(int fd, const char *name, bool is_terminal, cli_text *out_text) {
    char chunk[16384];
    while (!is_terminal || !is_whole_line(out_text)) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            cli_say("%s: %s", name, strerror(errno));
            return false;
        }
        cli_text_add(out_text, chunk, (size_t)n);
        if (out_text->n_bytes > PROMPT_BYTES_MAX) {
            cli_say("%s: prompt is longer than %d bytes", name, PROMPT_BYTES_MAX);
            return false;
        }
    }
    return true;
}

bool cli_read_file(const char *path, cli_text *out_text) {
    cli_text_add(out_text, "", 0);
    if (!path || strcmp(path, "-") == 0) return read_all(STDIN_FILENO, "stdin", false, out_text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return false;
    }
    bool done = read_all(fd, path, false, out_text);
    (void)close(fd);
    return done;
}

static bool ask(cli_text *out_text) {
    (void)fputs("Prompt: ", stderr);
    if (!read_all(STDIN_FILENO, "stdin", true, out_text)) return false;
    if (out_text->n_bytes > 0) return true;
    (void)fputc('\n', stderr); // Ctrl-D leaves the line open
    cli_say("run: no prompt; --no-prompt starts from nothing");
    return false;
}

// echo and editors end a text with a line end, LF or CR LF, that nobody typed as part of it.
static void drop_line_end(cli_text *text) {
    size_t n = text->n_bytes;
    if (n == 0 || text->data[n - 1] != '\n') return;
    n -= n > 1 && text->data[n - 2] == '\r' ? 2 : 1;
    text->data[n] = 0;
    text->n_bytes = n;
}

bool cli_read_prompt(const cli_options *options, cli_text *out_text) {
    cli_text_add(out_text, "", 0);
    if (options->prompt) {
        cli_text_add(out_text, options->prompt, strlen(options->prompt));
        return true;
    }
    if (options->no_prompt) return true;
    if (options->text) {
        if (!cli_read_file(options->text, out_text)) return false;
    } else if (isatty(STDIN_FILENO)) {
        if (!ask(out_text)) return false;
    } else if (!read_all(STDIN_FILENO, "stdin", false, out_text)) {
        return false;
    }
    drop_line_end(out_text);
    return true;
}

// Ids of a text, as many as there are, freed by the caller.
static godwit_status encode(const godwit_tokenizer *tokenizer, const cli_text *text,
                            const godwit_encode_params *params, int32_t **out_ids, size_t *out_n,
                            godwit_error *error) {
    // A token has at least a byte, a bad byte is at most three tokens; the rest is BOS and EOS.
    size_t n_max = text->n_bytes * 3 + 8;
    *out_ids = cli_realloc(NULL, n_max * sizeof(**out_ids));
    godwit_status status = godwit_tokenizer_encode(tokenizer, text->data, text->n_bytes, params,
                                                   *out_ids, n_max, out_n, error);
    if (status != GODWIT_OK || *out_n <= n_max) return status;
    n_max = *out_n;
    *out_ids = cli_realloc(*out_ids, n_max * sizeof(**out_ids));
    return godwit_tokenizer_encode(tokenizer, text->data, text->n_bytes, params, *out_ids, n_max,
                                   out_n, error);
}

// Of the BOS that the file asks for and one that the text begins with, one is left.
static void drop_second_bos(const godwit_tokenizer *tokenizer, int32_t *ids, size_t *n) {
    static bool said; // of many prompts, once
    int32_t bos = godwit_tokenizer_bos(tokenizer), first = -1;
    size_t n_added = 0;
    if (*n < 2 || bos < 0 || ids[0] != bos || ids[1] != bos) return;
    bool asked =
        godwit_tokenizer_encode(tokenizer, "", 0, NULL, &first, 1, &n_added, NULL) == GODWIT_OK &&
        n_added > 0 && first == bos;
    if (!asked) return;
    *n -= 1;
    memmove(ids, ids + 1, *n * sizeof(*ids));
    if (said) return;
    said = true;
    cli_say("the text begins with the token that the model's file puts in front: it is there once");
}

godwit_status cli_encode_prompt(const godwit_tokenizer *tokenizer, const cli_text *text,
                                const godwit_encode_params *params, int32_t **out_ids,
                                size_t *out_n, godwit_error *error) {
    godwit_status status = encode(tokenizer, text, params, out_ids, out_n, error);
    if (status != GODWIT_OK) return status;
    if (params->parse_special) drop_second_bos(tokenizer, *out_ids, out_n);
    if (*out_n > 0) return GODWIT_OK;
    (*out_ids)[0] = godwit_tokenizer_bos(tokenizer);
    *out_n = 1;
    if ((*out_ids)[0] >= 0) return GODWIT_OK;
    (void)snprintf(error->message, sizeof(error->message),
                   "empty prompt: this model has no token to begin with; give it a text");
    return GODWIT_INVALID_ARGUMENT;
}

bool cli_note_markers(const godwit_tokenizer *tokenizer, const cli_text *text,
                      const godwit_encode_params *params, const int32_t *ids, size_t n) {
    godwit_encode_params special = *params;
    int32_t *parsed = NULL;
    size_t n_parsed = 0;
    if (text->n_bytes == 0) return false;
    special.parse_special = true;
    bool differs = encode(tokenizer, text, &special, &parsed, &n_parsed, NULL) == GODWIT_OK &&
                   (n_parsed != n || memcmp(parsed, ids, n * sizeof(*ids)) != 0);
    free(parsed);
    if (!differs) return false;
    cli_say("the prompt has texts of this model's control tokens; they are read as plain text, and "
            "as these tokens with --parse-special");
    return true;
}
