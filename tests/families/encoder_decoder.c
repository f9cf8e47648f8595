// Sequences of models with an encoder in front of the decoder (T5), beyond what families.c asks of every family: texts
// and answers that pass a page are what transformers computes; forked, queued, shortened, saved with and without states
// they have the same bits, on each device; penalties are of the decoder's tokens; and what cannot be is refused, and
// changes nothing.
#include "families/golden.h"
#include "godwit/godwit.h"
#include "support/session_bytes.h"

#include <criterion/criterion.h>
#include <unistd.h>

enum { N_TEXT = 300, N_ANSWER = 280, N_VOCAB = 131, N_CTX = 640, START = 5 };

static godwit_error err;
#define OK(call)      cr_assert_eq((call), GODWIT_OK, "%s", err.message)
#define REFUSED(call) cr_expect((call) == GODWIT_UNSUPPORTED && err.message[0], "not refused")

typedef struct opened {
    godwit_context *context;
    godwit_device *device;
    godwit_model *model;
} opened;

// which: NULL: the driver's.
static opened open_model(const char *name, const char *which) {
    opened o = {0};
    char path[] = "/tmp/godwit-encoder-XXXXXX";
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    godwit_file *file = NULL;
    golden_write(name, path);
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    OK(godwit_context_create(&params, &o.context, &err));
    if (!which && godwit_context_n_devices(o.context) < 2) cr_skip_test("no Vulkan device");
    OK(godwit_file_open(o.context, path, &file, &err));
    OK(godwit_device_open(o.context, which ? which : "0", NULL, &o.device, &err));
    OK(godwit_model_open(o.device, file, NULL, &o.model, &err));
    godwit_file_close(&file);
    unlink(path);
    return o;
}

static opened open_it(const char *which) {
    return open_model("t5", which);
}

static void close_it(opened *o) {
    cr_expect(godwit_context_validation_count(o->context) == 0, "validation complained");
    godwit_model_close(&o->model);
    godwit_device_close(&o->device);
    godwit_context_destroy(&o->context);
}

static godwit_session_params params_of(uint32_t n_seq) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = N_CTX;
    params.n_seq = n_seq;
    return params;
}

static godwit_session *new_session(const opened *o) {
    const godwit_session_params params = params_of(0);
    godwit_session *session = NULL;
    OK(godwit_session_create(o->model, &params, &session, &err));
    return session;
}

static const int32_t *ids_of(int seed) {
    static int32_t ids[N_TEXT + N_ANSWER];
    for (int i = 0; i < N_TEXT + N_ANSWER; i++) ids[i] = 3 + (i * 37 + i * i * 11 + seed * 7) % 128;
    return ids;
}

typedef float logits[N_VOCAB];

static void read_logits(godwit_session *session, logits out) {
    OK(godwit_session_logits(session, out, N_VOCAB, &err));
}

static void check_same(godwit_session *session, const logits want, const char *what) {
    logits got;
    read_logits(session, got);
    cr_expect(!memcmp(got, want, sizeof got), "%s: other bits", what);
}

// After the text, in the midst of the answer and behind it; a token at a time where one is asked for.
static void answer(const opened *o, godwit_kv kv, size_t at_once, logits out[3]) {
    godwit_session_params params = params_of(0);
    godwit_session *session = NULL;
    params.kv_k = params.kv_v = kv;
    OK(godwit_session_create(o->model, &params, &session, &err));
    const int32_t *ids = ids_of(0);
    OK(godwit_session_feed(session, ids, N_TEXT, &err));
    cr_expect_eq(godwit_session_n_past(session), N_TEXT + 1);
    read_logits(session, out[0]);
    for (size_t at = 0, n; at < N_ANSWER; at += n) {
        n = at < N_ANSWER / 2 && at + at_once > N_ANSWER / 2 ? N_ANSWER / 2 - at : at_once;
        if (n > N_ANSWER - at) n = N_ANSWER - at;
        OK(godwit_session_feed(session, ids + N_TEXT + at, n, &err));
        if (at + n == N_ANSWER / 2) read_logits(session, out[1]);
    }
    read_logits(session, out[2]);
    godwit_session_destroy(&session);
}

Test(encoder_decoder, long_texts_and_answers_have_the_same_bits) {
    static const char *const devices[] = {"cpu", "reference", NULL};
    static logits want[3], got[3];
    for (int i = 0; i < 3; i++) {
        opened o = open_it(devices[i]);
        answer(&o, GODWIT_KV_F16, 100, i ? got : want);
        if (i) cr_expect(!memcmp(got, want, sizeof got), "device %d: other bits", i);
        if (i != 1) answer(&o, GODWIT_KV_F16, 1, got);
        if (i != 1) cr_expect(!memcmp(got, want, sizeof got), "device %d: fed one by one", i);
        close_it(&o);
    }
}

