// Fuzzer of session files (libFuzzer): the input is inspected and loaded, on the reference, into a
// session of the model that the seeds are of, which then makes a step. Then the same under checksums
// that are right, without which hardly an input would get behind them; and with an allocation that
// fails, chosen by the input's length.
//
// Seeds: tests/fuzz/corpus/session/, made by session_seeds.sh. Dictionary: session.dict.
#include "support/session_bytes.h"

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

enum { N_CTX = 16 };

static godwit_context *context;
static godwit_model *model;
static size_t allocations_left; // 0: as many as there are

static void *failing_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    (void)user;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    if (allocations_left && --allocations_left == 0) return NULL;
    return realloc(ptr, new_bytes);
}

static void open_model(void) {
    const godwit_allocator allocator = {.realloc = failing_realloc};
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_error err = {0};
    params.allocator = &allocator;
    bool ok = godwit_context_create(&params, &context, &err) == GODWIT_OK &&
              godwit_device_open(context, "cpu", NULL, &device, &err) == GODWIT_OK &&
              godwit_file_open(context, "tests/golden/run/small.gguf", &file, &err) == GODWIT_OK &&
              godwit_model_open(device, file, NULL, &model, &err) == GODWIT_OK;
    CHECK(ok, "%s (is this the folder of the sources?)", err.message);
    godwit_file_close(&file);
    godwit_device_close(&device);
}

static void check_status(godwit_status status, const godwit_error *err) {
    if (status == GODWIT_OK) return;
    CHECK(err->status == status && err->message[0], "an error without a reason");
    CHECK(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED ||
              status == GODWIT_CONTEXT_FULL || status == GODWIT_OUT_OF_MEMORY,
          "status %d: %s", (int)status, err->message);
}

static void read_one(session_bytes *b) {
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    godwit_error err = {0};
    int32_t tokens[N_CTX], next = -1;
    b->at = 0;
    check_status(godwit_session_inspect(context, session_bytes_read, b, tokens, N_CTX, &info, &err),
                 &err);
    b->at = 0;
    err = (godwit_error){0};
    params.n_ctx = N_CTX; // not as much as the file may ask for
    godwit_status status =
        godwit_session_load(model, &params, session_bytes_read, b, &session, &info, &err);
    check_status(status, &err);
    CHECK((status == GODWIT_OK) == (session != NULL), "status %d", (int)status);
    if (!session) return;
    CHECK(godwit_session_n_past(session) == info.n_tokens && info.n_tokens <= N_CTX, "tokens");
    CHECK(godwit_session_step(session, &info.sampling, &next, &err) != GODWIT_BUG, "%s",
          err.message);
    godwit_session_destroy(&session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    session_bytes b = {0};
    if (!model) open_model();
    if (!session_bytes_write(&b, (const char *)data, n)) return 0;
    read_one(&b);
    session_bytes_sum(&b);
    read_one(&b);
    allocations_left = 1 + n % 64;
    read_one(&b);
    allocations_left = 0;
    free(b.data);
    return 0;
}
