// Vocabularies that are broken or odd: a clear error or defined behaviour, never a crash.
#include "text/text_support.h"

#include "text/tokenizer_impl.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "tokenizer.ggml."

static const token_row ROWS[] = {
    {"<unk>", 2, 0}, {"<s>", 3, 0}, {"</s>", 3, 0},   {"a", 1, -1},
    {"b", 1, -2},    {"ab", 1, -3}, {"<0x41>", 6, 0}, {"<tool>", 4, 0},
};
enum { N_ROWS = sizeof ROWS / sizeof *ROWS };
static const char *const MERGES[] = {"a b", "ab ab"};
static const char *const MODELS[] = {"llama", "gpt2", "bert", "t5", "gemma4", "whitespace"};
enum { N_MODELS = sizeof MODELS / sizeof *MODELS };

// --- ways to break a file

static void set_strs(gw_gguf_writer *writer, const char *key, const char *const *texts, size_t n) {
    gw_str strs[4];
    for (size_t i = 0; i < n; i++) strs[i] = gw_str_of(texts[i]);
    cr_assert_eq(gw_gguf_writer_set_strs(writer, key, strs, n, NULL), GODWIT_OK);
}

static void set_floats(gw_gguf_writer *writer, const char *key, size_t n, float last) {
    float numbers[N_ROWS] = {0};
    numbers[n - 1] = last;
    cr_assert_eq(gw_gguf_writer_set_array(writer, key, GW_GGUF_F32, numbers, n, NULL), GODWIT_OK);
}

// "b" becomes "ab": from the root's offset 1 it leads to unit 99 = 1 ^ 0x62 (label b, a leaf at offset
// 99 ^ 7 = 100), whose value, 1, is where the text is.
enum { MAP_UNITS = 102, MAP_BYTES = 4 + 4 * MAP_UNITS + 4 };
static void set_charsmap(gw_gguf_writer *writer, size_t n_bytes) {
    uint8_t map[MAP_BYTES] = {0};
    map[0] = 4 * MAP_UNITS & 0xFF;
    map[1] = 4 * MAP_UNITS >> 8;
    map[5] = 1 << 2; // of the root
    const uint32_t units[] = {0x62 | 1u << 8 | 7u << 10, 1u << 31 | 1};
    for (size_t i = 0; i < 8; i++) map[4 + 4 * 99 + i] = (uint8_t)(units[i / 4] >> i % 4 * 8);
    memcpy(map + 4 + 4 * MAP_UNITS, "\0ab", 4);
    cr_assert_eq(gw_gguf_writer_set_array(writer, PREFIX "precompiled_charsmap", GW_GGUF_U8, map,
                                          n_bytes, NULL),
                 GODWIT_OK);
}

static void set_kinds(gw_gguf_writer *writer, size_t n, int32_t last) {
    int32_t kinds[N_ROWS];
    for (size_t i = 0; i < n; i++) kinds[i] = ROWS[i].kind;
    kinds[n - 1] = last;
    cr_assert_eq(gw_gguf_writer_set_array(writer, PREFIX "token_type", GW_GGUF_I32, kinds, n, NULL),
                 GODWIT_OK);
}

static void set_merge(gw_gguf_writer *writer, const char *merge) {
    const char *merges[] = {"a b", merge};
    set_strs(writer, PREFIX "merges", merges, 2);
}

