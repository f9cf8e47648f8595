// Private structs of engine/gpu, and the only header of the library that includes Vulkan's.
//
// Owns: the shape of gw_gpu, gw_device and what hangs below them, the tables of Vulkan entry
// points, and the prototypes that engine/gpu's files share. The loader is opened once a process;
// everything else is called through tables that belong to one instance or one device, so that
// several instances (also from different loaders) can live in a process at once.
#ifndef GW_GPU_INTERNAL_H
#define GW_GPU_INTERNAL_H

#include "base/clock.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/host_memory.h"
#include "gpu/gpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

// --- entry points

#define GW_VK_INSTANCE_FNS(X)                                                                      \
    X(DestroyInstance)                                                                             \
    X(EnumeratePhysicalDevices)                                                                    \
    X(EnumerateDeviceExtensionProperties)                                                          \
    X(GetPhysicalDeviceProperties)                                                                 \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceFeatures2)                                                                  \
    X(GetPhysicalDeviceMemoryProperties2)                                                          \
    X(GetPhysicalDeviceQueueFamilyProperties)                                                      \
    X(CreateDevice)                                                                                \
    X(GetDeviceProcAddr)

// Present only with VK_EXT_debug_utils.
#define GW_VK_DEBUG_FNS(X)                                                                         \
    X(CreateDebugUtilsMessengerEXT)                                                                \
    X(DestroyDebugUtilsMessengerEXT)                                                               \
    X(SetDebugUtilsObjectNameEXT)

#define GW_VK_DEVICE_FNS(X)                                                                        \
    X(DestroyDevice)                                                                               \
    X(QueueWaitIdle)                                                                               \
    X(GetDeviceQueue)                                                                              \
    X(QueueSubmit)                                                                                 \
    X(AllocateMemory)                                                                              \
    X(FreeMemory)                                                                                  \
    X(MapMemory)                                                                                   \
    X(FlushMappedMemoryRanges)                                                                     \
    X(InvalidateMappedMemoryRanges)                                                                \
    X(CreateBuffer)                                                                                \
    X(CreateBufferView)                                                                            \
    X(DestroyBufferView)                                                                           \
    X(DestroyBuffer)                                                                               \
    X(GetBufferMemoryRequirements)                                                                 \
    X(BindBufferMemory)                                                                            \
    X(CreateShaderModule)                                                                          \
    X(DestroyShaderModule)                                                                         \
    X(MergePipelineCaches)                                                                         \
    X(CreatePipelineCache)                                                                         \
    X(DestroyPipelineCache)                                                                        \
    X(GetPipelineCacheData)                                                                        \
    X(CreateComputePipelines)                                                                      \
    X(DestroyPipeline)                                                                             \
    X(CreatePipelineLayout)                                                                        \
    X(DestroyPipelineLayout)                                                                       \
    X(CreateDescriptorSetLayout)                                                                   \
    X(DestroyDescriptorSetLayout)                                                                  \
    X(CreateDescriptorPool)                                                                        \
    X(DestroyDescriptorPool)                                                                       \
    X(AllocateDescriptorSets)                                                                      \
    X(UpdateDescriptorSets)                                                                        \
    X(CreateCommandPool)                                                                           \
    X(DestroyCommandPool)                                                                          \
    X(AllocateCommandBuffers)                                                                      \
    X(BeginCommandBuffer)                                                                          \
    X(EndCommandBuffer)                                                                            \
    X(CreateFence)                                                                                 \
    X(DestroyFence)                                                                                \
    X(ResetFences)                                                                                 \
    X(WaitForFences)                                                                               \
    X(CreateQueryPool)                                                                             \
    X(DestroyQueryPool)                                                                            \
    X(GetQueryPoolResults)                                                                         \
    X(CmdBindPipeline)                                                                             \
    X(CmdBindDescriptorSets)                                                                       \
    X(CmdPushConstants)                                                                            \
    X(CmdDispatchBase)                                                                             \
    X(CmdDispatch)                                                                                 \
    X(CmdPipelineBarrier)                                                                          \
    X(CmdCopyBuffer)                                                                               \
    X(CmdFillBuffer)                                                                               \
    X(CmdResetQueryPool)                                                                           \
    X(CmdWriteTimestamp)

