// Def: a model as its file describes it; the registry of families, and what they share.
#include "arch/arch.h"

#include "base/dims.h"
#include "base/status.h"
#include "file/recognize.h"

#include <stdio.h>
#include <stdlib.h>

#define X(name) extern const gw_arch gw_arch_##name;
#include "arch/arch.def"
#undef X

static const gw_arch *const archs[] = {
#define X(name) &gw_arch_##name,
#include "arch/arch.def"
#undef X
};
enum { N_ARCHS = sizeof archs / sizeof *archs };

// " (near it: qwen2, qwen3)": those that begin with the same three letters.
static void list_near(gw_str name, char *near, size_t n_near) {
    enum { N_SAME = 3 };
    size_t n = 0;
    near[0] = '\0';
    for (int i = 0; i < N_ARCHS && name.n >= N_SAME; i++) {
        const char *other = archs[i]->name;
        if (strncmp(other, name.text, N_SAME) || n + strlen(other) + 16 > n_near) continue;
        n += (size_t)snprintf(near + n, n_near - n, "%s%s", n ? ", " : " (near it: ", other);
    }
    if (n) snprintf(near + n, n_near - n, ")");
}

static godwit_status find_arch(const gw_gguf *gguf, const gw_arch **out_arch, godwit_error *err) {
    gw_str name;
    godwit_status status = gw_gguf_get_str(gguf, "general.architecture", &name, err);
    if (status != GODWIT_OK) return status;
    if (!name.text) {
        return gw_fail(err, GODWIT_MALFORMED, "key general.architecture is missing");
    }
    for (int i = 0; i < N_ARCHS; i++) {
        *out_arch = archs[i];
        if (gw_str_eq(name, gw_str_of(archs[i]->name))) return GODWIT_OK;
    }
    char near[256];
    list_near(name, near, sizeof near);
    return gw_fail(
        err, GODWIT_UNSUPPORTED,
        "key general.architecture: architecture '%.*s' is not one of the %d that this build "
        "runs%s",
        GW_STR_ARG(name), N_ARCHS, near);
}

// Of a block behind the layers.
static bool is_of_next(const gw_model_def *def, const char *name) {
    char *end = NULL;
    if (!def->h.n_next || strncmp(name, "blk.", 4) != 0) return false;
    const unsigned long layer = strtoul(name + 4, &end, 10);
    return *end == '.' && layer >= def->h.n_layer && layer < def->h.n_layer + def->h.n_next;
}

// A tensor that no graph reads is a part of the model that would be left out without a word.
static godwit_status check_all_used(const gw_model_def *def, godwit_error *err) {
    uint64_t n_tensors = gw_gguf_n_tensors(def->gguf);
    const gw_rope *rope = &def->h.ropes[0];
    const uint32_t n_divisors = (rope->freqs != NULL) + (rope->long_freqs != NULL);
    if (def->weights.n - def->n_made + n_divisors == n_tensors) return GODWIT_OK;
    for (uint64_t i = 0; i < n_tensors; i++) {
        const gw_gguf_tensor *tensor = gw_gguf_tensor_at(def->gguf, i);
        bool used =
            tensor == rope->freqs || tensor == rope->long_freqs || is_of_next(def, tensor->name);
        for (size_t k = 0; k < def->weights.n && !used; k++) {
            used = def->weights.items[k]->name == tensor->name;
        }
        if (used) continue;
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: this build's %s has no such part; without it the results would "
                       "be wrong",
                       tensor->name, def->arch->name);
    }
    return GODWIT_OK;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_gguf_check_model(def->gguf, err));
    GW_TRY(find_arch(def->gguf, &def->arch, err));
    GW_TRY(def->arch->load(def, err));
    GW_TRY(check_all_used(def, err));
done:
    return status;
}

godwit_status gw_model_def_create(const gw_host *host, const gw_gguf *gguf, gw_model_def **out_def,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_model_def *def = gw_alloc(host, 1, sizeof *def);
    GW_CHECK_ALLOC(def, err, "model");
    def->host = host;
    def->gguf = gguf;
    gw_arena_init(&def->arena, host);
    GW_TRY(gw_note(err, load(def, err), "%s", gw_gguf_name(gguf)));
    *out_def = def;
    def = NULL;
done:
    gw_model_def_destroy(&def);
    return status;
}

void gw_model_def_destroy(gw_model_def **def) {
    if (!*def) return;
    const gw_host *host = (*def)->host;
    gw_vec_deinit(&(*def)->weights, host);
    gw_vec_deinit(&(*def)->states, host);
    gw_arena_deinit(&(*def)->arena);
    gw_free(host, *def, sizeof **def);
    *def = NULL;
}

