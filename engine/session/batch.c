// Batch: what sequences share. See internal.h.
#include "session/internal.h"

#include "base/status.h"

static bool read_kv(godwit_kv keys, godwit_kv values, uint32_t out_dtypes[2]) {
    const uint32_t kinds[2] = {(uint32_t)keys, (uint32_t)values};
    static const uint32_t dtypes[2][3] = {{GODWIT_F16, GODWIT_F32, GW_DTYPE_Q8_KEYS},
                                          {GODWIT_F16, GODWIT_F32, GW_DTYPE_Q8_VALUES}};
    for (int i = 0; i < 2; i++) {
        if (kinds[i] > GODWIT_KV_Q8_0) return false;
        out_dtypes[i] = dtypes[i][kinds[i]];
    }
    return true;
}

static godwit_status read_numerics(gw_batch *b, const godwit_session_params *p, godwit_error *err) {
    if (!read_kv(p->kv_k, p->kv_v, b->kv_dtypes)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: kv_k %d, kv_v %d: not KV_F16, KV_F32 or KV_Q8_0 each",
                       (int)p->kv_k, (int)p->kv_v);
    }
    if (p->numerics != GODWIT_EXACT && p->numerics != GODWIT_FAST) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "session: numerics %d is not EXACT or FAST",
                       (int)p->numerics);
    }
    if (p->guard && p->numerics == GODWIT_FAST) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: guard compares bits, which fast numerics do not keep");
    }
    if (p->n_draft > GODWIT_DRAFT_MAX || (p->n_draft && p->numerics == GODWIT_FAST)) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: n_draft %u; 0 to %d are wanted, in exact numerics: in fast ones a "
                       "token's bits depend on those beside it",
                       p->n_draft, GODWIT_DRAFT_MAX);
    }
    // What is kept for a run alone takes no memory that is worth its rounding.
    if (b->model->def->h.both_ways) b->kv_dtypes[0] = b->kv_dtypes[1] = GODWIT_F32;
    b->guard = p->guard;
    b->n_draft = p->n_draft;
    b->guess = p->n_draft && b->model->next ? gw_next_guess : gw_draft_look_up;
    b->time_launches = p->time_launches;
    b->fast = p->numerics == GODWIT_FAST;
    return GODWIT_OK;
}

// What the caller left open; *out_rows: of the caches.
static godwit_status read_sizes(gw_batch *b, const godwit_session_params *p, uint32_t *out_rows,
                                godwit_error *err) {
    const uint32_t n_train = b->model->def->h.n_ctx_train;
    b->n_ctx = p->n_ctx;
    if (!b->n_ctx) b->n_ctx = n_train < GODWIT_CTX_DEFAULT_MAX ? n_train : GODWIT_CTX_DEFAULT_MAX;
    b->n_seq = p->n_seq ? p->n_seq : GW_SEQ_DEFAULT;
    if (b->n_ctx > GW_MAX_CTX) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "session: n_ctx %u is above the limit of %d",
                       b->n_ctx, GW_MAX_CTX);
    }
    const uint32_t n_max = b->model->def->h.n_ctx_max;
    if (n_max && b->n_ctx > n_max) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "session: n_ctx %u is above %u, the positions that the model has learned",
                       b->n_ctx, n_max);
    }
    b->n_pages = gw_div_up(b->n_ctx, GW_PAGE_ROWS);
    // Alone, a session's pages lie in order, and the last one need not be whole.
    uint64_t rows = b->n_seq == 1 ? b->n_ctx : (uint64_t)b->n_seq * b->n_pages * GW_PAGE_ROWS;
    if (p->kv_tokens) rows = GW_ALIGN_UP(p->kv_tokens, GW_PAGE_ROWS);
    if (b->n_seq > GW_SEQ_MAX || rows > GW_MAX_CTX) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "batch: %u sessions (n_seq) with %llu tokens in all (kv_tokens); at most %d "
                       "with %d",
                       b->n_seq, (unsigned long long)rows, GW_SEQ_MAX, GW_MAX_CTX);
    }
    *out_rows = (uint32_t)rows;
    b->n_batch = p->n_batch ? p->n_batch : b->model->backend->tune.n_batch;
    if (b->n_batch > rows) b->n_batch = (uint32_t)rows;
    if (b->n_batch > GW_BATCH_MAX) b->n_batch = GW_BATCH_MAX;
    return GODWIT_OK;
}

