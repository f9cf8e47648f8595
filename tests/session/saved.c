// Session files that are not right: mutated, of another model, contract or numerics, cut, with fields
// that lie under checksums that hold; memory that runs out; a model's file that changed. Each is an
// error that says why, and leaves nothing behind.
#include "api/handles.h"
#include "file/gguf_write.h"
#include "session/saved.h"
#include "support/failing.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

enum { N_MUTATED = 300, N_TOK = 12 };

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static const int32_t prompt[N_TOK] = {1, 400, 12, 77, 300, 5, 6, 7, 8, 9, 10, 11};

static session_bytes saved(stories_run *r) {
    session_bytes b = {0};
    godwit_sample_params sampling = GODWIT_INIT(godwit_sample_params);
    sampling.temp = 0.5f;
    sampling.seed = 7;
    if (godwit_session_n_past(r->session) == 0)
        MUST(godwit_session_feed(r->session, prompt, N_TOK, &err));
    MUST(godwit_session_save(r->session, &sampling, false, session_bytes_write, &b, &err));
    return b;
}

static godwit_status inspect(stories_run *r, session_bytes *b) {
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    b->at = 0;
    return godwit_session_inspect(r->context, session_bytes_read, b, NULL, 0, &info, &err);
}

static godwit_status load(stories_run *r, session_bytes *b) {
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = 64; // a file may ask for more than there is
    b->at = 0;
    godwit_status status =
        godwit_session_load(r->model, &params, session_bytes_read, b, &session, NULL, &err);
    cr_expect((status == GODWIT_OK) == (session != NULL));
    int32_t token;
    if (session) cr_expect(godwit_session_step(session, NULL, &token, NULL) != GODWIT_BUG);
    godwit_session_destroy(&session);
    return status;
}

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// A bit turned, a byte set, a run moved, a cut, bytes put in.
static void mutate(session_bytes *b, const session_bytes *from, uint32_t *state) {
    b->n = 0;
    session_bytes_write(b, (const char *)from->data, from->n);
    const uint32_t kind = draw(state) % 5;
    const size_t at = draw(state) % b->n, n = 1 + draw(state) % 40;
    if (kind == 0) b->data[at] ^= (uint8_t)(1u << draw(state) % 8);
    if (kind == 1) b->data[at] ^= (uint8_t)(1 + draw(state) % 255);
    if (kind == 2) b->n = at;
    if (kind == 3) session_bytes_write(b, (const char *)from->data, n);
    if (kind == 3) memmove(b->data + at + n, b->data + at, from->n - at);
    if (kind == 4 && at + n < b->n) memmove(b->data + at, b->data + at + n, b->n - at - n);
    if (kind == 4) b->n -= at + n < b->n ? n : b->n - at;
}

Test(saved, mutated_files_are_refused) {
    stories_run r;
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    session_bytes good = saved(&r), bad = {0};
    uint32_t state = 1;
    int n_same = 0;
    MUST(inspect(&r, &good));
    MUST(load(&r, &good));
    for (int i = 0; i < N_MUTATED; i++) {
        mutate(&bad, &good, &state);
        if (bad.n >= good.n && !memcmp(bad.data, good.data, good.n)) {
            n_same++; // bytes put in behind the end, or in a run of their like
            continue;
        }
        err = (godwit_error){0};
        godwit_status status = inspect(&r, &bad);
        cr_expect(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "%d: %d", i,
                  (int)status);
        cr_expect(!strncmp(err.message, "session file: ", 14), "%d: %s", i, err.message);
        status = load(&r, &bad);
        cr_expect(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "%d: %d", i,
                  (int)status);
        // The same under right checksums: an error or not, nothing worse.
        session_bytes_sum(&bad);
        (void)inspect(&r, &bad);
        (void)load(&r, &bad);
    }
    cr_expect(n_same < N_MUTATED / 20, "%d", n_same);
    free(good.data);
    free(bad.data);
    stories_close(&r);
}

// Stands where chunk `index` does: 4 bytes at `at` of what it holds become value.
typedef struct lie {
    uint32_t index, at, value;
    godwit_status want;
    const char *said;
} lie;

static void check_lie(stories_run *r, const session_bytes *good, const lie *l) {
    session_bytes b = {0};
    session_bytes_write(&b, (const char *)good->data, good->n);
    size_t at = session_chunk_at(&b, l->index);
    cr_assert(at && gw_le32(b.data + at + 4) == 0, "chunk %u is compressed", l->index);
    gw_put_le32(b.data + at + SESSION_CHUNK_HEAD_BYTES + l->at, l->value);
    session_bytes_sum(&b);
    godwit_status status = load(r, &b);
    cr_expect(status == l->want, "%s: %d, %s", l->said, (int)status, err.message);
    cr_expect(strstr(err.message, l->said), "'%s' is not in '%s'", l->said, err.message);
    free(b.data);
}

