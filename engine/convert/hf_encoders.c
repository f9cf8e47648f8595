// Hf encoders: keys of models that give embeddings and scores.
#include "convert/hf_family.h"

#include "base/status.h"

#include <stdio.h>

uint64_t gw_hf_position_offset(const gw_hf *hf) {
    uint64_t pad = 0;
    if (!gw_hf_in(hf, GW_HF_ONE(ROBERTA))) return 0;
    return gw_json_u64(gw_hf_setting(hf, "pad_token_id"), &pad) && pad < 1024 ? pad + 1 : 2;
}

static bool says(const gw_json *pooling, const char *key, const char *mode) {
    bool set = false;
    if (gw_json_bool(gw_json_get(pooling, key), &set) && set) return true;
    return gw_json_is(gw_json_get(pooling, "pooling_mode"), mode);
}

// sentence_transformers' folders say in a file of their own what is made of the tokens' embeddings.
static godwit_status write_pooling(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *modules = hf->modules, *pooling = NULL;
    for (const gw_json *m = modules && modules->type == GW_JSON_ARRAY ? modules->first : NULL; m;
         m = m->next) {
        static const char end[] = "Pooling";
        gw_str type = {0}, path = {0};
        char name[256];
        gw_json_str(gw_json_get(m, "type"), &type);
        gw_json_str(gw_json_get(m, "path"), &path);
        if (type.n < sizeof end - 1 ||
            memcmp(type.text + type.n - (sizeof end - 1), end, sizeof end - 1))
            continue;
        const int n = snprintf(name, sizeof name, "%.*s/config.json", GW_STR_ARG(path));
        if (n < 0 || (size_t)n >= sizeof name || strstr(name, "..") || name[0] == '/') {
            GW_FAIL(err, GODWIT_MALFORMED, "modules.json: a path that is none of the folder's");
        }
        GW_TRY(gw_hf_read_json(hf, name, false, &pooling, err));
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

godwit_status gw_hf_family_encoder(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[GW_HF_KEY_BYTES];
    gw_str act = GW_STR("gelu");
    uint64_t n_types = 1;
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
    GW_TRY(gw_hf_size(hf, "type_vocab_size", 1, 0, 1024, &n_types, err));
    GW_TRY(gw_gguf_writer_set_u32(hf->writer, "tokenizer.ggml.token_type_count", (uint32_t)n_types,
                                  err));
done:
    return status;
}
