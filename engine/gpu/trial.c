// Trial: a mark on disk while a variant of a kernel is tried, for drivers that take the process
// down.
//
// <key>.trying in the cache directory names the module that is being tried, beside the other files
// of a device, driver and build (findings.c). It is there from before the module's first use until
// behind it, and locked by the process that tries: one that is there and that nobody holds was left
// by a process that ended in between, killed by a driver or by a person, which looks the same. So
// what it names is a suspect, a line of <key>.killed, that is tried once more; where the process
// ends again it is taken away, or each start would end like those two. The lock is of the open
// file, so it ends with the process, however that ends. Nothing here is an error: without a mark
// the device is used all the same.
#include "gpu/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

// The file, held by this process; -1 where it is not there (unless made), or another one holds it.
// A link or a pipe of that name is somebody else's: it is not written to, and not waited for.
static int take(const char *path, int flags) {
    struct stat st;
    int fd;
    do fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | flags, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return fd;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    close(fd);
    return -1;
}

// Emptied before it goes: who opened it just now finds no module in it.
static void remove_file(const char *path, int fd) {
    if (ftruncate(fd, 0) == 0) unlink(path);
    close(fd);
}

// --- suspects

// Where the module's line begins in the list; NULL: nowhere.
static const char *find_line(const char *list, const char *module) {
    const size_t n = strlen(module);
    for (const char *at = list; *at;) {
        const size_t n_line = strcspn(at, "\n");
        if (n_line == n && memcmp(at, module, n) == 0) return at;
        at += n_line + (at[n_line] == '\n');
    }
    return NULL;
}

static bool write_suspects(const gw_device *device) {
    char path[GW_PATH_BYTES];
    const char *list = device->suspects;
    if (!gw_findings_path(device->gpu, device->adapter, "killed", path)) return false;
    if (!list[0]) return unlink(path) == 0 || errno == ENOENT;
    return gw_cache_save(device->gpu, path, NULL, 0, list, strlen(list), NULL) == GODWIT_OK;
}

static bool add_suspect(gw_device *device, const char *module) {
    const size_t at = strlen(device->suspects), n = strlen(module);
    if (at + n + 2 > sizeof device->suspects) return false;
    snprintf(device->suspects + at, sizeof device->suspects - at, "%s\n", module);
    return true;
}

static void load_suspects(gw_device *device) {
    char path[GW_PATH_BYTES], text[GW_SUSPECTS_BYTES];
    struct stat st;
    device->suspects[0] = '\0';
    if (!gw_findings_path(device->gpu, device->adapter, "killed", path)) return;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    const bool is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    const ssize_t n = is_file ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = '\0';
    // What no build has, and a line that was cut, say nothing.
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        if (strchr(at, '.') && gw_shader_is_built(at) && !find_line(device->suspects, at))
            (void)add_suspect(device, at);
    }
}

static bool remove_suspect(gw_device *device, const char *module) {
    const char *line = find_line(device->suspects, module);
    if (!line) return false;
    const size_t n = strcspn(line, "\n") + 1, at = (size_t)(line - device->suspects);
    memmove(device->suspects + at, line + n, strlen(line + n) + 1);
    return true;
}

bool gw_device_suspects(gw_device *device, const char *module) {
    pthread_mutex_lock(&device->findings_lock);
    const bool found = module ? find_line(device->suspects, module) != NULL : device->suspects[0];
    pthread_mutex_unlock(&device->findings_lock);
    return found;
}

void gw_device_acquit(gw_device *device) {
    pthread_mutex_lock(&device->findings_lock);
    const bool was = device->suspects[0];
    device->suspects[0] = '\0';
    if (was) (void)write_suspects(device);
    pthread_mutex_unlock(&device->findings_lock);
}

// --- the mark

static void end(gw_device *device, const char *path) {
    if (!device->trying) return;
    device->trying = false;
    if (remove_suspect(device, device->tried)) (void)write_suspects(device);
    remove_file(path, device->trial_fd);
}

static void begin(gw_device *device, const char *path, const char *module) {
    const size_t n = strlen(module);
    const uint64_t bit = UINT64_C(1) << (XXH64(module, n, 0) & 63);
    const int fd = take(path, O_CREAT);
    if (fd < 0) return;
    if (ftruncate(fd, 0) != 0 || write(fd, module, n) != (ssize_t)n) {
        remove_file(path, fd);
        return;
    }
    // A driver may take the machine down as well; each module's first use is what does it.
    if (!(device->trials_synced & bit)) (void)fsync(fd);
    device->trials_synced |= bit;
    device->trial_fd = fd;
    device->trying = true;
    snprintf(device->tried, sizeof device->tried, "%s", module);
}

void gw_device_trial(gw_device *device, const char *module) {
    char path[GW_PATH_BYTES];
    if (!gw_device_keeps_findings(device)) return;
    if (!gw_findings_path(device->gpu, device->adapter, "trying", path)) return;
    pthread_mutex_lock(&device->findings_lock);
    end(device, path);
    if (module) begin(device, path, module);
    pthread_mutex_unlock(&device->findings_lock);
}

bool gw_trial_left(const gw_gpu *gpu, const gw_adapter *adapter, gw_trial *out) {
    char text[sizeof out->module];
    memset(out, 0, sizeof *out);
    if (!gw_findings_path(gpu, adapter, "trying", out->path)) return false;
    out->fd = take(out->path, 0);
    if (out->fd < 0) return false;
    const ssize_t n = read(out->fd, text, sizeof text - 1);
    if (n > 0) {
        text[n] = '\0';
        // What no build has is no mark of ours.
        if (strchr(text, '.') && gw_shader_is_built(text)) memcpy(out->module, text, (size_t)n + 1);
    }
    if (out->module[0]) return true;
    remove_file(out->path, out->fd);
    return false;
}

void gw_trial_settle(gw_device *device, const gw_trial *trial, bool forget) {
    if (forget) {
        remove_file(trial->path, trial->fd);
        (void)write_suspects(device);
    } else {
        close(trial->fd);
    }
}

bool gw_trial_is_second(gw_device *device, const gw_trial *trial) {
    load_suspects(device);
    if (!trial->module[0]) return false;
    return remove_suspect(device, trial->module) || !add_suspect(device, trial->module);
}
