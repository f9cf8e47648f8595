// Hf templates: chat templates as tokenizer.chat_template keys.
//
// Owns where they may stand and which count: files of their own before tokenizer_config.json, as
// transformers reads them. The one called default is tokenizer.chat_template; the others are
// tokenizer.chat_template.<name>, listed in tokenizer.chat_templates, as the gguf package writes
// them.
#include "convert/hf.h"

#include "base/status.h"

#include <stdio.h>

#define KEY "tokenizer.chat_template"

static godwit_status add(gw_hf *hf, gw_str name, const gw_json *text, godwit_error *err) {
    gw_hf_template *t = &hf->templates[hf->n_templates];
    if (hf->n_templates == GW_HF_MAX_TEMPLATES) {
        return gw_fail(err, GODWIT_UNSUPPORTED, "chat_template: over %d of them",
                       GW_HF_MAX_TEMPLATES);
    }
    if (name.n == 0 || !gw_json_str(text, &t->text)) {
        return gw_fail(err, GODWIT_MALFORMED, "chat_template: item %zu has no name or no template",
                       hf->n_templates);
    }
    t->name = name;
    hf->n_templates++;
    return GODWIT_OK;
}

// A text, a list of {name, template}, or an object of texts by name.
static godwit_status read_node(gw_hf *hf, const gw_json *node, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (gw_json_is_null(node)) return GODWIT_OK;
    if (node->type == GW_JSON_STRING) return add(hf, GW_STR("default"), node, err);
    bool listed = node->type == GW_JSON_ARRAY;
    if (!listed && node->type != GW_JSON_OBJECT) {
        GW_FAIL(err, GODWIT_MALFORMED, "chat_template: neither a text nor a list of them");
    }
    for (const gw_json *item = node->first; item; item = item->next) {
        gw_str name = listed ? (gw_str){0} : item->key;
        if (listed) gw_json_str(gw_json_get(item, "name"), &name);
        GW_TRY(add(hf, name, listed ? gw_json_get(item, "template") : item, err));
    }
done:
    return status;
}

// What a key may have: letters and digits, and _ for each other character.
static godwit_status key_name(gw_hf *hf, gw_str name, gw_str *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char *text = gw_arena_strndup(&hf->arena, name.text, name.n);
    GW_CHECK_ALLOC(text, err, "chat templates");
    if (name.n > GW_HF_MAX_TEMPLATE_NAME) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "chat_template: a name of over %d bytes",
                GW_HF_MAX_TEMPLATE_NAME);
    }
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.text[i];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool goes_on = ((unsigned char)c & 0xC0u) == 0x80; // the same character
        if (!goes_on) text[n++] = kept ? c : '_';
    }
    *out = (gw_str){text, n};
done:
    return status;
}

// Of two with one name the last counts, as in transformers; two names that GGUF cannot tell apart
// are refused. *out_at: the place of the name among those written.
static godwit_status place(const gw_hf *hf, const gw_str *names, const gw_str *originals, size_t n,
                           gw_str name, gw_str original, size_t *out_at, godwit_error *err) {
    *out_at = n;
    for (size_t i = 0; i < n; i++) {
        if (!gw_str_eq(names[i], name)) continue;
        if (!gw_str_eq(originals[i], original)) {
            return gw_fail(
                err, GODWIT_UNSUPPORTED,
                "%s: chat templates %.*s and %.*s would both be " KEY ".%.*s: rename one",
                hf->folder, GW_STR_ARG(originals[i]), GW_STR_ARG(original), GW_STR_ARG(name));
        }
        *out_at = i;
    }
    return GODWIT_OK;
}

static godwit_status write_all(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str names[GW_HF_MAX_TEMPLATES], originals[GW_HF_MAX_TEMPLATES];
    size_t n = 0;
    for (size_t i = 0; i < hf->n_templates; i++) {
        char key[sizeof KEY + 1 + GW_HF_MAX_TEMPLATE_NAME] = KEY;
        const gw_hf_template *t = &hf->templates[i];
        gw_str name = {0};
        size_t at = 0;
        GW_TRY(key_name(hf, t->name, &name, err));
        if (!gw_str_eq(name, GW_STR("default"))) {
            GW_TRY(place(hf, names, originals, n, name, t->name, &at, err));
            names[at] = name;
            originals[at] = t->name;
            n += at == n;
            snprintf(key, sizeof key, KEY ".%.*s", GW_STR_ARG(name));
        }
        GW_TRY(gw_gguf_writer_set_str(hf->writer, key, t->text, err));
    }
    if (n) GW_TRY(gw_gguf_writer_set_strs(hf->writer, KEY "s", names, n, err));
done:
    return status;
}

godwit_status gw_hf_set_templates(gw_hf *hf, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const char key[] = "chat_template";
    if (hf->n_templates == 0) {
        status = read_node(hf, gw_json_get(hf->tokenizer_config, key), err);
        GW_TRY(gw_note(err, status, "%s/tokenizer_config.json", hf->folder));
    }
    // Of older processors.
    if (hf->n_templates == 0) {
        status = read_node(hf, gw_json_get(hf->chat_template_json, key), err);
        GW_TRY(gw_note(err, status, "%s/chat_template.json", hf->folder));
    }
    GW_TRY(write_all(hf, err));
done:
    return status;
}
