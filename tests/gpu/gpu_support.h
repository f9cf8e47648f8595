// What the tests of engine/gpu share: a gpu with validation on and a log that is kept, profiles
// (masks that make one driver into several), and small ways to write, read and run.
//
// Each Criterion test is a process of its own, so the state here is a test's own. The driver is the
// one that the environment names; without any, tests are skipped and say so.
#ifndef GW_TESTS_GPU_SUPPORT_H
#define GW_TESTS_GPU_SUPPORT_H

#include "gpu/gpu.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

// Masks that each test of behaviour runs under. floor also takes mapped device memory away, so that
// transfers go through staging.
enum { N_PROFILES = 2 };
extern const char *const profiles[N_PROFILES];

typedef struct rig {
    gw_host host;
    gw_gpu *gpu;
    gw_device *device;
    godwit_error err;
} rig;

// All log lines of this process, joined; at most its last part.
extern char logged[1 << 16];
void log_clear(void);

// mask and cache_dir may be NULL. Skips the test where there is no Vulkan.
void gpu_open(rig *r, const char *mask, const char *cache_dir);
// Releases, and asserts that validation had nothing to say and that the device held no memory.
void gpu_close(rig *r);

// Makes this process use the system's AMD driver without hardware, which only compiles; skips the
// test where it is not installed.
void choose_hardwareless_driver(void);

// A deterministic pattern.
void pattern(void *data, size_t n, uint32_t seed);
gw_buffer *make_buffer(rig *r, gw_buffer_kind kind, uint64_t bytes);
gw_kernel *selftest_kernel(rig *r, uint32_t group, uint32_t c);
// Records y = x * a + c over n words at element offsets, in workgroups of 64.
void record_selftest(rig *r, gw_recorder *recorder, gw_buffer *x, gw_buffer *y, uint32_t n,
                     uint32_t a, uint32_t c);
void run_once(rig *r, gw_commands *commands);

#define ok(call) cr_assert_eq((call), GODWIT_OK, "%s", r.err.message)
#define fails(call, code, part)                                                                    \
    do {                                                                                           \
        memset(&r.err, 0, sizeof r.err);                                                           \
        cr_assert_eq((call), (code), "%s", r.err.message);                                         \
        cr_assert_eq(r.err.status, (code));                                                        \
        cr_assert_not_null(strstr(r.err.message, (part)), "%s", r.err.message);                    \
    } while (0)

#endif
