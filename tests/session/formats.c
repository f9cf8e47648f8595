// A small llama of random weights in every number format: prompt and greedy tokens give the same
// logits, bit for bit, on this driver and on the plain-C reference. Formats that have a quantizer
// get ordinary weights, the others blocks of random bits. Rows are whole blocks of 256, so that
// every matrix is in the format that is named.
#include "api/handles.h"
#include "base/exact.h"
#include "file/gguf_write.h"
#include "quant/wide.h"
#include "run/cases.h"
#include "support/session_bytes.h"
#include "support/stories.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EMBD = 256, FF = 512, LAYERS = 2, VOCAB = 512, HEAD_DIM = 64, N_HEAD = 4, N_KV = 2 };
enum { PROMPT = 5, STEPS = 6 };

static godwit_error err;
#define MUST(expr) cr_assert((expr) == GODWIT_OK, "%s", err.message)

static const uint32_t key[2] = {3, 7};
static uint32_t n_drawn;
static float draw(void) {
    float sum = 0.0f; // of 4 uniforms: bell enough
    for (int i = 0; i < 4; i++) sum += (float)(int32_t)gw_philox(3, 5, n_drawn++) * 0x1p-31f;
    return sum * 0.08f;
}

static godwit_status write_matrix(void *user, const gw_gguf_tensor *tensor, gw_gguf_sink *sink,
                                  godwit_error *e) {
    const gw_format *format = user;
    float row[FF];
    uint8_t block[2048];
    for (uint64_t i = 0; i < tensor->n_elements / format->block; i++) {
        for (uint32_t k = 0; k < format->block; k++) row[k] = draw();
        if (format->quantize)
            format->quantize(row, NULL, format->block, block);
        else
            gw_case_random_block(format, key, &n_drawn, 0.5f, block);
        godwit_status status = gw_gguf_sink_write(sink, block, format->block_bytes, e);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}

static void write_llama(const char *path, const gw_format *format) {
    gw_host host;
    gw_gguf_writer *w = NULL;
    static float ones[EMBD], scores[VOCAB];
    static gw_str pieces[VOCAB];
    static char texts[VOCAB][8];
    char name[64];
    const uint64_t norm[1] = {EMBD}, table[2] = {VOCAB, EMBD}, q[2] = {EMBD, EMBD};
    const uint64_t kv[2] = {N_KV * HEAD_DIM, EMBD}, up[2] = {FF, EMBD}, down[2] = {EMBD, FF};
    const struct {
        const char *stem;
        const uint64_t *dims;
    } matrices[] = {{"attn_q", q},    {"attn_k", kv}, {"attn_v", kv},    {"attn_output", q},
                    {"ffn_gate", up}, {"ffn_up", up}, {"ffn_down", down}};
    const float eps = 1e-5f;
    gw_host_init(&host, NULL, NULL, NULL);
    for (int i = 0; i < EMBD; i++) ones[i] = 1.0f;
    for (int i = 0; i < VOCAB; i++) {
        snprintf(texts[i], sizeof texts[i], "t%d", i);
        pieces[i] = (gw_str){texts[i], strlen(texts[i])};
    }
    MUST(gw_gguf_writer_create(&host, &w, &err));
    MUST(gw_gguf_writer_set_str(w, "general.architecture", (gw_str){"llama", 5}, &err));
    MUST(gw_gguf_writer_set_u32(w, "llama.context_length", 64, &err));
    MUST(gw_gguf_writer_set_u32(w, "llama.embedding_length", EMBD, &err));
    MUST(gw_gguf_writer_set_u32(w, "llama.block_count", LAYERS, &err));
    MUST(gw_gguf_writer_set_u32(w, "llama.feed_forward_length", FF, &err));
    MUST(gw_gguf_writer_set_u32(w, "llama.attention.head_count", N_HEAD, &err));
    MUST(gw_gguf_writer_set_u32(w, "llama.attention.head_count_kv", N_KV, &err));
    MUST(gw_gguf_writer_set_number(w, "llama.attention.layer_norm_rms_epsilon", GW_GGUF_F32, &eps,
                                   &err));
    MUST(gw_gguf_writer_set_str(w, "tokenizer.ggml.model", (gw_str){"llama", 5}, &err));
    MUST(gw_gguf_writer_set_strs(w, "tokenizer.ggml.tokens", pieces, VOCAB, &err));
    MUST(gw_gguf_writer_set_array(w, "tokenizer.ggml.scores", GW_GGUF_F32, scores, VOCAB, &err));
    MUST(gw_gguf_writer_add_tensor(w, "token_embd.weight", format->type, 2, table, write_matrix,
                                   (void *)(uintptr_t)format, &err));
    MUST(gw_gguf_writer_add_bytes(w, "output_norm.weight", GODWIT_F32, 1, norm, ones, &err));
    for (int layer = 0; layer < LAYERS; layer++) {
        for (int i = 0; i < 2; i++) {
            snprintf(name, sizeof name, "blk.%d.%s_norm.weight", layer, i ? "ffn" : "attn");
            MUST(gw_gguf_writer_add_bytes(w, name, GODWIT_F32, 1, norm, ones, &err));
        }
        for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
            snprintf(name, sizeof name, "blk.%d.%s.weight", layer, matrices[i].stem);
            MUST(gw_gguf_writer_add_tensor(w, name, format->type, 2, matrices[i].dims, write_matrix,
                                           (void *)(uintptr_t)format, &err));
        }
    }
    MUST(gw_gguf_writer_save(w, path, &err));
    gw_gguf_writer_destroy(&w);
}

