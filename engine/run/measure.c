// Measure: see measure.h.
#include "run/measure.h"

#include "base/clock.h"
#include "base/status.h"
#include "graph/op.h"
#include "graph/variant.h"
#include "run/cases.h"

#include <stdio.h>

// Faster by less is noise.
#define CLEARLY 0.95

// Products as models make them, small enough for all to be timed: of few tokens and of
// many the ends of what that is, whose times are added, since a kernel of large tiles leaves most of a
// GPU without work at the one and is fastest at the other.
enum { MAX_PRODUCTS = 2 };
typedef struct size {
    uint32_t n_tok[MAX_PRODUCTS], n_rows, n_cols;
    uint64_t budget_ns; // of the timed runs of one kernel
} size;

static const size sizes[2][GW_TOKENS_COUNT] = {
    {{{1}, 8192, 4096, 4000000}, {{5, 16}, 4096, 4096, 4000000}, {{64, 512}, 4096, 4096, 4000000}},
    // On the host's cores: a hundredth of the speed. One token's weights must not fit its caches.
    {{{1}, 8192, 2048, 12000000}, {{5}, 1024, 2048, 8000000}, {{32}, 512, 2048, 8000000}},
};

typedef struct measurer {
    const gw_backend *backend;
    gw_tune tune; // with the best that was found so far
    gw_measured_fn each;
    void *user;
    uint64_t begin_ns;
    uint64_t n_done, n_total;
} measurer;

typedef struct product {
    gw_case_row row;
    gw_loaded_case *loaded;
    gw_case_result wanted; // what the present choice gives
} product;

// Products at hand, and the fastest way so far.
typedef struct trial {
    const measurer *m;
    const size *size;
    product products[MAX_PRODUCTS];
    uint32_t n_products, n_tok; // the most tokens of one
    gw_tune best;
    uint64_t first_ns, best_ns; // with the present choice; with best
    bool is_first;              // best is the present choice
} trial;

// Where kernels compile slowly, shapes must leave time for variants.
enum { SHAPES_S = GW_MEASURE_S / 3 };

static bool is_time_up(const measurer *m, uint64_t limit_s) {
    return gw_now_ns() - m->begin_ns > limit_s * 1000000000u;
}

// A device without room for the product keeps what it has; that is no error of the caller's.
static godwit_status without_room(godwit_status status, const godwit_error *own,
                                  godwit_error *err) {
    if (status == GODWIT_OUT_OF_DEVICE_MEMORY) return GODWIT_OK;
    if (status != GODWIT_OK && err) *err = *own;
    return status;
}

static void end_trial(trial *t) {
    for (uint32_t i = 0; i < t->n_products; i++) {
        gw_case_result_free(&t->products[i].wanted);
        gw_case_unload(&t->products[i].loaded);
    }
}

static godwit_status begin_trial(const measurer *m, const gw_format *format, gw_tokens tokens,
                                 trial *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const size *size = &sizes[gw_device_caps(m->backend->device)->software][tokens];
    *out = (trial){.m = m, .size = size, .best = m->tune, .is_first = true};
    for (uint32_t i = 0; i < MAX_PRODUCTS && size->n_tok[i]; i++) {
        product *p = &out->products[out->n_products++];
        uint64_t ns = 0;
        out->n_tok = size->n_tok[i];
        p->row = gw_case_product(tokens, out->n_tok, size->n_rows, size->n_cols);
        GW_TRY(gw_case_load(m->backend, &p->row, format, GW_CASE_MODEST, &p->loaded, err));
        GW_TRY(gw_case_run_loaded(p->loaded, &out->best, size->budget_ns, &ns, &p->wanted, err));
        out->best_ns += ns;
    }
    out->first_ns = out->best_ns;
done:
    if (status != GODWIT_OK) end_trial(out);
    return status;
}

// Adds the time of a product with that tune; UINT64_MAX where it does not run or gives something
// else. Only a lost device is a failure.
static godwit_status add_time(const trial *t, const product *p, const gw_tune *tune, uint64_t *ns,
                              godwit_error *err) {
    gw_case_result got;
    godwit_error own = {0};
    uint64_t now_ns = 0;
    godwit_status status =
        gw_case_run_loaded(p->loaded, tune, t->size->budget_ns, &now_ns, &got, &own);
    if (status == GODWIT_DEVICE_LOST) {
        if (err) *err = own;
        return status;
    }
    // Fast numerics have other bits, within a bound that verification has seen to.
    bool same = status == GODWIT_OK && got.n_bytes == p->wanted.n_bytes &&
                (tune->fast || memcmp(got.bytes, p->wanted.bytes, got.n_bytes) == 0);
    *ns = same && *ns != UINT64_MAX ? *ns + now_ns : UINT64_MAX;
    gw_case_result_free(&got);
    return GODWIT_OK;
}