Test(encoder_decoder, long_texts_and_answers_are_what_transformers_computes) {
    static const char *const names[] = {"t5", "t5-relu"};
    static logits want[3], got[3];
    for (int i = 0; i < 2; i++) {
        opened o = open_model(names[i], "cpu");
        char path[512];
        golden_path(names[i], ".long.f32", path, sizeof path);
        FILE *file = fopen(path, "rb");
        cr_assert_not_null(file, "%s is missing", path);
        cr_assert_eq(fread(want, 1, sizeof want, file), sizeof want);
        fclose(file);
        answer(&o, GODWIT_KV_F32, 100, got); // F16's rounding is far above the tolerance
        const double off = golden_error(got[0], want[0], 3, N_VOCAB);
        cr_expect(off < 1e-3, "%s: %.3g of the largest logit off", names[i], off);
        printf("%-12s long: at most %.1e of the largest logit off\n", names[i], off);
        close_it(&o);
    }
}

Test(encoder_decoder, a_text_is_kept_whole_or_not_at_all) {
    opened o = open_it("cpu");
    godwit_session *session = new_session(&o), *fork = NULL;
    const int32_t *ids = ids_of(0), start = START;
    int32_t tokens[N_TEXT + 4];
    logits first, third, row;
    REFUSED(godwit_session_feed_rows(session, ids, N_TEXT, 1, &err));
    cr_expect_eq(godwit_session_n_past(session), 0);
    OK(godwit_session_feed(session, ids, N_TEXT, &err));
    read_logits(session, first);
    OK(godwit_session_feed(session, ids + N_TEXT, 3, &err));
    read_logits(session, third);
    cr_expect_eq(godwit_session_tokens(session, tokens, N_TEXT + 4), N_TEXT + 4);
    cr_expect(!memcmp(tokens, ids, N_TEXT * sizeof *ids) && tokens[N_TEXT] == START);

    REFUSED(godwit_session_truncate(session, 20, &err));
    REFUSED(godwit_session_truncate(session, N_TEXT - 1, &err));
    check_same(session, third, "refused to keep a part");
    // Behind the text, and behind what the decoder begins with.
    OK(godwit_session_truncate(session, N_TEXT, &err));
    OK(godwit_session_feed(session, &start, 1, &err));
    check_same(session, first, "begun again");
    OK(godwit_session_truncate(session, N_TEXT + 1, &err));
    OK(godwit_session_feed_rows(session, ids + N_TEXT, 3, 2, &err));
    check_same(session, third, "shortened");
    OK(godwit_session_logits_row(session, 1, row, N_VOCAB, &err));
    cr_expect(!memcmp(row, third, sizeof row));
    OK(godwit_session_truncate(session, 0, &err));
    OK(godwit_session_feed(session, ids + 1, 40, &err));
    cr_expect_eq(godwit_session_n_past(session), 41);
    godwit_session_destroy(&session);

    // Another one from the same place on.
    const godwit_session_params params = params_of(2);
    godwit_batch *batch = NULL;
    OK(godwit_batch_create(o.model, &params, &batch, &err));
    OK(godwit_batch_join(batch, &session, &err));
    OK(godwit_session_feed(session, ids, N_TEXT, &err));
    OK(godwit_session_fork(session, &fork, &err));
    check_same(fork, first, "forked");
    OK(godwit_session_feed(session, ids, 3, &err));
    OK(godwit_session_feed(fork, ids + N_TEXT, 3, &err));
    check_same(fork, third, "forked, and gone on otherwise");
    REFUSED(godwit_session_truncate(fork, 1, &err));
    godwit_session_destroy(&fork);
    godwit_session_destroy(&session);
    godwit_batch_destroy(&batch);
    close_it(&o);
}

// Texts that begin alike have nothing in common but their tokens.
static void check_batch(const opened *o) {
    enum { N = 3, N_STEPS = 5 };
    static const size_t lengths[N] = {N_TEXT, 260, 40};
    const godwit_session_params params = params_of(N);
    godwit_session *sessions[N] = {NULL};
    godwit_batch *batch = NULL;
    int32_t chosen[N], alone[N][N_STEPS];
    logits want[N];
    for (int i = 0; i < N; i++) {
        godwit_session *session = new_session(o);
        OK(godwit_session_feed(session, ids_of(0), lengths[i], &err));
        for (int k = 0; k < N_STEPS; k++)
            OK(godwit_session_step(session, NULL, &alone[i][k], &err));
        read_logits(session, want[i]);
        godwit_session_destroy(&session);
    }
    OK(godwit_batch_create(o->model, &params, &batch, &err));
    for (int i = 0; i < N; i++) {
        OK(godwit_batch_join(batch, &sessions[i], &err));
        OK(godwit_session_queue(sessions[i], ids_of(0), lengths[i], &err));
    }
    for (int k = 0; k < N_STEPS; k++) {
        OK(godwit_batch_step(batch, sessions, NULL, N, chosen, &err));
        for (int i = 0; i < N; i++) cr_expect_eq(chosen[i], alone[i][k], "stream %d, %d", i, k);
    }
    for (int i = 0; i < N; i++) {
        check_same(sessions[i], want[i], "in a batch");
        godwit_session_destroy(&sessions[i]);
    }
    godwit_batch_destroy(&batch);
}

