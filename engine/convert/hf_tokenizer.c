// Hf tokenizer: tokenizer.json as tokenizer.ggml.* keys.
//
// Two kinds: byte-level BPE ("gpt2"), and SentencePiece-style BPE with byte tokens ("llama"). The
// second has no scores here, but GGUF's reader merges by scores: a token's is the place of its
// first merge, counted down. That is the same order only where the merges are those of a
// SentencePiece vocabulary, which hf_spm.c checks.
#include "convert/hf_family.h"
#include "convert/hf_tokens.h"

#include "base/status.h"

#include <stdio.h>

// --- tokens --------------------------------------------------------------------------------------

godwit_status gw_hf_put_token(gw_hf_tokens *t, gw_str text, uint64_t id, uint8_t kind,
                              godwit_error *err) {
    if (id >= t->n) {
        return gw_fail(err, GODWIT_MALFORMED, "token %.*s: id %llu, but vocab_size is %u",
                       GW_STR_ARG(text), (unsigned long long)id, t->n);
    }
    if (t->kinds[id] && !gw_str_eq(t->texts[id], text)) {
        return gw_fail(err, GODWIT_MALFORMED, "tokens %.*s and %.*s have the same id %llu",
                       GW_STR_ARG(t->texts[id]), GW_STR_ARG(text), (unsigned long long)id);
    }
    t->texts[id] = text;
    t->kinds[id] = kind;
    return GODWIT_OK;
}

// Bytes fall back to capitals alone: a token in small ones is a text like any other.
bool gw_hf_is_byte_token(gw_str text) {
    char capitals[8];
    int byte = gw_token_byte(text);
    snprintf(capitals, sizeof capitals, "<0x%02X>", (unsigned)byte & 0xFFu);
    return byte >= 0 && gw_str_eq(text, gw_str_of(capitals));
}

static bool spells_bytes(const gw_hf_tokens *t) {
    return t->kind == GW_HF_SPM || t->kind == GW_HF_SPM_BPE;
}

static godwit_status read_vocab(gw_hf_tokens *t, const gw_json *vocab, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!vocab || vocab->type != GW_JSON_OBJECT) {
        GW_FAIL(err, GODWIT_MALFORMED, "model.vocab: no object");
    }
    GW_TRY(gw_name_index_init(&t->index, &t->hf->arena, vocab->n, err));
    for (const gw_json *item = vocab->first; item; item = item->next) {
        uint64_t id = 0;
        if (!gw_json_u64(item, &id)) {
            GW_FAIL(err, GODWIT_MALFORMED, "model.vocab: %.*s has no id", GW_STR_ARG(item->key));
        }
        bool byte = spells_bytes(t) && gw_hf_is_byte_token(item->key);
        GW_TRY(gw_hf_put_token(t, item->key, id, byte ? GW_TOKEN_BYTE : GW_TOKEN_NORMAL, err));
        GW_TRY(gw_name_index_add(&t->index, item->key, (uint32_t)id, err));
    }
done:
    return status;
}

// What tokenizer.json says of white space around a token has no key in GGUF.
static void warn_of_flags(const gw_hf *hf, const gw_json *token, gw_str text) {
    static const char *const flags[] = {"lstrip", "rstrip", "single_word"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool set = false;
        if (gw_json_bool(gw_json_get(token, flags[i]), &set) && set) {
            gw_log(hf->host, GODWIT_LOG_WARN, "%s: added token %.*s: GGUF cannot say its %s",
                   hf->folder, GW_STR_ARG(text), flags[i]);
        }
    }
}

static godwit_status read_added(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *list = gw_json_get(t->hf->tokenizer, "added_tokens");
    for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
        uint64_t id = 0;
        gw_str text;
        bool special = false;
        if (!gw_json_u64(gw_json_get(item, "id"), &id) ||
            !gw_json_str(gw_json_get(item, "content"), &text)) {
            GW_FAIL(err, GODWIT_MALFORMED, "added_tokens: one without id or content");
        }
        gw_json_bool(gw_json_get(item, "special"), &special);
        warn_of_flags(t->hf, item, text);
        // What ends a turn is often called ordinary; readers would override that, and say so.
        special |= gw_is_turn_end(text);
        GW_TRY(
            gw_hf_put_token(t, text, id, special ? GW_TOKEN_CONTROL : GW_TOKEN_USER_DEFINED, err));
    }
