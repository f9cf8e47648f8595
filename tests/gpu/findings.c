// Findings: what is written is read back for the same device, driver and build; what is damaged,
// foreign or gone is ignored; a person's rows count and stay; what cannot be written whole leaves
// no record; what no file can keep is kept by the gpu; a process that ended in a trial leaves a
// mark, and is believed the second time.
#include "gpu/internal.h"

#include "bare_device.h"
#include "gpu_support.h"
#include "support/failing.h"
#include "support/folder.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[400];
static gw_host host;
static gw_gpu *gpu;
static gw_adapter *adapter;
static gw_device *device;
static gw_findings list, back;

static bare_device bare;

static void setup(void) {
    folder_make(dir, sizeof dir);
    bare_device_init(&bare, &host, dir);
    gpu = &bare.gpu;
    adapter = &bare.adapter;
    device = &bare.device;
    memset(&list, 0, sizeof list);
}

static void teardown(void) {
    folder_remove(dir);
    gw_checked_deinit(gpu);
}

TestSuite(findings, .init = setup, .fini = teardown);

static void add(const char *module, const char *label, const char *reason) {
    gw_finding f = {.given = false};
    snprintf(f.module, sizeof f.module, "%s", module);
    snprintf(f.label, sizeof f.label, "%s", label);
    snprintf(f.reason, sizeof f.reason, "%s", reason);
    cr_assert(gw_findings_add(&list, &f));
}

static void remember(godwit_verification level) {
    list.level = level;
    gw_device_remember(device, &list, true);
}

static void load(void) {
    gw_findings_load(gpu, adapter, &back);
}

// The one file whose name ends so.
static const char *file_of(const char *end) {
    DIR *d = opendir(dir);
    cr_assert_not_null(d);
    path[0] = '\0';
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        const char *at = strstr(e->d_name, end);
        if (at && strcmp(at, end) == 0) snprintf(path, sizeof path, "%s/%.255s", dir, e->d_name);
    }
    closedir(d);
    cr_assert(path[0], "no file *%s", end);
    return path;
}

static size_t read_file(const char *name, char *text, size_t text_bytes) {
    FILE *file = fopen(name, "rb");
    cr_assert_not_null(file);
    size_t n = fread(text, 1, text_bytes - 1, file);
    text[n] = '\0';
    fclose(file);
    return n;
}

static void write_file(const char *name, const char *text, size_t n) {
    FILE *file = fopen(name, "wb");
    cr_assert(file && fwrite(text, 1, n, file) == n);
    fclose(file);
}

Test(findings, are_read_back) {
    load();
    cr_assert(back.level == GODWIT_UNVERIFIED && back.n == 0);
    add("matmul.dot", "q4_0", "word 3 of 185: wanted 00000001, got 00000002");
    add("rms_norm", "", "word 0");
    remember(GODWIT_VERIFIED_FULL);
    load();
    cr_assert_eq(back.level, GODWIT_VERIFIED_FULL);
    cr_assert_eq(back.n, 2);
    cr_assert_eq(memcmp(back.items, list.items, 2 * sizeof *list.items), 0);
    cr_assert_eq(strlen(back.date), 10);
    cr_assert_str_eq(gw_findings_dead_end(&back)->module, "rms_norm");
    godwit_device_info info = {0};
    gw_findings_to_info(&back, &info);
    cr_assert_eq(info.verification, GODWIT_VERIFICATION_FAILED);
    cr_assert_str_eq(info.routed, "matmul.dot/q4_0 -> matmul");
    // A later check that finds nothing takes the rows back.
    list.n = 0;
    remember(GODWIT_VERIFIED_SELF_CHECK);
    load();
    cr_assert(back.level == GODWIT_VERIFIED_SELF_CHECK && back.n == 0);
}

