// Context and devices: godwit_context_*, godwit_device_*.
#include "api/handles.h"

#include "base/host_memory.h"
#include "run/measure.h"
#include "run/verify.h"

#include <ctype.h>
#include <stdio.h>

const char *godwit_version(void) {
    return "0.1.0";
}

// --- context
// --------------------------------------------------------------------------------------

godwit_status godwit_context_create(const godwit_context_params *params,
                                    godwit_context **out_context, godwit_error *error) {
    GW_WANT(out_context, error);
    *out_context = NULL;
    GW_PARAMS(godwit_context_params, p, params);
    gw_host host;
    gw_host_init(&host, p.allocator, p.log, p.log_user);
    host.progress = p.progress;
    host.progress_user = p.progress_user;
    godwit_context *context = gw_alloc(&host, 1, sizeof *context);
    if (!context) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: context");
    context->host = host;
    atomic_init(&context->references, 1);
    gw_gpu_params gpu = {.validation = p.validation,
                         .cache_dir = p.cache_dir,
                         .vk_instance = p.vk_instance,
                         .vk_get_instance_proc_addr = p.vk_get_instance_proc_addr};
    godwit_status status = gw_gpu_create(&context->host, &gpu, &context->gpu, &context->no_vulkan);
    // Without Vulkan there is still the reference.
    if (status != GODWIT_OK && status != GODWIT_NO_VULKAN) {
        if (error) *error = context->no_vulkan;
        gw_context_release(context);
        return status;
    }
    if (context->gpu) gw_quirks_check(context->gpu, gw_verify_knows_kernel);
    *out_context = context;
    return GODWIT_OK;
}

void gw_context_release(godwit_context *context) {
    if (!context || !GW_RELEASE(context)) return;
    gw_gpu_release(&context->gpu);
    gw_host host = context->host;
    gw_free(&host, context, sizeof *context);
}

void godwit_context_destroy(godwit_context **context) {
    if (!context) return;
    gw_context_release(*context);
    *context = NULL;
}

uint64_t godwit_context_validation_count(const godwit_context *context) {
    return context && context->gpu ? gw_gpu_validation_count(context->gpu) : 0;
}

const char *godwit_context_no_vulkan_reason(const godwit_context *context) {
    return context && !context->gpu ? context->no_vulkan.message : "";
}

// --- device info
// ----------------------------------------------------------------------------------

uint32_t godwit_context_n_devices(const godwit_context *context) {
    if (!context) return 0;
    return (context->gpu ? gw_gpu_n_devices(context->gpu) : 0) + 1;
}

static void reference_info(godwit_device_info *out) {
    *out = (godwit_device_info){.type = GODWIT_DEVICE_REFERENCE, .uma = true};
    out->host_memory_bytes = gw_host_memory_bytes();
    out->memory_bytes = out->host_memory_bytes;
    snprintf(out->name, sizeof out->name, "cpu");
    snprintf(out->vendor, sizeof out->vendor, "Godwit");
    snprintf(out->driver, sizeof out->driver, "plain-C reference %s", godwit_version());
    snprintf(out->verified, sizeof out->verified, "the reference itself");
}

godwit_status godwit_context_device_info(const godwit_context *context, uint32_t index,
                                         godwit_device_info *out_info, godwit_error *error) {
    GW_WANT(context && out_info, error);
    const uint32_t n = godwit_context_n_devices(context);
    if (index >= n) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT, "%s: device %u: there are only %u", __func__,
                       index, n);
    }
    godwit_device_info info = {0};
    if (index + 1 == n) {
        reference_info(&info);
    } else {
        godwit_status status = gw_gpu_device_info(context->gpu, index, &info, error);
        if (status != GODWIT_OK) return status;
        info.tuned = gw_choice_is_kept(context->gpu, &context->host, index);
    }
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

godwit_status godwit_device_get_info(const godwit_device *device, godwit_device_info *out_info,
                                     godwit_error *error) {
    GW_WANT(device && out_info, error);
    godwit_device_info info = {0};
    if (device->backend.device) {
        godwit_status status = gw_device_info(device->backend.device, &info, error);
        if (status != GODWIT_OK) return status;
        info.tuned = device->backend.tuned;
    } else {
        reference_info(&info);
    }
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

uint32_t godwit_device_memory(const godwit_device *device, godwit_memory_row *rows,
                              uint32_t n_rows) {
    if (!device || !device->backend.device) return 0;
    return gw_device_memory(device->backend.device, rows, n_rows);
}

// --- open
// -----------------------------------------------------------------------------------------

static bool contains(const char *text, const char *part) {
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
        if (!part[i]) return true;
    }
    return false;
}

static bool same_word(const char *a, const char *b) {
    return strlen(a) == strlen(b) && contains(a, b);
}

static bool parse_index(const char *which, uint32_t *out) {
    uint64_t value = 0;
    for (const char *c = which; *c; c++) {
        if (*c < '0' || *c > '9' || value > 1000) return false;
        value = value * 10 + (uint64_t)(*c - '0');
    }
    *out = (uint32_t)value;
    return *which != '\0';
}

// "index name, ..." of every device, as many as there is room for.
static void list_devices(const godwit_context *context, char *text, size_t text_bytes) {
    uint32_t n = godwit_context_n_devices(context);
    size_t at = 0;
    for (uint32_t i = 0; i < n && at < text_bytes; i++) {
        godwit_device_info info = {0};
        if (godwit_context_device_info(context, i, &info, NULL) != GODWIT_OK) continue;
        at +=
            (size_t)snprintf(text + at, text_bytes - at, "%s%u %.60s", i ? ", " : "", i, info.name);
    }
}

