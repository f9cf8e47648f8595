// Hf adapter: a folder with a LoRA adapter as PEFT writes it, as a GGUF adapter (arch/lora.h).
//
// Its names are those of the model's tensors, so the model's own tables say where each belongs; of the model
// config.json is read, and its weights where a setting is in them. Rows of A are the rank and stay as they
// are; B has the weight's rows, and goes their way (hf_names.def). What PEFT adds beside A and B (DoRA's
// lengths, biases, whole layers) is refused. Sources: PEFT's adapter_config.json; llama.cpp's names.
#include "convert/hf_map.h"

#include "base/status.h"

#include <stdio.h>
#include <unistd.h>

enum { MAX_RANK = 4096 };

typedef struct adapter {
    gw_hf hf; // folder: the model's
    const char *folder;
    const gw_json *config; // adapter_config.json
    gw_safetensors *pairs, *model;
    gw_gguf_writer *scratch; // the model's keys, which no adapter has
} adapter;

// --- settings ------------------------------------------------------------------------------------

static bool is_set(const gw_json *node) {
    bool flag = false;
    if (gw_json_is_null(node)) return false;
    if (gw_json_bool(node, &flag)) return flag;
    return node->n > 0 || (node->type != GW_JSON_OBJECT && node->type != GW_JSON_ARRAY);
}

static godwit_status check_settings(const gw_json *config, godwit_error *err) {
    static const char *const nones[] = {"use_dora",
                                        "alpha_pattern",
                                        "modules_to_save",
                                        "lora_bias",
                                        "trainable_token_indices",
                                        "target_parameters",
                                        "alora_invocation_tokens",
                                        "arrow_config",
                                        "layer_replication",
                                        "use_qalora"};
    gw_str bias = GW_STR("none"), kind = GW_STR("(none)");
    gw_json_str(gw_json_get(config, "peft_type"), &kind);
    if (!gw_str_eq(kind, GW_STR("LORA")))
        return gw_fail(err, GODWIT_UNSUPPORTED, "peft_type: %.*s; only LORA can be converted",
                       GW_STR_ARG(kind));
    for (size_t i = 0; i < sizeof nones / sizeof *nones; i++) {
        if (!is_set(gw_json_get(config, nones[i]))) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED, "%s: a GGUF adapter cannot say that", nones[i]);
    }
    gw_json_str(gw_json_get(config, "bias"), &bias);
    if (gw_str_eq(bias, GW_STR("none"))) return GODWIT_OK;
    return gw_fail(err, GODWIT_UNSUPPORTED, "bias: %.*s; only none can be converted",
                   GW_STR_ARG(bias));
}

// What a reader divides by the rank: with use_rslora by its root here.
static godwit_status read_alpha(const gw_json *config, float *out, godwit_error *err) {
    double alpha = 0, rank = 0, root = 1;
    const bool by_root = is_set(gw_json_get(config, "use_rslora"));
    if (!gw_json_f64(gw_json_get(config, "lora_alpha"), &alpha) || !(alpha > -1e6 && alpha < 1e6) ||
        alpha == 0 || !gw_json_f64(gw_json_get(config, "r"), &rank) ||
        !(rank >= 1 && rank <= MAX_RANK)) {
        return gw_fail(err, GODWIT_MALFORMED, "lora_alpha, r: not numbers that can be");
    }
    if (by_root && is_set(gw_json_get(config, "rank_pattern")))
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "rank_pattern: a GGUF adapter cannot say that beside use_rslora");
    for (int i = 0; i < 60 && by_root; i++) root = (root + rank / root) / 2; // Newton's
    *out = (float)(alpha * root);
    return GODWIT_OK;
}

// The model's folder: as the caller says, or adapter_config.json.
static godwit_status find_model(adapter *a, const char *base, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str name = GW_STR("");
    char path[4096];
    gw_json_str(gw_json_get(a->config, "base_model_name_or_path"), &name);
    const char *said = gw_arena_strndup(&a->hf.arena, name.text, name.n);
    GW_CHECK_ALLOC(said, err, "a path");
    // Some have its config.json beside the adapter.
    const char *const folders[] = {base ? base : said, base ? base : a->folder};
    for (int i = 0; i < 2; i++) {
        a->hf.folder = folders[i];
        snprintf(path, sizeof path, "%.3000s/config.json", a->hf.folder);
        if (a->hf.folder[0] && access(path, F_OK) == 0) return GODWIT_OK;
    }
    GW_FAIL(err, GODWIT_NOT_FOUND,
            "%s: a LoRA adapter of %.*s: name the folder of that model, which has its config.json "
            "(--base FOLDER)",
            a->folder, GW_STR_ARG(name));
done:
    return status;
}

