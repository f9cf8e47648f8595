// The functions of the contract on a device: the bits of engine/base/exact.h and exact_math.h, for
// hundreds of thousands of arguments each, in a module made of their GLSL twins.
#include "gpu_support.h"

#include "support/functions.h"

#include <stdio.h>
#include <stdlib.h>

static rig r;

enum { LANES = 64, N = 1 << 18 };

// tests/shaders/functions.comp, as the build made it, in the place of the embedded "selftest".
static gw_shader functions_module(void) {
    gw_shader module = {.name = "selftest", .n_bindings = 2, .push_bytes = 128, .descriptors = 3};
    FILE *f = fopen(GODWIT_TEST_SPIRV "/functions.spv", "rb");
    cr_assert_not_null(f, "%s", GODWIT_TEST_SPIRV "/functions.spv");
    static uint32_t words[1 << 16];
    module.n_words = (uint32_t)fread(words, 4, sizeof words / 4, f);
    cr_assert(module.n_words > 5 && module.n_words < sizeof words / 4);
    fclose(f);
    module.words = words;
    return module;
}

static uint32_t state = 12345;
static uint32_t draw(void) {
    state = state * 1664525u + 1013904223u;
    return state >> 8 ^ state << 16;
}

// Where functions change their way, and the ends of what is stored.
static const float edges[] = {0.0f,
                              -0.0f,
                              0x1p-40f,
                              0x1.000002p-40f,
                              0x1.fffffep-40f,
                              0x1p-39f,
                              0x1p-24f,
                              0x1p-25f,
                              0.5f,
                              1.0f,
                              2.0f,
                              4.0f,
                              0.625f,
                              0.70710677f,
                              1.4142135f,
                              5.5f,
                              7.7781746f,
                              9.1f,
                              12.0f,
                              27.5f,
                              27.7f,
                              40.0f,
                              60.0f,
                              88.0f,
                              88.72283f,
                              100.0f,
                              126.0f,
                              127.0f,
                              128.0f,
                              129.0f,
                              1.5f,
                              2.5f,
                              3.0f,
                              0.7853981f,
                              0.78539819f,
                              1.5707964f,
                              3.1415927f,
                              6.2831855f,
                              8388608.0f,
                              16777216.0f,
                              1e12f,
                              0x1p100f,
                              0x1p126f,
                              3.4028234e38f};
enum { N_EDGES = sizeof edges / sizeof *edges, N_BESIDE = 9 };

// An edge, or up to four floats beside it, of either sign.
static float edge(uint32_t i) {
    uint32_t u = gw_bits(edges[i % N_EDGES]) + i / N_EDGES % N_BESIDE;
    float x = gw_flush(gw_from_bits(u < N_BESIDE / 2 ? 0u : u - N_BESIDE / 2));
    return i / (N_EDGES * N_BESIDE) % 2 ? 0.0f - x : x;
}

static float argument(uint32_t i) {
    static const uint32_t odd[] = {GW_INF_BITS, GW_INF_BITS | 0x80000000u, GW_NAN_BITS};
    if (i < 3) return gw_from_bits(odd[i]);
    if (i < 2 * N_EDGES * N_BESIDE) return edge(i);
    uint32_t u = draw();
    switch (i % 4) {
    case 0: // any bits
        return gw_flush(gw_from_bits(u));
    case 1: // -100 .. 100
        return ((float)(u & 0xffffffu) - 8388608.0f) * 1.19e-5f;
    case 2: // -4 .. 4
        return ((float)(u & 0xffffffu) - 8388608.0f) * 4.77e-7f;
    default: // around 1 and -1
        return gw_from_bits((0x3f000000u + (u & 0xffffffu)) | (u & 0x80000000u));
    }
}

// A pair: each edge with each, then at random.
static void arguments(int id, uint32_t i, float *a, float *b) {
    const uint32_t n = N_EDGES + 3;
    bool two = id == FN_div || id == FN_pow;
    *a = argument(two && i < 4 * n * n ? (i % n < 3 ? i % n : (i % n - 3) + N_EDGES * 4) : i);
    *b = argument(two && i < 4 * n * n ? (i / n % n < 3 ? i / n % n : (i / n % n - 3) + N_EDGES * 4)
                                       : N - 1 - i);
    if (two && i < 4 * n * n) {
        if (i / n / n & 1 && !gw_is_nan(*a)) *a = gw_from_bits(gw_bits(*a) ^ 0x80000000u);
        if (i / n / n & 2 && !gw_is_nan(*b)) *b = gw_from_bits(gw_bits(*b) ^ 0x80000000u);
    }
    if (id == FN_exp2_part) *a = *a * 0.004f;
    if (id == FN_i32_to_f32) *a = gw_from_bits(draw() ^ draw() << 9);
    if (!contract_function_takes(id, *a)) *a = 0.5f;
    if (gw_bits(*a) == 0x80000000u) *a = 0.0f; // is never stored
    if (gw_bits(*b) == 0x80000000u) *b = 0.0f;
}

static float in[N][2];
static uint32_t out[N];

static void check_function(int id, gw_kernel *kernel, gw_buffer *x, gw_buffer *y) {
    const contract_function *f = &contract_functions[id];
    for (uint32_t i = 0; i < N; i++) arguments(id, i, &in[i][0], &in[i][1]);
    ok(gw_buffer_write(x, 0, in, sizeof in, &r.err));
    const uint32_t push[2] = {N, (uint32_t)id}, groups[3] = {N / LANES, 1, 1};
    const gw_binding bindings[2] = {{x, 0, sizeof in}, {y, 0, sizeof out}};
    gw_recorder *recorder = NULL;
    gw_commands *commands = NULL;
    ok(gw_recorder_begin(r.device, 1, &recorder, &r.err));
    ok(gw_record_dispatch(recorder, kernel, bindings, 2, push, sizeof push, NULL, groups, &r.err));
    ok(gw_recorder_end(&recorder, &commands, &r.err));
    run_once(&r, commands);
    gw_commands_destroy(&commands);
    ok(gw_buffer_read(y, 0, out, sizeof out, &r.err));
    uint32_t n_wrong = 0, first = 0;
    for (uint32_t i = 0; i < N; i++)
        if (out[i] != gw_bits(gw_flush(f->call(in[i][0], in[i][1]))) && n_wrong++ == 0) first = i;
    cr_expect_eq(n_wrong, 0, "%s: %u of %u differ; %s(%a, %a) = %08x here, %08x on the device",
                 f->name, n_wrong, (unsigned)N, f->name, (double)in[first][0], (double)in[first][1],
                 gw_bits(gw_flush(f->call(in[first][0], in[first][1]))), out[first]);
}

Test(functions, have_the_same_bits_on_the_device) {
    gpu_open(&r, NULL, NULL);
    gw_device_release(&r.device);
    gw_shader module = functions_module();
    gw_gpu_override_shaders(r.gpu, &module, 1);
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    ok(gw_device_open(r.gpu, 0, &params, &r.device, &r.err));
    const uint32_t spec[3] = {LANES, 1, 1};
    gw_kernel *kernel = NULL;
    ok(gw_kernel_get(r.device, "selftest", spec, 3, &kernel, &r.err));
    gw_buffer *x = make_buffer(&r, GW_BUFFER_DEVICE, sizeof in),
              *y = make_buffer(&r, GW_BUFFER_DEVICE, sizeof out);
    for (int id = 0; id < N_FUNCTIONS; id++) check_function(id, kernel, x, y);
    gw_buffer_destroy(&x);
    gw_buffer_destroy(&y);
    gpu_close(&r);
}
