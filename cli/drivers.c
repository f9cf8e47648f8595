// drivers.c: see drivers.h.
//
// <hash of the manifests>.drivers in the cache directory is the record: a line for each manifest
// that is left out, by its number, and why. It is there from one start that worked to the next one
// that loads drivers.
#include "drivers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_dir.h"
#include "cancel.h"
#include "cli.h"
#include "probe.h"

#define RECORD_HEAD "godwit drivers 1\n"
#define RECORD_END  "end\n"
enum { RECORD_BYTES = 32 << 10, PATH_BYTES = 4096, FIRST_TRY_PART = 6 };

static cli_manifests manifests;
static bool to_record; // a start is under way that cli_drivers_worked ends
static bool prepared;

// --- the record

static bool record_path(char path[PATH_BYTES]) {
    const char *dir = cli_cache_dir();
    int n = dir ? snprintf(path, PATH_BYTES, "%s/%016llx.drivers", dir,
                           (unsigned long long)manifests.hash)
                : 0;
    return n > 0 && n < PATH_BYTES;
}

// The text of a file that this user, or root, wrote; false for what is none, or is not whole.
static bool read_record(const char *path, char text[RECORD_BYTES]) {
    struct stat st;
    // A pipe of that name must not hold us.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0) return false;
    bool ours =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == geteuid() || st.st_uid == 0);
    ssize_t n = ours ? read(fd, text, RECORD_BYTES - 1) : -1;
    (void)close(fd);
    if (n < 0) return false;
    text[n] = 0;
    size_t n_head = strlen(RECORD_HEAD), n_end = strlen(RECORD_END);
    return (size_t)n >= n_head + n_end && memcmp(text, RECORD_HEAD, n_head) == 0 &&
           strcmp(text + n - n_end, RECORD_END) == 0;
}

static bool recall(void) {
    static char text[RECORD_BYTES];
    char path[PATH_BYTES];
    if (!record_path(path) || !read_record(path, text)) return false;
    char *line = text + strlen(RECORD_HEAD);
    while (strcmp(line, RECORD_END) != 0) {
        char *end = strchr(line, '\n'), *reason = NULL;
        unsigned long i = strtoul(line, &reason, 10);
        if (!end || *reason != ' ' || i >= manifests.n) return false;
        *end = 0;
        cli_manifest *m = &manifests.items[i];
        m->left_out = true;
        (void)snprintf(m->reason, sizeof(m->reason), "%s", reason + 1);
        line = end + 1;
    }
    (void)unlink(path); // until this start has worked, too
    return true;
}

static void write_all(int fd, const char *text) {
    size_t n = strlen(text);
    while (n > 0) {
        ssize_t written = write(fd, text, n);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; // it then lacks its end, and counts for nothing
        text += written;
        n -= (size_t)written;
    }
}

void cli_drivers_worked(void) {
    char path[PATH_BYTES], temp[PATH_BYTES + 32], line[CLI_REASON_BYTES + 16];
    if (!to_record || !record_path(path)) return;
    to_record = false;
    (void)snprintf(temp, sizeof(temp), "%s.%ld-0.part", path, (long)getpid());
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return; // the next start tries the drivers again
    write_all(fd, RECORD_HEAD);
    for (size_t i = 0; i < manifests.n; i++) {
        const cli_manifest *m = &manifests.items[i];
        if (!m->left_out) continue;
        (void)snprintf(line, sizeof(line), "%zu %s\n", i, m->reason);
        write_all(fd, line);
    }
    write_all(fd, RECORD_END);
    if (close(fd) != 0 || rename(temp, path) != 0) (void)unlink(temp);
}

// --- trying

static void leave_out(cli_manifest *m, const char *reason) {
    m->left_out = true;
    (void)snprintf(m->reason, sizeof(m->reason), "%s", reason);
    for (char *c = m->reason; *c; c++) {
        if (*c == '\n') *c = ' ';
    }
}

