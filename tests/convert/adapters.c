// Adapters: folders that PEFT writes, as GGUF adapters: names, order of rows and bytes are those of the files
// that tests/golden/lora.py makes of the same adapters; what a GGUF adapter cannot say is refused.
#include "convert/convert_support.h"
#include "convert/hf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/lora/"

typedef struct box {
    char dir[512], out[600];
    godwit_error err;
} box;

static void box_make(box *b) {
    *b = (box){.dir = ""};
    folder_make(b->dir, sizeof b->dir);
    snprintf(b->out, sizeof b->out, "%s/out.gguf", b->dir);
}

static godwit_status convert(box *b, const char *folder, const char *base) {
    godwit_quantize_params params = {.dtype = GODWIT_F32, .n_threads = 2, .base = base};
    godwit_quantize_result result;
    b->err = (godwit_error){0};
    return gw_convert_folder(plain_host(), folder, &params, b->out, &result, &b->err);
}

static void check_same(const box *b, const char *golden) {
    opened ours = open_gguf(b->out), theirs = open_gguf(golden);
    static const char *const keys[] = {"general.architecture", "general.type", "adapter.type"};
    float alpha[2] = {0};
    cr_expect_eq(gw_gguf_n_tensors(ours.gguf), gw_gguf_n_tensors(theirs.gguf));
    for (uint64_t i = 0; i < gw_gguf_n_tensors(theirs.gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(theirs.gguf, i);
        const gw_gguf_tensor *own = gw_gguf_find_tensor(ours.gguf, t->name);
        cr_assert_not_null(own, "no %s", t->name);
        cr_expect(own->type == t->type && own->n_dims == t->n_dims &&
                      !memcmp(own->dims, t->dims, t->n_dims * sizeof *t->dims) &&
                      !memcmp(own->source.bytes, t->source.bytes, (size_t)t->bytes),
                  "%s: other bytes", t->name);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        gw_str text[2] = {{0}};
        cr_assert_eq(gw_gguf_get_str(ours.gguf, keys[i], &text[0], NULL), GODWIT_OK);
        cr_assert_eq(gw_gguf_get_str(theirs.gguf, keys[i], &text[1], NULL), GODWIT_OK);
        cr_expect(gw_str_eq(text[0], text[1]), "%s: %.*s", keys[i], GW_STR_ARG(text[0]));
    }
    (void)!gw_gguf_get_f32(ours.gguf, "adapter.lora.alpha", 0, 1e6f, 0, &alpha[0], NULL);
    (void)!gw_gguf_get_f32(theirs.gguf, "adapter.lora.alpha", 0, 1e6f, 1, &alpha[1], NULL);
    cr_expect(alpha[0] == alpha[1], "alpha %g", (double)alpha[0]);
    close_gguf(&ours);
    close_gguf(&theirs);
}

// Queries and keys of a llama in GGUF's order of rows.
Test(adapters, of_a_llama) {
    box b;
    box_make(&b);
    cr_assert_eq(convert(&b, GOLDEN "peft", NULL), GODWIT_OK, "%s", b.err.message);
    check_same(&b, GOLDEN "first.gguf");
    folder_remove(b.dir);
}

// A layer of each expert, and the table of tokens turned over.
Test(adapters, of_experts_and_of_tokens) {
    box b;
    box_make(&b);
    cr_assert_eq(convert(&b, GOLDEN "experts.peft", NULL), GODWIT_OK, "%s", b.err.message);
    check_same(&b, GOLDEN "experts.first.gguf");
    folder_remove(b.dir);
}

static void link_file(const box *b, const char *name) {
    char from[1200], to[1200];
    snprintf(from, sizeof from, GOLDEN "peft/%s", name);
    snprintf(to, sizeof to, "%s/%s", b->dir, name);
    cr_assert_eq(symlink(from, to), 0);
}

// The model is where the caller says, or adapter_config.json, or nowhere.
Test(adapters, find_their_model) {
    box b;
    char config[1024];
    box_make(&b);
    link_file(&b, "adapter_model.safetensors");
    const char *plain = "{\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":8,"
                        "\"base_model_name_or_path\":\"someone/llama\"}";
    write_text(b.dir, "adapter_config.json", plain, strlen(plain));
    cr_expect_eq(convert(&b, b.dir, NULL), GODWIT_NOT_FOUND);
    cr_expect_not_null(strstr(b.err.message, "a LoRA adapter of someone/llama: name the folder"),
                       "%s", b.err.message);
    cr_assert_eq(convert(&b, b.dir, GOLDEN "peft"), GODWIT_OK, "%s", b.err.message);
    check_same(&b, GOLDEN "first.gguf");
    unlink(b.out);
    const int n = snprintf(config, sizeof config,
                           "{\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":8,"
                           "\"base_model_name_or_path\":\"%s\"}",
                           GOLDEN "peft");
    write_text(b.dir, "adapter_config.json", config, (size_t)n);
    cr_assert_eq(convert(&b, b.dir, NULL), GODWIT_OK, "%s", b.err.message);
    check_same(&b, GOLDEN "first.gguf");
    folder_remove(b.dir);
}

static const struct {
    const char *setting;
    godwit_status want;
    const char *said;
} settings[] = {
    {"\"use_dora\":true", GODWIT_UNSUPPORTED, "use_dora: a GGUF adapter cannot say that"},
    {"\"use_dora\":false", GODWIT_OK, ""},
    {"\"modules_to_save\":[\"lm_head\"]", GODWIT_UNSUPPORTED, "modules_to_save"},
    {"\"alpha_pattern\":{\"q_proj\":3}", GODWIT_UNSUPPORTED, "alpha_pattern"},
    {"\"alpha_pattern\":{}", GODWIT_OK, ""},
    {"\"bias\":\"all\"", GODWIT_UNSUPPORTED, "bias: all; only none"},
    {"\"use_rslora\":true,\"rank_pattern\":{\"q_proj\":2}", GODWIT_UNSUPPORTED, "rank_pattern"},
    {"\"peft_type\":\"IA3\"", GODWIT_UNSUPPORTED, "peft_type: IA3; only LORA"},
    {"\"r\":0", GODWIT_MALFORMED, "lora_alpha, r: not numbers"},
    {"\"lora_alpha\":\"8\"", GODWIT_MALFORMED, "lora_alpha, r: not numbers"},
};

// The first of a key counts.
Test(adapters, settings) {
    box b;
    char config[1024];
    box_make(&b);
    link_file(&b, "adapter_model.safetensors");
    link_file(&b, "config.json");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const int n =
            snprintf(config, sizeof config, "{%s,\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":8}",
                     settings[i].setting);
        write_text(b.dir, "adapter_config.json", config, (size_t)n);
        cr_expect_eq(convert(&b, b.dir, NULL), settings[i].want, "%s: %s", settings[i].setting,
                     b.err.message);
        cr_expect_not_null(strstr(b.err.message, settings[i].said), "%s: %s", settings[i].setting,
                           b.err.message);
        unlink(b.out);
    }
    folder_remove(b.dir);
}

