// What is asked of sampling beside the draw: penalties and bias against llama.cpp's words in plain C, log
// probabilities against double; alone, in a batch, saved and resumed, with equal tokens on every device.
#include "support/session_bytes.h"

#include "api/handles.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { VOCAB = 2048, PROMPT = 12, TOKENS = 24, DEVICES = 3, KINDS = 5 };
static const int32_t prompt[PROMPT] = {1, 400, 12, 77, 400, 308, 443, 400, 12, 900, 308, 5};
static const char model_path[] = GODWIT_TEST_ROOT "/models/story-q8_0.gguf";
static const godwit_logit_bias bias[] = {
    {308, -1.5f}, {443, 2.0f}, {11, -INFINITY}, {308, -0.25f}, {1986, 4.0f}};

static const int32_t breakers[] = {13, 1989};

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

typedef struct stand {
    godwit_context *context;
    godwit_device *device;
    godwit_file *file;
    godwit_model *model;
} stand;

static bool open_stand(stand *s, uint32_t which) {
    memset(s, 0, sizeof *s);
    MUST(godwit_context_create(NULL, &s->context, &err));
    const bool has_gpu = godwit_context_n_devices(s->context) > 1;
    if (which == 2 && !has_gpu) {
        godwit_context_destroy(&s->context);
        return false;
    }
    static const char *const names[DEVICES] = {"cpu", "reference", "0"};
    MUST(godwit_device_open(s->context, names[which], NULL, &s->device, &err));
    MUST(godwit_file_open(s->context, model_path, &s->file, &err));
    MUST(godwit_model_open(s->device, s->file, NULL, &s->model, &err));
    return true;
}

static void close_stand(stand *s) {
    godwit_model_close(&s->model);
    godwit_file_close(&s->file);
    godwit_device_close(&s->device);
    godwit_context_destroy(&s->context);
}

static godwit_sample_params params_of(uint32_t kind) {
    godwit_sample_params p = GODWIT_INIT(godwit_sample_params);
    if (kind == 1 || kind == 3) {
        p.repeat_penalty = 1.25f;
        p.frequency_penalty = 0.375f;
        p.presence_penalty = kind == 3 ? -0.5f : 0.25f;
        p.penalty_last_n = kind == 3 ? 7 : 0;
    }
    if (kind == 4) {
        p.dry_multiplier = 3.0f;
        p.dry_base = 1.5f;
        p.dry_breakers = breakers;
        p.n_dry_breakers = sizeof breakers / sizeof *breakers;
    }
    if (kind == 2 || kind == 3) {
        p.logit_bias = bias;
        p.n_logit_bias = sizeof bias / sizeof *bias;
    }
    if (kind == 3) {
        p.temp = 0.9f;
        p.top_k = 20;
        p.seed = 5;
    }
    return p;
}

// --- against plain C -----------------------------------------------------------------------------

// How many tokens before an earlier `id` are the last ones, none of them a breaker: the most of any.
static int repeat_before(const int32_t *ids, int n, int32_t id) {
    int longest = 0;
    for (int at = 1; at < n; at++) {
        int k = 0;
        while (ids[at] == id && k < at && ids[at - 1 - k] == ids[n - 1 - k] &&
               ids[n - 1 - k] != breakers[0] && ids[n - 1 - k] != breakers[1])
            k++;
        if (k > longest) longest = k;
    }
    return longest;
}

static void change(float *logits, const int32_t *ids, size_t n, const godwit_sample_params *p) {
    const size_t last_n = p->penalty_last_n ? p->penalty_last_n : 64;
    for (uint32_t i = 0; i < p->n_logit_bias; i++)
        logits[p->logit_bias[i].id] += p->logit_bias[i].bias;
    for (int32_t id = 0; id < VOCAB && p->repeat_penalty != 0.0f; id++) {
        int count = 0;
        for (size_t i = n > last_n ? n - last_n : 0; i < n; i++) count += ids[i] == id;
        if (!count) continue;
        float *l = &logits[id];
        *l = *l <= 0.0f ? *l * p->repeat_penalty : *l / p->repeat_penalty;
        *l -= (float)count * p->frequency_penalty + p->presence_penalty;
    }
    for (int32_t id = 0; id < VOCAB && p->dry_multiplier != 0.0f; id++) {
        const int longest = repeat_before(ids, (int)n, id);
        if (longest >= 2 && id != breakers[0] && id != breakers[1])
            logits[id] -= (float)(3.0 * pow(1.5, longest - 2));
    }
}

