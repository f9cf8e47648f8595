// Memory: buffers, which memory type each gets, and the account of what is held.
//
// Owns gw_buffer's life. Buffers are few and large, so each has a VkDeviceMemory of its own. The
// type is chosen by need among what the driver offers, in order of preference; a candidate whose
// heap has no room is passed over, and when none has, the request is refused with the numbers
// before anything is touched. What is free is the driver's budget, else the heap less what we hold;
// on drivers that run on the host's cores the host's memory bounds it as well, since they grant
// more than there is and die later.
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>

enum { PREFERENCE_NONE = -1 };

// How well a memory type serves a kind; PREFERENCE_NONE where it cannot.
static int preference(const gw_device *device, gw_buffer_kind kind, VkMemoryPropertyFlags flags) {
    const bool local = flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
               visible = flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT,
               coherent = flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
               cached = flags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT, uma = device->adapter->info.uma;
    if (flags & (VK_MEMORY_PROPERTY_PROTECTED_BIT | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT |
                 VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD))
        return PREFERENCE_NONE;
    switch (kind) {
    case GW_BUFFER_DEVICE:
    case GW_BUFFER_WEIGHTS:
    case GW_BUFFER_STATES:
        if (uma) return 4 * local + 2 * (visible && coherent) + cached;
        // Across a bus, memory that the host sees may be a small window; keep it for uploads.
        return local ? 2 - visible : PREFERENCE_NONE;
    case GW_BUFFER_HOST_WEIGHTS:
        if (!visible || !coherent) return PREFERENCE_NONE;
        if (uma) return 4 * local + cached;
        return local ? PREFERENCE_NONE : !cached;
    case GW_BUFFER_UPLOAD:
        return visible && coherent ? 2 * local + (uma ? cached : !cached) : PREFERENCE_NONE;
    default:
        return visible ? 4 * cached + 2 * coherent + (uma ? local : !local) : PREFERENCE_NONE;
    }
}

// What an allocation from the heap can hope for.
static uint64_t heap_free(gw_device *device, uint32_t heap) {
    const gw_adapter *a = device->adapter;
    const uint64_t size = a->memory.memoryHeaps[heap].size;
    uint64_t free = UINT64_MAX;
    if (a->info.memory_budget && !(device->masks & GW_MASK_BUDGET)) {
        godwit_device_info info = a->info;
        gw_adapter_budget(device->gpu, a, &info);
        free = info.heaps[heap].budget_bytes;
    } else if (!(device->masks & GW_QUIRK_HEAP_UNDERSTATED)) {
        pthread_mutex_lock(&device->memory_lock);
        const uint64_t held = device->heap_bytes[heap];
        pthread_mutex_unlock(&device->memory_lock);
        free = size > held ? size - held : 0;
    }
    if (device->caps.software) {
        const uint64_t host = gw_host_memory_free();
        if (host < free) free = host;
    }
    return free;
}

// What a buffer of a kind can hope for.
static uint64_t kind_free(gw_device *device, gw_buffer_kind kind, uint32_t heap) {
    const uint64_t free = heap_free(device, heap), room = atomic_load(&device->room);
    return kind == GW_BUFFER_WEIGHTS && room && room < free ? room : free;
}

// Enters bytes into the account, or takes them out.
static bool account(gw_device *device, const gw_buffer *buffer, bool add) {
    gw_memory_owner *row = NULL;
    pthread_mutex_lock(&device->memory_lock);
    for (size_t i = 0; i < device->owners.n && !row; i++)
        if (strcmp(device->owners.items[i].name, buffer->owner) == 0)
            row = &device->owners.items[i];
    if (!row && add) {
        row = gw_vec_push(&device->owners, device->host);
        if (row) row->name = buffer->owner;
    }
    if (row && add) {
        row->bytes += buffer->memory_bytes;
        row->n_allocations++;
        device->heap_bytes[buffer->heap] += buffer->memory_bytes;
    } else if (row) {
        row->bytes -= buffer->memory_bytes;
        row->n_allocations--;
        device->heap_bytes[buffer->heap] -= buffer->memory_bytes;
    }
    pthread_mutex_unlock(&device->memory_lock);
    return row != NULL;
}

