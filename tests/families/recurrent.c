// What sequences of models with recurrent states promise beside families.c: a fork goes on with the same
// bits and does not touch what it is of; without checkpoints (checkpoints.c) the way back is one from the
// beginning; a prompt takes over what another sequence has where that is all of its tokens; a saved file names its
// states and is refused where a block is not the model's.
#include "families/golden.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <unistd.h>

enum { N_IDS = 104, N_VOCAB = 131, N_FED = 40, N_MORE = 12 };

static const struct recurrent {
    const char *name;
    uint32_t n_blocks; // kinds of them
} recurrents[] = {{"lfm2", 1},
                  {"lfm2moe", 1},
                  {"qwen3next", 2},
                  {"qwen35", 2},
                  {"qwen35moe", 2},
                  {"granitehybrid", 2},
                  {"granitehybrid-moe", 2},
                  {"nemotron_h", 2},
                  {"mamba2", 2},
                  {"falcon-h1", 2},
                  {"mamba", 2},
                  {"jamba", 2},
                  {"kimi-linear", 2}};
enum { N_RECURRENT = sizeof recurrents / sizeof *recurrents };
static const int indices[N_RECURRENT] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef struct opened {
    godwit_context *context;
    godwit_device *device;
    godwit_model *model;
    int32_t ids[N_IDS];
    float want[N_MORE][N_VOCAB]; // logits of each token after the first N_FED
} opened;

static void read_ids(const char *name, int32_t *ids) {
    char path[512];
    golden_path(name, ".ids.txt", path, sizeof path);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    for (int i = 0; i < N_IDS; i++) cr_assert_eq(fscanf(file, "%d", &ids[i]), 1);
    fclose(file);
}

static godwit_session *begin(const opened *o) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    params.n_ctx = N_IDS;
    OK(godwit_session_create(o->model, &params, &session, &err));
    return session;
}

// The tokens after the first N_FED, one at a time.
static void goes_on(const opened *o, godwit_session *session, const char *what) {
    float logits[N_VOCAB];
    for (int i = 0; i < N_MORE; i++) {
        OK(godwit_session_feed(session, &o->ids[N_FED + i], 1, &err));
        OK(godwit_session_logits(session, logits, N_VOCAB, &err));
        cr_assert(!memcmp(logits, o->want[i], sizeof logits), "%s: token %d differs", what, i);
    }
}

static void open_it(opened *o, const char *name) {
    char path[] = "/tmp/godwit-recurrent-XXXXXX";
    godwit_file *file = NULL;
    golden_write(name, path);
    read_ids(name, o->ids);
    OK(godwit_context_create(NULL, &o->context, &err));
    OK(godwit_device_open(o->context, "cpu", NULL, &o->device, &err));
    OK(godwit_file_open(o->context, path, &file, &err));
    OK(godwit_model_open(o->device, file, NULL, &o->model, &err));
    godwit_file_close(&file);
    unlink(path);
    godwit_session *session = begin(o);
    OK(godwit_session_feed(session, o->ids, N_FED, &err));
    for (int i = 0; i < N_MORE; i++) {
        OK(godwit_session_feed(session, &o->ids[N_FED + i], 1, &err));
        OK(godwit_session_logits(session, o->want[i], N_VOCAB, &err));
    }
    godwit_session_destroy(&session);
}

static void close_it(opened *o) {
    godwit_model_close(&o->model);
    godwit_device_close(&o->device);
    godwit_context_destroy(&o->context);
}

static void check_back(const opened *o) {
    godwit_session *session = begin(o);
    OK(godwit_session_feed(session, o->ids, N_FED, &err));
    OK(godwit_session_truncate(session, N_FED, &err)); // that is nothing
    goes_on(o, session, "from where it is");
    OK(godwit_session_truncate(session, N_FED, &err));
    goes_on(o, session, "back, from the beginning");
    OK(godwit_session_truncate(session, 0, &err));
    OK(godwit_session_feed(session, o->ids, N_FED, &err));
    goes_on(o, session, "from the beginning");
    // A feed that was cancelled leaves the states as they were.
    OK(godwit_session_truncate(session, 0, &err));
    OK(godwit_session_feed(session, o->ids, N_FED, &err));
    godwit_session_cancel(session);
    cr_assert_eq(godwit_session_feed(session, o->ids, 3, &err), GODWIT_CANCELLED);
    goes_on(o, session, "after a cancelled feed");
    godwit_session_destroy(&session);
}

static godwit_batch *new_batch(const opened *o) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_batch *batch = NULL;
    params.n_ctx = N_IDS;
    params.n_seq = 3;
    OK(godwit_batch_create(o->model, &params, &batch, &err));
    return batch;
}

