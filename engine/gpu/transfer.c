// Transfer: bytes between the host and buffers, through two staging chunks that take turns.
//
// Owns the device's staging (made at first use, kept for the device's life) and the read, write and
// streaming fill of buffers. Mapped buffers are written in place and need none of it. While one
// chunk is copied by the device the other is filled by the caller, so a weight upload that repacks
// costs the longer of the two, not their sum. One lock for the staging of a device: a fill callback
// must not transfer on the same device.
#include "gpu/internal.h"

#include <string.h>

static const VkPipelineStageFlags work_stages =
    VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

static godwit_status slot_init(gw_device *device, gw_staging_slot *slot, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                    .queueFamilyIndex = device->queue_family};
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = VK_SUCCESS;
    if (!slot->buffer)
        GW_TRY(gw_buffer_init(device, GW_BUFFER_READBACK, GW_STAGING_BYTES, "staging",
                              &slot->buffer, err));
    if (!slot->pool) {
        result = device->vk.CreateCommandPool(device->handle, &pool, NULL, &slot->pool);
        if (result != VK_SUCCESS) slot->pool = VK_NULL_HANDLE;
    }
    if (result == VK_SUCCESS && !slot->cmd) {
        VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = slot->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = 1};
        result = device->vk.AllocateCommandBuffers(device->handle, &info, &slot->cmd);
        if (result != VK_SUCCESS) slot->cmd = VK_NULL_HANDLE;
    }
    if (result == VK_SUCCESS && !slot->fence) {
        result = device->vk.CreateFence(device->handle, &fence, NULL, &slot->fence);
        if (result != VK_SUCCESS) slot->fence = VK_NULL_HANDLE;
    }
    if (result != VK_SUCCESS) status = gw_device_fail(device, err, result, "staging");
done:
    return status;
}

static godwit_status slot_finish(gw_device *device, gw_staging_slot *slot, godwit_error *err) {
    if (!slot->in_flight) return GODWIT_OK;
    if (atomic_load(&device->driver_lost)) return gw_device_check_lost(device, err);
    godwit_status status = gw_device_wait(device, slot->fence, "transfer", err);
    if (status != GODWIT_OK) return status;
    slot->in_flight = false;
    if (slot->read_to) {
        status = gw_buffer_invalidate(slot->buffer, err);
        if (status != GODWIT_OK) return status;
        memcpy(slot->read_to, slot->buffer->mapped, slot->read_bytes);
    }
    return GODWIT_OK;
}

// Both slots; the first failure.
static godwit_status drain(gw_device *device, godwit_error *err) {
    godwit_status first = slot_finish(device, &device->staging[0], err);
    godwit_status second =
        slot_finish(device, &device->staging[1], first == GODWIT_OK ? err : NULL);
    return first == GODWIT_OK ? second : first;
}

// A slot whose chunk is free to be written.
static godwit_status slot_ready(gw_device *device, gw_staging_slot *slot, godwit_error *err) {
    godwit_status status = slot_init(device, slot, err);
    if (status == GODWIT_OK) status = slot_finish(device, slot, err);
    slot->read_to = NULL;
    return status;
}

// Begins to record, ordered after all work submitted before. Nothing may fail between this and
// slot_submit.
static godwit_status slot_begin(gw_device *device, gw_staging_slot *slot, godwit_error *err) {
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkMemoryBarrier before = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
    VkResult result = device->vk.BeginCommandBuffer(slot->cmd, &begin);
    if (result != VK_SUCCESS) return gw_device_fail(device, err, result, "transfer");
    device->vk.CmdPipelineBarrier(slot->cmd, work_stages, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1,
                                  &before, 0, NULL, 0, NULL);
    return GODWIT_OK;
}

static godwit_status slot_submit(gw_device *device, gw_staging_slot *slot, godwit_error *err) {
    VkMemoryBarrier after = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                             .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                             .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    device->vk.CmdPipelineBarrier(slot->cmd, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                  VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &after, 0, NULL, 0, NULL);
    VkResult result = device->vk.EndCommandBuffer(slot->cmd);
    if (result != VK_SUCCESS) return gw_device_fail(device, err, result, "transfer");
    godwit_status status = gw_device_submit(device, slot->cmd, slot->fence, "transfer", err);
    slot->in_flight = status == GODWIT_OK;
    return status;
}

godwit_status gw_transfer_zero(gw_buffer *buffer, godwit_error *err) {
    gw_device *device = buffer->device;
    godwit_status status = GODWIT_OK;
    if (buffer->mapped) {
        memset(buffer->mapped, 0, buffer->bytes);
        return gw_buffer_flush(buffer, err);
    }
    pthread_mutex_lock(&device->staging_lock);
    GW_TRY(slot_ready(device, &device->staging[0], err));
    GW_TRY(slot_begin(device, &device->staging[0], err));
    device->vk.CmdFillBuffer(device->staging[0].cmd, buffer->handle, 0, VK_WHOLE_SIZE, 0);
    GW_TRY(slot_submit(device, &device->staging[0], err));
    GW_TRY(slot_finish(device, &device->staging[0], err));
done:
    pthread_mutex_unlock(&device->staging_lock);
    return status;
}

static godwit_status check_range(const gw_buffer *buffer, uint64_t offset, uint64_t bytes,
                                 godwit_error *err) {
    if (offset <= buffer->bytes && bytes <= buffer->bytes - offset) return GODWIT_OK;
    return GW_BUG(err, "buffer for %s: %llu bytes at %llu pass its end (%llu)", buffer->owner,
                  (unsigned long long)bytes, (unsigned long long)offset,
                  (unsigned long long)buffer->bytes);
}

