// Programs: under a watchdog a plan is submitted in parts, with the same bits.
#include "gpu/internal.h"

#include "run/cases.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { FAR = 1000000 };
static rig r;
static godwit_error err;

// Submits of one run: counted by the injected loss that is too far away to happen.
static uint32_t run(gw_program *program) {
    gw_device_inject(r.device, FAR, 0);
    cr_assert(gw_program_run(program, NULL, &err) == GODWIT_OK, "%s", err.message);
    uint32_t n = FAR - atomic_load(&r.device->lose_at_submit);
    gw_device_inject(r.device, 0, 0);
    return n;
}

enum { N = 8192, ROUNDS = 5 };

// A chain of products and sums, each its own launch.
static void build(gw_graph *graph, gw_value **out_x, gw_value **out_y) {
    uint64_t dims[2] = {1, N};
    gw_value *in[2] = {NULL};
    cr_assert(gw_graph_value(graph, GW_VALUE_INPUT, "x", GODWIT_F32, 2, dims, &in[0], &err) == 0);
    *out_x = in[1] = in[0];
    for (int i = 0; i < ROUNDS; i++) {
        const gw_op *op = i % 2 ? &gw_op_mul : &gw_op_add;
        cr_assert(gw_graph_node(graph, op, "n", in, 2, NULL, 0, &in[1], &err) == 0);
    }
    *out_y = in[1];
    in[1]->keep = true;
}

// submit_ms: of the device's watchdog; fs: how long a multiply-add takes there, 0: unknown.
static void compare(uint32_t submit_ms, uint64_t fs, const uint32_t *wanted_submits) {
    gw_graph graph;
    gw_program *program = NULL;
    gw_value *x, *y;
    gw_workspace work = {0};
    const gw_executable_stores stores = {.workspace = &work};
    static float data[N], got[N];
    ((gw_caps *)gw_device_caps(r.device))->submit_ms = submit_ms;
    if (fs) gw_device_inject_pace(r.device, fs);
    gw_graph_init(&graph, &r.host);
    build(&graph, &x, &y);
    cr_assert(gw_executable_create(&r.vulkan, &graph, &r.vulkan.tune, &stores, &program, &err) == 0,
              "%s", err.message);
    for (int i = 0; i < 4; i++) {
        for (uint32_t k = 0; k < N; k++) data[k] = (float)(k + (uint32_t)i) * 0x1p-10f;
        cr_assert(gw_store_write(&work.upload, x->slice.offset, data, sizeof data, &err) == 0);
        uint32_t submits = run(program);
        if (wanted_submits) cr_assert_eq(submits, wanted_submits[i], "run %d: %u", i, submits);
        cr_assert(gw_store_read(&work.arena, y->slice.offset, got, sizeof got, &err) == 0);
        for (uint32_t k = 0; k < N; k++) {
            float want = data[k];
            for (int round = 0; round < ROUNDS; round++) {
                want = gw_flush(round % 2 ? want * data[k] : want + data[k]);
            }
            cr_assert_eq(gw_bits(got[k]), gw_bits(want), "run %d, element %u", i, k);
        }
    }
    gw_program_destroy(&program);
    gw_workspace_destroy(&work);
    gw_graph_deinit(&graph);
}

Test(program, is_one_submit_without_a_watchdog) {
    static const uint32_t once[] = {1, 1, 1, 1};
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    compare(0, 0, once);
    rig_close(&r);
}

Test(program, is_one_submit_where_little_time_is_expected) {
    static const uint32_t once[] = {1, 1, 1, 1};
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    compare(600000, 0, once);
    rig_close(&r);
}

// 16 s of 20 a launch: each is cut in two, or what is left of one goes with the next one's start.
Test(program, is_cut_by_what_is_expected_and_joined_by_what_was_measured) {
    static const uint32_t joined[] = {2 * ROUNDS, 1, 1, 1};
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    const uint64_t work = 3ull * N * sizeof(float) / 4, s = 1000000000000000;
    compare(64000, 20 * s / work, joined);
    rig_close(&r);
}

// A quarter of a millisecond joins few launches or none, and takes joined ones apart again.
Test(program, has_the_same_bits_however_it_is_cut) {
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    compare(1, 0, NULL);
    rig_close(&r);
}

Test(program, a_caller_stops_it) {
    gw_graph graph;
    gw_program *program = NULL;
    gw_value *x, *y;
    gw_workspace work = {0};
    const gw_executable_stores stores = {.workspace = &work};
    atomic_bool stop = true;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    const gw_backend *backends[] = {&r.vulkan, &r.reference};
    for (int i = 0; i < 2; i++) {
        gw_graph_init(&graph, &r.host);
        build(&graph, &x, &y);
        cr_assert(!gw_executable_create(backends[i], &graph, &backends[i]->tune, &stores, &program,
                                        &err));
        cr_assert_eq(gw_program_run(program, &stop, &err), GODWIT_CANCELLED);
        cr_assert(strstr(err.message, "stopped"), "%s", err.message);
        stop = false;
        cr_assert_eq(gw_program_run(program, &stop, &err), GODWIT_OK);
        stop = true;
        gw_program_destroy(&program);
        gw_workspace_destroy(&work);
        gw_graph_deinit(&graph);
    }
    rig_close(&r);
}

// --- submit and wait, apart

typedef struct pair {
    gw_graph graph;
    gw_workspace work;
    gw_program *program;
    gw_value *x, *y;
} pair;

static void make_pair(pair *p) {
    *p = (pair){0};
    const gw_executable_stores stores = {.workspace = &p->work};
    gw_graph_init(&p->graph, &r.host);
    build(&p->graph, &p->x, &p->y);
    cr_assert(
        !gw_executable_create(&r.vulkan, &p->graph, &r.vulkan.tune, &stores, &p->program, &err),
        "%s", err.message);
}

