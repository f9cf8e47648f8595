// Goldens of other implementations: see tests/golden/text/make.py.
#include "text/text_support.h"

#include "text/tokenizer_impl.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 1024, MAX_BYTES = 1 << 16 };

typedef struct golden {
    token_row rows[MAX_ROWS];
    const char *merges[MAX_ROWS];
    size_t n_rows, n_merges;
    char *text; // the file; lines end in 0
    const char *first_text;
    uint8_t *map; // of characters, n_map bytes
    size_t n_map;
    bool forgets; // a text does not come back as it was
} golden;

static char *keep(const char *hex) {
    char *text = calloc(1, strlen(hex) / 2 + 2);
    cr_assert_not_null(text);
    unhex(hex, text);
    return text;
}

// Reads the "token" and "merge" lines; "text" lines come after them.
static void read_rows(golden *g, const char *name) {
    size_t n = 0;
    g->text = read_golden(name, &n);
    for (char *line = g->text; *line && !g->first_text;) {
        char hex[2048];
        char *end = strchr(line, '\n');
        if (sscanf(line, "merge %2047s", hex) == 1) {
            cr_assert_lt(g->n_merges, MAX_ROWS);
            g->merges[g->n_merges++] = keep(hex);
        } else if (strncmp(line, "token ", 6) == 0) {
            cr_assert_lt(g->n_rows, MAX_ROWS);
            token_row *row = &g->rows[g->n_rows++];
            cr_assert_eq(sscanf(line, "token %2047s %d %f", hex, &row->kind, &row->score), 3);
            row->text = keep(hex);
        } else if (strncmp(line, "map ", 4) == 0) {
            g->map = calloc(1, (size_t)(end - line));
            cr_assert_not_null(g->map);
            *end = 0;
            g->n_map = unhex(line + 4, (char *)g->map);
        } else {
            g->first_text = line;
        }
        line = end + 1;
    }
}

static void check_texts(const golden *g, const gw_tokenizer *tokenizer) {
    size_t n_texts = 0;
    for (const char *line = g->first_text; *line; line = strchr(line, '\n') + 1, n_texts++) {
        char text[MAX_BYTES];
        char hex[2 * MAX_BYTES];
        int at = 0;
        cr_assert_eq(sscanf(line, "text %131071s%n", hex, &at), 1);
        size_t n = unhex(hex, text);
        size_t n_ids = 0;
        int32_t *ids = encode(tokenizer, text, n, false, &n_ids);
        const char *number = line + at;
        for (size_t i = 0; i < n_ids; i++) {
            char *end = NULL;
            cr_assert_eq(*number, ' ', "'%.*s': too many ids", (int)n, text);
            cr_assert_eq(ids[i], strtol(number, &end, 10), "'%.*s': id %zu", (int)n, text, i);
            number = end;
        }
        cr_assert_eq(*number, '\n', "'%.*s': too few ids", (int)n, text);
        if (!g->forgets) check_round_trip(tokenizer, text, n);
        free(ids);
    }
    cr_assert_geq(n_texts, 90);
}

// flags: keys that are true or false, the last NULL; of a model that forgets what texts look like.
typedef struct flag {
    const char *key;
    bool value;
} flag;

static void check_golden(const char *name, const char *model, const char *pre, const flag *flags) {
    golden *g = calloc(1, sizeof *g);
    vocabulary v;
    counting memory;
    godwit_error err = {0};
    godwit_status status;
    counting_init(&memory, 0);
    read_rows(g, name);
    for (size_t i = 0; pre && i < g->n_rows; i++) {
        if (g->rows[i].kind == GW_TOKEN_BYTE) g->rows[i].kind = GW_TOKEN_NORMAL;
    }
    gw_gguf_writer *writer = write_vocabulary(&memory.host, model, g->rows, g->n_rows,
                                              g->n_merges ? g->merges : NULL, g->n_merges);
    if (pre) set_str(writer, "tokenizer.ggml.pre", pre);
    for (size_t i = 0; i < g->n_rows; i++) {
        if (g->rows[i].kind == GW_TOKEN_UNKNOWN)
            set_u32(writer, "tokenizer.ggml.unknown_token_id", (uint32_t)i);
    }
    g->forgets = flags != NULL;
    for (; flags && flags->key; flags++) set_bool(writer, flags->key, flags->value);
    if (g->map) {
        status = gw_gguf_writer_set_array(writer, "tokenizer.ggml.precompiled_charsmap", GW_GGUF_U8,
                                          g->map, g->n_map, &err);
        cr_assert_eq(status, GODWIT_OK, "%s", err.message);
    }
    vocabulary_parse(&v, writer);
    status = gw_tokenizer_create(&v.memory.host, v.gguf, &v.tokenizer, &err);
    cr_assert_eq(status, GODWIT_OK, "%s", err.message);
    check_texts(g, v.tokenizer);
    vocabulary_close(&v);
    gw_gguf_writer_destroy(&writer);
    for (size_t i = 0; i < g->n_rows; i++) free((char *)(uintptr_t)g->rows[i].text);
    for (size_t i = 0; i < g->n_merges; i++) free((char *)(uintptr_t)g->merges[i]);
    free(g->map);
    free(g->text);
    free(g);
}

Test(golden, bpe_as_hugging_face) {
    check_golden("bpe.txt", "gpt2", "qwen2", NULL);
}

