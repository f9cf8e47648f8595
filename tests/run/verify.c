// Verification: every op has sample cases; a device that is right is found right, with the digest
// of the reference; modules that are wrong on purpose (tests/faults.cmake) are found, named and
// routed around, with a model's bits unchanged; a wrong plain kernel closes the device to models.
#include "gpu/internal.h"

#include "api/handles.h"
#include "graph/variant.h"
#include "run/cases.h"
#include "run/story.h"
#include "run/verify.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const gw_shader *fault_dot_table(uint32_t *out_n);
const gw_shader *fault_piece_table(uint32_t *out_n);
const gw_shader *fault_texel_table(uint32_t *out_n);
const gw_shader *fault_minimum_table(uint32_t *out_n);
const gw_shader *fault_tile_table(uint32_t *out_n);
const gw_shader *fault_tile_texel_table(uint32_t *out_n);
const gw_shader *fault_norm_table(uint32_t *out_n);

#define BIT(format) (UINT64_C(1) << GW_FMT_##format)

Test(verify, every_op_and_variant_has_cases) {
    for (uint32_t i = 0; gw_op_at(i); i++) {
        bool found = false;
        for (uint32_t r = 0; gw_case_row_at(r); r++) found |= gw_case_row_at(r)->op == gw_op_at(i);
        cr_assert(found, "%s has no row in engine/run/cases.c", gw_op_at(i)->name);
    }
    for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
        bool tried = false;
        for (uint32_t r = 0; gw_case_row_at(r); r++) {
            const gw_case_row *row = gw_case_row_at(r);
            if (row->op != gw_variant_at(v)->op) continue;
            tried |= row->label && gw_variant_reads(gw_variant_at(v), NULL);
            for (uint32_t f = 0; !row->label && f < GW_FMT_COUNT; f++) {
                tried |= gw_variant_reads(gw_variant_at(v), gw_format_at(f));
            }
        }
        cr_assert(tried, "%s is not tried by any case", gw_variant_at(v)->module);
    }
}

// Matrices are what prefill takes on GPUs; their halves of a unit are no case of plain formats.
Test(verify, the_self_check_tries_matrices_with_scales_and_with_minima) {
    for (int matrices = 0; matrices < 2; matrices++) {
        uint64_t quick = 0;
        gw_tune tune;
        gw_tune_for(NULL, &tune);
        for (int t = 0; matrices && t < GW_TOKENS_COUNT; t++) {
            tune.variants[GW_VARIANT_matmul_coopmat] = UINT64_MAX;
            tune.choice.prefers[GW_VARIANT_matmul_coopmat][t] = UINT64_MAX;
        }
        for (uint32_t r = 0; gw_case_row_at(r); r++) {
            const gw_case_row *row = gw_case_row_at(r);
            for (uint32_t f = 0; row->op == &gw_op_matmul && row->matmul_tune && f < GW_FMT_COUNT;
                 f++) {
                if (gw_case_is_quick(row, gw_format_at(f), &tune)) quick |= UINT64_C(1) << f;
            }
        }
        cr_assert_eq(quick, matrices ? BIT(q8_0) | BIT(q4_k) | BIT(q6_k) : BIT(q8_0));
    }
}

// What the callback has seen.
typedef struct seen {
    uint32_t n, n_failed;
    godwit_verdict failed[16];
    char labels[16][16], variants[16][32];
} seen;

static bool note(void *user, const godwit_verdict *verdict) {
    seen *s = user;
    s->n++;
    cr_assert(verdict->n_done <= verdict->n_total, "progress passes its total");
    if (verdict->passed) return true;
    cr_assert(s->n_failed < 16);
    snprintf(s->labels[s->n_failed], 16, "%s", verdict->label);
    snprintf(s->variants[s->n_failed], 32, "%s", verdict->variant);
    s->failed[s->n_failed++] = *verdict;
    return true;
}

static gw_verify_result result;

