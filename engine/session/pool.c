// Pool: the memory of a batch's states. See internal.h.
#include "session/internal.h"

#include "base/status.h"
#include "ops/kv.h"

#include <stdio.h>

// Gives a state its place behind the others. n_rows: what it holds; `of` them would be fewer.
static godwit_status place(gw_pool *pool, gw_slice *slice, uint64_t bytes, uint32_t n_rows,
                           const char *what, const char *of, godwit_error *err) {
    const gw_backend *backend = pool->backend;
    uint64_t max = UINT64_MAX;
    if (backend->device) max = gw_device_caps(backend->device)->max_buffer_bytes;
    if (bytes > backend->tune.max_range || bytes > max) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "session: %s takes %llu bytes, the device binds %llu; %s %llu would fit",
                       what, (unsigned long long)bytes, (unsigned long long)backend->tune.max_range,
                       of, (unsigned long long)(backend->tune.max_range / (bytes / n_rows + 1)));
    }
    if (pool->n_stores == 0 || bytes > max - pool->state_bytes[pool->n_stores - 1]) {
        if (pool->n_stores == GW_MAX_STATE_STORES) {
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "session: the KV cache of %u tokens needs more than %d buffers",
                           pool->n_rows, GW_MAX_STATE_STORES);
        }
        pool->n_stores++;
    }
    uint64_t *end = &pool->state_bytes[pool->n_stores - 1];
    *slice =
        (gw_slice){.buffer = GW_STORE_STATE + pool->n_stores - 1, .offset = *end, .bytes = bytes};
    *end = GW_ALIGN_UP(*end + bytes, GW_SLICE_ALIGN);
    return GODWIT_OK;
}

// The states of a layer: a block each for what sessions read and write, and for checkpoints.
static godwit_status place_blocks(gw_pool *pool, gw_slice *slice, uint64_t bytes,
                                  godwit_error *err) {
    if (!pool->n_checkpoints)
        return place(pool, slice, bytes, pool->n_slots, "a layer's recurrent states", "n_seq", err);
    char what[96];
    snprintf(what, sizeof what, "a layer's recurrent states with %u checkpoints (n_checkpoints)",
             pool->n_checkpoints);
    return place(pool, slice, bytes, pool->n_blocks, what, "2 n_seq + n_checkpoints =", err);
}

static godwit_status make_blocks(gw_pool *pool, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = pool->backend->host;
    if (!pool->n_blocks) return GODWIT_OK;
    pool->block_references = gw_alloc(host, pool->n_blocks, sizeof *pool->block_references);
    pool->block_checkpoints = gw_alloc(host, pool->n_blocks, sizeof *pool->block_checkpoints);
    pool->block_worth = gw_alloc(host, pool->n_blocks, sizeof *pool->block_worth);
    GW_CHECK_ALLOC(pool->block_references && pool->block_checkpoints && pool->block_worth, err,
                   "session");
done:
    return status;
}

uint32_t gw_state_dtype(const gw_state_def *state, const uint32_t kv_dtypes[2]) {
    if (state->kind == GW_STATE_BLOCK) return GODWIT_F32;
    const uint32_t dtype = kv_dtypes[state->type == GW_STATE_VALUES];
    // A q8_0 cache of keys has other scales than one of values.
    const bool q8 = dtype == GW_DTYPE_Q8_KEYS || dtype == GW_DTYPE_Q8_VALUES;
    return state->no_q8 && q8 ? GODWIT_F16 : dtype;
}

static uint64_t cache_bytes(const gw_state_def *state, uint32_t dtype, uint32_t n_rows) {
    if (state->kind == GW_STATE_BLOCK) return n_rows * gw_state_block_bytes(state);
    const gw_value cache = {.dtype = dtype,
                            .kind = GW_VALUE_STATE,
                            .n_dims = 3,
                            .dims = {n_rows, state->n_heads, gw_head_row(state->head)}};
    return gw_value_bytes(&cache);
}