static godwit_status check_tensor(const gw_gguf_tensor *tensor, uint32_t n_dims,
                                  const uint64_t *dims, godwit_error *err) {
    char has[96], wants[96];
    bool same = tensor->n_dims == n_dims && !memcmp(tensor->dims, dims, n_dims * sizeof *dims);
    gw_dims_text(tensor->n_dims, tensor->dims, has, sizeof has);
    gw_dims_text(n_dims, dims, wants, sizeof wants);
    if (!same) {
        return gw_fail(err, GODWIT_MALFORMED, "tensor %s: shape [%s], the metadata wants [%s]",
                       tensor->name, has, wants);
    }
    const gw_gguf_type_row *row = gw_gguf_tensor_type(tensor->type);
    const gw_format *format = gw_format_find(tensor->type);
    if (!format) {
        // Only of weights can quantize make others.
        const char *advice = tensor->type == GW_GGUF_TENSOR_F64
                                 ? "; `godwit quantize` makes one that runs"
                             : row && row->block_elements == 1 ? ", whole numbers are no weights"
                                                               : "";
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: no kernel reads type %s%s",
                       tensor->name, row ? row->name : "?", advice);
    }
    if (n_dims == 1 && tensor->type != GODWIT_F32) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: vectors must be F32, this one is %s; `godwit quantize` makes it "
                       "F32",
                       tensor->name, row ? row->name : "?");
    }
    return GODWIT_OK;
}

godwit_status gw_def_weight(gw_model_def *def, const char *name, bool optional, uint32_t n_dims,
                            const uint64_t *dims, gw_weight **out_weight, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    *out_weight = NULL;
    const gw_gguf_tensor *tensor = gw_gguf_find_tensor(def->gguf, name);
    if (!tensor && optional) return GODWIT_OK;
    if (!tensor) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", name);
    GW_TRY(check_tensor(tensor, n_dims, dims, err));
    gw_weight *w = gw_arena_alloc(&def->arena, 1, sizeof *w);
    GW_CHECK_ALLOC(w, err, "weights");
    gw_weight **item = gw_vec_push(&def->weights, def->host);
    GW_CHECK_ALLOC(item, err, "weights");
    gw_weight_init(w, tensor->name, gw_format_find(tensor->type), n_dims, dims, tensor->source);
    *item = *out_weight = w;
done:
    return status;
}

godwit_status gw_def_made(gw_model_def *def, uint64_t n, float **out_numbers,
                          gw_weight **out_weight, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    float *numbers = gw_arena_alloc(&def->arena, n, sizeof *numbers);
    gw_weight *w = gw_arena_alloc(&def->arena, 1, sizeof *w);
    GW_CHECK_ALLOC(numbers && w, err, "weights");
    gw_weight **item = gw_vec_push(&def->weights, def->host);
    GW_CHECK_ALLOC(item, err, "weights");
    gw_weight_init(w, "made", gw_format_find(GODWIT_F32), 1, &n,
                   (gw_source){.bytes = (const uint8_t *)numbers});
    *out_numbers = numbers;
    *item = *out_weight = w;
    def->n_made++;
done:
    return status;
}

godwit_status gw_def_ones(gw_model_def *def, uint64_t n, gw_weight **out_weight,
                          godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (size_t i = 0; i < def->weights.n; i++) {
        gw_weight *there = *out_weight = def->weights.items[i];
        if (there->name[0] == '\0' && there->n_cols == n) return GODWIT_OK;
    }
    float *ones = NULL;
    GW_TRY(gw_def_made(def, n, &ones, out_weight, err));
    (*out_weight)->name = "";
    for (uint64_t i = 0; i < n; i++) ones[i] = 1.0f;
done:
    return status;
}

godwit_status gw_def_number(const gw_weight *weight, float *out, godwit_error *err) {
    uint8_t scratch[4];
    const uint8_t *bytes;
    godwit_status status = gw_source_view(&weight->source, 0, sizeof *out, scratch, &bytes, err);
    if (status != GODWIT_OK) return gw_note(err, status, "tensor %s", weight->name);
    memcpy(out, bytes, sizeof *out);
    return GODWIT_OK;
}

godwit_status gw_def_layer_weight(gw_model_def *def, uint32_t layer, const char *name,
                                  bool optional, uint32_t n_dims, const uint64_t *dims,
                                  gw_weight **out_weight, godwit_error *err) {
    char full[96];
    snprintf(full, sizeof full, "%sblk.%u.%s", def->layers_in ? def->layers_in : "", layer, name);
    return gw_def_weight(def, full, optional, n_dims, dims, out_weight, err);
}

