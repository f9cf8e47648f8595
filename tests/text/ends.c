// Which tokens end a generation, and what is warned of while a vocabulary is read.
#include "text/text_support.h"

#include "text/tokenizer_impl.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define KEY(name) "tokenizer.ggml." name

enum { MAX_LINES = 4, NORMAL = 1, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5 };

typedef struct heard {
    size_t n;
    char lines[MAX_LINES][512];
} heard;

static void hear(void *user, godwit_log_level level, const char *line) {
    heard *h = user;
    cr_assert_eq(level, GODWIT_LOG_WARN, "%s", line);
    cr_assert_lt(h->n, MAX_LINES, "%s", line);
    snprintf(h->lines[h->n++], sizeof h->lines[0], "%s", line);
}

// A vocabulary of rows with one number among its keys (key NULL: none); pre NULL: no such key.
static heard make(vocabulary *v, const char *model, const token_row *rows, size_t n_rows,
                  const char *key, uint32_t number, const char *pre) {
    static const char *const merges[] = {"a b"};
    counting memory;
    heard h = {0};
    godwit_error err = {0};
    counting_init(&memory, 0);
    gw_gguf_writer *writer = write_vocabulary(&memory.host, model, rows, n_rows, merges, 1);
    if (key) set_u32(writer, key, number);
    if (pre) set_str(writer, KEY("pre"), pre);
    vocabulary_parse(v, writer);
    gw_gguf_writer_destroy(&writer);
    v->memory.host.log = hear;
    v->memory.host.log_user = &h;
    cr_assert_eq(gw_tokenizer_create(&v->memory.host, v->gguf, &v->tokenizer, &err), GODWIT_OK,
                 "%s", err.message);
    v->memory.host.log = NULL;
    return h;
}

#define BASE                                                                                       \
    {"<unk>", 2, 0}, {"<s>", CONTROL, 0}, {"</s>", CONTROL, 0}, {                                  \
        "a", NORMAL, -1                                                                            \
    }
enum { N_BASE = 4 };

// The texts that llama.cpp's vocabularies end at, each of each type.
static const char *const TEXTS[] = {
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "[e~[",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
    "< EOT >",
};

Test(ends, by_text_whatever_the_type) {
    static const int32_t kinds[] = {CONTROL, USER_DEFINED, NORMAL, UNUSED};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        for (size_t k = 0; k < 4; k++) {
            const token_row rows[] = {
                BASE, {TEXTS[i], kinds[k], -2}, {"<|im_start|>", kinds[k], 0}};
            vocabulary v;
            size_t n = 0;
            heard h = make(&v, "llama", rows, N_BASE + 2, NULL, 0, NULL);
            cr_expect(gw_tokenizer_is_end(v.tokenizer, N_BASE), "%s", TEXTS[i]);
            cr_expect_not(gw_tokenizer_is_end(v.tokenizer, N_BASE + 1));
            cr_expect_eq(h.n, kinds[k] != CONTROL, "%s: %s", TEXTS[i], h.lines[0]);
            cr_expect(h.n == 0 || (strstr(h.lines[0], "token 4 ") && strstr(h.lines[0], TEXTS[i]) &&
                                   strstr(h.lines[0], "token_type")),
                      "%s", h.lines[0]);
            // A control token now: no text forges it unless asked to, and it prints nothing.
            int32_t *ids = encode(v.tokenizer, TEXTS[i], strlen(TEXTS[i]), true, &n);
            cr_expect_eq(n, 1);
            cr_expect_eq(ids[0], N_BASE);
            free(ids);
            ids = encode(v.tokenizer, TEXTS[i], strlen(TEXTS[i]), false, &n);
            for (size_t t = 0; t < n; t++) cr_expect_neq(ids[t], N_BASE, "%s", TEXTS[i]);
            free(ids);
            char *text = decode(v.tokenizer, (const int32_t[]){3, N_BASE, 3}, 3, &n);
            cr_expect_str_eq(text, "aa");
            free(text);
            vocabulary_close(&v);
        }
    }
}

// What ends a file of code or a gap in one stays what the file says: prompts are written with it.
Test(ends, of_code) {
    static const char *const texts[] = {"<|fim_pad|>",  "<fim-pad>",   "<fim_pad>",
                                        "<|fim_repo|>", "<fim-repo>",  "<|repo_name|>",
                                        "<reponame>",   "<|file_sep|>"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const token_row rows[] = {BASE, {texts[i], USER_DEFINED, -2}};
        vocabulary v;
        size_t n = 0;
        heard h = make(&v, "llama", rows, N_BASE + 1, NULL, 0, NULL);
        cr_expect(gw_tokenizer_is_end(v.tokenizer, N_BASE), "%s", texts[i]);
        cr_expect_eq(h.n, 0);
        int32_t *ids = encode(v.tokenizer, texts[i], strlen(texts[i]), false, &n);
        cr_expect_eq(n, 1);
        cr_expect_eq(ids[0], N_BASE);
        free(ids);
        vocabulary_close(&v);
    }
}