// Lowers *ns to the time of all products with that tune; UINT64_MAX where one of them is wrong.
static godwit_status take_time(const trial *t, const gw_tune *tune, uint64_t *ns,
                               godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t now_ns = 0;
    for (uint32_t i = 0; i < t->n_products && now_ns != UINT64_MAX; i++) {
        GW_TRY(add_time(t, &t->products[i], tune, &now_ns, err));
    }
    if (now_ns < *ns || now_ns == UINT64_MAX) *ns = now_ns;
done:
    return status;
}

static bool is_clearly_faster(uint64_t ns, uint64_t than_ns) {
    return (double)ns < CLEARLY * (double)than_ns;
}

// Takes the tune for the best where it is clearly faster, twice: what else the machine does may
// disturb one of two runs.
static godwit_status challenge(trial *t, const gw_tune *tune, bool *out_won, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t ns = INT64_MAX;
    *out_won = false;
    GW_TRY(take_time(t, tune, &ns, err));
    if (!is_clearly_faster(ns, t->best_ns)) goto done;
    GW_TRY(take_time(t, &t->best, &t->best_ns, err));
    if (t->is_first) t->first_ns = t->best_ns;
    GW_TRY(take_time(t, tune, &ns, err));
    if (!is_clearly_faster(ns, t->best_ns)) goto done;
    t->best = *tune;
    t->best_ns = ns;
    t->is_first = false;
    *out_won = true;
done:
    return status;
}

// --- shapes

// The best shape for a format that stands for its kind; what wins there must not lose with another.
static godwit_status find_shape(measurer *m, bool is_float, gw_tokens tokens, godwit_error *err) {
    static const uint32_t formats[2][2] = {{GW_FMT_q4_0, GW_FMT_q6_k}, {GW_FMT_f16, GW_FMT_bf16}};
    godwit_status status = GODWIT_OK;
    const gw_caps *caps = gw_device_caps(m->backend->device);
    const struct gw_matmul_tune *shape;
    trial t, other = {0};
    uint64_t ns = INT64_MAX;
    bool won;
    GW_TRY(begin_trial(m, gw_format_at(formats[is_float][0]), tokens, &t, err));
    for (uint32_t i = 0; (shape = gw_tune_candidate(is_float, tokens, i)); i++) {
        gw_tune tune = m->tune;
        if (!gw_tune_fits(caps, shape) || is_time_up(m, SHAPES_S)) continue;
        if (!memcmp(shape, &m->tune.choice.matmul[is_float][tokens], sizeof *shape)) continue;
        tune.choice.matmul[is_float][tokens] = *shape;
        gw_tune_choose(&tune, &tune.choice);
        GW_TRY(challenge(&t, &tune, &won, err));
    }
    if (t.is_first) goto done;
    GW_TRY(begin_trial(m, gw_format_at(formats[is_float][1]), tokens, &other, err));
    GW_TRY(take_time(&other, &t.best, &ns, err));
    if (ns <= other.best_ns) m->tune = t.best;
done:
    end_trial(&t);
    end_trial(&other);
    return status;
}

// --- variants

static bool may_try(const measurer *m, const trial *t, const gw_format *format, uint32_t variant) {
    const gw_variant *v = gw_variant_at(variant);
    return v->op == &gw_op_matmul && gw_variant_reads(v, format) && t->n_tok >= v->min_tokens &&
           gw_variant_is_allowed(&m->tune, variant, format);
}

static godwit_status report(measurer *m, const gw_measured *found, godwit_error *err) {
    gw_measured out = *found;
    out.n_done = m->n_done;
    out.n_total = m->n_total;
    if (!m->each || m->each(m->user, &out)) return GODWIT_OK;
    return gw_fail(err, GODWIT_CANCELLED, "measuring stopped by the caller");
}

