// Layers of one model that differ: a golden model whose second layer has twice as many heads for keys and
// values, each of them twice there, and whose first layer has a wider feed-forward with zeros in it,
// computes what it did, bit for bit; and so it does from a session file on.
#include "base/file.h"
#include "file/gguf_write.h"
#include "support/session_bytes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { N_TOK = 40, N_VOCAB = 96, HEAD = 8, N_KV = 2, FF = 64, MORE_FF = 96, N_SAVED = 17 };

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

static bool is(const gw_gguf_tensor *t, const char *name) {
    return !strcmp(t->name, name);
}

// rows x cols of a tensor as to_rows x to_cols; of heads each row of one comes twice.
static void add_changed(gw_gguf_writer *writer, gw_arena *arena, const gw_gguf_tensor *t,
                        uint64_t to_rows, uint64_t to_cols, bool heads) {
    const uint64_t rows = t->dims[0], cols = t->dims[1], dims[2] = {to_rows, to_cols};
    const float *from = (const float *)(const void *)t->source.bytes;
    float *to = gw_arena_alloc(arena, to_rows * to_cols, sizeof *to); // zeros
    cr_assert_not_null(to);
    for (uint64_t r = 0; r < to_rows; r++) {
        const uint64_t of = heads ? r / (2 * HEAD) * HEAD + r % HEAD : r;
        if (of < rows) memcpy(to + r * to_cols, from + of * cols, cols * sizeof *to);
    }
    OK(gw_gguf_writer_add_bytes(writer, t->name, t->type, 2, dims, to, &err));
}

static void make_model(const char *from, const char *to) {
    const uint32_t kv[2] = {N_KV, 2 * N_KV}, ff[2] = {MORE_FF, FF};
    gw_host host;
    gw_arena arena;
    gw_gguf *gguf = NULL;
    gw_gguf_writer *writer = NULL;
    uint8_t *bytes = NULL;
    uint64_t n_bytes = 0;
    gw_host_init(&host, NULL, NULL, NULL);
    gw_arena_init(&arena, &host);
    OK(gw_file_load(&host, from, UINT64_MAX, &bytes, &n_bytes, &err));
    OK(gw_gguf_parse(&host, bytes, n_bytes, from, &gguf, &err));
    OK(gw_gguf_writer_create(&host, &writer, &err));
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++)
        OK(gw_gguf_writer_copy(writer, gw_gguf_value_at(gguf, i), &err));
    OK(gw_gguf_writer_set_array(writer, "llama.attention.head_count_kv", GW_GGUF_U32, kv, 2, &err));
    OK(gw_gguf_writer_set_array(writer, "llama.feed_forward_length", GW_GGUF_U32, ff, 2, &err));
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(gguf, i);
        if (is(t, "blk.1.attn_k.weight") || is(t, "blk.1.attn_v.weight"))
            add_changed(writer, &arena, t, 2 * t->dims[0], t->dims[1], true);
        else if (is(t, "blk.0.ffn_gate.weight") || is(t, "blk.0.ffn_up.weight"))
            add_changed(writer, &arena, t, MORE_FF, t->dims[1], false);
        else if (is(t, "blk.0.ffn_down.weight"))
            add_changed(writer, &arena, t, t->dims[0], MORE_FF, false);
        else
            OK(gw_gguf_writer_add_bytes(writer, t->name, t->type, t->n_dims, t->dims,
                                        t->source.bytes, &err));
    }
    OK(gw_gguf_writer_save(writer, to, &err));
    gw_gguf_writer_destroy(&writer);
    gw_arena_deinit(&arena);
    gw_gguf_destroy(&gguf);
    gw_free(&host, bytes, (size_t)n_bytes);
}

typedef struct opened {
    godwit_device *device;
    godwit_model *model;
} opened;

static opened open_on(godwit_context *context, const char *device, const char *path) {
    opened o = {NULL, NULL};
    godwit_file *file = NULL;
    OK(godwit_file_open(context, path, &file, &err));
    OK(godwit_device_open(context, device, NULL, &o.device, &err));
    OK(godwit_model_open(o.device, file, NULL, &o.model, &err));
    godwit_file_close(&file);
    return o;
}

static void close_it(opened *o) {
    godwit_model_close(&o->model);
    godwit_device_close(&o->device);
}

