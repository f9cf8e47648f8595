// Hf pre: the name of tokenizer.ggml.pre for a tokenizer.json's pre_tokenizer.
#include "convert/hf.h"

#include "base/status.h"

typedef struct pre_row {
    const char *name;
    bool ignore_merges;
    const char *pattern;
} pre_row;

static const pre_row rows[] = {
#define X(name, ignore_merges, pattern) {name, ignore_merges, pattern},
#include "convert/hf_pre.def"
#undef X
};

// What steps may be: each text of it is given, or it is another step.
typedef struct steps {
    const gw_json *split, *digits, *byte_level;
} steps;

static bool flag(const gw_json *node, const char *key, bool fallback) {
    gw_json_bool(gw_json_get(node, key), &fallback);
    return fallback;
}

static godwit_status unknown(const gw_json *step, godwit_error *err) {
    gw_str type = GW_STR("(none)");
    gw_json_str(gw_json_get(step, "type"), &type);
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "pre_tokenizer: step %.*s, or where it stands, is not known here; Split or "
                   "Digits and then ByteLevel is",
                   GW_STR_ARG(type));
}

// A step behind which nothing may stand is ByteLevel.
static godwit_status add_step(steps *s, const gw_json *step, godwit_error *err) {
    const gw_json *type = gw_json_get(step, "type");
    const gw_json **slot = gw_json_is(type, "Split")       ? &s->split
                           : gw_json_is(type, "Digits")    ? &s->digits
                           : gw_json_is(type, "ByteLevel") ? &s->byte_level
                                                           : NULL;
    if (!slot || *slot || s->byte_level) return unknown(step, err);
    *slot = step;
    return GODWIT_OK;
}

static godwit_status name_of_split(const gw_json *split, bool ignore_merges, const char **out_name,
                                   godwit_error *err) {
    gw_str pattern = {0};
    const pre_row *near = NULL;
    if (!gw_json_str(gw_json_get(gw_json_get(split, "pattern"), "Regex"), &pattern) ||
        !gw_json_is(gw_json_get(split, "behavior"), "Isolated") || flag(split, "invert", false)) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "pre_tokenizer: a Split that is not by a regular expression and isolated");
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!gw_str_eq(pattern, gw_str_of(rows[i].pattern))) continue;
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
                   pattern.n > 160 ? 160 : (int)pattern.n, pattern.text);
}

godwit_status gw_hf_pre_name(const gw_json *pre, bool ignore_merges, const char **out_name,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    steps s = {0};
    if (gw_json_is(gw_json_get(pre, "type"), "Sequence")) {
        const gw_json *list = gw_json_get(pre, "pretokenizers");
        for (const gw_json *step = list ? list->first : NULL; step; step = step->next) {
            GW_TRY(add_step(&s, step, err));
        }
    } else {
        GW_TRY(add_step(&s, pre, err));
    }
    if (!s.byte_level || (s.split && s.digits)) return unknown(pre, err);
    if (flag(s.byte_level, "add_prefix_space", true)) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "pre_tokenizer: add_prefix_space is not supported");
    }
    // Its own pattern, gpt-2's, is used unless it is switched off.
    bool own = flag(s.byte_level, "use_regex", true);
    if (s.split) {
        if (own) return unknown(s.byte_level, err);
        return name_of_split(s.split, ignore_merges, out_name, err);
    }
    if (!own || ignore_merges || (s.digits && !flag(s.digits, "individual_digits", false))) {
        return unknown(pre, err);
    }
    *out_name = s.digits ? "smollm" : "gpt-2";
done:
    return status;
}
