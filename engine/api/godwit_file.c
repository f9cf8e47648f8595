// Files and tokenizers: godwit_file_*, godwit_tokenizer_*.
#include "api/handles.h"

#include <stdio.h>

godwit_status godwit_file_open(godwit_context *context, const char *path, godwit_file **out_file,
                               godwit_error *error) {
    GW_WANT(context && path && out_file, error);
    *out_file = NULL;
    godwit_file *file = gw_alloc(&context->host, 1, sizeof *file);
    if (!file) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: file");
    atomic_init(&file->references, 1);
    pthread_mutex_init(&file->def_lock, NULL);
    file->context = GW_RETAIN(context);
    godwit_status status = gw_gguf_open(&context->host, path, &file->gguf, error);
    if (status != GODWIT_OK) {
        gw_api_file_release(file);
        return status;
    }
    *out_file = file;
    return GODWIT_OK;
}

void gw_api_file_release(godwit_file *file) {
    if (!file || !GW_RELEASE(file)) return;
    godwit_context *context = file->context;
    gw_model_def_destroy(&file->def);
    pthread_mutex_destroy(&file->def_lock);
    gw_gguf_destroy(&file->gguf);
    gw_free(&context->host, file, sizeof *file);
    gw_context_release(context);
}

godwit_status gw_api_file_def(const godwit_file *file, const gw_model_def **out_def,
                              godwit_error *err) {
    godwit_file *f = (godwit_file *)file; // made once, and the same ever after
    godwit_status status = GODWIT_OK;
    pthread_mutex_lock(&f->def_lock);
    if (!f->def) status = gw_model_def_create(&f->context->host, f->gguf, &f->def, err);
    *out_def = f->def;
    pthread_mutex_unlock(&f->def_lock);
    return status;
}

void godwit_file_close(godwit_file **file) {
    if (!file) return;
    gw_api_file_release(*file);
    *file = NULL;
}

const char *godwit_file_part(const godwit_file *file, uint32_t index) {
    return file ? gw_gguf_file(file->gguf, index) : NULL;
}

uint64_t godwit_file_n_tensors(const godwit_file *file) {
    return file ? gw_gguf_n_tensors(file->gguf) : 0;
}

uint64_t godwit_file_n_metadata(const godwit_file *file) {
    return file ? gw_gguf_n_values(file->gguf) : 0;
}

static godwit_status fail_no_item(const godwit_file *file, const char *what, uint64_t index,
                                  uint64_t n, godwit_error *err) {
    return gw_fail(err, GODWIT_INVALID_ARGUMENT, "%s: %s %llu: there are only %llu",
                   gw_gguf_name(file->gguf), what, (unsigned long long)index,
                   (unsigned long long)n);
}

