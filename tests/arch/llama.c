// llama against an outside oracle: the logits of tests/golden/arch, which
// tests/golden/arch_llama.py computes with transformers, after each token of a prompt of 40.
//
// Tolerance: no logit of a row may be further off than 1e-3 of the row's largest |logit|; what is
// measured is about a thousandth of that, and each feature's absence is 20 times that or more.
// However a prompt is cut, the bits are the same.
#include "godwit/godwit.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_TOK = 40, N_VOCAB = 96 };

static const char *const cases[] = {
    "mha",    "gqa-tied", "head-dim", "theta",    "linear",  "yarn",    "yarn-tuned",
    "llama3", "bias",     "window",   "mlp-bias", "head-20", "head-98",
};
enum { N_CASES = sizeof cases / sizeof *cases };
static const int indices[N_CASES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef struct golden {
    godwit_context *context;
    godwit_device *device;
    godwit_file *file;
    godwit_model *model;
    int32_t ids[N_TOK];
    float expected[N_TOK][N_VOCAB];
} golden;

static FILE *open_golden(const char *name, const char *suffix) {
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/golden/arch/%s%s", GODWIT_TEST_ROOT, name, suffix);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    return file;
}

static void golden_open(golden *g, const char *name) {
    *g = (golden){0};
    FILE *file = open_golden(name, ".ids.txt");
    for (int i = 0; i < N_TOK; i++) cr_assert_eq(fscanf(file, "%d", &g->ids[i]), 1);
    fclose(file);
    file = open_golden(name, ".f32");
    cr_assert_eq(fread(g->expected, 1, sizeof g->expected, file), sizeof g->expected);
    fclose(file);

    char path[1024];
    snprintf(path, sizeof path, "%s/tests/golden/arch/%s.gguf", GODWIT_TEST_ROOT, name);
    OK(godwit_context_create(NULL, &g->context, &err));
    OK(godwit_device_open(g->context, "reference", NULL, &g->device, &err));
    OK(godwit_file_open(g->context, path, &g->file, &err));
    OK(godwit_model_open(g->device, g->file, NULL, &g->model, &err));
}

static void golden_close(golden *g) {
    godwit_model_close(&g->model);
    godwit_file_close(&g->file);
    godwit_device_close(&g->device);
    godwit_context_destroy(&g->context);
}

static godwit_session *new_session(const golden *g, uint32_t n_batch) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = N_TOK;
    params.n_batch = n_batch;
    params.kv_k = params.kv_v = GODWIT_KV_F32; // f16's rounding is far above the tolerance
    godwit_session *session = NULL;
    OK(godwit_session_create(g->model, &params, &session, &err));
    return session;
}

// The largest error of a row, as a part of its largest |logit|.
static double row_error(const float *got, const float *want) {
    double off = 0.0, largest = 0.0;
    for (int i = 0; i < N_VOCAB; i++) {
        cr_assert(isfinite(got[i]));
        off = fmax(off, fabs((double)got[i] - (double)want[i]));
        largest = fmax(largest, fabs((double)want[i]));
    }
    return off / largest;
}

// Logits after each token, fed one at a time.
static void feed_each(const golden *g, float logits[N_TOK][N_VOCAB]) {
    godwit_session *session = new_session(g, 0);
    for (int i = 0; i < N_TOK; i++) {
        OK(godwit_session_feed(session, &g->ids[i], 1, &err));
        OK(godwit_session_logits(session, logits[i], N_VOCAB, &err));
    }
    godwit_session_destroy(&session);
}

ParameterizedTestParameters(arch_llama, is_what_transformers_computes) {
    return cr_make_param_array(int, (int *)indices, N_CASES, NULL);
}

ParameterizedTest(int *index, arch_llama, is_what_transformers_computes) {
    static float each[N_TOK][N_VOCAB], whole[N_VOCAB];
    static golden g;
    const char *name = cases[*index];
    golden_open(&g, name);
    feed_each(&g, each);
    double worst = 0.0;
    for (int i = 0; i < N_TOK; i++) {
        double off = row_error(each[i], g.expected[i]);
        cr_expect_lt(off, 1e-3, "%s: position %d: %.3g of the largest logit off", name, i, off);
        worst = fmax(worst, off);
    }
    printf("%s: at most %.2g of the largest logit off\n", name, worst);

    // Every prefix as one prompt, whole and in batches of 7.
    for (uint32_t n_batch = 0; n_batch <= 7; n_batch += 7) {
        godwit_session *session = new_session(&g, n_batch);
        for (size_t n = 1; n <= N_TOK; n++) {
            OK(godwit_session_truncate(session, 0, &err));
            OK(godwit_session_feed(session, g.ids, n, &err));
            OK(godwit_session_logits(session, whole, N_VOCAB, &err));
            cr_expect_eq(memcmp(whole, each[n - 1], sizeof whole), 0,
                         "%s: %zu tokens at once (batch %u) are not what they are one by one", name,
                         n, n_batch);
        }
        godwit_session_destroy(&session);
    }
    golden_close(&g);
}

// The oracle's file says what the model is; the API tells the same.
Test(arch_llama, info_is_the_files) {
    static golden g;
    golden_open(&g, "head-dim");
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    OK(godwit_model_get_info(g.model, &info, &err));
    cr_expect_str_eq(info.architecture, "llama");
    cr_expect_eq(info.n_layer, 2);
    cr_expect_eq(info.n_embd, 32);
    cr_expect_eq(info.n_head, 2);
    cr_expect_eq(info.n_head_kv, 1);
    cr_expect_eq(info.n_ff, 64);
    cr_expect_eq(info.n_vocab, N_VOCAB);
    cr_expect_eq(info.n_ctx_train, 64);
    golden_close(&g);
}
