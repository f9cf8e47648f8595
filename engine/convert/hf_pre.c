// Hf pre: the name of tokenizer.ggml.pre for a tokenizer.json's pre_tokenizer.
#include "convert/hf.h"

#include "base/status.h"

typedef struct pre_row {
    const char *name;
    bool ignore_merges;
    const char *steps;
} pre_row;

static const pre_row rows[] = {
#define X(name, ignore_merges, steps) {name, ignore_merges, steps},
#include "convert/hf_pre.def"
#undef X
};

enum { MAX_STEPS_BYTES = 4096 };

// The steps of a tokenizer.json, a line each, as hf_pre.def has them.
typedef struct steps {
    char text[MAX_STEPS_BYTES];
    size_t n;
    bool is_byte_level;
} steps;

static bool flag(const gw_json *node, const char *key, bool fallback) {
    gw_json_bool(gw_json_get(node, key), &fallback);
    return fallback;
}

static godwit_status unknown(const gw_json *step, godwit_error *err) {
    gw_str type = GW_STR("(none)");
    gw_json_str(gw_json_get(step, "type"), &type);
    return gw_fail(
        err, GODWIT_UNSUPPORTED,
        "pre_tokenizer: step %.*s, or where it stands, is not known here; Split, Digits or "
        "Punctuation and then ByteLevel are",
        GW_STR_ARG(type));
}

static godwit_status add_text(steps *s, gw_str text, godwit_error *err) {
    if (s->n + 2 * text.n + 1 > sizeof s->text) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "pre_tokenizer: steps of over %d bytes",
                       MAX_STEPS_BYTES);
    }
    if (s->n) s->text[s->n++] = '\n';
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.text[i];
        if (c == '\r' || c == '\n') s->text[s->n++] = '\\';
        s->text[s->n++] = (char)(c == '\r' ? 'r' : c == '\n' ? 'n' : c);
    }
    return GODWIT_OK;
}

// Split: found texts and those between are kept; some files say it the other way round.
static godwit_status add_split(steps *s, const gw_json *step, godwit_error *err) {
    gw_str pattern = {0};
    const gw_json *behavior = gw_json_get(step, "behavior");
    const bool inverted = flag(step, "invert", false);
    const bool kept = (gw_json_is(behavior, "Isolated") && !inverted) ||
                      (gw_json_is(behavior, "Removed") && inverted);
    if (!gw_json_str(gw_json_get(gw_json_get(step, "pattern"), "Regex"), &pattern) || !kept) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "pre_tokenizer: a Split that is not by a regular expression and isolated");
    }
    return add_text(s, pattern, err);
}

static godwit_status add_step(steps *s, const gw_json *step, godwit_error *err) {
    const gw_json *type = gw_json_get(step, "type");
    if (gw_json_is(type, "Split")) return add_split(s, step, err);
    if (gw_json_is(type, "Digits")) {
        const bool each = flag(step, "individual_digits", false);
        return add_text(s, each ? GW_STR("Digits") : GW_STR("Numbers"), err);
    }
    if (gw_json_is(type, "Punctuation") &&
        gw_json_is(gw_json_get(step, "behavior"), "Contiguous")) {
        return add_text(s, GW_STR("Punctuation"), err);
    }
    if (!gw_json_is(type, "ByteLevel") || s->is_byte_level) return unknown(step, err);
    if (flag(step, "add_prefix_space", true)) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "pre_tokenizer: add_prefix_space is not supported");
    }
    s->is_byte_level = true;
    return flag(step, "use_regex", true) ? add_text(s, GW_STR("Words"), err) : GODWIT_OK;
}

static godwit_status name_of(const steps *s, bool ignore_merges, const char **out_name,
                             godwit_error *err) {
    const gw_str text = {s->text, s->n};
    const pre_row *near = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!gw_str_eq(text, gw_str_of(rows[i].steps))) continue;
        near = &rows[i];
        if (rows[i].ignore_merges != ignore_merges) continue;
        *out_name = rows[i].name;
        return GODWIT_OK;
    }
    if (near) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "pre_tokenizer: the pattern of %s, but with ignore_merges %s", near->name,
                       ignore_merges ? "true" : "false");
    }
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "pre_tokenizer: this build does not know the pattern %.*s (patterns it knows: "
                   "engine/convert/hf_pre.def)",
                   text.n > 160 ? 160 : (int)text.n, text.text);
}

godwit_status gw_hf_pre_name(const gw_json *pre, bool ignore_merges, const char **out_name,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    steps s = {.n = 0};
    if (gw_json_is(gw_json_get(pre, "type"), "Sequence")) {
        const gw_json *list = gw_json_get(pre, "pretokenizers");
        for (const gw_json *step = list ? list->first : NULL; step; step = step->next) {
            GW_TRY(add_step(&s, step, err));
        }
    } else {
        GW_TRY(add_step(&s, pre, err));
    }
    if (!s.is_byte_level) return unknown(pre, err);
    GW_TRY(name_of(&s, ignore_merges, out_name, err));
done:
    return status;
}
