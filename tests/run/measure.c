// Measuring: what is chosen is right, survives the process, bends to what was found wrong, and
// changes no bit; a text that was damaged, or says what this device cannot do, counts for nothing.
#include "run/measure.h"

#include "api/handles.h"
#include "base/exact.h"
#include "graph/variant.h"
#include "run/story.h"
#include "run/verify.h"
#include "support/rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

const gw_shader *fault_dot_table(uint32_t *out_n);

static const gw_caps caps = {.subgroup_size = 32,
                             .int_dot = true,
                             .max_workgroup_invocations = 256,
                             .max_shared_bytes = 32768};

static gw_choice random_choice(uint32_t *seed) {
    gw_tune tune;
    gw_tune_for(&caps, &tune);
    gw_choice choice = tune.choice;
    for (uint32_t i = 0; i < 6; i++) {
        struct gw_matmul_tune *s = &choice.matmul[i / 3][i % 3];
        do {
            uint32_t r = gw_philox(1, 2, (*seed)++);
            *s = (struct gw_matmul_tune){1u << r % 5, 1 + (r >> 3) % 9, 1 + (r >> 7) % 9,
                                         1 + (r >> 11) % 8, 1 + (r >> 15) % 8};
        } while (!gw_tune_fits(&caps, s));
    }
    for (uint32_t i = 0; i < GW_FMT_COUNT * GW_TOKENS_COUNT; i++) {
        const gw_format *format = gw_format_at(i / GW_TOKENS_COUNT);
        gw_tokens tokens = i % GW_TOKENS_COUNT;
        uint32_t v = gw_philox(1, 2, (*seed)++) % (GW_VARIANT_COUNT + 1);
        if (v < GW_VARIANT_COUNT && !gw_variant_reads(gw_variant_at(v), format)) continue;
        gw_choice_prefer(&choice, &gw_op_matmul, format, tokens, GW_VARIANT_PLAIN);
        gw_choice_prefer(&choice, &gw_op_matmul, format, tokens, v);
    }
    return choice;
}

// What gw_variant_for makes of it, for every format and number of tokens.
static void same_decisions(const gw_choice *a, const gw_choice *b) {
    static const uint64_t n_tok[] = {1, 2, 7, 8, 100};
    cr_assert_eq(memcmp(a->matmul, b->matmul, sizeof a->matmul), 0, "other shapes");
    for (uint32_t i = 0; i < GW_FMT_COUNT * 10; i++) {
        const gw_format *format = gw_format_at(i / 10);
        gw_tune tune[2];
        for (int k = 0; k < 2; k++) {
            gw_tune_for(&caps, &tune[k]);
            memset(tune[k].variants, 0xff, sizeof tune[k].variants);
            tune[k].choice = k ? *b : *a;
            tune[k].fast = i % 2;
        }
        uint64_t n = n_tok[i / 2 % 5];
        uint32_t va = gw_variant_for(&tune[0], &gw_op_matmul, format, n);
        uint32_t vb = gw_variant_for(&tune[1], &gw_op_matmul, format, n);
        cr_assert_eq(va, vb, "%s, %u tokens: %u and %u", format->name, (unsigned)n, va, vb);
    }
}

Test(choice, goes_to_text_and_back) {
    gw_host host;
    uint32_t seed = 0;
    gw_host_init(&host, NULL, NULL, NULL);
    for (int i = 0; i < 50; i++) {
        gw_choice choice = random_choice(&seed), back = random_choice(&seed);
        size_t n = 0;
        char *text = gw_choice_text(&host, &choice, &n);
        cr_assert_not_null(text);
        cr_assert(gw_choice_parse(&caps, text, &back), "%s", text);
        same_decisions(&choice, &back);
        gw_free(&host, text, n);
    }
}

