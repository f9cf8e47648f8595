// Safetensors reader: every rule of the format with a file that breaks it, and shards.
#include "file/file_support.h"
#include "file/safetensors_walk.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

static gw_host host;

static void start(void) {
    gw_host_init(&host, NULL, NULL, NULL);
}

TestSuite(safetensors, .init = start);

static bytes make(const char *header, size_t n_data) {
    bytes b = {0};
    bytes_str(&b, header);
    for (size_t i = 0; i < n_data; i++) bytes_add(&b, &(uint8_t){(uint8_t)(i + 1)}, 1);
    return b;
}

#define A(dtype, shape, from, to)                                                                  \
    "\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"
#define B(dtype, shape, from, to)                                                                  \
    "\"b\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

Test(safetensors, tensors) {
    bytes b = make("{\"__metadata__\":{\"format\":\"pt\"}," B("BF16", "[3]", 8, 14) "," A(
                       "F32", "[2,1]", 0, 8) "}   ",
                   14);
    gw_safetensors *file = NULL;
    godwit_error err = {0};
    cr_assert_eq(gw_safetensors_parse(&host, b.data, b.n, "x", &file, &err), GODWIT_OK, "%s",
                 err.message);
    cr_assert_eq(gw_safetensors_n(file), 2);
    cr_expect_null(safetensors_walk(file, b.data, b.n));
    const gw_st_tensor *t = gw_safetensors_find(file, "b");
    cr_expect_eq(t->type->gguf, GODWIT_BF16);
    cr_expect_eq(t->n_dims, 1);
    cr_expect_eq(t->source.bytes[0], 9);
    cr_expect_eq(t->source.bytes, b.data + b.n - 6);
    cr_expect_null(gw_safetensors_find(file, "__metadata__"));
    gw_safetensors_destroy(&file);
    bytes_free(&b);
}