static void verify(const gw_backend *backend, uint64_t formats, bool quick, seen *s) {
    godwit_error err = {0};
    gw_verify_params params = {.quick = quick, .formats = formats, .each = note, .user = s};
    *s = (seen){0};
    godwit_status status = gw_verify_run(backend, &params, &result, &err);
    cr_assert(status == GODWIT_OK, "%s", err.message);
    cr_assert_eq(result.n_verdicts, s->n);
    cr_assert_eq(result.n_failed, s->n_failed);
}

static void reopen(rig *r, table_fn table) {
    godwit_error err = {0};
    uint32_t n = 0;
    gw_device_release(&r->device);
    const gw_shader *override = table ? table(&n) : NULL;
    gw_gpu_override_shaders(r->gpu, override, n);
    cr_assert(gw_device_open(r->gpu, 0, NULL, &r->device, &err) == GODWIT_OK, "%s", err.message);
    r->vulkan.device = r->device;
}

Test(verify, a_right_device_has_the_digest_of_the_reference) {
    rig r;
    seen s;
    const uint64_t formats = BIT(q4_k) | BIT(f16);
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    verify(&r.reference, formats, false, &s);
    cr_assert_eq(s.n, 0, "the reference is not compared with itself");
    uint64_t digest = result.digest;
    verify(&r.vulkan, formats, false, &s);
    cr_assert_eq(s.n_failed, 0, "%s/%s: %s", s.variants[0], s.labels[0], s.failed[0].message);
    cr_assert_gt(s.n, 12);
    cr_assert_eq(result.digest, digest);
    cr_assert_eq(result.findings.n, 0);
    // Another set of results has another digest.
    verify(&r.reference, BIT(q8_0), false, &s);
    cr_assert_neq(result.digest, digest);
    verify(&r.vulkan, BIT(q4_0), true, &s);
    cr_assert(s.n_failed == 0 && s.n == 4, "the self-check: %u of %u failed", s.n_failed, s.n);
    rig_close(&r);
}

Test(verify, a_wrong_variant_is_found_and_named) {
    rig r;
    seen s;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    if (!gw_device_caps(r.device)->int_dot) cr_skip_test("SKIPPED: no packed dot here");
    verify(&r.reference, BIT(q8_0) | BIT(q4_k), false, &s);
    uint64_t digest = result.digest;
    reopen(&r, fault_dot_table);
    verify(&r.vulkan, BIT(q8_0) | BIT(q4_k), false, &s);
    cr_assert_eq(s.n_failed, 2);
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert_str_eq(s.variants[i], "matmul.dot");
        cr_assert_str_eq(s.labels[i], i ? "q4_k" : "q8_0");
        cr_assert_neq(s.failed[i].wanted_bits, s.failed[i].got_bits);
        cr_assert_not_null(strstr(s.failed[i].message, "wanted"));
    }
    cr_assert_neq(result.digest, digest);
    cr_assert_null(gw_findings_dead_end(&result.findings));
    rig_close(&r);
}

Test(verify, a_variant_that_is_wrong_in_pieces_is_found_where_launches_are_cut) {
    rig r;
    seen s;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    if (!gw_device_caps(r.device)->int_dot) cr_skip_test("SKIPPED: no packed dot here");
    for (uint32_t watched = 0; watched < 2; watched++) {
        reopen(&r, fault_piece_table);
        ((gw_caps *)gw_device_caps(r.device))->submit_ms = watched ? 1000 : 0;
        verify(&r.vulkan, BIT(q8_0), false, &s);
        cr_assert_eq(s.n_failed, watched, "%u failed", s.n_failed);
        if (!watched) continue;
        cr_assert_str_eq(s.variants[0], "matmul.dot");
        cr_assert_not_null(strstr(s.failed[0].message, "pieces"), "%s", s.failed[0].message);
    }
    rig_close(&r);
}

