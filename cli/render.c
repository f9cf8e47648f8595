// render.c: `godwit render`: the text that a model would see of a conversation.
//
// Messages are passed on as they were written, not through another JSON library: what a template
// prints of a number is what stands there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prompt.h"
#include "talk.h"

// A model's file begins with its mark; anything else is a template.
static bool is_model(const char *path) {
    char mark[4] = "";
    FILE *file = fopen(path, "rb");
    if (!file) return true; // opening it says why not
    size_t n = fread(mark, 1, sizeof(mark), file);
    (void)fclose(file);
    const char *dot = strrchr(path, '.');
    return (n == sizeof(mark) && memcmp(mark, "GGUF", 4) == 0) ||
           (dot && strcmp(dot, ".gguf") == 0);
}

static bool read_json(const char *path, cli_text *out_text) {
    if (!cli_read_file(path, out_text)) return false;
    if (!memchr(out_text->data, 0, out_text->n_bytes)) return true;
    cli_say("%s: a byte 0 is in no JSON", path ? path : "stdin");
    return false;
}

static godwit_status render(const cli_options *options, godwit_context *context,
                            const godwit_chat_params *params, cli_text *out_text,
                            godwit_error *error) {
    godwit_file *file = NULL;
    godwit_status status = GODWIT_OK;
    if (is_model(options->operand)) {
        status = godwit_file_open(context, options->operand, &file, error);
    }
    if (status == GODWIT_OK) {
        status = godwit_chat_render(context, file, params, cli_text_write, out_text, error);
    }
    godwit_file_close(&file);
    return status;
}

static int print(const cli_options *options, const cli_text *text) {
    if (options->json) {
        json_t *all = json_object();
        cli_json_set(all, "text", cli_json_text(text->data, text->n_bytes));
        return cli_print_json(all);
    }
    if (isatty(STDOUT_FILENO)) {
        cli_print_safe(stdout, text->data, text->n_bytes);
        if (text->n_bytes > 0 && text->data[text->n_bytes - 1] != '\n') (void)putchar('\n');
    } else {
        (void)fwrite(text->data, 1, text->n_bytes, stdout);
    }
    return cli_flush_stdout();
}

int cli_render(const cli_options *options) {
    cli_talk talk;
    cli_text messages = {0}, tools = {0}, text = {0};
    godwit_context *context = NULL;
    godwit_error error = {0};
    int code = CLI_FAILED;
    bool is_template = !is_model(options->operand);
    if (is_template && options->template_file) {
        cli_say("render: %s is a template, and --template another", options->operand);
        return CLI_USAGE;
    }
    bool read = cli_talk_begin(&talk, options) &&
                (!is_template || cli_read_file(options->operand, &talk.template)) &&
                read_json(options->messages, &messages) &&
                (!options->tools || read_json(options->tools, &tools));
    if (read) {
        godwit_chat_params params = cli_talk_params(&talk);
        params.messages = messages.data;
        params.tools = tools.data;
        cli_text_add(&text, "", 0);
        godwit_status status = cli_open_context(options, &context, &error);
        if (status == GODWIT_OK) status = render(options, context, &params, &text, &error);
        code = status == GODWIT_OK ? print(options, &text) : cli_fail(status, &error);
        godwit_context_destroy(&context);
    }
    cli_text_free(&messages);
    cli_text_free(&tools);
    cli_text_free(&text);
    cli_talk_end(&talk);
    return code;
}
