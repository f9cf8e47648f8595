// The first promise, end to end: 200 greedy tokens of real models give the same ids and the same
// logits, bit for bit, on this driver and on the plain-C reference, however a prompt is cut and
// whatever the kernels' shapes.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 200, MAX_VOCAB = 8192 };

typedef struct story {
    int32_t ids[STEPS];
    float *logits; // [STEPS, n_vocab], the logits that each id was chosen from
    uint32_t n_vocab;
} story;

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static godwit_session *open_session(godwit_device *device, const char *path, uint32_t n_ctx,
                                    uint32_t n_batch, godwit_kv kv) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_batch = n_batch;
    params.kv_k = params.kv_v = kv;
    params.n_ctx = n_ctx;
    MUST(godwit_file_open(device->context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, &params, &session, &err));
    // Children hold their parents.
    godwit_file_close(&file);
    godwit_model_close(&model);
    return session;
}

static uint32_t n_vocab_of(godwit_session *session) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    MUST(godwit_model_get_info(session->model, &info, &err));
    cr_assert(info.n_vocab <= MAX_VOCAB);
    return info.n_vocab;
}

static void tell(godwit_device *device, const char *path, godwit_kv kv, story *out) {
    godwit_session *session = open_session(device, path, 256, 0, kv);
    int32_t bos = 1;
    out->n_vocab = n_vocab_of(session);
    out->logits = malloc((size_t)STEPS * out->n_vocab * sizeof(float));
    cr_assert(out->logits);
    MUST(godwit_session_feed(session, &bos, 1, &err));
    for (int i = 0; i < STEPS; i++) {
        MUST(godwit_session_logits(session, out->logits + (size_t)i * out->n_vocab, out->n_vocab,
                                   &err));
        MUST(godwit_session_step(session, NULL, &out->ids[i], &err));
    }
    godwit_session_destroy(&session);
}

static void same_story(const story *a, const story *b, const char *what) {
    for (int i = 0; i < STEPS; i++) {
        const float *la = a->logits + (size_t)i * a->n_vocab;
        const float *lb = b->logits + (size_t)i * b->n_vocab;
        for (uint32_t k = 0; k < a->n_vocab; k++) {
            cr_assert(gw_bits(la[k]) == gw_bits(lb[k]), "%s: step %d, logit %u: %a and %a", what, i,
                      k, (double)la[k], (double)lb[k]);
        }
        cr_assert(a->ids[i] == b->ids[i], "%s: step %d: %d and %d", what, i, a->ids[i], b->ids[i]);
    }
}

static void compare_devices(stories_pair *b, const char *path, godwit_kv kv, const char *what) {
    story cpu, gpu;
    tell(b->cpu, path, kv, &cpu);
    tell(b->gpu, path, kv, &gpu);
    same_story(&cpu, &gpu, what);
    free(cpu.logits);
    free(gpu.logits);
}

// --- what other programs expect

// A model with the ids that follow <s> and the logits of the first 16, computed in double.
typedef struct expected {
    const char *model, *ids, *logits;
} expected;

static void check_expected(const story *s, const expected *e, const char *where) {
    size_t n = 0;
    char *ids = stories_read(e->ids, &n);
    char *at = ids;
    for (int i = 0; i < STEPS; i++) {
        long want = strtol(at, &at, 10);
        cr_assert(s->ids[i] == want, "%s: token %d is %d, %ld wanted", where, i, s->ids[i], want);
    }
    free(ids);
    float *logits = (float *)(void *)stories_read(e->logits, &n);
    cr_assert(n == 16 * s->n_vocab * sizeof(float));
    float worst = 0.0f;
    for (size_t i = 0; i < 16 * s->n_vocab; i++) {
        float d = logits[i] - s->logits[i];
        d = d < 0.0f ? -d : d;
        worst = d > worst ? d : worst;
    }
    free(logits);
    cr_assert(worst < 1e-4f, "%s: a logit is %g off", where, (double)worst);
}

static void is_as_expected(const expected *e) {
    stories_pair b = {0};
    stories_open_pair(&b);
    story cpu, gpu;
    tell(b.cpu, e->model, GODWIT_KV_F32, &cpu);
    check_expected(&cpu, e, "reference");
    tell(b.gpu, e->model, GODWIT_KV_F32, &gpu);
    check_expected(&gpu, e, "device");
    same_story(&cpu, &gpu, "F32");
    free(cpu.logits);
    free(gpu.logits);
    compare_devices(&b, e->model, GODWIT_KV_F16, "F32, f16 KV");
    stories_close_pair(&b);
}

