// Failures: a device that is lost, device memory and host memory that run out at the n-th request.
// After each the error says so, nothing leaks (the sanitized build looks), and destroying works.
#include "gpu/internal.h"

#include "gpu_support.h"
#include "support/failing.h"

#include <stdlib.h>

static rig r;

Test(failures, loss_at_submit_sticks) {
    for (int p = 0; p < N_PROFILES; p++) {
        gpu_open(&r, profiles[p], NULL);
        uint32_t word = 1;
        gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400), *other = NULL;
        gw_recorder *recorder = NULL;
        gw_commands *commands = NULL;
        gw_kernel *kernel = NULL;
        ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
        record_selftest(&r, recorder, x, x, 100, 1, 1);
        ok(gw_recorder_end(&recorder, &commands, &r.err));
        gw_device_inject(r.device, 3, 0);
        run_once(&r, commands);
        run_once(&r, commands);
        fails(gw_commands_submit(commands, &r.err), GODWIT_DEVICE_LOST, "was lost");
        cr_assert_eq(r.err.driver_code, -4); // VK_ERROR_DEVICE_LOST
        fails(gw_commands_submit(commands, &r.err), GODWIT_DEVICE_LOST, "was lost");
        fails(gw_commands_wait(commands, &r.err), GODWIT_DEVICE_LOST, "was lost");
        fails(gw_buffer_write(x, 0, &word, 4, &r.err), GODWIT_DEVICE_LOST, "was lost");
        fails(gw_buffer_read(x, 0, &word, 4, &r.err), GODWIT_DEVICE_LOST, "was lost");
        fails(gw_buffer_create(r.device, GW_BUFFER_DEVICE, 4, "test", &other, &r.err),
              GODWIT_DEVICE_LOST, "was lost");
        fails(gw_kernel_get(r.device, "selftest", &word, 1, &kernel, &r.err), GODWIT_DEVICE_LOST,
              "was lost");
        fails(gw_recorder_begin(r.device, 1, &recorder, &r.err), GODWIT_DEVICE_LOST, "was lost");
        gw_commands_destroy(&commands);
        gw_buffer_destroy(&x);
        // A device that is opened anew beside the lost one works.
        gw_device *fresh = NULL;
        ok(gw_device_open(r.gpu, 0, NULL, &fresh, &r.err));
        ok(gw_buffer_create(fresh, GW_BUFFER_DEVICE, 4, "test", &other, &r.err));
        gw_buffer_destroy(&other);
        gw_device_release(&fresh);
        gpu_close(&r);
    }
}

// Lost while another run is in flight: destroying waits for that one and no longer.
Test(failures, loss_with_work_in_flight) {
    gpu_open(&r, NULL, NULL);
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400000);
    gw_recorder *recorder = NULL;
    gw_commands *commands[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
        record_selftest(&r, recorder, x, x, 100000, 1, 1);
        ok(gw_recorder_end(&recorder, &commands[i], &r.err));
    }
    gw_device_inject(r.device, 2, 0);
    ok(gw_commands_submit(commands[0], &r.err));
    fails(gw_commands_submit(commands[1], &r.err), GODWIT_DEVICE_LOST, "was lost");
    fails(gw_commands_wait(commands[0], &r.err), GODWIT_DEVICE_LOST, "was lost");
    gw_commands_destroy(&commands[0]);
    gw_commands_destroy(&commands[1]);
    gw_buffer_destroy(&x);
    gpu_close(&r);
}

// Waits that fail though the work has ended, and resets that fail; each for other reasons than
// loss.
static gw_vk_device real;
static bool wait_fails;

static VkResult VKAPI_CALL bad_wait(VkDevice device, uint32_t n, const VkFence *fences,
                                    VkBool32 all, uint64_t ns) {
    VkResult result = real.WaitForFences(device, n, fences, all, ns);
    return wait_fails ? VK_ERROR_OUT_OF_HOST_MEMORY : result;
}