Test(findings, are_of_one_device_driver_and_build) {
    add("matmul.dot", "", "x");
    remember(GODWIT_VERIFIED_FULL);
    static const uint32_t words[] = {1, 2, 3};
    static const gw_shader other[] = {{.name = "matmul", .words = words, .n_words = 3}};
    for (int i = 0; i < 6; i++) {
        gw_adapter was = *adapter;
        adapter->info.vendor_id += i == 0;
        adapter->info.device_id += i == 1;
        adapter->info.driver_id += i == 2;
        adapter->release += i == 3;
        adapter->driver_uuid[0] += i >= 2 && i <= 3;
        if (i == 4) gw_gpu_override_shaders(gpu, other, 1);
        load();
        cr_assert(i == 5 ? back.n == 1 && back.level == GODWIT_VERIFIED_FULL
                         : back.n == 0 && back.level == GODWIT_UNVERIFIED,
                  "%d: %u rows, level %d", i, back.n, (int)back.level);
        gw_gpu_override_shaders(gpu, NULL, 0);
        *adapter = was;
    }
    device->masks = GW_MASK_DOT; // a lesser device: nothing is kept of it
    list.n = 0;
    remember(GODWIT_VERIFIED_FULL);
    load();
    cr_assert_eq(back.n, 1);
}

Test(findings, damaged_records_are_ignored) {
    char text[600], bad[600];
    remember(GODWIT_VERIFIED_SELF_CHECK);
    const char *name = file_of(".verified");
    size_t n = read_file(name, text, sizeof text);
    cr_assert_gt(n, 60);
    for (size_t i = 0; i < n; i++) {
        memcpy(bad, text, n);
        bad[i] ^= 1;
        write_file(name, bad, n);
        load();
        cr_assert_eq(back.level, GODWIT_UNVERIFIED, "byte %zu", i);
        write_file(name, text, i);
        load();
        cr_assert_eq(back.level, GODWIT_UNVERIFIED, "cut at %zu", i);
    }
    write_file(name, text, n);
    load();
    cr_assert_eq(back.level, GODWIT_VERIFIED_SELF_CHECK);
}

Test(findings, a_record_without_its_rows_is_none) {
    add("matmul.dot", "", "x");
    remember(GODWIT_VERIFIED_SELF_CHECK);
    unlink(file_of("quirks.txt"));
    load();
    cr_assert(back.level == GODWIT_UNVERIFIED && back.n == 0);
}

Test(findings, rows_of_a_person_count_and_stay) {
    static const char own[] = "# mine\n"
                              "10de:* 4 * * disable matmul.dot/q6_k slow\n"
                              "10de:2684 4 535.183.1 * disable matmul.rows \x01\x02 odd\n"
                              "1002:* 4 * * disable matmul.texel another vendor\n"
                              "10de:* 4 * * disable rms_norm not a variant\n"
                              "10de:* 4 * * fails matmul.dot not an op\n"
                              "10de:* 4\n"
                              "10de:* 4 * * destroy matmul.dot x\n"
                              "garbage";
    char text[4096];
    add("matmul.dot", "q4_0", "x");
    snprintf(path, sizeof path, "%s/quirks.txt", dir);
    write_file(path, own, sizeof own - 1);
    remember(GODWIT_VERIFIED_FULL);
    load();
    cr_assert_eq(back.n, 3, "%u", back.n);
    cr_assert_str_eq(back.items[0].label, "q6_k");
    cr_assert_str_eq(back.items[1].reason, "?? odd");
    cr_assert(back.items[0].given && back.items[1].given && !back.items[2].given);
    list.n = 0;
    remember(GODWIT_VERIFIED_FULL);
    load();
    cr_assert_eq(back.n, 2);
    snprintf(path, sizeof path, "%s/quirks.txt", dir);
    read_file(path, text, sizeof text);
    cr_assert_eq(strncmp(text, own, sizeof own - 1), 0, "%s", text);
}

