// cancel.c: see cancel.h.
#include "cancel.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#include "clock.h"

#define ONE_PRESS_NS 300000000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static godwit_session *watched; // under lock
static bool cancelled;          // under lock

static void wait_for_interrupt(const sigset_t *interrupt) {
    int number = 0;
    while (sigwait(interrupt, &number) != 0) continue;
}

static void *watch(void *unused) {
    (void)unused;
    sigset_t interrupt;
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    wait_for_interrupt(&interrupt);
    (void)pthread_mutex_lock(&lock);
    cancelled = true;
    if (watched) godwit_session_cancel(watched);
    (void)pthread_mutex_unlock(&lock);

    // The second one is for a driver that hangs: die of the signal, as the shell expects. A wrapper
    // may pass on what the terminal has sent already; that is still the first one.
    uint64_t first_ns = cli_now_ns();
    do {
        wait_for_interrupt(&interrupt);
    } while (cli_now_ns() - first_ns < ONE_PRESS_NS);
    (void)signal(SIGINT, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
    (void)raise(SIGINT);
    return NULL;
}

void cli_cancel_watch(void) {
    struct sigaction now;
    if (sigaction(SIGINT, NULL, &now) != 0 || now.sa_handler == SIG_IGN) return;
    sigset_t interrupt;
    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &interrupt, NULL) != 0) return;
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, NULL) == 0) {
        (void)pthread_detach(thread);
    } else {
        (void)pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL); // then Ctrl-C just kills
    }
}

void cli_cancel_session(godwit_session *session) {
    (void)pthread_mutex_lock(&lock);
    watched = session;
    if (session && cancelled) godwit_session_cancel(session);
    (void)pthread_mutex_unlock(&lock);
}

bool cli_cancelled(void) {
    (void)pthread_mutex_lock(&lock);
    bool now = cancelled;
    (void)pthread_mutex_unlock(&lock);
    return now;
}
