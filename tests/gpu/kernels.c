// Kernels and commands: push and specialization constants, offsets, barriers, replay, timestamps,
// and the refusal of launches that the device could not take.
#include "gpu_support.h"

#include <stdlib.h>

static rig r;

static void check_run(gw_commands *commands, gw_buffer *x, gw_buffer *y, uint32_t n, uint32_t a,
                      uint32_t c, uint32_t seed) {
    uint32_t *in = malloc(n * sizeof *in), *out = malloc(n * sizeof *out);
    pattern(in, n * sizeof *in, seed);
    ok(gw_buffer_write(x, 0, in, n * sizeof *in, &r.err));
    run_once(&r, commands);
    ok(gw_buffer_read(y, 0, out, n * sizeof *out, &r.err));
    for (uint32_t i = 0; i < n; i++)
        if (out[i] != in[i] * a + c) cr_assert_fail("element %u of %u", i, n);
    free(in);
    free(out);
}

Test(kernels, compute_and_replay) {
    static const uint32_t counts[] = {1, 63, 64, 65, 100003};
    for (int p = 0; p < N_PROFILES; p++) {
        gpu_open(&r, profiles[p], NULL);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            const uint32_t n = counts[i];
            gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 4 * (uint64_t)n),
                      *y = make_buffer(&r, GW_BUFFER_DEVICE, 4 * (uint64_t)n);
            gw_recorder *recorder = NULL;
            gw_commands *commands = NULL;
            ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
            record_selftest(&r, recorder, x, y, n, 3, 7 + (uint32_t)i);
            ok(gw_recorder_end(&recorder, &commands, &r.err));
            cr_assert_null(recorder);
            for (uint32_t run = 0; run < 3; run++)
                check_run(commands, x, y, n, 3, 7 + (uint32_t)i, run);
            gw_commands_destroy(&commands);
            gw_buffer_destroy(&x);
            gw_buffer_destroy(&y);
        }
        gpu_close(&r);
    }
}

// Host memory that is written and read between replays, with no call in between.
Test(kernels, see_mapped_memory) {
    gpu_open(&r, NULL, NULL);
    enum { N = 200 };
    gw_buffer *up = make_buffer(&r, GW_BUFFER_UPLOAD, 4 * N),
              *down = make_buffer(&r, GW_BUFFER_READBACK, 4 * N);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
    record_selftest(&r, recorder, up, down, N, 5, 1);
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    uint32_t *in = gw_buffer_mapped(up);
    const uint32_t *out = gw_buffer_mapped(down);
    for (uint32_t run = 0; run < 5; run++) {
        for (uint32_t i = 0; i < N; i++) in[i] = i + 1000 * run;
        run_once(&r, commands);
        for (uint32_t i = 0; i < N; i++) cr_assert_eq(out[i], (i + 1000 * run) * 5 + 1);
    }
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&up);
    gw_buffer_destroy(&down);
    gpu_close(&r);
}

