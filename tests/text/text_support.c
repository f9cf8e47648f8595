// See text_support.h.
#include "text/text_support.h"

#include "base/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

// --- memory

static void *counting_realloc(void *user, void *ptr, size_t old_bytes, size_t new_bytes) {
    counting *c = user;
    if (new_bytes > 0 && ++c->n_total == c->fail_at) return NULL;
    c->live_bytes += (int64_t)new_bytes - (int64_t)old_bytes;
    if (!ptr) c->n_live++;
    if (new_bytes == 0) {
        c->n_live--;
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

void counting_init(counting *c, int64_t fail_at) {
    *c = (counting){.fail_at = fail_at};
    godwit_allocator allocator = {c, counting_realloc};
    gw_host_init(&c->host, &allocator, NULL, NULL);
}

// --- files

static char *read_file(const char *path, size_t *out_n) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *text = NULL;
    size_t n = 0;
    for (;;) {
        text = realloc(text, n + 65537);
        cr_assert_not_null(text);
        size_t got = fread(text + n, 1, 65536, file);
        n += got;
        if (got == 0) break;
    }
    fclose(file);
    text[n] = 0;
    *out_n = n;
    return text;
}

static bool is_own(const char *name) {
    return strncmp(name, "models/", 7) == 0 || strncmp(name, "tests/", 6) == 0;
}

// NULL, said loudly, where it is missing.
static char *find_data(const char *name, size_t *out_n) {
    char path[1024];
    const char *root = is_own(name) ? GODWIT_TEST_ROOT : getenv("GODWIT_DATA");
    if (root) snprintf(path, sizeof path, "%s/%s", root, name);
    if (!root) snprintf(path, sizeof path, "%s/../shared/data/%s", GODWIT_TEST_ROOT, name);
    char *text = read_file(path, out_n);
    cr_assert(text || !is_own(name), "%s is missing", path);
    if (!text) fprintf(stderr, "SKIPPED: %s is missing; set GODWIT_DATA\n", path);
    return text;
}

char *read_data(const char *name, size_t *out_n) {
    char *text = find_data(name, out_n);
    if (!text) cr_skip_test("test data %s is missing", name);
    return text;
}

char *read_golden(const char *name, size_t *out_n) {
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/golden/text/%s", GODWIT_TEST_ROOT, name);
    char *text = read_file(path, out_n);
    cr_assert_not_null(text, "%s is missing", path);
    return text;
}

size_t unhex(const char *hex, char *out) {
    size_t n = 0;
    for (; hex[0] != '-' && hex[2 * n]; n++) {
        char digits[3] = {hex[2 * n], hex[2 * n + 1], 0};
        out[n] = (char)strtol(digits, NULL, 16);
    }
    return n;
}

// --- vocabularies

static void parse(vocabulary *v) {
    godwit_error err = {0};
    godwit_status status =
        gw_gguf_parse(&v->memory.host, v->bytes, v->n_bytes, "test.gguf", &v->gguf, &err);
    cr_assert_eq(status, GODWIT_OK, "%s", err.message);
}

bool vocabulary_find(vocabulary *v, const char *name) {
    godwit_error err = {0};
    *v = (vocabulary){0};
    counting_init(&v->memory, 0);
    v->bytes = (uint8_t *)find_data(name, &v->n_bytes);
    if (!v->bytes) return false;
    parse(v);
    godwit_status status = gw_tokenizer_create(&v->memory.host, v->gguf, &v->tokenizer, &err);
    cr_assert_eq(status, GODWIT_OK, "%s", err.message);
    return true;
}

void vocabulary_open(vocabulary *v, const char *name) {
    if (!vocabulary_find(v, name)) cr_skip_test("test data %s is missing", name);
}

static godwit_status collect(void *user, const void *bytes, size_t n_bytes, godwit_error *err) {
    (void)err;
    vocabulary *v = user;
    v->bytes = realloc(v->bytes, v->n_bytes + n_bytes + 1);
    cr_assert_not_null(v->bytes);
    memcpy(v->bytes + v->n_bytes, bytes, n_bytes);
    v->n_bytes += n_bytes;
    return GODWIT_OK;
}

void vocabulary_parse(vocabulary *v, gw_gguf_writer *writer) {
    godwit_error err = {0};
    *v = (vocabulary){0};
    counting_init(&v->memory, 0);
    godwit_status status = gw_gguf_writer_emit(writer, collect, v, &err);
    cr_assert_eq(status, GODWIT_OK, "%s", err.message);
    parse(v);
}

void vocabulary_close(vocabulary *v) {
    gw_tokenizer_destroy(&v->tokenizer);
    gw_gguf_destroy(&v->gguf);
    free(v->bytes);
    cr_assert_eq(v->memory.n_live, 0, "%lld allocations leaked", (long long)v->memory.n_live);
    cr_assert_eq(v->memory.live_bytes, 0, "sizes at free differ from those at allocation");
}

// --- encode and decode

int32_t *encode(const gw_tokenizer *tokenizer, const char *text, size_t n, bool parse_special,
                size_t *out_n) {
    godwit_error err = {0};
    godwit_encode_params params = GODWIT_INIT(godwit_encode_params);
    params.no_special = true;
    params.parse_special = parse_special;
    size_t n_max = n + 8;
    int32_t *ids = malloc(n_max * sizeof *ids);
    cr_assert_not_null(ids);
    godwit_status status =
        gw_tokenizer_encode(tokenizer, text, n, &params, ids, n_max, out_n, &err);
    cr_assert_eq(status, GODWIT_OK, "%s", err.message);
    cr_assert_leq(*out_n, n_max);
    return ids;
}

static bool whole_characters(const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text + i, n - i, &code_point);
        if (length <= 0) return false;
        i += (size_t)length;
    }
    return true;
}