// What is fastest of the exact kernels says nothing of fast numerics, in memory or out of a file.
Test(choice, an_exact_one_leaves_the_fast_one) {
    gw_host host;
    size_t n = 0;
    const gw_format *format = gw_format_at(GW_FMT_f16);
    const uint32_t fast = GW_VARIANT_matmul_coopmat_fast;
    gw_tune tune, back;
    gw_host_init(&host, NULL, NULL, NULL);
    gw_tune_for(&caps, &tune);
    memset(tune.variants, 0xff, sizeof tune.variants);
    back = tune;
    gw_choice_prefer(&tune.choice, &gw_op_matmul, format, GW_TOKENS_MANY, GW_VARIANT_matmul_tile);
    char *text = gw_choice_text(&host, &tune.choice, &n);
    cr_assert(text && gw_choice_parse(&caps, text, &back.choice), "%s", text);
    gw_free(&host, text, n);
    for (int i = 0; i < 2; i++) {
        gw_tune *t = i ? &back : &tune;
        t->fast = false;
        cr_assert_eq(gw_variant_for(t, &gw_op_matmul, format, 64), GW_VARIANT_matmul_tile);
        t->fast = true;
        cr_assert_eq(gw_variant_for(t, &gw_op_matmul, format, 64), fast);
    }
    gw_choice_avoid(&tune.choice, format, GW_TOKENS_MANY, fast);
    cr_assert_eq(gw_variant_for(&tune, &gw_op_matmul, format, 64), GW_VARIANT_matmul_tile);
}

Test(choice, what_nobody_wrote_counts_for_nothing) {
    static const char *const good[] = {
        "shape integer one 8 1 1 8 1\n", "choice q4_0 many\n",
        "choice q4_0 many matmul.coopmat matmul.dot\nchoice f16 one matmul.rows\n"};
    static const char *const bad[] = {
        "shape integer one 3 1 1 8 1\n",   // lanes: no power of two
        "shape integer one 32 1 1 8 1\n",  // more than there are segments
        "shape integer one 0 1 1 8 1\n",   //
        "shape integer one 8 0 1 8 1\n",   //
        "shape integer one 16 1 64 1 1\n", // 1024 invocations
        "shape integer one 8 1 32 16 4\n", // 128 KiB of shared memory
        "shape integer one 8 1 1 17 1\n",  // rows that no kernel has
        "shape integer one 1 4294967295 1 1 1\n",
        "shape integer one 8 1 1 8\n",            // a number is missing
        "shape whole one 8 1 1 8 1\n",            //
        "shape integer two 8 1 1 8 1\n",          //
        "choice q4_9 one matmul.dot\n",           //
        "choice q4_0 one matmul.magic\n",         //
        "choice f16 one matmul.dot\n",            // reads integer formats alone
        "choice q4_0 one matmul\n",               // the plain one is none
        "choice q4_0\n",                          //
        "shape integer one 8 1 1 8 1",            // cut
        "\n",                                     //
        "choice q4_0 one matmul.dot\nnonsense\n", // one line makes all of it worthless
    };
    uint32_t seed = 7;
    const gw_choice before = random_choice(&seed);
    gw_choice choice = before;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(gw_choice_parse(&caps, bad[i], &choice), "%s", bad[i]);
        cr_assert_eq(memcmp(&before, &choice, sizeof choice), 0, "%s: changed something", bad[i]);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(gw_choice_parse(&caps, good[i], &choice), "%s", good[i]);
    }
    cr_assert_neq(memcmp(&before, &choice, sizeof choice), 0);
}

Test(choice, every_candidate_has_a_shape_that_the_kernel_takes) {
    for (uint32_t i = 0; i < 2 * GW_TOKENS_COUNT; i++) {
        uint32_t n = 0, n_floor = 0;
        const struct gw_matmul_tune *s;
        const gw_caps large = {.max_workgroup_invocations = 1024, .max_shared_bytes = 65536};
        const gw_caps small = {.max_workgroup_invocations = 128, .max_shared_bytes = 16384};
        for (; (s = gw_tune_candidate(i / GW_TOKENS_COUNT, i % GW_TOKENS_COUNT, n)); n++) {
            cr_assert(gw_tune_fits(&large, s), "candidate %u of %u", n, i);
            n_floor += gw_tune_fits(&small, s);
        }
        cr_assert(n > 2 && n_floor >= 2, "%u of %u candidates run at the floor", n_floor, n);
    }
}

