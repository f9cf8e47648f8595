// breakers.c: texts across which DRY sees no repeat, as tokens: those that have one whole, and those that
// end with the beginning of one, with the tokens of the rest behind them (llama.cpp's way).
#include <string.h>

#include "cli.h"
#include "sampling.h"

enum { TEXT_BYTES_MAX = 40, REST_TOKENS_MAX = 20 };

typedef struct id_list {
    int32_t *items;
    uint32_t n, cap;
} id_list;

static void add(id_list *list, int32_t id) {
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 256;
        list->items = cli_realloc(list->items, list->cap * sizeof(*list->items));
    }
    list->items[list->n++] = id;
}

static size_t length_of(const char *breaker) {
    const size_t n = strlen(breaker);
    return n < TEXT_BYTES_MAX ? n : TEXT_BYTES_MAX;
}

static bool has(const char *text, size_t n_bytes, const char *breaker) {
    const size_t n = length_of(breaker);
    for (size_t at = 0; n && at + n <= n_bytes; at++)
        if (memcmp(text + at, breaker, n) == 0) return true;
    return false;
}

// What there is where a token's text ends inside the breaker.
static void add_sequences(const godwit_tokenizer *tokenizer, int32_t id, const char *text,
                          size_t n_bytes, const char *breaker, id_list *out) {
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.no_special = true;
    for (size_t at = 0; at < n_bytes; at++) {
        const size_t n = n_bytes - at;
        int32_t rest[REST_TOKENS_MAX];
        size_t n_rest = 0;
        if (n >= length_of(breaker) || memcmp(text + at, breaker, n) != 0) continue;
        if (godwit_tokenizer_encode(tokenizer, breaker + n, length_of(breaker) - n, &params, rest,
                                    REST_TOKENS_MAX, &n_rest, NULL) != GODWIT_OK ||
            n_rest == 0)
            continue;
        add(out, id);
        for (size_t i = 0; i < n_rest && i < REST_TOKENS_MAX; i++) add(out, rest[i]);
        add(out, -1);
    }
}

static void find_breakers(const cli_words *words, const godwit_tokenizer *tokenizer, id_list *alone,
                          id_list *sequences) {
    static const char *const usual[] = {"\n", ":", "\"", "*"};
    const char *const *texts = words->n ? words->items : usual;
    const size_t n_texts = words->n ? words->n : sizeof(usual) / sizeof(usual[0]);
    const int32_t n = (int32_t)godwit_tokenizer_n_tokens(tokenizer);
    for (int32_t id = 0; id < n; id++) {
        char text[1024];
        size_t n_bytes = 0;
        bool whole = false;
        godwit_decoder decoder = {.started = true};
        if (godwit_tokenizer_decode(tokenizer, &decoder, id, text, sizeof(text), &n_bytes, NULL) !=
            GODWIT_OK)
            continue;
        for (size_t i = 0; i < n_texts && !whole; i++) whole = has(text, n_bytes, texts[i]);
        if (whole) add(alone, id);
        for (size_t i = 0; i < n_texts; i++)
            if (!has(text, n_bytes, texts[i]))
                add_sequences(tokenizer, id, text, n_bytes, texts[i], sequences);
    }
}

void cli_sampling_breakers(const cli_options *options, const godwit_tokenizer *tokenizer,
                           godwit_sample_params *sampling) {
    static id_list alone, sequences; // as long as the process
    static bool made;
    const cli_words *words = &options->dry_breakers;
    if (words->n == 1 && strcmp(words->items[0], "none") == 0) return;
    if (sampling->dry_multiplier == 0.0f) return;
    if (!made) find_breakers(words, tokenizer, &alone, &sequences);
    made = true;
    sampling->dry_breakers = alone.items;
    sampling->n_dry_breakers = alone.n;
    sampling->dry_sequences = sequences.items;
    sampling->n_dry_sequences = sequences.n;
}