Test(session, small_model_is_as_expected) {
    is_as_expected(&(expected){GODWIT_TEST_ROOT "/tests/golden/run/small.gguf",
                               GODWIT_TEST_ROOT "/tests/golden/run/small.ids.txt",
                               GODWIT_TEST_ROOT "/tests/golden/run/small.logits.f32"});
}

Test(session, stories260K_is_as_expected) {
    char paths[3][512];
    if (!stories_data(paths[0], sizeof *paths, "llm/stories260K-ctx2048.gguf") ||
        !stories_data(paths[1], sizeof *paths, "llm/stories260K.expected.ids.txt") ||
        !stories_data(paths[2], sizeof *paths, "llm/stories260K.logits16.f32")) {
        cr_skip_test("no data");
    }
    is_as_expected(&(expected){paths[0], paths[1], paths[2]});
}

Test(session, requantized_models_have_the_same_bits) {
    static const uint32_t types[] = {GODWIT_F16, GODWIT_BF16, GODWIT_Q8_0, GODWIT_Q4_0};
    stories_pair b = {0};
    char from[512], to[64], what[64];
    stories_small(from, sizeof from);
    stories_open_pair(&b);
    for (int i = 0; i < 4; i++) {
        snprintf(to, sizeof to, "/tmp/godwit-test-%d-%u.gguf", (int)getpid(), types[i]);
        snprintf(what, sizeof what, "small model, %s", godwit_dtype_name((godwit_dtype)types[i]));
        stories_requantize(from, to, types[i]);
        compare_devices(&b, to, GODWIT_KV_F16, what);
        remove(to);
    }
    stories_close_pair(&b);
}

Test(session, default_model_has_the_same_bits) {
    stories_pair b = {0};
    stories_open_pair(&b);
    compare_devices(&b, GODWIT_TEST_ROOT "/models/story-q8_0.gguf", GODWIT_KV_F16, "default model");
    stories_close_pair(&b);
}

// --- chunking, shapes ----------------------------------------------------------------------------

static void last_logits(godwit_device *device, const char *path, uint32_t n_batch, float *out,
                        uint32_t n_vocab) {
    int32_t ids[75];
    godwit_session *session = open_session(device, path, 256, n_batch, GODWIT_KV_F32);
    for (int i = 0; i < 75; i++) ids[i] = i == 0 ? 1 : 3 + i * 37 % 500;
    MUST(godwit_session_feed(session, ids, 75, &err));
    cr_assert(godwit_session_n_past(session) == 75);
    MUST(godwit_session_logits(session, out, n_vocab, &err));
    godwit_session_destroy(&session);
}

static void check_chunks(stories_pair *b, const char *path, uint32_t n_vocab) {
    static const uint32_t chunks[] = {1, 7, 32, 75};
    static const struct gw_matmul_tune shapes[] = {
        {16, 1, 4, 2, 2}, {1, 4, 2, 3, 3}, {2, 1, 3, 1, 1}};
    static float want[MAX_VOCAB], got[MAX_VOCAB];
    last_logits(b->cpu, path, 75, want, n_vocab);
    for (int i = 0; i < 4; i++) {
        last_logits(b->cpu, path, chunks[i], got, n_vocab);
        cr_assert(!memcmp(want, got, n_vocab * 4), "reference, chunks of %u", chunks[i]);
        last_logits(b->gpu, path, chunks[i], got, n_vocab);
        cr_assert(!memcmp(want, got, n_vocab * 4), "device, chunks of %u", chunks[i]);
    }
    gw_tune own = b->gpu->backend.tune;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 6; k++) b->gpu->backend.tune.choice.matmul[k / 3][k % 3] = shapes[i];
        b->gpu->backend.tune.row_lanes = 1u << i;
        b->gpu->backend.tune.attn_lanes = 3u + (uint32_t)i;
        last_logits(b->gpu, path, 32, got, n_vocab);
        cr_assert(!memcmp(want, got, n_vocab * 4), "device, kernel shapes %d", i);
    }
    b->gpu->backend.tune = own;
}

Test(session, chunks_and_shapes_change_nothing) {
    stories_pair b = {0};
    char path[512];
    stories_small(path, sizeof path);
    stories_open_pair(&b);
    check_chunks(&b, path, 512);
    char to[64];
    snprintf(to, sizeof to, "/tmp/godwit-test-%d-chunks.gguf", (int)getpid());
    stories_requantize(path, to, GODWIT_Q4_0);
    check_chunks(&b, to, 512);
    remove(to);
    stories_close_pair(&b);
}

