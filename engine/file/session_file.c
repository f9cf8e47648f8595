// Session file: see session_file.h.
//
//   head      8  "GODWITSN"            4  version             4  zero
//   chunk     4  tag                   4  codec: 0 as it is, 1 zstd
//             8  bytes                 8  stored bytes
//             stored bytes             8  XXH3-64 of all of the chunk before it
//   END       its bytes: 8  number of chunks before it, 8  their sum: from 0 on, for each chunk in
//             order, XXH3-64 of the sum so far and the chunk's checksum
#include "file/session_file.h"

#include "base/status.h"
#include "file/reader.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#define ZSTD_STATIC_LINKING_ONLY // for a memory of our own
#include <zstd.h>
#include <zstd_errors.h>

enum {
    HEAD_BYTES = 16,
    CHUNK_HEAD_BYTES = 24,
    SUM_BYTES = 8,
    END_BYTES = 16,
    AS_IT_IS = 0,
    ZSTD = 1,
    LEVEL = 1, // keys and values are nearly noise: higher ones take longer for 1 %
    ZSTD_HEAD_BYTES = 16,
};
static const char magic[8] = {'G', 'O', 'D', 'W', 'I', 'T', 'S', 'N'};

// --- memory --------------------------------------------------------------------------------------

// zstd frees without the size, so it stands in front.
static void *zstd_alloc(void *host, size_t n) {
    uint8_t *p = gw_alloc(host, 1, n + ZSTD_HEAD_BYTES);
    if (!p) return NULL;
    memcpy(p, &n, sizeof n);
    return p + ZSTD_HEAD_BYTES;
}

static void zstd_free(void *host, void *address) {
    size_t n = 0;
    if (!address) return;
    uint8_t *p = (uint8_t *)address - ZSTD_HEAD_BYTES;
    memcpy(&n, p, sizeof n);
    gw_free(host, p, n + ZSTD_HEAD_BYTES);
}

static ZSTD_customMem zstd_memory(const gw_host *host) {
    return (ZSTD_customMem){zstd_alloc, zstd_free, (void *)host};
}

typedef struct buffer {
    uint8_t *bytes;
    size_t n_bytes;
} buffer;

// Room for n_bytes; what was in it is gone.
static godwit_status reserve(const gw_host *host, buffer *b, size_t n_bytes, godwit_error *err) {
    if (n_bytes <= b->n_bytes) return GODWIT_OK;
    gw_free(host, b->bytes, b->n_bytes);
    *b = (buffer){gw_alloc(host, n_bytes, 1), n_bytes};
    if (b->bytes) return GODWIT_OK;
    b->n_bytes = 0;
    return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session file");
}

static uint64_t add_sum(uint64_t sum, const uint8_t *chunk_sum) {
    uint8_t both[2 * SUM_BYTES];
    gw_put_le64(both, sum);
    memcpy(both + SUM_BYTES, chunk_sum, SUM_BYTES);
    return XXH3_64bits(both, sizeof both);
}

// --- writing -------------------------------------------------------------------------------------

struct gw_chunk_writer {
    const gw_host *host;
    godwit_write_fn write;
    void *user;
    ZSTD_CCtx *zstd;
    uint64_t sum; // over the chunks' checksums
    uint64_t n_chunks;
    buffer chunk;
};

static godwit_status put(gw_chunk_writer *w, const uint8_t *bytes, size_t n, godwit_error *err) {
    if (w->write(w->user, (const char *)bytes, n)) return GODWIT_OK;
    return gw_fail(err, GODWIT_CANCELLED, "session file: %zu bytes could not be written", n);
}

godwit_status gw_chunk_writer_create(const gw_host *host, godwit_write_fn write, void *user,
                                     gw_chunk_writer **out_writer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint8_t head[HEAD_BYTES] = {0};
    gw_chunk_writer *w = gw_alloc(host, 1, sizeof *w);
    GW_CHECK_ALLOC(w, err, "session file");
    w->host = host;
    w->write = write;
    w->user = user;
    w->zstd = ZSTD_createCCtx_advanced(zstd_memory(host));
    GW_CHECK_ALLOC(w->zstd, err, "session file");
    memcpy(head, magic, sizeof magic);
    gw_put_le32(head + 8, GW_SESSION_FILE_VERSION);
    GW_TRY(put(w, head, sizeof head, err));
    *out_writer = w;
    w = NULL;
done:
    gw_chunk_writer_destroy(&w);
    return status;
}

void gw_chunk_writer_destroy(gw_chunk_writer **writer) {
    gw_chunk_writer *w = *writer;
    if (!w) return;
    ZSTD_freeCCtx(w->zstd);
    gw_free(w->host, w->chunk.bytes, w->chunk.n_bytes);
    gw_free(w->host, w, sizeof *w);
    *writer = NULL;
}

