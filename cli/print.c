// print.c: see print.h.
#include "print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "cli.h"

void cli_text_add(cli_text *text, const char *data, size_t n_bytes) {
    if (text->cap_bytes - text->n_bytes <= n_bytes) {
        text->cap_bytes = (text->n_bytes + n_bytes) * 2 + 64;
        text->data = cli_realloc(text->data, text->cap_bytes);
    }
    if (n_bytes) memcpy(text->data + text->n_bytes, data, n_bytes);
    text->n_bytes += n_bytes;
    text->data[text->n_bytes] = 0;
}

void cli_text_free(cli_text *text) {
    free(text->data);
    *text = (cli_text){0};
}

bool cli_text_write(void *user, const char *data, size_t n_bytes) {
    cli_text_add(user, data, n_bytes);
    return true;
}

// Bytes of the UTF-8 character at text, 0 where there is none: no overlong form, no surrogate,
// nothing past U+10FFFF (Unicode 15, table 3-7).
static size_t utf8_char_bytes(const char *text, size_t n_bytes) {
    const unsigned char *b = (const unsigned char *)text;
    if (b[0] < 0x80) return 1;
    if (b[0] < 0xC2 || b[0] > 0xF4) return 0;
    size_t n = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    if (n > n_bytes) return 0;
    unsigned low = b[0] == 0xE0 ? 0xA0 : b[0] == 0xF0 ? 0x90 : 0x80;
    unsigned high = b[0] == 0xED ? 0x9F : b[0] == 0xF4 ? 0x8F : 0xBF;
    if (b[1] < low || b[1] > high) return 0;
    for (size_t i = 2; i < n; i++) {
        if (b[i] < 0x80 || b[i] > 0xBF) return 0;
    }
    return n;
}

// C0 (but tab and line end), DEL and C1, which a terminal would obey.
static bool is_control(const char *text, size_t n) {
    unsigned char first = (unsigned char)text[0];
    if (n == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
    return n == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA0;
}

void cli_print_safe(FILE *to, const char *text, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes;) {
        size_t n = utf8_char_bytes(text + i, n_bytes - i);
        if (n == 0 || is_control(text + i, n)) {
            (void)fprintf(to, "\\x%02X", (unsigned char)text[i]);
            i++;
            continue;
        }
        (void)fwrite(text + i, 1, n, to);
        i += n;
    }
}

cli_amount cli_bytes(uint64_t n_bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)n_bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < 6; unit++) value /= 1024;
    cli_amount amount;
    (void)snprintf(amount.text, sizeof(amount.text), unit ? "%.1f %s" : "%.0f %s", value,
                   units[unit]);
    return amount;
}

json_t *cli_json_text(const char *text, size_t n_bytes) {
    cli_text good = {0};
    cli_text_add(&good, "", 0);
    for (size_t i = 0; i < n_bytes;) {
        size_t n = utf8_char_bytes(text + i, n_bytes - i);
        if (n) {
            cli_text_add(&good, text + i, n);
        } else {
            cli_text_add(&good, "\xEF\xBF\xBD", 3);
        }
        i += n ? n : 1;
    }
    json_t *value = json_stringn(good.data, good.n_bytes);
    cli_text_free(&good);
    return value;
}

json_t *cli_json_word(const char *word) {
    return cli_json_text(word, strlen(word));
}

json_t *cli_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_u64(uint64_t value) {
    char text[24];
    if (value <= INT64_MAX) return json_integer((json_int_t)value);
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return cli_json_word(text);
}

void cli_json_set(json_t *object, const char *key, json_t *value) {
    // Fails only where memory ran out, here or where value was made.
    if (json_object_set_new(object, key, value) == 0) return;
    cli_say("out of memory");
    exit(CLI_FAILED);
}

static bool json_is_printed;

int cli_print_json(json_t *value) {
    json_is_printed = true;
    bool dumped = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;
    json_decref(value);
    (void)putchar('\n');
    int code = cli_flush_stdout();
    return code == CLI_OK && !dumped ? CLI_FAILED : code;
}

void cli_print_json_error(void) {
    char signal[32];
    const char *text = cli_last_said();
    if (json_is_printed) return;
    if (cli_cancelled()) {
        (void)snprintf(signal, sizeof(signal), "stopped by signal %d", cli_cancelled_by());
        text = signal;
    }
    json_t *all = json_object();
    cli_json_set(all, "error", cli_json_word(text));
    (void)cli_print_json(all);
}

const char *cli_device_type_name(godwit_device_type type) {
    switch (type) {
    case GODWIT_DEVICE_REFERENCE:
        return "reference";
    case GODWIT_DEVICE_CPU:
        return "cpu";
    case GODWIT_DEVICE_SOFTWARE:
        return "software";
    case GODWIT_DEVICE_INTEGRATED:
        return "integrated";
    case GODWIT_DEVICE_DISCRETE:
        return "discrete";
    case GODWIT_DEVICE_VIRTUAL:
        return "virtual";
    case GODWIT_DEVICE_OTHER:
        break;
    }
    return "other";
}

static cli_why pace_of(const godwit_device_info *info) {
    cli_why pace = {""};
    if (info->gpu_pace)
        (void)snprintf(pace.text, sizeof(pace.text),
                       "for a token the GPU reads %.1f GB/s of weights, the cores %.1f",
                       (double)info->gpu_pace / 1e9, (double)info->cpu_pace / 1e9);
    return pace;
}