// --- on the device

static uint32_t n_seen;

static bool see(void *user, const gw_measured *m) {
    (void)user;
    cr_assert(m->ns > 0 && m->ns <= m->before_ns, "%s: %llu ns, %llu before", m->format->name,
              (unsigned long long)m->ns, (unsigned long long)m->before_ns);
    cr_assert_leq(m->n_done, m->n_total);
    n_seen++;
    return true;
}

static bool stop(void *user, const gw_measured *m) {
    (void)user;
    (void)m;
    return false;
}

Test(measure, the_choice_is_allowed_and_fits) {
    rig r;
    godwit_error err = {0};
    gw_choice choice;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    const uint64_t formats = UINT64_C(1) << GW_FMT_q4_0 | UINT64_C(1) << GW_FMT_f16;
    cr_assert_eq(gw_measure(&r.vulkan, formats, stop, NULL, &choice, &err), GODWIT_CANCELLED);
    cr_assert(gw_measure(&r.vulkan, formats, see, NULL, &choice, &err) == GODWIT_OK, "%s",
              err.message);
    cr_assert_gt(n_seen, 0); // how many is a matter of time
    for (uint32_t i = 0; i < 2 * GW_TOKENS_COUNT; i++) {
        cr_assert(gw_tune_fits(gw_device_caps(r.device),
                               &choice.matmul[i / GW_TOKENS_COUNT][i % GW_TOKENS_COUNT]));
    }
    gw_tune tune = r.vulkan.tune;
    gw_tune_choose(&tune, &choice);
    uint32_t v = gw_variant_for(&tune, &gw_op_matmul, &gw_format_q4_0, 1);
    cr_assert(v == GW_VARIANT_PLAIN || gw_variant_is_allowed(&r.vulkan.tune, v, &gw_format_q4_0));
    rig_close(&r);
}

Test(measure, a_device_without_room_keeps_what_it_has) {
    rig r;
    godwit_error err = {0};
    gw_choice choice;
    const uint64_t formats = UINT64_C(1) << GW_FMT_q4_0;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    // Each allocation in turn, until none fails any more.
    for (uint32_t nth = 1; nth <= 5; nth++) {
        gw_device_inject(r.device, 0, nth);
        cr_assert(gw_measure(&r.vulkan, formats, NULL, NULL, &choice, &err) == GODWIT_OK, "%u: %s",
                  nth, err.message);
        cr_assert(err.status == GODWIT_OK && !err.message[0], "%u: said %s", nth, err.message);
    }
    gw_device_inject(r.device, 1, 0);
    cr_assert_eq(gw_measure(&r.vulkan, formats, NULL, NULL, &choice, &err), GODWIT_DEVICE_LOST);
    cr_assert_not_null(strstr(err.message, "measuring"), "%s", err.message);
    rig_close(&r);
}

// Off by one in every dot, and as fast as any.
Test(measure, a_wrong_kernel_is_never_taken) {
    rig r;
    godwit_error err = {0};
    gw_choice choice;
    uint32_t n = 0;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    if (!gw_device_caps(r.device)->int_dot) cr_skip_test("SKIPPED: no packed dot here");
    gw_device_release(&r.device);
    gw_gpu_override_shaders(r.gpu, fault_dot_table(&n), 1);
    cr_assert(gw_device_open(r.gpu, 0, NULL, &r.device, &err) == GODWIT_OK, "%s", err.message);
    r.vulkan.device = r.device;
    memset(r.vulkan.tune.choice.prefers, 0, sizeof r.vulkan.tune.choice.prefers);
    // The plain kernel would win against nothing: it is made slow.
    for (int i = 0; i < 6; i++) {
        r.vulkan.tune.choice.matmul[i / 3][i % 3] = (struct gw_matmul_tune){1, 1, 1, 1, 1};
    }
    cr_assert(gw_measure(&r.vulkan, UINT64_C(1) << GW_FMT_q4_0, NULL, NULL, &choice, &err) ==
                  GODWIT_OK,
              "%s", err.message);
    for (int i = 0; i < GW_TOKENS_COUNT; i++) {
        cr_assert_eq(choice.prefers[GW_VARIANT_matmul_dot][i] >> GW_FMT_q4_0 & 1, 0);
    }
    rig_close(&r);
}

