// What is asked of sampling beside the draw: penalties and bias against llama.cpp's words in plain C, log
// probabilities against double; alone, in a batch, saved and resumed, with equal tokens on every device.
#include "support/session_bytes.h"

#include "api/handles.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// CHANGES: those that change logits, and are seen in greedy tokens as well.
enum { VOCAB = 2048, PROMPT = 12, TOKENS = 24, DEVICES = 3, KINDS = 10, CHANGES = 6 };
static const int32_t prompt[PROMPT] = {1, 400, 12, 77, 400, 308, 443, 400, 12, 900, 308, 5};
static const char model_path[] = GODWIT_TEST_ROOT "/models/story-q8_0.gguf";
static const godwit_logit_bias bias[] = {
    {308, -1.5f}, {443, 2.0f}, {11, -INFINITY}, {308, -0.25f}, {1986, 4.0f}};

static const int32_t breakers[] = {13, 1989};
// Of tokens of the prompt; the first is another's end.
static const int32_t sequences[] = {77, 400, -1, 12, 77, 400, -1, 5, 6, -1};

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
    if (kind == 4 || kind == 5) {
        p.dry_multiplier = 3.0f;
        p.dry_base = 1.5f;
        p.dry_breakers = breakers;
        p.n_dry_breakers = sizeof breakers / sizeof *breakers;
    }
    if (kind == 5) {
        p.dry_sequences = sequences;
        p.n_dry_sequences = sizeof sequences / sizeof *sequences;
    }
    if (kind >= CHANGES) {
        p.temp = 1.1f;
        p.seed = kind;
    }
    if (kind == 6) {
        p.top_n_sigma = 1.5f;
        p.typical_p = 0.7f;
    }
    if (kind == 7) {
        p.xtc_probability = 0.6f;
        p.xtc_threshold = 0.05f;
        p.top_k = 30;
    }
    if (kind == 8 || kind == 9) {
        p.mirostat = 2;
        p.mirostat_tau = kind == 8 ? 2.5f : 0.0f;
        p.mirostat_eta = kind == 8 ? 0.3f : 0.0f;
        p.repeat_penalty = kind == 8 ? 1.0f : 1.2f;
        p.top_k = 1; // goes without
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
static int repeat_before(const int32_t *ids, int n, int32_t id, int limit) {
    int longest = 0;
    for (int at = 1; at < n; at++) {
        int k = 0;
        while (ids[at] == id && k < at && k < limit && ids[at - 1 - k] == ids[n - 1 - k]) k++;
        if (k > longest) longest = k;
    }
    return longest;
}

// How many tokens are behind the last breaker; of sequences, the longest that begins at its place.
static int behind_breakers(const int32_t *ids, int n, const godwit_sample_params *p) {
    for (int at = n - 1; at >= 0; at--) {
        int longest = ids[at] == breakers[0] || ids[at] == breakers[1];
        for (int first = 0, k = 0; k < (int)p->n_dry_sequences; k++) {
            if (p->dry_sequences[k] != -1) continue;
            bool same = at + k - first <= n && k - first > longest;
            for (int i = first; i < k && same; i++)
                same = p->dry_sequences[i] == ids[at + i - first];
            if (same) longest = k - first;
            first = k + 1;
        }
        if (longest) return n - at - longest;
    }
    return n;
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
    const int limit = behind_breakers(ids, (int)n, p);
    for (int32_t id = 0; id < VOCAB && p->dry_multiplier != 0.0f; id++) {
        const int longest = repeat_before(ids, (int)n, id, limit);
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
        int n_changed[CHANGES] = {0};
        if (!open_stand(&s, which)) continue;
        for (uint32_t kind = 0; kind < CHANGES; kind++) {
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
        for (int k = 1; k < CHANGES; k++)
            cr_assert_gt(n_changed[k], 0, "kind %d changes nothing", k);
        close_stand(&s);
    }
}

// --- alone, in a batch, resumed ------------------------------------------------------------------

static void tokens_alone(const stand *s, uint32_t kind, int32_t *out) {
    godwit_session *session = NULL;
    const godwit_sample_params p = params_of(kind);
    MUST(godwit_session_create(s->model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT - kind / 2, &err));
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
    sizes.n_seq = KINDS;
    MUST(godwit_batch_create(s->model, &sizes, &batch, &err));
    for (uint32_t k = 0; k < KINDS; k++) {
        p[k] = params_of(k);
        MUST(godwit_batch_join(batch, &sessions[k], &err));
        MUST(godwit_session_queue(sessions[k], prompt, PROMPT - k / 2, &err));
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
    MUST(godwit_session_feed(session, prompt, PROMPT - kind / 2, &err));
    for (int i = 0; i < TOKENS / 2; i++) MUST(godwit_session_step(session, &p, &out[i], &err));
    MUST(godwit_session_save(session, &p, kind % 2, session_bytes_write, &file, &err));
    godwit_session_destroy(&session);
    MUST(godwit_session_load(s->model, NULL, session_bytes_read, &file, &session, &info, &err));
    cr_assert_eq(info.sampling.n_logit_bias, p.n_logit_bias);
    cr_assert_eq(info.sampling.n_dry_sequences, p.n_dry_sequences);
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

// --- mirostat ------------------------------------------------------------------------------------

// Of llama.cpp's words in double: no token but the likeliest has more surprise than mu, which each token moves.
Test(session, mirostat_keeps_to_its_surprise) {
    static float logits[VOCAB];
    enum { STEPS = 80 };
    for (uint32_t which = 0; which < DEVICES; which++) {
        stand s;
        godwit_session *session = NULL, *fork = NULL;
        godwit_sample_params p = params_of(8);
        int32_t tokens[STEPS], again = -1;
        double mu = 2.0 * (double)p.mirostat_tau, sum_of_surprise = 0.0, most = 0.0;
        if (!open_stand(&s, which)) continue;
        godwit_session_params sizes = GODWIT_INIT(godwit_session_params);
        godwit_batch *batch = NULL;
        sizes.n_seq = 2;
        MUST(godwit_batch_create(s.model, &sizes, &batch, &err));
        MUST(godwit_batch_join(batch, &session, &err));
        MUST(godwit_session_feed(session, prompt, PROMPT, &err));
        for (int i = 0; i < STEPS; i++) {
            double all = 0.0, kept = 0.0;
            MUST(godwit_session_logits(session, logits, VOCAB, &err));
            const double max = (double)logits[best_of(logits)], temp = (double)p.temp;
            MUST(godwit_session_sample(session, &p, &again, &err));
            MUST(godwit_session_step(session, &p, &tokens[i], &err));
            cr_assert_eq(again, tokens[i], "device %u, step %d: chosen twice", which, i);
            for (int k = 0; k < VOCAB; k++) all += exp(((double)logits[k] - max) / temp);
            for (int k = 0; k < VOCAB; k++) {
                const double e = exp(((double)logits[k] - max) / temp);
                if (k == best_of(logits) || -log2(e / all) <= mu) kept += e;
            }
            const double own = exp(((double)logits[tokens[i]] - max) / temp);
            cr_assert(tokens[i] == best_of(logits) || -log2(own / all) <= mu + 1e-4,
                      "device %u, step %d: %g bits, %g may be", which, i, -log2(own / all), mu);
            if (-log2(own / all) > most) most = -log2(own / all);
            mu -= (double)p.mirostat_eta * (-log2(own / kept) - (double)p.mirostat_tau);
            sum_of_surprise += -log2(own / kept);
        }
        cr_assert(fabs(sum_of_surprise / STEPS - (double)p.mirostat_tau) < 0.5, "%g bits a token",
                  sum_of_surprise / STEPS);
        // Back, and on: mu is the one that was there; so it is in a fork.
        MUST(godwit_session_truncate(session, PROMPT - 1, &err));
        MUST(godwit_session_feed(session, &prompt[PROMPT - 1], 1, &err));
        for (int i = 0; i < STEPS; i++) {
            if (i == 20) MUST(godwit_session_fork(session, &fork, &err));
            if (i == 30) { // a token that is taken back and fed is the one that was chosen
                MUST(godwit_session_truncate(session, PROMPT + i - 1, &err));
                MUST(godwit_session_feed(session, &tokens[i - 1], 1, &err));
            }
            MUST(godwit_session_step(session, &p, &again, &err));
            cr_assert_eq(again, tokens[i], "device %u, step %d: after going back", which, i);
            if (fork) MUST(godwit_session_step(fork, &p, &again, &err));
            cr_assert_eq(again, tokens[i], "device %u, step %d: in a fork", which, i);
        }
        godwit_session_destroy(&fork);
        godwit_session_destroy(&session);
        godwit_batch_destroy(&batch);
        close_stand(&s);
    }
}

// Words of the chunk that has them, under checksums that hold.
static void check_lies(const stand *s, const godwit_sample_params *p, const char *tag,
                       const uint32_t *at, size_t n) {
    godwit_session *session = NULL;
    session_bytes good = {0};
    int32_t token;
    char text[32];
    snprintf(text, sizeof text, "chunk 3 (%s)", tag);
    MUST(godwit_session_create(s->model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    MUST(godwit_session_step(session, p, &token, &err));
    MUST(godwit_session_save(session, p, true, session_bytes_write, &good, &err));
    (void)session_chunk_unpack(&good, session_chunk_at(&good, 3));
    session_bytes_sum(&good);
    for (size_t i = 0; i <= n; i++) {
        const bool lies = i < n;
        godwit_session_info info = GODWIT_INIT(godwit_session_info);
        session_bytes b = {0};
        session_bytes_write(&b, (const char *)good.data, good.n);
        uint8_t *chunk = b.data + session_chunk_at(&b, 3);
        cr_assert(memcmp(chunk, tag, 4) == 0);
        if (lies) gw_put_le32(chunk + SESSION_CHUNK_HEAD_BYTES + at[i], 0xffffffffu);
        session_bytes_sum(&b);
        const godwit_status status =
            godwit_session_inspect(s->context, session_bytes_read, &b, NULL, 0, &info, &err);
        cr_expect_eq(status, lies ? GODWIT_MALFORMED : GODWIT_OK, "%s, word at %u: %d", tag,
                     lies ? at[i] : 0, (int)status);
        if (lies) cr_expect(strstr(err.message, text), "%s", err.message);
        if (!lies)
            cr_expect(info.sampling.n_dry_breakers == p->n_dry_breakers &&
                      info.sampling.mirostat == p->mirostat && !info.sampling.dry_breakers &&
                      !info.sampling.dry_sequences);
        free(b.data);
    }
    free(good.data);
    godwit_session_destroy(&session);
}

Test(session, saved_sampling_that_lies_is_refused) {
    // biases, breakers, sequences from 64, 104, 112 on
    static const uint32_t changes[] = {0,  4,  16,     20,      24,      36,     40,
                                       60, 64, 64 + 4, 64 + 40, 64 + 48, 64 + 80};
    static const uint32_t filters[] = {0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 60};
    godwit_sample_params p = params_of(2);
    stand s;
    cr_assert(open_stand(&s, 0));
    p.dry_multiplier = 2.0f;
    p.dry_breakers = breakers;
    p.n_dry_breakers = 2;
    p.dry_sequences = sequences;
    p.n_dry_sequences = sizeof sequences / sizeof *sequences;
    check_lies(&s, &p, "SMPX", changes, sizeof changes / sizeof *changes);
    p = params_of(8);
    check_lies(&s, &p, "SMPF", filters, sizeof filters / sizeof *filters);
    close_stand(&s);
}

// --- refused -------------------------------------------------------------------------------------

Test(session, sampling_refuses_what_is_out_of_range) {
    static const godwit_logit_bias outside = {VOCAB, 1.0f}, nan_bias = {3, NAN};
    stand s;
    godwit_session *session = NULL;
    static const int32_t no_end[] = {3, 4}, one[] = {3, -1}, far[] = {3, VOCAB, -1};
    enum { N = 23 };
    godwit_sample_params p[N];
    int32_t token = 7;
    for (int i = 0; i < N; i++) p[i] = params_of(0);
    p[12].top_n_sigma = -1.0f;
    p[13].typical_p = 1.5f;
    p[14].xtc_probability = NAN;
    p[15].xtc_threshold = -0.1f;
    p[16].mirostat = 1;
    p[17].mirostat = 2, p[17].mirostat_tau = -5.0f;
    p[18].mirostat = 2, p[18].mirostat_eta = 1.5f;
    for (int i = 19; i < N; i++) p[i].dry_multiplier = 1.0f, p[i].n_dry_sequences = 2;
    p[20].dry_sequences = no_end;
    p[21].dry_sequences = one;
    p[22].dry_sequences = far, p[22].n_dry_sequences = 3;
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
    for (int i = 0; i < N; i++) {
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
