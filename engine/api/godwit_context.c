// Context and devices: godwit_context_*, godwit_device_*.
#include "api/handles.h"

#include "base/host_memory.h"
#include "base/threads.h"
#include "run/measure.h"
#include "run/verify.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

const char *godwit_version(void) {
    return "0.1.0";
}

// --- context -------------------------------------------------------------------------------------

godwit_status godwit_context_create(const godwit_context_params *params,
                                    godwit_context **out_context, godwit_error *error) {
    GW_WANT(out_context, error);
    *out_context = NULL;
    GW_PARAMS(godwit_context_params, p, params);
    gw_host host;
    gw_host_init(&host, p.allocator, p.log, p.log_user);
    host.progress = p.progress;
    host.progress_user = p.progress_user;
    const size_t n_dir = p.cache_dir && p.cache_dir[0] ? strlen(p.cache_dir) + 1 : 0;
    godwit_context *context = gw_alloc(&host, 1, sizeof *context);
    char *cache_dir = context && n_dir ? gw_alloc(&host, n_dir, 1) : NULL;
    if (!context || (n_dir && !cache_dir)) {
        gw_free(&host, context, sizeof *context);
        return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: context");
    }
    if (n_dir) memcpy(cache_dir, p.cache_dir, n_dir);
    context->host = host;
    atomic_init(&context->references, 1);
    atomic_init(&context->gpu_process, 0);
    pthread_mutex_init(&context->gpu_lock, NULL);
    context->gpu_params = (gw_gpu_params){.validation = p.validation,
                                          .cache_dir = cache_dir,
                                          .vk_instance = p.vk_instance,
                                          .vk_get_instance_proc_addr = p.vk_get_instance_proc_addr};
    *out_context = context;
    return GODWIT_OK;
}

// The process that asked for this context's Vulkan first, after asking for it; 0: nobody did.
static long asked_by(const godwit_context *context) {
    return atomic_load(&((godwit_context *)context)->gpu_process);
}

static godwit_status fail_forked(godwit_error *err, const char *call, const char *what, long by) {
    return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                   "%s: %s was opened by process %ld, from which this one, %ld, was forked; fork "
                   "before devices are listed or opened, start the child with exec, or open device "
                   "cpu here",
                   call, what, by, (long)getpid());
}

godwit_status gw_context_gpu(godwit_context *context, gw_gpu **out_gpu, godwit_error *err) {
    long process = 0;
    *out_gpu = NULL;
    // Before the lock, which a thread that is not in this process may hold for ever.
    if (!atomic_compare_exchange_strong(&context->gpu_process, &process, (long)getpid()) &&
        process != (long)getpid()) {
        return fail_forked(err, "context", "its Vulkan", process);
    }
    godwit_error error = {0};
    godwit_status status = GODWIT_OK;
    pthread_mutex_lock(&context->gpu_lock);
    if (!context->gpu_tried) {
        status = gw_gpu_create(&context->host, &context->gpu_params, &context->gpu, &error);
        context->gpu_tried = status == GODWIT_OK || status == GODWIT_NO_VULKAN;
        if (context->gpu_tried) context->no_vulkan = error;
        if (context->gpu) gw_quirks_check(context->gpu, gw_verify_knows_kernel);
    } else if (!context->gpu) {
        status = GODWIT_NO_VULKAN;
        error = context->no_vulkan;
    }
    *out_gpu = context->gpu;
    pthread_mutex_unlock(&context->gpu_lock);
    if (status != GODWIT_OK && err) *err = error;
    return status;
}

void gw_context_release(godwit_context *context) {
    if (!context || !GW_RELEASE(context)) return;
    gw_host host = context->host;
    const long process = asked_by(context);
    if (!process || process == (long)getpid()) {
        gw_gpu_release(&context->gpu);
        pthread_mutex_destroy(&context->gpu_lock);
    }
    char *cache_dir = (char *)(uintptr_t)context->gpu_params.cache_dir;
    if (cache_dir) gw_free(&host, cache_dir, strlen(cache_dir) + 1);
    gw_free(&host, context, sizeof *context);
}

void godwit_context_destroy(godwit_context **context) {
    if (!context) return;
    gw_context_release(*context);
    *context = NULL;
}

