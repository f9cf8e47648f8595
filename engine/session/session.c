// Session: one sequence of a batch: its tokens and its pages. generate.c feeds and samples.
#include "session/internal.h"

#include "base/status.h"

uint32_t gw_session_n_ctx(const gw_session *s) {
    return s->batch->n_ctx;
}
uint32_t gw_session_n_past(const gw_session *s) {
    return s->n_past;
}
size_t gw_session_tokens(const gw_session *s, int32_t *out, size_t n_max) {
    size_t n = n_max < s->ids.n ? n_max : s->ids.n;
    if (n) memcpy(out, s->ids.items, n * sizeof *out);
    return s->ids.n;
}
void gw_session_cancel(gw_session *s) {
    atomic_store(&s->cancelled, true);
}
gw_batch *gw_session_batch(const gw_session *s) {
    return s->batch;
}

// --- pages ---------------------------------------------------------------------------------------

uint32_t gw_session_row(const gw_session *s, uint32_t position) {
    return s->pages[position / GW_PAGE_ROWS] * GW_PAGE_ROWS + position % GW_PAGE_ROWS;
}

static godwit_status take_page(gw_session *s, uint32_t *out_page, godwit_error *err) {
    const gw_pool *pool = &s->batch->pool;
    if (gw_pool_take(&s->batch->pool, out_page)) return GODWIT_OK;
    return gw_fail(err, GODWIT_CONTEXT_FULL,
                   "session: after %u tokens the batch's KV cache of %u tokens is full; destroy "
                   "other sessions, or make it larger (kv_tokens)",
                   s->n_past, pool->n_rows);
}

// A page that others have too, and in which rows are used, is copied before it is written.
static godwit_status own_page(gw_session *s, uint32_t at, godwit_error *err) {
    gw_batch *b = s->batch;
    uint32_t old = s->pages[at], page = 0;
    const uint32_t first = at * GW_PAGE_ROWS, n = s->n_past > first ? s->n_past - first : 0;
    if (b->pool.references[old] == 1) return GODWIT_OK;
    godwit_status status = take_page(s, &page, err);
    if (status != GODWIT_OK) return status;
    status = gw_pool_copy(&b->pool, old, page, n < GW_PAGE_ROWS ? n : GW_PAGE_ROWS, err);
    if (status != GODWIT_OK) {
        gw_pool_release(&b->pool, page);
        return status;
    }
    gw_pool_release(&b->pool, old);
    s->pages[at] = page;
    return GODWIT_OK;
}

godwit_status gw_session_own_pages(gw_session *s, uint32_t n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_drafts_drop(s);
    if (n == 0) return GODWIT_OK;
    for (uint32_t at = s->n_past / GW_PAGE_ROWS; at <= (s->n_past + n - 1) / GW_PAGE_ROWS; at++) {
        if (at < s->n_pages) {
            GW_TRY(own_page(s, at, err));
        } else {
            GW_TRY(take_page(s, &s->pages[at], err));
            s->n_pages = at + 1;
        }
    }
done:
    return status;
}

static void release_pages(gw_session *s, uint32_t n_keep) {
    if (s->n_pages > n_keep) gw_ahead_drop(s->batch); // it may write to them
    while (s->n_pages > n_keep) gw_pool_release(&s->batch->pool, s->pages[--s->n_pages]);
}

// The pages of another session's first n tokens, and these.
static godwit_status share(gw_session *s, const gw_session *other, uint32_t n, godwit_error *err) {
    godwit_status status = gw_ids_reserve(&s->ids, s->host, n, err);
    if (status != GODWIT_OK) return status;
    gw_ahead_drop(s->batch); // a page that it writes to would be copied without what it writes
    s->n_pages = gw_div_up(n, GW_PAGE_ROWS);
    for (uint32_t i = 0; i < s->n_pages; i++) {
        s->pages[i] = other->pages[i];
        gw_pool_retain(&s->batch->pool, s->pages[i]);
    }
    if (n) memcpy(s->ids.items, other->ids.items, n * sizeof *s->ids.items);
    s->ids.n = s->n_past = n;
    s->n_encoded = other->n_encoded;
    if (s->batch->pool.n_blocks) gw_session_share_states(s, other);
    return GODWIT_OK;
}

