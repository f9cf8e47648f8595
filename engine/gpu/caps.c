// Capabilities: what a physical device reports, and what is left of it for kernels to choose by.
//
// Owns gw_adapter's filling (the public godwit_device_info among it), the feature chain and
// gw_caps after masks and quirks. The idea: ask once when the instance is made; masks and quirks
// only take away, so that a masked device is a lesser device in everything that follows.
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Nearly every driver of hardware has a watchdog, and nothing in Vulkan tells its time. The
// shortest that is common: amdgpu of Linux since 7.0. Rows of quirks.def name shorter ones.
enum { SUBMIT_MS_DEFAULT = 2000 };

static const char *const extension_names[] = {
#define NAME(name, text) text,
    GW_EXTENSIONS(NAME)
#undef NAME
};

static godwit_status find_extensions(const gw_gpu *gpu, gw_adapter *a, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint32_t n = 0, n_max = 0;
    VkExtensionProperties *rows = NULL;
    VkResult result = gpu->vk.EnumerateDeviceExtensionProperties(a->handle, NULL, &n, NULL);
    if (result == VK_SUCCESS && n > 0) {
        n_max = n;
        rows = gw_alloc(gpu->host, n_max, sizeof *rows);
        GW_CHECK_ALLOC(rows, err, "list of device extensions");
        result = gpu->vk.EnumerateDeviceExtensionProperties(a->handle, NULL, &n, rows);
    }
    if (result < 0) {
        status = gw_fail_driver(err, gw_vk_status(result), result, "device %s: extensions: %s",
                                a->info.name, gw_vk_result_name(result));
        goto done;
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < GW_N_EXTENSIONS; k++)
            if (strcmp(rows[i].extensionName, extension_names[k]) == 0) a->listed |= 1u << k;
    // An older layer takes a struct that it does not know for an error of ours.
    if (gpu->validation && gpu->layer_api < VK_MAKE_API_VERSION(0, 1, 3, 255))
        a->listed &= ~(uint32_t)GW_EXT_COOPMAT;
    a->extensions = a->listed;
    if (a->api >= VK_API_VERSION_1_3)
        a->extensions |= GW_EXT_INT_DOT | GW_EXT_SIZE_CONTROL | GW_EXT_MAINTENANCE4;
done:
    gw_free(gpu->host, rows, n_max * sizeof *rows);
    return status;
}

// The first family that does both graphics and compute is the one every driver is tested with;
// failing that the first with compute.
static bool find_queue(const gw_gpu *gpu, gw_adapter *a) {
    VkQueueFamilyProperties families[32];
    uint32_t n = 32;
    bool found = false;
    gpu->vk.GetPhysicalDeviceQueueFamilyProperties(a->handle, &n, families);
    for (uint32_t i = 0; i < n; i++) {
        bool compute = families[i].queueFlags & VK_QUEUE_COMPUTE_BIT;
        bool graphics = families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT;
        if (!compute || families[i].queueCount == 0 || (found && !graphics)) continue;
        found = true;
        a->queue_family = i;
        a->timestamp_bits = families[i].timestampValidBits;
        if (graphics) break;
    }
    return found;
}

static void chain(void **tail, void *link) {
    // Every struct of Vulkan that can be chained begins like this one.
    VkBaseOutStructure *item = link;
    item->pNext = *tail;
    *tail = item;
}

void gw_features_link(gw_features *f, const gw_adapter *a) {
    const uint32_t has = a->extensions;
    f->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    f->v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    f->v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    f->dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES;
    f->size_control.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
    f->executable.sType =
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR;
    f->maintenance4.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES;
    f->coopmat.sType = (VkStructureType)GW_VK_STYPE_COOPMAT_FEATURES;
    f->core.pNext = NULL;
    chain(&f->core.pNext, &f->v11);
    chain(&f->core.pNext, &f->v12);
    if (has & GW_EXT_INT_DOT) chain(&f->core.pNext, &f->dot);
    if (has & GW_EXT_SIZE_CONTROL) chain(&f->core.pNext, &f->size_control);
    if (has & GW_EXT_EXECUTABLE) chain(&f->core.pNext, &f->executable);
    if (has & GW_EXT_MAINTENANCE4) chain(&f->core.pNext, &f->maintenance4);
    if (has & GW_EXT_COOPMAT) chain(&f->core.pNext, &f->coopmat);
}

