// saved.h: session files of the command: what `run` goes on from and what it leaves behind.
#ifndef GODWIT_CLI_SAVED_H
#define GODWIT_CLI_SAVED_H

#include "godwit/godwit.h"
#include "options.h"
#include "output.h"

// Whether the file at path is there and may be read.
godwit_status cli_saved_check(const char *path, godwit_error *error);
// A session out of the file at path, and what the file says of it. Messages begin with the path.
godwit_status cli_saved_load(const char *path, godwit_model *model,
                             const godwit_session_params *params, godwit_session **out_session,
                             godwit_session_info *out_info, godwit_error *error);
// What a file says of itself. out_tokens: as many as n_tokens, freed by the caller.
godwit_status cli_saved_inspect(const char *path, godwit_context *context,
                                godwit_session_info *out_info, int32_t **out_tokens,
                                godwit_error *error);

// Whether path could be written; what cannot be opened twice (a pipe) is open then.
godwit_status cli_saved_prepare(cli_output *output, const char *path, godwit_error *error);
// Writes the session there, whole or not at all. output is as cli_saved_prepare left it, and closed
// then.
godwit_status cli_saved_write(cli_output *output, const char *path, godwit_session *session,
                              const godwit_sample_params *sampling, bool tokens_only,
                              godwit_error *error);

#endif
