// Hf encoders: keys of models that give embeddings and scores.
#include "convert/hf_map.h"

#include "base/limits.h"
#include "base/status.h"

#include <stdio.h>

uint64_t gw_hf_position_offset(const gw_hf *hf) {
    uint64_t pad = 0;
    if (!gw_hf_in(hf, GW_HF_OF(GW_HF_ROBERTA, GW_HF_JINA3))) return 0;
    return gw_json_u64(gw_hf_setting(hf, "pad_token_id"), &pad) && pad < 1024 ? pad + 1 : 2;
}

static bool says(const gw_json *pooling, const char *key, const char *mode) {
    bool set = false;
    if (gw_json_bool(gw_json_get(pooling, key), &set) && set) return true;
    return gw_json_is(gw_json_get(pooling, "pooling_mode"), mode);
}

// A matrix behind the pooling, in a folder of its own: dense_2, then dense_3.
static godwit_status read_dense(gw_hf *hf, gw_str path, const gw_json *config, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char folder[4096], key[32];
    gw_str act = GW_STR("Identity");
    gw_json_str(gw_json_get(config, "activation_function"), &act);
    if (!gw_str_ends(act, GW_STR("Identity"))) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "%.*s/config.json: activation_function: %.*s; only Identity", GW_STR_ARG(path),
                GW_STR_ARG(act));
    }
    if (hf->n_dense == GW_HF_MAX_DENSE)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "modules.json: over %d of Dense", GW_HF_MAX_DENSE);
    const int n = snprintf(folder, sizeof folder, "%s/%.*s", hf->folder, GW_STR_ARG(path));
    if (n < 0 || (size_t)n >= sizeof folder) GW_FAIL(err, GODWIT_MALFORMED, "a path is too long");
    GW_TRY(gw_safetensors_open(hf->host, folder, &hf->dense[hf->n_dense], err));
    const unsigned place = 2 + (unsigned)hf->n_dense;
    const gw_st_tensor *t = gw_safetensors_find(hf->dense[hf->n_dense++], "linear.weight");
    if (!t || t->n_dims != 2 || t->dims[0] > GW_MAX_FF || t->dims[1] > GW_MAX_FF)
        GW_FAIL(err, GODWIT_MALFORMED, "%s: no matrix linear.weight in it", folder);
    snprintf(key, sizeof key, "dense_%u_feat_in", place);
    GW_TRY(gw_hf_set_u32(hf, key, t->dims[1], err));
    snprintf(key, sizeof key, "dense_%u_feat_out", place);
    GW_TRY(gw_hf_set_u32(hf, key, t->dims[0], err));
done:
    return status;
}

godwit_status gw_hf_emit_dense(gw_hf_listing *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < l->hf->n_dense; i++) {
        for (uint64_t k = 0; k < gw_safetensors_n(l->hf->dense[i]); k++) {
            const gw_st_tensor *t = gw_safetensors_at(l->hf->dense[i], k);
            const bool bias = !strcmp(t->name, "linear.bias");
            char name[32];
            if (!bias && strcmp(t->name, "linear.weight") != 0)
                GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: not a part of a Dense", t->name);
            snprintf(name, sizeof name, "dense_%zu.%s", i + 2, bias ? "bias" : "weight");
            GW_TRY(gw_hf_emit(l, t, name, t->n_dims, t->dims, NULL, 0, GW_HF_AS_IS, err));
        }
    }
done:
    return status;
}

// sentence_transformers' folders say in a file of their own what is made of the tokens' embeddings.
static godwit_status write_pooling(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *modules = hf->modules, *pooling = NULL;
    for (const gw_json *m = modules && modules->type == GW_JSON_ARRAY ? modules->first : NULL; m;
         m = m->next) {
        gw_str type = {0}, path = {0};
        char name[256];
        gw_json_str(gw_json_get(m, "type"), &type);
        gw_json_str(gw_json_get(m, "path"), &path);
        const bool dense = gw_str_ends(type, GW_STR("Dense"));
        const gw_json *config = NULL;
        if (!dense && !gw_str_ends(type, GW_STR("Pooling"))) continue;
        const int n = snprintf(name, sizeof name, "%.*s/config.json", GW_STR_ARG(path));
        if (n < 0 || (size_t)n >= sizeof name || strstr(name, "..") || name[0] == '/') {
            GW_FAIL(err, GODWIT_MALFORMED, "modules.json: a path that is none of the folder's");
        }
        GW_TRY(gw_hf_read_json(hf, name, false, &config, err));
        if (!dense) {
            pooling = config;
            continue;
        }
        if (!pooling)
            GW_FAIL(err, GODWIT_UNSUPPORTED, "modules.json: a Dense without a Pooling before it");
        GW_TRY(read_dense(hf, path, config, err));
    }
    if (!pooling) return GODWIT_OK;
    const uint32_t type = says(pooling, "pooling_mode_mean_tokens", "mean")      ? 1
                          : says(pooling, "pooling_mode_cls_token", "cls")       ? 2
                          : says(pooling, "pooling_mode_lasttoken", "lasttoken") ? 3
                                                                                 : 0;
    if (!type)
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "modules.json: a pooling that is not of mean, cls or lasttoken");
    GW_TRY(gw_hf_set_u32(hf, "pooling_type", type, err));
