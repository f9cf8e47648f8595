// Reader: see reader.h.
#include "file/reader.h"

#include "base/status.h"

#include <inttypes.h>

godwit_status gw_reader_take(gw_reader *reader, uint64_t n_bytes, const char *what,
                             const uint8_t **out_bytes, godwit_error *err) {
    if (n_bytes > gw_reader_left(reader)) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "%s: offset %" PRIu64 " + %" PRIu64 " bytes passes the file's end (%" PRIu64
                       "); file truncated?",
                       what, reader->pos, n_bytes, reader->n_bytes);
    }
    *out_bytes = reader->bytes + reader->pos;
    reader->pos += n_bytes;
    return GODWIT_OK;
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

// Length of the UTF-8 sequence at bytes, 0 where there is none (overlong forms, surrogates and
// what lies past U+10FFFF are none).
static size_t utf8_length(const uint8_t *bytes, size_t n) {
    uint8_t lead = bytes[0];
    if (lead < 0x80) return 1;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || n < length) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    }
    if ((lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xed && bytes[1] > 0x9f)) return 0;
    if ((lead == 0xf0 && bytes[1] < 0x90) || (lead == 0xf4 && bytes[1] > 0x8f)) return 0;
    return length;
}

bool gw_reader_name_ok(gw_str text) {
    const uint8_t *bytes = (const uint8_t *)text.text;
    for (size_t i = 0; i < text.n;) {
        size_t length = utf8_length(bytes + i, text.n - i);
        if (length == 0 || bytes[i] < 0x20 || bytes[i] == 0x7f) return false;
        i += length;
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
