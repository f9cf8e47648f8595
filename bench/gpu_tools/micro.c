// micro: what a Vulkan device can do, measured without Godwit: its limits as JSON ("caps"), or its
// rates as a line of JSON each ("rates"): reading, launches, barriers, submits, arithmetic,
// matrices.
//
//   micro caps|rates [--device PART_OF_NAME] [--small]
//   micro time FILE.spv [--device PART_OF_NAME] [-c ID=VALUE]... [-w SUBGROUP] [-g X,Y,Z] [-p
//   WORD]...
//         [-b BYTES[+STEP]]... [-n LAUNCHES]
//
// "time" is for trying kernels: microseconds a launch, of LAUNCHES with barriers between. -b: the
// next binding, of so many bytes; with STEP each launch binds that many bytes further on in a
// buffer large enough that no cache helps. Buffers hold the word 0x2c2d2e2f: small finite halves,
// small codes.
// --small: sizes for a driver on the host's cores. Times are the device's timestamps, the least of
// a few runs, unless a row says "wall". A tool of bench/gpu; it shares nothing with the engine, so
// that a slow engine and a slow device can be told apart.
#define VOLK_IMPLEMENTATION
#include "volk.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "micro_alu0.h"
#include "micro_alu1.h"
#include "micro_alu2.h"
#include "micro_alu3.h"
#include "micro_alu4.h"
#include "micro_copy.h"
#include "micro_nothing.h"
#include "micro_read.h"
#ifdef WITH_MATRICES
#include "micro_matrix_fp16.h"
#include "micro_matrix_int8.h"
#endif

enum { MAX_SHAPES = 64, N_REPS = 5 };

// VK_KHR_cooperative_matrix, which is newer than the headers of Debian 12.
enum {
    STYPE_MATRIX_FEATURES = 1000506000,
    STYPE_MATRIX_PROPERTIES = 1000506001,
    COMPONENT_FLOAT16 = 0,
    COMPONENT_FLOAT32 = 1,
    COMPONENT_SINT8 = 3,
    COMPONENT_SINT32 = 5,
    SCOPE_SUBGROUP = 3,
};
typedef struct matrix_features {
    VkStructureType sType;
    void *pNext;
    VkBool32 matrices, robust;
} matrix_features;
typedef struct matrix_shape {
    VkStructureType sType;
    void *pNext;
    uint32_t m, n, k;
    int32_t a, b, c, result;
    VkBool32 saturating;
    int32_t scope;
} matrix_shape;
typedef VkResult(VKAPI_PTR *list_shapes_fn)(VkPhysicalDevice, uint32_t *, matrix_shape *);

#define CHECK(call)                                                                                \
    do {                                                                                           \
        VkResult result_ = (call);                                                                 \
        if (result_ < 0) {                                                                         \
            fprintf(stderr, "micro: %s: VkResult %d\n", #call, result_);                           \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    VkDeviceSize bytes;
    void *mapped;
} buffer;

typedef struct gpu {
    VkInstance instance;
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties2 props;
    VkPhysicalDeviceVulkan11Properties props11;
    VkPhysicalDeviceVulkan12Properties props12;
    VkPhysicalDeviceSubgroupSizeControlProperties sizes;
    VkPhysicalDeviceShaderIntegerDotProductProperties dots;
    VkPhysicalDeviceMemoryProperties memory;
    VkDevice device;
    VkQueue queue;
    uint32_t family, timestamp_bits;
    VkCommandPool pool;
    VkCommandBuffer cmd;
    VkQueryPool queries;
    VkFence fence;
    VkDescriptorPool sets;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    matrix_shape shapes[MAX_SHAPES];
    uint32_t n_shapes;
    bool has_matrices, has_dot, has_size_control, small;
    buffer source, sink;
} gpu;

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

// --- device -------------------------------------------------------------------------------------

static bool has_extension(const gpu *g, const char *name) {
    uint32_t n = 0;
    vkEnumerateDeviceExtensionProperties(g->physical, NULL, &n, NULL);
    VkExtensionProperties *list = calloc(n + 1, sizeof *list);
    vkEnumerateDeviceExtensionProperties(g->physical, NULL, &n, list);
    bool found = false;
    for (uint32_t i = 0; i < n; i++) found |= strcmp(list[i].extensionName, name) == 0;
    free(list);
    return found;
}

static void open_instance(gpu *g) {
    CHECK(volkInitialize());
    VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                             .pApplicationName = "godwit bench/gpu",
                             .apiVersion = VK_API_VERSION_1_3};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &app};
    CHECK(vkCreateInstance(&info, NULL, &g->instance));
    volkLoadInstance(g->instance);
}

