// sampling.c: see sampling.h.
#include "sampling.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "print.h"

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

// "ID+V", "ID-V", "ID-inf".
static bool read_bias(const char *text, godwit_logit_bias *out) {
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    const long id = strtol(text, &end, 10);
    if (errno || id > INT32_MAX || (*end != '+' && *end != '-')) return false;
    *out = (godwit_logit_bias){(int32_t)id, -INFINITY};
    if (strcmp(end, "-inf") == 0) return true;
    if (!strchr("0123456789.", end[1]) || strpbrk(end, "xX")) return false;
    const char *number = end;
    out->bias = strtof(number, &end);
    return end != number && *end == 0 && fabsf(out->bias) <= GODWIT_BIAS_MAX;
}

static godwit_status take_bias(const cli_options *options, godwit_sample_params *sampling,
                               godwit_error *error) {
    static godwit_logit_bias all[CLI_MAX_WORDS]; // as long as the process
    for (size_t i = 0; i < options->logit_bias.n; i++) {
        if (read_bias(options->logit_bias.items[i], &all[i])) continue;
        (void)snprintf(error->message, sizeof(error->message),
                       "--logit-bias %.64s: not ID+V or ID-V, a token's id and a number up to %g, "
                       "or ID-inf",
                       options->logit_bias.items[i], (double)GODWIT_BIAS_MAX);
        return GODWIT_INVALID_ARGUMENT;
    }
    sampling->logit_bias = all;
    sampling->n_logit_bias = (uint32_t)options->logit_bias.n;
    return GODWIT_OK;
}

void cli_sampling_take_over(cli_options *o, const godwit_sample_params *saved,
                            godwit_sample_params *sampling) {
    if (!cli_is_given(o, "temp")) sampling->temp = o->temp = saved->temp;
    if (!cli_is_given(o, "top-k")) sampling->top_k = o->top_k = saved->top_k;
    if (!cli_is_given(o, "top-p")) sampling->top_p = o->top_p = saved->top_p;
    if (!cli_is_given(o, "min-p")) sampling->min_p = o->min_p = saved->min_p;
    if (!cli_is_given(o, "seed")) sampling->seed = saved->seed;
    if (!cli_is_given(o, "typical-p")) sampling->typical_p = o->typical_p = saved->typical_p;
    if (!cli_is_given(o, "top-n-sigma"))
        sampling->top_n_sigma = o->top_n_sigma = saved->top_n_sigma;
    if (!cli_is_given(o, "xtc-probability"))
        sampling->xtc_probability = o->xtc_probability = saved->xtc_probability;
    if (!cli_is_given(o, "xtc-threshold"))
        sampling->xtc_threshold = o->xtc_threshold = saved->xtc_threshold;
    if (!cli_is_given(o, "mirostat")) sampling->mirostat = o->mirostat = saved->mirostat;
    if (!cli_is_given(o, "mirostat-ent"))
        sampling->mirostat_tau = o->mirostat_tau = saved->mirostat_tau;
    if (!cli_is_given(o, "mirostat-lr"))
        sampling->mirostat_eta = o->mirostat_eta = saved->mirostat_eta;
    if (!cli_is_given(o, "repeat-penalty"))
        sampling->repeat_penalty = o->repeat_penalty = saved->repeat_penalty;
    if (!cli_is_given(o, "frequency-penalty"))
        sampling->frequency_penalty = o->frequency_penalty = saved->frequency_penalty;
    if (!cli_is_given(o, "presence-penalty"))
        sampling->presence_penalty = o->presence_penalty = saved->presence_penalty;
    if (!cli_is_given(o, "repeat-last-n"))
        sampling->penalty_last_n = o->penalty_last_n = saved->penalty_last_n;
    if (!cli_is_given(o, "dry-multiplier"))
        sampling->dry_multiplier = o->dry_multiplier = saved->dry_multiplier;
    if (!cli_is_given(o, "dry-base")) sampling->dry_base = o->dry_base = saved->dry_base;
    if (!cli_is_given(o, "dry-allowed-length"))
        sampling->dry_allowed_length = o->dry_allowed_length = saved->dry_allowed_length;
    if (!cli_is_given(o, "dry-penalty-last-n"))
        sampling->dry_last_n = o->dry_last_n = saved->dry_last_n;
    if (!cli_is_given(o, "dry-sequence-breaker") && saved->dry_multiplier != 0.0f) {
        sampling->dry_breakers = saved->dry_breakers;
        sampling->n_dry_breakers = saved->n_dry_breakers;
        sampling->dry_sequences = saved->dry_sequences;
        sampling->n_dry_sequences = saved->n_dry_sequences;
    }
    if (!cli_is_given(o, "logit-bias")) {
        sampling->logit_bias = saved->logit_bias;
        sampling->n_logit_bias = saved->n_logit_bias;
    }
}