// What two runs must have alike, whoever did the work.
typedef struct trace {
    uint32_t n, n_failed, stop_after;
    char lines[512];
    pthread_t thread;
} trace;

static bool note_line(void *user, const godwit_verdict *verdict) {
    trace *t = user;
    size_t n = strlen(t->lines);
    snprintf(t->lines + n, sizeof t->lines - n, "%s %s %d\n", verdict->variant, verdict->label,
             verdict->passed);
    cr_assert(pthread_equal(t->thread, pthread_self()), "called from another thread");
    cr_assert_eq(verdict->n_done, ++t->n);
    t->n_failed += !verdict->passed;
    return t->n != t->stop_after;
}

Test(verify, threads_change_nothing_but_the_time) {
    rig r;
    static const uint32_t threads[] = {1, 2, 5, 64};
    trace want = {0};
    uint64_t digest = 0;
    godwit_error err = {0};
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    if (!gw_device_caps(r.device)->int_dot) cr_skip_test("SKIPPED: no packed dot here");
    reopen(&r, fault_dot_table);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        trace got = {.thread = pthread_self()};
        gw_verify_params params = {.formats = BIT(q8_0) | BIT(f32),
                                   .n_threads = threads[i],
                                   .each = note_line,
                                   .user = &got};
        cr_assert(gw_verify_run(&r.vulkan, &params, &result, &err) == GODWIT_OK, "%s", err.message);
        if (i == 0) digest = result.digest, want = got;
        cr_assert_str_eq(got.lines, want.lines, "%u threads", threads[i]);
        cr_assert_eq(got.n_failed, 1, "the fault is found by whoever meets it");
        cr_assert_eq(result.digest, digest);
        cr_assert_eq(result.findings.n, 1);
        got = (trace){.thread = pthread_self(), .stop_after = 3};
        cr_assert_eq(gw_verify_run(&r.vulkan, &params, &result, &err), GODWIT_CANCELLED);
        cr_assert_eq(got.n, 3);
    }
    rig_close(&r);
}

#ifdef TEST_MATRIX_FAULTS
const gw_shader *fault_matrix_table(uint32_t *out_n);
const gw_shader *fault_halves_table(uint32_t *out_n);

Test(verify, wrong_matrices_are_found) {
    rig r;
    seen s;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    const gw_caps *caps = gw_device_caps(r.device);
    // The faults leave columns out where a product takes 8 or 16 at a time.
    bool known = caps->coopmat_int8.k && caps->coopmat_int8.k <= 8 && caps->coopmat_fp16.k == 8;
    if (!known) cr_skip_test("SKIPPED: no matrices with K = 8 here");
    verify(&r.vulkan, BIT(q4_k) | BIT(f16), false, &s);
    cr_assert_eq(s.n_failed, 0, "%s: %s", s.variants[0], s.failed[0].message);
    reopen(&r, fault_matrix_table);
    verify(&r.vulkan, BIT(q4_k) | BIT(f16), false, &s);
    cr_assert_eq(s.n_failed, 1);
    cr_assert_str_eq(s.variants[0], "matmul.coopmat");
    cr_assert_str_eq(s.labels[0], "q4_k");
    reopen(&r, fault_halves_table);
    verify(&r.vulkan, BIT(q4_k) | BIT(f16), false, &s);
    cr_assert_eq(s.n_failed, 1);
    cr_assert(s.failed[0].fast);
    cr_assert_str_eq(s.variants[0], "matmul.coopmat_fast");
    cr_assert_str_eq(s.labels[0], "f16");
    cr_assert_not_null(strstr(s.failed[0].message, "off at most"), "%s", s.failed[0].message);
    rig_close(&r);
}
#endif

