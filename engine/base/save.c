// Save: see save.h.
#include "base/save.h"

#include "base/map.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10, MAX_TRIES = 100 };

struct gw_save {
    const gw_host *host;
    char *path, *temp_path; // [path_bytes], [temp_bytes]
    size_t path_bytes, temp_bytes;
    int fd; // -1: no temporary file is there
    size_t n_buffered;
    uint8_t buffer[BUFFER_BYTES];
};

// A device or pipe would be replaced by the rename, which nobody who names one wants.
static godwit_status check_target(const char *path, godwit_error *err) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return GODWIT_OK;
    return gw_fail(err, GODWIT_INVALID_ARGUMENT, "cannot save: %s: is no regular file", path);
}

// A name of its own for each process and try: path.<pid>-<try>.part
static godwit_status open_temp(gw_save *save, godwit_error *err) {
    for (int i = 0; i < MAX_TRIES; i++) {
        snprintf(save->temp_path, save->temp_bytes, "%s.%ld-%d.part", save->path, (long)getpid(),
                 i);
        save->fd = open(save->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (save->fd >= 0) return GODWIT_OK;
        if (errno != EEXIST) break;
    }
    return gw_fail_io(err, errno, "create a temporary file beside", save->path);
}

godwit_status gw_save_open(const gw_host *host, const char *path, gw_save **out_save,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_save *save = NULL;
    *out_save = NULL;
    GW_TRY(check_target(path, err));
    save = gw_alloc(host, 1, sizeof *save);
    GW_CHECK_ALLOC(save, err, "file buffer");
    save->host = host;
    save->fd = -1;
    save->path_bytes = strlen(path) + 1;
    save->temp_bytes = save->path_bytes + 40;
    save->path = gw_alloc(host, save->path_bytes, 1);
    save->temp_path = gw_alloc(host, save->temp_bytes, 1);
    GW_CHECK_ALLOC(save->path && save->temp_path, err, "file name");
    memcpy(save->path, path, save->path_bytes);
    GW_TRY(open_temp(save, err));
    *out_save = save;
    save = NULL;
done:
    gw_save_destroy(&save);
    return status;
}

static godwit_status write_all(gw_save *save, const uint8_t *bytes, size_t n_bytes,
                               godwit_error *err) {
    while (n_bytes > 0) {
        ssize_t n = write(save->fd, bytes, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return gw_fail_io(err, errno, "write", save->path);
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return GODWIT_OK;
}

static godwit_status flush(gw_save *save, godwit_error *err) {
    size_t n = save->n_buffered;
    save->n_buffered = 0;
    return write_all(save, save->buffer, n, err);
}

godwit_status gw_save_write(gw_save *save, const void *bytes, size_t n_bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (n_bytes == 0) return GODWIT_OK;
    if (n_bytes > BUFFER_BYTES - save->n_buffered) GW_TRY(flush(save, err));
    if (n_bytes >= BUFFER_BYTES) return write_all(save, bytes, n_bytes, err);
    memcpy(save->buffer + save->n_buffered, bytes, n_bytes);
    save->n_buffered += n_bytes;
done:
    return status;
}

godwit_status gw_save_commit(gw_save *save, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(flush(save, err));
    // Some file systems tell of a full disk only here; and a rename may reach the disk before the
    // bytes do.
    if (fsync(save->fd) != 0) return gw_fail_io(err, errno, "flush to the disk", save->path);
    int closed = close(save->fd);
    save->fd = -1;
    if (closed != 0 || rename(save->temp_path, save->path) != 0) {
        status = gw_fail_io(err, errno, "finish", save->path);
        unlink(save->temp_path);
    }
done:
    return status;
}

void gw_save_destroy(gw_save **save) {
    if (!save || !*save) return;
    gw_save *s = *save;
    if (s->fd >= 0) {
        close(s->fd);
        unlink(s->temp_path);
    }
    gw_free(s->host, s->path, s->path_bytes);
    gw_free(s->host, s->temp_path, s->temp_bytes);
    gw_free(s->host, s, sizeof *s);
    *save = NULL;
}
