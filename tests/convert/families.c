// Folders of every family, as llama.cpp's converter makes them: see tests/golden/convert_families.py.
//
// The golden has a folder's names, shapes and settings, and of llama.cpp's file keys, and of each tensor a
// hash of its bytes. The folder is made here, its numbers out of the names.
#include "convert/convert_support.h"
#include "convert/hf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/convert/families.txt.zst"
enum { N_VOCAB = 131, MAX_TENSORS = 512 };

typedef struct input {
    char name[160];
    char type[8]; // as safetensors have it
    uint32_t n_dims;
    uint64_t dims[4], n;
} input;

typedef struct family {
    char name[64];
    const char *config, *keys, *outs; // lines of the golden
    input inputs[MAX_TENSORS];
    size_t n_inputs;
} family;

static uint64_t fnv(const uint8_t *data, size_t n, int bits) {
    uint64_t h = bits == 32 ? 0x811C9DC5u : 0xCBF29CE484222325u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ data[i]) * (bits == 32 ? 0x01000193u : 0x100000001B3u);
        if (bits == 32) h &= UINT32_MAX;
    }
    return h;
}

// --- the folder

static bool ends_with(const char *name, const char *end) {
    const size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

static uint64_t size_of(const input *t) {
    return !strcmp(t->type, "F32") ? 4 : !strcmp(t->type, "BF16") ? 2 : 1;
}

static void fill(const input *t, uint8_t *out) {
    const uint32_t seed = (uint32_t)fnv((const uint8_t *)t->name, strlen(t->name), 32);
    const bool mx_scales = ends_with(t->name, "_scales");
    const bool scales = ends_with(t->name, "weight_scale") || ends_with(t->name, "_scale_inv");
    const uint32_t top = !strcmp(t->type, "F8_E4M3")   ? 127
                         : !strcmp(t->type, "F8_E5M2") ? 124
                                                       : 256; // no numbers from there on
    const uint64_t size = size_of(t);
    for (uint64_t i = 0; i < t->n; i++) {
        uint32_t v = (uint32_t)i * 0x9E3779B1u + seed;
        v ^= v >> 15;
        v *= 0x85EBCA6Bu;
        v = (v ^ v >> 13) >> 8;
        float x = (float)(v & 127) / 16.0f - 4.0f;
        uint8_t bytes[4];
        if (ends_with(t->name, "act_fn.eps")) x = -0x1p-20f;
        if (size == 4 && scales) x = (float)v * 0x1p-24f;
        memcpy(bytes, &x, sizeof x);
        if (size > 1) memcpy(out + size * i, bytes + 4 - size, size);
        if (size == 1 && mx_scales) out[i] = (uint8_t)(120 + (v & 7));
        if (size == 1 && !mx_scales) out[i] = (uint8_t)((v & 127) >= top ? v - 4 : v);
    }
}

// Names of files beside the model's begin with their folder.
static bool is_in(const input *t, const char *front) {
    return front[0] ? !strncmp(t->name, front, strlen(front)) : !strchr(t->name, '/');
}

// Of the inputs those in front of which `front` stands, as folder/model.safetensors.
static void write_weights(const char *folder, const family *f, const char *front) {
    char *header = calloc(1, 1 << 20);
    uint64_t at = 0;
    size_t n = 0;
    cr_assert_not_null(header);
    for (size_t i = 0; i < f->n_inputs; i++) {
        const input *t = &f->inputs[i];
        const uint64_t bytes = t->n * size_of(t);
        if (!is_in(t, front)) continue;
        n += (size_t)sprintf(header + n, "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[", n ? ',' : '{',
                             t->name + strlen(front), t->type);
        for (uint32_t k = 0; k < t->n_dims; k++)
            n +=
                (size_t)sprintf(header + n, "%s%llu", k ? "," : "", (unsigned long long)t->dims[k]);
        n += (size_t)sprintf(header + n, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
                             (unsigned long long)(at + bytes));
        at += bytes;
    }
    header[n++] = '}';
    uint8_t *data = malloc(8 + n + (size_t)at);
    cr_assert_not_null(data);
    const uint64_t length = n;
    memcpy(data, &length, 8);
    memcpy(data + 8, header, n);
    size_t offset = 8 + n;
    for (size_t i = 0; i < f->n_inputs; i++) {
        if (!is_in(&f->inputs[i], front)) continue;
        fill(&f->inputs[i], data + offset);
        offset += (size_t)f->inputs[i].n * size_of(&f->inputs[i]);
    }
    write_text(folder, "model.safetensors", (const char *)data, offset);
    free(data);
    free(header);
}

static const char *const dense_folders[] = {"2_Dense/", "3_Dense/"};

static void remove_modules(const char *dir) {
    static const char *const names[] = {"2_Dense/model.safetensors",
                                        "2_Dense",
                                        "3_Dense/model.safetensors",
                                        "3_Dense",
                                        "1_Pooling/config.json",
                                        "1_Pooling",
                                        "modules.json"};
    char path[600];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)!remove(path);
    }
}

