// Mutated files of every family: some hundred copies of the golden models, each with something of its header
// absurd, of another type or shape, missing, or just other bytes. Each is refused by one sentence, before
// anything is uploaded, that names a key or a tensor where one was changed; or opened, and then it runs.
// Nothing crashes, nothing hangs. The same mutants each time; GODWIT_MUTANTS=verbose tells of each.
#include "families/golden.h"
#include "file/gguf_write.h"
#include "godwit/godwit.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const encoder_names[] = {
    "bert",         "xlm-roberta-rank", "modern-bert",     "nomic-bert", "jina-bert-v2",
    "jina-bert-v3", "t5encoder",        "gemma-embedding", "eurobert",   "qwen3-embed"};
enum { N_ENCODERS = sizeof encoder_names / sizeof *encoder_names };
enum {
    N_SHARDS = 4,
    N_MUTANTS = 88,
    N_TOKENS = 5,
    N_CTX = 64,
    MOST_SECONDS = 20,
    N_TEST_SECONDS = 400
};
enum { MOST_BYTES = 1 << 22 }; // of a tensor that grows
static const int shards[N_SHARDS] = {0, 1, 2, 3};

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef enum kind {
    NUMBER, // a number of the metadata is absurd
    TYPE,   // it is of another type
    ITEM,   // an item of an array is absurd, or one array shorter
    NO_KEY, // a key is missing
    DROP,   // a tensor is missing
    RENAME, // a tensor has another's place
    SHAPE,  // other dims
    FORMAT, // another number format
    BYTES,  // some bytes of the header are others
    LENGTH, // eight bytes of it are a huge number
    CUT,    // the file ends early
    N_KINDS,
} kind;
static const char *const kind_names[N_KINDS] = {"number", "type",   "item",  "no key",
                                                "drop",   "rename", "shape", "format",
                                                "bytes",  "length", "cut"};

typedef struct mutant {
    const char *family;
    kind kind;
    uint64_t rng;
    char what[160];  // the key or tensor that is other
    char prefix[64]; // of the architecture's keys: "qwen2."
    uint8_t *zeros;
} mutant;

typedef struct tally {
    int n, n_refused, n_opened, n_ran;
} tally;

static uint64_t draw(uint64_t *rng, uint64_t n) {
    *rng ^= *rng << 13;
    *rng ^= *rng >> 7;
    *rng ^= *rng << 17;
    return *rng % n;
}

// --- making them ---------------------------------------------------------------------------------

static uint64_t absurd(mutant *m) {
    static const uint64_t numbers[] = {0,          1,          2,        3,
                                       7,          255,        65537,    1 << 20,
                                       0x7fffffff, 0xffffffff, 1u << 31, UINT64_C(1) << 40,
                                       UINT64_MAX};
    return numbers[draw(&m->rng, sizeof numbers / sizeof *numbers)];
}

static double absurd_float(mutant *m) {
    static const double numbers[] = {0.0, -1.0, 1e-30, 1e30, -1e30, 3.4e38, 0.5};
    const uint64_t i = draw(&m->rng, 2 + sizeof numbers / sizeof *numbers);
    return i == 0 ? (double)NAN : i == 1 ? (double)INFINITY : numbers[i - 2];
}

static godwit_status set_number(gw_gguf_writer *writer, mutant *m, const char *key,
                                gw_gguf_type type) {
    const uint64_t n = absurd(m);
    const double d = absurd_float(m);
    const float f = (float)d;
    const bool b = n & 1;
    const void *number = type == GW_GGUF_F32    ? (const void *)&f
                         : type == GW_GGUF_F64  ? (const void *)&d
                         : type == GW_GGUF_BOOL ? (const void *)&b
                                                : (const void *)&n; // little-endian
    return gw_gguf_writer_set_number(writer, key, type, number, &err);
}

static godwit_status set_array(gw_gguf_writer *writer, mutant *m, const char *key,
                               const gw_gguf_value *value) {
    static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    uint64_t n = value->n_items < 4096 ? value->n_items : 4096;
    const size_t size = sizes[value->item_type];
    uint8_t numbers[8 * 4096];
    if (!size || !n) return gw_gguf_writer_set_u32(writer, key, (uint32_t)absurd(m), &err);
    memcpy(numbers, value->data, n * size);
    if (draw(&m->rng, 2)) {
        const uint64_t other = absurd(m),
                       real = value->item_type == GW_GGUF_BOOL ? other & 1 : other;
        memcpy(numbers + draw(&m->rng, n) * size, &real, size);
    } else {
        n = draw(&m->rng, n);
    }
    return gw_gguf_writer_set_array(writer, key, value->item_type, numbers, n, &err);
}

