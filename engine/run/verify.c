// Verify: see verify.h.
//
// Each op and label is one item of work (verdict.h). Workers take them in turns, each on a handle
// of the device of its own, since a driver's compiler is what most of the time goes to; what comes
// out is reported in the order of the table, by the caller's thread.
#include "run/verify.h"

#include "base/sort.h"
#include "base/status.h"
#include "base/threads.h"
#include "graph/variant.h"
#include "run/measure.h"
#include "run/verdict.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { MAX_WORKERS = 8 };

typedef struct item {
    gw_verdicts v;
    uint32_t expected;
    atomic_bool done;
} item;

typedef struct verifier {
    const gw_backend *backend;
    const gw_verify_params *params;
    gw_judge judges[MAX_WORKERS]; // the first has the caller's device
    uint32_t n_workers;
    gw_vec(item) items;
    gw_verify_result *result;
    bool touched[GW_MAX_FINDINGS]; // of result->left: its module was tried
    gw_vec(uint64_t) hashes;       // of results
    uint64_t n_done, n_total;
    size_t n_reported; // of items
    atomic_bool stop;
    godwit_status status; // what ended the run
    godwit_error error;
} verifier;

// No check takes it back.
static bool is_for_good(const gw_finding *f) {
    return f->given || f->crashed;
}

static bool is_own(const gw_finding *f) {
    return !is_for_good(f);
}

static void keep_items(gw_findings *list, bool (*is_kept)(const gw_finding *)) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < list->n; i++)
        if (is_kept(&list->items[i])) list->items[n++] = list->items[i];
    list->n = n;
}

// --- the list of work

static bool same_label(const gw_case_row *a, const gw_case_row *b) {
    if (!a->label || !b->label) return a->label == b->label;
    return strcmp(a->label, b->label) == 0;
}

// The rows from `first` on that are one verdict with this format; returns the row behind them.
static uint32_t gather(const verifier *v, uint32_t first, const gw_format *format,
                       gw_verdicts *out) {
    const gw_case_row *head = gw_case_row_at(first), *row;
    uint32_t i = first;
    out->format = format;
    for (; (row = gw_case_row_at(i)) && row->op == head->op && same_label(row, head); i++) {
        bool wanted = !v->params->quick || gw_case_is_quick(row, format, &v->judges[0].device.tune);
        if (wanted && out->n_rows < GW_VERDICT_MAX_ROWS) out->rows[out->n_rows++] = row;
    }
    return i;
}

static godwit_status list_items(verifier *v, godwit_error *err) {
    for (uint32_t i = 0, next; gw_case_row_at(i); i = next) {
        uint32_t n_formats = gw_case_row_at(i)->label ? 1 : GW_FMT_COUNT;
        for (uint32_t f = 0; f < n_formats; f++) {
            gw_verdicts one = {.n_rows = 0};
            next = gather(v, i, gw_case_row_at(i)->label ? NULL : gw_format_at(f), &one);
            bool left_out = one.format && v->params->formats && !(v->params->formats >> f & 1);
            if (one.n_rows == 0 || left_out) continue;
            item *entry = gw_vec_push(&v->items, v->backend->host);
            if (!entry) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: verdicts");
            *entry = (item){.v = one, .expected = gw_verdicts_expected(&v->judges[0], &one)};
            v->n_total += entry->expected;
        }
    }
    return GODWIT_OK;
}

// --- the digest