done:
    return status;
}

// A whole number of a few digits as a key.
static bool key_number(gw_str key, uint64_t *out) {
    *out = 0;
    for (size_t i = 0; i < key.n; i++) {
        if (key.text[i] < '0' || key.text[i] > '9') return false;
        *out = *out * 10 + (uint64_t)(key.text[i] - '0');
    }
    return key.n > 0 && key.n < 10;
}

godwit_status gw_hf_read_later(gw_hf_tokens *t, bool over, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *list = gw_json_get(t->hf->tokenizer_config, "added_tokens_decoder");
    for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
        gw_str text;
        uint64_t id = 0;
        bool special = false;
        if (!key_number(item->key, &id) || !gw_json_str(gw_json_get(item, "content"), &text) ||
            id >= t->n)
            continue;
        if (t->kinds[id] == GW_TOKEN_UNKNOWN || t->kinds[id] == GW_TOKEN_BYTE ||
            (t->kinds[id] && !over))
            continue;
        gw_json_bool(gw_json_get(item, "special"), &special);
        special |= gw_is_turn_end(text);
        t->texts[id] = text;
        t->kinds[id] = special ? GW_TOKEN_CONTROL : GW_TOKEN_USER_DEFINED;
    }
    GW_TRY(gw_hf_read_json(t->hf, "added_tokens.json", false, &list, err));
    for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
        uint64_t id = 0;
        if (!gw_json_u64(item, &id) || id >= t->n || t->kinds[id]) continue;
        t->texts[id] = item->key;
        t->kinds[id] = gw_is_turn_end(item->key) ? GW_TOKEN_CONTROL : GW_TOKEN_USER_DEFINED;
    }
done:
    return status;
}

// Rows of the embedding without a token: names that no text can be merged into.
static godwit_status fill_holes(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->kinds[i]) continue;
        char text[24];
        int n = snprintf(text, sizeof text, "[PAD%u]", i);
        char *copy = gw_arena_strndup(&t->hf->arena, text, (size_t)n);
        GW_CHECK_ALLOC(copy, err, "tokens");
        t->texts[i] = (gw_str){copy, (size_t)n};
        t->kinds[i] = GW_TOKEN_UNUSED;
    }
done:
    return status;
}

// The id of a token's text, -1: there is no such token.
int64_t gw_hf_find_token(const gw_hf_tokens *t, gw_str text) {
    uint32_t found = gw_name_index_find(&t->index, text);
    if (found != GW_NAME_NONE) return found;
    const gw_json *list = gw_json_get(t->hf->tokenizer, "added_tokens");
    for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
        uint64_t id = 0;
        gw_str content;
        if (gw_json_str(gw_json_get(item, "content"), &content) && gw_str_eq(content, text) &&
            gw_json_u64(gw_json_get(item, "id"), &id)) {
            return (int64_t)id;
        }
    }
    // Of files beside it.
    list = gw_json_get(t->hf->tokenizer_config, "added_tokens_decoder");
    for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
        uint64_t id = 0;
        if (key_number(item->key, &id) && id < t->n && gw_str_eq(t->texts[id], text))
            return (int64_t)id;
    }
    return -1;
}

// --- special ids ---------------------------------------------------------------------------------

// tokenizer_config.json's <what>_token, a text or an object with content; else config.json's
// <what>_token_id, a number or several, of which this is the first, hf_config.c has checked them;
// else the same of generation_config.json.
static int64_t special_id(const gw_hf_tokens *t, const char *what) {
    char key[40];
    gw_str text;
    uint64_t id = 0;
    snprintf(key, sizeof key, "%s_token", what);
    const gw_json *node = gw_json_get(t->hf->tokenizer_config, key);
    if (gw_json_str(node, &text) || gw_json_str(gw_json_get(node, "content"), &text)) {
        return gw_hf_find_token(t, text);
    }
    snprintf(key, sizeof key, "%s_token_id", what);
    node = gw_json_get(t->hf->config, key);
    if (gw_json_is_null(node)) node = gw_json_get(t->hf->generation_config, key);
    if (node && node->type == GW_JSON_ARRAY) node = node->first;
    return gw_json_u64(node, &id) && id < t->n ? (int64_t)id : -1;
}

