// sampling.h: how tokens are chosen, from the options.
#ifndef GODWIT_CLI_SAMPLING_H
#define GODWIT_CLI_SAMPLING_H

#include <jansson.h>

#include "godwit/godwit.h"
#include "options.h"

// A seed of -1 is drawn here, and said.
godwit_status cli_sampling(const cli_options *options, godwit_sample_params *out_sampling,
                           godwit_error *error);

// What the session has of the token that it chose last: {"id", "text", "logprob", "top": [the same]}.
json_t *cli_json_logprobs(const godwit_session *session, const godwit_tokenizer *tokenizer);
// The tokens across which DRY sees no repeat, where it is on.
void cli_sampling_breakers(const cli_options *options, const godwit_tokenizer *tokenizer,
                           godwit_sample_params *sampling);
// What the options do not say is as it was when the session was saved.
void cli_sampling_take_over(cli_options *options, const godwit_sample_params *saved,
                            godwit_sample_params *sampling);

#endif
