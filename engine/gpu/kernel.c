// Kernel: pipelines out of embedded SPIR-V, compiled at first use and shared for the device's life.
//
// Owns the look-up by (module, specialization constants), the layouts (one descriptor set layout
// and one pipeline layout a number of bindings, all with the same push constant range, so that
// pushes survive a change of pipeline) and what the driver says of a compiled kernel. A kernel is
// compiled under the lock: two threads that want the same one get one compilation.
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>

// "matmul.dot.q4_k" is that module, or else "matmul.dot", which reads any number format.
static const gw_shader *find_in(const gw_shader *table, uint32_t n, const char *name) {
    const char *last = strrchr(name, '.');
    const size_t whole = strlen(name), stem = last ? (size_t)(last - name) : whole;
    const gw_shader *any = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const size_t length = strlen(table[i].name);
        if (length == whole && memcmp(table[i].name, name, whole) == 0) return &table[i];
        if (length == stem && memcmp(table[i].name, name, stem) == 0) any = &table[i];
    }
    return any;
}

const gw_shader *gw_shader_find(const char *name) {
    uint32_t n = 0;
    const gw_shader *table = gw_shader_table(&n);
    return find_in(table, n, name);
}

bool gw_shader_is_built(const char *module) {
    uint32_t n = 0;
    const gw_shader *table = gw_shader_table(&n);
    const size_t length = strlen(module);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = table[i].name;
        if (strncmp(name, module, length) == 0 && (!name[length] || name[length] == '.'))
            return true;
    }
    return false;
}

void gw_gpu_override_shaders(gw_gpu *gpu, const gw_shader *table, uint32_t n) {
    gpu->override = table;
    gpu->n_override = n;
}

static const gw_shader *shader_of(const gw_device *device, const char *name) {
    const gw_gpu *gpu = device->gpu;
    const gw_shader *wrong = find_in(gpu->override, gpu->n_override, name);
    if (wrong) return wrong;
    return gw_shader_find(name);
}

VkDescriptorType gw_descriptor_type(uint32_t descriptor) {
    return descriptor < GW_KERNEL_MAX_BINDINGS ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                               : VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
}

static VkResult create_layout(gw_device *device, gw_layout *layout) {
    VkDescriptorSetLayoutBinding bindings[GW_KERNEL_MAX_DESCRIPTORS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < GW_KERNEL_MAX_DESCRIPTORS; i++) {
        if (!(layout->descriptors >> i & 1)) continue;
        bindings[n++] = (VkDescriptorSetLayoutBinding){.binding = i,
                                                       .descriptorType = gw_descriptor_type(i),
                                                       .descriptorCount = 1,
                                                       .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    }
    VkDescriptorSetLayoutCreateInfo set = {.sType =
                                               VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                           .bindingCount = n,
                                           .pBindings = bindings};
    VkResult result =
        device->vk.CreateDescriptorSetLayout(device->handle, &set, NULL, &layout->set);
    if (result != VK_SUCCESS) return result;
    VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                .size = GW_KERNEL_MAX_PUSH_BYTES};
    VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                       .setLayoutCount = 1,
                                       .pSetLayouts = &layout->set,
                                       .pushConstantRangeCount = 1,
                                       .pPushConstantRanges = &push};
    result = device->vk.CreatePipelineLayout(device->handle, &info, NULL, &layout->pipeline);
    if (result != VK_SUCCESS)
        device->vk.DestroyDescriptorSetLayout(device->handle, layout->set, NULL);
    return result;
}

// The layout for a module's descriptors. Under the kernel lock.
static godwit_status find_layout(gw_device *device, uint32_t descriptors, gw_layout *out,
                                 godwit_error *err) {
    for (size_t i = 0; i < device->layouts.n; i++) {
        *out = device->layouts.items[i];
        if (out->descriptors == descriptors) return GODWIT_OK;
    }
    gw_layout *entry = gw_vec_push(&device->layouts, device->host);
    if (!entry) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: kernel layout");
    *entry = (gw_layout){.descriptors = descriptors};
    const VkResult result = create_layout(device, entry);
    *out = *entry;
    if (result == VK_SUCCESS) return GODWIT_OK;
    device->layouts.n--;
    return gw_device_fail(device, err, result, "kernel layout");
}