static void info_features(const gw_gpu *gpu, gw_adapter *a) {
    godwit_device_info *info = &a->info;
    gw_features f;
    memset(&f, 0, sizeof f);
    gw_features_link(&f, a);
    gpu->vk.GetPhysicalDeviceFeatures2(a->handle, &f.core);
    info->int16 = f.core.features.shaderInt16;
    info->int64 = f.core.features.shaderInt64;
    info->storage_16bit = f.v11.storageBuffer16BitAccess;
    info->storage_8bit = f.v12.storageBuffer8BitAccess;
    info->int8 = f.v12.shaderInt8;
    info->fp16 = f.v12.shaderFloat16;
    info->buffer_device_address = f.v12.bufferDeviceAddress;
    info->timeline_semaphore = f.v12.timelineSemaphore;
    info->int_dot = f.dot.shaderIntegerDotProduct;
    info->subgroup_size_control = f.size_control.subgroupSizeControl;
    a->full_subgroups = f.size_control.subgroupSizeControl && f.size_control.computeFullSubgroups;
    info->pipeline_executable_properties = f.executable.pipelineExecutableInfo;
    info->cooperative_matrix = f.coopmat.cooperativeMatrix;
    info->external_host_memory = a->extensions & GW_EXT_EXTERNAL_HOST;
    info->memory_budget = a->extensions & GW_EXT_MEMORY_BUDGET;
    a->memory_model = f.v12.vulkanMemoryModel && f.v12.vulkanMemoryModelDeviceScope;
}

// Of shapes that kernels know the one with the largest result, then with the longest sums.
static void take_shape(const gw_vk_coopmat_properties *r, uint32_t k_max, gw_coopmat_shape *best) {
    bool known = (r->m == 8 || r->m == 16) && (r->n == 8 || r->n == 16) &&
                 (r->k == 8 || r->k == 16 || r->k == 32) && r->k <= k_max;
    uint32_t now = best->m * best->n, then = r->m * r->n;
    if (known && (then > now || (then == now && r->k > best->k)))
        *best = (gw_coopmat_shape){r->m, r->n, r->k};
}

