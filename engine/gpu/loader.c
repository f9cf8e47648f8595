// Loader: how Godwit finds Vulkan's entry points.
//
// The system's loader is opened once a process, under pthread_once, and stays open. Each gw_gpu and
// gw_device has a table of its own; there are no global function pointers, and none under Vulkan's
// own names (as volk makes them), which would meet those of the program that links this library.
// Nothing here is ours and mutable but the once flag, what it found, and the process it was set in.
#include "gpu/internal.h"

#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

static const char *const loader_names[] = {"libvulkan.so.1", "libvulkan.so", "libvulkan.1.dylib",
                                           "libvulkan.dylib", "libMoltenVK.dylib"};

static pthread_once_t loader_once = PTHREAD_ONCE_INIT;
static atomic_long loaded_by;                     // 0: nobody has
static PFN_vkGetInstanceProcAddr loader_get_proc; // NULL: there is none

static void loader_open(void) {
    void *loader = NULL;
    atomic_store(&loaded_by, (long)getpid());
    for (size_t i = 0; i < sizeof loader_names / sizeof *loader_names && !loader; i++)
        loader = dlopen(loader_names[i], RTLD_NOW | RTLD_LOCAL);
    void *get_proc = loader ? dlsym(loader, "vkGetInstanceProcAddr") : NULL;
    memcpy(&loader_get_proc, &get_proc, sizeof loader_get_proc);
}

PFN_vkGetInstanceProcAddr gw_loader_get_proc(void) {
    if (pthread_once(&loader_once, loader_open) != 0) return NULL;
    return loader_get_proc;
}

long gw_loader_forked_from(void) {
    const long by = atomic_load(&loaded_by);
    return by != (long)getpid() ? by : 0;
}

bool gw_loader_instance_table(PFN_vkGetInstanceProcAddr get_proc, VkInstance instance,
                              gw_vk_instance *out_vk) {
    bool complete = true;
#define LOAD(name)  out_vk->name = (PFN_vk##name)get_proc(instance, "vk" #name);
#define CHECK(name) complete = complete && out_vk->name;
    GW_VK_INSTANCE_FNS(LOAD)
    GW_VK_DEBUG_FNS(LOAD)
    GW_VK_INSTANCE_FNS(CHECK)
#undef LOAD
#undef CHECK
    return complete;
}

bool gw_loader_device_table(PFN_vkGetDeviceProcAddr get_proc, VkDevice device,
                            gw_vk_device *out_vk) {
    bool complete = true;
#define LOAD(name)  out_vk->name = (PFN_vk##name)get_proc(device, "vk" #name);
#define CHECK(name) complete = complete && out_vk->name;
    GW_VK_DEVICE_FNS(LOAD)
    GW_VK_EXECUTABLE_FNS(LOAD)
    GW_VK_DEVICE_FNS(CHECK)
#undef LOAD
#undef CHECK
    return complete;
}

const char *gw_vk_result_name(VkResult result) {
    switch (result) {
#define NAME(code)                                                                                 \
    case code:                                                                                     \
        return #code;
        NAME(VK_SUCCESS)
        NAME(VK_NOT_READY)
        NAME(VK_TIMEOUT)
        NAME(VK_INCOMPLETE)
        NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
        NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
        NAME(VK_ERROR_INITIALIZATION_FAILED)
        NAME(VK_ERROR_DEVICE_LOST)
        NAME(VK_ERROR_MEMORY_MAP_FAILED)
        NAME(VK_ERROR_LAYER_NOT_PRESENT)
        NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
        NAME(VK_ERROR_FEATURE_NOT_PRESENT)
        NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
        NAME(VK_ERROR_TOO_MANY_OBJECTS)
        NAME(VK_ERROR_FRAGMENTED_POOL)
        NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
        NAME(VK_ERROR_FRAGMENTATION)
        NAME(VK_ERROR_INVALID_SHADER_NV)
        NAME(VK_ERROR_UNKNOWN)
#undef NAME
    default:
        return "a VkResult without a name here";
    }
}

godwit_status gw_vk_status(VkResult result) {
    switch (result) {
    case VK_SUCCESS:
        return GODWIT_OK;
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return GODWIT_OUT_OF_MEMORY;
    // A host-visible heap can run out of addresses before it runs out of bytes.
    case VK_ERROR_MEMORY_MAP_FAILED:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_FRAGMENTED_POOL:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTATION:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return GODWIT_OUT_OF_DEVICE_MEMORY;
    case VK_ERROR_DEVICE_LOST:
        return GODWIT_DEVICE_LOST;
    default:
        return GODWIT_DRIVER;
    }
}
