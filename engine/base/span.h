// Span: a borrowed run of bytes or text, not terminated.
#ifndef GW_BASE_SPAN_H
#define GW_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct gw_str {
    const char *text;
    size_t n;
} gw_str;

#define GW_STR(literal) ((gw_str){(literal), sizeof(literal) - 1})
// For printf's "%.*s".
#define GW_STR_ARG(s) (int)((s).n > 256 ? 256 : (s).n), (s).text

static inline bool gw_str_eq(gw_str a, gw_str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.text, b.text, a.n) == 0);
}
static inline bool gw_str_ends(gw_str text, gw_str end) {
    return text.n >= end.n && (end.n == 0 || !memcmp(text.text + text.n - end.n, end.text, end.n));
}
static inline gw_str gw_str_of(const char *text) {
    return (gw_str){text, strlen(text)};
}

#endif
