// run_report.c: the statistics of `godwit run` for people (--stats) and for programs (--json).
#include <stdio.h>

#include "clock.h"
#include "run.h"

enum { ROWS_MAX = 32 };

static double ms(uint64_t ns) {
    return (double)ns / 1e6;
}

static const char *numerics_name(const cli_options *options, const cli_run_result *result) {
    if (result->stats.fast) return "fast";
    return options->numerics == GODWIT_FAST ? "exact (fast was asked for; nothing faster is here)"
                                            : "exact";
}

static void print_memory(const godwit_device *device) {
    godwit_memory_row rows[ROWS_MAX];
    uint32_t n = godwit_device_memory(device, rows, ROWS_MAX);
    if (n > 0) (void)fprintf(stderr, "memory       ");
    for (uint32_t i = 0; i < n && i < ROWS_MAX; i++) {
        (void)fprintf(stderr, "%s%s %s", i ? ", " : "", rows[i].owner,
                      cli_bytes(rows[i].bytes).text);
    }
    (void)fprintf(stderr, "%speak RSS     %s\n", n > 0 ? "\n" : "",
                  cli_bytes(cli_peak_rss_bytes()).text);
}

static void print_verified(const godwit_device_info *device) {
    if (device->verified[0])
        (void)fprintf(stderr, "verified     %s%s%s\n", device->verified,
                      device->routed[0] ? "; routed around: " : "", device->routed);
    if (device->tuned) (void)fprintf(stderr, "kernels      %s\n", cli_kernels_are(device));
}

void cli_run_print_stats(const cli_options *options, const cli_engine *engine,
                         const cli_run_result *result) {
    godwit_device_info device = GODWIT_INIT(godwit_device_info);
    godwit_model_info model = GODWIT_INIT(godwit_model_info);
    if (godwit_device_get_info(engine->device, &device, NULL) != GODWIT_OK) return;
    if (godwit_model_get_info(engine->model, &model, NULL) != GODWIT_OK) return;
    const godwit_session_stats *s = &result->stats;
    double decode_s = cli_rate((double)s->n_decoded, s->decode_ns);
    (void)fprintf(stderr, "device       %s, %s (%s)\n", device.name, device.driver,
                  cli_device_type_name(device.type));
    if (engine->why[0]) (void)fprintf(stderr, "taken for    %s\n", engine->why);
    print_verified(&device);
    (void)fprintf(stderr, "numerics     %s\n", numerics_name(options, result));
    (void)fprintf(stderr, "model        %.1f M parameters, %s of weights, loaded in %.1f ms\n",
                  (double)model.n_params / 1e6, cli_bytes(model.weights_bytes).text,
                  ms(model.load_ns));
    if (model.host_weights_bytes)
        (void)fprintf(stderr, "experts      %s of the weights lie in host memory\n",
                      cli_bytes(model.host_weights_bytes).text);
    if (model.wide_weights_bytes)
        (void)fprintf(stderr, "wide         %s of the weights are unpacked to 4 bits a weight\n",
                      cli_bytes(model.wide_weights_bytes).text);
    (void)fprintf(stderr, "first token  %.0f ms after the process's start\n",
                  ms(result->first_token_ns));
    if (options->resume) (void)fprintf(stderr, "resumed      %u tokens\n", result->n_resumed);
    (void)fprintf(stderr, "prompt       %llu tokens in %.1f ms, %.1f tokens/s\n",
                  (unsigned long long)s->n_prompt, ms(s->prompt_ns),
                  cli_rate((double)s->n_prompt, s->prompt_ns));
    (void)fprintf(stderr,
                  "decode       %llu tokens in %.1f ms, %.1f tokens/s, %.2f GB/s of weights\n",
                  (unsigned long long)s->n_decoded, ms(s->decode_ns), decode_s,
                  decode_s * (double)s->decode_weight_bytes / 1e9);
    (void)fprintf(stderr, "step         %llu launches, %llu barriers, %s of weights\n",
                  (unsigned long long)s->n_launches, (unsigned long long)s->n_barriers,
                  cli_bytes(s->decode_weight_bytes).text);
    (void)fprintf(stderr, "device time  %.1f ms in %llu submits\n", ms(s->device_ns),
                  (unsigned long long)s->n_submits);
    if (options->n_draft || options->n_mtp)
        (void)fprintf(stderr, "drafts       %llu tokens were guessed, %llu of them chosen\n",
                      (unsigned long long)s->n_drafted, (unsigned long long)s->n_accepted);
    if (options->scrub) {
        (void)fprintf(stderr, "scrub        %s checked in %.1f ms, %llu times all weights\n",
                      cli_bytes(result->scrub_bytes).text, ms(result->scrub_ns),
                      (unsigned long long)result->scrub_passes);
    }
    if (options->guard) {
        (void)fprintf(stderr, "guard        %llu products made again, equal in every bit\n",
                      (unsigned long long)s->n_guarded);
    }
    print_memory(engine->device);
}

