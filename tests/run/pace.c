// Pace: a GPU that is slower than the cores is not taken where none is named, one that is faster is,
// and what was measured once is kept, for that GPU beside that many threads. The drivers here are no
// GPUs; the first one passes for one.
#include "run/pace.h"

#include "api/handles.h"
#include "gpu/internal.h"
#include "run/story.h"

#include <criterion/criterion.h>
#include <string.h>

static godwit_context *context;
static godwit_device *device;
static godwit_device_info info;
static char cores[32];
static const gw_cpu_params any;

static void begin(const char *cache_dir) {
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.cache_dir = cache_dir;
    STORY_OK(godwit_context_create(&params, &context, &story_err));
    if (godwit_context_n_devices(context) < 2) cr_skip_test("SKIPPED: no Vulkan device");
    context->gpu->adapters[0].info.type = GODWIT_DEVICE_INTEGRATED;
}

static void open_default(uint32_t n_threads) {
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    params.n_threads = n_threads;
    STORY_OK(godwit_device_open(context, NULL, &params, &device, &story_err));
    story_info(device, &info);
}

static void end(void) {
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}

static godwit_device_info listed(uint32_t index) {
    godwit_device_info out = GODWIT_INIT(godwit_device_info);
    STORY_OK(godwit_context_device_info(context, index, &out, &story_err));
    return out;
}

// As if it had been measured, from now on in this cache directory.
static void keep(uint64_t of_device, uint64_t of_cores) {
    gw_pace pace = {.device = of_device, .cores = of_cores};
    godwit_device *named = NULL;
    memcpy(pace.which_cores, cores, sizeof cores);
    begin(story_dir);
    STORY_OK(godwit_device_open(context, "0", NULL, &named, &story_err));
    gw_pace_keep(named->backend.device, &pace);
    godwit_device_close(&named);
    end();
}

static void setup(void) {
    gw_pace pace;
    story_make_dir();
    begin(story_dir);
    godwit_device *named = NULL;
    STORY_OK(godwit_device_open(context, "0", NULL, &named, &story_err));
    STORY_OK(gw_pace_measure(&named->backend, &any, &pace, &story_err));
    cr_assert(pace.device > 0 && pace.cores > 0);
    cr_assert(gw_pace_is_of(&pace, 0));
    memcpy(cores, pace.which_cores, sizeof cores);
    godwit_device_close(&named);
    end();
}

TestSuite(pace, .init = setup, .fini = story_remove_dir);

Test(pace, the_faster_is_taken) {
    // Nothing is known, or no longer: it is measured.
    keep(1, 2);
    begin(story_dir);
    cr_assert_eq(listed(0).gpu_pace, 1);
    STORY_OK(godwit_device_open(context, "0", NULL, &device, &story_err));
    gw_pace_forget(device->backend.device);
    end();
    // Which one is faster is no part of this test.
    begin(story_dir);
    cr_assert(listed(0).is_default && listed(0).gpu_pace == 0);
    open_default(0);
    cr_assert(info.gpu_pace > 0 && info.cpu_pace > 0);
    const gw_pace measured = {.device = info.gpu_pace, .cores = info.cpu_pace};
    cr_assert_eq(info.type == GODWIT_DEVICE_CPU, gw_pace_prefers_cores(&measured));
    end();
    // It is known now, and not measured again.
    begin(story_dir);
    cr_assert_eq(listed(0).gpu_pace, measured.device);
    cr_assert_eq(listed(0).cpu_pace, measured.cores);
    cr_assert_eq(listed(0).is_default, !gw_pace_prefers_cores(&measured));
    open_default(0);
    cr_assert_eq(info.gpu_pace, measured.device);
    cr_assert_eq(info.cpu_pace, measured.cores);
    end();
    static const struct {
        uint64_t device, cores;
        bool takes_cores;
    } kept[] = {{1000, 2000, true}, {2000, 1000, false}, {950, 1000, false}, {0, 0, false}};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        keep(kept[i].device, kept[i].cores);
        begin(story_dir);
        const uint32_t n = godwit_context_n_devices(context);
        cr_assert_eq(listed(0).is_default, !kept[i].takes_cores);
        cr_assert_eq(listed(n - 1).is_default, kept[i].takes_cores);
        open_default(0);
        cr_assert_eq(info.type == GODWIT_DEVICE_CPU, kept[i].takes_cores);
        cr_assert_eq(info.gpu_pace, kept[i].device);
        end();
    }
}

Test(pace, is_of_as_many_threads) {
    keep(1, 1000000);
    begin(story_dir);
    open_default(3); // of which nothing is kept
    cr_assert(info.gpu_pace > 1);
    end();
}

// Where no file can keep it the context does; a mask, or a name, asks for what it says.
Test(pace, without_a_cache_directory) {
    begin(NULL);
    open_default(0);
    const uint64_t measured = info.gpu_pace;
    cr_assert(measured > 0);
    godwit_device_close(&device);
    open_default(0);
    cr_assert_eq(info.gpu_pace, measured);
    cr_assert_eq(listed(0).gpu_pace, measured);
    godwit_device_close(&device);
    context->pace.device = 1;
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    params.mask = "dot";
    STORY_OK(godwit_device_open(context, NULL, &params, &device, &story_err));
    story_info(device, &info);
    cr_assert_eq(info.type, GODWIT_DEVICE_INTEGRATED);
    godwit_device_close(&device);
    STORY_OK(godwit_device_open(context, "0", NULL, &device, &story_err));
    story_info(device, &info);
    cr_assert_eq(info.type, GODWIT_DEVICE_INTEGRATED);
    end();
}

// What does not run, or has no room, is no reason to fail: the GPU is taken as it was before.
Test(pace, that_cannot_be_measured) {
    gw_pace pace;
    begin(story_dir);
    STORY_OK(godwit_device_open(context, "0", NULL, &device, &story_err));
    gw_device_inject(device->backend.device, 0, 1);
    STORY_OK(gw_pace_measure(&device->backend, &any, &pace, &story_err));
    cr_assert(pace.device == 0 && pace.cores == 0 && !gw_pace_prefers_cores(&pace));
    gw_device_inject(device->backend.device, 1, 0);
    cr_assert_eq(gw_pace_measure(&device->backend, &any, &pace, &story_err), GODWIT_DEVICE_LOST);
    end();
}
