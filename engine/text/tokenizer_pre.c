// Tokenizer pre: texts cut into words by the patterns of tokenizer_pre.def.
//
// Owns the compiled patterns and the one place that runs PCRE2. Its interpreter keeps its state on
// the heap through the caller's allocator (no recursion, no JIT); the step limit grows with the
// text, since a pattern may walk back over a run of white space once. Bytes that are not UTF-8 are
// words of their own: patterns see well-formed text only.
// Thread rule: patterns are immutable; what a match writes belongs to one encoder.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

#include <pcre2.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_PATTERNS = 6,
    HEAP_LIMIT_KIB = 64 << 10,
    STEPS_MIN = 1 << 20,
    STEPS_PER_BYTE = 16,
};

typedef struct pre_row {
    const char *name;
    const char *patterns[MAX_PATTERNS]; // the first NULL ends them
    bool ignore_merges, add_bos;
} pre_row;

static const pre_row ROWS[] = {
#define X(name, patterns, ignore_merges, add_bos) {name, patterns, ignore_merges, add_bos},
#include "text/tokenizer_pre.def"
#undef X
};

struct gw_pre {
    pcre2_general_context *general;
    pcre2_code *codes[MAX_PATTERNS];
    size_t n_codes;
};

// --- PCRE2 on the caller's allocator: its free gives no size, so each block carries its own.

enum { HEADER_BYTES = 16 };

static void *pcre_malloc(size_t n, void *user) {
    if (n > SIZE_MAX - HEADER_BYTES) return NULL;
    size_t bytes = n + HEADER_BYTES;
    char *block = gw_alloc(user, bytes, 1);
    if (!block) return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + HEADER_BYTES;
}

static void pcre_free(void *ptr, void *user) {
    if (!ptr) return;
    char *block = (char *)ptr - HEADER_BYTES;
    size_t bytes = 0;
    memcpy(&bytes, block, sizeof bytes);
    gw_free(user, block, bytes);
}

// --- create

static godwit_status unknown_name(gw_str name, godwit_error *err) {
    char known[360] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        bool fits = n + strlen(ROWS[i].name) + sizeof ", ..." < sizeof known;
        int more = snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "",
                            fits ? ROWS[i].name : "...");
        n += more > 0 ? (size_t)more : 0;
        if (!fits) break;
    }
    return gw_fail(err, GODWIT_UNSUPPORTED, "tokenizer.ggml.pre is '%.*s'; this build has %s",
                   name.n > 48 ? 48 : (int)name.n, name.text, known);
}

static godwit_status compile(gw_pre *pre, const pre_row *row, pcre2_compile_context *context,
                             godwit_error *err) {
    for (size_t i = 0; i < MAX_PATTERNS && row->patterns[i]; i++) {
        int code = 0;
        PCRE2_SIZE offset = 0;
        pre->codes[i] = pcre2_compile((PCRE2_SPTR)row->patterns[i], PCRE2_ZERO_TERMINATED,
                                      PCRE2_UTF | PCRE2_UCP, &code, &offset, context);
        if (!pre->codes[i]) {
            enum { COMPILE_OUT_OF_MEMORY = 121 }; // pcre2api has no name for it
            if (code == COMPILE_OUT_OF_MEMORY) {
                return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: pre-tokenizer");
            }
            return GW_BUG(err, "pre-tokenizer %s: pattern %zu: PCRE2 error %d at %zu", row->name, i,
                          code, (size_t)offset);
        }
        pre->n_codes = i + 1;
    }
    return GODWIT_OK;
}

godwit_status gw_pre_create(const gw_host *host, gw_str name, gw_pre **out_pre,
                            bool *out_ignore_merges, bool *out_add_bos, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const pre_row *row = NULL;
    pcre2_compile_context *context = NULL;
    gw_pre *pre = NULL;
    if (!name.text) name = GW_STR("default");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS && !row; i++) {
        if (gw_str_eq(name, gw_str_of(ROWS[i].name))) row = &ROWS[i];
    }
    if (!row) {
        status = unknown_name(name, err);
        goto done;
    }
    pre = gw_alloc(host, 1, sizeof *pre);
    GW_CHECK_ALLOC(pre, err, "pre-tokenizer");
    // PCRE2 hands the pointer back as void *; the allocator behind it is only called.
    pre->general = pcre2_general_context_create(pcre_malloc, pcre_free, (void *)(uintptr_t)host);
    GW_CHECK_ALLOC(pre->general, err, "pre-tokenizer");
    context = pcre2_compile_context_create(pre->general);
    GW_CHECK_ALLOC(context, err, "pre-tokenizer");
    GW_TRY(compile(pre, row, context, err));
    *out_ignore_merges = row->ignore_merges;
    *out_add_bos = row->add_bos;
    *out_pre = pre;
    pre = NULL;
done:
    pcre2_compile_context_free(context);
    gw_pre_destroy(host, &pre);
    return status;
}

