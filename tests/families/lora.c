// LoRA adapters against an outside oracle: tests/golden/lora.py has transformers compute with W +
// factor B A in the place of W. Within 1e-3 of the largest logit; the same bits on every device, in
// quantized weights too, however the prompt is cut, in a batch, and saved and gone on with.
#include "families/golden.h"
#include "file/gguf_write.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <math.h>
#include <unistd.h>

enum { N_PROMPT = 40, N_DECODED = 64, N_IDS = N_PROMPT + N_DECODED, N_ROWS = N_DECODED + 1 };
enum { N_VOCAB = 131, N_SAVED = 57, N_DEVICES = 3 };

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef float rows[N_ROWS][N_VOCAB];

#define FOLDER GODWIT_TEST_ROOT "/tests/golden/lora/"

// A context with three devices, the base model and both adapters.
typedef struct bench {
    stories_pair pair;
    godwit_device *cpu, *devices[N_DEVICES];
    godwit_file *base, *first, *second;
    int32_t ids[N_IDS];
    char path[64];
} bench;

static void read_floats(const char *name, rows out) {
    char path[512];
    snprintf(path, sizeof path, FOLDER "%s", name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fread(out, 1, sizeof(rows), file), sizeof(rows));
    fclose(file);
}

// set: "" or "experts.", in front of names of files.
static void bench_open_set(bench *b, const char *set) {
    *b = (bench){.path = "/tmp/godwit-lora-XXXXXX"};
    char path[512];
    golden_write(set[0] ? "../lora/experts" : "../lora/llama", b->path);
    snprintf(path, sizeof path, FOLDER "%sids.txt", set);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    for (int i = 0; i < N_IDS; i++) cr_assert_eq(fscanf(file, "%d", &b->ids[i]), 1);
    fclose(file);
    stories_open_pair(&b->pair);
    OK(godwit_device_open(b->pair.context, "cpu", NULL, &b->cpu, &err));
    b->devices[0] = b->cpu;
    b->devices[1] = b->pair.cpu;
    b->devices[2] = b->pair.gpu;
    OK(godwit_file_open(b->pair.context, b->path, &b->base, &err));
    snprintf(path, sizeof path, FOLDER "%sfirst.gguf", set);
    OK(godwit_file_open(b->pair.context, path, &b->first, &err));
    snprintf(path, sizeof path, FOLDER "%ssecond.gguf", set);
    OK(godwit_file_open(b->pair.context, path, &b->second, &err));
}

static void bench_open(bench *b) {
    bench_open_set(b, "");
}

static void bench_close(bench *b) {
    godwit_file_close(&b->base);
    godwit_file_close(&b->first);
    godwit_file_close(&b->second);
    godwit_device_close(&b->cpu);
    stories_close_pair(&b->pair);
    unlink(b->path);
}

static godwit_status try_open(const bench *b, godwit_device *device, const godwit_file *base,
                              const godwit_lora *loras, uint32_t n, godwit_model **out) {
    (void)b;
    godwit_model_params params = GODWIT_INIT(godwit_model_params);
    params.loras = loras;
    params.n_loras = n;
    return godwit_model_open(device, base, &params, out, &err);
}

static godwit_session *new_session(godwit_model *model, uint32_t n_batch) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session *session = NULL;
    params.n_ctx = N_IDS + 1;
    params.n_batch = n_batch;
    params.kv_k = params.kv_v = GODWIT_KV_F32;
    OK(godwit_session_create(model, &params, &session, &err));
    return session;
}

// saved: the session after N_SAVED tokens; may be NULL.
static void tell(godwit_model *model, const int32_t *ids, uint32_t n_batch, session_bytes *saved,
                 rows out) {
    godwit_session *session = new_session(model, n_batch);
    OK(godwit_session_feed(session, ids, N_PROMPT, &err));
    for (int i = 0; i < N_ROWS; i++) {
        OK(godwit_session_logits(session, out[i], N_VOCAB, &err));
        if (i == N_DECODED) break;
        OK(godwit_session_feed(session, &ids[N_PROMPT + i], 1, &err));
        if (saved && N_PROMPT + i + 1 == N_SAVED)
            OK(godwit_session_save(session, NULL, false, session_bytes_write, saved, &err));
    }
    godwit_session_destroy(&session);
}

