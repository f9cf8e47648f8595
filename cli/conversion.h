// conversion.h: what `godwit quantize` and `godwit convert` share: number formats by name, the
// progress of a long write, and the report of what became of each tensor.
#ifndef GODWIT_CLI_CONVERSION_H
#define GODWIT_CLI_CONVERSION_H

#include <jansson.h>

#include "cli.h"

// Matrices that got another format than was asked for, for one reason.
typedef struct cli_fallback {
    char to[16], why[160];
    uint64_t n;
} cli_fallback;

enum { CLI_MAX_FALLBACKS = 8 };

typedef struct cli_conversion {
    const cli_options *options;
    godwit_quantize_params params;
    godwit_quantize_result result;
    godwit_tensor_rule rules[CLI_MAX_WORDS];
    char *patterns[CLI_MAX_WORDS];
    json_t *tensors; // with --json
    cli_fallback fallbacks[CLI_MAX_FALLBACKS];
    size_t n_fallbacks;
    uint64_t n_more_fallbacks; // for reasons that there was no room for
    uint64_t start_ns, shown_ns;
    double squared_error, squares, n_elements; // of the matrices
    uint32_t shown_percent;
} cli_conversion;

// Fills params from the options; false, with what is wrong said, on a usage error. The conversion
// must stay where it is, and be freed either way.
bool cli_conversion_init(cli_conversion *c, const cli_options *options, const char *command,
                         const char *type);
void cli_conversion_free(cli_conversion *c);
// Prints totals (or everything as JSON) and returns an exit code.
int cli_conversion_report(cli_conversion *c, const char *in, const char *out);

#endif