static void check_forks(const opened *o) {
    godwit_batch *batch = new_batch(o);
    godwit_session *sessions[3] = {NULL};
    OK(godwit_batch_join(batch, &sessions[0], &err));
    OK(godwit_session_feed(sessions[0], o->ids, N_FED, &err));
    OK(godwit_session_fork(sessions[0], &sessions[1], &err));
    OK(godwit_session_fork(sessions[1], &sessions[2], &err));
    OK(godwit_session_feed(sessions[2], o->ids, 7, &err)); // goes another way
    goes_on(o, sessions[1], "a fork");
    goes_on(o, sessions[0], "what it is a fork of");
    for (int i = 0; i < 3; i++) godwit_session_destroy(&sessions[i]);
    godwit_batch_destroy(&batch);
}

static void check_prefixes(const opened *o) {
    godwit_batch *batch = new_batch(o);
    godwit_session *sessions[3] = {NULL};
    godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
    for (int i = 0; i < 3; i++) OK(godwit_batch_join(batch, &sessions[i], &err));
    OK(godwit_session_feed(sessions[0], o->ids, N_FED - 10, &err));
    // All that the first has is the start of this, whose end it has not.
    OK(godwit_session_feed(sessions[1], o->ids, N_FED, &err));
    OK(godwit_session_get_stats(sessions[1], &stats, &err));
    cr_assert_eq(stats.n_shared, N_FED - 10);
    // Of what both have there is no state at the place where this prompt leaves them.
    OK(godwit_session_feed(sessions[2], o->ids, 25, &err));
    OK(godwit_session_get_stats(sessions[2], &stats, &err));
    cr_assert_eq(stats.n_shared, 0);
    OK(godwit_session_feed(sessions[2], o->ids + 25, N_FED - 25, &err));
    goes_on(o, sessions[2], "a prompt of its own");
    goes_on(o, sessions[1], "a prompt that took over its start");
    for (int i = 0; i < 3; i++) godwit_session_destroy(&sessions[i]);
    godwit_batch_destroy(&batch);
}

// Kinds, types and sizes of states are the third chunk; each word as something else is refused.
static void refuse_other_shapes(const opened *o, session_bytes *saved) {
    static const uint32_t others[] = {0, 1, 3, 1000, 0xffffffffu};
    const size_t at = session_chunk_at(saved, 2);
    cr_assert(at && !memcmp(saved->data + at, "SHAP", 4) && session_chunk_unpack(saved, at));
    uint8_t *words = saved->data + at + SESSION_CHUNK_HEAD_BYTES;
    const size_t n_words = gw_le64(saved->data + at + 16) / 4;
    for (size_t i = 0; i < n_words; i++) {
        const uint32_t was = gw_le32(words + 4 * i);
        for (int k = 0; k < 5; k++) {
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
            (void)!godwit_session_inspect(o->context, session_bytes_read, saved, NULL, 0, &info,
                                          &err);
        }
        gw_put_le32(words + 4 * i, was);
    }
}

static void check_file(const opened *o, uint32_t n_blocks) {
    session_bytes saved = {0};
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session *session = begin(o);
    OK(godwit_session_feed(session, o->ids, N_FED, &err));
    OK(godwit_session_save(session, NULL, false, session_bytes_write, &saved, &err));
    godwit_session_destroy(&session);
    OK(godwit_session_inspect(o->context, session_bytes_read, &saved, NULL, 0, &info, &err));
    uint32_t n_k = 0, n_v = 0, n_latents = 0; // Mamba alone has none
    for (uint32_t i = 0; i < info.n_states; i++) {
        const char *name = info.states[i].name;
        n_k += !strcmp(name, "k");
        n_v += !strcmp(name, "v");
        n_latents += !strcmp(name, "latent");
    }
    cr_assert(n_k == n_v && n_k + n_latents <= 1);
    cr_assert_eq(info.n_states, n_k + n_v + n_latents + n_blocks + 1); // and logits
    uint32_t n_found = 0;
    for (uint32_t i = 0; i < info.n_states; i++) {
        const godwit_saved_state *s = &info.states[i];
        const bool block = !strcmp(s->name, "conv") || !strcmp(s->name, "ssm");
        n_found += block;
        if (block) cr_assert(s->n_layers && s->n_rows == s->n_layers && s->n_bytes);
    }
    cr_assert_eq(n_found, n_blocks);
    saved.at = 0;
    OK(godwit_session_load(o->model, NULL, session_bytes_read, &saved, &session, &info, &err));
    goes_on(o, session, "saved and loaded");
    godwit_session_destroy(&session);
    refuse_other_shapes(o, &saved);
    free(saved.data);
}

ParameterizedTestParameters(recurrent, sequences_keep_their_states) {
    return cr_make_param_array(int, (int *)indices, N_RECURRENT, NULL);
}

ParameterizedTest(int *index, recurrent, sequences_keep_their_states) {
    static opened o;
    open_it(&o, recurrents[*index].name);
    check_back(&o);
    check_forks(&o);
    check_prefixes(&o);
    check_file(&o, recurrents[*index].n_blocks);
    close_it(&o);
}
