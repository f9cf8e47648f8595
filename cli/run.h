// run.h: what `godwit run` did, for its two reports (run_report.c).
#ifndef GODWIT_CLI_RUN_H
#define GODWIT_CLI_RUN_H

#include "cli.h"
#include "print.h"

typedef struct cli_run_result {
    const char *stop; // why it ended: "end", "tokens", "context", "cancelled", "closed"
    int32_t *ids;     // [n_ids], generated
    size_t n_ids;
    uint32_t n_resumed; // tokens of the saved session that was gone on from
    size_t n_prompt;    // tokens, BOS included
    cli_text text;      // generated
    json_t *logprobs;   // of --logprobs, an object a generated token
    uint32_t n_ctx;
    uint64_t seed;
    uint64_t first_token_ns; // from the process's start; 0: none came
    godwit_session_stats stats;
    uint64_t scrub_bytes, scrub_ns; // --scrub: checked
    uint64_t scrub_passes;          // rounds over all weights
} cli_run_result;

// --stats: lines on stderr.
void cli_run_print_stats(const cli_options *options, const cli_engine *engine,
                         const cli_run_result *result);
// --json: all of it on stdout; returns an exit code.
int cli_run_print_json(const cli_options *options, const cli_engine *engine,
                       const cli_run_result *result);

#endif
