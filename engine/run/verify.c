// Verify: see verify.h.
#include "run/verify.h"

#include "base/status.h"
#include "graph/variant.h"
#include "run/cases.h"
#include "run/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { MAX_ROWS = 8 }; // of one op and label

typedef struct verifier {
    const gw_backend *backend;
    const gw_verify_params *params;
    gw_backend reference, device; // device: with the tune that is being tried
    gw_verify_result *result;
    gw_vec(uint64_t) hashes; // of results
    uint64_t n_done, n_total;
    // The rows of the verdict at hand, and what the reference gives for them.
    const gw_case_row *rows[MAX_ROWS];
    const gw_format *format;
    gw_case_result wanted[MAX_ROWS];
    bool fast; // the variant at hand is of fast numerics: not equal bits, but a bound
    uint32_t n_rows;
} verifier;

static const char *label_of(const verifier *v) {
    return v->format ? v->format->name : v->rows[0]->label;
}

// --- the digest

static godwit_status add_hash(verifier *v, uint32_t row, const char *what, const void *bytes,
                              size_t n, godwit_error *err) {
    XXH64_hash_t name = XXH64(v->rows[row]->op->name, strlen(v->rows[row]->op->name), row);
    name = XXH64(what, strlen(what), name);
    uint64_t *hash = gw_vec_push(&v->hashes, v->backend->host);
    if (!hash) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: digest");
    *hash = XXH64(bytes, n, name);
    return GODWIT_OK;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Equal results of several variants count once.
static uint64_t digest_of(verifier *v) {
    size_t n = 0;
    if (v->hashes.n) qsort(v->hashes.items, v->hashes.n, sizeof *v->hashes.items, by_value);
    for (size_t i = 0; i < v->hashes.n; i++) {
        if (i && v->hashes.items[i] == v->hashes.items[i - 1]) continue;
        v->hashes.items[n++] = v->hashes.items[i];
    }
    return XXH64(v->hashes.items, n * sizeof *v->hashes.items, 0);
}

// --- verdicts

static bool compare(const gw_case_result *wanted, const gw_case_result *got,
                    godwit_verdict *verdict) {
    uint64_t n = wanted->n_bytes < got->n_bytes ? wanted->n_bytes : got->n_bytes;
    for (uint64_t i = 0; i < n / 4; i++) {
        uint32_t a, b;
        memcpy(&a, wanted->bytes + 4 * i, 4);
        memcpy(&b, got->bytes + 4 * i, 4);
        if (a == b) continue;
        verdict->index = i;
        verdict->wanted_bits = a;
        verdict->got_bits = b;
        snprintf(verdict->message, sizeof verdict->message,
                 "word %llu of %llu: wanted %08x, got %08x", (unsigned long long)i,
                 (unsigned long long)(n / 4), a, b);
        return false;
    }
    return wanted->n_bytes == got->n_bytes;
}

// Of fast numerics (docs/NUMERICS.md): rounding both operands of a product to halves costs at most
// 2^-9 of it. wanted: the same in exact numerics; magnitudes: the sums of the products' magnitudes.
static bool compare_fast(const gw_case_result *wanted, const gw_case_result *magnitudes,
                         const gw_case_result *got, godwit_verdict *verdict) {
    uint64_t n = wanted->n_bytes / 4;
    if (got->n_bytes != wanted->n_bytes || magnitudes->n_bytes != wanted->n_bytes) return false;
    for (uint64_t i = 0; i < n; i++) {
        float want, most, is;
        memcpy(&want, wanted->bytes + 4 * i, 4);
        memcpy(&most, magnitudes->bytes + 4 * i, 4);
        memcpy(&is, got->bytes + 4 * i, 4);
        float bound = most * 0x1p-9f, error = is > want ? is - want : want - is;
        if (error <= verdict->error * bound) continue; // 0 of a bound of 0 as well
        if (error <= bound) {
            verdict->error = error / bound;
            continue;
        }
        verdict->index = i;
        memcpy(&verdict->wanted_bits, &want, 4);
        memcpy(&verdict->got_bits, &is, 4);
        snprintf(verdict->message, sizeof verdict->message,
                 "word %llu of %llu: wanted %g, got %g, %g off at most", (unsigned long long)i,
                 (unsigned long long)n, (double)want, (double)is, (double)bound);
        return false;
    }
    return true;
}

// Runs the row at hand with data of fast numerics twice on the reference.
static godwit_status judge_fast(verifier *v, uint32_t row, const gw_case_result *got,
                                godwit_verdict *verdict, bool *out_right, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_case_result wanted = {0}, magnitudes = {0};
    GW_TRY(gw_case_run(&v->reference, v->rows[row], v->format, GW_CASE_MODEST, &wanted, err));
    GW_TRY(
        gw_case_run(&v->reference, v->rows[row], v->format, GW_CASE_MAGNITUDES, &magnitudes, err));
    *out_right = compare_fast(&wanted, &magnitudes, got, verdict);
done:
    gw_case_result_free(&wanted);
    gw_case_result_free(&magnitudes);
    return status;
}

// What ends the run instead of being a verdict on a kernel.
static bool ends_run(godwit_status status) {
    return status == GODWIT_OUT_OF_MEMORY || status == GODWIT_OUT_OF_DEVICE_MEMORY ||
           status == GODWIT_DEVICE_LOST || status == GODWIT_CANCELLED;
}

static godwit_status try_row(verifier *v, uint32_t row, godwit_verdict *verdict,
                             godwit_error *err) {
    gw_case_result got = {0};
    godwit_error own = {0};
    godwit_status status = gw_case_run(&v->device, v->rows[row], v->format,
                                       v->fast ? GW_CASE_MODEST : GW_CASE_AWKWARD, &got, &own);
    bool was_right = verdict->passed;
    if (status != GODWIT_OK) {
        verdict->passed = false;
        if (was_right) snprintf(verdict->message, sizeof verdict->message, "%.150s", own.message);
        if (ends_run(status)) {
            if (err) *err = own;
            return status;
        }
        return add_hash(v, row, label_of(v), "did not run", 11, err);
    }
    godwit_verdict first = *verdict;
    bool right = false;
    if (v->fast) {
        GW_TRY(judge_fast(v, row, &got, &first, &right, err));
        // Right results of fast numerics differ between devices: they are not in the digest.
        if (!right) GW_TRY(add_hash(v, row, label_of(v), "out of bounds", 13, err));
    } else {
        right = compare(&v->wanted[row], &got, &first);
        GW_TRY(add_hash(v, row, label_of(v), got.bytes, got.n_bytes, err));
    }
    first.passed = was_right && right;
    if (was_right) *verdict = first;
done:
    gw_case_result_free(&got);
    return status;
}

static void add_finding(verifier *v, const godwit_verdict *verdict) {
    gw_finding finding = {.given = false};
    snprintf(finding.module, sizeof finding.module, "%s", verdict->variant);
    // A few formats stand for all in the self-check.
    snprintf(finding.label, sizeof finding.label, "%s", v->params->quick ? "" : verdict->label);
    snprintf(finding.reason, sizeof finding.reason, "%.119s", verdict->message);
    (void)gw_findings_add(&v->result->findings, &finding); // full: the module is in it
}

// All rows at hand with one variant.
static godwit_status try_variant(verifier *v, uint32_t variant, bool *out_passed,
                                 godwit_error *err) {
    const gw_op *op = v->rows[0]->op;
    godwit_verdict verdict = {.op = op->name, .label = label_of(v), .passed = true};
    verdict.variant =
        variant < GW_VARIANT_COUNT ? gw_variant_at(variant)->module : v->rows[0]->op->name;
    gw_variant_only(&v->device.tune, variant);
    verdict.fast = v->fast = variant < GW_VARIANT_COUNT && gw_variant_at(variant)->fast;
    godwit_status status = GODWIT_OK;
    if (variant < GW_VARIANT_COUNT) gw_device_trial(v->device.device, verdict.variant);
    for (uint32_t i = 0; i < v->n_rows && status == GODWIT_OK; i++) {
        status = try_row(v, i, &verdict, err);
    }
    gw_device_trial(v->device.device, NULL);
    *out_passed = verdict.passed;
    v->result->n_verdicts++;
    verdict.n_done = ++v->n_done;
    verdict.n_total = v->n_total;
    if (!verdict.passed && (status == GODWIT_OK || status == GODWIT_DEVICE_LOST)) {
        v->result->n_failed++;
        add_finding(v, &verdict);
    }
    bool go_on = !v->params->each || v->params->each(v->params->user, &verdict);
    if (go_on || status != GODWIT_OK) return status;
    return gw_fail(err, GODWIT_CANCELLED, "verification stopped by the caller");
}

// Which variants the rows at hand are tried with: bits, the plain one above all others.
static uint64_t variants_of(const verifier *v) {
    uint64_t bits = 0;
    if (!v->backend->device) return 0;
    for (uint32_t i = 0; i < GW_VARIANT_COUNT; i++) {
        const gw_variant *variant = gw_variant_at(i);
        bool fits = variant->op == v->rows[0]->op && gw_variant_reads(variant, v->format);
        if (fits && v->device.tune.variants[i]) bits |= UINT64_C(1) << i;
    }
    return bits | UINT64_C(1) << GW_VARIANT_PLAIN;
}
_Static_assert(GW_VARIANT_COUNT < 64, "a bit for each variant");

// The self-check tries what would be chosen for one token and for many, and where that is wrong
// what would be chosen then.
static godwit_status try_chosen(verifier *v, godwit_error *err) {
    static const uint64_t tokens[] = {1, 64};
    uint64_t tried = 0;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        gw_tune tune = v->backend->tune;
        bool passed = false;
        while (!passed) {
            uint32_t variant = gw_variant_for(&tune, v->rows[0]->op, v->format, tokens[i]);
            if (tried >> variant & 1u) break;
            if (tried) v->n_total++; // one is counted beforehand
            tried |= UINT64_C(1) << variant;
            godwit_status status = try_variant(v, variant, &passed, err);
            if (status != GODWIT_OK) return status;
            if (variant == GW_VARIANT_PLAIN) break;
            gw_variant_disable(&tune, variant, NULL);
        }
    }
    return GODWIT_OK;
}