// Stores bytes at `to`, which has room for ZSTD_compressBound of them.
static godwit_status pack(gw_chunk_writer *w, const uint8_t *bytes, size_t n_bytes, uint8_t *to,
                          uint32_t *out_codec, size_t *out_stored, godwit_error *err) {
    size_t n = ZSTD_compressCCtx(w->zstd, to, ZSTD_compressBound(n_bytes), bytes, n_bytes, LEVEL);
    if (ZSTD_isError(n)) {
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "session file: zstd: %s", ZSTD_getErrorName(n));
    }
    *out_codec = n < n_bytes ? ZSTD : AS_IT_IS;
    *out_stored = n < n_bytes ? n : n_bytes;
    if (n >= n_bytes) memcpy(to, bytes, n_bytes);
    return GODWIT_OK;
}

godwit_status gw_chunk_write(gw_chunk_writer *w, const char *tag, const uint8_t *bytes,
                             size_t n_bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t codec = AS_IT_IS;
    size_t stored = 0;
    if (n_bytes == 0 || n_bytes > GW_CHUNK_MAX_BYTES) {
        return GW_BUG(err, "a chunk of %zu bytes", n_bytes);
    }
    GW_TRY(reserve(w->host, &w->chunk, CHUNK_HEAD_BYTES + ZSTD_compressBound(n_bytes) + SUM_BYTES,
                   err));
    uint8_t *head = w->chunk.bytes;
    GW_TRY(pack(w, bytes, n_bytes, head + CHUNK_HEAD_BYTES, &codec, &stored, err));
    memcpy(head, tag, GW_CHUNK_TAG_BYTES);
    gw_put_le32(head + 4, codec);
    gw_put_le64(head + 8, n_bytes);
    gw_put_le64(head + 16, stored);
    uint8_t *sum = head + CHUNK_HEAD_BYTES + stored;
    gw_put_le64(sum, XXH3_64bits(head, CHUNK_HEAD_BYTES + stored));
    GW_TRY(put(w, head, CHUNK_HEAD_BYTES + stored + SUM_BYTES, err));
    w->sum = add_sum(w->sum, sum);
    w->n_chunks++;
done:
    return status;
}

godwit_status gw_chunk_write_end(gw_chunk_writer *w, godwit_error *err) {
    uint8_t bytes[END_BYTES];
    gw_put_le64(bytes, w->n_chunks);
    gw_put_le64(bytes + 8, w->sum);
    return gw_chunk_write(w, GW_CHUNK_END, bytes, sizeof bytes, err);
}

// --- reading -------------------------------------------------------------------------------------

struct gw_chunk_reader {
    const gw_host *host;
    godwit_read_fn read;
    void *user;
    ZSTD_DCtx *zstd;
    uint64_t sum; // as the writer's
    uint32_t n_chunks;
    uint64_t n_bytes;
    bool ended;
    buffer stored, plain;
};

// what: for the message, where the bytes end too early.
static godwit_status take(gw_chunk_reader *r, uint8_t *out, size_t n_bytes, const char *what,
                          godwit_error *err) {
    size_t n = 0;
    while (n < n_bytes) {
        size_t got = r->read(r->user, out + n, n_bytes - n);
        if (got == 0 || got > n_bytes - n) {
            if (got == SIZE_MAX) {
                return gw_fail(err, GODWIT_IO, "session file: %s cannot be read", what);
            }
            return gw_fail(err, GODWIT_MALFORMED,
                           "session file: ends at byte %llu, inside %s: %zu more are wanted; cut "
                           "short?",
                           (unsigned long long)(r->n_bytes + n), what, n_bytes - n);
        }
        n += got;
    }
    r->n_bytes += n;
    return GODWIT_OK;
}

static godwit_status read_head(gw_chunk_reader *r, godwit_error *err) {
    uint8_t head[HEAD_BYTES];
    godwit_status status = take(r, head, sizeof head, "its head", err);
    if (status != GODWIT_OK) return status;
    if (memcmp(head, magic, sizeof magic) != 0) {
        return gw_fail(err, GODWIT_MALFORMED,
                       "session file: does not begin as one; `godwit run --save` writes them");
    }
    if (gw_le32(head + 8) != GW_SESSION_FILE_VERSION || gw_le32(head + 12) != 0) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "session file: version %u, flags %u; this build reads version %d, flags 0",
                       gw_le32(head + 8), gw_le32(head + 12), GW_SESSION_FILE_VERSION);
    }
    return GODWIT_OK;
}

godwit_status gw_chunk_reader_create(const gw_host *host, godwit_read_fn read, void *user,
                                     gw_chunk_reader **out_reader, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_chunk_reader *r = gw_alloc(host, 1, sizeof *r);
    GW_CHECK_ALLOC(r, err, "session file");
    r->host = host;
    r->read = read;
    r->user = user;
    r->zstd = ZSTD_createDCtx_advanced(zstd_memory(host));
    GW_CHECK_ALLOC(r->zstd, err, "session file");
    GW_TRY(read_head(r, err));
    *out_reader = r;
    r = NULL;
done:
    gw_chunk_reader_destroy(&r);
    return status;
}

void gw_chunk_reader_destroy(gw_chunk_reader **reader) {
    gw_chunk_reader *r = *reader;
    if (!r) return;
    ZSTD_freeDCtx(r->zstd);
    gw_free(r->host, r->stored.bytes, r->stored.n_bytes);
    gw_free(r->host, r->plain.bytes, r->plain.n_bytes);
    gw_free(r->host, r, sizeof *r);
    *reader = NULL;
}