static bool contains(gw_str text, gw_str part) {
    for (size_t i = 0; i + part.n <= text.n; i++) {
        if (memcmp(text.text + i, part.text, part.n) == 0) return true;
    }
    return false;
}

// A token that ends a text, put under a key that is free. False: none is.
static godwit_status set_end(gw_hf_tokens *t, int64_t *ids, int64_t id, bool *out_set,
                             godwit_error *err) {
    static const char *const keys[] = {"tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    *out_set = true;
    if (id == t->ends[1] || id == ids[0] || id == ids[1]) return GODWIT_OK;
    int at = contains(t->texts[id], GW_STR("eom"));
    if (ids[at] >= 0) at = !at;
    *out_set = ids[at] < 0;
    if (!*out_set) return GODWIT_OK;
    ids[at] = id;
    return gw_gguf_writer_set_u32(t->hf->writer, keys[at], (uint32_t)id, err);
}

// A model may end a text with any of several tokens. What generates asks generation_config.json,
// and config.json where that says nothing (one there, not in a list, is its class's default). GGUF
// has three keys: the end of a text, of a turn, and of a message that awaits a tool, of which the
// last is told by its name. Tokens that readers know by their texts need none, and come last.
static godwit_status set_more_ends(gw_hf_tokens *t, godwit_error *err) {
    static const char key[] = "eos_token_id";
    godwit_status status = GODWIT_OK;
    const gw_json *list = gw_json_get(t->hf->generation_config, key);
    bool generates = !gw_json_is_null(list);
    if (!generates) list = gw_json_get(t->hf->config, key);
    bool several = list && list->type == GW_JSON_ARRAY;
    int64_t ids[2] = {-1, -1};
    bool left_out = false;
    if (!several && !generates) return GODWIT_OK;
    for (int known = 0; known < 2; known++) {
        for (const gw_json *item = several ? list->first : list; item; item = item->next) {
            uint64_t id = 0;
            bool set = true;
            bool valid = gw_json_u64(item, &id) && id < t->n;
            if (!valid && generates && !known) {
                gw_log(t->hf->host, GODWIT_LOG_WARN,
                       "%s/generation_config.json: %s: %.*s is no token's number: left out",
                       t->hf->folder, key, GW_STR_ARG(item->text));
            }
            bool now = valid && (gw_end_text(t->texts[id]) >= 0) == known;
            if (now) GW_TRY(set_end(t, ids, (int64_t)id, &set, err));
            left_out |= !set && !known;
            if (!several) break;
        }
    }
    if (left_out) {
        gw_log(t->hf->host, GODWIT_LOG_WARN,
               "%s: %s: GGUF has keys for three tokens that end a text; the others are left out",
               t->hf->folder, key);
    }
done:
    return status;
}

static godwit_status set_ids(gw_hf_tokens *t, godwit_error *err) {
    static const struct {
        const char *what, *key;
    } rows[] = {
        {"bos", "tokenizer.ggml.bos_token_id"},     {"eos", "tokenizer.ggml.eos_token_id"},
        {"unk", "tokenizer.ggml.unknown_token_id"}, {"pad", "tokenizer.ggml.padding_token_id"},
        {"cls", "tokenizer.ggml.cls_token_id"},     {"sep", "tokenizer.ggml.seperator_token_id"},
        {"mask", "tokenizer.ggml.mask_token_id"}};
    godwit_status status = GODWIT_OK;
    gw_str text;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t id = special_id(t, rows[i].what);
        bool is_unknown = strcmp(rows[i].what, "unk") == 0;
        if (is_unknown && gw_json_str(gw_json_get(t->model, "unk_token"), &text)) {
            id = gw_hf_find_token(t, text);
            if (id >= 0 && t->kind != GW_HF_BPE) t->kinds[id] = GW_TOKEN_UNKNOWN;
        }
        if (i < 2) t->ends[i] = id;
        // Without the key a reader takes "llama" vocabularies to have the usual ids; -1 says no.
        if (id < 0 && !(t->kind == GW_HF_SPM && i < 3)) continue;
        GW_TRY(gw_gguf_writer_set_u32(t->hf->writer, rows[i].key, (uint32_t)id, err));
    }
    GW_TRY(set_more_ends(t, err));
done:
    return status;
}