// A value as it is, or changed.
static godwit_status add_value(gw_gguf_writer *writer, mutant *m, const gw_gguf_value *value,
                               bool chosen) {
    static const gw_gguf_type others[] = {GW_GGUF_U8,  GW_GGUF_I32, GW_GGUF_F32,
                                          GW_GGUF_U64, GW_GGUF_F64, GW_GGUF_BOOL};
    char key[160];
    snprintf(key, sizeof key, "%.*s", GW_STR_ARG(value->key));
    if (chosen) snprintf(m->what, sizeof m->what, "%s", key);
    if (!chosen) return gw_gguf_writer_copy(writer, value, &err);
    if (m->kind == NO_KEY) return GODWIT_OK;
    if (value->type == GW_GGUF_ARRAY) return set_array(writer, m, key, value);
    if (m->kind == NUMBER && value->type != GW_GGUF_STRING)
        return set_number(writer, m, key, value->type);
    if (draw(&m->rng, 3) == 0)
        return gw_gguf_writer_set_str(writer, key, gw_str_of(draw(&m->rng, 2) ? "" : "what?"),
                                      &err);
    if (draw(&m->rng, 3) == 0) {
        const uint32_t numbers[3] = {(uint32_t)absurd(m), 2, (uint32_t)absurd(m)};
        return gw_gguf_writer_set_array(writer, key, GW_GGUF_U32, numbers, draw(&m->rng, 4), &err);
    }
    return set_number(writer, m, key, others[draw(&m->rng, sizeof others / sizeof *others)]);
}

static void reshape(mutant *m, gw_gguf_tensor *t) {
    static const uint64_t sizes[] = {1, 2, 3, 31, 33, 96, 256, 1000};
    const uint64_t i = draw(&m->rng, t->n_dims), last = t->dims[t->n_dims - 1];
    switch (draw(&m->rng, 4)) {
    case 0: // the other way round
        t->dims[t->n_dims - 1] = t->dims[0];
        t->dims[0] = last;
        break;
    case 1:
        if (t->n_dims < GODWIT_MAX_DIMS) t->dims[t->n_dims++] = 1;
        break;
    case 2:
        if (t->n_dims > 1) t->n_dims--;
        break;
    default:
        t->dims[i] = sizes[draw(&m->rng, sizeof sizes / sizeof *sizes)];
    }
}

static godwit_status add_tensor(gw_gguf_writer *writer, mutant *m, const gw_gguf *from,
                                const gw_gguf_tensor *tensor, bool chosen) {
    static const uint32_t formats[] = {GODWIT_F16, GODWIT_BF16, GODWIT_Q8_0,       GODWIT_Q4_K,
                                       GODWIT_I32, GODWIT_I8,   GW_GGUF_TENSOR_F64};
    gw_gguf_tensor t = *tensor;
    const void *data = tensor->source.bytes;
    const char *name = tensor->name;
    if (chosen) snprintf(m->what, sizeof m->what, "%s", name);
    if (chosen && m->kind == DROP) return GODWIT_OK;
    if (chosen && m->kind == RENAME)
        name = draw(&m->rng, 2)
                   ? "blk.0.other.weight"
                   : gw_gguf_tensor_at(from, draw(&m->rng, gw_gguf_n_tensors(from)))->name;
    if (chosen && m->kind == SHAPE) reshape(m, &t);
    if (chosen && m->kind == FORMAT)
        t.type = formats[draw(&m->rng, sizeof formats / sizeof *formats)];
    uint64_t n = t.n_dims ? 8 : 0; // bytes of an element, at most
    for (uint32_t i = 0; i < t.n_dims && n <= MOST_BYTES; i++) n *= t.dims[i];
    if (n > MOST_BYTES) return GODWIT_UNSUPPORTED;
    // What is not as it was is zeros.
    if (chosen && (m->kind == SHAPE || m->kind == FORMAT)) data = m->zeros;
    return gw_gguf_writer_add_bytes(writer, name, t.type, t.n_dims, t.dims, data, &err);
}

