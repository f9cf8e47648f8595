// Device: a VkDevice with one compute queue, its capabilities, its locks, and its loss.
//
// Owns gw_device's life, the features that are enabled (those that caps still has after masks and
// quirks, nothing else: a masked feature is then an error to the validation layer, too),
// submission, waiting and the rule of device loss: it is noticed once, and from then on every call
// gives GODWIT_DEVICE_LOST. On the caller's own VkDevice everything that had to be enabled counts
// as absent, since Vulkan has no way to ask.
#include "gpu/internal.h"

#include <string.h>

enum {
    MASK_NEEDS_ENABLING = GW_MASK_DOT | GW_MASK_FP16 | GW_MASK_INT8 | GW_MASK_STORAGE16 |
                          GW_MASK_STORAGE8 | GW_MASK_COOPMAT,
    WAIT_SLICES = 10, // of a minute each
};
static const uint64_t wait_slice_ns = 60000000000u;

static void choose_features(const gw_device *device, gw_features *f) {
    const gw_caps *caps = &device->caps;
    memset(f, 0, sizeof *f);
    gw_features_link(f, device->adapter);
    f->v11.storageBuffer16BitAccess = caps->storage_16bit;
    f->v12.storageBuffer8BitAccess = caps->storage_8bit;
    f->v12.shaderInt8 = caps->int8;
    f->v12.shaderFloat16 = caps->fp16;
    f->v12.vulkanMemoryModel = caps->coopmat;
    // Atomics of all other modules have this scope.
    f->v12.vulkanMemoryModelDeviceScope = caps->coopmat;
    f->dot.shaderIntegerDotProduct = caps->int_dot;
    f->size_control.subgroupSizeControl = device->adapter->full_subgroups;
    f->size_control.computeFullSubgroups = device->adapter->full_subgroups;
    f->executable.pipelineExecutableInfo = device->adapter->info.pipeline_executable_properties;
    f->maintenance4.maintenance4 = caps->coopmat;
    f->coopmat.cooperativeMatrix = caps->coopmat;
}

static uint32_t choose_extensions(const gw_device *device, const char **names) {
    static const char *const all[] = {
#define NAME(name, text) text,
        GW_EXTENSIONS(NAME)
#undef NAME
    };
    uint32_t wanted = device->adapter->listed, n = 0;
    wanted &= ~((uint32_t)GW_EXT_EXTERNAL_HOST | (uint32_t)GW_EXT_CORES);
    if (!device->caps.coopmat) wanted &= ~(uint32_t)GW_EXT_COOPMAT;
    if (device->masks & GW_MASK_BUDGET) wanted &= ~(uint32_t)GW_EXT_MEMORY_BUDGET;
    for (uint32_t i = 0; i < GW_N_EXTENSIONS; i++)
        if (wanted & 1u << i) names[n++] = all[i];
    return n;
}

static godwit_status create_handle(gw_device *device, godwit_error *err) {
    const float priority = 1.0f;
    const char *names[GW_N_EXTENSIONS];
    gw_features features;
    choose_features(device, &features);
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = device->queue_family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &features.core,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = choose_extensions(device, names),
                               .ppEnabledExtensionNames = names};
    // A chain may hold a struct only when its extension is enabled.
    if (!device->caps.coopmat) {
        gw_adapter without = *device->adapter;
        without.extensions &= ~(uint32_t)GW_EXT_COOPMAT;
        gw_features_link(&features, &without);
    }
    VkResult result =
        device->gpu->vk.CreateDevice(device->adapter->handle, &info, NULL, &device->handle);
    if (result != VK_SUCCESS) {
        device->handle = VK_NULL_HANDLE;
        return gw_device_fail(device, err, result, "opening");
    }
    device->owns_handle = true;
    device->executable_properties = features.executable.pipelineExecutableInfo;
    return GODWIT_OK;
}

static godwit_status choose_adapter(gw_device *device, uint32_t index,
                                    const godwit_device_params *params, godwit_error *err) {
    const gw_gpu *gpu = device->gpu;
    if (params && params->vk_device && !params->vk_physical_device)
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "device: vk_device without its vk_physical_device");
    if (params && params->vk_physical_device) {
        for (index = 0; index < gpu->n_adapters; index++)
            if (gpu->adapters[index].handle == (VkPhysicalDevice)params->vk_physical_device) break;
        if (index == gpu->n_adapters)
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "device: vk_physical_device is none of the %u usable ones of this "
                           "instance; it needs Vulkan 1.2 and a compute queue",
                           gpu->n_adapters);
    }
    if (index >= gpu->n_adapters)
        return gw_fail(err, GODWIT_NOT_FOUND, "device %u: there are %u", index, gpu->n_adapters);
    device->adapter = &gpu->adapters[index];
    return GODWIT_OK;
}

