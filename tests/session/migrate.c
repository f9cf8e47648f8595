// Session files move sequences: saved after 1, 7 and 64 tokens on this driver or the reference, a
// file has the same bytes, and goes on on either of them with the ids and logits of the sequence
// that never stopped.
#include "api/handles.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

enum { PROMPT = 5, N_STOPS = 3, ON = 9, STEPS = 64 + ON, MAX_VOCAB = 512 };
static const int stops[N_STOPS] = {1, 7, 64};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

typedef struct mixture {
    godwit_kv k, v;
    bool drawn;
} mixture;

// A sequence from its prompt on, with what was saved on the way; logits: those each id was chosen
// from.
typedef struct sequence {
    uint32_t n_vocab;
    int32_t ids[STEPS];
    float logits[STEPS][MAX_VOCAB];
    session_bytes saved[N_STOPS];
} sequence;

static godwit_sample_params sampling_of(const mixture *m) {
    godwit_sample_params p = GODWIT_INIT(godwit_sample_params);
    if (!m->drawn) return p;
    p.temp = 1.3f;
    p.top_k = 40;
    p.top_p = 0.97f;
    p.min_p = 0.01f;
    p.seed = 0x123456789abcdefull;
    return p;
}

static godwit_model *open_model(godwit_device *device, const char *path) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    MUST(godwit_file_open(device->context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    godwit_file_close(&file);
    return model;
}

static void step(godwit_session *session, const godwit_sample_params *sampling, sequence *s,
                 int i) {
    MUST(godwit_session_logits(session, s->logits[i], s->n_vocab, &err));
    MUST(godwit_session_step(session, sampling, &s->ids[i], &err));
}

static void tell(godwit_model *model, const mixture *m, sequence *out) {
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    const godwit_sample_params sampling = sampling_of(m);
    int32_t prompt[PROMPT] = {1, 70, 12, 77, 30};
    *out = (sequence){.n_vocab = model->model->def->h.n_vocab};
    params.kv_k = m->k;
    params.kv_v = m->v;
    params.n_ctx = PROMPT + STEPS;
    MUST(godwit_session_create(model, &params, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    for (int i = 0, stop = 0; i < STEPS; i++) {
        if (stop < N_STOPS && i == stops[stop]) {
            MUST(godwit_session_save(session, &sampling, false, session_bytes_write,
                                     &out->saved[stop], &err));
            stop++;
        }
        step(session, &sampling, out, i);
    }
    godwit_session_destroy(&session);
}

static void forget(sequence *s) {
    for (int i = 0; i < N_STOPS; i++) free(s->saved[i].data);
}

static void check_info(const godwit_session_info *info, const mixture *m, int stop,
                       const session_bytes *from) {
    cr_expect(info->kv_k == m->k && info->kv_v == m->v && info->contract == 2);
    cr_expect(info->n_tokens == (uint32_t)(PROMPT + stop) && info->n_ctx == PROMPT + STEPS);
    cr_expect(info->has_logits && !info->tokens_only && info->numerics == GODWIT_EXACT);
    cr_expect(info->n_states == 3 && info->n_bytes == from->n);
    cr_expect(!strcmp(info->states[0].name, "k") && !strcmp(info->states[2].name, "logits"));
    cr_expect(info->states[1].n_layers == info->n_layer);
    cr_expect(info->states[1].n_rows == (uint64_t)info->n_layer * info->n_tokens);
}

// Goes on from what was saved at a stop, in a larger context and other batches.
static void go_on(godwit_model *model, const mixture *m, session_bytes *from, int stop,
                  const sequence *want, const char *what) {
    static sequence got;
    godwit_session *session = NULL;
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    int32_t ids[PROMPT + STEPS];
    params.n_ctx = stop == 7 ? 200 : 0;
    params.n_batch = 3;
    from->at = 0;
    MUST(godwit_session_load(model, &params, session_bytes_read, from, &session, &info, &err));
    check_info(&info, m, stop, from);
    cr_expect(godwit_session_n_ctx(session) == (stop == 7 ? 200 : PROMPT + STEPS));
    cr_assert(godwit_session_tokens(session, ids, PROMPT + STEPS) == (size_t)(PROMPT + stop));
    cr_expect(!memcmp(ids + PROMPT, want->ids, (size_t)stop * 4), "%s: tokens", what);
    got.n_vocab = want->n_vocab;
    for (int i = stop; i < stop + ON; i++) {
        step(session, &info.sampling, &got, i);
        cr_assert(got.ids[i] == want->ids[i], "%s, stopped after %d: token %d is %d, not %d", what,
                  stop, i, got.ids[i], want->ids[i]);
        cr_assert(!memcmp(got.logits[i], want->logits[i], want->n_vocab * 4),
                  "%s, stopped after %d: logits %d", what, stop, i);
    }
    godwit_session_destroy(&session);
}

static void check_mixture(godwit_model *cpu, godwit_model *gpu, const mixture *m) {
    static sequence on_cpu, on_gpu;
    char what[96];
    tell(cpu, m, &on_cpu);
    tell(gpu, m, &on_gpu);
    for (int i = 0; i < N_STOPS; i++) {
        session_bytes *a = &on_cpu.saved[i], *b = &on_gpu.saved[i];
        snprintf(what, sizeof what, "keys %d, values %d, %s", (int)m->k, (int)m->v,
                 m->drawn ? "drawn" : "greedy");
        cr_assert(a->n == b->n && !memcmp(a->data, b->data, a->n), "%s: files differ after %d",
                  what, stops[i]);
        go_on(cpu, m, b, stops[i], &on_cpu, what);
        go_on(gpu, m, a, stops[i], &on_cpu, what);
        go_on(gpu, m, b, stops[i], &on_cpu, what);
    }
    forget(&on_cpu);
    forget(&on_gpu);
}

static void check_model(const char *path, const mixture *mixtures, int n) {
    stories_pair b = {0};
    stories_open_pair(&b);
    godwit_model *cpu = open_model(b.cpu, path), *gpu = open_model(b.gpu, path);
    for (int i = 0; i < n; i++) check_mixture(cpu, gpu, &mixtures[i]);
    godwit_model_close(&cpu);
    godwit_model_close(&gpu);
    stories_close_pair(&b);
}

Test(migrate, greedy) {
    static const mixture mixtures[] = {{GODWIT_KV_F32, GODWIT_KV_F32, false},
                                       {GODWIT_KV_F16, GODWIT_KV_F16, false},
                                       {GODWIT_KV_Q8_0, GODWIT_KV_Q8_0, false},
                                       {GODWIT_KV_F16, GODWIT_KV_Q8_0, false}};
    char path[512];
    check_model(stories_small(path, sizeof path), mixtures, 4);
}

Test(migrate, drawn) {
    static const mixture mixtures[] = {{GODWIT_KV_F32, GODWIT_KV_F32, true},
                                       {GODWIT_KV_F16, GODWIT_KV_F16, true},
                                       {GODWIT_KV_Q8_0, GODWIT_KV_Q8_0, true},
                                       {GODWIT_KV_F16, GODWIT_KV_Q8_0, true}};
    char path[512];
    check_model(stories_small(path, sizeof path), mixtures, 4);
}

// Heads of 20 have places behind them on a device, which a file has not, but in q8_0.
Test(migrate, heads_with_places_behind_them) {
    static const mixture mixtures[] = {{GODWIT_KV_F32, GODWIT_KV_F16, false},
                                       {GODWIT_KV_Q8_0, GODWIT_KV_Q8_0, false}};
    check_model(GODWIT_TEST_ROOT "/tests/golden/arch/head-20.gguf", mixtures, 2);
}

Test(migrate, models_of_integers) {
    static const mixture m = {GODWIT_KV_F16, GODWIT_KV_F16, true};
    char from[512], to[64];
    snprintf(to, sizeof to, "/tmp/godwit-test-%d-migrate.gguf", (int)getpid());
    stories_requantize(stories_small(from, sizeof from), to, GODWIT_Q4_0);
    check_model(to, &m, 1);
    remove(to);
}

// Tokens alone are fed again, and give the same.
Test(migrate, tokens_alone) {
    static const mixture m = {GODWIT_KV_F16, GODWIT_KV_Q8_0, true};
    static sequence want;
    stories_pair b = {0};
    char path[512];
    stories_open_pair(&b);
    stories_small(path, sizeof path);
    godwit_model *models[2] = {open_model(b.cpu, path), open_model(b.gpu, path)};
    tell(models[0], &m, &want);
    for (int i = 0; i < 2; i++) {
        session_bytes few = {0}, all = {0};
        godwit_session *session = NULL, *again = NULL;
        godwit_session_info info = GODWIT_INIT(godwit_session_info);
        godwit_sample_params sampling = sampling_of(&m);
        MUST(godwit_session_load(models[i], NULL, session_bytes_read, &want.saved[1], &session,
                                 NULL, &err));
        MUST(godwit_session_save(session, &sampling, true, session_bytes_write, &few, &err));
        cr_expect(few.n < 600, "%zu bytes", few.n);
        MUST(godwit_session_load(models[!i], NULL, session_bytes_read, &few, &again, &info, &err));
        cr_expect(info.tokens_only && info.n_states == 0);
        // What is fed again is what was saved.
        MUST(godwit_session_save(again, &sampling, false, session_bytes_write, &all, &err));
        cr_expect(all.n == want.saved[1].n && !memcmp(all.data, want.saved[1].data, all.n));
        want.saved[1].at = 0;
        godwit_session_destroy(&session);
        godwit_session_destroy(&again);
        free(few.data);
        free(all.data);
    }
    forget(&want);
    godwit_model_close(&models[0]);
    godwit_model_close(&models[1]);
    stories_close_pair(&b);
}

// A session that went back has fewer rows to save, and no logits: the next token must be fed.
Test(migrate, a_session_that_went_back) {
    stories_run r;
    godwit_session *session = NULL;
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    session_bytes b = {0}, empty = {0};
    int32_t ids[4] = {1, 2, 3, 4}, token;
    float want[MAX_VOCAB], got[MAX_VOCAB];
    stories_open(&r, "cpu", NULL, GODWIT_F32, NULL);
    MUST(godwit_session_save(r.session, NULL, false, session_bytes_write, &empty, &err));
    MUST(godwit_session_load(r.model, NULL, session_bytes_read, &empty, &session, &info, &err));
    cr_expect(info.n_tokens == 0 && !info.has_logits);
    godwit_session_destroy(&session);
    MUST(godwit_session_feed(r.session, ids, 4, &err));
    MUST(godwit_session_truncate(r.session, 3, &err));
    MUST(godwit_session_save(r.session, NULL, false, session_bytes_write, &b, &err));
    MUST(godwit_session_load(r.model, NULL, session_bytes_read, &b, &session, &info, &err));
    cr_expect(info.n_tokens == 3 && !info.has_logits && info.n_states == 2);
    cr_expect(godwit_session_sample(session, NULL, &token, &err) == GODWIT_INVALID_ARGUMENT);
    MUST(godwit_session_feed(session, ids + 3, 1, &err));
    MUST(godwit_session_feed(r.session, ids + 3, 1, &err));
    MUST(godwit_session_logits(session, got, MAX_VOCAB, &err));
    MUST(godwit_session_logits(r.session, want, MAX_VOCAB, &err));
    cr_expect(!memcmp(got, want, sizeof want));
    godwit_session_destroy(&session);
    free(b.data);
    free(empty.data);
    stories_close(&r);
}

// --- batches -------------------------------------------------------------------------------------

enum { N_BATCH = 3, LONG = 530 }; // longer than two pages

static void long_prompt(int32_t *ids, int seed) {
    for (int i = 0; i < LONG; i++) ids[i] = 1 + (i * (7 + 2 * seed) + seed) % 500;
}

// A few steps of a batch of one session, and the logits behind them.
static void step_in(godwit_batch *batch, godwit_session *session, int32_t ids[ON],
                    float logits[MAX_VOCAB]) {
    for (int i = 0; i < ON; i++) MUST(godwit_batch_step(batch, &session, NULL, 1, &ids[i], &err));
    MUST(godwit_session_logits(session, logits, MAX_VOCAB, &err));
}

// Pages that lie between those of others, and that are shared, make the file of a session alone; and
// a file goes on in a batch.
static void check_batch(godwit_model *model, godwit_kv kv, const session_bytes *alone) {
    static const int32_t other = 9;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_batch *batch = NULL, *again = NULL;
    godwit_session *sessions[N_BATCH] = {NULL}, *fork = NULL, *loaded = NULL;
    int32_t ids[N_BATCH][LONG], want_ids[ON], got_ids[ON];
    float want[MAX_VOCAB], got[MAX_VOCAB];
    session_bytes b = {0}, few = {0};
    params.n_ctx = 600;
    params.kv_k = params.kv_v = kv;
    params.n_seq = N_BATCH + 1;
    MUST(godwit_batch_create(model, &params, &batch, &err));
    for (int i = 0; i < N_BATCH; i++) MUST(godwit_batch_join(batch, &sessions[i], &err));
    for (int i = 0; i < N_BATCH; i++) long_prompt(ids[i], i);
    for (int at = 0; at < LONG; at += 10) {
        for (int i = N_BATCH; i-- > 0;)
            MUST(godwit_session_feed(sessions[i], ids[i] + at, 10, &err));
    }
    MUST(godwit_session_fork(sessions[0], &fork, &err));
    MUST(godwit_session_feed(sessions[0], &other, 1, &err));
    MUST(godwit_session_save(fork, NULL, false, session_bytes_write, &b, &err));
    cr_assert(b.n == alone->n && !memcmp(b.data, alone->data, b.n), "kv %d: files differ", (int)kv);
    MUST(godwit_session_save(fork, NULL, true, session_bytes_write, &few, &err));
    step_in(batch, fork, want_ids, want);
    for (int i = 0; i < 2; i++) {
        session_bytes *from = i ? &few : &b;
        godwit_session_destroy(&sessions[2 - i]);
        MUST(godwit_batch_load(batch, session_bytes_read, from, &loaded, &info, &err));
        cr_expect(info.n_tokens == LONG && info.tokens_only == i);
        step_in(batch, loaded, got_ids, got);
        cr_expect(!memcmp(got_ids, want_ids, sizeof got_ids) && !memcmp(got, want, sizeof got));
        godwit_session_destroy(&loaded);
    }
    // Into one of another format, and where there is no room.
    params.kv_k = kv == GODWIT_KV_F32 ? GODWIT_KV_F16 : GODWIT_KV_F32;
    MUST(godwit_batch_create(model, &params, &again, &err));
    b.at = 0;
    cr_expect(godwit_batch_load(again, session_bytes_read, &b, &loaded, NULL, &err) ==
              GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "those of the batch"), "%s", err.message);
    godwit_batch_destroy(&again);
    params.kv_k = kv;
    params.kv_tokens = 512;
    MUST(godwit_batch_create(model, &params, &again, &err));
    b.at = 0;
    cr_expect(godwit_batch_load(again, session_bytes_read, &b, &loaded, NULL, &err) ==
              GODWIT_CONTEXT_FULL);
    godwit_batch_stats stats = GODWIT_INIT(godwit_batch_stats);
    MUST(godwit_batch_get_stats(again, &stats, &err));
    cr_expect(stats.n_sessions == 0 && stats.n_free_pages == stats.n_pages);
    godwit_batch_destroy(&again);
    godwit_session_destroy(&fork);
    for (int i = 0; i < N_BATCH; i++) godwit_session_destroy(&sessions[i]);
    godwit_batch_destroy(&batch);
    free(b.data);
    free(few.data);
}

Test(migrate, sessions_of_a_batch) {
    static const godwit_kv kinds[] = {GODWIT_KV_F16, GODWIT_KV_Q8_0};
    stories_pair b = {0};
    char path[512];
    stories_open_pair(&b);
    stories_small(path, sizeof path);
    godwit_model *models[2] = {open_model(b.cpu, path), open_model(b.gpu, path)};
    for (int i = 0; i < 2; i++) {
        godwit_session *session = NULL;
        godwit_session_params params = GODWIT_INIT(godwit_session_params);
        session_bytes alone = {0};
        int32_t ids[LONG];
        params.n_ctx = 600;
        params.kv_k = params.kv_v = kinds[i];
        long_prompt(ids, 0);
        MUST(godwit_session_create(models[0], &params, &session, &err));
        MUST(godwit_session_feed(session, ids, LONG, &err));
        MUST(godwit_session_save(session, NULL, false, session_bytes_write, &alone, &err));
        godwit_session_destroy(&session);
        check_batch(models[1], kinds[i], &alone);
        free(alone.data);
    }
    godwit_model_close(&models[0]);
    godwit_model_close(&models[1]);
    stories_close_pair(&b);
}