cli_why cli_why_default(const godwit_device_info *taken, const godwit_device_info *first) {
    cli_why why = {"no Vulkan device"};
    if (taken->type == GODWIT_DEVICE_SOFTWARE) {
        return (cli_why){"the best Vulkan device"};
    } else if (taken->type != GODWIT_DEVICE_CPU) {
        (void)snprintf(why.text, sizeof(why.text), "the best GPU%s%.150s",
                       taken->gpu_pace ? ": " : ", not measured against the cores",
                       pace_of(taken).text);
    } else if (first->type == GODWIT_DEVICE_SOFTWARE) {
        (void)snprintf(why.text, sizeof(why.text),
                       "no GPU; a Vulkan driver on the same cores is slower: %.150s", first->name);
    } else if (taken->gpu_pace) {
        (void)snprintf(why.text, sizeof(why.text), "faster than the GPU, %.100s: %.100s",
                       first->name, pace_of(taken).text);
    }
    return why;
}

json_t *cli_json_device_short(const godwit_device_info *info) {
    json_t *o = json_object();
    cli_json_set(o, "name", cli_json_word(info->name));
    cli_json_set(o, "vendor", cli_json_word(info->vendor));
    cli_json_set(o, "driver", cli_json_word(info->driver));
    cli_json_set(o, "type", cli_json_word(cli_device_type_name(info->type)));
    cli_json_set(o, "verified", cli_json_word(info->verified));
    cli_json_set(o, "routed", cli_json_word(info->routed));
    cli_json_set(o, "tuned", json_boolean(info->tuned));
    return o;
}

const char *cli_kernels_are(const godwit_device_info *info) {
    return info->tuned ? "chosen by measurement" : "chosen by what the device reports";
}

static void set_features(json_t *o, const godwit_device_info *info) {
    const struct {
        const char *name;
        bool has;
    } features[] = {
        {"subgroup_arithmetic", info->subgroup_arithmetic},
        {"subgroup_shuffle", info->subgroup_shuffle},
        {"subgroup_size_control", info->subgroup_size_control},
        {"fp16", info->fp16},
        {"int8", info->int8},
        {"int16", info->int16},
        {"int64", info->int64},
        {"storage_8bit", info->storage_8bit},
        {"storage_16bit", info->storage_16bit},
        {"int_dot", info->int_dot},
        {"int_dot_accelerated", info->int_dot_accelerated},
        {"cooperative_matrix", info->cooperative_matrix},
        {"cooperative_matrix_int8", info->cooperative_matrix_int8},
        {"cooperative_matrix_fp16", info->cooperative_matrix_fp16},
        {"matrix_kernels_left_out", info->matrix_kernels_left_out},
        {"buffer_device_address", info->buffer_device_address},
        {"timeline_semaphore", info->timeline_semaphore},
        {"external_host_memory", info->external_host_memory},
        {"memory_budget", info->memory_budget},
        {"uma", info->uma},
        {"pipeline_executable_properties", info->pipeline_executable_properties},
    };
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        cli_json_set(o, features[i].name, json_boolean(features[i].has));
    }
}

static json_t *heaps_of(const godwit_device_info *info) {
    json_t *heaps = json_array();
    for (uint32_t i = 0; i < info->n_heaps && i < 16; i++) {
        json_t *heap = json_object();
        cli_json_set(heap, "bytes", json_integer((json_int_t)info->heaps[i].bytes));
        cli_json_set(heap, "budget_bytes", json_integer((json_int_t)info->heaps[i].budget_bytes));
        cli_json_set(heap, "device_local", json_boolean(info->heaps[i].device_local));
        (void)json_array_append_new(heaps, heap);
    }
    return heaps;
}

json_t *cli_json_device(const godwit_device_info *info) {
    json_t *o = cli_json_device_short(info);
    char api[40];
    (void)snprintf(api, sizeof(api), "%u.%u.%u", info->api_major, info->api_minor, info->api_patch);
    cli_json_set(o, "api", cli_json_word(api));
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"vendor_id", info->vendor_id},
        {"device_id", info->device_id},
        {"driver_id", info->driver_id},
        {"driver_version", info->driver_version},
        {"memory_bytes", info->memory_bytes},
        {"memory_budget_bytes", info->memory_budget_bytes},
        {"host_memory_bytes", info->host_memory_bytes},
        {"subgroup_size", info->subgroup_size},
        {"subgroup_size_min", info->subgroup_size_min},
        {"subgroup_size_max", info->subgroup_size_max},
        {"max_workgroup_invocations", info->max_workgroup_invocations},
        {"max_shared_bytes", info->max_shared_bytes},
        {"max_push_constant_bytes", info->max_push_constant_bytes},
        {"max_storage_buffer_range", info->max_storage_buffer_range},
        {"max_allocation_bytes", info->max_allocation_bytes},
        {"min_storage_buffer_align", info->min_storage_buffer_align},
        {"gpu_pace", info->gpu_pace},
        {"cpu_pace", info->cpu_pace},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        cli_json_set(o, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    }
    set_features(o, info);
    cli_json_set(o, "timestamp_period_ns", cli_json_real(info->timestamp_period_ns));
    cli_json_set(o, "heaps", heaps_of(info));
    cli_json_set(o, "quirks", cli_json_word(info->quirks));
    cli_json_set(o, "default", json_boolean(info->is_default));
    return o;
}