static void choose_device(gpu *g, const char *name) {
    VkPhysicalDevice list[16];
    uint32_t n = 16;
    int best_rank = -1;
    CHECK(vkEnumeratePhysicalDevices(g->instance, &n, list));
    for (uint32_t i = 0; i < n; i++) {
        VkPhysicalDeviceProperties p;
        vkGetPhysicalDeviceProperties(list[i], &p);
        int rank = p.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU     ? 4
                   : p.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU ? 3
                   : p.deviceType == VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU    ? 2
                                                                            : 1;
        if (name && !strstr(p.deviceName, name)) continue;
        if (rank <= best_rank) continue;
        best_rank = rank;
        g->physical = list[i];
    }
    if (!g->physical) {
        fprintf(stderr, "micro: no such Vulkan device\n");
        exit(1);
    }
    g->sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES;
    g->dots.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES;
    g->dots.pNext = &g->sizes;
    g->props12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES;
    g->props12.pNext = &g->dots;
    g->props11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
    g->props11.pNext = &g->props12;
    g->props.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    g->props.pNext = &g->props11;
    vkGetPhysicalDeviceProperties2(g->physical, &g->props);
    vkGetPhysicalDeviceMemoryProperties(g->physical, &g->memory);
    g->has_dot = has_extension(g, "VK_KHR_shader_integer_dot_product");
    g->has_size_control = has_extension(g, "VK_EXT_subgroup_size_control");
    g->has_matrices = has_extension(g, "VK_KHR_cooperative_matrix");
    list_shapes_fn list_shapes = (list_shapes_fn)vkGetInstanceProcAddr(
        g->instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    if (g->has_matrices && list_shapes) {
        g->n_shapes = MAX_SHAPES;
        for (int i = 0; i < MAX_SHAPES; i++)
            g->shapes[i].sType = (VkStructureType)STYPE_MATRIX_PROPERTIES;
        CHECK(list_shapes(g->physical, &g->n_shapes, g->shapes));
    }
}

static void choose_queue(gpu *g) {
    VkQueueFamilyProperties families[16];
    uint32_t n = 16;
    vkGetPhysicalDeviceQueueFamilyProperties(g->physical, &n, families);
    for (uint32_t i = 0; i < n; i++) {
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
        g->family = i;
        g->timestamp_bits = families[i].timestampValidBits;
        break;
    }
}

static void open_device(gpu *g) {
    const char *names[4];
    uint32_t n_names = 0;
    float priority = 1;
    choose_queue(g);
    matrix_features matrices = {.sType = (VkStructureType)STYPE_MATRIX_FEATURES,
                                .matrices = VK_TRUE};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES};
    VkPhysicalDeviceSubgroupSizeControlFeatures sizes = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES, .pNext = &dot};
    VkPhysicalDeviceVulkan12Features f12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &sizes};
    VkPhysicalDeviceVulkan11Features f11 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &f12};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &f11};
    vkGetPhysicalDeviceFeatures2(g->physical, &all);
    all.features.robustBufferAccess = VK_FALSE;
    if (g->has_dot) names[n_names++] = "VK_KHR_shader_integer_dot_product";
    if (g->has_size_control) names[n_names++] = "VK_EXT_subgroup_size_control";
    if (g->has_matrices) {
        names[n_names++] = "VK_KHR_cooperative_matrix";
        matrices.pNext = all.pNext;
        all.pNext = &matrices;
    }
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = g->family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &all,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = n_names,
                               .ppEnabledExtensionNames = names};
    CHECK(vkCreateDevice(g->physical, &info, NULL, &g->device));
    volkLoadDevice(g->device);
    vkGetDeviceQueue(g->device, g->family, 0, &g->queue);
}

static void make_objects(gpu *g) {
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                    .queueFamilyIndex = g->family};
    CHECK(vkCreateCommandPool(g->device, &pool, NULL, &g->pool));
    VkCommandBufferAllocateInfo cmd = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                       .commandPool = g->pool,
                                       .commandBufferCount = 1};
    CHECK(vkAllocateCommandBuffers(g->device, &cmd, &g->cmd));
    VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                     .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                     .queryCount = 2};
    CHECK(vkCreateQueryPool(g->device, &queries, NULL, &g->queries));
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    CHECK(vkCreateFence(g->device, &fence, NULL, &g->fence));
}

// Two buffers and two words: what all kernels of "rates" take.
static void make_layouts(gpu *g) {
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8};
    VkDescriptorPoolCreateInfo sets = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = 4,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    CHECK(vkCreateDescriptorPool(g->device, &sets, NULL, &g->sets));
    VkDescriptorSetLayoutBinding bindings[2];
    for (uint32_t i = 0; i < 2; i++)
        bindings[i] =
            (VkDescriptorSetLayoutBinding){.binding = i,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .descriptorCount = 1,
                                           .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 2,
        .pBindings = bindings};
    CHECK(vkCreateDescriptorSetLayout(g->device, &layout, NULL, &g->set_layout));
    VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
    VkPipelineLayoutCreateInfo pipes = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                        .setLayoutCount = 1,
                                        .pSetLayouts = &g->set_layout,
                                        .pushConstantRangeCount = 1,
                                        .pPushConstantRanges = &push};
    CHECK(vkCreatePipelineLayout(g->device, &pipes, NULL, &g->layout));
}

