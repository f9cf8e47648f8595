// embed.c: `godwit embed`: texts as rows of numbers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "prompt.h"
#include "texts.h"

static godwit_status encode(const cli_options *options, const cli_engine *engine, cli_texts *t,
                            godwit_error *error) {
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.parse_special = options->parse_special;
    for (size_t i = 0; i < t->n; i++) {
        const cli_text text = {(char *)(uintptr_t)t->texts[i], t->n_bytes[i], 0};
        int32_t *ids = NULL;
        size_t n = 0;
        godwit_status status = cli_encode(engine->tokenizer, &text, &params, &ids, &n, error);
        if (status == GODWIT_OK && n == 0) {
            (void)snprintf(error->message, sizeof(error->message), "embed: text %zu has no tokens",
                           i);
            status = GODWIT_INVALID_ARGUMENT;
        }
        if (status != GODWIT_OK) {
            free(ids);
            return status;
        }
        cli_texts_add_ids(t, ids, n);
    }
    return GODWIT_OK;
}

// NumPy's format 1.0: magic, the length of a text, the text (up to a multiple of 64), the numbers.
static godwit_status write_npy(const char *name, const cli_texts *t, godwit_error *error) {
    cli_output out = {0};
    char head[128];
    memset(head, ' ', sizeof(head));
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (char)(sizeof(head) - 10);
    head[9] = 0;
    const int n = snprintf(head + 10, sizeof(head) - 10,
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                           t->n_rows, t->n_out);
    head[10 + n] = ' ';
    head[sizeof(head) - 1] = '\n';
    godwit_status status = cli_output_open(&out, "out", name, error);
    if (status != GODWIT_OK) return status;
    status = cli_output_write(&out, head, sizeof(head), error);
    if (status == GODWIT_OK) {
        status = cli_output_write(&out, t->rows, t->n_rows * t->n_out * sizeof(*t->rows), error);
    }
    if (status == GODWIT_OK) return cli_output_commit(&out, error);
    cli_output_discard(&out);
    return status;
}

static int print_json(const cli_texts *t) {
    json_t *all = json_object(), *rows = json_array();
    for (size_t i = 0; i < t->n_rows; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < t->n_out; k++) {
            (void)json_array_append_new(row, cli_json_real((double)t->rows[i * t->n_out + k]));
        }
        (void)json_array_append_new(rows, row);
    }
    cli_json_set(all, "embeddings", rows);
    cli_json_set(all, "n_texts", json_integer((json_int_t)t->n));
    cli_json_set(all, "n_tokens", json_integer((json_int_t)t->n_tokens));
    return cli_print_json(all);
}

static int print(const cli_options *options, const cli_texts *t) {
    if (options->json) return print_json(t);
    for (size_t i = 0; i < t->n_rows && !options->out_file; i++) {
        for (size_t k = 0; k < t->n_out; k++) {
            printf(k ? " %.9g" : "%.9g", (double)t->rows[i * t->n_out + k]);
        }
        (void)putchar('\n');
    }
    return cli_flush_stdout();
}

int cli_embed(const cli_options *options) {
    cli_engine engine = {0};
    cli_texts t = {0};
    godwit_error error = {0};
    godwit_embed_params params = GODWIT_INIT(godwit_embed_params);
    int code = CLI_FAILED;
    if (options->prompt && options->text) {
        cli_say("embed: one of --prompt and --file");
        return CLI_USAGE;
    }
    if (options->normalize && options->no_normalize) {
        cli_say("embed: one of --normalize and --no-normalize");
        return CLI_USAGE;
    }
    params.pooling = (godwit_pooling)options->pooling;
    params.raw = options->no_normalize;
    godwit_status status = cli_open_engine(options, &engine, &error);
    if (status == GODWIT_OK && options->prompt) {
        cli_texts_add(&t, options->prompt, strlen(options->prompt));
    } else if (status == GODWIT_OK && !cli_texts_read(options->text, &t)) {
        cli_texts_free(&t);
        return cli_close_engine(&engine, CLI_FAILED);
    }
    if (status == GODWIT_OK) status = encode(options, &engine, &t, &error);
    if (status == GODWIT_OK) status = cli_texts_embed(options, &engine, &params, &t, &error);
    if (status == GODWIT_OK && options->out_file) status = write_npy(options->out_file, &t, &error);
    code = status == GODWIT_OK ? print(options, &t) : cli_fail(status, &error);
    cli_texts_free(&t);
    return cli_close_engine(&engine, code);
}