// Binary noise, very long lines and names: no crash, and no row.
Test(findings, noise_is_ignored) {
    static char noise[70000];
    snprintf(path, sizeof path, "%s/quirks.txt", dir);
    for (uint32_t seed = 0; seed < 8; seed++) {
        pattern(noise, sizeof noise, seed);
        if (seed == 7) memset(noise, 'x', sizeof noise);
        write_file(path, noise, sizeof noise);
        load();
        cr_assert_eq(back.n, 0);
        remember(GODWIT_VERIFIED_FULL);
    }
}

Test(findings, too_many_labels_stand_for_all) {
    char label[16];
    add("matmul.dot", "a", "x");
    for (int i = 0; i < 300; i++) {
        gw_finding f = {.module = "matmul.dot", .reason = "x"};
        snprintf(label, sizeof label, "f%d", i);
        memcpy(f.label, label, sizeof label);
        cr_assert(gw_findings_add(&list, &f));
    }
    cr_assert_eq(list.n, GW_MAX_FINDINGS);
    cr_assert_str_eq(list.items[0].label, "");
    gw_finding other = {.module = "matmul.rows", .label = "a"};
    cr_assert_not(gw_findings_add(&list, &other));
}

// --- what cannot be read or written

static const char *in_dir(const char *name) {
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static bool is_there(const char *end) {
    bool found = false;
    DIR *d = opendir(dir);
    cr_assert_not_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        const char *at = strstr(e->d_name, end);
        found |= at && strcmp(at, end) == 0;
    }
    closedir(d);
    return found;
}

// Lines that are longer than any of ours, and bytes that no text has.
Test(findings, lines_of_others_stay_byte_for_byte) {
    static char own[5000], text[8192];
    memset(own, 'x', sizeof own);
    memcpy(own, "10de:* 4 * * disable matmul.dot/q6_k ", 37);
    own[2000] = '\n';
    own[2001] = '\0';
    memcpy(own + 3000, "\n#", 2);
    own[sizeof own - 1] = '\n';
    write_file(in_dir("quirks.txt"), own, sizeof own);
    add("matmul.dot", "q4_0", "x");
    remember(GODWIT_VERIFIED_FULL);
    size_t n = read_file(in_dir("quirks.txt"), text, sizeof text);
    cr_assert_gt(n, sizeof own);
    cr_assert_eq(memcmp(text, own, sizeof own), 0);
    load();
    cr_assert(back.n == 2 && back.items[0].given && back.level == GODWIT_VERIFIED_FULL);
    list.n = 0;
    remember(GODWIT_VERIFIED_FULL);
    n = read_file(in_dir("quirks.txt"), text, sizeof text);
    cr_assert_eq(n, sizeof own);
    cr_assert_eq(memcmp(text, own, sizeof own), 0);
}

// A quirks.txt that cannot be read is not replaced, and no record says that its rows are there; nor
// does the one of an earlier check.
Test(findings, a_file_that_cannot_be_read_is_left_as_it_is) {
    static char own[(1 << 20) + 1], text[1 << 21];
    memset(own, '#', sizeof own);
    remember(GODWIT_VERIFIED_FULL);
    cr_assert(is_there(".verified"));
    write_file(in_dir("quirks.txt"), own, sizeof own);
    add("matmul.dot", "", "x");
    remember(GODWIT_VERIFIED_SELF_CHECK);
    cr_assert_eq(read_file(in_dir("quirks.txt"), text, sizeof text), sizeof own);
    cr_assert_eq(memcmp(text, own, sizeof own), 0);
    cr_assert_not(is_there(".verified"));
    load();
    cr_assert(back.level == GODWIT_UNVERIFIED && back.n == 0);
    // The process knows it all the same, of every device that is opened from here on.
    memset(&device->findings, 0, sizeof device->findings);
    gw_device_load_findings(device);
    cr_assert(device->findings.n == 1 && device->findings.level == GODWIT_VERIFIED_SELF_CHECK);
    // What can be written then takes the memory's place.
    unlink(in_dir("quirks.txt"));
    list.n = 0;
    remember(GODWIT_VERIFIED_FULL);
    gw_device_load_findings(device);
    cr_assert(device->findings.n == 0 && device->findings.level == GODWIT_VERIFIED_FULL);
}

