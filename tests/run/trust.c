// What is believed of a kernel: not a device that was lost, nor a driver that failed, once; what a
// quick check did not look at stays known; what did not run is not said to be wrong.
#include "gpu/internal.h"

#include "api/handles.h"
#include "run/story.h"
#include "run/verify.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define BIT(format) (UINT64_C(1) << GW_FMT_##format)

static gw_verify_result result;

static void verify(const gw_backend *backend) {
    godwit_error err = {0};
    gw_verify_params params = {.quick = true, .formats = BIT(q8_0)};
    godwit_status status = gw_verify_run(backend, &params, &result, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
}

static void reopen(rig *r) {
    godwit_error err = {0};
    gw_device_release(&r->device);
    cr_assert(gw_device_open(r->gpu, 0, NULL, &r->device, &err) == GODWIT_OK, "%s", err.message);
    r->vulkan.device = r->device;
}

// A loss, a driver's error: says nothing of a kernel, which is tried again on another handle.
Test(trust, a_device_that_is_lost_once_is_gone_on_with) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    verify(&r.reference);
    const uint64_t digest = result.digest;
    for (uint32_t at = 1; at < 6; at++) {
        gw_device_inject(r.device, at, 0);
        verify(&r.vulkan);
        cr_assert(gw_device_is_lost(r.device));
        cr_assert(result.n_failed == 0 && result.findings.n == 0, "at %u: %s", at,
                  result.findings.items[0].reason);
        cr_assert_eq(result.digest, digest, "at %u", at);
        reopen(&r);
    }
    rig_close(&r);
}

// A driver whose compiler fails: each module of one size, or all.
static size_t refused_bytes; // 0: of all modules
static uint32_t n_refusals;  // that are left
static VkResult refusal;
static PFN_vkCreateShaderModule create_module;
static PFN_vkGetDeviceProcAddr device_proc;

static VkResult VKAPI_CALL refuse_module(VkDevice device, const VkShaderModuleCreateInfo *info,
                                         const VkAllocationCallbacks *allocator,
                                         VkShaderModule *out) {
    if (n_refusals && (!refused_bytes || info->codeSize == refused_bytes)) {
        n_refusals--;
        return refusal;
    }
    return create_module(device, info, allocator, out);
}

static PFN_vkVoidFunction VKAPI_CALL refusing_proc(VkDevice device, const char *name) {
    PFN_vkVoidFunction found = device_proc(device, name);
    if (strcmp(name, "vkCreateShaderModule") != 0) return found;
    create_module = (PFN_vkCreateShaderModule)found;
    return (PFN_vkVoidFunction)refuse_module;
}

// As the driver is given it.
static size_t bytes_of_module(const rig *r, const char *name) {
    const gw_shader *shader = gw_shader_find(name);
    const gw_adapter *a = r->device->adapter;
    uint32_t *rounded = NULL, *copy = NULL, n = shader->n_words;
    const uint32_t *words = NULL;
    godwit_error err;
    cr_assert_eq(gw_shader_words(r->device->host, shader, &words, &copy, &err), GODWIT_OK);
    if (a->round_to_even_32) {
        uint32_t n_rounded = 0;
        cr_assert_eq(gw_spirv_round_to_even(r->device->host, words, shader->n_words,
                                            a->rounding_independent, &rounded, &n_rounded, &err),
                     GODWIT_OK);
        if (rounded) n = n_rounded;
        gw_free(r->device->host, rounded, (size_t)n_rounded * sizeof *rounded);
    }
    gw_free(r->device->host, copy, (size_t)shader->n_words * sizeof *copy);
    return 4 * (size_t)n;
}

static godwit_status verify_with_refusals(rig *r, const char *module, uint32_t n, VkResult how) {
    godwit_error err = {0};
    gw_verify_params params = {.quick = true, .formats = BIT(q8_0)};
    if (r->gpu->vk.GetDeviceProcAddr != refusing_proc) {
        device_proc = r->gpu->vk.GetDeviceProcAddr;
        r->gpu->vk.GetDeviceProcAddr = refusing_proc;
    }
    n_refusals = 0;
    reopen(r);
    refused_bytes = module ? bytes_of_module(r, module) : 0;
    n_refusals = n;
    refusal = how;
    return gw_verify_run(&r->vulkan, &params, &result, &err);
}