// x -> y -> x -> ... through barriers, with a copy and zeros among them; the answer by hand.
Test(kernels, barrier_chain) {
    enum { N = 5000, ROUNDS = 20 };
    for (int p = 0; p < N_PROFILES; p++) {
        gpu_open(&r, profiles[p], NULL);
        gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 4 * N),
                  *y = make_buffer(&r, GW_BUFFER_DEVICE, 4 * N),
                  *z = make_buffer(&r, GW_BUFFER_READBACK, 8 * N);
        gw_recorder *recorder = NULL;
        gw_commands *commands = NULL;
        ok(gw_recorder_begin(r.device, 2 * ROUNDS, &recorder, &r.err));
        for (uint32_t i = 0; i < ROUNDS; i++) {
            record_selftest(&r, recorder, x, y, N, 3, 1);
            gw_record_barrier(recorder);
            record_selftest(&r, recorder, y, x, N, 5, 2);
            gw_record_barrier(recorder);
        }
        gw_record_copy(recorder, x, 0, z, 4 * N, 4 * N);
        gw_record_barrier(recorder);
        gw_record_fill_zero(recorder, x, 4, 8);
        gw_record_barrier(recorder);
        gw_record_copy(recorder, x, 0, z, 0, 4 * N);
        ok(gw_recorder_end(&recorder, &commands, &r.err));
        static uint32_t in[N], out[2 * N];
        for (uint32_t i = 0; i < N; i++) in[i] = i;
        ok(gw_buffer_write(x, 0, in, sizeof in, &r.err));
        run_once(&r, commands);
        ok(gw_buffer_read(z, 0, out, sizeof out, &r.err));
        for (uint32_t i = 0; i < N; i++) {
            uint32_t want = i;
            for (int k = 0; k < ROUNDS; k++) want = (want * 3 + 1) * 5 + 2;
            cr_assert_eq(out[N + i], want, "element %u", i);
            cr_assert_eq(out[i], i == 1 || i == 2 ? 0 : want, "element %u", i);
        }
        gw_commands_destroy(&commands);
        gw_buffer_destroy(&x);
        gw_buffer_destroy(&y);
        gw_buffer_destroy(&z);
        gpu_close(&r);
    }
}

Test(kernels, bind_at_offsets) {
    enum { N = 100 };
    gpu_open(&r, NULL, NULL);
    const uint64_t align = gw_device_caps(r.device)->storage_align;
    const uint64_t at = align > 4 ? align : 4;
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, at + 4 * N),
              *y = make_buffer(&r, GW_BUFFER_DEVICE, 2 * at + 4 * N);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    const uint32_t push[2] = {N, 2}, groups[3] = {(N + 31) / 32, 1, 1};
    const gw_binding bindings[2] = {{x, at, 4 * N}, {y, 2 * at, 4 * N}};
    uint32_t in[N], out[N];
    ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
    ok(gw_record_dispatch(recorder, selftest_kernel(&r, 32, 9), bindings, 2, push, 8, NULL, groups,
                          &r.err));
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    pattern(in, sizeof in, 3);
    ok(gw_buffer_write(x, at, in, sizeof in, &r.err));
    run_once(&r, commands);
    ok(gw_buffer_read(y, 2 * at, out, sizeof out, &r.err));
    for (uint32_t i = 0; i < N; i++) cr_assert_eq(out[i], in[i] * 2 + 9);
    ok(gw_buffer_read(y, 0, out, at < sizeof out ? at : sizeof out, &r.err));
    cr_assert_eq(out[0], 0);
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    gw_buffer_destroy(&y);
    gpu_close(&r);
}

Test(kernels, are_shared_by_constants) {
    gpu_open(&r, NULL, NULL);
    gw_kernel *one = selftest_kernel(&r, 64, 1), *two = selftest_kernel(&r, 64, 2),
              *again = selftest_kernel(&r, 64, 1);
    cr_assert_eq(one, again);
    cr_assert_neq(one, two);
    godwit_kernel_info info;
    ok(gw_kernel_info(r.device, two, &info, &r.err));
    cr_assert_str_eq(info.name, "selftest 64,1,1,2");
    cr_assert_gt(info.compile_ns, 0);
    gpu_close(&r);
}

typedef struct watcher {
    uint32_t n, n_allowed;
    uint64_t done; // as it was said last
} watcher;

static bool watch(void *user, const char *what, uint64_t done, uint64_t total) {
    watcher *w = user;
    cr_assert_str_eq(what, "selftest");
    cr_assert_eq(total, 0);
    w->done = done;
    return w->n++ < w->n_allowed;
}

