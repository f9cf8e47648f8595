// Trial: a mark on disk while a variant of a kernel is tried, for drivers that take the process
// down.
//
// <key>.trying in the cache directory names the module that is being tried, beside the other files
// of a device, driver and build (findings.c). It is there from before the module's first use until
// behind it, and locked by the process that tries: one that is there and that nobody holds was left
// by a process that ended in between, killed by a driver or by a person, which looks the same. What
// it names is then taken away, or each start would end like that one. The lock is of the open file,
// so it ends with the process, however that ends. Nothing here is an error: without a mark the
// device is used all the same.
#include "gpu/internal.h"

#include <errno.h>
#include <fcntl.h>
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

static void end(gw_device *device, const char *path) {
    if (!device->trying) return;
    device->trying = false;
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

void gw_trial_settle(const gw_trial *trial, bool forget) {
    if (forget) {
        remove_file(trial->path, trial->fd);
    } else {
        close(trial->fd);
    }
}