Test(trust, a_kernel_is_blamed_for_what_it_does_twice_where_another_one_runs) {
    static const VkResult hows[] = {VK_ERROR_INITIALIZATION_FAILED, VK_ERROR_DEVICE_LOST};
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (int i = 0; i < 2; i++) {
        const VkResult how = hows[i];
        cr_assert_eq(verify_with_refusals(&r, "rms_norm", 1, how), GODWIT_OK);
        cr_assert(n_refusals == 0 && result.n_failed == 0 && result.findings.n == 0);
        cr_assert_eq(verify_with_refusals(&r, "rms_norm", UINT32_MAX, how), GODWIT_OK);
        cr_assert(result.n_failed == 1 && result.findings.n == 1);
        cr_assert_str_eq(result.findings.items[0].module, "rms_norm");
        cr_assert_eq(strncmp(result.findings.items[0].reason, "did not run, twice: ", 20), 0, "%s",
                     result.findings.items[0].reason);
        // No kernel runs: that is no finding.
        cr_assert_eq(verify_with_refusals(&r, NULL, UINT32_MAX, how),
                     i ? GODWIT_DEVICE_LOST : GODWIT_DRIVER);
        cr_assert(result.n_verdicts == 0 && result.findings.n == 0);
    }
    rig_close(&r);
}

// --- through the public interface, with files

TestSuite(trust_files, .init = story_make_dir, .fini = story_remove_dir);

static void know(gw_device *device, const char *module, const char *label) {
    gw_finding f = {.given = false};
    static gw_findings list;
    gw_device_findings(device, &list);
    snprintf(f.module, sizeof f.module, "%s", module);
    snprintf(f.label, sizeof f.label, "%s", label);
    snprintf(f.reason, sizeof f.reason, "as an earlier check found");
    cr_assert(gw_findings_add(&list, &f));
    list.level = GODWIT_VERIFIED_FULL;
    snprintf(list.date, sizeof list.date, "2026-01-02");
    gw_device_remember(device, &list, true);
}

// A quick check takes back what it looked at, and nothing else.
Test(trust_files, a_quick_check_keeps_what_it_did_not_look_at) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_device_info info;
    godwit_verify_params params = GODWIT_INIT(godwit_verify_params);
    godwit_verify_report report = GODWIT_INIT(godwit_verify_report);
    params.quick = true;
    for (int i = 0; i < 2; i++) {
        if (!story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device)) {
            cr_skip_test("SKIPPED: no Vulkan device");
        }
        if (i == 0) {
            know(device->backend.device, "rms_norm", "folded");
            know(device->backend.device, "matmul.texel", "q5_k");
            know(device->backend.device, "rope", "f32");
        }
        STORY_OK(godwit_device_verify(device, &params, NULL, NULL, &report, &story_err));
        cr_assert_eq(report.n_failed, 0);
        cr_assert(report.failing && strncmp(report.line, "FAILED: ", 8) == 0, "%s", report.line);
        cr_assert_str_eq(report.routed, "matmul.texel/q5_k -> matmul");
        story_info(device, &info);
        cr_assert_str_eq(info.verified, "FAILED: rope/f32");
        godwit_device_close(&device);
        godwit_context_destroy(&context);
    }
    static gw_findings known;
    story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, true, &context, &device);
    gw_device_findings(device->backend.device, &known);
    cr_assert_eq(known.n, 2, "%u", known.n);
    cr_assert(known.level == GODWIT_VERIFIED_FULL && !strcmp(known.date, "2026-01-02"));
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}

// What has failed to run is not said to give wrong results.
Test(trust_files, a_kernel_that_did_not_run_is_no_wrong_result) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    if (!story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device)) {
        cr_skip_test("SKIPPED: no Vulkan device");
    }
    gw_finding f = {.module = "rope", .reason = "did not run, twice: VK_ERROR_DEVICE_LOST"};
    static gw_findings list;
    cr_assert(gw_findings_add(&list, &f));
    gw_device_remember(device->backend.device, &list, true);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device);
    cr_assert_not_null(strstr(device->failing, "check again with `godwit verify`"), "%s",
                       device->failing);
    cr_assert_null(strstr(device->failing, "wrong"));
    cr_assert_not_null(strstr(device->failing, "row 'fails rope' of "));
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}
