// Verdict: see verdict.h.
#include "run/verdict.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/matmul.h"
#include "quant/wide.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

// At work on one set of verdicts.
typedef struct work {
    gw_judge *judge;
    gw_verdicts *v;
    gw_backend device; // with the tune that is being tried
    gw_case_result wanted[GW_VERDICT_MAX_ROWS];
    bool fast;        // the variant at hand is of fast numerics: not equal bits, but a bound
    const char *mark; // what is tried under a mark; NULL: nothing
} work;

// A driver that loses its device with each kernel, each time for minutes, is not asked for ever.
enum { MAX_RENEWED = 12 };

static const char *label_of(const gw_verdicts *v) {
    return v->format ? v->format->name : v->rows[0]->label;
}

static godwit_status add_hash(work *w, uint32_t row, const void *bytes, size_t n,
                              godwit_error *err) {
    const char *op = w->v->rows[row]->op->name, *label = label_of(w->v);
    XXH64_hash_t name = XXH64(op, strlen(op), row);
    name = XXH64(label, strlen(label), name);
    uint64_t *hash = gw_vec_push(&w->v->hashes, w->device.host);
    if (!hash) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: digest");
    *hash = XXH64(bytes, n, name);
    return GODWIT_OK;
}

static bool compare(const gw_case_result *wanted, const gw_case_result *got, bool in_pieces,
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
                 "word %llu of %llu: wanted %08x, got %08x%s", (unsigned long long)i,
                 (unsigned long long)(n / 4), a, b,
                 in_pieces ? ", where launches are cut into pieces" : "");
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
static godwit_status judge_fast(const work *w, uint32_t row, const gw_case_result *got,
                                godwit_verdict *verdict, bool *out_right, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_backend *reference = &w->judge->reference;
    const gw_case_row *of = w->v->rows[row];
    gw_case_result wanted = {0}, magnitudes = {0};
    GW_TRY(gw_case_run(reference, of, w->v->format, GW_CASE_MODEST, &wanted, err));
    GW_TRY(gw_case_run(reference, of, w->v->format, GW_CASE_MAGNITUDES, &magnitudes, err));
    *out_right = compare_fast(&wanted, &magnitudes, got, verdict);
done:
    gw_case_result_free(&wanted);
    gw_case_result_free(&magnitudes);
    return status;
}

// What may be the device's own fault, or chance: a loss, a wait without end, a driver's error.
static bool may_be_chance(godwit_status status) {
    return status == GODWIT_DEVICE_LOST || status == GODWIT_DRIVER;
}

// What ends the run instead of being a verdict on a kernel.
static bool ends_run(godwit_status status) {
    return status == GODWIT_OUT_OF_MEMORY || status == GODWIT_OUT_OF_DEVICE_MEMORY ||
           status == GODWIT_CANCELLED || may_be_chance(status);
}

// Another handle of the device for the rest of the work, after status. The caller's own device has
// no other: it is gone on with, as long as it is not lost.
static godwit_status renew(work *w, godwit_status after, godwit_error *err) {
    gw_judge *judge = w->judge;
    gw_device *old = w->device.device, *fresh = NULL;
    if (judge->n_renewed++ == MAX_RENEWED)
        return gw_fail(err, GODWIT_DEVICE_LOST, "the device was lost or failed %d times; try again",
                       MAX_RENEWED);
    godwit_error own = {0};
    godwit_status status = gw_device_open_twin(judge->origin, &fresh, &own);
    if (status == GODWIT_UNSUPPORTED) return gw_device_is_lost(old) ? after : GODWIT_OK;
    if (status != GODWIT_OK) {
        *err = own;
        return status;
    }
    if (w->mark) {
        gw_device_trial(old, NULL);
        gw_device_trial(fresh, w->mark);
    }
    gw_judge_release(judge);
    judge->owns_handle = true;
    judge->device.device = w->device.device = fresh;
    return GODWIT_OK;
}

// A kernel that has little to do with the one at hand.
static godwit_status run_another(const work *w, godwit_error *err) {
    const gw_op *op = w->v->rows[0]->op == &gw_op_add ? &gw_op_mul : &gw_op_add;
    gw_case_result got = {0};
    uint32_t i = 0;
    while (gw_case_row_at(i) && gw_case_row_at(i)->op != op) i++;
    const gw_case_row *row = gw_case_row_at(i);
    if (!row) return GW_BUG(err, "verdict: no case of %s", op->name);
    godwit_status status = gw_case_run(&w->device, row, row->label ? NULL : &gw_format_f32,
                                       GW_CASE_AWKWARD, &got, err);
    gw_case_result_free(&got);
    return status;
}

