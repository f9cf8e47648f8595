// batch_report.c: what `godwit batch` did: for people on stderr, or as JSON on stdout.
#include <stdio.h>

#include "batch.h"
#include "clock.h"

void batch_print_summary(const batch_result *r, bool goes_on) {
    const size_t n_open = r->n_lines - r->n_done - r->n_failed - r->n_done_before;
    (void)fprintf(stderr, "prompts      %zu: %zu done", r->n_lines, r->n_done);
    if (r->n_failed) (void)fprintf(stderr, ", %zu failed", r->n_failed);
    if (r->n_done_before) (void)fprintf(stderr, ", %zu there already", r->n_done_before);
    if (r->n_failed_before) (void)fprintf(stderr, " (%zu of them failed)", r->n_failed_before);
    if (n_open) (void)fprintf(stderr, ", %zu not done", n_open);
    if (n_open && goes_on) (void)fprintf(stderr, ": the same command goes on with them");
    (void)fputc('\n', stderr);
    if (r->n_streams) {
        (void)fprintf(stderr, "tokens       %llu in, %llu of them shared; %llu out\n",
                      (unsigned long long)r->n_prompt, (unsigned long long)r->n_shared,
                      (unsigned long long)r->n_decoded);
        (void)fprintf(stderr, "speed        %.1f tokens/s out, %.1f s; %u streams, KV cache %s\n",
                      cli_rate((double)r->n_decoded, r->ns), (double)r->ns / 1e9, r->n_streams,
                      cli_bytes(r->kv_bytes).text);
    }
}

int batch_say_failed(const batch_result *r) {
    cli_say("batch: %zu of %zu prompts failed: see \"error\" in the output",
            r->n_failed + r->n_failed_before, r->n_lines);
    return CLI_FAILED;
}

int batch_print_json(const cli_options *options, const cli_engine *engine, const batch_result *r) {
    json_t *all = json_object(), *prompts = json_object(), *tokens = json_object();
    cli_json_set(prompts, "all", json_integer((json_int_t)r->n_lines));
    cli_json_set(prompts, "done", json_integer((json_int_t)r->n_done));
    cli_json_set(prompts, "failed", json_integer((json_int_t)r->n_failed));
    cli_json_set(prompts, "done_before", json_integer((json_int_t)r->n_done_before));
    cli_json_set(prompts, "failed_before", json_integer((json_int_t)r->n_failed_before));
    cli_json_set(tokens, "prompt", json_integer((json_int_t)r->n_prompt));
    cli_json_set(tokens, "shared", json_integer((json_int_t)r->n_shared));
    cli_json_set(tokens, "completion", json_integer((json_int_t)r->n_decoded));
    cli_json_set(all, "model", cli_json_word(engine->path));
    cli_json_set(all, "in", cli_json_word(options->in));
    cli_json_set(all, "out", cli_json_word(options->out));
    cli_json_set(all, "prompts", prompts);
    cli_json_set(all, "tokens", tokens);
    cli_json_set(all, "tokens_per_s", cli_json_real(cli_rate((double)r->n_decoded, r->ns)));
    cli_json_set(all, "seconds", cli_json_real((double)r->ns / 1e9));
    cli_json_set(all, "streams", json_integer(r->n_streams));
    cli_json_set(all, "kv_bytes", json_integer((json_int_t)r->kv_bytes));
    cli_json_set(all, "cancelled", json_boolean(r->cancelled));
    return cli_print_json(all);
}
