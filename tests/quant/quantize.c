// The K and grid formats' quantizers by their error, and all quantizers on inputs that are hard on
// them.
//
// The figures are what ggml 0.13.1 reaches (ggml_quantize_chunk of pywhispercpp 1.5.1's
// libggml-base, read back by the gguf package) on 2^20 standard normal values: quant.py --errors
// (tests/golden) prints such rows. A sample of 2^14 strays from them by up to 2.5 %.
#include "base/exact.h"
#include "quant/quant.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 256 * 64 };

static const struct {
    uint32_t id;
    double rmse;          // without importances
    double weighted_rmse; // of importances x error^2, quantized with these importances
} known[] = {
    {GW_FMT_q2_k, 0.29634, 0.22137},
    {GW_FMT_q3_k, 0.15079, 0.12929},
    {GW_FMT_q4_k, 0.07133, 0.06223},
    {GW_FMT_q5_k, 0.03611, 0.03193},
    {GW_FMT_q6_k, 0.01773, 0.01561},
    // Our own searches over the grids: not ggml's blocks, but no larger error. INFINITY: ggml wants
    // importances.
    {GW_FMT_iq2_xxs, INFINITY, 0.33828},
    {GW_FMT_iq2_xs, INFINITY, 0.23274},
    {GW_FMT_iq2_s, 0.26491, 0.21192},
    {GW_FMT_iq3_xxs, 0.21302, 0.13382},
    {GW_FMT_iq3_s, 0.16581, 0.11043},
    {GW_FMT_iq1_s, INFINITY, 0.42089},
    {GW_FMT_iq1_m, INFINITY, 0.36082},
};

static float normal(uint32_t seed, uint32_t i) {
    double u = (gw_philox(seed, 0, i) + 1.0) / 4294967296.0;
    double v = gw_philox(seed, 1, i) / 4294967296.0;
    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

// importances count in the error whether or not the quantizer sees them.
static double error_of(const gw_format *f, const float *x, const float *seen,
                       const float *importances) {
    uint8_t *blocks = malloc(gw_format_row_bytes(f, N));
    float *y = malloc(N * sizeof *y);
    cr_assert(blocks && y);
    f->quantize(x, seen, N, blocks);
    gw_format_dequantize(f, blocks, N, y);
    double sum = 0.0;
    for (int i = 0; i < N; i++) {
        double diff = (double)y[i] - (double)x[i];
        sum += diff * diff * (importances ? (double)importances[i] : 1.0);
    }
    free(blocks);
    free(y);
    return sqrt(sum / N);
}

Test(quantize, error) {
    float *x = malloc(2 * N * sizeof *x), *importances = x + N;
    cr_assert(x);
    for (uint32_t i = 0; i < N; i++) {
        float a = normal(2, i);
        x[i] = normal(1, i);
        importances[i] = a * a;
    }
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const gw_format *f = gw_format_at(known[k].id);
        double rmse = error_of(f, x, NULL, NULL);
        cr_assert(rmse <= known[k].rmse * 1.025, "%s: error %g, %g is known", f->name, rmse,
                  known[k].rmse);
        double without = error_of(f, x, NULL, importances);
        double with = error_of(f, x, importances, importances);
        cr_assert(with < without, "%s: importances leave the weighted error at %g, from %g",
                  f->name, with, without);
        cr_assert(with <= known[k].weighted_rmse * 1.04, "%s: weighted error %g, %g is known",
                  f->name, with, known[k].weighted_rmse);
    }
    free(x);
}

// What a quantizer may meet: n values of kind `kind`. False behind the last kind.
static bool fill_hard(int kind, float *x, uint32_t n) {
    static const float levels[] = {0.0f, -0.0f, 1.0f, -3.0f, 1e-44f, -1e-30f, 6e4f};
    enum { N_LEVELS = sizeof levels / sizeof *levels };
    for (uint32_t i = 0; i < n; i++) {
        float a = normal(3, i);
        if (kind < N_LEVELS) x[i] = levels[kind];
        if (kind == N_LEVELS) x[i] = i % 2 ? 1e-20f : -1e-20f;
        if (kind == N_LEVELS + 1) x[i] = i % 77 ? 0.0f : a;
        if (kind == N_LEVELS + 2) x[i] = a * (i % 32 == 5 ? 1e4f : 1e-4f);
        if (kind == N_LEVELS + 3) x[i] = 1000.0f + a;
    }
    return kind < N_LEVELS + 4;
}

// The scales stay numbers, and no value comes back farther away than the largest is from 0.
static void check_hard(const gw_format *f, const float *x, const float *importances, int kind) {
    enum { N_HARD = 512 };
    uint8_t *blocks = malloc(gw_format_row_bytes(f, N_HARD));
    float *y = malloc(N_HARD * sizeof *y);
    uint64_t n_quants = gw_format_quant_row(f, N_HARD), n_sides = gw_format_side_row(f, N_HARD);
    uint32_t *words = calloc(n_quants + n_sides, sizeof *words);
    cr_assert(blocks && y && words);
    f->quantize(x, importances, N_HARD, blocks);
    gw_packed row = {.quants = words,
                     .sides = words + n_quants,
                     .n_units = gw_format_units(f, N_HARD),
                     .table = f->table};
    cr_assert(f->repack(blocks, N_HARD, &row), "%s: input %d gives NaN or infinity", f->name, kind);
    gw_format_dequantize(f, blocks, N_HARD, y);
    float amax = 0.0f;
    for (uint32_t i = 0; i < N_HARD; i++) amax = fmaxf(amax, fabsf(x[i]));
    for (uint32_t i = 0; i < N_HARD; i++) {
        cr_assert(fabsf(y[i] - x[i]) <= amax * 1.001f, "%s: input %d: %g comes back as %g", f->name,
                  kind, (double)x[i], (double)y[i]);
    }
    free(blocks);
    free(y);
    free(words);
}

Test(quantize, hard_inputs) {
    float x[512], importances[512];
    for (int kind = 0; fill_hard(kind, x, 512); kind++) {
        for (uint32_t i = 0; i < 512; i++) importances[i] = (float)(i % 9) * 0.25f;
        for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
            const gw_format *f = gw_format_at(id);
            if (gw_format_is_float(f) || !f->quantize) continue;
            check_hard(f, x, NULL, kind);
            check_hard(f, x, importances, kind);
        }
    }
}

// Infinity, NaN and sums that overflow: nothing is promised but that it ends without undefined
// behaviour, which sanitizer builds see.
Test(quantize, no_numbers) {
    static const float odd[] = {3e38f, -3e38f, INFINITY, -INFINITY, NAN, 1e20f, 1.0f};
    float x[512];
    uint8_t blocks[512 * 4];
    for (size_t kind = 0; kind < sizeof odd / sizeof *odd; kind++) {
        for (uint32_t i = 0; i < 512; i++) x[i] = i % 3 ? odd[kind] : odd[(kind + i) % 7];
        for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
            const gw_format *f = gw_format_at(id);
            if (gw_format_is_float(f) || !f->quantize) continue;
            memset(blocks, 0, sizeof blocks);
            f->quantize(x, NULL, 512, blocks);
            f->quantize(x, x, 512, blocks);
        }
    }
}
