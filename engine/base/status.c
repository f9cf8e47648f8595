// Status: see status.h.
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *godwit_status_name(godwit_status status) {
#define NAME(name, sentence, advice) #name,
    static const char *const names[] = {GODWIT_STATUS_TABLE(NAME)};
#undef NAME
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "UNKNOWN";
}

const char *godwit_status_sentence(godwit_status status) {
#define SENTENCE(name, sentence, advice) sentence,
    static const char *const sentences[] = {GODWIT_STATUS_TABLE(SENTENCE)};
#undef SENTENCE
    return (size_t)status < sizeof sentences / sizeof *sentences ? sentences[status]
                                                                 : "not a status of this version";
}

static godwit_status fail(godwit_error *err, godwit_status code, int32_t driver_code,
                          const char *format, va_list args) {
    if (err) {
        err->status = code;
        err->driver_code = driver_code;
        vsnprintf(err->message, sizeof err->message, format, args);
    }
    return code;
}

godwit_status gw_fail(godwit_error *err, godwit_status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail(err, code, 0, format, args);
    va_end(args);
    return code;
}

godwit_status gw_fail_driver(godwit_error *err, godwit_status code, int32_t driver_code,
                             const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail(err, code, driver_code, format, args);
    va_end(args);
    return code;
}

godwit_status gw_note(godwit_error *err, godwit_status status, const char *format, ...) {
    if (status == GODWIT_OK || !err) return status;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->message - 3) {
        snprintf(err->message + n, sizeof err->message - (size_t)n, ": %.*s",
                 (int)(sizeof err->message - (size_t)n - 3), old);
    }
    return status;
}

godwit_status gw_bug(godwit_error *err, const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail(err, GODWIT_BUG, 0, format, args);
    va_end(args);
    return gw_note(err, GODWIT_BUG, "bug in Godwit (%s:%d)", file, line);
}

// strerror_r comes in two kinds, by the C library and its switches: POSIX's fills the text and
// returns a number, GNU's returns the text, which may lie elsewhere.
__attribute__((unused)) static const char *text_of_number(int result, const char *text) {
    return result == 0 || text[0] ? text : "unknown error";
}

__attribute__((unused)) static const char *text_of_text(const char *result, const char *text) {
    (void)text;
    return result;
}

void gw_errno_text(int code, char *text, size_t text_bytes) {
    char own[128] = "";
    const char *found = _Generic(strerror_r(code, own, sizeof own), int
                                 : text_of_number, char *
                                 : text_of_text)(strerror_r(code, own, sizeof own), own);
    snprintf(text, text_bytes, "%s", found);
}