// One line, however many there are.
Test(ends, many_are_one_warning) {
    const token_row rows[] = {
        BASE, {"<|im_end|>", NORMAL, 0}, {"<eos>", NORMAL, 0}, {"<|im_end|>", USER_DEFINED, 0}};
    vocabulary v;
    heard h = make(&v, "llama", rows, N_BASE + 3, NULL, 0, NULL);
    cr_assert_eq(h.n, 1);
    cr_expect(strstr(h.lines[0], "2 more"), "%s", h.lines[0]);
    for (int32_t id = N_BASE; id < N_BASE + 3; id++) {
        cr_expect(gw_tokenizer_is_end(v.tokenizer, id));
    }
    vocabulary_close(&v);
}

// Where a vocabulary has other tokens for it, <|end|> ends a part of a turn, and </s> nothing.
Test(ends, of_parts) {
    static const struct {
        const char *text, *a, *b;
        bool ends;
    } cases[] = {
        {"<|end|>", "<|return|>", "<|call|>", false},  {"<|end|>", "<|flush|>", "<|calls|>", false},
        {"<|end|>", "<|return|>", "<|im_end|>", true}, {"<|end|>", "<|call|>", "<|calls|>", true},
        {"</s>", "<|tool_response>", "b", false},      {"</s>", "<|return|>", "<|call|>", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const token_row rows[] = {{"<unk>", 2, 0},          {"<s>", CONTROL, 0},
                                  {"<eos>", CONTROL, 0},    {cases[i].text, CONTROL, 0},
                                  {cases[i].a, CONTROL, 0}, {cases[i].b, CONTROL, 0}};
        vocabulary v;
        heard h = make(&v, "llama", rows, 6, NULL, 0, NULL);
        cr_expect_eq(h.n, 0);
        cr_expect_eq(gw_tokenizer_is_end(v.tokenizer, 3), cases[i].ends, "case %zu", i);
        vocabulary_close(&v);
    }
}

Test(ends, by_key) {
    static const char *const keys[] = {KEY("eos_token_id"),     KEY("eot_token_id"),
                                       KEY("eom_token_id"),     KEY("fim_pad_token_id"),
                                       KEY("fim_rep_token_id"), KEY("fim_sep_token_id")};
    const token_row rows[] = {BASE, {"<odd>", CONTROL, 0}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        vocabulary v;
        heard h = make(&v, "llama", rows, N_BASE + 1, keys[i], N_BASE, NULL);
        cr_expect_eq(h.n, 0);
        cr_expect(gw_tokenizer_is_end(v.tokenizer, N_BASE), "%s", keys[i]);
        vocabulary_close(&v);
    }
}

// An id past the vocabulary is said, and read as if the key were not there.
Test(ends, ids_out_of_range_are_warned_of) {
    static const struct {
        const char *model, *key;
        uint32_t id;
        int32_t bos, eos;
    } cases[] = {
        {"llama", KEY("bos_token_id"), N_BASE, 1, 2},
        {"llama", KEY("eos_token_id"), 0xFFFFFFFE, 1, 2},
        {"llama", KEY("eot_token_id"), 1u << 31, 1, 2},
        {"gpt2", KEY("bos_token_id"), 1000, -1, -1},
        {"gpt2", KEY("eos_token_id"), N_BASE, -1, -1},
        {"gpt2", KEY("eom_token_id"), N_BASE, -1, -1},
    };
    const token_row rows[] = {BASE};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char number[16];
        vocabulary v;
        heard h = make(&v, cases[i].model, rows, N_BASE, cases[i].key, cases[i].id, "qwen2");
        snprintf(number, sizeof number, "is %u,", cases[i].id);
        cr_assert_eq(h.n, 1, "case %zu", i);
        cr_expect(strstr(h.lines[0], cases[i].key) && strstr(h.lines[0], number) &&
                      strstr(h.lines[0], "4 tokens"),
                  "%s", h.lines[0]);
        cr_expect_eq(gw_tokenizer_bos(v.tokenizer), cases[i].bos, "case %zu", i);
        cr_expect_eq(gw_tokenizer_eos(v.tokenizer), cases[i].eos, "case %zu", i);
        vocabulary_close(&v);
    }
}

Test(ends, missing_pre_is_warned_of) {
    const token_row rows[] = {BASE};
    vocabulary v;
    heard h = make(&v, "gpt2", rows, N_BASE, NULL, 0, NULL);
    cr_assert_eq(h.n, 1);
    cr_expect(strstr(h.lines[0], "tokenizer.ggml.pre is missing"), "%s", h.lines[0]);
    vocabulary_close(&v);
    h = make(&v, "gpt2", rows, N_BASE, NULL, 0, "default");
    cr_expect_eq(h.n, 0);
    vocabulary_close(&v);
    h = make(&v, "llama", rows, N_BASE, NULL, 0, NULL); // has no pre-tokenizer
    cr_expect_eq(h.n, 0);
    vocabulary_close(&v);
}
