// Special tokens, what is added in front and behind, and what a stream's decoder does.
#include "text/text_support.h"

#include "base/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define S "\xE2\x96\x81"

static const token_row ROWS[] = {
    {"<unk>", 2, 0},      {"<s>", 3, 0},    {"</s>", 3, 0},   {"<|end|>", 3, 0},
    {"<|end|>x", 3, 0},   {"<tool>", 4, 0}, {S, 1, -1},       {"a", 1, -2},
    {"b", 1, -3},         {S "a", 1, -4},   {"ab", 1, -5},    {"<", 1, -6},
    {"s", 1, -7},         {">", 1, -8},     {"<s", 1, -9},    {"\xF0\x9F\xA6\x99", 1, -10},
    {"<0xF0>", 6, 0},     {"<0x9F>", 6, 0}, {"<0xA6>", 6, 0}, {"<0x99>", 6, 0},
    {"<0x20>", 6, 0},     {"", 1, -11},     {"a", 1, -12},    {"\xFF", 1, -13},
    {S S "unused", 5, 0},
};
enum {
    UNK,
    BOS,
    EOS,
    END,
    END_X,
    TOOL,
    SPACE,
    A,
    B,
    SPACE_A,
    AB,
    LESS,
    LETTER_S,
    GREATER,
    LESS_S,
    LLAMA,
    F0,
    X9F,
    A6,
    X99,
    X20,
    EMPTY,
    A_AGAIN,
    FF,
    UNUSED,
    N_ROWS,
};

static void make(vocabulary *v, const char *true_key, const char *false_key) {
    counting memory;
    godwit_error err = {0};
    counting_init(&memory, 0);
    gw_gguf_writer *writer = write_vocabulary(&memory.host, "llama", ROWS, N_ROWS, NULL, 0);
    if (true_key) set_bool(writer, true_key, true);
    if (false_key) set_bool(writer, false_key, false);
    vocabulary_parse(v, writer);
    gw_gguf_writer_destroy(&writer);
    cr_assert_eq(gw_tokenizer_create(&v->memory.host, v->gguf, &v->tokenizer, &err), GODWIT_OK,
                 "%s", err.message);
}

