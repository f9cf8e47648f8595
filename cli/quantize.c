// quantize.c: `godwit quantize`: a model, a GGUF file or a Hugging Face folder, in another number
// format.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cancel.h"
#include "cli.h"
#include "conversion.h"

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static godwit_status run(cli_conversion *c, cli_engine *engine, const char *in, const char *out,
                         godwit_error *error) {
    if (is_folder(in)) {
        return godwit_convert(engine->context, in, &c->params, out, &c->result, error);
    }
    godwit_status status = godwit_file_open(engine->context, in, &engine->file, error);
    if (status != GODWIT_OK) return status;
    return godwit_quantize(engine->context, engine->file, &c->params, out, &c->result, error);
}

// One of the files of a folder says too little by itself.
static bool names_part(const char *path) {
    static const char suffix[] = ".safetensors";
    size_t n = strlen(path), n_suffix = sizeof(suffix) - 1;
    if (n < n_suffix || strcmp(path + n - n_suffix, suffix) != 0) return false;
    cli_say("quantize: %s: name the folder that it is in, with config.json and tokenizer.json",
            path);
    return true;
}

int cli_quantize(const cli_options *options) {
    static cli_conversion c; // its rules are too many for a stack
    cli_engine engine = {0};
    godwit_error error = {0};
    int code = CLI_USAGE;
    const char *in = options->operands[0], *out = options->operands[1];
    if (names_part(in)) return CLI_USAGE;
    if (cli_conversion_init(&c, options, "quantize", options->operands[2])) {
        cli_cancel_watch();
        godwit_status status = cli_open_context(options, &engine.context, &error);
        if (status == GODWIT_OK) status = run(&c, &engine, in, out, &error);
        code = status == GODWIT_OK ? cli_conversion_report(&c, in, out) : cli_fail(status, &error);
    }
    cli_conversion_free(&c);
    return cli_close_engine(&engine, code);
}
