// Properties over random input: text comes back, streams are whole characters, time is linear.
#include "text/text_support.h"

#include "base/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const FILES[] = {
    "tests/golden/text/bpe.gguf",  // byte-level
    "models/story-q8_0.gguf",      // byte fallback
    "tests/golden/run/small.gguf", // byte fallback, few tokens, a space in front
    "vocab/ggml-vocab-gpt-2.gguf", // large ones
    "vocab/ggml-vocab-phi-3.gguf",
    "vocab/ggml-vocab-bert-bge.gguf", // forgets spaces, accents and capitals
};
enum { N_FILES = sizeof FILES / sizeof *FILES, N_LOSSLESS = N_FILES - 1 };

// A code point of one of several kinds; never U+2581, which SPM vocabularies read as a space. (The
// user-defined tokens here are too long to come up by chance.)
static uint32_t random_code_point(uint64_t *state) {
    static const uint32_t ranges[][2] = {{0x20, 0x7E},     {0x20, 0x20},        {0, 0x1F},
                                         {0x80, 0x24F},    {0x370, 0x10FF},     {0x2000, 0x2580},
                                         {0x3000, 0x9FFF}, {0xE000, 0xFFFF},    {0x1F300, 0x1FAFF},
                                         {'a', 'z'},       {0x10000, 0x10FFFF}, {'0', '9'}};
    size_t kind = next_random(state) % (sizeof ranges / sizeof *ranges);
    uint32_t low = ranges[kind][0];
    return low + (uint32_t)(next_random(state) % (ranges[kind][1] - low + 1));
}

static size_t random_text(uint64_t *state, char *text, size_t n_characters) {
    size_t n = 0;
    for (size_t i = 0; i < n_characters; i++) {
        n += (size_t)gw_utf8_put(random_code_point(state), text + n);
    }
    return n;
}

Test(properties, text_comes_back) {
    for (size_t f = 0; f < N_LOSSLESS; f++) {
        vocabulary v;
        uint64_t state = 1;
        if (!vocabulary_find(&v, FILES[f])) continue;
        for (int i = 0; i < 400; i++) {
            char text[4 * 60];
            size_t n = random_text(&state, text, next_random(&state) % 60);
            check_round_trip(v.tokenizer, text, n);
        }
        vocabulary_close(&v);
    }
}

// Any row of ids, also one that no text gives, streams as whole characters (decode checks it) and
// does so whatever was decoded before.
Test(properties, any_ids_decode_to_utf8) {
    for (size_t f = 0; f < N_FILES; f++) {
        vocabulary v;
        uint64_t state = 7;
        if (!vocabulary_find(&v, FILES[f])) continue;
        uint32_t n_tokens = gw_tokenizer_n_tokens(v.tokenizer);
        for (int i = 0; i < 200; i++) {
            int32_t ids[50];
            for (int k = 0; k < 50; k++) {
                // Half of them among the first 300: single bytes in all of them.
                uint64_t range = next_random(&state) % 2 ? n_tokens : 300;
                ids[k] = (int32_t)(next_random(&state) % range);
            }
            size_t n = 0;
            free(decode(v.tokenizer, ids, 50, &n));
        }
        vocabulary_close(&v);
    }
}

// Encode takes bytes that are no UTF-8, too; they decode to U+FFFD, all else unchanged.
Test(properties, any_bytes_encode) {
    for (size_t f = 0; f < N_LOSSLESS; f++) {
        vocabulary v;
        uint64_t state = 11;
        if (!vocabulary_find(&v, FILES[f])) continue;
        for (int i = 0; i < 300; i++) {
            char text[64];
            size_t n_ids = 0;
            size_t n = 0;
            for (size_t k = 0; k < sizeof text; k++) text[k] = (char)next_random(&state);
            int32_t *ids = encode(v.tokenizer, text, next_random(&state) % 64, true, &n_ids);
            free(decode(v.tokenizer, ids, n_ids, &n));
            free(ids);
        }
        static const char bad[] = {'a', '\xFF', 'b', '\xF0', '\x9F'};
        size_t n_ids = 0;
        size_t n = 0;
        int32_t *ids = encode(v.tokenizer, bad, sizeof bad, false, &n_ids);
        char *text = decode(v.tokenizer, ids, n_ids, &n);
        cr_assert_str_eq(text, "a" GW_UTF8_REPLACEMENT "b" GW_UTF8_REPLACEMENT);
        free(text);
        free(ids);
        vocabulary_close(&v);
    }
}

// Texts that make a careless tokenizer quadratic. One second a megabyte would be slow; the bound
// leaves room for sanitizers and a busy machine, and is far below what a quadratic one takes.
Test(properties, long_texts_take_linear_time) {
    enum { N = 1 << 20, MAX_SECONDS = 40, N_WHOLE = 2 };
    static const char *const units[] = {
        "a",   " ",    "\n",       "\n ", "1", "A",   "'", "\xE4\xBD\xA0",
        "ab ", "\xFF", "\xCC\x81", "/",   "<", "\r\n"};
    char *text = malloc(N);
    cr_assert_not_null(text);
    for (size_t f = 0; f < N_FILES; f++) {
        vocabulary v;
        if (!vocabulary_find(&v, FILES[f])) continue;
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            size_t n_unit = strlen(units[u]);
            size_t n = (u < N_WHOLE ? N : N / 10) / n_unit * n_unit;
            for (size_t i = 0; i < n; i++) text[i] = units[u][i % n_unit];
            size_t n_ids = 0;
            clock_t start = clock();
            free(encode(v.tokenizer, text, n, true, &n_ids));
            double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
            cr_assert(n_ids > 0 || f >= N_LOSSLESS);
            cr_assert_lt(seconds, MAX_SECONDS, "%s: %zu times '%s': %.1f s", FILES[f], n / n_unit,
                         units[u], seconds);
        }
        vocabulary_close(&v);
    }
    free(text);
}

// 86 KB of names and titles in many languages.
Test(properties, a_long_text_comes_back) {
    size_t n = 0;
    char *text = read_data("models/story-ATTRIBUTION.tsv", &n);
    for (size_t f = 0; f < N_LOSSLESS; f++) {
        vocabulary v;
        if (!vocabulary_find(&v, FILES[f])) continue;
        check_round_trip(v.tokenizer, text, n);
        vocabulary_close(&v);
    }
    free(text);
}
