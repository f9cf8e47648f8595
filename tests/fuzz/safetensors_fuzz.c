// Fuzzer of the safetensors reader and of the JSON reader under it (libFuzzer): parses the input,
// reads every byte of every tensor. The same input as JSON alone: a tree's strings and numbers are
// all looked at. Also lets an allocation fail, chosen by the input's length.
//
// Seeds: tests/fuzz/corpus/safetensors/, made by safetensors_seeds.py. Dictionary:
// safetensors.dict.
#include "file/json.h"
#include "file/safetensors_walk.h"

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

static void walk_json(const gw_json *node, int depth) {
    uint32_t n = 0;
    uint64_t u = 0;
    double f = 0;
    gw_str text = {0};
    volatile char eaten = 0;
    CHECK(depth <= GW_JSON_MAX_DEPTH, "nested too deeply");
    for (size_t i = 0; i < node->key.n; i++) eaten = node->key.text[i];
    for (size_t i = 0; i < node->text.n; i++) eaten = node->text.text[i];
    (void)eaten;
    bool whole = gw_json_u64(node, &u), number = gw_json_f64(node, &f);
    CHECK(!whole || number, "a whole number that is no number");
    CHECK(!number || f - f == 0, "a number that is not finite");
    CHECK(gw_json_str(node, &text) == (node->type == GW_JSON_STRING), "a string that is none");
    for (const gw_json *item = node->first; item; item = item->next, n++) {
        walk_json(item, depth + 1);
    }
    CHECK(n == node->n, "%u items, said to be %u", n, node->n);
}

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
    gw_arena arena;
    gw_safetensors *file = NULL;
    const gw_json *root = NULL;
    godwit_error err = {0};
    gw_host_init(&host, NULL, NULL, NULL);
    godwit_status status = gw_safetensors_parse(&host, data, n, "fuzz", &file, &err);
    if (status == GODWIT_OK) {
        const char *wrong = safetensors_walk(file, data, n);
        CHECK(!wrong, "%s", wrong);
    } else {
        CHECK(!file && err.status == status && err.message[0], "an error without a reason");
        CHECK(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "status %d: %s",
              (int)status, err.message);
    }
    gw_safetensors_destroy(&file);

    gw_arena_init(&arena, &host);
    err = (godwit_error){0};
    status = gw_json_parse(&arena, data, n, &root, &err);
    CHECK(status == GODWIT_OK ? root != NULL : status == GODWIT_MALFORMED && err.message[0],
          "JSON: status %d", (int)status);
    if (root) walk_json(root, 0);
    gw_arena_deinit(&arena);

    size_t left = n % 8;
    godwit_allocator failing = {.user = &left, .realloc = failing_realloc};
    gw_host_init(&host, &failing, NULL, NULL);
    if (gw_safetensors_parse(&host, data, n, "fuzz", &file, NULL) == GODWIT_OK) {
        gw_safetensors_destroy(&file);
    }
    return 0;
}