// Matrices behind a mean, each in a folder of its own.
static void write_modules(const char *dir, const family *f) {
    char path[600], text[1024] = "[{\"type\":\"Pooling\",\"path\":\"1_Pooling\"}";
    size_t n = strlen(text);
    bool any = false;
    for (size_t i = 0; i < f->n_inputs; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (!is_in(&f->inputs[i], dense_folders[k])) continue;
            any = true;
            snprintf(path, sizeof path, "%s/%s", dir, dense_folders[k]);
            cr_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
            write_weights(path, f, dense_folders[k]);
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  ",{\"type\":\"Dense\",\"path\":\"%.7s\"}", dense_folders[k]);
        }
    }
    if (!any) return;
    text[n++] = ']';
    write_text(dir, "modules.json", text, n);
    snprintf(path, sizeof path, "%s/1_Pooling", dir);
    cr_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
    write_text(path, "config.json", "{\"pooling_mode_mean_tokens\":true}", 33);
}

// A vocabulary of bytes, which every family may have.
static void write_tokenizer(const char *dir) {
    char text[8192];
    int n = sprintf(
        text, "{\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"merges\":[],\"unk_token\":"
              "\"<unk>\",\"vocab\":{\"<unk>\":0,\"<s>\":1,\"</s>\":2");
    for (int i = 3; i < N_VOCAB; i++) n += sprintf(text + n, ",\"<0x%02X>\":%d", 0x20 + i - 3, i);
    n += sprintf(text + n, "}},\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
                           "\"content\":\"\xE2\x96\x81\"}}");
    write_text(dir, "tokenizer.json", text, (size_t)n);
}

// --- what came of it

static void check_key(const family *f, const gw_gguf *gguf, const char *line) {
    char key[96], want[64];
    int at = 0;
    cr_assert_eq(sscanf(line, "key %95s%n", key, &at), 1);
    const gw_gguf_value *value = gw_gguf_find(gguf, key);
    cr_expect_not_null(value, "%s: no %s", f->name, key);
    if (!value) return;
    line += at;
    for (uint64_t i = 0; i < value->n_items; i++) {
        double is = -1.0 / 0.0, number = 0;
        gw_str text;
        cr_expect_eq(sscanf(line, " %63s%n", want, &at), 1, "%s: %s has more than %llu items",
                     f->name, key, (unsigned long long)i);
        line += at;
        if (value->item_type == GW_GGUF_STRING) {
            cr_assert_eq(gw_gguf_item_str(value, i, &text, NULL), GODWIT_OK);
            cr_expect(gw_str_eq(text, gw_str_of(want)), "%s: %s is %.*s, not %s", f->name, key,
                      GW_STR_ARG(text), want);
            continue;
        }
        (void)!gw_gguf_item_f64(value, i, &is, NULL); // infinity is refused, and stays as it is
        number = strtod(want, NULL);
        const double off = is > number ? is - number : number - is;
        cr_expect(is == number || off <= 1e-6 * (number < 0 ? -number : number),
                  "%s: %s is %g, not %s", f->name, key, is, want);
    }
    cr_expect_eq(*line, '\n', "%s: %s has fewer items than %.40s", f->name, key, line);
}

