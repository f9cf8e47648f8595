// The published vectors: 46 texts and their ids for three vocabularies, and a model's own output.
#include "text/text_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char SEPARATOR[] = "\n__ggml_vocab_test__\n";

// Compares ids with a line of numbers.
static void check_ids(const int32_t *ids, size_t n, const char *line, size_t i_text) {
    for (size_t i = 0; i < n; i++) {
        char *end = NULL;
        long expected = strtol(line, &end, 10);
        cr_assert(end != line && !memchr(line, '\n', (size_t)(end - line)),
                  "text %zu: %zu ids where fewer are expected", i_text, n);
        cr_assert_eq(ids[i], expected, "text %zu: id %zu is %d, expected %ld", i_text, i, ids[i],
                     expected);
        line = end;
    }
    while (*line == ' ') line++;
    cr_assert_eq(*line, '\n', "text %zu: more than %zu ids are expected", i_text, n);
}

// comes_back: the vocabulary forgets nothing of a text.
static void check_vectors(const char *name, bool comes_back) {
    char path[256];
    size_t n = 0;
    vocabulary v;
    vocabulary_open(&v, name);
    snprintf(path, sizeof path, "%s.inp", name);
    char *texts = read_data(path, &n);
    snprintf(path, sizeof path, "%s.out", name);
    char *lines = read_data(path, &n);
    size_t n_texts = 0;
    const char *line = lines;
    for (const char *text = texts, *end; (end = strstr(text, SEPARATOR)); n_texts++) {
        size_t n_ids = 0;
        int32_t *ids = encode(v.tokenizer, text, (size_t)(end - text), false, &n_ids);
        check_ids(ids, n_ids, line, n_texts);
        if (comes_back) check_round_trip(v.tokenizer, text, (size_t)(end - text));
        free(ids);
        text = end + sizeof SEPARATOR - 1;
        line = strchr(line, '\n') + 1;
    }
    cr_assert_eq(n_texts, 46);
    cr_assert_eq(*line, 0, "ids for more texts than there are");
    free(texts);
    free(lines);
    vocabulary_close(&v);
}

Test(vectors, gpt_2) {
    check_vectors("vocab/ggml-vocab-gpt-2.gguf", true);
}

Test(vectors, phi_3) {
    check_vectors("vocab/ggml-vocab-phi-3.gguf", true);
}

Test(vectors, bert) {
    check_vectors("vocab/ggml-vocab-bert-bge.gguf", false);
}

// The ids that the 260K-parameter model generates from nothing, and the text they mean.
Test(vectors, stories) {
    vocabulary v;
    size_t n_text = 0;
    size_t n_ids = 0;
    size_t n_back = 0;
    vocabulary_open(&v, "llm/stories260K.gguf");
    char *text = read_data("llm/stories260K.expected.txt", &n_text);
    char *numbers = read_data("llm/stories260K.expected.ids.txt", &n_back);
    int32_t expected[512];
    for (char *at = numbers, *end;; at = end) {
        long id = strtol(at, &end, 10);
        if (end == at) break;
        cr_assert_lt(n_ids, 512);
        expected[n_ids++] = (int32_t)id;
    }
    cr_assert_geq(n_ids, 199);
    char *back = decode(v.tokenizer, expected, n_ids, &n_back);
    cr_assert_eq(n_back, n_text, "'%s'", back);
    cr_assert_str_eq(back, text);
    free(back);
    check_round_trip(v.tokenizer, text, n_text);
    // A BOS in front decodes to nothing and leaves the leading space to be stripped.
    memmove(expected + 1, expected, n_ids * sizeof *expected);
    expected[0] = gw_tokenizer_bos(v.tokenizer);
    back = decode(v.tokenizer, expected, n_ids + 1, &n_back);
    cr_assert_str_eq(back, text);
    free(back);
    free(text);
    free(numbers);
    vocabulary_close(&v);
}

// llama's defaults hold where the file says nothing.
Test(vectors, special_ids) {
    vocabulary v;
    vocabulary_open(&v, "models/story-q8_0.gguf");
    int32_t ids[8];
    size_t n = 0;
    cr_assert_eq(gw_tokenizer_n_tokens(v.tokenizer), 2048);
    cr_assert_eq(gw_tokenizer_bos(v.tokenizer), 1);
    cr_assert_eq(gw_tokenizer_eos(v.tokenizer), 2);
    cr_assert(gw_tokenizer_is_end(v.tokenizer, 2));
    cr_assert_not(gw_tokenizer_is_end(v.tokenizer, 1));
    cr_assert_not(gw_tokenizer_is_end(v.tokenizer, -1));
    cr_assert_not(gw_tokenizer_is_end(v.tokenizer, 2048));
    cr_assert_eq(gw_tokenizer_encode(v.tokenizer, "Once", 4, NULL, ids, 8, &n, NULL), GODWIT_OK);
    cr_assert_eq(ids[0], 1);
    cr_assert_eq(ids[1], 1631);
    cr_assert_eq(n, 2);
    vocabulary_close(&v);
}

// What a sequence begins and ends with; words come back in small letters, a space between.
Test(vectors, special_ids_of_bert) {
    vocabulary v;
    int32_t ids[8];
    size_t n = 0;
    vocabulary_open(&v, "vocab/ggml-vocab-bert-bge.gguf");
    cr_assert_eq(
        gw_tokenizer_encode(v.tokenizer, " Hello W\xC3\xB6rld ", 14, NULL, ids, 8, &n, NULL),
        GODWIT_OK);
    const int32_t expected[] = {101, 7592, 2088, 102};
    cr_assert_eq(n, 4);
    cr_assert_eq(memcmp(ids, expected, sizeof expected), 0);
    char *text = decode(v.tokenizer, ids, n, &n);
    cr_assert_str_eq(text, "hello world");
    free(text);
    vocabulary_close(&v);
}

Test(vectors, special_ids_of_gpt_2) {
    vocabulary v;
    int32_t ids[8];
    size_t n = 0;
    vocabulary_open(&v, "vocab/ggml-vocab-gpt-2.gguf");
    cr_assert_eq(gw_tokenizer_encode(v.tokenizer, "", 0, NULL, ids, 8, &n, NULL), GODWIT_OK);
    cr_assert_eq(n, 0);
    cr_assert(gw_tokenizer_is_end(v.tokenizer, 50256));
    vocabulary_close(&v);
}