godwit_status godwit_file_tensor(const godwit_file *file, uint64_t index,
                                 godwit_tensor_info *out_info, godwit_error *error) {
    GW_WANT(file && out_info, error);
    const gw_gguf_tensor *tensor = gw_gguf_tensor_at(file->gguf, index);
    if (!tensor) return fail_no_item(file, "tensor", index, gw_gguf_n_tensors(file->gguf), error);
    const gw_gguf_type_row *row = gw_gguf_tensor_type(tensor->type);
    godwit_tensor_info info = {.name = tensor->name,
                               .dtype = (godwit_dtype)tensor->type,
                               .dtype_name = row ? row->name : "?",
                               .n_dims = tensor->n_dims,
                               .bytes = tensor->bytes,
                               .offset = tensor->offset};
    _Static_assert(sizeof info.dims >= sizeof tensor->dims, "there is room for all");
    memcpy(info.dims, tensor->dims, sizeof tensor->dims);
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

// --- metadata ------------------------------------------------------------------------------------

godwit_status godwit_file_metadata(const godwit_file *file, uint64_t index,
                                   godwit_metadata_info *out_info, godwit_error *error) {
    GW_WANT(file && out_info, error);
    const gw_gguf_value *value = gw_gguf_value_at(file->gguf, index);
    if (!value) return fail_no_item(file, "metadata", index, gw_gguf_n_values(file->gguf), error);
    godwit_metadata_info info = {.key = value->key.text,
                                 .type_name = gw_gguf_value_type_text(value),
                                 .n_items = value->n_items};
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

typedef struct text_out {
    char *text;
    size_t cap, n; // n: what it would take
} text_out;

static void put(text_out *out, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++, out->n++) {
        if (out->n + 1 < out->cap) out->text[out->n] = bytes[i];
    }
}

static void put_item(text_out *out, const gw_gguf_value *value, uint64_t i) {
    char number[64];
    int n = 0;
    gw_str text;
    double f;
    int64_t s;
    uint64_t u;
    switch (value->item_type) {
    case GW_GGUF_STRING:
        if (gw_gguf_item_str(value, i, &text, NULL) == GODWIT_OK) put(out, text.text, text.n);
        return;
    case GW_GGUF_BOOL:
        if (gw_gguf_item_u64(value, i, &u, NULL) == GODWIT_OK) {
            put(out, u ? "true" : "false", u ? 4 : 5);
        }
        return;
    case GW_GGUF_F32:
    case GW_GGUF_F64:
        if (gw_gguf_item_f64(value, i, &f, NULL) != GODWIT_OK)
            put(out, "not finite", 10);
        else
            n = snprintf(number, sizeof number, "%.9g", f);
        break;
    case GW_GGUF_U64:
        if (gw_gguf_item_u64(value, i, &u, NULL) == GODWIT_OK) {
            n = snprintf(number, sizeof number, "%llu", (unsigned long long)u);
        }
        break;
    default:
        if (gw_gguf_item_i64(value, i, &s, NULL) == GODWIT_OK) {
            n = snprintf(number, sizeof number, "%lld", (long long)s);
        }
        break;
    }
    put(out, number, n > 0 ? (size_t)n : 0);
}

size_t godwit_file_metadata_text(const godwit_file *file, uint64_t index, uint64_t n_max,
                                 char *text, size_t text_bytes) {
    if (!file || index >= gw_gguf_n_values(file->gguf)) return 0;
    const gw_gguf_value *value = gw_gguf_value_at(file->gguf, index);
    text_out out = {.text = text, .cap = text ? text_bytes : 0};
    bool is_array = value->type == GW_GGUF_ARRAY;
    if (is_array) put(&out, "[", 1);
    for (uint64_t i = 0; i < value->n_items && i < n_max; i++) {
        if (i) put(&out, ", ", 2);
        put_item(&out, value, i);
    }
    if (value->n_items > n_max) put(&out, ", ...", 5);
    if (is_array) put(&out, "]", 1);
    if (out.cap) out.text[out.n < out.cap ? out.n : out.cap - 1] = '\0';
    return out.n;
}

// --- tokenizer -----------------------------------------------------------------------------------

godwit_status godwit_tokenizer_create(const godwit_file *file, godwit_tokenizer **out_tokenizer,
                                      godwit_error *error) {
    GW_WANT(file && out_tokenizer, error);
    *out_tokenizer = NULL;
    const gw_host *host = &file->context->host;
    godwit_tokenizer *t = gw_alloc(host, 1, sizeof *t);
    if (!t) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: tokenizer");
    godwit_status status = gw_tokenizer_create(host, file->gguf, &t->tokenizer, error);
    if (status != GODWIT_OK) {
        gw_free(host, t, sizeof *t);
        return status;
    }
    t->file = GW_RETAIN((godwit_file *)file);
    *out_tokenizer = t;
    return GODWIT_OK;
}

void godwit_tokenizer_destroy(godwit_tokenizer **tokenizer) {
    if (!tokenizer || !*tokenizer) return;
    godwit_file *file = (*tokenizer)->file;
    gw_tokenizer_destroy(&(*tokenizer)->tokenizer);
    gw_free(&file->context->host, *tokenizer, sizeof **tokenizer);
    gw_api_file_release(file);
    *tokenizer = NULL;
}

uint32_t godwit_tokenizer_n_tokens(const godwit_tokenizer *tokenizer) {
    return tokenizer ? gw_tokenizer_n_tokens(tokenizer->tokenizer) : 0;
}

int32_t godwit_tokenizer_bos(const godwit_tokenizer *tokenizer) {
    return tokenizer ? gw_tokenizer_bos(tokenizer->tokenizer) : -1;
}

int32_t godwit_tokenizer_eos(const godwit_tokenizer *tokenizer) {
    return tokenizer ? gw_tokenizer_eos(tokenizer->tokenizer) : -1;
}

bool godwit_tokenizer_is_end(const godwit_tokenizer *tokenizer, int32_t token) {
    return tokenizer && gw_tokenizer_is_end(tokenizer->tokenizer, token);
}

godwit_status godwit_tokenizer_encode(const godwit_tokenizer *tokenizer, const char *text,
                                      size_t n_bytes, const godwit_encode_params *params,
                                      int32_t *out_ids, size_t n_max, size_t *out_n,
                                      godwit_error *error) {
    GW_WANT(tokenizer && out_n && (text || !n_bytes) && (out_ids || !n_max), error);
    GW_PARAMS(godwit_encode_params, p, params);
    return gw_tokenizer_encode(tokenizer->tokenizer, text, n_bytes, &p, out_ids, n_max, out_n,
                               error);
}

godwit_status godwit_tokenizer_decode(const godwit_tokenizer *tokenizer, godwit_decoder *decoder,
                                      int32_t token, char *text, size_t text_bytes,
                                      size_t *out_bytes, godwit_error *error) {
    GW_WANT(tokenizer && decoder && text && text_bytes && out_bytes, error);
    return gw_tokenizer_decode(tokenizer->tokenizer, decoder, token, text, text_bytes, out_bytes,
                               error);
}