static int by_value(const void *a, const void *b, const void *user) {
    (void)user;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Equal results of several variants count once.
static uint64_t digest_of(verifier *v) {
    size_t n = 0;
    gw_sort(v->hashes.items, v->hashes.n, sizeof *v->hashes.items, by_value, NULL);
    for (size_t i = 0; i < v->hashes.n; i++) {
        if (i && v->hashes.items[i] == v->hashes.items[i - 1]) continue;
        v->hashes.items[n++] = v->hashes.items[i];
    }
    return XXH64(v->hashes.items, n * sizeof *v->hashes.items, 0);
}

// --- reports

static void add_finding(verifier *v, const godwit_verdict *verdict) {
    gw_finding finding = {.given = false};
    snprintf(finding.module, sizeof finding.module, "%s", verdict->variant);
    // A few formats stand for all in the self-check.
    snprintf(finding.label, sizeof finding.label, "%s", v->params->quick ? "" : verdict->label);
    snprintf(finding.reason, sizeof finding.reason, "%.119s", verdict->message);
    // False for one that is there already, and where all labels of a module become one.
    (void)gw_findings_add(&v->result->findings, &finding);
}

// What was known of the kernel is replaced by the verdict.
static void look_at_left(verifier *v, const godwit_verdict *verdict) {
    gw_findings *left = &v->result->left;
    for (uint32_t i = 0; i < left->n; i++) {
        if (strcmp(left->items[i].module, verdict->variant) != 0) continue;
        // One of all labels waits for the end.
        v->touched[i] |= !left->items[i].label[0] || !strcmp(left->items[i].label, verdict->label);
    }
}

// A finding of all labels is taken back by as much as it was made of: by another quick check where
// the earlier one was no full one.
static void drop_touched(verifier *v) {
    gw_findings *left = &v->result->left;
    const bool whole = v->status == GODWIT_OK && !v->params->formats &&
                       (!v->params->quick || left->level != GODWIT_VERIFIED_FULL);
    uint32_t n = 0;
    for (uint32_t i = 0; i < left->n; i++) {
        if (v->touched[i] && (whole || left->items[i].label[0])) continue;
        left->items[n++] = left->items[i];
    }
    left->n = n;
}

static godwit_status report_verdict(verifier *v, godwit_verdict *verdict) {
    v->result->n_verdicts++;
    look_at_left(v, verdict);
    verdict->n_done = ++v->n_done;
    verdict->n_total = v->n_total;
    if (!verdict->passed) {
        v->result->n_failed++;
        add_finding(v, verdict);
    }
    if (!v->params->each || v->params->each(v->params->user, verdict)) return GODWIT_OK;
    return gw_fail(&v->error, GODWIT_CANCELLED, "verification stopped by the caller");
}

static godwit_status report_item(verifier *v, item *of) {
    if (of->v.n > of->expected) v->n_total += of->v.n - of->expected;
    for (uint32_t i = 0; i < of->v.n; i++) {
        godwit_status status = report_verdict(v, &of->v.items[i]);
        if (status != GODWIT_OK) return status;
    }
    for (size_t i = 0; i < of->v.hashes.n; i++) {
        uint64_t *hash = gw_vec_push(&v->hashes, v->backend->host);
        if (!hash) return gw_fail(&v->error, GODWIT_OUT_OF_MEMORY, "out of host memory: digest");
        *hash = of->v.hashes.items[i];
    }
    if (of->v.status != GODWIT_OK) v->error = of->v.error;
    return of->v.status;
}

// What is done and not yet told, by the caller's thread: in order, and at the end past what was
// left out because of a failure further down.
static void report_done(verifier *v, bool at_end) {
    for (; v->status == GODWIT_OK && v->n_reported < v->items.n; v->n_reported++) {
        item *next = &v->items.items[v->n_reported];
        if (atomic_load(&next->done))
            v->status = report_item(v, next);
        else if (!at_end)
            break;
    }
    if (v->status != GODWIT_OK) atomic_store(&v->stop, true);
}

// --- the run

static void do_item(void *user, uint64_t i, uint32_t worker) {
    verifier *v = user;
    item *at = &v->items.items[i];
    if (atomic_load(&v->stop)) return;
    gw_verdicts_take(&v->judges[worker], &at->v);
    // The others need not go on.
    if (at->v.status != GODWIT_OK) atomic_store(&v->stop, true);
    atomic_store(&at->done, true);
    if (worker == 0) report_done(v, false);
}

// Software drivers alone are shared out: they compile for minutes what others do in seconds, and
// what takes the process down on a GPU is to be known by name. Handles that are refused are done
// without.
static void open_workers(verifier *v) {
    gw_judge *first = &v->judges[0];
    const gw_backend *backend = v->backend;
    first->reference = (gw_backend){.host = backend->host};
    gw_tune_for(NULL, &first->reference.tune);
    first->device = *backend;
    first->quick = v->params->quick;
    first->alone = true;
    first->origin = backend->device;
    for (uint32_t i = 0; backend->device && i < GW_VARIANT_COUNT; i++) {
        bool suspect = gw_device_suspects(backend->device, gw_variant_at(i)->module);
        if (suspect) first->suspects |= UINT64_C(1) << i;
    }
    v->n_workers = 1;
    if (backend->device && !gw_device_caps(backend->device)->software) return;
    while (v->n_workers < MAX_WORKERS && v->n_workers < v->params->n_threads) {
        gw_judge *judge = &v->judges[v->n_workers];
        *judge = *first;
        judge->owns_handle =
            backend->device &&
            gw_device_open_twin(backend->device, &judge->device.device, NULL) == GODWIT_OK;
        if (backend->device && !judge->owns_handle) return;
        first->alone = judge->alone = false;
        v->n_workers++;
    }
}

static void close_workers(verifier *v) {
    for (uint32_t i = 0; i < v->n_workers; i++) gw_judge_release(&v->judges[i]);
}

godwit_status gw_verify_run(const gw_backend *backend, const gw_verify_params *params,
                            gw_verify_result *out_result, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    memset(out_result, 0, sizeof *out_result);
    verifier *v = gw_alloc(backend->host, 1, sizeof *v);
    GW_CHECK_ALLOC(v, err, "verification");
    v->backend = backend;
    v->params = params;
    v->result = out_result;
    if (params->known) {
        out_result->left = *params->known;
        keep_items(&out_result->left, is_own);
    }
    open_workers(v);
    GW_TRY(list_items(v, err));
    gw_parallel_for(v->n_workers, v->items.n, do_item, v);
    report_done(v, true);
    if (v->status != GODWIT_OK && err) *err = v->error;
    status = v->status;
    drop_touched(v);
    out_result->digest = digest_of(v);
    if (status == GODWIT_OK && backend->device && !params->formats)
        gw_device_acquit(backend->device);
done:
    if (v) {
        close_workers(v);
        for (size_t i = 0; i < v->items.n; i++)
            gw_verdicts_free(backend->host, &v->items.items[i].v);
        gw_vec_deinit(&v->items, backend->host);
        gw_vec_deinit(&v->hashes, backend->host);
    }
    gw_free(backend->host, v, sizeof *v);
    return status;
}

// --- what follows from findings

bool gw_verify_knows_kernel(const char *module, const char *label) {
    const bool variant = strchr(module, '.') != NULL;
    if (variant ? gw_variant_named(module) == GW_VARIANT_PLAIN : !gw_op_find(module)) return false;
    bool known = !label[0] || gw_format_named(label);
    const gw_case_row *row;
    for (uint32_t i = 0; !known && (row = gw_case_row_at(i)); i++)
        known = row->label && strcmp(row->label, label) == 0;
    return known;
}

void gw_verify_route(const gw_findings *findings, gw_tune *tune) {
    for (uint32_t i = 0; i < findings->n; i++) {
        // A label that is no format (a cache type) takes the variant away altogether.
        gw_variant_disable(tune, gw_variant_named(findings->items[i].module),
                           gw_format_named(findings->items[i].label));
    }
}

void gw_verify_sum_up(const gw_findings *known, bool quick, bool finished,
                      gw_verify_result *result) {
    const bool stays_full = quick && known->level == GODWIT_VERIFIED_FULL;
    // In this order one of all labels does not take the place of those that say more.
    for (uint32_t i = 0; i < result->findings.n; i++)
        (void)gw_findings_add(&result->left, &result->findings.items[i]);
    result->findings = result->left;
    result->findings.level = !finished              ? GODWIT_UNVERIFIED
                             : !quick || stays_full ? GODWIT_VERIFIED_FULL
                                                    : GODWIT_VERIFIED_SELF_CHECK;
    if (!stays_full) result->findings.date[0] = '\0'; // today
}

void gw_verify_spare(gw_device *device, gw_tune *tune) {
    gw_findings *known = gw_alloc(gw_device_host(device), 1, sizeof *known);
    if (!known) return;
    gw_device_findings(device, known);
    keep_items(known, is_for_good);
    gw_verify_route(known, tune);
    gw_free(gw_device_host(device), known, sizeof *known);
}

// Of what a check found, whether the op itself is wrong; NULL: it is not.
static const gw_finding *plain_finding(const gw_findings *list, const gw_op *op) {
    for (uint32_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].module, op->name) == 0) return &list->items[i];
    }
    return NULL;
}