static bool does_harm(cli_probe_result result) {
    return result == CLI_PROBE_FAILS || result == CLI_PROBE_ENDED || result == CLI_PROBE_HANGS;
}

// Each by itself; one that ended its process gets a second chance.
static void try_each(const char *mask) {
    static cli_probe probes[CLI_MAX_MANIFESTS];
    for (size_t i = 0; i < manifests.n; i++) probes[i].manifest = manifests.items[i].path;
    cli_probe_all(probes, manifests.n, mask, cli_probe_seconds());
    for (size_t i = 0; i < manifests.n && !cli_cancelled(); i++) {
        char broken[CLI_REASON_BYTES];
        if (probes[i].result == CLI_PROBE_ENDED) {
            cli_probe_all(&probes[i], 1, mask, cli_probe_seconds());
        }
        bool harms = does_harm(probes[i].result);
        if (probes[i].result == CLI_PROBE_WORKS) continue;
        if (cli_manifest_is_broken(probes[i].manifest, broken)) {
            leave_out(&manifests.items[i], broken);
        } else if (harms) {
            leave_out(&manifests.items[i], probes[i].reason);
        }
    }
}

static bool all_work(const char *mask) {
    cli_probe all = {.manifest = NULL};
    cli_probe_all(&all, 1, mask, cli_probe_seconds());
    if (!does_harm(all.result)) return true;
    to_record = manifests.n > 0;
    if (manifests.n == 0) cli_say("Vulkan is left out: %s", all.reason);
    for (size_t i = 0; i < manifests.n; i++) {
        char reason[CLI_REASON_BYTES];
        if (manifests.items[i].left_out) continue;
        (void)snprintf(reason, sizeof(reason), "beside the others: %.280s", all.reason);
        leave_out(&manifests.items[i], reason);
    }
    return false;
}

static bool any_is_left_out(void) {
    for (size_t i = 0; i < manifests.n; i++) {
        if (manifests.items[i].left_out) return true;
    }
    return false;
}

// Not all loaders refuse to work beside a broken manifest; it is told all the same.
static bool any_is_broken(void) {
    char reason[CLI_REASON_BYTES];
    for (size_t i = 0; i < manifests.n; i++) {
        struct stat st;
        if (stat(manifests.items[i].path, &st) == 0 &&
            cli_manifest_is_broken(manifests.items[i].path, reason))
            return true;
    }
    return false;
}

static void try_drivers(bool each_time, const char *mask) {
    cli_probe all = {.manifest = NULL};
    if (!each_time) {
        // Not the whole time: a slow driver has that when it is tried by itself.
        uint32_t seconds = cli_probe_seconds();
        cli_probe_all(&all, 1, mask, seconds / FIRST_TRY_PART + 1);
        if (!does_harm(all.result) && !any_is_broken()) return;
    }
    try_each(mask);
    if (cli_cancelled()) return;
    if (any_is_left_out()) cli_manifests_use(&manifests, NULL);
    // What works by itself may not work beside another.
    if (!all_work(mask)) cli_manifests_use(&manifests, NULL);
}

bool cli_drivers_prepare(const char *mask, bool each_time) {
    if (prepared) return true;
    prepared = to_record = true;
    cli_manifests_find(&manifests);
    bool known = recall();
    if (known && !each_time && any_is_left_out()) cli_manifests_use(&manifests, NULL);
    if (each_time) {
        for (size_t i = 0; i < manifests.n; i++) manifests.items[i].left_out = false;
    }
    if (!known || each_time) try_drivers(each_time, mask);
    if (cli_cancelled()) return false;
    for (size_t i = 0; i < manifests.n; i++) {
        const cli_manifest *m = &manifests.items[i];
        if (!m->left_out) continue;
        cli_say("Vulkan driver %s is left out: %s%s", m->path, m->reason,
                each_time ? "" : "; `godwit devices` tries it again, --device cpu loads no driver");
    }
    return true;
}

const cli_manifests *cli_drivers_found(void) {
    return &manifests;
}
