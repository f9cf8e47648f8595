// batch_in.c: the input of `godwit batch`: a JSON object a line, its fields and their ranges.
//
// A line that is wrong becomes a request with an error; no line stops the others. What a line says
// is taken as it is or not at all: an unknown field would be a setting that is silently ignored.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"

#define MAX_U31 2147483647.0

enum { TOKENS_DEFAULT = 256, MESSAGE_BYTES = 512, QUOTED_BYTES = 64 };

void batch_request_fail(batch_request *request, const char *code, const char *format, ...) {
    char text[MESSAGE_BYTES];
    va_list args;
    if (request->code) return; // the first error counts
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    size_t bytes = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    request->code = code;
    request->message = cli_realloc(NULL, bytes + 1);
    memcpy(request->message, text, bytes);
    request->message[bytes] = 0;
}

void batch_request_free(batch_request *request) {
    free(request->id);
    free(request->message);
    free(request->ids);
    free(request->bias);
    json_decref(request->prompt);
    json_decref(request->stops);
    *request = (batch_request){0};
}

void batch_requests_free(batch_requests *requests) {
    for (size_t i = 0; i < requests->n; i++) batch_request_free(&requests->items[i]);
    free(requests->items);
    *requests = (batch_requests){0};
}

// --- fields --------------------------------------------------------------------------------------

typedef enum field_kind { ID, PROMPT, WHOLE, REAL, SEED, STOPS, BIAS } field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t offset;   // in batch_request
    double min, max; // of WHOLE and REAL
} field;

#define AT(f) offsetof(batch_request, f)
static const field fields[] = {
    {"custom_id", ID, 0, 0, 0},
    {"prompt", PROMPT, 0, 0, 0},
    {"max_tokens", WHOLE, AT(max_tokens), 0, MAX_U31},
    {"temperature", REAL, AT(sampling.temp), 0, (double)GODWIT_TEMP_MAX},
    {"top_p", REAL, AT(sampling.top_p), 0, 1},
    {"min_p", REAL, AT(sampling.min_p), 0, 1},
    {"top_k", WHOLE, AT(sampling.top_k), 0, MAX_U31},
    {"typical_p", REAL, AT(sampling.typical_p), 0, 1},
    {"top_n_sigma", REAL, AT(sampling.top_n_sigma), 0, (double)GODWIT_PENALTY_MAX},
    {"xtc_probability", REAL, AT(sampling.xtc_probability), 0, 1},
    {"xtc_threshold", REAL, AT(sampling.xtc_threshold), 0, 1},
    {"mirostat", WHOLE, AT(sampling.mirostat), 0, 2},
    {"mirostat_tau", REAL, AT(sampling.mirostat_tau), 0, (double)GODWIT_PENALTY_MAX},
    {"mirostat_eta", REAL, AT(sampling.mirostat_eta), 0, 1},
    {"repeat_penalty", REAL, AT(sampling.repeat_penalty), 0, (double)GODWIT_PENALTY_MAX},
    {"frequency_penalty", REAL, AT(sampling.frequency_penalty), -(double)GODWIT_PENALTY_MAX,
     (double)GODWIT_PENALTY_MAX},
    {"presence_penalty", REAL, AT(sampling.presence_penalty), -(double)GODWIT_PENALTY_MAX,
     (double)GODWIT_PENALTY_MAX},
    {"repeat_last_n", WHOLE, AT(sampling.penalty_last_n), 1, MAX_U31},
    {"dry_multiplier", REAL, AT(sampling.dry_multiplier), 0, (double)GODWIT_PENALTY_MAX},
    {"dry_base", REAL, AT(sampling.dry_base), 1, (double)GODWIT_PENALTY_MAX},
    {"dry_allowed_length", WHOLE, AT(sampling.dry_allowed_length), 1, MAX_U31},
    {"dry_penalty_last_n", WHOLE, AT(sampling.dry_last_n), 1, MAX_U31},
    {"logit_bias", BIAS, 0, 0, 0},
    {"seed", SEED, 0, 0, 0},
    {"stop", STOPS, 0, 0, 0},
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static void wants(batch_request *q, const field *f, const char *what) {
    batch_request_fail(q, "invalid_type", "line %llu: \"%s\" is not %s",
                       (unsigned long long)q->line, f->name, what);
}

static void out_of_range(batch_request *q, const field *f, const char *what) {
    batch_request_fail(q, "out_of_range", "line %llu: \"%s\" is not %s",
                       (unsigned long long)q->line, f->name, what);
}

static char *copy(const char *text, size_t n_bytes) {
    char *own = cli_realloc(NULL, n_bytes + 1);
    memcpy(own, text, n_bytes);
    own[n_bytes] = 0;
    return own;
}

static void take_id(batch_request *q, const field *f, const json_t *value) {
    if (!json_is_string(value)) {
        wants(q, f, "a string");
        return;
    }
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    if (n == 0 || n > BATCH_ID_BYTES_MAX || strlen(text) != n) {
        out_of_range(q, f, "a string of 1 to 1024 bytes without U+0000");
        return;
    }
    free(q->id);
    q->id = copy(text, n);
}

static void take_number(batch_request *q, const field *f, const json_t *value) {
    char range[80];
    const bool whole = f->kind == WHOLE;
    (void)snprintf(range, sizeof(range), "a %s from %.10g to %.10g",
                   whole ? "whole number" : "number", f->min, f->max);
    if (whole ? !json_is_integer(value) : !json_is_number(value)) {
        wants(q, f, range);
        return;
    }
    double d = json_number_value(value);
    if (!(d >= f->min && d <= f->max)) {
        out_of_range(q, f, range);
    } else if (whole) {
        *(uint32_t *)(void *)((char *)q + f->offset) = (uint32_t)d;
        if (q->sampling.mirostat == 1) out_of_range(q, f, "0 or 2");
    } else {
        *(float *)(void *)((char *)q + f->offset) = (float)d;
    }
}

// A JSON integer holds 63 bits for many writers, so one above may come as digits in a string.
static void take_seed(batch_request *q, const field *f, const json_t *value) {
    static const char range[] = "a whole number from 0 to 2^64 - 1, or that as a string";
    const char *text = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        q->sampling.seed = (uint64_t)json_integer_value(value);
    } else if (text && text[0] && strspn(text, "0123456789") == json_string_length(value)) {
        errno = 0;
        q->sampling.seed = strtoull(text, NULL, 10);
        if (errno) out_of_range(q, f, range);
    } else if (json_is_integer(value)) {
        out_of_range(q, f, range);
    } else {
        wants(q, f, range);
    }
}

