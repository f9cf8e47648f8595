// Families against an outside oracle: tests/golden/families.py made tiny random models of each with
// transformers, llama.cpp's own converter wrote them, and what the engine computes after a prompt of 40
// tokens and after each of 64 more must be within 1e-3 of the largest logit. On every device the bits
// are the same, however the prompt is cut, with whom a sequence shares a batch, and where it was saved
// and went on. Of T5 the prompt is the encoder's text, which is never cut. One line a family is printed.
#include "api/handles.h"
#include "families/golden.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { N_PROMPT = 40, N_DECODED = 64, N_IDS = N_PROMPT + N_DECODED, N_ROWS = N_DECODED + 1 };
enum { N_VOCAB = 131, N_STREAMS = 3, N_SAVED = 57 };

// Criterion wants them in memory.
enum { MOST_GOLDENS = 128 };
// clang-format off
static const int indices[MOST_GOLDENS] = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65,
    66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87,
    88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109,
    110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127};
// clang-format on
_Static_assert((int)N_GOLDENS <= (int)MOST_GOLDENS, "more indices are wanted");

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef float rows[N_ROWS][N_VOCAB];

typedef struct golden {
    const char *name;
    int32_t ids[N_IDS];
    rows expected;
    char path[64];
} golden;

static void golden_open(golden *g, const char *name) {
    char path[512];
    *g = (golden){.name = name, .path = "/tmp/godwit-family-XXXXXX"};
    golden_path(name, ".ids.txt", path, sizeof path);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    for (int i = 0; i < N_IDS; i++) cr_assert_eq(fscanf(file, "%d", &g->ids[i]), 1);
    fclose(file);
    golden_path(name, ".f32", path, sizeof path);
    file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    cr_assert_eq(fread(g->expected, 1, sizeof g->expected, file), sizeof g->expected);
    fclose(file);
    golden_write(name, g->path);
}

static godwit_model *open_model(godwit_context *context, godwit_device *device, const golden *g) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    OK(godwit_file_open(context, g->path, &file, &err));
    OK(godwit_file_check(file, &err));
    OK(godwit_model_open(device, file, NULL, &model, &err));
    godwit_file_close(&file);
    return model;
}

static godwit_session_params params_of(godwit_kv kv, uint32_t n_batch) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = N_IDS + 2; // T5 has a token between the prompt and the rest
    params.n_batch = n_batch;
    params.kv_k = params.kv_v = kv; // F16's rounding is far above the tolerance
    return params;
}

static godwit_session *new_session(godwit_model *model, godwit_kv kv, uint32_t n_batch) {
    const godwit_session_params params = params_of(kv, n_batch);
    godwit_session *session = NULL;
    OK(godwit_session_create(model, &params, &session, &err));
    return session;
}

// The prompt at once, then a token at a time; saved: the session after N_SAVED tokens, may be NULL.
static void tell(godwit_model *model, const golden *g, godwit_kv kv, session_bytes *saved,
                 rows out) {
    godwit_session *session = new_session(model, kv, 0);
    OK(godwit_session_feed(session, g->ids, N_PROMPT, &err));
    for (int i = 0; i < N_ROWS; i++) {
        OK(godwit_session_logits(session, out[i], N_VOCAB, &err));
        if (i == N_DECODED) break;
        OK(godwit_session_feed(session, &g->ids[N_PROMPT + i], 1, &err));
        if (saved && N_PROMPT + i + 1 == N_SAVED)
            OK(godwit_session_save(session, NULL, false, session_bytes_write, saved, &err));
    }
    godwit_session_destroy(&session);
}

static bool has_encoder(godwit_model *model) {
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    OK(godwit_model_get_info(model, &info, &err));
    return info.decoder_start >= 0;
}

