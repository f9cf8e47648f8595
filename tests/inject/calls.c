// calls: fails the n-th allocation or file operation of a program, loaded in front of it
// (LD_PRELOAD). Calls of the program itself count, none of a library: what a driver does with a
// failed malloc is the driver's.
//
//     INJECT_ALLOC_AT=n   the n-th malloc, calloc or realloc gives NULL
//     INJECT_IO_AT=n      the n-th file operation fails
//     INJECT_IO_CALL=name it is the n-th of this one, "write"; none or "all": of all
//     INJECT_IO_ERRNO=n   with that, 28 = ENOSPC; none: EIO
//     INJECT_STICKY=1     so do all after it
//     INJECT_CALLS=FILE   when the process ends: "alloc n", "io n", and a line for each of them
//
// Standard input, output and error are left alone: the command's own tests fail those.
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

// glibc's own, which need no looking up.
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

#define IO(W)                                                                                      \
    W(open)                                                                                        \
    W(fopen)                                                                                       \
    W(read)                                                                                        \
    W(pread)                                                                                       \
    W(fread)                                                                                       \
    W(write)                                                                                       \
    W(pwrite)                                                                                      \
    W(fwrite)                                                                                      \
    W(fsync)                                                                                       \
    W(ftruncate)                                                                                   \
    W(rename)                                                                                      \
    W(flock)                                                                                       \
    W(mmap)                                                                                        \
    W(mkdir)                                                                                       \
    W(unlink)                                                                                      \
    W(opendir)                                                                                     \
    W(fstat)

enum {
#define INDEX(name) AT_##name,
    IO(INDEX) N_IO
#undef INDEX
};
static const char *const names[] = {
#define NAME(name) #name,
    IO(NAME)
#undef NAME
};

static uintptr_t begin, end; // of the program in memory
static atomic_ullong n_alloc, n_io, n_each[N_IO];
static long long alloc_at, io_at;
static const char *io_call;
static int io_errno;
static bool sticky;

static int first_object(struct dl_phdr_info *info, size_t bytes, void *user) {
    (void)bytes;
    (void)user;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD) continue;
        const uintptr_t at = (uintptr_t)(info->dlpi_addr + part->p_vaddr);
        if (!begin || at < begin) begin = at;
        if (at + part->p_memsz > end) end = at + part->p_memsz;
    }
    return 1; // the program comes first
}

