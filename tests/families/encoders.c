// Encoders against an outside oracle: tests/golden/encoders.py made tiny random models with transformers,
// llama.cpp's own converter wrote them. What the engine has of each token of five texts (one passes a
// block of keys) must be within 1e-3 of the row's largest number, and so must the scores of a
// classifier. On every device the bits are the same, and of a text alone those that it has among others.
#include "families/golden.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { N_TEXTS = 5, MAX_TOKENS = 512, MAX_EMBD = 64 };

typedef struct row {
    const char *name;
    bool scores, both_ways;
    size_t n_embd, n_out; // n_out: what dense layers make of them; 0: there are none
} row;
static const row ROWS[] = {{"bert", false, true, 48, 0},
                           {"xlm-roberta-rank", true, true, 48, 0},
                           {"modern-bert", false, true, 48, 0},
                           {"nomic-bert", false, true, 48, 0},
                           {"jina-bert-v2", false, true, 48, 0},
                           {"jina-bert-v3", false, true, 48, 0},
                           {"gemma-embedding", false, true, 42, 36},
                           {"t5encoder", false, true, 48, 0},
                           {"t5encoder-relu", false, true, 48, 0},
                           {"eurobert", false, true, 48, 0},
                           {"qwen3-embed", false, false, 32, 0},
                           {"llama4-embed", false, false, 32, 0}};
enum { N_ROWS = sizeof ROWS / sizeof *ROWS };
static const int indices[N_ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

// Numbers of an embedding.
static size_t n_out_of(const row *row) {
    return row->n_out ? row->n_out : row->n_embd;
}

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef struct golden {
    const row *row;
    int32_t ids[MAX_TOKENS];
    size_t n_ids[N_TEXTS], n_tokens;
    float hidden[MAX_TOKENS * MAX_EMBD], scores[N_TEXTS], dense[N_TEXTS * MAX_EMBD];
    char path[64];
} golden;

static void golden_open(golden *g, const row *row) {
    char path[512];
    *g = (golden){.row = row, .path = "/tmp/godwit-encoder-XXXXXX"};
    golden_path(row->name, ".ids.txt", path, sizeof path);
    g->n_tokens = golden_read_ids(path, N_TEXTS, g->ids, g->n_ids);
    golden_path(row->name, ".f32", path, sizeof path);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    const size_t n = g->n_tokens * row->n_embd;
    cr_assert_eq(fread(g->hidden, sizeof(float), n, file), n);
    if (row->scores) cr_assert_eq(fread(g->scores, sizeof(float), N_TEXTS, file), N_TEXTS);
    const size_t n_dense = N_TEXTS * row->n_out;
    cr_assert_eq(fread(g->dense, sizeof(float), n_dense, file), n_dense);
    fclose(file);
    golden_write(row->name, g->path);
}

static godwit_model *open_model(godwit_context *context, godwit_device *device, const golden *g) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    OK(godwit_file_open(context, g->path, &file, &err));
    OK(godwit_model_open(device, file, NULL, &model, &err));
    godwit_file_close(&file);
    return model;
}

static godwit_batch *new_batch(godwit_model *model) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_batch *batch = NULL;
    params.n_ctx = 320;
    params.n_seq = 4;
    params.kv_k = params.kv_v = GODWIT_KV_F32;
    OK(godwit_batch_create(model, &params, &batch, &err));
    return batch;
}

// Rows of some of the golden's texts, from one on.
static void embed(godwit_batch *batch, const golden *g, godwit_pooling pooling, bool raw,
                  size_t first, size_t n, float *out, size_t n_out) {
    godwit_embed_params params = GODWIT_INIT(godwit_embed_params);
    const int32_t *ids = g->ids;
    params.pooling = pooling;
    params.raw = raw;
    for (size_t t = 0; t < first; t++) ids += g->n_ids[t];
    OK(godwit_batch_embed(batch, &params, ids, g->n_ids + first, n, out, n_out, &err));
}

// What a model gives: rows of tokens, of texts, and scores.
typedef struct given {
    float hidden[MAX_TOKENS * MAX_EMBD], mean[N_TEXTS * MAX_EMBD], last[N_TEXTS * MAX_EMBD];
    float scores[N_TEXTS];
} given;

