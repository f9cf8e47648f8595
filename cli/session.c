// session.c: `godwit session inspect`: what a saved session holds. Needs no model and no device.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "print.h"
#include "saved.h"

static const char *numerics_name(const godwit_session_info *info) {
    return info->numerics == GODWIT_FAST ? "fast" : "exact";
}

static cli_kv_name kv_name(const godwit_session_info *info) {
    const uint32_t kv[2] = {(uint32_t)info->kv_k, (uint32_t)info->kv_v};
    return cli_name_of_kv(kv);
}

static void print_states(const godwit_session_info *info) {
    if (info->tokens_only) {
        printf("states       none: the tokens are computed again\n");
        return;
    }
    for (uint32_t i = 0; i < info->n_states; i++) {
        const godwit_saved_state *s = &info->states[i];
        printf("%-12s %-6s %-4s", i ? "" : "states", s->name, s->dtype_name);
        if (s->n_layers) {
            printf("  %u layers of %llu rows", s->n_layers,
                   (unsigned long long)(s->n_rows / s->n_layers));
        }
        printf("  %s, stored in %s\n", cli_bytes(s->n_bytes).text, cli_bytes(s->stored_bytes).text);
    }
}

static void print_text(const char *path, const godwit_session_info *info) {
    const godwit_sample_params *p = &info->sampling;
    printf("file         ");
    cli_print_safe(stdout, path, strlen(path));
    printf(": %s in %llu chunks, format %u\nmodel        ", cli_bytes(info->n_bytes).text,
           (unsigned long long)info->n_chunks, info->version);
    cli_print_safe(stdout, info->model, strlen(info->model));
    printf("%s(", info->model[0] ? " " : "");
    cli_print_safe(stdout, info->architecture, strlen(info->architecture));
    printf("), %u layers, fingerprint %s\n", info->n_layer, info->fingerprint);
    if (info->n_loras) printf("adapters     %u (LoRA)\n", info->n_loras);
    printf("numerics     %s, contract %u\n", numerics_name(info), info->contract);
    printf("tokens       %u, in a context of %u\n", info->n_tokens, info->n_ctx);
    if (info->n_encoded)
        printf("             the first %u are an encoder's text\n", info->n_encoded);
    printf("KV cache     %s\n", kv_name(info).text);
    printf(
        "sampling     temp %g, top-k %u, top-p %g, min-p %g, seed %llu; next draw at position %u\n",
        (double)p->temp, p->top_k, (double)p->top_p, (double)p->min_p, (unsigned long long)p->seed,
        info->n_tokens);
    if (p->top_n_sigma != 0.0f || p->typical_p != 0.0f || p->xtc_probability != 0.0f || p->mirostat)
        printf("             top-n-sigma %g, typical-p %g, xtc-probability %g, xtc-threshold %g, "
               "mirostat %u\n",
               (double)p->top_n_sigma, (double)p->typical_p, (double)p->xtc_probability,
               (double)p->xtc_threshold, p->mirostat);
    print_states(info);
}

static json_t *json_of_sampling(const godwit_session_info *info) {
    const godwit_sample_params *p = &info->sampling;
    json_t *o = json_object();
    cli_json_set(o, "temp", cli_json_real((double)p->temp));
    cli_json_set(o, "top_k", json_integer(p->top_k));
    cli_json_set(o, "top_p", cli_json_real((double)p->top_p));
    cli_json_set(o, "min_p", cli_json_real((double)p->min_p));
    cli_json_set(o, "top_n_sigma", cli_json_real((double)p->top_n_sigma));
    cli_json_set(o, "typical_p", cli_json_real((double)p->typical_p));
    cli_json_set(o, "xtc_probability", cli_json_real((double)p->xtc_probability));
    cli_json_set(o, "xtc_threshold", cli_json_real((double)p->xtc_threshold));
    cli_json_set(o, "mirostat", json_integer(p->mirostat));
    cli_json_set(o, "seed", cli_json_u64(p->seed));
    cli_json_set(o, "position", json_integer(info->n_tokens));
    return o;
}

static json_t *json_of_states(const godwit_session_info *info) {
    json_t *all = json_array();
    for (uint32_t i = 0; i < info->n_states; i++) {
        const godwit_saved_state *s = &info->states[i];
        json_t *o = json_object();
        cli_json_set(o, "name", cli_json_word(s->name));
        cli_json_set(o, "type", cli_json_word(s->dtype_name));
        cli_json_set(o, "n_layers", json_integer(s->n_layers));
        cli_json_set(o, "n_rows", json_integer((json_int_t)s->n_rows));
        cli_json_set(o, "bytes", json_integer((json_int_t)s->n_bytes));
        cli_json_set(o, "stored_bytes", json_integer((json_int_t)s->stored_bytes));
        (void)json_array_append_new(all, o);
    }
    return all;
}

static int print_json(const char *path, const godwit_session_info *info, const int32_t *tokens) {
    json_t *all = json_object(), *model = json_object(), *ids = json_array();
    cli_json_set(model, "name", cli_json_word(info->model));
    cli_json_set(model, "architecture", cli_json_word(info->architecture));
    cli_json_set(model, "fingerprint", cli_json_word(info->fingerprint));
    cli_json_set(model, "n_layer", json_integer(info->n_layer));
    cli_json_set(model, "n_vocab", json_integer(info->n_vocab));
    for (uint32_t i = 0; i < info->n_tokens; i++) {
        (void)json_array_append_new(ids, json_integer(tokens[i]));
    }
    cli_json_set(all, "file", cli_json_word(path));
    cli_json_set(all, "format", json_integer(info->version));
    cli_json_set(all, "model", model);
    cli_json_set(all, "n_loras", json_integer(info->n_loras));
    cli_json_set(all, "contract", json_integer(info->contract));
    cli_json_set(all, "numerics", cli_json_word(numerics_name(info)));
    cli_json_set(all, "ctx", json_integer(info->n_ctx));
    cli_json_set(all, "kv", cli_json_word(kv_name(info).text));
    cli_json_set(all, "tokens", ids);
    cli_json_set(all, "n_encoded", json_integer(info->n_encoded));
    cli_json_set(all, "tokens_only", json_boolean(info->tokens_only));
    cli_json_set(all, "has_logits", json_boolean(info->has_logits));
    cli_json_set(all, "sampling", json_of_sampling(info));
    cli_json_set(all, "states", json_of_states(info));
    cli_json_set(all, "bytes", json_integer((json_int_t)info->n_bytes));
    cli_json_set(all, "n_chunks", json_integer((json_int_t)info->n_chunks));
    return cli_print_json(all);
}

int cli_session(const cli_options *options) {
    const char *path = options->operands[1];
    godwit_context *context = NULL;
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_error error = {0};
    int32_t *tokens = NULL;
    int code = CLI_OK;
    if (strcmp(options->operand, "inspect") != 0) {
        cli_say("session: %s: it can be inspected: `godwit session inspect FILE`",
                options->operand);
        return CLI_USAGE;
    }
    godwit_status status = cli_open_context(options, &context, &error);
    if (status == GODWIT_OK) status = cli_saved_inspect(path, context, &info, &tokens, &error);
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (options->json) {
        code = print_json(path, &info, tokens);
    } else {
        print_text(path, &info);
        code = cli_flush_stdout();
    }
    free(tokens);
    godwit_context_destroy(&context);
    return code;
}