static long long number(const char *name) {
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void start(void) {
    io_call = getenv("INJECT_IO_CALL");
    if (io_call && (!io_call[0] || strcmp(io_call, "all") == 0)) io_call = NULL;
    alloc_at = number("INJECT_ALLOC_AT");
    io_at = number("INJECT_IO_AT");
    io_errno = (int)number("INJECT_IO_ERRNO");
    if (!io_errno) io_errno = EIO;
    sticky = number("INJECT_STICKY") != 0;
    (void)dl_iterate_phdr(first_object, NULL);
}

__attribute__((destructor)) static void write_counts(void) {
    const char *path = getenv("INJECT_CALLS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    (void)fprintf(file, "alloc %llu\nio %llu\n", atomic_load(&n_alloc), atomic_load(&n_io));
    for (int i = 0; i < N_IO; i++)
        (void)fprintf(file, "%s %llu\n", names[i], atomic_load(&n_each[i]));
    (void)fclose(file);
}

static bool is_own(const void *caller) {
    return (uintptr_t)caller >= begin && (uintptr_t)caller < end;
}

static bool is_now(unsigned long long now, long long at) {
    return at > 0 && ((long long)now == at || (sticky && (long long)now > at));
}

static bool alloc_fails(const void *caller) {
    if (!is_own(caller) || !is_now(atomic_fetch_add(&n_alloc, 1) + 1, alloc_at)) return false;
    errno = ENOMEM;
    return true;
}

static bool io_fails(int which, const void *caller) {
    if (!is_own(caller)) return false;
    const unsigned long long any = atomic_fetch_add(&n_io, 1) + 1;
    const unsigned long long own = atomic_fetch_add(&n_each[which], 1) + 1;
    if (io_call && strcmp(io_call, names[which]) != 0) return false;
    if (!is_now(io_call ? own : any, io_at)) return false;
    errno = io_errno;
    return true;
}

#define CALLER __builtin_return_address(0)

EXPORT void *malloc(size_t n) {
    return alloc_fails(CALLER) ? NULL : __libc_malloc(n);
}

EXPORT void *calloc(size_t n, size_t each) {
    return alloc_fails(CALLER) ? NULL : __libc_calloc(n, each);
}

EXPORT void *realloc(void *old, size_t n) {
    return alloc_fails(CALLER) ? NULL : __libc_realloc(old, n);
}

// The next function of that name behind this object.
static void *next(int which) {
    static void *found[N_IO];
    if (!found[which]) found[which] = dlsym(RTLD_NEXT, names[which]);
    if (!found[which]) abort();
    return found[which];
}

// dlsym gives functions as data.
#pragma GCC diagnostic ignored "-Wpedantic"
#define CALL(name) ((__typeof__(&name))next(AT_##name))

EXPORT int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (io_fails(AT_open, CALLER)) return -1;
    return CALL(open)(path, flags, mode);
}

EXPORT FILE *fopen(const char *path, const char *mode) {
    if (io_fails(AT_fopen, CALLER)) return NULL;
    return CALL(fopen)(path, mode);
}

EXPORT ssize_t read(int fd, void *to, size_t n) {
    if (fd > 2 && io_fails(AT_read, CALLER)) return -1;
    return CALL(read)(fd, to, n);
}

EXPORT ssize_t pread(int fd, void *to, size_t n, off_t at) {
    if (fd > 2 && io_fails(AT_pread, CALLER)) return -1;
    return CALL(pread)(fd, to, n, at);
}

EXPORT size_t fread(void *to, size_t each, size_t n, FILE *file) {
    if (file != stdin && io_fails(AT_fread, CALLER)) return 0;
    return CALL(fread)(to, each, n, file);
}

EXPORT ssize_t write(int fd, const void *from, size_t n) {
    if (fd > 2 && io_fails(AT_write, CALLER)) return -1;
    return CALL(write)(fd, from, n);
}

EXPORT ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
    if (fd > 2 && io_fails(AT_pwrite, CALLER)) return -1;
    return CALL(pwrite)(fd, from, n, at);
}

EXPORT size_t fwrite(const void *from, size_t each, size_t n, FILE *file) {
    const bool is_std = file == stdout || file == stderr;
    if (!is_std && io_fails(AT_fwrite, CALLER)) return 0;
    return CALL(fwrite)(from, each, n, file);
}

EXPORT int fsync(int fd) {
    return io_fails(AT_fsync, CALLER) ? -1 : CALL(fsync)(fd);
}

EXPORT int ftruncate(int fd, off_t n) {
    return io_fails(AT_ftruncate, CALLER) ? -1 : CALL(ftruncate)(fd, n);
}

EXPORT int rename(const char *from, const char *to) {
    if (io_fails(AT_rename, CALLER)) return -1;
    return CALL(rename)(from, to);
}

EXPORT int flock(int fd, int how) {
    return io_fails(AT_flock, CALLER) ? -1 : CALL(flock)(fd, how);
}

EXPORT void *mmap(void *at, size_t n, int rights, int flags, int fd, off_t offset) {
    if (fd >= 0 && io_fails(AT_mmap, CALLER)) return MAP_FAILED;
    return CALL(mmap)(at, n, rights, flags, fd, offset);
}

EXPORT int mkdir(const char *path, mode_t mode) {
    if (io_fails(AT_mkdir, CALLER)) return -1;
    return CALL(mkdir)(path, mode);
}

EXPORT int unlink(const char *path) {
    return io_fails(AT_unlink, CALLER) ? -1 : CALL(unlink)(path);
}

EXPORT DIR *opendir(const char *path) {
    return io_fails(AT_opendir, CALLER) ? NULL : CALL(opendir)(path);
}

EXPORT int fstat(int fd, struct stat *out) {
    if (fd > 2 && io_fails(AT_fstat, CALLER)) return -1;
    return CALL(fstat)(fd, out);
}
