// Instance: the Vulkan instance, its usable devices in order of merit, and validation messages.
//
// Owns gw_gpu. The caller's instance is taken as it is and not destroyed. Validation is the Khronos
// layer with synchronization checks on, its warnings and errors counted and logged; without the
// layer a warning is logged and the instance made without it.
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char no_loader[] =
    "Vulkan: no loader (libvulkan.so.1) found; install libvulkan1 and a "
    "driver (the GPU vendor's, or mesa-vulkan-drivers), or use device cpu";

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data,
                                                 void *user) {
    gw_gpu *gpu = user;
    (void)severity;
    (void)types;
    atomic_fetch_add(&gpu->n_validation, 1);
    gw_log(gpu->host, GODWIT_LOG_WARN, "validation: %s", data->pMessage ? data->pMessage : "");
    return VK_FALSE;
}

// The version of Vulkan that the layer knows; 0 where it is not installed.
static godwit_status find_layer(const gw_gpu *gpu, const char *name, uint32_t *out_version,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    PFN_vkEnumerateInstanceLayerProperties list =
        (PFN_vkEnumerateInstanceLayerProperties)gpu->get_proc(NULL,
                                                              "vkEnumerateInstanceLayerProperties");
    uint32_t n = 0;
    *out_version = 0;
    if (!list || list(&n, NULL) != VK_SUCCESS || n == 0) return GODWIT_OK;
    const uint32_t n_max = n;
    VkLayerProperties *rows = gw_alloc(gpu->host, n_max, sizeof *rows);
    GW_CHECK_ALLOC(rows, err, "list of Vulkan layers");
    if (list(&n, rows) < 0) n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(rows[i].layerName, name) == 0) *out_version = rows[i].specVersion;
done:
    gw_free(gpu->host, rows, n_max * sizeof *rows);
    return status;
}

// layer: NULL for what the loader and the drivers offer.
static godwit_status find_extension(const gw_gpu *gpu, const char *layer, const char *name,
                                    bool *out_found, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    PFN_vkEnumerateInstanceExtensionProperties list =
        (PFN_vkEnumerateInstanceExtensionProperties)gpu->get_proc(
            NULL, "vkEnumerateInstanceExtensionProperties");
    uint32_t n = 0;
    *out_found = false;
    if (!list || list(layer, &n, NULL) != VK_SUCCESS || n == 0) return GODWIT_OK;
    const uint32_t n_max = n;
    VkExtensionProperties *rows = gw_alloc(gpu->host, n_max, sizeof *rows);
    GW_CHECK_ALLOC(rows, err, "list of Vulkan extensions");
    if (list(layer, &n, rows) < 0) n = 0;
    for (uint32_t i = 0; i < n && !*out_found; i++)
        *out_found = strcmp(rows[i].extensionName, name) == 0;
done:
    gw_free(gpu->host, rows, n_max * sizeof *rows);
    return status;
}

static VkDebugUtilsMessengerCreateInfoEXT messenger_info(gw_gpu *gpu) {
    return (VkDebugUtilsMessengerCreateInfoEXT){
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = gpu,
    };
}

// All of them are NO_VULKAN, and the reference goes on: a loader says "out of host memory" of a
// broken manifest, too, and then of all drivers at once (KhronosGroup/Vulkan-Loader#1324).
static godwit_status instance_fail(godwit_error *err, VkResult result) {
    if (gw_vk_status(result) == GODWIT_OUT_OF_MEMORY)
        return gw_fail_driver(
            err, GODWIT_NO_VULKAN, result,
            "Vulkan: no instance: %s: out of host memory, or a driver's manifest "
            "(vulkan/icd.d/*.json) is broken: VK_LOADER_DEBUG=error names it; mend "
            "it, name others in VK_DRIVER_FILES, or use device cpu",
            gw_vk_result_name(result));
    return gw_fail_driver(err, GODWIT_NO_VULKAN, result,
                          "Vulkan: no instance: %s; no driver found? Install the GPU vendor's or "
                          "mesa-vulkan-drivers, or use device cpu",
                          gw_vk_result_name(result));
}

// Layers and extensions of the instance to be made.
typedef struct choice {
    const char *extensions[3], *layers[1];
    uint32_t n_extensions, n_layers;
    VkInstanceCreateFlags flags;
    bool settings, features; // VK_EXT_layer_settings, else VK_EXT_validation_features is there
} choice;

static const char layer[] = "VK_LAYER_KHRONOS_validation";