// Whichever request for memory fails: a device never counts as verified without its rows.
Test(findings, no_memory_leaves_no_record_without_rows) {
    static failing f; // teardown frees with it
    const godwit_allocator allocator = {.user = &f, .realloc = failing_realloc};
    static const char own[] = "10de:* 4 * * disable matmul.rows mine\n";
    char text[4096];
    uint32_t n_failed = 0;
    gw_host_init(&host, &allocator, NULL, NULL);
    for (uint32_t n = 1; n < 20; n++) {
        write_file(in_dir("quirks.txt"), own, sizeof own - 1);
        memset(&list, 0, sizeof list);
        memset(&device->findings, 0, sizeof device->findings);
        add("matmul.dot", "", "x");
        f.until_failure = n;
        remember(GODWIT_VERIFIED_FULL);
        n_failed += f.until_failure == 0;
        f.until_failure = 0;
        load();
        bool whole = back.level == GODWIT_VERIFIED_FULL && back.n == 2;
        cr_assert(whole || back.level == GODWIT_UNVERIFIED, "request %u: %u rows", n, back.n);
        cr_assert_not_null(strstr((read_file(in_dir("quirks.txt"), text, sizeof text), text), own),
                           "request %u", n);
    }
    cr_assert_geq(n_failed, 2);
}

// --- kept in memory

Test(findings, are_kept_by_the_gpu_where_no_file_can) {
    static gw_adapter other;
    other = *adapter;
    for (int masked = 0; masked < 2; masked++) {
        if (masked) {
            gpu->cache_dir = dir;
            device->masks = GW_MASK_DOT;
        } else {
            gpu->cache_dir = NULL;
        }
        list.n = 0;
        add("matmul.coopmat", "", "x");
        remember(GODWIT_VERIFIED_SELF_CHECK);
        cr_assert_not(is_there(".verified"));
        memset(&device->findings, 0, sizeof device->findings);
        gw_device_load_findings(device);
        cr_assert(device->findings.n == 1 && device->findings.level == GODWIT_VERIFIED_SELF_CHECK);
        cr_assert_eq(strlen(device->findings.date), 10);
        // Of that device with those masks and that build only.
        static const gw_shader others[] = {{.name = "matmul"}};
        for (int i = 0; i < 3; i++) {
            device->masks ^= i == 0 ? GW_MASK_FP16 : 0;
            device->adapter = i == 1 ? &other : adapter;
            gw_gpu_override_shaders(gpu, others, i == 2);
            gw_device_load_findings(device);
            cr_assert(device->findings.n == 0 && device->findings.level == GODWIT_UNVERIFIED);
            device->masks ^= i == 0 ? GW_MASK_FP16 : 0;
            gw_gpu_override_shaders(gpu, NULL, 0);
        }
        device->adapter = adapter;
    }
}

// --- trials

static pid_t try_in_a_child(int how) {
    return bare_device_try(&bare, how);
}

static void reopen(void) {
    bare_device_reopen(&bare);
}

// As often as it is believed; the last mark is still there.
static void be_killed_twice(void) {
    (void)try_in_a_child(0);
    reopen();
    (void)try_in_a_child(0);
}