uint64_t godwit_context_validation_count(const godwit_context *context) {
    // What was never asked for had no messages.
    if (!context || asked_by(context) != (long)getpid()) return 0;
    pthread_mutex_t *lock = &((godwit_context *)context)->gpu_lock;
    pthread_mutex_lock(lock);
    const gw_gpu *gpu = context->gpu;
    pthread_mutex_unlock(lock);
    return gpu ? gw_gpu_validation_count(gpu) : 0;
}

const char *godwit_context_no_vulkan_reason(const godwit_context *context) {
    gw_gpu *gpu = NULL;
    if (!context) return "";
    switch (gw_context_gpu((godwit_context *)context, &gpu, NULL)) {
    case GODWIT_OK:
        return "";
    case GODWIT_NO_VULKAN:
        return context->no_vulkan.message;
    case GODWIT_OUT_OF_MEMORY:
        return "Vulkan: out of host memory while it was opened; free some and ask again";
    default:
        return "Vulkan: opened by the process that this one was forked from";
    }
}

// --- device info ---------------------------------------------------------------------------------

uint32_t godwit_context_n_devices(const godwit_context *context) {
    gw_gpu *gpu = NULL;
    if (!context) return 0;
    (void)gw_context_gpu((godwit_context *)context, &gpu, NULL);
    return (gpu ? gw_gpu_n_devices(gpu) : 0) + 1;
}

// What is known of the first GPU's pace beside so many threads; false: nothing.
static bool pace_of_first(const godwit_context *context, const gw_gpu *gpu, uint32_t n_threads,
                          gw_pace *out) {
    pthread_mutex_t *lock = &((godwit_context *)context)->gpu_lock;
    if (gw_pace_kept(gpu, &context->host, 0, n_threads, out)) return true;
    pthread_mutex_lock(lock);
    const gw_pace known = context->pace;
    pthread_mutex_unlock(lock);
    const bool is_it = gw_pace_is_of(&known, n_threads);
    if (is_it) *out = known;
    return is_it;
}

// The device that is taken where none is named: a Vulkan driver on the host's cores is several times
// slower than these without one, and of GPUs some are, as far as is known. The best GPU is the first.
static uint32_t default_of(const godwit_context *context, gw_gpu *gpu, uint32_t n_threads) {
    const uint32_t n = gpu ? gw_gpu_n_devices(gpu) : 0;
    godwit_device_info info = {0};
    gw_pace pace;
    if (n == 0 || gw_gpu_device_info(gpu, 0, &info, NULL) != GODWIT_OK) return n;
    if (info.type == GODWIT_DEVICE_SOFTWARE) return n;
    return pace_of_first(context, gpu, n_threads, &pace) && gw_pace_prefers_cores(&pace) ? n : 0;
}

// The devices that are no Vulkan ones.
static void host_info(bool is_reference, godwit_device_info *out) {
    *out = (godwit_device_info){.type = is_reference ? GODWIT_DEVICE_REFERENCE : GODWIT_DEVICE_CPU,
                                .uma = true};
    out->host_memory_bytes = gw_host_memory_bytes();
    out->memory_bytes = out->host_memory_bytes;
    snprintf(out->name, sizeof out->name, is_reference ? "reference" : "cpu");
    snprintf(out->vendor, sizeof out->vendor, "Godwit");
    snprintf(out->driver, sizeof out->driver, "cores %s, %s", godwit_version(), gw_cpu_best_isa());
    if (!is_reference) return;
    snprintf(out->driver, sizeof out->driver, "plain-C reference %s", godwit_version());
    snprintf(out->verified, sizeof out->verified, "the reference itself");
}