// alpha / sqrt(r), as alpha * sqrt(r) over r.
Test(adapters, stable_ranks) {
    box b;
    float alpha = 0;
    static const char config[] =
        "{\"use_rslora\":true,\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":8}";
    box_make(&b);
    link_file(&b, "adapter_model.safetensors");
    link_file(&b, "config.json");
    write_text(b.dir, "adapter_config.json", config, sizeof config - 1);
    cr_assert_eq(convert(&b, b.dir, NULL), GODWIT_OK, "%s", b.err.message);
    opened file = open_gguf(b.out);
    cr_assert_eq(gw_gguf_get_f32(file.gguf, "adapter.lora.alpha", 0, 100, 0, &alpha, NULL),
                 GODWIT_OK);
    cr_expect(alpha == 16.0f, "%g", (double)alpha);
    close_gguf(&file);
    folder_remove(b.dir);
}

// A file of these tensors, each [2, 2] of F32.
static void write_tensors(const box *b, const char *const *names, size_t n) {
    static char data[4096];
    size_t at = 8;
    uint64_t offset = 0;
    for (size_t i = 0; i < n; i++, offset += 16) {
        at += (size_t)snprintf(
            data + at, sizeof data - at,
            "%c\"%s\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[%llu,%llu]}",
            i ? ',' : '{', names[i], (unsigned long long)offset, (unsigned long long)offset + 16);
    }
    data[at++] = '}';
    const uint64_t length = at - 8;
    memcpy(data, &length, 8);
    memset(data + at, 0, (size_t)offset);
    write_text(b->dir, "adapter_model.safetensors", data, at + (size_t)offset);
}

