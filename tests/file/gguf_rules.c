// GGUF rules one by one: a header written by hand breaks one rule, and the error names it.
#include "file/file_support.h"
#include "file/gguf_walk.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

static void head(bytes *b, uint32_t version, uint64_t n_tensors, uint64_t n_values) {
    bytes_add(b, "GGUF", 4);
    bytes_u32(b, version);
    bytes_u64(b, n_tensors);
    bytes_u64(b, n_values);
}

static void pair_u32(bytes *b, const char *key, uint32_t number) {
    bytes_str(b, key);
    bytes_u32(b, GW_GGUF_U32);
    bytes_u32(b, number);
}

// An F32 tensor of n elements.
static void tensor_f32(bytes *b, const char *name, uint64_t n, uint64_t offset) {
    bytes_str(b, name);
    bytes_u32(b, 1);
    bytes_u64(b, n);
    bytes_u32(b, 0);
    bytes_u64(b, offset);
}

// Zeros up to the next multiple of 32 and n_bytes of data.
static void data(bytes *b, size_t n_bytes) {
    size_t padding = (32 - b->n % 32) % 32;
    for (size_t i = 0; i < padding + n_bytes; i++) bytes_add(b, "", 1);
}

// --- files that break one rule -------------------------------------------------------------------

static void empty(bytes *b) {
    bytes_add(b, "GG", 2);
}
static void other_magic(bytes *b) {
    bytes_add(b, "PK\3\4 some archive that is long enough", 36);
}
static void version_0(bytes *b) {
    head(b, 0, 0, 0);
}
static void version_1(bytes *b) {
    head(b, 1, 0, 0);
}
static void version_4(bytes *b) {
    head(b, 4, 0, 0);
}
static void big_endian(bytes *b) {
    head(b, 0x03000000, 0, 0);
}
static void many_tensors(bytes *b) {
    head(b, 3, UINT64_MAX, 0);
}
static void some_tensors(bytes *b) {
    head(b, 3, 1000, 0);
    data(b, 100);
}
static void many_values(bytes *b) {
    head(b, 3, 0, UINT64_C(1) << 60);
}
static void some_values(bytes *b) {
    head(b, 3, 0, 65000);
}
static void key_past_end(bytes *b) {
    head(b, 3, 0, 1);
    bytes_u64(b, 60000);
    data(b, 64);
}
static void key_too_long(bytes *b) {
    head(b, 3, 0, 1);
    bytes_u64(b, UINT64_MAX - 7);
    data(b, 64);
}
static void key_empty(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "", 1);
    data(b, 64);
}
static void key_with_nul(bytes *b) {
    head(b, 3, 0, 1);
    bytes_u64(b, 3);
    bytes_add(b, "a\0b", 3);
    bytes_u32(b, GW_GGUF_U32);
    bytes_u32(b, 1);
}
static void key_no_utf8(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "a\xc0\x80z", 1); // an overlong NUL
}
static void key_surrogate(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "\xed\xa0\x80", 1);
}
static void key_escape(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "\x1b[2J", 1);
}
static void key_twice(bytes *b) {
    head(b, 3, 0, 3);
    pair_u32(b, "a", 1);
    pair_u32(b, "b", 1);
    pair_u32(b, "a", 2);
}
static void value_type(bytes *b) {
    head(b, 3, 0, 1);
    bytes_str(b, "some.key");
    bytes_u32(b, 13);
    data(b, 64);
}
static void bool_2(bytes *b) {
    head(b, 3, 0, 1);
    bytes_str(b, "some.key");
    bytes_u32(b, GW_GGUF_BOOL);
    bytes_add(b, "\2", 1);
}
static void bools_2(bytes *b) {
    head(b, 3, 0, 1);
    bytes_str(b, "some.key");
    bytes_u32(b, GW_GGUF_ARRAY);
    bytes_u32(b, GW_GGUF_BOOL);
    bytes_u64(b, 3);
    bytes_add(b, "\1\0\xff", 3);
}
static void array(bytes *b, uint32_t item_type, uint64_t n_items) {
    head(b, 3, 0, 1);
    bytes_str(b, "some.key");
    bytes_u32(b, GW_GGUF_ARRAY);
    bytes_u32(b, item_type);
    bytes_u64(b, n_items);
    data(b, 64);
}
static void array_nested(bytes *b) {
    array(b, GW_GGUF_ARRAY, 1);
}
static void array_type(bytes *b) {
    array(b, 77, 1);
}
static void array_huge(bytes *b) {
    array(b, GW_GGUF_U64, (UINT64_C(1) << 61) + 1); // times 8 is 8
}
static void array_past_end(bytes *b) {
    array(b, GW_GGUF_U64, 1000);
}
static void strings_past_end(bytes *b) {
    array(b, GW_GGUF_STRING, 1 << 20);
}
static void string_past_end(bytes *b) {
    head(b, 3, 0, 1);
    bytes_str(b, "some.key");
    bytes_u32(b, GW_GGUF_STRING);
    bytes_u64(b, 1 << 20);
    data(b, 64);
}
static void align_0(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "general.alignment", 0);
}
static void align_48(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "general.alignment", 48);
}
static void align_huge(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "general.alignment", UINT32_C(1) << 31);
}
static void align_text(bytes *b) {
    head(b, 3, 0, 1);
    bytes_str(b, "general.alignment");
    bytes_u32(b, GW_GGUF_STRING);
    bytes_str(b, "32");
}
static void split_3(bytes *b) {
    head(b, 3, 0, 1);
    pair_u32(b, "split.count", 3);
}
static void tensor_any(bytes *b, uint32_t n_dims, uint64_t d0, uint64_t d1, uint32_t type) {
    head(b, 3, 1, 0);
    bytes_str(b, "w");
    bytes_u32(b, n_dims);
    for (uint32_t i = 0; i < n_dims && i < 8; i++) bytes_u64(b, i == 0 ? d0 : i == 1 ? d1 : 1);
    bytes_u32(b, type);
    bytes_u64(b, 0);
    data(b, 256);
}
static void dims_none(bytes *b) {
    tensor_any(b, 0, 1, 1, 0);
}
static void dims_five(bytes *b) {
    tensor_any(b, 5, 1, 1, 0);
}
static void dim_zero(bytes *b) {
    tensor_any(b, 2, 4, 0, 0);
}
static void dims_product(bytes *b) {
    tensor_any(b, 2, UINT64_C(1) << 33, UINT64_C(1) << 33, 0);
}
static void dims_bytes(bytes *b) {
    tensor_any(b, 1, UINT64_C(1) << 62, 1, 0); // times 4 is 0
}
static void row_no_block(bytes *b) {
    tensor_any(b, 2, 48, 2, 8); // 96 elements are three blocks, but no row is
}
static void type_withdrawn(bytes *b) {
    tensor_any(b, 1, 32, 1, 31);
}
static void type_unknown(bytes *b) {
    tensor_any(b, 1, 32, 1, 999);
}
static void tensor_past_end(bytes *b) {
    head(b, 3, 1, 0);
    tensor_f32(b, "w", 9, 0);
    data(b, 32);
}
static void offset_past_end(bytes *b) {
    head(b, 3, 1, 0);
    tensor_f32(b, "w", 8, UINT64_MAX - 31);
    data(b, 32);
}
static void size_wraps(bytes *b) {
    head(b, 3, 1, 0);
    tensor_f32(b, "w", (UINT64_C(1) << 62) - 8, 32); // 32 + 2^64 - 32 bytes
    data(b, 64);
}
static void offset_unaligned(bytes *b) {
    head(b, 3, 1, 0);
    tensor_f32(b, "w", 4, 16);
    data(b, 64);
}
static void overlap(bytes *b) {
    head(b, 3, 3, 0);
    tensor_f32(b, "c", 4, 64);
    tensor_f32(b, "a", 9, 0);
    tensor_f32(b, "b", 4, 32);
    data(b, 96);
}
static void same_place(bytes *b) {
    head(b, 3, 2, 0);
    tensor_f32(b, "a", 4, 0);
    tensor_f32(b, "b", 4, 0);
    data(b, 96);
}
// As a fork of llama.cpp has Q2_0: 128 weights in 34 bytes, where GGUF's take 2 x 18.
static void of_fork(bytes *b) {
    head(b, 3, 2, 0);
    for (uint32_t i = 0; i < 2; i++) {
        bytes_str(b, i ? "b" : "a");
        bytes_u32(b, 1);
        bytes_u64(b, 128 * 16);
        bytes_u32(b, 42);
        bytes_u64(b, i * 34 * 16);
    }
    data(b, 2 * 34 * 16);
}
static void name_twice(bytes *b) {
    head(b, 3, 2, 0);
    tensor_f32(b, "same.weight", 4, 0);
    tensor_f32(b, "same.weight", 4, 32);
    data(b, 96);
}
static void name_long(bytes *b) {
    char name[300];
    memset(name, 'a', sizeof name);
    name[257] = 0;
    head(b, 3, 1, 0);
    tensor_f32(b, name, 4, 0);
    data(b, 96);
}
static void no_data(bytes *b) {
    head(b, 3, 1, 0);
    tensor_f32(b, "w", 4, 0);
}