// false: a file that cannot even be written.
static bool write_mutant(mutant *m, const gw_host *host, const gw_gguf *from, const char *path) {
    gw_gguf_writer *writer = NULL;
    const uint64_t n_values = gw_gguf_n_values(from), n_tensors = gw_gguf_n_tensors(from);
    const bool of_values = m->kind <= NO_KEY, of_tensors = m->kind >= DROP && m->kind <= FORMAT;
    uint64_t value = draw(&m->rng, n_values), tensor = draw(&m->rng, n_tensors);
    // Those of the family say most.
    for (int i = 0; i < 4 && of_values; i++) {
        const gw_gguf_value *v = gw_gguf_value_at(from, value);
        const bool array = v->type == GW_GGUF_ARRAY;
        const bool common =
            !strncmp(v->key.text, "general.", 8) || !strncmp(v->key.text, "tokenizer.", 10);
        if (!common && array == (m->kind == ITEM)) break;
        value = draw(&m->rng, n_values);
    }
    OK(gw_gguf_writer_create(host, &writer, &err));
    godwit_status status = GODWIT_OK;
    for (uint64_t i = 0; i < n_values && status == GODWIT_OK; i++)
        status = add_value(writer, m, gw_gguf_value_at(from, i), of_values && i == value);
    for (uint64_t i = 0; i < n_tensors && status == GODWIT_OK; i++)
        status = add_tensor(writer, m, from, gw_gguf_tensor_at(from, i), of_tensors && i == tensor);
    if (status == GODWIT_OK) status = gw_gguf_writer_save(writer, path, &err);
    gw_gguf_writer_destroy(&writer);
    return status == GODWIT_OK;
}

// The golden's own bytes, of which some are others.
static void write_bytes(mutant *m, const uint8_t *bytes, size_t n, const gw_gguf *from,
                        const char *path) {
    static const uint64_t lengths[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 32, 1 << 24,
                                       0};
    uint8_t *copy = malloc(n);
    const size_t n_header = (size_t)(gw_gguf_tensor_at(from, 0)->source.bytes - bytes);
    cr_assert(copy && n_header < n);
    memcpy(copy, bytes, n);
    for (int i = 0; i < 3 && m->kind == BYTES; i++)
        copy[draw(&m->rng, n_header)] = (uint8_t)draw(&m->rng, 256);
    if (m->kind == LENGTH)
        memcpy(copy + draw(&m->rng, n_header - 8), &lengths[draw(&m->rng, 5)], 8);
    if (m->kind == CUT) n = (size_t)draw(&m->rng, draw(&m->rng, 2) ? n_header : n);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(copy, 1, n, file) == n);
    fclose(file);
    free(copy);
}

// --- what is said of them ------------------------------------------------------------------------

static void check_sentence(const mutant *m) {
    const char *text = err.message;
    cr_expect(text[0] && !strchr(text, '\n') && strlen(text) < sizeof err.message - 1,
              "%s, %s of %s: no sentence: %s", m->family, kind_names[m->kind], m->what, text);
    // Or another key or tensor, with which it does not agree.
    static const char *const names[] = {"key ",     "tensor ", "tokenizer.",
                                        "general.", "rope.",   "xielu."};
    bool named = m->kind > FORMAT || strstr(text, m->prefix);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        named |= strstr(text, names[i]) != NULL;
    cr_expect(named, "%s, %s of %s: names neither key nor tensor: %s", m->family,
              kind_names[m->kind], m->what, text);
}

static godwit_status run_decoder(godwit_model *model, const godwit_session_params *params,
                                 size_t n_vocab) {
    static const int32_t ids[N_TOKENS] = {1, 5, 6, 7, 8};
    godwit_session *session = NULL;
    godwit_status status = godwit_session_create(model, params, &session, &err);
    float *logits = calloc(n_vocab, sizeof *logits);
    cr_assert_not_null(logits);
    if (status == GODWIT_OK) status = godwit_session_feed(session, ids, N_TOKENS, &err);
    if (status == GODWIT_OK) status = godwit_session_logits(session, logits, n_vocab, &err);
    godwit_session_destroy(&session);
    free(logits);
    return status;
}

static godwit_status run_encoder(godwit_model *model, const godwit_session_params *params,
                                 size_t n_out) {
    static const int32_t ids[N_TOKENS] = {1, 5, 6, 7, 8};
    static const size_t n_ids = N_TOKENS;
    godwit_batch *batch = NULL;
    godwit_embed_params how = GODWIT_INIT(godwit_embed_params);
    float *out = calloc(n_out, sizeof *out);
    cr_assert_not_null(out);
    how.pooling = GODWIT_POOLING_MEAN; // a file may say that there is none
    godwit_status status = godwit_batch_create(model, params, &batch, &err);
    if (status == GODWIT_OK)
        status = godwit_batch_embed(batch, &how, ids, &n_ids, 1, out, n_out, &err);
    godwit_batch_destroy(&batch);
    free(out);
    return status;
}