static godwit_status run_row(work *w, uint32_t row, gw_case_result *got, godwit_error *err) {
    return gw_case_run(&w->device, w->v->rows[row], w->v->format,
                       w->fast ? GW_CASE_MODEST : GW_CASE_AWKWARD, got, err);
}

// Runs the row; what did not run by chance is run once more. *out_refused: twice it did not run,
// with *why, while the device is there and runs another kernel: it is the kernel.
static godwit_status run_row_twice(work *w, uint32_t row, gw_case_result *got, bool *out_refused,
                                   godwit_error *why, godwit_error *err) {
    godwit_status status = run_row(w, row, got, err);
    *out_refused = false;
    if (!may_be_chance(status) || !w->judge->origin) return status;
    gw_log(w->device.host, GODWIT_LOG_INFO, "%s/%s: trying once more: %s", w->v->rows[0]->op->name,
           label_of(w->v), err->message);
    GW_TRY(renew(w, status, err));
    status = run_row(w, row, got, why);
    if (!may_be_chance(status)) {
        if (status != GODWIT_OK) *err = *why;
        return status;
    }
    if (gw_device_is_lost(w->device.device)) GW_TRY(renew(w, status, err));
    GW_TRY(run_another(w, err));
    *out_refused = true;
done:
    return status;
}

static godwit_status try_row(work *w, uint32_t row, godwit_verdict *verdict, godwit_error *err) {
    gw_case_result got = {0};
    godwit_error own = {0}, why = {0};
    bool refused = false;
    godwit_status status = run_row_twice(w, row, &got, &refused, &why, &own);
    bool was_right = verdict->passed;
    if (refused) {
        verdict->passed = false;
        if (was_right)
            snprintf(verdict->message, sizeof verdict->message, "%s: %.130s",
                     gw_finding_did_not_run, why.message);
        return add_hash(w, row, "did not run", 11, err);
    }
    if (status != GODWIT_OK) {
        verdict->passed = false;
        if (was_right) snprintf(verdict->message, sizeof verdict->message, "%.150s", own.message);
        if (ends_run(status)) {
            if (err) *err = own;
            return status;
        }
        return add_hash(w, row, "did not run", 11, err);
    }
    godwit_verdict first = *verdict;
    bool right = false;
    if (w->fast) {
        GW_TRY(judge_fast(w, row, &got, &first, &right, err));
        // Right results of fast numerics differ between devices: they are not in the digest.
        if (!right) GW_TRY(add_hash(w, row, "out of bounds", 13, err));
    } else {
        right = compare(&w->wanted[row], &got, w->device.in_pieces, &first);
        GW_TRY(add_hash(w, row, got.bytes, got.n_bytes, err));
    }
    first.passed = was_right && right;
    if (was_right) *verdict = first;
done:
    gw_case_result_free(&got);
    return status;
}

// Each way in which a backend may run the row: the cores keep weights of grids in two ways (gw_weights_go_wide); a device
// with a watchdog gets launches whole or, where they are expected to take long, in pieces.
static godwit_status try_ways(work *w, uint32_t row, godwit_verdict *verdict, godwit_error *err) {
    const bool two = w->device.cpu && w->v->format && gw_format_wide(w->v->format);
    const bool watched = w->device.device && gw_device_caps(w->device.device)->submit_ms;
    godwit_status status = GODWIT_OK;
    for (int other = 0; other <= (two || watched) && status == GODWIT_OK; other++) {
        w->device.memory_free = !two ? 0 : other ? 1 : UINT64_MAX;
        w->device.in_pieces = watched && other;
        status = try_row(w, row, verdict, err);
    }
    return status;
}