// Present only with VK_KHR_pipeline_executable_properties.
#define GW_VK_EXECUTABLE_FNS(X)                                                                    \
    X(GetPipelineExecutablePropertiesKHR)                                                          \
    X(GetPipelineExecutableStatisticsKHR)

#define GW_VK_FIELD(name) PFN_vk##name name;
typedef struct gw_vk_instance {
    GW_VK_INSTANCE_FNS(GW_VK_FIELD)
    GW_VK_DEBUG_FNS(GW_VK_FIELD)
} gw_vk_instance;
typedef struct gw_vk_device {
    GW_VK_DEVICE_FNS(GW_VK_FIELD)
    GW_VK_EXECUTABLE_FNS(GW_VK_FIELD)
} gw_vk_device;
#undef GW_VK_FIELD

// The system's loader, opened once a process; NULL where there is none.
PFN_vkGetInstanceProcAddr gw_loader_get_proc(void);
// The process that loaded it, where this one was forked from that: the threads and locks that
// drivers keep for a whole process stay behind, and who waits for them waits for ever. Else 0.
long gw_loader_forked_from(void);
// False when a required entry point is missing.
bool gw_loader_instance_table(PFN_vkGetInstanceProcAddr get_proc, VkInstance instance,
                              gw_vk_instance *out_vk);
bool gw_loader_device_table(PFN_vkGetDeviceProcAddr get_proc, VkDevice device,
                            gw_vk_device *out_vk);
const char *gw_vk_result_name(VkResult result);
// The status that a VkResult stands for.
godwit_status gw_vk_status(VkResult result);

// --- extensions that are looked for

// E(name, text)
#define GW_EXTENSIONS(E)                                                                           \
    E(MEMORY_BUDGET, "VK_EXT_memory_budget")                                                       \
    E(INT_DOT, "VK_KHR_shader_integer_dot_product")                                                \
    E(SIZE_CONTROL, "VK_EXT_subgroup_size_control")                                                \
    E(EXECUTABLE, "VK_KHR_pipeline_executable_properties")                                         \
    E(COOPMAT, "VK_KHR_cooperative_matrix")                                                        \
    E(MAINTENANCE4, "VK_KHR_maintenance4")                                                         \
    E(PORTABILITY, "VK_KHR_portability_subset")                                                    \
    E(EXTERNAL_HOST, "VK_EXT_external_memory_host")                                                \
    E(CORES_SM, "VK_NV_shader_sm_builtins")                                                        \
    E(CORES_CU, "VK_AMD_shader_core_properties")                                                   \
    E(CORES_ARM, "VK_ARM_shader_core_builtins")

enum {
#define GW_EXTENSION_INDEX(name, text) GW_EXTENSION_INDEX_##name,
    GW_EXTENSIONS(GW_EXTENSION_INDEX)
#undef GW_EXTENSION_INDEX
        GW_N_EXTENSIONS,
#define GW_EXTENSION_BIT(name, text) GW_EXT_##name = 1u << GW_EXTENSION_INDEX_##name,
    GW_EXTENSIONS(GW_EXTENSION_BIT)
#undef GW_EXTENSION_BIT
};

// Read for what they say, not enabled.
enum { GW_EXT_CORES = GW_EXT_CORES_SM | GW_EXT_CORES_CU | GW_EXT_CORES_ARM };