static void check_resumed(godwit_model *model, const bench *b, session_bytes *saved, rows want) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_session_info info = GODWIT_INIT(godwit_session_info);
    godwit_session *session = NULL;
    float logits[N_VOCAB];
    saved->at = 0;
    OK(godwit_session_load(model, &params, session_bytes_read, saved, &session, &info, &err));
    cr_expect_eq(info.n_loras, 2);
    for (int i = N_SAVED; i < N_IDS; i++) {
        OK(godwit_session_feed(session, &b->ids[i], 1, &err));
        OK(godwit_session_logits(session, logits, N_VOCAB, &err));
        cr_assert(!memcmp(logits, want[i + 1 - N_PROMPT], sizeof logits),
                  "saved and resumed, the logits after %d tokens differ", i + 1);
    }
    godwit_session_destroy(&session);
}

// With both adapters of a set, on all devices, in one piece, in parts, and gone on with.
static void check_both(const bench *b, const char *golden) {
    static rows want, on_cpu, other;
    session_bytes saved = {0};
    const godwit_lora both[] = {{b->first, 0.0f}, {b->second, 0.5f}};
    read_floats(golden, want);
    for (int i = 0; i < N_DEVICES; i++) {
        godwit_model *model = NULL;
        OK(try_open(b, b->devices[i], b->base, both, 2, &model));
        tell(model, b->ids, 0, i ? NULL : &saved, i ? other : on_cpu);
        if (i == 0) {
            const double off = golden_error(on_cpu[0], want[0], N_ROWS, N_VOCAB);
            cr_expect(off < 1e-3, "%.3g of the largest logit off", off);
        } else {
            cr_expect(!memcmp(other, on_cpu, sizeof other), "device %d: other bits", i);
        }
        tell(model, b->ids, 7, NULL, other);
        cr_expect(!memcmp(other, on_cpu, sizeof other), "device %d, in parts: other bits", i);
        check_resumed(model, b, &saved, on_cpu);
        godwit_model_close(&model);
    }
    free(saved.data);
}

Test(lora, is_what_transformers_computes_on_every_device) {
    static rows want, other;
    bench b;
    bench_open(&b);
    check_both(&b, "both.f32");
    // One alone, from its own file.
    const godwit_lora first = {b.first, 0.0f};
    godwit_model *model = NULL;
    OK(try_open(&b, b.cpu, b.base, &first, 1, &model));
    read_floats("first.f32", want);
    tell(model, b.ids, 0, NULL, other);
    const double off = golden_error(other[0], want[0], N_ROWS, N_VOCAB);
    cr_expect(off < 1e-3, "the first alone: %.3g of the largest logit off", off);
    godwit_model_close(&model);
    bench_close(&b);
}

// Adapters of experts, of the table of tokens, and of an output that is the same table.
Test(lora, of_experts_and_of_tokens) {
    bench b;
    bench_open_set(&b, "experts.");
    check_both(&b, "experts.f32");
    bench_close(&b);
}

Test(lora, has_the_same_bits_beside_quantized_weights) {
    static rows told[N_DEVICES], plain;
    static const uint32_t types[] = {GODWIT_Q8_0, GODWIT_F16};
    bench b;
    char path[80];
    bench_open(&b);
    const godwit_lora both[] = {{b.first, 0.0f}, {b.second, 0.5f}};
    snprintf(path, sizeof path, "%s.packed", b.path);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        godwit_file *packed = NULL;
        godwit_model *model = NULL;
        stories_requantize(b.path, path, types[t]);
        OK(godwit_file_open(b.pair.context, path, &packed, &err));
        for (int i = 0; i < N_DEVICES; i++) {
            OK(try_open(&b, b.devices[i], packed, both, 2, &model));
            tell(model, b.ids, 0, NULL, told[i]);
            godwit_model_close(&model);
            cr_expect(!memcmp(told[i], told[0], sizeof(rows)), "type %u, device %d: other bits",
                      types[t], i);
        }
        OK(try_open(&b, b.cpu, packed, NULL, 0, &model));
        tell(model, b.ids, 0, NULL, plain);
        godwit_model_close(&model);
        cr_expect(golden_error(told[0][0], plain[0], N_ROWS, N_VOCAB) > 0.02,
                  "the adapters change nothing");
        godwit_file_close(&packed);
    }
    unlink(path);
    bench_close(&b);
}

