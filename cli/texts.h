// texts.h: what `godwit embed` and `godwit rerank` share: many texts, their tokens, their rows.
#ifndef GODWIT_CLI_TEXTS_H
#define GODWIT_CLI_TEXTS_H

#include "cli.h"
#include "print.h"

typedef struct cli_texts {
    cli_text all;       // of a file, or one text
    const char **texts; // [n], not terminated
    size_t *n_bytes;    // [n]
    size_t n;
    int32_t *ids;  // of all, one behind the other
    size_t *n_ids; // [n]
    size_t n_tokens;
    float *rows; // [n_rows, n_out]
    size_t n_rows, n_out;
} cli_texts;

// The lines of a file, NULL: of stdin; the last need not be ended. Says what failed.
bool cli_texts_read(const char *path, cli_texts *texts);
// One text, which must live as long.
void cli_texts_add(cli_texts *texts, const char *text, size_t n_bytes);
// Adds the tokens of the next text, which it takes.
void cli_texts_add_ids(cli_texts *texts, int32_t *ids, size_t n);
// All of them, in a batch made for it.
godwit_status cli_texts_embed(const cli_options *options, const cli_engine *engine,
                              const godwit_embed_params *params, cli_texts *texts,
                              godwit_error *error);
void cli_texts_free(cli_texts *texts);

#endif
