// cache_dir.c: see cache_dir.h.
#define _GNU_SOURCE // secure_getenv
#include "cache_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli.h"
#include "print.h"

enum { PATH_BYTES = 4096, ROOM_BYTES = 1 << 20 }; // kernels of a device take some 100 KB

const char *cli_getenv(const char *name) {
    return secure_getenv(name);
}

void cli_ignore_relative_cache_home(void) {
    const char *xdg = cli_getenv("XDG_CACHE_HOME");
    if (xdg && xdg[0] && xdg[0] != '/') (void)unsetenv("XDG_CACHE_HOME");
}

// mkdir -p; false where it cannot be had.
static bool make_directories(char *path) {
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        int made = mkdir(path, 0700);
        *at = '/';
        if (made != 0 && errno != EEXIST) return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static void say_lost(const char *what, const char *why) {
    cli_say("cache directory %s: each start compiles and checks kernels anew; name another one in "
            "GODWIT_CACHE_DIR, or set that empty to keep none%s",
            what, why);
}

// Fills path; false, and says so, where nothing names a place. Who set GODWIT_CACHE_DIR empty asked
// for that, and is told nothing.
static bool name_place(char path[PATH_BYTES]) {
    const char *own = cli_getenv("GODWIT_CACHE_DIR");
    const char *xdg = cli_getenv("XDG_CACHE_HOME");
    const char *home = cli_getenv("HOME");
    int n = 0;
    if (own && !own[0]) return false;
    if (own) {
        n = snprintf(path, PATH_BYTES, "%s", own);
    } else if (xdg && xdg[0] == '/') {
        n = snprintf(path, PATH_BYTES, "%s/godwit", xdg);
    } else if (home && home[0] == '/') {
        n = snprintf(path, PATH_BYTES, "%s/.cache/godwit", home);
    } else {
        say_lost("(none is named)",
                 home && home[0] ? " (HOME is no absolute path)" : " (HOME is not set)");
        return false;
    }
    if (n > 0 && n < PATH_BYTES) return true;
    say_lost("(its name is too long)", "");
    return false;
}

// NULL: keep no cache. Kernels are then compiled and checked, and a wrong one is found, at each
// start anew; what takes the process down takes each down.
static const char *find(void) {
    static char path[PATH_BYTES];
    char what[PATH_BYTES + 64];
    struct stat st;
    struct statvfs disk;
    if (!name_place(path)) return NULL;
    bool made = make_directories(path);
    bool is_folder = made && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (!is_folder || access(path, W_OK | X_OK) != 0) {
        (void)snprintf(what, sizeof(what), "%s %s", path,
                       made && !is_folder ? "is no directory" : "cannot be written");
        say_lost(what, "");
        // What is there can still be read.
        return is_folder ? path : NULL;
    }
    // Drivers keep what they compile on the same disk, and say no word where it has no room.
    if (statvfs(path, &disk) == 0) {
        uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
        if (room < ROOM_BYTES) {
            (void)snprintf(what, sizeof(what), "%s is on a full disk (%s free)", path,
                           cli_bytes(room).text);
            say_lost(what, "");
        }
    }
    return path;
}

const char *cli_cache_dir(void) {
    static bool looked;
    static const char *dir;
    if (!looked) dir = find();
    looked = true;
    return dir;
}