done:
    return status;
}

// Names of scores, in order of their numbers.
static godwit_status write_labels(gw_hf *hf, godwit_error *err) {
    enum { MAX_LABELS = 64 };
    gw_str labels[MAX_LABELS];
    char key[GW_HF_KEY_BYTES];
    const gw_json *list = gw_json_get(hf->config, "id2label");
    uint32_t n = 0;
    if (!list || list->type != GW_JSON_OBJECT || list->n == 0 || list->n > MAX_LABELS)
        return GODWIT_OK;
    for (; n < list->n; n++) {
        char number[12];
        snprintf(number, sizeof number, "%u", n);
        if (!gw_json_str(gw_json_get(list, number), &labels[n])) return GODWIT_OK;
    }
    return gw_gguf_writer_set_strs(hf->writer, gw_hf_key(hf, "classifier.output_labels", key),
                                   labels, n, err);
}

// What Jina's folders say in words, and GGUF has no key for.
static const struct {
    gw_hf_set families;
    const char *name, *value;
} jina_words[] = {
    {GW_HF_ONE(JINA2), "position_embedding_type", "alibi"},
    {GW_HF_ONE(JINA2), "feed_forward_type", "geglu"},
    {GW_HF_ONE(JINA3), "position_embedding_type", "rotary"},
};

static godwit_status check_jina(const gw_hf *hf, godwit_error *err) {
    for (size_t i = 0; i < sizeof jina_words / sizeof *jina_words; i++) {
        const gw_json *node = gw_hf_setting(hf, jina_words[i].name);
        if (!gw_hf_in(hf, jina_words[i].families) || !node || gw_json_is(node, jina_words[i].value))
            continue;
        return gw_fail(err, GODWIT_UNSUPPORTED, "%s: only %s belongs to this family",
                       jina_words[i].name, jina_words[i].value);
    }
    return GODWIT_OK;
}

godwit_status gw_hf_family_encoder(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[GW_HF_KEY_BYTES];
    gw_str act = GW_STR("gelu");
    uint64_t n_types = 1;
    bool both_ways = false;
    gw_json_bool(gw_hf_setting(hf, "use_bidirectional_attention"), &both_ways);
    if (gw_hf_in(hf, GW_HF_ONE(GEMMAEMB)) && !both_ways) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "use_bidirectional_attention: only true belongs to EmbeddingGemma");
    }
    GW_TRY(check_jina(hf, err));
    GW_TRY(write_pooling(hf, err));
    if (!(hf->family->flags & GW_HF_ENCODER)) return GODWIT_OK;
    GW_TRY(gw_gguf_writer_set_number(hf->writer, gw_hf_key(hf, "attention.causal", key),
                                     GW_GGUF_BOOL, &(bool){false}, err));
    GW_TRY(write_labels(hf, err));
    if (gw_hf_in(hf, GW_HF_ONE(MODERNBERT))) {
        gw_json_str(gw_hf_setting(hf, "hidden_activation"), &act);
        GW_TRY(
            gw_gguf_writer_set_str(hf->writer, gw_hf_key(hf, "hidden_activation", key), act, err));
        return GODWIT_OK;
    }
    if (gw_hf_in(hf, GW_HF_ONE(EUROBERT))) return GODWIT_OK;
    GW_TRY(gw_hf_size(hf, "type_vocab_size", 1, 0, 1024, &n_types, err));
    GW_TRY(gw_gguf_writer_set_u32(hf->writer, "tokenizer.ggml.token_type_count", (uint32_t)n_types,
                                  err));
done:
    return status;
}
