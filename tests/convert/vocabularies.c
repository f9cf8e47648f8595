// Vocabularies of folders, and ids of texts with what they become: see tests/golden/vocabularies.py.
#include "convert/convert_support.h"
#include "convert/hf_family.h"
#include "convert/hf_tokens.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/convert/vocabularies.txt.zst"
enum { MAX_TEXT = 1 << 16, MAX_IDS = 1 << 14 };

typedef struct vocabulary {
    char name[64];
    gw_hf hf;
    uint8_t *bytes; // of the file that is written
    size_t n;
    gw_gguf *gguf;
    gw_tokenizer *tokenizer;
} vocabulary;

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// "-": nothing.
static size_t unhex(const char *hex, char *out) {
    size_t n = 0;
    for (; hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0; hex += 2)
        out[n++] = (char)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
    return n;
}

static const gw_json *parse(gw_hf *hf, gw_str text) {
    godwit_error err = {0};
    const gw_json *out = NULL;
    cr_assert_eq(gw_json_parse(&hf->arena, (const uint8_t *)text.text, text.n, &out, &err),
                 GODWIT_OK, "%s", err.message);
    return out;
}

// "file <name> <hex>"
static void read_file_line(vocabulary *v, const char *line) {
    char file[64], config[128];
    int at = 0;
    cr_assert_eq(sscanf(line, "file %63s %n", file, &at), 1);
    const size_t n_hex = strcspn(line + at, "\n");
    char *text = gw_arena_alloc(&v->hf.arena, n_hex / 2 + 1, 1);
    cr_assert_not_null(text);
    const gw_str data = {text, unhex(line + at, text)};
    if (!strcmp(file, "tokenizer.json")) v->hf.tokenizer = parse(&v->hf, data);
    if (!strcmp(file, "tokenizer_config.json")) v->hf.tokenizer_config = parse(&v->hf, data);
    if (!strcmp(file, "tokenizer.model")) v->hf.sentencepiece = data;
    if (!strcmp(file, "tiktoken.model")) {
        v->hf.tiktoken = data;
        snprintf(v->hf.tiktoken_name, sizeof v->hf.tiktoken_name, "%s", file);
    }
    if (strcmp(file, "architecture") != 0) return;
    const int n =
        snprintf(config, sizeof config, "{\"architectures\":[\"%.*s\"]}", (int)data.n, data.text);
    char *copy = gw_arena_strndup(&v->hf.arena, config, (size_t)n);
    v->hf.config = parse(&v->hf, (gw_str){copy, (size_t)n});
    v->hf.family = gw_hf_family_of(&v->hf);
    cr_assert_not_null(v->hf.family);
}

static godwit_status collect(void *user, const void *bytes, size_t n, godwit_error *err) {
    vocabulary *v = user;
    (void)err;
    v->bytes = realloc(v->bytes, v->n + n);
    cr_assert_not_null(v->bytes);
    memcpy(v->bytes + v->n, bytes, n);
    v->n += n;
    return GODWIT_OK;
}

