// Next: the block for the token after the next one gives the logits that tests/golden/next.py computes, after
// a prompt, token by token and behind its own guesses; and the text is the same, bit for bit, on the cores and
// on the device, greedy or drawn, whatever is guessed.
#include "api/handles.h"
#include "families/golden.h"
#include "session/internal.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <unistd.h>

enum { N_FED = 80, N_ROWS = 16, N_IDS = 1 + N_FED + N_ROWS, N_VOCAB = 131, N_TEXT = 60 };

static const char *const names[] = {"next-qwen35", "next-qwen35moe", "next-glm4moe"};
static const int indices[] = {0, 1, 2};

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef struct opened {
    godwit_context *context;
    godwit_device *device;
    godwit_file *file;
    godwit_model *model;
    int32_t ids[N_IDS];
    float rows[2 * N_ROWS][N_VOCAB];
} opened;

static godwit_model *open_model(const opened *o, bool mtp) {
    godwit_model_params params = GODWIT_INIT(godwit_model_params);
    godwit_model *model = NULL;
    params.mtp = mtp;
    OK(godwit_model_open(o->device, o->file, &params, &model, &err));
    return model;
}

// which: a device, or NULL: the test's.
static void open_it(opened *o, const char *name, const char *which) {
    char path[512], copy[] = "/tmp/godwit-next-XXXXXX";
    size_t n_ids = 0;
    golden_write(name, copy);
    golden_path(name, ".ids.txt", path, sizeof path);
    cr_assert_eq(golden_read_ids(path, 1, o->ids, &n_ids), N_IDS);
    golden_path(name, ".f32", path, sizeof path);
    FILE *file = fopen(path, "rb");
    cr_assert(file && fread(o->rows, sizeof o->rows, 1, file) == 1, "%s", path);
    fclose(file);
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    OK(godwit_context_create(&params, &o->context, &err));
    if (!which && godwit_context_n_devices(o->context) < 2) cr_skip_test("no Vulkan device");
    OK(godwit_device_open(o->context, which ? which : "0", NULL, &o->device, &err));
    OK(godwit_file_open(o->context, copy, &o->file, &err));
    unlink(copy);
    o->model = open_model(o, true);
}

static void close_it(opened *o) {
    cr_expect(godwit_context_validation_count(o->context) == 0, "validation complained");
    godwit_model_close(&o->model);
    godwit_file_close(&o->file);
    godwit_device_close(&o->device);
    godwit_context_destroy(&o->context);
}

static godwit_session *begin(godwit_model *model, uint32_t n_draft) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    params.n_ctx = 256;
    params.n_batch = 64;
    params.kv_k = params.kv_v = GODWIT_KV_F32;
    params.n_draft = n_draft;
    OK(godwit_session_create(model, &params, &session, &err));
    return session;
}

static int32_t best(const float *row) {
    int32_t at = 0;
    for (int32_t i = 1; i < N_VOCAB; i++)
        if (row[i] > row[at]) at = i;
    return at;
}

// --- the logits ----------------------------------------------------------------------------------

static void check_logits(const opened *o, const char *name) {
    godwit_session *s = begin(o->model, 2);
    float got[N_VOCAB];
    double worst = 0.0;
    OK(godwit_session_feed(s, o->ids, N_FED, &err));
    for (uint32_t i = 0; i < N_ROWS; i++) {
        const uint32_t n = 1 + i % 2;
        int32_t out[2] = {-1, -1};
        const int32_t token = o->ids[N_FED + i];
        cr_assert_eq(gw_next_guess(NULL, s->session, token, n, out), n);
        cr_assert_eq(out[0], best(o->rows[2 * i]), "%s: token %u", name, i);
        cr_assert_eq(out[n - 1], best(o->rows[2 * i + n - 1]), "%s: token %u, its own", name, i);
        OK(gw_session_read_logits(s->session->next.session, got, &err));
        worst = fmax(worst, golden_error(got, o->rows[2 * i + n - 1], 1, N_VOCAB));
        OK(godwit_session_feed(s, &token, 1, &err));
    }
    cr_assert(worst < 1e-3, "%s: off by %.2g", name, worst);
    printf("%s: off by %.2g\n", name, worst);
    godwit_session_destroy(&s);
}