void gw_pre_destroy(const gw_host *host, gw_pre **pre) {
    if (!*pre) return;
    for (size_t i = 0; i < MAX_PATTERNS; i++) pcre2_code_free((*pre)->codes[i]);
    pcre2_general_context_free((*pre)->general);
    gw_free(host, *pre, sizeof **pre);
    *pre = NULL;
}

// --- split

// State that PCRE2 writes while matching; kept for the encoder's other texts.
static godwit_status prepare(const gw_pre *pre, gw_encoder *encoder, size_t n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!encoder->match_data) {
        encoder->match_data = pcre2_match_data_create(1, pre->general);
        GW_CHECK_ALLOC(encoder->match_data, err, "pre-tokenizer");
    }
    if (!encoder->match_context) {
        encoder->match_context = pcre2_match_context_create(pre->general);
        GW_CHECK_ALLOC(encoder->match_context, err, "pre-tokenizer");
        pcre2_set_heap_limit(encoder->match_context, HEAP_LIMIT_KIB);
    }
    // n <= GW_TOKENIZER_MAX_TEXT_BYTES keeps this in 64 bits; the limit itself has 32.
    uint64_t steps = STEPS_MIN + (uint64_t)n * STEPS_PER_BYTE;
    pcre2_set_match_limit(encoder->match_context,
                          steps > UINT32_MAX ? UINT32_MAX : (uint32_t)steps);
done:
    return status;
}

void gw_pre_release(gw_encoder *encoder) {
    pcre2_match_data_free(encoder->match_data);
    pcre2_match_context_free(encoder->match_context);
    encoder->match_data = NULL;
    encoder->match_context = NULL;
}

// The first match of a pattern in text at or after from. *out_found false: none.
static godwit_status find(gw_encoder *encoder, const pcre2_code *code, gw_str text, size_t from,
                          bool *out_found, size_t *out_start, size_t *out_end, godwit_error *err) {
    int result = pcre2_match(code, (PCRE2_SPTR)text.text, text.n, from, PCRE2_NO_UTF_CHECK,
                             encoder->match_data, encoder->match_context);
    *out_found = result >= 0;
    if (result == PCRE2_ERROR_NOMATCH) return GODWIT_OK;
    if (result == PCRE2_ERROR_NOMEMORY) {
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: pre-tokenizer");
    }
    if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_HEAPLIMIT) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "encode: a text of %zu bytes takes the pre-tokenizer too many steps (PCRE2 "
                       "error %d); encode it in parts",
                       text.n, result);
    }
    if (result < 0) return GW_BUG(err, "pre-tokenizer: PCRE2 error %d", result);
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(encoder->match_data);
    *out_start = range[0];
    *out_end = range[1];
    if (range[0] < from || range[1] <= range[0] || range[1] > text.n) {
        return GW_BUG(err, "pre-tokenizer: match %zu to %zu of %zu", (size_t)range[0],
                      (size_t)range[1], text.n);
    }
    return GODWIT_OK;
}

// Cuts a piece by pattern `level` and what that leaves by the next; past the last it is a word.
// Recursion is as deep as there are patterns.
static godwit_status split(const gw_pre *pre, gw_encoder *encoder, size_t level, gw_str piece,
                           gw_word_fn word, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (piece.n == 0) goto done;
    if (level == pre->n_codes) {
        GW_TRY(word(encoder, piece, err));
        goto done;
    }
    for (size_t at = 0; at < piece.n;) {
        bool found = false;
        size_t start = 0;
        size_t end = 0;
        GW_TRY(find(encoder, pre->codes[level], piece, at, &found, &start, &end, err));
        if (!found) start = end = piece.n;
        gw_str gap = {piece.text + at, start - at};
        gw_str match = {piece.text + start, end - start};
        GW_TRY(split(pre, encoder, level + 1, gap, word, err));
        GW_TRY(split(pre, encoder, level + 1, match, word, err));
        at = end;
    }
done:
    return status;
}

// The length of the bytes at the beginning of text that are well-formed, or that are not.
static size_t run_length(gw_str text, bool *out_valid) {
    size_t n = 0;
    while (n < text.n) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text.text + n, text.n - n, &code_point);
        bool valid = length > 0;
        if (n == 0) *out_valid = valid;
        if (valid != *out_valid) break;
        n += valid ? (size_t)length : 1;
    }
    return n;
}

godwit_status gw_pre_split(const gw_pre *pre, gw_encoder *encoder, gw_str text, gw_word_fn word,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(prepare(pre, encoder, text.n, err));
    while (text.n > 0) {
        bool valid = false;
        size_t n = run_length(text, &valid);
        GW_TRY(split(pre, encoder, valid ? 0 : pre->n_codes, (gw_str){text.text, n}, word, err));
        text = (gw_str){text.text + n, text.n - n};
    }
done:
    return status;
}