Test(measure, what_was_found_wrong_is_not_preferred_back) {
    gw_tune tune;
    gw_findings findings = {.n = 1, .items = {{.module = "matmul.dot", .label = "q4_0"}}};
    gw_tune_for(&caps, &tune);
    memset(tune.variants, 0xff, sizeof tune.variants);
    gw_choice choice = tune.choice;
    for (int i = 0; i < GW_TOKENS_COUNT; i++) {
        gw_choice_prefer(&choice, &gw_op_matmul, &gw_format_q4_0, i, GW_VARIANT_matmul_dot);
        gw_choice_prefer(&choice, &gw_op_matmul, &gw_format_q8_0, i, GW_VARIANT_matmul_dot);
    }
    gw_tune_choose(&tune, &choice);
    gw_verify_route(&findings, &tune);
    cr_assert_eq(gw_variant_for(&tune, &gw_op_matmul, &gw_format_q4_0, 1), GW_VARIANT_PLAIN);
    cr_assert_eq(gw_variant_for(&tune, &gw_op_matmul, &gw_format_q8_0, 1), GW_VARIANT_matmul_dot);
}

// --- kept in files

TestSuite(measure_files, .init = story_make_dir, .fini = story_remove_dir);

static story wanted, got;
static char path[384];

static void find_file(void) {
    DIR *d = opendir(story_dir);
    path[0] = 0;
    cr_assert_not_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (strstr(e->d_name, ".tuned"))
            snprintf(path, sizeof path, "%s/%.255s", story_dir, e->d_name);
    }
    closedir(d);
}

// Odd shapes that fit every device, and of the variants that the device has each one somewhere.
static void keep_odd(gw_backend *backend, uint32_t seed) {
    static const struct gw_matmul_tune odd[] = {
        {1, 5, 3, 3, 2}, {2, 3, 2, 2, 3}, {4, 1, 5, 1, 1}, {16, 1, 3, 2, 1}};
    gw_choice choice = backend->tune.choice;
    for (uint32_t i = 0; i < 6; i++) choice.matmul[i / 3][i % 3] = odd[(i + seed) % 4];
    for (uint32_t i = 0; i < GW_FMT_COUNT * GW_TOKENS_COUNT; i++) {
        const gw_format *format = gw_format_at(i / GW_TOKENS_COUNT);
        uint32_t v = (i + seed) % (GW_VARIANT_COUNT + 1);
        bool fits = v == GW_VARIANT_PLAIN || gw_variant_reads(gw_variant_at(v), format);
        if (!fits) continue;
        gw_choice_prefer(&choice, &gw_op_matmul, format, i % GW_TOKENS_COUNT, v);
    }
    gw_choice_keep(backend->device, &choice);
}

Test(measure_files, any_choice_gives_the_same_bits) {
    godwit_device_info info;
    story_tell_with(NULL, "reference", GODWIT_SELF_CHECK_NEVER, &wanted, &info);
    cr_assert_not(info.tuned);
    for (uint32_t seed = 0; seed <= GW_VARIANT_COUNT; seed++) {
        godwit_context *context = NULL;
        godwit_device *device = NULL;
        if (!story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device)) {
            cr_skip_test("SKIPPED: no Vulkan device");
        }
        story_info(device, &info);
        cr_assert_eq(info.tuned, seed > 0);
        keep_odd(&device->backend, seed);
        godwit_device_close(&device);
        godwit_context_destroy(&context);
        story_tell_with(NULL, "0", GODWIT_SELF_CHECK_NEVER, &got, &info);
        cr_assert(info.tuned);
        cr_assert_eq(memcmp(&wanted, &got, sizeof got), 0, "choice %u: other bits", seed);
    }
}

