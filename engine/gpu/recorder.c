// Recorder: writes dispatches, barriers and copies into one command buffer that can be replayed.
//
// Owns gw_recorder. Descriptor sets are written while recording, one a dispatch, out of a pool made
// for the number of dispatches that was announced. Calls that return nothing keep their first
// failure for gw_recorder_end. The command buffer begins with a barrier against all work submitted
// before and ends with one towards the host.
#include "gpu/internal.h"

#include <string.h>

static const VkPipelineStageFlags work_stages =
    VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
static const VkAccessFlags writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
static const VkAccessFlags reads = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT;

static void barrier(const gw_recorder *r, VkPipelineStageFlags from_stages, VkAccessFlags from,
                    VkPipelineStageFlags to_stages, VkAccessFlags to) {
    const gw_commands *c = r->commands;
    VkMemoryBarrier memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = from, .dstAccessMask = to};
    c->device->vk.CmdPipelineBarrier(c->cmd, from_stages, to_stages, 0, 1, &memory, 0, NULL, 0,
                                     NULL);
}

static VkResult make_pools(gw_commands *c, uint32_t n_dispatches_max) {
    gw_device *device = c->device;
    VkDescriptorPoolSize sizes[2] = {
        {.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
         .descriptorCount = n_dispatches_max * GW_KERNEL_MAX_BINDINGS},
        {.type = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
         .descriptorCount = n_dispatches_max * 2 * GW_KERNEL_MAX_BINDINGS}};
    VkDescriptorPoolCreateInfo sets = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = n_dispatches_max,
                                       .poolSizeCount = 2,
                                       .pPoolSizes = sizes};
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .queueFamilyIndex = device->queue_family};
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = VK_SUCCESS;
    if (n_dispatches_max > 0) {
        result = device->vk.CreateDescriptorPool(device->handle, &sets, NULL, &c->sets);
        if (result != VK_SUCCESS) c->sets = VK_NULL_HANDLE;
    }
    if (result == VK_SUCCESS) {
        result = device->vk.CreateCommandPool(device->handle, &pool, NULL, &c->pool);
        if (result != VK_SUCCESS) c->pool = VK_NULL_HANDLE;
    }
    if (result == VK_SUCCESS) {
        result = device->vk.CreateFence(device->handle, &fence, NULL, &c->fence);
        if (result != VK_SUCCESS) c->fence = VK_NULL_HANDLE;
    }
    return result;
}

static VkResult begin_commands(gw_commands *c) {
    gw_device *device = c->device;
    VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                        .commandPool = c->pool,
                                        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                        .commandBufferCount = 1};
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkResult result = device->vk.AllocateCommandBuffers(device->handle, &info, &c->cmd);
    return result == VK_SUCCESS ? device->vk.BeginCommandBuffer(c->cmd, &begin) : result;
}

godwit_status gw_recorder_begin(gw_device *device, uint32_t n_dispatches_max,
                                gw_recorder **out_recorder, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkResult result = VK_SUCCESS;
    gw_recorder *r = NULL;
    *out_recorder = NULL;
    GW_TRY(gw_device_check(device, err));
    if (n_dispatches_max > UINT32_MAX / GW_KERNEL_MAX_DESCRIPTORS - 1) {
        status = GW_BUG(err, "recorder: %u dispatches", n_dispatches_max);
        goto done;
    }
    r = gw_alloc(device->host, 1, sizeof *r);
    GW_CHECK_ALLOC(r, err, "recorder");
    r->n_dispatches_max = n_dispatches_max;
    r->commands = gw_alloc(device->host, 1, sizeof *r->commands);
    if (!r->commands) {
        // Discarding a recorder needs its device, which only the commands hold.
        gw_free(device->host, r, sizeof *r);
        return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: recorder");
    }
    r->commands->device = gw_device_retain(device);
    result = make_pools(r->commands, n_dispatches_max);
    if (result == VK_SUCCESS) result = begin_commands(r->commands);
    if (result != VK_SUCCESS) {
        status = gw_device_fail(device, err, result, "recording");
        goto done;
    }
    barrier(r, work_stages | VK_PIPELINE_STAGE_HOST_BIT, writes | VK_ACCESS_HOST_WRITE_BIT,
            work_stages, reads | writes);
    *out_recorder = r;
    r = NULL;
done:
    gw_recorder_discard(&r);
    return status;
}