static void tell(godwit_model *model, const golden *g, given *out) {
    const size_t d = n_out_of(g->row);
    godwit_batch *batch = new_batch(model);
    *out = (given){0};
    embed(batch, g, GODWIT_POOLING_NONE, true, 0, N_TEXTS, out->hidden,
          g->n_tokens * g->row->n_embd);
    embed(batch, g, GODWIT_POOLING_MEAN, false, 0, N_TEXTS, out->mean, N_TEXTS * d);
    embed(batch, g, GODWIT_POOLING_LAST, false, 0, N_TEXTS, out->last, N_TEXTS * d);
    if (g->row->scores)
        embed(batch, g, GODWIT_POOLING_RANK, false, 0, N_TEXTS, out->scores, N_TEXTS);
    godwit_batch_destroy(&batch);
}

static double error_of(const golden *g, const given *got) {
    const size_t d = g->row->n_embd;
    double worst = 0.0;
    for (size_t r = 0; r < g->n_tokens; r++) {
        double off = 0.0, largest = 0.0;
        for (size_t i = r * d; i < (r + 1) * d; i++) {
            cr_assert(isfinite(got->hidden[i]));
            off = fmax(off, fabs((double)got->hidden[i] - (double)g->hidden[i]));
            largest = fmax(largest, fabs((double)g->hidden[i]));
        }
        worst = fmax(worst, off / largest);
    }
    for (int t = 0; t < N_TEXTS; t++)
        worst = fmax(worst, fabs((double)got->scores[t] - (double)g->scores[t]));
    return worst;
}

// What dense layers make of the means, which is of length 1 then.
static void check_dense(const golden *g, const given *got) {
    const size_t d = g->row->n_out;
    for (size_t t = 0; t < N_TEXTS && d; t++) {
        double length = 0.0;
        for (size_t k = 0; k < d; k++)
            length += (double)g->dense[t * d + k] * (double)g->dense[t * d + k];
        for (size_t k = 0; k < d; k++)
            cr_expect(fabs((double)got->mean[t * d + k] -
                           (double)g->dense[t * d + k] / sqrt(length)) < 1e-3,
                      "dense");
    }
}

// The pooled rows out of the golden's own, in double.
static void check_pooled(const golden *g, const given *got) {
    if (g->row->n_out) {
        check_dense(g, got);
        return;
    }
    const size_t d = g->row->n_embd;
    const float *rows = g->hidden;
    for (size_t t = 0; t < N_TEXTS; rows += g->n_ids[t++] * d) {
        double mean[MAX_EMBD] = {0}, length = 0.0, last = 0.0;
        const float *end = rows + (g->n_ids[t] - 1) * d;
        for (size_t k = 0; k < d; k++) {
            for (size_t i = 0; i < g->n_ids[t]; i++) mean[k] += (double)rows[i * d + k];
            length += mean[k] * mean[k];
            last += (double)end[k] * (double)end[k];
        }
        for (size_t k = 0; k < d; k++) {
            cr_expect(fabs((double)got->mean[t * d + k] - mean[k] / sqrt(length)) < 1e-3, "mean");
            cr_expect(fabs((double)got->last[t * d + k] - (double)end[k] / sqrt(last)) < 1e-3,
                      "last");
        }
    }
}

static void check_alone(godwit_model *model, const golden *g, const given *among) {
    const size_t d = n_out_of(g->row);
    godwit_batch *batch = new_batch(model);
    for (size_t t = 0; t < N_TEXTS; t++) {
        float mean[MAX_EMBD], score = 0.0f;
        embed(batch, g, GODWIT_POOLING_MEAN, false, t, 1, mean, d);
        cr_expect(!memcmp(mean, among->mean + t * d, d * sizeof *mean), "%s: text %zu alone",
                  g->row->name, t);
        if (!g->row->scores) continue;
        embed(batch, g, GODWIT_POOLING_RANK, false, t, 1, &score, 1);
        cr_expect(!memcmp(&score, &among->scores[t], sizeof score), "%s: score %zu alone",
                  g->row->name, t);
    }
    godwit_batch_destroy(&batch);
}

