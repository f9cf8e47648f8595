// Status: how a failure travels up.
//
// Internal functions return godwit_status and take a `godwit_error *err` last (may be NULL).
// gw_fail writes the message and returns the code; GW_TRY leaves through the function's one
// `done:` label; gw_note puts context in front of a message while unwinding.
// Message grammar: what failed: object: why, with numbers; what would work.
#ifndef GW_BASE_STATUS_H
#define GW_BASE_STATUS_H

#include "godwit/godwit.h"

// Writes code and message (cut at the buffer's end), returns code.
godwit_status gw_fail(godwit_error *err, godwit_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The same with the driver's own code (a VkResult, an errno).
godwit_status gw_fail_driver(godwit_error *err, godwit_status code, int32_t driver_code,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));
// Prefixes err's message with "format: "; returns status unchanged so that it chains.
godwit_status gw_note(godwit_error *err, godwit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// What the system calls an errno, terminated: strerror_r in both of its kinds.
void gw_errno_text(int code, char *text, size_t text_bytes);

// In a function with `godwit_status status` and a `done:` label.
#define GW_TRY(expr)                                                                               \
    do {                                                                                           \
        status = (expr);                                                                           \
        if (status != GODWIT_OK) goto done;                                                        \
    } while (0)
#define GW_FAIL(err, code, ...)                                                                    \
    do {                                                                                           \
        status = gw_fail((err), (code), __VA_ARGS__);                                              \
        goto done;                                                                                 \
    } while (0)
// An allocation that may have failed.
#define GW_CHECK_ALLOC(ptr, err, what)                                                             \
    do {                                                                                           \
        if (!(ptr)) GW_FAIL((err), GODWIT_OUT_OF_MEMORY, "out of host memory: %s", (what));        \
    } while (0)
// A broken invariant: ours, not the user's.
#define GW_BUG(err, ...) gw_bug((err), __FILE__, __LINE__, __VA_ARGS__)
godwit_status gw_bug(godwit_error *err, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