static const struct {
    const char *names[2], *said;
    godwit_status want;
} pairs[] = {
    {{"base_model.model.model.layers.0.self_attn.o_proj.lora_A.weight",
      "base_model.model.model.layers.0.self_attn.o_proj.lora_B.weight"},
     "",
     GODWIT_OK},
    {{"base_model.model.model.layers.0.self_attn.o_proj.lora_A.weight",
      "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight"},
     "o_proj.lora_B.weight: missing",
     GODWIT_MALFORMED},
    {{"base_model.model.model.layers.0.self_attn.o_proj.lora_B.weight",
      "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight"},
     "2 tensors are not pairs of A and B",
     GODWIT_MALFORMED},
    {{"base_model.model.lm_head.weight", "base_model.model.model.norm.weight"},
     "lm_head.weight: neither A nor B",
     GODWIT_UNSUPPORTED},
    {{"base_model.model.model.layers.7.mlp.up_proj.lora_A.weight",
      "base_model.model.model.layers.7.mlp.up_proj.lora_B.weight"},
     "layers.7.mlp.up_proj.weight: not a part of this family",
     GODWIT_UNSUPPORTED},
    {{"base_model.model.model.norm.lora_A.weight", "base_model.model.model.norm.lora_B.weight"},
     "adapters of such a layer are not converted",
     GODWIT_UNSUPPORTED},
};

Test(adapters, tensors) {
    static const char config[] = "{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":8}";
    box b;
    box_make(&b);
    link_file(&b, "config.json");
    write_text(b.dir, "adapter_config.json", config, sizeof config - 1);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        write_tensors(&b, pairs[i].names, 2);
        cr_expect_eq(convert(&b, b.dir, NULL), pairs[i].want, "%zu: %s", i, b.err.message);
        cr_expect_not_null(strstr(b.err.message, pairs[i].said), "%zu: %s", i, b.err.message);
        unlink(b.out);
    }
    folder_remove(b.dir);
}

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// Copies of the folder with some bytes changed, mostly of headers and settings: each is converted, or refused
// with a reason.
Test(adapters, mutants) {
    enum { N = 240 };
    static const char *const names[] = {"adapter_model.safetensors", "adapter_config.json",
                                        "config.json"};
    box b;
    int n_refused = 0;
    uint32_t state = 5;
    box_make(&b);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++) {
            char path[600];
            snprintf(path, sizeof path, GOLDEN "experts.peft/%s", names[k]);
            contents file = read_file(path);
            const uint32_t most = (uint32_t)(k || file.n < 12000 ? file.n : 12000);
            const uint32_t n_changes = k == i % 3 ? 1 + draw(&state) % 3 : 0;
            for (uint32_t c = 0; c < n_changes; c++)
                file.bytes[draw(&state) % most] = (uint8_t)draw(&state);
            const uint64_t n = n_changes && i % 5 == 4 ? draw(&state) % file.n + 1 : file.n;
            write_text(b.dir, names[k], (const char *)file.bytes, (size_t)n);
            drop_file(&file);
        }
        const godwit_status status = convert(&b, b.dir, NULL);
        cr_expect(status == GODWIT_OK || b.err.message[0], "mutant %d: no reason", i);
        cr_expect_neq(status, GODWIT_BUG, "mutant %d: %s", i, b.err.message);
        n_refused += status != GODWIT_OK;
        unlink(b.out);
    }
    cr_expect(n_refused > N / 2, "%d refused", n_refused);
    folder_remove(b.dir);
}