// --- what is refused -----------------------------------------------------------------------------

static void refuses_to_go_on(godwit_model *model, session_bytes *saved, const char *says) {
    godwit_session *session = NULL;
    saved->at = 0;
    const godwit_status status =
        godwit_session_load(model, NULL, session_bytes_read, saved, &session, NULL, &err);
    cr_expect_eq(status, GODWIT_UNSUPPORTED);
    cr_expect_not_null(strstr(err.message, says), "not '%s': %s", says, err.message);
    godwit_session_destroy(&session);
}

Test(lora, a_session_goes_on_with_the_same_adapters_alone) {
    bench b;
    session_bytes saved = {0}, bare = {0};
    godwit_model *model = NULL;
    bench_open(&b);
    const godwit_lora loras[] = {{b.first, 0.0f}, {b.second, 0.5f}, {b.first, 0.25f}};
    OK(try_open(&b, b.cpu, b.base, loras, 1, &model));
    godwit_session *session = new_session(model, 0);
    OK(godwit_session_feed(session, b.ids, N_PROMPT, &err));
    OK(godwit_session_save(session, NULL, false, session_bytes_write, &saved, &err));
    godwit_session_destroy(&session);
    godwit_model_close(&model);

    OK(try_open(&b, b.cpu, b.base, NULL, 0, &model));
    refuses_to_go_on(model, &saved, "made with 1 LoRA adapters, the model here has 0");
    session = new_session(model, 0);
    OK(godwit_session_feed(session, b.ids, 3, &err));
    OK(godwit_session_save(session, NULL, true, session_bytes_write, &bare, &err));
    godwit_session_destroy(&session);
    godwit_model_close(&model);

    OK(try_open(&b, b.cpu, b.base, loras, 2, &model));
    refuses_to_go_on(model, &saved, "made with 1 LoRA adapters, the model here has 2");
    refuses_to_go_on(model, &bare, "made with 0 LoRA adapters, the model here has 2");
    godwit_model_close(&model);
    OK(try_open(&b, b.cpu, b.base, loras + 1, 1, &model));
    refuses_to_go_on(model, &saved, "second.gguf, has ");
    godwit_model_close(&model);
    OK(try_open(&b, b.cpu, b.base, loras + 2, 1, &model));
    refuses_to_go_on(model, &saved, "scale 1; the one here");
    godwit_model_close(&model);
    free(saved.data);
    free(bare.data);
    bench_close(&b);
}

// A small adapter, written here.
typedef struct tensor_row {
    const char *name;
    uint64_t dims[3];
    float value;
} tensor_row;

typedef struct wrong_row {
    const char *arch, *type, *kind;
    tensor_row tensors[3];
    godwit_status status;
    const char *says;
} wrong_row;

#define A(stem, r, c)                                                                              \
    { stem ".lora_a", {r, c, 0}, 1.0f }
#define B(stem, r, c)                                                                              \
    { stem ".lora_b", {r, c, 0}, 1.0f }
