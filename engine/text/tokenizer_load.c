// Tokenizer load: the metadata tokenizer.ggml.* checked and indexed.
//
// Owns the tokens, their kinds and scores, and the special ids. Every id from the file is compared
// with the vocabulary's size before it is used; one past it is warned of and left out. Source: the
// GGUF specification's tokenizer section; defaults where keys are missing are llama.cpp's.
#include "text/tokenizer_impl.h"

#include <float.h>
#include <string.h>

#define KEY_MODEL  "tokenizer.ggml.model"
#define KEY_TOKENS "tokenizer.ggml.tokens"
#define KEY_SCORES "tokenizer.ggml.scores"
#define KEY_KINDS  "tokenizer.ggml.token_type"

godwit_status gw_tokenizer_string_array(const gw_gguf *gguf, const char *key,
                                        const gw_gguf_value **out_value, godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(gguf, key);
    *out_value = value;
    if (value && (value->type != GW_GGUF_ARRAY || value->item_type != GW_GGUF_STRING)) {
        return gw_fail(err, GODWIT_MALFORMED, "%s is no array of strings", key);
    }
    return GODWIT_OK;
}

static godwit_status load_model(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str model = {0};
    GW_TRY(gw_gguf_get_str(gguf, KEY_MODEL, &model, err));
    if (!model.text) {
        GW_FAIL(err, GODWIT_MALFORMED, "%s is missing; the file holds no vocabulary", KEY_MODEL);
    }
    static const char *const names[] = {
        [GW_TOKENIZER_SPM] = "llama",      [GW_TOKENIZER_BPE] = "gpt2",
        [GW_TOKENIZER_WORDPIECE] = "bert", [GW_TOKENIZER_UNIGRAM] = "t5",
        [GW_TOKENIZER_SPM_BPE] = "gemma4", [GW_TOKENIZER_WORDS] = "whitespace",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tokenizer->model = (gw_tokenizer_model)i;
        if (gw_str_eq(model, gw_str_of(names[i]))) goto done;
    }
    GW_FAIL(err, GODWIT_UNSUPPORTED,
            "%s is '%.*s'; this build has llama, gpt2, bert, t5, gemma4 and whitespace", KEY_MODEL,
            GW_STR_ARG(model));
done:
    return status;
}

int32_t gw_tokenizer_find_control(const gw_tokenizer *tokenizer, gw_str text) {
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        if (tokenizer->kinds[i] != GW_TOKEN_CONTROL && tokenizer->kinds[i] != GW_TOKEN_UNKNOWN)
            continue;
        if (gw_str_eq(tokenizer->texts.items[i], text)) return (int32_t)i;
    }
    return -1;
}

static godwit_status load_texts(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    GW_TRY(gw_tokenizer_string_array(gguf, KEY_TOKENS, &value, err));
    if (!value || value->n_items == 0) {
        GW_FAIL(err, GODWIT_MALFORMED, "%s is %s", KEY_TOKENS, value ? "empty" : "missing");
    }
    // The reader's GW_GGUF_MAX_ARRAY_ITEMS keeps every id far inside 31 bits.
    tokenizer->n_tokens = (uint32_t)value->n_items;
    tokenizer->kinds = gw_alloc(tokenizer->host, tokenizer->n_tokens, 1);
    GW_CHECK_ALLOC(tokenizer->kinds, err, "token kinds");
    tokenizer->ends = gw_alloc(tokenizer->host, tokenizer->n_tokens, 1);
    GW_CHECK_ALLOC(tokenizer->ends, err, "end tokens");
    tokenizer->rstrip = gw_alloc(tokenizer->host, tokenizer->n_tokens, 1);
    GW_CHECK_ALLOC(tokenizer->rstrip, err, "token flags");
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        gw_str *text = gw_vec_push(&tokenizer->texts, tokenizer->host);
        GW_CHECK_ALLOC(text, err, "token texts");
        GW_TRY(gw_gguf_item_str(value, i, text, err));
    }
done:
    return status;
}