static uint32_t memory_type(const gpu *g, uint32_t allowed, VkMemoryPropertyFlags wanted) {
    for (uint32_t i = 0; i < g->memory.memoryTypeCount; i++)
        if ((allowed >> i & 1) && (g->memory.memoryTypes[i].propertyFlags & wanted) == wanted)
            return i;
    return 0;
}

static buffer make_buffer(const gpu *g, VkDeviceSize bytes, bool on_host) {
    buffer b = {.bytes = bytes};
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = bytes,
                               .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT};
    VkMemoryRequirements needs;
    CHECK(vkCreateBuffer(g->device, &info, NULL, &b.handle));
    vkGetBufferMemoryRequirements(g->device, b.handle, &needs);
    VkMemoryAllocateInfo memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs.size,
        .memoryTypeIndex = memory_type(g, needs.memoryTypeBits,
                                       on_host ? VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                                     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT
                                               : VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)};
    CHECK(vkAllocateMemory(g->device, &memory, NULL, &b.memory));
    CHECK(vkBindBufferMemory(g->device, b.handle, b.memory, 0));
    if (on_host) CHECK(vkMapMemory(g->device, b.memory, 0, VK_WHOLE_SIZE, 0, &b.mapped));
    return b;
}

static VkDescriptorSet make_set(const gpu *g, const buffer *source, const buffer *sink) {
    VkDescriptorSet set;
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = g->sets,
                                        .descriptorSetCount = 1,
                                        .pSetLayouts = &g->set_layout};
    CHECK(vkAllocateDescriptorSets(g->device, &info, &set));
    VkDescriptorBufferInfo infos[2] = {{source->handle, 0, VK_WHOLE_SIZE},
                                       {sink->handle, 0, VK_WHOLE_SIZE}};
    VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = set,
                                  .descriptorCount = 2,
                                  .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                  .pBufferInfo = infos};
    vkUpdateDescriptorSets(g->device, 1, &write, 0, NULL);
    return set;
}

static VkPipeline make_pipeline(const gpu *g, const uint32_t *code, size_t bytes,
                                const uint32_t *spec, uint32_t n_spec) {
    VkShaderModule module;
    VkPipeline pipeline;
    VkSpecializationMapEntry entries[4];
    for (uint32_t i = 0; i < n_spec; i++) entries[i] = (VkSpecializationMapEntry){i, 4 * i, 4};
    VkSpecializationInfo special = {n_spec, entries, 4 * n_spec, spec};
    VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = code};
    CHECK(vkCreateShaderModule(g->device, &info, NULL, &module));
    VkComputePipelineCreateInfo pipe = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .layout = g->layout,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &special}};
    CHECK(vkCreateComputePipelines(g->device, VK_NULL_HANDLE, 1, &pipe, NULL, &pipeline));
    vkDestroyShaderModule(g->device, module, NULL);
    return pipeline;
}
#define PIPELINE(g, code, ...)                                                                     \
    make_pipeline(g, code, sizeof code, (uint32_t[]){__VA_ARGS__},                                 \
                  sizeof((uint32_t[]){__VA_ARGS__}) / 4)

// --- measuring ----------------------------------------------------------------------------------

// What a measurement records: n_launches of a pipeline, with a barrier between or not.
typedef struct work {
    VkPipeline pipeline;
    VkDescriptorSet set;
    uint32_t groups, n_launches;
    uint32_t first, count, advance; // push constants; first grows by advance a launch, wrapping
    uint32_t wrap;
    VkPipelineStageFlags barrier; // 0: none
} work;

static void record(const gpu *g, const work *w) {
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    CHECK(vkBeginCommandBuffer(g->cmd, &begin));
    vkCmdResetQueryPool(g->cmd, g->queries, 0, 2);
    vkCmdBindPipeline(g->cmd, VK_PIPELINE_BIND_POINT_COMPUTE, w->pipeline);
    vkCmdBindDescriptorSets(g->cmd, VK_PIPELINE_BIND_POINT_COMPUTE, g->layout, 0, 1, &w->set, 0,
                            NULL);
    vkCmdWriteTimestamp(g->cmd, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, g->queries, 0);
    uint32_t first = w->first;
    VkMemoryBarrier memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                              .dstAccessMask =
                                  VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
    if (w->barrier & VK_PIPELINE_STAGE_TRANSFER_BIT) {
        memory.srcAccessMask |= VK_ACCESS_TRANSFER_WRITE_BIT;
        memory.dstAccessMask |= VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    }
    for (uint32_t i = 0; i < w->n_launches; i++) {
        uint32_t push[2] = {first, w->count};
        if (i && w->barrier)
            vkCmdPipelineBarrier(g->cmd, w->barrier, w->barrier, 0, 1, &memory, 0, NULL, 0, NULL);
        vkCmdPushConstants(g->cmd, g->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 8, push);
        vkCmdDispatch(g->cmd, w->groups, 1, 1);
        first += w->advance;
        if (w->wrap && first + w->count > w->wrap) first = 0;
    }
    vkCmdWriteTimestamp(g->cmd, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, g->queries, 1);
    CHECK(vkEndCommandBuffer(g->cmd));
}

