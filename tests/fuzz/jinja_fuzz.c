// Fuzzer of chat templates (libFuzzer): the input is a template, then a line of four tildes, then
// the JSON of its variables; without that line, variables of a conversation. Whatever parses is
// rendered; what comes out is UTF-8 and within its bound. Also lets an allocation fail, chosen by
// the input's length.
//
// Seeds: tests/fuzz/corpus/jinja/, made by jinja_seeds.py. Dictionary: jinja.dict.
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "text/jinja.h"

enum { MAX_VARIABLES = 16, NAME_BYTES = 32, NOW_S = 1752580800 };

static const char conversation[] =
    "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":"
    "[{\"type\":\"text\",\"text\":\"\\u00e9\"}]},{\"role\":\"assistant\",\"content\":null,"
    "\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1.5}}}]}],"
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"bos_token\":\"<s>\","
    "\"eos_token\":\"</s>\",\"add_generation_prompt\":true,\"n\":3,\"x\":-0.25}";

static void check_output(const gw_jinja_output *out) {
    CHECK(out->n <= GW_JINJA_MAX_OUTPUT, "more output than its bound");
    for (size_t i = 0; i < out->n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(out->text + i, out->n - i, &code_point);
        CHECK(length > 0, "the output is no UTF-8");
        i += (size_t)length;
    }
}

static void render(const gw_host *host, const gw_jinja *jinja, const gw_json *root) {
    gw_jinja_variable variables[MAX_VARIABLES];
    char names[MAX_VARIABLES][NAME_BYTES];
    size_t n = 0;
    for (const gw_json *item = root->first; item && n < MAX_VARIABLES; item = item->next, n++) {
        snprintf(names[n], NAME_BYTES, "%.*s", GW_STR_ARG(item->key));
        variables[n] = (gw_jinja_variable){names[n], item};
    }
    gw_jinja_output out;
    godwit_error err;
    if (gw_jinja_render(jinja, variables, n, NOW_S, &out, &err)) return;
    check_output(&out);
    gw_free(host, out.text, out.cap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char mark[] = "\n~~~~\n";
    const size_t n_mark = sizeof mark - 1;
    size_t n = 0;
    while (n + n_mark <= size && memcmp(data + n, mark, n_mark) != 0) n++;
    bool own = n + n_mark <= size;
    const uint8_t *json = own ? data + n + n_mark : (const uint8_t *)conversation;
    size_t n_json = own ? size - n - n_mark : sizeof conversation - 1;
    if (!own) n = size;

    for (int fails = 0; fails < 2; fails++) {
        failing f = {.n_left = fails ? size % 13 + 1 : 0};
        godwit_allocator allocator = {&f, failing_realloc};
        gw_host host;
        gw_host_init(&host, &allocator, NULL, NULL);
        gw_arena arena;
        gw_arena_init(&arena, &host);
        const gw_json *root = NULL;
        gw_jinja *jinja = NULL;
        godwit_error err;
        if (!gw_json_parse(&arena, json, n_json, &root, &err) &&
            !gw_jinja_parse(&host, (const char *)data, n, &jinja, &err)) {
            render(&host, jinja, root);
        }
        gw_jinja_destroy(&jinja);
        gw_arena_deinit(&arena);
        CHECK(f.live_bytes == 0, "memory is left behind");
    }
    return 0;
}
