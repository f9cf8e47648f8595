// Embed: texts to embeddings and scores.
//
// A run has one text or several, each in pages of the batch's caches of its own; nothing is kept behind
// it. A token of a model that sees both ways sees its whole text (in layers with a window what is near on
// either side), so a text is never cut; its bits do not depend on what else is in the run. What the model
// has of each token is read back and pooled here, in one order of sums; what stands behind the pooling
// (dense layers, a classifier) is a run of its own.
#include "session/internal.h"

#include "base/exact_math.h"
#include "base/status.h"
#include "run/run.h"

enum {
    MAX_ROWS = 64, // of a run of what stands behind
    MIN_TOKENS = 8,
};

// The texts of one run.
typedef struct job {
    gw_batch *b;
    const int32_t *ids;  // of all of them
    const size_t *n_ids; // [n_texts]
    size_t n_texts;
    uint32_t n_tok, n_run; // tokens, and with idle ones
    uint32_t *pages;       // [n_taken], in order of texts
    size_t n_taken, pages_cap;
    bool rank;
} job;

// --- which texts ---------------------------------------------------------------------------------

static uint32_t n_pages_of(size_t n_ids) {
    return gw_div_up(n_ids, GW_PAGE_ROWS);
}

uint32_t gw_text_run(uint32_t n) {
    uint32_t step = 1;
    while (8 * step <= n) step *= 2;
    n = gw_div_up(n, step) * step;
    return n < MIN_TOKENS ? MIN_TOKENS : n;
}

static void release_pages(job *j) {
    while (j->n_taken > 0) gw_pool_release(&j->b->pool, j->pages[--j->n_taken]);
}

// As many texts as a run may have and pages are free for; one at least.
static godwit_status take_texts(job *j, size_t n_left, godwit_error *err) {
    gw_batch *b = j->b;
    j->n_texts = j->n_tok = 0;
    while (j->n_texts < n_left) {
        const size_t n = j->n_ids[j->n_texts], n_pages = n_pages_of(n);
        if (j->n_texts && (j->n_tok + n > b->n_batch || n_pages > b->pool.n_free)) break;
        if (n_pages > b->pool.n_free) {
            return gw_fail(err, GODWIT_CONTEXT_FULL,
                           "embed: a text of %zu tokens takes %zu pages, %u are free in this batch",
                           n, n_pages, b->pool.n_free);
        }
        for (size_t i = 0; i < n_pages; i++)
            if (gw_pool_take(&b->pool, &j->pages[j->n_taken])) j->n_taken++;
        j->n_tok += (uint32_t)n;
        j->n_texts++;
    }
    j->n_run = gw_text_run(j->n_tok);
    return GODWIT_OK;
}

// --- what a run reads ----------------------------------------------------------------------------

// Rows of words, one behind the other in one allocation, each [n_run] but for the tables of pages.
typedef struct upload {
    int32_t *tokens, *positions, *rows, *types, *seen, *near, *pages;
    size_t n_words, n_pages;
} upload;

static godwit_status make_upload(const job *j, upload *u, godwit_error *err) {
    const size_t n = j->n_run;
    u->n_pages = (j->n_texts > 1 ? n : 1) * j->b->n_pages;
    u->n_words = 7 * n + u->n_pages;
    u->tokens = gw_alloc(j->b->host, u->n_words, sizeof *u->tokens);
    if (!u->tokens) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: embed");
    u->positions = u->tokens + n;
    u->rows = u->positions + n;
    u->types = u->rows + n;
    u->seen = u->types + n;
    u->near = u->seen + n;
    u->pages = u->near + 2 * n;
    return GODWIT_OK;
}

// What separates the two texts of a pair.
static int32_t separator_of(const gw_model_def *def) {
    static const char *const keys[] = {"tokenizer.ggml.seperator_token_id",
                                       "tokenizer.ggml.eos_token_id"};
    uint64_t id = 0;
    for (int i = 0; i < 2; i++) {
        const gw_gguf_value *value = gw_gguf_find(def->gguf, keys[i]);
        if (value && gw_gguf_item_u64(value, 0, &id, NULL) == GODWIT_OK && id <= INT32_MAX)
            return (int32_t)id;
    }
    return -1;
}

// Token i of a text of n, at `at` of the run.
static void write_token(const job *j, const upload *u, size_t at, size_t i, size_t n,
                        uint32_t window, const uint32_t *pages) {
    const size_t half = window / 2;
    u->positions[at] = (int32_t)i;
    u->rows[at] = (int32_t)(pages[i / GW_PAGE_ROWS] * GW_PAGE_ROWS + i % GW_PAGE_ROWS);
    u->seen[at] = (int32_t)(n - 1);
    u->near[at] = (int32_t)(i + half < n ? i + half : n - 1);
    u->near[j->n_run + at] = (int32_t)(i > half ? i - half : 0);
    if (j->b->model->def->h.chunked) {
        u->near[at] = (int32_t)i;
        u->near[j->n_run + at] = (int32_t)gw_chunk_begin((uint32_t)i, window);
    }
    if (j->n_texts > 1) memcpy(u->pages + at * j->b->n_pages, pages, n_pages_of(n) * sizeof *pages);
}