char *decode(const gw_tokenizer *tokenizer, const int32_t *ids, size_t n_ids, size_t *out_n) {
    godwit_error err = {0};
    godwit_decoder decoder = {0};
    size_t cap = 4096;
    char *text = malloc(cap);
    size_t n = 0;
    for (size_t i = 0; i <= n_ids; i++) {
        char piece[2048];
        size_t n_piece = 0;
        godwit_status status = gw_tokenizer_decode(tokenizer, &decoder, i < n_ids ? ids[i] : -1,
                                                   piece, sizeof piece, &n_piece, &err);
        cr_assert_eq(status, GODWIT_OK, "%s", err.message);
        cr_assert_eq(piece[n_piece], 0);
        cr_assert(whole_characters(piece, n_piece), "token %d gives half a character", ids[i]);
        if (cap - n <= n_piece) text = realloc(text, cap = 2 * cap + n_piece);
        cr_assert_not_null(text);
        memcpy(text + n, piece, n_piece);
        n += n_piece;
    }
    text[n] = 0;
    *out_n = n;
    return text;
}

void check_round_trip(const gw_tokenizer *tokenizer, const char *text, size_t n) {
    size_t n_ids = 0;
    size_t n_back = 0;
    int32_t *ids = encode(tokenizer, text, n, false, &n_ids);
    char *back = decode(tokenizer, ids, n_ids, &n_back);
    cr_assert_eq(n_back, n, "'%.*s' came back with %zu bytes for %zu", (int)n, text, n_back, n);
    cr_assert_eq(memcmp(back, text, n), 0, "'%.*s' came back as '%s'", (int)n, text, back);
    free(back);
    free(ids);
}

uint64_t next_random(uint64_t *state) {
    uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

// --- vocabularies built by hand

static void must(godwit_status status, const godwit_error *err) {
    cr_assert_eq(status, GODWIT_OK, "%s", err->message);
}

void set_u32(gw_gguf_writer *writer, const char *key, uint32_t number) {
    godwit_error err = {0};
    must(gw_gguf_writer_set_u32(writer, key, number, &err), &err);
}

void set_bool(gw_gguf_writer *writer, const char *key, bool flag) {
    godwit_error err = {0};
    must(gw_gguf_writer_set_number(writer, key, GW_GGUF_BOOL, &flag, &err), &err);
}

void set_str(gw_gguf_writer *writer, const char *key, const char *text) {
    godwit_error err = {0};
    must(gw_gguf_writer_set_str(writer, key, gw_str_of(text), &err), &err);
}

gw_gguf_writer *write_vocabulary(const gw_host *host, const char *model, const token_row *rows,
                                 size_t n_rows, const char *const *merges, size_t n_merges) {
    godwit_error err = {0};
    gw_gguf_writer *writer = NULL;
    gw_str *texts = malloc((n_rows + n_merges + 1) * sizeof *texts);
    int32_t *kinds = malloc((n_rows + 1) * sizeof *kinds);
    float *scores = malloc((n_rows + 1) * sizeof *scores);
    cr_assert(texts && kinds && scores);
    must(gw_gguf_writer_create(host, &writer, &err), &err);
    set_str(writer, "tokenizer.ggml.model", model);
    for (size_t i = 0; i < n_rows; i++) {
        texts[i] = gw_str_of(rows[i].text);
        kinds[i] = rows[i].kind;
        scores[i] = rows[i].score;
    }
    must(gw_gguf_writer_set_strs(writer, "tokenizer.ggml.tokens", texts, n_rows, &err), &err);
    must(gw_gguf_writer_set_array(writer, "tokenizer.ggml.token_type", GW_GGUF_I32, kinds, n_rows,
                                  &err),
         &err);
    must(gw_gguf_writer_set_array(writer, "tokenizer.ggml.scores", GW_GGUF_F32, scores, n_rows,
                                  &err),
         &err);
    for (size_t i = 0; i < n_merges; i++) texts[i] = gw_str_of(merges[i]);
    if (merges) {
        must(gw_gguf_writer_set_strs(writer, "tokenizer.ggml.merges", texts, n_merges, &err), &err);
    }
    free(texts);
    free(kinds);
    free(scores);
    return writer;
}
