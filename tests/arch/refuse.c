// What the llama family refuses, and that the message says why: copies of a golden model, each with
// one thing changed, opened through the public API.
#include "base/file.h"
#include "file/gguf_write.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

// One change. Each is applied to the file of `base`, "mha" when that is NULL.
typedef struct change {
    const char *base;
    const char *key; // set to a number of this type, or removed
    gw_gguf_type type;
    double number;
    const char *text;      // or to this text
    const uint32_t *items; // or to an array of these, ended by 0
    bool remove;           // the key or the tensor
    const char *tensor;    // what happens to this one:
    const char *rename;    //   another name
    uint64_t dims[2];      //   other dims (of its bytes, cut)
    uint32_t retype;       //   zeros of another type, of at most 8 bytes
    const float *item;     //   its item `at` is this
    uint64_t at;
    godwit_status status; // what comes of it
    const char *says[3];  // what the message holds
} change;

// --- a changed copy

typedef struct copy {
    gw_host host;
    uint8_t *bytes; // [n_bytes] what it is a copy of
    uint64_t n_bytes;
    gw_gguf *gguf;
    gw_gguf_writer *writer;
    char dir[64], path[96];
    float *items; // of the tensor that is changed
} copy;

static void set_key(copy *c, const change *e) {
    uint64_t n = 0;
    while (e->items && e->items[n]) n++;
    if (e->items) {
        OK(gw_gguf_writer_set_array(c->writer, e->key, GW_GGUF_U32, e->items, n, &err));
    } else if (e->text) {
        OK(gw_gguf_writer_set_str(c->writer, e->key, gw_str_of(e->text), &err));
    } else if (e->type == GW_GGUF_F32) {
        float f = (float)e->number;
        OK(gw_gguf_writer_set_number(c->writer, e->key, e->type, &f, &err));
    } else {
        OK(gw_gguf_writer_set_u32(c->writer, e->key, (uint32_t)e->number, &err));
    }
}

static void add_tensor(copy *c, const gw_gguf_tensor *t, const change *e) {
    bool chosen = e->tensor && !strcmp(t->name, e->tensor);
    const void *data = t->source.bytes;
    const uint64_t *dims = t->dims;
    uint32_t n_dims = t->n_dims;
    if (chosen && e->remove) return;
    if (chosen && e->dims[0]) {
        dims = e->dims;
        n_dims = e->dims[1] ? 2 : 1;
    }
    if (chosen && e->item) {
        c->items = malloc(t->bytes);
        cr_assert_not_null(c->items);
        memcpy(c->items, t->source.bytes, t->bytes);
        c->items[e->at] = *e->item;
        data = c->items;
    }
    if (chosen && e->retype) {
        data = c->items = calloc(t->n_elements, 8);
        cr_assert_not_null(data);
    }
    OK(gw_gguf_writer_add_bytes(c->writer, chosen && e->rename ? e->rename : t->name,
                                chosen && e->retype ? e->retype : t->type, n_dims, dims, data,
                                &err));
}

static void copy_make(copy *c, const change *e) {
    char from[1024];
    *c = (copy){.dir = "/tmp/godwit-arch-XXXXXX"};
    snprintf(from, sizeof from, "%s/tests/golden/arch/%s.gguf", GODWIT_TEST_ROOT,
             e->base ? e->base : "mha");
    gw_host_init(&c->host, NULL, NULL, NULL);
    OK(gw_file_load(&c->host, from, UINT64_MAX, &c->bytes, &c->n_bytes, &err));
    OK(gw_gguf_parse(&c->host, c->bytes, c->n_bytes, from, &c->gguf, &err));
    OK(gw_gguf_writer_create(&c->host, &c->writer, &err));
    for (uint64_t i = 0; i < gw_gguf_n_values(c->gguf); i++) {
        const gw_gguf_value *value = gw_gguf_value_at(c->gguf, i);
        if (e->remove && e->key && gw_str_eq(value->key, gw_str_of(e->key))) continue;
        OK(gw_gguf_writer_copy(c->writer, value, &err));
    }
    if (e->key && !e->remove) set_key(c, e);
    for (uint64_t i = 0; i < gw_gguf_n_tensors(c->gguf); i++) {
        add_tensor(c, gw_gguf_tensor_at(c->gguf, i), e);
    }
    cr_assert_not_null(mkdtemp(c->dir));
    snprintf(c->path, sizeof c->path, "%s/changed.gguf", c->dir);
    OK(gw_gguf_writer_save(c->writer, c->path, &err));
}