uint64_t gw_chunk_reader_n_bytes(const gw_chunk_reader *r) {
    return r->n_bytes;
}

// A tag that is no word is shown as what it is: "chunk 3 (STAT)".
static void name_chunk(const gw_chunk_reader *r, const uint8_t *head, gw_chunk *chunk, char *what,
                       size_t what_bytes) {
    *chunk = (gw_chunk){.index = r->n_chunks};
    for (int i = 0; i < GW_CHUNK_TAG_BYTES; i++) {
        bool shown = head[i] == ' ' || (head[i] >= 'A' && head[i] <= 'Z');
        chunk->tag[i] = shown ? (char)head[i] : '?';
    }
    snprintf(what, what_bytes, "chunk %u (%s)", chunk->index, chunk->tag);
}

static godwit_status check_lengths(const char *what, uint32_t codec, uint64_t n_bytes,
                                   uint64_t stored, godwit_error *err) {
    bool ok = codec <= ZSTD && n_bytes > 0 && n_bytes <= GW_CHUNK_MAX_BYTES && stored > 0 &&
              (codec == ZSTD ? stored < n_bytes : stored == n_bytes);
    if (ok) return GODWIT_OK;
    return gw_fail(err, GODWIT_MALFORMED,
                   "session file: %s: codec %u, %llu bytes stored as %llu; codec 0 or 1, up to %d "
                   "and no longer stored than they are; damaged?",
                   what, codec, (unsigned long long)n_bytes, (unsigned long long)stored,
                   GW_CHUNK_MAX_BYTES);
}

static godwit_status unpack(gw_chunk_reader *r, const char *what, uint32_t codec, size_t n_bytes,
                            size_t stored, godwit_error *err) {
    if (codec == AS_IT_IS) return GODWIT_OK;
    godwit_status status = reserve(r->host, &r->plain, n_bytes, err);
    if (status != GODWIT_OK) return status;
    size_t n = ZSTD_decompressDCtx(r->zstd, r->plain.bytes, n_bytes,
                                   r->stored.bytes + CHUNK_HEAD_BYTES, stored);
    if (!ZSTD_isError(n) && n == n_bytes) return GODWIT_OK;
    if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation) {
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: session file");
    }
    return gw_fail(err, GODWIT_MALFORMED, "session file: %s: zstd: %s", what,
                   ZSTD_isError(n) ? ZSTD_getErrorName(n) : "not as long as the chunk says");
}

static godwit_status check_end(const gw_chunk_reader *r, const gw_chunk *end, godwit_error *err) {
    if (end->n_bytes == END_BYTES && gw_le64(end->bytes) == r->n_chunks &&
        gw_le64(end->bytes + 8) == r->sum) {
        return GODWIT_OK;
    }
    return gw_fail(err, GODWIT_MALFORMED,
                   "session file: its END is not that of the %u chunks before it; one is missing, "
                   "added or moved",
                   r->n_chunks);
}

godwit_status gw_chunk_read(gw_chunk_reader *r, gw_chunk *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint8_t head[CHUNK_HEAD_BYTES] = {0};
    char what[32];
    if (r->ended) return GW_BUG(err, "a chunk is asked for behind the last");
    snprintf(what, sizeof what, "the head of chunk %u", r->n_chunks);
    GW_TRY(take(r, head, sizeof head, what, err));
    name_chunk(r, head, out, what, sizeof what);
    const uint32_t codec = gw_le32(head + 4);
    const uint64_t n_bytes = gw_le64(head + 8), stored = gw_le64(head + 16);
    GW_TRY(check_lengths(what, codec, n_bytes, stored, err));
    const size_t n_all = CHUNK_HEAD_BYTES + (size_t)stored;
    GW_TRY(reserve(r->host, &r->stored, n_all + SUM_BYTES, err));
    memcpy(r->stored.bytes, head, sizeof head);
    GW_TRY(take(r, r->stored.bytes + CHUNK_HEAD_BYTES, (size_t)stored + SUM_BYTES, what, err));
    const uint8_t *sum = r->stored.bytes + n_all;
    if (XXH3_64bits(r->stored.bytes, n_all) != gw_le64(sum)) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "session file: %s: its checksum does not hold: the file is damaged", what);
    }
    GW_TRY(unpack(r, what, codec, (size_t)n_bytes, (size_t)stored, err));
    out->bytes = codec == ZSTD ? r->plain.bytes : r->stored.bytes + CHUNK_HEAD_BYTES;
    out->n_bytes = (size_t)n_bytes;
    out->stored_bytes = n_all + SUM_BYTES;
    r->ended = gw_chunk_is(out, GW_CHUNK_END);
    if (r->ended) {
        status = check_end(r, out, err);
    } else if (++r->n_chunks > GW_MAX_CHUNKS) {
        GW_FAIL(err, GODWIT_MALFORMED, "session file: more than %d chunks", GW_MAX_CHUNKS);
    } else {
        r->sum = add_sum(r->sum, sum);
    }
done:
    return status;
}
