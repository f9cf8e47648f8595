// BERT characters: which are left out, part words or are words, and what they are without accents.
//
// As Hugging Face's BertNormalizer and BertPreTokenizer have it, which follow BERT's own
// tokenization.py (Devlin et al., 2019): control characters go, ideographs and punctuation stand
// alone, accents are what canonical decomposition makes a mark of.
#include "base/utf8.h"
#include "text/chars.h"
#include "text/tokenizer_impl.h"

typedef struct class_range {
    uint32_t first, last;
    uint8_t class;
} class_range;

typedef struct base_range {
    uint32_t first, last, step;
    int32_t delta;
} base_range;

typedef struct base_text {
    uint32_t code;
    const char *text;
} base_text;

static const class_range classes[] = {
#define C(first, last, class) {first, last, GW_BERT_##class},
#define B(code, base)
#define R(first, last, step, delta)
#define T(code, text)
#include "text/bert_chars.def"
#undef C
#undef B
#undef R
#undef T
};

static const base_range bases[] = {
#define C(first, last, class)
#define B(code, base)               {code, code, 1, (base) - (code)},
#define R(first, last, step, delta) {first, last, step, delta},
#define T(code, text)
#include "text/bert_chars.def"
#undef B
#undef R
#undef T
};

static const base_text texts[] = {
#define B(code, base)
#define R(first, last, step, delta)
#define T(code, text) {code, text},
#include "text/bert_chars.def"
#undef C
#undef B
#undef R
#undef T
};
enum {
    N_CLASSES = sizeof classes / sizeof *classes,
    N_BASES = sizeof bases / sizeof *bases,
    N_TEXTS = sizeof texts / sizeof *texts,
};

// Ideographs: blocks, the last of them as the original has it.
static bool is_ideograph(uint32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
           (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static uint32_t base_of(uint32_t c) {
    size_t low = 0, n = N_BASES;
    while (n > 0) {
        const size_t half = n / 2;
        if (bases[low + half].last < c) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    const base_range *r = &bases[low];
    if (low == N_BASES || r->first > c || (c - r->first) % r->step) return c;
    return (uint32_t)((int64_t)c + r->delta);
}

// Words are cut behind the rewriting: what is a sign without its accents is one (U+2260).
gw_bert_class gw_bert_class_of(uint32_t c, bool strip_accents) {
    size_t low = 0, n = N_CLASSES;
    if (strip_accents) c = base_of(c);
    while (n > 0) { // the first range that ends at c or behind it
        const size_t half = n / 2;
        if (classes[low + half].last < c) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    if (low < N_CLASSES && classes[low].first <= c) return (gw_bert_class)classes[low].class;
    return is_ideograph(c) ? GW_BERT_SIGN : GW_BERT_PART;
}

// A syllable's letters: leading consonant, vowel, perhaps a trailing consonant.
static size_t take_hangul_apart(uint32_t c, uint32_t out[3]) {
    enum { S = 0xAC00, L = 0x1100, V = 0x1161, T = 0x11A7, N_V = 21, N_T = 28, N_S = 11172 };
    if (c < S || c >= S + N_S) return 0;
    const uint32_t i = c - S;
    out[0] = L + i / (N_V * N_T);
    out[1] = V + i % (N_V * N_T) / N_T;
    out[2] = T + i % N_T;
    return out[2] == T ? 2 : 3;
}

static size_t put(uint32_t c, bool lowercase, char *out) {
    if (lowercase && c == 0x130) { // an I with a dot: i and the dot
        memcpy(out, "i\xCC\x87", 3);
        return 3;
    }
    return (size_t)gw_utf8_put(lowercase ? gw_char_lower(c) : c, out);
}

size_t gw_bert_rewrite(uint32_t c, bool strip_accents, bool lowercase,
                       char out[GW_BERT_CHAR_BYTES]) {
    uint32_t letters[3];
    size_t n = 0;
    if (!strip_accents || c < 0xC0) return put(c, lowercase, out);
    const size_t n_letters = take_hangul_apart(c, letters);
    for (size_t i = 0; i < n_letters; i++) n += put(letters[i], false, out + n);
    if (n_letters) return n;
    for (size_t i = 0; i < N_TEXTS && texts[i].code <= c; i++) {
        if (texts[i].code != c) continue;
        n = strlen(texts[i].text); // none of them has a capital letter
        memcpy(out, texts[i].text, n);
        return n;
    }
    return put(base_of(c), lowercase, out);
}