// first, step: of the cuts.
static void check_cuts(godwit_model *model, const golden *g, size_t first, size_t step, rows want) {
    static const size_t cuts[] = {1, 7, 23, 39};
    const bool whole = has_encoder(model);
    float logits[N_VOCAB];
    for (size_t c = first; c < sizeof cuts / sizeof *cuts; c += step) {
        godwit_session *session = new_session(model, GODWIT_KV_F32, c % 2 ? 5 : 0);
        // Parts of so many, and what is left.
        for (size_t at = 0, n; at < N_IDS; at += n) {
            n = at == 0 && whole ? N_PROMPT : N_IDS - at < cuts[c] ? N_IDS - at : cuts[c];
            OK(godwit_session_feed(session, g->ids + at, n, &err));
            if (at + n < N_PROMPT) continue;
            OK(godwit_session_logits(session, logits, N_VOCAB, &err));
            cr_expect(!memcmp(logits, want[at + n - N_PROMPT], sizeof logits),
                      "%s: fed by %zu: the logits after %zu tokens differ", g->name, cuts[c],
                      at + n);
        }
        godwit_session_destroy(&session);
    }
}

// Streams of other lengths in one batch; the first is the golden's, which goes on by its own choice.
static void check_batch(godwit_model *model, const golden *g, rows want) {
    godwit_session_params params = params_of(GODWIT_KV_F32, 0);
    godwit_batch *batch = NULL;
    godwit_session *sessions[N_STREAMS] = {NULL};
    int32_t chosen[N_STREAMS];
    float logits[N_VOCAB];
    params.n_seq = N_STREAMS;
    OK(godwit_batch_create(model, &params, &batch, &err));
    for (int i = 0; i < N_STREAMS; i++) {
        OK(godwit_batch_join(batch, &sessions[i], &err));
        OK(godwit_session_feed(sessions[i], g->ids + 3 * i, (size_t)(i ? 9 * i : N_PROMPT), &err));
    }
    for (int i = 0; i < N_DECODED; i++) {
        OK(godwit_batch_step(batch, sessions, NULL, N_STREAMS, chosen, &err));
        cr_assert(chosen[0] == g->ids[N_PROMPT + i], "%s: token %d", g->name, i);
        OK(godwit_session_logits(sessions[0], logits, N_VOCAB, &err));
        cr_assert(!memcmp(logits, want[i + 1], sizeof logits), "%s: in a batch, logits %d differ",
                  g->name, i);
    }
    for (int i = 0; i < N_STREAMS; i++) godwit_session_destroy(&sessions[i]);
    godwit_batch_destroy(&batch);
}

static void check_resumed(godwit_model *model, const golden *g, session_bytes *saved, rows want) {
    const godwit_session_params params = params_of(GODWIT_KV_F32, 0);
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session *session = NULL;
    float logits[N_VOCAB];
    saved->at = 0;
    OK(godwit_session_load(model, &params, session_bytes_read, saved, &session, &info, &err));
    for (int i = N_SAVED; i < N_IDS; i++) {
        OK(godwit_session_feed(session, &g->ids[i], 1, &err));
        OK(godwit_session_logits(session, logits, N_VOCAB, &err));
        cr_assert(!memcmp(logits, want[i + 1 - N_PROMPT], sizeof logits),
                  "%s: saved and resumed, the logits after %d tokens differ", g->name, i + 1);
    }
    godwit_session_destroy(&session);
}

// Logits of a copy in Q8_0 after the prompt and some tokens, on one device.
static void tell_quantized(godwit_context *context, godwit_device *device, const golden *g,
                           float out[2][N_VOCAB]) {
    godwit_model *model = open_model(context, device, g);
    godwit_session *session = new_session(model, GODWIT_KV_F16, 0);
    OK(godwit_session_feed(session, g->ids, N_PROMPT, &err));
    OK(godwit_session_logits(session, out[0], N_VOCAB, &err));
    for (int i = 0; i < 3; i++) OK(godwit_session_feed(session, &g->ids[N_PROMPT + i], 1, &err));
    OK(godwit_session_logits(session, out[1], N_VOCAB, &err));
    godwit_session_destroy(&session);
    godwit_model_close(&model);
}

static void check_quantized(godwit_context *context, godwit_device *const devices[3],
                            const golden *g, uint32_t type) {
    static float logits[3][2][N_VOCAB];
    golden copy = *g;
    snprintf(copy.path, sizeof copy.path, "%.40s.packed", g->path);
    stories_requantize(g->path, copy.path, type);
    for (int i = 0; i < 3; i++) {
        tell_quantized(context, devices[i], &copy, logits[i]);
        cr_expect(!memcmp(logits[i], logits[0], sizeof logits[0]), "%s in type %u: other bits",
                  g->name, type);
    }
    unlink(copy.path);
}

