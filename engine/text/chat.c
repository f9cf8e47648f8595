// Chat: see chat.h.
#include "text/chat.h"

#include "base/status.h"

#include <stdio.h>
#include <time.h>

enum { MAX_VARIABLES = 64, N_TOKENS = 4, KEY_BYTES = 128, NAME_BYTES = 64 };

#define TEMPLATE_KEY "tokenizer.chat_template"

// --- the template --------------------------------------------------------------------------------

static const gw_gguf_value *named_template(const gw_gguf *gguf, const char *name) {
    char key[KEY_BYTES];
    int n = snprintf(key, sizeof key, TEMPLATE_KEY ".%s", name);
    return n > 0 && (size_t)n < sizeof key ? gw_gguf_find(gguf, key) : NULL;
}

// The names of a file's templates, for a message.
static void list_templates(const gw_gguf *gguf, char *text, size_t text_bytes) {
    size_t n = 0, n_prefix = sizeof TEMPLATE_KEY; // with the dot
    text[0] = 0;
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++) {
        gw_str key = gw_gguf_value_at(gguf, i)->key;
        if (key.n <= n_prefix || memcmp(key.text, TEMPLATE_KEY ".", n_prefix) != 0) continue;
        int more =
            snprintf(text + n, text_bytes - n, "%s%.*s", n > 0 ? ", " : "",
                     (int)(key.n - n_prefix > 32 ? 32 : key.n - n_prefix), key.text + n_prefix);
        if (more < 0 || (size_t)more >= text_bytes - n) break;
        n += (size_t)more;
    }
}

static godwit_status find_template(const gw_gguf *gguf, const godwit_chat_params *params,
                                   gw_str *out, godwit_error *err) {
    const gw_gguf_value *value = NULL;
    char names[160];
    if (params->chat_template) {
        *out = gw_str_of(params->chat_template);
        return GODWIT_OK;
    }
    if (!gguf) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "chat: neither a model's file nor a template");
    }
    if (params->name) {
        value = named_template(gguf, params->name);
        if (!value && strcmp(params->name, "default") == 0)
            value = gw_gguf_find(gguf, TEMPLATE_KEY);
    } else {
        if (params->tools) value = named_template(gguf, "tool_use");
        if (!value) value = gw_gguf_find(gguf, TEMPLATE_KEY);
        if (!value) value = named_template(gguf, "default");
    }
    if (value && value->type == GW_GGUF_STRING) return gw_gguf_item_str(value, 0, out, err);
    list_templates(gguf, names, sizeof names);
    return gw_fail(err, GODWIT_NOT_FOUND,
                   "%s: no chat template%s%.64s (%s is missing, or no string)%s%s; give one, or go "
                   "on from a text without one",
                   gw_gguf_name(gguf), params->name ? " " : "", params->name ? params->name : "",
                   TEMPLATE_KEY, names[0] ? "; named ones: " : "", names);
}

// --- what it sees --------------------------------------------------------------------------------

typedef struct sight {
    const gw_gguf *gguf;
    gw_arena arena;
    gw_jinja_variable items[MAX_VARIABLES];
    size_t n;
    godwit_error *err;
} sight;

// Of one name the first counts.
static godwit_status add(sight *s, const char *name, const gw_json *value) {
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->items[i].name, name) == 0) return GODWIT_OK;
    }
    if (s->n == MAX_VARIABLES) {
        return gw_fail(s->err, GODWIT_UNSUPPORTED, "chat: more than %d variables", MAX_VARIABLES);
    }
    s->items[s->n++] = (gw_jinja_variable){name, value};
    return GODWIT_OK;
}

static godwit_status parse(sight *s, const char *what, const char *text, gw_json_type wanted,
                           const gw_json **out) {
    godwit_status status =
        gw_json_parse(&s->arena, (const uint8_t *)text, strlen(text), out, s->err);
    if (status == GODWIT_MALFORMED) status = GODWIT_INVALID_ARGUMENT;
    if (status) return gw_note(s->err, status, "chat: %s", what);
    if ((*out)->type == wanted) return GODWIT_OK;
    return gw_fail(s->err, GODWIT_INVALID_ARGUMENT, "chat: %s: no JSON %s", what,
                   wanted == GW_JSON_ARRAY ? "array" : "object");
}