Test(verify, a_variant_is_routed_around_for_the_formats_that_it_has_wrong) {
    rig r;
    seen s;
    char text[128];
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    if (!gw_device_caps(r.device)->int_dot) cr_skip_test("SKIPPED: no packed dot here");
    reopen(&r, fault_minimum_table);
    verify(&r.vulkan, BIT(q8_0) | BIT(q4_k), false, &s);
    cr_assert_eq(s.n_failed, 1);
    gw_findings_text(&result.findings, text, sizeof text);
    cr_assert_str_eq(text, "matmul.dot/q4_k -> matmul");
    gw_tune tune = r.vulkan.tune;
    tune.variants[GW_VARIANT_matmul_texel] = 0; // it may stand before dot
    gw_verify_route(&result.findings, &tune);
    cr_assert_eq(gw_variant_for(&tune, &gw_op_matmul, &gw_format_q8_0, 1), GW_VARIANT_matmul_dot);
    cr_assert_eq(gw_variant_for(&tune, &gw_op_matmul, &gw_format_q4_k, 1), GW_VARIANT_PLAIN);
    rig_close(&r);
}

Test(verify, the_self_check_takes_the_next_variant_and_ends_at_the_plain_one) {
    rig r;
    seen s;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    if (!gw_device_caps(r.device)->int_dot) cr_skip_test("SKIPPED: no packed dot here");
    reopen(&r, fault_dot_table);
    r.vulkan.tune.variants[GW_VARIANT_matmul_texel] = 0; // it may stand before dot
    verify(&r.vulkan, BIT(q4_0), true, &s);
    cr_assert_eq(s.n_failed, 1, "q4_0 is wrong");
    cr_assert_eq(s.n, 2 + 3, "and was tried again without the variant");
    cr_assert_eq(result.findings.n, 1);
    cr_assert_str_eq(result.findings.items[0].module, "matmul.dot");
    cr_assert_str_eq(result.findings.items[0].label, "", "a few formats stand for all");
    reopen(&r, fault_norm_table);
    verify(&r.vulkan, BIT(q4_0), true, &s);
    cr_assert_eq(s.n_failed, 1);
    cr_assert_str_eq(gw_findings_dead_end(&result.findings)->module, "rms_norm");
    rig_close(&r);
}

static bool stop(void *user, const godwit_verdict *verdict) {
    (void)verdict;
    return ++*(uint32_t *)user < 3;
}

Test(verify, a_caller_stops_it) {
    rig r;
    uint32_t n = 0;
    godwit_error err = {0};
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    gw_verify_params params = {.each = stop, .user = &n};
    cr_assert_eq(gw_verify_run(&r.vulkan, &params, &result, &err), GODWIT_CANCELLED);
    cr_assert_eq(n, 3);
    rig_close(&r);
}

// --- through the public interface, with files

TestSuite(verify_files, .init = story_make_dir, .fini = story_remove_dir);

static story wanted, got;

Test(verify_files, a_model_runs_on_with_the_same_bits) {
    godwit_device_info info;
    story_tell_with(NULL, "reference", GODWIT_SELF_CHECK_ONCE, &wanted, &info);
    // Without the self-check the fault is seen in what the model says.
    story_tell_with(NULL, "0", GODWIT_SELF_CHECK_NEVER, &got, &info);
    const bool texels = strstr(info.quirks, "loads_by_lane");
    const table_fn fault = texels ? fault_texel_table : fault_dot_table;
    story_tell_with(fault, "0", GODWIT_SELF_CHECK_NEVER, &got, &info);
    if (!info.int_dot) cr_skip_test("SKIPPED: no packed dot here");
    cr_assert_eq(info.verification, GODWIT_UNVERIFIED);
    cr_assert_str_eq(info.verified, "not verified");
    cr_assert_neq(memcmp(&wanted, &got, sizeof got), 0, "the fault changes nothing");
    // With it the device is checked once, and never again.
    for (int i = 0; i < 2; i++) {
        story_tell_with(fault, "0", i ? GODWIT_SELF_CHECK_NEVER : GODWIT_SELF_CHECK_ONCE, &got,
                        &info);
        cr_assert_eq(info.verification, GODWIT_VERIFIED_SELF_CHECK);
        cr_assert_str_eq(info.routed, texels ? "matmul.texel -> matmul" : "matmul.dot -> matmul");
        cr_assert_not_null(strstr(info.verified, "self-check, routed around 20"));
        cr_assert_eq(memcmp(&wanted, &got, sizeof got), 0, "opened %d times: other bits", i + 1);
    }
    // The rows are of that build: the right one is another, and takes its own dot.
    story_tell_with(NULL, "0", GODWIT_SELF_CHECK_ONCE, &got, &info);
    cr_assert_str_eq(info.routed, "");
    cr_assert_not_null(strstr(info.verified, "self-check ok 20"));
    cr_assert_eq(memcmp(&wanted, &got, sizeof got), 0);
}