// Wall microseconds of one submit and its wait.
static double submit(const gpu *g) {
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .commandBufferCount = 1,
                         .pCommandBuffers = &g->cmd};
    double start = now_us();
    CHECK(vkQueueSubmit(g->queue, 1, &info, g->fence));
    CHECK(vkWaitForFences(g->device, 1, &g->fence, VK_TRUE, UINT64_MAX));
    double took = now_us() - start;
    CHECK(vkResetFences(g->device, 1, &g->fence));
    return took;
}

// Device microseconds of what is recorded, the least of a few runs.
static double run_us(const gpu *g) {
    double best = 1e30;
    for (int i = 0; i < N_REPS + 1; i++) {
        double wall = submit(g);
        uint64_t t[2] = {0, 0};
        double us = wall;
        if (g->timestamp_bits && vkGetQueryPoolResults(g->device, g->queries, 0, 2, sizeof t, t, 8,
                                                       VK_QUERY_RESULT_64_BIT) == VK_SUCCESS) {
            us = (double)(t[1] - t[0]) * (double)g->props.properties.limits.timestampPeriod / 1e3;
        }
        if (i > 0 && us < best) best = us; // the first one warms up
    }
    return best;
}

static double device_us(const gpu *g, const work *w) {
    record(g, w);
    return run_us(g);
}

static void row(const char *test, const char *what, double value, const char *unit) {
    printf("{\"test\": \"%s\", \"what\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", test, what,
           value, unit);
    fflush(stdout);
}

static const VkPipelineStageFlags compute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
static const VkPipelineStageFlags both =
    VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

static void fill(const gpu *g, const buffer *b, uint32_t word) {
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    CHECK(vkBeginCommandBuffer(g->cmd, &begin));
    vkCmdFillBuffer(g->cmd, b->handle, 0, VK_WHOLE_SIZE, word);
    CHECK(vkEndCommandBuffer(g->cmd));
    submit(g);
}

// --- what is measured ---------------------------------------------------------------------------

static void launches(const gpu *g, VkDescriptorSet set) {
    VkPipeline nothing = PIPELINE(g, micro_nothing, 64);
    work w = {.pipeline = nothing, .set = set, .groups = 1, .n_launches = g->small ? 100 : 1000};
    char what[64];
    double n = w.n_launches;
    row("launch", "1 workgroup, no barrier", device_us(g, &w) / n, "us");
    w.barrier = compute;
    row("launch", "1 workgroup, compute barrier", device_us(g, &w) / n, "us");
    w.barrier = both;
    row("launch", "1 workgroup, compute and transfer barrier", device_us(g, &w) / n, "us");
    w.barrier = compute;
    for (uint32_t groups = 8; groups <= 4096; groups *= 8) {
        w.groups = groups;
        snprintf(what, sizeof what, "%u workgroups, compute barrier", groups);
        row("launch", what, device_us(g, &w) / n, "us");
    }
    w = (work){.pipeline = nothing, .set = set, .groups = 1, .n_launches = 1};
    record(g, &w);
    double best = 1e30, sum = 0;
    for (int i = 0; i < 200; i++) {
        double us = submit(g);
        if (us < best) best = us;
        sum += us;
    }
    row("submit", "one launch, fence wait, least (wall)", best, "us");
    row("submit", "one launch, fence wait, mean of 200 (wall)", sum / 200, "us");
    vkDestroyPipeline(g->device, nothing, NULL);
}

static void bandwidth(const gpu *g, VkDescriptorSet set) {
    static const uint32_t lanes[] = {64, 128, 256}, loads[] = {1, 4, 8};
    char what[80];
    uint32_t n_vectors = (uint32_t)(g->source.bytes / 16);
    for (int i = 0; i < 9; i++) {
        VkPipeline read = PIPELINE(g, micro_read, lanes[i / 3], loads[i % 3]);
        work w = {.pipeline = read, .set = set, .n_launches = 1, .count = n_vectors};
        w.groups = g->small ? 64 : 132 * 2048 / lanes[i / 3];
        double us = device_us(g, &w);
        snprintf(what, sizeof what, "all, %u lanes, %u loads", lanes[i / 3], loads[i % 3]);
        row("read", what, (double)g->source.bytes / us / 1e3, "GB/s");
        vkDestroyPipeline(g->device, read, NULL);
    }
    // A launch of a few MiB behind a barrier is what a decode step is made of: the source is walked
    // through, so that no launch finds its bytes in a cache.
    VkPipeline read = PIPELINE(g, micro_read, 128, 8);
    for (uint32_t mib = 1; mib <= 128; mib *= 2) {
        work w = {.pipeline = read, .set = set, .count = mib << 16, .barrier = compute};
        if (w.count > n_vectors) break;
        w.n_launches = n_vectors / w.count < 64 ? n_vectors / w.count : 64;
        w.advance = w.count;
        w.wrap = n_vectors;
        w.groups = w.count / (128 * 8);
        double us = device_us(g, &w) / w.n_launches;
        snprintf(what, sizeof what, "%u MiB a launch, barriers between, 16 bytes x 8 a lane", mib);
        row("read", what, (double)w.count * 16 / us / 1e3, "GB/s");
        snprintf(what, sizeof what, "%u MiB a launch: time", mib);
        row("read", what, us, "us");
    }
    vkDestroyPipeline(g->device, read, NULL);
    VkPipeline copy = PIPELINE(g, micro_copy, 256);
    work w = {
        .pipeline = copy, .set = set, .n_launches = 1, .count = (uint32_t)(g->sink.bytes / 16)};
    w.groups = g->small ? 64 : 132 * 8;
    row("copy", "bytes read and written", 2.0 * (double)g->sink.bytes / device_us(g, &w) / 1e3,
        "GB/s");
    vkDestroyPipeline(g->device, copy, NULL);
}