// All at once: a callback that starts threads starts them once.
static godwit_status fill_mapped(gw_buffer *buffer, uint64_t offset, uint64_t bytes,
                                 gw_fill_fn fill, void *user, godwit_error *err) {
    if (bytes == 0) return GODWIT_OK;
    godwit_status status = fill(user, 0, (uint8_t *)buffer->mapped + offset, bytes, err);
    return status == GODWIT_OK ? gw_buffer_flush(buffer, err) : status;
}

static godwit_status fill_staged(gw_buffer *buffer, uint64_t offset, uint64_t bytes, uint64_t piece,
                                 gw_fill_fn fill, void *user, godwit_error *err) {
    gw_device *device = buffer->device;
    godwit_status status = GODWIT_OK;
    uint32_t turn = 0;
    pthread_mutex_lock(&device->staging_lock);
    for (uint64_t at = 0; at < bytes; at += piece, turn ^= 1) {
        gw_staging_slot *slot = &device->staging[turn];
        const uint64_t n = bytes - at < piece ? bytes - at : piece;
        VkBufferCopy region = {.dstOffset = offset + at, .size = n};
        GW_TRY(slot_ready(device, slot, err));
        GW_TRY(fill(user, at, slot->buffer->mapped, n, err));
        GW_TRY(gw_buffer_flush(slot->buffer, err));
        GW_TRY(slot_begin(device, slot, err));
        device->vk.CmdCopyBuffer(slot->cmd, slot->buffer->handle, buffer->handle, 1, &region);
        GW_TRY(slot_submit(device, slot, err));
    }
    GW_TRY(drain(device, err));
done:
    (void)drain(device, NULL);
    pthread_mutex_unlock(&device->staging_lock);
    return status;
}

godwit_status gw_buffer_fill(gw_buffer *buffer, uint64_t offset, uint64_t bytes, uint64_t granule,
                             gw_fill_fn fill, void *user, godwit_error *err) {
    godwit_status status = gw_device_check(buffer->device, err);
    if (status == GODWIT_OK) status = check_range(buffer, offset, bytes, err);
    if (status != GODWIT_OK) return status;
    if (granule == 0 || granule > GW_STAGING_BYTES)
        return GW_BUG(err, "buffer for %s: fill: granule %llu, staging has %d bytes", buffer->owner,
                      (unsigned long long)granule, GW_STAGING_BYTES);
    const uint64_t piece = GW_STAGING_BYTES / granule * granule;
    if (buffer->mapped) return fill_mapped(buffer, offset, bytes, fill, user, err);
    return fill_staged(buffer, offset, bytes, piece, fill, user, err);
}

static godwit_status fill_from_memory(void *user, uint64_t at, void *dst, uint64_t bytes,
                                      godwit_error *err) {
    (void)err;
    memcpy(dst, *(const uint8_t **)user + at, bytes);
    return GODWIT_OK;
}

godwit_status gw_buffer_write(gw_buffer *buffer, uint64_t offset, const void *data, uint64_t bytes,
                              godwit_error *err) {
    const uint8_t *from = data;
    return gw_buffer_fill(buffer, offset, bytes, 1, fill_from_memory, &from, err);
}

enum { UNCACHED_MAX = 256 }; // bytes

static godwit_status read_staged(gw_buffer *buffer, uint64_t offset, uint8_t *to, uint64_t bytes,
                                 godwit_error *err) {
    gw_device *device = buffer->device;
    godwit_status status = GODWIT_OK;
    uint32_t turn = 0;
    pthread_mutex_lock(&device->staging_lock);
    for (uint64_t at = 0; at < bytes; at += GW_STAGING_BYTES, turn ^= 1) {
        gw_staging_slot *slot = &device->staging[turn];
        const uint64_t left = bytes - at;
        VkBufferCopy region = {.srcOffset = offset + at,
                               .size = left < GW_STAGING_BYTES ? left : GW_STAGING_BYTES};
        GW_TRY(slot_ready(device, slot, err));
        GW_TRY(slot_begin(device, slot, err));
        device->vk.CmdCopyBuffer(slot->cmd, buffer->handle, slot->buffer->handle, 1, &region);
        slot->read_to = to + at;
        slot->read_bytes = region.size;
        GW_TRY(slot_submit(device, slot, err));
    }
    GW_TRY(drain(device, err));
done:
    (void)drain(device, NULL);
    pthread_mutex_unlock(&device->staging_lock);
    return status;
}

godwit_status gw_buffer_read(gw_buffer *buffer, uint64_t offset, void *out_data, uint64_t bytes,
                             godwit_error *err) {
    godwit_status status = gw_device_check(buffer->device, err);
    if (status == GODWIT_OK) status = check_range(buffer, offset, bytes, err);
    if (status != GODWIT_OK) return status;
    // Reading memory that the host does not cache is far slower than letting the device copy it, but for
    // the few words of a step's tokens, which need not wait for what the device has before the copy.
    if (!buffer->mapped || (!buffer->cached && bytes > UNCACHED_MAX))
        return read_staged(buffer, offset, out_data, bytes, err);
    status = gw_buffer_invalidate(buffer, err);
    if (status != GODWIT_OK) return status;
    memcpy(out_data, (const uint8_t *)buffer->mapped + offset, bytes);
    return GODWIT_OK;
}

void gw_transfer_deinit(gw_device *device) {
    for (uint32_t i = 0; i < 2; i++) {
        gw_staging_slot *slot = &device->staging[i];
        slot->read_to = NULL;
        (void)slot_finish(device, slot, NULL);
        const bool running = slot->in_flight && atomic_load(&device->unended);
        if (slot->fence && !running) device->vk.DestroyFence(device->handle, slot->fence, NULL);
        if (slot->pool && !running) device->vk.DestroyCommandPool(device->handle, slot->pool, NULL);
        gw_buffer_destroy(&slot->buffer);
    }
}