static godwit_status pick(godwit_context *context, const char *which, uint32_t *out_index,
                          godwit_error *error) {
    uint32_t n = godwit_context_n_devices(context);
    char listed[400] = "";
    if (!which || !*which) {
        *out_index = 0;
        return GODWIT_OK;
    }
    if (same_word(which, "cpu")) {
        *out_index = n - 1;
        return GODWIT_OK;
    }
    if (parse_index(which, out_index)) {
        if (*out_index < n) return GODWIT_OK;
        list_devices(context, listed, sizeof listed);
        return gw_fail(error, GODWIT_NOT_FOUND,
                       "device %s: no device has that index; there are: %s", which, listed);
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        godwit_device_info info = {0};
        godwit_status status = gw_gpu_device_info(context->gpu, i, &info, error);
        if (status != GODWIT_OK) return status;
        if (contains(info.name, which) || contains(info.driver, which)) {
            *out_index = i;
            return GODWIT_OK;
        }
    }
    list_devices(context, listed, sizeof listed);
    return gw_fail(error, GODWIT_NOT_FOUND,
                   "device '%.40s': no device's name or driver contains that; there are: %s%s%s",
                   which, listed, context->gpu ? "" : "; ",
                   context->gpu ? "" : context->no_vulkan.message);
}

// Keeps why this device is not to be trusted with a model.
static godwit_status note_failing(godwit_device *device, godwit_error *error) {
    const gw_host *host = &device->context->host;
    if (!device->backend.device) return GODWIT_OK;
    gw_findings *known = gw_alloc(host, 1, sizeof *known);
    if (!known) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: findings");
    gw_device_findings(device->backend.device, known);
    const gw_finding *f = gw_findings_dead_end(known);
    if (f) {
        const char *slash = f->label[0] ? "/" : "", *dir = NULL;
        const bool did_not_run =
            strncmp(f->reason, gw_finding_did_not_run, strlen(gw_finding_did_not_run)) == 0;
        if (f->given || gw_device_keeps_findings(device->backend.device)) {
            dir = gw_device_cache_dir(device->backend.device);
        }
        int n =
            snprintf(device->failing, sizeof device->failing,
                     "%s%s%s: %s; %s, or use another device", f->module, slash, f->label, f->reason,
                     did_not_run ? "check again with `godwit verify`"
                                 : "its results would be wrong: update the driver");
        if (dir && n > 0 && (size_t)n < sizeof device->failing) {
            snprintf(device->failing + n, sizeof device->failing - (size_t)n,
                     "; row 'fails %s%s%s' of %s/quirks.txt has it: delete that to check again",
                     f->module, slash, f->label, dir);
        }
    }
    gw_free(host, known, sizeof *known);
    return GODWIT_OK;
}

// gpu NULL: the reference.
static godwit_status open_backend(godwit_device *device, gw_gpu *gpu, uint32_t index,
                                  const godwit_device_params *p, godwit_error *error) {
    gw_backend *backend = &device->backend;
    godwit_status status = GODWIT_OK;
    if (gpu) status = gw_device_open(gpu, index, p, &backend->device, error);
    if (status != GODWIT_OK) return status;
    *backend = (gw_backend){.host = backend->host, .device = backend->device};
    gw_tune_for(gpu ? gw_device_caps(backend->device) : NULL, &backend->tune);
    return gw_verify_open(backend, p->self_check, error);
}

godwit_status godwit_device_open(godwit_context *context, const char *which,
                                 const godwit_device_params *params, godwit_device **out_device,
                                 godwit_error *error) {
    GW_WANT(context && out_device, error);
    *out_device = NULL;
    GW_PARAMS(godwit_device_params, p, params);
    p.struct_size = sizeof p;
    uint32_t index = 0;
    godwit_status status = pick(context, which, &index, error);
    if (status != GODWIT_OK) return status;
    godwit_device *device = gw_alloc(&context->host, 1, sizeof *device);
    if (!device) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: device");
    atomic_init(&device->references, 1);
    device->context = GW_RETAIN(context);
    device->backend.host = &context->host;
    gw_gpu *gpu = index + 1 < godwit_context_n_devices(context) ? context->gpu : NULL;
    godwit_error own = {0};
    status = open_backend(device, gpu, index, &p, &own);
    if (status == GODWIT_DEVICE_LOST && !p.vk_device) {
        gw_log(&context->host, GODWIT_LOG_WARN, "%s; opening it once more", own.message);
        gw_device_release(&device->backend.device);
        status = open_backend(device, gpu, index, &p, &own);
    }
    if (status != GODWIT_OK && error) *error = own;
    if (status == GODWIT_OK && !p.allow_failing) status = note_failing(device, error);
    if (status != GODWIT_OK) {
        gw_api_device_release(device);
        return status;
    }
    *out_device = device;
    return GODWIT_OK;
}

void gw_api_device_release(godwit_device *device) {
    if (!device || !GW_RELEASE(device)) return;
    godwit_context *context = device->context;
    if (device->backend.device) gw_device_release(&device->backend.device);
    gw_free(&context->host, device, sizeof *device);
    gw_context_release(context);
}

void godwit_device_close(godwit_device **device) {
    if (!device) return;
    gw_api_device_release(*device);
    *device = NULL;
}