// What is wrong with messages that every template would only stumble over.
static godwit_status check_messages(const sight *s, const gw_json *messages) {
    uint32_t i = 0;
    for (const gw_json *m = messages->first; m; m = m->next, i++) {
        gw_str role = {0};
        if (gw_json_str(gw_json_get(m, "role"), &role)) continue;
        return gw_fail(s->err, GODWIT_INVALID_ARGUMENT,
                       "chat: message %u: no JSON object with a \"role\"", i);
    }
    return GODWIT_OK;
}

static godwit_status add_variables(sight *s, const char *text) {
    godwit_status status = GODWIT_OK;
    const gw_json *all = NULL;
    if (!text) return GODWIT_OK;
    GW_TRY(parse(s, "variables", text, GW_JSON_OBJECT, &all));
    for (const gw_json *item = all->first; item; item = item->next) {
        char *name = gw_arena_strndup(&s->arena, item->key.text, item->key.n);
        GW_CHECK_ALLOC(name, s->err, "chat");
        GW_TRY(add(s, name, item));
    }
done:
    return status;
}

// bos_token and its like, as far as the file has them.
static godwit_status add_tokens(sight *s) {
    static const char *const names[N_TOKENS] = {"bos", "eos", "unknown", "padding"};
    static const char *const seen[N_TOKENS] = {"bos_token", "eos_token", "unk_token", "pad_token"};
    godwit_status status = GODWIT_OK;
    const gw_gguf_value *tokens = s->gguf ? gw_gguf_find(s->gguf, "tokenizer.ggml.tokens") : NULL;
    if (!tokens || tokens->type != GW_GGUF_ARRAY || tokens->item_type != GW_GGUF_STRING) {
        return GODWIT_OK;
    }
    for (int i = 0; i < N_TOKENS; i++) {
        char key[KEY_BYTES];
        uint64_t id = 0;
        gw_json *node = NULL;
        (void)snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", names[i]);
        const gw_gguf_value *value = gw_gguf_find(s->gguf, key);
        if (!value || value->type == GW_GGUF_ARRAY || gw_gguf_item_u64(value, 0, &id, NULL) ||
            id >= tokens->n_items) {
            continue;
        }
        node = gw_arena_alloc(&s->arena, 1, sizeof *node);
        GW_CHECK_ALLOC(node, s->err, "chat");
        node->type = GW_JSON_STRING;
        GW_TRY(gw_gguf_item_str(tokens, id, &node->text, s->err));
        GW_TRY(add(s, seen[i], node));
    }
done:
    return status;
}

static godwit_status see(sight *s, const godwit_chat_params *params) {
    static const gw_json yes = {.type = GW_JSON_BOOL, .is_true = true};
    static const gw_json no = {.type = GW_JSON_BOOL};
    static const gw_json none = {.type = GW_JSON_NULL};
    godwit_status status = GODWIT_OK;
    const gw_json *messages = NULL, *tools = &none;
    if (!params->messages) {
        return gw_fail(s->err, GODWIT_INVALID_ARGUMENT, "chat: no messages");
    }
    GW_TRY(parse(s, "messages", params->messages, GW_JSON_ARRAY, &messages));
    GW_TRY(check_messages(s, messages));
    if (params->tools) GW_TRY(parse(s, "tools", params->tools, GW_JSON_ARRAY, &tools));
    GW_TRY(add_variables(s, params->variables));
    GW_TRY(add(s, "messages", messages));
    // Without tools there is a variable all the same, as the transformers library has it.
    GW_TRY(add(s, "tools", tools));
    GW_TRY(add(s, "documents", &none));
    GW_TRY(add(s, "add_generation_prompt", params->no_generation_prompt ? &no : &yes));
    GW_TRY(add_tokens(s));
done:
    return status;
}

godwit_status gw_chat_render(const gw_host *host, const gw_gguf *gguf,
                             const godwit_chat_params *params, gw_jinja_output *out,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    sight s = {.gguf = gguf, .err = err};
    gw_jinja *jinja = NULL;
    gw_str source = {0};
    int64_t now_s = params->now_s ? params->now_s : (int64_t)time(NULL);
    *out = (gw_jinja_output){0};
    gw_arena_init(&s.arena, host);
    GW_TRY(find_template(gguf, params, &source, err));
    GW_TRY(gw_jinja_parse(host, source.text, source.n, &jinja, err));
    GW_TRY(see(&s, params));
    GW_TRY(gw_jinja_render(jinja, s.items, s.n, now_s, out, err));
done:
    gw_jinja_destroy(&jinja);
    gw_arena_deinit(&s.arena);
    return status;
}