static void check(const vocabulary *v, const char *text, bool no_special, bool parse_special,
                  const int32_t *expected, size_t n_expected) {
    godwit_error err = {0};
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.no_special = no_special;
    params.parse_special = parse_special;
    int32_t ids[64];
    size_t n = 0;
    godwit_status status =
        gw_tokenizer_encode(v->tokenizer, text, strlen(text), &params, ids, 64, &n, &err);
    cr_assert_eq(status, GODWIT_OK, "%s", err.message);
    cr_assert_eq(n, n_expected, "'%s': %zu ids for %zu", text, n, n_expected);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(ids[i], expected[i], "'%s': id %zu is %d, expected %d", text, i, ids[i],
                     expected[i]);
    }
}
#define CHECK(v, text, no_special, parse_special, ...)                                             \
    check(v, text, no_special, parse_special, (const int32_t[]){__VA_ARGS__},                      \
          sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

Test(special, parsed_only_when_asked) {
    vocabulary v;
    make(&v, NULL, NULL);
    CHECK(&v, "a<s>", true, true, SPACE_A, BOS);
    // "<s>" as text never becomes the control token, though its pieces could be merged up to it.
    CHECK(&v, "a<s>", true, false, SPACE_A, LESS_S, GREATER);
    // User-defined tokens are cut out always; a space goes in front of what follows one.
    CHECK(&v, "a<tool>a", true, false, SPACE_A, TOOL, SPACE_A);
    // The longest wins.
    CHECK(&v, "<|end|>x<|end|>", true, true, END_X, END);
    CHECK(&v, "<|end|", true, true, SPACE, LESS, UNK, UNK, UNK, UNK, UNK);
    vocabulary_close(&v);
}

// "a" without the end that the file asks for: one or (second >= 0) two ids.
static void check_goes_on(const vocabulary *v, int32_t first, int32_t second) {
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.no_eos = true;
    int32_t ids[4] = {-1, -1, -1, -1};
    size_t n = 0;
    cr_assert_eq(gw_tokenizer_encode(v->tokenizer, "a", 1, &params, ids, 4, &n, NULL), GODWIT_OK);
    cr_expect_eq(n, second < 0 ? 1 : 2);
    cr_expect_eq(ids[0], first);
    cr_expect_eq(ids[1], second);
}

Test(special, begin_and_end) {
    vocabulary v;
    make(&v, NULL, NULL);
    CHECK(&v, "a", false, false, BOS, SPACE_A);
    CHECK(&v, "", false, false, BOS);
    check_goes_on(&v, BOS, SPACE_A);
    vocabulary_close(&v);
    make(&v, "tokenizer.ggml.add_eos_token", "tokenizer.ggml.add_bos_token");
    CHECK(&v, "a", false, false, SPACE_A, EOS);
    CHECK(&v, "a", true, false, SPACE_A);
    check_goes_on(&v, SPACE_A, -1);
    vocabulary_close(&v);
    make(&v, NULL, "tokenizer.ggml.add_space_prefix");
    CHECK(&v, "ab", true, false, AB);
    check_round_trip(v.tokenizer, " a", 2);
    vocabulary_close(&v);
}

Test(special, ends) {
    vocabulary v;
    make(&v, NULL, NULL);
    for (int32_t id = 0; id < N_ROWS; id++) {
        bool expected = id == EOS || id == END;
        cr_assert_eq(gw_tokenizer_is_end(v.tokenizer, id), expected, "%s", ROWS[id].text);
    }
    vocabulary_close(&v);
}

// Odd rows: the first of two equal texts is encoded to, an empty one never; all of them decode.
Test(special, odd_tokens) {
    vocabulary v;
    make(&v, NULL, NULL);
    CHECK(&v, "aa", true, false, SPACE_A, A);
    size_t n = 0;
    char *text = decode(v.tokenizer, (const int32_t[]){A_AGAIN, EMPTY, B, UNUSED, FF}, 5, &n);
    cr_assert_str_eq(text, "ab  unused" GW_UTF8_REPLACEMENT);
    free(text);
    // A byte that the vocabulary has no token for is read as U+FFFD: here the unknown token.
    CHECK(&v, "\xC3", true, false, SPACE, UNK);
    CHECK(&v, "b\xF0", true, false, SPACE, B, F0);
    vocabulary_close(&v);
}

static void feed(const vocabulary *v, godwit_decoder *decoder, int32_t id, const char *expected) {
    char text[64];
    size_t n = 0;
    godwit_error err = {0};
    cr_assert_eq(gw_tokenizer_decode(v->tokenizer, decoder, id, text, sizeof text, &n, &err),
                 GODWIT_OK, "%s", err.message);
    cr_assert_str_eq(text, expected);
    cr_assert_eq(n, strlen(expected));
}

Test(special, stream) {
    vocabulary v;
    godwit_decoder decoder = {0};
    make(&v, NULL, NULL);
    feed(&v, &decoder, BOS, "");
    feed(&v, &decoder, SPACE_A, "a"); // the encoder's own space
    feed(&v, &decoder, SPACE_A, " a");
    feed(&v, &decoder, F0, "");
    feed(&v, &decoder, X9F, "");
    feed(&v, &decoder, END, ""); // a control token is not in the way of a character
    feed(&v, &decoder, A6, "");
    feed(&v, &decoder, X99, "\xF0\x9F\xA6\x99");
    feed(&v, &decoder, F0, "");
    feed(&v, &decoder, A, GW_UTF8_REPLACEMENT "a");
    feed(&v, &decoder, X99, GW_UTF8_REPLACEMENT);
    feed(&v, &decoder, F0, "");
    feed(&v, &decoder, -1, GW_UTF8_REPLACEMENT);
    feed(&v, &decoder, -1, "");
    feed(&v, &decoder, TOOL, "<tool>");
    decoder = (godwit_decoder){0};
    feed(&v, &decoder, X20, "");
    feed(&v, &decoder, X20, " ");
    vocabulary_close(&v);
}

Test(special, arguments) {
    vocabulary v;
    godwit_decoder decoder = {0};
    godwit_error err = {0};
    char text[8];
    size_t n = 0;
    int32_t id = -7;
    make(&v, NULL, NULL);
    const gw_tokenizer *t = v.tokenizer;
    // What does not fit is told, and the decoder is as it was.
    cr_assert_eq(gw_tokenizer_decode(t, &decoder, TOOL, text, 6, &n, &err),
                 GODWIT_INVALID_ARGUMENT);
    cr_assert(strstr(err.message, "6 bytes"), "%s", err.message);
    cr_assert_not(decoder.started);
    cr_assert_eq(gw_tokenizer_decode(t, &decoder, TOOL, text, 7, &n, &err), GODWIT_OK);
    cr_assert_eq(gw_tokenizer_decode(t, &decoder, N_ROWS, text, 8, &n, &err),
                 GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_tokenizer_decode(t, &decoder, -2, text, 8, &n, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_tokenizer_decode(t, &decoder, A, text, 0, &n, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_tokenizer_decode(t, NULL, A, text, 8, &n, &err), GODWIT_INVALID_ARGUMENT);
    decoder.n_pending = 4;
    cr_assert_eq(gw_tokenizer_decode(t, &decoder, A, text, 8, &n, &err), GODWIT_INVALID_ARGUMENT);
    // Ids are counted past the array's end, and none is written there.
    cr_assert_eq(gw_tokenizer_encode(t, "a<b", 3, NULL, &id, 1, &n, &err), GODWIT_OK);
    cr_assert_eq(n, 4);
    cr_assert_eq(id, BOS);
    cr_assert_eq(gw_tokenizer_encode(t, "a", 1, NULL, NULL, 0, &n, &err), GODWIT_OK);
    cr_assert_eq(n, 2);
    cr_assert_eq(gw_tokenizer_encode(t, NULL, 1, NULL, &id, 1, &n, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_tokenizer_encode(t, "a", 1, NULL, NULL, 1, &n, &err), GODWIT_INVALID_ARGUMENT);
    cr_assert_eq(gw_tokenizer_encode(t, "a", (size_t)1 << 29, NULL, &id, 1, &n, &err),
                 GODWIT_INVALID_ARGUMENT);
    vocabulary_close(&v);
}

// Phi-3's special tokens swallow the white space behind them.
Test(special, phi_3_strips) {
    vocabulary v;
    vocabulary_open(&v, "vocab/ggml-vocab-phi-3.gguf");
    CHECK(&v, "<|user|>\nHello<|end|> \n<|assistant|>", true, true, 32010, 15043, 32007, 32001);
    CHECK(&v, "<s> \n", true, true, 1, 259, 13);
    vocabulary_close(&v);
}

// Equal scores merge from the left, 0 and -0 being equal; a token may have a space inside.
Test(special, merge_order) {
    static const token_row rows[] = {
        {"a", 1, -9},     {"b", 1, -9},    {"c", 1, -9},   {S, 1, -9},
        {"ab", 1, -0.0f}, {"bc", 1, 0.0f}, {S "c", 1, -1}, {"b" S "c", 1, -2},
    };
    enum { ID_AB = 4, ID_C = 2, ID_B_C = 7 };
    vocabulary v;
    counting memory;
    godwit_error err = {0};
    counting_init(&memory, 0);
    gw_gguf_writer *writer = write_vocabulary(&memory.host, "llama", rows, 8, NULL, 0);
    set_bool(writer, "tokenizer.ggml.add_space_prefix", false);
    set_bool(writer, "tokenizer.ggml.add_bos_token", false);
    vocabulary_parse(&v, writer);
    gw_gguf_writer_destroy(&writer);
    cr_assert_eq(gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err), GODWIT_OK, "%s",
                 err.message);
    CHECK(&v, "abc", true, false, ID_AB, ID_C);
    CHECK(&v, "b c", true, false, ID_B_C);
    vocabulary_close(&v);
}
