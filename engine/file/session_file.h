// Session file: the container of a saved session: chunks, each with a tag, a checksum and, where
// that is shorter, compressed.
//
// Knows no device, model or session: what a chunk means is engine/session's. Written and read in
// order through callbacks, so that a file may be a pipe or a socket. Whatever is wrong in a chunk is
// an error before a byte of it is given out; lengths are bounded before they are used. Byte by byte:
// docs/SESSION.md.
// Thread rule: a writer or reader belongs to one thread at a time.
#ifndef GW_FILE_SESSION_FILE_H
#define GW_FILE_SESSION_FILE_H

#include "base/mem.h"

enum {
    GW_SESSION_FILE_VERSION = 1,
    GW_CHUNK_MAX_BYTES = 1 << 25, // of a chunk, as it is and as it is stored
    GW_CHUNK_BYTES = 1 << 20,     // what a writer cuts long runs into, where it can
    GW_MAX_CHUNKS = 1 << 22,
    GW_CHUNK_TAG_BYTES = 4,
};

typedef struct gw_chunk {
    char tag[GW_CHUNK_TAG_BYTES + 1]; // printable, terminated
    uint32_t index;
    const uint8_t *bytes; // [n_bytes], until the next chunk is read
    size_t n_bytes, stored_bytes;
} gw_chunk;

static inline bool gw_chunk_is(const gw_chunk *chunk, const char *tag) {
    for (int i = 0; i < GW_CHUNK_TAG_BYTES; i++) {
        if (chunk->tag[i] != tag[i]) return false;
    }
    return true;
}
// The last chunk's.
#define GW_CHUNK_END "END "

static inline void gw_put_le32(uint8_t *p, uint32_t x) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(x >> 8 * i);
}
static inline void gw_put_le64(uint8_t *p, uint64_t x) {
    gw_put_le32(p, (uint32_t)x);
    gw_put_le32(p + 4, (uint32_t)(x >> 32));
}

// --- writing -------------------------------------------------------------------------------------

typedef struct gw_chunk_writer gw_chunk_writer;

// Writes the file's head. GODWIT_CANCELLED where write returns false, as of the calls below.
godwit_status gw_chunk_writer_create(const gw_host *host, godwit_write_fn write, void *user,
                                     gw_chunk_writer **out_writer, godwit_error *err);
// tag: 4 characters; at most GW_CHUNK_MAX_BYTES.
godwit_status gw_chunk_write(gw_chunk_writer *writer, const char *tag, const uint8_t *bytes,
                             size_t n_bytes, godwit_error *err);
// The last chunk.
godwit_status gw_chunk_write_end(gw_chunk_writer *writer, godwit_error *err);
void gw_chunk_writer_destroy(gw_chunk_writer **writer);

// --- reading -------------------------------------------------------------------------------------

typedef struct gw_chunk_reader gw_chunk_reader;

// Reads the file's head. Errors, here and below: GODWIT_MALFORMED for what is no such file or is
// damaged, GODWIT_UNSUPPORTED for another version, GODWIT_IO where read gives SIZE_MAX.
godwit_status gw_chunk_reader_create(const gw_host *host, godwit_read_fn read, void *user,
                                     gw_chunk_reader **out_reader, godwit_error *err);
// The next chunk; behind GW_CHUNK_END, whose sums over all chunks are right, nothing is read.
godwit_status gw_chunk_read(gw_chunk_reader *reader, gw_chunk *out_chunk, godwit_error *err);
uint64_t gw_chunk_reader_n_bytes(const gw_chunk_reader *reader); // read so far
void gw_chunk_reader_destroy(gw_chunk_reader **reader);

#endif
