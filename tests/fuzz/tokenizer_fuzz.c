// Fuzzer of the tokenizer (libFuzzer): the input is a GGUF file, its last bytes are also the text
// to encode. Whatever loads must encode, and what it encodes to must decode to whole characters.
// Also lets an allocation fail, chosen by the input's length.
//
// Seeds: tests/fuzz/corpus/tokenizer/, made by tokenizer_seeds.py. Dictionary: tokenizer.dict.
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "text/tokenizer.h"

enum { TEXT_MAX = 64, IDS_MAX = 16 * TEXT_MAX };

static void check_whole(const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text + i, n - i, &code_point);
        CHECK(length > 0, "half a character");
        i += (size_t)length;
    }
}

static void use(const gw_tokenizer *tokenizer, const char *text, size_t n) {
    static const godwit_encode_params params = {.struct_size = sizeof params,
                                                .parse_special = true};
    int32_t ids[IDS_MAX];
    size_t n_ids = 0;
    godwit_decoder decoder = {0};
    if (gw_tokenizer_encode(tokenizer, text, n, &params, ids, IDS_MAX, &n_ids, NULL)) return;
    CHECK(n_ids <= IDS_MAX, "more ids than a text of that length can have");
    for (size_t i = 0; i <= n_ids; i++) {
        char piece[4096];
        size_t n_piece = 0;
        int32_t id = i < n_ids ? ids[i] : -1;
        CHECK(id < (int32_t)gw_tokenizer_n_tokens(tokenizer), "an id out of range");
        if (gw_tokenizer_decode(tokenizer, &decoder, id, piece, sizeof piece, &n_piece, NULL)) {
            continue; // a piece longer than the buffer
        }
        check_whole(piece, n_piece);
        (void)gw_tokenizer_is_end(tokenizer, id);
    }
}

static void run(const uint8_t *data, size_t n, size_t n_until_failure) {
    failing f = {.n_left = n_until_failure};
    godwit_allocator allocator = {&f, failing_realloc};
    gw_host host;
    gw_gguf *gguf = NULL;
    gw_tokenizer *tokenizer = NULL;
    size_t n_text = n < TEXT_MAX ? n : TEXT_MAX;
    gw_host_init(&host, &allocator, NULL, NULL);
    if (gw_gguf_parse(&host, data, n, "fuzz", &gguf, NULL) == GODWIT_OK &&
        gw_tokenizer_create(&host, gguf, &tokenizer, NULL) == GODWIT_OK) {
        use(tokenizer, (const char *)data + (n - n_text), n_text);
    }
    gw_tokenizer_destroy(&tokenizer);
    gw_gguf_destroy(&gguf);
    CHECK(f.live_bytes == 0, "a leak, or a wrong size at a free");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    run(data, n, 0);
    run(data, n, n % 61 + 1);
    return 0;
}