void gw_recorder_discard(gw_recorder **recorder) {
    gw_recorder *r = recorder ? *recorder : NULL;
    if (recorder) *recorder = NULL;
    if (!r) return;
    const gw_host *host = r->commands->device->host;
    gw_commands_destroy(&r->commands);
    gw_free(host, r, sizeof *r);
}

// Buffers whose memory is not coherent are flushed and invalidated around each run.
static godwit_status note_buffer(gw_recorder *r, gw_buffer *buffer, godwit_error *err) {
    gw_commands *c = r->commands;
    if (!buffer->mapped || buffer->coherent) return GODWIT_OK;
    for (size_t i = 0; i < c->incoherent.n; i++)
        if (c->incoherent.items[i] == buffer) return GODWIT_OK;
    gw_buffer **entry = gw_vec_push(&c->incoherent, c->device->host);
    if (!entry) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: recording");
    *entry = buffer;
    return GODWIT_OK;
}

static godwit_status check_binding(const gw_recorder *r, const gw_kernel *kernel, uint32_t i,
                                   const gw_binding *b, godwit_error *err) {
    const gw_caps *caps = &r->commands->device->caps;
    const char *name = kernel->shader->name;
    if (!b->buffer) return GW_BUG(err, "kernel %s: binding %u: no buffer", name, i);
    if (b->bytes == 0 || b->offset > b->buffer->bytes || b->bytes > b->buffer->bytes - b->offset)
        return GW_BUG(err, "kernel %s: binding %u: %llu bytes at %llu of a buffer of %llu", name, i,
                      (unsigned long long)b->bytes, (unsigned long long)b->offset,
                      (unsigned long long)b->buffer->bytes);
    if (b->offset % caps->storage_align != 0 || b->bytes > caps->max_storage_buffer_range)
        return GW_BUG(err,
                      "kernel %s: binding %u: %llu bytes at %llu; the device binds %llu at "
                      "multiples of %u",
                      name, i, (unsigned long long)b->bytes, (unsigned long long)b->offset,
                      (unsigned long long)caps->max_storage_buffer_range, caps->storage_align);
    const bool words = kernel->shader->descriptors >> (GW_KERNEL_MAX_BINDINGS + i) & 1;
    const bool fours = kernel->shader->descriptors >> (2 * GW_KERNEL_MAX_BINDINGS + i) & 1;
    const uint64_t least = fours ? 16 : words ? 4 : 0;
    const uint64_t most = words ? caps->max_texel_bytes : 4 * caps->max_texel_bytes;
    if (least && (b->bytes < least || b->bytes > most))
        return GW_BUG(err, "kernel %s: binding %u: %llu bytes as texels; the device has %llu", name,
                      i, (unsigned long long)b->bytes, (unsigned long long)most);
    return GODWIT_OK;
}

static godwit_status check_dispatch(const gw_recorder *r, const gw_kernel *kernel,
                                    uint32_t n_bindings, uint32_t push_bytes,
                                    const uint32_t groups[3], godwit_error *err) {
    const gw_caps *caps = &r->commands->device->caps;
    const gw_shader *shader = kernel->shader;
    if (r->n_dispatches == r->n_dispatches_max)
        return GW_BUG(err, "kernel %s: more than the %u dispatches announced", shader->name,
                      r->n_dispatches_max);
    if (n_bindings != shader->n_bindings || push_bytes > shader->push_bytes || push_bytes % 4 != 0)
        return GW_BUG(err, "kernel %s: %u bindings and %u push bytes; it takes %u and up to %u",
                      shader->name, n_bindings, push_bytes, shader->n_bindings, shader->push_bytes);
    if (groups[0] > caps->max_groups_x || groups[1] > caps->max_groups_y ||
        groups[2] > caps->max_groups_z)
        return GW_BUG(err, "kernel %s: %u x %u x %u groups; the device takes %u x %u x %u",
                      shader->name, groups[0], groups[1], groups[2], caps->max_groups_x,
                      caps->max_groups_y, caps->max_groups_z);
    return GODWIT_OK;
}