static godwit_status choose(gw_gpu *gpu, bool validation, choice *c, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    bool portability = false;
    GW_TRY(find_extension(gpu, NULL, "VK_KHR_portability_enumeration", &portability, err));
    if (portability) {
        c->extensions[c->n_extensions++] = "VK_KHR_portability_enumeration";
        c->flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    }
    if (!validation) goto done;
    GW_TRY(find_layer(gpu, layer, &gpu->layer_api, err));
    if (gpu->layer_api == 0) {
        gw_log(gpu->host, GODWIT_LOG_WARN,
               "Vulkan: validation was asked for, but %s is not installed "
               "(vulkan-validationlayers); going on without",
               layer);
        goto done;
    }
    gpu->validation = true;
    c->layers[c->n_layers++] = layer;
    c->extensions[c->n_extensions++] = "VK_EXT_debug_utils";
    GW_TRY(find_extension(gpu, layer, "VK_EXT_layer_settings", &c->settings, err));
    GW_TRY(find_extension(gpu, layer, "VK_EXT_validation_features", &c->features, err));
    if (c->settings)
        c->extensions[c->n_extensions++] = "VK_EXT_layer_settings";
    else if (c->features)
        c->extensions[c->n_extensions++] = "VK_EXT_validation_features";
done:
    return status;
}

// An instance of our own.
static godwit_status instance_create(gw_gpu *gpu, bool validation, godwit_error *err) {
    choice c = {.n_layers = 0};
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)gpu->get_proc(NULL, "vkCreateInstance");
    PFN_vkEnumerateInstanceVersion version =
        (PFN_vkEnumerateInstanceVersion)gpu->get_proc(NULL, "vkEnumerateInstanceVersion");
    uint32_t api = VK_API_VERSION_1_0;
    if (version) version(&api);
    if (!create || api < VK_API_VERSION_1_2)
        return gw_fail(err, GODWIT_NO_VULKAN,
                       "Vulkan: the loader is of version %u.%u, Godwit needs 1.2; update "
                       "libvulkan1, or use device cpu",
                       VK_API_VERSION_MAJOR(api), VK_API_VERSION_MINOR(api));
    // Nothing newer than 1.3 is used.
    gpu->api = api < VK_API_VERSION_1_3 ? api : VK_API_VERSION_1_3;
    godwit_status status = choose(gpu, validation, &c, err);
    if (status != GODWIT_OK) return status;
    // Newer layers look at what shaders access only where they are told so.
    const VkBool32 on = VK_TRUE;
    const gw_vk_layer_setting settings[] = {
        {layer, "validate_sync", GW_VK_LAYER_SETTING_BOOL, 1, &on},
        {layer, "syncval_shader_accesses_heuristic", GW_VK_LAYER_SETTING_BOOL, 1, &on}};
    const gw_vk_layer_settings by_setting = {.sType = (VkStructureType)GW_VK_STYPE_LAYER_SETTINGS,
                                             .n_settings = 2,
                                             .settings = settings};
    const VkValidationFeatureEnableEXT enables[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    const VkValidationFeaturesEXT features = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                              .enabledValidationFeatureCount = 1,
                                              .pEnabledValidationFeatures = enables};
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .pApplicationName = "godwit",
                                   .pEngineName = "godwit",
                                   .apiVersion = gpu->api};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pNext = c.settings   ? (const void *)&by_setting
                                                : c.features ? (const void *)&features
                                                             : NULL,
                                       .flags = c.flags,
                                       .pApplicationInfo = &app,
                                       .enabledLayerCount = c.n_layers,
                                       .ppEnabledLayerNames = c.layers,
                                       .enabledExtensionCount = c.n_extensions,
                                       .ppEnabledExtensionNames = c.extensions};
    VkResult result = create(&info, NULL, &gpu->instance);
    if (result != VK_SUCCESS) {
        gpu->instance = VK_NULL_HANDLE;
        return instance_fail(err, result);
    }
    gpu->owns_instance = true;
    return GODWIT_OK;
}

static void listen_to_messages(gw_gpu *gpu) {
    VkDebugUtilsMessengerCreateInfoEXT info = messenger_info(gpu);
    if (!gpu->validation) return;
    if (!gpu->vk.CreateDebugUtilsMessengerEXT || !gpu->vk.DestroyDebugUtilsMessengerEXT ||
        gpu->vk.CreateDebugUtilsMessengerEXT(gpu->instance, &info, NULL, &gpu->messenger) !=
            VK_SUCCESS) {
        gpu->messenger = VK_NULL_HANDLE;
        gpu->validation = false;
        gw_log(gpu->host, GODWIT_LOG_WARN, "Vulkan: validation messages cannot be listened to");
    }
}

