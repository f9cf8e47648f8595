// UTF-8 steps against the examples of the Unicode standard (15.0, tables 3-8 to 3-11), and every
// code point there and back.
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

// U+FFFD for each maximal ill-formed part.
static size_t replace(const char *text, size_t n, char *out) {
    size_t n_out = 0;
    for (size_t i = 0; i < n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text + i, n - i, &code_point);
        size_t step = length > 0 ? (size_t)length : length < 0 ? (size_t)-length : n - i;
        const char *source = length > 0 ? text + i : GW_UTF8_REPLACEMENT;
        size_t n_source = length > 0 ? step : 3;
        memcpy(out + n_out, source, n_source);
        n_out += n_source;
        i += step;
    }
    return n_out;
}

#define R "\xEF\xBF\xBD"
static const struct {
    const char *text, *expected;
} CASES[] = {
    {"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", "a" R R R "b" R "c" R R "d"},
    {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", R R R R R R R R "A"},
    {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", R R R R R R R R "A"},
    {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", R R R R R "A" R R "B"},
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", R R R R "A"},
    {"\xF0\x9F\xA6", R},
    {"\xF5\x80\x80\x80", R R R R},
};

Test(utf8, ill_formed_parts) {
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char out[64];
        size_t n = replace(CASES[i].text, strlen(CASES[i].text), out);
        cr_assert_eq(n, strlen(CASES[i].expected), "case %zu", i);
        cr_assert_eq(memcmp(out, CASES[i].expected, n), 0, "case %zu", i);
    }
}

Test(utf8, every_code_point) {
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        char text[4];
        uint32_t back = 0;
        int n = gw_utf8_put(code_point, text);
        int length = gw_utf8_next(text, (size_t)n, &back);
        if (code_point >= 0xD800 && code_point <= 0xDFFF) {
            cr_assert_eq(length, -1, "surrogate %x", code_point);
            continue;
        }
        cr_assert_eq(length, n, "%x", code_point);
        cr_assert_eq(back, code_point);
        for (int k = 1; k < n; k++) cr_assert_eq(gw_utf8_next(text, (size_t)k, &back), 0);
    }
}
