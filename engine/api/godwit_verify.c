// All kernels of a device: compiled (godwit_device_compile_all), verified (godwit_device_verify).
#include "api/handles.h"

#include "base/clock.h"
#include "graph/op.h"
#include "graph/variant.h"
#include "run/kernels.h"
#include "run/measure.h"
#include "run/verify.h"

#include <stdio.h>

godwit_status godwit_device_compile_all(godwit_device *device, godwit_kernel_fn each, void *user,
                                        godwit_error *error) {
    GW_WANT(device, error);
    GW_WANT_OWN(device, error);
    if (!device->backend.device) return GODWIT_OK; // nothing to compile on the host
    return gw_kernels_compile(&device->backend, each, user, error);
}

// What is known of the device after it, by this check or by an earlier one.
static void write_line(const godwit_device *device, bool routed, godwit_verify_report *report) {
    godwit_device_info info = {0};
    if (godwit_device_get_info(device, &info, NULL) != GODWIT_OK) return;
    snprintf(report->line, sizeof report->line,
             "%s: %s, %s, vendor %04x device %04x driver %u version %08x, build %s, %u verdicts, "
             "%u failed, digest %016llx",
             !device->backend.device && !device->backend.cpu ? "REFERENCE"
             : report->failing                               ? "FAILED"
             : routed                                        ? "ROUTED AROUND"
                                                             : "VERIFIED",
             info.name, info.driver, info.vendor_id, info.device_id, info.driver_id,
             info.driver_version, report->build, report->n_verdicts, report->n_failed,
             (unsigned long long)report->digest);
}

typedef struct listener {
    godwit_kernel_choice_fn each;
    void *user;
} listener;

static bool pass_on(void *user, const gw_measured *m) {
    const listener *to = user;
    bool plain = m->variant == GW_VARIANT_PLAIN;
    godwit_kernel_choice choice = {.label = m->format->name,
                                   .n_tokens = m->n_tok,
                                   .variant = plain ? gw_op_matmul.name
                                                    : gw_variant_at(m->variant)->module,
                                   .fast = m->fast,
                                   .ns = m->ns,
                                   .before_ns = m->before_ns,
                                   .n_done = m->n_done,
                                   .n_total = m->n_total};
    return !to->each || to->each(to->user, &choice);
}

// After verification, with what it found wrong left out.
static godwit_status measure(godwit_device *device, gw_backend *backend,
                             const godwit_verify_params *p, const gw_verify_result *result,
                             void *user, godwit_error *error) {
    gw_choice choice;
    listener to = {p->each_choice, user};
    gw_device *fresh = NULL;
    godwit_status status = GODWIT_OK;
    gw_verify_route(&result->findings, &backend->tune);
    if (gw_device_is_lost(backend->device)) {
        status = gw_device_open_twin(device->backend.device, &fresh, error);
        if (status != GODWIT_OK) return gw_note(error, status, "measuring");
        backend->device = fresh;
    }
    status = gw_measure(backend, 0, pass_on, &to, &choice, error);
    if (status == GODWIT_OK && !p->forget) {
        gw_choice_keep(device->backend.device, &choice);
        gw_pace_forget(device->backend.device); // which was that of other kernels
    }
    gw_device_release(&fresh);
    return status;
}

godwit_status godwit_device_verify(godwit_device *device, const godwit_verify_params *params,
                                   godwit_verdict_fn each, void *user,
                                   godwit_verify_report *out_report, godwit_error *error) {
    GW_WANT(device && out_report, error);
    GW_WANT_OWN(device, error);
    GW_PARAMS(godwit_verify_params, p, params);
    godwit_verify_report report = {0};
    gw_verify_params run = {.quick = p.quick, .each = each, .user = user, .n_threads = p.n_threads};
    uint64_t start = gw_now_ns();
    const gw_host *host = &device->context->host;
    // What an earlier check routed around is tried again.
    gw_backend backend = device->backend;
    gw_tune offered;
    gw_tune_for(backend.device ? gw_device_caps(backend.device) : NULL, &offered);
    gw_tune_choose(&offered, &backend.tune.choice);
    memcpy(backend.tune.variants, offered.variants, sizeof offered.variants);
    if (backend.device) gw_verify_spare(backend.device, &backend.tune);
    godwit_status status = GODWIT_OK;
    gw_findings *known = gw_alloc(host, 1, sizeof *known);
    // What is opened stays; the reference needs none, and another thread may be opening it now.
    const gw_gpu *gpu = backend.device ? device->context->gpu : NULL;
    gw_verify_result *result = gw_alloc(host, 1, sizeof *result);
    GW_CHECK_ALLOC(known, error, "verification");
    GW_CHECK_ALLOC(result, error, "verification");
    if (backend.device) gw_device_findings(backend.device, known);
    run.known = known;
    status = gw_verify_run(&backend, &run, result, error);
    const bool found = result->findings.n > 0;
    gw_verify_sum_up(known, p.quick, status == GODWIT_OK, result);
    if (status == GODWIT_OK) {
        report.n_verdicts = result->n_verdicts;
        report.n_failed = result->n_failed;
        report.digest = result->digest;
        report.failing = gw_findings_dead_end(&result->findings) != NULL;
        report.ns = gw_now_ns() - start;
        snprintf(report.build, sizeof report.build, "%s+%016llx", godwit_version(),
                 (unsigned long long)gw_shader_digest(gpu));
        gw_findings_text(&result->findings, report.routed, sizeof report.routed);
        write_line(device, result->findings.n > 0, &report);
    }
    if (!p.forget && device->backend.device && (status == GODWIT_OK || found)) {
        gw_device_remember(device->backend.device, &result->findings, true);
    }
    if (status == GODWIT_OK && backend.device && !p.quick && !p.no_measure && !report.failing) {
        status = measure(device, &backend, &p, result, user, error);
    }
done:
    gw_free(host, known, sizeof *known);
    gw_free(host, result, sizeof *result);
    if (status == GODWIT_OK) GW_RESULT(out_report, report);
    return status;
}