static gw_choice choice_at_open(void) {
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    if (!story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device)) {
        cr_skip_test("SKIPPED: no Vulkan device");
    }
    gw_choice choice = device->backend.tune.choice;
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    return choice;
}

static void write_file(const char *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, n, file) == n);
    fclose(file);
}

Test(measure_files, a_damaged_file_counts_for_nothing) {
    static char whole[8192], damaged[8192];
    godwit_context *context = NULL;
    godwit_device *device = NULL;
    const gw_choice first = choice_at_open();
    (void)story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device);
    keep_odd(&device->backend, 1);
    find_file();
    cr_assert(path[0], "no file was written");
    FILE *file = fopen(path, "rb");
    size_t n = fread(whole, 1, sizeof whole, file);
    fclose(file);
    cr_assert(n > 1000 && n < sizeof whole);
    // Opening a device takes its time, reading a file does not.
    for (size_t i = 0; i < n; i += 7) {
        gw_backend backend = device->backend;
        write_file(whole, i);
        gw_choice_load(&backend);
        cr_assert_eq(memcmp(&backend.tune.choice, &first, sizeof first), 0, "cut at %zu", i);
        memcpy(damaged, whole, n);
        damaged[i] ^= (char)(1 << i % 7);
        write_file(damaged, n);
        gw_choice_load(&backend);
        cr_assert_eq(memcmp(&backend.tune.choice, &first, sizeof first), 0, "flipped at %zu", i);
    }
    godwit_device_close(&device);
    godwit_context_destroy(&context);
    gw_choice now = choice_at_open();
    cr_assert_eq(memcmp(&now, &first, sizeof now), 0);
    write_file(whole, n);
    now = choice_at_open();
    cr_assert_neq(memcmp(&now, &first, sizeof now), 0, "the whole file counts");
}

// tuned says what an open device runs by, and what one that is not open would be given.
Test(measure_files, tuned_is_what_is_run_by) {
    godwit_context *context = NULL;
    godwit_device *device = NULL, *masked = NULL;
    godwit_device_info info;
    godwit_device_params lesser = GODWIT_INIT(godwit_device_params);
    if (!story_open_device(NULL, "0", GODWIT_SELF_CHECK_NEVER, false, &context, &device)) {
        cr_skip_test("SKIPPED: no Vulkan device");
    }
    lesser.mask = "fp16";
    lesser.self_check = GODWIT_SELF_CHECK_NEVER;
    keep_odd(&device->backend, 1);
    story_info(device, &info);
    cr_assert_not(info.tuned, "it runs by what it was opened with");
    info = GODWIT_INIT(godwit_device_info);
    STORY_OK(godwit_context_device_info(context, 0, &info, &story_err));
    cr_assert(info.tuned);
    STORY_OK(godwit_device_open(context, "0", &lesser, &masked, &story_err));
    story_info(masked, &info);
    cr_assert_not(info.tuned, "a lesser device");
    godwit_device_close(&masked);
    godwit_device_close(&device);
    STORY_OK(godwit_device_open(context, "0", NULL, &device, &story_err));
    story_info(device, &info);
    cr_assert(info.tuned);
    // Whole, but not of what this build knows.
    gw_device_keep(device->backend.device, "tuned", "choice q4_0 one matmul.nothing\n");
    godwit_device_close(&device);
    STORY_OK(godwit_context_device_info(context, 0, &info, &story_err));
    cr_assert_not(info.tuned);
    STORY_OK(godwit_device_open(context, "0", NULL, &device, &story_err));
    story_info(device, &info);
    cr_assert_not(info.tuned);
    godwit_device_close(&device);
    godwit_context_destroy(&context);
}