// VK_KHR_cooperative_matrix and VK_EXT_layer_settings are younger than the headers of Debian 12
// (1.3.239), so the little of them that is needed is declared here under names of our own. Values
// from the Vulkan registry.
enum {
    GW_VK_STYPE_COOPMAT_FEATURES = 1000506000,
    GW_VK_STYPE_COOPMAT_PROPERTIES = 1000506001,
    GW_VK_COMPONENT_FLOAT16 = 0,
    GW_VK_COMPONENT_FLOAT32 = 1,
    GW_VK_COMPONENT_SINT8 = 3,
    GW_VK_COMPONENT_SINT32 = 5,
    GW_VK_SCOPE_SUBGROUP = 3,
    GW_VK_STYPE_LAYER_SETTINGS = 1000496000,
    GW_VK_LAYER_SETTING_BOOL = 0,
};
typedef struct gw_vk_layer_setting {
    const char *layer, *name;
    int32_t type;
    uint32_t n_values;
    const void *values;
} gw_vk_layer_setting;
typedef struct gw_vk_layer_settings {
    VkStructureType sType;
    const void *pNext;
    uint32_t n_settings;
    const gw_vk_layer_setting *settings;
} gw_vk_layer_settings;
typedef struct gw_vk_coopmat_features {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix, cooperativeMatrixRobustBufferAccess;
} gw_vk_coopmat_features;
typedef struct gw_vk_coopmat_properties {
    VkStructureType sType;
    void *pNext;
    uint32_t m, n, k;
    int32_t a, b, c, result;
    VkBool32 saturating;
    int32_t scope;
} gw_vk_coopmat_properties;
typedef VkResult(VKAPI_PTR *gw_vk_get_coopmat_fn)(VkPhysicalDevice, uint32_t *,
                                                  gw_vk_coopmat_properties *);

// --- features: one chain, used to ask and to enable

typedef struct gw_features {
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot;
    VkPhysicalDeviceSubgroupSizeControlFeatures size_control;
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable;
    VkPhysicalDeviceMaintenance4Features maintenance4;
    gw_vk_coopmat_features coopmat;
} gw_features;

// --- masks and quirks: one set of bits

enum {
    GW_MASK_SUBGROUP = 1 << 0,
    GW_MASK_DOT = 1 << 1,
    GW_MASK_FP16 = 1 << 2,
    GW_MASK_INT8 = 1 << 3,
    GW_MASK_STORAGE16 = 1 << 4,
    GW_MASK_STORAGE8 = 1 << 5,
    GW_MASK_COOPMAT = 1 << 6,
    GW_MASK_BUDGET = 1 << 7,
    GW_MASK_EVERY_WORD = 0xff,
    // The floor's limits (128 invocations, 16 KiB, 128 MiB) and no mapped device memory.
    GW_MASK_FLOOR = 1 << 8,
    // The heap size is not the truth: the host's physical memory bounds allocations.
    GW_QUIRK_HEAP_UNDERSTATED = 1 << 9,
    // These three with the row's number or module.
    GW_QUIRK_CAP_INVOCATIONS = 1 << 11, // of a workgroup; never below the floor
    GW_QUIRK_SPLIT_SUBMITS = 1 << 12, // a watchdog resets the device after so many ms of one submit
    GW_QUIRK_DISABLE_VARIANT = 1 << 13, // for all number formats
    // The caller's own device: who knows which features were enabled on it.
    GW_MASK_FOREIGN = 1 << 10,
    GW_QUIRK_SLOW_LOADS = 1 << 14,  // of storage buffers, against texel buffers
    GW_QUIRK_SLOW_UNROLL = 1 << 15, // seconds to compile a kernel with unrolled loops
};

typedef struct gw_quirk {
    const char *name;
    uint32_t vendor_id; // 0: any
    uint32_t driver_id;
    uint64_t version_min, version_max; // GW_DRIVER_VERSION, inclusive
    uint32_t effect;                   // bits of the enum above
    const char *reason, *source;
    uint32_t number;
    const char *module;
} gw_quirk;

// What the rows that match come to.
typedef struct gw_quirk_effects {
    uint32_t bits;
    uint32_t max_invocations, submit_ms; // 0: no such row, the default
    const gw_quirk *disabled[8];
    uint32_t n_disabled;
} gw_quirk_effects;

