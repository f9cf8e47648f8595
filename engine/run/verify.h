// Verify: whether a device's kernels give the bits of the reference.
//
// Runs the sample cases (cases.h) on the device, in each variant that it may choose, and on the
// reference, and wants equal bytes. A verdict is about an op on a label (a number format, a cache
// type) in one variant. What fails becomes a finding, which gw_verify_route takes out of a tune.
#ifndef GW_RUN_VERIFY_H
#define GW_RUN_VERIFY_H

#include "run/run.h"

typedef struct gw_verify_params {
    bool quick; // the self-check: few cases, the variants that the tune chooses
    // Number formats of weights that are tried, bits of GW_FMT_*; 0: all.
    uint64_t formats;
    uint32_t n_threads;       // at work at once, each on a handle of its own; 0: the caller's alone
    const gw_findings *known; // what result.left is of; NULL: nothing
    godwit_verdict_fn each;
    void *user;
} gw_verify_params;

typedef struct gw_verify_result {
    uint32_t n_verdicts, n_failed;
    // Over the sorted results of all cases, whatever the variant: the same for each device that is
    // right, and for the reference.
    uint64_t digest;
    gw_findings findings;
    gw_findings left; // of what was known, by an earlier check: what this one did not look at
} gw_verify_result;

// A wrong kernel is a verdict, not a failure of this call. Tried is what backend's tune allows:
// what it would choose (quick), or all of it. GODWIT_CANCELLED when each returns false. What does
// not run is tried again on another handle (verdict.h), so the device may be lost after success;
// one that is lost for good is a failure, and no finding.
godwit_status gw_verify_run(const gw_backend *backend, const gw_verify_params *params,
                            gw_verify_result *out_result, godwit_error *err);

// A gw_kernel_known_fn: of the labels that verification writes, and number formats.
bool gw_verify_knows_kernel(const char *module, const char *label);

// What a check leaves known, out of what it found and left, with level and date: a quick one says
// no more of a device than a full one before it did. For gw_device_remember.
void gw_verify_sum_up(const gw_findings *known, bool quick, bool finished,
                      gw_verify_result *result);

// Takes the variants that findings disable out of tune.
void gw_verify_route(const gw_findings *findings, gw_tune *tune);

// Takes the variants out of tune that no verification is to try: a person, quirks.def or a process
// that ended while one ran says so.
void gw_verify_spare(gw_device *device, gw_tune *tune);

// What opening a device does: runs the self-check where `when` says so and nothing is known, keeps
// what it finds, and routes the backend's tune around what is wrong.
godwit_status gw_verify_open(gw_backend *backend, godwit_self_check when, godwit_error *err);

#endif
