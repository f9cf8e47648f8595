// Templates: what Jinja2 makes of them (tests/golden/text/jinja.py), and the bounds.
#include "text/text_support.h"

#include "text/jinja.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1752580800, MAX_VARIABLES = 64, NAME_BYTES = 64 };

typedef struct document {
    gw_arena arena;
    char *text;
    const gw_json *root;
} document;

static void open_document(document *d, const gw_host *host, char *text, size_t n) {
    godwit_error err = {0};
    d->text = text;
    gw_arena_init(&d->arena, host);
    cr_assert_eq(gw_json_parse(&d->arena, (const uint8_t *)text, n, &d->root, &err), GODWIT_OK,
                 "%s", err.message);
}

static void open_golden(document *d, const gw_host *host, const char *name) {
    size_t n = 0;
    char *text = read_golden(name, &n);
    open_document(d, host, text, n);
}

static void close_document(document *d) {
    gw_arena_deinit(&d->arena);
    free(d->text);
}

static gw_str text_of(const gw_json *object, const char *key) {
    gw_str text = {0};
    gw_json_str(gw_json_get(object, key), &text);
    return text;
}

// Renders with the items of an object as variables, behind those that are usual.
static godwit_status render(const gw_host *host, gw_str template, const gw_json *vars,
                            gw_jinja_output *out, godwit_error *err) {
    static const gw_json yes = {.type = GW_JSON_BOOL, .is_true = true};
    static const gw_json bos = {.type = GW_JSON_STRING, .text = {"<s>", 3}};
    static const gw_json eos = {.type = GW_JSON_STRING, .text = {"</s>", 4}};
    gw_jinja_variable variables[MAX_VARIABLES] = {
        {"add_generation_prompt", &yes}, {"bos_token", &bos}, {"eos_token", &eos}};
    char names[MAX_VARIABLES][NAME_BYTES];
    size_t n = 3;
    for (const gw_json *item = vars ? vars->first : NULL; item; item = item->next, n++) {
        cr_assert_lt(n, MAX_VARIABLES);
        snprintf(names[n], NAME_BYTES, "%.*s", (int)item->key.n, item->key.text);
        variables[n] = (gw_jinja_variable){names[n], item};
    }
    gw_jinja *jinja = NULL;
    *out = (gw_jinja_output){0};
    godwit_status status = gw_jinja_parse(host, template.text, template.n, &jinja, err);
    if (!status) status = gw_jinja_render(jinja, variables, n, NOW_S, out, err);
    gw_jinja_destroy(&jinja);
    return status;
}

Test(jinja, rows) {
    counting memory;
    counting_init(&memory, 0);
    document d;
    open_golden(&d, &memory.host, "jinja.json");
    const gw_json *vars = gw_json_get(d.root, "vars"), *rows = gw_json_get(d.root, "rows");
    cr_assert(rows && rows->n > 100);
    for (const gw_json *row = rows->first; row; row = row->next) {
        godwit_error err = {0};
        gw_jinja_output out;
        gw_str template = text_of(row, "template"), wanted = text_of(row, "text");
        godwit_status status = render(&memory.host, template, vars, &out, &err);
        bool fails = gw_json_is_null(gw_json_get(row, "text"));
        cr_expect_eq(status != GODWIT_OK, fails, "%.*s: %s", (int)template.n, template.text,
                     err.message);
        if (status) {
            cr_expect(strstr(err.message, "line "), "%s", err.message);
        } else {
            cr_expect(gw_str_eq((gw_str){out.text, out.n}, wanted),
                      "%.*s\ngives  %.*s\nwanted %.*s", (int)template.n, template.text, (int)out.n,
                      out.text, (int)wanted.n, wanted.text);
        }
        gw_free(&memory.host, out.text, out.cap);
    }
    close_document(&d);
    cr_expect_eq(memory.live_bytes, 0);
}

static void check_hash(const gw_json *golden, const char *what, godwit_status status,
                       const gw_jinja_output *out, const char *message) {
    char text[20] = "";
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < out->n; i++) hash = (hash ^ (uint8_t)out->text[i]) * 0x100000001b3u;
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    bool fails = gw_json_is_null(golden);
    cr_expect_eq(status != GODWIT_OK, fails, "%s: %s", what, message);
    if (!fails && !status) cr_expect(gw_json_is(golden, text), "%s:\n%s", what, out->text);
}

// A template on every conversation; file: as read_golden's or read_data's.
static void check_template(const gw_json *hashes, const gw_json *conversations, char *file,
                           size_t n) {
    counting memory;
    counting_init(&memory, 0);
    for (const gw_json *c = conversations->first; c; c = c->next) {
        char name[NAME_BYTES], what[2 * NAME_BYTES];
        godwit_error err = {0};
        gw_jinja_output out;
        snprintf(name, sizeof name, "%.*s", (int)c->key.n, c->key.text);
        snprintf(what, sizeof what, "%.*s, %s", (int)hashes->key.n, hashes->key.text, name);
        godwit_status status = render(&memory.host, (gw_str){file, n}, c, &out, &err);
        check_hash(gw_json_get(hashes, name), what, status, &out, err.message);
        gw_free(&memory.host, out.text, out.cap);
    }
    free(file);
    cr_expect_eq(memory.live_bytes, 0);
}

static void check_templates(bool foreign) {
    counting memory;
    counting_init(&memory, 0);
    document hashes, conversations;
    open_golden(&hashes, &memory.host, "templates.json");
    open_golden(&conversations, &memory.host, "conversations.json");
    int n_seen = 0;
    const gw_json *group = gw_json_get(hashes.root, foreign ? "foreign" : "own");
    for (const gw_json *row = group ? group->first : NULL; row; row = row->next) {
        char path[256];
        size_t n = 0;
        snprintf(path, sizeof path, "templates/%.*s", (int)row->key.n, row->key.text);
        char *file = (foreign ? read_data : read_golden)(path, &n);
        check_template(row, conversations.root, file, n);
        n_seen++;
    }
    cr_assert_geq(n_seen, 7);
    close_document(&hashes);
    close_document(&conversations);
}

