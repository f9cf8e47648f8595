// Settings of config.json that become keys or tensors only under conditions, as transformers has
// them. The logits of some are tests/cli/convert.sh's.
#include "convert/convert_support.h"
#include "convert/hf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/hf/"

typedef struct edit {
    const char *file, *from, *to;
} edit;

// The golden folder with up to two edits, converted; what was warned of.
static heard convert(const char *dir, const char *golden, const edit *edits, int n_edits,
                     const char *out) {
    static char text[1 << 20];
    char folder[600], path[600];
    gw_host host;
    heard h = {0};
    godwit_quantize_params params = {.dtype = GODWIT_F16};
    godwit_quantize_result result;
    godwit_error err = {0};
    gw_host_init(&host, NULL, hear, &h);
    snprintf(folder, sizeof folder, GOLDEN "%s", golden);
    copy_folder(dir, folder, "");
    for (int i = 0; i < n_edits && edits[i].file; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, edits[i].file);
        const char *old = read_text(path), *at = strstr(old, edits[i].from);
        cr_assert_not_null(at, "%s: no %s", path, edits[i].from);
        int n = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - old), old, edits[i].to,
                         at + strlen(edits[i].from));
        unlink(path); // a link
        write_text(dir, edits[i].file, text, (size_t)n);
    }
    cr_assert_eq(gw_convert_folder(&host, dir, &params, out, &result, &err), GODWIT_OK, "%s",
                 err.message);
    return h;
}

// -1: the key is not there.
static int64_t number_of(const opened *file, const char *key) {
    uint32_t number = 0;
    godwit_error err = {0};
    if (!gw_gguf_find(file->gguf, key)) return -1;
    cr_assert_eq(gw_gguf_require_u32(file->gguf, key, 0, UINT32_MAX, &number, &err), GODWIT_OK);
    return number;
}

// Llama has no window, Mistral has one unless it is null.
Test(settings, sliding_window) {
    static const struct {
        const char *golden;
        edit edit;
        int64_t want;
    } rows[] = {
        {"plain", {"config.json", "\"hidden_act\"", "\"sliding_window\": 5, \"hidden_act\""}, -1},
        {"plain",
         {"config.json", "\"hidden_act\"", "\"sliding_window\": \"?\", \"hidden_act\""},
         -1},
        {"spm", {NULL, NULL, NULL}, -1},
        {"spm", {"config.json", "\"sliding_window\": null", "\"sliding_window\": 5"}, 5},
        {"spm", {"config.json", "\"sliding_window\": null,", ""}, 4096},
    };
    char dir[512], out[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        convert(dir, rows[i].golden, &rows[i].edit, 1, out);
        opened file = open_gguf(out);
        cr_expect_eq(number_of(&file, "llama.attention.sliding_window"), rows[i].want, "row %d",
                     (int)i);
        close_gguf(&file);
    }
    folder_remove(dir);
}