static int rank(const gw_adapter *adapter) {
    if (adapter->memory.memoryTypeCount == 0) return 5; // a driver without hardware
    switch (adapter->info.type) {
    case GODWIT_DEVICE_DISCRETE:
        return 0;
    case GODWIT_DEVICE_INTEGRATED:
        return 1;
    case GODWIT_DEVICE_VIRTUAL:
        return 2;
    case GODWIT_DEVICE_OTHER:
        return 3;
    default:
        return 4;
    }
}

// Of two drivers that run on the host's cores the one whose subgroups are wider comes first: these
// are lanes of the cores' vector registers. Of the same driver twice, the newer.
static bool is_better_software(const gw_adapter *a, const gw_adapter *b) {
    const godwit_device_info *x = &a->info, *y = &b->info;
    if (x->subgroup_size != y->subgroup_size) return x->subgroup_size > y->subgroup_size;
    return x->driver_id == y->driver_id && x->driver_version > y->driver_version;
}

static bool is_better(const gw_adapter *a, const gw_adapter *b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return a->info.type == GODWIT_DEVICE_SOFTWARE && is_better_software(a, b);
}

// Stable, so that the driver's own order (which the user may have set) decides among equals.
void gw_rank_adapters(gw_adapter *adapters, uint32_t n) {
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = i; k > 0 && is_better(&adapters[k], &adapters[k - 1]); k--) {
            gw_adapter swapped = adapters[k];
            adapters[k] = adapters[k - 1];
            adapters[k - 1] = swapped;
        }
}

// "NAME #2" is the second device of that name, so that each can be named.
void gw_tell_adapters_apart(gw_adapter *adapters, uint32_t n) {
    for (uint32_t i = n; i-- > 1;) {
        char *name = adapters[i].info.name, suffix[16];
        uint32_t number = 1;
        for (uint32_t k = 0; k < i; k++) number += strcmp(adapters[k].info.name, name) == 0;
        if (number == 1) continue;
        size_t n_suffix = (size_t)snprintf(suffix, sizeof suffix, " #%u", number);
        size_t at = strlen(name), room = sizeof adapters[i].info.name - 1 - n_suffix;
        memcpy(name + (at < room ? at : room), suffix, n_suffix + 1);
    }
}

static godwit_status find_adapters(gw_gpu *gpu, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkPhysicalDevice *handles = NULL;
    uint32_t n = 0;
    VkResult result = gpu->vk.EnumeratePhysicalDevices(gpu->instance, &n, NULL);
    const uint32_t n_max = n;
    // Newer loaders call it a failure where no driver has a device.
    if (result == VK_ERROR_INITIALIZATION_FAILED)
        n = 0;
    else if (result != VK_SUCCESS)
        return instance_fail(err, result);
    if (n == 0)
        return gw_fail(err, GODWIT_NO_VULKAN,
                       "Vulkan: no device: a loader is there but no driver with a device; install "
                       "the GPU vendor's or mesa-vulkan-drivers, or use device cpu");
    handles = gw_alloc(gpu->host, n_max, sizeof *handles);
    GW_CHECK_ALLOC(handles, err, "list of Vulkan devices");
    gpu->adapters = gw_alloc(gpu->host, n_max, sizeof *gpu->adapters);
    GW_CHECK_ALLOC(gpu->adapters, err, "list of Vulkan devices");
    gpu->n_adapters_max = n_max;
    result = gpu->vk.EnumeratePhysicalDevices(gpu->instance, &n, handles);
    if (result < 0) {
        status = instance_fail(err, result);
        goto done;
    }
    for (uint32_t i = 0; i < n; i++) {
        bool usable = false;
        GW_TRY(gw_adapter_init(gpu, handles[i], &gpu->adapters[gpu->n_adapters], &usable, err));
        if (usable) gpu->n_adapters++;
    }
    if (gpu->n_adapters == 0)
        GW_FAIL(err, GODWIT_NO_VULKAN,
                "Vulkan: none of %u devices has Vulkan 1.2 and a compute queue; update the driver, "
                "install mesa-vulkan-drivers, or use device cpu",
                n);
    gw_rank_adapters(gpu->adapters, gpu->n_adapters);
    gw_tell_adapters_apart(gpu->adapters, gpu->n_adapters);
done:
    gw_free(gpu->host, handles, n_max * sizeof *handles);
    return status;
}

