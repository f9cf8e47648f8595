// Characters of Jinja's strings: steps over UTF-8 that was checked before, Python's classes, cases.
#include "base/utf8.h"
#include "text/chars.h"
#include "text/jinja_impl.h"

bool gw_jinja_is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

uint32_t gw_jinja_char(gw_str s, size_t i, size_t *out_n) {
    uint32_t code_point = (uint8_t)s.text[i];
    *out_n = 1;
    if (code_point < 0x80) return code_point;
    int n = gw_utf8_next(s.text + i, s.n - i, &code_point);
    if (n > 0) *out_n = (size_t)n;
    return n > 0 ? code_point : 0xfffd;
}

uint32_t gw_jinja_char_before(gw_str s, size_t i, size_t *out_n) {
    size_t from = i - 1, n = 0;
    while (from > 0 && i - from < 4 && ((uint8_t)s.text[from] & 0xc0) == 0x80) from--;
    uint32_t code_point = gw_jinja_char((gw_str){s.text, i}, from, &n);
    *out_n = i - from;
    return code_point;
}

size_t gw_jinja_n_chars(gw_str s) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((uint8_t)s.text[i] & 0xc0) != 0x80;
    return n;
}

static bool is_among(const gw_str *chars, uint32_t code_point) {
    if (!chars) return gw_jinja_is_space(code_point);
    for (size_t i = 0, n = 0; i < chars->n; i += n) {
        if (gw_jinja_char(*chars, i, &n) == code_point) return true;
    }
    return false;
}

gw_str gw_jinja_strip(gw_str s, const gw_str *chars, bool left, bool right) {
    size_t n = 0;
    while (left && s.n > 0 && is_among(chars, gw_jinja_char(s, 0, &n))) {
        s.text += n;
        s.n -= n;
    }
    while (right && s.n > 0 && is_among(chars, gw_jinja_char_before(s, s.n, &n))) s.n -= n;
    return s;
}

size_t gw_jinja_find(gw_str s, gw_str part, size_t from) {
    for (size_t i = from; i <= s.n && part.n <= s.n - i; i++) {
        if (part.n == 0) return i;
        const char *at = memchr(s.text + i, part.text[0], s.n - i - part.n + 1);
        if (!at) break;
        i = (size_t)(at - s.text);
        if (memcmp(at, part.text, part.n) == 0) return i;
    }
    return s.n + 1;
}