static godwit_status choose_caps(gw_device *device, const godwit_device_params *params,
                                 godwit_error *err) {
    if (device->twin_of) {
        device->masks = device->twin_of->masks;
    } else {
        godwit_status status = gw_mask_parse(params ? params->mask : NULL, &device->masks, err);
        if (status != GODWIT_OK) return status;
        device->masks |= device->adapter->quirks;
        if (params && params->vk_device) device->masks |= MASK_NEEDS_ENABLING | GW_MASK_FOREIGN;
    }
    gw_caps_init(device->adapter, device->masks, &device->caps);
    return GODWIT_OK;
}

static godwit_status choose_queue(gw_device *device, const godwit_device_params *params,
                                  godwit_error *err) {
    VkQueueFamilyProperties families[32];
    uint32_t n = 32, index = 0;
    device->queue_family = device->adapter->queue_family;
    device->timestamp_bits = device->adapter->timestamp_bits;
    if (!params || !params->vk_device) return GODWIT_OK;
    device->gpu->vk.GetPhysicalDeviceQueueFamilyProperties(device->adapter->handle, &n, families);
    device->queue_family = params->vk_queue_family;
    index = params->vk_queue_index;
    if (device->queue_family >= n || index >= families[device->queue_family].queueCount ||
        !(families[device->queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT))
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "device %s: queue %u of family %u is no compute queue",
                       device->adapter->info.name, index, device->queue_family);
    device->timestamp_bits = families[device->queue_family].timestampValidBits;
    return GODWIT_OK;
}

static void init_locks(gw_device *device) {
    pthread_mutex_init(&device->submit_lock, NULL);
    pthread_mutex_init(&device->memory_lock, NULL);
    pthread_mutex_init(&device->kernel_lock, NULL);
    pthread_mutex_init(&device->staging_lock, NULL);
    pthread_mutex_init(&device->findings_lock, NULL);
}

// Some drivers compile for hardware that is not there: they have no memory, or drop what is
// submitted. One word, set by the host and zeroed by the device, tells; it also finds a device that
// is lost from the start.
static godwit_status probe(gw_device *device, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_buffer *word = NULL;
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    device->caps.runs_nothing = device->adapter->memory.memoryTypeCount == 0;
    if (device->caps.runs_nothing) goto done;
    GW_TRY(gw_buffer_create(device, GW_BUFFER_READBACK, sizeof(uint32_t), "probe", &word, err));
    uint32_t *mapped = gw_buffer_mapped(word);
    *mapped = 1;
    GW_TRY(gw_recorder_begin(device, 0, &recorder, err));
    gw_record_fill_zero(recorder, word, 0, sizeof *mapped);
    GW_TRY(gw_recorder_end(&recorder, &commands, err));
    GW_TRY(gw_commands_submit(commands, err));
    GW_TRY(gw_commands_wait(commands, err));
    device->caps.runs_nothing = *mapped != 0;
done:
    if (device->caps.runs_nothing)
        gw_log(device->host, GODWIT_LOG_WARN,
               "device %s: runs nothing that it is given; kernels can be compiled on it",
               device->adapter->info.name);
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&word);
    return status;
}

static godwit_status open_device(gw_gpu *gpu, uint32_t index, const godwit_device_params *params,
                                 gw_device *twin_of, gw_device **out_device, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    *out_device = NULL;
    gw_device *device = gw_alloc(gpu->host, 1, sizeof *device);
    GW_CHECK_ALLOC(device, err, "device");
    atomic_fetch_add(&gpu->n_refs, 1);
    device->gpu = gpu;
    device->host = gpu->host;
    if (twin_of) device->twin_of = gw_device_retain(twin_of);
    atomic_init(&device->n_refs, 1);
    init_locks(device);
    GW_TRY(choose_adapter(device, index, params, err));
    GW_TRY(choose_caps(device, params, err));
    GW_TRY(choose_queue(device, params, err));
    if (params && params->vk_device)
        device->handle = (VkDevice)params->vk_device;
    else
        GW_TRY(create_handle(device, err));
    if (!gw_loader_device_table(gpu->vk.GetDeviceProcAddr, device->handle, &device->vk))
        GW_FAIL(err, GODWIT_DRIVER, "device %s: lacks entry points of Vulkan 1.0",
                device->adapter->info.name);
    device->vk.GetDeviceQueue(device->handle, device->queue_family,
                              params && params->vk_device ? params->vk_queue_index : 0,
                              &device->queue);
    gw_cache_init(device);
    if (!twin_of) gw_device_load_findings(device);
    GW_TRY(probe(device, err));
    *out_device = device;
    device = NULL;
done:
    gw_device_release(&device);
    return status;
}

