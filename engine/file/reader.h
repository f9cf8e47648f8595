// Reader: a cursor over bytes that somebody else wrote.
//
// A reader may have the beginning of a file only: what lies behind is `absent`, and who meets it
// comes back with more (gguf_open.c).
//
// Owns the one bounds check of the little-endian containers: everything is taken through
// gw_reader_take, which compares by subtraction so that no length can overflow. Knows no format.
// Failures are GODWIT_MALFORMED and tell what was read, where, and where the file ends.
#ifndef GW_FILE_READER_H
#define GW_FILE_READER_H

#include "base/span.h"
#include "godwit/godwit.h"

typedef struct gw_reader {
    const uint8_t *bytes;
    uint64_t n_bytes;
    uint64_t pos;      // <= n_bytes
    uint64_t n_absent; // of n_bytes, at the end: not in memory
    bool starved;      // something failed since it is not in memory
} gw_reader;

// Little-endian loads from any alignment on any host.
static inline uint32_t gw_le16(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static inline uint32_t gw_le32(const uint8_t *p) {
    return gw_le16(p) | gw_le16(p + 2) << 16;
}
static inline uint64_t gw_le64(const uint8_t *p) {
    return (uint64_t)gw_le32(p) | (uint64_t)gw_le32(p + 4) << 32;
}

static inline uint64_t gw_reader_left(const gw_reader *reader) {
    return reader->n_bytes - reader->pos;
}

// The next n_bytes, and steps over them. what: "tensor count", for the message.
godwit_status gw_reader_take(gw_reader *reader, uint64_t n_bytes, const char *what,
                             const uint8_t **out_bytes, godwit_error *err);
// Fails as starved unless the next n_bytes, which the file has, are in memory. For counts: memory
// is taken for what the file was seen to have room for.
godwit_status gw_reader_hold(gw_reader *reader, uint64_t n_bytes, godwit_error *err);
godwit_status gw_reader_u32(gw_reader *reader, const char *what, uint32_t *out, godwit_error *err);
godwit_status gw_reader_u64(gw_reader *reader, const char *what, uint64_t *out, godwit_error *err);
// A u64 length of at most max_bytes, then so many bytes.
godwit_status gw_reader_str(gw_reader *reader, const char *what, uint64_t max_bytes, gw_str *out,
                            godwit_error *err);
// A string that names something: 1 to max_bytes of UTF-8 without control characters, so that it can
// be printed, compared as a C string and typed.
godwit_status gw_reader_name(gw_reader *reader, const char *what, uint64_t max_bytes, gw_str *out,
                             godwit_error *err);
// Whether text may be a name in the sense of gw_reader_name.
bool gw_reader_name_ok(gw_str text);

#endif