static const struct {
    const char *name;
    void (*make)(bytes *b);
    godwit_status want;
    const char *message; // part of it
} rules[] = {
    {"empty", empty, GODWIT_MALFORMED, "magic: offset 0 + 4 bytes passes the file's end (2)"},
    {"other_magic", other_magic, GODWIT_MALFORMED, "m.gguf: a ZIP archive"},
    {"version_0", version_0, GODWIT_UNSUPPORTED, "GGUF version 0; versions 2 and 3"},
    {"version_1", version_1, GODWIT_UNSUPPORTED, "GGUF version 1; versions 2 and 3"},
    {"version_4", version_4, GODWIT_UNSUPPORTED, "GGUF version 4; versions 2 and 3"},
    {"big_endian", big_endian, GODWIT_UNSUPPORTED, "big-endian GGUF (version 3)"},
    {"many_tensors", many_tensors, GODWIT_MALFORMED, "18446744073709551615 tensors, the most is"},
    {"some_tensors", some_tensors, GODWIT_MALFORMED, "1000 tensors do not fit"},
    {"many_values", many_values, GODWIT_MALFORMED, "metadata pairs, the most is 65536"},
    {"some_values", some_values, GODWIT_MALFORMED, "65000 metadata pairs do not fit"},
    {"key_past_end", key_past_end, GODWIT_MALFORMED, "+ 60000 bytes passes the file's end"},
    {"key_too_long", key_too_long, GODWIT_MALFORMED,
     "key at offset 24: length 18446744073709551608"},
    {"key_empty", key_empty, GODWIT_MALFORMED, "key at offset 24: 0 bytes that are no name"},
    {"key_with_nul", key_with_nul, GODWIT_MALFORMED, "names are printable UTF-8"},
    {"key_no_utf8", key_no_utf8, GODWIT_MALFORMED, "names are printable UTF-8"},
    {"key_surrogate", key_surrogate, GODWIT_MALFORMED, "names are printable UTF-8"},
    {"key_escape", key_escape, GODWIT_MALFORMED, "names are printable UTF-8"},
    {"key_twice", key_twice, GODWIT_MALFORMED, "a: numbers 0 and 2 have the same name"},
    {"value_type", value_type, GODWIT_MALFORMED, "some.key: value type 13 does not exist"},
    {"bool_2", bool_2, GODWIT_MALFORMED, "some.key: bool at offset 44 is 2"},
    {"bools_2", bools_2, GODWIT_MALFORMED, "is 255, not 0 or 1"},
    {"array_nested", array_nested, GODWIT_UNSUPPORTED, "some.key: arrays of arrays"},
    {"array_type", array_type, GODWIT_MALFORMED, "value type 77 does not exist"},
    {"array_huge", array_huge, GODWIT_MALFORMED, "array of 2305843009213693953 items"},
    {"array_past_end", array_past_end, GODWIT_MALFORMED, "+ 8000 bytes passes the file's end"},
    {"strings_past_end", strings_past_end, GODWIT_MALFORMED, "array of 1048576 strings"},
    {"string_past_end", string_past_end, GODWIT_MALFORMED, "+ 1048576 bytes passes"},
    {"align_0", align_0, GODWIT_MALFORMED, "general.alignment: is 0, must be 8 to 1048576"},
    {"align_48", align_48, GODWIT_MALFORMED, "general.alignment: 48 is no power of two"},
    {"align_huge", align_huge, GODWIT_MALFORMED, "must be 8 to 1048576"},
    {"align_text", align_text, GODWIT_MALFORMED, "is a string where a number is needed"},
    {"split_3", split_3, GODWIT_UNSUPPORTED, "one of 3 files of a split model"},
    {"dims_none", dims_none, GODWIT_MALFORMED, "tensor w: 0 dimensions, must be 1 to 4"},
    {"dims_five", dims_five, GODWIT_MALFORMED, "tensor w: 5 dimensions, must be 1 to 4"},
    {"dim_zero", dim_zero, GODWIT_MALFORMED, "tensor w: dimension 0 is 0"},
    {"dims_product", dims_product, GODWIT_MALFORMED, "product passes 2^64"},
    {"dims_bytes", dims_bytes, GODWIT_MALFORMED, "size passes 2^64"},
    {"row_no_block", row_no_block, GODWIT_MALFORMED,
     "rows of 48 elements are no multiple of Q8_0's"},
    {"type_withdrawn", type_withdrawn, GODWIT_UNSUPPORTED, "tensor type 31 was withdrawn"},
    {"type_unknown", type_unknown, GODWIT_UNSUPPORTED, "tensor type 999 is not known"},
    {"tensor_past_end", tensor_past_end, GODWIT_MALFORMED, "tensor w: offset 0 + 36 bytes"},
    {"offset_past_end", offset_past_end, GODWIT_MALFORMED, "passes the file's end"},
    {"size_wraps", size_wraps, GODWIT_MALFORMED, "offset 32 + 18446744073709551584 bytes"},
    {"offset_unaligned", offset_unaligned, GODWIT_MALFORMED, "offset 16 is no multiple of the"},
    {"overlap", overlap, GODWIT_MALFORMED,
     "tensor b: its bytes from 160 lie in tensor a's (128 + 36)"},
    {"same_place", same_place, GODWIT_MALFORMED, "lie in tensor"},
    {"of_fork", of_fork, GODWIT_MALFORMED, "Q2_0 in blocks of 128 weights, as a fork"},
    {"name_twice", name_twice, GODWIT_MALFORMED, "same.weight: numbers 0 and 1 have the same name"},
    {"name_long", name_long, GODWIT_MALFORMED, "length 257, the most is 256"},
    {"no_data", no_data, GODWIT_MALFORMED, "passes the file's end"},
};

