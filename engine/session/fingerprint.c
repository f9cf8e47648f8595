// Fingerprint: a model by its contents, not by its name: XXH3-128 over architecture,
// hyper-parameters and every tensor's name, type, shape and data. Order in the file, splits and
// what else stands in its metadata (names, tokenizer, alignment) do not count.
//
// Reads the whole file, as it was when it was opened, so it is made when a session is first saved or
// loaded, and kept in the model.
#include "session/session.h"

#include "base/sort.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY // the state lies on the stack
#include <xxhash.h>

enum { PIECE_BYTES = 1 << 20 };

static void add_u64(XXH3_state_t *hash, uint64_t x) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(x >> 8 * i);
    XXH3_128bits_update(hash, bytes, sizeof bytes);
}

static void add_text(XXH3_state_t *hash, const char *text, size_t n) {
    add_u64(hash, n);
    XXH3_128bits_update(hash, text, n);
}

// An item by its value, so that the width of a number does not count.
static godwit_status add_item(XXH3_state_t *hash, const gw_gguf_value *value, uint64_t i,
                              godwit_error *err) {
    gw_str text = {NULL, 0};
    uint64_t u = 0;
    int64_t n = 0;
    double f = 0;
    if (value->item_type == GW_GGUF_STRING) {
        godwit_status status = gw_gguf_item_str(value, i, &text, err);
        if (status == GODWIT_OK) add_text(hash, text.text, text.n);
        return status;
    }
    if (gw_gguf_item_u64(value, i, &u, NULL) == GODWIT_OK) {
        add_u64(hash, u);
    } else if (gw_gguf_item_i64(value, i, &n, NULL) == GODWIT_OK) {
        add_u64(hash, (uint64_t)n);
    } else if (gw_gguf_item_f64(value, i, &f, NULL) == GODWIT_OK) {
        memcpy(&u, &f, sizeof u);
        add_u64(hash, u);
    } else { // infinity, as its bytes
        const size_t n_bytes = value->item_type == GW_GGUF_F64 ? 8 : 4;
        add_text(hash, (const char *)value->data + i * n_bytes, n_bytes);
    }
    return GODWIT_OK;
}

static int by_key(const void *a, const void *b, const void *user) {
    const gw_gguf_value *const *x = a, *const *y = b;
    (void)user;
    return strcmp((*x)->key.text, (*y)->key.text);
}

static int by_name(const void *a, const void *b, const void *user) {
    const gw_gguf_tensor *const *x = a, *const *y = b;
    (void)user;
    return strcmp((*x)->name, (*y)->name);
}

// The keys of an architecture: "llama.block_count".
static godwit_status add_hparams(XXH3_state_t *hash, const gw_host *host, const gw_gguf *gguf,
                                 const char *arch, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const size_t n_all = (size_t)gw_gguf_n_values(gguf), n_arch = strlen(arch);
    size_t n = 0;
    const gw_gguf_value **values = gw_alloc(host, n_all, sizeof(*values));
    GW_CHECK_ALLOC(values, err, "fingerprint");
    for (size_t i = 0; i < n_all; i++) {
        const gw_gguf_value *value = gw_gguf_value_at(gguf, i);
        bool own = strncmp(value->key.text, arch, n_arch) == 0;
        if (own && value->key.text[n_arch] == '.') values[n++] = value;
    }
    gw_sort(values, n, sizeof(*values), by_key, NULL);
    for (size_t i = 0; i < n; i++) {
        add_text(hash, values[i]->key.text, values[i]->key.n);
        add_u64(hash, values[i]->n_items);
        for (uint64_t k = 0; k < values[i]->n_items; k++) GW_TRY(add_item(hash, values[i], k, err));
    }
done:
    gw_free(host, values, n_all * sizeof(*values));
    return status;
}