static void copy_drop(copy *c) {
    unlink(c->path);
    rmdir(c->dir);
    free(c->items);
    gw_gguf_writer_destroy(&c->writer);
    gw_gguf_destroy(&c->gguf);
    gw_free(&c->host, c->bytes, (size_t)c->n_bytes);
}

// --- opening it

// What is said without a device is what opening says, but for the weights' values.
static void check_file(const godwit_file *file, godwit_status opened) {
    godwit_error checked = {0};
    bool of_values = strstr(err.message, "NaN or infinity") && strstr(err.message, "tensor ");
    godwit_status status = godwit_file_check(file, &checked);
    cr_expect_eq(status, of_values ? GODWIT_OK : opened, "%s, not %s", checked.message,
                 err.message);
    if (!of_values) cr_expect_str_eq(checked.message, err.message);
}

static godwit_status open_model(const char *path) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_error quiet = {0};
    OK(godwit_context_create(NULL, &context, &quiet));
    OK(godwit_device_open(context, "cpu", NULL, &device, &quiet));
    OK(godwit_file_open(context, path, &file, &err));
    err = (godwit_error){0};
    godwit_status status = godwit_model_open(device, file, NULL, &model, &err);
    cr_expect_eq(model != NULL, status == GODWIT_OK);
    check_file(file, status);
    godwit_model_close(&model);
    godwit_file_close(&file);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    return status;
}

static void check(const change *e) {
    copy c;
    copy_make(&c, e);
    godwit_status status = open_model(c.path);
    const char *what = e->key ? e->key : e->tensor ? e->tensor : "as it was";
    cr_expect_eq(status, e->status, "%s: %s, not %s: %s", what, godwit_status_name(status),
                 godwit_status_name(e->status), err.message);
    cr_expect_eq(err.status, e->status);
    if (status != GODWIT_OK) {
        const char *named = strstr(err.message, c.path);
        cr_expect(named && !strstr(named + 1, c.path), "the file is to be named once: %s",
                  err.message);
    }
    for (int i = 0; i < 3 && e->says[i]; i++) {
        cr_expect(strstr(err.message, e->says[i]), "%s: '%s' is not in: %s", what, e->says[i],
                  err.message);
    }
    copy_drop(&c);
}

#define CHECK(...) check(&(change){__VA_ARGS__})
#define U32        .type = GW_GGUF_U32, .number
#define F32        .type = GW_GGUF_F32, .number

// --- the tests

Test(arch_refuse, nothing_when_nothing_changed) {
    CHECK(.status = GODWIT_OK);
}

// Counts that are given once for each of the two layers.
Test(arch_refuse, layers_that_differ) {
    static const char *const keys[] = {
        "llama.attention.head_count", "llama.attention.head_count_kv", "llama.feed_forward_length"};
    static const char *const says[][2] = {
        {"head_count_kv: 4 does not divide", "heads of layer 1"},
        {"tensor blk.1.attn_k.weight", "the metadata wants [16, 32]"},
        {"tensor blk.1.ffn_gate.weight", "the metadata wants [32, 32]"}};
    static const uint32_t all_alike[3][3] = {{4, 4, 0}, {4, 4, 0}, {64, 64, 0}};
    for (int i = 0; i < 3; i++) {
        const uint32_t *alike = all_alike[i];
        const uint32_t differ[3] = {alike[0], alike[0] / 2, 0}, high[3] = {alike[0], 1u << 30, 0};
        const uint32_t three[4] = {alike[0], alike[0], alike[0], 0}, none[1] = {0};
        CHECK(.key = keys[i], .items = alike, .status = GODWIT_OK);
        // Layers may differ; these layers' tensors do not.
        CHECK(.key = keys[i], .items = differ, .status = GODWIT_MALFORMED,
              .says = {says[i][0], says[i][1]});
        CHECK(.key = keys[i], .items = high, .status = GODWIT_MALFORMED,
              .says = {keys[i], "item 1 is 1073741824"});
        CHECK(.key = keys[i], .items = three, .status = GODWIT_MALFORMED,
              .says = {keys[i], "3 items for 2 layers"});
        CHECK(.key = keys[i], .items = none, .status = GODWIT_MALFORMED,
              .says = {keys[i], "0 items for 2 layers"});
    }
}

