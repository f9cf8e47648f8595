// Quirk rows: the lines of quirks.txt as text (findings.c): what a row says, whose it is, and what
// is wrong with one that a person wrote.
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>

bool gw_quirk_row_next(const char **at, const char *end, const char **out_line, size_t *out_n) {
    if (*at == end) return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    *out_line = *at;
    *out_n = (size_t)((newline ? newline : end) - *at);
    *at = newline ? newline + 1 : end;
    return true;
}

// The next word of *at; false where there is none, or none so short.
static bool next_word(const char **at, char *out, size_t out_bytes) {
    static const char blank[] = " \t\r";
    const char *word = *at + strspn(*at, blank);
    const size_t n = strcspn(word, blank);
    if (n == 0 || n >= out_bytes) return false;
    memcpy(out, word, n);
    out[n] = '\0';
    *at = word + n + strspn(word + n, blank);
    return true;
}

// Of the words that say which device is meant, one that could never match any.
static bool has_odd_word(gw_quirk_row *row) {
    const struct {
        const char *word, *set, *name, *example;
    } words[] = {
        {row->device, "0123456789abcdef:*", "VENDOR:DEVICE", "10de:2684"},
        {row->driver, "0123456789*", "DRIVER", "4"},
        {row->release, "0123456789.*", "RELEASE", "535.183.1"},
        {row->build, "0123456789abcdef*", "BUILD", "2289618009c3b20b"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *word = words[i].word;
        if (!word[strspn(word, words[i].set)]) continue;
        snprintf(row->problem, sizeof row->problem, "'%s' is no %s, as %s or *", word,
                 words[i].name, words[i].example);
        return true;
    }
    return false;
}

bool gw_quirk_row_parse(const char *line, size_t n, gw_quirk_row *out) {
    memset(out, 0, sizeof *out);
    // Of a long line its beginning, which has all words but the reason.
    memcpy(out->text, line, n < sizeof out->text ? n : sizeof out->text - 1);
    const char *at = out->text + strspn(out->text, " \t\r");
    if (!*at || *at == '#') return false;
    if (!next_word(&at, out->device, sizeof out->device) ||
        !next_word(&at, out->driver, sizeof out->driver) ||
        !next_word(&at, out->release, sizeof out->release) ||
        !next_word(&at, out->build, sizeof out->build) ||
        !next_word(&at, out->effect, sizeof out->effect) ||
        !next_word(&at, out->name, sizeof out->name)) {
        snprintf(out->problem, sizeof out->problem,
                 "not VENDOR:DEVICE DRIVER RELEASE BUILD disable|fails MODULE[/FORMAT]");
        return false;
    }
    out->reason = at;
    if (has_odd_word(out)) return false;
    if (strcmp(out->effect, "disable") == 0 || strcmp(out->effect, "fails") == 0) return true;
    snprintf(out->problem, sizeof out->problem, "'%s' is neither disable nor fails", out->effect);
    return false;
}

bool gw_quirk_row_names_kernel(const gw_gpu *gpu, const gw_finding *finding, gw_quirk_row *row) {
    const bool variant = strchr(finding->module, '.') != NULL;
    const bool disables = strcmp(row->effect, "disable") == 0;
    if (disables && !variant) {
        snprintf(row->problem, sizeof row->problem,
                 "%s is a plain kernel, and only variants, as matmul.dot, can be disabled",
                 finding->module);
        return false;
    }
    if (!disables && variant) {
        snprintf(row->problem, sizeof row->problem,
                 "%s is a variant, which is disabled; only plain kernels, as matmul, are said to "
                 "fail",
                 finding->module);
        return false;
    }
    if (!gpu->knows_kernel || gpu->knows_kernel(finding->module, finding->label)) return true;
    snprintf(row->problem, sizeof row->problem, "there is no kernel '%s'", row->name);
    return false;
}

static bool matches(const char *pattern, const char *text) {
    size_t n = strlen(pattern);
    // "10de:*" is any device of a vendor.
    if (n && pattern[n - 1] == '*') return strncmp(pattern, text, n - 1) == 0;
    return strcmp(pattern, text) == 0;
}

bool gw_quirk_row_is_of_build(const gw_quirk_row *row, const gw_quirk_row *device) {
    return matches(row->build, device->build);
}

bool gw_quirk_row_matches(const gw_quirk_row *row, const gw_quirk_row *device) {
    return matches(row->device, device->device) && matches(row->driver, device->driver) &&
           matches(row->release, device->release) && matches(row->build, device->build);
}

bool gw_quirk_row_is_ours(const gw_quirk_row *row, const gw_quirk_row *device) {
    return strcmp(row->device, device->device) == 0 && strcmp(row->driver, device->driver) == 0 &&
           strcmp(row->release, device->release) == 0 && strcmp(row->build, device->build) == 0;
}