// Whether a template has the token of that id before (first) or behind the text.
static bool template_has(const gw_hf_tokens *t, const gw_json *post, int64_t id, bool first) {
    const gw_json *list = gw_json_get(post, "processors");
    if (gw_json_is(gw_json_get(post, "type"), "Sequence")) {
        for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
            if (template_has(t, item, id, first)) return true;
        }
        return false;
    }
    const gw_json *type = gw_json_get(post, "type");
    if (gw_json_is(type, "RobertaProcessing") || gw_json_is(type, "BertProcessing")) {
        const gw_json *pair = gw_json_get(post, first ? "cls" : "sep");
        uint64_t number = 0;
        return pair && pair->type == GW_JSON_ARRAY && pair->n == 2 &&
               gw_json_u64(pair->first->next, &number) && (int64_t)number == id;
    }
    if (!gw_json_is(type, "TemplateProcessing") || id < 0) return false;
    const gw_json *single = gw_json_get(post, "single");
    bool behind = false;
    int n_left = 64; // a look-up walks the added tokens, so few pieces keep it quick
    for (const gw_json *item = single ? single->first : NULL; item && n_left; item = item->next) {
        n_left--;
        gw_str text;
        if (gw_json_get(item, "Sequence")) behind = true;
        if (gw_json_str(gw_json_get(gw_json_get(item, "SpecialToken"), "id"), &text) &&
            gw_hf_find_token(t, text) == id && behind == !first) {
            return true;
        }
    }
    return false;
}

godwit_status gw_hf_set_bool(gw_hf *hf, const char *key, bool value, godwit_error *err) {
    return gw_gguf_writer_set_number(hf->writer, key, GW_GGUF_BOOL, &value, err);
}

// The template of tokenizer.json is what is done; tokenizer_config.json, from which older files
// were read, counts where there is none.
static godwit_status set_added_ends(gw_hf_tokens *t, godwit_error *err) {
    static const char *const from[] = {"add_bos_token", "add_eos_token"};
    static const char *const to[] = {"tokenizer.ggml.add_bos_token",
                                     "tokenizer.ggml.add_eos_token"};
    godwit_status status = GODWIT_OK;
    const gw_json *post = gw_json_get(t->hf->tokenizer, "post_processor");
    for (int i = 0; i < 2; i++) {
        bool added = template_has(t, post, t->ends[i], i == 0);
        if (gw_json_is_null(post))
            gw_json_bool(gw_json_get(t->hf->tokenizer_config, from[i]), &added);
        GW_TRY(gw_hf_set_bool(t->hf, to[i], added && t->ends[i] >= 0, err));
    }
done:
    return status;
}

// --- kinds of tokenizers -------------------------------------------------------------------------

static godwit_status check_model(const gw_hf_tokens *t, godwit_error *err) {
    static const char *const subwords[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    double dropout = 0;
    for (int i = 0; i < 2; i++) {
        const gw_json *node = gw_json_get(t->model, subwords[i]);
        if (gw_json_is_null(node) || gw_json_is(node, "")) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED, "model.%s is not supported", subwords[i]);
    }
    if (gw_json_f64(gw_json_get(t->model, "dropout"), &dropout) && dropout != 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "model.dropout is not supported");
    }
    return GODWIT_OK;
}