uint64_t gw_pool_state_bytes(const gw_model_def *def, uint32_t n_rows) {
    const uint32_t f16[2] = {GODWIT_F16, GODWIT_F16};
    uint64_t bytes = 0;
    for (size_t i = 0; i < def->states.n; i++) {
        const gw_state_def *state = &def->states.items[i];
        const bool block = state->kind == GW_STATE_BLOCK;
        bytes += cache_bytes(state, gw_state_dtype(state, f16), block ? 2 : n_rows);
    }
    return bytes;
}

static void set_row_bytes(gw_pool_state *at, const gw_state_def *state, uint32_t dtype) {
    at->block = state->kind == GW_STATE_BLOCK;
    const uint32_t n = state->n_heads, head = at->block ? state->head : gw_head_row(state->head);
    const bool q8 = dtype == GW_DTYPE_Q8_KEYS || dtype == GW_DTYPE_Q8_VALUES;
    const uint32_t element = q8 ? 1 : dtype == GODWIT_F16 ? 2 : 4;
    const uint32_t group = gw_kv_group(head, dtype == GW_DTYPE_Q8_VALUES);
    at->row_bytes[0] = (uint64_t)n * head * element;
    at->row_bytes[1] = q8 ? 4ull * n * gw_div_up(head, group) : 0;
}

godwit_status gw_pool_create(const gw_model *model, const uint32_t kv_dtypes[2], uint32_t n_rows,
                             uint32_t n_slots, uint32_t n_turns, uint32_t n_drafts,
                             uint32_t n_checkpoints, gw_pool *out_pool, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_host *host = model->backend->host;
    const gw_model_def *def = model->def;
    gw_pool pool = {.backend = model->backend,
                    .n_kv = (uint32_t)def->states.n,
                    .n_rows = n_rows,
                    .n_pages = gw_div_up(n_rows, GW_PAGE_ROWS),
                    .n_slots = n_slots,
                    .n_turns = n_drafts ? 1 + n_drafts : n_turns,
                    .n_drafts = n_drafts,
                    .logits_row_bytes = 4ull * def->h.n_vocab,
                    .n_blocks = gw_def_has_blocks(def) ? 2 * n_slots + n_checkpoints : 0,
                    .n_checkpoints = n_checkpoints};
    pool.n_free = pool.n_pages;
    pool.kv = gw_alloc(host, pool.n_kv, sizeof *pool.kv);
    pool.references = gw_alloc(host, pool.n_pages, sizeof *pool.references);
    GW_CHECK_ALLOC(pool.kv && pool.references, err, "session");
    GW_TRY(make_blocks(&pool, err));
    for (uint32_t i = 0; i < pool.n_kv; i++) {
        const gw_state_def *state = &def->states.items[i];
        const uint32_t dtype = gw_state_dtype(state, kv_dtypes);
        const bool block = state->kind == GW_STATE_BLOCK;
        const uint64_t bytes = cache_bytes(state, dtype, block ? pool.n_blocks : n_rows);
        set_row_bytes(&pool.kv[i], state, dtype);
        if (block) pool.block_bytes += bytes / pool.n_blocks;
        if (block)
            GW_TRY(place_blocks(&pool, &pool.kv[i].slice, bytes, err));
        else
            GW_TRY(place(&pool, &pool.kv[i].slice, bytes, n_rows, "a layer's KV cache",
                         "a context of", err));
        pool.kv_bytes += bytes;
    }
    pool.turn_bytes = n_slots * pool.logits_row_bytes;
    if (!gw_pool_binds_all(&pool)) pool.turn_bytes = GW_ALIGN_UP(pool.turn_bytes, GW_SLICE_ALIGN);
    if (!def->h.both_ways)
        GW_TRY(place(&pool, &pool.logits,
                     (pool.n_turns - 1) * pool.turn_bytes + n_slots * pool.logits_row_bytes,
                     n_slots, "logits", "n_seq", err));
    for (uint32_t i = 0; i < pool.n_stores; i++) {
        GW_TRY(gw_store_create(model->backend, GW_BUFFER_STATES, pool.state_bytes[i], "kv",
                               &pool.states[i], err));
    }
done:
    if (status != GODWIT_OK) gw_pool_destroy(&pool);
    *out_pool = pool;
    return status;
}

