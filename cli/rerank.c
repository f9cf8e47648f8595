// rerank.c: `godwit rerank`: documents in the order in which they answer a query.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prompt.h"
#include "texts.h"

typedef struct ranked {
    size_t index;
    double score;
} ranked;

// The text of a string key of the file, freed by the caller; NULL: there is none.
static char *metadata(const godwit_file *file, const char *key) {
    for (uint64_t i = 0; i < godwit_file_n_metadata(file); i++) {
        godwit_metadata_info info = GODWIT_INIT(godwit_metadata_info);
        if (godwit_file_metadata(file, i, &info, NULL) != GODWIT_OK) continue;
        if (strcmp(info.key, key) != 0 || strcmp(info.type_name, "string") != 0) continue;
        const size_t n = godwit_file_metadata_text(file, i, 1, NULL, 0) + 1;
        char *text = cli_realloc(NULL, n);
        (void)godwit_file_metadata_text(file, i, 1, text, n);
        return text;
    }
    return NULL;
}

// A template's text with {query} and {document} in their places.
static void fill(const char *template, const char *query, const char *document, size_t n_document,
                 cli_text *out) {
    static const char QUERY[] = "{query}", DOCUMENT[] = "{document}";
    while (*template) {
        if (strncmp(template, QUERY, strlen(QUERY)) == 0) {
            cli_text_add(out, query, strlen(query));
            template += strlen(QUERY);
        } else if (strncmp(template, DOCUMENT, strlen(DOCUMENT)) == 0) {
            cli_text_add(out, document, n_document);
            template += strlen(DOCUMENT);
        } else {
            cli_text_add(out, template ++, 1);
        }
    }
}

// A decoder asks its question in words (a template of the file), a cross-encoder reads a pair.
static godwit_status encode(const cli_options *options, const cli_engine *engine, cli_texts *t,
                            godwit_error *error) {
    godwit_status status = GODWIT_OK;
    char *template = metadata(engine->file, "tokenizer.chat_template.rerank");
    for (size_t i = 0; i < t->n && status == GODWIT_OK; i++) {
        godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
        cli_text text = {0};
        int32_t *ids = NULL;
        size_t n = 0;
        if (template) {
            fill(template, options->query, t->texts[i], t->n_bytes[i], &text);
            params.parse_special = true;
        } else {
            cli_text_add(&text, options->query, strlen(options->query));
            params.pair = t->texts[i];
            params.pair_bytes = t->n_bytes[i];
        }
        status = cli_encode(engine->tokenizer, &text, &params, &ids, &n, error);
        if (status == GODWIT_OK) cli_texts_add_ids(t, ids, n);
        if (status != GODWIT_OK) free(ids);
        cli_text_free(&text);
    }
    free(template);
    return status;
}

// Of one label what the model gives; of several the share of the first.
static double score_of(const cli_texts *t, size_t i) {
    const float *row = t->rows + i * t->n_out;
    double sum = 0.0;
    if (t->n_out == 1) return (double)row[0];
    for (size_t k = 0; k < t->n_out; k++) sum += exp((double)row[k] - (double)row[0]);
    return 1.0 / sum;
}

// The best first, equal ones as they came; what is no number is last.
static int compare(const void *a, const void *b) {
    const ranked *l = a, *r = b;
    if (l->score != r->score && !isnan(l->score) && !isnan(r->score)) {
        return l->score > r->score ? -1 : 1;
    }
    if (isnan(l->score) != isnan(r->score)) return isnan(l->score) ? 1 : -1;
    return l->index < r->index ? -1 : l->index > r->index;
}

static int print(const cli_options *options, const cli_texts *t) {
    ranked *order = cli_realloc(NULL, (t->n + 1) * sizeof(*order));
    json_t *results = options->json ? json_array() : NULL;
    for (size_t i = 0; i < t->n; i++) order[i] = (ranked){i, score_of(t, i)};
    qsort(order, t->n, sizeof(*order), compare);
    for (size_t i = 0; i < t->n; i++) {
        const size_t k = order[i].index;
        if (results) {
            json_t *row = json_object();
            cli_json_set(row, "index", json_integer((json_int_t)k));
            cli_json_set(row, "score", cli_json_real(order[i].score));
            cli_json_set(row, "text", cli_json_text(t->texts[k], t->n_bytes[k]));
            (void)json_array_append_new(results, row);
            continue;
        }
        printf("%.6f\t%zu\t", order[i].score, k);
        cli_print_safe(stdout, t->texts[k], t->n_bytes[k]);
        (void)putchar('\n');
    }
    free(order);
    if (!results) return cli_flush_stdout();
    json_t *all = json_object();
    cli_json_set(all, "results", results);
    cli_json_set(all, "n_tokens", json_integer((json_int_t)t->n_tokens));
    return cli_print_json(all);
}

int cli_rerank(const cli_options *options) {
    cli_engine engine = {0};
    cli_texts t = {0};
    godwit_error error = {0};
    godwit_embed_params params = GODWIT_INIT(godwit_embed_params);
    int code = CLI_FAILED;
    if (!options->query) {
        cli_say("rerank: --query is missing; the documents are lines of stdin");
        return CLI_USAGE;
    }
    params.pooling = GODWIT_POOLING_RANK;
    godwit_status status = cli_open_engine(options, &engine, &error);
    if (status == GODWIT_OK && !cli_texts_read(options->text, &t)) {
        cli_texts_free(&t);
        return cli_close_engine(&engine, CLI_FAILED);
    }
    if (status == GODWIT_OK) status = encode(options, &engine, &t, &error);
    if (status == GODWIT_OK) status = cli_texts_embed(options, &engine, &params, &t, &error);
    code = status == GODWIT_OK ? print(options, &t) : cli_fail(status, &error);
    cli_texts_free(&t);
    return cli_close_engine(&engine, code);
}
