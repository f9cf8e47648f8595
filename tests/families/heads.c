// Heads of models that give embeddings and scores, against an outside oracle: tests/golden/heads.py made
// tiny models whose pooled rows go through dense layers, or are asked for "yes" and "no". Within 1e-3
// of the largest number; the same bits on every device, in Q8_0 too, and of a text alone as among others.
#include "families/golden.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <unistd.h>

enum { N_TEXTS = 5, MAX_TOKENS = 512, MAX_OUT = 64, N_DEVICES = 3 };

typedef struct row {
    const char *name;
    size_t n_out;
    bool scores;
} row;
static const row ROWS[] = {
    {"qwen3-rerank", 2, true}, {"qwen3-dense", 24, false}, {"bert-dense", 56, false}};
enum { N_ROWS = sizeof ROWS / sizeof *ROWS };
static const int indices[N_ROWS] = {0, 1, 2};

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef struct golden {
    const row *row;
    int32_t ids[MAX_TOKENS];
    size_t n_ids[N_TEXTS], n_tokens;
    float expected[N_TEXTS * MAX_OUT];
    char path[64];
} golden;

#define FOLDER GODWIT_TEST_ROOT "/tests/golden/heads/"

static void golden_open(golden *g, const row *row) {
    char path[512];
    *g = (golden){.row = row, .path = "/tmp/godwit-head-XXXXXX"};
    snprintf(path, sizeof path, FOLDER "%s.ids.txt", row->name);
    g->n_tokens = golden_read_ids(path, N_TEXTS, g->ids, g->n_ids);
    snprintf(path, sizeof path, FOLDER "%s.f32", row->name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    cr_assert_eq(fread(g->expected, sizeof(float), N_TEXTS * row->n_out, file),
                 N_TEXTS * row->n_out);
    fclose(file);
    char name[64];
    snprintf(name, sizeof name, "../heads/%s", row->name);
    golden_write(name, g->path);
}

static godwit_model *open_model(godwit_context *context, godwit_device *device, const char *path) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    OK(godwit_file_open(context, path, &file, &err));
    OK(godwit_model_open(device, file, NULL, &model, &err));
    godwit_file_close(&file);
    return model;
}

// Of all texts at once, or of each alone, as the file says that they are pooled.
static void tell(godwit_model *model, const golden *g, bool alone, float *out) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_embed_params embed = GODWIT_INIT(godwit_embed_params);
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_batch *batch = NULL;
    const int32_t *ids = g->ids;
    OK(godwit_model_get_info(model, &info, &err));
    cr_assert_eq(g->row->scores ? info.n_labels : info.n_out, g->row->n_out);
    params.n_ctx = 320;
    params.n_seq = 4;
    params.kv_k = params.kv_v = GODWIT_KV_F32;
    OK(godwit_batch_create(model, &params, &batch, &err));
    memset(out, 0, N_TEXTS * MAX_OUT * sizeof *out);
    for (size_t t = 0; t < N_TEXTS; t += alone ? 1 : N_TEXTS) {
        const size_t n = alone ? 1 : N_TEXTS;
        OK(godwit_batch_embed(batch, &embed, ids, g->n_ids + t, n, out + t * g->row->n_out,
                              n * g->row->n_out, &err));
        ids += g->n_ids[t];
    }
    godwit_batch_destroy(&batch);
}

static double error_of(const golden *g, const float *got) {
    double worst = 0.0;
    for (size_t t = 0; t < N_TEXTS; t++) {
        double off = 0.0, largest = 0.0;
        for (size_t i = t * g->row->n_out; i < (t + 1) * g->row->n_out; i++) {
            cr_assert(isfinite(got[i]));
            off = fmax(off, fabs((double)got[i] - (double)g->expected[i]));
            largest = fmax(largest, fabs((double)g->expected[i]));
        }
        worst = fmax(worst, off / largest);
    }
    return worst;
}

ParameterizedTestParameters(heads, are_what_transformers_computes) {
    return cr_make_param_array(int, (int *)indices, N_ROWS, NULL);
}

ParameterizedTest(int *index, heads, are_what_transformers_computes) {
    static golden g;
    static float on_cpu[N_TEXTS * MAX_OUT], other[N_TEXTS * MAX_OUT];
    stories_pair pair = {0};
    godwit_device *cpu = NULL;
    char packed[80];
    golden_open(&g, &ROWS[*index]);
    snprintf(packed, sizeof packed, "%s.q8_0", g.path);
    stories_requantize(g.path, packed, GODWIT_Q8_0);
    stories_open_pair(&pair);
    OK(godwit_device_open(pair.context, "cpu", NULL, &cpu, &err));
    godwit_device *const devices[N_DEVICES] = {cpu, pair.cpu, pair.gpu};
    for (int q = 0; q < 2; q++) {
        for (int i = 0; i < N_DEVICES; i++) {
            godwit_model *model = open_model(pair.context, devices[i], q ? packed : g.path);
            tell(model, &g, false, i ? other : on_cpu);
            if (i) cr_expect(!memcmp(other, on_cpu, sizeof other), "%s: other bits", g.row->name);
            tell(model, &g, true, other);
            cr_expect(!memcmp(other, on_cpu, sizeof other), "%s: alone, other bits", g.row->name);
            godwit_model_close(&model);
        }
        const double off = error_of(&g, on_cpu);
        if (!q) cr_expect(off < 1e-3, "%s: %.3g of the largest number off", g.row->name, off);
        if (!q) printf("%-12s at most %.1e of the largest number off\n", g.row->name, off);
    }
    unlink(packed);
    unlink(g.path);
    godwit_device_close(&cpu);
    stories_close_pair(&pair);
}
