// Encode: sequences of models with an encoder in front of the decoder (T5).
//
// Their first tokens are the encoder's text. It sees both ways, so it is worked on whole, in one run, and what the
// decoder's layers read of it, keys and values, are the rows of these positions. Behind them stand the decoder's tokens,
// the first of which is the model's. So pages, forks and files have such a sequence as any other one; but the text is
// kept whole or not at all, and no other sequence has a part of it.
#include "session/internal.h"

#include "base/status.h"

bool gw_session_wants_text(const gw_session *s) {
    return s->model->def->h.encodes && s->n_past == 0;
}

godwit_status gw_session_encode(gw_session *s, const int32_t *ids, size_t n_ids,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_batch *b = s->batch;
    gw_step *step = NULL;
    if (n_ids > GW_TEXT_MAX || n_ids >= b->n_ctx) {
        GW_FAIL(err, GODWIT_CONTEXT_FULL,
                "session: the encoder's text of %zu tokens and the decoder's first one pass %u; a "
                "context (n_ctx, --ctx) holds both, and a text has at most %d",
                n_ids, b->n_ctx, GW_TEXT_MAX);
    }
    const uint32_t n = (uint32_t)n_ids;
    GW_TRY(gw_session_own_pages(s, n, err));
    GW_TRY(gw_ids_reserve(&s->ids, s->host, n, err));
    GW_TRY(gw_step_find(b, GW_STEP_ENCODE, gw_text_run(n), 0, &step, err));
    GW_TRY(gw_text_write(b, step, ids, n, s->pages, s->n_pages, err));
    GW_TRY(gw_session_run_prompt(s, step, err));
    gw_session_append_prompt(s, ids, n);
    s->has_logits = false;
    s->n_encoded = n;
done:
    return status;
}

godwit_status gw_session_begin(gw_session *s, const int32_t *ids, size_t n_ids, godwit_error *err) {
    const int32_t start = (int32_t)s->model->def->h.decoder_start;
    godwit_status status = gw_session_encode(s, ids, n_ids, err);
    if (status == GODWIT_OK) status = gw_session_feed(s, &start, 1, err);
    if (status != GODWIT_OK) (void)gw_session_truncate(s, 0, NULL); // of nothing it cannot fail
    return status;
}