static void arithmetic(const gpu *g, VkDescriptorSet set) {
    const struct {
        const char *what;
        const uint32_t *code;
        size_t bytes;
        double steps; // a lane and turn
        const char *unit;
    } kinds[] = {
        {"fp32 multiply and add, two roundings", micro_alu0, sizeof micro_alu0, 128, "G pairs/s"},
        {"fp32 multiply-add, may be fused", micro_alu1, sizeof micro_alu1, 128, "G pairs/s"},
        {"int32 multiply-add", micro_alu2, sizeof micro_alu2, 128, "G/s"},
        {"packed dot of 4 bytes, accumulated", micro_alu3, sizeof micro_alu3, 128, "G dots/s"},
        {"term of 32: 8 dots, convert, multiply, add", micro_alu4, sizeof micro_alu4, 16,
         "G terms/s"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (i >= 3 && !g->has_dot) continue;
        VkPipeline p = make_pipeline(g, kinds[i].code, kinds[i].bytes, (uint32_t[]){128}, 1);
        work w = {.pipeline = p, .set = set, .n_launches = 1, .groups = g->small ? 16 : 132 * 64};
        w.count = g->small ? 64 : 512;
        double us = device_us(g, &w);
        row("arithmetic", kinds[i].what, w.groups * 128.0 * w.count * kinds[i].steps / us / 1e3,
            kinds[i].unit);
        vkDestroyPipeline(g->device, p, NULL);
    }
}

#ifdef WITH_MATRICES
static uint16_t half_of(int x) { // |x| <= 2048: exact
    uint16_t sign = x < 0 ? 0x8000 : 0;
    unsigned a = (unsigned)abs(x), e = 0;
    if (a == 0) return sign;
    while (a >> (e + 1)) e++;
    return (uint16_t)(sign | (e + 15) << 10 | ((e <= 10 ? a << (10 - e) : a >> (e - 10)) & 0x3ff));
}

// How many elements of eight products in a row, of integers that fp32 could sum without rounding,
// are not their exact sum.
static uint32_t wrong_elements(const void *got, bool is_int8, const int *a, const int *b,
                               uint32_t m, uint32_t n, uint32_t k) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t r = 0; r < m; r++)
            for (uint32_t c = 0; c < n; c++) {
                long sum = 0;
                for (uint32_t j = 0; j < k; j++)
                    sum += (long)a[((i & 1) * m + r) * k + j] * b[((i >> 1) * n + c) * k + j];
                size_t at = (size_t)i * m * n + r * n + c;
                double value =
                    is_int8 ? ((const int32_t *)got)[at] : (double)((const float *)got)[at];
                wrong += value != 8.0 * (double)sum;
            }
    return wrong;
}

static void matrix(const gpu *g, const matrix_shape *s) {
    bool is_int8 = s->a == COMPONENT_SINT8;
    uint32_t m = s->m, n = s->n, k = s->k, lanes = g->props11.subgroupSize;
    buffer source = make_buffer(g, 1 << 20, true), sink = make_buffer(g, 1 << 20, true);
    VkDescriptorSet set = make_set(g, &source, &sink);
    int *values = calloc(2 * (m + n) * k, sizeof *values);
    uint32_t state = 1;
    for (uint32_t i = 0; i < 2 * (m + n) * k; i++) {
        state = state * 1664525u + 1013904223u;
        int most = !is_int8 && i < 2 * m * k ? 2047 : 127;
        values[i] = (int)(state >> 8) % (most + 1) * (state >> 31 ? -1 : 1);
        if (is_int8)
            ((int8_t *)source.mapped)[i] = (int8_t)values[i];
        else
            ((uint16_t *)source.mapped)[i] = half_of(values[i]);
    }
    VkPipeline p = is_int8 ? PIPELINE(g, micro_matrix_int8, lanes, m, n, k)
                           : PIPELINE(g, micro_matrix_fp16, lanes, m, n, k);
    work w = {.pipeline = p, .set = set, .n_launches = 1, .groups = 1, .count = 1};
    char what[96];
    record(g, &w);
    submit(g);
    const char *type = is_int8 ? "int8 to int32" : "fp16 to fp32";
    snprintf(what, sizeof what, "%s %ux%ux%u: elements of 4 matrices not exact", type, m, n, k);
    row("matrix", what, wrong_elements(sink.mapped, is_int8, values, values + 2 * m * k, m, n, k),
        "elements");
    w.groups = g->small ? 4 : 132 * 32;
    w.count = g->small ? 4 : 512;
    double us = device_us(g, &w);
    snprintf(what, sizeof what, "%s %ux%ux%u", type, m, n, k);
    row("matrix", what, 2.0 * w.groups * w.count * 32.0 * m * n * k / us / 1e6, "T/s");
    vkDestroyPipeline(g->device, p, NULL);
    vkFreeDescriptorSets(g->device, g->sets, 0, NULL);
    vkResetDescriptorPool(g->device, g->sets, 0);
    free(values);
}