// All chunks as they are, so that fields can be changed.
static session_bytes not_compressed(const session_bytes *from) {
    static uint8_t chunk_bytes[1 << 20];
    session_bytes in = *from, out = {0};
    gw_host host;
    gw_chunk_reader *reader = NULL;
    gw_chunk chunk = {.tag = ""};
    in.at = 0;
    gw_host_init(&host, NULL, NULL, NULL);
    session_bytes_write(&out, (const char *)from->data, SESSION_HEAD_BYTES);
    MUST(gw_chunk_reader_create(&host, session_bytes_read, &in, &reader, &err));
    while (!gw_chunk_is(&chunk, GW_CHUNK_END)) {
        MUST(gw_chunk_read(reader, &chunk, &err));
        memset(chunk_bytes, 0, sizeof chunk_bytes);
        memcpy(chunk_bytes, chunk.tag, 4);
        gw_put_le64(chunk_bytes + 8, chunk.n_bytes);
        gw_put_le64(chunk_bytes + 16, chunk.n_bytes);
        memcpy(chunk_bytes + SESSION_CHUNK_HEAD_BYTES, chunk.bytes, chunk.n_bytes);
        session_bytes_write(&out, (const char *)chunk_bytes,
                            SESSION_CHUNK_HEAD_BYTES + chunk.n_bytes + SESSION_SUM_BYTES);
    }
    gw_chunk_reader_destroy(&reader);
    session_bytes_sum(&out);
    return out;
}

Test(saved, fields_that_lie_are_named) {
    enum { SIZES = GW_FINGERPRINT_BYTES + GW_SAVED_ARCH_BYTES + GW_SAVED_NAME_BYTES };
    static const lie lies[] = {
        {0, 0, 1, GODWIT_UNSUPPORTED,
         "chunk 0 (SESS): contract 1; this build computes by contract 2"},
        {0, 4, 1, GODWIT_UNSUPPORTED,
         "chunk 0 (SESS): numerics are fast, of this session they would be exact"},
        {0, 4, 2, GODWIT_MALFORMED, "numerics 2"},
        {0, 8, 32, GODWIT_MALFORMED, "flags 32"},
        {0, 8, 1, GODWIT_MALFORMED, "chunk 4 (STAT): END  is wanted"},
        {0, 12, 3, GODWIT_MALFORMED, "KV formats 3 and 0"},
        {0, 12, 1, GODWIT_MALFORMED, "chunk 4 (STAT): "},
        {0, 20, 0, GODWIT_MALFORMED, "in a context of 0"},
        {0, 20, UINT32_MAX, GODWIT_MALFORMED, "in a context of 4294967295"},
        {0, 24, 65, GODWIT_MALFORMED, "chunk 2 (SMPL): position 12 of the draws after 65 tokens"},
        {0, 24, UINT32_MAX, GODWIT_MALFORMED, "4294967295 tokens"},
        {0, 28, 1, GODWIT_MALFORMED, "chunk 0 (SESS): 1 of 12 tokens are an encoder's text"},
        {0, 28, 13, GODWIT_MALFORMED, "an encoder's text of 13 tokens, of 12 in all"},
        {1, 0, 1, GODWIT_UNSUPPORTED, "chunk 1 (MODL): of another model: "},
        {1, GW_FINGERPRINT_BYTES + 60, 1, GODWIT_MALFORMED, "behind the end of a text"},
        {1, SIZES, 0, GODWIT_MALFORMED, "0 layers"},
        {1, SIZES, 3, GODWIT_MALFORMED, "its sizes are not those of its own model"},
        {1, SIZES + 8, UINT32_MAX, GODWIT_MALFORMED, "4294967295 heads"},
        {1, SIZES + 12, 577, GODWIT_MALFORMED, "heads of 577"},
        {1, SIZES + 16, UINT32_MAX, GODWIT_MALFORMED, "tokens of vocabulary"},
        {2, 0, 0x7fc00000u, GODWIT_MALFORMED, "chunk 2 (SMPL): sampling: temp nan"},
        {2, 8, 0x40000000u, GODWIT_MALFORMED, "top_p 2"},
        {2, 24, 11, GODWIT_MALFORMED, "position 11 of the draws after 12 tokens"},
        {3, 0, 1, GODWIT_MALFORMED, "chunk 3 (TOKS): 12 tokens from 1 on"},
        {3, 4, 11, GODWIT_MALFORMED, "11 tokens from 0 on"},
        {3, 4, UINT32_MAX, GODWIT_MALFORMED, "4294967295 tokens"},
        {3, 8, 512, GODWIT_MALFORMED, "token 0 is 512, the vocabulary has 512"},
        {3, 12, UINT32_MAX, GODWIT_MALFORMED, "token 1 is 4294967295"},
        {4, 0, 'v', GODWIT_MALFORMED, "chunk 4 (STAT): not the rows of k of layer 0 from 0 on"},
        {4, 20, 1, GODWIT_MALFORMED, "not the rows of k of layer 0"},
        {4, 44, 1, GODWIT_MALFORMED, "not the rows of k of layer 0"},
        {5, 48, 11, GODWIT_MALFORMED, "not the rows of v of layer 0"},
        {4, 64, 0x7c007c00u, GODWIT_MALFORMED, "k of layer 0, rows 0 to 11: a value is not finite"},
        {8, 64, 0x7f800000u, GODWIT_MALFORMED, "logits of layer 0, rows 0 to 0: a value is not"},
    };
    stories_run r;
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    session_bytes packed = saved(&r), good = not_compressed(&packed);
    MUST(load(&r, &good));
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) check_lie(&r, &good, &lies[i]);
    free(packed.data);
    free(good.data);
    stories_close(&r);
}