// --- logits of each token of a feed --------------------------------------------------------------

enum { ROWS_TOK = 40, ROWS_VOCAB = 512 }; // at most: models of less leave zeros

typedef float rows[ROWS_TOK][ROWS_VOCAB];

static void rows_ids(int32_t *ids) {
    for (int i = 0; i < ROWS_TOK; i++) ids[i] = i == 0 ? 1 : 3 + i * 37 % 93;
}

static int32_t one_by_one(godwit_device *device, const char *path, rows out) {
    int32_t ids[ROWS_TOK], next;
    godwit_session *session = open_session(device, path, 64, 0, GODWIT_KV_F16);
    rows_ids(ids);
    for (int i = 0; i < ROWS_TOK; i++) {
        MUST(godwit_session_feed(session, &ids[i], 1, &err));
        MUST(godwit_session_logits(session, out[i], n_vocab_of(session), &err));
    }
    MUST(godwit_session_sample(session, NULL, &next, &err));
    godwit_session_destroy(&session);
    return next;
}

// The last n_rows of the tokens in one feed; sampling goes on from the last of them.
static void check_rows(godwit_device *device, const char *path, uint32_t n_batch, size_t n_rows,
                       rows want, int32_t want_next) {
    int32_t ids[ROWS_TOK], next;
    float got[ROWS_VOCAB] = {0};
    godwit_session *session = open_session(device, path, 64, n_batch, GODWIT_KV_F16);
    rows_ids(ids);
    for (int round = 0; round < 2; round++) {
        MUST(godwit_session_truncate(session, 0, &err));
        MUST(godwit_session_feed_rows(session, ids, ROWS_TOK, n_rows, &err));
        for (size_t row = 0; row < n_rows; row++) {
            MUST(godwit_session_logits_row(session, row, got, n_vocab_of(session), &err));
            cr_expect(!memcmp(got, want[ROWS_TOK - n_rows + row], sizeof got),
                      "%s: batch %u, row %zu of %zu is not what one by one gives", path, n_batch,
                      row, n_rows);
        }
        cr_expect(godwit_session_logits_row(session, n_rows, got, n_vocab_of(session), &err) ==
                  GODWIT_INVALID_ARGUMENT);
        MUST(godwit_session_logits(session, got, n_vocab_of(session), &err));
        cr_expect(!memcmp(got, want[ROWS_TOK - 1], sizeof got));
        MUST(godwit_session_step(session, NULL, &next, &err));
        cr_expect(next == want_next);
        cr_expect(godwit_session_logits_row(session, 0, got, n_vocab_of(session), &err) ==
                  GODWIT_INVALID_ARGUMENT);
    }
    godwit_session_destroy(&session);
}

Test(session, rows_of_a_feed_are_those_of_its_tokens) {
    char small[512], wide[64];
    stories_small(small, sizeof small);
    snprintf(wide, sizeof wide, "/tmp/godwit-test-%d-rows.gguf", (int)getpid());
    stories_requantize(small, wide, GODWIT_Q8_0);
    const char *const paths[] = {GODWIT_TEST_ROOT "/tests/golden/arch/head-20.gguf",
                                 GODWIT_TEST_ROOT "/tests/golden/arch/mlp-bias.gguf", wide};
    static const struct {
        uint32_t n_batch;
        size_t n_rows;
    } cuts[] = {{0, ROWS_TOK}, {7, ROWS_TOK}, {7, 15}, {0, 1}, {3, 2}};
    static rows want, on_device;
    stories_pair b = {0};
    stories_open_pair(&b);
    for (int i = 0; i < 3; i++) {
        memset(want, 0, sizeof want);
        memset(on_device, 0, sizeof on_device);
        int32_t next = one_by_one(b.cpu, paths[i], want);
        cr_expect(one_by_one(b.gpu, paths[i], on_device) == next);
        cr_expect(!memcmp(want, on_device, sizeof want), "%s: one by one", paths[i]);
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
            check_rows(b.cpu, paths[i], cuts[k].n_batch, cuts[k].n_rows, want, next);
            check_rows(b.gpu, paths[i], cuts[k].n_batch, cuts[k].n_rows, want, next);
        }
        if (i < 2) continue;
        // Where the logits of a batch are more than a device binds: 34 of 40 rows.
        gw_tune own = b.cpu->backend.tune;
        b.cpu->backend.tune.max_range = 34 * ROWS_VOCAB * 4;
        check_rows(b.cpu, paths[i], 0, ROWS_TOK, want, next);
        b.cpu->backend.tune = own;
    }
    remove(wide);
    stories_close_pair(&b);
}
