// Fuzzer of the GGUF reader (libFuzzer): parses the input, reads everything that comes of it, and
// writes it out again: what the reader accepts, the writer must be able to write and the reader to
// read. Also lets an allocation fail, chosen by the input's length.
//
// Seeds: tests/fuzz/corpus/gguf/, made by gguf_seeds.py. Dictionary: gguf.dict.
#include "file/gguf_walk.h"
#include "file/gguf_write.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, "\n");                                                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct out_bytes {
    uint8_t *data;
    size_t n, cap;
} out_bytes;

static godwit_status out(void *user, const void *data, size_t n, godwit_error *err) {
    (void)err;
    out_bytes *b = user;
    if (b->cap - b->n < n) {
        b->cap = 2 * b->cap + n;
        b->data = realloc(b->data, b->cap);
        CHECK(b->data, "fuzzer out of memory");
    }
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return GODWIT_OK;
}

// The same keys, items, names and bytes.
static void compare(const gw_gguf *a, const gw_gguf *b) {
    CHECK(gw_gguf_n_values(a) == gw_gguf_n_values(b), "other number of values");
    CHECK(gw_gguf_n_tensors(a) == gw_gguf_n_tensors(b), "other number of tensors");
    for (uint64_t i = 0; i < gw_gguf_n_values(a); i++) {
        const gw_gguf_value *v = gw_gguf_value_at(a, i), *w = gw_gguf_value_at(b, i);
        CHECK(gw_str_eq(v->key, w->key) && v->type == w->type && v->item_type == w->item_type &&
                  v->n_items == w->n_items,
              "value %d differs", (int)i);
    }
    for (uint64_t i = 0; i < gw_gguf_n_tensors(a); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(a, i), *u = gw_gguf_tensor_at(b, i);
        CHECK(strcmp(t->name, u->name) == 0 && t->bytes == u->bytes &&
                  memcmp(t->source.bytes, u->source.bytes, (size_t)t->bytes) == 0,
              "tensor %d differs", (int)i);
    }
}

static void round_trip(const gw_host *host, const gw_gguf *gguf) {
    gw_gguf_writer *writer = NULL;
    gw_gguf *again = NULL;
    out_bytes b = {0};
    godwit_error err = {0};
    CHECK(gw_gguf_writer_create(host, &writer, &err) == GODWIT_OK, "%s", err.message);
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++) {
        CHECK(gw_gguf_writer_copy(writer, gw_gguf_value_at(gguf, i), &err) == GODWIT_OK, "%s",
              err.message);
    }
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        CHECK(gw_gguf_writer_add_bytes(writer, t->name, t->type, t->n_dims, t->dims,
                                       t->source.bytes, &err) == GODWIT_OK,
              "%s", err.message);
    }
    CHECK(gw_gguf_writer_emit(writer, out, &b, &err) == GODWIT_OK, "%s", err.message);
    CHECK(gw_gguf_parse(host, b.data, b.n, "again", &again, &err) == GODWIT_OK, "%s", err.message);
    compare(gguf, again);
    gw_gguf_destroy(&again);
    gw_gguf_writer_destroy(&writer);
    free(b.data);
}

// Fails the allocation whose turn it is; user counts down.
static void *failing_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    (void)old_bytes;
    size_t *left = user;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return (*left)-- == 0 ? NULL : realloc(ptr, new_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    gw_host host;
    gw_gguf *gguf = NULL;
    godwit_error err = {0};
    gw_host_init(&host, NULL, NULL, NULL);
    godwit_status status = gw_gguf_parse(&host, data, n, "fuzz", &gguf, &err);
    if (status == GODWIT_OK) {
        const char *wrong = gguf_walk(gguf, data, n);
        CHECK(!wrong, "%s", wrong);
        round_trip(&host, gguf);
    } else {
        CHECK(!gguf && err.status == status && err.message[0], "an error without a reason");
        CHECK(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "status %d: %s",
              (int)status, err.message);
    }
    gw_gguf_destroy(&gguf);

    size_t left = n % 8;
    godwit_allocator failing = {.user = &left, .realloc = failing_realloc};
    gw_host_init(&host, &failing, NULL, NULL);
    gw_gguf_parse(&host, data, n, "fuzz", &gguf, NULL);
    gw_gguf_destroy(&gguf);
    return 0;
}