Test(saved, other_models_and_contexts_are_refused) {
    stories_run r, other;
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    stories_open(&other, "cpu", NULL, GODWIT_F16, NULL);
    session_bytes b = saved(&r);
    cr_expect(load(&other, &b) == GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "of another model: "), "%s", err.message);
    b.at = 0;
    params.n_ctx = N_TOK - 1;
    cr_expect(godwit_session_load(r.model, &params, session_bytes_read, &b, &session, NULL, &err) ==
              GODWIT_CONTEXT_FULL);
    cr_expect(strstr(err.message, "12 tokens do not fit the context of 11"), "%s", err.message);
    params.n_ctx = 0;
    params.numerics = GODWIT_FAST;
    b.at = 0;
    cr_expect(godwit_session_load(r.model, &params, session_bytes_read, &b, &session, NULL, &err) ==
              GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "--numerics exact"), "%s", err.message);
    stories_close(&other);
    free(b.data);
    stories_close(&r);
}

// A copy of the small model with its tensors and keys in the opposite order and under another name;
// the last bytes of a tensor are turned, or a key of its architecture is another.
static void write_copy(const char *to, bool turn, bool other_key) {
    char from[512];
    gw_host host;
    size_t n_bytes = 0;
    gw_gguf *gguf = NULL;
    gw_gguf_writer *writer = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    char *bytes = stories_read(stories_small(from, sizeof from), &n_bytes);
    if (turn) bytes[n_bytes - 4] ^= 1;
    MUST(gw_gguf_parse(&host, (const uint8_t *)bytes, n_bytes, from, &gguf, &err));
    MUST(gw_gguf_writer_create(&host, &writer, &err));
    for (uint64_t i = gw_gguf_n_values(gguf); i-- > 0;)
        MUST(gw_gguf_writer_copy(writer, gw_gguf_value_at(gguf, i), &err));
    MUST(gw_gguf_writer_set_str(writer, "general.name", GW_STR("another"), &err));
    if (other_key) MUST(gw_gguf_writer_set_u32(writer, "llama.context_length", 127, &err));
    for (uint64_t i = gw_gguf_n_tensors(gguf); i-- > 0;) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        MUST(gw_gguf_writer_add_bytes(writer, t->name, t->type, t->n_dims, t->dims, t->source.bytes,
                                      &err));
    }
    MUST(gw_gguf_writer_save(writer, to, &err));
    gw_gguf_writer_destroy(&writer);
    gw_gguf_destroy(&gguf);
    free(bytes);
}

Test(saved, a_model_is_known_by_its_contents) {
    static const godwit_status want[3] = {GODWIT_OK, GODWIT_UNSUPPORTED, GODWIT_UNSUPPORTED};
    stories_run r;
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    session_bytes b = saved(&r);
    godwit_model *own = r.model;
    for (int i = 0; i < 3; i++) {
        char path[64];
        godwit_file *file = NULL;
        snprintf(path, sizeof path, "/tmp/godwit-test-%d-copy.gguf", (int)getpid());
        write_copy(path, i == 1, i == 2);
        MUST(godwit_file_open(r.context, path, &file, &err));
        MUST(godwit_model_open(r.device, file, NULL, &r.model, &err));
        godwit_status status = load(&r, &b);
        cr_expect(status == want[i], "copy %d: %d, %s", i, (int)status, err.message);
        godwit_model_close(&r.model);
        godwit_file_close(&file);
        remove(path);
    }
    r.model = own;
    free(b.data);
    stories_close(&r);
}