// Both that float products are computed by on software drivers.
static const gw_shader *wrong_tiles(uint32_t *out_n) {
    static gw_shader both[2];
    both[0] = *fault_tile_table(out_n);
    both[1] = *fault_tile_texel_table(out_n);
    *out_n = 2;
    return both;
}

Test(verify_files, a_wrong_tile_gives_way_to_the_least_one) {
    godwit_device_info info;
    story_tell_with(NULL, "reference", GODWIT_SELF_CHECK_ONCE, &wanted, &info);
    for (int i = 0; i < 2; i++) {
        story_tell_with(wrong_tiles, "0", GODWIT_SELF_CHECK_ONCE, &got, &info);
        if (info.type != GODWIT_DEVICE_SOFTWARE) cr_skip_test("SKIPPED: no software driver");
        cr_assert_eq(info.verification, GODWIT_VERIFIED_SELF_CHECK, "%s", info.verified);
        cr_assert_str_eq(info.routed, "");
        cr_assert(info.tuned, "the shape is kept");
        cr_assert_eq(memcmp(&wanted, &got, sizeof got), 0, "opened %d times: other bits", i + 1);
    }
}

Test(verify_files, a_wrong_plain_kernel_closes_the_device_to_models) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_file *file = NULL;
    godwit_model *model = NULL;
    godwit_device_info info;
    godwit_verify_params params = GODWIT_INIT(godwit_verify_params);
    godwit_verify_report report = GODWIT_INIT(godwit_verify_report);
    if (!story_open_device(fault_norm_table, "0", GODWIT_SELF_CHECK_ONCE, false, &context,
                           &device)) {
        cr_skip_test("SKIPPED: no Vulkan device");
    }
    story_info(device, &info);
    cr_assert_eq(info.verification, GODWIT_VERIFICATION_FAILED);
    cr_assert_str_eq(info.verified, "FAILED: rms_norm");
    STORY_OK(
        godwit_file_open(context, GODWIT_TEST_ROOT "/models/story-q8_0.gguf", &file, &story_err));
    cr_assert_eq(godwit_model_open(device, file, NULL, &model, &story_err), GODWIT_UNSUPPORTED);
    cr_assert_not_null(strstr(story_err.message, "failed verification: rms_norm: word "), "%s",
                       story_err.message);
    params.quick = true;
    STORY_OK(godwit_device_verify(device, &params, NULL, NULL, &report, &story_err));
    cr_assert(report.failing && report.n_failed == 1);
    cr_assert_eq(strncmp(report.line, "FAILED: ", 8), 0, "%s", report.line);
    godwit_file_close(&file);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    // Who asks for it gets it.
    story_open_device(fault_norm_table, "0", GODWIT_SELF_CHECK_ONCE, true, &context, &device);
    STORY_OK(
        godwit_file_open(context, GODWIT_TEST_ROOT "/models/story-q8_0.gguf", &file, &story_err));
    STORY_OK(godwit_model_open(device, file, NULL, &model, &story_err));
    godwit_model_close(&model);
    godwit_file_close(&file);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}

// --- without files

// Self-checks that found something, by their log lines.
static uint32_t n_found;

