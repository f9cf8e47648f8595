// Hf SPM: SentencePiece-style BPE of a tokenizer.json.
//
// Such a file was made from a SentencePiece model: its merges are, for each token in the order of
// its score, every way to put it together of two others. A reader of GGUF merges any two neighbours
// whose joined text is a token, the one of the highest score first; so the files mean the same
// where every such pair is a merge, and the merges of a token stand together.
#include "convert/hf_tokens.h"

#include "base/status.h"

// --- spaces --------------------------------------------------------------------------------------

static godwit_status unknown(const char *what, const gw_json *node, godwit_error *err) {
    gw_str type = GW_STR("(none)");
    gw_json_str(gw_json_get(node, "type"), &type);
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "%s: %.*s is not supported with byte_fallback; Prepend and Replace of spaces by "
                   "U+2581, or Metaspace, are",
                   what, GW_STR_ARG(type));
}

// The normalizer's way: Replace of " ", and maybe Prepend.
static godwit_status read_normalizer(const gw_json *node, bool *out_prepends, bool *out_replaces,
                                     godwit_error *err) {
    if (gw_json_is_null(node)) return GODWIT_OK;
    const gw_json *type = gw_json_get(node, "type");
    if (gw_json_is(type, "Sequence")) {
        const gw_json *list = gw_json_get(node, "normalizers");
        for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
            // Only one level: a Sequence in a Sequence is no more than a Sequence.
            if (gw_json_is(gw_json_get(item, "type"), "Sequence")) {
                return unknown("normalizer", item, err);
            }
            godwit_status status = read_normalizer(item, out_prepends, out_replaces, err);
            if (status != GODWIT_OK) return status;
        }
        return GODWIT_OK;
    }
    if (gw_json_is(type, "Prepend") && gw_json_is(gw_json_get(node, "prepend"), GW_TOKEN_SPACE)) {
        *out_prepends = true;
        return GODWIT_OK;
    }
    if (gw_json_is(type, "Replace") && gw_json_is(gw_json_get(node, "content"), GW_TOKEN_SPACE) &&
        gw_json_is(gw_json_get(gw_json_get(node, "pattern"), "String"), " ")) {
        *out_replaces = true;
        return GODWIT_OK;
    }
    return unknown("normalizer", node, err);
}

static godwit_status read_spaces(const gw_hf_tokens *t, bool *out_prepends, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool replaces = false;
    const gw_json *pre = gw_json_get(t->hf->tokenizer, "pre_tokenizer");
    const gw_json *normalizer = gw_json_get(t->hf->tokenizer, "normalizer");
    *out_prepends = false;
    GW_TRY(read_normalizer(normalizer, out_prepends, &replaces, err));
    // Gemma's: a cut at spaces, of which the normalizer has left none.
    const bool idle = replaces && gw_json_is(gw_json_get(pre, "type"), "Split") &&
                      gw_json_is(gw_json_get(gw_json_get(pre, "pattern"), "String"), " ");
    if (!gw_json_is_null(pre) && !idle) {
        bool prefix = true;
        if (!gw_json_is(gw_json_get(pre, "type"), "Metaspace") || replaces || *out_prepends ||
            !gw_json_is(gw_json_get(pre, "replacement"), GW_TOKEN_SPACE)) {
            return unknown("pre_tokenizer", pre, err);
        }
        gw_json_bool(gw_json_get(pre, "add_prefix_space"), &prefix);
        const gw_json *scheme = gw_json_get(pre, "prepend_scheme");
        gw_log(t->hf->host, GODWIT_LOG_INFO,
               "%s: Metaspace puts no space in front of a text that begins with one, GGUF's "
               "'llama' tokenizer does",
               t->hf->folder);
        *out_prepends = scheme ? !gw_json_is(scheme, "never") : prefix;
    } else if (!replaces) {
        return unknown("normalizer", normalizer, err);
    }
done:
    return status;
}

// --- scores --------------------------------------------------------------------------------------

static godwit_status find(const gw_hf_tokens *t, gw_str text, uint32_t merge, uint32_t *out_id,
                          godwit_error *err) {
    *out_id = gw_name_index_find(&t->index, text);
    if (*out_id != GW_NAME_NONE) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "model.merges: item %u: '%.*s' is no token", merge,
                   GW_STR_ARG(text));
}

// The joined text as a token: it may lie anywhere, so it is put together in buffer.
static godwit_status result_of(const gw_hf_tokens *t, uint32_t merge, char *buffer,
                               size_t buffer_bytes, uint32_t *out_id, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hf_merge *m = &t->merges[merge];
    uint32_t unused = 0;
    GW_TRY(find(t, m->left, merge, &unused, err));
    GW_TRY(find(t, m->right, merge, &unused, err));
    if (m->left.n + m->right.n > buffer_bytes) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "model.merges: item %u makes a text of over %zu bytes",
                merge, buffer_bytes);
    }
    memcpy(buffer, m->left.text, m->left.n);
    memcpy(buffer + m->left.n, m->right.text, m->right.n);
    GW_TRY(find(t, (gw_str){buffer, m->left.n + m->right.n}, merge, out_id, err));
