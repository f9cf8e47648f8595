// batch.h: what the files of `godwit batch` share: its requests, its output, and what it did.
//
// A request is a line of the input; a line of the output is a result or an error of one request.
#ifndef GODWIT_CLI_BATCH_H
#define GODWIT_CLI_BATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "print.h"

// --- lines (batch_lines.c) -----------------------------------------------------------------------

enum {
    BATCH_LINE_BYTES_MAX = 64 << 20,
    BATCH_LINES_MAX = 1 << 24,
    BATCH_ID_BYTES_MAX = 1024,
    BATCH_STOPS_MAX = 16,
};

typedef struct batch_reader {
    int fd;
    char *chunk;
    size_t n_chunk, at;
    cli_text line;    // without its line end
    uint64_t number;  // of the line, from 1
    uint64_t n_bytes; // up to the line's end, of complete lines
    bool too_long;    // the line has more than BATCH_LINE_BYTES_MAX bytes, and is empty
    bool is_cut;      // it has no line end
    int failed;       // errno
} batch_reader;

// The next line; false at the end, and where it cannot be read (failed).
bool batch_read_line(batch_reader *reader);
void batch_reader_free(batch_reader *reader);

// --- requests (batch_in.c) -----------------------------------------------------------------------

typedef struct batch_request {
    char *id;
    uint64_t line;  // in the input
    json_t *prompt; // a string
    json_t *stops;  // an array of strings; NULL: none
    uint32_t max_tokens;
    godwit_sample_params sampling;
    godwit_logit_bias *bias; // that sampling has, of its own; NULL: none
    const char *code;        // of an error, NULL: none
    char *message;           // of that error
    int32_t *ids;            // [n_prompt], of the prompt
    uint32_t n_prompt;
} batch_request;

typedef struct batch_requests {
    batch_request *items;
    size_t n, cap;
    size_t n_lines;       // of the input, done ones included
    size_t n_done_before; // that the output has already
    size_t n_failed_before;
} batch_requests;

struct batch_output;

// Reads options->in; what output has is left out. defaults: of what a line does not say. Says what
// failed.
bool batch_read_requests(const cli_options *options, const godwit_sample_params *defaults,
                         const struct batch_output *output, batch_requests *out_requests);
void batch_request_fail(batch_request *request, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void batch_request_free(batch_request *request);
void batch_requests_free(batch_requests *requests);

// --- the output (batch_out.c) --------------------------------------------------------------------

typedef struct batch_output {
    const char *name;
    int fd; // -1: not open
    bool is_regular, is_closed;
    uint64_t n_bytes; // of whole lines, of a regular file
    // What was there when it was opened: ids with whether they failed, and lines of the input whose
    // id an earlier one has.
    json_t *done, *doubles;
} batch_output;

// Opens options->out and reads what it has; takes a cut last line off. Says what failed.
bool batch_output_open(batch_output *output, const char *name);
// One line of one write; takes value's reference. Says what failed.
bool batch_output_write(batch_output *output, json_t *value);
// Says what failed; true where it is not open.
bool batch_output_close(batch_output *output);

json_t *batch_json_of_error(const batch_request *request);
#define BATCH_DUPLICATE "duplicate_custom_id"

// --- the report (batch_report.c) -----------------------------------------------------------------

typedef struct batch_result {
    size_t n_lines, n_done, n_failed; // of this call
    size_t n_done_before, n_failed_before;
    uint64_t n_prompt, n_shared, n_decoded; // tokens
    uint64_t ns;                            // of the work, without loading
    uint32_t n_streams;
    uint64_t kv_bytes;
    bool cancelled;
} batch_result;

// Lines on stderr; goes_on: the output has what is done, for the next call.
void batch_print_summary(const batch_result *result, bool goes_on);
// That some failed; returns the exit code for it.
int batch_say_failed(const batch_result *result);
// Returns an exit code.
int batch_print_json(const cli_options *options, const cli_engine *engine,
                     const batch_result *result);

#endif
