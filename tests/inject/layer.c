// layer: VK_LAYER_GODWIT_inject, an explicit Vulkan layer that fails the n-th call of a function.
//
// It stands between the loader and the driver, so that the command and the library are tested as
// they are. What is asked before there is an instance passes no such layer. Of every other function
// of the engine that returns a VkResult it has a wrapper (tests/cli/inject.sh compares with
// engine/gpu/internal.h); without its variables it passes all calls on and counts them.
//
//     INJECT_AT=n         the n-th call, 1 = the first; 0: none
//     INJECT_CALL=name    of this function, "vkQueueSubmit"; none or "all": of all
//     INJECT_ERROR=number the VkResult that it gives, -4 = VK_ERROR_DEVICE_LOST
//     INJECT_STICKY=1     so do all calls after it
//     INJECT_TYPE=number  devices say that they are of this VkPhysicalDeviceType, 1 = integrated GPU
//     INJECT_COUNT=FILE   when the process ends: a line "name calls" each, and "all calls"
//
// A call that fails does not reach the driver, so what a failed wait waited for goes on. A lost
// device runs nothing, so before the first loss its work is waited for.
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define EXPORT __attribute__((visibility("default")))

// --- what is wrapped: W(name, parameters, arguments), the first one says whose table it is

// Younger than Debian 12's headers.
typedef VkResult(VKAPI_PTR *coopmat_fn)(VkPhysicalDevice, uint32_t *, void *);
#define PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR coopmat_fn

#define OF_INSTANCE(W)                                                                             \
    W(GetPhysicalDeviceCooperativeMatrixPropertiesKHR,                                             \
      (VkPhysicalDevice a, uint32_t * b, void *c), (a, b, c))                                      \
    W(EnumeratePhysicalDevices, (VkInstance a, uint32_t * b, VkPhysicalDevice * c), (a, b, c))     \
    W(EnumerateDeviceExtensionProperties,                                                          \
      (VkPhysicalDevice a, const char *b, uint32_t *c, VkExtensionProperties *d), (a, b, c, d))