Test(safetensors, rules) {
    static const struct {
        const char *header;
        size_t n_data;
        godwit_status want;
        const char *said;
    } rows[] = {
        {"{}", 0, GODWIT_OK, ""},
        {"{" A("I64", "[]", 0, 8) "}", 8, GODWIT_OK, ""},
        {"{" A("U8", "[0,9]", 0, 0) "," B("U8", "[2]", 0, 2) "}", 2, GODWIT_OK, ""},
        {"{}", 1, GODWIT_MALFORMED, "1 bytes behind the last tensor"},
        {"[]", 0, GODWIT_MALFORMED, "no object"},
        {"", 0, GODWIT_MALFORMED, "JSON"},
        {"{\"a\":1}", 0, GODWIT_MALFORMED, "tensor a: not dtype, shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, GODWIT_MALFORMED, "not dtype, shape"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1]}}", 1, GODWIT_MALFORMED,
         "data_offsets"},
        {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, GODWIT_MALFORMED,
         "dtype: no text"},
        {"{" A("Q4", "[1]", 0, 1) "}", 1, GODWIT_UNSUPPORTED, "dtype: 'Q4'"},
        {"{" A("U8", "1", 0, 1) "}", 1, GODWIT_MALFORMED, "shape: no array"},
        {"{" A("U8", "[-1]", 0, 1) "}", 1, GODWIT_MALFORMED, "shape: dimension 0"},
        {"{" A("U8", "[1.0]", 0, 1) "}", 1, GODWIT_MALFORMED, "shape: dimension 0"},
        {"{" A("U8", "[4294967296,4294967296]", 0, 1) "}", 1, GODWIT_MALFORMED, "dimension 1"},
        {"{" A("F64", "[2305843009213693952]", 0, 8) "}", 8, GODWIT_MALFORMED, "2^64"},
        {"{" A("U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) "}", 1, GODWIT_UNSUPPORTED, "9 dimensions"},
        {"{" A("U8", "[2]", 0, 1) "}", 1, GODWIT_MALFORMED, "its shape takes 2"},
        {"{" A("U8", "[2]", 0, 2) "}", 1, GODWIT_MALFORMED, "there are 1 bytes"},
        {"{" A("U8", "[1]", 1, 0) "}", 1, GODWIT_MALFORMED, "from 1 to 0"},
        {"{" A("U8", "[2]", 0, 2) "," B("U8", "[2]", 1, 3) "}", 3, GODWIT_MALFORMED, "inside"},
        {"{" A("U8", "[2]", 0, 2) "," B("U8", "[2]", 0, 2) "}", 2, GODWIT_MALFORMED, "inside"},
        {"{" A("U8", "[1]", 0, 1) "," B("U8", "[1]", 2, 3) "}", 3, GODWIT_MALFORMED, "hole"},
        {"{" A("U8", "[1]", 0, 1) "," A("U8", "[1]", 1, 2) "}", 2, GODWIT_MALFORMED, "same name"},
        {"{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, GODWIT_MALFORMED,
         "name of 0 bytes"},
        {"{\"a\\u0000\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
         GODWIT_MALFORMED, "name of 2 bytes"},
        {"{\"__metadata__\":{\"a\":1}}", 0, GODWIT_MALFORMED, "__metadata__"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, GODWIT_MALFORMED, "twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bytes b = make(rows[i].header, rows[i].n_data);
        gw_safetensors *file = NULL;
        godwit_error err = {0};
        cr_expect_eq(gw_safetensors_parse(&host, b.data, b.n, "x", &file, &err), rows[i].want,
                     "%s: %s", rows[i].header, err.message);
        cr_expect_not_null(strstr(err.message, rows[i].said), "%s: %s", rows[i].header,
                           err.message);
        if (file) cr_expect_null(safetensors_walk(file, b.data, b.n), "%s", rows[i].header);
        gw_safetensors_destroy(&file);
        bytes_free(&b);
    }
}

Test(safetensors, every_cut_is_refused) {
    bytes b = make("{" A("F32", "[2,1]", 0, 8) "," B("BF16", "[3]", 8, 14) "}", 14);
    guarded g = guarded_make(b.n);
    for (size_t n = 0; n < b.n; n++) {
        gw_safetensors *file = NULL;
        cr_expect_eq(gw_safetensors_parse(&host, guarded_copy(&g, b.data, n), n, "x", &file, NULL),
                     GODWIT_MALFORMED, "%zu bytes", n);
    }
    guarded_free(&g);
    bytes_free(&b);
}

Test(safetensors, length_of_the_header) {
    bytes b = make("{}", 0);
    gw_safetensors *file = NULL;
    for (size_t i = 1; i < 8; i++) {
        b.data[i] = 0xff;
        cr_expect_eq(gw_safetensors_parse(&host, b.data, b.n, "x", &file, NULL), GODWIT_MALFORMED);
        b.data[i] = 0;
    }
    bytes_free(&b);
}

Test(safetensors, every_allocation_may_fail) {
    bytes b = make("{" A("F32", "[2,1]", 0, 8) "," B("BF16", "[3]", 8, 14) "}", 14);
    for (int64_t n = 1;; n++) {
        counting c;
        gw_safetensors *file = NULL;
        counting_init(&c, n);
        godwit_status status = gw_safetensors_parse(&c.host, b.data, b.n, "x", &file, NULL);
        gw_safetensors_destroy(&file);
        cr_expect_eq(c.n_live, 0);
        cr_expect_eq(c.n_bad, 0);
        if (status == GODWIT_OK) break;
        cr_expect_eq(status, GODWIT_OUT_OF_MEMORY);
        cr_assert_lt(n, 100);
    }
    bytes_free(&b);
}

// --- folders -------------------------------------------------------------------------------------

static void save(const char *dir, const char *name, const void *data, size_t n) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
}

static godwit_status open_with_index(const char *dir, const char *index, gw_safetensors **file,
                                     godwit_error *err) {
    save(dir, "model.safetensors.index.json", index, strlen(index));
    return gw_safetensors_open(&host, dir, file, err);
}

Test(safetensors, shards) {
    char dir[512];
    gw_safetensors *file = NULL;
    godwit_error err = {0};
    files_make(dir, sizeof dir);
    cr_expect_eq(gw_safetensors_open(&host, dir, &file, &err), GODWIT_NOT_FOUND);
    bytes one = make("{" A("U8", "[2]", 0, 2) "}", 2), two = make("{" B("U8", "[3]", 0, 3) "}", 3);
    save(dir, "1.safetensors", one.data, one.n);
    save(dir, "2.safetensors", two.data, two.n);
    cr_assert_eq(open_with_index(dir,
                                 "{\"metadata\":{},\"weight_map\":{\"b\":\"2.safetensors\","
                                 "\"a\":\"1.safetensors\"}}",
                                 &file, &err),
                 GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_safetensors_n(file), 2);
    cr_expect_eq(gw_safetensors_find(file, "b")->bytes, 3);
    uint8_t scratch[2] = {0};
    const uint8_t *a = NULL;
    cr_expect_eq(gw_source_view(&gw_safetensors_find(file, "a")->source, 0, 2, scratch, &a, &err),
                 GODWIT_OK, "%s", err.message);
    cr_expect_eq(a[1], 2);
    gw_safetensors_destroy(&file);
    static const struct {
        const char *index;
        godwit_status want;
        const char *said;
    } rows[] = {
        {"{}", GODWIT_MALFORMED, "weight_map"},
        {"{\"weight_map\":{\"c\":\"1.safetensors\"}}", GODWIT_MALFORMED, "tensor c is not in"},
        {"{\"weight_map\":{\"a\":\"2.safetensors\"}}", GODWIT_MALFORMED, "tensor a is not in"},
        {"{\"weight_map\":{\"a\":\"../1.safetensors\"}}", GODWIT_MALFORMED, "no name of a file"},
        {"{\"weight_map\":{\"a\":\"..\"}}", GODWIT_MALFORMED, "no name of a file"},
        {"{\"weight_map\":{\"a\":\"\"}}", GODWIT_MALFORMED, "no name of a file"},
        {"{\"weight_map\":{\"a\":1}}", GODWIT_MALFORMED, "'a': no file name"},
        {"{\"weight_map\":{\"a\":\"3.safetensors\"}}", GODWIT_IO, "3.safetensors"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"a\":\"1.safetensors\"}}", GODWIT_MALFORMED,
         "same name"},
        {"[", GODWIT_MALFORMED, "JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err = (godwit_error){0};
        cr_expect_eq(open_with_index(dir, rows[i].index, &file, &err), rows[i].want, "%s: %s",
                     rows[i].index, err.message);
        cr_expect_null(file);
        cr_expect_not_null(strstr(err.message, rows[i].said), "%s: %s", rows[i].index, err.message);
    }
    save(dir, "model.safetensors", one.data, one.n);
    cr_assert_eq(gw_safetensors_open(&host, dir, &file, &err), GODWIT_OK, "%s", err.message);
    cr_expect_eq(gw_safetensors_n(file), 1);
    cr_expect_not_null(gw_safetensors_find(file, "a"));
    gw_safetensors_destroy(&file);
    bytes_free(&one);
    bytes_free(&two);
    files_remove(dir);
}
