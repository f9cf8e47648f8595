// Chat: what a model sees of a conversation, by a chat template.
//
// Owns the choice of a file's templates and what they are given: messages, tools, the texts of
// special tokens, and whatever else the caller names. Templates themselves: jinja.h.
#ifndef GW_TEXT_CHAT_H
#define GW_TEXT_CHAT_H

#include "file/gguf.h"
#include "text/jinja.h"

// As godwit_chat_render says it; gguf may be NULL where params have a template. out is freed with
// gw_free(host, out->text, out->cap).
godwit_status gw_chat_render(const gw_host *host, const gw_gguf *gguf,
                             const godwit_chat_params *params, gw_jinja_output *out,
                             godwit_error *err);

#endif