static void fill(const job *j, const upload *u) {
    const uint32_t window = gw_def_window(j->b->model->def);
    const int32_t separator = j->rank ? separator_of(j->b->model->def) : -1;
    const uint32_t *pages = j->pages;
    size_t at = 0;
    for (size_t t = 0; t < j->n_texts; pages += n_pages_of(j->n_ids[t++])) {
        int32_t type = 0;
        for (size_t i = 0; i < j->n_ids[t]; i++, at++) {
            write_token(j, u, at, i, j->n_ids[t], window, pages);
            u->types[at] = type;
            if (u->tokens[at] == separator) type = 1;
        }
    }
    if (j->n_texts == 1) memcpy(u->pages, j->pages, j->n_taken * sizeof *j->pages);
    for (; at < j->n_run; at++) u->tokens[at] = u->rows[at] = -1; // idle
}

static godwit_status put(gw_batch *b, gw_slice slice, const void *words, godwit_error *err) {
    if (!slice.bytes) return GODWIT_OK; // nothing reads it
    return gw_store_write(&b->workspace.upload, slice.offset, words, slice.bytes, err);
}

static godwit_status put_ropes(const job *j, const gw_step *step, const upload *u,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = j->b;
    for (uint32_t k = 0; k < b->model->def->h.n_ropes && status == GODWIT_OK; k++) {
        const gw_slice table = step->rope_tables[k];
        const size_t row = table.bytes / j->n_run / sizeof(float);
        if (!table.bytes) continue;
        float *rows = gw_alloc(b->host, table.bytes, 1);
        if (!rows) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: embed");
        for (uint32_t i = 0; i < j->n_run; i++)
            gw_rope_row(&b->ropes[k], (uint32_t)u->positions[i], rows + i * row);
        status = gw_store_write(&b->workspace.upload, table.offset, rows, table.bytes, err);
        gw_free(b->host, rows, table.bytes);
    }
    return status;
}

static godwit_status put_q_scales(const job *j, const gw_step *step, const upload *u,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = j->b;
    if (!step->q_scales.bytes) return GODWIT_OK;
    for (uint32_t i = 0; i < j->n_run && status == GODWIT_OK; i++) {
        const float scale = gw_q_scale_at(&b->model->def->h, (uint32_t)u->positions[i]);
        status = gw_store_write(&b->workspace.upload, step->q_scales.offset + i * sizeof scale,
                                &scale, sizeof scale, err);
    }
    return status;
}

static godwit_status write_upload(const job *j, const gw_step *step, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = j->b;
    upload u = {0};
    GW_TRY(make_upload(j, &u, err));
    memcpy(u.tokens, j->ids, j->n_tok * sizeof *j->ids);
    fill(j, &u);
    GW_TRY(put(b, step->tokens, u.tokens, err));
    GW_TRY(put(b, step->positions, u.positions, err));
    GW_TRY(put(b, step->kv_rows, u.rows, err));
    GW_TRY(put(b, step->pages, u.pages, err));
    GW_TRY(put(b, step->types, u.types, err));
    GW_TRY(put(b, step->seen[0], u.seen, err));
    GW_TRY(put(b, step->seen[1], u.near, err));
    GW_TRY(put_ropes(j, step, &u, err));
    GW_TRY(put_q_scales(j, step, &u, err));
done:
    gw_free(b->host, u.tokens, u.n_words * sizeof *u.tokens);
    return status;
}

godwit_status gw_text_write(gw_batch *b, const gw_step *step, const int32_t *ids, size_t n_ids,
                            uint32_t *pages, uint32_t n_pages, godwit_error *err) {
    const job j = {.b = b,
                   .ids = ids,
                   .n_ids = &n_ids,
                   .n_texts = 1,
                   .n_tok = (uint32_t)n_ids,
                   .n_run = step->n_tok,
                   .pages = pages,
                   .n_taken = n_pages};
    return write_upload(&j, step, err);
}

static godwit_status run(gw_batch *b, const gw_step *step, godwit_error *err) {
    godwit_status status = gw_program_run(step->program, NULL, err);
    return status == GODWIT_OK ? gw_batch_add_launch_times(b, step->program, err) : status;
}

// --- pooling -------------------------------------------------------------------------------------