// A driver may refuse a tile that asks for many registers, or compile it wrongly: before matmul is
// given up it is tried in its least shape, which is kept as the device's choice.
static godwit_status check_shapes(gw_backend *backend, const gw_verify_params *params,
                                  gw_verify_result *result, bool *out_shrunk, godwit_error *err) {
    godwit_status status = gw_verify_run(backend, params, result, err);
    const gw_finding *wrong = plain_finding(&result->findings, &gw_op_matmul);
    const gw_choice usual = backend->tune.choice;
    *out_shrunk = false;
    if (status != GODWIT_OK || !wrong || !gw_tune_shrink(&backend->tune)) return status;
    gw_log(backend->host, GODWIT_LOG_WARN, "self-check: matmul: %s; trying it in its least shape",
           wrong->reason);
    gw_verify_result *again = gw_alloc(backend->host, 1, sizeof *again);
    GW_CHECK_ALLOC(again, err, "self-check");
    GW_TRY(gw_verify_run(backend, params, again, err));
    *out_shrunk = !plain_finding(&again->findings, &gw_op_matmul);
    if (*out_shrunk) {
        *result = *again;
        backend->tuned = true;
        gw_choice_keep(backend->device, &backend->tune.choice);
    }
done:
    if (!*out_shrunk) backend->tune.choice = usual;
    gw_free(backend->host, again, sizeof *again);
    return status;
}

