// File: a regular file that is read by position.
//
// Never mapped: a mapped file that somebody cuts short or overwrites is a SIGBUS, or other bytes
// without a word, at whatever instruction touches it. Read here it is GODWIT_IO with a message.
// Thread rule: any thread may read; open and close belong to the owner.
#ifndef GW_BASE_FILE_H
#define GW_BASE_FILE_H

#include "base/mem.h"

typedef struct gw_file {
    const char *path; // borrowed; NULL: not open
    int fd;
    uint64_t n_bytes;
    int64_t modified_s, modified_ns; // when it was opened
} gw_file;

// Errors: GODWIT_IO with errno; an empty file, a directory or a device is GODWIT_MALFORMED.
godwit_status gw_file_open(const char *path, gw_file *out_file, godwit_error *err);
void gw_file_close(gw_file *file); // also of a zeroed one
// n_bytes from offset on. GODWIT_IO, naming the file, when it is no longer as it was when it was
// opened: shorter, longer, or written to.
godwit_status gw_file_read(const gw_file *file, uint64_t offset, void *out, uint64_t n_bytes,
                           godwit_error *err);
// A whole file of at most max_bytes, which the caller frees with gw_free.
godwit_status gw_file_load(const gw_host *host, const char *path, uint64_t max_bytes,
                           uint8_t **out_bytes, uint64_t *out_n, godwit_error *err);

// Bytes that lie in memory, or in a file, or are made when they are read.
typedef struct gw_source {
    const uint8_t *bytes; // NULL: in the file
    const gw_file *file;  // outlives the source
    uint64_t offset;      // from the file's start
    // Not NULL: makes the n_bytes from `at` on, of whole items of what the source is of.
    godwit_status (*read)(const void *user, uint64_t at, uint64_t n_bytes, void *out,
                          godwit_error *err);
    const void *user;
} gw_source;

// Where n_bytes from `at` on are: in memory themselves, or read into scratch, which has room for
// them.
godwit_status gw_source_view(const gw_source *source, uint64_t at, uint64_t n_bytes, void *scratch,
                             const uint8_t **out_bytes, godwit_error *err);

// What every failed call on a file says: "cannot <what>: <path>: <the system's reason>", GODWIT_IO
// with code, an errno.
godwit_status gw_fail_io(godwit_error *err, int code, const char *what, const char *path);

#endif
