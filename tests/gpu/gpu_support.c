// The rig that the tests of engine/gpu stand on; see gpu_support.h.
#include "gpu_support.h"

#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const char *const profiles[N_PROFILES] = {NULL, "floor"};
char logged[1 << 16];
static size_t n_logged;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_log(void *user, godwit_log_level level, const char *line) {
    (void)user;
    (void)level;
    pthread_mutex_lock(&log_lock);
    const size_t n = strlen(line);
    if (n + 2 < sizeof logged) {
        if (n_logged + n + 2 > sizeof logged) n_logged = 0;
        memcpy(logged + n_logged, line, n);
        memcpy(logged + n_logged + n, "\n", 2);
        n_logged += n + 1;
    }
    pthread_mutex_unlock(&log_lock);
}

void log_clear(void) {
    n_logged = 0;
    logged[0] = '\0';
}

void gpu_open(rig *rig, const char *mask, const char *cache_dir) {
    memset(rig, 0, sizeof *rig);
    gw_host_init(&rig->host, NULL, on_log, NULL);
    gw_gpu_params gpu = {.validation = true, .cache_dir = cache_dir};
    godwit_status status = gw_gpu_create(&rig->host, &gpu, &rig->gpu, &rig->err);
    if (status == GODWIT_NO_VULKAN) cr_skip_test("SKIPPED: %s", rig->err.message);
    cr_assert_eq(status, GODWIT_OK, "%s", rig->err.message);
    godwit_device_params device = GODWIT_INIT(godwit_device_params);
    device.mask = mask;
    status = gw_device_open(rig->gpu, 0, &device, &rig->device, &rig->err);
    cr_assert_eq(status, GODWIT_OK, "%s", rig->err.message);
    if (gw_device_caps(rig->device)->runs_nothing)
        cr_skip_test("SKIPPED: a driver without hardware");
}

void gpu_close(rig *rig) {
    godwit_memory_row rows[4];
    uint32_t n = gw_device_memory(rig->device, rows, 4);
    for (uint32_t i = 0; i < n && i < 4; i++)
        cr_assert_str_eq(rows[i].owner, "staging", "%s: %llu bytes left", rows[i].owner,
                         (unsigned long long)rows[i].bytes);
    gw_device_release(&rig->device);
    cr_assert_null(rig->device);
    cr_assert_eq(gw_gpu_validation_count(rig->gpu), 0, "%s", logged);
    gw_gpu_release(&rig->gpu);
}

void choose_hardwareless_driver(void) {
    glob_t found;
    gw_host host;
    gw_gpu *gpu = NULL;
    if (glob("/usr/share/vulkan/icd.d/radeon_icd*.json", 0, NULL, &found) != 0)
        cr_skip_test("SKIPPED: no RADV on this machine");
    // Of the two names of one setting the newer wins where both are there.
    setenv("VK_ICD_FILENAMES", found.gl_pathv[0], 1);
    setenv("VK_DRIVER_FILES", found.gl_pathv[0], 1);
    setenv("RADV_FORCE_FAMILY", "navi21", 1);
    globfree(&found);
    gw_host_init(&host, NULL, NULL, NULL);
    if (gw_gpu_create(&host, NULL, &gpu, NULL) != GODWIT_OK)
        cr_skip_test("SKIPPED: this RADV does nothing without hardware (Mesa 26 and newer)");
    gw_gpu_release(&gpu);
}

void pattern(void *data, size_t n, uint32_t seed) {
    uint8_t *bytes = data;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

gw_buffer *make_buffer(rig *rig, gw_buffer_kind kind, uint64_t bytes) {
    gw_buffer *buffer = NULL;
    godwit_status status = gw_buffer_create(rig->device, kind, bytes, "test", &buffer, &rig->err);
    cr_assert_eq(status, GODWIT_OK, "%s", rig->err.message);
    return buffer;
}

gw_kernel *selftest_kernel(rig *rig, uint32_t group, uint32_t c) {
    const uint32_t spec[4] = {group, 1, 1, c};
    gw_kernel *kernel = NULL;
    godwit_status status = gw_kernel_get(rig->device, "selftest", spec, 4, &kernel, &rig->err);
    cr_assert_eq(status, GODWIT_OK, "%s", rig->err.message);
    return kernel;
}

void record_selftest(rig *rig, gw_recorder *recorder, gw_buffer *x, gw_buffer *y, uint32_t n,
                     uint32_t a, uint32_t c) {
    const uint32_t push[2] = {n, a}, groups[3] = {(n + 63) / 64, 1, 1};
    const gw_binding bindings[2] = {{x, 0, 4 * (uint64_t)n}, {y, 0, 4 * (uint64_t)n}};
    godwit_status status = gw_record_dispatch(recorder, selftest_kernel(rig, 64, c), bindings, 2,
                                              push, sizeof push, NULL, groups, &rig->err);
    cr_assert_eq(status, GODWIT_OK, "%s", rig->err.message);
}

void run_once(rig *rig, gw_commands *commands) {
    cr_assert_eq(gw_commands_submit(commands, &rig->err), GODWIT_OK, "%s", rig->err.message);
    cr_assert_eq(gw_commands_wait(commands, &rig->err), GODWIT_OK, "%s", rig->err.message);
}