static VkResult VKAPI_CALL bad_reset(VkDevice device, uint32_t n, const VkFence *fences) {
    VkResult result = real.ResetFences(device, n, fences);
    return wait_fails ? result : VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

// Nothing says when such work ends: the device is lost, and nobody waits for that fence again.
Test(failures, a_failed_wait_or_reset_is_a_loss) {
    for (int i = 0; i < 2; i++) {
        gpu_open(&r, NULL, NULL);
        real = r.device->vk;
        gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400);
        gw_recorder *recorder = NULL;
        gw_commands *commands = NULL;
        uint32_t word = 0;
        ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
        record_selftest(&r, recorder, x, x, 100, 1, 1);
        ok(gw_recorder_end(&recorder, &commands, &r.err));
        ok(gw_commands_submit(commands, &r.err));
        wait_fails = i == 0;
        r.device->vk.WaitForFences = bad_wait;
        r.device->vk.ResetFences = bad_reset;
        fails(gw_commands_wait(commands, &r.err),
              i ? GODWIT_OUT_OF_DEVICE_MEMORY : GODWIT_OUT_OF_MEMORY, "run");
        cr_assert(commands->in_flight, "the fence cannot be used again");
        cr_assert(!atomic_load(&r.device->unended), "all that was submitted was waited for");
        fails(gw_commands_wait(commands, &r.err), GODWIT_DEVICE_LOST, "was lost");
        fails(gw_commands_submit(commands, &r.err), GODWIT_DEVICE_LOST, "was lost");
        fails(gw_buffer_read(x, 0, &word, 4, &r.err), GODWIT_DEVICE_LOST, "was lost");
        gw_commands_destroy(&commands);
        gw_buffer_destroy(&x);
        gpu_close(&r);
    }
}

static VkResult VKAPI_CALL bad_idle(VkQueue queue) {
    (void)queue;
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

// Where nothing shows that work has ended, nothing that it may use is destroyed.
Test(failures, what_may_still_run_is_left) {
    gpu_open(&r, NULL, NULL);
    gw_device *device = r.device;
    const VkDevice handle = device->handle;
    real = device->vk;
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    ok(gw_recorder_begin(device, 1, &recorder, &r.err));
    record_selftest(&r, recorder, x, x, 100, 1, 1);
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    ok(gw_commands_submit(commands, &r.err));
    wait_fails = true;
    device->vk.WaitForFences = bad_wait;
    device->vk.QueueWaitIdle = bad_idle;
    fails(gw_commands_wait(commands, &r.err), GODWIT_OUT_OF_MEMORY, "run");
    cr_assert(atomic_load(&device->unended));
    const gw_commands left = *commands;
    const gw_buffer buffer = *x;
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    cr_assert_eq(real.WaitForFences(handle, 1, &left.fence, VK_TRUE, 0), VK_SUCCESS);
    real.DestroyFence(handle, left.fence, NULL);
    real.DestroyDescriptorPool(handle, left.sets, NULL);
    real.DestroyCommandPool(handle, left.pool, NULL);
    real.DestroyBuffer(handle, buffer.handle, NULL);
    real.FreeMemory(handle, buffer.memory, NULL);
    // The work has ended, which the device does not know; the rest is destroyed as always.
    atomic_store(&device->unended, false);
    gw_device_release(&r.device);
    cr_assert_eq(gw_gpu_validation_count(r.gpu), 0);
    gw_gpu_release(&r.gpu);
}

// The same of a transfer through staging.
Test(failures, a_failed_wait_of_a_transfer_is_a_loss) {
    for (int i = 0; i < 2; i++) {
        gpu_open(&r, "floor", NULL);
        real = r.device->vk;
        gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400);
        uint32_t word = 0;
        ok(gw_buffer_write(x, 0, &word, 4, &r.err));
        wait_fails = i == 0;
        r.device->vk.WaitForFences = bad_wait;
        r.device->vk.ResetFences = bad_reset;
        fails(gw_buffer_read(x, 0, &word, 4, &r.err),
              i ? GODWIT_OUT_OF_DEVICE_MEMORY : GODWIT_OUT_OF_MEMORY, "transfer");
        fails(gw_buffer_write(x, 0, &word, 4, &r.err), GODWIT_DEVICE_LOST, "was lost");
        gw_buffer_destroy(&x);
        gpu_close(&r);
    }
}

Test(failures, destroying_a_run_in_flight_waits) {
    gpu_open(&r, NULL, NULL);
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 400000);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
    record_selftest(&r, recorder, x, x, 100000, 1, 1);
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    ok(gw_commands_submit(commands, &r.err));
    gw_commands_destroy(&commands);
    uint32_t word = 0;
    ok(gw_buffer_read(x, 4 * 99999, &word, 4, &r.err));
    cr_assert_eq(word, 1);
    gw_buffer_destroy(&x);
    gpu_close(&r);
}