godwit_status cli_sampling(const cli_options *options, godwit_sample_params *out_sampling,
                           godwit_error *error) {
    *out_sampling = GODWIT_INIT(godwit_sample_params);
    out_sampling->temp = options->temp;
    out_sampling->top_k = options->top_k;
    out_sampling->top_p = options->top_p;
    out_sampling->min_p = options->min_p;
    out_sampling->typical_p = options->typical_p;
    out_sampling->top_n_sigma = options->top_n_sigma;
    out_sampling->xtc_probability = options->xtc_probability;
    out_sampling->xtc_threshold = options->xtc_threshold;
    out_sampling->mirostat = options->mirostat;
    out_sampling->mirostat_tau = options->mirostat_tau;
    out_sampling->mirostat_eta = options->mirostat_eta;
    out_sampling->repeat_penalty = options->repeat_penalty;
    out_sampling->frequency_penalty = options->frequency_penalty;
    out_sampling->presence_penalty = options->presence_penalty;
    out_sampling->penalty_last_n = options->penalty_last_n;
    out_sampling->dry_multiplier = options->dry_multiplier;
    out_sampling->dry_base = options->dry_base;
    out_sampling->dry_allowed_length = options->dry_allowed_length;
    out_sampling->dry_last_n = options->dry_last_n;
    if (options->n_logprobs != CLI_NOT_GIVEN) out_sampling->n_logprobs = options->n_logprobs + 1;
    godwit_status status = take_bias(options, out_sampling, error);
    return status == GODWIT_OK ? choose_seed(options, &out_sampling->seed, error) : status;
}

static json_t *json_of_logprob(const godwit_logprob *p, const godwit_tokenizer *tokenizer) {
    char text[1024];
    size_t n_bytes = 0;
    godwit_decoder decoder = {0};
    json_t *o = json_object();
    // One that is longer has no text here.
    if (godwit_tokenizer_decode(tokenizer, &decoder, p->id, text, sizeof(text), &n_bytes, NULL) !=
        GODWIT_OK)
        n_bytes = 0;
    cli_json_set(o, "id", json_integer(p->id));
    cli_json_set(o, "text", cli_json_text(text, n_bytes));
    // JSON has no infinity.
    cli_json_set(o, "logprob",
                 isfinite(p->logprob) ? cli_json_real((double)p->logprob) : json_null());
    return o;
}

json_t *cli_json_logprobs(const godwit_session *session, const godwit_tokenizer *tokenizer) {
    godwit_logprob rows[GODWIT_LOGPROBS_MAX];
    const size_t n = godwit_session_logprobs(session, rows, GODWIT_LOGPROBS_MAX);
    json_t *o = n ? json_of_logprob(&rows[0], tokenizer) : json_object(), *top = json_array();
    for (size_t i = 1; i < n; i++)
        (void)json_array_append_new(top, json_of_logprob(&rows[i], tokenizer));
    cli_json_set(o, "top", top);
    return o;
}
