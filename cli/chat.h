// chat.h: what `godwit chat` is made of: its state (chat.c answers), its /commands (chat_commands.c).
#ifndef GODWIT_CLI_CHAT_H
#define GODWIT_CLI_CHAT_H

#include "lines.h"
#include "talk.h"

typedef struct chat {
    const cli_options *options;
    cli_engine engine;
    cli_talk talk;
    cli_lines lines;
    godwit_session *session;
    godwit_sample_params sampling;
    char *piece;  // [CHAT_PIECE_BYTES]
    int32_t *ids; // [n_ids], of the conversation
    size_t n_ids;
    cli_text rendered, answer;
    size_t n_reused;     // of ids, that the session had already
    uint64_t n_replayed; // of these, worked on again after going back
    uint32_t n_answer;   // tokens of the last answer
    uint64_t read_ns, answer_ns;
    int write_code; // of stdout
    int code;       // CLI_FAILED: a turn had no answer
    bool ends;      // /quit
} chat;

enum { CHAT_PIECE_BYTES = 65536 };

// Answers the conversation so far and adds the answer to it. A turn that got none is taken back.
void chat_answer(chat *c);
// Carries out "/name argument". Says what it does not know.
void chat_command(chat *c, char *line);
// What /resume does. Says what failed.
bool chat_resume(chat *c, const char *path);

#endif