bool gw_jinja_is_line_end(uint32_t c) {
    return (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

gw_str gw_jinja_next_line(gw_str s, size_t *io, bool keep) {
    size_t from = *io, n = 0;
    for (size_t i = from; i < s.n; i += n) {
        uint32_t c = gw_jinja_char(s, i, &n);
        if (!gw_jinja_is_line_end(c)) continue;
        size_t end = i + n;
        if (c == '\r' && end < s.n && s.text[end] == '\n') end++;
        *io = end;
        return (gw_str){s.text + from, (keep ? end : i) - from};
    }
    *io = s.n;
    return (gw_str){s.text + from, s.n - from};
}

// --- cases ---------------------------------------------------------------------------------------

// Characters first, first + step, ... last have their other case at + delta.
typedef struct case_range {
    uint32_t first, last, step;
    int32_t delta;
} case_range;

static const case_range lower_ranges[] = {
#define GW_JINJA_LOWER(first, last, step, delta) {first, last, step, delta},
#define GW_JINJA_UPPER(first, last, step, delta)
#define GW_JINJA_EXPANDS(code, upper, title)
#include "text/jinja_cases.def"
#undef GW_JINJA_LOWER
#undef GW_JINJA_UPPER
};

static const case_range upper_ranges[] = {
#define GW_JINJA_LOWER(first, last, step, delta)
#define GW_JINJA_UPPER(first, last, step, delta) {first, last, step, delta},
#include "text/jinja_cases.def"
#undef GW_JINJA_EXPANDS
};

// What becomes several characters, or another one at a word's beginning.
static const struct expansion {
    uint32_t code;
    const char *upper, *title;
} expansions[] = {
#define GW_JINJA_EXPANDS(code, upper, title) {code, upper, title},
#undef GW_JINJA_LOWER
#undef GW_JINJA_UPPER
#define GW_JINJA_LOWER(first, last, step, delta)
#define GW_JINJA_UPPER(first, last, step, delta)
#include "text/jinja_cases.def"
};

static uint32_t other_case(const case_range *ranges, size_t n, uint32_t c) {
    size_t low = 0;
    while (n > 0) { // the first range that ends at c or behind it
        size_t half = n / 2;
        if (ranges[low + half].last < c) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    const case_range *range = &ranges[low];
    return range->first <= c && (c - range->first) % range->step == 0
               ? (uint32_t)((int64_t)c + range->delta)
               : c;
}

uint32_t gw_char_lower(uint32_t c) {
    return c > 0x1e943 ? c
                       : other_case(lower_ranges, sizeof lower_ranges / sizeof *lower_ranges, c);
}

static uint32_t upper_of(uint32_t c) {
    return c > 0x1e943 ? c
                       : other_case(upper_ranges, sizeof upper_ranges / sizeof *upper_ranges, c);
}

void gw_jinja_put_case(gw_jrun *r, uint32_t c, gw_jcase to) {
    char text[4];
    if (to == GW_JCASE_LOWER && c == 0x130) { // an I with a dot: i and the dot
        gw_jinja_put_str(r, GW_STR("i\xCC\x87"));
        return;
    }
    if (to != GW_JCASE_LOWER && c >= 0x80) {
        for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++) {
            if (expansions[i].code != c) continue;
            gw_jinja_put_str(
                r, gw_str_of(to == GW_JCASE_UPPER ? expansions[i].upper : expansions[i].title));
            return;
        }
    }
    c = to == GW_JCASE_LOWER ? gw_char_lower(c) : upper_of(c);
    gw_jinja_put(r, text, (size_t)gw_utf8_put(c, text));
}

// A capital sigma at a word's end has a small letter of its own.
bool gw_jinja_ends_in_sigma(gw_str s, size_t i, size_t n) {
    size_t m = 0;
    if (gw_jinja_char(s, i, &m) != 0x3a3 || i == 0 ||
        !gw_jinja_is_alpha(gw_jinja_char_before(s, i, &m)))
        return false;
    return i + n >= s.n || !gw_jinja_is_alpha(gw_jinja_char(s, i + n, &m));
}

void gw_jinja_put_case_str(gw_jrun *r, gw_str s, gw_jcase to) {
    for (size_t i = 0, n = 0; i < s.n && gw_jinja_step(r, 1); i += n) {
        uint32_t c = gw_jinja_char(s, i, &n);
        gw_jcase now = to == GW_JCASE_TITLE && i > 0 ? GW_JCASE_LOWER : to;
        if (now == GW_JCASE_LOWER && gw_jinja_ends_in_sigma(s, i, n)) {
            gw_jinja_put_str(r, GW_STR("\xCF\x82"));
        } else {
            gw_jinja_put_case(r, c, now);
        }
    }
}

// Letters: exact in ASCII, and for what has cases; of the rest, all but blocks of signs.
bool gw_jinja_is_alpha(uint32_t c) {
    if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (gw_char_lower(c) != c || upper_of(c) != c) return true;
    return !(c < 0xc0 || c == 0xd7 || c == 0xf7 || (c >= 0x300 && c < 0x370) ||
             (c >= 0x2000 && c < 0x2071) || (c >= 0x20a0 && c < 0x2100) ||
             (c >= 0x2190 && c < 0x2c00) || (c >= 0x2e00 && c < 0x3005) ||
             (c >= 0xe000 && c < 0xf900) || (c >= 0xfe00 && c < 0xfe70) ||
             (c >= 0xfff0 && c < 0x10000) || (c >= 0x1f000 && c < 0x20000) || c >= 0xe0000);
}