uint32_t gw_device_memory(const gw_device *device, godwit_memory_row *rows, uint32_t n_rows) {
    gw_device *d = (gw_device *)device; // for the lock alone
    uint32_t n = 0;
    pthread_mutex_lock(&d->memory_lock);
    for (size_t i = 0; i < d->owners.n; i++) {
        const gw_memory_owner *owner = &d->owners.items[i];
        if (owner->n_allocations == 0) continue;
        if (n < n_rows) {
            memset(&rows[n], 0, sizeof rows[n]);
            snprintf(rows[n].owner, sizeof rows[n].owner, "%s", owner->name);
            rows[n].bytes = owner->bytes;
            rows[n].n_allocations = owner->n_allocations;
        }
        n++;
    }
    pthread_mutex_unlock(&d->memory_lock);
    return n;
}

// Memory of one type for the buffer. VK_SUCCESS, or why not.
static VkResult allocate(gw_buffer *buffer, uint32_t type, uint64_t bytes) {
    gw_device *device = buffer->device;
    const VkMemoryType *row = &device->adapter->memory.memoryTypes[type];
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .allocationSize = bytes,
                                 .memoryTypeIndex = type};
    VkResult result = device->vk.AllocateMemory(device->handle, &info, NULL, &buffer->memory);
    if (result != VK_SUCCESS) {
        buffer->memory = VK_NULL_HANDLE;
        return result;
    }
    buffer->type = type;
    buffer->heap = row->heapIndex;
    buffer->coherent = row->propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    buffer->cached = row->propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    buffer->memory_bytes = bytes;
    return VK_SUCCESS;
}

static godwit_status refuse(const gw_buffer *buffer, uint64_t needed, uint32_t heap, uint64_t free,
                            godwit_error *err) {
    const gw_adapter *a = buffer->device->adapter;
    return gw_fail(err, GODWIT_OUT_OF_DEVICE_MEMORY,
                   "device %s: buffer for %s: needs %llu bytes, %llu are free (heap %u of %llu "
                   "bytes); a smaller context or model, or another device would do",
                   a->info.name, buffer->owner, (unsigned long long)needed,
                   (unsigned long long)free, heap,
                   (unsigned long long)a->memory.memoryHeaps[heap].size);
}

bool gw_next_memory_type(const gw_device *device, gw_buffer_kind kind, uint32_t *left,
                         uint32_t *out_type) {
    const VkPhysicalDeviceMemoryProperties *memory = &device->adapter->memory;
    int best = PREFERENCE_NONE;
    for (uint32_t i = 0; i < memory->memoryTypeCount; i++) {
        if (!(*left & 1u << i)) continue;
        int p = preference(device, kind, memory->memoryTypes[i].propertyFlags);
        if (p <= best) continue;
        best = p;
        *out_type = i;
    }
    if (best != PREFERENCE_NONE) *left &= ~(1u << *out_type);
    return best != PREFERENCE_NONE;
}

uint64_t gw_device_room(gw_device *device) {
    uint32_t left = UINT32_MAX, type = 0;
    if (device->adapter->info.uma && !atomic_load(&device->room)) return UINT64_MAX;
    if (!gw_next_memory_type(device, GW_BUFFER_WEIGHTS, &left, &type)) return UINT64_MAX;
    return kind_free(device, GW_BUFFER_WEIGHTS,
                     device->adapter->memory.memoryTypes[type].heapIndex);
}

