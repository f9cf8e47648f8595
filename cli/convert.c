// convert.c: `godwit convert`: a Hugging Face folder as a GGUF file.
#include <stdio.h>

#include "cancel.h"
#include "cli.h"
#include "conversion.h"

int cli_convert(const cli_options *options) {
    static cli_conversion c; // its rules are too many for a stack
    cli_engine engine = {0};
    godwit_error error = {0};
    int code = CLI_USAGE;
    const char *in = options->operands[0], *out = options->operands[1];
    if (cli_conversion_init(&c, options, "convert", options->type ? options->type : "F16")) {
        cli_cancel_watch();
        godwit_status status = cli_open_context(options, &engine.context, &error);
        if (status == GODWIT_OK) {
            status = godwit_convert(engine.context, in, &c.params, out, &c.result, &error);
        }
        code = status == GODWIT_OK ? cli_conversion_report(&c, in, out) : cli_fail(status, &error);
    }
    cli_conversion_free(&c);
    return cli_close_engine(&engine, code);
}
