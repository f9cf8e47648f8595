// States: see saved.h. Rows of keys, values and logits, from where a session keeps them to the form
// of a file, and back: a row is its heads, one behind the other, without what stands behind a head
// on the device; of q8_0 first all quants of the row, then its scales.
#include "session/saved.h"

#include "base/status.h"
#include "file/session_file.h"
#include "ops/kv.h"

#include <stdio.h>
#include <string.h>

static uint32_t n_scales(const gw_state *state) {
    return state->group ? state->n_heads * ((state->head + state->group - 1) / state->group) : 0;
}

static uint32_t element_bytes(const gw_state *state) {
    return state->dtype == GODWIT_F32 ? 4 : state->dtype == GODWIT_F16 ? 2 : 1;
}

void gw_state_at(const gw_state_shape *shape, uint32_t index, gw_state *out) {
    static const godwit_dtype dtypes[] = {GODWIT_F16, GODWIT_F32, GODWIT_Q8_0}; // of godwit_kv
    const gw_state_def logits = {.name = "logits",
                                 .kind = GW_STATE_BLOCK,
                                 .type = GW_STATE_LOGITS,
                                 .n_heads = 1,
                                 .head = shape->n_vocab};
    const gw_state_def *def = index == shape->n_states ? &logits : &shape->states[index];
    const bool values = def->type == GW_STATE_VALUES, block = def->kind == GW_STATE_BLOCK;
    godwit_kv kv = shape->kv[values];
    if (def->no_q8 && kv == GODWIT_KV_Q8_0) kv = GODWIT_KV_F16; // as the pool has it
    *out = (gw_state){.kind = def->kind,
                      .layer = def->layer,
                      .dtype = block ? GODWIT_F32 : dtypes[kv],
                      .n_heads = def->n_heads,
                      .head = def->head};
    snprintf(out->name, sizeof out->name, "%s", def->name);
    if (out->dtype == GODWIT_Q8_0) {
        // A head is turned before it is rounded, and what stood behind it with it.
        out->head = gw_head_row(def->head);
        out->group = gw_kv_group(out->head, values);
    }
    out->row_bytes = (uint64_t)out->n_heads * out->head * element_bytes(out) + 4ull * n_scales(out);
}

void gw_states_alike(const gw_state_shape *shape, uint32_t n_layer, uint32_t *out_n_heads,
                     uint32_t *out_head) {
    const gw_state_def *first = &shape->states[0];
    bool alike = shape->n_states == 2 * n_layer;
    for (uint32_t i = 0; i < shape->n_states && alike; i++) {
        const gw_state_def *s = &shape->states[i];
        alike = s->kind == GW_STATE_ROWS && s->layer == i / 2 && s->n_heads == first->n_heads &&
                s->head == first->head && s->type == (i % 2 ? GW_STATE_VALUES : GW_STATE_KEYS);
    }
    *out_n_heads = alike ? first->n_heads : 0;
    *out_head = alike ? first->head : 0;
}

void gw_state_put(const gw_state *state, uint32_t first, uint32_t n, uint8_t *out) {
    const uint32_t words[] = {(uint32_t)state->kind,
                              state->layer,
                              (uint32_t)state->dtype,
                              state->group,
                              2,
                              state->n_heads,
                              state->head,
                              first,
                              n};
    memset(out, 0, GW_SAVED_STATE_BYTES);
    memcpy(out, state->name, sizeof state->name);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        gw_put_le32(out + 16 + 4 * i, words[i]);
}

void gw_session_shape(const gw_session *s, gw_state_shape *out) {
    const gw_model_def *def = s->model->def;
    *out = (gw_state_shape){.states = def->states.items,
                            .n_states = (uint32_t)def->states.n,
                            .n_vocab = def->h.n_vocab};
    for (int i = 0; i < 2; i++) {
        out->kv[i] = s->batch->kv_dtypes[i] == GODWIT_F32   ? GODWIT_KV_F32
                     : s->batch->kv_dtypes[i] == GODWIT_F16 ? GODWIT_KV_F16
                                                            : GODWIT_KV_Q8_0;
    }
}