Test(findings, a_process_that_ended_in_a_trial_twice_disables_the_variant) {
    (void)try_in_a_child(1);
    reopen();
    cr_assert_eq(device->findings.n, 0, "the trial ended before the process did");
    pid_t child = try_in_a_child(2);
    reopen();
    cr_assert_eq(device->findings.n, 0, "somebody is still trying");
    cr_assert(is_there(".trying"));
    gw_device_trial(device, "matmul.rows"); // without a mark
    gw_device_trial(device, NULL);
    cr_assert(is_there(".trying"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    reopen();
    cr_assert_eq(device->findings.n, 0);
    (void)try_in_a_child(0);
    for (int i = 0; i < 2; i++) {
        reopen();
        cr_assert(device->findings.n == 1 && device->findings.items[0].crashed);
        cr_assert_str_eq(device->findings.items[0].module, "matmul.dot");
        cr_assert_str_eq(device->findings.items[0].reason, "the process ended while it ran, twice");
        cr_assert(!gw_device_suspects(device, NULL) && !is_there(".killed"));
        cr_assert_not(is_there(".trying"));
    }
    // No later check takes it back; a person does.
    remember(GODWIT_VERIFIED_FULL);
    reopen();
    cr_assert(device->findings.n == 1 && device->findings.level == GODWIT_VERIFIED_FULL);
    unlink(in_dir("quirks.txt"));
    reopen();
    cr_assert(device->findings.n == 0 && device->findings.level == GODWIT_UNVERIFIED);
}

// A module that an earlier check has found wrong, and that kills the next one.
Test(findings, a_crash_counts_more_than_a_wrong_result) {
    add("matmul.dot", "", "word 3");
    remember(GODWIT_VERIFIED_SELF_CHECK);
    be_killed_twice();
    reopen();
    cr_assert(device->findings.n == 1 && device->findings.items[0].crashed);
    reopen();
    cr_assert(device->findings.n == 1 && device->findings.items[0].crashed);
}

Test(findings, marks_that_say_nothing_are_removed) {
    static const char *const texts[] = {"", "matmul", "nonsense.x", "\x01\x02.", "matmul.dotty"};
    gw_device_trial(device, "matmul.dot");
    char name[400];
    snprintf(name, sizeof name, "%s", file_of(".trying"));
    gw_device_trial(device, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(name, texts[i], strlen(texts[i]));
        reopen();
        cr_assert_eq(device->findings.n, 0, "%s", texts[i]);
        cr_assert_not(is_there(".trying"));
    }
    write_file(name, "matmul.dot", 10);
    reopen();
    cr_assert(gw_device_suspects(device, "matmul.dot"));
    // A lesser device leaves no mark, and takes none.
    device->masks = GW_MASK_FP16;
    gw_device_trial(device, "matmul.dot");
    cr_assert_not(is_there(".trying"));
}

// Where the row cannot be written the mark stays.
Test(findings, a_mark_stays_until_its_row_is_written) {
    static char own[(1 << 20) + 1];
    be_killed_twice();
    write_file(in_dir("quirks.txt"), own, sizeof own);
    for (int i = 0; i < 2; i++) {
        reopen();
        cr_assert(device->findings.n == 1 && device->findings.items[0].crashed);
        cr_assert(is_there(".trying"));
    }
}

// --- what a person got wrong

static char said[16][600];
static uint32_t n_said;

static void keep_line(void *user, godwit_log_level level, const char *line) {
    (void)user;
    if (level != GODWIT_LOG_WARN) return;
    cr_assert_lt(n_said, 16);
    snprintf(said[n_said++], sizeof *said, "%s", line);
}

static bool knows_matmul(const char *module, const char *label) {
    return (strcmp(module, "matmul") == 0 || strcmp(module, "matmul.dot") == 0) &&
           (!label[0] || strcmp(label, "q4_0") == 0);
}

// Each bad line is said once, with its number and why, and no other; none of them counts.
Test(findings, bad_lines_are_said_once) {
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"# a comment", NULL},
        {"", NULL},
        {"  \t\r", NULL},
        {"* * * * disable matmul.dot/q4_0 by hand", NULL},
        {"10de:* 4 535.183.* * fails matmul/q4_0", NULL},
        {"1002:* 4 * 0123456789abcdef disable of.another.build x", NULL},
        {"garbage", "not VENDOR:DEVICE DRIVER RELEASE BUILD disable|fails MODULE"},
        {"* * * * disable", "not VENDOR:DEVICE DRIVER RELEASE BUILD disable|fails MODULE"},
        {"* * * * Disable matmul.dot x", "'Disable' is neither disable nor fails"},
        {"* * * * disable matmul x", "matmul is a plain kernel"},
        {"* * * * fails matmul.dot x", "matmul.dot is a variant"},
        {"* * * * disable matmul.dto x", "there is no kernel 'matmul.dto'"},
        {"1002:* * * * disable matmul.dot/q9 x", "there is no kernel 'matmul.dot/q9'"},
        {"10DE:2684 4 * * disable matmul.dot x", "'10DE:2684' is no VENDOR:DEVICE"},
        {"10de:* NVIDIA * * disable matmul.dot x", "'NVIDIA' is no DRIVER"},
        {"* * v1 * disable matmul.dot x", "'v1' is no RELEASE"},
        {"* * * mine disable matmul.dot x", "'mine' is no BUILD"},
    };
    enum { N = sizeof rows / sizeof *rows };
    char text[4096], wanted[600];
    gw_host_init(&host, NULL, keep_line, NULL);
    for (size_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "# line 1\n%s\n%s", rows[i].line,
                 "* * * * disable matmul.dot x");
        write_file(in_dir("quirks.txt"), text, strlen(text));
        n_said = 0;
        gw_quirks_check(gpu, knows_matmul);
        cr_expect_eq(n_said, rows[i].says ? 1 : 0, "'%s': %u lines", rows[i].line, n_said);
        load();
        load();
        cr_expect_leq(n_said, 1);
        cr_expect(back.n >= 1 && (!rows[i].says || back.n == 1), "'%s' counts", rows[i].line);
        if (!rows[i].says || !n_said) continue;
        snprintf(wanted, sizeof wanted, "%s:2: ignored: %s", in_dir("quirks.txt"), rows[i].says);
        cr_expect_eq(strncmp(said[0], wanted, strlen(wanted)), 0, "%s\nnot\n%s", said[0], wanted);
    }
}