static int32_t best_of(const float *logits) {
    int32_t best = 0;
    for (int32_t i = 1; i < VOCAB; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

static void check_logprobs(const godwit_session *s, const float *logits, int32_t token) {
    godwit_logprob rows[4];
    double sum = 0.0;
    cr_assert_eq(godwit_session_logprobs(s, rows, 4), 4);
    for (int i = 0; i < VOCAB; i++) sum += exp((double)logits[i]);
    cr_assert_eq(rows[0].id, token);
    cr_assert_eq(rows[1].id, best_of(logits));
    for (int i = 0; i < 4; i++) {
        int n_likelier = 0;
        for (int k = 0; k < VOCAB; k++)
            n_likelier += logits[k] > logits[rows[i].id] ||
                          (logits[k] == logits[rows[i].id] && k < rows[i].id);
        cr_assert(i == 0 || n_likelier == i - 1, "%d likelier than the %d-th", n_likelier, i);
        const double want = (double)logits[rows[i].id] - log(sum), got = (double)rows[i].logprob;
        cr_assert(fabs(got - want) < 1e-5, "log probability %g, not %g", got, want);
    }
}

Test(session, penalties_and_bias_are_what_their_words_say) {
    static float logits[VOCAB], changed[VOCAB];
    for (uint32_t which = 0; which < DEVICES; which++) {
        stand s;
        int n_changed[KINDS] = {0};
        if (!open_stand(&s, which)) continue;
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            godwit_session *session = NULL;
            godwit_sample_params p = params_of(kind);
            p.n_logprobs = 4;
            p.temp = 0.0f;
            MUST(godwit_session_create(s.model, NULL, &session, &err));
            MUST(godwit_session_feed(session, prompt, PROMPT, &err));
            for (int i = 0; i < TOKENS; i++) {
                int32_t ids[PROMPT + TOKENS], token = -1, again = -1;
                const size_t n = godwit_session_tokens(session, ids, PROMPT + TOKENS);
                MUST(godwit_session_logits(session, logits, VOCAB, &err));
                memcpy(changed, logits, sizeof logits);
                change(changed, ids, n, &p);
                MUST(godwit_session_sample(session, &p, &again, &err));
                MUST(godwit_session_step(session, &p, &token, &err));
                cr_assert_eq(token, best_of(changed), "device %u, kind %u, step %d", which, kind,
                             i);
                cr_assert_eq(token, again);
                n_changed[kind] += token != best_of(logits);
                check_logprobs(session, logits, token);
            }
            godwit_session_destroy(&session);
        }
        for (int k = 1; k < KINDS; k++) cr_assert_gt(n_changed[k], 0, "kind %d changes nothing", k);
        close_stand(&s);
    }
}

// --- alone, in a batch, resumed ------------------------------------------------------------------

static void tokens_alone(const stand *s, uint32_t kind, int32_t *out) {
    godwit_session *session = NULL;
    const godwit_sample_params p = params_of(kind);
    MUST(godwit_session_create(s->model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT - kind, &err));
    for (int i = 0; i < TOKENS; i++) MUST(godwit_session_step(session, &p, &out[i], &err));
    godwit_session_destroy(&session);
}

static void tokens_of_batch(const stand *s, int32_t out[KINDS][TOKENS]) {
    godwit_session_params sizes = GODWIT_INIT(godwit_session_params);
    godwit_batch *batch = NULL;
    godwit_session *sessions[KINDS];
    godwit_sample_params p[KINDS];
    int n[KINDS] = {0}, n_least = 0;
    sizes.n_batch = 8;
    MUST(godwit_batch_create(s->model, &sizes, &batch, &err));
    for (uint32_t k = 0; k < KINDS; k++) {
        p[k] = params_of(k);
        MUST(godwit_batch_join(batch, &sessions[k], &err));
        MUST(godwit_session_queue(sessions[k], prompt, PROMPT - k, &err));
    }
    while (n_least < TOKENS) {
        int32_t tokens[KINDS];
        MUST(godwit_batch_step(batch, sessions, p, KINDS, tokens, &err));
        n_least = TOKENS;
        for (int k = 0; k < KINDS; k++) {
            if (tokens[k] >= 0 && n[k] < TOKENS) out[k][n[k]++] = tokens[k];
            if (n[k] < n_least) n_least = n[k];
        }
    }
    for (int k = 0; k < KINDS; k++) godwit_session_destroy(&sessions[k]);
    godwit_batch_destroy(&batch);
}

// Saved in the middle, with what chooses its tokens in the file alone.
static void tokens_resumed(const stand *s, uint32_t kind, int32_t *out) {
    const godwit_sample_params p = params_of(kind);
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session *session = NULL;
    session_bytes file = {0};
    MUST(godwit_session_create(s->model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT - kind, &err));
    for (int i = 0; i < TOKENS / 2; i++) MUST(godwit_session_step(session, &p, &out[i], &err));
    MUST(godwit_session_save(session, &p, kind % 2, session_bytes_write, &file, &err));
    godwit_session_destroy(&session);
    MUST(godwit_session_load(s->model, NULL, session_bytes_read, &file, &session, &info, &err));
    cr_assert_eq(info.sampling.n_logit_bias, p.n_logit_bias);
    for (int i = TOKENS / 2; i < TOKENS; i++)
        MUST(godwit_session_step(session, &info.sampling, &out[i], &err));
    godwit_session_destroy(&session);
    free(file.data);
}

Test(session, sampling_is_the_same_in_a_batch_and_resumed) {
    static int32_t alone[KINDS][TOKENS], others[KINDS][TOKENS], first[KINDS][TOKENS];
    for (uint32_t which = 0; which < DEVICES; which++) {
        stand s;
        if (!open_stand(&s, which)) continue;
        for (uint32_t k = 0; k < KINDS; k++) tokens_alone(&s, k, alone[k]);
        tokens_of_batch(&s, others);
        cr_assert_arr_eq(alone, others, sizeof alone, "device %u: in a batch", which);
        for (uint32_t k = 0; k < KINDS; k++) tokens_resumed(&s, k, others[k]);
        cr_assert_arr_eq(alone, others, sizeof alone, "device %u: resumed", which);
        if (which == 0) memcpy(first, alone, sizeof first);
        cr_assert_arr_eq(alone, first, sizeof alone, "device %u: not the cpu's", which);
        close_stand(&s);
    }
}

// Words of the chunk that has them, under checksums that hold.
Test(session, saved_sampling_that_lies_is_refused) {
    static const uint32_t at[] = {0, 4, 16, 20, 24, 36, 40, 60, 64, 64 + 4, 64 + 40};
    godwit_sample_params p = params_of(2);
    godwit_session *session = NULL;
    session_bytes good = {0};
    stand s;
    cr_assert(open_stand(&s, 0));
    p.dry_multiplier = 2.0f;
    p.dry_breakers = breakers;
    p.n_dry_breakers = 2;
    MUST(godwit_session_create(s.model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    MUST(godwit_session_save(session, &p, true, session_bytes_write, &good, &err));
    cr_assert(session_chunk_unpack(&good, session_chunk_at(&good, 3)));
    session_bytes_sum(&good);
    for (size_t i = 0; i <= sizeof at / sizeof *at; i++) {
        const bool lies = i < sizeof at / sizeof *at;
        godwit_session_info info = GODWIT_INIT(godwit_session_info);
        session_bytes b = {0};
        session_bytes_write(&b, (const char *)good.data, good.n);
        uint8_t *chunk = b.data + session_chunk_at(&b, 3);
        cr_assert(memcmp(chunk, "SMPX", 4) == 0);
        if (lies) gw_put_le32(chunk + SESSION_CHUNK_HEAD_BYTES + at[i], 0xffffffffu);
        session_bytes_sum(&b);
        const godwit_status status =
            godwit_session_inspect(s.context, session_bytes_read, &b, NULL, 0, &info, &err);
        cr_expect_eq(status, lies ? GODWIT_MALFORMED : GODWIT_OK, "word at %u: %d",
                     lies ? at[i] : 0, (int)status);
        if (lies) cr_expect(strstr(err.message, "chunk 3 (SMPX)"), "%s", err.message);
        if (!lies) cr_expect(info.sampling.n_dry_breakers == 2 && !info.sampling.dry_breakers);
        free(b.data);
    }
    free(good.data);
    godwit_session_destroy(&session);
    close_stand(&s);
}

// --- refused -------------------------------------------------------------------------------------

Test(session, sampling_refuses_what_is_out_of_range) {
    static const godwit_logit_bias outside = {VOCAB, 1.0f}, nan_bias = {3, NAN};
    stand s;
    godwit_session *session = NULL;
    godwit_sample_params p[12];
    int32_t token = 7;
    for (int i = 0; i < 12; i++) p[i] = params_of(0);
    p[0].repeat_penalty = -1.0f;
    p[1].repeat_penalty = NAN;
    p[2].frequency_penalty = 101.0f;
    p[3].presence_penalty = -INFINITY;
    p[4].logit_bias = &outside, p[4].n_logit_bias = 1;
    p[5].logit_bias = &nan_bias, p[5].n_logit_bias = 1;
    p[6].n_logit_bias = 1;
    p[7].n_logit_bias = GODWIT_LOGIT_BIAS_MAX + 1, p[7].logit_bias = bias;
    p[8].n_logprobs = GODWIT_LOGPROBS_MAX + 1;
    p[9].dry_multiplier = -1.0f;
    p[10].dry_multiplier = 1.0f, p[10].dry_base = 0.5f;
    p[11].dry_multiplier = 1.0f, p[11].dry_breakers = &outside.id, p[11].n_dry_breakers = 1;
    cr_assert(open_stand(&s, 0));
    MUST(godwit_session_create(s.model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    for (int i = 0; i < 12; i++) {
        err.message[0] = 0;
        cr_assert_eq(godwit_session_step(session, &p[i], &token, &err), GODWIT_INVALID_ARGUMENT,
                     "%d", i);
        cr_assert(strncmp(err.message, "sampling: ", 10) == 0, "%d: %s", i, err.message);
    }
    cr_assert_eq(token, 7);
    MUST(godwit_session_step(session, NULL, &token, &err));
    godwit_session_destroy(&session);
    close_stand(&s);
}