static void count_found(void *user, godwit_log_level level, const char *line) {
    (void)user;
    (void)level;
    n_found += strncmp(line, "self-check: ", 12) == 0;
}

// A device of the caller's own, made with the context's instance and nothing enabled.
static VkDevice own_device(const gw_gpu *gpu) {
    const float priority = 1.0f;
    VkDevice device = VK_NULL_HANDLE;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = gpu->adapters[0].queue_family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue};
    cr_assert_eq(gpu->vk.CreateDevice(gpu->adapters[0].handle, &info, NULL, &device), VK_SUCCESS);
    return device;
}

// Opened twice in one context: found once, known twice.
static void opened_twice(table_fn fault, bool own, const char *mask, const char *verified) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    godwit_device_params open = GODWIT_INIT(godwit_device_params);
    godwit_device_info info;
    uint32_t n = 0;
    params.log = count_found;
    STORY_OK(godwit_context_create(&params, &context, &story_err));
    if (godwit_context_n_devices(context) < 2) cr_skip_test("SKIPPED: no Vulkan device");
    // The one that is chosen first here.
    const bool texels = context->gpu->adapters[0].effects.bits & GW_QUIRK_SLOW_LOADS;
    const bool variant = fault == fault_dot_table;
    if (variant && texels) fault = fault_texel_table;
    const gw_shader *table = fault(&n);
    gw_gpu_override_shaders(context->gpu, table, n);
    open.mask = mask;
    n_found = 0;
    for (int i = 0; i < 2; i++) {
        VkDevice handle = own ? own_device(context->gpu) : VK_NULL_HANDLE;
        open.vk_device = handle;
        open.vk_physical_device = own ? context->gpu->adapters[0].handle : NULL;
        open.vk_queue_family = context->gpu->adapters[0].queue_family;
        STORY_OK(godwit_device_open(context, "0", &open, &device, &story_err));
        story_info(device, &info);
        if (variant && !info.int_dot) cr_skip_test("SKIPPED: no packed dot here");
        cr_assert_eq(strncmp(info.verified, verified, strlen(verified)), 0, "open %d: %s", i,
                     info.verified);
        cr_assert_eq(n_found, 1, "open %d: checked %u times", i, n_found);
        if (variant) {
            cr_assert_str_eq(info.routed,
                             texels ? "matmul.texel -> matmul" : "matmul.dot -> matmul");
            cr_assert_eq(gw_variant_for(&device->backend.tune, &gw_op_matmul, &gw_format_q8_0, 1),
                         texels ? GW_VARIANT_matmul_dot : GW_VARIANT_PLAIN);
        }
        godwit_device_close(&device);
        if (handle) {
            PFN_vkDestroyDevice destroy =
                (PFN_vkDestroyDevice)context->gpu->vk.GetDeviceProcAddr(handle, "vkDestroyDevice");
            destroy(handle, NULL);
        }
    }
    godwit_context_destroy(&context);
}

Test(verify, without_files_the_self_check_is_once_a_context) {
    opened_twice(fault_dot_table, false, NULL, "self-check, routed around 20");
    opened_twice(fault_dot_table, false, "coopmat", "self-check, routed around 20");
}

Test(verify, a_device_of_the_callers_own_is_checked) {
    opened_twice(fault_norm_table, true, NULL, "FAILED: rms_norm");
}

// --- drivers that take the process down

static PFN_vkCreateComputePipelines create;

// Such a driver: it dies of what is compiled while a variant is tried.
static VkResult VKAPI_CALL deadly(VkDevice device, VkPipelineCache cache, uint32_t n,
                                  const VkComputePipelineCreateInfo *infos,
                                  const VkAllocationCallbacks *allocator, VkPipeline *out) {
    DIR *d = opendir(story_dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        if (strstr(e->d_name, ".trying")) raise(SIGKILL);
    }
    if (d) closedir(d);
    return create(device, cache, n, infos, allocator, out);
}

