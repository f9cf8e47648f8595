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
    godwit_verdict_fn each;
    void *user;
} gw_verify_params;

typedef struct gw_verify_result {
    const gw_host *host;
    uint32_t n_verdicts, n_failed;
    // Over the sorted results of all cases, whatever the variant: the same for each device that is
    // right, and for the reference.
    uint64_t digest;
    gw_vec(gw_finding) findings;
} gw_verify_result;

// A wrong kernel is a verdict, not a failure of this call. quick checks what backend's tune
// chooses, the full run all variants that the device's capabilities offer. GODWIT_CANCELLED when
// each returns false. out_result is freed by the caller also after a failure: a lost device leaves
// the finding that was the cause.
godwit_status gw_verify_run(const gw_backend *backend, const gw_verify_params *params,
                            gw_verify_result *out_result, godwit_error *err);
void gw_verify_result_free(gw_verify_result *result);

// Takes the variants that findings disable out of tune.
void gw_verify_route(const gw_finding *findings, size_t n, gw_tune *tune);
// "matmul.dot -> matmul, ..." of findings that are routed around; "" for none.
void gw_verify_routed_text(const gw_finding *findings, size_t n, char *text, size_t text_bytes);
// The first finding of a plain kernel, around which nothing leads; NULL: none.
const gw_finding *gw_verify_dead_end(const gw_finding *findings, size_t n);

#endif