static godwit_status set_pre(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const char *name = NULL;
    bool ignore_merges = false;
    const gw_json *normalizer = gw_json_get(t->hf->tokenizer, "normalizer");
    const gw_json *steps = gw_json_get(normalizer, "normalizers");
    if (steps && steps->n == 0) normalizer = NULL; // a Sequence of none
    if (gw_json_is(gw_json_get(normalizer, "type"), "NFC")) {
        gw_log(t->hf->host, GODWIT_LOG_INFO,
               "%s: tokenizer.json composes characters (NFC) before it cuts a text; GGUF cannot "
               "say that, "
               "and readers take texts as they are written",
               t->hf->folder);
    } else if (!gw_json_is_null(normalizer)) {
        gw_str type = GW_STR("?");
        gw_json_str(gw_json_get(normalizer, "type"), &type);
        GW_FAIL(err, GODWIT_UNSUPPORTED, "normalizer: %.*s is not supported in byte-level BPE",
                GW_STR_ARG(type));
    }
    gw_json_bool(gw_json_get(t->model, "ignore_merges"), &ignore_merges);
    GW_TRY(
        gw_hf_pre_name(gw_json_get(t->hf->tokenizer, "pre_tokenizer"), ignore_merges, &name, err));
    GW_TRY(gw_gguf_writer_set_str(t->hf->writer, "tokenizer.ggml.model", GW_STR("gpt2"), err));
    GW_TRY(gw_gguf_writer_set_str(t->hf->writer, "tokenizer.ggml.pre", gw_str_of(name), err));
done:
    return status;
}

static godwit_status set_merges(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str *texts = gw_arena_alloc(&t->hf->arena, t->n_merges, sizeof *texts);
    GW_CHECK_ALLOC(texts, err, "merges");
    for (uint32_t i = 0; i < t->n_merges; i++) {
        gw_str left = t->merges[i].left, right = t->merges[i].right;
        if (memchr(left.text, ' ', left.n) || memchr(right.text, ' ', right.n)) {
            GW_FAIL(err, GODWIT_MALFORMED, "model.merges: item %u has a space in a half", i);
        }
        char *text = gw_arena_alloc(&t->hf->arena, left.n + right.n + 2, 1);
        GW_CHECK_ALLOC(text, err, "merges");
        memcpy(text, left.text, left.n);
        text[left.n] = ' ';
        memcpy(text + left.n + 1, right.text, right.n);
        texts[i] = (gw_str){text, left.n + right.n + 1};
    }
    GW_TRY(
        gw_gguf_writer_set_strs(t->hf->writer, "tokenizer.ggml.merges", texts, t->n_merges, err));
done:
    return status;
}

// A merge is "left right", or since some version an array of both.
static godwit_status read_merges(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *list = gw_json_get(t->model, "merges");
    if (!list || list->type != GW_JSON_ARRAY) GW_FAIL(err, GODWIT_MALFORMED, "model.merges: none");
    t->merges = gw_arena_alloc(&t->hf->arena, list->n, sizeof *t->merges);
    GW_CHECK_ALLOC(t->merges, err, "merges");
    for (const gw_json *item = list->first; item; item = item->next) {
        gw_hf_merge *m = &t->merges[t->n_merges];
        gw_str text = {0};
        const char *space = NULL;
        if (gw_json_str(item, &text)) space = memchr(text.text, ' ', text.n);
        if (space) {
            m->left = (gw_str){text.text, (size_t)(space - text.text)};
            m->right = (gw_str){space + 1, text.n - m->left.n - 1};
        }
        bool pair = item->type == GW_JSON_ARRAY && item->n == 2 &&
                    gw_json_str(item->first, &m->left) && gw_json_str(item->first->next, &m->right);
        if ((!space && !pair) || m->left.n == 0 || m->right.n == 0) {
            GW_FAIL(err, GODWIT_MALFORMED, "model.merges: item %u is no pair of texts",
                    t->n_merges);
        }
        t->n_merges++;
    }
done:
    return status;
}

// --- all of it -----------------------------------------------------------------------------------