// logits: [1 + STEPS, VOCAB]
static void tell(godwit_device *device, const char *path, int32_t *ids, float *logits) {
    static const int32_t prompt[PROMPT] = {1, 77, 500, 3, 256};
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    MUST(godwit_file_open(device->context, path, &file, &err));
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_create(model, NULL, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    for (int i = 0; i < STEPS; i++) {
        MUST(godwit_session_logits(session, logits + (size_t)i * VOCAB, VOCAB, &err));
        MUST(godwit_session_step(session, NULL, &ids[i], &err));
    }
    godwit_session_destroy(&session);
    godwit_model_close(&model);
    godwit_file_close(&file);
}

Test(session, every_format_has_the_same_bits, .timeout = 600) {
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    godwit_context *context = NULL;
    godwit_device *gpu = NULL, *cpu = NULL;
    static float want[STEPS * VOCAB], got[STEPS * VOCAB];
    int32_t want_ids[STEPS], got_ids[STEPS];
    char path[64];
    params.validation = getenv("GODWIT_TEST_VALIDATION") != NULL;
    MUST(godwit_context_create(&params, &context, &err));
    if (godwit_context_n_devices(context) < 2) cr_skip_test("no Vulkan device");
    MUST(godwit_device_open(context, "0", NULL, &gpu, &err));
    MUST(godwit_device_open(context, "reference", NULL, &cpu, &err));
    snprintf(path, sizeof path, "/tmp/godwit-test-%d-format.gguf", (int)getpid());
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        const char *name = gw_format_at(id)->name;
        write_llama(path, gw_format_at(id));
        tell(cpu, path, want_ids, want);
        tell(gpu, path, got_ids, got);
        for (int i = 0; i < STEPS * VOCAB; i++) {
            cr_assert(gw_bits(want[i]) == gw_bits(got[i]), "%s: step %d, logit %d: %a, %a wanted",
                      name, i / VOCAB, i % VOCAB, (double)got[i], (double)want[i]);
        }
        cr_assert(!memcmp(want_ids, got_ids, sizeof want_ids), "%s: other tokens", name);
        bool flat = true; // a model that says nothing shows nothing
        for (int i = 1; i < VOCAB; i++) flat &= want[i] == want[0];
        cr_assert(!flat && want[0] - want[0] == 0.0f, "%s: its logits are flat or not finite",
                  name);
    }
    remove(path);
    cr_expect(godwit_context_validation_count(context) == 0, "validation complained");
    godwit_context_destroy(&context);
    godwit_device_close(&gpu);
    godwit_device_close(&cpu);
}

// --- weights of grids on the cores

typedef struct told {
    godwit_model_info info;
    int32_t ids[STEPS];
    float logits[STEPS * VOCAB];
    session_bytes saved;
} told;

// Just enough memory, and a little less than that.
static void check_bound(gw_model *model) {
    const gw_model_def *def = model->def;
    gw_backend backend = *model->backend;
    uint64_t bytes = 0;
    for (size_t i = 0; i < def->weights.n; i++) {
        const gw_placed *placed =
            gw_placement_find(&model->weights.placement, def->weights.items[i]);
        for (uint32_t k = 0; k < placed->n_chunks; k++) bytes += placed->chunks[k].bytes;
    }
    backend.memory_free = (bytes + 2) / 3 * 4;
    cr_assert(gw_weights_go_wide(&backend, def->weights.items, def->weights.n));
    backend.memory_free -= 4;
    cr_assert(!gw_weights_go_wide(&backend, def->weights.items, def->weights.n));
}

