// talk.h: conversations of the command: messages as JSON, and the text a model sees of them.
//
// Shared by `godwit render`, `godwit chat` and `godwit run --chat`.
#ifndef GODWIT_CLI_TALK_H
#define GODWIT_CLI_TALK_H

#include "cli.h"
#include "print.h"

typedef struct cli_talk {
    const cli_options *options;
    cli_text template; // of --template or of render's operand; data NULL: the model's own
    json_t *messages;  // an array
} cli_talk;

// Reads --template and looks at --vars; begins with --system where there is one. Says what failed.
bool cli_talk_begin(cli_talk *talk, const cli_options *options);
void cli_talk_end(cli_talk *talk);
// Adds a message; text that is no UTF-8 gets U+FFFD.
void cli_talk_add(cli_talk *talk, const char *role, const char *text, size_t n_bytes);
// Forgets the last message.
void cli_talk_drop(cli_talk *talk);
// As the options have it; without messages and tools.
godwit_chat_params cli_talk_params(const cli_talk *talk);
// What the engine's model sees of the messages so far, and the beginning of an answer.
godwit_status cli_talk_render(const cli_talk *talk, const cli_engine *engine, cli_text *out_text,
                              godwit_error *error);
// How a rendered text is encoded: with its markers, and nothing added to it.
godwit_encode_params cli_talk_encoding(void);

#endif
