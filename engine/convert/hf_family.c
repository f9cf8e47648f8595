// Hf family: see hf_family.h.
#include "convert/hf_family.h"

#include "base/status.h"

#include <stdio.h>

static const gw_hf_family families[] = {
#define X(id, arch, acts, flags) [GW_HF_##id] = {GW_HF_##id, arch, acts, flags},
#include "convert/hf_family.def"
#undef X
};

static const struct {
    gw_hf_id id;
    const char *name;
} classes[] = {
#define C(id, name) {GW_HF_##id, name},
#include "convert/hf_family.def"
#undef C
};

static const struct {
    gw_hf_set families;
    const char *name;
    double value;
} defaults[] = {
#define D(families, name, value) {families, name, value},
#include "convert/hf_family.def"
#undef D
};
enum {
    N_CLASSES = sizeof classes / sizeof *classes,
    N_DEFAULTS = sizeof defaults / sizeof *defaults
};

// Classes whose folders are of several families.
static gw_hf_id kind_of(const gw_hf *hf, gw_hf_id id) {
    double n_experts = 0;
    if (id == GW_HF_MISTRAL3 && gw_json_is(gw_json_get(hf->config, "model_type"), "mistral4"))
        return GW_HF_MISTRAL4;
    if (id == GW_HF_NEMOTRONH)
        return gw_json_is_null(gw_json_get(hf->config, "num_experts_per_tok")) ? id
                                                                               : GW_HF_NEMOTRONHMOE;
    if (id != GW_HF_GRANITEHYB) return id;
    gw_json_f64(gw_json_get(hf->config, "num_local_experts"), &n_experts);
    // Those without Mamba 2 in any layer are of another architecture.
    const gw_json *list = gw_json_get(hf->config, "layer_types");
    const gw_json *item = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    bool mamba = !item;
    for (; item; item = item->next) {
        mamba |= !gw_json_is(item, "attention") && !gw_json_is(item, "full_attention");
    }
    if (mamba) return n_experts > 0 ? GW_HF_GRANITEHYBMOE : GW_HF_GRANITEHYB;
    return n_experts > 0 ? GW_HF_GRANITEMOE : GW_HF_GRANITE;
}

// Classes of models that read pictures, in which any family may be what writes text.
static bool reads_pictures(const gw_json *name) {
    static const char *const names[] = {
        "Mistral3ForConditionalGeneration",  "LlavaForConditionalGeneration",
        "LlavaNextForConditionalGeneration", "VipLlavaForConditionalGeneration",
        "Idefics3ForConditionalGeneration",  "SmolVLMForConditionalGeneration",
        "InternVLForConditionalGeneration"};
    size_t i = 0;
    while (i < sizeof names / sizeof *names && !gw_json_is(name, names[i])) i++;
    return i < sizeof names / sizeof *names;
}

static const gw_hf_family *text_family(const gw_json *kind) {
    static const struct {
        const char *name;
        gw_hf_id id;
    } texts[] = {{"llama", GW_HF_LLAMATEXT},     {"mistral", GW_HF_MIXTRAL},
                 {"ministral3", GW_HF_MISTRAL3}, {"mistral4", GW_HF_MISTRAL4},
                 {"qwen2", GW_HF_QWEN2},         {"qwen3", GW_HF_QWEN3}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (gw_json_is(kind, texts[i].name)) return &families[texts[i].id];
    }
    return NULL;
}

const gw_hf_family *gw_hf_family_of(const gw_hf *hf) {
    const gw_json *list = gw_json_get(hf->config, "architectures");
    const gw_json *first = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    const gw_json *kind = gw_json_get(gw_json_get(hf->config, "text_config"), "model_type");
    if (!gw_json_is_null(kind) && reads_pictures(first)) return text_family(kind);
    // Jina's third has the class's name, and tasks.
    const bool tasks = !gw_json_is_null(gw_json_get(hf->config, "lora_adaptations"));
    if (tasks && gw_json_is(first, "XLMRobertaModel")) return &families[GW_HF_JINA3];
    for (size_t i = 0; i < N_CLASSES; i++) {
        if (gw_json_is(first, classes[i].name)) return &families[kind_of(hf, classes[i].id)];
    }
    return NULL;
}

const gw_hf_family *gw_hf_family_of_llama(const gw_hf *hf) {
    const gw_json *list = gw_json_get(hf->config, "architectures");
    const gw_json *first = list && list->type == GW_JSON_ARRAY ? list->first : NULL;
    const bool own =
        gw_json_is(first, "LlamaForCausalLM") || gw_json_is(first, "MistralForCausalLM");
    return own ? &families[GW_HF_LLAMATEXT] : NULL;
}