// All rows with one variant.
static godwit_status try_variant(work *w, uint32_t variant, bool *out_passed, godwit_error *err) {
    gw_verdicts *v = w->v;
    const bool plain = variant == GW_VARIANT_PLAIN;
    const char *op = v->rows[0]->op->name;
    godwit_verdict *verdict = &v->items[v->n++];
    *verdict = (godwit_verdict){.op = op,
                                .label = label_of(v),
                                .passed = true,
                                .variant = plain ? op : gw_variant_at(variant)->module,
                                .fast = !plain && gw_variant_at(variant)->fast};
    w->fast = verdict->fast;
    gw_variant_only(&w->device.tune, variant);
    godwit_status status = GODWIT_OK;
    w->mark = w->judge->alone && !plain ? verdict->variant : NULL;
    if (w->mark) gw_device_trial(w->device.device, w->mark);
    for (uint32_t i = 0; i < v->n_rows && status == GODWIT_OK; i++) {
        // The digest has what is right of it, whatever variants there are.
        const bool no_part = gw_case_is_of_tails(v->rows[i]) && !gw_matmul_has_tails(variant);
        if (!no_part)
            status = try_ways(w, i, verdict, err);
        else if (!w->fast)
            status = add_hash(w, i, w->wanted[i].bytes, w->wanted[i].n_bytes, err);
    }
    if (w->mark) gw_device_trial(w->device.device, NULL);
    *out_passed = verdict->passed;
    if (status != GODWIT_OK) v->n--; // it came to no verdict
    return status;
}

// Which variants the rows are tried with: bits, the plain one above all others.
static uint64_t variants_of(const gw_judge *judge, const gw_verdicts *v) {
    uint64_t bits = 0;
    if (!judge->device.device && !judge->device.cpu) return 0;
    for (uint32_t i = 0; i < GW_VARIANT_COUNT; i++) {
        const gw_variant *variant = gw_variant_at(i);
        bool fits = variant->op == v->rows[0]->op && gw_variant_reads(variant, v->format);
        if (fits && judge->device.tune.variants[i]) bits |= UINT64_C(1) << i;
    }
    return bits | UINT64_C(1) << GW_VARIANT_PLAIN;
}
_Static_assert(GW_VARIANT_COUNT < 64, "a bit for each variant");

uint32_t gw_verdicts_expected(const gw_judge *judge, const gw_verdicts *v) {
    uint64_t bits = variants_of(judge, v);
    uint32_t n = 0;
    if (judge->quick && bits) return 1;
    for (; bits; bits &= bits - 1) n++;
    return n;
}

// The self-check tries what would be chosen for one token and for many (as far as rows are there
// for), and where that is wrong what would be chosen then.
static godwit_status try_chosen(work *w, godwit_error *err) {
    static const uint64_t tokens[] = {1, GW_CASE_MANY_TOKENS};
    const size_t from = w->v->rows[0]->matmul_tune != 0;
    uint64_t tried = 0;
    for (size_t i = from; i < sizeof tokens / sizeof *tokens; i++) {
        gw_tune tune = w->judge->device.tune;
        bool passed = false;
        while (!passed) {
            uint32_t variant = gw_variant_for(&tune, w->v->rows[0]->op, w->v->format, tokens[i]);
            if (tried >> variant & 1u) break;
            tried |= UINT64_C(1) << variant;
            godwit_status status = try_variant(w, variant, &passed, err);
            if (status != GODWIT_OK) return status;
            if (variant == GW_VARIANT_PLAIN) break;
            gw_variant_disable(&tune, variant, NULL);
        }
    }
    const uint64_t suspects = variants_of(w->judge, w->v) & w->judge->suspects & ~tried;
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < GW_VARIANT_COUNT && status == GODWIT_OK; i++) {
        bool passed;
        if (suspects >> i & 1) status = try_variant(w, i, &passed, err);
    }
    return status;
}

void gw_verdicts_take(gw_judge *judge, gw_verdicts *v) {
    godwit_status status = GODWIT_OK;
    godwit_error *err = &v->error;
    work w = {.judge = judge, .v = v, .device = judge->device};
    uint64_t variants = variants_of(judge, v);
    bool passed;
    for (uint32_t i = 0; i < v->n_rows; i++) {
        GW_TRY(gw_case_run(&judge->reference, v->rows[i], v->format, GW_CASE_AWKWARD, &w.wanted[i],
                           err));
        if (variants) continue;
        GW_TRY(add_hash(&w, i, w.wanted[i].bytes, w.wanted[i].n_bytes, err));
    }
    if (judge->quick && variants) {
        status = try_chosen(&w, err);
        goto done;
    }
    for (uint32_t i = GW_VARIANT_COUNT + 1; i-- > 0;) {
        if (variants >> i & 1) GW_TRY(try_variant(&w, i, &passed, err));
    }
done:
    for (uint32_t i = 0; i < v->n_rows; i++) gw_case_result_free(&w.wanted[i]);
    v->status = status;
}

void gw_verdicts_free(const gw_host *host, gw_verdicts *v) {
    gw_vec_deinit(&v->hashes, host);
}

void gw_judge_release(gw_judge *judge) {
    if (judge->owns_handle) gw_device_release(&judge->device.device);
    judge->owns_handle = false;
}