Test(findings, many_bad_lines_are_summed_up) {
    static char text[64 * 200];
    gw_host_init(&host, NULL, keep_line, NULL);
    n_said = 0;
    for (int i = 0; i < 200; i++) snprintf(text + strlen(text), 64, "nonsense %d\n", i);
    write_file(in_dir("quirks.txt"), text, strlen(text));
    gw_quirks_check(gpu, NULL);
    cr_assert_eq(n_said, 9);
    cr_assert_not_null(strstr(said[8], "quirks.txt: 192 more lines are ignored"));
    // More rows than there is room for.
    text[0] = '\0';
    for (int i = 0; i < 140; i++) {
        snprintf(text + strlen(text), 64, "* * * * disable m%d.x by hand\n", i);
    }
    write_file(in_dir("quirks.txt"), text, strlen(text));
    gpu->adapters = adapter;
    gpu->n_adapters = 1;
    n_said = 0;
    gw_quirks_check(gpu, NULL);
    load();
    cr_assert_eq(n_said, 1, "%u", n_said);
    cr_assert_not_null(strstr(said[0], "the last 12 are ignored"), "%s", said[0]);
    cr_assert_eq(back.n, GW_MAX_FINDINGS);
}

// What cannot be written is said in words.
Test(findings, a_write_that_fails_says_why) {
    gw_host_init(&host, NULL, keep_line, NULL);
    n_said = 0;
    gpu->cache_dir = "/proc/none";
    add("matmul.dot", "", "x");
    remember(GODWIT_VERIFIED_FULL);
    gpu->cache_dir = dir;
    cr_assert_geq(n_said, 1);
    cr_assert_not_null(strstr(said[0], "not written: No such file or directory"), "%s", said[0]);
}