// Runs the self-check and keeps what it says. Opening a device fails only where it is lost, or where
// the caller stops the compiling.
static godwit_status self_check(gw_backend *backend, gw_findings *known, godwit_error *err) {
    gw_verify_params params = {.quick = true, .known = known};
    godwit_error own = {0};
    gw_verify_result *result = gw_alloc(backend->host, 1, sizeof *result);
    if (!result) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: self-check");
    bool shrunk;
    godwit_status status = check_shapes(backend, &params, result, &shrunk, &own);
    const uint32_t n_found = result->findings.n;
    for (uint32_t i = 0; i < n_found; i++)
        gw_log(backend->host, GODWIT_LOG_WARN, "self-check: %s is wrong: %s",
               result->findings.items[i].module, result->findings.items[i].reason);
    gw_verify_sum_up(known, true, status == GODWIT_OK, result);
    if (status == GODWIT_OK || n_found) {
        // Where the shape cannot be kept, what was found of it is not either.
        bool keep = !shrunk || gw_device_keeps_findings(backend->device);
        gw_device_remember(backend->device, &result->findings, keep);
        *known = result->findings;
    }
    gw_free(backend->host, result, sizeof *result);
    if (status != GODWIT_DEVICE_LOST && gw_device_is_lost(backend->device))
        status = gw_fail(&own, GODWIT_DEVICE_LOST, "the device was lost");
    if (status == GODWIT_DEVICE_LOST || status == GODWIT_CANCELLED) {
        if (err) *err = own;
        return gw_note(err, status, "self-check");
    }
    if (status != GODWIT_OK) {
        gw_log(backend->host, GODWIT_LOG_WARN, "self-check: not finished: %s", own.message);
    }
    return GODWIT_OK;
}

godwit_status gw_verify_open(gw_backend *backend, godwit_self_check when, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!backend->device) return GODWIT_OK;
    gw_findings *known = gw_alloc(backend->host, 1, sizeof *known);
    GW_CHECK_ALLOC(known, err, "findings");
    gw_device_findings(backend->device, known);
    gw_choice_load(backend);
    gw_verify_route(known, &backend->tune);
    // Where no file can keep what is found the gpu does, so it is once a context then.
    bool known_well =
        known->level != GODWIT_UNVERIFIED && !gw_device_suspects(backend->device, NULL);
    bool once = when == GODWIT_SELF_CHECK_ONCE && !known_well;
    if (gw_device_caps(backend->device)->runs_nothing)
        once = false;
    else if (when == GODWIT_SELF_CHECK_ALWAYS)
        once = true;
    if (once) GW_TRY(self_check(backend, known, err));
    gw_verify_route(known, &backend->tune);
done:
    gw_free(backend->host, known, sizeof *known);
    return status;
}