// Sizes and family, as of the model itself.
static godwit_status read_model(adapter *a, godwit_error *err) {
    static const uint8_t nothing[] = {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    godwit_status status = GODWIT_OK;
    gw_hf *hf = &a->hf;
    godwit_error unread = {0};
    GW_TRY(gw_hf_read_json(hf, "config.json", true, &hf->config, err));
    hf->family = gw_hf_family_of(hf);
    if (!hf->family) hf->family = gw_hf_family_of_llama(hf);
    if (gw_safetensors_open(hf->host, hf->folder, &a->model, &unread) != GODWIT_OK) {
        GW_TRY(gw_safetensors_parse(hf->host, nothing, sizeof nothing, hf->folder, &a->model, err));
    }
    hf->weights = a->model;
    GW_TRY(gw_gguf_writer_create(hf->host, &a->scratch, err));
    hf->writer = a->scratch;
    GW_TRY(gw_note(err, gw_hf_read_config(hf, err), "%s/config.json", hf->folder));
done:
    return status;
}

// --- tensors -------------------------------------------------------------------------------------

static const char *end_of(const char *name, const char *end) {
    const size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end) ? name + n - m : NULL;
}

// A pair by the name of its A: the model's tensor, whose name begins at `at`, and the other half. false:
// it is no A.
static bool split_name(const char *name, char model[256], char other[300], size_t *at,
                       bool *table) {
    static const char front[] = "base_model.model.", a[] = ".lora_A.weight",
                      e[] = ".lora_embedding_A";
    const char *end = end_of(name, a);
    *table = !end;
    if (!end) end = end_of(name, e);
    if (!end || strlen(name) > 250) return false;
    *at = strncmp(name, front, sizeof front - 1) ? 0 : sizeof front - 1;
    snprintf(model, 256, "%.*s.weight", (int)(end - name - (ptrdiff_t)*at), name + *at);
    snprintf(other, 300, "%.*s%s", (int)(end - name), name,
             *table ? ".lora_embedding_B" : ".lora_B.weight");
    return true;
}

static bool is_b(const char *name) {
    return end_of(name, ".lora_B.weight") || end_of(name, ".lora_embedding_B");
}

static godwit_status emit_table(gw_hf_listing *l, const gw_hf_source *a, const gw_hf_source *b,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hf_emit_way(l, a, GW_HF_TURNED_OVER, err));
    GW_TRY(gw_hf_emit_way(l, b, GW_HF_COPY, err));
done:
    return status;
}

static void name_half(const gw_hf_source *of, const gw_st_tensor *from, const char *end,
                      gw_hf_source *out) {
    *out = *of;
    out->from = from;
    for (int i = 0; i < 2; i++)
        if (of->to[i][0]) snprintf(out->to[i], sizeof out->to[i], "%.88s%s", of->to[i], end);
}

// B goes the way of the weight's rows, A is the same for each tensor that is made of the weight.
static godwit_status emit_pair(gw_hf_listing *l, const gw_st_tensor *a, const gw_st_tensor *b,
                               const gw_hf_named *named, bool table, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hf_source half[2];
    gw_hf_way way = named->way;
    if (a->n_dims != 2 || b->n_dims != 2 || b->dims[1] != a->dims[0])
        GW_FAIL(err, GODWIT_MALFORMED, "tensors %s and %s: not [rank, columns] and [rows, rank]",
                a->name, b->name);
    name_half(&named->source, a, ".lora_a", &half[0]);
    name_half(&named->source, b, ".lora_b", &half[1]);
    if (table) return emit_table(l, &half[0], &half[1], err);
    if (way == GW_HF_STACK) {
        GW_TRY(gw_hf_stack(l, &half[0], err));
        return gw_hf_stack(l, &half[1], err);
    }
    // PEFT has A and B of a layer that is stored turned over as of any other.
    if (way == GW_HF_TURNED_OVER || way == GW_HF_HEAD || way == GW_HF_SHARED) way = GW_HF_COPY;
    const bool known = way == GW_HF_COPY || way == GW_HF_Q || way == GW_HF_K ||
                       way == GW_HF_HALVES || way == GW_HF_HEADS_OF_QKV || way == GW_HF_KV_GROUPS;
    if (!known)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: adapters of such a layer are not converted",
                a->name);
    for (int i = 0; i < 2; i++) {
        if (!half[0].to[i][0]) continue;
        GW_TRY(gw_hf_emit(l, a, half[0].to[i], 2, a->dims, NULL, 0, GW_HF_AS_IS, err));
    }
    GW_TRY(gw_hf_emit_way(l, &half[1], way, err));