// What a user of the device does, from a device that is open; stops at the first failure.
static godwit_status work(gw_device *device, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t spec[4] = {64, 1, 1, 1}, push[2] = {100, 2}, groups[3] = {2, 1, 1};
    gw_buffer *x = NULL, *y = NULL;
    gw_kernel *kernel = NULL;
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    uint32_t in[100], out[100];
    pattern(in, sizeof in, 1);
    status = gw_buffer_create(device, GW_BUFFER_DEVICE, 400, "x", &x, err);
    if (!status) status = gw_buffer_create(device, GW_BUFFER_DEVICE, 400, "y", &y, err);
    if (!status) status = gw_buffer_write(x, 0, in, sizeof in, err);
    if (!status) status = gw_kernel_get(device, "selftest", spec, 4, &kernel, err);
    if (!status) status = gw_recorder_begin(device, 1, &recorder, err);
    const gw_binding bindings[2] = {{x, 0, 400}, {y, 0, 400}};
    if (!status)
        status = gw_record_dispatch(recorder, kernel, bindings, 2, push, 8, NULL, groups, err);
    if (!status) status = gw_recorder_end(&recorder, &commands, err);
    if (!status) status = gw_commands_submit(commands, err);
    if (!status) status = gw_commands_wait(commands, err);
    if (!status) status = gw_buffer_read(y, 0, out, sizeof out, err);
    for (int i = 0; !status && i < 100; i++) cr_assert_eq(out[i], in[i] * 2 + 1);
    gw_recorder_discard(&recorder);
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    gw_buffer_destroy(&y);
    return status;
}

Test(failures, each_device_allocation_in_turn) {
    for (int p = 0; p < N_PROFILES; p++) {
        uint32_t n = 0;
        godwit_status status;
        gpu_open(&r, profiles[p], NULL);
        do {
            memset(&r.err, 0, sizeof r.err);
            gw_device_inject(r.device, 0, ++n);
            status = work(r.device, &r.err);
            cr_assert(!status || status == GODWIT_OUT_OF_DEVICE_MEMORY, "%s", r.err.message);
            cr_assert(!status || strstr(r.err.message, "allocation"), "%s", r.err.message);
        } while (status && n < 100);
        cr_assert(n > 2 && n < 100, "succeeded at %u", n);
        gw_device_inject(r.device, 0, 0);
        ok(work(r.device, &r.err));
        gpu_close(&r);
    }
}

Test(failures, loss_at_each_submit_in_turn) {
    for (int p = 0; p < N_PROFILES; p++) {
        uint32_t n = 0;
        godwit_status status;
        gpu_open(&r, profiles[p], NULL);
        godwit_device_params params = GODWIT_INIT(godwit_device_params);
        params.mask = profiles[p];
        do {
            gw_device *device = NULL;
            memset(&r.err, 0, sizeof r.err);
            ok(gw_device_open(r.gpu, 0, &params, &device, &r.err));
            gw_device_inject(device, ++n, 0);
            status = work(device, &r.err);
            cr_assert(!status || status == GODWIT_DEVICE_LOST, "%s", r.err.message);
            gw_device_release(&device);
        } while (status && n < 100);
        cr_assert(n > 1 && n < 100, "succeeded at %u", n);
        gpu_close(&r);
    }
}

static godwit_status from_nothing(const gw_host *host, const char *cache_dir, godwit_error *err) {
    const gw_gpu_params params = {.cache_dir = cache_dir};
    gw_gpu *gpu = NULL;
    gw_device *device = NULL;
    godwit_status status = gw_gpu_create(host, &params, &gpu, err);
    if (!status) status = gw_device_open(gpu, 0, NULL, &device, err);
    if (!status) status = work(device, err);
    gw_device_release(&device);
    gw_gpu_release(&gpu);
    return status;
}

Test(failures, each_host_allocation_in_turn) {
    gpu_open(&r, NULL, NULL); // skips where there is no driver
    gpu_close(&r);
    failing f = {0};
    const godwit_allocator allocator = {.user = &f, .realloc = failing_realloc};
    gw_host host;
    gw_host_init(&host, &allocator, NULL, NULL);
    godwit_status status;
    uint32_t n = 0;
    do {
        f.until_failure = ++n;
        memset(&r.err, 0, sizeof r.err);
        // The cache file alone may be given up without a word.
        status = from_nothing(&host, "/nonexistent/cache", &r.err);
        cr_assert(!status || status == GODWIT_OUT_OF_MEMORY, "%u: %s", n, r.err.message);
        cr_assert_eq(f.held, 0, "%lld blocks left when request %u failed", (long long)f.held, n);
    } while (f.until_failure == 0 && n < 200); // 0: a request was refused
    cr_assert(n > 8 && n < 200, "succeeded at %u", n);
}
