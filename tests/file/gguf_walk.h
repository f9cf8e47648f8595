// Walks everything that a parsed GGUF gives out, and tells what breaks its promises.
//
// For the tests and the fuzzer, hence a header: reads each value through every accessor and each
// tensor's first and last byte, so that a sanitizer or a guard page sees what lies out of range.
#ifndef GW_TESTS_GGUF_WALK_H
#define GW_TESTS_GGUF_WALK_H

#include "file/gguf.h"

// Where the walk puts what it reads, so that no read is optimised away.
static volatile uint8_t gguf_walk_byte;

static inline const char *gguf_walk_value(const gw_gguf *gguf, const gw_gguf_value *value) {
    godwit_error err;
    uint64_t u = 0;
    int64_t i = 0;
    double f = 0;
    gw_str text = {0};
    if (gw_gguf_item_str(value, value->n_items, &text, &err) == GODWIT_OK ||
        gw_gguf_item_u64(value, value->n_items, &u, &err) == GODWIT_OK) {
        return "gives an item past its last";
    }
    for (uint64_t k = 0; k < value->n_items; k++) {
        bool is_text = gw_gguf_item_str(value, k, &text, &err) == GODWIT_OK;
        bool is_u = gw_gguf_item_u64(value, k, &u, &err) == GODWIT_OK;
        bool is_i = gw_gguf_item_i64(value, k, &i, &err) == GODWIT_OK;
        bool is_f = gw_gguf_item_f64(value, k, &f, &err) == GODWIT_OK;
        if (is_text == (is_u || is_i || is_f) && value->item_type == GW_GGUF_STRING) {
            return "is a string and a number";
        }
        if (is_text && text.n > 0) gguf_walk_byte = (uint8_t)(text.text[0] ^ text.text[text.n - 1]);
        if (is_u && is_i && u != (uint64_t)i) return "is two numbers";
        if (is_f && f - f != 0) return "is not finite";
    }
    char key[512];
    if (value->key.n == 0 || memchr(value->key.text, 0, value->key.n)) return "has a bad key";
    if (value->key.n < sizeof key) {
        memcpy(key, value->key.text, value->key.n);
        key[value->key.n] = 0;
        uint32_t got = 0;
        float real = 0;
        bool flag = false;
        if (gw_gguf_find(gguf, key) != value) return "is not found by its key";
        if (gw_gguf_get_u32(gguf, key, 1, 9, 5, &got, &err) == GODWIT_OK && (got < 1 || got > 9)) {
            return "passes its range";
        }
        if (gw_gguf_get_f32(gguf, key, -1, 1, 0, &real, &err) == GODWIT_OK &&
            !(real >= -1 && real <= 1)) {
            return "passes its range";
        }
        if (gw_gguf_get_bool(gguf, key, false, &flag, &err) == GODWIT_OK) gguf_walk_byte = flag;
        if (gw_gguf_get_str(gguf, key, &text, &err) == GODWIT_OK && text.n > 0) {
            gguf_walk_byte = (uint8_t)text.text[text.n - 1];
        }
    }
    return NULL;
}

static inline const char *gguf_walk_tensor(const gw_gguf *gguf, const gw_gguf_tensor *tensor,
                                           const uint8_t *bytes, uint64_t n_bytes) {
    const gw_gguf_type_row *row = gw_gguf_tensor_type(tensor->type);
    if (!row) return "has an unknown type";
    if (tensor->n_dims < 1 || tensor->n_dims > 4) return "has a bad rank";
    uint64_t n = 1;
    for (uint32_t i = 0; i < 4; i++) {
        if (__builtin_mul_overflow(n, tensor->dims[i], &n)) return "has too many elements";
    }
    if (n == 0 || n != tensor->n_elements) return "has a wrong number of elements";
    if (n / row->block_elements * row->block_bytes != tensor->bytes) return "has a wrong size";
    if (tensor->offset > n_bytes || tensor->bytes > n_bytes - tensor->offset) {
        return "passes the file's end";
    }
    uint8_t ends[2] = {0};
    const uint8_t *end = NULL;
    const gw_source *source = &tensor->source;
    if (bytes && source->bytes != bytes + tensor->offset) return "has data elsewhere";
    if (!bytes && source->offset != tensor->offset) return "has data elsewhere";
    if (gw_gguf_find_tensor(gguf, tensor->name) != tensor) return "is not found by its name";
    for (int k = 0; k < 2; k++) {
        uint64_t at = k ? tensor->bytes - 1 : 0;
        if (gw_source_view(source, at, 1, &ends[k], &end, NULL) != GODWIT_OK) {
            return "cannot be read";
        }
        gguf_walk_byte = *end;
    }
    return NULL;
}

// NULL when all is well, else what is wrong. bytes are those that were parsed; NULL: a file was
// opened.
static inline const char *gguf_walk(const gw_gguf *gguf, const uint8_t *bytes, uint64_t n_bytes) {
    const char *wrong = NULL;
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf) && !wrong; i++) {
        wrong = gguf_walk_value(gguf, gw_gguf_value_at(gguf, i));
    }
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf) && !wrong; i++) {
        const gw_gguf_tensor *a = gw_gguf_tensor_at(gguf, i);
        wrong = gguf_walk_tensor(gguf, a, bytes, n_bytes);
        // Quadratic, so only among the first few.
        for (uint64_t k = 0; k < i && k < 64 && !wrong; k++) {
            const gw_gguf_tensor *b = gw_gguf_tensor_at(gguf, k);
            if (a->source.file == b->source.file && a->offset < b->offset + b->bytes &&
                b->offset < a->offset + a->bytes) {
                wrong = "shares bytes with another tensor";
            }
        }
    }
    if (gw_gguf_value_at(gguf, gw_gguf_n_values(gguf))) wrong = "has a value past its last";
    if (gw_gguf_tensor_at(gguf, gw_gguf_n_tensors(gguf))) wrong = "has a tensor past its last";
    return wrong;
}

#endif
