// micro_device.c: opens a device, makes buffers, runs what is recorded.
#define VOLK_IMPLEMENTATION
#include "micro.h"

#include <time.h>

enum { N_REPS = 5 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

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

void open_instance(gpu *g) {
    CHECK(volkInitialize());
    VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                             .pApplicationName = "godwit bench/gpu",
                             .apiVersion = VK_API_VERSION_1_3};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &app};
    CHECK(vkCreateInstance(&info, NULL, &g->instance));
    volkLoadInstance(g->instance);
}

void choose_device(gpu *g, const char *name) {
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

void make_layouts(gpu *g, uint32_t n_buffers, uint32_t push_bytes, uint32_t n_sets) {
    VkDescriptorSetLayoutBinding bindings[MAX_BINDINGS];
    for (uint32_t i = 0; i < n_buffers; i++)
        bindings[i] =
            (VkDescriptorSetLayoutBinding){.binding = i,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .descriptorCount = 1,
                                           .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = n_buffers,
        .pBindings = bindings};
    CHECK(vkCreateDescriptorSetLayout(g->device, &layout, NULL, &g->set_layout));
    VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
    VkPipelineLayoutCreateInfo pipes = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                        .setLayoutCount = 1,
                                        .pSetLayouts = &g->set_layout,
                                        .pushConstantRangeCount = 1,
                                        .pPushConstantRanges = &push};
    CHECK(vkCreatePipelineLayout(g->device, &pipes, NULL, &g->layout));
    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, n_sets * n_buffers};
    VkDescriptorPoolCreateInfo sets = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = n_sets,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    CHECK(vkCreateDescriptorPool(g->device, &sets, NULL, &g->sets));
}

void open_device(gpu *g) {
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
    make_objects(g);
}

static uint32_t memory_type(const gpu *g, uint32_t allowed, VkMemoryPropertyFlags wanted) {
    for (uint32_t i = 0; i < g->memory.memoryTypeCount; i++)
        if ((allowed >> i & 1) && (g->memory.memoryTypes[i].propertyFlags & wanted) == wanted)
            return i;
    return 0;
}

buffer make_buffer(const gpu *g, VkDeviceSize bytes, bool on_host) {
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

// Wall microseconds of one submit and its wait.
double submit(const gpu *g) {
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
double run_us(const gpu *g) {
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

void fill(const gpu *g, const buffer *b, uint32_t word) {
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    CHECK(vkBeginCommandBuffer(g->cmd, &begin));
    vkCmdFillBuffer(g->cmd, b->handle, 0, VK_WHOLE_SIZE, word);
    CHECK(vkEndCommandBuffer(g->cmd));
    submit(g);
}
