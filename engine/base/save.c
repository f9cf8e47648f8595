// Save: see save.h.
#include "base/save.h"

#include "base/file.h"
#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 64 << 10,
    MAX_TRIES = 100,
    MAX_LINKS = 40,
    PATH_BYTES = 4096,
    NAME_BYTES_MAX = 255, // of one name in a folder, on every file system in use
    SUFFIX_BYTES = 48,
};

struct gw_save {
    const gw_host *host;
    char path[PATH_BYTES]; // no symbolic link
    char temp_path[PATH_BYTES + SUFFIX_BYTES];
    int fd; // -1: no temporary file is there
    size_t n_buffered;
    uint8_t buffer[BUFFER_BYTES];
};

godwit_status gw_save_check(const char *path, godwit_error *err) {
    struct stat info;
    if (!path[0]) return gw_fail(err, GODWIT_INVALID_ARGUMENT, "cannot save: the path is empty");
    if (stat(path, &info) != 0) {
        return errno == ENOENT ? GODWIT_OK : gw_fail_io(err, errno, "save", path);
    }
    // A device or pipe would be replaced by the rename, which nobody who names one wants.
    if (S_ISREG(info.st_mode)) return GODWIT_OK;
    return gw_fail(err, GODWIT_INVALID_ARGUMENT, "cannot save: %s: is no regular file", path);
}

godwit_status gw_save_check_input(const char *path, const char *input, godwit_error *err) {
    struct stat to, from;
    if (stat(path, &to) != 0 || stat(input, &from) != 0) return GODWIT_OK;
    if (to.st_dev != from.st_dev || to.st_ino != from.st_ino) return GODWIT_OK;
    return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                   "cannot save: %s: is the same file as %s, which is read; name another file",
                   path, input);
}

// Where the last name of a path begins.
static size_t folder_bytes(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

// What path names behind symbolic links, so that a link stays one; it need not be there.
static godwit_status resolve(const char *path, char out[PATH_BYTES], godwit_error *err) {
    char to[PATH_BYTES];
    size_t n_path = strlen(path);
    if (n_path >= PATH_BYTES) return gw_fail_io(err, ENAMETOOLONG, "save", path);
    memcpy(out, path, n_path + 1);
    for (int i = 0; i < MAX_LINKS; i++) {
        ssize_t n = readlink(out, to, sizeof to - 1);
        if (n < 0) return GODWIT_OK;
        to[n] = '\0';
        size_t n_folder = to[0] == '/' ? 0 : folder_bytes(out);
        if (n_folder + (size_t)n >= PATH_BYTES) return gw_fail_io(err, ENAMETOOLONG, "save", path);
        memcpy(out + n_folder, to, (size_t)n + 1);
    }
    return gw_fail_io(err, ELOOP, "save", path);
}

// ".<digits>-<digits>.part"
static bool is_suffix(const char *text) {
    static const char digits[] = "0123456789";
    const size_t n_pid = text[0] == '.' ? strspn(text + 1, digits) : 0;
    if (n_pid == 0 || text[1 + n_pid] != '-') return false;
    const char *number = text + 2 + n_pid;
    const size_t n = strspn(number, digits);
    return n > 0 && strcmp(number + n, ".part") == 0;
}

// Of a process that was killed its temporary file stays, and may be as large as a model. One that
// is being written is locked, wherever its process runs: numbers of processes say nothing across
// containers and hosts.
static void remove_stale(const gw_save *save) {
    struct stat info;
    char path[PATH_BYTES + NAME_BYTES_MAX + 1], folder[PATH_BYTES];
    const size_t n_folder = folder_bytes(save->path), n_name = strlen(save->path) - n_folder;
    memcpy(folder, save->path, n_folder);
    memcpy(folder + n_folder, n_folder ? "" : ".", n_folder ? 1 : 2);
    DIR *dir = opendir(folder);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (strncmp(e->d_name, save->path + n_folder, n_name) != 0) continue;
        if (!is_suffix(e->d_name + n_name)) continue;
        snprintf(path, sizeof path, "%.*s%s", (int)n_folder, save->path, e->d_name);
        // What is no regular file was not left by a save, and might hold us here.
        const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        const bool ours = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
        if (ours && flock(fd, LOCK_EX | LOCK_NB) == 0) unlink(path);
        if (fd >= 0) close(fd);
    }
    if (dir) closedir(dir);
}

// Takes the lock; false where another process has just taken the file for a stale one.
static bool hold(int fd) {
    struct stat info;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    return fstat(fd, &info) == 0 && info.st_nlink > 0;
}

// A name of its own for each process and try: path.<pid>-<try>.part, of a long name its beginning.
static godwit_status open_temp(gw_save *save, godwit_error *err) {
    size_t n_folder = folder_bytes(save->path), n_name = strlen(save->path) - n_folder;
    for (int i = 0; i < MAX_TRIES; i++) {
        char suffix[SUFFIX_BYTES];
        size_t n = (size_t)snprintf(suffix, sizeof suffix, ".%ld-%d.part", (long)getpid(), i);
        size_t kept = n_name + n > NAME_BYTES_MAX ? NAME_BYTES_MAX - n : n_name;
        memcpy(save->temp_path, save->path, n_folder + kept);
        memcpy(save->temp_path + n_folder + kept, suffix, n + 1);
        save->fd = open(save->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (save->fd < 0 && errno != EEXIST) break;
        if (save->fd < 0) continue;
        if (hold(save->fd)) return GODWIT_OK;
        close(save->fd);
        save->fd = -1;
    }
    return gw_fail_io(err, errno, "create a temporary file beside", save->path);
}

godwit_status gw_save_open(const gw_host *host, const char *path, gw_save **out_save,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_save *save = NULL;
    *out_save = NULL;
    GW_TRY(gw_save_check(path, err));
    save = gw_alloc(host, 1, sizeof *save);
    GW_CHECK_ALLOC(save, err, "file buffer");
    save->host = host;
    save->fd = -1;
    GW_TRY(resolve(path, save->path, err));
    remove_stale(save);
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
    // Until it has its name it must be locked, or another save would take it for a stale one.
    if (rename(save->temp_path, save->path) != 0) {
        status = gw_fail_io(err, errno, "finish", save->path);
        unlink(save->temp_path);
    }
    close(save->fd);
    save->fd = -1;
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
    gw_free(s->host, s, sizeof *s);
    *save = NULL;
}