// "blk.0.attn_q+attn_k" of blk.0.attn_q.weight and blk.0.attn_k.weight.
static const char *joined_name(gw_model_def *def, const gw_weight *whole) {
    char name[128] = "";
    for (uint32_t i = 0; i < whole->n_parts; i++) {
        const char *part = whole->parts[i]->name, *end = strrchr(part, '.'), *from = end;
        while (i && from && from > part && from[-1] != '.') from--;
        size_t n = strlen(name);
        if (!end) end = part + strlen(part);
        if (!i || !from) from = part;
        snprintf(name + n, sizeof name - n, "%s%.*s", i ? "+" : "", (int)(end - from), from);
    }
    return gw_arena_strndup(&def->arena, name, strlen(name));
}

static void add_part(gw_weight *whole, gw_weight *part, uint64_t row0) {
    part->whole = whole;
    part->whole_row0 = row0;
    whole->parts[whole->n_parts++] = part;
}

static godwit_status new_whole(gw_model_def *def, const gw_weight *first, uint32_t n_dims,
                               uint64_t n_rows, gw_weight **out, godwit_error *err) {
    const uint64_t matrix[2] = {n_rows, first->n_cols}, vector[1] = {n_rows};
    gw_weight *whole = gw_arena_alloc(&def->arena, 1, sizeof *whole);
    if (!whole) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: weights");
    gw_weight_init(whole, "", first->format, n_dims, n_dims == 2 ? matrix : vector, (gw_source){0});
    *out = whole;
    return GODWIT_OK;
}

// The linears that one product makes, n of them.
static godwit_status join(gw_model_def *def, gw_linear *const *of, uint32_t n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_weight *whole = NULL, *bias = NULL;
    uint64_t n_rows = 0;
    bool biased = true;
    for (uint32_t i = 0; i < n; i++) {
        of[i]->row0 = n_rows;
        n_rows += of[i]->n_rows;
        biased &= of[i]->bias != NULL;
    }
    GW_TRY(new_whole(def, of[0]->w, 2, n_rows, &whole, err));
    if (biased) GW_TRY(new_whole(def, of[0]->bias, 1, n_rows, &bias, err));
    for (uint32_t i = 0; i < n; i++) {
        add_part(whole, of[i]->w, of[i]->row0);
        of[i]->w = whole;
        if (!biased) continue;
        add_part(bias, of[i]->bias, of[i]->row0);
        of[i]->bias = bias;
    }
    whole->name = joined_name(def, whole);
    GW_CHECK_ALLOC(whole->name, err, "weights");
    if (bias) bias->name = joined_name(def, bias);
    GW_CHECK_ALLOC(!bias || bias->name, err, "weights");
done:
    return status;
}

godwit_status gw_def_join(gw_model_def *def, gw_linear *const *linears, uint32_t n,
                          godwit_error *err) {
    for (uint32_t i = 0; i < n; i++) linears[i]->n_rows = linears[i]->w->n_rows;
    for (uint32_t i = 0; i < n; i++) {
        const gw_weight *first = linears[i]->w;
        gw_linear *alike[GW_WEIGHT_MAX_PARTS];
        uint32_t n_alike = 0;
        uint64_t n_rows = 0;
        for (uint32_t k = i; k < n && !first->n_parts; k++) {
            gw_linear *l = linears[k];
            if (l->w->format != first->format || l->w->n_parts || n_rows % GW_GROUP_ROWS) continue;
            alike[n_alike++] = l;
            n_rows += l->n_rows;
        }
        if (n_alike < 2) continue;
        godwit_status status = join(def, alike, n_alike, err);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

godwit_status gw_def_vocab(gw_model_def *def, const char *name, godwit_error *err) {
    const gw_gguf_tensor *embd = gw_gguf_find_tensor(def->gguf, name);
    const gw_gguf_value *tokens = gw_gguf_find(def->gguf, "tokenizer.ggml.tokens");
    if (!embd) return gw_fail(err, GODWIT_MALFORMED, "tensor %s: missing", name);
    uint64_t n_rows = embd->dims[0];
    if (n_rows > GW_MAX_VOCAB) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "tensor %s: %llu rows, at most %d are supported",
                       name, (unsigned long long)n_rows, GW_MAX_VOCAB);
    }
    if (tokens && tokens->n_items != n_rows) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "tensor %s: %llu rows, but key tokenizer.ggml.tokens has %llu tokens", name,
                       (unsigned long long)n_rows, (unsigned long long)tokens->n_items);
    }
    def->h.n_vocab = (uint32_t)n_rows;
    return GODWIT_OK;
}

const char *gw_def_key(const gw_model_def *def, const char *suffix, char *text, size_t text_bytes) {
    snprintf(text, text_bytes, "%s.%s", def->arch->name, suffix);
    return text;
}