// One row of a text's rows. Sums go over tokens in order.
static void pool(godwit_pooling pooling, const float *rows, size_t n, size_t n_embd, float *out) {
    if (pooling != GODWIT_POOLING_MEAN) {
        const size_t row = pooling == GODWIT_POOLING_LAST ? n - 1 : 0;
        memcpy(out, rows + row * n_embd, n_embd * sizeof *out);
        return;
    }
    memcpy(out, rows, n_embd * sizeof *out);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < n_embd; k++) out[k] = out[k] + rows[i * n_embd + k];
    for (size_t k = 0; k < n_embd; k++) out[k] = gw_div(out[k], (float)n);
}

static void normalize(float *row, size_t n) {
    float sum = 0.0f;
    for (size_t i = 0; i < n; i++) sum = sum + row[i] * row[i];
    const float length = gw_sqrt(sum);
    for (size_t i = 0; i < n && length > 0.0f; i++) row[i] = gw_div(row[i], length);
}

// --- runs ----------------------------------------------------------------------------------------

// hidden: [n_tok, n_embd] of the job's texts.
static godwit_status run_texts(job *j, float *hidden, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = j->b;
    gw_step *step = NULL;
    GW_TRY(gw_step_find(b, j->n_texts > 1 ? GW_STEP_EMBED_MANY : GW_STEP_EMBED, j->n_run, 0, &step,
                        err));
    GW_TRY(write_upload(j, step, err));
    GW_TRY(run(b, step, err));
    GW_TRY(gw_store_read(&b->workspace.arena, step->hidden.offset, hidden,
                         (size_t)j->n_tok * b->model->def->h.n_embd * sizeof *hidden, err));
done:
    return status;
}

// pooled: [n, n_embd] to out: [n, n_out].
static godwit_status run_head(gw_batch *b, gw_step_kind kind, const float *pooled, size_t n,
                              uint32_t n_out, float *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const size_t n_embd = b->model->def->h.n_embd;
    for (size_t at = 0; at < n; at += MAX_ROWS) {
        const size_t some = n - at < MAX_ROWS ? n - at : MAX_ROWS;
        gw_step *step = NULL;
        uint32_t n_run = 1;
        while (n_run < some) n_run *= 2;
        GW_TRY(gw_step_find(b, kind, n_run, 0, &step, err));
        GW_TRY(gw_store_write(&b->workspace.upload, step->pooled.offset, pooled + at * n_embd,
                              some * n_embd * sizeof *pooled, err));
        GW_TRY(run(b, step, err));
        GW_TRY(gw_store_read(&b->workspace.arena, step->hidden.offset, out + at * n_out,
                             some * n_out * sizeof *out, err));
    }
done:
    return status;
}

godwit_status gw_embed_shape_of(const gw_model *model, const godwit_embed_params *params,
                                const size_t *n_ids, size_t n_texts, gw_embed_shape *out,
                                godwit_error *err) {
    const gw_hparams *h = &model->def->h;
    godwit_pooling pooling = params ? params->pooling : GODWIT_POOLING_MODEL;
    if (pooling > GODWIT_POOLING_RANK) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "embed: pooling %d is none of godwit_pooling",
                       (int)pooling);
    }
    if (pooling == GODWIT_POOLING_MODEL) pooling = h->pooling;
    if (pooling == GODWIT_POOLING_MODEL)
        pooling = h->both_ways ? GODWIT_POOLING_MEAN : GODWIT_POOLING_LAST;
    if (pooling == GODWIT_POOLING_RANK && !h->n_labels) {
        return gw_fail(
            err, GODWIT_UNSUPPORTED,
            "embed: the model has no classifier (tensor cls.output.weight), so it scores "
            "no pairs; embeddings it gives");
    }
    *out = (gw_embed_shape){.pooling = pooling, .n_out = h->n_out, .n_rows = n_texts};
    if (pooling == GODWIT_POOLING_RANK) out->n_out = h->n_labels;
    if (pooling != GODWIT_POOLING_NONE) return GODWIT_OK;
    out->n_out = h->n_embd;
    out->n_rows = 0;
    for (size_t i = 0; i < n_texts; i++) out->n_rows += n_ids[i];
    return GODWIT_OK;
}