const gw_quirk *gw_quirk_table(uint32_t *out_n);
// The release that a driver names in VkPhysicalDeviceDriverProperties.driverInfo ("Mesa 22.3.6
// ..."), as GW_DRIVER_VERSION; where it names none, what the packed driverVersion says. The text
// comes first since drivers pack the number each in its own way, or leave it at 1.
#define GW_DRIVER_VERSION(major, minor, patch)                                                     \
    ((uint64_t)(major) << 40 | (uint64_t)(minor) << 20 | (uint64_t)(patch))
uint64_t gw_quirk_release(const char *driver_info, uint32_t driver_version);
// Effects of all rows that match; their names, comma-separated, into text.
void gw_quirks_match(const gw_quirk *rows, uint32_t n_rows, const godwit_device_info *info,
                     uint64_t release, char *text, size_t text_bytes, gw_quirk_effects *out);
// "NVIDIA"; for an unknown id a number in hexadecimal.
void gw_vendor_name(uint32_t vendor_id, char *text, size_t text_bytes);

// mask: words separated by commas and blanks, NULL or "" for none.
godwit_status gw_mask_parse(const char *mask, uint32_t *out_bits, godwit_error *err);

// --- adapter: a physical device that Godwit can use

typedef struct gw_adapter {
    VkPhysicalDevice handle;
    godwit_device_info info; // as the driver reports it; quirks only named
    uint32_t api;            // the lesser of the device's and the instance's
    uint32_t cores;          // that run workgroups; 0: not told
    uint32_t listed;         // GW_EXT_ bits that the device lists, to be enabled by name
    uint32_t extensions;     // these, and those that its version has in its core
    uint32_t queue_family, timestamp_bits;
    uint32_t quirks;          // effects.bits that are masks
    gw_quirk_effects effects; // of the quirk table
    uint64_t release;         // of the driver, GW_DRIVER_VERSION
    VkPhysicalDeviceLimits limits;
    VkPhysicalDeviceMemoryProperties memory;
    uint64_t max_buffer_bytes;
    bool full_subgroups;  // a required subgroup size can be asked for in compute
    bool subgroup_varies; // min != max
    bool memory_model;
    bool denorm_preserve_16; // and 32-bit denormals need not be treated alike
    // 32-bit floats can be asked to be rounded to even; also where other widths are not asked to.
    bool round_to_even_32, rounding_independent;
    gw_coopmat_shape coopmat_int8, coopmat_fp16; // see gw_caps
    uint8_t device_uuid[VK_UUID_SIZE], driver_uuid[VK_UUID_SIZE], cache_uuid[VK_UUID_SIZE];
} gw_adapter;

// What was found of a device that no file can keep it of: once a gpu, not once an open.
typedef struct gw_checked {
    struct gw_checked *next;
    const gw_adapter *adapter;
    uint32_t masks;
    uint64_t build; // gw_shader_digest
    gw_findings findings;
} gw_checked;

struct gw_gpu {
    const gw_host *host;
    atomic_uint n_refs;
    PFN_vkGetInstanceProcAddr get_proc;
    VkInstance instance;
    bool owns_instance;
    bool validation;    // the layer is on and the messenger listens
    uint32_t api;       // what the instance was created for
    uint32_t layer_api; // what the validation layer knows
    gw_vk_instance vk;
    VkDebugUtilsMessengerEXT messenger;
    atomic_ullong n_validation;
    char *cache_dir;           // NULL: none
    const gw_shader *override; // gw_gpu_override_shaders
    uint32_t n_override;
    gw_adapter *adapters;
    uint32_t n_adapters, n_adapters_max;
    pthread_mutex_t checked_lock; // guards the list
    gw_checked *checked;
    gw_kernel_known_fn knows_kernel; // gw_quirks_check's; NULL: all count
    atomic_bool has_unended;         // of a device whose handle was left, see gw_device.unended
};

// Fills adapter; *out_usable false (with a log line) for devices below the floor.
godwit_status gw_adapter_init(const gw_gpu *gpu, VkPhysicalDevice handle, gw_adapter *adapter,
                              bool *out_usable, godwit_error *err);