void gw_pool_destroy(gw_pool *pool) {
    if (!pool->backend) return;
    const gw_host *host = pool->backend->host;
    for (uint32_t i = 0; i < pool->n_stores; i++) gw_store_destroy(&pool->states[i]);
    gw_free(host, pool->kv, pool->n_kv * sizeof *pool->kv);
    gw_free(host, pool->references, pool->n_pages * sizeof *pool->references);
    gw_free(host, pool->block_references, pool->n_blocks * sizeof *pool->block_references);
    gw_free(host, pool->block_checkpoints, pool->n_blocks * sizeof *pool->block_checkpoints);
    gw_free(host, pool->block_worth, pool->n_blocks * sizeof *pool->block_worth);
    *pool = (gw_pool){0};
}

bool gw_pool_take(gw_pool *pool, uint32_t *out_page) {
    for (uint32_t i = 0; i < pool->n_pages && pool->n_free; i++) {
        if (pool->references[i]) continue;
        pool->references[i] = 1;
        pool->n_free--;
        *out_page = i;
        return true;
    }
    return false;
}

void gw_pool_retain(gw_pool *pool, uint32_t page) {
    pool->references[page]++;
}

void gw_pool_release(gw_pool *pool, uint32_t page) {
    if (--pool->references[page] == 0) pool->n_free++;
}

void gw_pool_rows_of(gw_pool *pool, uint32_t index, gw_pool_rows *out) {
    const gw_slice *slice = &pool->kv[index].slice;
    *out = (gw_pool_rows){.store = &pool->states[slice->buffer - GW_STORE_STATE],
                          .offset = {slice->offset}};
    memcpy(out->row_bytes, pool->kv[index].row_bytes, sizeof out->row_bytes);
    out->offset[1] = slice->offset;
    if (out->row_bytes[1]) out->offset[1] += pool->n_rows * out->row_bytes[0];
}

uint64_t gw_pool_logits_offset(const gw_pool *pool, uint32_t slot, uint32_t turn) {
    return pool->logits.offset + turn * pool->turn_bytes + slot * pool->logits_row_bytes;
}

gw_slice gw_pool_logits(const gw_pool *pool, uint32_t turn) {
    gw_slice slice = pool->logits;
    if (gw_pool_binds_all(pool)) return slice;
    slice.offset += turn * pool->turn_bytes;
    slice.bytes = pool->logits_row_bytes;
    return slice;
}

uint32_t gw_pool_logits_row(const gw_pool *pool, uint32_t slot, uint32_t turn) {
    return gw_pool_binds_all(pool) ? turn * pool->n_slots + slot : 0;
}

godwit_status gw_pool_copy(gw_pool *pool, uint32_t from, uint32_t to, uint32_t n,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t a = (uint64_t)from * GW_PAGE_ROWS, b = (uint64_t)to * GW_PAGE_ROWS;
    for (uint32_t i = 0; i < pool->n_kv; i++) {
        gw_pool_rows rows;
        if (pool->kv[i].block) continue;
        gw_pool_rows_of(pool, i, &rows);
        for (int k = 0; k < 2; k++) {
            const uint64_t bytes = rows.row_bytes[k];
            if (!bytes) continue; // no scales
            GW_TRY(gw_store_copy(rows.store, rows.offset[k] + a * bytes, rows.offset[k] + b * bytes,
                                 n * bytes, err));
        }
    }
done:
    return status;
}