Test(gguf_rules, each_is_named_in_its_error) {
    gw_host host;
    gw_host_init(&host, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        bytes b = {0};
        godwit_error err = {0};
        gw_gguf *gguf = NULL;
        rules[i].make(&b);
        godwit_status status = gw_gguf_parse(&host, b.data, b.n, "m.gguf", &gguf, &err);
        cr_expect_eq(status, rules[i].want, "%s: %s", rules[i].name, err.message);
        cr_expect_eq(err.status, status);
        cr_expect_null(gguf);
        cr_expect_not_null(strstr(err.message, rules[i].message), "%s: %s", rules[i].name,
                           err.message);
        cr_expect_eq(strncmp(err.message, "m.gguf: ", 8), 0, "%s: %s", rules[i].name, err.message);
        cr_expect_null(strstr(err.message + 8, "m.gguf"), "%s: %s", rules[i].name, err.message);
        // Without an error to fill, the same.
        cr_expect_eq(gw_gguf_parse(&host, b.data, b.n, NULL, &gguf, NULL), status);
        gw_gguf_destroy(&gguf);
        bytes_free(&b);
    }
}

// --- files that keep the rules, if barely --------------------------------------------------------

// Version 2 has version 3's layout.
static void good_version_2(bytes *b) {
    head(b, 2, 1, 1);
    pair_u32(b, "k", 1);
    tensor_f32(b, "w", 8, 0);
    data(b, 32);
}
// Any order, with holes, the last one without padding behind it.
static void good_order(bytes *b) {
    head(b, 3, 3, 0);
    tensor_f32(b, "c", 3, 128);
    tensor_f32(b, "a", 8, 0);
    tensor_f32(b, "b", 5, 64);
    data(b, 140);
}
static void good_long_names(bytes *b) {
    char name[300] = "";
    memset(name, 'a', 256);
    head(b, 3, 1, 1);
    pair_u32(b, "\xe9\xb6\xb4.\xf0\x9f\xa6\x86", 1);
    tensor_f32(b, name, 8, 0);
    data(b, 32);
}
static void good_align_8(bytes *b) {
    head(b, 3, 2, 1);
    pair_u32(b, "general.alignment", 8);
    tensor_f32(b, "a", 2, 0);
    tensor_f32(b, "b", 2, 8);
    data(b, 16);
}
static void good_empty_arrays(bytes *b) {
    head(b, 3, 0, 2);
    for (uint32_t i = 0; i < 2; i++) {
        bytes_str(b, i ? "numbers" : "texts");
        bytes_u32(b, GW_GGUF_ARRAY);
        bytes_u32(b, i ? GW_GGUF_I16 : GW_GGUF_STRING);
        bytes_u64(b, 0);
    }
}