static void info_coopmat(const gw_gpu *gpu, gw_adapter *a) {
    gw_vk_coopmat_properties rows[64];
    uint32_t n = 64;
    gw_vk_get_coopmat_fn list = (gw_vk_get_coopmat_fn)gpu->get_proc(
        gpu->instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    if (!a->info.cooperative_matrix || !list) return;
    memset(rows, 0, sizeof rows);
    for (uint32_t i = 0; i < n; i++)
        rows[i].sType = (VkStructureType)GW_VK_STYPE_COOPMAT_PROPERTIES;
    if (list(a->handle, &n, rows) < 0) return;
    for (uint32_t i = 0; i < n; i++) {
        const gw_vk_coopmat_properties *r = &rows[i];
        if (r->scope != GW_VK_SCOPE_SUBGROUP || r->saturating || r->a != r->b || r->c != r->result)
            continue;
        if (r->a == GW_VK_COMPONENT_SINT8 && r->c == GW_VK_COMPONENT_SINT32) {
            a->info.cooperative_matrix_int8 = true;
            take_shape(r, 32, &a->coopmat_int8);
        }
        if (r->a == GW_VK_COMPONENT_FLOAT16 && r->c == GW_VK_COMPONENT_FLOAT32) {
            a->info.cooperative_matrix_fp16 = true;
            take_shape(r, 16, &a->coopmat_fp16);
        }
    }
}

typedef struct property_chain {
    VkPhysicalDeviceProperties2 core;
    VkPhysicalDeviceVulkan11Properties v11;
    VkPhysicalDeviceFloatControlsProperties float_controls;
    VkPhysicalDeviceDriverProperties driver;
    VkPhysicalDeviceSubgroupSizeControlProperties size_control;
    VkPhysicalDeviceShaderIntegerDotProductProperties dot;
    VkPhysicalDeviceMaintenance4Properties maintenance4;
    VkPhysicalDeviceShaderSMBuiltinsPropertiesNV cores_sm;
    VkPhysicalDeviceShaderCorePropertiesAMD cores_cu;
    VkPhysicalDeviceShaderCoreBuiltinsPropertiesARM cores_arm;
} property_chain;

static void query_properties(const gw_gpu *gpu, const gw_adapter *a, property_chain *p) {
    memset(p, 0, sizeof *p);
    p->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    p->v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
    p->float_controls.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES;
    p->driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    p->size_control.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES;
    p->dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES;
    p->maintenance4.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES;
    p->cores_sm.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV;
    p->cores_cu.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD;
    p->cores_arm.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_BUILTINS_PROPERTIES_ARM;
    chain(&p->core.pNext, &p->v11);
    chain(&p->core.pNext, &p->float_controls);
    chain(&p->core.pNext, &p->driver);
    if (a->extensions & GW_EXT_CORES_SM) chain(&p->core.pNext, &p->cores_sm);
    if (a->extensions & GW_EXT_CORES_CU) chain(&p->core.pNext, &p->cores_cu);
    if (a->extensions & GW_EXT_CORES_ARM) chain(&p->core.pNext, &p->cores_arm);
    if (a->extensions & GW_EXT_SIZE_CONTROL) chain(&p->core.pNext, &p->size_control);
    if (a->extensions & GW_EXT_INT_DOT) chain(&p->core.pNext, &p->dot);
    if (a->extensions & GW_EXT_MAINTENANCE4) chain(&p->core.pNext, &p->maintenance4);
    gpu->vk.GetPhysicalDeviceProperties2(a->handle, &p->core);
}

static godwit_device_type type_of(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return GODWIT_DEVICE_DISCRETE;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return GODWIT_DEVICE_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return GODWIT_DEVICE_VIRTUAL;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return GODWIT_DEVICE_SOFTWARE;
    default:
        return GODWIT_DEVICE_OTHER;
    }
}

static void info_identity(const property_chain *p, gw_adapter *a) {
    const VkPhysicalDeviceProperties *core = &p->core.properties;
    godwit_device_info *info = &a->info;
    snprintf(info->name, sizeof info->name, "%s", core->deviceName);
    gw_vendor_name(core->vendorID, info->vendor, sizeof info->vendor);
    snprintf(info->driver, sizeof info->driver, "%.120s%s%.120s", p->driver.driverName,
             p->driver.driverInfo[0] ? " " : "", p->driver.driverInfo);
    info->vendor_id = core->vendorID;
    info->device_id = core->deviceID;
    info->driver_id = (uint32_t)p->driver.driverID;
    info->driver_version = core->driverVersion;
    info->api_major = VK_API_VERSION_MAJOR(core->apiVersion);
    info->api_minor = VK_API_VERSION_MINOR(core->apiVersion);
    info->api_patch = VK_API_VERSION_PATCH(core->apiVersion);
    info->type = type_of(core->deviceType);
    memcpy(a->device_uuid, p->v11.deviceUUID, VK_UUID_SIZE);
    memcpy(a->driver_uuid, p->v11.driverUUID, VK_UUID_SIZE);
    const VkPhysicalDeviceFloatControlsProperties *floats = &p->float_controls;
    const VkShaderFloatControlsIndependence none = VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_NONE;
    a->denorm_preserve_16 =
        floats->shaderDenormPreserveFloat16 && floats->denormBehaviorIndependence != none;
    a->round_to_even_32 = floats->shaderRoundingModeRTEFloat32;
    a->rounding_independent = floats->roundingModeIndependence != none;
    memcpy(a->cache_uuid, core->pipelineCacheUUID, VK_UUID_SIZE);
}