static godwit_status add_tensor(XXH3_state_t *hash, const gw_gguf_tensor *t, uint8_t *scratch,
                                godwit_error *err) {
    add_text(hash, t->name, strlen(t->name));
    add_u64(hash, t->type);
    add_u64(hash, t->n_dims);
    for (uint32_t d = 0; d < t->n_dims; d++) add_u64(hash, t->dims[d]);
    for (uint64_t at = 0; at < t->bytes; at += PIECE_BYTES) {
        const uint64_t n = t->bytes - at < PIECE_BYTES ? t->bytes - at : PIECE_BYTES;
        const uint8_t *bytes = NULL;
        godwit_status status = gw_source_view(&t->source, at, n, scratch, &bytes, err);
        if (status != GODWIT_OK) return gw_note(err, status, "tensor %s", t->name);
        XXH3_128bits_update(hash, bytes, (size_t)n);
    }
    return GODWIT_OK;
}

static godwit_status add_tensors(XXH3_state_t *hash, const gw_host *host, const gw_gguf *gguf,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const size_t n = (size_t)gw_gguf_n_tensors(gguf);
    uint8_t *scratch = gw_alloc(host, PIECE_BYTES, 1);
    const gw_gguf_tensor **tensors = gw_alloc(host, n, sizeof(*tensors));
    GW_CHECK_ALLOC(scratch && tensors, err, "fingerprint");
    for (size_t i = 0; i < n; i++) tensors[i] = gw_gguf_tensor_at(gguf, i);
    gw_sort(tensors, n, sizeof(*tensors), by_name, NULL);
    add_u64(hash, n);
    for (size_t i = 0; i < n; i++) GW_TRY(add_tensor(hash, tensors[i], scratch, err));
done:
    gw_free(host, scratch, PIECE_BYTES);
    gw_free(host, tensors, n * sizeof(*tensors));
    return status;
}

static godwit_status make_one(const gw_host *host, const gw_gguf *gguf, const char *arch,
                              uint8_t *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    XXH3_state_t hash;
    XXH128_canonical_t digest;
    XXH3_INITSTATE(&hash);
    XXH3_128bits_reset(&hash);
    add_text(&hash, arch, strlen(arch));
    GW_TRY(add_hparams(&hash, host, gguf, arch, err));
    GW_TRY(add_tensors(&hash, host, gguf, err));
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&hash));
    memcpy(out, digest.digest, GW_FINGERPRINT_BYTES);
done:
    return status;
}

// The model's and those of its adapters.
static godwit_status make(gw_model *model, godwit_error *err) {
    const gw_host *host = model->def->host;
    const gw_lora *lora = model->lora;
    godwit_status status =
        make_one(host, model->def->gguf, model->def->arch->name, model->fingerprint, err);
    for (uint32_t i = 0; lora && i < lora->n_sources && status == GODWIT_OK; i++)
        status = make_one(host, lora->sources[i].gguf, "adapter", model->lora_fingerprints[i], err);
    model->has_fingerprint = status == GODWIT_OK;
    return status;
}

godwit_status gw_model_fingerprint(gw_model *model, uint8_t out[GW_FINGERPRINT_BYTES],
                                   godwit_error *err) {
    pthread_mutex_lock(&model->fingerprint_lock);
    godwit_status status = model->has_fingerprint ? GODWIT_OK : make(model, err);
    if (status == GODWIT_OK) memcpy(out, model->fingerprint, GW_FINGERPRINT_BYTES);
    pthread_mutex_unlock(&model->fingerprint_lock);
    return status;
}

godwit_status gw_lora_fingerprint(gw_model *model, uint32_t index,
                                  uint8_t out[GW_FINGERPRINT_BYTES], godwit_error *err) {
    godwit_status status = gw_model_fingerprint(model, out, err); // makes all of them
    if (status == GODWIT_OK) memcpy(out, model->lora_fingerprints[index], GW_FINGERPRINT_BYTES);
    return status;
}

void gw_fingerprint_text(const uint8_t *fingerprint, char out[2 * GW_FINGERPRINT_BYTES + 1]) {
    for (int i = 0; i < GW_FINGERPRINT_BYTES; i++) {
        snprintf(out + 2 * i, 3, "%02x", fingerprint[i]);
    }
}