static godwit_status check_request(const gw_device *device, const char *name,
                                   const gw_shader *shader, const uint32_t *spec, uint32_t n_spec,
                                   godwit_error *err) {
    const VkPhysicalDeviceLimits *limits = &device->adapter->limits;
    if (!shader) return gw_fail(err, GODWIT_NOT_FOUND, "kernel %s: not in this build", name);
    if (n_spec > GW_KERNEL_MAX_SPEC || shader->n_bindings > GW_KERNEL_MAX_BINDINGS ||
        shader->push_bytes > GW_KERNEL_MAX_PUSH_BYTES || shader->push_bytes % 4 != 0)
        return GW_BUG(err,
                      "kernel %s: %u constants, %u bindings, %u push bytes; at most %d, %d, %d",
                      name, n_spec, shader->n_bindings, shader->push_bytes, GW_KERNEL_MAX_SPEC,
                      GW_KERNEL_MAX_BINDINGS, GW_KERNEL_MAX_PUSH_BYTES);
    if (n_spec < 3) return GODWIT_OK;
    uint64_t invocations = 1;
    for (uint32_t i = 0; i < 3; i++) {
        if (spec[i] == 0 || spec[i] > limits->maxComputeWorkGroupSize[i])
            return GW_BUG(err, "kernel %s: workgroup size %u in dimension %u, the device has %u",
                          name, spec[i], i, limits->maxComputeWorkGroupSize[i]);
        invocations *= spec[i];
    }
    if (invocations > device->caps.max_workgroup_invocations)
        return GW_BUG(err, "kernel %s: workgroup of %llu invocations, the device has %u", name,
                      (unsigned long long)invocations, device->caps.max_workgroup_invocations);
    return GODWIT_OK;
}

// Where the driver may vary the subgroup size, kernels that count on caps.subgroup_size get it, and
// whole subgroups with it. Others are left to the driver, which may know a width that spills less;
// but where it chooses between 32 and 64, they get 32: AMD's GPUs from RDNA 3 on then issue two
// instructions at once, and kernels lay their rows out for it. 0: the driver's choice.
static uint32_t wanted_subgroup(const gw_device *device, const gw_kernel *kernel) {
    const gw_adapter *a = device->adapter;
    const bool any = device->caps.subgroup_arithmetic || device->caps.subgroup_shuffle;
    const bool wide = a->info.subgroup_size_min == 32 && a->info.subgroup_size_max == 64;
    uint32_t size = kernel->shader->subgroups && any ? device->caps.subgroup_size : wide ? 32 : 0;
    const bool fits = a->subgroup_varies && a->full_subgroups &&
                      !(device->masks & GW_MASK_FOREIGN) && kernel->n_spec >= 3 && size > 0 &&
                      kernel->spec[0] % size == 0;
    return fits ? size : 0;
}

// The create info with everything that it points to.
static VkResult create_pipeline(gw_device *device, const gw_kernel *kernel,
                                VkPipelineCreateFlags flags, VkShaderModule module,
                                VkPipeline *out_pipeline) {
    VkSpecializationMapEntry entries[GW_KERNEL_MAX_SPEC];
    for (uint32_t i = 0; i < kernel->n_spec; i++)
        entries[i] = (VkSpecializationMapEntry){.constantID = i, .offset = 4 * i, .size = 4};
    VkSpecializationInfo spec = {.mapEntryCount = kernel->n_spec,
                                 .pMapEntries = entries,
                                 .dataSize = 4 * (size_t)kernel->n_spec,
                                 .pData = kernel->spec};
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = wanted_subgroup(device, kernel)};
    const bool full = size.requiredSubgroupSize > 0;
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = flags,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = full ? &size : NULL,
                  .flags = full ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = kernel->n_spec ? &spec : NULL},
        .layout = kernel->layout.pipeline,
    };
    return device->vk.CreateComputePipelines(device->handle, device->pipeline_cache, 1, &info, NULL,
                                             out_pipeline);
}

// status is of what comes before the driver, *out_result the driver's.
static godwit_status create_module(const gw_device *device, const gw_shader *shader,
                                   VkShaderModule *out_module, VkResult *out_result,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                     .codeSize = (size_t)shader->n_words * 4};
    uint32_t *unpacked = NULL, *rounded = NULL, n_rounded = 0;
    GW_TRY(gw_shader_words(device->host, shader, &info.pCode, &unpacked, err));
    if (device->adapter->round_to_even_32) {
        GW_TRY(gw_spirv_round_to_even(device->host, info.pCode, shader->n_words,
                                      device->adapter->rounding_independent, &rounded, &n_rounded,
                                      err));
    }
    if (rounded) {
        info.codeSize = (size_t)n_rounded * 4;
        info.pCode = rounded;
    }
    *out_result = device->vk.CreateShaderModule(device->handle, &info, NULL, out_module);
done:
    gw_free(device->host, rounded, (size_t)n_rounded * sizeof *rounded);
    gw_free(device->host, unpacked, (size_t)shader->n_words * sizeof *unpacked);
    return status;
}