// Sorts, best first; gives the second device of a name another one.
void gw_rank_adapters(gw_adapter *adapters, uint32_t n);
void gw_tell_adapters_apart(gw_adapter *adapters, uint32_t n);
// The budgets of this moment, into info.
void gw_adapter_budget(const gw_gpu *gpu, const gw_adapter *adapter, godwit_device_info *info);
// Chains the structs that the device knows.
void gw_features_link(gw_features *features, const gw_adapter *adapter);
// What is left of info's capabilities after masks and quirks.
void gw_caps_init(const gw_adapter *adapter, uint32_t masks, gw_caps *out_caps);
// Writes caps over what info says.
void gw_caps_to_info(const gw_caps *caps, uint32_t masks, godwit_device_info *info);

// --- device

typedef struct gw_memory_owner {
    const char *name;
    uint64_t bytes, n_allocations;
} gw_memory_owner;

struct gw_buffer {
    gw_device *device; // retained but for the staging chunks, which the device itself owns
    bool owned_by_device;
    const char *owner;
    gw_buffer_kind kind;
    VkBuffer handle;
    VkDeviceMemory memory;
    uint32_t type, heap;
    uint64_t bytes;
    uint64_t memory_bytes; // what was allocated
    void *mapped;
    bool coherent, cached;
};

typedef struct gw_staging_slot {
    gw_buffer *buffer;
    VkCommandPool pool;
    VkCommandBuffer cmd;
    VkFence fence;
    bool in_flight;
    void *read_to; // where the chunk goes when its fence signals; NULL for writes
    uint64_t read_bytes;
} gw_staging_slot;

// What kernels with the same descriptors share.
typedef struct gw_layout {
    uint32_t descriptors; // gw_shader.descriptors
    VkDescriptorSetLayout set;
    VkPipelineLayout pipeline;
} gw_layout;

VkDescriptorType gw_descriptor_type(uint32_t descriptor);

struct gw_kernel {
    const gw_shader *shader;
    uint32_t spec[GW_KERNEL_MAX_SPEC];
    uint32_t n_spec;
    gw_layout layout; // the device's
    VkPipeline pipeline;
    VkPipeline based; // the same for dispatches that begin at a base; made at first use
    uint64_t compile_ns;
};

enum { GW_SUSPECTS_BYTES = 256 };

struct gw_device {
    gw_gpu *gpu;
    const gw_host *host;
    const gw_adapter *adapter;
    atomic_uint n_refs;
    VkDevice handle;
    bool owns_handle;
    gw_device *twin_of; // retained
    VkQueue queue;
    uint32_t queue_family, timestamp_bits;
    gw_vk_device vk;
    uint32_t masks; // the caller's and the quirks'
    gw_caps caps;
    bool executable_properties; // the feature is on

    atomic_bool lost;        // reported to every caller
    atomic_bool driver_lost; // the driver itself said so (or hung): nothing to wait for
    // Work is in flight of which nothing shows that it ended: what it may use is left, not
    // destroyed.
    atomic_bool unended;
    atomic_uint lose_at_submit, fail_at_alloc;
    atomic_ullong pace_fs; // 0: nothing has run
    atomic_bool pace_fixed;
    atomic_ullong room; // injected; 0: none

    pthread_mutex_t submit_lock;

    pthread_mutex_t memory_lock; // guards owners and heap_bytes
    gw_vec(gw_memory_owner) owners;
    uint64_t heap_bytes[VK_MAX_MEMORY_HEAPS]; // held by us

    pthread_mutex_t kernel_lock; // guards the four below
    gw_vec(gw_kernel *) kernels;
    gw_vec(gw_layout) layouts;
    VkPipelineCache pipeline_cache;
    size_t cache_loaded_bytes;

    pthread_mutex_t staging_lock;
    gw_staging_slot staging[2];

