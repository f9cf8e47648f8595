// KV caches of every mixture of number formats: the same logits on this driver and on the plain-C
// reference, however a prompt is cut and after a session went back; sizes; what is refused.
#include "api/handles.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB = 96, MAX_PROMPT = 290, N_KV = 3 };

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static void open_model(godwit_device *device, const char *path, godwit_model **model) {
    godwit_file *file = NULL;
    MUST(godwit_file_open(device->context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, model, &err));
    godwit_file_close(&file);
}

// The formats that mixture `kv` of N_KV * N_KV is.
static godwit_session *open_session(godwit_model *model, int kv, uint32_t n_batch) {
    godwit_session *session = NULL;
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = MAX_PROMPT + 2;
    params.n_batch = n_batch;
    params.kv_k = (godwit_kv)(kv / N_KV);
    params.kv_v = (godwit_kv)(kv % N_KV);
    MUST(godwit_session_create(model, &params, &session, &err));
    return session;
}

static void prompt(int32_t *ids, int n) {
    for (int i = 0; i < n; i++) ids[i] = i == 0 ? 1 : 3 + i * 37 % 93;
}

// The logits after n_prompt tokens and after one more. back > 0: the session feeds others behind
// that many tokens first and goes back.
static void tell(godwit_model *model, int kv, uint32_t n_batch, int n_prompt, int back,
                 float out[2][VOCAB]) {
    int32_t ids[MAX_PROMPT + 1], other[9] = {90, 4, 8, 15, 16, 23, 42, 7, 5};
    godwit_session *session = open_session(model, kv, n_batch);
    prompt(ids, n_prompt + 1);
    if (back) {
        MUST(godwit_session_feed(session, ids, (size_t)back, &err));
        MUST(godwit_session_feed(session, other, 9, &err));
        MUST(godwit_session_truncate(session, (uint32_t)back, &err));
    }
    MUST(godwit_session_feed(session, ids + back, (size_t)(n_prompt - back), &err));
    MUST(godwit_session_logits(session, out[0], VOCAB, &err));
    MUST(godwit_session_feed(session, ids + n_prompt, 1, &err));
    MUST(godwit_session_logits(session, out[1], VOCAB, &err));
    godwit_session_destroy(&session);
}

static void check_mixture(godwit_model *gpu, godwit_model *cpu, int kv, int n_prompt,
                          const char *what) {
    static const struct {
        uint32_t n_batch;
        int back;
    } walks[] = {{0, 0}, {7, 0}, {50, 13}};
    float want[2][VOCAB], got[2][VOCAB];
    tell(cpu, kv, (uint32_t)n_prompt, n_prompt, 0, want);
    for (int i = 0; i < VOCAB; i++) cr_assert(!gw_is_nan(want[1][i]), "%s", what);
    tell(cpu, kv, 31, n_prompt, 40, got);
    cr_expect(!memcmp(want, got, sizeof want), "%s, mixture %d: reference, cut", what, kv);
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        tell(gpu, kv, walks[i].n_batch, n_prompt, walks[i].back, got);
        cr_expect(!memcmp(want, got, sizeof want), "%s, mixture %d: device, batches of %u", what,
                  kv, walks[i].n_batch);
    }
}

// head-20: heads of 20, so that 4 places behind them are turned, too; head-98; window: 16 keys.
Test(session, mixtures_of_caches_have_the_same_bits) {
    static const struct {
        const char *name;
        int n_prompt;
        bool all;
    } models[] = {{"head-20", 70, true}, {"window", MAX_PROMPT, false}, {"head-98", 270, false}};
    static const int some[] = {2 * N_KV + 2, 0 * N_KV + 2, 2 * N_KV + 1};
    stories_pair b = {0};
    stories_open_pair(&b);
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        godwit_model *gpu = NULL, *cpu = NULL;
        char path[512];
        snprintf(path, sizeof path, GODWIT_TEST_ROOT "/tests/golden/arch/%s.gguf", models[m].name);
        open_model(b.gpu, path, &gpu);
        open_model(b.cpu, path, &cpu);
        for (int i = 0; i < (models[m].all ? N_KV * N_KV : 3); i++)
            check_mixture(gpu, cpu, models[m].all ? i : some[i], models[m].n_prompt,
                          models[m].name);
        godwit_model_close(&gpu);
        godwit_model_close(&cpu);
    }
    stories_close_pair(&b);
}

// Formats differ in bits, but by no more than their rounding; and in memory.
Test(session, caches_in_q8_0_are_small_and_near) {
    stories_pair b = {0};
    godwit_model *model = NULL;
    float f32[2][VOCAB], q8[2][VOCAB];
    stories_open_pair(&b);
    open_model(b.cpu, GODWIT_TEST_ROOT "/tests/golden/arch/gqa-tied.gguf", &model);
    tell(model, N_KV + 1, 0, 60, 0, f32);
    static const struct {
        int kv;
        double most; // rms of the logits' errors over the rms of the logits
    } mixtures[] = {{0, 1.5e-3}, {2, 7e-3}, {2 * N_KV + 2, 3e-2}};
    for (int m = 0; m < 3; m++) {
        double error = 0.0, sum = 0.0;
        tell(model, mixtures[m].kv, 0, 60, 0, q8);
        for (int i = 0; i < VOCAB; i++) {
            double d = (double)q8[1][i] - (double)f32[1][i];
            error += d * d;
            sum += (double)f32[1][i] * (double)f32[1][i];
        }
        cr_expect(error > 0.0 && error < mixtures[m].most * mixtures[m].most * sum,
                  "mixture %d: %g of %g", mixtures[m].kv, error, sum);
    }
    // An element takes 4 bytes, 2, or 1 and its part of the scales.
    const gw_hparams *h = &model->model->def->h;
    uint64_t rows = 2ull * h->n_layer * (MAX_PROMPT + 2) * h->n_head_kv, bytes[N_KV * N_KV];
    for (int kv = 0; kv < N_KV * N_KV; kv++) {
        godwit_session *session = open_session(model, kv, 0);
        godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
        MUST(godwit_session_get_stats(session, &stats, &err));
        bytes[kv] = stats.kv_bytes;
        godwit_session_destroy(&session);
    }
    uint64_t d = h->head_dim;
    cr_expect(bytes[0] == rows * d * 2);
    cr_expect(bytes[N_KV + 1] == rows * d * 4);
    cr_expect(bytes[2] == rows / 2 * (d * 2 + d + 4));
    cr_expect(bytes[2 * N_KV + 2] == rows / 2 * (2 * d + 4 + (d + 31) / 32 * 4));
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    params.kv_v = (godwit_kv)3;
    cr_expect(godwit_session_create(model, &params, &session, &err) == GODWIT_INVALID_ARGUMENT);
    cr_expect(strstr(err.message, "kv_v 3") != NULL, "%s", err.message);
    godwit_model_close(&model);
    stories_close_pair(&b);
}
