// Map: see map.h.
#include "base/map.h"

#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

godwit_status gw_fail_io(godwit_error *err, int code, const char *what, const char *path) {
    char reason[128];
    gw_errno_text(code, reason, sizeof reason);
    return gw_fail_driver(err, GODWIT_IO, code, "cannot %s: %s: %s", what, path, reason);
}

// Maps the open fd; on success the map owns it.
static godwit_status map_fd(int fd, const char *path, gw_map *out_map, godwit_error *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) return gw_fail_io(err, errno, "stat", path);
    if (!S_ISREG(info.st_mode)) {
        return gw_fail(err, GODWIT_MALFORMED, "cannot map: %s: is %s, not a file", path,
                       S_ISDIR(info.st_mode) ? "a directory" : "a device or pipe");
    }
    if (info.st_size <= 0) {
        return gw_fail(err, GODWIT_MALFORMED, "cannot map: %s: the file is empty", path);
    }
    uint64_t n_bytes = (uint64_t)info.st_size;
    if (n_bytes > SIZE_MAX / 2) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "cannot map: %s: %" PRIu64 " bytes pass this machine's address space", path,
                       n_bytes);
    }
    void *bytes = mmap(NULL, (size_t)n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return gw_fail_io(err, errno, "map", path);
    *out_map = (gw_map){.bytes = bytes, .n_bytes = n_bytes, .fd = fd};
    return GODWIT_OK;
}

godwit_status gw_map_open(const char *path, gw_map *out_map, godwit_error *err) {
    *out_map = (gw_map){.fd = -1};
    // O_NONBLOCK: without it a named pipe would hold us here until somebody writes to it.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return gw_fail_io(err, errno, "open", path);
    godwit_status status = map_fd(fd, path, out_map, err);
    if (status != GODWIT_OK) close(fd);
    return status;
}

void gw_map_close(gw_map *map) {
    // The test on bytes makes a zeroed map, whose fd is that of standard input, harmless.
    if (!map->bytes) return;
    munmap((void *)(uintptr_t)map->bytes, (size_t)map->n_bytes);
    close(map->fd);
    *map = (gw_map){.fd = -1};
}

godwit_status gw_map_check_size(const gw_map *map, godwit_error *err) {
    struct stat info;
    if (fstat(map->fd, &info) != 0) return gw_fail_io(err, errno, "stat", "the mapped file");
    if (info.st_size < 0 || (uint64_t)info.st_size < map->n_bytes) {
        return gw_fail(err, GODWIT_IO,
                       "the mapped file shrank from %" PRIu64 " to %" PRId64
                       " bytes while in use; replace files by rename, not in place",
                       map->n_bytes, (int64_t)info.st_size);
    }
    return GODWIT_OK;
}
