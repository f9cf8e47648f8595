// Reader: see reader.h.
#include "file/reader.h"

#include "base/status.h"
#include "base/utf8.h"

#include <inttypes.h>

godwit_status gw_reader_take(gw_reader *reader, uint64_t n_bytes, const char *what,
                             const uint8_t **out_bytes, godwit_error *err) {
    if (n_bytes > gw_reader_left(reader)) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "%s: offset %" PRIu64 " + %" PRIu64 " bytes passes the file's end (%" PRIu64
                       "); file truncated?",
                       what, reader->pos, n_bytes, reader->n_bytes);
    }
    godwit_status status = gw_reader_hold(reader, n_bytes, err);
    if (status != GODWIT_OK) return status;
    *out_bytes = reader->bytes + reader->pos;
    reader->pos += n_bytes;
    return GODWIT_OK;
}

godwit_status gw_reader_hold(gw_reader *reader, uint64_t n_bytes, godwit_error *err) {
    if (reader->n_absent == 0 || n_bytes + reader->n_absent <= gw_reader_left(reader)) {
        return GODWIT_OK;
    }
    reader->starved = true;
    return gw_fail(err, GODWIT_BUG, "offset %" PRIu64 " is not read yet", reader->pos);
}

godwit_status gw_reader_u32(gw_reader *reader, const char *what, uint32_t *out, godwit_error *err) {
    const uint8_t *bytes = NULL;
    godwit_status status = gw_reader_take(reader, 4, what, &bytes, err);
    if (status == GODWIT_OK) *out = gw_le32(bytes);
    return status;
}

godwit_status gw_reader_u64(gw_reader *reader, const char *what, uint64_t *out, godwit_error *err) {
    const uint8_t *bytes = NULL;
    godwit_status status = gw_reader_take(reader, 8, what, &bytes, err);
    if (status == GODWIT_OK) *out = gw_le64(bytes);
    return status;
}

godwit_status gw_reader_str(gw_reader *reader, const char *what, uint64_t max_bytes, gw_str *out,
                            godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t at = reader->pos, n = 0;
    const uint8_t *bytes = NULL;
    GW_TRY(gw_reader_u64(reader, what, &n, err));
    if (n > max_bytes) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "%s at offset %" PRIu64 ": length %" PRIu64 ", the most is %" PRIu64, what, at, n,
                max_bytes);
    }
    GW_TRY(gw_reader_take(reader, n, what, &bytes, err));
    *out = (gw_str){(const char *)bytes, (size_t)n};
done:
    return status;
}

bool gw_reader_name_ok(gw_str text) {
    for (size_t i = 0; i < text.n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text.text + i, text.n - i, &code_point);
        if (length <= 0 || code_point < 0x20 || code_point == 0x7f) return false;
        i += (size_t)length;
    }
    return text.n > 0;
}

godwit_status gw_reader_name(gw_reader *reader, const char *what, uint64_t max_bytes, gw_str *out,
                             godwit_error *err) {
    uint64_t at = reader->pos;
    godwit_status status = gw_reader_str(reader, what, max_bytes, out, err);
    if (status == GODWIT_OK && !gw_reader_name_ok(*out)) {
        // The text itself is not shown: it may be what makes a terminal misbehave.
        status = gw_fail(
            err, GODWIT_MALFORMED,
            "%s at offset %" PRIu64 ": %zu bytes that are %s; names are printable UTF-8", what, at,
            out->n, out->n == 0 ? "no name" : "not UTF-8 or hold control characters");
    }
    return status;
}
