// Hf Unigram: T5's and XLM-RoBERTa's vocabularies of a tokenizer.json.
#include "convert/hf_tokens.h"

#include "base/status.h"

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

godwit_status gw_hf_base64(gw_arena *arena, gw_str text, gw_str *out, godwit_error *err) {
    uint32_t bits = 0;
    int n_bits = 0;
    size_t n = 0;
    *out = (gw_str){0};
    while (text.n && text.text[text.n - 1] == '=') text.n--;
    char *bytes = gw_arena_alloc(arena, text.n / 4 * 3 + 4, 1);
    if (!bytes) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: base64");
    for (size_t i = 0; i < text.n; i++) {
        const int digit = base64_digit(text.text[i]);
        if (digit < 0) return GODWIT_OK;
        bits = bits << 6 | (uint32_t)digit;
        n_bits += 6;
        if (n_bits < 8) continue;
        n_bits -= 8;
        bytes[n++] = (char)(bits >> n_bits & 255);
    }
    *out = (gw_str){bytes, n};
    return GODWIT_OK;
}

// What a normalizer does, of what GGUF can say.
typedef struct rules {
    gw_str map;         // of characters; base64
    bool merges_spaces; // several are one
} rules;

static godwit_status read_rules(const gw_json *node, int depth, rules *out, godwit_error *err) {
    const gw_json *type = gw_json_get(node, "type");
    godwit_status status = GODWIT_OK;
    if (gw_json_is_null(node)) return GODWIT_OK;
    if (gw_json_is(type, "Sequence") && depth == 0) {
        const gw_json *list = gw_json_get(node, "normalizers");
        for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
            GW_TRY(read_rules(item, 1, out, err));
        }
        return GODWIT_OK;
    }
    if (gw_json_is(type, "Precompiled") && !out->map.text &&
        gw_json_str(gw_json_get(node, "precompiled_charsmap"), &out->map)) {
        return GODWIT_OK;
    }
    // Spaces at the ends, and several in a row: what SentencePiece calls extra.
    if (gw_json_is(type, "Replace") &&
        gw_json_is(gw_json_get(gw_json_get(node, "pattern"), "Regex"), " {2,}")) {
        out->merges_spaces = true;
        return GODWIT_OK;
    }
    if (gw_json_is(type, "Strip") || gw_json_is(type, "Nmt")) return GODWIT_OK;
    gw_str name = GW_STR("?");
    gw_json_str(type, &name);
    GW_FAIL(err, GODWIT_UNSUPPORTED, "normalizer: %.*s is not supported in Unigram",
            GW_STR_ARG(name));
done:
    return status;
}

static godwit_status read_spaces(const gw_json *node, int depth, rules *out, bool *prepends,
                                 godwit_error *err) {
    const gw_json *type = gw_json_get(node, "type");
    godwit_status status = GODWIT_OK;
    if (gw_json_is(type, "Sequence") && depth == 0) {
        const gw_json *list = gw_json_get(node, "pretokenizers");
        for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
            GW_TRY(read_spaces(item, 1, out, prepends, err));
        }
        return GODWIT_OK;
    }
    if (gw_json_is(type, "WhitespaceSplit")) {
        out->merges_spaces = true;
        return GODWIT_OK;
    }
    if (gw_json_is(type, "Metaspace") &&
        gw_json_is(gw_json_get(node, "replacement"), GW_TOKEN_SPACE)) {
        const gw_json *scheme = gw_json_get(node, "prepend_scheme");
        gw_json_bool(gw_json_get(node, "add_prefix_space"), prepends);
        if (scheme) *prepends = !gw_json_is(scheme, "never");
        return GODWIT_OK;
    }
    gw_str name = GW_STR("(none)");
    gw_json_str(type, &name);
    GW_FAIL(err, GODWIT_UNSUPPORTED,
            "pre_tokenizer: %.*s is not supported in Unigram; Metaspace is", GW_STR_ARG(name));
done:
    return status;
}

static godwit_status read_vocab(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *list = gw_json_get(t->model, "vocab");
    uint64_t unknown = UINT64_MAX, id = 0;
    bool falls_back = false;
    if (!list || list->type != GW_JSON_ARRAY) {
        GW_FAIL(err, GODWIT_MALFORMED, "model.vocab: no list of texts and scores");
    }
    gw_json_u64(gw_json_get(t->model, "unk_id"), &unknown);
    gw_json_bool(gw_json_get(t->model, "byte_fallback"), &falls_back);
    GW_TRY(gw_name_index_init(&t->index, &t->hf->arena, list->n, err));
    for (const gw_json *item = list->first; item; item = item->next, id++) {
        gw_str text;
        double score = 0;
        if (item->type != GW_JSON_ARRAY || item->n != 2 || !gw_json_str(item->first, &text) ||
            !gw_json_f64(item->first->next, &score) || !(score > -3e38 && score < 3e38)) {
            GW_FAIL(err, GODWIT_MALFORMED, "model.vocab: item %llu is no text with a score",
                    (unsigned long long)id);
        }
        uint8_t kind = id == unknown                             ? GW_TOKEN_UNKNOWN
                       : falls_back && gw_hf_is_byte_token(text) ? GW_TOKEN_BYTE
                                                                 : GW_TOKEN_NORMAL;
        GW_TRY(gw_hf_put_token(t, text, id, kind, err));
        GW_TRY(gw_name_index_add(&t->index, text, (uint32_t)id, err));
        t->scores[id] = (float)score;
    }
done:
    return status;
}

godwit_status gw_hf_unigram(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_writer *writer = t->hf->writer;
    rules r = {.merges_spaces = false};
    bool prepends = true;
    gw_str map = {0};
    t->scores = gw_arena_alloc(&t->hf->arena, t->n, sizeof *t->scores);
    GW_CHECK_ALLOC(t->scores, err, "token scores");
    GW_TRY(read_rules(gw_json_get(t->hf->tokenizer, "normalizer"), 0, &r, err));
    GW_TRY(read_spaces(gw_json_get(t->hf->tokenizer, "pre_tokenizer"), 0, &r, &prepends, err));
    GW_TRY(read_vocab(t, err));
    GW_TRY(gw_gguf_writer_set_str(writer, "tokenizer.ggml.model", GW_STR("t5"), err));
    GW_TRY(gw_gguf_writer_set_str(writer, "tokenizer.ggml.pre", GW_STR("default"), err));
    GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.add_space_prefix", prepends, err));
    GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.remove_extra_whitespaces", r.merges_spaces, err));
    if (prepends && !r.merges_spaces) {
        gw_log(t->hf->host, GODWIT_LOG_INFO,
               "%s: Metaspace puts no space in front of a text that begins with one, GGUF's 't5' "
               "tokenizer does",
               t->hf->folder);
    }
    if (r.map.text) GW_TRY(gw_hf_base64(&t->hf->arena, r.map, &map, err));
    if (r.map.text && !map.text) GW_FAIL(err, GODWIT_MALFORMED, "precompiled_charsmap: not base64");
    if (map.n) {
        GW_TRY(gw_gguf_writer_set_array(writer, "tokenizer.ggml.precompiled_charsmap", GW_GGUF_U8,
                                        map.text, map.n, err));
    }
done:
    return status;
}