// A missing array: *out_value NULL.
static godwit_status array_of_tokens(const gw_tokenizer *tokenizer, const gw_gguf *gguf,
                                     const char *key, const gw_gguf_value **out_value,
                                     godwit_error *err) {
    const gw_gguf_value *value = gw_gguf_find(gguf, key);
    *out_value = value;
    if (!value) return GODWIT_OK;
    if (value->type != GW_GGUF_ARRAY || value->item_type == GW_GGUF_STRING) {
        return gw_fail(err, GODWIT_MALFORMED, "%s is no array of numbers", key);
    }
    if (value->n_items < tokenizer->n_tokens) {
        return gw_fail(err, GODWIT_MALFORMED, "%s has %llu items for %u tokens", key,
                       (unsigned long long)value->n_items, tokenizer->n_tokens);
    }
    return GODWIT_OK;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gw_token_byte(gw_str text) {
    if (text.n != 6 || memcmp(text.text, "<0x", 3) != 0 || text.text[5] != '>') return -1;
    int high = hex_digit(text.text[3]);
    int low = hex_digit(text.text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static godwit_status load_kinds(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    const bool spells_bytes =
        tokenizer->model == GW_TOKENIZER_SPM || tokenizer->model == GW_TOKENIZER_SPM_BPE;
    GW_TRY(array_of_tokens(tokenizer, gguf, KEY_KINDS, &value, err));
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        int byte = gw_token_byte(tokenizer->texts.items[i]);
        uint64_t kind = GW_TOKEN_NORMAL;
        if (value) {
            GW_TRY(gw_gguf_item_u64(value, i, &kind, err));
        }
        // Files of "gpt2" that are none say of no token that it is a byte.
        const bool unsaid = !value || tokenizer->model == GW_TOKENIZER_SPM_BPE;
        if (unsaid && kind == GW_TOKEN_NORMAL && spells_bytes && byte >= 0) kind = GW_TOKEN_BYTE;
        if (kind >= GW_TOKEN_N_KINDS) {
            GW_FAIL(err, GODWIT_MALFORMED, "%s: item %u is %llu, allowed are 0 to %d", KEY_KINDS, i,
                    (unsigned long long)kind, GW_TOKEN_N_KINDS - 1);
        }
        if (kind == GW_TOKEN_BYTE && byte < 0) {
            GW_FAIL(err, GODWIT_MALFORMED, "%s: token %u is a byte, but its text is not <0xNN>",
                    KEY_KINDS, i);
        }
        tokenizer->kinds[i] = (uint8_t)kind;
        if (kind == GW_TOKEN_BYTE && tokenizer->byte_ids[byte] < 0) {
            tokenizer->byte_ids[byte] = (int32_t)i;
        }
    }
done:
    return status;
}

static godwit_status load_scores(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = NULL;
    GW_TRY(array_of_tokens(tokenizer, gguf, KEY_SCORES, &value, err));
    if (!value) GW_FAIL(err, GODWIT_MALFORMED, "%s is missing", KEY_SCORES);
    tokenizer->scores = gw_alloc(tokenizer->host, tokenizer->n_tokens, sizeof(float));
    GW_CHECK_ALLOC(tokenizer->scores, err, "token scores");
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        double score = 0;
        GW_TRY(gw_gguf_item_f64(value, i, &score, err));
        if (score < -FLT_MAX || score > FLT_MAX) {
            GW_FAIL(err, GODWIT_MALFORMED, "%s: item %u is %g, too large", KEY_SCORES, i, score);
        }
        tokenizer->scores[i] = (float)score;
    }
done:
    return status;
}

// A missing key and -1 (also as 32 bits without sign) say that there is none. Without its key a
// "llama" vocabulary has the ids that all the first of them had.
godwit_status gw_tokenizer_load_id(const gw_tokenizer *tokenizer, const gw_gguf *gguf,
                                   const char *key, int32_t fallback, int32_t *out_id,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *value = gw_gguf_find(gguf, key);
    bool usual = tokenizer->model == GW_TOKENIZER_SPM && fallback >= 0 &&
                 (uint32_t)fallback < tokenizer->n_tokens;
    *out_id = value || !usual ? -1 : fallback;
    if (!value) return GODWIT_OK;
    int64_t id = -1;
    GW_TRY(gw_gguf_item_i64(value, 0, &id, err));
    if (value->type == GW_GGUF_ARRAY) GW_FAIL(err, GODWIT_MALFORMED, "%s is an array", key);
    if (id == -1 || id == UINT32_MAX) return GODWIT_OK;
    if (id < 0 || id >= tokenizer->n_tokens) {
        *out_id = usual ? fallback : -1;
        gw_log(tokenizer->host, GODWIT_LOG_WARN,
               "%s: %s is %lld, but the vocabulary has %u tokens: read as %d%s", gw_gguf_name(gguf),
               key, (long long)id, tokenizer->n_tokens, *out_id, *out_id < 0 ? ", none" : "");
        return GODWIT_OK;
    }
    *out_id = (int32_t)id;
done:
    return status;
}

static godwit_status load_ids(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_tokenizer_load_id(tokenizer, gguf, "tokenizer.ggml.bos_token_id", 1, &tokenizer->bos,
                                err));
    GW_TRY(gw_tokenizer_load_id(tokenizer, gguf, "tokenizer.ggml.eos_token_id", 2, &tokenizer->eos,
                                err));
    GW_TRY(gw_tokenizer_load_id(tokenizer, gguf, "tokenizer.ggml.unknown_token_id", 0,
                                &tokenizer->unknown, err));
    if (!gw_gguf_find(gguf, KEY_KINDS)) {
        if (tokenizer->bos >= 0) tokenizer->kinds[tokenizer->bos] = GW_TOKEN_CONTROL;
        if (tokenizer->eos >= 0) tokenizer->kinds[tokenizer->eos] = GW_TOKEN_CONTROL;
        if (tokenizer->unknown >= 0) tokenizer->kinds[tokenizer->unknown] = GW_TOKEN_UNKNOWN;
    }
    GW_TRY(gw_ends_load(tokenizer, gguf, err));
done:
    return status;
}