static void take_stops(batch_request *q, const field *f, json_t *value) {
    json_t *all = json_is_string(value) ? json_pack("[O]", value) : json_incref(value);
    json_decref(q->stops);
    q->stops = all;
    if (!json_is_array(all)) {
        wants(q, f, "a string or an array of strings");
        return;
    }
    const size_t n = json_array_size(all);
    if (n > BATCH_STOPS_MAX) out_of_range(q, f, "at most 16 strings");
    for (size_t i = 0; i < n && i < BATCH_STOPS_MAX; i++) {
        const json_t *stop = json_array_get(all, i);
        if (!json_is_string(stop)) {
            wants(q, f, "a string or an array of strings");
        } else if (json_string_length(stop) == 0) {
            out_of_range(q, f, "a string that is not empty");
        }
    }
}

// {"ID": V, ...}; false: never.
static void take_bias(batch_request *q, const field *f, json_t *value) {
    static const char form[] = "an object of token ids and numbers from -1000 to 1000, or false";
    const char *key;
    json_t *number;
    uint32_t n = 0;
    if (!json_is_object(value)) {
        wants(q, f, form);
        return;
    }
    if (json_object_size(value) > GODWIT_LOGIT_BIAS_MAX) {
        out_of_range(q, f, "at most 1024 tokens");
        return;
    }
    free(q->bias);
    q->bias = cli_realloc(NULL, (json_object_size(value) + 1) * sizeof(*q->bias));
    json_object_foreach(value, key, number) {
        const double d = json_number_value(number);
        const size_t n_key = strlen(key);
        if (n_key == 0 || n_key > 9 || strspn(key, "0123456789") != n_key ||
            !(json_is_number(number) || json_is_false(number)) ||
            !(fabs(d) <= (double)GODWIT_BIAS_MAX)) {
            wants(q, f, form);
            return;
        }
        q->bias[n++] = (godwit_logit_bias){(int32_t)strtol(key, NULL, 10),
                                           json_is_false(number) ? -INFINITY : (float)d};
    }
    q->sampling.logit_bias = q->bias;
    q->sampling.n_logit_bias = n;
}

static void take(batch_request *q, const field *f, json_t *value) {
    switch (f->kind) {
    case ID:
        break; // before all others
    case PROMPT:
        if (!json_is_string(value)) {
            wants(q, f, "a string");
        } else {
            q->prompt = json_incref(value);
        }
        break;
    case WHOLE:
    case REAL:
        take_number(q, f, value);
        break;
    case SEED:
        take_seed(q, f, value);
        break;
    case STOPS:
        take_stops(q, f, value);
        break;
    case BIAS:
        take_bias(q, f, value);
        break;
    }
}

