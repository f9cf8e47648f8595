// A device out of nothing, for tests of what is kept of one: files know no Vulkan.
#ifndef GW_TESTS_BARE_DEVICE_H
#define GW_TESTS_BARE_DEVICE_H

#include "gpu/internal.h"

typedef struct bare_device {
    gw_gpu gpu;
    gw_adapter adapter;
    gw_device device;
} bare_device;

// host and dir must outlive it.
void bare_device_init(bare_device *d, gw_host *host, char *dir);
// What is known of it, read anew as opening a device does.
void bare_device_reopen(bare_device *d);
// A process that begins a trial of matmul.dot; how: 0 is killed in it, 1 ends it, 2 waits in it.
pid_t bare_device_try(bare_device *d, int how);

#endif