static void info_limits(const property_chain *p, gw_adapter *a) {
    const VkPhysicalDeviceLimits *limits = &p->core.properties.limits;
    const VkSubgroupFeatureFlags arithmetic = VK_SUBGROUP_FEATURE_ARITHMETIC_BIT,
                                 shuffle = VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
    const bool in_compute = p->v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT;
    godwit_device_info *info = &a->info;
    const VkPhysicalDeviceShaderCorePropertiesAMD *cu = &p->cores_cu;
    a->limits = *limits;
    // At most one of them is there.
    a->cores =
        p->cores_sm.shaderSMCount + p->cores_arm.shaderCoreCount +
        cu->shaderEngineCount * cu->shaderArraysPerEngineCount * cu->computeUnitsPerShaderArray;
    info->subgroup_size = p->v11.subgroupSize;
    info->subgroup_size_min = info->subgroup_size_max = p->v11.subgroupSize;
    if (info->subgroup_size_control) {
        info->subgroup_size_min = p->size_control.minSubgroupSize;
        info->subgroup_size_max = p->size_control.maxSubgroupSize;
        a->full_subgroups = a->full_subgroups && (p->size_control.requiredSubgroupSizeStages &
                                                  VK_SHADER_STAGE_COMPUTE_BIT);
    }
    a->subgroup_varies = info->subgroup_size_min != info->subgroup_size_max;
    info->subgroup_arithmetic = in_compute && (p->v11.subgroupSupportedOperations & arithmetic);
    info->subgroup_shuffle = in_compute && (p->v11.subgroupSupportedOperations & shuffle);
    info->int_dot_accelerated =
        info->int_dot && p->dot.integerDotProduct4x8BitPackedSignedAccelerated;
    info->max_workgroup_invocations = limits->maxComputeWorkGroupInvocations;
    info->max_shared_bytes = limits->maxComputeSharedMemorySize;
    info->max_push_constant_bytes = limits->maxPushConstantsSize;
    info->max_storage_buffer_range = limits->maxStorageBufferRange;
    info->max_allocation_bytes = p->v11.maxMemoryAllocationSize;
    info->min_storage_buffer_align = limits->minStorageBufferOffsetAlignment;
    // A driver without hardware has been seen to say infinity.
    if (a->timestamp_bits && limits->timestampPeriod < 1e9f)
        info->timestamp_period_ns = limits->timestampPeriod;
    a->max_buffer_bytes = p->v11.maxMemoryAllocationSize;
    if (p->maintenance4.maxBufferSize && p->maintenance4.maxBufferSize < a->max_buffer_bytes)
        a->max_buffer_bytes = p->maintenance4.maxBufferSize;
}

static void info_memory(const gw_gpu *gpu, gw_adapter *a) {
    VkPhysicalDeviceMemoryProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    godwit_device_info *info = &a->info;
    bool only_local = true, visible = false;
    gpu->vk.GetPhysicalDeviceMemoryProperties2(a->handle, &p);
    a->memory = p.memoryProperties;
    info->n_heaps = a->memory.memoryHeapCount;
    for (uint32_t i = 0; i < info->n_heaps; i++) {
        const VkMemoryHeap *heap = &a->memory.memoryHeaps[i];
        info->heaps[i].bytes = heap->size;
        info->heaps[i].device_local = heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
        only_local = only_local && info->heaps[i].device_local;
        if (info->heaps[i].device_local && heap->size > info->memory_bytes)
            info->memory_bytes = heap->size;
    }
    for (uint32_t i = 0; i < a->memory.memoryTypeCount; i++)
        if (a->memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)
            visible = true;
    // A discrete card with a resizable BAR is not meant: its memory is still across a bus.
    info->uma = info->type == GODWIT_DEVICE_SOFTWARE || info->type == GODWIT_DEVICE_INTEGRATED ||
                (only_local && visible);
    info->host_memory_bytes = gw_host_memory_bytes();
}