static void matrices(const gpu *g) {
    for (uint32_t i = 0; i < g->n_shapes; i++) {
        const matrix_shape *s = &g->shapes[i];
        bool int8 = s->a == COMPONENT_SINT8 && s->b == s->a && s->c == COMPONENT_SINT32 &&
                    s->result == s->c && !s->saturating;
        bool fp16 = s->a == COMPONENT_FLOAT16 && s->b == s->a && s->c == COMPONENT_FLOAT32 &&
                    s->result == s->c;
        if (s->scope == SCOPE_SUBGROUP && (int8 || fp16)) matrix(g, s);
    }
}
#endif

static int rates(gpu *g) {
    VkDeviceSize most = g->props.properties.limits.maxStorageBufferRange;
    VkDeviceSize bytes = g->small ? 64u << 20 : 2048u << 20;
    while (bytes > most) bytes /= 2;
    g->source = make_buffer(g, bytes, false);
    g->sink = make_buffer(g, bytes / 2, false);
    VkDescriptorSet set = make_set(g, &g->source, &g->sink);
    fill(g, &g->source, 0x01020304);
    launches(g, set);
    bandwidth(g, set);
    arithmetic(g, set);
    vkResetDescriptorPool(g->device, g->sets, 0);
#ifdef WITH_MATRICES
    if (g->has_matrices) matrices(g);
#endif
    return 0;
}

// --- capabilities -------------------------------------------------------------------------------

static void print_shapes(const gpu *g) {
    printf("  \"cooperative_matrices\": [");
    for (uint32_t i = 0; i < g->n_shapes; i++) {
        const matrix_shape *s = &g->shapes[i];
        printf("%s\n    {\"m\": %u, \"n\": %u, \"k\": %u, \"a\": %d, \"b\": %d, \"c\": %d, "
               "\"result\": %d, \"saturating\": %s, \"scope\": %d}",
               i ? "," : "", s->m, s->n, s->k, s->a, s->b, s->c, s->result,
               s->saturating ? "true" : "false", s->scope);
    }
    printf("],\n");
}

static void print_memory(const gpu *g) {
    printf("  \"heaps\": [");
    for (uint32_t i = 0; i < g->memory.memoryHeapCount; i++)
        printf("%s{\"bytes\": %llu, \"flags\": %u}", i ? ", " : "",
               (unsigned long long)g->memory.memoryHeaps[i].size, g->memory.memoryHeaps[i].flags);
    printf("],\n  \"memory_types\": [");
    for (uint32_t i = 0; i < g->memory.memoryTypeCount; i++)
        printf("%s{\"heap\": %u, \"flags\": %u}", i ? ", " : "", g->memory.memoryTypes[i].heapIndex,
               g->memory.memoryTypes[i].propertyFlags);
    VkQueueFamilyProperties families[16];
    uint32_t n = 16;
    vkGetPhysicalDeviceQueueFamilyProperties(g->physical, &n, families);
    printf("],\n  \"queue_families\": [");
    for (uint32_t i = 0; i < n; i++)
        printf("%s{\"flags\": %u, \"queues\": %u, \"timestamp_bits\": %u}", i ? ", " : "",
               families[i].queueFlags, families[i].queueCount, families[i].timestampValidBits);
    printf("],\n");
}

static void print_extensions(const gpu *g) {
    uint32_t n = 0;
    vkEnumerateDeviceExtensionProperties(g->physical, NULL, &n, NULL);
    VkExtensionProperties *list = calloc(n + 1, sizeof *list);
    vkEnumerateDeviceExtensionProperties(g->physical, NULL, &n, list);
    printf("  \"extensions\": [");
    for (uint32_t i = 0; i < n; i++) printf("%s\"%s\"", i ? ", " : "", list[i].extensionName);
    printf("]\n");
    free(list);
}

