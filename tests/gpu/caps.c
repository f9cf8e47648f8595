// Masks, quirks and capabilities: words, bits, and that a masked device is a lesser one.
#include "gpu/internal.h"

#include "gpu_support.h"

#include <stdlib.h>

static rig r;

Test(caps, mask_words) {
    static const struct {
        const char *mask;
        uint32_t bits;
    } cases[] = {
        {NULL, 0},
        {"", 0},
        {" , ,", 0},
        {"dot", GW_MASK_DOT},
        {"fp16,int8", GW_MASK_FP16 | GW_MASK_INT8},
        {" storage8 , storage16,", GW_MASK_STORAGE8 | GW_MASK_STORAGE16},
        {"subgroup coopmat budget", GW_MASK_SUBGROUP | GW_MASK_COOPMAT | GW_MASK_BUDGET},
        {"floor", GW_MASK_FLOOR | GW_MASK_EVERY_WORD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t bits = 99;
        ok(gw_mask_parse(cases[i].mask, &bits, &r.err));
        cr_assert_eq(bits, cases[i].bits, "%s: %x", cases[i].mask, bits);
    }
}

Test(caps, mask_refuses_unknown_words) {
    uint32_t bits;
    fails(gw_mask_parse("dot,doot", &bits, &r.err), GODWIT_INVALID_ARGUMENT, "\"doot\"");
    cr_assert_not_null(strstr(r.err.message, "storage16, storage8, coopmat"));
    fails(gw_mask_parse("FP16", &bits, &r.err), GODWIT_INVALID_ARGUMENT, "\"FP16\"");
    fails(gw_mask_parse("floorx", &bits, &r.err), GODWIT_INVALID_ARGUMENT, "\"floorx\"");
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    fails(gw_mask_parse(longer, &bits, &r.err), GODWIT_INVALID_ARGUMENT, "xxx\" is not");
}

// Texts as the drivers' own tools print them.
Test(caps, driver_releases) {
    static const struct {
        const char *text;
        uint32_t packed;
        uint64_t release;
    } cases[] = {
        {"Mesa 22.3.6 (LLVM 15.0.6)", 1, GW_DRIVER_VERSION(22, 3, 6)},
        {"Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)", 1, GW_DRIVER_VERSION(25, 0, 7)},
        {"535.183.01", 2246057024u, GW_DRIVER_VERSION(535, 183, 1)},
        {"Mesa 24.1", 7, GW_DRIVER_VERSION(24, 1, 0)},
        {"", VK_MAKE_API_VERSION(0, 5, 0, 0), GW_DRIVER_VERSION(5, 0, 0)},
        {"build 1234, no points", VK_MAKE_API_VERSION(0, 2, 0, 1), GW_DRIVER_VERSION(2, 0, 1)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(gw_quirk_release(cases[i].text, cases[i].packed), cases[i].release, "%s",
                     cases[i].text);
}

static gw_quirk_effects effects;

static uint32_t match(const gw_quirk *rows, uint32_t n, const godwit_device_info *info,
                      uint64_t release, char *text, size_t text_bytes) {
    gw_quirks_match(rows, n, info, release, text, text_bytes, &effects);
    return effects.bits;
}

Test(caps, quirk_rows_match_by_driver_vendor_and_release) {
    static const gw_quirk rows[] = {
        {"one", 0, 7, GW_DRIVER_VERSION(1, 0, 0), GW_DRIVER_VERSION(1, 9, 9), 1, "", "", 0, NULL},
        {"two", 5, 7, 0, UINT64_MAX, 2, "", "", 0, NULL},
        {"three", 0, 8, 0, UINT64_MAX, 4, "", "", 0, NULL},
        {"four", 0, 7, GW_DRIVER_VERSION(1, 5, 0), UINT64_MAX, 8, "", "", 0, NULL},
    };
    godwit_device_info info = {.driver_id = 7, .vendor_id = 5};
    char text[512], little[9];
    cr_assert_eq(match(rows, 4, &info, GW_DRIVER_VERSION(1, 9, 9), text, sizeof text), 1 | 2 | 8);
    cr_assert_str_eq(text, "one,two,four");
    cr_assert_eq(match(rows, 4, &info, GW_DRIVER_VERSION(2, 0, 0), text, sizeof text), 2 | 8);
    info.vendor_id = 6;
    cr_assert_eq(match(rows, 4, &info, GW_DRIVER_VERSION(1, 4, 0), text, sizeof text), 1);
    info.driver_id = 9;
    cr_assert_eq(match(rows, 4, &info, GW_DRIVER_VERSION(1, 4, 0), text, sizeof text), 0);
    cr_assert_str_eq(text, "");
    info.driver_id = 7;
    info.vendor_id = 5;
    match(rows, 4, &info, GW_DRIVER_VERSION(1, 9, 9), little, sizeof little);
    cr_assert_str_eq(little, "one,two", "a list too long for its buffer ends at a whole name");
}

Test(caps, quirk_effects_with_a_number_take_the_strictest) {
    static const gw_quirk rows[] = {
        {"a", 0, 7, 0, UINT64_MAX, GW_QUIRK_CAP_INVOCATIONS, "", "", 256, NULL},
        {"b", 0, 7, 0, UINT64_MAX, GW_QUIRK_CAP_INVOCATIONS, "", "", 192, NULL},
        {"c", 0, 7, 0, UINT64_MAX, GW_QUIRK_SPLIT_SUBMITS, "", "", 500, NULL},
        {"d", 0, 7, 0, UINT64_MAX, GW_QUIRK_DISABLE_VARIANT, "", "", 0, "matmul.dot"},
    };
    godwit_device_info info = {.driver_id = 7};
    char text[512];
    gw_adapter *a = calloc(1, sizeof *a);
    gw_gpu *gpu = calloc(1, sizeof *gpu);
    gw_caps caps;
    match(rows, 4, &info, 0, text, sizeof text);
    cr_assert(effects.max_invocations == 192 && effects.submit_ms == 500);
    cr_assert(effects.n_disabled == 1 && effects.disabled[0] == &rows[3]);
    a->limits.maxComputeWorkGroupInvocations = 1024;
    a->effects = effects;
    gw_caps_init(a, 0, &caps);
    cr_assert(caps.max_workgroup_invocations == 192 && caps.submit_ms == 500);
    a->info.type = GODWIT_DEVICE_SOFTWARE;
    gw_caps_init(a, 0, &caps);
    cr_assert_eq(caps.submit_ms, 0, "a software device has no watchdog");
    a->info.type = GODWIT_DEVICE_DISCRETE;
    a->effects.submit_ms = 60000;
    gw_caps_init(a, 0, &caps);
    cr_assert_eq(caps.submit_ms, 2000, "a row only lowers it");
    a->effects.submit_ms = 0;
    gw_caps_init(a, GW_MASK_FLOOR, &caps);
    cr_assert_eq(caps.submit_ms, 2000, "every other device is taken to have one");
    a->effects.max_invocations = 32;
    gw_caps_init(a, 0, &caps);
    cr_assert_eq(caps.max_workgroup_invocations, 128, "never below the floor");
    gw_findings *list = calloc(1, sizeof *list);
    gw_findings_load(gpu, a, list);
    cr_assert(list->n == 1 && list->items[0].given && list->level == GODWIT_UNVERIFIED);
    cr_assert_str_eq(list->items[0].module, "matmul.dot");
    cr_assert_str_eq(list->items[0].reason, "quirk d");
    free(list);
    free(gpu);
    free(a);
}

Test(caps, quirk_rows_are_complete) {
    uint32_t n = 0;
    const gw_quirk *rows = gw_quirk_table(&n);
    cr_assert_gt(n, 0);
    for (uint32_t i = 0; i < n; i++) {
        cr_assert(rows[i].effect != 0 && rows[i].version_min <= rows[i].version_max, "%s",
                  rows[i].name);
        cr_assert(strlen(rows[i].reason) > 10 && strlen(rows[i].source) > 10, "%s", rows[i].name);
        cr_assert_null(strchr(rows[i].name, ','));
        const uint32_t numbered = GW_QUIRK_CAP_INVOCATIONS | GW_QUIRK_SPLIT_SUBMITS;
        cr_assert_eq((rows[i].effect & numbered) != 0, rows[i].number != 0, "%s", rows[i].name);
        if (rows[i].effect & GW_QUIRK_SPLIT_SUBMITS)
            cr_assert_lt(rows[i].number, 2000, "%s: not below the default", rows[i].name);
        cr_assert_eq((rows[i].effect & GW_QUIRK_DISABLE_VARIANT) != 0, rows[i].module != NULL);
    }
}

Test(caps, vendor_names) {
    char text[64];
    gw_vendor_name(0x10de, text, sizeof text);
    cr_assert_str_eq(text, "NVIDIA");
    gw_vendor_name(0x4242, text, sizeof text);
    cr_assert_str_eq(text, "vendor 0x4242");
}

Test(caps, of_the_device_are_at_least_the_floor) {
    gpu_open(&r, NULL, NULL);
    const gw_caps *caps = gw_device_caps(r.device);
    godwit_device_info info = GODWIT_INIT(godwit_device_info), opened = info;
    ok(gw_gpu_device_info(r.gpu, 0, &info, &r.err));
    ok(gw_device_info(r.device, &opened, &r.err));
    cr_assert_eq(info.struct_size, sizeof info);
    cr_assert(info.api_major > 1 || info.api_minor >= 2);
    cr_assert(info.name[0] && info.vendor[0] && info.driver[0]);
    cr_assert_geq(caps->max_workgroup_invocations, 128);
    cr_assert_geq(caps->max_shared_bytes, 16384);
    cr_assert_geq(caps->max_storage_buffer_range, 128u << 20);
    cr_assert_geq(caps->max_groups_x, 65535);
    cr_assert_geq(info.max_push_constant_bytes, GW_KERNEL_MAX_PUSH_BYTES);
    cr_assert_leq(caps->storage_align, 256);
    cr_assert(caps->subgroup_size >= 1 && caps->subgroup_size <= 128);
    cr_assert_eq(caps->software, info.type == GODWIT_DEVICE_SOFTWARE);
    cr_assert(!caps->int_dot_accelerated || caps->int_dot);
    cr_assert(info.n_heaps > 0 && info.memory_bytes > 0 && info.host_memory_bytes > 0);
    cr_assert_str_eq(opened.name, info.name);
    fails(gw_gpu_device_info(r.gpu, 1000, &info, &r.err), GODWIT_NOT_FOUND, "device 1000");
    gpu_close(&r);
}

static PFN_vkGetPhysicalDeviceProperties2 properties;
static uint32_t n_storage_buffers;

static void VKAPI_CALL few_buffers(VkPhysicalDevice device, VkPhysicalDeviceProperties2 *out) {
    properties(device, out);
    out->properties.limits.maxPerStageDescriptorStorageBuffers = n_storage_buffers;
}

Test(caps, a_device_with_too_few_storage_buffers_is_left_out) {
    gpu_open(&r, NULL, NULL);
    gw_adapter *a = calloc(1, sizeof *a);
    uint32_t n = 0, most = 0;
    const gw_shader *table = gw_shader_table(&n);
    for (uint32_t i = 0; i < n; i++) most = table[i].n_bindings > most ? table[i].n_bindings : most;
    cr_assert_gt(most, 4, "Vulkan promises 4: where that is enough nothing needs to be left out");
    properties = r.gpu->vk.GetPhysicalDeviceProperties2;
    r.gpu->vk.GetPhysicalDeviceProperties2 = few_buffers;
    for (n_storage_buffers = 4; n_storage_buffers <= most; n_storage_buffers++) {
        bool usable = false;
        log_clear();
        ok(gw_adapter_init(r.gpu, r.gpu->adapters[0].handle, a, &usable, &r.err));
        cr_assert_eq(usable, n_storage_buffers == most, "%u", n_storage_buffers);
        cr_assert_eq(strstr(logged, "left out: a kernel may have ") == NULL, usable, "%s", logged);
    }
    free(a);
    gpu_close(&r);
}

Test(caps, of_a_masked_device_are_fewer) {
    gpu_open(&r, "floor", NULL);
    const gw_caps *caps = gw_device_caps(r.device);
    cr_assert(!caps->subgroup_arithmetic && !caps->subgroup_shuffle && !caps->int_dot);
    cr_assert(!caps->int_dot_accelerated && !caps->fp16 && !caps->int8 && !caps->coopmat);
    cr_assert(!caps->storage_16bit && !caps->storage_8bit);
    cr_assert_eq(caps->max_workgroup_invocations, 128);
    cr_assert_eq(caps->max_shared_bytes, 16384);
    cr_assert_eq(caps->max_storage_buffer_range, 128u << 20);
    cr_assert_leq(caps->subgroup_size, 4);
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    ok(gw_device_info(r.device, &info, &r.err));
    cr_assert(!info.fp16 && !info.int_dot && !info.subgroup_arithmetic && !info.memory_budget);
    cr_assert_eq(info.max_workgroup_invocations, 128);
    cr_assert_eq(info.memory_budget_bytes, 0);
    gpu_close(&r);
}

Test(caps, a_single_mask_takes_one_thing) {
    gpu_open(&r, NULL, NULL);
    const gw_caps all = *gw_device_caps(r.device);
    gpu_close(&r);
    gpu_open(&r, "dot", NULL);
    const gw_caps *caps = gw_device_caps(r.device);
    cr_assert(!caps->int_dot && !caps->int_dot_accelerated);
    cr_assert(caps->fp16 == all.fp16 && caps->int8 == all.int8 && caps->coopmat == all.coopmat);
    cr_assert(caps->storage_8bit == all.storage_8bit && caps->storage_16bit == all.storage_16bit);
    cr_assert_eq(caps->subgroup_arithmetic, all.subgroup_arithmetic);
    cr_assert_eq(caps->max_workgroup_invocations, all.max_workgroup_invocations);
    cr_assert_eq(caps->max_storage_buffer_range, all.max_storage_buffer_range);
    gpu_close(&r);
}
