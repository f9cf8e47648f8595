// print.h: how the command prints: growable text, safe text, amounts, JSON.
//
// Names in a model file and tokens of a model are strangers' bytes: on their way to a terminal or
// into JSON, what is not a printable UTF-8 character is replaced.
#ifndef GODWIT_CLI_PRINT_H
#define GODWIT_CLI_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "godwit/godwit.h"

typedef struct cli_text {
    char *data; // terminated where not NULL
    size_t n_bytes, cap_bytes;
} cli_text;

void cli_text_add(cli_text *text, const char *data, size_t n_bytes);
void cli_text_free(cli_text *text);
// A godwit_write_fn that appends to a cli_text.
bool cli_text_write(void *user, const char *data, size_t n_bytes);

// Writes text with control characters (but tab and line end) and bad UTF-8 as \xNN.
void cli_print_safe(FILE *to, const char *text, size_t n_bytes);
// "12.3 MiB"
typedef struct cli_amount {
    char text[32];
} cli_amount;
cli_amount cli_bytes(uint64_t n_bytes);

// A JSON string; bad UTF-8 becomes U+FFFD.
json_t *cli_json_text(const char *text, size_t n_bytes);
json_t *cli_json_word(const char *word); // the same of a terminated one
// A number where it is one, else null (jansson refuses inf and nan).
json_t *cli_json_real(double value);
// All 64 bits: a word where a JSON integer of a signed reader may not hold them.
json_t *cli_json_u64(uint64_t value);
// Sets key of object to value, whose reference it takes.
void cli_json_set(json_t *object, const char *key, json_t *value);
// Prints value to stdout, takes its reference, returns an exit code.
int cli_print_json(json_t *value);
// Where nothing was printed so: {"error": what was said last}, for a failed command with --json.
void cli_print_json_error(void);
// Everything of a device / what names it in a report.
json_t *cli_json_device(const godwit_device_info *info);
// How a device's kernels are chosen, in words.
const char *cli_kernels_are(const godwit_device_info *info);
// Of a device with matrix_kernels_left_out.
#define CLI_NO_MATRIX_KERNELS                                                                      \
    "NO KERNELS for its cooperative matrices (tensor cores): this build was made without "         \
    "glslang 14; tools/shader_tools fetch, then configure and build again"
// Why devices[default] is taken where none is named: first is the first of all devices.
typedef struct cli_why {
    char text[256];
} cli_why;
cli_why cli_why_default(const godwit_device_info *taken, const godwit_device_info *first);
json_t *cli_json_device_short(const godwit_device_info *info);
const char *cli_device_type_name(godwit_device_type type);

#endif