godwit_status gw_device_open(gw_gpu *gpu, uint32_t index, const godwit_device_params *params,
                             gw_device **out_device, godwit_error *err) {
    return open_device(gpu, index, params, NULL, out_device, err);
}

godwit_status gw_device_open_twin(gw_device *device, gw_device **out_twin, godwit_error *err) {
    *out_twin = NULL;
    if (device->masks & GW_MASK_FOREIGN)
        return gw_fail(err, GODWIT_UNSUPPORTED, "device %s: another handle beside the caller's own",
                       device->adapter->info.name);
    const uint32_t index = (uint32_t)(device->adapter - device->gpu->adapters);
    return open_device(device->gpu, index, NULL, device, out_twin, err);
}

void gw_device_release(gw_device **device) {
    gw_device *d = device ? *device : NULL;
    if (device) *device = NULL;
    if (!d || atomic_fetch_sub(&d->n_refs, 1) != 1) return;
    const gw_host *host = d->host;
    gw_gpu *gpu = d->gpu;
    if (d->handle && d->queue) {
        gw_transfer_deinit(d);
        gw_cache_deinit(d);
        gw_kernels_deinit(d);
    }
    if (atomic_load(&d->unended))
        atomic_store(&gpu->has_unended, true);
    else if (d->owns_handle && d->vk.DestroyDevice)
        d->vk.DestroyDevice(d->handle, NULL);
    gw_device_release(&d->twin_of);
    gw_vec_deinit(&d->owners, host);
    pthread_mutex_destroy(&d->submit_lock);
    pthread_mutex_destroy(&d->memory_lock);
    pthread_mutex_destroy(&d->kernel_lock);
    pthread_mutex_destroy(&d->staging_lock);
    pthread_mutex_destroy(&d->findings_lock);
    gw_free(host, d, sizeof *d);
    gw_gpu_release(&gpu);
}

gw_device *gw_device_retain(gw_device *device) {
    atomic_fetch_add(&device->n_refs, 1);
    return device;
}

const char *gw_device_cache_dir(const gw_device *device) {
    return device->gpu->cache_dir;
}

const gw_caps *gw_device_caps(const gw_device *device) {
    return &device->caps;
}

const gw_host *gw_device_host(const gw_device *device) {
    return device->host;
}

godwit_status gw_device_info(const gw_device *device, godwit_device_info *out_info,
                             godwit_error *err) {
    (void)err;
    size_t struct_size = out_info->struct_size;
    *out_info = device->adapter->info;
    out_info->struct_size = struct_size;
    gw_caps_to_info(&device->caps, device->masks, out_info);
    gw_adapter_budget(device->gpu, device->adapter, out_info);
    pthread_mutex_lock((pthread_mutex_t *)&device->findings_lock);
    gw_findings_to_info(&device->findings, out_info);
    pthread_mutex_unlock((pthread_mutex_t *)&device->findings_lock);
    return GODWIT_OK;
}

void gw_device_inject(gw_device *device, uint32_t lose_at_submit, uint32_t fail_at_alloc) {
    atomic_store(&device->lose_at_submit, lose_at_submit);
    atomic_store(&device->fail_at_alloc, fail_at_alloc);
}

void gw_device_inject_pace(gw_device *device, uint64_t fs) {
    atomic_store(&device->pace_fs, fs);
    atomic_store(&device->pace_fixed, fs != 0);
}

void gw_device_inject_room(gw_device *device, uint64_t bytes) {
    atomic_store(&device->room, bytes);
}

uint64_t gw_device_pace(const gw_device *device) {
    enum { DISCRETE_FS = 20000, OTHER_FS = 200000 }; // 50 and 5 thousand million a second
    const bool discrete = device->adapter->info.type == GODWIT_DEVICE_DISCRETE;
    const uint64_t fs = atomic_load(&device->pace_fs);
    return fs ? fs : discrete ? DISCRETE_FS : OTHER_FS;
}

// Slower is believed at once, faster by and by.
void gw_device_learn_pace(gw_device *device, uint64_t fs) {
    const uint64_t old = atomic_load(&device->pace_fs);
    if (atomic_load(&device->pace_fixed)) return;
    atomic_store(&device->pace_fs, 1 + (!old || fs > old ? fs : (7 * old + fs) / 8));
}

bool gw_inject_hits(atomic_uint *counter) {
    unsigned left = atomic_load(counter);
    while (left > 0)
        if (atomic_compare_exchange_weak(counter, &left, left - 1)) return left == 1;
    return false;
}

