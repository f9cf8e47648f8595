// GGUF reader against the format's own Python package: tests/golden/gguf/*.txt, made by
// tests/golden/gguf_dump.py, line by line.
#include "file/file_support.h"
#include "file/gguf_walk.h"
#include "file/reader.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FNV_START 0xcbf29ce484222325u

static uint64_t fnv(uint64_t hash, const void *data, size_t n) {
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static void add_text(bytes *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_text(bytes *line, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bytes_add(line, text, (size_t)n);
}

// Hash and look of item i, through the accessors alone.
static uint64_t add_item(bytes *line, const gw_gguf_value *value, uint64_t i, uint64_t hash) {
    godwit_error err = {0};
    gw_gguf_type type = value->item_type;
    bytes raw = {0};
    char shown[200] = "";
    if (type == GW_GGUF_STRING) {
        gw_str text;
        cr_assert_eq(gw_gguf_item_str(value, i, &text, &err), GODWIT_OK, "%s", err.message);
        bytes_u64(&raw, text.n);
        bytes_add(&raw, text.text, text.n);
        size_t at = 0;
        for (size_t k = 0; k < text.n && k < 40; k++) {
            uint8_t c = (uint8_t)text.text[k];
            bool plain = c >= 33 && c < 127 && c != '%';
            at += (size_t)snprintf(shown + at, sizeof shown - at, plain ? "%c" : "%%%02x", c);
        }
    } else if (type == GW_GGUF_F32 || type == GW_GGUF_F64) {
        double f;
        cr_assert_eq(gw_gguf_item_f64(value, i, &f, &err), GODWIT_OK, "%s", err.message);
        if (type == GW_GGUF_F32) bytes_add(&raw, &(float){(float)f}, 4);
        if (type == GW_GGUF_F64) bytes_add(&raw, &f, 8);
        snprintf(shown, sizeof shown, "%.9g", f);
    } else {
        static const uint8_t sizes[] = {[GW_GGUF_U8] = 1,  [GW_GGUF_I8] = 1,  [GW_GGUF_U16] = 2,
                                        [GW_GGUF_I16] = 2, [GW_GGUF_U32] = 4, [GW_GGUF_I32] = 4,
                                        [GW_GGUF_U64] = 8, [GW_GGUF_I64] = 8, [GW_GGUF_BOOL] = 1};
        uint64_t u = 0;
        if (gw_gguf_item_u64(value, i, &u, &err) == GODWIT_OK) {
            snprintf(shown, sizeof shown, "%" PRIu64, u);
        } else {
            int64_t n;
            cr_assert_eq(gw_gguf_item_i64(value, i, &n, &err), GODWIT_OK, "%s", err.message);
            snprintf(shown, sizeof shown, "%" PRId64, n);
            u = (uint64_t)n;
        }
        bytes_u64(&raw, u);
        raw.n = sizes[type];
    }
    if (i < 3) add_text(line, i ? " %s" : "%s", shown);
    hash = fnv(hash, raw.data, raw.n);
    bytes_free(&raw);
    return hash;
}

static void dump_value(bytes *out, const gw_gguf_value *value) {
    bytes items = {0};
    uint64_t hash = FNV_START;
    for (uint64_t i = 0; i < value->n_items; i++) hash = add_item(&items, value, i, hash);
    add_text(out, "value %.*s %s%s %" PRIu64 " %016" PRIx64 " ", GW_STR_ARG(value->key),
             value->type == GW_GGUF_ARRAY ? "array:" : "",
             gw_gguf_value_type_name(value->item_type), value->n_items, hash);
    bytes_add(out, items.data, items.n);
    while (out->data[out->n - 1] == ' ') out->n--;
    bytes_add(out, "\n", 1);
    bytes_free(&items);
}

static uint64_t hash_tensor(const gw_gguf_tensor *tensor) {
    uint8_t *scratch = malloc(tensor->bytes);
    const uint8_t *at = NULL;
    cr_assert_not_null(scratch);
    cr_assert_eq(gw_source_view(&tensor->source, 0, tensor->bytes, scratch, &at, NULL), GODWIT_OK);
    uint64_t hash = fnv(FNV_START, at, (size_t)tensor->bytes);
    free(scratch);
    return hash;
}

static void dump_tensor(bytes *out, const gw_gguf_tensor *tensor) {
    add_text(out, "tensor %s %s ", tensor->name, gw_gguf_tensor_type(tensor->type)->name);
    for (uint32_t i = 0; i < tensor->n_dims; i++) {
        add_text(out, i ? "x%" PRIu64 : "%" PRIu64, tensor->dims[i]);
    }
    add_text(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n", tensor->n_elements,
             tensor->bytes, tensor->offset, hash_tensor(tensor));
}

static bytes dump(const gw_gguf *gguf) {
    bytes out = {0};
    add_text(&out, "version %" PRIu32 "\n", gw_gguf_version(gguf));
    for (uint64_t i = 0; i < gw_gguf_n_values(gguf); i++) {
        dump_value(&out, gw_gguf_value_at(gguf, i));
    }
    for (uint64_t i = 0; i < gw_gguf_n_tensors(gguf); i++) {
        dump_tensor(&out, gw_gguf_tensor_at(gguf, i));
    }
    return out;
}

static void compare_lines(const bytes *got, const bytes *want, const char *name) {
    const char *g = (const char *)got->data, *w = (const char *)want->data;
    size_t line = 1, start = 0;
    for (size_t i = 0; i < got->n && i < want->n; i++) {
        if (g[i] != w[i]) {
            cr_assert_fail("%s line %zu:\n got %.*s\nwant %.*s", name, line,
                           (int)strcspn(g + start, "\n"), g + start, (int)strcspn(w + start, "\n"),
                           w + start);
        }
        if (g[i] == '\n') line++, start = i + 1;
    }
    cr_assert_eq(got->n, want->n, "%s: %zu bytes of text, not %zu", name, got->n, want->n);
}

static void check_file(const char *path, const char *golden) {
    char buffer[512];
    gw_host host;
    gw_gguf *gguf = NULL;
    godwit_error err = {0};
    gw_host_init(&host, NULL, NULL, NULL);
    bytes file = bytes_of_file(path);
    cr_assert_eq(gw_gguf_open(&host, path, &gguf, &err), GODWIT_OK, "%s", err.message);
    cr_assert_null(gguf_walk(gguf, NULL, file.n));
    cr_assert_str_eq(gw_gguf_name(gguf), path);
    bytes from_file = dump(gguf);
    gw_gguf_destroy(&gguf);
    cr_assert_eq(gw_gguf_parse(&host, file.data, file.n, path, &gguf, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_null(gguf_walk(gguf, file.data, file.n));
    bytes got = dump(gguf), want = bytes_of_file(golden_path(buffer, sizeof buffer, golden));
    cr_assert(got.n == from_file.n && memcmp(got.data, from_file.data, got.n) == 0,
              "%s: the file reads otherwise than its bytes", path);
    // Terminated, for strcspn.
    bytes_add(&got, "", 1);
    bytes_add(&want, "", 1);
    compare_lines(&got, &want, golden);
    bytes_free(&got);
    bytes_free(&want);
    bytes_free(&from_file);
    bytes_free(&file);
    gw_gguf_destroy(&gguf);
}

static void check_data(const char *name, const char *golden) {
    char buffer[512];
    const char *path = data_path(buffer, sizeof buffer, name);
    if (!path) cr_skip_test("no test data");
    check_file(path, golden);
}

Test(gguf_golden, story) {
    check_file(GODWIT_TEST_ROOT "/models/story-q8_0.gguf", "story-q8_0.gguf.txt");
}

Test(gguf_golden, stories) {
    check_data("llm/stories260K.gguf", "stories260K.gguf.txt");
}

Test(gguf_golden, vocab_bert) {
    check_data("vocab/ggml-vocab-bert-bge.gguf", "ggml-vocab-bert-bge.gguf.txt");
}

Test(gguf_golden, vocab_gpt2) {
    check_data("vocab/ggml-vocab-gpt-2.gguf", "ggml-vocab-gpt-2.gguf.txt");
}

Test(gguf_golden, vocab_phi3) {
    check_data("vocab/ggml-vocab-phi-3.gguf", "ggml-vocab-phi-3.gguf.txt");
}

Test(gguf_golden, all_types) {
    char buffer[512];
    check_file(golden_path(buffer, sizeof buffer, "all-types.gguf"), "all-types.gguf.txt");
}

Test(gguf_golden, type_table) {
    char buffer[512];
    FILE *file = fopen(golden_path(buffer, sizeof buffer, "types.txt"), "r");
    cr_assert_not_null(file);
    unsigned type, block, n_bytes, n_known = 0, n_rows = 0;
    char name[32];
    while (fscanf(file, "%u %31s %u %u", &type, name, &block, &n_bytes) == 4) {
        const gw_gguf_type_row *row = gw_gguf_tensor_type(type);
        cr_assert_not_null(row, "type %u (%s) is missing", type, name);
        cr_expect_eq(row->type, type);
        cr_expect_str_eq(row->name, name);
        cr_expect_eq(row->block_elements, block, "%s", name);
        cr_expect_eq(row->block_bytes, n_bytes, "%s", name);
        n_rows++;
    }
    fclose(file);
    for (uint32_t i = 0; i < 1000; i++) n_known += gw_gguf_tensor_type(i) != NULL;
    cr_assert_eq(n_known, n_rows);
    cr_assert_gt(n_rows, 30);
}
