// What a session file has of sampling: SMPL, then what is done to logits (SMPX) and what leaves tokens out
// (SMPF), where there is any.
#include "session/load.h"

static godwit_status check_sampling(const gw_walk *w, godwit_error *err) {
    if (gw_sampling_check(&w->info.sampling, err) == GODWIT_OK) return GODWIT_OK;
    const godwit_status status =
        gw_note(err, GODWIT_MALFORMED, "session file: chunk %u (%s)", w->chunk.index, w->chunk.tag);
    if (err) err->status = status;
    return status;
}

static godwit_status read_sampler(gw_walk *w, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    godwit_sample_params *p = &w->info.sampling;
    GW_TRY(gw_load_next_of(w, GW_TAG_SAMPLER, GW_SAVED_SAMPLER_BYTES, err));
    *p = (godwit_sample_params){.struct_size = sizeof *p,
                                .temp = gw_from_bits(gw_load_word(w, 0)),
                                .top_k = gw_load_word(w, 4),
                                .top_p = gw_from_bits(gw_load_word(w, 8)),
                                .min_p = gw_from_bits(gw_load_word(w, 12)),
                                .seed = gw_le64(w->chunk.bytes + 16)};
    GW_TRY(check_sampling(w, err));
    if (gw_le64(w->chunk.bytes + 24) != w->info.n_tokens) {
        status = GW_LOAD_FAIL(w, GODWIT_MALFORMED, "position %llu of the draws after %u tokens",
                              (unsigned long long)gw_le64(w->chunk.bytes + 24), w->info.n_tokens);
    }
done:
    return status;
}

// Breakers, then sequences of them, which -1 ends.
static godwit_status read_breakers(gw_walk *w, size_t at, uint32_t n, uint32_t n_sequences,
                                   godwit_error *err) {
    godwit_sample_params *p = &w->info.sampling;
    p->dry_multiplier = gw_from_bits(gw_load_word(w, 20));
    p->dry_base = gw_from_bits(gw_load_word(w, 24));
    p->dry_allowed_length = gw_load_word(w, 28);
    p->dry_last_n = gw_load_word(w, 32);
    p->n_dry_breakers = n;
    p->n_dry_sequences = n_sequences;
    godwit_status status = gw_ids_reserve(&w->breakers, w->host, (size_t)n + n_sequences, err);
    for (uint32_t i = 0; i < n + n_sequences && status == GODWIT_OK; i++) {
        const uint32_t id = gw_load_word(w, at + 4 * (size_t)i);
        if (id >= w->info.n_vocab && (i < n || id != UINT32_MAX))
            status = GW_LOAD_FAIL(w, GODWIT_MALFORMED, "breaker %u", id);
        w->breakers.items[w->breakers.n++] = (int32_t)id;
    }
    p->dry_breakers = w->breakers.items;
    p->dry_sequences = n_sequences ? w->breakers.items + n : NULL;
    return status;
}

// What is done to logits; something is, or there would be no chunk of it.
static godwit_status read_changes(gw_walk *w, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    godwit_sample_params *p = &w->info.sampling;
    if (!w->has_changes) return GODWIT_OK;
    GW_TRY(gw_load_next(w, GW_TAG_CHANGES, err));
    const uint8_t *bytes = w->chunk.bytes;
    const size_t n_bytes = w->chunk.n_bytes;
    const uint32_t n = n_bytes < GW_SAVED_CHANGES_BYTES ? 0 : gw_load_word(w, 16);
    const uint32_t n_breakers = n_bytes < GW_SAVED_CHANGES_BYTES ? 0 : gw_load_word(w, 36);
    const uint32_t n_sequences = n_bytes < GW_SAVED_CHANGES_BYTES ? 0 : gw_load_word(w, 40);
    uint64_t zero = 1;
    const size_t wanted =
        GW_SAVED_CHANGES_BYTES + 8 * (size_t)n + 4 * ((size_t)n_breakers + n_sequences);
    if (n <= GODWIT_LOGIT_BIAS_MAX && n_bytes == wanted && n_bytes < UINT32_MAX)
        zero = gw_load_word(w, 44) | gw_le64(bytes + 48) | gw_le64(bytes + 56);
    if (zero) {
        status = GW_LOAD_FAIL(w, GODWIT_MALFORMED, "%zu bytes, %u biases of logits, %u breakers",
                              n_bytes, n, n_breakers);
        goto done;
    }
    p->repeat_penalty = gw_from_bits(gw_load_word(w, 0));
    p->frequency_penalty = gw_from_bits(gw_load_word(w, 4));
    p->presence_penalty = gw_from_bits(gw_load_word(w, 8));
    p->penalty_last_n = gw_load_word(w, 12);
    for (uint32_t i = 0; i < n; i++) {
        godwit_logit_bias *bias = gw_vec_push(&w->bias, w->host);
        GW_CHECK_ALLOC(bias, err, "session file");
        const uint32_t id = gw_load_word(w, GW_SAVED_CHANGES_BYTES + 8 * i);
        bias->id = (int32_t)id;
        bias->bias = gw_from_bits(gw_load_word(w, GW_SAVED_CHANGES_BYTES + 8 * i + 4));
        if (id < w->info.n_vocab) continue;
        status = GW_LOAD_FAIL(w, GODWIT_MALFORMED, "a bias of token %u of %u", id, w->info.n_vocab);
        goto done;
    }
    GW_TRY(read_breakers(w, GW_SAVED_CHANGES_BYTES + 8 * (size_t)n, n_breakers, n_sequences, err));
    p->logit_bias = w->bias.items;
    p->n_logit_bias = n;
    GW_TRY(check_sampling(w, err));
    if (!gw_sample_changes_logits(p)) {
        status = GW_LOAD_FAIL(w, GODWIT_MALFORMED, "nothing is done to logits");
    }
done:
    return status;
}

// What leaves tokens out.
static godwit_status read_filters(gw_walk *w, godwit_error *err) {
    if (!w->has_filters) return GODWIT_OK;
    godwit_status status = gw_load_next_of(w, GW_TAG_FILTERS, GW_SAVED_FILTERS_BYTES, err);
    if (status != GODWIT_OK) return status;
    if (!gw_saved_filters_get(w->chunk.bytes, &w->info.sampling, &w->has_mu, &w->mu))
        return GW_LOAD_FAIL(w, GODWIT_MALFORMED,
                            "none that leave tokens out, or others than there are");
    return check_sampling(w, err);
}

godwit_status gw_load_sampling(gw_walk *w, godwit_error *err) {
    godwit_status status = read_sampler(w, err);
    if (status == GODWIT_OK) status = read_changes(w, err);
    return status == GODWIT_OK ? read_filters(w, err) : status;
}