static void break_model(gw_gguf_writer *w) {
    set_str(w, PREFIX "model", "rwkv");
}
static void break_model_type(gw_gguf_writer *w) {
    set_u32(w, PREFIX "model", 1);
}
static void break_tokens_type(gw_gguf_writer *w) {
    set_floats(w, PREFIX "tokens", N_ROWS, 0);
}
static void break_tokens_scalar(gw_gguf_writer *w) {
    set_str(w, PREFIX "tokens", "a");
}
static void break_scores_short(gw_gguf_writer *w) {
    set_floats(w, PREFIX "scores", N_ROWS - 1, 0);
}
static void break_scores_nan(gw_gguf_writer *w) {
    set_floats(w, PREFIX "scores", N_ROWS, NAN);
}
static void break_scores_inf(gw_gguf_writer *w) {
    set_floats(w, PREFIX "scores", N_ROWS, -INFINITY);
}
static void break_scores_strs(gw_gguf_writer *w) {
    set_strs(w, PREFIX "scores", MERGES, 2);
}
static void break_scores_scalar(gw_gguf_writer *w) {
    set_u32(w, PREFIX "scores", 1);
}
static void break_scores_huge(gw_gguf_writer *w) {
    double numbers[N_ROWS] = {1e300};
    cr_assert_eq(gw_gguf_writer_set_array(w, PREFIX "scores", GW_GGUF_F64, numbers, N_ROWS, NULL),
                 GODWIT_OK);
}
static void break_kinds_short(gw_gguf_writer *w) {
    set_kinds(w, N_ROWS - 1, 1);
}
static void break_kinds_high(gw_gguf_writer *w) {
    set_kinds(w, N_ROWS, 7);
}
static void break_kinds_low(gw_gguf_writer *w) {
    set_kinds(w, N_ROWS, -1);
}
static void break_byte(gw_gguf_writer *w) {
    set_kinds(w, N_ROWS, 6);
}
static void break_unknown(gw_gguf_writer *w) {
    set_str(w, PREFIX "unknown_token_id", "0");
}
static void break_bos_array(gw_gguf_writer *w) {
    set_floats(w, PREFIX "bos_token_id", 1, 1);
}
static void break_add_bos(gw_gguf_writer *w) {
    set_u32(w, PREFIX "bos_token_id", UINT32_MAX);
    set_bool(w, PREFIX "add_bos_token", true);
}
static void break_add_eos(gw_gguf_writer *w) {
    set_str(w, PREFIX "add_eos_token", "yes");
}
static void break_pre(gw_gguf_writer *w) {
    set_str(w, PREFIX "pre", "no-such-pre");
}
static void break_pre_type(gw_gguf_writer *w) {
    set_u32(w, PREFIX "pre", 1);
}
static void break_merges_type(gw_gguf_writer *w) {
    set_floats(w, PREFIX "merges", 2, 0);
}
static void break_merge_apart(gw_gguf_writer *w) {
    set_merge(w, "ab");
}
static void break_merge_empty(gw_gguf_writer *w) {
    set_merge(w, "");
}
static void break_merge_left(gw_gguf_writer *w) {
    set_merge(w, " a");
}
static void break_merge_right(gw_gguf_writer *w) {
    set_merge(w, "a ");
}

