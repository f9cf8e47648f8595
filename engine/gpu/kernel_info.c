// Kernel statistics: what the driver's compiler says of a kernel.
//
// Through VK_KHR_pipeline_executable_properties. Capturing statistics costs compile time and may
// keep a driver from using its cache, so kernels are compiled without, and the kernel that somebody
// asks about is compiled once more, for the answer alone. Statistic names are each driver's own
// texts; those known are in the table below, the others are left out (-1 means: not said).
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>

// What the drivers known call each figure; a text that is not here is not read.
static const struct {
    const char *name;
    size_t field;
} statistic_names[] = {
#define FIELD(field) offsetof(godwit_kernel_info, field)
    {"VGPRs", FIELD(registers_vector)},
    {"SGPRs", FIELD(registers_scalar)},
    {"Spilled VGPRs", FIELD(spilled)},
    {"Code size", FIELD(code_bytes)},
    {"Code Size", FIELD(code_bytes)},
    {"LDS size", FIELD(shared_bytes)},
    {"Subgroups per SIMD", FIELD(occupancy)},
    {"Register Count", FIELD(registers_vector)},
    {"Local Memory Size", FIELD(spilled)},
    {"Binary Size", FIELD(code_bytes)},
    {"Shared Memory Size", FIELD(shared_bytes)},
    {"Spill count", FIELD(spilled)},
    {"Max live registers", FIELD(registers_vector)},
    {"Workgroup Memory Size", FIELD(shared_bytes)},
#undef FIELD
};

// NVIDIA's driver (580) gives sizes of 32 bits with something else above them (0x1000000100 bytes
// of local memory for 0x100); no figure here needs more.
static int64_t statistic_value(const VkPipelineExecutableStatisticKHR *s) {
    switch (s->format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
        return s->value.b32 != 0;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
        return (int64_t)(s->value.u64 & UINT32_MAX);
    default:
        return -1;
    }
}

static void read_statistics(const VkPipelineExecutableStatisticKHR *rows, uint32_t n,
                            godwit_kernel_info *out_info) {
    const size_t n_names = sizeof statistic_names / sizeof *statistic_names;
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_names; k++) {
            if (strcmp(rows[i].name, statistic_names[k].name) != 0) continue;
            int64_t *field = (int64_t *)(void *)((char *)out_info + statistic_names[k].field);
            *field = statistic_value(&rows[i]);
            break;
        }
}

// Statistics of the first executable; a compute pipeline has one but on drivers that compile
// several widths, of which the first is the one that runs.
static godwit_status query(gw_device *device, VkPipeline pipeline, godwit_kernel_info *out_info,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkPipelineExecutableStatisticKHR *rows = NULL;
    VkPipelineExecutableInfoKHR which = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
                                         .pipeline = pipeline};
    uint32_t n = 0, n_max = 0;
    VkResult result =
        device->vk.GetPipelineExecutableStatisticsKHR(device->handle, &which, &n, NULL);
    if (result == VK_SUCCESS && n > 0) {
        n_max = n;
        rows = gw_alloc(device->host, n_max, sizeof *rows);
        GW_CHECK_ALLOC(rows, err, "kernel statistics");
        for (uint32_t i = 0; i < n; i++)
            rows[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
        result = device->vk.GetPipelineExecutableStatisticsKHR(device->handle, &which, &n, rows);
    }
    if (result < 0)
        status = gw_device_fail(device, err, result, "kernel statistics");
    else
        read_statistics(rows, n, out_info);
done:
    gw_free(device->host, rows, n_max * sizeof *rows);
    return status;
}

// "matmul.dot 64,1,1,8": the module and its specialization constants.
static void write_name(const gw_kernel *kernel, char *text, size_t text_bytes) {
    int n = snprintf(text, text_bytes, "%s", kernel->shader->name);
    for (uint32_t i = 0; i < kernel->n_spec && n >= 0 && (size_t)n < text_bytes; i++)
        n += snprintf(text + n, text_bytes - (size_t)n, "%c%u", i ? ',' : ' ', kernel->spec[i]);
}

godwit_status gw_kernel_info(gw_device *device, const gw_kernel *kernel,
                             godwit_kernel_info *out_info, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    VkPipeline pipeline = VK_NULL_HANDLE;
    uint64_t ns = 0;
    memset(out_info, 0, sizeof *out_info);
    write_name(kernel, out_info->name, sizeof out_info->name);
    out_info->registers_vector = out_info->registers_scalar = out_info->spilled = -1;
    out_info->code_bytes = out_info->shared_bytes = out_info->occupancy = -1;
    out_info->compile_ns = kernel->compile_ns;
    GW_TRY(gw_device_check_lost(device, err));
    if (!device->executable_properties || !device->vk.GetPipelineExecutableStatisticsKHR) goto done;
    GW_TRY(gw_kernel_compile(device, kernel, VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR,
                             &pipeline, &ns, err));
    status = query(device, pipeline, out_info, err);
    device->vk.DestroyPipeline(device->handle, pipeline, NULL);
done:
    return status;
}
