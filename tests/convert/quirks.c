// Quirks: folders as people have them, not as transformers writes them: parts that are missing or named
// by no index, weights that were not downloaded, tokens in files beside the vocabulary.
#include "convert/convert_support.h"
#include "convert/hf.h"
#include "text/tokenizer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/hf/"

typedef struct box {
    char dir[512], out[600];
    godwit_error err;
} box;

static box *box_make(const char *golden, const char *but) {
    static box b;
    char from[600];
    b.err = (godwit_error){0};
    folder_make(b.dir, sizeof b.dir);
    snprintf(b.out, sizeof b.out, "%s/out.gguf", b.dir);
    snprintf(from, sizeof from, GOLDEN "%s", golden);
    copy_folder(b.dir, from, but);
    return &b;
}

static godwit_status convert(box *b) {
    godwit_quantize_params params = {.dtype = GODWIT_F16, .n_threads = 2};
    godwit_quantize_result result;
    b->err = (godwit_error){0};
    return gw_convert_folder(plain_host(), b->dir, &params, b->out, &result, &b->err);
}

static void put(box *b, const char *name, const char *text) {
    write_text(b->dir, name, text, strlen(text));
}

static void drop(box *b, const char *name) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    cr_assert_eq(unlink(path), 0, "%s", path);
}

static void expect_refused(box *b, godwit_status want, const char *said) {
    cr_expect_eq(convert(b), want, "%s", b->err.message);
    cr_expect_not_null(strstr(b->err.message, said), "'%s' is not in: %s", said, b->err.message);
    cr_expect_neq(access(b->out, F_OK), 0);
}

Test(quirks, shards_without_an_index) {
    box *b = box_make("spm", "");
    cr_assert_eq(convert(b), GODWIT_OK, "%s", b->err.message);
    contents with = read_file(b->out);
    drop(b, "out.gguf");
    drop(b, "model.safetensors.index.json");
    cr_assert_eq(convert(b), GODWIT_OK, "%s", b->err.message);
    contents without = read_file(b->out);
    cr_expect(with.n == without.n && !memcmp(with.bytes, without.bytes, (size_t)with.n));
    drop_file(&with);
    drop_file(&without);
    drop(b, "out.gguf");
    drop(b, "model-00003-of-00003.safetensors");
    expect_refused(b, GODWIT_IO, "model-00003-of-00003.safetensors");
    folder_remove(b->dir);
}

Test(quirks, a_shard_that_the_index_names_is_missing) {
    box *b = box_make("spm", "model-00002-of-00003.safetensors");
    expect_refused(b, GODWIT_IO, "model-00002-of-00003.safetensors");
    folder_remove(b->dir);
}

Test(quirks, weights_that_are_something_else) {
    box *b = box_make("bytes", "model.safetensors");
    put(b, "pytorch_model.bin", "PK");
    expect_refused(b, GODWIT_UNSUPPORTED, "pytorch_model.bin, a pickle");
    put(b, "model.safetensors", "version https://git-lfs.github.com/spec/v1\nsize 3\n");
    expect_refused(b, GODWIT_MALFORMED, "model.safetensors: this is a Git LFS pointer");
    put(b, "model.safetensors", "<!doctype html><html></html>");
    expect_refused(b, GODWIT_MALFORMED, "model.safetensors: this is an HTML page");
    folder_remove(b->dir);
}

Test(quirks, a_vocabulary_without_its_rules) {
    box *b = box_make("bytes", "tokenizer.json");
    put(b, "vocab.json", "{}");
    put(b, "merges.txt", "");
    expect_refused(b, GODWIT_UNSUPPORTED, "vocab.json and merges.txt do not say");
    folder_remove(b->dir);
}

static void check_token(const opened *file, uint64_t id, const char *want, uint64_t want_kind) {
    gw_str text = {0};
    uint64_t kind = 0;
    const gw_gguf_value *tokens = gw_gguf_find(file->gguf, "tokenizer.ggml.tokens");
    const gw_gguf_value *kinds = gw_gguf_find(file->gguf, "tokenizer.ggml.token_type");
    cr_assert_eq(gw_gguf_item_str(tokens, id, &text, NULL), GODWIT_OK);
    cr_assert_eq(gw_gguf_item_u64(kinds, id, &kind, NULL), GODWIT_OK);
    cr_expect(gw_str_eq(text, gw_str_of(want)), "%.*s", GW_STR_ARG(text));
    cr_expect_eq(kind, want_kind, "%s: %llu", want, (unsigned long long)kind);
}

// tokenizer.json has 331; what it has stays, what it does not have is added.
Test(quirks, tokens_beside_tokenizer_json) {
    box *b = box_make("bytes", "tokenizer_config.json");
    uint32_t eos = 0;
    put(b, "tokenizer_config.json",
        "{\"bos_token\":\"<|begin|>\",\"eos_token\":\"<|stop|>\",\"added_tokens_decoder\":{"
        "\"331\":{\"content\":\"<|stop|>\",\"special\":true},"
        "\"332\":{\"content\":\"<think>\",\"special\":false},"
        "\"0\":{\"content\":\"<|other|>\",\"special\":true},"
        "\"x\":{\"content\":\"<|none|>\"},\"99999999\":{\"content\":\"<|none|>\"}}}");
    put(b, "added_tokens.json", "{\"<|tool|>\":333,\"<|late|>\":331,\"<|far|>\":4096}");
    cr_assert_eq(convert(b), GODWIT_OK, "%s", b->err.message);
    opened file = open_gguf(b->out);
    check_token(&file, 0, "<|begin|>", GW_TOKEN_CONTROL);
    check_token(&file, 331, "<|stop|>", GW_TOKEN_CONTROL);
    check_token(&file, 332, "<think>", GW_TOKEN_USER_DEFINED);
    check_token(&file, 333, "<|tool|>", GW_TOKEN_USER_DEFINED);
    check_token(&file, 334, "[PAD334]", GW_TOKEN_UNUSED);
    cr_assert_eq(gw_gguf_require_u32(file.gguf, "tokenizer.ggml.eos_token_id", 0, 400, &eos, NULL),
                 GODWIT_OK);
    cr_expect_eq(eos, 331);
    close_gguf(&file);
    folder_remove(b->dir);
}