// The longest start in common with another session of the batch; at least one token stays to be fed,
// for its logits. Of an encoder's text each token depends on all.
size_t gw_session_take_prefix(gw_session *s, const int32_t *ids, size_t n_ids) {
    const gw_batch *b = s->batch;
    const gw_session *best = NULL;
    uint32_t longest = 0;
    if ((s->n_past && !s->is_fresh) || s->model->def->h.encodes) return 0;
    for (uint32_t i = 0; i < b->n_seq; i++) {
        const gw_session *other = b->sessions[i];
        uint32_t n = 0;
        if (!other || other == s) continue;
        while (n < other->n_past && n + 1 < n_ids && other->ids.items[n] == ids[n]) n++;
        if (b->pool.n_blocks) n = gw_session_find_states(other, n, &(int32_t){0});
        if (n > longest) {
            longest = n;
            best = other;
        }
    }
    const uint32_t n_had = s->n_past;
    if (longest < GW_PREFIX_MIN || longest <= n_had ||
        gw_ids_reserve(&s->ids, s->host, longest - n_had, NULL) != GODWIT_OK)
        return n_had;
    release_pages(s, 0);
    gw_session_release_blocks(s);
    s->ids.n = s->n_past = 0;
    if (share(s, best, longest, NULL) != GODWIT_OK) return 0; // there was room for its tokens
    s->stats.n_shared += longest - n_had;
    return longest;
}

godwit_status gw_session_truncate(gw_session *s, uint32_t n_keep, godwit_error *err) {
    if (n_keep > s->n_past) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "session: cannot keep %u of %u tokens", n_keep,
                       s->n_past);
    }
    if (n_keep && n_keep < s->n_encoded) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "session: cannot keep %u of the %u tokens of the encoder's text; all are "
                       "kept, or none",
                       n_keep, s->n_encoded);
    }
    if (n_keep == 0) s->n_encoded = 0;
    if (n_keep != s->n_past) gw_ahead_drop(s->batch);
    gw_drafts_drop(s);
    if (s->batch->pool.n_blocks) gw_session_go_back(s, n_keep);
    if (n_keep != s->ids.n) s->has_logits = false;
    if (n_keep != s->ids.n) s->n_all_logits = 0;
    gw_session_drop_queue(s);
    gw_mirostat_truncate(s, n_keep);
    gw_next_truncate(s, n_keep);
    s->ids.n = n_keep;
    s->n_past = n_keep;
    release_pages(s, gw_div_up(n_keep, GW_PAGE_ROWS));
    return gw_session_catch_up(s, err);
}

// --- joining and leaving -------------------------------------------------------------------------

godwit_status gw_batch_join(gw_batch *b, gw_session **out_session, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_session *s = NULL;
    uint32_t slot = 0;
    if (b->model->def->h.both_ways) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "session: %s sees its text both ways: it gives embeddings (godwit_batch_embed, "
                "`godwit embed`), no text",
                b->model->def->arch->name);
    }
    while (slot < b->n_seq && b->sessions[slot]) slot++;
    if (slot == b->n_seq) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "batch: it has %u sessions, as many as it was made for (n_seq)", b->n_seq);
    }
    s = gw_alloc(b->host, 1, sizeof *s);
    GW_CHECK_ALLOC(s, err, "session");
    *s = (gw_session){.batch = b,
                      .host = b->host,
                      .model = b->model,
                      .slot = slot,
                      .block = -1,
                      .next_block = -1,
                      .drafts.block = -1};
    atomic_init(&s->cancelled, false);
    s->pages = gw_alloc(b->host, b->n_pages, sizeof *s->pages);
    if (!s->pages) {
        gw_free(b->host, s, sizeof *s);
        GW_FAIL(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session");
    }
    b->sessions[slot] = s;
    b->n_references++;
    status = gw_next_join(s, err);
    if (status != GODWIT_OK) gw_session_destroy(&s);
    if (status == GODWIT_OK) *out_session = s;
done:
    return status;
}