#define Q "blk.0.attn_q.weight"
static const wrong_row wrong[] = {
    {"qwen2",
     "adapter",
     "lora",
     {A(Q, 4, 96), B(Q, 96, 4)},
     GODWIT_UNSUPPORTED,
     "general.architecture is 'qwen2', the model's is 'llama'"},
    {"llama",
     "model",
     "lora",
     {A(Q, 4, 96), B(Q, 96, 4)},
     GODWIT_UNSUPPORTED,
     "general.type is not 'adapter'"},
    {"llama",
     "adapter",
     "ia3",
     {A(Q, 4, 96), B(Q, 96, 4)},
     GODWIT_UNSUPPORTED,
     "adapter.type is 'ia3'"},
    {"llama", "adapter", "lora", {A(Q, 4, 96)}, GODWIT_MALFORMED, Q ".lora_b: missing"},
    {"llama", "adapter", "lora", {B(Q, 96, 4)}, GODWIT_MALFORMED, "1 tensors are not pairs"},
    {"llama",
     "adapter",
     "lora",
     {A(Q, 4, 96), B(Q, 96, 4), {"blk.0.attn_norm.weight", {96}, 1}},
     GODWIT_UNSUPPORTED,
     "tensor blk.0.attn_norm.weight: neither NAME.lora_a"},
    {"llama",
     "adapter",
     "lora",
     {A("blk.9.attn_q.weight", 4, 96), B("blk.9.attn_q.weight", 96, 4)},
     GODWIT_UNSUPPORTED,
     "the model has no tensor blk.9.attn_q.weight"},
    {"llama",
     "adapter",
     "lora",
     {A(Q, 4, 40), B(Q, 96, 4)},
     GODWIT_MALFORMED,
     "[4, 40] and [96, 4] are not [rank, columns] and [rows, rank] of a weight [96, 96]"},
    {"llama",
     "adapter",
     "lora",
     {A(Q, 4, 96), B(Q, 96, 5)},
     GODWIT_MALFORMED,
     "are not [rank, columns]"},
    {"llama",
     "adapter",
     "lora",
     {A("token_embd.weight", 4, 96), B("token_embd.weight", 131, 4)},
     GODWIT_MALFORMED,
     "[4, 96] and [131, 4] are not [rows, rank] and [columns, rank] of a weight [131, 96]"},
    {"llama",
     "adapter",
     "lora",
     {{Q ".lora_a", {4, 96}, INFINITY}, B(Q, 96, 4)},
     GODWIT_MALFORMED,
     "tensor " Q ".lora_a: row 0, column 0: not a finite number"},
};

static void write_wrong(const wrong_row *w, const char *path) {
    static float values[3][131 * 96];
    gw_host host;
    gw_gguf_writer *out = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    OK(gw_gguf_writer_create(&host, &out, &err));
    OK(gw_gguf_writer_set_str(out, "general.architecture", gw_str_of(w->arch), &err));
    OK(gw_gguf_writer_set_str(out, "general.type", gw_str_of(w->type), &err));
    OK(gw_gguf_writer_set_str(out, "adapter.type", gw_str_of(w->kind), &err));
    for (int i = 0; i < 3 && w->tensors[i].name; i++) {
        const tensor_row *t = &w->tensors[i];
        for (size_t k = 0; k < sizeof values[i] / sizeof *values[i]; k++) values[i][k] = t->value;
        OK(gw_gguf_writer_add_bytes(out, t->name, GODWIT_F32, t->dims[1] ? 2 : 1, t->dims,
                                    values[i], &err));
    }
    OK(gw_gguf_writer_save(out, path, &err));
    gw_gguf_writer_destroy(&out);
}

Test(lora, what_is_no_adapter_of_the_model_is_refused_by_name) {
    bench b;
    char path[80];
    bench_open(&b);
    snprintf(path, sizeof path, "%s.wrong", b.path);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        godwit_file *file = NULL;
        godwit_model *model = NULL;
        write_wrong(&wrong[i], path);
        OK(godwit_file_open(b.pair.context, path, &file, &err));
        const godwit_lora lora = {file, 1.0f};
        cr_expect_eq(try_open(&b, b.cpu, b.base, &lora, 1, &model), wrong[i].status, "%zu: %s", i,
                     err.message);
        cr_expect_not_null(strstr(err.message, wrong[i].says), "not '%s': %s", wrong[i].says,
                           err.message);
        cr_expect_not_null(strstr(err.message, path), "no file's name: %s", err.message);
        godwit_model_close(&model);
        godwit_file_close(&file);
    }
    unlink(path);
    bench_close(&b);
}