Test(encoder_decoder, many_share_a_step) {
    static const char *const devices[] = {"cpu", NULL};
    for (int i = 0; i < 2; i++) {
        opened o = open_it(devices[i]);
        check_batch(&o);
        close_it(&o);
    }
}

Test(encoder_decoder, saved_sessions_go_on_elsewhere) {
    opened o = open_it("cpu"), other = open_it(NULL);
    const godwit_session_params params = params_of(0);
    for (int tokens_only = 0; tokens_only < 2; tokens_only++) {
        godwit_session *session = new_session(&o), *resumed = NULL;
        godwit_session_info info = GODWIT_INIT(godwit_session_info);
        session_bytes saved = {0};
        logits want;
        OK(godwit_session_feed(session, ids_of(0), N_TEXT, &err));
        OK(godwit_session_feed(session, ids_of(0) + N_TEXT, 9, &err));
        OK(godwit_session_save(session, NULL, tokens_only, session_bytes_write, &saved, &err));
        OK(godwit_session_feed(session, ids_of(0) + N_TEXT + 9, 3, &err));
        read_logits(session, want);
        OK(godwit_session_load(other.model, &params, session_bytes_read, &saved, &resumed, &info,
                               &err));
        cr_expect(info.n_encoded == N_TEXT && info.n_tokens == N_TEXT + 10);
        OK(godwit_session_feed(resumed, ids_of(0) + N_TEXT + 9, 3, &err));
        check_same(resumed, want, tokens_only ? "tokens resumed" : "states resumed");
        REFUSED(godwit_session_truncate(resumed, N_TEXT - 1, &err));
        godwit_session_destroy(&resumed);
        // No text, or one of more than all tokens.
        for (uint32_t n = 0; n < 2 * info.n_tokens; n += info.n_tokens + 1) {
            gw_put_le32(saved.data + SESSION_HEAD_BYTES + SESSION_CHUNK_HEAD_BYTES + 28, n);
            session_bytes_sum(&saved);
            saved.at = 0;
            cr_expect_eq(godwit_session_load(other.model, &params, session_bytes_read, &saved,
                                             &resumed, &info, &err),
                         GODWIT_MALFORMED);
        }
        godwit_session_destroy(&session);
        free(saved.data);
    }
    close_it(&other);
    close_it(&o);
}

Test(encoder_decoder, penalties_are_of_the_decoders_tokens) {
    opened o = open_it("cpu");
    godwit_session *session = new_session(&o);
    godwit_sample_params penalized = GODWIT_INIT(godwit_sample_params);
    int32_t all[N_VOCAB], plain = -1, chosen = -1;
    penalized.presence_penalty = 100.0f;
    penalized.penalty_last_n = N_CTX;
    for (int i = 0; i < N_VOCAB; i++) all[i] = i;
    OK(godwit_session_feed(session, all, N_VOCAB, &err));
    OK(godwit_session_sample(session, NULL, &plain, &err));
    cr_assert_neq(plain, START);
    OK(godwit_session_sample(session, &penalized, &chosen, &err));
    cr_expect_eq(chosen, plain, "a token of the text is penalized");
    OK(godwit_session_feed(session, &plain, 1, &err));
    const int32_t before = plain;
    OK(godwit_session_sample(session, NULL, &plain, &err));
    OK(godwit_session_sample(session, &penalized, &chosen, &err));
    cr_expect_neq(chosen, before, "the decoder's last token is not penalized");
    godwit_session_destroy(&session);
    close_it(&o);
}

Test(encoder_decoder, what_cannot_be_is_refused) {
    opened o = open_it("cpu");
    const godwit_session_params params = params_of(1);
    godwit_session *session = new_session(&o);
    godwit_batch *batch = NULL;
    float out[64];
    const size_t n = 4;
    static int32_t many[N_CTX];
    // A text that leaves no room for what follows it; and one that is stopped.
    for (int i = 0; i < N_CTX; i++) many[i] = 3;
    cr_expect_eq(godwit_session_feed(session, many, N_CTX, &err), GODWIT_CONTEXT_FULL);
    cr_expect_eq(godwit_session_n_past(session), 0);
    godwit_session_cancel(session);
    cr_expect_eq(godwit_session_feed(session, many, 40, &err), GODWIT_CANCELLED);
    cr_expect_eq(godwit_session_n_past(session), 0);
    OK(godwit_session_feed(session, many, N_CTX - 1, &err));
    cr_expect_eq(godwit_session_n_past(session), N_CTX);
    OK(godwit_batch_create(o.model, &params, &batch, &err));
    REFUSED(godwit_batch_embed(batch, NULL, many, &n, 1, out, 48, &err));
    godwit_batch_destroy(&batch);
    godwit_session_destroy(&session);
    close_it(&o);
}
