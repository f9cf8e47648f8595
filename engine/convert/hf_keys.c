// Hf keys: the hyper-parameters of a family as keys, by hf_keys.def.
//
// A setting that would change results and that the family's GGUF has no key for is refused.
#include "convert/hf_family.h"

#include "base/limits.h"
#include "base/status.h"

typedef enum kind { U32, F32, BOOL, FUNC } kind;

static const struct {
    gw_hf_set families;
    const char *key;
    kind kind;
    const char *names;
} keys[] = {
#define K(families, key, kind, names) {families, key, kind, names},
#include "convert/hf_keys.def"
#undef K
};

static const struct {
    gw_hf_set families;
    const char *name;
    bool value;
} musts[] = {
#define M(families, name, value) {families, name, value},
#include "convert/hf_family.def"
#undef M
};

// --- what it must be -----------------------------------------------------------------------------

static bool is_one_of(gw_str text, const char *names) {
    while (*names) {
        const size_t n = strcspn(names, "|");
        if (gw_str_eq(text, (gw_str){names, n})) return true;
        names += n + (names[n] == '|');
    }
    return false;
}

static godwit_status check_settings(const gw_hf *hf, godwit_error *err) {
    gw_str act = {0};
    gw_json_str(
        gw_hf_setting(hf,
                      "hidden_act|hidden_activation|activation_function|mlp_hidden_act|activation"),
        &act);
    if (act.text && hf->family->acts[0] && !is_one_of(act, hf->family->acts)) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "hidden_act: %.*s; only %s belongs to this family",
                       GW_STR_ARG(act), hf->family->acts);
    }
    for (size_t i = 0; i < sizeof musts / sizeof *musts; i++) {
        bool is = musts[i].value;
        if (!gw_hf_in(hf, musts[i].families)) continue;
        gw_json_bool(gw_hf_setting(hf, musts[i].name), &is);
        if (is == musts[i].value) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED, "%s: %s is not supported in this family",
                       musts[i].name, is ? "true" : "false");
    }
    return GODWIT_OK;
}

// --- sizes ---------------------------------------------------------------------------------------

// As many tokens as the embedding has rows, which is what is run.
static godwit_status read_vocab(gw_hf *hf, godwit_error *err) {
    static const char *const names[] = {
        "embed_tokens.weight",   "wte.weight",        "embed_in.weight", "word_embeddings.weight",
        "tok_embeddings.weight", "embeddings.weight", "shared.weight"};
    for (uint64_t i = 0; i < gw_safetensors_n(hf->weights); i++) {
        const gw_st_tensor *t = gw_safetensors_at(hf->weights, i);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const size_t n = strlen(t->name), m = strlen(names[k]);
            if (n < m || strcmp(t->name + n - m, names[k]) != 0 || t->n_dims != 2) continue;
            if (n > m && t->name[n - m - 1] != '.') continue;
            if (strstr(t->name, "vision") || strstr(t->name, "audio")) continue;
            if (t->dims[0] <= GW_MAX_VOCAB) hf->n_vocab = t->dims[0];
        }
    }
    return hf->n_vocab ? GODWIT_OK : gw_fail(err, GODWIT_MALFORMED, "vocab_size: missing");
}

static godwit_status read_sizes(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    double head = 0;
    GW_TRY(gw_hf_size(hf, "num_hidden_layers|n_layer|num_layers|n_layers", UINT64_MAX, 1,
                      GW_MAX_LAYERS, &hf->n_layer, err));
    GW_TRY(gw_hf_size(hf, "hidden_size|n_embd|n_embed|d_model", UINT64_MAX, 1, GW_MAX_EMBD,
                      &hf->n_embd, err));
    const bool heads = gw_hf_has_heads(hf);
    const bool unsaid = gw_hf_in(hf, GW_HF_OF(GW_HF_FALCON, GW_HF_BLOOM));
    const bool t5 = gw_hf_in(hf, GW_HF_OF(GW_HF_T5S));
    GW_TRY(gw_hf_size(hf, "num_attention_heads|n_head|num_heads|n_heads", heads ? UINT64_MAX : 1, 1,
                      GW_MAX_HEADS, &hf->n_head, err));
    if (!heads) hf->n_head = 1;
    GW_TRY(gw_hf_size(hf,
                      "num_key_value_heads|n_kv_heads|num_kv_heads|n_head_kv|"
                      "multi_query_group_num|kv_n_heads|num_attention_groups",
                      hf->n_head, 1, hf->n_head, &hf->n_head_kv, err));
    GW_TRY(gw_hf_size(hf, "vocab_size", 0, 0, GW_MAX_VOCAB, &hf->n_vocab, err));
    GW_TRY(read_vocab(hf, err));
    GW_TRY(gw_hf_size(
        hf,
        "max_position_embeddings|n_ctx|n_positions|model_max_length|seq_length|max_sequence_length|"
        "max_seq_len",
        !heads   ? 1
        : unsaid ? 2048 // what its files do not say
        : t5     ? 512
                 : UINT64_MAX,
        1, GW_MAX_CTX, &hf->n_ctx, err));
    hf->head_dim = hf->n_embd / hf->n_head;
    hf->says_head_dim = heads && gw_hf_number(hf, "head_dim|d_kv", &head);
    if (hf->says_head_dim)
        GW_TRY(gw_hf_size(hf, "head_dim|d_kv", 0, 2, GW_MAX_EMBD, &hf->head_dim, err));
done:
    return status;
}

