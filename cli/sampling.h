// sampling.h: how tokens are chosen, from the options.
#ifndef GODWIT_CLI_SAMPLING_H
#define GODWIT_CLI_SAMPLING_H

#include "godwit/godwit.h"
#include "options.h"

// A seed of -1 is drawn here, and said.
godwit_status cli_sampling(const cli_options *options, godwit_sample_params *out_sampling,
                           godwit_error *error);

#endif