static int caps(const gpu *g) {
    const VkPhysicalDeviceProperties *p = &g->props.properties;
    const VkPhysicalDeviceLimits *l = &p->limits;
    const VkPhysicalDeviceVulkan12Properties *q = &g->props12;
    printf("{\n  \"name\": \"%s\", \"driver\": \"%s\", \"driver_info\": \"%s\",\n", p->deviceName,
           q->driverName, q->driverInfo);
    printf("  \"api\": \"%u.%u.%u\", \"vendor\": \"%04x\", \"device\": \"%04x\",\n",
           VK_API_VERSION_MAJOR(p->apiVersion), VK_API_VERSION_MINOR(p->apiVersion),
           VK_API_VERSION_PATCH(p->apiVersion), p->vendorID, p->deviceID);
    printf("  \"subgroup\": {\"size\": %u, \"min\": %u, \"max\": %u, \"operations\": %u, "
           "\"required_stages\": %u},\n",
           g->props11.subgroupSize, g->sizes.minSubgroupSize, g->sizes.maxSubgroupSize,
           g->props11.subgroupSupportedOperations, g->sizes.requiredSubgroupSizeStages);
    printf("  \"dot_accelerated\": {\"signed\": %s, \"mixed\": %s},\n",
           g->dots.integerDotProduct4x8BitPackedSignedAccelerated ? "true" : "false",
           g->dots.integerDotProduct4x8BitPackedMixedSignednessAccelerated ? "true" : "false");
    printf(
        "  \"float_controls\": {\"preserve_nan_inf_32\": %d, \"denorm_preserve_16\": %d, "
        "\"denorm_preserve_32\": %d, \"denorm_flush_32\": %d, \"rte_16\": %d, \"rte_32\": %d},\n",
        q->shaderSignedZeroInfNanPreserveFloat32, q->shaderDenormPreserveFloat16,
        q->shaderDenormPreserveFloat32, q->shaderDenormFlushToZeroFloat32,
        q->shaderRoundingModeRTEFloat16, q->shaderRoundingModeRTEFloat32);
    printf("  \"limits\": {\"storage_range\": %u, \"texel_elements\": %u, \"shared_bytes\": %u, "
           "\"invocations\": %u, \"groups\": [%u, %u, %u], \"push_bytes\": %u, "
           "\"storage_align\": %llu, \"storage_buffers\": %u, \"timestamp_period\": %g, "
           "\"allocations\": %u},\n",
           l->maxStorageBufferRange, l->maxTexelBufferElements, l->maxComputeSharedMemorySize,
           l->maxComputeWorkGroupInvocations, l->maxComputeWorkGroupCount[0],
           l->maxComputeWorkGroupCount[1], l->maxComputeWorkGroupCount[2], l->maxPushConstantsSize,
           (unsigned long long)l->minStorageBufferOffsetAlignment,
           l->maxPerStageDescriptorStorageBuffers, (double)l->timestampPeriod,
           l->maxMemoryAllocationCount);
    print_memory(g);
    print_shapes(g);
    print_extensions(g);
    printf("}\n");
    return 0;
}

// --- one kernel ---------------------------------------------------------------------------------

enum { MAX_BINDINGS = 8, MAX_SETS = 128 };

typedef struct trial {
    const char *path;
    VkSpecializationMapEntry entries[32];
    uint32_t spec[32], n_spec, subgroup, groups[3], push[16], n_push, n_bindings, n_launches;
    VkDeviceSize bytes[MAX_BINDINGS], step[MAX_BINDINGS];
} trial;

static bool read_trial(trial *t, int argc, char **argv) {
    *t = (trial){.path = argc > 2 ? argv[2] : NULL, .groups = {1, 1, 1}, .n_launches = 32};
    for (int i = 3; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        unsigned id = 0, v = 0;
        unsigned long long n = 0, step = 0;
        switch (argv[i][1]) {
        case 'c':
            if (t->n_spec == 32 || sscanf(value, "%u=%u", &id, &v) != 2) return false;
            t->entries[t->n_spec] = (VkSpecializationMapEntry){id, 4 * t->n_spec, 4};
            t->spec[t->n_spec++] = v;
            break;
        case 'w':
            t->subgroup = (uint32_t)atoi(value);
            break;
        case 'g':
            (void)sscanf(value, "%u,%u,%u", t->groups, t->groups + 1, t->groups + 2);
            break;
        case 'p':
            if (t->n_push == 16) return false;
            t->push[t->n_push++] = (uint32_t)strtoul(value, NULL, 0);
            break;
        case 'b':
            if (t->n_bindings == MAX_BINDINGS || sscanf(value, "%llu+%llu", &n, &step) < 1)
                return false;
            t->bytes[t->n_bindings] = n;
            t->step[t->n_bindings++] = step;
            break;
        case 'n':
            t->n_launches = (uint32_t)atoi(value);
            break;
        case '-':
            break; // --device, read by main
        default:
            return false;
        }
    }
    return t->path && t->n_bindings && t->n_launches;
}

static uint32_t *read_code(const char *path, size_t *bytes) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) return NULL;
    *bytes = (size_t)ftell(f);
    uint32_t *code = malloc(*bytes);
    rewind(f);
    if (!code || fread(code, 1, *bytes, f) != *bytes) return NULL;
    fclose(f);
    return code;
}