static godwit_status choose_loader(gw_gpu *gpu, const gw_gpu_params *params, godwit_error *err) {
    if (params->vk_get_instance_proc_addr) {
        // A function pointer came through the public header's void pointer; POSIX allows the way
        // back, ISO C only through memory.
        memcpy(&gpu->get_proc, &params->vk_get_instance_proc_addr, sizeof gpu->get_proc);
        return GODWIT_OK;
    }
    const long parent = gw_loader_forked_from();
    if (parent)
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "Vulkan: loaded by process %ld, from which this one, %ld, was forked: no "
                       "driver survives that; fork before devices are listed or opened, start the "
                       "child with exec, or use device cpu",
                       parent, (long)getpid());
    gpu->get_proc = gw_loader_get_proc();
    if (!gpu->get_proc) return gw_fail(err, GODWIT_NO_VULKAN, "%s", no_loader);
    return GODWIT_OK;
}

godwit_status gw_gpu_create(const gw_host *host, const gw_gpu_params *params, gw_gpu **out_gpu,
                            godwit_error *err) {
    static const gw_gpu_params defaults;
    godwit_status status = GODWIT_OK;
    gw_gpu *gpu = NULL;
    *out_gpu = NULL;
    if (!params) params = &defaults;
    gpu = gw_alloc(host, 1, sizeof *gpu);
    GW_CHECK_ALLOC(gpu, err, "gpu");
    gpu->host = host;
    atomic_init(&gpu->n_refs, 1);
    pthread_mutex_init(&gpu->checked_lock, NULL);
    if (params->cache_dir && params->cache_dir[0]) {
        const size_t n = strlen(params->cache_dir) + 1;
        gpu->cache_dir = gw_alloc(host, n, 1);
        GW_CHECK_ALLOC(gpu->cache_dir, err, "name of the cache directory");
        memcpy(gpu->cache_dir, params->cache_dir, n);
    }
    GW_TRY(choose_loader(gpu, params, err));
    if (params->vk_instance) {
        gpu->instance = (VkInstance)params->vk_instance;
        gpu->api = VK_API_VERSION_1_2; // all that its owner promised
        if (params->validation)
            gw_log(host, GODWIT_LOG_WARN,
                   "Vulkan: validation belongs to the instance's owner; messages are not counted");
    } else {
        GW_TRY(instance_create(gpu, params->validation, err));
    }
    if (!gw_loader_instance_table(gpu->get_proc, gpu->instance, &gpu->vk))
        GW_FAIL(err, GODWIT_NO_VULKAN, "Vulkan: the instance lacks entry points of Vulkan 1.1");
    listen_to_messages(gpu);
    GW_TRY(find_adapters(gpu, err));
    *out_gpu = gpu;
    gpu = NULL;
done:
    gw_gpu_release(&gpu);
    return status;
}

void gw_gpu_release(gw_gpu **gpu) {
    gw_gpu *g = gpu ? *gpu : NULL;
    if (gpu) *gpu = NULL;
    if (!g || atomic_fetch_sub(&g->n_refs, 1) != 1) return;
    const gw_host *host = g->host;
    if (g->messenger) g->vk.DestroyDebugUtilsMessengerEXT(g->instance, g->messenger, NULL);
    // Without a whole table the instance may still have this one entry.
    const bool in_use = atomic_load(&g->has_unended);
    if (g->owns_instance && g->vk.DestroyInstance && !in_use)
        g->vk.DestroyInstance(g->instance, NULL);
    gw_checked_deinit(g);
    pthread_mutex_destroy(&g->checked_lock);
    if (g->cache_dir) gw_free(host, g->cache_dir, strlen(g->cache_dir) + 1);
    gw_free(host, g->adapters, g->n_adapters_max * sizeof *g->adapters);
    gw_free(host, g, sizeof *g);
}

uint32_t gw_gpu_n_devices(const gw_gpu *gpu) {
    return gpu->n_adapters;
}

uint64_t gw_gpu_validation_count(const gw_gpu *gpu) {
    // Reading an atomic needs a pointer that is not const; nothing is written.
    return atomic_load(&((gw_gpu *)gpu)->n_validation);
}

godwit_status gw_gpu_device_info(const gw_gpu *gpu, uint32_t index, godwit_device_info *out_info,
                                 godwit_error *err) {
    if (index >= gpu->n_adapters)
        return gw_fail(err, GODWIT_NOT_FOUND, "device %u: there are %u", index, gpu->n_adapters);
    size_t struct_size = out_info->struct_size;
    *out_info = gpu->adapters[index].info;
    gw_adapter_budget(gpu, &gpu->adapters[index], out_info);
    gw_findings *known = gw_alloc(gpu->host, 1, sizeof *known);
    if (!known) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: findings");
    gw_findings_load(gpu, &gpu->adapters[index], known);
    gw_findings_to_info(known, out_info);
    gw_free(gpu->host, known, sizeof *known);
    out_info->struct_size = struct_size;
    return GODWIT_OK;
}