bool gw_hf_in(const gw_hf *hf, gw_hf_set set) {
    if (!hf->family) return false;
    const bool others = *set == GW_HF_NOT;
    if (others) set++;
    while (*set != GW_HF_N_FAMILIES && *set != hf->family->id) set++;
    return (*set == GW_HF_N_FAMILIES) == others;
}

// --- settings ------------------------------------------------------------------------------------

// The next of "a|b"; false behind the last.
static bool next_name(const char **names, char name[64]) {
    const char *begin = *names;
    const size_t n = strcspn(begin, "|");
    if (n == 0 || n >= 64) return false;
    memcpy(name, begin, n);
    name[n] = 0;
    *names = begin + n + (begin[n] == '|');
    return true;
}

// DBRX has settings of attention and of experts in objects of their own.
static const gw_json *in_parts(const gw_hf *hf, const char *name) {
    const gw_json *node = gw_json_get(gw_json_get(hf->config, "attn_config"), name);
    return gw_json_is_null(node) ? gw_json_get(gw_json_get(hf->config, "ffn_config"), name) : node;
}

const gw_json *gw_hf_setting(const gw_hf *hf, const char *names) {
    const gw_json *text = gw_json_get(hf->config, "text_config");
    char name[64];
    while (next_name(&names, name)) {
        const gw_json *node = gw_json_get(text, name);
        if (gw_json_is_null(node)) node = gw_json_get(hf->config, name);
        if (gw_json_is_null(node) && gw_hf_in(hf, GW_HF_ONE(DBRX))) node = in_parts(hf, name);
        if (!gw_json_is_null(node)) return node;
    }
    return NULL;
}

bool gw_hf_number(const gw_hf *hf, const char *names, double *out) {
    const gw_json *node = gw_hf_setting(hf, names);
    char name[64];
    if (node) return gw_json_f64(node, out);
    while (next_name(&names, name)) {
        for (size_t i = 0; i < N_DEFAULTS; i++) {
            if (!gw_hf_in(hf, defaults[i].families) || strcmp(defaults[i].name, name) != 0)
                continue;
            *out = defaults[i].value;
            return true;
        }
    }
    return false;
}

godwit_status gw_hf_size(const gw_hf *hf, const char *names, uint64_t fallback, uint64_t min,
                         uint64_t max, uint64_t *out, godwit_error *err) {
    const gw_json *node = gw_hf_setting(hf, names);
    double number = 0;
    *out = fallback;
    if (!node && gw_hf_number(hf, names, &number)) *out = (uint64_t)number;
    if (!node && *out == UINT64_MAX) {
        return gw_fail(err, GODWIT_MALFORMED, "%.*s: missing", (int)strcspn(names, "|"), names);
    }
    if (node && !gw_json_u64(node, out)) *out = UINT64_MAX;
    if (*out >= min && *out <= max) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED, "%.*s: not a whole number from %llu to %llu",
                   (int)strcspn(names, "|"), names, (unsigned long long)min,
                   (unsigned long long)max);
}

gw_str gw_hf_layer_type(const gw_hf *hf, uint64_t layer) {
    const gw_json *list = gw_hf_setting(hf, "layer_types");
    gw_str type = {0};
    if (!list || list->type != GW_JSON_ARRAY || layer >= list->n) return type;
    const gw_json *item = list->first;
    while (layer-- > 0 && item) item = item->next;
    gw_json_str(item, &type);
    return type;
}

// --- keys ----------------------------------------------------------------------------------------

const char *gw_hf_key(const gw_hf *hf, const char *key, char out[GW_HF_KEY_BYTES]) {
    snprintf(out, GW_HF_KEY_BYTES, "%s.%s", hf->family ? hf->family->arch : "llama", key);
    return out;
}

godwit_status gw_hf_set_u32(gw_hf *hf, const char *key, uint64_t number, godwit_error *err) {
    char full[GW_HF_KEY_BYTES];
    return gw_gguf_writer_set_u32(hf->writer, gw_hf_key(hf, key, full), (uint32_t)number, err);
}

godwit_status gw_hf_set_f32(gw_hf *hf, const char *key, double number, godwit_error *err) {
    char full[GW_HF_KEY_BYTES];
    return gw_gguf_writer_set_number(hf->writer, gw_hf_key(hf, key, full), GW_GGUF_F32,
                                     &(float){(float)number}, err);
}