// Kernels and shapes that GPUs get, with one type of cache: families take turns.
static void check_as_for_gpus(stories_pair *pair, const golden *g, bool in_halves, rows want) {
    static rows got;
    const gw_tune own = pair->gpu->backend.tune;
    if (!stories_plan_as_for_gpus(pair->gpu)) return;
    godwit_model *model = open_model(pair->context, pair->gpu, g);
    tell(model, g, in_halves ? GODWIT_KV_F16 : GODWIT_KV_F32, NULL, got);
    cr_expect(!memcmp(got, want, sizeof got), "%s: as for GPUs: other bits, %s cache", g->name,
              in_halves ? "F16" : "F32");
    godwit_model_close(&model);
    pair->gpu->backend.tune = own;
}

ParameterizedTestParameters(families, are_what_transformers_computes) {
    return cr_make_param_array(int, (int *)indices, N_GOLDENS, NULL);
}

ParameterizedTest(int *index, families, are_what_transformers_computes) {
    static golden g;
    static rows on_cpu, other, halves, quants;
    if (!golden_is_wanted(golden_names[*index]) || !golden_is_in_turn(*index)) return;
    stories_pair pair = {0};
    godwit_device *cpu = NULL;
    session_bytes saved = {0};
    golden_open(&g, golden_names[*index]);
    stories_open_pair(&pair);
    OK(godwit_device_open(pair.context, "cpu", NULL, &cpu, &err));
    godwit_model *model = open_model(pair.context, cpu, &g);
    tell(model, &g, GODWIT_KV_F32, &saved, on_cpu);
    tell(model, &g, GODWIT_KV_F16, NULL, halves);
    tell(model, &g, GODWIT_KV_Q8_0, NULL, quants);
    const double off = golden_error(on_cpu[0], g.expected[0], N_ROWS, N_VOCAB);
    cr_expect(off < 1e-3, "%s: %.3g of the largest logit off", g.name, off);
    check_cuts(model, &g, 0, 1, on_cpu);
    check_batch(model, &g, on_cpu);
    godwit_model_close(&model);

    // Half of what a family takes on lavapipe is compiling. Types of caches and cuts are seen in turns, so that each
    // is seen of each kind of layer.
    const bool has_turns = getenv("GODWIT_TEST_TURN") && !getenv("GODWIT_FAMILY");
    const size_t turn = (size_t)*index / 16 % 2; // of what the turns of drivers leave
    godwit_device *const others[] = {pair.cpu, pair.gpu};
    for (int i = 0; i < 2; i++) {
        model = open_model(pair.context, others[i], &g);
        tell(model, &g, GODWIT_KV_F32, NULL, other);
        cr_expect(!memcmp(other, on_cpu, sizeof other), "%s: other bits, F32 cache", g.name);
        if (!has_turns || turn == 0) {
            tell(model, &g, GODWIT_KV_F16, NULL, other);
            cr_expect(!memcmp(other, halves, sizeof other), "%s: other bits, F16 cache", g.name);
        }
        if (!has_turns || turn == 1) {
            tell(model, &g, GODWIT_KV_Q8_0, NULL, other);
            cr_expect(!memcmp(other, quants, sizeof other), "%s: other bits, Q8_0 cache", g.name);
        }
        check_resumed(model, &g, &saved, on_cpu);
        if (i == 1) {
            check_cuts(model, &g, has_turns ? turn : 0, has_turns ? 2 : 1, on_cpu);
            check_batch(model, &g, on_cpu);
        }
        godwit_model_close(&model);
    }
    const bool in_halves = *index % 4 != 0; // the usual one
    if (!getenv("GODWIT_TEST_NO_GPU_PLANS"))
        check_as_for_gpus(&pair, &g, in_halves, in_halves ? halves : on_cpu);
    godwit_device *const all[] = {cpu, pair.cpu, pair.gpu};
    check_quantized(pair.context, all, &g, GODWIT_Q8_0);
    if (!strcmp(g.name, "gpt-oss")) check_quantized(pair.context, all, &g, GODWIT_MXFP4);
    printf(
        "%-12s at most %.1e of the largest logit off; cpu, reference, this driver: the same bits, "
        "cut, batched, resumed, in Q8_0\n",
        g.name, off);
    unlink(g.path);
    free(saved.data);
    godwit_device_close(&cpu);
    stories_close_pair(&pair);
}