static godwit_status check_texts(const gw_batch *b, const int32_t *ids, const size_t *n_ids,
                                 size_t n_texts, godwit_error *err) {
    const uint32_t n_vocab = b->model->def->h.n_vocab;
    const uint32_t most = b->n_ctx < GW_TEXT_MAX ? b->n_ctx : GW_TEXT_MAX;
    for (size_t t = 0; t < n_texts; ids += n_ids[t++]) {
        if (n_ids[t] < 1 || n_ids[t] > most) {
            return gw_fail(err, n_ids[t] ? GODWIT_CONTEXT_FULL : GODWIT_INVALID_ARGUMENT,
                           "embed: text %zu has %zu tokens, 1 to %u are possible; the context "
                           "(n_ctx, --ctx) is %u",
                           t, n_ids[t], most, b->n_ctx);
        }
        for (size_t i = 0; i < n_ids[t]; i++) {
            if (ids[i] >= 0 && (uint32_t)ids[i] < n_vocab) continue;
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "embed: text %zu: token %zu is %d, the vocabulary has %u", t, i, ids[i],
                           n_vocab);
        }
    }
    return GODWIT_OK;
}

// Rows of the job's texts out of what the model has of their tokens. pooled: [n_texts, n_embd].
static godwit_status finish(job *j, const gw_embed_shape *shape, const float *hidden, float *pooled,
                            float *out, godwit_error *err) {
    const gw_hparams *h = &j->b->model->def->h;
    const bool rank = shape->pooling == GODWIT_POOLING_RANK;
    const bool head = rank || h->has_dense;
    godwit_pooling pooling = shape->pooling;
    if (rank) pooling = h->both_ways ? GODWIT_POOLING_CLS : GODWIT_POOLING_LAST;
    float *to = head ? pooled : out;
    for (size_t t = 0; t < j->n_texts; hidden += j->n_ids[t++] * h->n_embd)
        pool(pooling, hidden, j->n_ids[t], h->n_embd, to + t * h->n_embd);
    if (!head) return GODWIT_OK;
    return run_head(j->b, rank ? GW_STEP_SCORE : GW_STEP_HEAD, pooled, j->n_texts, shape->n_out,
                    out, err);
}

// The next texts of those left; out: their rows.
static godwit_status embed_some(job *j, const gw_embed_shape *shape, size_t n_left, float *out,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = j->b->host;
    const size_t n_embd = j->b->model->def->h.n_embd;
    float *hidden = NULL;
    size_t n_floats = 0;
    GW_TRY(take_texts(j, n_left, err));
    if (shape->pooling == GODWIT_POOLING_NONE) {
        GW_TRY(run_texts(j, out, err));
        goto done;
    }
    n_floats = (j->n_tok + j->n_texts) * n_embd;
    hidden = gw_alloc(host, n_floats, sizeof *hidden);
    GW_CHECK_ALLOC(hidden, err, "embed");
    GW_TRY(run_texts(j, hidden, err));
    GW_TRY(finish(j, shape, hidden, hidden + (size_t)j->n_tok * n_embd, out, err));
done:
    gw_free(host, hidden, n_floats * sizeof *hidden);
    release_pages(j);
    return status;
}

godwit_status gw_batch_embed(gw_batch *b, const godwit_embed_params *params, const int32_t *ids,
                             const size_t *n_ids, size_t n_texts, float *out, size_t n_out,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_embed_shape shape;
    job j = {.b = b, .ids = ids, .n_ids = n_ids, .pages_cap = b->pool.n_pages};
    if (b->model->def->h.encodes) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "embed: %s gives text; embeddings are of its encoder alone (t5encoder)",
                b->model->def->arch->name);
    }
    for (size_t i = 0; i < b->model->def->states.n; i++) {
        if (b->model->def->states.items[i].kind != GW_STATE_BLOCK) continue;
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "embed: %s has recurrent states; none of that kind is made for it",
                b->model->def->arch->name);
    }
    GW_TRY(check_texts(b, ids, n_ids, n_texts, err));
    GW_TRY(gw_embed_shape_of(b->model, params, n_ids, n_texts, &shape, err));
    if (n_out != shape.n_rows * shape.n_out) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "embed: room for %zu numbers, there are %llu rows of %u", n_out,
                (unsigned long long)shape.n_rows, shape.n_out);
    }
    j.rank = shape.pooling == GODWIT_POOLING_RANK;
    j.pages = gw_alloc(b->host, j.pages_cap, sizeof *j.pages);
    GW_CHECK_ALLOC(j.pages, err, "embed");
    for (size_t t = 0; t < n_texts; t += j.n_texts) {
        GW_TRY(embed_some(&j, &shape, n_texts - t, out, err));
        const size_t n_rows = shape.pooling == GODWIT_POOLING_NONE ? j.n_tok : j.n_texts;
        const bool raw = j.rank || (params && params->raw);
        for (size_t i = 0; i < n_rows && !raw; i++) normalize(out + i * shape.n_out, shape.n_out);
        out += n_rows * shape.n_out;
        j.ids += j.n_tok;
        j.n_ids += j.n_texts;
    }
done:
    gw_free(b->host, j.pages, j.pages_cap * sizeof *j.pages);
    return status;
}
