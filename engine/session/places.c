// Places: what the host writes before a run of where its tokens stand: positions, rows of the caches, tables of
// pages, rows of ropes, blocks, rows of logits.
#include "session/internal.h"

#include "base/status.h"

static godwit_status make_room(gw_batch *b, size_t bytes, godwit_error *err) {
    if (bytes <= b->scratch_bytes) return GODWIT_OK;
    gw_free(b->host, b->scratch, b->scratch_bytes);
    b->scratch_bytes = 0;
    b->scratch = gw_alloc(b->host, bytes, 1);
    if (!b->scratch) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: step");
    b->scratch_bytes = bytes;
    return GODWIT_OK;
}

static godwit_status write_rope(gw_batch *b, const gw_step *step, uint32_t which,
                                const gw_place *places, godwit_error *err) {
    const gw_rope_freqs *rope = &b->ropes[which];
    const size_t row = 2 * (size_t)rope->n_pairs * sizeof(float), bytes = step->n_tok * row;
    if (!step->rope_tables[which].bytes) return GODWIT_OK; // no layer reads it
    godwit_status status = make_room(b, bytes, err);
    if (status != GODWIT_OK) return status;
    for (uint32_t i = 0; i < step->n_tok; i++)
        gw_rope_row(rope, places[i].position, (float *)(void *)(b->scratch + i * row));
    return gw_store_write(step->upload, step->rope_tables[which].offset, b->scratch, bytes, err);
}

static godwit_status write_q_scales(gw_batch *b, const gw_step *step, const gw_place *places,
                                    godwit_error *err) {
    float scales[GW_BATCH_MAX];
    if (!step->q_scales.bytes) return GODWIT_OK;
    for (uint32_t i = 0; i < step->n_tok; i++)
        scales[i] = gw_q_scale_at(&b->model->def->h, places[i].position);
    return gw_store_write(step->upload, step->q_scales.offset, scales, step->n_tok * sizeof *scales,
                          err);
}

// Of windows that are chunks: the last key of each token, then the first.
static godwit_status write_chunks(const gw_batch *b, const gw_step *step, const gw_place *places,
                                  godwit_error *err) {
    int32_t seen[2 * GW_BATCH_MAX];
    if (!step->seen[1].bytes) return GODWIT_OK;
    const uint32_t window = gw_def_window(b->model->def);
    for (uint32_t i = 0; i < step->n_tok; i++) {
        seen[i] = (int32_t)places[i].position;
        seen[step->n_tok + i] = (int32_t)gw_chunk_begin(places[i].position, window);
    }
    return gw_store_write(step->upload, step->seen[1].offset, seen, 2 * step->n_tok * sizeof *seen,
                          err);
}

// A table of pages for each place, or one for all.
static godwit_status write_pages(gw_batch *b, const gw_step *step, const gw_place *places,
                                 godwit_error *err) {
    const size_t bytes = step->pages.bytes, row = (size_t)b->n_pages * 4;
    godwit_status status = make_room(b, bytes, err);
    if (status != GODWIT_OK) return status;
    memset(b->scratch, 0, bytes);
    for (size_t i = 0; i < bytes / row; i++) {
        const gw_session *s = places[i].session;
        memcpy(b->scratch + i * row, s->pages, s->n_pages * sizeof *s->pages);
    }
    return gw_store_write(step->upload, step->pages.offset, b->scratch, bytes, err);
}

// Tokens of one session, one behind the other, with the blocks that they read and write.
static godwit_status write_segments(const gw_step *step, const gw_place *places,
                                    godwit_error *err) {
    enum { FIRST, N, FROM, TO, N_FIELDS };
    int32_t segments[GW_BATCH_MAX][N_FIELDS] = {{0}};
    const uint32_t n_most = (uint32_t)(step->segments.bytes / sizeof *segments);
    uint32_t n = 0;
    for (uint32_t i = 0; i < step->n_tok && n_most; i++) {
        if (places[i].idle) continue;
        const bool goes_on = i && !places[i - 1].idle && places[i - 1].session == places[i].session;
        const gw_session *s = places[i].session;
        if (!goes_on && n == n_most) return GW_BUG(err, "step: more than %u sequences", n_most);
        if (!goes_on) {
            const int32_t made[N_FIELDS] = {(int32_t)i, 0, s->block, s->next_block};
            memcpy(segments[n++], made, sizeof made);
        }
        segments[n - 1][N]++;
    }
    return gw_store_write(step->upload, step->segments.offset, segments, n_most * sizeof *segments,
                          err);
}

// Of a decoder behind an encoder: the last key of that one's text; its own position, and the first one behind the text.
static godwit_status write_texts(const gw_step *step, const gw_place *places, godwit_error *err) {
    int32_t text[GW_BATCH_MAX], own[2 * GW_BATCH_MAX];
    const uint32_t n = step->n_tok;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t n_encoded = places[i].session->n_encoded;
        text[i] = n_encoded ? (int32_t)n_encoded - 1 : 0;
        own[i] = (int32_t)places[i].position;
        own[n + i] = (int32_t)n_encoded;
    }
    godwit_status status =
        gw_store_write(step->upload, step->seen[0].offset, text, n * sizeof *text, err);
    if (status != GODWIT_OK) return status;
    return gw_store_write(step->upload, step->seen[1].offset, own, 2 * n * sizeof *own, err);
}

godwit_status gw_places_write(gw_batch *b, const gw_step *step, const gw_place *places,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t positions[GW_BATCH_MAX], rows[GW_BATCH_MAX];
    for (uint32_t i = 0; i < step->n_tok; i++) {
        positions[i] = (int32_t)places[i].position;
        rows[i] = places[i].idle || places[i].again
                      ? -1
                      : (int32_t)gw_session_row(places[i].session, places[i].position);
    }
    const size_t bytes = step->n_tok * sizeof *rows;
    GW_TRY(gw_store_write(step->upload, step->positions.offset, positions, bytes, err));
    GW_TRY(gw_store_write(step->upload, step->kv_rows.offset, rows, bytes, err));
    GW_TRY(write_pages(b, step, places, err));
    for (uint32_t i = 0; i < b->model->def->h.n_ropes; i++)
        GW_TRY(write_rope(b, step, i, places, err));
    GW_TRY(write_q_scales(b, step, places, err));
    if (b->model->def->h.encodes)
        GW_TRY(write_texts(step, places, err));
    else
        GW_TRY(write_chunks(b, step, places, err));
    if (step->segments.bytes) GW_TRY(write_segments(step, places, err));
    // The logits of the last token of a prompt, or of the last ones.
    const uint32_t n = (uint32_t)(step->slots.bytes / sizeof *rows), first = step->n_tok - n;
    for (uint32_t i = 0; i < n; i++)
        rows[i] = places[first + i].idle || places[first + i].quiet
                      ? -1
                      : (int32_t)gw_pool_logits_row(&b->pool, places[first + i].session->slot,
                                                    places[first + i].turn);
    GW_TRY(gw_store_write(step->upload, step->slots.offset, rows, n * sizeof *rows, err));
done:
    return status;
}
