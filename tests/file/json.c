// JSON reader: trees, texts, numbers, and what RFC 8259 does not allow.
#include "base/mem.h"
#include "file/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static gw_host host;
static gw_arena arena;
static uint8_t *copies[256]; // of the texts: trees point into them
static size_t n_copies;

static void start(void) {
    gw_host_init(&host, NULL, NULL, NULL);
    gw_arena_init(&arena, &host);
}

static void end(void) {
    gw_arena_deinit(&arena);
    while (n_copies > 0) free(copies[--n_copies]);
}

static godwit_status parse(const char *text, size_t n, const gw_json **root, godwit_error *err) {
    // A copy of exactly that size, so that a read behind it is seen.
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    cr_assert_lt(n_copies, sizeof copies / sizeof *copies);
    copies[n_copies++] = copy;
    return gw_json_parse(&arena, copy, n, root, err);
}

static const gw_json *good(const char *text) {
    const gw_json *root = NULL;
    godwit_error err = {0};
    cr_assert_eq(parse(text, strlen(text), &root, &err), GODWIT_OK, "%s: %s", text, err.message);
    return root;
}

TestSuite(json, .init = start, .fini = end);

Test(json, tree) {
    const gw_json *root = good(" {\"a\" : [1, {\"b\":null} , []],\n\t\"c\":true, \"c\":false } ");
    cr_assert_eq(root->type, GW_JSON_OBJECT);
    cr_assert_eq(root->n, 3);
    const gw_json *a = gw_json_get(root, "a");
    cr_assert_eq(a->n, 3);
    cr_expect_eq(gw_json_get(a->first->next, "b")->type, GW_JSON_NULL);
    cr_expect_eq(a->first->next->next->n, 0);
    bool c = false;
    cr_expect(gw_json_bool(gw_json_get(root, "c"), &c) && c, "the first counts");
    cr_expect_null(gw_json_get(root, "d"));
    cr_expect_null(gw_json_get(a, "b"));
    cr_expect_null(gw_json_get(NULL, "b"));
}

Test(json, texts) {
    const gw_json *root =
        good("[\"\", \"plain \xc3\xa9\", \"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20AC\", "
             "\"\\ud83d\\ude00\", \"a\\u0000b\"]");
    static const char *const want[] = {"", "plain \xc3\xa9", "\"\\/\b\f\n\r\t",
                                       "\xc3\xa9\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    const gw_json *item = root->first;
    for (size_t i = 0; i < 5; i++, item = item->next)
        cr_expect(gw_json_is(item, want[i]), "%zu", i);
    cr_expect_eq(item->text.n, 3);
    cr_expect_eq(memcmp(item->text.text, "a\0b", 3), 0);
}

Test(json, numbers) {
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "-1.5",
        "1e-05",
        "1E5",
        "500000.0",
        "0.1",
        "3.14159265358979",
        "1e22",
        "123456789012345678901234567890",
        "0.000000000000000000000000001",
        "1e308",
        "5e-320",
        "10000000000000000000000e-22",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double got = 7, want = strtod(texts[i], NULL);
        cr_assert(gw_json_f64(good(texts[i]), &got), "%s", texts[i]);
        double off = got > want ? got - want : want - got, size = want < 0 ? -want : want;
        cr_expect(off <= size * 4.5e-16 + 5e-324, "%s: %.17g, not %.17g", texts[i], got, want);
        if (i < 10) cr_expect_eq(got, want, "%s: %.17g", texts[i], got);
    }
    uint64_t u = 0;
    cr_expect(gw_json_u64(good("18446744073709551615"), &u) && u == UINT64_MAX);
    cr_expect_not(gw_json_u64(good("18446744073709551616"), &u));
    cr_expect_not(gw_json_u64(good("-1"), &u));
    cr_expect_not(gw_json_u64(good("1.0"), &u));
    cr_expect_not(gw_json_u64(good("\"1\""), &u));
    double f = 0;
    cr_expect_not(gw_json_f64(good("1e309"), &f));
    cr_expect_not(gw_json_f64(good("1e99999999999"), &f));
    cr_expect(gw_json_f64(good("0e99999999999"), &f) && f == 0);
}

Test(json, malformed) {
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[",
        "\"",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[1 2]",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "-",
        "nul",
        "tru",
        "NaN",
        "Infinity",
        "'a'",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\nb\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xc3\"",
        "1 1",
        "{}x",
        "[]]",
        "\"\\",
        "\"\\\"",
        "// a\n1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const gw_json *root = NULL;
        godwit_error err = {0};
        cr_expect_eq(parse(texts[i], strlen(texts[i]), &root, &err), GODWIT_MALFORMED, "%s",
                     texts[i]);
        cr_expect_not_null(strstr(err.message, "JSON, byte "), "%s: %s", texts[i], err.message);
    }
}

Test(json, depth) {
    char text[2 * (GW_JSON_MAX_DEPTH + 2)];
    for (size_t depth = GW_JSON_MAX_DEPTH; depth <= GW_JSON_MAX_DEPTH + 1; depth++) {
        const gw_json *root = NULL;
        // The root is depth 0, so one more bracket than that.
        size_t n = depth + 1;
        memset(text, '[', n);
        memset(text + n, ']', n);
        cr_expect_eq(parse(text, 2 * n, &root, NULL),
                     depth <= GW_JSON_MAX_DEPTH ? GODWIT_OK : GODWIT_MALFORMED, "%zu", depth);
    }
}