static void unknown_field(batch_request *q, const char *key) {
    const char *names[N_FIELDS];
    for (size_t i = 0; i < N_FIELDS; i++) names[i] = fields[i].name;
    const char *near = cli_suggest(key, names, N_FIELDS);
    batch_request_fail(q, "unknown_field", "line %llu: no field \"%.*s\"%s%s%s",
                       (unsigned long long)q->line, QUOTED_BYTES, key,
                       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static const field *find_field(const char *key) {
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (strcmp(fields[i].name, key) == 0) return &fields[i];
    }
    return NULL;
}

// --- lines ---------------------------------------------------------------------------------------

static void take_object(batch_request *q, json_t *object) {
    const char *key;
    json_t *value = json_object_get(object, "custom_id");
    // First, so that what else is wrong is an error of that id.
    if (value && !json_is_null(value)) take_id(q, &fields[0], value);
    json_object_foreach(object, key, value) {
        const field *f = find_field(key);
        if (!f) unknown_field(q, key);
        if (f && !json_is_null(value)) take(q, f, value); // null: as if it were not there
    }
    if (!q->prompt) {
        batch_request_fail(q, "missing_prompt", "line %llu: no \"prompt\"",
                           (unsigned long long)q->line);
    }
}

static void parse(batch_request *q, const batch_reader *reader) {
    json_error_t why;
    char id[32];
    const cli_text *line = &reader->line;
    const size_t n_mark = q->line == 1 && strncmp(line->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    (void)snprintf(id, sizeof(id), "line-%llu", (unsigned long long)q->line);
    q->id = copy(id, strlen(id));
    if (reader->too_long) {
        batch_request_fail(q, "line_too_long", "line %llu: more than %d bytes",
                           (unsigned long long)q->line, BATCH_LINE_BYTES_MAX);
        return;
    }
    json_t *object = json_loadb(line->data + n_mark, line->n_bytes - n_mark,
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!object) {
        bool overflow = json_error_code(&why) == json_error_numeric_overflow;
        batch_request_fail(q, overflow ? "out_of_range" : "invalid_json", "line %llu: %s (byte %d)",
                           (unsigned long long)q->line, why.text, why.position);
    } else if (!json_is_object(object)) {
        batch_request_fail(q, "invalid_json", "line %llu: not a JSON object",
                           (unsigned long long)q->line);
    } else {
        take_object(q, object);
    }
    json_decref(object);
}

static bool is_blank(const cli_text *line) {
    return strspn(line->data, " \t\r") == line->n_bytes;
}

// Whether the output has a line for it. seen: the ids of earlier lines.
static bool is_done(batch_request *q, json_t *seen, const batch_output *output,
                    batch_requests *requests) {
    const json_t *first = json_object_get(seen, q->id), *was = NULL;
    char line[32];
    if (first) {
        (void)snprintf(line, sizeof(line), "%llu", (unsigned long long)q->line);
        // Whatever else is wrong with it: the id is not its own.
        free(q->message);
        q->message = NULL;
        q->code = NULL;
        batch_request_fail(q, BATCH_DUPLICATE, "line %llu: line %lld has this custom_id, too",
                           (unsigned long long)q->line, (long long)json_integer_value(first));
        was = json_object_get(output->doubles, line);
    } else {
        cli_json_set(seen, q->id, json_integer((json_int_t)q->line));
        was = json_object_get(output->done, q->id);
    }
    if (!was) return false;
    requests->n_done_before++;
    requests->n_failed_before += json_is_true(was);
    return true;
}

static void add(batch_requests *requests, const batch_request *q) {
    if (requests->n == requests->cap) {
        requests->cap = requests->cap * 2 + 64;
        requests->items = cli_realloc(requests->items, requests->cap * sizeof(*requests->items));
    }
    requests->items[requests->n++] = *q;
}

static bool read_all(const cli_options *options, const godwit_sample_params *defaults,
                     const batch_output *output, batch_reader *reader, batch_requests *requests) {
    const uint32_t n = options->n_tokens;
    json_t *seen = json_object();
    bool good = true;
    while (good && batch_read_line(reader)) {
        if (is_blank(&reader->line) && !reader->too_long) continue;
        batch_request q = {.line = reader->number,
                           .max_tokens = n == CLI_NOT_GIVEN ? TOKENS_DEFAULT : n,
                           .sampling = *defaults};
        parse(&q, reader);
        requests->n_lines++;
        if (is_done(&q, seen, output, requests)) {
            batch_request_free(&q);
        } else {
            add(requests, &q);
        }
        good = reader->number < BATCH_LINES_MAX;
        if (!good) cli_say("%s: more than %d lines", options->in, BATCH_LINES_MAX);
    }
    json_decref(seen);
    if (reader->failed) cli_say("%s: %s", options->in, strerror(reader->failed));
    return good && !reader->failed;
}

bool batch_read_requests(const cli_options *options, const godwit_sample_params *defaults,
                         const batch_output *output, batch_requests *out_requests) {
    const bool is_stdin = strcmp(options->in, "-") == 0;
    batch_reader reader = {.fd = STDIN_FILENO};
    if (!is_stdin) reader.fd = open(options->in, O_RDONLY | O_CLOEXEC);
    if (reader.fd < 0) {
        cli_say("%s: %s", options->in, strerror(errno));
        return false;
    }
    bool good = read_all(options, defaults, output, &reader, out_requests);
    batch_reader_free(&reader);
    if (!is_stdin) (void)close(reader.fd);
    return good;
}