// Two where steps may be on their way while the one before has not ended: its logits must stay until it is
// known that they are not wanted. Recurrent states do not stay.
static uint32_t turns_of(const gw_batch *b) {
    const gw_backend *backend = b->model->backend;
    const gw_model_def *def = b->model->def;
    if (!backend->device || !backend->tune.looks_ahead || def->h.both_ways) return 1;
    if (b->guard || b->time_launches || gw_def_has_blocks(def)) return 1;
    const uint64_t bytes = 2ull * b->n_seq * def->h.n_vocab * sizeof(float);
    return bytes <= backend->tune.max_range ? 2 : 1;
}

godwit_status gw_batch_create(gw_model *model, const godwit_session_params *params,
                              gw_batch **out_batch, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = model->backend->host;
    const godwit_session_params p = params ? *params : (godwit_session_params){0};
    uint32_t n_rows = 0, n_checkpoints = 0;
    gw_batch *b = gw_alloc(host, 1, sizeof *b);
    GW_CHECK_ALLOC(b, err, "batch");
    b->host = host;
    b->model = model;
    b->n_references = 1;
    b->workspace = (gw_workspace){.before_growing = gw_steps_clear, .user = b};
    GW_TRY(read_numerics(b, &p, err));
    GW_TRY(read_sizes(b, &p, &n_rows, err));
    GW_TRY(gw_checkpoints_read(b, &p, &n_checkpoints, err));
    b->sessions = gw_alloc(host, b->n_seq, sizeof *b->sessions);
    GW_CHECK_ALLOC(b->sessions, err, "batch");
    for (uint32_t i = 0; i < model->def->h.n_ropes; i++)
        GW_TRY(gw_rope_freqs_of(&model->def->h.ropes[i], b->n_ctx, &b->ropes[i], err));
    GW_TRY(gw_pool_create(model, b->kv_dtypes, n_rows, b->n_seq, turns_of(b), b->n_draft,
                          n_checkpoints, &b->pool, err));
    if (b->n_draft && model->next) {
        godwit_session_params next = p;
        next.n_draft = next.guard = next.checkpoint_every = 0;
        next.time_launches = false;
        GW_TRY(gw_batch_create(model->next, &next, &b->next, err));
    }
    *out_batch = b;
    b = NULL;
done:
    gw_batch_release(&b);
    return status;
}

void gw_batch_release(gw_batch **batch) {
    gw_batch *b = *batch;
    *batch = NULL;
    if (!b || --b->n_references) return;
    gw_batch_release(&b->next);
    gw_steps_clear(b);
    gw_vec_deinit(&b->steps, b->host);
    gw_workspace_destroy(&b->workspace);
    gw_pool_destroy(&b->pool);
    gw_free(b->host, b->sessions, b->n_seq * sizeof(gw_session *));
    gw_free(b->host, b->scratch, b->scratch_bytes);
    gw_sampling_free(b);
    gw_vec_deinit(&b->launch_times, b->host);
    gw_free(b->host, b, sizeof *b);
}

void gw_batch_stats(const gw_batch *b, godwit_batch_stats *out_stats) {
    out_stats->n_seq = b->n_seq;
    for (uint32_t i = 0; i < b->n_seq; i++) out_stats->n_sessions += b->sessions[i] != NULL;
    out_stats->page_tokens = GW_PAGE_ROWS;
    out_stats->n_pages = b->pool.n_pages;
    out_stats->n_free_pages = b->pool.n_free;
    out_stats->kv_bytes = b->pool.kv_bytes;
    out_stats->n_checkpoints = b->pool.n_kept;
    out_stats->checkpoint_bytes = b->pool.n_checkpoints * b->pool.block_bytes;
    out_stats->activation_bytes = b->workspace.arena.n_bytes;
}