void gw_adapter_budget(const gw_gpu *gpu, const gw_adapter *a, godwit_device_info *info) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 p = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
    uint64_t largest = 0;
    info->memory_budget_bytes = 0;
    for (uint32_t i = 0; i < info->n_heaps; i++) info->heaps[i].budget_bytes = 0;
    if (!info->memory_budget) return;
    gpu->vk.GetPhysicalDeviceMemoryProperties2(a->handle, &p);
    for (uint32_t i = 0; i < info->n_heaps; i++) {
        const uint64_t all = budget.heapBudget[i], used = budget.heapUsage[i];
        info->heaps[i].budget_bytes = all > used ? all - used : 0;
        if (!info->heaps[i].device_local || info->heaps[i].bytes < largest) continue;
        largest = info->heaps[i].bytes;
        info->memory_budget_bytes = info->heaps[i].budget_bytes;
    }
}

// What the modules that every device runs want; Vulkan promises 4. Variants bind what the plain
// module binds.
static uint32_t most_bindings(void) {
    uint32_t n = 0, most = 0;
    const gw_shader *table = gw_shader_table(&n);
    for (uint32_t i = 0; i < n; i++)
        if (table[i].n_bindings > most) most = table[i].n_bindings;
    return most;
}

static bool has_matrix_modules(void) {
    uint32_t n = 0;
    const gw_shader *table = gw_shader_table(&n);
    for (uint32_t i = 0; i < n; i++)
        if (strstr(table[i].name, ".coopmat")) return true;
    return false;
}

godwit_status gw_adapter_init(const gw_gpu *gpu, VkPhysicalDevice handle, gw_adapter *a,
                              bool *out_usable, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkPhysicalDeviceProperties core;
    property_chain p;
    uint32_t n_rows = 0;
    memset(a, 0, sizeof *a);
    *out_usable = false;
    a->handle = handle;
    a->info.struct_size = sizeof a->info;
    // A device of Vulkan 1.0 may not even be asked with the later calls.
    gpu->vk.GetPhysicalDeviceProperties(handle, &core);
    snprintf(a->info.name, sizeof a->info.name, "%s", core.deviceName);
    if (core.apiVersion < VK_API_VERSION_1_2) {
        gw_log(gpu->host, GODWIT_LOG_INFO, "device %s: left out: Vulkan %u.%u, Godwit needs 1.2",
               core.deviceName, VK_API_VERSION_MAJOR(core.apiVersion),
               VK_API_VERSION_MINOR(core.apiVersion));
        return GODWIT_OK;
    }
    if (!find_queue(gpu, a)) {
        gw_log(gpu->host, GODWIT_LOG_INFO, "device %s: left out: no compute queue",
               core.deviceName);
        return GODWIT_OK;
    }
    a->api = core.apiVersion < gpu->api ? core.apiVersion : gpu->api;
    GW_TRY(find_extensions(gpu, a, err));
    info_features(gpu, a);
    query_properties(gpu, a, &p);
    info_identity(&p, a);
    info_limits(&p, a);
    info_memory(gpu, a);
    const uint32_t n_buffers = most_bindings();
    if (a->limits.maxPerStageDescriptorStorageBuffers < n_buffers) {
        gw_log(gpu->host, GODWIT_LOG_INFO,
               "device %s: left out: a kernel may have %u storage buffers, Godwit needs %u",
               core.deviceName, a->limits.maxPerStageDescriptorStorageBuffers, n_buffers);
        return GODWIT_OK;
    }
    const gw_quirk *rows = gw_quirk_table(&n_rows);
    a->release = gw_quirk_release(p.driver.driverInfo, p.core.properties.driverVersion);
    gw_quirks_match(rows, n_rows, &a->info, a->release, a->info.quirks, sizeof a->info.quirks,
                    &a->effects);
    a->quirks = a->effects.bits;
    // Asking is what crashes where a row takes matrices away.
    if (!(a->quirks & GW_MASK_COOPMAT)) info_coopmat(gpu, a);
    a->info.matrix_kernels_left_out = a->info.cooperative_matrix && !has_matrix_modules();
    *out_usable = true;
done:
    return status;
}