godwit_status godwit_context_device_info(const godwit_context *context, uint32_t index,
                                         godwit_device_info *out_info, godwit_error *error) {
    GW_WANT(context && out_info, error);
    gw_gpu *gpu = NULL;
    godwit_status status = gw_context_gpu((godwit_context *)context, &gpu, error);
    if (status != GODWIT_OK && status != GODWIT_NO_VULKAN) return status;
    const uint32_t n = (gpu ? gw_gpu_n_devices(gpu) : 0) + 1;
    if (index >= n) {
        return gw_fail(error, GODWIT_INVALID_ARGUMENT, "%s: device %u: there are only %u", __func__,
                       index, n);
    }
    godwit_device_info info = {0};
    if (index + 1 == n) {
        host_info(false, &info);
    } else {
        status = gw_gpu_device_info(gpu, index, &info, error);
        if (status != GODWIT_OK) return status;
        info.tuned = gw_choice_is_kept(gpu, &context->host, index);
    }
    gw_pace pace = {0};
    if (gpu && (index == 0 || index + 1 == n)) (void)pace_of_first(context, gpu, 0, &pace);
    info.gpu_pace = pace.device;
    info.cpu_pace = pace.cores;
    info.is_default = index == default_of(context, gpu, 0);
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

godwit_status godwit_device_get_info(const godwit_device *device, godwit_device_info *out_info,
                                     godwit_error *error) {
    GW_WANT(device && out_info, error);
    GW_WANT_OWN(device, error);
    godwit_device_info info = {0};
    if (device->backend.device) {
        godwit_status status = gw_device_info(device->backend.device, &info, error);
        if (status != GODWIT_OK) return status;
        info.tuned = device->backend.tuned;
    } else {
        host_info(!device->backend.cpu, &info);
        if (device->backend.cpu)
            snprintf(info.driver, sizeof info.driver, "cores %s, %s, threads: %u", godwit_version(),
                     gw_cpu_isa(device->backend.cpu), gw_cpu_n_threads(device->backend.cpu));
    }
    info.gpu_pace = device->pace.device;
    info.cpu_pace = device->pace.cores;
    GW_RESULT(out_info, info);
    return GODWIT_OK;
}

uint32_t godwit_device_memory(const godwit_device *device, godwit_memory_row *rows,
                              uint32_t n_rows) {
    if (!device || !device->backend.device || gw_api_device_is_forked(device)) return 0;
    return gw_device_memory(device->backend.device, rows, n_rows);
}

// --- open ----------------------------------------------------------------------------------------

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

static bool is_reference(const char *which) {
    return which && same_word(which, "reference");
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

// The Vulkan device that which names; *out_gpu NULL for the host's, for which no driver is loaded
// when they are asked for by their names.
static godwit_status pick(godwit_context *context, const char *which, const godwit_device_params *p,
                          gw_gpu **out_gpu, uint32_t *out_index, godwit_error *error) {
    godwit_error no_vulkan = {0};
    char listed[400] = "";
    gw_gpu *gpu = *out_gpu = NULL;
    *out_index = 0;
    if (which && (same_word(which, "cpu") || is_reference(which))) return GODWIT_OK;
    godwit_status status = gw_context_gpu(context, &gpu, &no_vulkan);
    if (status != GODWIT_OK && status != GODWIT_NO_VULKAN) {
        if (error) *error = no_vulkan;
        return status;
    }
    const uint32_t n = (gpu ? gw_gpu_n_devices(gpu) : 0) + 1;
    const bool is_named = which && *which, wants_vulkan = (p->mask && *p->mask) || p->vk_device;
    if (!is_named && !wants_vulkan) *out_index = default_of(context, gpu, p->n_threads);
    if (!is_named || parse_index(which, out_index)) {
        if (*out_index + 1 < n) *out_gpu = gpu;
        if (*out_index < n) return GODWIT_OK;
        list_devices(context, listed, sizeof listed);
        return gw_fail(error, GODWIT_NOT_FOUND,
                       "device %s: no device has that index; there are: %s", which, listed);
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        godwit_device_info info = {0};
        status = gw_gpu_device_info(gpu, i, &info, error);
        if (status != GODWIT_OK) return status;
        if (contains(info.name, which) || contains(info.driver, which)) {
            *out_gpu = gpu;
            *out_index = i;
            return GODWIT_OK;
        }
    }
    list_devices(context, listed, sizeof listed);
    return gw_fail_driver(
        error, GODWIT_NOT_FOUND, no_vulkan.driver_code,
        "device '%.40s': no device's name or driver contains that; there are: %s%s%s", which,
        listed, gpu ? "" : "; ", gpu ? "" : no_vulkan.message);
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

static gw_cpu_params cores_of(const godwit_device_params *p) {
    return (gw_cpu_params){.n_threads = p->n_threads,
                           .mask = p->mask,
                           .parallel = p->parallel,
                           .parallel_user = p->parallel_user};
}

// gpu NULL: the host.
static godwit_status open_backend(godwit_device *device, gw_gpu *gpu, uint32_t index, bool is_cpu,
                                  const godwit_device_params *p, godwit_error *error) {
    gw_backend *backend = &device->backend;
    godwit_status status = GODWIT_OK;
    if (gpu) status = gw_device_open(gpu, index, p, &backend->device, error);
    const gw_cpu_params cpu = cores_of(p);
    if (is_cpu) status = gw_cpu_create(backend->host, &cpu, &backend->cpu, error);
    if (status != GODWIT_OK) return status;
    *backend = (gw_backend){.host = backend->host, .device = backend->device, .cpu = backend->cpu};
    gw_tune_for(gpu ? gw_device_caps(backend->device) : NULL, &backend->tune);
    return gw_verify_open(backend, p->self_check, error);
}

// Of the first GPU, which nobody named: measures it beside the cores where that was not done yet, and
// opens these instead where they are faster.
static godwit_status take_the_faster(godwit_device *device, gw_gpu *gpu,
                                     const godwit_device_params *p, godwit_error *error) {
    godwit_context *context = device->context;
    gw_backend *backend = &device->backend;
    if (pace_of_first(context, gpu, p->n_threads, &device->pace)) return GODWIT_OK;
    if (p->self_check == GODWIT_SELF_CHECK_NEVER) return GODWIT_OK;
    const gw_cpu_params cores = cores_of(p);
    godwit_status status = gw_pace_measure(backend, &cores, &device->pace, error);
    if (status != GODWIT_OK) return status;
    gw_pace_keep(backend->device, &device->pace);
    pthread_mutex_lock(&context->gpu_lock);
    context->pace = device->pace;
    pthread_mutex_unlock(&context->gpu_lock);
    if (!gw_pace_prefers_cores(&device->pace)) return GODWIT_OK;
    gw_device_release(&backend->device);
    return open_backend(device, NULL, 0, true, p, error);
}

godwit_status godwit_device_open(godwit_context *context, const char *which,
                                 const godwit_device_params *params, godwit_device **out_device,
                                 godwit_error *error) {
    GW_WANT(context && out_device, error);
    *out_device = NULL;
    GW_PARAMS(godwit_device_params, p, params);
    p.struct_size = sizeof p;
    GW_WANT(p.n_threads <= GW_MAX_THREADS, error);
    uint32_t index = 0;
    gw_gpu *gpu = NULL;
    godwit_status status = pick(context, which, &p, &gpu, &index, error);
    if (status != GODWIT_OK) return status;
    godwit_device *device = gw_alloc(&context->host, 1, sizeof *device);
    if (!device) return gw_fail(error, GODWIT_OUT_OF_MEMORY, "out of host memory: device");
    atomic_init(&device->references, 1);
    device->context = GW_RETAIN(context);
    device->process = (long)getpid();
    device->backend.host = &context->host;
    godwit_error own = {0};
    const bool is_cpu = !gpu && !is_reference(which);
    status = open_backend(device, gpu, index, is_cpu, &p, &own);
    if (status == GODWIT_DEVICE_LOST && !p.vk_device) {
        gw_log(&context->host, GODWIT_LOG_WARN, "%s; opening it once more", own.message);
        gw_device_release(&device->backend.device);
        status = open_backend(device, gpu, index, false, &p, &own);
    }
    const bool is_default = !(which && *which) && !(p.mask && *p.mask) && !p.vk_device;
    if (status == GODWIT_OK && is_default && gpu)
        status = take_the_faster(device, gpu, &p, &own);
    else if (status == GODWIT_OK && context->gpu && is_default)
        (void)pace_of_first(context, context->gpu, p.n_threads, &device->pace);
    if (status != GODWIT_OK && error) *error = own;
    if (status == GODWIT_OK && !p.allow_failing) status = note_failing(device, error);
    if (status != GODWIT_OK) {
        gw_api_device_release(device);
        return status;
    }
    *out_device = device;
    return GODWIT_OK;
}

bool gw_api_device_is_forked(const godwit_device *device) {
    return device->process != (long)getpid();
}

godwit_status gw_api_device_check(const godwit_device *device, const char *call,
                                  godwit_error *err) {
    if (!gw_api_device_is_forked(device)) return GODWIT_OK;
    return fail_forked(err, call, "the device", device->process);
}

void gw_api_device_release(godwit_device *device) {
    if (!device || !GW_RELEASE(device)) return;
    godwit_context *context = device->context;
    if (device->backend.device) gw_device_release(&device->backend.device);
    gw_cpu_destroy(&device->backend.cpu);
    gw_free(&context->host, device, sizeof *device);
    gw_context_release(context);
}

void godwit_device_close(godwit_device **device) {
    if (!device) return;
    if (*device && !gw_api_device_is_forked(*device)) gw_api_device_release(*device);
    *device = NULL;
}
