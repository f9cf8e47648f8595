// probe.c: see probe.h.
//
// A child does what the command is about to do: it makes a context, lists the devices and opens the
// best one, and writes one answer into a pipe. What comes instead of an answer tells the rest: the
// pipe's end, that the process is gone; nothing, that it hangs.
#define _GNU_SOURCE // pipe2
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache_dir.h"
#include "cancel.h"
#include "cli.h"
#include "clock.h"

enum {
    SECONDS_DEFAULT = 30, // machines with many GPUs take some 10 to wake them
    SECONDS_MAX = 3600,
    POLL_MS = 50,
    REAP_MS = 500,
    PATIENCE_S = 3,           // then a person is told what is being waited for
    INCOMPATIBLE_DRIVER = -9, // VkResult of a loader that finds no driver
};
#define NS_PER_S 1000000000u

typedef struct answer {
    uint32_t n_vulkan;
    int32_t driver_code; // where there is none
    char reason[CLI_REASON_BYTES];
} answer;

typedef struct child {
    pid_t pid;
    int fd; // -1: it has answered, or never will
} child;

uint32_t cli_probe_seconds(void) {
    const char *text = cli_getenv("GODWIT_DRIVER_SECONDS");
    char *end = NULL;
    unsigned long n = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    return n >= 1 && n <= SECONDS_MAX && !*end ? (uint32_t)n : SECONDS_DEFAULT;
}

// --- in the child

static void prepare_child(pid_t parent) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const struct rlimit no_core = {0, 0};
    sigset_t none;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(CLI_FAILED);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)signal(numbers[i], SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setrlimit(RLIMIT_CORE, &no_core); // its end is expected
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++) (void)dup2(null, fd);
}

static void run_child(const char *manifest, const char *mask, int fd) {
    answer a = {0};
    godwit_error error = {0};
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    params.self_check = GODWIT_SELF_CHECK_NEVER;
    params.mask = mask;
    if (manifest) cli_manifests_use(NULL, manifest);
    if (godwit_context_create(NULL, &context, &error) != GODWIT_OK) _exit(CLI_FAILED);
    a.n_vulkan = godwit_context_n_devices(context) - 1;
    (void)snprintf(a.reason, sizeof(a.reason), "%s", godwit_context_no_vulkan_reason(context));
    // Without a Vulkan device no name is found, and the error has the loader's own code.
    (void)!godwit_device_open(context, a.n_vulkan ? "0" : "?", &params, &device, &error);
    if (!a.n_vulkan) a.driver_code = error.driver_code;
    ssize_t n = write(fd, &a, sizeof(a));
    _exit(n == sizeof(a) ? CLI_OK : CLI_FAILED);
}

// --- in the parent

static void start(child *c, const cli_probe *probe, const char *mask) {
    int fds[2];
    const pid_t parent = getpid();
    *c = (child){.fd = -1};
    if (pipe2(fds, O_CLOEXEC) != 0) return;
    const pid_t pid = fork();
    if (pid == 0) {
        prepare_child(parent);
        run_child(probe->manifest, mask, fds[1]);
    }
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return;
    }
    *c = (child){.pid = pid, .fd = fds[0]};
}

// How it ended; false where it has not, which a signal does not change while a call into the kernel
// hangs.
static bool reap(const child *c, int *out_ended, bool kill_it) {
    if (kill_it) (void)kill(c->pid, SIGKILL);
    for (int waited = 0; waited < REAP_MS; waited++) {
        pid_t pid = waitpid(c->pid, out_ended, WNOHANG);
        if (pid == c->pid) return true;
        if (pid < 0 && errno != EINTR) return false;
        (void)poll(NULL, 0, 1);
    }
    return false;
}

static void take_answer(cli_probe *probe, const answer *a) {
    bool nothing = a->driver_code == 0 || a->driver_code == INCOMPATIBLE_DRIVER;
    probe->result = a->n_vulkan ? CLI_PROBE_WORKS : nothing ? CLI_PROBE_NOTHING : CLI_PROBE_FAILS;
    memcpy(probe->reason, a->reason, sizeof(probe->reason));
    probe->reason[sizeof(probe->reason) - 1] = 0;
}

static void take_end(cli_probe *probe, int ended, bool known) {
    probe->result = CLI_PROBE_ENDED;
    if (known && WIFSIGNALED(ended)) {
        (void)snprintf(probe->reason, sizeof(probe->reason),
                       "it takes the process down that loads it: signal %d (%s)", WTERMSIG(ended),
                       strsignal(WTERMSIG(ended)));
    } else {
        (void)snprintf(probe->reason, sizeof(probe->reason), "it ends the process that loads it");
    }
}

// Reads what the child wrote, if it did.
static void hear(child *c, cli_probe *probe) {
    answer a;
    int ended = 0;
    ssize_t n = read(c->fd, &a, sizeof(a));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    (void)close(c->fd);
    c->fd = -1;
    bool answered = n == (ssize_t)sizeof(a);
    // Who has answered may as well be killed; of the others it is the end itself that tells.
    bool known = reap(c, &ended, answered);
    if (!known) (void)reap(c, &ended, true);
    if (answered) {
        take_answer(probe, &a);
    } else {
        take_end(probe, ended, known);
    }
}

static void give_up(child *c, cli_probe *probe, uint32_t seconds) {
    int ended = 0;
    if (c->fd < 0) return;
    (void)close(c->fd);
    (void)reap(c, &ended, true);
    if (cli_cancelled()) return;
    probe->result = CLI_PROBE_HANGS;
    (void)snprintf(probe->reason, sizeof(probe->reason), "it does not answer within %u s", seconds);
}

static size_t n_waiting(const child *children, size_t n, struct pollfd *polls) {
    size_t waiting = 0;
    for (size_t i = 0; i < n; i++) {
        polls[i] = (struct pollfd){.fd = children[i].fd, .events = POLLIN};
        waiting += children[i].fd >= 0;
    }
    return waiting;
}

void cli_probe_all(cli_probe *probes, size_t n, const char *mask, uint32_t seconds) {
    child children[CLI_MAX_MANIFESTS];
    struct pollfd polls[CLI_MAX_MANIFESTS];
    uint64_t begin_ns = cli_now_ns();
    bool told = false;
    for (size_t i = 0; i < n; i++) {
        probes[i].result = CLI_PROBE_UNTRIED;
        probes[i].reason[0] = 0;
        start(&children[i], &probes[i], mask);
    }
    while (n_waiting(children, n, polls) && !cli_cancelled()) {
        uint64_t ns = cli_now_ns() - begin_ns;
        if (ns >= (uint64_t)seconds * NS_PER_S) break;
        if (!told && ns >= (uint64_t)PATIENCE_S * NS_PER_S) {
            cli_say("waiting for a Vulkan driver, %u s at most", seconds);
            told = true;
        }
        if (poll(polls, n, POLL_MS) <= 0) continue;
        for (size_t i = 0; i < n; i++) {
            if (polls[i].fd >= 0 && polls[i].revents) hear(&children[i], &probes[i]);
        }
    }
    for (size_t i = 0; i < n; i++) give_up(&children[i], &probes[i], seconds);
}