// Of a fence whose wait or reset failed, whatever the reason, nothing says when its work ends, or
// it cannot be used again: the device is treated as lost from here on. A GPU that is lost runs
// nothing any more; a driver on the host's cores may go on, in this process, whatever it says. What
// has hung for minutes is not waited for again.
static void give_up(gw_device *device, VkResult why) {
    const bool ends_if_lost = !device->caps.software;
    // Without a queue nothing was ever submitted.
    if (!device->queue || (why == VK_ERROR_DEVICE_LOST && ends_if_lost)) {
        atomic_store(&device->driver_lost, true);
        atomic_store(&device->lost, true);
        return;
    }
    // Others may be about to destroy something: first nothing is to be destroyed.
    atomic_store(&device->unended, true);
    atomic_store(&device->lost, true);
    if (atomic_exchange(&device->driver_lost, true) || why == VK_TIMEOUT) return;
    pthread_mutex_lock(&device->submit_lock);
    VkResult result = device->vk.QueueWaitIdle(device->queue);
    pthread_mutex_unlock(&device->submit_lock);
    if (result == VK_SUCCESS || (result == VK_ERROR_DEVICE_LOST && ends_if_lost))
        atomic_store(&device->unended, false);
}

godwit_status gw_device_fail(gw_device *device, godwit_error *err, VkResult result,
                             const char *what) {
    const godwit_status code = gw_vk_status(result);
    if (result == VK_ERROR_DEVICE_LOST) give_up(device, result);
    return gw_fail_driver(
        err, code, result, "device %s: %s: %s%s", device->adapter->info.name, what,
        gw_vk_result_name(result),
        code == GODWIT_DEVICE_LOST ? "; open it and try again, or go on with another device" : "");
}

bool gw_device_is_lost(const gw_device *device) {
    return atomic_load(&device->lost);
}

godwit_status gw_device_check(gw_device *device, godwit_error *err) {
    if (device->caps.runs_nothing)
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "device %s: runs nothing that it is given, its driver has no hardware; use "
                       "another device, or cpu",
                       device->adapter->info.name);
    return gw_device_check_lost(device, err);
}

godwit_status gw_device_check_lost(gw_device *device, godwit_error *err) {
    if (!atomic_load(&device->lost)) return GODWIT_OK;
    return gw_fail_driver(err, GODWIT_DEVICE_LOST, VK_ERROR_DEVICE_LOST,
                          "device %s: was lost; close it and open it again, or go on elsewhere",
                          device->adapter->info.name);
}

godwit_status gw_device_submit(gw_device *device, VkCommandBuffer cmd, VkFence fence,
                               const char *what, godwit_error *err) {
    VkSubmitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &cmd};
    godwit_status status = gw_device_check(device, err);
    if (status != GODWIT_OK) return status;
    if (gw_inject_hits(&device->lose_at_submit)) {
        atomic_store(&device->lost, true);
        return gw_device_check(device, err);
    }
    pthread_mutex_lock(&device->submit_lock);
    // Lost since it was asked: give_up waits for what it finds submitted.
    const bool lost = atomic_load(&device->lost);
    VkResult result =
        lost ? VK_ERROR_DEVICE_LOST : device->vk.QueueSubmit(device->queue, 1, &info, fence);
    pthread_mutex_unlock(&device->submit_lock);
    if (lost) return gw_device_check_lost(device, err);
    return result == VK_SUCCESS ? GODWIT_OK : gw_device_fail(device, err, result, what);
}

godwit_status gw_device_wait(gw_device *device, VkFence fence, const char *what,
                             godwit_error *err) {
    VkResult result = VK_TIMEOUT;
    for (unsigned minute = 1; minute <= WAIT_SLICES && result == VK_TIMEOUT; minute++) {
        result = device->vk.WaitForFences(device->handle, 1, &fence, VK_TRUE, wait_slice_ns);
        if (result != VK_TIMEOUT) break;
        gw_log(device->host, GODWIT_LOG_WARN, "device %s: %s: no end after %u s",
               device->adapter->info.name, what, minute * 60);
    }
    if (result == VK_SUCCESS) result = device->vk.ResetFences(device->handle, 1, &fence);
    if (result == VK_SUCCESS) return GODWIT_OK;
    give_up(device, result);
    if (result != VK_TIMEOUT) return gw_device_fail(device, err, result, what);
    return gw_fail_driver(err, GODWIT_DRIVER, VK_TIMEOUT,
                          "device %s: %s: no end after %d s, given up; is another program holding "
                          "the device? Try again, or use another device",
                          device->adapter->info.name, what, WAIT_SLICES * 60);
}

void gw_device_name_object(gw_device *device, VkObjectType type, uint64_t handle,
                           const char *name) {
    if (!device->gpu->validation || !device->gpu->vk.SetDebugUtilsObjectNameEXT) return;
    VkDebugUtilsObjectNameInfoEXT info = {.sType =
                                              VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
                                          .objectType = type,
                                          .objectHandle = handle,
                                          .pObjectName = name};
    device->gpu->vk.SetDebugUtilsObjectNameEXT(device->handle, &info);
}