// The tokenizer's own is 1; GGUF has room for two more, and for one that is called eom.
Test(settings, several_ends) {
    static const struct {
        edit edits[2];
        int64_t eot, eom;
        bool warns;
    } rows[] = {
        {{{NULL, NULL, NULL}}, -1, -1, false},
        {{{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1]"}}, -1, -1, false},
        {{{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1, 5]"}}, 5, -1, false},
        {{{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [7, 1, 5, 7]"}}, 7, 5, false},
        {{{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1, 5, 7, 9]"}}, 5, 7, true},
        {{{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1, 330, 5]"},
          {"tokenizer.json", "<|user|>", "<|eom_id|>"}},
         5,
         330,
         false},
    };
    char dir[512], out[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        heard h = convert(dir, "bytes", rows[i].edits, 2, out);
        opened file = open_gguf(out);
        cr_expect_eq(number_of(&file, "tokenizer.ggml.eos_token_id"), 1);
        cr_expect_eq(number_of(&file, "tokenizer.ggml.eot_token_id"), rows[i].eot, "row %d",
                     (int)i);
        cr_expect_eq(number_of(&file, "tokenizer.ggml.eom_token_id"), rows[i].eom, "row %d",
                     (int)i);
        cr_expect_eq(h.n, rows[i].warns, "row %d: %s", (int)i, h.line);
        close_gguf(&file);
    }
    folder_remove(dir);
}

// What generates asks generation_config.json before config.json; GGUF's keys go first to tokens
// that no reader knows by their texts.
Test(settings, generation_config) {
    static const struct {
        const char *generation;
        edit edits[2];
        int64_t eot, eom;
        const char *warned; // NULL: of nothing
    } rows[] = {
        {"{}", {{NULL, NULL, NULL}}, -1, -1, NULL},
        {"{\"eos_token_id\": null}",
         {{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1, 5]"}},
         5,
         -1,
         NULL},
        {"{\"eos_token_id\": [1, 7]}",
         {{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1, 5]"}},
         7,
         -1,
         NULL},
        {"{\"eos_token_id\": 7}", {{NULL, NULL, NULL}}, 7, -1, NULL},
        {"{\"eos_token_id\": [7, 1, 5]}", {{NULL, NULL, NULL}}, 7, 5, NULL},
        {"{\"eos_token_id\": [330, 7, 5]}",
         {{"tokenizer.json", "<|user|>", "<|eot_id|>"}},
         7,
         5,
         NULL},
        {"{\"eos_token_id\": [5, 7, 9]}", {{NULL, NULL, NULL}}, 5, 7, "three tokens"},
        {"{\"eos_token_id\": [7, 336, -1, \"x\"]}",
         {{NULL, NULL, NULL}},
         7,
         -1,
         "generation_config.json: eos_token_id: x is no token's number"},
        // The tokenizer's files name no end: the first of these.
        {"{\"eos_token_id\": [9, 7]}",
         {{"config.json", "\"eos_token_id\": 2", "\"eos_token_id\": null"},
          {"tokenizer_config.json", "\"eos_token\": \"<|end|>\",", ""}},
         7,
         -1,
         NULL},
    };
    char dir[512], out[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_text(dir, "generation_config.json", rows[i].generation, strlen(rows[i].generation));
        heard h = convert(dir, "bytes", rows[i].edits, 2, out);
        opened file = open_gguf(out);
        bool last = i + 1 == sizeof rows / sizeof *rows;
        cr_expect_eq(number_of(&file, "tokenizer.ggml.eos_token_id"), last ? 9 : 1, "row %zu", i);
        cr_expect_eq(number_of(&file, "tokenizer.ggml.eot_token_id"), rows[i].eot, "row %zu", i);
        cr_expect_eq(number_of(&file, "tokenizer.ggml.eom_token_id"), rows[i].eom, "row %zu", i);
        cr_expect_eq(h.n > 0, rows[i].warned != NULL, "row %zu: %s", i, h.line);
        cr_expect(!rows[i].warned || strstr(h.line, rows[i].warned), "row %zu: %s", i, h.line);
        close_gguf(&file);
    }
    folder_remove(dir);
}

// An added token that is not "special" is user-defined, but for one that ends a turn.
Test(settings, turn_ends_are_control_tokens) {
    static const struct {
        const char *text;
        uint64_t kind;
    } rows[] = {{"<|user|>", 4}, {"<|im_end|>", 3}, {"<end_of_turn>", 3}, {"<|fim_pad|>", 4}};
    char dir[512], out[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const edit named = {"tokenizer.json", "<|user|>", rows[i].text};
        uint64_t kind = 0;
        convert(dir, "bytes", &named, 1, out);
        opened file = open_gguf(out);
        const gw_gguf_value *kinds = gw_gguf_find(file.gguf, "tokenizer.ggml.token_type");
        cr_assert_eq(gw_gguf_item_u64(kinds, 330, &kind, NULL), GODWIT_OK);
        cr_expect_eq(kind, rows[i].kind, "%s: %llu", rows[i].text, (unsigned long long)kind);
        close_gguf(&file);
    }
    folder_remove(dir);
}

// An output that is saved though it is tied: kept, with a warning, where its values are its own.
Test(settings, tied_output) {
    static const edit tie = {"config.json", "\"tie_word_embeddings\": false",
                             "\"tie_word_embeddings\": true"};
    static uint8_t bytes[1 << 20];
    char dir[512], out[600];
    gw_safetensors *weights = NULL;
    godwit_error err = {0};
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    heard h = convert(dir, "plain", &tie, 1, out);
    opened file = open_gguf(out);
    cr_expect_not_null(gw_gguf_find_tensor(file.gguf, "output.weight"));
    cr_expect(h.n == 1 && strstr(h.line, "lm_head.weight has other values"), "%s", h.line);
    close_gguf(&file);

    cr_assert_eq(gw_safetensors_open(plain_host(), GOLDEN "plain", &weights, &err), GODWIT_OK);
    const gw_st_tensor *in = gw_safetensors_find(weights, "model.embed_tokens.weight");
    const gw_st_tensor *head = gw_safetensors_find(weights, "lm_head.weight");
    FILE *f = fopen(GOLDEN "plain/model.safetensors", "rb");
    cr_assert_not_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    cr_assert(in && head && in->bytes == head->bytes && n >= head->offset + head->bytes);
    memcpy(bytes + head->offset, bytes + in->offset, (size_t)in->bytes);
    for (int own = 0; own < 2; own++) {
        char path[600];
        gw_host host;
        godwit_quantize_params params = {.dtype = GODWIT_F16};
        godwit_quantize_result result;
        bytes[head->offset + head->bytes - 2] ^= (uint8_t)own; // the last value, a little
        snprintf(path, sizeof path, "%s/model.safetensors", dir);
        unlink(path);
        write_text(dir, "model.safetensors", (const char *)bytes, n);
        h = (heard){0};
        gw_host_init(&host, NULL, hear, &h);
        cr_assert_eq(gw_convert_folder(&host, dir, &params, out, &result, &err), GODWIT_OK, "%s",
                     err.message);
        file = open_gguf(out);
        cr_expect_eq(gw_gguf_find_tensor(file.gguf, "output.weight") != NULL, own);
        cr_expect_eq(h.n, own, "%s", h.line);
        close_gguf(&file);
    }
    gw_safetensors_destroy(&weights);
    folder_remove(dir);
}
