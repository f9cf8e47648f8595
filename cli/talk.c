// talk.c: see talk.h.
#include "talk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prompt.h"

bool cli_talk_begin(cli_talk *talk, const cli_options *options) {
    *talk = (cli_talk){.options = options, .messages = json_array()};
    if (options->vars) {
        json_error_t why;
        json_t *vars = json_loads(options->vars, 0, &why);
        bool object = json_is_object(vars);
        json_decref(vars);
        if (!object) {
            cli_say("--vars: no JSON object%s%s", vars ? "" : ": ", vars ? "" : why.text);
            return false;
        }
    }
    if (options->template_file && !cli_read_file(options->template_file, &talk->template)) {
        return false;
    }
    if (options->system) cli_talk_add(talk, "system", options->system, strlen(options->system));
    return true;
}

void cli_talk_end(cli_talk *talk) {
    json_decref(talk->messages);
    cli_text_free(&talk->template);
}

void cli_talk_add(cli_talk *talk, const char *role, const char *text, size_t n_bytes) {
    json_t *message = json_object();
    cli_json_set(message, "role", cli_json_word(role));
    cli_json_set(message, "content", cli_json_text(text, n_bytes));
    (void)json_array_append_new(talk->messages, message);
}

void cli_talk_drop(cli_talk *talk) {
    size_t n = json_array_size(talk->messages);
    if (n > 0) (void)json_array_remove(talk->messages, n - 1);
}

// Seconds since 1970 of the clock on the wall here.
static int64_t local_now(void) {
    time_t now = time(NULL);
    struct tm here;
    return localtime_r(&now, &here) ? (int64_t)now + here.tm_gmtoff : (int64_t)now;
}

godwit_chat_params cli_talk_params(const cli_talk *talk) {
    godwit_chat_params params = GODWIT_INIT(godwit_chat_params);
    params.variables = talk->options->vars;
    params.chat_template = talk->template.data;
    params.no_generation_prompt = talk->options->no_generation_prompt;
    params.now_s = local_now();
    return params;
}

godwit_status cli_talk_render(const cli_talk *talk, const cli_engine *engine, cli_text *out_text,
                              godwit_error *error) {
    godwit_chat_params params = cli_talk_params(talk);
    char *messages = json_dumps(talk->messages, JSON_COMPACT);
    params.messages = messages ? messages : "";
    out_text->n_bytes = 0;
    cli_text_add(out_text, "", 0);
    godwit_status status =
        godwit_chat_render(engine->context, engine->file, &params, cli_text_write, out_text, error);
    free(messages);
    return status;
}

godwit_encode_params cli_talk_encoding(void) {
    godwit_encode_params encoding = GODWIT_INIT(godwit_encode_params);
    encoding.parse_special = true;
    encoding.no_special = true;
    return encoding;
}