// Once for each that is compiled, before it is.
Test(kernels, the_caller_sees_them_compiled_and_may_stop_it) {
    watcher w = {.n_allowed = 2};
    gw_kernel *kernel = NULL;
    const uint32_t third[4] = {64, 1, 1, 3};
    gpu_open(&r, NULL, NULL);
    r.host.progress = watch;
    r.host.progress_user = &w;
    for (int again = 0; again < 2; again++) selftest_kernel(&r, 64, 1);
    cr_assert(w.n == 1 && w.done == 0);
    selftest_kernel(&r, 64, 2);
    cr_assert(w.n == 2 && w.done == 1);
    fails(gw_kernel_get(r.device, "selftest", third, 4, &kernel, &r.err), GODWIT_CANCELLED,
          "kernel selftest: not compiled");
    cr_assert_null(kernel);
    w.n_allowed = 10;
    ok(gw_kernel_get(r.device, "selftest", third, 4, &kernel, &r.err));
    cr_assert(w.n == 4 && w.done == 2);
    gpu_close(&r);
}

static bool refuse(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what;
    (void)done;
    (void)total;
    *(bool *)user = true;
    return false;
}

// That the self-check was stopped says nothing of the kernels.
Test(kernels, a_caller_who_stops_the_first_one_opens_no_device) {
    godwit_error err = {0};
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    bool called = false;
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.progress = refuse;
    params.progress_user = &called;
    cr_assert_eq(godwit_context_create(&params, &context, &err), GODWIT_OK);
    if (godwit_context_n_devices(context) < 2) cr_skip_test("SKIPPED: no Vulkan device");
    cr_assert_eq(godwit_device_open(context, "0", NULL, &device, &err), GODWIT_CANCELLED);
    cr_assert(called && strstr(err.message, "self-check"), "%s", err.message);
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    cr_assert_eq(godwit_context_device_info(context, 0, &info, &err), GODWIT_OK);
    cr_assert_eq(info.verification, GODWIT_UNVERIFIED);
    cr_assert_str_empty(info.routed);
    // The reference compiles none.
    cr_assert_eq(godwit_device_open(context, "CPU", NULL, &device, &err), GODWIT_OK);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}

Test(kernels, refuse_what_is_not_there) {
    gpu_open(&r, "floor", NULL);
    gw_kernel *kernel = NULL;
    const uint32_t large[4] = {129, 1, 1, 0}, none[4] = {64, 0, 1, 0},
                   many[GW_KERNEL_MAX_SPEC + 1] = {1, 1, 1};
    fails(gw_kernel_get(r.device, "no_such", large, 4, &kernel, &r.err), GODWIT_NOT_FOUND,
          "kernel no_such: not in this build");
    fails(gw_kernel_get(r.device, "selftest", large, 4, &kernel, &r.err), GODWIT_BUG,
          "129 invocations");
    fails(gw_kernel_get(r.device, "selftest", none, 4, &kernel, &r.err), GODWIT_BUG,
          "workgroup size 0");
    fails(gw_kernel_get(r.device, "selftest", many, GW_KERNEL_MAX_SPEC + 1, &kernel, &r.err),
          GODWIT_BUG, "17 constants");
    cr_assert_null(kernel);
    cr_assert_null(gw_shader_find("no_such"));
    cr_assert_not_null(gw_shader_find("selftest"));
    gpu_close(&r);
}