// Calls that cannot be right, and what the model says of itself.
static void check_refused(godwit_model *model, const golden *g) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    godwit_embed_params params = GODWIT_INIT(godwit_embed_params);
    godwit_session *session = NULL;
    godwit_batch *batch = new_batch(model);
    float out[MAX_EMBD];
    const size_t d = n_out_of(g->row), none = 0, many = 321, one = 1;
    const int32_t bad = 131;
    OK(godwit_model_get_info(model, &info, &err));
    cr_assert_eq(info.both_ways, g->row->both_ways);
    cr_assert_eq(info.n_out, d);
    cr_assert_eq(info.n_labels, g->row->scores);
    if (g->row->both_ways) {
        cr_assert_eq(godwit_session_create(model, NULL, &session, &err), GODWIT_UNSUPPORTED);
        cr_assert_eq(godwit_batch_join(batch, &session, &err), GODWIT_UNSUPPORTED);
    }
    cr_assert_eq(godwit_batch_embed(batch, NULL, g->ids, &one, 1, out, d + 1, &err),
                 GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(godwit_batch_embed(batch, NULL, g->ids, &none, 1, out, d, &err),
                 GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(godwit_batch_embed(batch, NULL, g->ids, &many, 1, out, d, &err),
                 GODWIT_CONTEXT_FULL);
    cr_assert_eq(godwit_batch_embed(batch, NULL, &bad, &one, 1, out, d, &err),
                 GODWIT_INVALID_ARGUMENT);
    params.pooling = GODWIT_POOLING_RANK;
    if (!g->row->scores)
        cr_assert_eq(godwit_batch_embed(batch, &params, g->ids, &one, 1, out, 1, &err),
                     GODWIT_UNSUPPORTED);
    OK(godwit_batch_embed(batch, NULL, NULL, NULL, 0, NULL, 0, &err));
    godwit_batch_destroy(&batch);
}

static void check_quantized(godwit_context *context, godwit_device *const devices[3],
                            const golden *g) {
    static given of[3];
    golden copy = *g;
    snprintf(copy.path, sizeof copy.path, "%.40s.q8_0", g->path);
    stories_requantize(g->path, copy.path, GODWIT_Q8_0);
    for (int i = 0; i < 3; i++) {
        godwit_model *model = open_model(context, devices[i], &copy);
        tell(model, &copy, &of[i]);
        cr_expect(!memcmp(&of[i], &of[0], sizeof of[0]), "%s in Q8_0: other bits", g->row->name);
        godwit_model_close(&model);
    }
    unlink(copy.path);
}

ParameterizedTestParameters(encoders, are_what_transformers_computes) {
    return cr_make_param_array(int, (int *)indices, N_ROWS, NULL);
}

ParameterizedTest(int *index, encoders, are_what_transformers_computes) {
    static golden g;
    static given on_cpu, other;
    stories_pair pair = {0};
    godwit_device *cpu = NULL;
    if (!golden_is_in_turn(*index)) return;
    golden_open(&g, &ROWS[*index]);
    stories_open_pair(&pair);
    OK(godwit_device_open(pair.context, "cpu", NULL, &cpu, &err));
    godwit_device *const devices[] = {cpu, pair.cpu, pair.gpu};
    for (int i = 0; i < 3; i++) {
        godwit_model *model = open_model(pair.context, devices[i], &g);
        tell(model, &g, i ? &other : &on_cpu);
        if (i) cr_expect(!memcmp(&other, &on_cpu, sizeof other), "%s: other bits", g.row->name);
        if (i != 1) check_alone(model, &g, &on_cpu);
        if (i == 0) check_refused(model, &g);
        godwit_model_close(&model);
    }
    const double off = error_of(&g, &on_cpu);
    cr_expect(off < 1e-3, "%s: %.3g of the largest number off", g.row->name, off);
    check_pooled(&g, &on_cpu);
    check_quantized(pair.context, devices, &g);
    printf(
        "%-16s at most %.1e of the largest number off; cpu, reference, this driver: the same bits, "
        "alone and among others, in Q8_0\n",
        g.row->name, off);
    unlink(g.path);
    godwit_device_close(&cpu);
    stories_close_pair(&pair);
}
