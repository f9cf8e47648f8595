// cancel.c: see cancel.h.
#include "cancel.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#include "clock.h"

#define ONE_PRESS_NS 300000000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static godwit_session *watched; // under lock
static int cancelled_by;        // the signal, under lock; 0: none came

static int wait_for(const sigset_t *signals) {
    int number = 0;
    while (sigwait(signals, &number) != 0) continue;
    return number;
}

static void *watch(void *user) {
    const sigset_t *signals = user;
    int number = wait_for(signals);
    (void)pthread_mutex_lock(&lock);
    cancelled_by = number;
    if (watched) godwit_session_cancel(watched);
    (void)pthread_mutex_unlock(&lock);

    // The second one is for a driver that hangs: die of the signal, as the shell expects. A wrapper
    // may pass on what the terminal has sent already; that is still the first one.
    uint64_t first_ns = cli_now_ns();
    do {
        number = wait_for(signals);
    } while (cli_now_ns() - first_ns < ONE_PRESS_NS);
    (void)signal(number, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    (void)raise(number);
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