// Tries the memory types from the most to the least preferred; on failure reason has the last
// one's.
static godwit_status find_memory(gw_buffer *buffer, const VkMemoryRequirements *needs,
                                 godwit_error *reason) {
    gw_device *device = buffer->device;
    uint32_t left = needs->memoryTypeBits, type = 0;
    godwit_status status =
        gw_fail(reason, GODWIT_DRIVER, "device %s: buffer for %s: no memory type serves it",
                device->adapter->info.name, buffer->owner);
    if (gw_inject_hits(&device->fail_at_alloc))
        return gw_device_fail(device, reason, VK_ERROR_OUT_OF_DEVICE_MEMORY,
                              "allocation (injected)");
    while (gw_next_memory_type(device, buffer->kind, &left, &type)) {
        const uint32_t heap = device->adapter->memory.memoryTypes[type].heapIndex;
        const uint64_t free = kind_free(device, buffer->kind, heap);
        if (needs->size > free) {
            status = refuse(buffer, needs->size, heap, free, reason);
            continue;
        }
        VkResult result = allocate(buffer, type, needs->size);
        if (result == VK_SUCCESS) return GODWIT_OK;
        status = gw_device_fail(device, reason, result, "allocation");
        if (status != GODWIT_OUT_OF_DEVICE_MEMORY) return status;
        status = gw_note(reason, status, "buffer of %llu bytes for %s",
                         (unsigned long long)buffer->bytes, buffer->owner);
    }
    return status;
}

static godwit_status map(gw_buffer *buffer, godwit_error *err) {
    gw_device *device = buffer->device;
    const VkMemoryPropertyFlags flags =
        device->adapter->memory.memoryTypes[buffer->type].propertyFlags;
    const VkMemoryPropertyFlags both =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    // Floor devices are taken for cards with memory of their own, so that staging is exercised.
    const bool for_host = buffer->kind == GW_BUFFER_UPLOAD || buffer->kind == GW_BUFFER_READBACK ||
                          buffer->kind == GW_BUFFER_HOST_WEIGHTS;
    if (!for_host &&
        (!device->adapter->info.uma || (device->masks & GW_MASK_FLOOR) || (flags & both) != both))
        return GODWIT_OK;
    VkResult result =
        device->vk.MapMemory(device->handle, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->mapped);
    if (result != VK_SUCCESS) {
        buffer->mapped = NULL;
        return gw_device_fail(device, err, result, "mapping a buffer");
    }
    if (device->caps.software && buffer->kind != GW_BUFFER_STATES)
        gw_host_memory_large_pages(buffer->mapped, buffer->bytes);
    return GODWIT_OK;
}

static void destroy(gw_buffer *buffer) {
    gw_device *device = buffer->device;
    const bool in_use = atomic_load(&device->unended);
    if (buffer->handle && !in_use) device->vk.DestroyBuffer(device->handle, buffer->handle, NULL);
    if (buffer->memory && !in_use) {
        device->vk.FreeMemory(device->handle, buffer->memory, NULL);
        account(device, buffer, false);
    }
    gw_free(device->host, buffer, sizeof *buffer);
}