// What text may be merged into. Control tokens are left out, so that no text can forge one.
static godwit_status build_index(gw_tokenizer *tokenizer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_index_init(&tokenizer->index, tokenizer->host, tokenizer->n_tokens, err));
    tokenizer->words_apart = true;
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        uint8_t kind = tokenizer->kinds[i];
        gw_str text = tokenizer->texts.items[i];
        if (text.n == 0 || kind == GW_TOKEN_CONTROL || kind == GW_TOKEN_UNKNOWN) continue;
        if (kind == GW_TOKEN_BYTE) continue;
        uint32_t first = 0;
        GW_TRY(gw_index_add_text(&tokenizer->index, tokenizer->texts.items, i, &first, err));
        if (gw_spm_word_end(text, 0) < text.n) tokenizer->words_apart = false;
        if (text.n > tokenizer->token_max_bytes) tokenizer->token_max_bytes = (uint32_t)text.n;
    }
done:
    return status;
}

static godwit_status load_flag(const gw_gguf *gguf, const char *key, bool fallback, int32_t id,
                               bool *out_flag, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_gguf_get_bool(gguf, key, fallback && id >= 0, out_flag, err));
    if (*out_flag && id < 0) {
        GW_FAIL(err, GODWIT_MALFORMED, "%s is true, but the vocabulary names no such token", key);
    }
done:
    return status;
}

// Files of "gpt2" with the characters of SentencePiece, as llama.cpp's converter writes them.
static bool has_characters(gw_str pre) {
    static const char *const names[] = {"gemma4", "granite-embed-multi-311m", "sarvam-moe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (gw_str_eq(pre, gw_str_of(names[i]))) return true;
    }
    return false;
}

// How words are cut, before the vocabulary, so that an unknown name costs nothing.
static godwit_status load_pre(gw_tokenizer *tokenizer, const gw_gguf *gguf, bool *add_bos,
                              godwit_error *err) {
    gw_str name = {0};
    godwit_status status = gw_gguf_get_str(gguf, "tokenizer.ggml.pre", &name, err);
    if (status != GODWIT_OK) return status;
    if (tokenizer->model == GW_TOKENIZER_BPE && has_characters(name)) {
        tokenizer->model = GW_TOKENIZER_SPM_BPE;
        *add_bos = false;
        return GODWIT_OK;
    }
    if (!name.text && tokenizer->model == GW_TOKENIZER_WORDS) name = GW_STR("whitespace");
    if (!name.text) {
        gw_log(tokenizer->host, GODWIT_LOG_WARN,
               "%s: tokenizer.ggml.pre is missing: texts are cut as 'default' says, maybe not as "
               "the model learned; convert it anew",
               gw_gguf_name(gguf));
    }
    return gw_pre_create(tokenizer->host, name, &tokenizer->pre, &tokenizer->ignore_merges, add_bos,
                         err);
}

// Of SPM, BPE and their kin; the others have rules of their own.
static godwit_status load_flags(gw_tokenizer *tokenizer, const gw_gguf *gguf, bool add_bos,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool spm = tokenizer->model == GW_TOKENIZER_SPM;
    GW_TRY(load_flag(gguf, "tokenizer.ggml.add_bos_token", add_bos, tokenizer->bos,
                     &tokenizer->add_bos, err));
    GW_TRY(load_flag(gguf, "tokenizer.ggml.add_eos_token", false, tokenizer->eos,
                     &tokenizer->add_eos, err));
    GW_TRY(gw_gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", spm,
                            &tokenizer->add_space_prefix, err));
    if (tokenizer->model == GW_TOKENIZER_WORDS)
        GW_TRY(gw_gguf_get_bool(gguf, "tokenizer.ggml.normalizer.lowercase", false,
                                &tokenizer->lowercase, err));
    if (!spm) tokenizer->add_space_prefix = false;
done:
    return status;
}

godwit_status gw_tokenizer_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(load_model(tokenizer, gguf, err));
    const gw_tokenizer_model model = tokenizer->model;
    bool add_bos = model == GW_TOKENIZER_SPM || model == GW_TOKENIZER_SPM_BPE;
    if (model == GW_TOKENIZER_BPE || model == GW_TOKENIZER_WORDS)
        GW_TRY(load_pre(tokenizer, gguf, &add_bos, err));
    GW_TRY(load_texts(tokenizer, gguf, err));
    GW_TRY(load_kinds(tokenizer, gguf, err));
    if (model == GW_TOKENIZER_SPM || model == GW_TOKENIZER_UNIGRAM)
        GW_TRY(load_scores(tokenizer, gguf, err));
    GW_TRY(load_ids(tokenizer, gguf, err));
    if (model != GW_TOKENIZER_WORDPIECE && model != GW_TOKENIZER_UNIGRAM)
        GW_TRY(load_flags(tokenizer, gguf, add_bos, err));
    GW_TRY(build_index(tokenizer, err));
done:
    return status;
}