Test(jinja, templates) {
    check_templates(false);
}
Test(jinja, foreign_templates) {
    check_templates(true);
}

// --- bounds --------------------------------------------------------------------------------------

static godwit_status render_text(const char *template, godwit_error *err) {
    counting memory;
    counting_init(&memory, 0);
    gw_jinja_output out;
    godwit_status status = render(&memory.host, gw_str_of(template), NULL, &out, err);
    cr_expect(out.n <= GW_JINJA_MAX_OUTPUT);
    gw_free(&memory.host, out.text, out.cap);
    cr_expect_eq(memory.live_bytes, 0, "%s", template);
    return status;
}

Test(jinja, bombs) {
    static const char *const templates[] = {
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}",
        "{{ 'a' * 100000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ ('a' * 60000000) ~ ('a' * 60000000) }}",
        "{% set ns = namespace(s='a') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}"
        "{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(64) %}{% set ns.s = ns.s|replace('a', "
        "'aa') %}{% endfor %}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ range(100001) }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}"
        "{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}"
        "{% endfor %}{{ ns.l == [ns.l] }}{{ ns.l|tojson }}",
        "{{ '%100000000d' % 1 }}",
        "{{ '{:>100000000}'.format(1) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 2 ** 100 }}",
        "{{ 'a'|indent(100000000, true) }}",
        "{{ {}|tojson(indent=100000000) }}{{ [[1]]|tojson(indent=100000000) }}",
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        godwit_error err = {0};
        cr_expect_eq(render_text(templates[i], &err), GODWIT_UNSUPPORTED, "%s: %s", templates[i],
                     err.message);
        cr_expect(strstr(err.message, "template line 1: "), "%s", err.message);
    }
}

// before, then inner many times, then after
static void check_nested(const char *open, const char *close, int n) {
    godwit_error err = {0};
    size_t each = strlen(open) + strlen(close);
    char *template = calloc(1, each * (size_t)n + 32);
    cr_assert_not_null(template);
    for (int i = 0; i < n; i++) strcat(template, open);
    for (int i = 0; i < n; i++) strcat(template, close);
    godwit_status status = render_text(template, &err);
    cr_expect(status == GODWIT_MALFORMED || status == GODWIT_UNSUPPORTED, "%s: %s", open,
              err.message);
    free(template);
}

Test(jinja, nesting) {
    check_nested("{% if 1 %}", "{% endif %}", 5000);
    char chain[20000] = "{{ 1";
    for (int i = 0; i < 4000; i++) strcat(chain, "+1");
    strcat(chain, " }}");
    godwit_error err = {0};
    cr_expect_eq(render_text(chain, &err), GODWIT_UNSUPPORTED, "%s", err.message);
    for (size_t n = 101; n < 10000; n *= 10) {
        char nested[30000] = "{{ ";
        memset(nested + 3, '(', n);
        memset(nested + 3 + n, '-', n);
        memcpy(nested + 3 + 2 * n, "1", 2);
        cr_expect_eq(render_text(nested, &err), GODWIT_MALFORMED);
        memset(nested + 3, '-', 2 * n);
        strcpy(nested + 3 + 2 * n, "1 }}");
        cr_expect_eq(render_text(nested, &err), GODWIT_MALFORMED);
    }
}

Test(jinja, messages) {
    static const struct {
        const char *template, *message;
        godwit_status status;
    } rows[] = {
        {"a\n{{ raise_exception('one at a time') }}",
         "template line 2: the template refuses these messages: one at a time",
         GODWIT_INVALID_ARGUMENT},
        {"a\n\n{{ x.y }}", "template line 3: 'x' is undefined", GODWIT_INVALID_ARGUMENT},
        {"{% if 1 %}\n", "template line 1: {% endif %} is missing, at the tag's or template's end",
         GODWIT_MALFORMED},
        {"\n{% include 'x' %}", "template line 2: a tag that is not known, at \"include\"",
         GODWIT_MALFORMED},
        {"{{ 1|nope }}", "template line 1: no filter named 'nope'", GODWIT_INVALID_ARGUMENT},
        {"{{ \xff }}", "template line 1: no UTF-8", GODWIT_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        godwit_error err = {0};
        cr_expect_eq(render_text(rows[i].template, &err), rows[i].status, "%s", err.message);
        cr_expect_str_eq(err.message, rows[i].message);
    }
}

// Whatever allocation fails, it is said, and nothing is left behind.
Test(jinja, memory) {
    size_t n = 0;
    char *file = read_golden("templates/thinking-window.jinja", &n);
    bool done = false;
    for (int64_t i = 1; !done; i++) {
        counting memory;
        counting_init(&memory, i);
        godwit_error err = {0};
        document d;
        counting whole;
        counting_init(&whole, 0);
        open_golden(&d, &whole.host, "conversations.json");
        gw_jinja_output out;
        godwit_status status =
            render(&memory.host, (gw_str){file, n}, gw_json_get(d.root, "two-calls"), &out, &err);
        done = status == GODWIT_OK && memory.n_total < i;
        cr_expect(done || status == GODWIT_OUT_OF_MEMORY, "%d: %s", (int)i, err.message);
        gw_free(&memory.host, out.text, out.cap);
        cr_expect_eq(memory.live_bytes, 0);
        close_document(&d);
        if (i > 1000) cr_assert_fail("it never ends");
    }
    free(file);
}