static godwit_status set_tokens(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    int32_t *kinds = gw_arena_alloc(&t->hf->arena, t->n, sizeof *kinds);
    GW_CHECK_ALLOC(kinds, err, "tokens");
    for (uint32_t i = 0; i < t->n; i++) kinds[i] = t->kinds[i];
    GW_TRY(gw_gguf_writer_set_strs(t->hf->writer, "tokenizer.ggml.tokens", t->texts, t->n, err));
    if (t->scores) {
        GW_TRY(gw_gguf_writer_set_array(t->hf->writer, "tokenizer.ggml.scores", GW_GGUF_F32,
                                        t->scores, t->n, err));
    }
    GW_TRY(gw_gguf_writer_set_array(t->hf->writer, "tokenizer.ggml.token_type", GW_GGUF_I32, kinds,
                                    t->n, err));
done:
    return status;
}

static godwit_status find_kind(gw_hf_tokens *t, godwit_error *err) {
    const gw_json *type = gw_json_get(t->model, "type");
    bool falls_back = false;
    gw_str name = GW_STR("?");
    gw_json_bool(gw_json_get(t->model, "byte_fallback"), &falls_back);
    if (gw_json_is(type, "WordPiece")) t->kind = GW_HF_WORDPIECE;
    if (gw_json_is(type, "Unigram")) t->kind = GW_HF_UNIGRAM;
    if (t->kind != GW_HF_BPE) return GODWIT_OK;
    if (falls_back) t->kind = gw_hf_in(t->hf, GW_HF_ONE(GEMMA4)) ? GW_HF_SPM_BPE : GW_HF_SPM;
    if (gw_json_is_null(type) || gw_json_is(type, "BPE")) return GODWIT_OK;
    gw_json_str(type, &name);
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "model: %.*s; BPE, Unigram and WordPiece can be converted", GW_STR_ARG(name));
}

static godwit_status read_kind(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    switch (t->kind) {
    case GW_HF_BPE:
        GW_TRY(set_pre(t, err));
        GW_TRY(set_merges(t, err));
        break;
    case GW_HF_SPM:
        GW_TRY(gw_hf_spm(t, err));
        break;
    case GW_HF_SPM_BPE:
        GW_TRY(gw_hf_spm_bpe(t, err));
        GW_TRY(set_merges(t, err));
        break;
    case GW_HF_WORDPIECE:
        GW_TRY(gw_hf_wordpiece(t, err));
        break;
    case GW_HF_UNIGRAM:
        break;
    }
done:
    return status;
}

static godwit_status read_json_tokens(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool merges = t->kind != GW_HF_WORDPIECE && t->kind != GW_HF_UNIGRAM;
    if (merges) GW_TRY(check_model(t, err));
    if (t->kind == GW_HF_UNIGRAM) {
        GW_TRY(gw_hf_unigram(t, err));
    } else {
        GW_TRY(read_vocab(t, gw_json_get(t->model, "vocab"), err));
    }
    GW_TRY(read_added(t, err));
    GW_TRY(gw_hf_read_later(t, false, err));
    if (merges) GW_TRY(read_merges(t, err));
    GW_TRY(read_kind(t, err));
done:
    return status;
}

godwit_status gw_hf_read_tokenizer(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hf_tokens t = {.hf = hf, .model = gw_json_get(hf->tokenizer, "model")};
    t.n = (uint32_t)hf->n_vocab;
    GW_TRY(find_kind(&t, err));
    t.texts = gw_arena_alloc(&hf->arena, t.n, sizeof *t.texts);
    t.kinds = gw_arena_alloc(&hf->arena, t.n, 1);
    GW_CHECK_ALLOC(t.texts && t.kinds, err, "tokens");
    if (hf->tokenizer) {
        GW_TRY(read_json_tokens(&t, err));
    } else if (hf->sentencepiece.text) {
        GW_TRY(gw_hf_sentencepiece(&t, err));
    } else {
        GW_TRY(gw_hf_tiktoken(&t, err));
    }
    GW_TRY(fill_holes(&t, err));
    GW_TRY(set_ids(&t, err));
    if (t.kind != GW_HF_WORDPIECE) GW_TRY(set_added_ends(&t, err));
    GW_TRY(set_tokens(&t, err));
done:
    return status;
}