static godwit_status run(godwit_model *model) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    OK(godwit_model_get_info(model, &info, &err));
    params.n_ctx = N_CTX;
    if (info.both_ways) return run_encoder(model, &params, info.n_out);
    return run_decoder(model, &params, info.n_vocab);
}

static void try(const mutant *m, godwit_context *context, godwit_device *device, const char *path,
                tally *t) {
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    err = (godwit_error){0};
    t->n++;
    godwit_status status = godwit_file_open(context, path, &file, &err);
    if (status == GODWIT_OK) status = godwit_file_check(file, &err);
    if (status != GODWIT_OK) {
        check_sentence(m);
        t->n_refused++;
        goto done;
    }
    // What is said is said before; other numbers than finite ones show in the weights themselves.
    status = godwit_model_open(device, file, NULL, &model, &err);
    cr_expect(status == GODWIT_OK || strstr(err.message, "finite"),
              "%s, %s of %s: after a check: %s", m->family, kind_names[m->kind], m->what,
              err.message);
    if (status != GODWIT_OK) goto done;
    t->n_opened++;
    status = run(model);
    if (status == GODWIT_OK)
        t->n_ran++;
    else
        check_sentence(m);
done:
    if (getenv("GODWIT_MUTANTS"))
        fprintf(stderr, "%s: %s of %s: %s\n", m->family, kind_names[m->kind], m->what,
                status == GODWIT_OK ? "runs" : err.message);
    godwit_model_close(&model);
    godwit_file_close(&file);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void mutate_family(const char *name, uint64_t seed, godwit_context *context,
                          godwit_device *device, tally *t) {
    gw_host host;
    gw_gguf *gguf = NULL;
    size_t n_bytes = 0;
    char path[] = "/tmp/godwit-mutant-XXXXXX";
    uint8_t *bytes = golden_unpack(name, &n_bytes), *zeros = calloc(1, MOST_BYTES);
    const int to = mkstemp(path);
    cr_assert(to >= 0 && zeros);
    close(to);
    gw_host_init(&host, NULL, NULL, NULL);
    OK(gw_gguf_parse(&host, bytes, n_bytes, name, &gguf, &err));
    gw_str arch;
    OK(gw_gguf_get_str(gguf, "general.architecture", &arch, &err));
    for (int i = 0; i < N_MUTANTS; i++) {
        mutant m = {.family = name,
                    .kind = (kind)((seed + (uint64_t)i) % N_KINDS),
                    .rng = (seed * N_MUTANTS + (uint64_t)i + 1) * UINT64_C(0x9e3779b97f4a7c15),
                    .zeros = zeros};
        snprintf(m.prefix, sizeof m.prefix, "%.*s.", GW_STR_ARG(arch));
        const double began = now();
        if (m.kind >= BYTES)
            write_bytes(&m, bytes, n_bytes, gguf, path);
        else if (!write_mutant(&m, &host, gguf, path))
            continue;
        try(&m, context, device, path, t);
        cr_expect(now() - began < MOST_SECONDS, "%s, %s of %s: took %.0f s", name,
                  kind_names[m.kind], m.what, now() - began);
    }
    gw_gguf_destroy(&gguf);
    free(bytes);
    free(zeros);
    unlink(path);
}

ParameterizedTestParameters(mutate, files_of_every_family) {
    return cr_make_param_array(int, (int *)shards, N_SHARDS, NULL);
}

ParameterizedTest(int *shard, mutate, files_of_every_family, .timeout = N_TEST_SECONDS) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    tally t = {0};
    OK(godwit_context_create(NULL, &context, &err));
    OK(godwit_device_open(context, "reference", NULL, &device, &err));
    for (int f = *shard; f < N_GOLDENS + N_ENCODERS; f += N_SHARDS) {
        const char *name = f < N_GOLDENS ? golden_names[f] : encoder_names[f - N_GOLDENS];
        if (golden_is_wanted(name)) mutate_family(name, (uint64_t)f + 1, context, device, &t);
    }
    printf("%d mutants: %d refused before they were opened, %d opened, %d ran\n", t.n, t.n_refused,
           t.n_opened, t.n_ran);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}