// --- the text ------------------------------------------------------------------------------------

static void write_text(godwit_session *s, const godwit_sample_params *sampling, int32_t *out) {
    for (uint32_t i = 0; i < N_TEXT; i++) OK(godwit_session_step(s, sampling, &out[i], &err));
}

static void check_text(const opened *o, const char *name) {
    godwit_model *plain = open_model(o, false);
    for (uint32_t way = 0; way < 3; way++) {
        godwit_sample_params sampling = GODWIT_INIT(godwit_sample_params);
        int32_t want[N_TEXT], got[N_TEXT];
        float logits[2][N_VOCAB];
        sampling.temp = way ? 0.5f : 0.0f;
        sampling.seed = way;
        if (way == 2) sampling.repeat_penalty = 1.2f;
        godwit_session *s = begin(plain, 0);
        OK(godwit_session_feed(s, o->ids, N_FED, &err));
        write_text(s, &sampling, want);
        OK(godwit_session_logits(s, logits[0], N_VOCAB, &err));
        godwit_session_destroy(&s);
        for (uint32_t n = 1; n < 8; n += 3) {
            godwit_session_stats stats = GODWIT_INIT(godwit_session_stats);
            s = begin(o->model, n);
            OK(godwit_session_feed(s, o->ids, N_FED, &err));
            write_text(s, &sampling, got);
            cr_assert(!memcmp(want, got, sizeof want), "%s: another text with %u guesses", name, n);
            OK(godwit_session_logits(s, logits[1], N_VOCAB, &err));
            cr_assert(!memcmp(logits[0], logits[1], sizeof *logits));
            OK(godwit_session_get_stats(s, &stats, &err));
            cr_assert_gt(stats.n_drafted, 0);
            // Back, and on again.
            OK(godwit_session_truncate(s, N_FED - 3, &err));
            OK(godwit_session_feed(s, o->ids + N_FED - 3, 3, &err));
            write_text(s, &sampling, got);
            cr_assert(!memcmp(want, got, sizeof want), "%s: another text after going back", name);
            godwit_session_destroy(&s);
        }
    }
    godwit_model_close(&plain);
}

static void check_refused(const opened *o) {
    char path[] = "/tmp/godwit-next-XXXXXX";
    godwit_model_params params = GODWIT_INIT(godwit_model_params);
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    golden_write("qwen3", path);
    params.mtp = true;
    OK(godwit_file_open(o->context, path, &file, &err));
    cr_assert_eq(godwit_model_open(o->device, file, &params, &model, &err), GODWIT_UNSUPPORTED);
    cr_assert(strstr(err.message, "no block for the token after the next one"), "%s", err.message);
    godwit_file_close(&file);
    unlink(path);
}

static void check(const char *name, const char *which) {
    static opened o;
    open_it(&o, name, which);
    check_logits(&o, name);
    check_text(&o, name);
    check_refused(&o);
    close_it(&o);
}

ParameterizedTestParameters(next, guesses_by_a_block) {
    return cr_make_param_array(int, (int *)indices, 3, NULL);
}
ParameterizedTest(int *index, next, guesses_by_a_block, .timeout = 240) {
    if (golden_is_in_turn(*index)) check(names[*index], NULL);
}

ParameterizedTestParameters(next, guesses_by_a_block_on_the_cpu) {
    return cr_make_param_array(int, (int *)indices, 3, NULL);
}
ParameterizedTest(int *index, next, guesses_by_a_block_on_the_cpu, .timeout = 240) {
    if (golden_is_in_turn(*index)) check(names[*index], "cpu");
}