static void check_tensor(const family *f, const gw_gguf *gguf, const char *line) {
    char name[96];
    unsigned type = 0;
    unsigned long long hash = 0, dims[4] = {1, 1, 1, 1};
    const int n = sscanf(line, "out %95s %u %llx %llu %llu %llu %llu", name, &type, &hash, &dims[0],
                         &dims[1], &dims[2], &dims[3]);
    const gw_gguf_tensor *t = gw_gguf_find_tensor(gguf, name);
    cr_expect_not_null(t, "%s: no tensor %s", f->name, name);
    if (!t) return;
    cr_expect_eq(t->type, type, "%s: tensor %s: type %u", f->name, name, t->type);
    cr_expect_eq((int)t->n_dims, n - 3, "%s: tensor %s: %u dimensions", f->name, name, t->n_dims);
    for (int i = 0; i < 4; i++) cr_expect_eq(t->dims[i], dims[i], "%s: tensor %s", f->name, name);
    cr_expect_eq(fnv(t->source.bytes, (size_t)t->bytes, 64), hash, "%s: tensor %s: other bytes",
                 f->name, name);
}

static bool is_line(const char *line, const char *word) {
    return line && !strncmp(line, word, strlen(word)) && line[strlen(word)] == ' ';
}

static const char *next_line(const char *line) {
    return strchr(line, '\n') + 1;
}

static void check_family(const char *dir, const family *f) {
    char out[600];
    godwit_error err = {0};
    godwit_quantize_params params = {.dtype = GODWIT_F32, .n_threads = 2};
    godwit_quantize_result result;
    size_t n_out = 0;
    write_text(dir, "config.json", f->config, strcspn(f->config, "\n"));
    write_weights(dir, f, "");
    write_modules(dir, f);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    cr_assert_eq(gw_convert_folder(plain_host(), dir, &params, out, &result, &err), GODWIT_OK,
                 "%s: %s", f->name, err.message);
    opened file = open_gguf(out);
    for (const char *line = f->keys; is_line(line, "key"); line = next_line(line))
        check_key(f, file.gguf, line);
    for (const char *line = f->outs; is_line(line, "out"); line = next_line(line), n_out++)
        check_tensor(f, file.gguf, line);
    cr_expect_eq(gw_gguf_n_tensors(file.gguf), n_out, "%s: %llu tensors, not %zu", f->name,
                 (unsigned long long)gw_gguf_n_tensors(file.gguf), n_out);
    close_gguf(&file);
    remove_modules(dir);
}

static void read_input(input *t, const char *line) {
    unsigned long long d[4] = {1, 1, 1, 1};
    char numbers[256] = "";
    int at = 0;
    cr_assert_eq(sscanf(line, "in %7s %159s%n", t->type, t->name, &at), 2);
    snprintf(numbers, sizeof numbers, "%.*s", (int)strcspn(line + at, "\n"), line + at);
    const int n = sscanf(numbers, "%llu %llu %llu %llu", &d[0], &d[1], &d[2], &d[3]);
    t->n_dims = (uint32_t)(n > 0 ? n : 0); // none: a single number
    t->n = 1;
    for (int i = 0; i < 4; i++) t->n *= t->dims[i] = d[i];
}

static char *read_golden_text(void) {
    contents packed = read_file(GOLDEN);
    const size_t n = (size_t)ZSTD_getFrameContentSize(packed.bytes, (size_t)packed.n);
    char *text = calloc(1, n + 1);
    cr_assert(text && ZSTD_decompress(text, n, packed.bytes, (size_t)packed.n) == n);
    drop_file(&packed);
    return text;
}

// A family's lines; behind them those of the next one.
static const char *read_family(family *f, const char *line) {
    cr_assert_eq(sscanf(line, "family %63s", f->name), 1);
    line = next_line(line);
    f->config = line + strlen("config ");
    f->n_inputs = 0;
    for (line = next_line(line); is_line(line, "in"); line = next_line(line)) {
        cr_assert_lt(f->n_inputs, MAX_TENSORS);
        read_input(&f->inputs[f->n_inputs++], line);
    }
    f->keys = line;
    while (is_line(line, "key")) line = next_line(line);
    f->outs = line;
    while (is_line(line, "out")) line = next_line(line);
    return line;
}

