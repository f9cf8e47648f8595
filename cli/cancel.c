// cancel.c: see cancel.h.
#include "cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define NS_PER_S     UINT64_C(1000000000)
#define ONE_PRESS_NS (NS_PER_S * 3 / 10)
#define DEADLINE_NS  (NS_PER_S * 4) // a service is given 5 s and more
#define SAVING_NS    (NS_PER_S * 60)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static godwit_session *watched; // under lock
static int cancelled_by;        // the signal, under lock; 0: none came
static bool saves;              // under lock
static bool answers, pressed;   // under lock: Ctrl-C stops an answer; it came and was not taken
static int wake[2] = {-1, -1};  // a pipe, a byte in it for each signal

static int wait_for(const sigset_t *signals) {
    int number = 0;
    while (sigwait(signals, &number) != 0) continue;
    return number;
}

// The next signal, or 0 where none comes before until_ns.
static int wait_until(const sigset_t *signals, uint64_t until_ns) {
    for (;;) {
        uint64_t now_ns = cli_now_ns(), left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        const struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                                      .tv_nsec = (long)(left_ns % NS_PER_S)};
        int number = sigtimedwait(signals, NULL, &left);
        if (number > 0) return number;
        if (errno == EAGAIN) return 0;
    }
}

// Not through stdio, whose locks a thread that hangs may hold; nor where nobody reads.
static void say_late(bool saving) {
    static const char hangs[] =
        "\ngodwit: not ended 4 s after the signal, does a driver hang? Ended without cleaning up\n";
    static const char not_saved[] =
        "\ngodwit: session: not saved 60 s after the signal; ended without it\n";
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) == 1 && out.revents & POLLOUT) {
        ssize_t n = saving ? write(STDERR_FILENO, not_saved, sizeof(not_saved) - 1)
                           : write(STDERR_FILENO, hangs, sizeof(hangs) - 1);
        (void)n;
    }
}

static bool is_saving(void) {
    (void)pthread_mutex_lock(&lock);
    bool now = saves;
    (void)pthread_mutex_unlock(&lock);
    return now;
}

// Whether the signal is to end the command, and not an answer alone. Cancels what is watched.
static bool take_signal(int number) {
    (void)pthread_mutex_lock(&lock);
    bool ends = !(answers && number == SIGINT && !pressed);
    if (ends) cancelled_by = number;
    pressed = !ends;
    if (watched) godwit_session_cancel(watched);
    ssize_t n = wake[1] >= 0 ? write(wake[1], "", 1) : 0;
    (void)n;
    (void)pthread_mutex_unlock(&lock);
    return ends;
}

static void *watch(void *user) {
    const sigset_t *signals = user;
    int first = wait_for(signals);
    while (!take_signal(first)) first = wait_for(signals);
    const uint64_t first_ns = cli_now_ns();

    // A driver may hang, and who sent the signal (timeout, systemd, a shutdown) may send no second
    // one: the process dies of the signal, as a shell expects, at a second one or when its time is
    // up. A wrapper may pass on what the terminal has sent already; that is still the first one.
    int second;
    uint64_t waited_ns;
    do {
        second = wait_until(signals, first_ns + (is_saving() ? SAVING_NS : DEADLINE_NS));
        waited_ns = cli_now_ns() - first_ns;
    } while (waited_ns < (second ? ONE_PRESS_NS : is_saving() ? SAVING_NS : DEADLINE_NS));
    if (!second) say_late(is_saving());
    (void)signal(second ? second : first, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    (void)raise(second ? second : first);
    return NULL;
}

void cli_cancel_watch(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    static sigset_t signals; // the watcher's, too
    int n = 0;
    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction now;
        if (sigaction(numbers[i], NULL, &now) != 0 || now.sa_handler == SIG_IGN) continue;
        (void)sigaddset(&signals, numbers[i]);
        n++;
    }
    if (n == 0 || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0) return;
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, &signals) == 0) {
        (void)pthread_detach(thread);
    } else {
        (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL); // then they just kill
    }
}

void cli_cancel_session(godwit_session *session) {
    (void)pthread_mutex_lock(&lock);
    watched = session;
    if (session && cancelled_by) godwit_session_cancel(session);
    (void)pthread_mutex_unlock(&lock);
}

int cli_cancelled_by(void) {
    (void)pthread_mutex_lock(&lock);
    int now = cancelled_by;
    (void)pthread_mutex_unlock(&lock);
    return now;
}

bool cli_cancelled(void) {
    return cli_cancelled_by() != 0;
}

void cli_cancel_saves(void) {
    (void)pthread_mutex_lock(&lock);
    saves = true;
    (void)pthread_mutex_unlock(&lock);
}

void cli_cancel_answers(void) {
    (void)pthread_mutex_lock(&lock);
    if (wake[0] < 0 && pipe(wake) == 0) {
        for (int i = 0; i < 2; i++) {
            (void)fcntl(wake[i], F_SETFD, FD_CLOEXEC);
            (void)fcntl(wake[i], F_SETFL, O_NONBLOCK);
        }
    }
    answers = true;
    (void)pthread_mutex_unlock(&lock);
}

bool cli_cancel_take(void) {
    char bytes[16];
    (void)pthread_mutex_lock(&lock);
    bool was = pressed;
    pressed = false;
    while (wake[0] >= 0 && !cancelled_by && read(wake[0], bytes, sizeof(bytes)) > 0) continue;
    (void)pthread_mutex_unlock(&lock);
    return was;
}

bool cli_cancel_pressed(void) {
    (void)pthread_mutex_lock(&lock);
    bool now = pressed;
    (void)pthread_mutex_unlock(&lock);
    return now;
}

int cli_cancel_fd(void) {
    (void)pthread_mutex_lock(&lock);
    int fd = wake[0];
    (void)pthread_mutex_unlock(&lock);
    return fd;
}

bool cli_cancel_stops(void) {
    return cli_cancelled() && !is_saving();
}