static const struct {
    void (*apply)(gw_gguf_writer *writer);
    const char *model;
    godwit_status status;
    const char *said; // in the message
} BREAKS[] = {
    {break_model, "llama", GODWIT_UNSUPPORTED, "rwkv"},
    {break_model_type, "llama", GODWIT_MALFORMED, "model"},
    {break_tokens_type, "llama", GODWIT_MALFORMED, "tokens"},
    {break_tokens_scalar, "gpt2", GODWIT_MALFORMED, "tokens"},
    {break_scores_short, "llama", GODWIT_MALFORMED, "scores has 7 items for 8"},
    {break_scores_nan, "llama", GODWIT_MALFORMED, "scores"},
    {break_scores_inf, "llama", GODWIT_MALFORMED, "scores"},
    {break_scores_strs, "llama", GODWIT_MALFORMED, "scores"},
    {break_scores_scalar, "llama", GODWIT_MALFORMED, "scores"},
    {break_scores_huge, "llama", GODWIT_MALFORMED, "scores"},
    {break_kinds_short, "llama", GODWIT_MALFORMED, "token_type has 7 items for 8"},
    {break_kinds_high, "gpt2", GODWIT_MALFORMED, "token_type: item 7 is 7"},
    {break_kinds_low, "llama", GODWIT_MALFORMED, "token_type"},
    {break_byte, "llama", GODWIT_MALFORMED, "token 7 is a byte"},
    {break_unknown, "llama", GODWIT_MALFORMED, "unknown_token_id"},
    {break_bos_array, "llama", GODWIT_MALFORMED, "bos_token_id"},
    {break_add_bos, "llama", GODWIT_MALFORMED, "add_bos_token"},
    {break_add_eos, "llama", GODWIT_MALFORMED, "add_eos_token"},
    {break_pre, "gpt2", GODWIT_UNSUPPORTED, "llama-bpe"},
    {break_pre, "gpt2", GODWIT_UNSUPPORTED, "'no-such-pre'"},
    {break_pre_type, "gpt2", GODWIT_MALFORMED, "pre"},
    {break_merges_type, "gpt2", GODWIT_MALFORMED, "merges"},
    {break_merge_apart, "gpt2", GODWIT_MALFORMED, "merges: item 1 is 'ab'"},
    {break_merge_empty, "gpt2", GODWIT_MALFORMED, "merges: item 1"},
    {break_merge_left, "gpt2", GODWIT_MALFORMED, "merges: item 1"},
    {break_merge_right, "gpt2", GODWIT_MALFORMED, "merges: item 1"},
};

static bool has_merges(const char *model) {
    return strcmp(model, "gpt2") == 0 || strcmp(model, "gemma4") == 0 ||
           strcmp(model, "whitespace") == 0;
}

static gw_gguf_writer *start(const counting *memory, const char *model) {
    bool bpe = has_merges(model);
    return write_vocabulary(&memory->host, model, ROWS, N_ROWS, bpe ? MERGES : NULL, bpe ? 2 : 0);
}

Test(hostile, is_told_with_its_key) {
    for (size_t i = 0; i < sizeof BREAKS / sizeof *BREAKS; i++) {
        counting memory;
        vocabulary v;
        godwit_error err = {0};
        counting_init(&memory, 0);
        gw_gguf_writer *writer = start(&memory, BREAKS[i].model);
        BREAKS[i].apply(writer);
        vocabulary_parse(&v, writer);
        gw_gguf_writer_destroy(&writer);
        godwit_status status = gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err);
        cr_assert_eq(status, BREAKS[i].status, "break %zu: %s: %s", i, godwit_status_name(status),
                     err.message);
        cr_assert_null(v.tokenizer);
        cr_assert(strstr(err.message, BREAKS[i].said), "break %zu: %s", i, err.message);
        const char *name = strstr(err.message, "test.gguf");
        cr_assert(name == err.message, "break %zu: %s", i, err.message);
        cr_assert_null(strstr(name + 1, "test.gguf"), "break %zu: %s", i, err.message);
        vocabulary_close(&v);
    }
}

// Keys that must be there.
Test(hostile, missing_keys) {
    static const struct {
        const char *model, *said;
        bool tokens;
    } cases[] = {
        {NULL, PREFIX "model is missing", false},    {"llama", PREFIX "tokens is missing", false},
        {"gpt2", PREFIX "tokens is missing", false}, {"llama", PREFIX "scores is missing", true},
        {"gpt2", PREFIX "merges is missing", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        counting memory;
        vocabulary v;
        godwit_error err = {0};
        gw_gguf_writer *writer = NULL;
        counting_init(&memory, 0);
        cr_assert_eq(gw_gguf_writer_create(&memory.host, &writer, NULL), GODWIT_OK);
        if (cases[i].model) set_str(writer, PREFIX "model", cases[i].model);
        if (cases[i].tokens) set_strs(writer, PREFIX "tokens", MERGES, 2);
        vocabulary_parse(&v, writer);
        gw_gguf_writer_destroy(&writer);
        godwit_status status = gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err);
        cr_assert_eq(status, GODWIT_MALFORMED, "case %zu: %s", i, err.message);
        cr_assert(strstr(err.message, cases[i].said), "case %zu: %s", i, err.message);
        vocabulary_close(&v);
    }
}