static void trial_layout(gpu *g, const trial *t) {
    VkDescriptorSetLayoutBinding bindings[MAX_BINDINGS];
    for (uint32_t i = 0; i < t->n_bindings; i++)
        bindings[i] =
            (VkDescriptorSetLayoutBinding){.binding = i,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .descriptorCount = 1,
                                           .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = t->n_bindings,
        .pBindings = bindings};
    CHECK(vkCreateDescriptorSetLayout(g->device, &layout, NULL, &g->set_layout));
    VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 64};
    VkPipelineLayoutCreateInfo pipes = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                        .setLayoutCount = 1,
                                        .pSetLayouts = &g->set_layout,
                                        .pushConstantRangeCount = 1,
                                        .pPushConstantRanges = &push};
    CHECK(vkCreatePipelineLayout(g->device, &pipes, NULL, &g->layout));
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, MAX_SETS * MAX_BINDINGS};
    VkDescriptorPoolCreateInfo sets = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = MAX_SETS,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    CHECK(vkCreateDescriptorPool(g->device, &sets, NULL, &g->sets));
}

static VkPipeline trial_pipeline(const gpu *g, const trial *t) {
    size_t bytes = 0;
    uint32_t *code = read_code(t->path, &bytes);
    VkShaderModule module;
    VkPipeline pipeline;
    if (!code) {
        fprintf(stderr, "micro: %s: cannot be read\n", t->path);
        exit(1);
    }
    VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = code};
    CHECK(vkCreateShaderModule(g->device, &info, NULL, &module));
    VkSpecializationInfo special = {t->n_spec, t->entries, 4 * t->n_spec, t->spec};
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = t->subgroup};
    VkComputePipelineCreateInfo pipe = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .layout = g->layout,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = t->subgroup ? &size : NULL,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &special}};
    CHECK(vkCreateComputePipelines(g->device, VK_NULL_HANDLE, 1, &pipe, NULL, &pipeline));
    free(code);
    return pipeline;
}

static int time_kernel(gpu *g, const trial *t) {
    buffer buffers[MAX_BINDINGS];
    VkDescriptorSet sets[MAX_SETS];
    uint32_t n_sets = t->n_launches < MAX_SETS ? t->n_launches : MAX_SETS;
    trial_layout(g, t);
    VkPipeline pipeline = trial_pipeline(g, t);
    for (uint32_t i = 0; i < t->n_bindings; i++) {
        buffers[i] = make_buffer(g, t->bytes[i] + t->step[i] * (n_sets - 1), false);
        fill(g, &buffers[i], 0x2c2d2e2f);
    }
    for (uint32_t k = 0; k < n_sets; k++) {
        VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                            .descriptorPool = g->sets,
                                            .descriptorSetCount = 1,
                                            .pSetLayouts = &g->set_layout};
        CHECK(vkAllocateDescriptorSets(g->device, &info, &sets[k]));
        for (uint32_t i = 0; i < t->n_bindings; i++) {
            VkDescriptorBufferInfo b = {buffers[i].handle, k * t->step[i], t->bytes[i]};
            VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                          .dstSet = sets[k],
                                          .dstBinding = i,
                                          .descriptorCount = 1,
                                          .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                          .pBufferInfo = &b};
            vkUpdateDescriptorSets(g->device, 1, &write, 0, NULL);
        }
    }
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkMemoryBarrier memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
                              .dstAccessMask =
                                  VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
    CHECK(vkBeginCommandBuffer(g->cmd, &begin));
    vkCmdResetQueryPool(g->cmd, g->queries, 0, 2);
    vkCmdBindPipeline(g->cmd, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdPushConstants(g->cmd, g->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 64, t->push);
    vkCmdWriteTimestamp(g->cmd, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, g->queries, 0);
    for (uint32_t k = 0; k < t->n_launches; k++) {
        if (k) vkCmdPipelineBarrier(g->cmd, compute, compute, 0, 1, &memory, 0, NULL, 0, NULL);
        vkCmdBindDescriptorSets(g->cmd, VK_PIPELINE_BIND_POINT_COMPUTE, g->layout, 0, 1,
                                &sets[k % n_sets], 0, NULL);
        vkCmdDispatch(g->cmd, t->groups[0], t->groups[1], t->groups[2]);
    }
    vkCmdWriteTimestamp(g->cmd, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, g->queries, 1);
    CHECK(vkEndCommandBuffer(g->cmd));
    double us = run_us(g) / t->n_launches;
    printf("%.3f us a launch\n", us);
    return 0;
}

int main(int argc, char **argv) {
    static gpu g;
    const char *name = NULL;
    bool wants_caps = argc > 1 && strcmp(argv[1], "caps") == 0;
    bool wants_time = argc > 1 && strcmp(argv[1], "time") == 0;
    trial t;
    if (argc < 2 || (!wants_caps && !wants_time && strcmp(argv[1], "rates") != 0) ||
        (wants_time && !read_trial(&t, argc, argv))) {
        fprintf(stderr,
                "micro caps|rates|time FILE.spv; see the head of bench/gpu_tools/micro.c\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--small") == 0)
            g.small = true;
        else if (strcmp(argv[i], "--device") == 0 && i + 1 < argc)
            name = argv[++i];
    }
    open_instance(&g);
    choose_device(&g, name);
    if (wants_caps) return caps(&g);
    open_device(&g);
    make_objects(&g);
    if (wants_time) return time_kernel(&g, &t);
    make_layouts(&g);
    return rates(&g);
}