static godwit_status verify_rows(verifier *v, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_tune offered = v->device.tune;
    uint64_t variants = variants_of(v);
    bool passed;
    for (uint32_t i = 0; i < v->n_rows; i++) {
        GW_TRY(
            gw_case_run(&v->reference, v->rows[i], v->format, GW_CASE_AWKWARD, &v->wanted[i], err));
        if (variants) continue;
        GW_TRY(add_hash(v, i, label_of(v), v->wanted[i].bytes, v->wanted[i].n_bytes, err));
    }
    if (v->params->quick && variants) {
        status = try_chosen(v, err);
        goto done;
    }
    for (uint32_t i = GW_VARIANT_COUNT + 1; i-- > 0;) {
        if (variants >> i & 1) GW_TRY(try_variant(v, i, &passed, err));
    }
done:
    v->device.tune = offered;
    for (uint32_t i = 0; i < v->n_rows; i++) gw_case_result_free(&v->wanted[i]);
    return status;
}

// The rows from `first` on that are one verdict with this format; returns the row behind them.
static uint32_t gather(verifier *v, uint32_t first, const gw_format *format) {
    const gw_case_row *head = gw_case_row_at(first), *row;
    uint32_t i = first;
    v->n_rows = 0;
    v->format = format;
    for (; (row = gw_case_row_at(i)) && row->op == head->op; i++) {
        bool same = row->label == head->label ||
                    (row->label && head->label && strcmp(row->label, head->label) == 0);
        if (!same) break;
        bool wanted = !v->params->quick || gw_case_is_quick(row, format);
        if (wanted && v->n_rows < MAX_ROWS) v->rows[v->n_rows++] = row;
    }
    return i;
}

