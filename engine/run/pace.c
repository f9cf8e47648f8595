// Pace: see pace.h.
//
//     pace 402653184000 24696061952 avx512 2     of the device, of the cores, which those are
#include "run/pace.h"

#include "base/status.h"
#include "cpu/thread_pool.h"
#include "run/cases.h"

#include <stdio.h>
#include <string.h>

// 36 MB of weights. The best of a few runs: what else the machine does may disturb one.
enum { N_ROWS = 8192, N_COLS = 4096, BUDGET_NS = 15000000, LINE_BYTES = 96, CLEARLY_PERCENT = 90 };

static const char line_format[] = "pace %llu %llu %31[^\n]";

bool gw_pace_prefers_cores(const gw_pace *pace) {
    if (!pace->device || !pace->cores) return false;
    return (double)pace->device * 100 < (double)pace->cores * CLEARLY_PERCENT;
}

static void name_cores(uint32_t n_threads, char text[32]) {
    snprintf(text, 32, "%.16s %u", gw_cpu_best_isa(), n_threads ? n_threads : gw_threads_wanted());
}

bool gw_pace_is_of(const gw_pace *pace, uint32_t n_threads) {
    char wanted[32];
    name_cores(n_threads, wanted);
    return strcmp(pace->which_cores, wanted) == 0;
}

static godwit_status measure(const gw_backend *backend, uint64_t *out, godwit_error *err) {
    const gw_case_row row = gw_case_product(GW_TOKENS_ONE, 1, N_ROWS, N_COLS);
    const gw_format *format = gw_format_at(GW_FMT_q8_0);
    const uint64_t n_bytes = (uint64_t)N_ROWS * N_COLS / format->block * format->block_bytes;
    gw_case_result result = {0};
    gw_loaded_case *loaded = NULL;
    uint64_t ns = 0;
    godwit_status status = gw_case_load(backend, &row, format, GW_CASE_MODEST, &loaded, err);
    if (status == GODWIT_OK)
        status = gw_case_run_loaded(loaded, &backend->tune, BUDGET_NS, &ns, &result, err);
    if (status == GODWIT_OK) *out = (uint64_t)((double)n_bytes * 1e9 / (double)(ns ? ns : 1));
    gw_case_result_free(&result);
    gw_case_unload(&loaded);
    return status;
}

godwit_status gw_pace_measure(const gw_backend *backend, const gw_cpu_params *params,
                              gw_pace *out_pace, godwit_error *err) {
    gw_backend cores = {.host = backend->host};
    godwit_error own = {0};
    *out_pace = (gw_pace){0};
    name_cores(params->n_threads, out_pace->which_cores);
    if (gw_device_caps(backend->device)->runs_nothing) return GODWIT_OK;
    gw_tune_for(NULL, &cores.tune);
    godwit_status status = measure(backend, &out_pace->device, &own);
    if (status == GODWIT_OK) status = gw_cpu_create(cores.host, params, &cores.cpu, &own);
    if (status == GODWIT_OK) status = measure(&cores, &out_pace->cores, &own);
    gw_cpu_destroy(&cores.cpu);
    if (status == GODWIT_OK) return status;
    if (status == GODWIT_DEVICE_LOST || status == GODWIT_CANCELLED) {
        if (err) *err = own;
        return gw_note(err, status, "measuring");
    }
    gw_log(backend->host, GODWIT_LOG_INFO, "not measured against the cores: %s", own.message);
    out_pace->device = out_pace->cores = 0;
    return GODWIT_OK;
}

void gw_pace_keep(gw_device *device, const gw_pace *pace) {
    char text[LINE_BYTES];
    snprintf(text, sizeof text, "pace %llu %llu %s\n", (unsigned long long)pace->device,
             (unsigned long long)pace->cores, pace->which_cores);
    gw_device_keep(device, "pace", text);
}

void gw_pace_forget(gw_device *device) {
    gw_device_keep(device, "pace", "");
}

bool gw_pace_kept(const gw_gpu *gpu, const gw_host *host, uint32_t index, uint32_t n_threads,
                  gw_pace *out_pace) {
    size_t n_bytes = 0;
    unsigned long long device, cores;
    gw_caps caps;
    *out_pace = (gw_pace){0};
    char *text = gw_gpu_kept(gpu, index, "pace", &caps, &n_bytes);
    if (!text) return false;
    bool fits = sscanf(text, line_format, &device, &cores, out_pace->which_cores) == 3;
    gw_free(host, text, n_bytes);
    if (!fits || !gw_pace_is_of(out_pace, n_threads)) return false;
    out_pace->device = device;
    out_pace->cores = cores;
    return true;
}