done:
    return status;
}

// Whether a token may take part in merges: control and byte tokens do not.
static bool merges(const gw_hf_tokens *t, gw_str text) {
    uint32_t id = gw_name_index_find(&t->index, text);
    return id != GW_NAME_NONE && t->kinds[id] == GW_TOKEN_NORMAL;
}

// Ways to put a token together of two others.
static uint32_t ways(const gw_hf_tokens *t, gw_str text) {
    uint32_t n = 0;
    for (size_t i = 1; i < text.n; i++) {
        if (((uint8_t)text.text[i] & 0xc0) == 0x80) continue; // inside of a character
        n += merges(t, (gw_str){text.text, i}) && merges(t, (gw_str){text.text + i, text.n - i});
    }
    return n;
}

static godwit_status not_spm(const gw_hf_tokens *t, uint32_t id, const char *why,
                             godwit_error *err) {
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "model.merges: token '%.*s' %s: these merges were not made from a SentencePiece "
                   "vocabulary, and GGUF's 'llama' tokenizer would merge in another order",
                   GW_STR_ARG(t->texts[id]), why);
}

static godwit_status set_scores(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char buffer[1024];
    uint32_t rank = 0, last = GW_NAME_NONE;
    uint32_t *n_ways = gw_arena_alloc(&t->hf->arena, t->n, sizeof *n_ways);
    t->scores = gw_arena_alloc(&t->hf->arena, t->n, sizeof *t->scores);
    GW_CHECK_ALLOC(n_ways && t->scores, err, "token scores");
    for (uint32_t i = 0; i < t->n_merges; i++) {
        uint32_t id = 0;
        GW_TRY(result_of(t, i, buffer, sizeof buffer, &id, err));
        if (id != last && n_ways[id]) {
            status = not_spm(t, id, "comes up again behind others", err);
            goto done;
        }
        if (id != last) t->scores[id] = -(float)rank++;
        n_ways[id]++;
        last = id;
    }
    for (uint32_t id = 0; id < t->n; id++) {
        if (t->kinds[id] != GW_TOKEN_NORMAL) continue;
        // Longer ones no merge makes (result_of), and looking at them takes the square of that.
        if (t->texts[id].n > sizeof buffer) {
            GW_FAIL(err, GODWIT_UNSUPPORTED, "model.vocab: token %u has over %zu bytes", id,
                    sizeof buffer);
        }
        if (n_ways[id] != ways(t, t->texts[id])) {
            status = not_spm(t, id, "can be put together in ways that are no merges", err);
            goto done;
        }
        // What nothing is merged into, such as single characters, comes last, as in those models.
        if (n_ways[id] == 0) t->scores[id] = -(float)rank++;
    }
done:
    return status;
}

// Metaspace with split cuts a text before each space, so no merge may cross one; a vocabulary
// without such tokens gives the same either way.
static godwit_status check_words(const gw_hf_tokens *t, godwit_error *err) {
    const gw_json *pre = gw_json_get(t->hf->tokenizer, "pre_tokenizer");
    bool split = gw_json_is(gw_json_get(pre, "type"), "Metaspace");
    gw_json_bool(gw_json_get(pre, "split"), &split);
    if (!split) return GODWIT_OK;
    for (uint32_t id = 0; id < t->n; id++) {
        gw_str text = t->texts[id];
        if (t->kinds[id] != GW_TOKEN_NORMAL) continue;
        for (size_t i = 1; i + 3 <= text.n; i++) {
            if (memcmp(text.text + i, GW_TOKEN_SPACE, 3) != 0) continue;
            return gw_fail(err, GODWIT_UNSUPPORTED,
                           "pre_tokenizer: Metaspace splits at spaces, but token '%.*s' has one "
                           "inside",
                           GW_STR_ARG(text));
        }
    }
    return GODWIT_OK;
}

godwit_status gw_hf_spm(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool prepends = false;
    gw_gguf_writer *writer = t->hf->writer;
    GW_TRY(read_spaces(t, &prepends, err));
    if (t->hf->sentencepiece.text) {
        GW_TRY(gw_hf_sentencepiece_scores(t, err));
    } else {
        GW_TRY(set_scores(t, err));
    }
    GW_TRY(check_words(t, err));
    GW_TRY(gw_gguf_writer_set_str(writer, "tokenizer.ggml.model", GW_STR("llama"), err));
    GW_TRY(gw_gguf_writer_set_str(writer, "tokenizer.ggml.pre", GW_STR("default"), err));
    GW_TRY(gw_gguf_writer_set_number(writer, "tokenizer.ggml.add_space_prefix", GW_GGUF_BOOL,
                                     &prepends, err));
done:
    return status;
}

godwit_status gw_hf_spm_bpe(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool prepends = false;
    GW_TRY(read_spaces(t, &prepends, err));
    if (prepends) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "normalizer: Prepend is not supported in this family");
    }
    GW_TRY(gw_gguf_writer_set_str(t->hf->writer, "tokenizer.ggml.model", GW_STR("gemma4"), err));
    GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.add_space_prefix", false, err));
done:
    return status;
}
