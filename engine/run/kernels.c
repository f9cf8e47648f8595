// Kernels: every kernel that this build may launch on a device, compiled and described.
//
// What a kernel's specialization constants are is known to its op's launch function alone; so this
// takes the kernels from the plans of all sample cases (cases.c) in all variants, over weights that
// exist in name only. Nothing runs.
#include "run/kernels.h"

#include "base/status.h"
#include "graph/variant.h"
#include "run/cases.h"

#include <stdio.h>

enum { MAX_KERNELS = 1024 };

static void name_of(const gw_launch *launch, char *text, size_t text_bytes) {
    size_t n = (size_t)snprintf(text, text_bytes, "%s", launch->shader);
    for (uint32_t i = 0; i < launch->n_spec && n < text_bytes; i++) {
        if (i == 1 || i == 2) continue;
        n += (size_t)snprintf(text + n, text_bytes - n, "%c%u", i ? ',' : ' ', launch->spec[i]);
    }
}

typedef struct compiler {
    const gw_backend *backend;
    godwit_kernel_fn each;
    void *user;
    gw_kernel *seen[MAX_KERNELS];
    uint32_t n_seen;
} compiler;

static godwit_status compile_launch(compiler *k, const gw_launch *launch, godwit_error *err) {
    gw_kernel *kernel = NULL;
    godwit_kernel_info info = {0};
    gw_device *device = k->backend->device;
    godwit_status status =
        gw_kernel_get(device, launch->shader, launch->spec, launch->n_spec, &kernel, err);
    if (status != GODWIT_OK) return status;
    bool old = k->n_seen == MAX_KERNELS;
    for (uint32_t i = 0; i < k->n_seen; i++) old |= k->seen[i] == kernel;
    if (old) return GODWIT_OK;
    k->seen[k->n_seen++] = kernel;
    status = gw_kernel_info(device, kernel, &info, err);
    if (status != GODWIT_OK) return status;
    name_of(launch, info.name, sizeof info.name);
    if (k->each) k->each(k->user, &info);
    return GODWIT_OK;
}

// The case's kernels with one variant allowed, or with none.
static godwit_status compile_case(compiler *k, const gw_case_row *row, const gw_format *format,
                                  uint32_t variant, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_case c;
    gw_plan *plan = NULL;
    gw_tune tune = k->backend->tune;
    gw_variant_only(&tune, variant);
    GW_TRY(gw_case_create(&c, k->backend->host, row, format, GW_CASE_AWKWARD, true, err));
    GW_TRY(gw_case_plan(&c, &tune, &plan, err));
    for (size_t i = 0; i < plan->launches.n; i++) {
        GW_TRY(compile_launch(k, &plan->launches.items[i], err));
    }
done:
    gw_plan_destroy(&plan);
    gw_case_destroy(&c);
    return status;
}

static godwit_status compile_row(compiler *k, const gw_case_row *row, const gw_format *format,
                                 godwit_error *err) {
    godwit_status status = compile_case(k, row, format, GW_VARIANT_PLAIN, err);
    for (uint32_t v = 0; v < GW_VARIANT_COUNT && status == GODWIT_OK; v++) {
        const gw_variant *variant = gw_variant_at(v);
        bool fits = variant->op == row->op && gw_variant_reads(variant, format);
        if (fits && k->backend->tune.variants[v]) status = compile_case(k, row, format, v, err);
    }
    return status;
}

godwit_status gw_kernels_compile(const gw_backend *backend, godwit_kernel_fn each, void *user,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    compiler *k = gw_alloc(backend->host, 1, sizeof *k);
    GW_CHECK_ALLOC(k, err, "kernels");
    k->backend = backend;
    k->each = each;
    k->user = user;
    for (uint32_t i = 0; gw_case_row_at(i); i++) {
        const gw_case_row *row = gw_case_row_at(i);
        for (uint32_t f = 0; f < (row->label ? 1 : GW_FMT_COUNT); f++) {
            GW_TRY(compile_row(k, row, row->label ? NULL : gw_format_at(f), err));
        }
    }
done:
    gw_free(backend->host, k, sizeof *k);
    return status;
}
