// sampling.c: see sampling.h.
#include "sampling.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

// One that is drawn has 53 bits, which every reader of JSON keeps.
static godwit_status choose_seed(const cli_options *options, uint64_t *out_seed,
                                 godwit_error *error) {
    *out_seed = options->seed.value;
    if (!options->seed.drawn) return GODWIT_OK;
    if (getentropy(out_seed, sizeof(*out_seed)) != 0) {
        (void)snprintf(error->message, sizeof(error->message),
                       "--seed -1: no random numbers: %s; name a seed", strerror(errno));
        return GODWIT_IO;
    }
    *out_seed >>= 11;
    cli_say("--seed %llu makes the same draws again", (unsigned long long)*out_seed);
    return GODWIT_OK;
}

godwit_status cli_sampling(const cli_options *options, godwit_sample_params *out_sampling,
                           godwit_error *error) {
    *out_sampling = GODWIT_INIT(godwit_sample_params);
    out_sampling->temp = options->temp;
    out_sampling->top_k = options->top_k;
    out_sampling->top_p = options->top_p;
    out_sampling->min_p = options->min_p;
    return choose_seed(options, &out_sampling->seed, error);
}
