// tokenize.c: `godwit tokenize`: a text as token ids, and back. No device is opened, and a file of a
// vocabulary alone will do.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prompt.h"

enum { PIECE_BYTES = 65536 };

typedef struct job {
    const cli_options *options;
    godwit_context *context;
    godwit_file *file;
    godwit_tokenizer *tokenizer;
    cli_text in, out;
    int32_t *ids; // [n_ids]
    size_t n_ids;
} job;

static godwit_status open_tokenizer(job *j, godwit_error *error) {
    godwit_status status = cli_open_context(j->options, &j->context, error);
    if (status == GODWIT_OK) {
        status = godwit_file_open(j->context, j->options->operand, &j->file, error);
    }
    if (status == GODWIT_OK) status = godwit_tokenizer_create(j->file, &j->tokenizer, error);
    return status;
}

// Ids out of the text: numbers, with white space, commas or brackets between them.
static godwit_status parse_ids(job *j, godwit_error *error) {
    const uint32_t n_tokens = godwit_tokenizer_n_tokens(j->tokenizer);
    j->ids = cli_realloc(NULL, (j->in.n_bytes / 2 + 1) * sizeof(*j->ids));
    for (const char *at = j->in.data; *(at += strspn(at, " \t\r\n,[]"));) {
        size_t n = strspn(at, "0123456789");
        unsigned long id = n > 0 && n < 10 ? strtoul(at, NULL, 10) : n_tokens;
        if (id >= n_tokens || (at[n] && !strchr(" \t\r\n,[]", at[n]))) {
            (void)snprintf(error->message, sizeof(error->message),
                           "tokenize: '%.*s' is no id of this vocabulary, which are 0 to %u",
                           (int)strcspn(at, " \t\r\n,[]") % 40, at, n_tokens - 1);
            return GODWIT_INVALID_ARGUMENT;
        }
        j->ids[j->n_ids++] = (int32_t)id;
        at += n;
    }
    if (strlen(j->in.data) == j->in.n_bytes) return GODWIT_OK;
    (void)snprintf(error->message, sizeof(error->message), "tokenize: a byte 0 is no id");
    return GODWIT_INVALID_ARGUMENT;
}

static godwit_status decode(job *j, godwit_error *error) {
    char *piece = cli_realloc(NULL, PIECE_BYTES);
    godwit_decoder decoder = {0};
    godwit_status status = parse_ids(j, error);
    cli_text_add(&j->out, "", 0);
    for (size_t i = 0; status == GODWIT_OK && i <= j->n_ids; i++) {
        size_t n_bytes = 0;
        int32_t id = i < j->n_ids ? j->ids[i] : -1;
        status = godwit_tokenizer_decode(j->tokenizer, &decoder, id, piece, PIECE_BYTES, &n_bytes,
                                         error);
        if (status == GODWIT_OK) cli_text_add(&j->out, piece, n_bytes);
    }
    free(piece);
    return status;
}

static godwit_status encode(job *j, godwit_error *error) {
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.no_special = j->options->no_special;
    params.parse_special = j->options->parse_special;
    return cli_encode(j->tokenizer, &j->in, &params, &j->ids, &j->n_ids, error);
}

static int print(const job *j) {
    if (j->options->json) {
        json_t *all = json_object(), *ids = json_array();
        for (size_t i = 0; i < j->n_ids; i++) {
            (void)json_array_append_new(ids, json_integer(j->ids[i]));
        }
        cli_json_set(all, "ids", ids);
        if (j->options->detokenize) {
            cli_json_set(all, "text", cli_json_text(j->out.data, j->out.n_bytes));
        }
        return cli_print_json(all);
    }
    if (j->options->detokenize) {
        if (isatty(STDOUT_FILENO)) {
            cli_print_safe(stdout, j->out.data, j->out.n_bytes);
        } else {
            (void)fwrite(j->out.data, 1, j->out.n_bytes, stdout);
        }
        return cli_flush_stdout();
    }
    for (size_t i = 0; i < j->n_ids; i++) printf(i ? " %d" : "%d", (int)j->ids[i]);
    (void)putchar('\n');
    return cli_flush_stdout();
}

int cli_tokenize(const cli_options *options) {
    job j = {.options = options};
    godwit_error error = {0};
    int code = CLI_FAILED;
    if (options->detokenize && (options->no_special || options->parse_special)) {
        cli_say("tokenize: --no-special and --parse-special are of texts, not of --detokenize");
        return CLI_USAGE;
    }
    godwit_status status = open_tokenizer(&j, &error);
    if (status != GODWIT_OK) {
        code = cli_fail(status, &error);
    } else if (cli_read_file(NULL, &j.in)) {
        status = options->detokenize ? decode(&j, &error) : encode(&j, &error);
        code = status == GODWIT_OK ? print(&j) : cli_fail(status, &error);
    }
    godwit_tokenizer_destroy(&j.tokenizer);
    godwit_file_close(&j.file);
    godwit_context_destroy(&j.context);
    cli_text_free(&j.in);
    cli_text_free(&j.out);
    free(j.ids);
    return code;
}