#define OF_DEVICE(W)                                                                               \
    W(QueueWaitIdle, (VkQueue a), (a))                                                             \
    W(DeviceWaitIdle, (VkDevice a), (a))                                                           \
    W(QueueSubmit, (VkQueue a, uint32_t b, const VkSubmitInfo *c, VkFence d), (a, b, c, d))        \
    W(AllocateMemory,                                                                              \
      (VkDevice a, const VkMemoryAllocateInfo *b, const VkAllocationCallbacks *c,                  \
       VkDeviceMemory *d),                                                                         \
      (a, b, c, d))                                                                                \
    W(MapMemory,                                                                                   \
      (VkDevice a, VkDeviceMemory b, VkDeviceSize c, VkDeviceSize d, VkMemoryMapFlags e,           \
       void **f),                                                                                  \
      (a, b, c, d, e, f))                                                                          \
    W(FlushMappedMemoryRanges, (VkDevice a, uint32_t b, const VkMappedMemoryRange *c), (a, b, c))  \
    W(InvalidateMappedMemoryRanges, (VkDevice a, uint32_t b, const VkMappedMemoryRange *c),        \
      (a, b, c))                                                                                   \
    W(CreateBuffer,                                                                                \
      (VkDevice a, const VkBufferCreateInfo *b, const VkAllocationCallbacks *c, VkBuffer *d),      \
      (a, b, c, d))                                                                                \
    W(CreateBufferView,                                                                            \
      (VkDevice a, const VkBufferViewCreateInfo *b, const VkAllocationCallbacks *c,                \
       VkBufferView *d),                                                                           \
      (a, b, c, d))                                                                                \
    W(BindBufferMemory, (VkDevice a, VkBuffer b, VkDeviceMemory c, VkDeviceSize d), (a, b, c, d))  \
    W(CreateShaderModule,                                                                          \
      (VkDevice a, const VkShaderModuleCreateInfo *b, const VkAllocationCallbacks *c,              \
       VkShaderModule *d),                                                                         \
      (a, b, c, d))                                                                                \
    W(MergePipelineCaches, (VkDevice a, VkPipelineCache b, uint32_t c, const VkPipelineCache *d),  \
      (a, b, c, d))                                                                                \
    W(CreatePipelineCache,                                                                         \
      (VkDevice a, const VkPipelineCacheCreateInfo *b, const VkAllocationCallbacks *c,             \
       VkPipelineCache *d),                                                                        \
      (a, b, c, d))                                                                                \
    W(GetPipelineCacheData, (VkDevice a, VkPipelineCache b, size_t * c, void *d), (a, b, c, d))    \
    W(CreateComputePipelines,                                                                      \
      (VkDevice a, VkPipelineCache b, uint32_t c, const VkComputePipelineCreateInfo *d,            \
       const VkAllocationCallbacks *e, VkPipeline *f),                                             \
      (a, b, c, d, e, f))                                                                          \
    W(CreatePipelineLayout,                                                                        \
      (VkDevice a, const VkPipelineLayoutCreateInfo *b, const VkAllocationCallbacks *c,            \
       VkPipelineLayout *d),                                                                       \
      (a, b, c, d))                                                                                \
    W(CreateDescriptorSetLayout,                                                                   \
      (VkDevice a, const VkDescriptorSetLayoutCreateInfo *b, const VkAllocationCallbacks *c,       \
       VkDescriptorSetLayout *d),                                                                  \
      (a, b, c, d))                                                                                \
    W(CreateDescriptorPool,                                                                        \
      (VkDevice a, const VkDescriptorPoolCreateInfo *b, const VkAllocationCallbacks *c,            \
       VkDescriptorPool *d),                                                                       \
      (a, b, c, d))                                                                                \
    W(AllocateDescriptorSets,                                                                      \
      (VkDevice a, const VkDescriptorSetAllocateInfo *b, VkDescriptorSet *c), (a, b, c))           \
    W(CreateCommandPool,                                                                           \
      (VkDevice a, const VkCommandPoolCreateInfo *b, const VkAllocationCallbacks *c,               \
       VkCommandPool *d),                                                                          \
      (a, b, c, d))                                                                                \
    W(AllocateCommandBuffers,                                                                      \
      (VkDevice a, const VkCommandBufferAllocateInfo *b, VkCommandBuffer *c), (a, b, c))           \
    W(BeginCommandBuffer, (VkCommandBuffer a, const VkCommandBufferBeginInfo *b), (a, b))          \
    W(EndCommandBuffer, (VkCommandBuffer a), (a))                                                  \
    W(CreateFence,                                                                                 \
      (VkDevice a, const VkFenceCreateInfo *b, const VkAllocationCallbacks *c, VkFence *d),        \
      (a, b, c, d))                                                                                \
    W(ResetFences, (VkDevice a, uint32_t b, const VkFence *c), (a, b, c))                          \
    W(WaitForFences, (VkDevice a, uint32_t b, const VkFence *c, VkBool32 d, uint64_t e),           \
      (a, b, c, d, e))                                                                             \
    W(CreateQueryPool,                                                                             \
      (VkDevice a, const VkQueryPoolCreateInfo *b, const VkAllocationCallbacks *c,                 \
       VkQueryPool *d),                                                                            \
      (a, b, c, d))                                                                                \
    W(GetQueryPoolResults,                                                                         \
      (VkDevice a, VkQueryPool b, uint32_t c, uint32_t d, size_t e, void *f, VkDeviceSize g,       \
       VkQueryResultFlags h),                                                                      \
      (a, b, c, d, e, f, g, h))                                                                    \
    W(GetPipelineExecutablePropertiesKHR,                                                          \
      (VkDevice a, const VkPipelineInfoKHR *b, uint32_t *c, VkPipelineExecutablePropertiesKHR *d), \
      (a, b, c, d))                                                                                \
    W(GetPipelineExecutableStatisticsKHR,                                                          \
      (VkDevice a, const VkPipelineExecutableInfoKHR *b, uint32_t *c,                              \
       VkPipelineExecutableStatisticKHR *d),                                                       \
      (a, b, c, d))

#define NONE ()
#define BY_HAND(W)                                                                                 \
    W(CreateInstance, NONE, NONE)                                                                  \
    W(CreateDevice, NONE, NONE)

enum {
#define INDEX(name, params, args) AT_##name,
    BY_HAND(INDEX) OF_INSTANCE(INDEX) OF_DEVICE(INDEX) N_WRAPPED
#undef INDEX
};
static const char *const names[] = {
#define NAME(name, params, args) "vk" #name,
    BY_HAND(NAME) OF_INSTANCE(NAME) OF_DEVICE(NAME)
#undef NAME
};

// --- which call fails

static atomic_ullong n_calls[N_WRAPPED], n_all;
static atomic_bool has_failed;

static long long number(const char *name) {
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : 0;
}

