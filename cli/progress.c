// progress.c: see progress.h.
#include "progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "print.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MAX = 10000, REDRAW_NS = 100000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool shown, stopped;
static uint64_t drawn_ns; // 0: nothing was to be shown yet

size_t cli_columns(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char *named = getenv("COLUMNS");
    long n = named ? strtol(named, NULL, 10) : 0;
    return n > 0 && n <= COLUMNS_MAX ? (size_t)n : COLUMNS_DEFAULT;
}

bool cli_shows_progress(void) {
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && !(terminal && strcmp(terminal, "dumb") == 0);
}

// Bytes of line that n_columns hold. A character that is no ASCII may be two columns wide.
static size_t fitting(const char *line, size_t n_columns) {
    size_t at = 0, used = 0;
    while (line[at]) {
        size_t n = 1;
        while (((unsigned char)line[at + n] & 0xC0) == 0x80) n++;
        used += (unsigned char)line[at] < 0x80 ? 1 : 2;
        if (used > n_columns) break;
        at += n;
    }
    return at;
}

static void take_off(void) {
    if (shown) (void)fputs("\r\033[K", stderr);
    shown = false;
}

void cli_progress(const char *format, ...) {
    if (!cli_shows_progress()) return;
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    (void)pthread_mutex_lock(&lock);
    uint64_t now_ns = cli_now_ns();
    bool due = drawn_ns && now_ns - drawn_ns >= REDRAW_NS;
    if (!drawn_ns) drawn_ns = now_ns;
    if (!stopped && due) {
        drawn_ns = now_ns;
        shown = true;
        (void)fputc('\r', stderr);
        // The last column stays free: a terminal may wrap as soon as it is written.
        cli_print_safe(stderr, line, fitting(line, cli_columns(STDERR_FILENO) - 1));
        (void)fputs("\033[K", stderr);
    }
    (void)pthread_mutex_unlock(&lock);
}

void cli_progress_end(void) {
    (void)pthread_mutex_lock(&lock);
    take_off();
    (void)pthread_mutex_unlock(&lock);
}

void cli_progress_stop(void) {
    (void)pthread_mutex_lock(&lock);
    take_off();
    stopped = true;
    (void)pthread_mutex_unlock(&lock);
}
