// Hf WordPiece: BERT's vocabulary of a tokenizer.json.
//
// GGUF writes a space (U+2581) in front of tokens that begin words and drops the "##" of those that go on.
#include "convert/hf_tokens.h"

#include "base/status.h"

static godwit_status check(const gw_hf_tokens *t, godwit_error *err) {
    const gw_json *normalizer = gw_json_get(t->hf->tokenizer, "normalizer");
    const gw_json *pre = gw_json_get(t->hf->tokenizer, "pre_tokenizer");
    const gw_json *prefix = gw_json_get(t->model, "continuing_subword_prefix");
    bool clean = true, ideographs = true;
    uint64_t most = 100;
    gw_json_bool(gw_json_get(normalizer, "clean_text"), &clean);
    gw_json_bool(gw_json_get(normalizer, "handle_chinese_chars"), &ideographs);
    gw_json_u64(gw_json_get(t->model, "max_input_chars_per_word"), &most);
    if (!gw_json_is(gw_json_get(normalizer, "type"), "BertNormalizer") || !clean || !ideographs ||
        !gw_json_is(gw_json_get(pre, "type"), "BertPreTokenizer")) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "WordPiece: BertNormalizer, with clean_text and handle_chinese_chars, and "
                       "BertPreTokenizer can be converted");
    }
    if ((!gw_json_is_null(prefix) && !gw_json_is(prefix, "##")) || most != 100) {
        return gw_fail(
            err, GODWIT_UNSUPPORTED,
            "WordPiece: words of up to 100 characters that go on with ## can be converted");
    }
    return GODWIT_OK;
}

static godwit_status rewrite(gw_hf_tokens *t, gw_str *text, godwit_error *err) {
    if (text->n >= 2 && memcmp(text->text, "##", 2) == 0) {
        *text = (gw_str){text->text + 2, text->n - 2};
        return GODWIT_OK;
    }
    char *copy = gw_arena_alloc(&t->hf->arena, text->n + 4, 1);
    if (!copy) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: tokens");
    memcpy(copy, GW_TOKEN_SPACE, 3);
    memcpy(copy + 3, text->text, text->n);
    *text = (gw_str){copy, text->n + 3};
    return GODWIT_OK;
}

godwit_status gw_hf_wordpiece(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *normalizer = gw_json_get(t->hf->tokenizer, "normalizer");
    bool lowercase = true, accents = false;
    GW_TRY(check(t, err));
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->kinds[i] == GW_TOKEN_NORMAL) GW_TRY(rewrite(t, &t->texts[i], err));
    }
    gw_json_bool(gw_json_get(normalizer, "lowercase"), &lowercase);
    GW_TRY(gw_gguf_writer_set_str(t->hf->writer, "tokenizer.ggml.model", GW_STR("bert"), err));
    GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.normalizer.lowercase", lowercase, err));
    if (gw_json_bool(gw_json_get(normalizer, "strip_accents"), &accents)) {
        GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.normalizer.strip_accents", accents, err));
    }
done:
    return status;
}