static godwit_status write_sizes(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const bool bert = (hf->family->flags & GW_HF_ENCODER) && !gw_hf_in(hf, GW_HF_ONE(EUROBERT));
    GW_TRY(gw_hf_set_u32(hf, "block_count", hf->n_layer, err));
    if (gw_hf_position_offset(hf) < hf->n_ctx) hf->n_ctx -= gw_hf_position_offset(hf);
    // What keeps a state alone, or heads that do not turn, has no end of its own.
    if (gw_hf_has_no_end(hf)) hf->n_ctx = 1 << 20;
    GW_TRY(gw_hf_set_u32(hf, "context_length", hf->n_ctx, err));
    GW_TRY(gw_hf_set_u32(hf, "embedding_length", hf->n_embd, err));
    const bool heads = gw_hf_has_heads(hf);
    GW_TRY(gw_hf_set_u32(hf, "attention.head_count", heads ? hf->n_head : 0, err));
    if (!heads) return gw_hf_set_u32(hf, "feed_forward_length", 0, err);
    // Older files of one head of keys; latents are one, too.
    bool multi = false;
    gw_json_bool(gw_hf_setting(hf, "multi_query"), &multi);
    if (gw_hf_setting(hf, "num_kv_heads|n_head_kv")) multi = false;
    if (multi || gw_hf_in(hf, GW_HF_OF(GW_HF_DEEPSEEKS))) hf->n_head_kv = 1;
    if (!bert) GW_TRY(gw_hf_set_u32(hf, "attention.head_count_kv", hf->n_head_kv, err));
    if (hf->says_head_dim && !gw_hf_in(hf, GW_HF_OF(GW_HF_DEEPSEEKS, GW_HF_MINICPM3, GW_HF_KIMI))) {
        GW_TRY(gw_hf_set_u32(hf, "attention.key_length", hf->head_dim, err));
        GW_TRY(gw_hf_set_u32(hf, "attention.value_length", hf->head_dim, err));
    }
    uint64_t window = 0;
    if (hf->family->flags & GW_HF_WINDOW) {
        GW_TRY(gw_hf_size(hf, "sliding_window|local_attention", 0, 0, GW_MAX_CTX, &window, err));
        if (window || gw_hf_in(hf, GW_HF_ONE(PHI3)))
            GW_TRY(gw_hf_set_u32(hf, "attention.sliding_window", window, err));
    }
done:
    return status;
}

// --- the table -----------------------------------------------------------------------------------

static godwit_status write_func(gw_hf *hf, const char *key, const char *names, godwit_error *err) {
    const gw_json *node = gw_hf_setting(hf, names);
    gw_str name = {0};
    // What the classes of older folders compute, which say nothing of it.
    const bool softmax = gw_hf_in(hf, GW_HF_OF(GW_HF_DEEPSEEK2, GW_HF_MISTRAL4));
    uint32_t func = softmax ? 1 : 2;
    if (node && gw_json_str(node, &name)) {
        func = gw_str_eq(name, GW_STR("softmax")) ? 1 : gw_str_eq(name, GW_STR("sigmoid")) ? 2 : 0;
    }
    if (!func) return gw_fail(err, GODWIT_UNSUPPORTED, "scoring_func: %.*s", GW_STR_ARG(name));
    return gw_hf_set_u32(hf, key, func, err);
}

static godwit_status write_key(gw_hf *hf, size_t i, godwit_error *err) {
    char full[GW_HF_KEY_BYTES];
    double number = 0;
    bool flag = false;
    const gw_json *node = gw_hf_setting(hf, keys[i].names);
    if (keys[i].kind == FUNC) return write_func(hf, keys[i].key, keys[i].names, err);
    if (keys[i].kind == BOOL) {
        if (!node && gw_hf_number(hf, keys[i].names, &number)) { // the class's default
            flag = number != 0;
        } else if (!gw_json_bool(node, &flag)) {
            return GODWIT_OK;
        }
        return gw_gguf_writer_set_number(hf->writer, gw_hf_key(hf, keys[i].key, full), GW_GGUF_BOOL,
                                         &flag, err);
    }
    if (!gw_hf_number(hf, keys[i].names, &number)) {
        if (!node || node->type == GW_JSON_ARRAY) return GODWIT_OK; // a number a layer: hf_layers.c
        return gw_fail(err, GODWIT_MALFORMED, "%s: not a number", keys[i].names);
    }
    if (keys[i].kind == F32) {
        if (!(number > -3e38 && number < 3e38))
            return gw_fail(err, GODWIT_MALFORMED, "%s: too large", keys[i].names);
        return gw_hf_set_f32(hf, keys[i].key, number, err);
    }
    if (!(number >= 0 && number <= UINT32_MAX) || number != (double)(uint32_t)number) {
        return gw_fail(err, GODWIT_MALFORMED, "%s: not a whole number", keys[i].names);
    }
    return gw_hf_set_u32(hf, keys[i].key, (uint64_t)number, err);
}

godwit_status gw_hf_family_config(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(check_settings(hf, err));
    GW_TRY(read_sizes(hf, err));
    GW_TRY(write_sizes(hf, err));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (gw_hf_in(hf, keys[i].families)) GW_TRY(write_key(hf, i, err));
    }
    GW_TRY(gw_hf_family_layers(hf, err));
    GW_TRY(gw_hf_family_encoder(hf, err));
    GW_TRY(gw_hf_family_rope(hf, err));
done:
    return status;
}