Test(gguf_rules, what_keeps_them_is_read) {
    static void (*const makers[])(bytes *) = {good_version_2, good_order, good_long_names,
                                              good_align_8, good_empty_arrays};
    gw_host host;
    gw_host_init(&host, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        bytes b = {0};
        godwit_error err = {0};
        gw_gguf *gguf = NULL;
        makers[i](&b);
        cr_expect_eq(gw_gguf_parse(&host, b.data, b.n, "m", &gguf, &err), GODWIT_OK, "%zu: %s", i,
                     err.message);
        if (gguf) cr_expect_null(gguf_walk(gguf, b.data, b.n), "%zu", i);
        gw_gguf_destroy(&gguf);
        bytes_free(&b);
    }
}

// --- reading values ------------------------------------------------------------------------------

static gw_host host;
static gw_gguf *values;
static bytes value_bytes;
static godwit_error err;

static void add_number(gw_gguf_writer *w, const char *key, gw_gguf_type type, const void *number) {
    cr_assert_eq(gw_gguf_writer_set_number(w, key, type, number, &err), GODWIT_OK);
}

static void setup_values(void) {
    gw_gguf_writer *w = NULL;
    gw_host_init(&host, NULL, NULL, NULL);
    cr_assert_eq(gw_gguf_writer_create(&host, &w, &err), GODWIT_OK);
    add_number(w, "i8", GW_GGUF_I8, &(int8_t){-7});
    add_number(w, "u16", GW_GGUF_U16, &(uint16_t){40000});
    add_number(w, "u64", GW_GGUF_U64, &(uint64_t){UINT64_MAX});
    add_number(w, "i64", GW_GGUF_I64, &(int64_t){INT64_MIN});
    add_number(w, "bool", GW_GGUF_BOOL, &(bool){true});
    add_number(w, "two", GW_GGUF_U8, &(uint8_t){2});
    add_number(w, "f10000", GW_GGUF_F32, &(float){10000});
    add_number(w, "f0.5", GW_GGUF_F32, &(float){0.5f});
    add_number(w, "f-3", GW_GGUF_F64, &(double){-3});
    add_number(w, "f1e30", GW_GGUF_F64, &(double){1e30});
    add_number(w, "f2^63", GW_GGUF_F64, &(double){0x1p63});
    add_number(w, "nan", GW_GGUF_F32, &(float){NAN});
    add_number(w, "inf", GW_GGUF_F64, &(double){-INFINITY});
    cr_assert_eq(gw_gguf_writer_set_str(w, "text", GW_STR("godwit"), &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_str(w, "none", GW_STR(""), &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_set_array(w, "array", GW_GGUF_U32, (uint32_t[]){4}, 1, &err),
                 GODWIT_OK);
    cr_assert_eq(gw_gguf_writer_emit(w, bytes_out, &value_bytes, &err), GODWIT_OK);
    cr_assert_eq(gw_gguf_parse(&host, value_bytes.data, value_bytes.n, "v.gguf", &values, &err),
                 GODWIT_OK, "%s", err.message);
    gw_gguf_writer_destroy(&w);
}

static void teardown_values(void) {
    gw_gguf_destroy(&values);
    bytes_free(&value_bytes);
}

TestSuite(gguf_values, .init = setup_values, .fini = teardown_values);

Test(gguf_values, integers_convert_where_they_fit) {
    // Whether each reads as u64, i64, f64; and as what.
    static const struct {
        const char *key;
        bool as_u64, as_i64, as_f64;
        uint64_t u;
        int64_t i;
        double f;
    } cases[] = {
        {"i8", false, true, true, 0, -7, -7},
        {"u16", true, true, true, 40000, 40000, 40000},
        {"u64", true, false, true, UINT64_MAX, 0, 0x1p64},
        {"i64", false, true, true, 0, INT64_MIN, -0x1p63},
        {"bool", true, true, true, 1, 1, 1},
        {"f10000", true, true, true, 10000, 10000, 10000},
        {"f0.5", false, false, true, 0, 0, 0.5},
        {"f-3", false, true, true, 0, -3, -3},
        {"f1e30", false, false, true, 0, 0, 1e30},
        {"f2^63", true, false, true, UINT64_C(1) << 63, 0, 0x1p63},
        {"nan", false, false, false, 0, 0, 0},
        {"inf", false, false, false, 0, 0, 0},
        {"text", false, false, false, 0, 0, 0},
        {"array", true, true, true, 4, 4, 4},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const gw_gguf_value *value = gw_gguf_find(values, cases[k].key);
        cr_assert_not_null(value, "%s", cases[k].key);
        uint64_t u = 0;
        int64_t i = 0;
        double f = 0;
        cr_expect_eq(gw_gguf_item_u64(value, 0, &u, &err) == GODWIT_OK, cases[k].as_u64, "%s",
                     cases[k].key);
        cr_expect_eq(gw_gguf_item_i64(value, 0, &i, &err) == GODWIT_OK, cases[k].as_i64, "%s",
                     cases[k].key);
        cr_expect_eq(gw_gguf_item_f64(value, 0, &f, &err) == GODWIT_OK, cases[k].as_f64, "%s",
                     cases[k].key);
        cr_expect_eq(u, cases[k].u, "%s", cases[k].key);
        cr_expect_eq(i, cases[k].i, "%s", cases[k].key);
        cr_expect_eq(f, cases[k].f, "%s", cases[k].key);
        cr_expect_eq(gw_gguf_item_u64(value, 1, &u, &err), GODWIT_MALFORMED);
        cr_expect_eq(gw_gguf_item_u64(value, UINT64_MAX, &u, &err), GODWIT_MALFORMED);
    }
}

Test(gguf_values, scalars_by_key_are_held_to_their_range) {
    uint32_t u = 99;
    float f = 99;
    cr_assert_eq(gw_gguf_get_u32(values, "u16", 1, 40000, 5, &u, &err), GODWIT_OK);
    cr_assert_eq(u, 40000);
    cr_assert_eq(gw_gguf_get_u32(values, "u16", 1, 39999, 5, &u, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "u16: is 40000, must be 1 to 39999");
    cr_assert_eq(gw_gguf_get_u32(values, "u64", 0, UINT32_MAX, 5, &u, &err), GODWIT_MALFORMED);
    cr_assert_eq(gw_gguf_get_u32(values, "i8", 0, 9, 5, &u, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "i8: -7 is negative");
    cr_assert_eq(gw_gguf_get_u32(values, "array", 0, 9, 5, &u, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "array: is an array of 1 u32 where one value is needed");
    cr_assert_eq(u, 40000);
    cr_assert_eq(gw_gguf_get_u32(values, "missing", 1, 9, 5, &u, &err), GODWIT_OK);
    cr_assert_eq(u, 5);
    cr_assert_eq(gw_gguf_require_u32(values, "missing", 1, 9, &u, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "missing: the key is missing");
    cr_assert_eq(gw_gguf_get_f32(values, "f0.5", 0, 1, 7, &f, &err), GODWIT_OK);
    cr_assert_eq(f, 0.5f);
    cr_assert_eq(gw_gguf_get_f32(values, "f10000", 0, 9999, 7, &f, &err), GODWIT_MALFORMED);
    cr_assert_eq(gw_gguf_get_f32(values, "nan", 0, 1, 7, &f, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "nan: NaN where a finite number is needed");
    cr_assert_eq(gw_gguf_get_f32(values, "missing", 0, 1, 7, &f, &err), GODWIT_OK);
    cr_assert_eq(f, 7.0f);
}

Test(gguf_values, bools_and_texts_by_key) {
    bool flag = false;
    gw_str text = {0};
    cr_assert_eq(gw_gguf_get_bool(values, "bool", false, &flag, &err), GODWIT_OK);
    cr_assert(flag);
    cr_assert_eq(gw_gguf_get_bool(values, "missing", true, &flag, &err), GODWIT_OK);
    cr_assert(flag);
    cr_assert_eq(gw_gguf_get_bool(values, "two", false, &flag, &err), GODWIT_MALFORMED);
    cr_assert_eq(gw_gguf_get_str(values, "text", &text, &err), GODWIT_OK);
    cr_assert(gw_str_eq(text, GW_STR("godwit")));
    cr_assert_eq(gw_gguf_get_str(values, "none", &text, &err), GODWIT_OK);
    cr_assert_not_null(text.text);
    cr_assert_eq(text.n, 0);
    cr_assert_eq(gw_gguf_get_str(values, "missing", &text, &err), GODWIT_OK);
    cr_assert_null(text.text);
    cr_assert_eq(gw_gguf_get_str(values, "u16", &text, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "u16: is u16 where a string is needed");
}