// Logits after each token from the first on; saved, where it is wanted: after N_SAVED of them.
static void tell(const opened *o, const int32_t *ids, godwit_kv kv, session_bytes *saved,
                 float out[N_TOK][N_VOCAB]) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    params.n_ctx = N_TOK;
    params.kv_k = params.kv_v = kv;
    OK(godwit_session_create(o->model, &params, &session, &err));
    for (int i = 0; i < N_TOK; i++) {
        OK(godwit_session_feed(session, &ids[i], 1, &err));
        OK(godwit_session_logits(session, out[i], N_VOCAB, &err));
        if (saved && i + 1 == N_SAVED)
            OK(godwit_session_save(session, NULL, false, session_bytes_write, saved, &err));
    }
    godwit_session_destroy(&session);
}

static void go_on(const opened *o, const int32_t *ids, session_bytes *saved,
                  float want[N_TOK][N_VOCAB]) {
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session *session = NULL;
    float logits[N_VOCAB];
    saved->at = 0;
    OK(godwit_session_load(o->model, NULL, session_bytes_read, saved, &session, &info, &err));
    cr_expect(info.n_states == 3 && info.states[0].n_layers == 2 && info.states[1].n_layers == 2);
    for (int i = N_SAVED; i < N_TOK; i++) {
        OK(godwit_session_feed(session, &ids[i], 1, &err));
        OK(godwit_session_logits(session, logits, N_VOCAB, &err));
        cr_expect(!memcmp(logits, want[i], sizeof logits), "resumed, position %d", i);
    }
    godwit_session_destroy(&session);
}

// Each word of the chunk of shapes, which is the third, as something else.
static void refuse_other_shapes(godwit_context *context, const opened *o, session_bytes *saved) {
    static const uint32_t others[] = {0, 3, 1000, 0xffffffffu};
    const size_t at = session_chunk_at(saved, 2);
    cr_assert(at && !memcmp(saved->data + at, "SHAP", 4));
    cr_assert(session_chunk_unpack(saved, at));
    uint8_t *words = saved->data + at + SESSION_CHUNK_HEAD_BYTES;
    const size_t n_words = gw_le64(saved->data + at + 16) / 4;
    cr_assert_eq(n_words, 4 * 5);
    for (size_t i = 0; i < n_words; i++) {
        const uint32_t was = gw_le32(words + 4 * i);
        for (int k = 0; k < 4; k++) {
            godwit_session_info info = GODWIT_INIT(godwit_session_info);
            godwit_session *session = NULL;
            if (others[k] == was) continue;
            gw_put_le32(words + 4 * i, others[k]);
            session_bytes_sum(saved);
            saved->at = 0;
            cr_expect(godwit_session_load(o->model, NULL, session_bytes_read, saved, &session,
                                          &info, &err) == GODWIT_MALFORMED,
                      "word %zu of SHAP is %u: %s", i, others[k], err.message);
            cr_expect(strstr(err.message, "SHAP"), "%s", err.message);
            saved->at = 0;
            (void)!godwit_session_inspect(context, session_bytes_read, saved, NULL, 0, &info, &err);
        }
        gw_put_le32(words + 4 * i, was);
    }
    session_bytes_sum(saved);
}

Test(arch, layers_that_differ) {
    static float plain[N_TOK][N_VOCAB], other[N_TOK][N_VOCAB];
    static const godwit_kv kvs[] = {GODWIT_KV_F32, GODWIT_KV_F16, GODWIT_KV_Q8_0};
    char from[1024], dir[] = "/tmp/godwit-layers-XXXXXX", to[64];
    int32_t ids[N_TOK];
    godwit_context *context = NULL;
    snprintf(from, sizeof from, "%s/tests/golden/arch/gqa-tied.gguf", GODWIT_TEST_ROOT);
    cr_assert_not_null(mkdtemp(dir));
    snprintf(to, sizeof to, "%s/m.gguf", dir);
    make_model(from, to);
    for (int i = 0; i < N_TOK; i++) ids[i] = i ? 3 + (i * 29 + i * i) % 93 : 1;
    OK(godwit_context_create(NULL, &context, &err));
    opened was = open_on(context, "cpu", from), is_ = open_on(context, "cpu", to);
    opened reference = open_on(context, "reference", to);
    for (int k = 0; k < 3; k++) {
        session_bytes saved = {0};
        tell(&was, ids, kvs[k], NULL, plain);
        tell(&is_, ids, kvs[k], &saved, other);
        cr_expect(!memcmp(plain, other, sizeof plain), "KV format %d", (int)kvs[k]);
        go_on(&reference, ids, &saved, plain);
        if (k == 0) refuse_other_shapes(context, &is_, &saved);
        go_on(&is_, ids, &saved, plain);
        free(saved.data);
    }
    close_it(&was);
    close_it(&is_);
    close_it(&reference);
    godwit_context_destroy(&context);
    unlink(to);
    rmdir(dir);
}