Test(golden, spm_as_sentencepiece) {
    check_golden("spm.txt", "llama", NULL, NULL);
}

Test(golden, gemma4_as_hugging_face) {
    check_golden("gemma4.txt", "gemma4", NULL, NULL);
}

// The same vocabulary as the converter writes it of other families: as bytes' own, with bytes that are no more
// than texts.
Test(golden, gemma4_by_the_name_of_a_pre_tokenizer) {
    check_golden("gemma4.txt", "gpt2", "granite-embed-multi-311m", NULL);
    check_golden("gemma4.txt", "gpt2", "sarvam-moe", NULL);
}

Test(golden, words_as_hugging_face) {
    static const flag flags[] = {{NULL, false}};
    check_golden("words.txt", "whitespace", "whitespace", flags);
}

Test(golden, bert_as_hugging_face) {
    static const flag flags[] = {{NULL, false}};
    check_golden("bert.txt", "bert", NULL, flags);
}

Test(golden, bert_cased_as_hugging_face) {
    static const flag flags[] = {{"tokenizer.ggml.normalizer.lowercase", false}, {NULL, false}};
    check_golden("bert-cased.txt", "bert", NULL, flags);
}

Test(golden, unigram_as_hugging_face) {
    static const flag flags[] = {{"tokenizer.ggml.remove_extra_whitespaces", false}, {NULL, false}};
    check_golden("unigram.txt", "t5", NULL, flags);
}

Test(golden, unigram_map_as_sentencepiece) {
    static const flag flags[] = {{NULL, false}};
    check_golden("unigram-map.txt", "t5", NULL, flags);
}

// The texts of a file of "text" lines with a vocabulary of a file.
static void check_file(const char *vocabulary_name, const char *name) {
    golden g = {0};
    vocabulary v;
    size_t n = 0;
    vocabulary_open(&v, vocabulary_name);
    g.first_text = g.text = read_golden(name, &n);
    check_texts(&g, v.tokenizer);
    free(g.text);
    vocabulary_close(&v);
}

Test(golden, story_as_sentencepiece) {
    check_file("models/story-q8_0.gguf", "story.txt");
}

// --- pre-tokenizers

static godwit_status count_word(gw_encoder *encoder, gw_str word, godwit_error *err) {
    (void)err;
    gw_encoder_emit(encoder, (int32_t)word.n);
    return GODWIT_OK;
}

// as: another name of the pre-tokenizer that the line names, or NULL.
static void check_pre(const gw_host *host, const char *line, const char *as, gw_str text) {
    char name[64];
    int at = 0;
    godwit_error err = {0};
    gw_pre *pre = NULL;
    bool ignore_merges = false;
    bool add_bos = false;
    cr_assert_eq(sscanf(line, "pre %63s%n", name, &at), 1);
    cr_assert_eq(
        gw_pre_create(host, gw_str_of(as ? as : name), &pre, &ignore_merges, &add_bos, &err),
        GODWIT_OK, "%s", err.message);
    cr_assert(!as || (ignore_merges && add_bos), "%s: not merged and begun as %s", as, name);
    int32_t lengths[256];
    gw_encoder encoder = {.host = host, .out_ids = lengths, .n_max = 256};
    cr_assert_eq(gw_pre_split(pre, &encoder, text, count_word, &err), GODWIT_OK, "%s", err.message);
    cr_assert_lt(encoder.n, 256);
    const char *number = line + at;
    size_t total = 0;
    for (size_t i = 0; i < encoder.n; i++) {
        char *end = NULL;
        cr_assert_eq(*number, ' ', "%s: '%.*s': too many words", name, (int)text.n, text.text);
        cr_assert_eq(lengths[i], strtol(number, &end, 10), "%s: '%.*s': word %zu at %zu", name,
                     (int)text.n, text.text, i, total);
        total += (size_t)lengths[i];
        number = end;
    }
    cr_assert_eq(total, text.n);
    gw_pre_release(&encoder);
    gw_pre_destroy(host, &pre);
}

// llama-bpe, as the files of other models name it.
static const char *const like_llama_bpe[] = {"llama3",  "llama-v3", "falcon3", "falcon-h1",
                                             "pixtral", "midm-2.0", "lfm2"};
enum { N_LIKE_LLAMA_BPE = sizeof like_llama_bpe / sizeof *like_llama_bpe };

Test(golden, pre_as_hugging_face) {
    counting memory;
    size_t n = 0;
    size_t n_checked = 0;
    char text[4096];
    gw_str current = {0};
    counting_init(&memory, 0);
    char *lines = read_golden("pre.txt", &n);
    for (char *line = lines; *line; line = strchr(line, '\n') + 1) {
        char hex[8192];
        if (sscanf(line, "text %8191s", hex) == 1) {
            current = (gw_str){text, unhex(hex, text)};
            continue;
        }
        check_pre(&memory.host, line, NULL, current);
        n_checked++;
        for (size_t i = 0; strncmp(line, "pre llama-bpe ", 14) == 0 && i < N_LIKE_LLAMA_BPE; i++)
            check_pre(&memory.host, line, like_llama_bpe[i], current);
    }
    cr_assert_geq(n_checked, 25 * 120);
    cr_assert_eq(memory.n_live, 0);
    free(lines);
}
