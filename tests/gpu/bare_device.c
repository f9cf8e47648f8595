// Bare device: see bare_device.h.
#include "bare_device.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void bare_device_init(bare_device *d, gw_host *host, char *dir) {
    memset(d, 0, sizeof *d);
    gw_host_init(host, NULL, NULL, NULL);
    d->gpu.host = d->device.host = host;
    d->gpu.cache_dir = dir;
    d->adapter.info.vendor_id = 0x10de;
    d->adapter.info.device_id = 0x2684;
    d->adapter.info.driver_id = 4;
    d->adapter.info.driver_version = 77;
    d->adapter.release = GW_DRIVER_VERSION(535, 183, 1);
    d->device.gpu = &d->gpu;
    d->device.adapter = &d->adapter;
    pthread_mutex_init(&d->gpu.checked_lock, NULL);
    pthread_mutex_init(&d->device.findings_lock, NULL);
}

void bare_device_reopen(bare_device *d) {
    memset(&d->device.findings, 0, sizeof d->device.findings);
    gw_device_load_findings(&d->device);
}

pid_t bare_device_try(bare_device *d, int how) {
    int ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60); // should the test end before it says so
        gw_device_trial(&d->device, "matmul.dot");
        if (how == 1) gw_device_trial(&d->device, NULL);
        if (how == 0) kill(getpid(), SIGKILL);
        if (write(ready[1], "x", 1) != 1 || how == 1) _exit(0);
        for (;;) pause();
    }
    cr_assert_gt(child, 0);
    close(ready[1]);
    (void)!read(ready[0], &byte, 1);
    close(ready[0]);
    if (how != 2) cr_assert_eq(waitpid(child, NULL, 0), child);
    return child;
}