static godwit_status copy_logits(const gw_session *from, gw_session *to, godwit_error *err) {
    gw_pool *pool = &from->batch->pool;
    return gw_store_copy(&pool->states[pool->logits.buffer - GW_STORE_STATE],
                         gw_pool_logits_offset(pool, from->slot, from->turn),
                         gw_pool_logits_offset(pool, to->slot, to->turn), pool->logits_row_bytes,
                         err);
}

godwit_status gw_session_fork(gw_session *session, gw_session **out_session, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_session *s = NULL;
    GW_TRY(gw_batch_join(session->batch, &s, err));
    GW_TRY(share(s, session, session->n_past, err));
    if (session->has_logits) GW_TRY(copy_logits(session, s, err));
    s->has_logits = session->has_logits;
    for (size_t i = 0; i < session->mus.n; i++)
        GW_TRY(gw_mirostat_set(s, session->mus.items[i], err));
    *out_session = s;
    s = NULL;
done:
    gw_session_destroy(&s);
    return status;
}

godwit_status gw_session_create(gw_model *model, const godwit_session_params *params,
                                gw_session **out_session, godwit_error *err) {
    gw_batch *batch = NULL;
    godwit_session_params own = params ? *params : (godwit_session_params){0};
    own.n_seq = 1;
    own.kv_tokens = 0;
    godwit_status status = gw_batch_create(model, &own, &batch, err);
    if (status == GODWIT_OK) status = gw_batch_join(batch, out_session, err);
    gw_batch_release(&batch);
    return status;
}

void gw_session_destroy(gw_session **session) {
    gw_session *s = *session;
    if (!s) return;
    gw_batch *batch = s->batch;
    gw_ahead_drop(batch);
    release_pages(s, 0);
    gw_session_release_blocks(s);
    gw_next_leave(s);
    batch->sessions[s->slot] = NULL;
    gw_free(s->host, s->pages, batch->n_pages * sizeof *s->pages);
    gw_vec_deinit(&s->ids, s->host);
    gw_vec_deinit(&s->queue, s->host);
    gw_vec_deinit(&s->checkpoints, s->host);
    gw_free(s->host, s->all_logits, s->all_logits_bytes);
    gw_vec_deinit(&s->logprobs, s->host);
    gw_vec_deinit(&s->saved_bias, s->host);
    gw_vec_deinit(&s->saved_breakers, s->host);
    gw_vec_deinit(&s->mus, s->host);
    gw_free(s->host, s, sizeof *s);
    gw_batch_release(&batch);
    *session = NULL;
}

// --- figures -------------------------------------------------------------------------------------

// The program of a decode step of one session, or of a token that was given.
static const gw_step *step_of_one(const gw_batch *b) {
    const gw_step *found = NULL;
    for (size_t i = 0; i < b->steps.n; i++) {
        const gw_step *step = &b->steps.items[i];
        if (step->n_tok != 1 || step->kind == GW_STEP_SAMPLE) continue;
        if (!found || step->kind == GW_STEP_SAMPLED) found = step;
    }
    return found;
}

void gw_session_stats(const gw_session *s, godwit_session_stats *out_stats) {
    size_t struct_size = out_stats->struct_size;
    const gw_step *step = step_of_one(s->batch);
    *out_stats = s->stats;
    out_stats->struct_size = struct_size;
    out_stats->activation_bytes = s->batch->workspace.arena.n_bytes;
    out_stats->kv_bytes = s->batch->pool.kv_bytes;
    out_stats->n_checkpoints = s->checkpoints.n;
    out_stats->checkpoint_bytes = s->batch->pool.n_checkpoints * s->batch->pool.block_bytes;
    if (s->batch->next) {
        out_stats->activation_bytes += s->batch->next->workspace.arena.n_bytes;
        out_stats->kv_bytes += s->batch->next->pool.kv_bytes;
    }
    if (!step) return;
    const gw_plan *plan = gw_program_plan(step->program);
    out_stats->n_launches = plan->launches.n;
    out_stats->n_barriers = plan->n_barriers;
    out_stats->decode_weight_bytes = plan->weight_bytes;
}