godwit_status gw_buffer_init(gw_device *device, gw_buffer_kind kind, uint64_t bytes,
                             const char *owner, gw_buffer **out_buffer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_buffer *buffer = NULL;
    VkMemoryRequirements needs;
    godwit_error reason; // of a candidate that failed, while a later one may succeed
    VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    *out_buffer = NULL;
    GW_TRY(gw_device_check(device, err));
    if (bytes == 0) GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "buffer for %s: of 0 bytes", owner);
    if (bytes > device->caps.max_buffer_bytes)
        GW_FAIL(err, GODWIT_OUT_OF_DEVICE_MEMORY,
                "device %s: buffer for %s: %llu bytes, at most %llu go into one buffer",
                device->adapter->info.name, owner, (unsigned long long)bytes,
                (unsigned long long)device->caps.max_buffer_bytes);
    buffer = gw_alloc(device->host, 1, sizeof *buffer);
    GW_CHECK_ALLOC(buffer, err, "buffer");
    buffer->device = device;
    buffer->owned_by_device = true;
    buffer->owner = owner;
    buffer->kind = kind;
    buffer->bytes = bytes;
    // Whole words, so that fills and copies may end on any byte.
    info.size = bytes + (4 - bytes % 4) % 4 + GW_BUFFER_SLACK;
    VkResult result = device->vk.CreateBuffer(device->handle, &info, NULL, &buffer->handle);
    if (result != VK_SUCCESS) {
        buffer->handle = VK_NULL_HANDLE;
        status = gw_device_fail(device, err, result, "creating a buffer");
        goto done;
    }
    device->vk.GetBufferMemoryRequirements(device->handle, buffer->handle, &needs);
    status = find_memory(buffer, &needs, &reason);
    if (status != GODWIT_OK) {
        if (err) *err = reason;
        goto done;
    }
    if (!account(device, buffer, true)) {
        device->vk.FreeMemory(device->handle, buffer->memory, NULL);
        buffer->memory = VK_NULL_HANDLE;
        GW_FAIL(err, GODWIT_OUT_OF_MEMORY, "out of host memory: memory report");
    }
    result = device->vk.BindBufferMemory(device->handle, buffer->handle, buffer->memory, 0);
    if (result != VK_SUCCESS) {
        status = gw_device_fail(device, err, result, "binding a buffer");
        goto done;
    }
    GW_TRY(map(buffer, err));
    *out_buffer = buffer;
    buffer = NULL;
done:
    if (buffer) destroy(buffer);
    return status;
}

godwit_status gw_buffer_create(gw_device *device, gw_buffer_kind kind, uint64_t bytes,
                               const char *owner, gw_buffer **out_buffer, godwit_error *err) {
    *out_buffer = NULL;
    gw_buffer *buffer = NULL;
    godwit_status status = gw_buffer_init(device, kind, bytes, owner, &buffer, err);
    if (status != GODWIT_OK) return status;
    buffer->owned_by_device = false;
    gw_device_retain(device);
    if (kind != GW_BUFFER_WEIGHTS && kind != GW_BUFFER_STATES && kind != GW_BUFFER_HOST_WEIGHTS)
        status = gw_transfer_zero(buffer, err);
    if (status != GODWIT_OK) gw_buffer_destroy(&buffer);
    *out_buffer = buffer;
    return status;
}

void gw_buffer_destroy(gw_buffer **buffer) {
    gw_buffer *b = buffer ? *buffer : NULL;
    if (buffer) *buffer = NULL;
    if (!b) return;
    gw_device *device = b->owned_by_device ? NULL : b->device;
    destroy(b);
    gw_device_release(&device);
}

uint64_t gw_buffer_bytes(const gw_buffer *buffer) {
    return buffer->bytes;
}

void *gw_buffer_mapped(gw_buffer *buffer) {
    return buffer->mapped;
}

godwit_status gw_buffer_flush(gw_buffer *buffer, godwit_error *err) {
    gw_device *device = buffer->device;
    VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                 .memory = buffer->memory,
                                 .size = VK_WHOLE_SIZE};
    if (!buffer->mapped || buffer->coherent) return GODWIT_OK;
    VkResult result = device->vk.FlushMappedMemoryRanges(device->handle, 1, &range);
    return result == VK_SUCCESS ? GODWIT_OK : gw_device_fail(device, err, result, "host writes");
}

godwit_status gw_buffer_invalidate(gw_buffer *buffer, godwit_error *err) {
    gw_device *device = buffer->device;
    VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                 .memory = buffer->memory,
                                 .size = VK_WHOLE_SIZE};
    if (!buffer->mapped || buffer->coherent) return GODWIT_OK;
    VkResult result = device->vk.InvalidateMappedMemoryRanges(device->handle, 1, &range);
    return result == VK_SUCCESS ? GODWIT_OK : gw_device_fail(device, err, result, "host reads");
}
