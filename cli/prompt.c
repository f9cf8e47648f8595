// prompt.c: see prompt.h.
#include "prompt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROMPT_BYTES_MAX = 64 << 20 };

bool cli_read_prompt(const cli_options *options, cli_text *out_text) {
    cli_text_add(out_text, "", 0);
    if (options->prompt) {
        cli_text_add(out_text, options->prompt, strlen(options->prompt));
        return true;
    }
    if (isatty(STDIN_FILENO)) return true;
    char chunk[16384];
    for (;;) {
        ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            cli_say("stdin: %s", strerror(errno));
            return false;
        }
        cli_text_add(out_text, chunk, (size_t)n);
        if (out_text->n_bytes > PROMPT_BYTES_MAX) {
            cli_say("stdin: prompt is longer than %d bytes", PROMPT_BYTES_MAX);
            return false;
        }
    }
    // echo and editors end a text with a line end that nobody typed as part of it.
    if (out_text->n_bytes && out_text->data[out_text->n_bytes - 1] == '\n') {
        out_text->data[--out_text->n_bytes] = 0;
    }
    return true;
}

godwit_status cli_encode_prompt(const godwit_tokenizer *tokenizer, const cli_text *text,
                                int32_t **out_ids, size_t *out_n, godwit_error *error) {
    // A token has at least a byte, a bad byte is at most three tokens; the rest is BOS and EOS.
    size_t n_max = text->n_bytes * 3 + 8;
    *out_ids = cli_realloc(NULL, n_max * sizeof(**out_ids));
    godwit_status status = godwit_tokenizer_encode(tokenizer, text->data, text->n_bytes, NULL,
                                                   *out_ids, n_max, out_n, error);
    if (status != GODWIT_OK) return status;
    if (*out_n > n_max) {
        n_max = *out_n;
        *out_ids = cli_realloc(*out_ids, n_max * sizeof(**out_ids));
        status = godwit_tokenizer_encode(tokenizer, text->data, text->n_bytes, NULL, *out_ids,
                                         n_max, out_n, error);
    }
    if (status != GODWIT_OK || *out_n > 0) return status;
    (*out_ids)[0] = godwit_tokenizer_bos(tokenizer);
    *out_n = 1;
    if ((*out_ids)[0] >= 0) return GODWIT_OK;
    (void)snprintf(error->message, sizeof(error->message),
                   "empty prompt: this model has no token to begin with; give it a text");
    return GODWIT_INVALID_ARGUMENT;
}
