// micro_caps.c: limits and features of a device as JSON.
#include "micro.h"

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

int caps(const gpu *g) {
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
