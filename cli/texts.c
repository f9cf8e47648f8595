// texts.c: see texts.h.
#include "texts.h"

#include <stdlib.h>
#include <string.h>

#include "prompt.h"

// In pages of 256 tokens: as many short texts may share a run.
enum { PAGE = 256, PAGES_MORE = 31 };

void cli_texts_add(cli_texts *t, const char *text, size_t n_bytes) {
    if ((t->n & (t->n - 1)) == 0) { // full at each power of two
        const size_t cap = t->n ? 2 * t->n : 1;
        t->texts = cli_realloc(t->texts, cap * sizeof(*t->texts));
        t->n_bytes = cli_realloc(t->n_bytes, cap * sizeof(*t->n_bytes));
        t->n_ids = cli_realloc(t->n_ids, cap * sizeof(*t->n_ids));
    }
    t->texts[t->n] = text;
    t->n_ids[t->n] = 0;
    t->n_bytes[t->n++] = n_bytes;
}

bool cli_texts_read(const char *path, cli_texts *t) {
    if (!cli_read_file(path, &t->all)) return false;
    const char *at = t->all.data, *end = at + t->all.n_bytes;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        size_t n = (size_t)(stop - at);
        if (n > 0 && at[n - 1] == '\r') n--;
        cli_texts_add(t, at, n);
        at = stop + 1;
    }
    return true;
}

void cli_texts_add_ids(cli_texts *t, int32_t *ids, size_t n) {
    size_t i = 0;
    while (t->n_ids[i]) i++;
    t->ids = cli_realloc(t->ids, (t->n_tokens + n + 1) * sizeof(*t->ids));
    memcpy(t->ids + t->n_tokens, ids, n * sizeof(*ids));
    t->n_tokens += n;
    t->n_ids[i] = n;
    free(ids);
}

godwit_status cli_texts_embed(const cli_options *options, const cli_engine *engine,
                              const godwit_embed_params *params, cli_texts *t,
                              godwit_error *error) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_batch *batch = NULL;
    godwit_status status = godwit_model_get_info(engine->model, &info, error);
    if (status != GODWIT_OK) return status;
    godwit_session_params p = cli_session_params(options);
    if (p.n_ctx == 0) p.n_ctx = info.n_ctx_train;
    if (p.n_ctx > GODWIT_CTX_DEFAULT_MAX && options->n_ctx == 0) p.n_ctx = GODWIT_CTX_DEFAULT_MAX;
    p.n_seq = 1 + PAGES_MORE;
    p.kv_tokens = p.n_ctx + (info.both_ways ? PAGES_MORE * PAGE : 0);
    const bool each =
        params->pooling == GODWIT_POOLING_NONE ||
        (params->pooling == GODWIT_POOLING_MODEL && info.pooling == GODWIT_POOLING_NONE);
    t->n_rows = each ? t->n_tokens : t->n;
    t->n_out = params->pooling == GODWIT_POOLING_RANK ? info.n_labels
               : each                                 ? info.n_embd
                                                      : info.n_out;
    t->rows = cli_realloc(NULL, (t->n_rows * t->n_out + 1) * sizeof(*t->rows));
    status = godwit_batch_create(engine->model, &p, &batch, error);
    if (status == GODWIT_OK) {
        status = godwit_batch_embed(batch, params, t->ids, t->n_ids, t->n, t->rows,
                                    t->n_rows * t->n_out, error);
    }
    godwit_batch_destroy(&batch);
    return status;
}

void cli_texts_free(cli_texts *t) {
    cli_text_free(&t->all);
    free(t->texts);
    free(t->n_bytes);
    free(t->ids);
    free(t->n_ids);
    free(t->rows);
}