Test(arch_refuse, another_architecture) {
    CHECK(.key = "general.architecture", .text = "rwkv7", .status = GODWIT_UNSUPPORTED,
          .says = {"key general.architecture", "architecture 'rwkv7'"});
    CHECK(.key = "general.architecture", .remove = true, .status = GODWIT_MALFORMED,
          .says = {"general.architecture", "missing"});
    CHECK(.key = "general.architecture", .text = "llama2", .status = GODWIT_UNSUPPORTED,
          .says = {"'llama2'", "near it: llama"}); // what would run
}

Test(arch_refuse, hyper_parameters_out_of_range) {
    CHECK(.key = "llama.expert_count", U32 = 8, .status = GODWIT_MALFORMED,
          .says = {"llama.expert_count", "8", "experts"});
    CHECK(.key = "llama.block_count", U32 = 100000, .status = GODWIT_MALFORMED,
          .says = {"llama.block_count", "100000", "1024"});
    CHECK(.key = "llama.block_count", U32 = 0, .status = GODWIT_MALFORMED,
          .says = {"llama.block_count", "0"});
    CHECK(.key = "llama.block_count", .remove = true, .status = GODWIT_MALFORMED,
          .says = {"llama.block_count"});
    CHECK(.key = "llama.attention.head_count_kv", U32 = 3, .status = GODWIT_MALFORMED,
          .says = {"head_count_kv", "3", "4"});
    CHECK(.key = "llama.attention.value_length", U32 = 16, .status = GODWIT_UNSUPPORTED,
          .says = {"value_length", "16", "8"});
    CHECK(.key = "llama.attention.head_count", U32 = 32, .status = GODWIT_UNSUPPORTED,
          .says = {"heads of 1;", "an even number up to 576"});
    CHECK(.key = "llama.rope.dimension_count", U32 = 7, .status = GODWIT_MALFORMED,
          .says = {"rope.dimension_count", "7"});
    CHECK(.key = "llama.attention.layer_norm_rms_epsilon", F32 = (double)NAN,
          .status = GODWIT_MALFORMED, .says = {"layer_norm_rms_epsilon", "NaN"});
    CHECK(.key = "llama.attention.layer_norm_rms_epsilon", F32 = -1e-5, .status = GODWIT_MALFORMED,
          .says = {"layer_norm_rms_epsilon", "-1e-05"});
    CHECK(.key = "llama.attention.layer_norm_rms_epsilon", .text = "small",
          .status = GODWIT_MALFORMED, .says = {"layer_norm_rms_epsilon"});
}

Test(arch_refuse, rope_scaling_that_is_not_known) {
    CHECK(.base = "yarn", .key = "llama.rope.scaling.type", .text = "longrope",
          .status = GODWIT_UNSUPPORTED, .says = {"rope.scaling.type", "'longrope'", "yarn"});
    CHECK(.base = "yarn", .key = "llama.rope.freq_base", F32 = 1.0, .status = GODWIT_MALFORMED,
          .says = {"rope.freq_base"});
    CHECK(.base = "linear", .key = "llama.rope.scaling.factor", F32 = 0.0,
          .status = GODWIT_MALFORMED, .says = {"rope.scaling.factor"});
    CHECK(.base = "llama3", .tensor = "rope_freqs.weight", .dims = {15}, .status = GODWIT_MALFORMED,
          .says = {"rope_freqs.weight", "16"});
    CHECK(.base = "llama3", .tensor = "rope_freqs.weight", .item = &(float){0.0f}, .at = 5,
          .status = GODWIT_MALFORMED, .says = {"rope_freqs.weight", "item 5"});
}