// Where rows of a state lie in the pool; the logits, behind the model's, are elements alone.
static void find(gw_session *s, uint32_t index, const gw_state *state, gw_pool_rows *out) {
    gw_pool *pool = &s->batch->pool;
    if (index < pool->n_kv) {
        gw_pool_rows_of(pool, index, out);
        return;
    }
    const uint64_t offset = gw_pool_logits_offset(pool, 0, s->turn);
    *out = (gw_pool_rows){.store = &pool->states[pool->logits.buffer - GW_STORE_STATE],
                          .offset = {offset, offset},
                          .row_bytes = {state->row_bytes}};
}

// One row, between the two runs of a session and a file; to_file says which way.
static void move_row(const gw_state *state, const gw_pool_rows *r, uint8_t *quants, uint8_t *scales,
                     uint8_t *row, bool to_file) {
    const size_t n = (size_t)state->head * element_bytes(state);
    const uint64_t head_bytes = r->row_bytes[0] / state->n_heads; // with what stands behind it
    for (uint32_t h = 0; h < state->n_heads; h++, row += n, quants += head_bytes) {
        if (to_file)
            memcpy(row, quants, n);
        else
            memcpy(quants, row, n); // what is behind stays 0
    }
    if (to_file)
        memcpy(row, scales, r->row_bytes[1]);
    else
        memcpy(scales, row, r->row_bytes[1]);
}

// n rows from row `first` of the memory on.
static godwit_status move_span(gw_session *s, uint32_t index, const gw_state *state, uint32_t first,
                               uint32_t n, uint8_t *rows, bool to_file, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_pool_rows r;
    find(s, index, state, &r);
    const size_t n_bytes = n * (size_t)(r.row_bytes[0] + r.row_bytes[1]);
    uint8_t *stored = gw_alloc(s->host, n_bytes, 1);
    GW_CHECK_ALLOC(stored, err, "rows of a state");
    uint8_t *scales = stored + n * r.row_bytes[0];
    uint8_t *const parts[2] = {stored, scales};
    for (int i = 0; to_file && i < 2; i++) {
        GW_TRY(gw_store_read(r.store, r.offset[i] + first * r.row_bytes[i], parts[i],
                             n * r.row_bytes[i], err));
    }
    for (uint32_t i = 0; i < n; i++) {
        move_row(state, &r, stored + i * r.row_bytes[0], scales + i * r.row_bytes[1],
                 rows + i * state->row_bytes, to_file);
    }
    for (int i = 0; !to_file && i < 2; i++) {
        GW_TRY(gw_store_write(r.store, r.offset[i] + first * r.row_bytes[i], parts[i],
                              n * r.row_bytes[i], err));
    }
done:
    gw_free(s->host, stored, n_bytes);
    return status;
}

// Positions lie by pages, the logits in the session's slot, other blocks in its block.
static godwit_status move_rows(gw_session *s, uint32_t index, uint32_t first, uint32_t n,
                               uint8_t *rows, bool to_file, godwit_error *err) {
    gw_state_shape shape;
    gw_state state;
    gw_session_shape(s, &shape);
    gw_state_at(&shape, index, &state);
    const uint32_t row = index < shape.n_states ? (uint32_t)s->block : s->slot;
    if (state.kind == GW_STATE_BLOCK)
        return move_span(s, index, &state, row, n, rows, to_file, err);
    for (uint32_t done = 0; done < n;) {
        const uint32_t at = first + done, left = GW_PAGE_ROWS - at % GW_PAGE_ROWS;
        const uint32_t some = n - done < left ? n - done : left;
        godwit_status status = move_span(s, index, &state, gw_session_row(s, at), some,
                                         rows + done * state.row_bytes, to_file, err);
        if (status != GODWIT_OK) return status;
        done += some;
    }
    return GODWIT_OK;
}

godwit_status gw_session_read_rows(gw_session *s, uint32_t index, uint32_t first, uint32_t n,
                                   uint8_t *out, godwit_error *err) {
    return move_rows(s, index, first, n, out, true, err);
}

godwit_status gw_session_write_rows(gw_session *s, uint32_t index, uint32_t first, uint32_t n,
                                    const uint8_t *rows, godwit_error *err) {
    return move_rows(s, index, first, n, (uint8_t *)(uintptr_t)rows, false, err);
}
