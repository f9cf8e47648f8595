// micro_trial.c: times one kernel out of a file.
#include "micro.h"

bool read_trial(trial *t, int argc, char **argv) {
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

int time_kernel(gpu *g, const trial *t) {
    buffer buffers[MAX_BINDINGS];
    VkDescriptorSet sets[MAX_SETS];
    uint32_t n_sets = t->n_launches < MAX_SETS ? t->n_launches : MAX_SETS;
    make_layouts(g, t->n_bindings, 64, MAX_SETS);
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
        if (k)
            vkCmdPipelineBarrier(g->cmd, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                 VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &memory, 0, NULL, 0,
                                 NULL);
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
