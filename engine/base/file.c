// File: see file.h.
#include "base/file.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES_MAX = 1 << 30 }; // of one call; systems stop short of 2^31

#define REPLACE_BY_RENAME "replace files by rename, not in place"

godwit_status gw_fail_io(godwit_error *err, int code, const char *what, const char *path) {
    char reason[128];
    gw_errno_text(code, reason, sizeof reason);
    return gw_fail_driver(err, GODWIT_IO, code, "cannot %s: %s: %s", what, path, reason);
}

// Sizes up the open fd; on success the file owns it.
static godwit_status take_fd(int fd, const char *path, gw_file *out_file, godwit_error *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) return gw_fail_io(err, errno, "stat", path);
    if (!S_ISREG(info.st_mode)) {
        return gw_fail(err, GODWIT_MALFORMED, "cannot read: %s: is %s, not a file", path,
                       S_ISDIR(info.st_mode) ? "a directory" : "a device or pipe");
    }
    if (info.st_size <= 0) {
        return gw_fail(err, GODWIT_MALFORMED, "cannot read: %s: the file is empty", path);
    }
    *out_file = (gw_file){.path = path,
                          .fd = fd,
                          .n_bytes = (uint64_t)info.st_size,
                          .modified_s = (int64_t)info.st_mtim.tv_sec,
                          .modified_ns = (int64_t)info.st_mtim.tv_nsec};
    return GODWIT_OK;
}

godwit_status gw_file_open(const char *path, gw_file *out_file, godwit_error *err) {
    *out_file = (gw_file){0};
    // O_NONBLOCK: without it a named pipe would hold us here until somebody writes to it.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return gw_fail_io(err, errno, "open", path);
    godwit_status status = take_fd(fd, path, out_file, err);
    if (status != GODWIT_OK) close(fd);
    return status;
}

void gw_file_close(gw_file *file) {
    // The test makes a zeroed file, whose fd is that of standard input, harmless.
    if (!file->path) return;
    close(file->fd);
    *file = (gw_file){0};
}

// Looked at behind each read: what was read before a change is right, and what was not is refused.
static godwit_status check_unchanged(const gw_file *file, godwit_error *err) {
    struct stat info;
    if (fstat(file->fd, &info) != 0) return gw_fail_io(err, errno, "stat", file->path);
    if (info.st_size < 0 || (uint64_t)info.st_size < file->n_bytes) {
        return gw_fail(err, GODWIT_IO,
                       "%s: the file shrank from %" PRIu64 " to %" PRId64
                       " bytes while in use; " REPLACE_BY_RENAME,
                       file->path, file->n_bytes, (int64_t)info.st_size);
    }
    if ((uint64_t)info.st_size != file->n_bytes ||
        (int64_t)info.st_mtim.tv_sec != file->modified_s ||
        (int64_t)info.st_mtim.tv_nsec != file->modified_ns) {
        return gw_fail(err, GODWIT_IO,
                       "%s: the file was written to while in use; " REPLACE_BY_RENAME, file->path);
    }
    return GODWIT_OK;
}

godwit_status gw_file_read(const gw_file *file, uint64_t offset, void *out, uint64_t n_bytes,
                           godwit_error *err) {
    uint8_t *to = out;
    while (n_bytes > 0) {
        size_t want = n_bytes < READ_BYTES_MAX ? (size_t)n_bytes : READ_BYTES_MAX;
        ssize_t n = pread(file->fd, to, want, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return gw_fail_io(err, errno, "read", file->path);
        if (n == 0) break;
        to += n;
        offset += (uint64_t)n;
        n_bytes -= (uint64_t)n;
    }
    godwit_status status = check_unchanged(file, err);
    if (status != GODWIT_OK || n_bytes == 0) return status;
    return gw_fail(err, GODWIT_IO, "%s: %" PRIu64 " bytes at offset %" PRIu64 " cannot be read",
                   file->path, n_bytes, offset);
}

godwit_status gw_file_load(const gw_host *host, const char *path, uint64_t max_bytes,
                           uint8_t **out_bytes, uint64_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_file file;
    uint8_t *bytes = NULL;
    *out_bytes = NULL;
    *out_n = 0;
    GW_TRY(gw_file_open(path, &file, err));
    if (file.n_bytes > max_bytes || file.n_bytes > SIZE_MAX / 2) {
        GW_FAIL(err, GODWIT_MALFORMED,
                "%s: %" PRIu64 " bytes, at most %" PRIu64 " are read of such a file", path,
                file.n_bytes, max_bytes);
    }
    bytes = gw_alloc(host, (size_t)file.n_bytes, 1);
    GW_CHECK_ALLOC(bytes, err, "a file's bytes");
    GW_TRY(gw_file_read(&file, 0, bytes, file.n_bytes, err));
    *out_bytes = bytes;
    *out_n = file.n_bytes;
    bytes = NULL;
done:
    gw_free(host, bytes, (size_t)file.n_bytes);
    gw_file_close(&file);
    return status;
}

godwit_status gw_source_view(const gw_source *source, uint64_t at, uint64_t n_bytes, void *scratch,
                             const uint8_t **out_bytes, godwit_error *err) {
    *out_bytes = scratch;
    if (source->read) return source->read(source->user, at, n_bytes, scratch, err);
    if (!source->bytes) {
        return gw_file_read(source->file, source->offset + at, scratch, n_bytes, err);
    }
    *out_bytes = source->bytes + at;
    return GODWIT_OK;
}