static const struct {
    const char *word;
    uint32_t bits;
} mask_words[] = {
    {"subgroup", GW_MASK_SUBGROUP},
    {"dot", GW_MASK_DOT},
    {"fp16", GW_MASK_FP16},
    {"int8", GW_MASK_INT8},
    {"storage16", GW_MASK_STORAGE16},
    {"storage8", GW_MASK_STORAGE8},
    {"coopmat", GW_MASK_COOPMAT},
    {"budget", GW_MASK_BUDGET},
    {"floor", GW_MASK_FLOOR | GW_MASK_EVERY_WORD},
};

godwit_status gw_mask_parse(const char *mask, uint32_t *out_bits, godwit_error *err) {
    static const char separators[] = ", ";
    uint32_t bits = 0;
    const char *at = mask ? mask : "";
    while (*(at += strspn(at, separators))) {
        const size_t n = strcspn(at, separators);
        const size_t n_words = sizeof mask_words / sizeof *mask_words;
        size_t i = 0;
        while (i < n_words &&
               (strlen(mask_words[i].word) != n || memcmp(mask_words[i].word, at, n) != 0))
            i++;
        if (i == n_words)
            return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                           "device mask: \"%.*s\" is not a capability; use some of subgroup, dot, "
                           "fp16, int8, storage16, storage8, coopmat, budget, or floor for all",
                           (int)(n < 64 ? n : 64), at);
        bits |= mask_words[i].bits;
        at += n;
    }
    *out_bits = bits;
    return GODWIT_OK;
}

static void caps_floor(gw_caps *caps) {
    if (caps->max_workgroup_invocations > 128) caps->max_workgroup_invocations = 128;
    if (caps->max_shared_bytes > 16384) caps->max_shared_bytes = 16384;
    if (caps->max_storage_buffer_range > GW_FLOOR_STORAGE_RANGE)
        caps->max_storage_buffer_range = GW_FLOOR_STORAGE_RANGE;
    if (caps->max_groups_x > 65535) caps->max_groups_x = 65535;
    if (caps->max_groups_y > 65535) caps->max_groups_y = 65535;
    if (caps->max_groups_z > 65535) caps->max_groups_z = 65535;
    if (caps->subgroup_size > 4) caps->subgroup_size = 4;
}

// Texel buffers count where they can hold what the weakest storage buffer does.
static void caps_texels(const VkPhysicalDeviceLimits *limits, gw_caps *caps) {
    const uint64_t bytes = UINT64_C(4) * limits->maxTexelBufferElements;
    caps->max_texel_bytes =
        bytes < caps->max_storage_buffer_range ? bytes : caps->max_storage_buffer_range;
    caps->texel_dot = caps->int_dot && bytes >= GW_FLOOR_STORAGE_RANGE;
    if (caps->texel_dot && limits->minTexelBufferOffsetAlignment > caps->storage_align)
        caps->storage_align = (uint32_t)limits->minTexelBufferOffsetAlignment;
}