Test(kernels, launches_outside_of_the_limits_are_bugs) {
    gpu_open(&r, NULL, NULL);
    const gw_caps *caps = gw_device_caps(r.device);
    gw_kernel *kernel = selftest_kernel(&r, 64, 0);
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 1024);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    const uint32_t push[3] = {1, 1}, one[3] = {1, 1, 1};
    const uint32_t many[3] = {1, caps->max_groups_y + 1, 1};
    gw_binding b[2] = {{x, 0, 1024}, {x, 0, 1024}};
    ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
    fails(gw_record_dispatch(recorder, kernel, b, 1, push, 8, NULL, one, &r.err), GODWIT_BUG,
          "1 bindings and 8 push bytes; it takes 2 and up to 128");
    fails(gw_record_dispatch(recorder, kernel, b, 2, push, 132, NULL, one, &r.err), GODWIT_BUG,
          "132 push bytes");
    fails(gw_record_dispatch(recorder, kernel, b, 2, push, 7, NULL, one, &r.err), GODWIT_BUG,
          "7 push bytes");
    if (caps->max_groups_y < UINT32_MAX)
        fails(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, many, &r.err), GODWIT_BUG,
              "groups; the device takes");
    b[1] = (gw_binding){x, 0, 1025};
    fails(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, one, &r.err), GODWIT_BUG,
          "1025 bytes at 0 of a buffer of 1024");
    b[1] = (gw_binding){x, UINT64_MAX, 2};
    fails(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, one, &r.err), GODWIT_BUG,
          "binding 1");
    b[1] = (gw_binding){NULL, 0, 4};
    fails(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, one, &r.err), GODWIT_BUG,
          "no buffer");
    if (caps->storage_align > 1) {
        b[1] = (gw_binding){x, 1, 4};
        fails(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, one, &r.err), GODWIT_BUG,
              "at multiples of");
    }
    b[1] = (gw_binding){x, 0, 1024};
    ok(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, one, &r.err));
    fails(gw_record_dispatch(recorder, kernel, b, 2, push, 8, NULL, one, &r.err), GODWIT_BUG,
          "more than the 1 dispatches");
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    ok(gw_commands_submit(commands, &r.err));
    fails(gw_commands_submit(commands, &r.err), GODWIT_BUG, "before the wait");
    ok(gw_commands_wait(commands, &r.err));
    ok(gw_commands_wait(commands, &r.err));
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    gpu_close(&r);
}

// Calls that return nothing tell at the end.
Test(kernels, a_bad_copy_fails_the_recording) {
    gpu_open(&r, NULL, NULL);
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 100);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    ok(gw_recorder_begin(r.device, 0, &recorder, &r.err));
    gw_record_copy(recorder, x, 0, x, 50, 51);
    gw_record_fill_zero(recorder, x, 1, 4);
    fails(gw_recorder_end(&recorder, &commands, &r.err), GODWIT_BUG,
          "recorded copy to: 51 bytes at 50");
    cr_assert(!recorder && !commands);
    ok(gw_recorder_begin(r.device, 0, &recorder, &r.err));
    gw_record_fill_zero(recorder, x, 1, 4);
    fails(gw_recorder_end(&recorder, &commands, &r.err), GODWIT_BUG, "not whole words");
    ok(gw_recorder_begin(r.device, 0, &recorder, &r.err));
    gw_recorder_discard(&recorder);
    gw_recorder_discard(&recorder);
    gw_buffer_destroy(&x);
    gpu_close(&r);
}

Test(kernels, timestamps_rise) {
    gpu_open(&r, NULL, NULL);
    enum { N = 20000 };
    godwit_device_info info = GODWIT_INIT(godwit_device_info);
    ok(gw_device_info(r.device, &info, &r.err));
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, 4 * N);
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    uint64_t ns[8] = {0};
    ok(gw_recorder_begin(r.device, 2, &recorder, &r.err));
    for (int i = 0; i < 2; i++) {
        gw_record_timestamp(recorder);
        record_selftest(&r, recorder, x, x, N, 1, 1);
        gw_record_barrier(recorder);
    }
    gw_record_timestamp(recorder);
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    cr_assert_eq(gw_commands_timestamps(commands, ns, 8), 0, "nothing has run yet");
    for (int run = 0; run < 2; run++) {
        run_once(&r, commands);
        const uint32_t n = gw_commands_timestamps(commands, ns, 8);
        if (info.timestamp_period_ns == 0) {
            cr_assert_eq(n, 0);
            continue;
        }
        cr_assert_eq(n, 3);
        cr_assert(ns[0] == 0 && ns[1] <= ns[2]);
        cr_assert_lt(ns[2], 60000000000u);
        cr_assert_eq(gw_commands_timestamps(commands, ns, 2), 2);
    }
    gw_commands_destroy(&commands);
    gw_buffer_destroy(&x);
    gpu_close(&r);
}