static void convert(vocabulary *v) {
    godwit_error err = {0};
    cr_assert_eq(gw_gguf_writer_create(plain_host(), &v->hf.writer, &err), GODWIT_OK);
    cr_assert_eq(gw_hf_read_tokenizer(&v->hf, &err), GODWIT_OK, "%s: %s", v->name, err.message);
    cr_assert_eq(gw_gguf_writer_emit(v->hf.writer, collect, v, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_gguf_parse(plain_host(), v->bytes, v->n, v->name, &v->gguf, &err), GODWIT_OK,
                 "%s", err.message);
    cr_assert_eq(gw_tokenizer_create(plain_host(), v->gguf, &v->tokenizer, &err), GODWIT_OK, "%s",
                 err.message);
}

static void close_vocabulary(vocabulary *v) {
    gw_tokenizer_destroy(&v->tokenizer);
    gw_gguf_destroy(&v->gguf);
    gw_gguf_writer_destroy(&v->hf.writer);
    gw_arena_deinit(&v->hf.arena);
    free(v->bytes);
    *v = (vocabulary){.n = 0};
}

// "text <hex> <ids>"
static void check_text(const vocabulary *v, const char *line) {
    static char text[MAX_TEXT];
    static int32_t ids[MAX_IDS];
    godwit_error err = {0};
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.parse_special = true; // as the libraries read them
    line += strlen("text ");
    const size_t n = unhex(line, text);
    size_t n_ids = 0;
    cr_assert_lt(n, MAX_TEXT);
    cr_assert_eq(gw_tokenizer_encode(v->tokenizer, text, n, &params, ids, MAX_IDS, &n_ids, &err),
                 GODWIT_OK, "%s", err.message);
    const char *at = line + strcspn(line, " \n");
    for (size_t i = 0; i < n_ids; i++) {
        char *end = NULL;
        cr_assert_eq(*at, ' ', "%s: '%.*s': too many ids", v->name, (int)n, text);
        const long want = strtol(at, &end, 10);
        cr_assert_eq(ids[i], want, "%s: '%.*s': id %zu is %d, not %ld", v->name, (int)n, text, i,
                     ids[i], want);
        at = end;
    }
    cr_assert_eq(*at, '\n', "%s: '%.*s': too few ids", v->name, (int)n, text);
}

static char *read_golden_text(void) {
    contents packed = read_file(GOLDEN);
    const size_t n = (size_t)ZSTD_getFrameContentSize(packed.bytes, (size_t)packed.n);
    char *text = calloc(1, n + 1);
    cr_assert(text && ZSTD_decompress(text, n, packed.bytes, (size_t)packed.n) == n);
    drop_file(&packed);
    return text;
}

Test(vocabularies, as_their_libraries) {
    char *golden = read_golden_text();
    vocabulary v = {.n = 0};
    int n_cases = 0, n_texts = 0;
    for (const char *line = golden; *line; line = strchr(line, '\n') + 1) {
        if (!strncmp(line, "case ", 5)) {
            char name[64];
            unsigned n_vocab = 0;
            cr_assert_eq(sscanf(line, "case %u %63[^\n]", &n_vocab, name), 2);
            if (n_cases++) close_vocabulary(&v);
            v.hf.host = plain_host();
            v.hf.folder = "golden";
            v.hf.n_vocab = n_vocab;
            snprintf(v.name, sizeof v.name, "%s", name);
            gw_arena_init(&v.hf.arena, plain_host());
        } else if (!strncmp(line, "file ", 5)) {
            read_file_line(&v, line);
        } else {
            if (!v.tokenizer) convert(&v);
            check_text(&v, line);
            n_texts++;
        }
    }
    cr_assert(n_cases >= 30 && n_texts >= 100 * n_cases, "%d texts of %d vocabularies", n_texts,
              n_cases);
    close_vocabulary(&v);
    free(golden);
}

// Lengths and wire types of a message that are no message's, and every beginning of one.
Test(vocabularies, broken_messages) {
    static const char piece[] = "\x0A\x0E\x0A\x05hello\x15\0\0\x80\xBF\x18\x01";
    static const char *const bad[] = {
        "\x0A\x7F",         "\x0F\x01",         "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        "\x0A\x02\x0A\x05", "\x0A\x02\x18\x09", "\x80"};
    enum { N_BAD = sizeof bad / sizeof *bad };
    for (size_t i = 0; i < N_BAD + sizeof piece; i++) {
        vocabulary v = {.hf = {.host = plain_host(), .folder = "broken", .n_vocab = 4}};
        godwit_error err = {0};
        gw_arena_init(&v.hf.arena, plain_host());
        v.hf.sentencepiece = i < N_BAD ? gw_str_of(bad[i]) : (gw_str){piece, i - N_BAD};
        cr_assert_eq(gw_gguf_writer_create(plain_host(), &v.hf.writer, &err), GODWIT_OK);
        const bool whole = i == N_BAD + sizeof piece - 1;
        cr_expect_eq(gw_hf_read_tokenizer(&v.hf, &err), whole ? GODWIT_OK : GODWIT_MALFORMED,
                     "%zu: %s", i, err.message);
        close_vocabulary(&v);
    }
}
