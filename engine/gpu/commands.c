// Commands: a recorded command buffer that is submitted, waited for and replayed.
//
// Owns gw_commands after recording: one run at a time, its fence, its timestamps. Destroying waits
// for a run in flight, unless the driver itself said that the device is lost; what may still run is
// left to it.
#include "gpu/internal.h"

godwit_status gw_commands_submit(gw_commands *commands, godwit_error *err) {
    godwit_status status = gw_device_check(commands->device, err);
    if (status != GODWIT_OK) return status;
    if (commands->in_flight)
        return GW_BUG(err, "commands: submitted again before the wait for their last run");
    for (size_t i = 0; i < commands->incoherent.n && status == GODWIT_OK; i++)
        status = gw_buffer_flush(commands->incoherent.items[i], err);
    if (status != GODWIT_OK) return status;
    status = gw_device_submit(commands->device, commands->cmd, commands->fence, "submit", err);
    commands->in_flight = status == GODWIT_OK;
    return status;
}

godwit_status gw_commands_wait(gw_commands *commands, godwit_error *err) {
    gw_device *device = commands->device;
    if (!commands->in_flight || atomic_load(&device->driver_lost))
        return gw_device_check(device, err);
    godwit_status status = gw_device_wait(device, commands->fence, "run", err);
    if (status != GODWIT_OK) return status;
    commands->in_flight = false;
    commands->has_run = true;
    for (size_t i = 0; i < commands->incoherent.n && status == GODWIT_OK; i++)
        status = gw_buffer_invalidate(commands->incoherent.items[i], err);
    return status == GODWIT_OK ? gw_device_check(device, err) : status;
}

uint32_t gw_commands_timestamps(const gw_commands *commands, uint64_t *out_ns, uint32_t n) {
    const gw_device *device = commands->device;
    const double period = device->adapter->limits.timestampPeriod;
    const uint64_t mask =
        device->timestamp_bits >= 64 ? UINT64_MAX : ((uint64_t)1 << device->timestamp_bits) - 1;
    if (n > commands->n_timestamps) n = commands->n_timestamps;
    // Queries must not be asked before the commands that reset them have run.
    if (n == 0 || commands->in_flight || !commands->has_run) return 0;
    if (atomic_load(&device->driver_lost)) return 0;
    // Without the wait flag: a run that was cut short gives "not ready", not a hang.
    VkResult result =
        device->vk.GetQueryPoolResults(device->handle, commands->queries, 0, n, n * sizeof *out_ns,
                                       out_ns, sizeof *out_ns, VK_QUERY_RESULT_64_BIT);
    if (result == VK_ERROR_DEVICE_LOST)
        (void)gw_device_fail(commands->device, NULL, result, "timestamps");
    if (result != VK_SUCCESS) return 0;
    const uint64_t first = out_ns[0] & mask;
    for (uint32_t i = 0; i < n; i++)
        out_ns[i] = (uint64_t)((double)((out_ns[i] - first) & mask) * period);
    return n;
}

static void destroy_handles(gw_commands *c) {
    const gw_device *device = c->device;
    const gw_vk_device *vk = &device->vk;
    if (c->fence) vk->DestroyFence(device->handle, c->fence, NULL);
    if (c->queries) vk->DestroyQueryPool(device->handle, c->queries, NULL);
    for (size_t i = 0; i < c->views.n; i++)
        vk->DestroyBufferView(device->handle, c->views.items[i], NULL);
    if (c->sets) vk->DestroyDescriptorPool(device->handle, c->sets, NULL);
    if (c->pool) vk->DestroyCommandPool(device->handle, c->pool, NULL);
}

void gw_commands_destroy(gw_commands **commands) {
    gw_commands *c = commands ? *commands : NULL;
    if (commands) *commands = NULL;
    if (!c) return;
    gw_device *device = c->device;
    if (c->in_flight && !atomic_load(&device->driver_lost))
        (void)gw_device_wait(device, c->fence, "run that is being destroyed", NULL);
    if (!c->in_flight || !atomic_load(&device->unended)) destroy_handles(c);
    gw_vec_deinit(&c->views, device->host);
    gw_vec_deinit(&c->incoherent, device->host);
    gw_free(device->host, c, sizeof *c);
    gw_device_release(&device);
}