__attribute__((destructor)) static void write_counts(void) {
    const char *path = getenv("INJECT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    for (int i = 0; i < N_WRAPPED; i++)
        (void)fprintf(file, "%s %llu\n", names[i], atomic_load(&n_calls[i]));
    (void)fprintf(file, "all %llu\n", atomic_load(&n_all));
    (void)fclose(file);
}

static bool fails(int which, VkResult *out) {
    const char *only = getenv("INJECT_CALL");
    const bool of_all = !only || !only[0] || strcmp(only, "all") == 0;
    const long long own = (long long)atomic_fetch_add(&n_calls[which], 1) + 1;
    const long long any = (long long)atomic_fetch_add(&n_all, 1) + 1;
    const long long at = number("INJECT_AT"), now = of_all ? any : own;
    if (at <= 0 || (!of_all && strcmp(only, names[which]) != 0)) return false;
    *out = (VkResult)number("INJECT_ERROR");
    return now == at || (now > at && number("INJECT_STICKY"));
}

// --- tables, found by the loader's own that each handle begins with

typedef struct table {
    void *key;
    VkInstance instance;
    VkDevice device;
    PFN_vkGetInstanceProcAddr instance_proc;
    PFN_vkGetDeviceProcAddr device_proc;
#define FIELD(name, params, args) PFN_vk##name name;
    OF_INSTANCE(FIELD)
    OF_DEVICE(FIELD)
#undef FIELD
    PFN_vkDestroyInstance DestroyInstance;
    PFN_vkGetPhysicalDeviceProperties GetPhysicalDeviceProperties;
    PFN_vkGetPhysicalDeviceProperties2 GetPhysicalDeviceProperties2;
    PFN_vkDestroyDevice DestroyDevice;
} table;

enum { MAX_TABLES = 512 };
static table *tables[MAX_TABLES];
static pthread_mutex_t tables_lock = PTHREAD_MUTEX_INITIALIZER;

static table *find_table(const void *handle) {
    void *key = *(void *const *)handle;
    table *found = NULL;
    pthread_mutex_lock(&tables_lock);
    for (int i = 0; i < MAX_TABLES && !found; i++)
        if (tables[i] && tables[i]->key == key) found = tables[i];
    pthread_mutex_unlock(&tables_lock);
    return found;
}

static table *table_of(const void *handle) {
    table *found = find_table(handle);
    if (!found) abort();
    return found;
}

static void add_table(const table *made) {
    table *own = malloc(sizeof *own);
    int i = 0;
    if (!own) abort();
    *own = *made;
    pthread_mutex_lock(&tables_lock);
    while (i < MAX_TABLES && tables[i]) i++;
    if (i == MAX_TABLES) abort();
    tables[i] = own;
    pthread_mutex_unlock(&tables_lock);
}

static void remove_table(table *gone) {
    pthread_mutex_lock(&tables_lock);
    for (int i = 0; i < MAX_TABLES; i++)
        if (tables[i] == gone) tables[i] = NULL;
    pthread_mutex_unlock(&tables_lock);
    free(gone);
}

// --- the wrappers

static void end_work(const table *t, VkResult error) {
    if (error != VK_ERROR_DEVICE_LOST || !t->device) return;
    if (!atomic_exchange(&has_failed, true)) (void)t->DeviceWaitIdle(t->device);
}

#define WRAPPER(name, params, args)                                                                \
    static VKAPI_ATTR VkResult VKAPI_CALL wrap_##name params {                                     \
        VkResult error;                                                                            \
        const table *t = table_of(a);                                                              \
        if (!fails(AT_##name, &error)) return t->name args;                                        \
        end_work(t, error);                                                                        \
        return error;                                                                              \
    }
OF_INSTANCE(WRAPPER)
OF_DEVICE(WRAPPER)
#undef WRAPPER

static VKAPI_ATTR VkResult VKAPI_CALL wrap_CreateInstance(const VkInstanceCreateInfo *info,
                                                          const VkAllocationCallbacks *allocator,
                                                          VkInstance *out) {
    VkLayerInstanceCreateInfo *chain = (VkLayerInstanceCreateInfo *)info->pNext;
    VkResult error;
    if (fails(AT_CreateInstance, &error)) return error;
    while (chain && !(chain->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO &&
                      chain->function == VK_LAYER_LINK_INFO))
        chain = (VkLayerInstanceCreateInfo *)chain->pNext;
    if (!chain) return VK_ERROR_INITIALIZATION_FAILED;
    table t = {.instance_proc = chain->u.pLayerInfo->pfnNextGetInstanceProcAddr};
    chain->u.pLayerInfo = chain->u.pLayerInfo->pNext;
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)t.instance_proc(NULL, "vkCreateInstance");
    VkResult result = create(info, allocator, out);
    if (result != VK_SUCCESS) return result;
    t.instance = *out;
    t.key = *(void **)*out;
#define LOAD(name, params, args) t.name = (PFN_vk##name)t.instance_proc(*out, "vk" #name);
    OF_INSTANCE(LOAD)
    LOAD(DestroyInstance, NONE, NONE)
    LOAD(GetPhysicalDeviceProperties, NONE, NONE)
    LOAD(GetPhysicalDeviceProperties2, NONE, NONE)
#undef LOAD
    add_table(&t);
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL wrap_DestroyInstance(VkInstance instance,
                                                       const VkAllocationCallbacks *allocator) {
    if (!instance) return;
    table *t = table_of(instance);
    t->DestroyInstance(instance, allocator);
    remove_table(t);
}

static void set_type(VkPhysicalDeviceProperties *properties) {
    if (getenv("INJECT_TYPE")) properties->deviceType = (VkPhysicalDeviceType)number("INJECT_TYPE");
}

static VKAPI_ATTR void VKAPI_CALL
wrap_GetPhysicalDeviceProperties(VkPhysicalDevice physical, VkPhysicalDeviceProperties *out) {
    table_of(physical)->GetPhysicalDeviceProperties(physical, out);
    set_type(out);
}

static VKAPI_ATTR void VKAPI_CALL
wrap_GetPhysicalDeviceProperties2(VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *out) {
    table_of(physical)->GetPhysicalDeviceProperties2(physical, out);
    set_type(&out->properties);
}

static VKAPI_ATTR VkResult VKAPI_CALL wrap_CreateDevice(VkPhysicalDevice physical,
                                                        const VkDeviceCreateInfo *info,
                                                        const VkAllocationCallbacks *allocator,
                                                        VkDevice *out) {
    VkLayerDeviceCreateInfo *chain = (VkLayerDeviceCreateInfo *)info->pNext;
    VkResult error;
    if (fails(AT_CreateDevice, &error)) return error;
    while (chain && !(chain->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO &&
                      chain->function == VK_LAYER_LINK_INFO))
        chain = (VkLayerDeviceCreateInfo *)chain->pNext;
    if (!chain) return VK_ERROR_INITIALIZATION_FAILED;
    table t = {.instance = table_of(physical)->instance,
               .instance_proc = chain->u.pLayerInfo->pfnNextGetInstanceProcAddr,
               .device_proc = chain->u.pLayerInfo->pfnNextGetDeviceProcAddr};
    chain->u.pLayerInfo = chain->u.pLayerInfo->pNext;
    PFN_vkCreateDevice create = (PFN_vkCreateDevice)t.instance_proc(t.instance, "vkCreateDevice");
    VkResult result = create(physical, info, allocator, out);
    if (result != VK_SUCCESS) return result;
    t.device = *out;
    t.key = *(void **)*out;
#define LOAD(name, params, args) t.name = (PFN_vk##name)t.device_proc(*out, "vk" #name);
    OF_DEVICE(LOAD)
    LOAD(DestroyDevice, NONE, NONE)
#undef LOAD
    add_table(&t);
    return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL wrap_DestroyDevice(VkDevice device,
                                                     const VkAllocationCallbacks *allocator) {
    if (!device) return;
    table *t = table_of(device);
    t->DestroyDevice(device, allocator);
    remove_table(t);
}

// --- what the loader asks for

static PFN_vkVoidFunction VKAPI_CALL get_device(VkDevice device, const char *name);
static PFN_vkVoidFunction VKAPI_CALL get_instance(VkInstance instance, const char *name);

static PFN_vkVoidFunction find_device(const char *name) {
#define FIND(n, params, args)                                                                      \
    if (strcmp(name, "vk" #n) == 0) return (PFN_vkVoidFunction)wrap_##n;
    OF_DEVICE(FIND)
    FIND(DestroyDevice, NONE, NONE)
    if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (PFN_vkVoidFunction)get_device;
    return NULL;
}

static PFN_vkVoidFunction find_instance(const char *name) {
    BY_HAND(FIND)
    OF_INSTANCE(FIND)
    FIND(DestroyInstance, NONE, NONE)
    FIND(GetPhysicalDeviceProperties, NONE, NONE)
    FIND(GetPhysicalDeviceProperties2, NONE, NONE)
#undef FIND
    if (strcmp(name, "vkGetInstanceProcAddr") == 0) return (PFN_vkVoidFunction)get_instance;
    return find_device(name);
}

static PFN_vkVoidFunction VKAPI_CALL get_device(VkDevice device, const char *name) {
    PFN_vkVoidFunction next = table_of(device)->device_proc(device, name), own = find_device(name);
    return own && next ? own : next; // what the driver does not have is not there
}

static PFN_vkVoidFunction VKAPI_CALL get_instance(VkInstance instance, const char *name) {
    PFN_vkVoidFunction own = find_instance(name);
    // The loader asks for vkCreateInstance with what is not one yet.
    const table *t = instance ? find_table(instance) : NULL;
    if (!t) return own;
    PFN_vkVoidFunction next = t->instance_proc(instance, name);
    return own && next ? own : next;
}

EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *version) {
    if (version->loaderLayerInterfaceVersion < 2) return VK_ERROR_INITIALIZATION_FAILED;
    version->loaderLayerInterfaceVersion = 2;
    version->pfnGetInstanceProcAddr = get_instance;
    version->pfnGetDeviceProcAddr = get_device;
    version->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
