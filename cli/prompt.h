// prompt.h: the prompt of `godwit run`: from -p, a file or stdin, and as token ids.
#ifndef GODWIT_CLI_PROMPT_H
#define GODWIT_CLI_PROMPT_H

#include "cli.h"
#include "print.h"

// -p, else -f's file, else all of stdin, of a terminal the line that it is asked for. Says what
// failed.
bool cli_read_prompt(const cli_options *options, cli_text *out_text);
// All of a file; NULL or "-": of stdin. Says what failed.
bool cli_read_file(const char *path, cli_text *out_text);
// *out_ids: [*out_n], at least one, freed by the caller. Only BOS for an empty text. With
// parse_special a BOS that the text begins with is not doubled, and it is said.
godwit_status cli_encode_prompt(const godwit_tokenizer *tokenizer, const cli_text *text,
                                const godwit_encode_params *params, int32_t **out_ids,
                                size_t *out_n, godwit_error *error);
// Says where --parse-special would read the text as other tokens than ids: [n], which params gave, and
// returns whether it does.
bool cli_note_markers(const godwit_tokenizer *tokenizer, const cli_text *text,
                      const godwit_encode_params *params, const int32_t *ids, size_t n);

#endif