// The fastest of the exact variants (fast: of the fast ones, where one beats those).
static godwit_status find_variant(measurer *m, trial *t, const gw_format *format, gw_tokens tokens,
                                  bool fast, uint32_t *inout_best, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    for (uint32_t v = 0; v <= GW_VARIANT_COUNT; v++) {
        gw_tune tune = m->tune;
        bool won, plain = v == GW_VARIANT_PLAIN;
        if (v == *inout_best || (plain ? fast : gw_variant_at(v)->fast != fast)) continue;
        if (!plain && !may_try(m, t, format, v)) continue;
        gw_choice_prefer(&tune.choice, &gw_op_matmul, format, tokens, v);
        tune.fast = fast;
        GW_TRY(challenge(t, &tune, &won, err));
        if (won) *inout_best = v;
    }
done:
    return status;
}

static godwit_status find_variants(measurer *m, const gw_format *format, gw_tokens tokens,
                                   godwit_error *err) {
    godwit_status status = GODWIT_OK;
    trial t;
    GW_TRY(begin_trial(m, format, tokens, &t, err));
    uint32_t best = gw_variant_for(&m->tune, &gw_op_matmul, format, t.n_tok);
    gw_measured found = {.format = format, .n_tok = t.n_tok};
    GW_TRY(find_variant(m, &t, format, tokens, false, &best, err));
    found.before_ns = t.first_ns;
    gw_choice_prefer(&m->tune.choice, &gw_op_matmul, format, tokens, best);
    found.variant = best;
    found.ns = t.best_ns;
    m->n_done++;
    GW_TRY(report(m, &found, err));
    GW_TRY(find_variant(m, &t, format, tokens, true, &best, err));
    if (best == found.variant) {
        for (uint32_t v = 0; v < GW_VARIANT_COUNT; v++) {
            if (gw_variant_at(v)->fast && may_try(m, &t, format, v))
                gw_choice_avoid(&m->tune.choice, format, tokens, v);
        }
        goto done;
    }
    gw_choice_prefer(&m->tune.choice, &gw_op_matmul, format, tokens, best);
    found.before_ns = found.ns;
    found.ns = t.best_ns;
    found.variant = best;
    found.fast = true;
    GW_TRY(report(m, &found, err));
done:
    end_trial(&t);
    return status;
}

// The formats that most files have come first, since the time may not suffice for all.
static uint32_t nth_format(uint32_t n) {
    static const uint8_t common[] = {GW_FMT_q4_k, GW_FMT_q6_k, GW_FMT_q8_0, GW_FMT_q4_0,
                                     GW_FMT_f16,  GW_FMT_bf16, GW_FMT_q5_k};
    enum { N_COMMON = sizeof common };
    if (n < N_COMMON) return common[n];
    uint32_t id = 0;
    for (uint32_t left = n - N_COMMON;; id++) {
        if (memchr(common, (int)id, N_COMMON)) continue;
        if (left-- == 0) return id;
    }
}

godwit_status gw_measure(const gw_backend *backend, uint64_t formats, gw_measured_fn each,
                         void *user, gw_choice *out_choice, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    godwit_error own = {0};
    *out_choice = backend->tune.choice;
    if (!backend->device || gw_device_caps(backend->device)->runs_nothing) return GODWIT_OK;
    measurer *m = gw_alloc(backend->host, 1, sizeof *m);
    if (!m) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: measuring");
    m->backend = backend;
    m->tune = backend->tune;
    m->each = each;
    m->user = user;
    m->begin_ns = gw_now_ns();
    m->n_total = GW_FMT_COUNT * GW_TOKENS_COUNT;
    for (uint32_t i = 0; i < 2 * GW_TOKENS_COUNT && !is_time_up(m, SHAPES_S); i++) {
        status = find_shape(m, i / GW_TOKENS_COUNT, i % GW_TOKENS_COUNT, &own);
        GW_TRY(without_room(status, &own, err));
    }
    for (uint32_t i = 0; i < m->n_total && !is_time_up(m, GW_MEASURE_S); i++) {
        uint32_t id = nth_format(i / GW_TOKENS_COUNT);
        if (formats && !(formats >> id & 1)) continue;
        status = find_variants(m, gw_format_at(id), i % GW_TOKENS_COUNT, &own);
        GW_TRY(without_room(status, &own, err));
    }
    *out_choice = m->tune.choice;
done:
    gw_free(backend->host, m, sizeof *m);
    return gw_note(err, status, "measuring");
}