// No unknown token and no bytes: what cannot be spelled is an error that names it.
Test(hostile, cannot_be_spelled) {
    for (int bpe = 0; bpe < 2; bpe++) {
        counting memory;
        vocabulary v;
        godwit_error err = {0};
        int32_t ids[8];
        size_t n = 0;
        counting_init(&memory, 0);
        gw_gguf_writer *writer = start(&memory, bpe ? "gpt2" : "llama");
        set_u32(writer, PREFIX "unknown_token_id", UINT32_MAX);
        set_bool(writer, PREFIX "add_space_prefix", false);
        vocabulary_parse(&v, writer);
        gw_gguf_writer_destroy(&writer);
        cr_assert_eq(gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err), GODWIT_OK,
                     "%s", err.message);
        godwit_status status =
            gw_tokenizer_encode(v.tokenizer, "ab\xC3\xA9", 4, NULL, ids, 8, &n, &err);
        cr_assert_eq(status, GODWIT_INVALID_ARGUMENT);
        cr_assert(strstr(err.message, bpe ? "0xC3" : "U+00E9"), "%s", err.message);
        // "abab": a merge's result that is no token is spelled by its bytes.
        int32_t *whole = encode(v.tokenizer, "abab", 4, false, &n);
        cr_assert_eq(n, bpe ? 4 : 2);
        free(whole);
        vocabulary_close(&v);
    }
}

// Maps that are cut short are refused, a whole one is used.
Test(hostile, charsmaps) {
    for (size_t n = 1; n <= MAP_BYTES; n++) {
        counting memory;
        vocabulary v;
        godwit_error err = {0};
        counting_init(&memory, 0);
        gw_gguf_writer *writer = start(&memory, "t5");
        set_charsmap(writer, n);
        set_bool(writer, PREFIX "add_space_prefix", false);
        vocabulary_parse(&v, writer);
        gw_gguf_writer_destroy(&writer);
        godwit_status status = gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err);
        // With one zero less or two there is still a map that says something.
        const bool whole = n > MAP_BYTES - 4;
        if (!whole || n == MAP_BYTES - 2 || n == MAP_BYTES - 1) {
            cr_assert_eq(status, GODWIT_MALFORMED, "%zu bytes", n);
            cr_assert(strstr(err.message, "charsmap"), "%s", err.message);
        } else {
            cr_assert_eq(status, GODWIT_OK, "%zu bytes: %s", n, err.message);
        }
        if (n == MAP_BYTES) {
            size_t n_ids = 0;
            int32_t *ids = encode(v.tokenizer, "bab", 3, false, &n_ids);
            const int32_t expected[] = {5, 3, 5}; // ab a ab
            cr_assert_eq(n_ids, 3);
            cr_assert_eq(memcmp(ids, expected, sizeof expected), 0);
            free(ids);
        }
        vocabulary_close(&v);
    }
}

// Texts that all fall on one slot of the index would make it quadratic: refused, in bounded time.
Test(hostile, colliding_texts) {
    enum { N = 2048, MASK = 2 * N - 1 };
    char(*texts)[16] = malloc(N * sizeof *texts);
    token_row *rows = malloc(N * sizeof *rows);
    cr_assert(texts && rows);
    size_t n = 0;
    for (uint64_t i = 0; n < N; i++) {
        int length = snprintf(texts[n], sizeof *texts, "%llx", (unsigned long long)i);
        if ((gw_index_hash(0, texts[n], (size_t)length) & MASK) != 5) continue;
        rows[n] = (token_row){texts[n], 1, 0};
        n++;
    }
    counting memory;
    vocabulary v;
    godwit_error err = {0};
    counting_init(&memory, 0);
    gw_gguf_writer *writer = write_vocabulary(&memory.host, "llama", rows, N, NULL, 0);
    vocabulary_parse(&v, writer);
    gw_gguf_writer_destroy(&writer);
    cr_assert_eq(gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err), GODWIT_MALFORMED);
    cr_assert(strstr(err.message, "collide"), "%s", err.message);
    vocabulary_close(&v);
    free(texts);
    free(rows);
}