// In a process of its own: 0 where verification ended, 77 without Vulkan, 9 where it was killed.
static int verify_in_a_child(bool is_deadly) {
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        godwit_context *context = NULL;
        godwit_device *device = NULL;
        godwit_verify_params params = GODWIT_INIT(godwit_verify_params);
        godwit_verify_report report = GODWIT_INIT(godwit_verify_report);
        params.quick = true;
        if (!story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device)) {
            _exit(77);
        }
        if (!gw_device_caps(device->backend.device)->int_dot) _exit(77);
        create = device->backend.device->vk.CreateComputePipelines;
        if (is_deadly) device->backend.device->vk.CreateComputePipelines = deadly;
        godwit_status status =
            godwit_device_verify(device, &params, NULL, NULL, &report, &story_err);
        godwit_device_close(&device);
        godwit_context_destroy(&context);
        _exit(status != GODWIT_OK || report.n_failed);
    }
    cr_assert_eq(waitpid(child, &how, 0), child);
    return WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how);
}

// What a device tells, in a process of its own, too: a fork of one that has loaded Vulkan could not
// load it again. An assertion that fails in a child ends it by the alarm.
static void tell_in_a_child(const char *which, story *out, godwit_device_info *out_info) {
    struct told {
        story got;
        godwit_device_info info;
    } *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(told, MAP_FAILED);
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        story_tell_with(NULL, which, GODWIT_SELF_CHECK_ONCE, &told->got, &told->info);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &how, 0), child);
    cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0, "%d", how);
    *out = told->got;
    *out_info = told->info;
    munmap(told, sizeof *told);
}

Test(verify_files, what_takes_the_process_down_does_so_twice) {
    godwit_device_info info;
    int first = verify_in_a_child(true);
    if (first == 77) cr_skip_test("SKIPPED: no Vulkan device, or no packed dot");
    cr_assert_eq(first, SIGKILL, "%d", first);
    // The same driver: each variant that it would choose takes it down twice, and then no more.
    uint32_t n_kills = 1;
    while (n_kills <= 2 * GW_VARIANT_COUNT && verify_in_a_child(true) == SIGKILL) n_kills++;
    cr_assert_eq(verify_in_a_child(true), 0, "after %u", n_kills);
    tell_in_a_child("reference", &wanted, &info);
    tell_in_a_child("0", &got, &info);
    const char *routed = strstr(info.quirks, "loads_by_lane")
                             ? "matmul.texel -> matmul, matmul.dot -> matmul"
                             : "matmul.dot -> matmul";
    cr_assert_str_eq(info.routed, routed);
    cr_assert_eq(n_kills, strchr(routed, ',') ? 4 : 2);
    cr_assert_eq(memcmp(&wanted, &got, sizeof got), 0);
    cr_assert_eq(verify_in_a_child(false), 0);
    tell_in_a_child("0", &got, &info);
    cr_assert_str_eq(info.routed, routed, "only a person takes that back");
}

// Once is no proof: the variant is tried again, by the next self-check at the latest.
Test(verify_files, a_kill_that_came_once_leaves_nothing) {
    godwit_device_info info;
    int first = verify_in_a_child(true);
    if (first == 77) cr_skip_test("SKIPPED: no Vulkan device, or no packed dot");
    cr_assert_eq(first, SIGKILL, "%d", first);
    tell_in_a_child("reference", &wanted, &info);
    for (int i = 0; i < 2; i++) {
        tell_in_a_child("0", &got, &info);
        cr_assert_str_eq(info.routed, "");
        cr_assert_eq(info.verification, GODWIT_VERIFIED_SELF_CHECK);
        cr_assert_eq(memcmp(&wanted, &got, sizeof got), 0);
        // Of a device that was checked before as well.
        if (i == 0) cr_assert_eq(verify_in_a_child(true), SIGKILL);
    }
}
