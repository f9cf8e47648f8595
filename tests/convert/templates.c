// Chat templates of Hugging Face folders: the keys that the gguf package writes of what
// transformers loads (tests/golden/chat_templates.py), and what GGUF cannot say.
#include "convert/convert_support.h"
#include "convert/hf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/hf/"
#define KEY    "tokenizer.chat_template"

static godwit_status convert(const char *dir, const char *out, godwit_error *err) {
    godwit_quantize_params params = {.dtype = GODWIT_F16};
    godwit_quantize_result result;
    return gw_convert_folder(plain_host(), dir, &params, out, &result, err);
}

static void put_file(const char *dir, const char *name, gw_str text) {
    char path[2048];
    if (strchr(name, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", dir, (int)(strchr(name, '/') - name), name);
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path); // a link
    write_text(dir, name, text.text, text.n);
}

static void remove_all(const char *dir) {
    char more[600];
    snprintf(more, sizeof more, "%s/additional_chat_templates", dir);
    if (access(more, F_OK) == 0) folder_remove(more);
    folder_remove(dir);
}

static bool listed(const gw_json *list, gw_str text) {
    for (const gw_json *item = list->first; item; item = item->next) {
        if (gw_str_eq(item->text, text)) return true;
    }
    return false;
}

static void check_keys(const char *path, const gw_json *golden) {
    const gw_json *keys = gw_json_get(golden, "keys");
    opened file = open_gguf(path);
    godwit_error err = {0};
    uint64_t n_keys = 0;
    for (uint64_t i = 0; i < gw_gguf_n_values(file.gguf); i++) {
        gw_str key = gw_gguf_value_at(file.gguf, i)->key;
        n_keys += key.n >= strlen(KEY) && memcmp(key.text, KEY, strlen(KEY)) == 0;
    }
    cr_expect_eq(n_keys, keys->n, "%.*s: %llu keys", GW_STR_ARG(golden->key),
                 (unsigned long long)n_keys);
    for (const gw_json *want = keys->first; want; want = want->next) {
        char key[256];
        snprintf(key, sizeof key, "%.*s", GW_STR_ARG(want->key));
        const gw_gguf_value *value = gw_gguf_find(file.gguf, key);
        cr_assert_not_null(value, "%.*s: no %s", GW_STR_ARG(golden->key), key);
        bool list = want->type == GW_JSON_ARRAY;
        uint64_t n = list ? want->n : 1;
        cr_expect_eq(value->n_items, n, "%.*s: %s", GW_STR_ARG(golden->key), key);
        for (uint64_t i = 0; i < n; i++) {
            gw_str text = {0};
            cr_assert_eq(gw_gguf_item_str(value, i, &text, &err), GODWIT_OK, "%s", err.message);
            bool same = list ? listed(want, text) : gw_str_eq(want->text, text);
            cr_expect(same, "%.*s: %s is %.*s", GW_STR_ARG(golden->key), key, GW_STR_ARG(text));
        }
    }
    close_gguf(&file);
}

static void check_case(const gw_json *golden) {
    char dir[512], out[600], name[256];
    godwit_error err = {0};
    const gw_json *files = gw_json_get(golden, "files");
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    copy_folder(dir, GOLDEN "bytes", "chat_template.jinja");
    for (const gw_json *item = files->first; item; item = item->next) {
        snprintf(name, sizeof name, "%.*s", GW_STR_ARG(item->key));
        put_file(dir, name, item->text);
    }
    cr_assert_eq(convert(dir, out, &err), GODWIT_OK, "%.*s: %s", GW_STR_ARG(golden->key),
                 err.message);
    check_keys(out, golden);
    remove_all(dir);
}

Test(templates, as_transformers_and_gguf) {
    gw_arena arena;
    godwit_error err = {0};
    const gw_json *goldens = NULL;
    char *text = strdup(read_text(GOLDEN "chat_templates.json"));
    gw_arena_init(&arena, plain_host());
    cr_assert_eq(gw_json_parse(&arena, (uint8_t *)text, strlen(text), &goldens, &err), GODWIT_OK,
                 "%s", err.message);
    cr_assert_eq(goldens->n, 12);
    for (const gw_json *item = goldens->first; item; item = item->next) check_case(item);
    gw_arena_deinit(&arena);
    free(text);
}

Test(templates, refused) {
    static const struct {
        const char *templates;
        godwit_status status;
        const char *said;
    } rows[] = {
        {"[{\"name\": \"a b\", \"template\": \"1\"}, {\"name\": \"a-b\", \"template\": \"2\"}]",
         GODWIT_UNSUPPORTED,
         "chat templates a b and a-b would both be tokenizer.chat_template.a_b"},
        {"[{\"template\": \"1\"}]", GODWIT_MALFORMED, "item 0 has no name or no template"},
        {"[{\"name\": \"\", \"template\": \"1\"}]", GODWIT_MALFORMED, "item 0 has no name"},
        {"[{\"name\": \"default\", \"template\": \"1\"}, {\"name\": \"a\", \"template\": 3}]",
         GODWIT_MALFORMED, "item 1 has no name or no template"},
        {"3", GODWIT_MALFORMED, "tokenizer_config.json: chat_template: neither a text"},
        {"[{\"name\": \"0123456789012345678901234567890123456789012345678901234567890123x\", "
         "\"template\": \"1\"}]",
         GODWIT_UNSUPPORTED, "a name of over 64 bytes"},
    };
    char dir[512], out[600], text[1024];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    copy_folder(dir, GOLDEN "bytes", "chat_template.jinja");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        godwit_error err = {0};
        int n = snprintf(text, sizeof text, "{\"eos_token\": \"<|end|>\", \"chat_template\": %s}",
                         rows[i].templates);
        put_file(dir, "tokenizer_config.json", (gw_str){text, (size_t)n});
        cr_expect_eq(convert(dir, out, &err), rows[i].status, "row %zu: %s", i, err.message);
        cr_expect(strstr(err.message, rows[i].said), "row %zu: %s", i, err.message);
    }
    // As many as there may be, and one more.
    for (int i = 0; i <= GW_HF_MAX_TEMPLATES; i++) {
        godwit_error err = {0};
        snprintf(text, sizeof text, "additional_chat_templates/t%d.jinja", i);
        put_file(dir, text, GW_STR("T"));
        put_file(dir, "tokenizer_config.json", GW_STR("{\"eos_token\": \"<|end|>\"}"));
        if (i < GW_HF_MAX_TEMPLATES - 1) continue;
        cr_expect_eq(convert(dir, out, &err),
                     i == GW_HF_MAX_TEMPLATES ? GODWIT_UNSUPPORTED : GODWIT_OK, "%s", err.message);
    }
    // None of them is written over.
    godwit_error err = {0};
    snprintf(out, sizeof out, "%s/additional_chat_templates/t3.jinja", dir);
    snprintf(text, sizeof text, "%s/additional_chat_templates/t4.jinja", dir);
    unlink(text);
    cr_expect_neq(convert(dir, out, &err), GODWIT_OK);
    cr_expect_str_eq(read_text(out), "T");
    remove_all(dir);
}