// Files with bytes changed at random: whatever loads can be used.
Test(hostile, changed_bytes) {
    uint64_t state = 3;
    size_t n_loaded = 0;
    for (int round = 0; round < 4000; round++) {
        counting memory;
        vocabulary v;
        counting_init(&memory, 0);
        gw_gguf_writer *writer = start(&memory, MODELS[round % N_MODELS]);
        set_charsmap(writer, MAP_BYTES);
        vocabulary_parse(&v, writer);
        gw_gguf_writer_destroy(&writer);
        gw_gguf_destroy(&v.gguf);
        for (uint64_t k = next_random(&state) % 3 + 1; k > 0; k--) {
            v.bytes[next_random(&state) % v.n_bytes] ^= (uint8_t)(1 << next_random(&state) % 8);
        }
        godwit_status status =
            gw_gguf_parse(&v.memory.host, v.bytes, v.n_bytes, "test.gguf", &v.gguf, NULL);
        if (status == GODWIT_OK) {
            status = gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, NULL);
        }
        if (status == GODWIT_OK) {
            static const char text[] = "abab <tool>A</s> \xF0";
            int32_t ids[64];
            size_t n = 0;
            size_t n_text = 0;
            n_loaded++;
            godwit_encode_params params = {.struct_size = sizeof params, .parse_special = true};
            status =
                gw_tokenizer_encode(v.tokenizer, text, sizeof text - 1, &params, ids, 64, &n, NULL);
            if (status == GODWIT_OK) free(decode(v.tokenizer, ids, n, &n_text));
        }
        vocabulary_close(&v);
    }
    cr_assert_gt(n_loaded, 100);
}

// --- the n-th allocation fails

static godwit_status use(const gw_gguf *gguf, counting *memory) {
    static const char text[] = "ab abab <tool> a longer text a longer text a longer text, 123";
    godwit_error err = {0};
    gw_tokenizer *tokenizer = NULL;
    int32_t ids[128];
    size_t n = 0;
    godwit_status status = gw_tokenizer_create(&memory->host, gguf, &tokenizer, &err);
    if (status == GODWIT_OK) {
        status = gw_tokenizer_encode(tokenizer, text, sizeof text - 1, NULL, ids, 128, &n, &err);
    }
    gw_tokenizer_destroy(&tokenizer);
    if (status != GODWIT_OK) cr_assert_gt(strlen(err.message), 0);
    return status;
}

Test(hostile, every_allocation_fails) {
    static const char long_merge[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    for (int m = 0; m < N_MODELS; m++) {
        counting memory;
        vocabulary v;
        const bool bpe = has_merges(MODELS[m]);
        counting_init(&memory, 0);
        gw_gguf_writer *writer = start(&memory, MODELS[m]);
        if (bpe) set_merge(writer, long_merge);
        set_u32(writer, PREFIX "unknown_token_id", 0);
        vocabulary_parse(&v, writer);
        gw_gguf_writer_destroy(&writer);
        int64_t n = 1;
        for (;; n++) {
            counting failing;
            counting_init(&failing, n);
            godwit_status status = use(v.gguf, &failing);
            cr_assert_eq(failing.n_live, 0, "allocation %lld: a leak", (long long)n);
            cr_assert_eq(failing.live_bytes, 0, "allocation %lld: a wrong size", (long long)n);
            if (status == GODWIT_OK) break;
            cr_assert_eq(status, GODWIT_OUT_OF_MEMORY, "allocation %lld: %s", (long long)n,
                         godwit_status_name(status));
        }
        cr_assert_gt(n, bpe ? 15 : 8, "only %lld allocations", (long long)n);
        vocabulary_close(&v);
    }
}
