// micro_rates.c: reading, launches, barriers, submits, arithmetic, matrices.
#include "micro.h"

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

int rates(gpu *g) {
    make_layouts(g, 2, 8, 4); // two buffers and two words: what all kernels here take
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
