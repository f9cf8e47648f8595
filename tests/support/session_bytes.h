// Session bytes: session files in memory: written, read, and changed chunk by chunk under checksums
// that are right, so that a change reaches what lies behind them.
#ifndef GW_TESTS_SESSION_BYTES_H
#define GW_TESTS_SESSION_BYTES_H

#include "file/reader.h"
#include "file/session_file.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

enum { SESSION_HEAD_BYTES = 16, SESSION_CHUNK_HEAD_BYTES = 24, SESSION_SUM_BYTES = 8 };

typedef struct session_bytes {
    uint8_t *data;
    size_t n, cap;
    size_t at; // where reading is
} session_bytes;

// A godwit_write_fn.
static inline bool session_bytes_write(void *user, const char *text, size_t n) {
    session_bytes *b = user;
    if (n == 0) return true;
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->data = realloc(b->data, b->cap);
        if (!b->data) return false;
    }
    memcpy(b->data + b->n, text, n);
    b->n += n;
    return true;
}

// A godwit_read_fn.
static inline size_t session_bytes_read(void *user, void *out, size_t n) {
    session_bytes *b = user;
    if (n > b->n - b->at) n = b->n - b->at;
    if (n) memcpy(out, b->data + b->at, n);
    b->at += n;
    return n;
}

// Bytes of the chunk at `at`; 0 where no whole one is there.
static inline size_t session_chunk_bytes(const session_bytes *b, size_t at) {
    if (at > b->n || b->n - at < SESSION_CHUNK_HEAD_BYTES + SESSION_SUM_BYTES) return 0;
    uint64_t stored = gw_le64(b->data + at + 16);
    size_t left = b->n - at - SESSION_CHUNK_HEAD_BYTES - SESSION_SUM_BYTES;
    return stored > left ? 0 : SESSION_CHUNK_HEAD_BYTES + (size_t)stored + SESSION_SUM_BYTES;
}

// The place of the index-th chunk, or 0.
static inline size_t session_chunk_at(const session_bytes *b, uint32_t index) {
    size_t at = SESSION_HEAD_BYTES, n = 0;
    for (; (n = session_chunk_bytes(b, at)) != 0; at += n) {
        if (index-- == 0) return at;
    }
    return 0;
}

// The chunk at `at` as it is, where it is packed.
static inline bool session_chunk_unpack(session_bytes *b, size_t at) {
    const size_t n = (size_t)gw_le64(b->data + at + 8), m = (size_t)gw_le64(b->data + at + 16);
    const size_t rest = at + SESSION_CHUNK_HEAD_BYTES + m;
    if (gw_le32(b->data + at + 4) == 0) return true;
    uint8_t *all = malloc(b->n + n);
    if (!all) return false;
    uint8_t *to = all + at + SESSION_CHUNK_HEAD_BYTES;
    memcpy(all, b->data, at + SESSION_CHUNK_HEAD_BYTES);
    const bool good = ZSTD_decompress(to, n, b->data + rest - m, m) == n;
    gw_put_le32(all + at + 4, 0);
    gw_put_le64(all + at + 16, n);
    memcpy(to + n, b->data + rest, b->n - rest);
    free(b->data);
    *b = (session_bytes){.data = all, .n = b->n + n - m, .cap = b->n + n};
    return good;
}

// Makes all checksums right again, END's own sums too.
static inline void session_bytes_sum(session_bytes *b) {
    uint64_t sum = 0, n_chunks = 0;
    for (size_t at = SESSION_HEAD_BYTES, n; (n = session_chunk_bytes(b, at)) != 0; at += n) {
        uint8_t *chunk = b->data + at, *own = chunk + n - SESSION_SUM_BYTES, both[16];
        if (!memcmp(chunk, GW_CHUNK_END, 4) && n == SESSION_CHUNK_HEAD_BYTES + 16 + 8) {
            gw_put_le64(chunk + SESSION_CHUNK_HEAD_BYTES, n_chunks);
            gw_put_le64(chunk + SESSION_CHUNK_HEAD_BYTES + 8, sum);
        }
        gw_put_le64(own, XXH3_64bits(chunk, n - SESSION_SUM_BYTES));
        gw_put_le64(both, sum);
        memcpy(both + 8, own, 8);
        sum = XXH3_64bits(both, sizeof both);
        n_chunks++;
    }
}

#endif
