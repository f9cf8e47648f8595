// Tokenizer special: tokens that are cut out of a text before anything else is done to it.
//
// User-defined tokens always, control and unknown ones only when the caller asks for them. The
// longest that begins at a byte wins, the leftmost byte first (as the Hugging Face tokenizers do;
// llama.cpp takes the longest anywhere first, which differs only where special tokens overlap).
// The texts lie sorted, and a match is a range that narrows byte by byte.
#include "base/sort.h"
#include "text/tokenizer_impl.h"

#include <string.h>

static int compare(const void *left, const void *right, const void *user) {
    const gw_special *a = left, *b = right;
    (void)user;
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int order = memcmp(a->text.text, b->text.text, n);
    if (order != 0) return order;
    if (a->text.n != b->text.n) return a->text.n < b->text.n ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static bool contains(gw_str text, const char *part) {
    size_t n = strlen(part);
    for (size_t i = 0; i + n <= text.n; i++) {
        size_t k = 0;
        while (k < n && (text.text[i + k] | 0x20) == part[k]) k++;
        if (k == n) return true;
    }
    return false;
}

// Of equal texts the lowest id that is always cut out and the lowest that is not are all that
// matter; a file with a million equal ones must not make a match slow.
static void drop_duplicates(gw_tokenizer *tokenizer) {
    gw_special *specials = tokenizer->specials;
    size_t n = 0;
    size_t first = 0; // of the equal ones kept
    for (size_t i = 0; i < tokenizer->n_specials; i++) {
        if (n == 0 || !gw_str_eq(specials[first].text, specials[i].text)) first = n;
        bool always = tokenizer->kinds[specials[i].id] == GW_TOKEN_USER_DEFINED;
        bool kept = false;
        for (size_t k = first; k < n; k++) {
            kept |= always == (tokenizer->kinds[specials[k].id] == GW_TOKEN_USER_DEFINED);
        }
        if (!kept) specials[n++] = specials[i];
    }
    tokenizer->n_specials = n;
}

// Phi-3's special tokens swallow the white space behind them, which no key of its files says.
static godwit_status load_rstrip(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str name = {0};
    GW_TRY(gw_gguf_get_str(gguf, "general.name", &name, err));
    if (!contains(name, "phi-3") && !contains(name, "phi3")) goto done;
    for (size_t i = 0; i < tokenizer->n_specials; i++) {
        gw_str text = tokenizer->specials[i].text;
        if (gw_str_eq(text, GW_STR("<unk>")) || gw_str_eq(text, GW_STR("<s>"))) continue;
        if (gw_str_eq(text, GW_STR("<|endoftext|>"))) continue;
        tokenizer->rstrip[tokenizer->specials[i].id] = 1;
    }
done:
    return status;
}

static bool is_special(const gw_tokenizer *tokenizer, uint32_t id) {
    size_t n = tokenizer->texts.items[id].n;
    uint8_t kind = tokenizer->kinds[id];
    if (n == 0 || n > GW_SPECIAL_MAX_BYTES) return false;
    return kind == GW_TOKEN_CONTROL || kind == GW_TOKEN_USER_DEFINED || kind == GW_TOKEN_UNKNOWN;
}

godwit_status gw_special_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    size_t n = 0;
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) n += is_special(tokenizer, i);
    if (n == 0) goto done;
    tokenizer->specials = gw_alloc(tokenizer->host, n, sizeof *tokenizer->specials);
    GW_CHECK_ALLOC(tokenizer->specials, err, "special tokens");
    tokenizer->specials_cap = n;
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        if (!is_special(tokenizer, i)) continue;
        gw_special special = {tokenizer->texts.items[i], (int32_t)i};
        tokenizer->specials[tokenizer->n_specials++] = special;
        tokenizer->special_first[(uint8_t)special.text.text[0]] = true;
    }
    gw_sort(tokenizer->specials, tokenizer->n_specials, sizeof *tokenizer->specials, compare, NULL);
    drop_duplicates(tokenizer);
    GW_TRY(load_rstrip(tokenizer, gguf, err));
done:
    return status;
}

// The first of specials[low, high), which agree up to depth, whose byte there is at least byte.
// Those that end at depth sort before all others.
static size_t lower_bound(const gw_special *specials, size_t low, size_t high, size_t depth,
                          int byte) {
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        gw_str text = specials[middle].text;
        int at = text.n > depth ? (uint8_t)text.text[depth] : -1;
        if (at < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t gw_special_match(const gw_tokenizer *tokenizer, gw_str text, bool parse_special) {
    if (text.n == 0 || !tokenizer->special_first[(uint8_t)text.text[0]]) return -1;
    const gw_special *specials = tokenizer->specials;
    size_t low = 0;
    size_t high = tokenizer->n_specials;
    int32_t found = -1;
    for (size_t depth = 0; depth < text.n && low < high; depth++) {
        int byte = (uint8_t)text.text[depth];
        low = lower_bound(specials, low, high, depth, byte);
        high = lower_bound(specials, low, high, depth, byte + 1);
        // Equal texts, two at most, lie side by side, the lowest id first.
        for (size_t i = low; i < high && specials[i].text.n == depth + 1; i++) {
            bool always = tokenizer->kinds[specials[i].id] == GW_TOKEN_USER_DEFINED;
            if (!always && !parse_special) continue;
            found = specials[i].id;
            break;
        }
    }
    return found;
}