static json_t *json_of_params(const cli_options *options, const cli_run_result *result) {
    json_t *o = json_object();
    cli_json_set(o, "temp", cli_json_real((double)options->temp));
    cli_json_set(o, "top_k", json_integer(options->top_k));
    cli_json_set(o, "top_p", cli_json_real((double)options->top_p));
    cli_json_set(o, "min_p", cli_json_real((double)options->min_p));
    cli_json_set(o, "typical_p", cli_json_real((double)options->typical_p));
    cli_json_set(o, "top_n_sigma", cli_json_real((double)options->top_n_sigma));
    cli_json_set(o, "xtc_probability", cli_json_real((double)options->xtc_probability));
    cli_json_set(o, "xtc_threshold", cli_json_real((double)options->xtc_threshold));
    cli_json_set(o, "mirostat", json_integer(options->mirostat));
    cli_json_set(o, "seed", cli_json_u64(result->seed));
    cli_json_set(o, "repeat_penalty", cli_json_real((double)options->repeat_penalty));
    cli_json_set(o, "frequency_penalty", cli_json_real((double)options->frequency_penalty));
    cli_json_set(o, "presence_penalty", cli_json_real((double)options->presence_penalty));
    cli_json_set(o, "repeat_last_n",
                 json_integer(options->penalty_last_n ? options->penalty_last_n : 64));
    cli_json_set(o, "ctx", json_integer(result->n_ctx));
    cli_json_set(o, "batch", json_integer(options->n_batch));
    cli_json_set(o, "kv", cli_json_word(cli_name_of_kv(options->kv).text));
    cli_json_set(o, "numerics", cli_json_word(result->stats.fast ? "fast" : "exact"));
    cli_json_set(o, "mask", options->mask ? cli_json_word(options->mask) : json_null());
    return o;
}

static json_t *json_of_stats(const cli_engine *engine, const cli_run_result *result) {
    const godwit_session_stats *s = &result->stats;
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"n_resumed", result->n_resumed},
        {"n_prompt", s->n_prompt},
        {"n_decoded", s->n_decoded},
        {"prompt_ns", s->prompt_ns},
        {"decode_ns", s->decode_ns},
        {"device_ns", s->device_ns},
        {"first_token_ns", result->first_token_ns},
        {"n_submits", s->n_submits},
        {"n_launches", s->n_launches},
        {"n_barriers", s->n_barriers},
        {"decode_weight_bytes", s->decode_weight_bytes},
        {"activation_bytes", s->activation_bytes},
        {"kv_bytes", s->kv_bytes},
        {"peak_rss_bytes", cli_peak_rss_bytes()},
        {"n_guarded", s->n_guarded},
        {"n_drafted", s->n_drafted},
        {"n_accepted", s->n_accepted},
        {"scrub_bytes", result->scrub_bytes},
        {"scrub_ns", result->scrub_ns},
        {"scrub_passes", result->scrub_passes},
    };
    json_t *o = json_object(), *memory = json_object();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        cli_json_set(o, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    }
    cli_json_set(o, "prompt_tokens_per_s",
                 cli_json_real(cli_rate((double)s->n_prompt, s->prompt_ns)));
    cli_json_set(o, "decode_tokens_per_s",
                 cli_json_real(cli_rate((double)s->n_decoded, s->decode_ns)));
    godwit_memory_row rows[ROWS_MAX];
    uint32_t n = godwit_device_memory(engine->device, rows, ROWS_MAX);
    for (uint32_t i = 0; i < n && i < ROWS_MAX; i++) {
        cli_json_set(memory, rows[i].owner, json_integer((json_int_t)rows[i].bytes));
    }
    cli_json_set(o, "memory", memory);
    return o;
}

static json_t *json_of_model(const cli_engine *engine, const godwit_model_info *model) {
    json_t *o = json_object();
    cli_json_set(o, "path", cli_json_word(engine->path));
    cli_json_set(o, "name", cli_json_word(model->name));
    cli_json_set(o, "architecture", cli_json_word(model->architecture));
    cli_json_set(o, "n_params", json_integer((json_int_t)model->n_params));
    cli_json_set(o, "weights_bytes", json_integer((json_int_t)model->weights_bytes));
    cli_json_set(o, "host_weights_bytes", json_integer((json_int_t)model->host_weights_bytes));
    cli_json_set(o, "wide_weights_bytes", json_integer((json_int_t)model->wide_weights_bytes));
    cli_json_set(o, "n_ctx_train", json_integer(model->n_ctx_train));
    cli_json_set(o, "load_ns", json_integer((json_int_t)model->load_ns));
    return o;
}

int cli_run_print_json(const cli_options *options, const cli_engine *engine,
                       const cli_run_result *result) {
    godwit_device_info device = GODWIT_INIT(godwit_device_info);
    godwit_model_info model = GODWIT_INIT(godwit_model_info);
    godwit_error error = {0};
    godwit_status status = godwit_device_get_info(engine->device, &device, &error);
    if (status == GODWIT_OK) status = godwit_model_get_info(engine->model, &model, &error);
    if (status != GODWIT_OK) return cli_fail(status, &error);
    json_t *all = json_object(), *ids = json_array();
    cli_json_set(all, "text",
                 cli_json_text(result->text.data ? result->text.data : "", result->text.n_bytes));
    for (size_t i = 0; i < result->n_ids; i++) {
        (void)json_array_append_new(ids, json_integer(result->ids[i]));
    }
    cli_json_set(all, "ids", ids);
    if (options->n_logprobs != CLI_NOT_GIVEN)
        cli_json_set(all, "logprobs", json_incref(result->logprobs));
    cli_json_set(all, "stop", cli_json_word(result->stop));
    cli_json_set(all, "params", json_of_params(options, result));
    cli_json_set(all, "model", json_of_model(engine, &model));
    cli_json_set(all, "device", cli_json_device_short(&device));
    cli_json_set(all, "stats", json_of_stats(engine, result));
    cli_json_set(all, "version", cli_json_word(godwit_version()));
    return cli_print_json(all);
}