// A prompt and STEPS tokens, each guarded; then all weights are looked at.
static void tell_on_cores(godwit_device *device, const godwit_file *file, uint64_t memory_free,
                          told *out) {
    static const int32_t prompt[PROMPT] = {1, 77, 500, 3, 256};
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    godwit_scrub_report report = GODWIT_INIT(godwit_scrub_report);
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    device->backend.memory_free = memory_free;
    params.guard = 1;
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    out->info = GODWIT_INIT(godwit_model_info);
    MUST(godwit_model_get_info(model, &out->info, &err));
    if (out->info.wide_weights_bytes) check_bound(model->model);
    MUST(godwit_session_create(model, &params, &session, &err));
    MUST(godwit_session_feed(session, prompt, PROMPT, &err));
    MUST(godwit_session_save(session, NULL, false, session_bytes_write, &out->saved, &err));
    for (int i = 0; i < STEPS; i++) {
        MUST(godwit_session_logits(session, out->logits + (size_t)i * VOCAB, VOCAB, &err));
        MUST(godwit_session_step(session, NULL, &out->ids[i], &err));
    }
    MUST(godwit_model_scrub(model, 0, &report, &err));
    godwit_session_destroy(&session);
    godwit_model_close(&model);
}

// What was saved by the one is gone on with by the other.
static void goes_on(godwit_device *device, const godwit_file *file, uint64_t memory_free,
                    told *from) {
    godwit_model *model = NULL;
    godwit_session *session = NULL;
    int32_t id;
    device->backend.memory_free = memory_free;
    from->saved.at = 0;
    MUST(godwit_model_open(device, file, NULL, &model, &err));
    MUST(godwit_session_load(model, NULL, session_bytes_read, &from->saved, &session, NULL, &err));
    for (int i = 0; i < STEPS; i++) {
        MUST(godwit_session_step(session, NULL, &id, &err));
        cr_assert_eq(id, from->ids[i]);
    }
    godwit_session_destroy(&session);
    godwit_model_close(&model);
}

// Wide where there is memory, packed where there is not; the bits are those of the reference, which has them packed,
// with each instruction set.
Test(session, grids_lie_wide_where_memory_allows, .timeout = 600) {
    static const char *const masks[] = {NULL,   "avx512",       "avx512,avxvnni",
                                        "i8mm", "i8mm,dotprod", "floor"};
    godwit_context *context = NULL;
    char path[64];
    snprintf(path, sizeof path, "/tmp/godwit-test-%d-grids.gguf", (int)getpid());
    MUST(godwit_context_create(NULL, &context, &err));
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        static float want[STEPS * VOCAB];
        static told wide, packed;
        const gw_format *format = gw_format_at(id);
        godwit_device *reference = NULL;
        godwit_file *file = NULL;
        int32_t ids[STEPS];
        if (!gw_format_wide(format)) continue;
        write_llama(path, format);
        MUST(godwit_file_open(context, path, &file, &err));
        MUST(godwit_device_open(context, "reference", NULL, &reference, &err));
        tell(reference, path, ids, want);
        for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
            godwit_device_params params = GODWIT_INIT(godwit_device_params);
            godwit_device *cpu = NULL;
            params.mask = masks[i];
            if (godwit_device_open(context, "cpu", &params, &cpu, &err) != GODWIT_OK) {
                cr_assert_eq(err.status, GODWIT_INVALID_ARGUMENT, "%s",
                             err.message); // another processor's
                continue;
            }
            wide = packed = (told){0};
            tell_on_cores(cpu, file, 0, &wide);
            tell_on_cores(cpu, file, wide.info.weights_bytes, &packed);
            for (int k = 0; k < STEPS * VOCAB; k++)
                cr_assert(gw_bits(want[k]) == gw_bits(wide.logits[k]) &&
                              gw_bits(want[k]) == gw_bits(packed.logits[k]),
                          "%s, without %s: logit %d: %a wanted, %a wide, %a packed", format->name,
                          masks[i] ? masks[i] : "any", k, (double)want[k], (double)wide.logits[k],
                          (double)packed.logits[k]);
            cr_assert(!memcmp(ids, wide.ids, sizeof ids) && !memcmp(ids, packed.ids, sizeof ids));
            cr_assert(wide.info.wide_weights_bytes > wide.info.weights_bytes / 2, "%s",
                      format->name);
            cr_assert_eq(packed.info.wide_weights_bytes, 0, "%s", format->name);
            cr_assert_lt(packed.info.weights_bytes, wide.info.weights_bytes, "%s", format->name);
            cr_assert(wide.saved.n > 0 && wide.saved.n == packed.saved.n);
            cr_assert(!memcmp(wide.saved.data, packed.saved.data, wide.saved.n));
            goes_on(cpu, file, 1, &wide);
            goes_on(cpu, file, 0, &packed);
            free(wide.saved.data);
            free(packed.saved.data);
            godwit_device_close(&cpu);
        }
        godwit_device_close(&reference);
        godwit_file_close(&file);
    }
    remove(path);
    godwit_context_destroy(&context);
}