// A binding as texels; the commands own the view. lavapipe 22.3 takes bits 8 to 15 of a view's size
// for a mip level, and compiles a kernel once more for views in which all of them are 0: those
// reach into the buffer's slack, which nobody reads.
static VkResult make_view(gw_commands *c, const gw_binding *binding, bool fours,
                          VkBufferView *out_view) {
    gw_device *device = c->device;
    const uint32_t texel_bytes = fours ? 16 : 4;
    VkBufferViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                   .buffer = binding->buffer->handle,
                                   .format =
                                       fours ? VK_FORMAT_R32G32B32A32_UINT : VK_FORMAT_R32_UINT,
                                   .offset = binding->offset,
                                   .range = binding->bytes / texel_bytes * texel_bytes};
    if ((info.range >> 8 & 0xff) == 0 &&
        info.range + GW_BUFFER_SLACK <= device->caps.max_texel_bytes)
        info.range += GW_BUFFER_SLACK;
    VkBufferView *entry = gw_vec_push(&c->views, device->host);
    if (!entry) return VK_ERROR_OUT_OF_HOST_MEMORY;
    VkResult result = device->vk.CreateBufferView(device->handle, &info, NULL, entry);
    if (result != VK_SUCCESS) c->views.n--;
    *out_view = result == VK_SUCCESS ? *entry : VK_NULL_HANDLE;
    return result;
}

static godwit_status make_set(gw_recorder *r, const gw_kernel *kernel, const gw_binding *bindings,
                              VkDescriptorSet *out_set, godwit_error *err) {
    gw_commands *c = r->commands;
    gw_device *device = c->device;
    VkDescriptorBufferInfo infos[GW_KERNEL_MAX_BINDINGS];
    VkBufferView views[GW_KERNEL_MAX_DESCRIPTORS];
    VkWriteDescriptorSet sets[GW_KERNEL_MAX_DESCRIPTORS];
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = c->sets,
                                        .descriptorSetCount = 1,
                                        .pSetLayouts = &kernel->layout.set};
    uint32_t n = 0;
    VkResult result = device->vk.AllocateDescriptorSets(device->handle, &info, out_set);
    for (uint32_t i = 0; i < GW_KERNEL_MAX_DESCRIPTORS && result == VK_SUCCESS; i++) {
        if (!(kernel->shader->descriptors >> i & 1)) continue;
        const gw_binding *b = &bindings[i % GW_KERNEL_MAX_BINDINGS];
        VkWriteDescriptorSet *set = &sets[n++];
        *set = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = *out_set,
                                      .dstBinding = i,
                                      .descriptorCount = 1,
                                      .descriptorType = gw_descriptor_type(i),
                                      .pTexelBufferView = &views[i]};
        if (set->descriptorType == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER) {
            infos[i] = (VkDescriptorBufferInfo){
                .buffer = b->buffer->handle, .offset = b->offset, .range = b->bytes};
            set->pBufferInfo = &infos[i];
        } else {
            result = make_view(c, b, i >= 2 * GW_KERNEL_MAX_BINDINGS, &views[i]);
        }
    }
    if (result != VK_SUCCESS) return gw_device_fail(device, err, result, "descriptor set");
    if (n) device->vk.UpdateDescriptorSets(device->handle, n, sets, 0, NULL);
    return GODWIT_OK;
}