    pthread_mutex_t findings_lock;
    gw_findings findings;
    bool trying; // trial.c's mark is on disk
    int trial_fd;
    char tried[32];                   // its module
    char suspects[GW_SUSPECTS_BYTES]; // trial.c's, each with a line end
    uint64_t trials_synced;
};

// err with the device's name in front; marks the device lost when result says so.
godwit_status gw_device_fail(gw_device *device, godwit_error *err, VkResult result,
                             const char *what);
// GODWIT_DEVICE_LOST once the device was lost, else GODWIT_OK.
godwit_status gw_device_check_lost(gw_device *device, godwit_error *err);
// The same, and GODWIT_UNSUPPORTED for a device that runs nothing.
godwit_status gw_device_check(gw_device *device, godwit_error *err);
// Submits one command buffer with a fence (unsignaled), under the lock.
godwit_status gw_device_submit(gw_device *device, VkCommandBuffer cmd, VkFence fence,
                               const char *what, godwit_error *err);
// Waits for the fence and resets it: warns each minute, gives up after ten. Whatever fails here
// loses the device; where all that was submitted cannot be waited for either, it is unended.
godwit_status gw_device_wait(gw_device *device, VkFence fence, const char *what, godwit_error *err);
void gw_device_name_object(gw_device *device, VkObjectType type, uint64_t handle, const char *name);
// True for the call that a counter set by gw_device_inject was counting towards.
bool gw_inject_hits(atomic_uint *counter);

// --- memory

// gw_buffer_create without a reference to the device and without zeroing.
godwit_status gw_buffer_init(gw_device *device, gw_buffer_kind kind, uint64_t bytes,
                             const char *owner, gw_buffer **out_buffer, godwit_error *err);
// Host writes and host reads, where memory is not coherent.
godwit_status gw_buffer_flush(gw_buffer *buffer, godwit_error *err);
godwit_status gw_buffer_invalidate(gw_buffer *buffer, godwit_error *err);

// --- transfer

godwit_status gw_transfer_zero(gw_buffer *buffer, godwit_error *err);
void gw_transfer_deinit(gw_device *device);

// --- kernels

void gw_kernels_deinit(gw_device *device);
godwit_status gw_kernel_based(gw_device *device, gw_kernel *kernel, VkPipeline *out_pipeline,
                              godwit_error *err);
// A pipeline of kernel's module; flags are added to the create info. *out_ns: time it took.
godwit_status gw_kernel_compile(gw_device *device, const gw_kernel *kernel,
                                VkPipelineCreateFlags flags, VkPipeline *out_pipeline,
                                uint64_t *out_ns, godwit_error *err);

// A module's words: its own, or a copy in *out_copy, n_words long, that the caller frees.
godwit_status gw_shader_words(const gw_host *host, const gw_shader *shader,
                              const uint32_t **out_words, uint32_t **out_copy, godwit_error *err);
// A copy of a module in which 32-bit floats are rounded to even; *out_words NULL: it is to be taken
// as it is, since it says itself how it rounds, or has floats of other widths that the device wants
// treated alike (independent false). The caller frees *out_n words.
godwit_status gw_spirv_round_to_even(const gw_host *host, const uint32_t *words, uint32_t n_words,
                                     bool independent, uint32_t **out_words, uint32_t *out_n,
                                     godwit_error *err);

// --- the pipeline cache's file

typedef struct gw_cache_key {
    uint8_t bytes[64];
} gw_cache_key;
enum { GW_CACHE_HEADER_BYTES = 96 };

void gw_cache_key_init(const gw_adapter *adapter, gw_cache_key *out_key);
// Length of the file's name; cut when it is longer than text_bytes.
size_t gw_cache_path(const char *dir, const gw_cache_key *key, char *text, size_t text_bytes);
// Header for a payload; and the payload's length after checking a file's bytes, 0 with *out_reason.
void gw_cache_encode_header(const gw_cache_key *key, const void *payload, uint64_t payload_bytes,
                            uint8_t out_header[GW_CACHE_HEADER_BYTES]);
uint64_t gw_cache_check(const gw_cache_key *key, const uint8_t *bytes, uint64_t n_bytes,
                        const char **out_reason);