godwit_status gw_kernel_compile(gw_device *device, const gw_kernel *kernel,
                                VkPipelineCreateFlags flags, VkPipeline *out_pipeline,
                                uint64_t *out_ns, godwit_error *err) {
    const gw_shader *shader = kernel->shader;
    VkShaderModule module = VK_NULL_HANDLE;
    const uint64_t start = gw_now_ns();
    *out_pipeline = VK_NULL_HANDLE;
    VkResult result = VK_SUCCESS;
    godwit_status status = create_module(device, shader, &module, &result, err);
    if (status != GODWIT_OK) return gw_note(err, status, "kernel %s", shader->name);
    if (result == VK_SUCCESS) {
        result = create_pipeline(device, kernel, flags, module, out_pipeline);
        device->vk.DestroyShaderModule(device->handle, module, NULL);
    }
    *out_ns = gw_now_ns() - start;
    if (result == VK_SUCCESS && *out_pipeline) return GODWIT_OK;
    if (result == VK_SUCCESS) result = VK_ERROR_UNKNOWN; // it says so and gives none
    if (*out_pipeline) device->vk.DestroyPipeline(device->handle, *out_pipeline, NULL);
    *out_pipeline = VK_NULL_HANDLE;
    return gw_note(err, gw_device_fail(device, err, result, "compiling"), "kernel %s",
                   shader->name);
}

static gw_kernel *find_kernel(const gw_device *device, const gw_shader *shader,
                              const uint32_t *spec, uint32_t n_spec) {
    for (size_t i = 0; i < device->kernels.n; i++) {
        gw_kernel *k = device->kernels.items[i];
        if (k->shader == shader && k->n_spec == n_spec &&
            (n_spec == 0 || memcmp(k->spec, spec, 4 * (size_t)n_spec) == 0))
            return k;
    }
    return NULL;
}

// Makes, compiles and enters a kernel. Under the lock.
static godwit_status add_kernel(gw_device *device, const gw_shader *shader, const uint32_t *spec,
                                uint32_t n_spec, gw_kernel **out_kernel, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_kernel **entry = NULL;
    const gw_host *host = device->host;
    gw_kernel *kernel = gw_alloc(host, 1, sizeof *kernel);
    GW_CHECK_ALLOC(kernel, err, "kernel");
    if (host->progress &&
        !host->progress(host->progress_user, shader->name, device->kernels.n, 0)) {
        GW_FAIL(err, GODWIT_CANCELLED, "kernel %s: not compiled: stopped by the caller",
                shader->name);
    }
    kernel->shader = shader;
    kernel->n_spec = n_spec;
    if (n_spec) memcpy(kernel->spec, spec, 4 * (size_t)n_spec);
    GW_TRY(find_layout(device, shader->descriptors, &kernel->layout, err));
    GW_TRY(gw_kernel_compile(device, kernel, 0, &kernel->pipeline, &kernel->compile_ns, err));
    gw_device_name_object(device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)kernel->pipeline,
                          shader->name);
    entry = gw_vec_push(&device->kernels, device->host);
    GW_CHECK_ALLOC(entry, err, "list of kernels");
    *entry = *out_kernel = kernel;
    kernel = NULL;
done:
    if (kernel && kernel->pipeline)
        device->vk.DestroyPipeline(device->handle, kernel->pipeline, NULL);
    gw_free(device->host, kernel, sizeof *kernel);
    return status;
}

godwit_status gw_kernel_get(gw_device *device, const char *shader_name, const uint32_t *spec,
                            uint32_t n_spec, gw_kernel **out_kernel, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_shader *shader = shader_of(device, shader_name);
    *out_kernel = NULL;
    GW_TRY(gw_device_check_lost(device, err));
    GW_TRY(check_request(device, shader_name, shader, spec, n_spec, err));
    pthread_mutex_lock(&device->kernel_lock);
    *out_kernel = find_kernel(device, shader, spec, n_spec);
    if (!*out_kernel) status = add_kernel(device, shader, spec, n_spec, out_kernel, err);
    pthread_mutex_unlock(&device->kernel_lock);
done:
    return status;
}

godwit_status gw_kernel_based(gw_device *device, gw_kernel *kernel, VkPipeline *out_pipeline,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t ns = 0;
    pthread_mutex_lock(&device->kernel_lock);
    if (!kernel->based)
        status = gw_kernel_compile(device, kernel, VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
                                   &kernel->based, &ns, err);
    *out_pipeline = kernel->based;
    pthread_mutex_unlock(&device->kernel_lock);
    return status;
}

void gw_kernels_deinit(gw_device *device) {
    const bool in_use = atomic_load(&device->unended);
    for (size_t i = 0; i < device->kernels.n; i++) {
        gw_kernel *kernel = device->kernels.items[i];
        if (!in_use) device->vk.DestroyPipeline(device->handle, kernel->pipeline, NULL);
        if (!in_use && kernel->based)
            device->vk.DestroyPipeline(device->handle, kernel->based, NULL);
        gw_free(device->host, kernel, sizeof *kernel);
    }
    gw_vec_deinit(&device->kernels, device->host);
    for (size_t i = 0; i < device->layouts.n && !in_use; i++) {
        const gw_layout *layout = &device->layouts.items[i];
        device->vk.DestroyPipelineLayout(device->handle, layout->pipeline, NULL);
        device->vk.DestroyDescriptorSetLayout(device->handle, layout->set, NULL);
    }
    gw_vec_deinit(&device->layouts, device->host);
}
