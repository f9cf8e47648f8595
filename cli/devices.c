// devices.c: `godwit devices`: every device as its driver reports it, and why there is no more.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cache_dir.h"
#include "cli.h"
#include "drivers.h"
#include "print.h"

// A line of words with commas between them.
typedef struct words {
    char text[512];
    size_t n_bytes;
} words;

static void add(words *to, bool has, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(words *to, bool has, const char *format, ...) {
    if (!has) return;
    size_t room = sizeof(to->text) - to->n_bytes;
    int n = to->n_bytes ? snprintf(to->text + to->n_bytes, room, ", ") : 0;
    if (n < 0 || (size_t)n >= room) return;
    to->n_bytes += (size_t)n;
    room -= (size_t)n;
    va_list args;
    va_start(args, format);
    n = vsnprintf(to->text + to->n_bytes, room, format, args);
    va_end(args);
    if (n > 0) to->n_bytes += (size_t)n < room ? (size_t)n : room - 1;
}

static void print_line(const char *name, const char *text) {
    if (!text[0]) return;
    printf("    %-11s ", name);
    cli_print_safe(stdout, text, strlen(text));
    (void)putchar('\n');
}

static void print_memory(const godwit_device_info *info) {
    words memory = {0}, heaps = {0};
    add(&memory, info->memory_bytes, "%s on the device", cli_bytes(info->memory_bytes).text);
    add(&memory, info->memory_budget_bytes, "%s of it free",
        cli_bytes(info->memory_budget_bytes).text);
    add(&memory, info->uma, "shared with the host");
    add(&memory, info->host_memory_bytes, "host has %s", cli_bytes(info->host_memory_bytes).text);
    print_line("memory", memory.text);
    for (uint32_t i = 0; i < info->n_heaps && i < 16; i++) {
        char budget[48] = "";
        if (info->heaps[i].budget_bytes) {
            (void)snprintf(budget, sizeof(budget), ", %s free",
                           cli_bytes(info->heaps[i].budget_bytes).text);
        }
        add(&heaps, true, "%u: %s %s%s", i, cli_bytes(info->heaps[i].bytes).text,
            info->heaps[i].device_local ? "local" : "host", budget);
    }
    print_line("heaps", heaps.text);
}

static void print_subgroups(const godwit_device_info *info) {
    words line = {0};
    add(&line, info->subgroup_size, "%u", info->subgroup_size);
    add(&line, info->subgroup_size_min != info->subgroup_size_max, "%u to %u",
        info->subgroup_size_min, info->subgroup_size_max);
    add(&line, info->subgroup_arithmetic, "arithmetic");
    add(&line, info->subgroup_shuffle, "shuffle");
    add(&line, info->subgroup_size_control, "size control");
    print_line("subgroups", line.text);
}

static void print_features(const godwit_device_info *info) {
    words line = {0};
    add(&line, info->fp16, "fp16");
    add(&line, info->int8, "int8");
    add(&line, info->int16, "int16");
    add(&line, info->int64, "int64");
    add(&line, info->storage_8bit, "8-bit storage");
    add(&line, info->storage_16bit, "16-bit storage");
    add(&line, info->int_dot, "int dot%s", info->int_dot_accelerated ? " (accelerated)" : "");
    add(&line, info->cooperative_matrix, "cooperative matrix%s%s",
        info->cooperative_matrix_int8 ? " int8" : "", info->cooperative_matrix_fp16 ? " fp16" : "");
    add(&line, info->buffer_device_address, "buffer addresses");
    add(&line, info->timeline_semaphore, "timeline semaphores");
    add(&line, info->external_host_memory, "host memory import");
    add(&line, info->timestamp_period_ns > 0, "timestamps of %.3g ns", info->timestamp_period_ns);
    add(&line, info->pipeline_executable_properties, "kernel statistics");
    print_line("has", line.text);
}

static void print_limits(const godwit_device_info *info) {
    words line = {0};
    add(&line, info->max_workgroup_invocations, "%u invocations a workgroup",
        info->max_workgroup_invocations);
    add(&line, info->max_shared_bytes, "%s shared", cli_bytes(info->max_shared_bytes).text);
    add(&line, info->max_push_constant_bytes, "%u B push constants", info->max_push_constant_bytes);
    add(&line, info->max_storage_buffer_range, "%s a storage buffer",
        cli_bytes(info->max_storage_buffer_range).text);
    add(&line, info->max_allocation_bytes, "%s an allocation",
        cli_bytes(info->max_allocation_bytes).text);
    add(&line, info->min_storage_buffer_align, "storage buffers at multiples of %llu B",
        (unsigned long long)info->min_storage_buffer_align);
    print_line("limits", line.text);
}

static void print_device(uint32_t index, const godwit_device_info *info,
                         const godwit_device_info *first) {
    printf("[%u] ", index);
    cli_print_safe(stdout, info->name, strlen(info->name));
    (void)putchar('\n');
    if (info->is_default) print_line("default", cli_why_default(info, first).text);
    words type = {0};
    add(&type, true, "%s", cli_device_type_name(info->type));
    add(&type, info->vendor[0], "%s", info->vendor);
    add(&type, info->vendor_id, "device %04x:%04x", info->vendor_id, info->device_id);
    print_line("type", type.text);
    print_line("driver", info->driver);
    words api = {0};
    add(&api, info->api_major, "Vulkan %u.%u.%u", info->api_major, info->api_minor,
        info->api_patch);
    print_line("api", api.text);
    print_memory(info);
    if (info->type != GODWIT_DEVICE_REFERENCE && info->type != GODWIT_DEVICE_CPU) {
        print_subgroups(info);
        print_features(info);
        print_limits(info);
        print_line("quirks", info->quirks[0] ? info->quirks : "none");
        print_line("verified", info->verified);
        print_line("routed", info->routed);
        print_line("kernels", cli_kernels_are(info));
        if (info->matrix_kernels_left_out) print_line("MISSING", CLI_NO_MATRIX_KERNELS);
    }
}

static godwit_status list(const godwit_context *context, json_t *array, godwit_error *error) {
    uint32_t n = godwit_context_n_devices(context);
    godwit_device_info first = GODWIT_INIT(godwit_device_info);
    for (uint32_t i = 0; i < n; i++) {
        godwit_device_info info = GODWIT_INIT(godwit_device_info);
        godwit_status status = godwit_context_device_info(context, i, &info, error);
        if (status != GODWIT_OK) return status;
        if (i == 0) first = info;
        if (array) {
            json_t *device = cli_json_device(&info);
            cli_json_set(device, "index", json_integer(i));
            (void)json_array_append_new(array, device);
        } else {
            print_device(i, &info, &first);
        }
    }
    return GODWIT_OK;
}

static json_t *left_out(void) {
    json_t *array = json_array();
    const cli_manifests *found = cli_drivers_found();
    for (size_t i = 0; i < found->n; i++) {
        if (!found->items[i].left_out) continue;
        json_t *driver = json_object();
        cli_json_set(driver, "manifest", cli_json_word(found->items[i].path));
        cli_json_set(driver, "reason", cli_json_word(found->items[i].reason));
        (void)json_array_append_new(array, driver);
    }
    return array;
}

int cli_devices(const cli_options *options) {
    cli_engine engine = {0};
    godwit_error error = {0};
    int code = CLI_OK;
    json_t *array = options->json ? json_array() : NULL;
    cli_ignore_relative_cache_home();
    // Who asks for devices may have one missing: each driver is tried by itself.
    godwit_status status = cli_drivers_prepare(NULL, true) ? GODWIT_OK : GODWIT_CANCELLED;
    if (status == GODWIT_OK) status = cli_open_context(options, &engine.context, &error);
    if (status == GODWIT_OK) status = list(engine.context, array, &error);
    if (status != GODWIT_OK) {
        json_decref(array);
        code = cli_fail(status, &error);
        goto done;
    }
    cli_drivers_worked();
    const char *reason = godwit_context_no_vulkan_reason(engine.context);
    if (options->json) {
        json_t *all = json_object();
        cli_json_set(all, "devices", array);
        cli_json_set(all, "no_vulkan_reason", cli_json_word(reason));
        cli_json_set(all, "drivers_left_out", left_out());
        code = cli_print_json(all);
    } else {
        if (reason[0]) cli_say("no Vulkan device: %s", reason);
        code = cli_flush_stdout();
    }
done:
    return cli_close_engine(&engine, code);
}