Test(arch_refuse, tensors_of_another_shape) {
    CHECK(.tensor = "blk.1.ffn_down.weight", .dims = {32, 32}, .status = GODWIT_MALFORMED,
          .says = {"blk.1.ffn_down.weight", "[32, 32]", "[32, 64]"});
    CHECK(.tensor = "blk.0.attn_norm.weight", .dims = {16}, .status = GODWIT_MALFORMED,
          .says = {"blk.0.attn_norm.weight", "[16]", "[32]"});
    CHECK(.base = "bias", .tensor = "blk.0.attn_k.bias", .dims = {8}, .status = GODWIT_MALFORMED,
          .says = {"blk.0.attn_k.bias", "[8]", "[16]"});
}

Test(arch_refuse, tensors_that_are_missing_or_not_known) {
    CHECK(.tensor = "blk.1.attn_v.weight", .remove = true, .status = GODWIT_MALFORMED,
          .says = {"blk.1.attn_v.weight", "missing"});
    CHECK(.tensor = "token_embd.weight", .remove = true, .status = GODWIT_MALFORMED,
          .says = {"token_embd.weight", "missing"});
    // A bias that no graph adds would be a silent error in every token.
    CHECK(.base = "bias", .tensor = "blk.0.attn_q.bias", .rename = "blk.0.attn_x.bias",
          .status = GODWIT_UNSUPPORTED, .says = {"blk.0.attn_x.bias"});
    CHECK(.key = "llama.block_count", U32 = 1, .status = GODWIT_UNSUPPORTED, .says = {"blk.1."});
}

// What quantize can mend says so, and nothing else.
Test(arch_refuse, tensors_of_types_that_no_kernel_reads) {
    static const char advice[] = "`godwit quantize`";
    CHECK(.tensor = "blk.0.attn_q.weight", .retype = 28, .status = GODWIT_UNSUPPORTED,
          .says = {"blk.0.attn_q.weight", "F64", advice});
    CHECK(.tensor = "blk.0.attn_norm.weight", .retype = GODWIT_F16, .status = GODWIT_UNSUPPORTED,
          .says = {"blk.0.attn_norm.weight", "F16", advice});
    CHECK(.tensor = "blk.0.attn_q.weight", .retype = GODWIT_I32, .status = GODWIT_UNSUPPORTED,
          .says = {"blk.0.attn_q.weight", "I32", "no weights"});
    cr_expect_null(strstr(err.message, advice), "%s", err.message);
}

Test(arch_refuse, numbers_that_are_none) {
    CHECK(.tensor = "blk.0.attn_q.weight", .item = &(float){NAN}, .at = 1000,
          .status = GODWIT_MALFORMED, .says = {"blk.0.attn_q.weight", "NaN"});
    CHECK(.tensor = "output_norm.weight", .item = &(float){-INFINITY}, .at = 31,
          .status = GODWIT_MALFORMED, .says = {"output_norm.weight", "infinity"});
}

Test(arch_refuse, vocabularies_of_another_size) {
    CHECK(.tensor = "token_embd.weight", .dims = {95, 32}, .status = GODWIT_MALFORMED,
          .says = {"token_embd.weight", "95", "96"});
    CHECK(.tensor = "output.weight", .dims = {95, 32}, .status = GODWIT_MALFORMED,
          .says = {"output.weight", "[95, 32]", "[96, 32]"});
    CHECK(.base = "gqa-tied", .tensor = "token_embd.weight", .dims = {95, 32},
          .status = GODWIT_MALFORMED, .says = {"token_embd.weight", "95", "96"});
}
