// Reader: no length gets past the one bounds check, however large.
#include "file/reader.h"

#include <criterion/criterion.h>

static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

Test(reader, takes_what_is_there_and_no_more) {
    static const uint64_t too_long[] = {8,         11, UINT32_MAX, UINT64_MAX - 3, UINT64_MAX - 2,
                                        UINT64_MAX};
    const uint8_t *got = NULL;
    godwit_error err = {0};
    gw_reader reader = {.bytes = data, .n_bytes = sizeof data};
    cr_assert_eq(gw_reader_take(&reader, 3, "head", &got, &err), GODWIT_OK);
    cr_assert_eq(got, data);
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++) {
        got = NULL;
        cr_expect_eq(gw_reader_take(&reader, too_long[i], "tail", &got, &err), GODWIT_MALFORMED);
        cr_expect_null(got);
        cr_expect_eq(reader.pos, 3);
    }
    cr_assert_eq(gw_reader_take(&reader, 7, "tail", &got, &err), GODWIT_OK);
    cr_assert_eq(got, data + 3);
    cr_assert_eq(gw_reader_left(&reader), 0);
    cr_assert_eq(gw_reader_take(&reader, 0, "nothing", &got, &err), GODWIT_OK);
    cr_assert_eq(gw_reader_take(&reader, 1, "more", &got, &err), GODWIT_MALFORMED);
    cr_assert_str_eq(err.message, "more: offset 10 + 1 bytes passes the file's end (10); "
                                  "file truncated?");
}

Test(reader, loads_little_endian) {
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    godwit_error err = {0};
    gw_reader reader = {.bytes = data + 1, .n_bytes = sizeof data - 1};
    cr_assert_eq(gw_reader_u64(&reader, "u64", &u64, &err), GODWIT_OK);
    cr_assert_eq(u64, UINT64_C(0x0908070605040302));
    cr_assert_eq(gw_reader_u32(&reader, "u32", &u32, &err), GODWIT_MALFORMED);
    reader.pos = 0;
    cr_assert_eq(gw_reader_u32(&reader, "u32", &u32, &err), GODWIT_OK);
    cr_assert_eq(u32, UINT32_C(0x05040302));
}

Test(reader, knows_a_name) {
    static const char *const good[] = {"a",           "token_embd.weight", "a b",
                                       "\xc3\xa9",    "\xe9\xb6\xb4",      "\xf4\x8f\xbf\xbf",
                                       "\xee\x80\x80"};
    static const char *const bad[] = {"",
                                      "\n",
                                      "a\x7f",
                                      "\xc3",
                                      "\xc3(",
                                      "\xc0\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_expect(gw_reader_name_ok(gw_str_of(good[i])), "good %zu", i);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_not(gw_reader_name_ok(gw_str_of(bad[i])), "bad %zu", i);
    }
    cr_expect_not(gw_reader_name_ok((gw_str){"a\0b", 3}));
}