static void make_folder(char *dir, size_t dir_bytes) {
    folder_make(dir, dir_bytes);
    write_tokenizer(dir);
    write_text(dir, "tokenizer_config.json", "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}", 38);
}

Test(families, as_llama_cpp) {
    char dir[512];
    char *text = read_golden_text();
    family *f = calloc(1, sizeof *f);
    int n_families = 0;
    cr_assert_not_null(f);
    make_folder(dir, sizeof dir);
    for (const char *line = text; is_line(line, "family"); n_families++) {
        line = read_family(f, line);
        check_family(dir, f);
    }
    cr_assert_geq(n_families, 130);
    folder_remove(dir);
    free(f);
    free(text);
}

// One more setting, in front of the folder's own, and what is said of it.
static const struct {
    const char *family, *setting, *said;
} refused[] = {
    {"baichuan", "\"z_loss_weight\":0", "z_loss_weight: Baichuan 2"},
    {"llama4", "\"no_rope_layers\":[1,0,1,0]", "no_rope_layers"},
    {"llama4", "\"use_qk_norm\":false", "use_qk_norm"},
    {"llama4", "\"attention_chunk_size\":-1", "attention_chunk_size"},
    {"llama4", "\"attn_scale\":1e300", "attn_scale"},
    {"minicpm3", "\"scale_emb\":1", "scale_emb"},
    {"mimo2", "\"hybrid_layer_pattern\":[0,1]", "hybrid_layer_pattern"},
    {"mimo2", "\"hybrid_layer_pattern\":[0,1,2]", "hybrid_layer_pattern"},
    {"mimo2", "\"swa_head_dim\":64", "swa_head_dim"},
    {"kimi-linear", "\"linear_attn_config\":{\"full_attn_layers\":[4]}", "full_attn_layers"},
    {"kimi-linear", "\"linear_attn_config\":[]", "short_conv_kernel_size"},
    {"laguna", "\"num_attention_heads_per_layer\":[6,-3,3,3]", "num_attention_heads_per_layer"},
    {"jamba", "\"attn_layer_period\":0", "attn_layer_period"},
    {"mamba", "\"time_step_rank\":\"x\"", "time_step_rank"},
    {"mamba", "\"intermediate_size\":1e12", "intermediate_size"},
    {"step35", "\"partial_rotary_factors\":[1,1,1]", "partial_rotary_factors: layer 0"},
    {"step35", "\"moe_layers_enum\":\"99999999999999999999\"", "moe_layers_enum"},
    {"step35", "\"attention_other_setting\":{\"num_attention_heads\":0}",
     "attention_other_setting"},
    {"dbrx", "\"moe_num_experts\":3", "its shape"},
    {"arctic", "\"parallel_attn_mlp_res\":false", "parallel_attn_mlp_res"},
};

static void check_refused(const char *dir, const family *f, size_t row) {
    char text[16384], out[600];
    godwit_error err = {0};
    godwit_quantize_params params = {.dtype = GODWIT_F32, .n_threads = 2};
    godwit_quantize_result result;
    const int n = snprintf(text, sizeof text, "{%s,%.*s", refused[row].setting,
                           (int)strcspn(f->config, "\n") - 1, f->config + 1);
    cr_assert(n > 0 && (size_t)n < sizeof text);
    write_text(dir, "config.json", text, (size_t)n);
    write_weights(dir, f, "");
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    cr_expect_neq(gw_convert_folder(plain_host(), dir, &params, out, &result, &err), GODWIT_OK,
                  "%s with %s", f->name, refused[row].setting);
    cr_expect_not_null(strstr(err.message, refused[row].said), "%s with %s: %s", f->name,
                       refused[row].setting, err.message);
}

Test(families, settings_that_are_refused) {
    char dir[512];
    char *text = read_golden_text();
    family *f = calloc(1, sizeof *f);
    size_t n = 0;
    cr_assert_not_null(f);
    make_folder(dir, sizeof dir);
    for (const char *line = text; is_line(line, "family");) {
        line = read_family(f, line);
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            if (strcmp(refused[i].family, f->name) != 0) continue;
            check_refused(dir, f, i);
            n++;
        }
    }
    cr_expect_eq(n, sizeof refused / sizeof *refused);
    folder_remove(dir);
    free(f);
    free(text);
}