static void drop_pair(pair *p) {
    gw_program_destroy(&p->program);
    gw_workspace_destroy(&p->work);
    gw_graph_deinit(&p->graph);
}

static void fill_pair(pair *p, float first) {
    static float data[N];
    for (uint32_t k = 0; k < N; k++) data[k] = (first + (float)k) * 0x1p-10f;
    cr_assert(!gw_store_write(&p->work.upload, p->x->slice.offset, data, sizeof data, &err));
}

static void check_pair(pair *p, float first) {
    static float got[N];
    cr_assert(!gw_store_read(&p->work.arena, p->y->slice.offset, got, sizeof got, &err));
    for (uint32_t k = 0; k < N; k++) {
        const float x = (first + (float)k) * 0x1p-10f;
        float want = x;
        for (int round = 0; round < ROUNDS; round++)
            want = gw_flush(round % 2 ? want * x : want + x);
        cr_assert_eq(gw_bits(got[k]), gw_bits(want), "element %u", k);
    }
}

// submit_ms 0: no watchdog, so a program can be submitted at once.
static void submit_both(uint32_t submit_ms) {
    pair pairs[2];
    ((gw_caps *)gw_device_caps(r.device))->submit_ms = submit_ms;
    for (int i = 0; i < 2; i++) {
        make_pair(&pairs[i]);
        cr_assert_eq(gw_program_is_ready(pairs[i].program), submit_ms == 0);
        if (submit_ms) cr_assert_eq(gw_program_submit(pairs[i].program, &err), GODWIT_BUG);
        for (int k = 0; k < 4 && !gw_program_is_ready(pairs[i].program); k++) {
            fill_pair(&pairs[i], 1);
            (void)run(pairs[i].program);
        }
        cr_assert(gw_program_is_ready(pairs[i].program));
        cr_assert_eq(gw_program_wait(pairs[i].program, &err), GODWIT_BUG);
    }
    for (int round = 0; round < 20; round++) {
        pair *p = &pairs[round % 2], *other = &pairs[(round + 1) % 2];
        fill_pair(p, (float)round);
        cr_assert_eq(gw_program_submit(p->program, &err), GODWIT_OK, "%s", err.message);
        cr_assert(!gw_program_is_ready(p->program));
        if (round == 0) continue;
        cr_assert_eq(gw_program_wait(other->program, &err), GODWIT_OK, "%s", err.message);
        check_pair(other, (float)(round - 1));
    }
    cr_assert_eq(gw_program_submit(pairs[1].program, &err), GODWIT_BUG);
    cr_assert_eq(gw_program_run(pairs[1].program, NULL, &err), GODWIT_BUG);
    drop_pair(&pairs[1]); // under way
    drop_pair(&pairs[0]);
}

Test(program, two_are_under_way_at_once) {
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    submit_both(0);
    submit_both(600000);
    rig_close(&r);
}

Test(program, one_that_cannot_be_submitted_leaves_the_one_before) {
    pair pairs[2];
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    ((gw_caps *)gw_device_caps(r.device))->submit_ms = 0;
    for (int i = 0; i < 2; i++) {
        make_pair(&pairs[i]);
        fill_pair(&pairs[i], 1);
    }
    cr_assert_eq(gw_program_submit(pairs[0].program, &err), GODWIT_OK);
    gw_device_inject(r.device, 1, 0);
    cr_assert_eq(gw_program_submit(pairs[1].program, &err), GODWIT_DEVICE_LOST);
    cr_assert(strstr(err.message, "submit 1 of"), "%s", err.message);
    cr_assert_eq(gw_program_wait(pairs[1].program, &err), GODWIT_BUG);
    cr_assert_eq(gw_program_wait(pairs[0].program, &err), GODWIT_DEVICE_LOST);
    for (int i = 0; i < 2; i++) drop_pair(&pairs[i]);
    rig_close(&r);
}

// Every launch of every case in pieces of a few workgroups.
Test(program, every_kernel_has_the_same_bits_in_pieces) {
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    ((gw_caps *)gw_device_caps(r.device))->submit_ms = 1000;
    gw_device_inject_pace(r.device, UINT64_C(1) << 42);
    gw_device_inject(r.device, FAR, 0);
    const gw_case_row *row;
    uint32_t n_cases = 0;
    for (uint32_t i = 0; (row = gw_case_row_at(i)); i++) {
        static const uint32_t formats[] = {GW_FMT_f16, GW_FMT_q4_0, GW_FMT_q6_k};
        for (uint32_t k = 0; k < (row->label ? 1 : sizeof formats / sizeof *formats); k++) {
            const gw_format *format = row->label ? NULL : gw_format_at(formats[k]);
            gw_case_result want, got;
            n_cases++;
            const char *name = row->label ? row->label : format->name;
            cr_assert(!gw_case_run(&r.reference, row, format, GW_CASE_AWKWARD, &want, &err) &&
                          !gw_case_run(&r.vulkan, row, format, GW_CASE_AWKWARD, &got, &err),
                      "%s", err.message);
            cr_assert(want.n_bytes == got.n_bytes && !memcmp(want.bytes, got.bytes, got.n_bytes),
                      "%s %s: other bits in pieces", row->op->name, name);
            gw_case_result_free(&want);
            gw_case_result_free(&got);
        }
    }
    const uint32_t n_submits = FAR - atomic_load(&r.device->lose_at_submit);
    cr_assert(n_submits > 20 * n_cases, "%u submits of %u cases: not cut", n_submits, n_cases);
    rig_close(&r);
}