void gw_caps_init(const gw_adapter *a, uint32_t masks, gw_caps *caps) {
    const godwit_device_info *info = &a->info;
    const VkPhysicalDeviceLimits *limits = &a->limits;
    // Where the driver may choose the size and cannot be told, a subgroup is nothing to build on.
    const bool fixed = !a->subgroup_varies || (a->full_subgroups && !(masks & GW_MASK_FOREIGN));
    const bool subgroup = fixed && !(masks & GW_MASK_SUBGROUP);
    memset(caps, 0, sizeof *caps);
    caps->subgroup_arithmetic = subgroup && info->subgroup_arithmetic;
    caps->subgroup_shuffle = subgroup && info->subgroup_shuffle;
    caps->subgroup_size = info->subgroup_size;
    caps->int_dot = info->int_dot && !(masks & GW_MASK_DOT);
    caps->int_dot_accelerated = caps->int_dot && info->int_dot_accelerated;
    caps->fp16 = info->fp16 && !(masks & GW_MASK_FP16);
    caps->int8 = info->int8 && !(masks & GW_MASK_INT8);
    caps->storage_16bit = info->storage_16bit && !(masks & GW_MASK_STORAGE16);
    caps->storage_8bit = info->storage_8bit && !(masks & GW_MASK_STORAGE8);
    // Cooperative-matrix modules are SPIR-V 1.6 under the Vulkan memory model.
    caps->coopmat = info->cooperative_matrix && a->memory_model && subgroup &&
                    a->api >= VK_API_VERSION_1_3 && !(masks & GW_MASK_COOPMAT);
    caps->device_scope = a->memory_model && !(masks & GW_MASK_FLOOR);
    caps->unrolled_dot = caps->int_dot && !(masks & GW_QUIRK_SLOW_UNROLL);
    caps->unrolled_fp16 = caps->unrolled_dot && caps->fp16 && a->denorm_preserve_16;
    // A result is spread evenly over a subgroup.
    const uint32_t subgroup_max = 64;
    if (caps->coopmat && info->subgroup_size <= subgroup_max) {
        if (caps->int8) caps->coopmat_int8 = a->coopmat_int8;
        if (caps->fp16) caps->coopmat_fp16 = a->coopmat_fp16;
    }
    caps->software = info->type == GODWIT_DEVICE_SOFTWARE;
    caps->cores = a->cores;
    caps->max_workgroup_invocations = limits->maxComputeWorkGroupInvocations;
    caps->max_shared_bytes = limits->maxComputeSharedMemorySize;
    caps->max_groups_x = limits->maxComputeWorkGroupCount[0];
    caps->max_groups_y = limits->maxComputeWorkGroupCount[1];
    caps->max_groups_z = limits->maxComputeWorkGroupCount[2];
    caps->max_storage_buffer_range = limits->maxStorageBufferRange;
    caps->max_buffer_bytes =
        a->max_buffer_bytes - GW_BUFFER_SLACK - 4; // less what is added to a buffer
    caps->storage_align = (uint32_t)limits->minStorageBufferOffsetAlignment;
    caps_texels(limits, caps);
    caps->slow_loads = (masks & GW_QUIRK_SLOW_LOADS) != 0;
    // The floor is what every kernel can be cut down to.
    const uint32_t most = a->effects.max_invocations < 128 ? 128 : a->effects.max_invocations;
    if (a->effects.max_invocations && caps->max_workgroup_invocations > most)
        caps->max_workgroup_invocations = most;
    const uint32_t submit_ms = a->effects.submit_ms;
    caps->submit_ms = submit_ms && submit_ms < SUBMIT_MS_DEFAULT ? submit_ms : SUBMIT_MS_DEFAULT;
    if (caps->software) caps->submit_ms = 0;
    if (masks & GW_MASK_FLOOR) caps_floor(caps);
}

void gw_caps_to_info(const gw_caps *caps, uint32_t masks, godwit_device_info *info) {
    info->subgroup_arithmetic = caps->subgroup_arithmetic;
    info->subgroup_shuffle = caps->subgroup_shuffle;
    info->subgroup_size = caps->subgroup_size;
    info->fp16 = caps->fp16;
    info->int8 = caps->int8;
    info->storage_8bit = caps->storage_8bit;
    info->storage_16bit = caps->storage_16bit;
    info->int_dot = caps->int_dot;
    info->int_dot_accelerated = caps->int_dot_accelerated;
    info->cooperative_matrix = caps->coopmat;
    info->cooperative_matrix_int8 = info->cooperative_matrix_int8 && caps->coopmat;
    info->cooperative_matrix_fp16 = info->cooperative_matrix_fp16 && caps->coopmat;
    info->matrix_kernels_left_out = info->matrix_kernels_left_out && caps->coopmat;
    info->memory_budget = info->memory_budget && !(masks & GW_MASK_BUDGET);
    info->max_workgroup_invocations = caps->max_workgroup_invocations;
    info->max_shared_bytes = caps->max_shared_bytes;
    info->max_storage_buffer_range = caps->max_storage_buffer_range;
}