// A file of the cache directory, which is made where it is not there: two parts, whole or not at
// all.
godwit_status gw_cache_save(const gw_gpu *gpu, const char *path, const void *head, size_t n_head,
                            const void *body, size_t n_body, godwit_error *err);
void gw_cache_init(gw_device *device);   // a cache in any case, from the file where there is one
void gw_cache_deinit(gw_device *device); // writes the file when the cache grew

// --- findings

// What the cache directory knows of an adapter; nothing where there is none.
void gw_findings_load(const gw_gpu *gpu, const gw_adapter *adapter, gw_findings *out);
void gw_findings_to_info(const gw_findings *list, godwit_device_info *info);
// The same of a device that is being opened: with what this gpu remembers, and with what a process
// that ended was trying.
void gw_device_load_findings(gw_device *device);
void gw_checked_deinit(gw_gpu *gpu);

// A line of quirks.txt (quirk_rows.c).
typedef struct gw_quirk_row {
    char device[16], driver[12], release[24], build[20], effect[12], name[64];
    const char *reason; // in text
    char text[512];
    char problem[160]; // what is wrong with it; "": nothing
} gw_quirk_row;

// The next line between *at and end, with its length; false behind the last one.
bool gw_quirk_row_next(const char **at, const char *end, const char **out_line, size_t *out_n);
// False where it is no row: with a problem, or without for comments and empty lines.
bool gw_quirk_row_parse(const char *line, size_t n, gw_quirk_row *out);
// Whether its finding is a kernel that such a row may name; else there is a problem.
bool gw_quirk_row_names_kernel(const gw_gpu *gpu, const gw_finding *finding, gw_quirk_row *row);
// Against the first four words of a device's own rows: it may have *, or is one of those.
bool gw_quirk_row_is_of_build(const gw_quirk_row *row, const gw_quirk_row *device);
bool gw_quirk_row_matches(const gw_quirk_row *row, const gw_quirk_row *device);
bool gw_quirk_row_is_ours(const gw_quirk_row *row, const gw_quirk_row *device);
// The memory type that serves a kind best among those in left, which it is taken out of; false: none.
bool gw_next_memory_type(const gw_device *device, gw_buffer_kind kind, uint32_t *left,
                         uint32_t *out_type);
enum { GW_BUFFER_SLACK = 256 }; // bytes behind what a buffer was asked for, for views
enum { GW_PATH_BYTES = 4096 };
// "<cache directory>/<key>.<kind>", the key of device, driver and build.
bool gw_findings_path(const gw_gpu *gpu, const gw_adapter *adapter, const char *kind,
                      char path[GW_PATH_BYTES]);

// A mark that nobody holds any more, taken; it is given back by gw_trial_settle.
typedef struct gw_trial {
    char path[GW_PATH_BYTES], module[32];
    int fd;
} gw_trial;
bool gw_trial_left(const gw_gpu *gpu, const gw_adapter *adapter, gw_trial *out);
// Reads the device's suspects. True where the trial's module was one, which it is no more; else it
// is one from here on. A trial without a module: false.
bool gw_trial_is_second(gw_device *device, const gw_trial *trial);
// forget: the mark goes, and the suspects are written.
void gw_trial_settle(gw_device *device, const gw_trial *trial, bool forget);

// --- recorder and commands

struct gw_commands {
    gw_device *device; // retained
    VkCommandPool pool;
    VkCommandBuffer cmd;
    VkDescriptorPool sets;
    VkQueryPool queries;
    VkFence fence;
    uint32_t n_timestamps;
    bool in_flight, has_run;
    gw_vec(VkBufferView) views;
    gw_vec(gw_buffer *) incoherent; // buffers to flush before and invalidate after a run
};

struct gw_recorder {
    gw_commands *commands;
    uint32_t n_dispatches, n_dispatches_max;
    VkPipeline bound;
    godwit_status status; // the first failure of a call that returns nothing
    godwit_error error;
};

#endif