// Calls verify_rows for each verdict's rows, or counts.
static godwit_status walk(verifier *v, bool count, godwit_error *err) {
    for (uint32_t i = 0, next; gw_case_row_at(i); i = next) {
        uint32_t n_formats = gw_case_row_at(i)->label ? 1 : GW_FMT_COUNT;
        for (uint32_t f = 0; f < n_formats; f++) {
            next = gather(v, i, gw_case_row_at(i)->label ? NULL : gw_format_at(f));
            bool left_out = v->format && v->params->formats && !(v->params->formats >> f & 1);
            if (v->n_rows == 0 || left_out) continue;
            if (count) {
                uint64_t bits = variants_of(v);
                if (v->params->quick && bits) bits = 1;
                for (; bits; bits &= bits - 1) v->n_total++;
                continue;
            }
            godwit_status status = verify_rows(v, err);
            if (status != GODWIT_OK) return status;
        }
    }
    return GODWIT_OK;
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
    v->reference = (gw_backend){.host = backend->host};
    gw_tune_for(NULL, &v->reference.tune);
    v->device = *backend;
    GW_TRY(walk(v, true, err));
    GW_TRY(walk(v, false, err));
    out_result->digest = digest_of(v);
done:
    if (v) gw_vec_deinit(&v->hashes, backend->host);
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

void gw_verify_spare(gw_device *device, gw_tune *tune) {
    gw_findings *known = gw_alloc(gw_device_host(device), 1, sizeof *known);
    if (!known) return;
    gw_device_findings(device, known);
    uint32_t n = 0;
    for (uint32_t i = 0; i < known->n; i++) {
        const gw_finding *f = &known->items[i];
        if (f->given || f->crashed) known->items[n++] = *f;
    }
    known->n = n;
    gw_verify_route(known, tune);
    gw_free(gw_device_host(device), known, sizeof *known);
}

// Runs the self-check and keeps what it says. Nothing but a lost device keeps a device closed.
static godwit_status self_check(gw_backend *backend, gw_findings *known, godwit_error *err) {
    gw_verify_params params = {.quick = true};
    godwit_error own = {0};
    gw_verify_result *result = gw_alloc(backend->host, 1, sizeof *result);
    if (!result) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: self-check");
    godwit_status status = gw_verify_run(backend, &params, result, &own);
    for (uint32_t i = 0; i < result->findings.n; i++) {
        (void)gw_findings_add(known, &result->findings.items[i]);
        gw_log(backend->host, GODWIT_LOG_WARN, "self-check: %s is wrong: %s",
               result->findings.items[i].module, result->findings.items[i].reason);
    }
    known->level = status == GODWIT_OK ? GODWIT_VERIFIED_SELF_CHECK : GODWIT_UNVERIFIED;
    if (status == GODWIT_OK || result->findings.n) {
        gw_device_remember(backend->device, known, true);
    }
    gw_free(backend->host, result, sizeof *result);
    if (status == GODWIT_DEVICE_LOST) {
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
    bool once = when == GODWIT_SELF_CHECK_ONCE && known->level == GODWIT_UNVERIFIED;
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