Test(saved, a_model_file_that_changed_is_said) {
    stories_run r;
    session_bytes b = {0};
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    MUST(godwit_session_feed(r.session, prompt, N_TOK, &err));
    cr_assert(ftruncate(r.file, 70000) == 0);
    cr_expect(godwit_session_save(r.session, NULL, false, session_bytes_write, &b, &err) ==
              GODWIT_IO);
    cr_expect(strstr(err.message, "shrank"), "%s", err.message);
    // The session goes on.
    int32_t token;
    MUST(godwit_session_step(r.session, NULL, &token, &err));
    free(b.data);
    stories_close(&r);
}

Test(saved, fast_numerics) {
    stories_run r;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    session_bytes b = {0};
    godwit_session *session = NULL;
    params.numerics = GODWIT_FAST;
    stories_open(&r, "cpu", NULL, GODWIT_F32, &params);
    MUST(godwit_session_feed(r.session, prompt, N_TOK, &err));
    cr_expect(godwit_session_save(r.session, NULL, true, session_bytes_write, &b, &err) ==
              GODWIT_INVALID_ARGUMENT);
    b.n = 0;
    MUST(godwit_session_save(r.session, NULL, false, session_bytes_write, &b, &err));
    cr_expect(load(&r, &b) == GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "--numerics fast"), "%s", err.message);
    b.at = 0;
    MUST(godwit_session_load(r.model, &params, session_bytes_read, &b, &session, NULL, &err));
    godwit_session_destroy(&session);
    free(b.data);
    stories_close(&r);
}

static bool write_some(void *user, const char *text, size_t n) {
    (void)text;
    size_t *left = user;
    if (n > *left) return false;
    *left -= n;
    return true;
}

Test(saved, writing_that_fails_leaves_the_session_as_it_was) {
    stories_run r;
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    session_bytes b = saved(&r), again = {0};
    for (size_t room = 0; room + 200 < b.n; room += b.n / 7) {
        size_t left = room;
        cr_expect(godwit_session_save(r.session, NULL, false, write_some, &left, &err) ==
                  GODWIT_CANCELLED);
    }
    again = saved(&r);
    cr_expect(again.n == b.n && !memcmp(again.data, b.data, b.n));
    free(again.data);
    free(b.data);
    stories_close(&r);
}

static failing memory;

// The n-th request of a save, then of a load, is refused.
Test(saved, memory_that_runs_out_is_said) {
    godwit_context_params context_params = GODWIT_INIT(godwit_context_params);
    const godwit_allocator allocator = {.user = &memory, .realloc = failing_realloc};
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL, *loaded = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    session_bytes b = {0};
    char path[512];
    context_params.allocator = &allocator;
    params.n_ctx = 32;
    MUST(godwit_context_create(&context_params, &context, &err));
    MUST(godwit_device_open(context, "cpu", NULL, &device, &err));
    MUST(godwit_file_open(context, stories_small(path, sizeof path), &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, &params, &session, &err));
    MUST(godwit_session_feed(session, prompt, N_TOK, &err));
    for (int load = 0; load < 2; load++) {
        uint32_t nth = 0;
        godwit_status status = GODWIT_OUT_OF_MEMORY;
        while (status == GODWIT_OUT_OF_MEMORY && nth < 500) {
            const int64_t held = memory.held;
            memory.until_failure = ++nth;
            if (load) b.at = 0;
            if (!load) b.n = 0;
            status =
                load ? godwit_session_load(model, NULL, session_bytes_read, &b, &loaded, NULL, &err)
                     : godwit_session_save(session, NULL, false, session_bytes_write, &b, &err);
            memory.until_failure = 0;
            if (status != GODWIT_OK) cr_expect(memory.held == held, "%u: memory is left", nth);
        }
        cr_expect(status == GODWIT_OK && nth > 5, "%s: %u requests: %s", load ? "load" : "save",
                  nth, err.message);
    }
    godwit_session_destroy(&loaded);
    godwit_session_destroy(&session);
    godwit_model_close(&model);
    godwit_file_close(&file);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    free(b.data);
    cr_expect(memory.held == 0);
}