done:
    return status;
}

static godwit_status list_pairs(adapter *a, gw_convert_job *job, gw_hf_listing *l,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t n = gw_safetensors_n(a->pairs);
    uint64_t n_pairs = 0;
    *l = (gw_hf_listing){.hf = &a->hf, .job = job, .n_max = 4 * (size_t)n + 1};
    l->items = gw_arena_alloc(&a->hf.arena, l->n_max, sizeof *l->items);
    GW_CHECK_ALLOC(l->items, err, "tensors");
    a->hf.slab.host = a->hf.host;
    a->hf.weights = a->pairs;
    for (uint64_t i = 0; i < n; i++) {
        const gw_st_tensor *t = gw_safetensors_at(a->pairs, i);
        char model[256], other[300];
        bool table = false;
        size_t at = 0;
        gw_hf_named named;
        if (is_b(t->name)) continue;
        if (!split_name(t->name, model, other, &at, &table))
            GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: neither A nor B of an adapter", t->name);
        const gw_st_tensor *b = gw_safetensors_find(a->pairs, other);
        if (!b) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", other);
        GW_TRY(gw_hf_name(&a->hf, model, at, &named, err));
        n_pairs++;
        if (named.way == GW_HF_STACK && named.expert > 0) continue; // with the first
        GW_TRY(emit_pair(l, t, b, &named, table, err));
    }
    if (2 * n_pairs != n || n == 0)
        GW_FAIL(err, GODWIT_MALFORMED, "%llu tensors are not pairs of A and B",
                (unsigned long long)n);
done:
    return status;
}

// --- all of it -----------------------------------------------------------------------------------

static godwit_status describe(gw_gguf_writer *writer, const gw_hf *hf, float alpha,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(
        gw_gguf_writer_set_str(writer, "general.architecture", gw_str_of(hf->family->arch), err));
    GW_TRY(gw_gguf_writer_set_str(writer, "general.type", GW_STR("adapter"), err));
    GW_TRY(gw_gguf_writer_set_str(writer, "adapter.type", GW_STR("lora"), err));
    GW_TRY(gw_gguf_writer_set_number(writer, "adapter.lora.alpha", GW_GGUF_F32, &alpha, err));
done:
    return status;
}

godwit_status gw_convert_adapter(const gw_host *host, const char *folder,
                                 const godwit_quantize_params *params, const char *path,
                                 godwit_quantize_result *out_result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    adapter a = {.hf = {.host = host, .folder = folder}, .folder = folder};
    gw_convert_job job;
    gw_gguf_writer *writer = NULL;
    gw_hf_listing l;
    char file[4096];
    float alpha = 0;
    gw_arena_init(&a.hf.arena, host);
    GW_TRY(gw_convert_job_init(&job, host, params, err));
    GW_TRY(gw_hf_read_json(&a.hf, "adapter_config.json", true, &a.config, err));
    GW_TRY(gw_note(err, check_settings(a.config, err), "%s/adapter_config.json", folder));
    GW_TRY(gw_note(err, read_alpha(a.config, &alpha, err), "%s/adapter_config.json", folder));
    snprintf(file, sizeof file, "%.4000s/adapter_model.safetensors", folder);
    GW_TRY(gw_safetensors_open_file(host, file, &a.pairs, err));
    GW_TRY(find_model(&a, params->base, err));
    GW_TRY(gw_hf_check_folder(folder, path, err));
    GW_TRY(gw_hf_check_folder(a.hf.folder, path, err));
    GW_TRY(read_model(&a, err));
    GW_TRY(gw_note(err, list_pairs(&a, &job, &l, err), "%s", file));
    GW_TRY(gw_gguf_writer_create(host, &writer, err));
    GW_TRY(describe(writer, &a.hf, alpha, err));
    GW_TRY(gw_convert_save(&job, writer, l.items, l.n, path, err));
    *out_result = job.result;
done:
    gw_gguf_writer_destroy(&writer);
    gw_gguf_writer_destroy(&a.scratch);
    gw_hf_slab_free(&a.hf.slab);
    gw_safetensors_destroy(&a.pairs);
    gw_safetensors_destroy(&a.model);
    gw_arena_deinit(&a.hf.arena);
    gw_convert_job_deinit(&job);
    return status;
}