godwit_status gw_record_dispatch(gw_recorder *recorder, gw_kernel *kernel,
                                 const gw_binding *bindings, uint32_t n_bindings, const void *push,
                                 uint32_t push_bytes, const uint32_t base[3],
                                 const uint32_t groups[3], godwit_error *err) {
    gw_recorder *r = recorder;
    const bool from_0 = !base || (base[0] | base[1] | base[2]) == 0;
    VkPipeline pipeline = kernel->pipeline;
    const gw_vk_device *vk = &r->commands->device->vk;
    const VkCommandBuffer cmd = r->commands->cmd;
    const VkPipelineLayout layout = kernel->layout.pipeline;
    godwit_status status = GODWIT_OK;
    VkDescriptorSet set = VK_NULL_HANDLE;
    GW_TRY(check_dispatch(r, kernel, n_bindings, push_bytes, groups, err));
    for (uint32_t i = 0; i < n_bindings; i++) {
        GW_TRY(check_binding(r, kernel, i, &bindings[i], err));
        GW_TRY(note_buffer(r, bindings[i].buffer, err));
    }
    if (n_bindings) {
        GW_TRY(make_set(r, kernel, bindings, &set, err));
        vk->CmdBindDescriptorSets(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    }
    if (!from_0) GW_TRY(gw_kernel_based(r->commands->device, kernel, &pipeline, err));
    if (r->bound != pipeline) vk->CmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    r->bound = pipeline;
    if (push_bytes)
        vk->CmdPushConstants(cmd, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes, push);
    if (from_0)
        vk->CmdDispatch(cmd, groups[0], groups[1], groups[2]);
    else
        vk->CmdDispatchBase(cmd, base[0], base[1], base[2], groups[0], groups[1], groups[2]);
    r->n_dispatches++;
done:
    return status;
}

void gw_record_barrier(gw_recorder *recorder) {
    barrier(recorder, work_stages, writes, work_stages, reads | writes);
}

// Keeps the first failure for gw_recorder_end; false for a range outside of the buffer.
static bool check_copy(gw_recorder *r, gw_buffer *buffer, uint64_t offset, uint64_t bytes,
                       const char *what) {
    if (r->status != GODWIT_OK) return false;
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        r->status = GW_BUG(&r->error, "%s: %llu bytes at %llu of a buffer of %llu for %s", what,
                           (unsigned long long)bytes, (unsigned long long)offset,
                           (unsigned long long)buffer->bytes, buffer->owner);
    else
        r->status = note_buffer(r, buffer, &r->error);
    return r->status == GODWIT_OK;
}

void gw_record_copy(gw_recorder *recorder, gw_buffer *src, uint64_t src_offset, gw_buffer *dst,
                    uint64_t dst_offset, uint64_t bytes) {
    const gw_commands *c = recorder->commands;
    VkBufferCopy region = {.srcOffset = src_offset, .dstOffset = dst_offset, .size = bytes};
    if (!check_copy(recorder, src, src_offset, bytes, "recorded copy from") ||
        !check_copy(recorder, dst, dst_offset, bytes, "recorded copy to") || bytes == 0)
        return;
    c->device->vk.CmdCopyBuffer(c->cmd, src->handle, dst->handle, 1, &region);
}

void gw_record_fill_zero(gw_recorder *recorder, gw_buffer *dst, uint64_t offset, uint64_t bytes) {
    const gw_commands *c = recorder->commands;
    if (!check_copy(recorder, dst, offset, bytes, "recorded zeros") || bytes == 0) return;
    if (offset % 4 != 0 || bytes % 4 != 0) {
        recorder->status =
            GW_BUG(&recorder->error, "recorded zeros: %llu bytes at %llu: not whole words",
                   (unsigned long long)bytes, (unsigned long long)offset);
        return;
    }
    c->device->vk.CmdFillBuffer(c->cmd, dst->handle, offset, bytes, 0);
}

// The queries are made and reset at the first timestamp; a replay passes the reset again.
static VkResult make_queries(gw_recorder *r) {
    gw_commands *c = r->commands;
    VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                  .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                  .queryCount = r->n_dispatches_max + 1};
    VkResult result = c->device->vk.CreateQueryPool(c->device->handle, &info, NULL, &c->queries);
    if (result != VK_SUCCESS)
        c->queries = VK_NULL_HANDLE;
    else
        c->device->vk.CmdResetQueryPool(c->cmd, c->queries, 0, info.queryCount);
    return result;
}

void gw_record_timestamp(gw_recorder *recorder) {
    gw_commands *c = recorder->commands;
    if (recorder->status != GODWIT_OK || c->device->timestamp_bits == 0) return;
    if (c->n_timestamps > recorder->n_dispatches_max) {
        recorder->status = GW_BUG(&recorder->error, "more than %u timestamps", c->n_timestamps);
        return;
    }
    VkResult result = c->queries ? VK_SUCCESS : make_queries(recorder);
    if (result != VK_SUCCESS) {
        recorder->status = gw_device_fail(c->device, &recorder->error, result, "timestamps");
        return;
    }
    c->device->vk.CmdWriteTimestamp(c->cmd, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, c->queries,
                                    c->n_timestamps++);
}

godwit_status gw_recorder_end(gw_recorder **recorder, gw_commands **out_commands,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_recorder *r = *recorder;
    gw_device *device = r->commands->device;
    *recorder = NULL;
    *out_commands = NULL;
    barrier(r, work_stages, writes, VK_PIPELINE_STAGE_HOST_BIT,
            VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
    VkResult result = device->vk.EndCommandBuffer(r->commands->cmd);
    status = r->status;
    if (status != GODWIT_OK) {
        if (err) *err = r->error;
    } else if (result != VK_SUCCESS) {
        status = gw_device_fail(device, err, result, "recording");
    } else {
        *out_commands = r->commands;
        gw_free(device->host, r, sizeof *r);
        r = NULL;
    }
    gw_recorder_discard(&r);
    return status;
}
