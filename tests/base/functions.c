// The functions of the contract against double over dense domains, division and square root bit for
// bit, and that no subnormal decides a bit. GODWIT_STRIDE=1 in the environment walks every float
// and prints the worst errors that docs/NUMERICS.md names; by default every 499th is taken.
#include "support/functions.h"

#include "base/sums.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

static double rcp_d(double x) {
    return 1 / x;
}
static double rsqrt_d(double x) {
    return 1 / sqrt(x);
}
static double sigmoid_d(double x) {
    return 1 / (1 + exp(-x));
}
static double silu_d(double x) {
    return x / (1 + exp(-x));
}
static double softplus_d(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double gelu_d(double x) {
    return x * 0.5 * erfc(-x * 0.70710678118654752440);
}
static double gelu_tanh_d(double x) {
    return x / (1 + exp(-2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}
static double gelu_quick_d(double x) {
    return x / (1 + exp(-1.702 * x));
}

typedef struct domain {
    int id;
    double (*exact)(double x);
    float lo, hi;
    double relative, absolute; // the errors that docs/NUMERICS.md states
} domain;

#define MOST 3.4028234e38f
// A result below 2^-39 may be 0, since exp and the flush cut there; where `relative` is 0
// `absolute` counts.
#define FLUSH 1e-12
static const domain domains[] = {
    {FN_rcp, rcp_d, -0x1p100f, -0x1p-40f, 8.9e-8, FLUSH},
    {FN_rcp, rcp_d, 0x1p-40f, 0x1p100f, 8.9e-8, FLUSH},
    {FN_rsqrt, rsqrt_d, 0x1p-40f, 0x1p100f, 1.08e-7, FLUSH},
    {FN_exp2_part, exp2, -0.5f, 0.5f, 1.03e-7, FLUSH},
    {FN_exp2, exp2, -200.0f, 127.99999f, 1.04e-7, FLUSH},
    {FN_exp, exp, -100.0f, 88.72283f, 8.1e-8, FLUSH},
    {FN_expm1, expm1, -100.0f, 88.72283f, 1.14e-7, FLUSH},
    {FN_ln, log, 0x1p-40f, MOST, 8.1e-8, FLUSH},
    {FN_log1p, log1p, -0.99999994f, MOST, 1.27e-7, FLUSH},
    {FN_tanh, tanh, -MOST, MOST, 1.8e-7, FLUSH},
    {FN_sigmoid, sigmoid_d, -MOST, MOST, 2.3e-7, FLUSH},
    {FN_silu, silu_d, -27.0f, MOST, 2.8e-7, FLUSH},
    {FN_silu, silu_d, -MOST, -27.0f, 0, 3e-11},
    {FN_softplus, softplus_d, -MOST, MOST, 1.8e-7, FLUSH},
    {FN_erf, erf, -MOST, MOST, 1.00e-7, FLUSH},
    {FN_gelu, gelu_d, -2.0f, MOST, 7.5e-7, FLUSH},
    {FN_gelu, gelu_d, -MOST, -2.0f, 0, 3.3e-8},
    {FN_gelu_tanh, gelu_tanh_d, -2.0f, MOST, 7.5e-7, FLUSH},
    {FN_gelu_tanh, gelu_tanh_d, -MOST, -2.0f, 0, 3.3e-8},
    {FN_gelu_quick, gelu_quick_d, -2.0f, MOST, 3.8e-7, FLUSH},
    {FN_gelu_quick, gelu_quick_d, -MOST, -2.0f, 0, 3.3e-8},
    {FN_sin, sin, -MOST, MOST, 1.23e-7, FLUSH},
    {FN_cos, cos, -MOST, MOST, 1.23e-7, FLUSH},
};
enum { N_DOMAINS = sizeof domains / sizeof *domains };

static uint32_t stride_of(uint32_t otherwise) {
    const char *asked = getenv("GODWIT_STRIDE");
    int n = asked ? atoi(asked) : 0;
    return n > 0 ? (uint32_t)n : otherwise;
}

static void walk(const domain *d, uint32_t stride) {
    const contract_function *f = &contract_functions[d->id];
    double worst = 0, worst_absolute = 0;
    float at = 0, at_absolute = 0;
    for (uint32_t sign = 0; sign < 2; sign++) {
        for (uint32_t u = 0x2b800000u; u < 0x7f800000u; u += stride) {
            float x = gw_from_bits(u | sign << 31);
            if (!(x >= d->lo && x <= d->hi)) continue;
            double want = d->exact((double)x), got = (double)gw_flush(f->call(x, 0.0f));
            double error = fabs(got - want);
            if (!(error <= worst_absolute)) worst_absolute = error, at_absolute = x;
            if (fabs(want) < 0x1p-39) {
                if (d->relative > 0 && !(error <= FLUSH))
                    cr_assert_fail("%s(%.9g) = %g", f->name, (double)x, got);
            } else if (!(error <= worst * fabs(want))) {
                worst = error / fabs(want), at = x;
            }
        }
    }
    if (getenv("GODWIT_STRIDE"))
        printf("%-10s %12g .. %-12g relative %.4g at %.9g, absolute %.4g at %.9g\n", f->name,
               (double)d->lo, (double)d->hi, worst, (double)at, worst_absolute,
               (double)at_absolute);
    if (d->relative > 0)
        cr_expect(worst <= d->relative, "%s(%.9g): relative error %.4g", f->name, (double)at,
                  worst);
    else
        cr_expect(worst_absolute <= d->absolute, "%s(%.9g): error %.4g", f->name,
                  (double)at_absolute, worst_absolute);
}

Test(functions, stay_within_their_errors) {
    uint32_t stride = stride_of(499);
    for (size_t i = 0; i < N_DOMAINS; i++) walk(&domains[i], stride);
}

static uint64_t state = 88172645463325252u;
static uint32_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static bool is_small(float x) {
    return (gw_bits(x) & 0x7fffffffu) < 0x800000u;
}

// Against the processor's own. What is below the smallest normal number counts as 0, and on the
// border, where rounding decides between the two, nothing is said.
static void check_div(float a, float b) {
    a = is_small(a) ? 0.0f : a;
    b = is_small(b) ? 0.0f : b;
    float got = gw_div(a, b), want = a / b;
    if (gw_bits(want) << 1 <= 0x01000000u && !isnan(want)) want = got = gw_flush(got);
    if (isnan(want)) want = gw_from_bits(GW_NAN_BITS);
    if (want == 0.0f) want = 0.0f;
    cr_assert_eq(gw_bits(gw_flush(got)), gw_bits(gw_flush(want)), "%a / %a = %a, not %a", (double)a,
                 (double)b, (double)got, (double)want);
}

Test(functions, div_is_rounded_correctly) {
    static const uint32_t special[] = {0,           0x00800000u, 0x2b800000u, 0x3f7fffffu,
                                       0x3f800000u, 0x3f800001u, 0x40490fdbu, 0x7effffffu,
                                       0x7f000000u, 0x7f7fffffu, 0x7f800000u, 0x7fc00000u};
    enum { N = sizeof special / sizeof *special };
    for (uint32_t i = 0; i < 4 * N * N; i++)
        check_div(gw_from_bits(special[i % N] | (i / N / N & 1u) << 31),
                  gw_from_bits(special[i / N % N] | (i / N / N & 2u) << 30));
    uint32_t n = 1600000000u / stride_of(200);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = draw(), b = draw();
        if (i % 4 == 1) b = (b & 0x1fu) | (draw() & 0xff800000u); // just above a power of two
        if (i % 4 == 2) b |= 0x7fffe0u, a = (a & ~0x7fffffu) | (draw() & 63u); // just below one
        check_div(gw_from_bits(a), gw_from_bits(b));
    }
    // Quotients of short mantissas come as near to ties as any.
    for (uint32_t a = 0x800000u; a < 0x800000u + 600; a++)
        for (uint32_t b = 0x800000u; b < 0x800000u + 600; b++) {
            check_div((float)a, (float)b);
            check_div((float)a, (float)(0x1ffffffu - b));
            check_div((float)(0x1ffffffu - a), (float)b);
        }
}

Test(functions, sqrt_is_rounded_correctly) {
    uint32_t stride = stride_of(211);
    for (uint32_t u = 0x00800000u; u < 0x7f800000u; u += stride) {
        float x = gw_from_bits(u);
        cr_assert_eq(gw_bits(gw_sqrt(x)), gw_bits(sqrtf(x)), "sqrt(%a)", (double)x);
    }
    // All squares, and what lies beside them.
    for (uint32_t s = 1; s < 1u << 24; s += 1 + stride / 64) {
        float x = (float)s * (float)s;
        for (uint32_t i = 0; i < 3; i++) {
            float beside = gw_from_bits(gw_bits(x) + i - 1u);
            cr_assert_eq(gw_bits(gw_sqrt(beside)), gw_bits(sqrtf(beside)), "sqrt(%a)",
                         (double)beside);
        }
    }
    cr_assert_eq(gw_bits(gw_sqrt(0.0f)), 0);
    cr_assert_eq(gw_bits(gw_sqrt(-1.0f)), GW_NAN_BITS);
    cr_assert_eq(gw_bits(gw_sqrt(INFINITY)), GW_INF_BITS);
    cr_assert_eq(gw_bits(gw_sqrt(gw_from_bits(GW_NAN_BITS))), GW_NAN_BITS);
}

static float pow_error(uint32_t n, bool near_one, double *out_worst) {
    float at = 0;
    *out_worst = 0;
    for (uint32_t i = 0; i < n; i++) {
        float x = gw_from_bits(0x2b800000u + draw() % 0x28000000u);
        float y = gw_from_bits(0x2b800000u + draw() % 0x20000000u);
        if (near_one && i % 2) x = 1.0f + ((float)(draw() % 200000) - 100000) * 1e-6f;
        if (i % 3 == 0) y = 0.0f - y;
        double want = pow((double)x, (double)y);
        bool counted = near_one ? want > 0x1p-39 && want < 3e38 : want > 0x1p-16 && want < 0x1p16;
        if (!counted) continue;
        double error = fabs((double)gw_pow(x, y) - want) / want;
        if (!(error <= *out_worst)) *out_worst = error, at = x;
    }
    return at;
}

Test(functions, pow_stays_within_its_error) {
    uint32_t n = 400000000u / stride_of(200);
    double worst;
    float at = pow_error(n, true, &worst);
    if (getenv("GODWIT_STRIDE")) printf("pow: %.4g\n", worst);
    cr_expect(worst <= 4.0e-7, "pow at %.9g: %.4g", (double)at, worst);
    at = pow_error(n, false, &worst);
    if (getenv("GODWIT_STRIDE")) printf("pow of middling results: %.4g\n", worst);
    cr_expect(worst <= 1.2e-7, "pow at %.9g: %.4g", (double)at, worst);
}

// Where there is no number to be near to.
Test(functions, pow_has_the_answers_of_the_standard) {
    static const float x[] = {0.0f,  1.0f,     -1.0f,     0.5f,        -0.5f, 2.0f,
                              -2.0f, 3.0f,     -3.0f,     16777217.0f, MOST,  -MOST,
                              NAN,   INFINITY, -INFINITY, 0x1p-40f,    -7.5f, 1.0000001f};
    static const float y[] = {0.0f,   1.0f,  -1.0f,    0.5f,      -0.5f,       2.0f,       -2.0f,
                              3.0f,   -3.0f, 1e12f,    -1e12f,    16777216.0f, 8388609.0f, 2e12f,
                              -2e12f, NAN,   INFINITY, -INFINITY, 0x1p-40f,    127.0f,     -40.0f};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        for (size_t k = 0; k < sizeof y / sizeof *y; k++) {
            double want = pow((double)x[i], (double)y[k]);
            float got = gw_flush(gw_pow(x[i], y[k])), as_float = gw_flush((float)want);
            bool same = gw_bits(got) == gw_bits(as_float);
            bool near = isfinite(as_float) && isfinite(got) &&
                        fabs((double)got - want) <= 4.1e-7 * fabs(want) + FLUSH;
            cr_expect(same || near, "%g ^ %g = %g, not %g", (double)x[i], (double)y[k], (double)got,
                      want);
        }
}

typedef struct answer {
    int id;
    float x, want;
} answer;

Test(functions, have_stated_values_at_the_ends) {
    static const answer answers[] = {
        {FN_rcp, 1.0f, 1.0f},
        {FN_rcp, -4.0f, -0.25f},
        {FN_rsqrt, 1.0f, 1.0f},
        {FN_rsqrt, 64.0f, 0.125f},
        {FN_exp, 0.0f, 1.0f},
        {FN_exp, -27.75f, 0.0f},
        {FN_exp, -INFINITY, 0.0f},
        {FN_exp, 88.72283f, 3.40279852e38f},
        {FN_exp, 88.72284f, INFINITY},
        {FN_exp, INFINITY, INFINITY},
        {FN_exp, NAN, NAN},
        {FN_exp2, -39.0f, 0x1p-39f},
        {FN_exp2, 127.0f, 0x1p127f},
        {FN_exp2, 128.0f, INFINITY},
        {FN_exp2, -INFINITY, 0.0f},
        {FN_exp2, NAN, NAN},
        {FN_expm1, -INFINITY, -1.0f},
        {FN_expm1, INFINITY, INFINITY},
        {FN_expm1, 0.0f, 0.0f},
        {FN_expm1, NAN, NAN},
        {FN_ln, 1.0f, 0.0f},
        {FN_ln, 0.0f, -INFINITY},
        {FN_ln, -1.0f, NAN},
        {FN_ln, INFINITY, INFINITY},
        {FN_ln, NAN, NAN},
        {FN_log1p, -1.0f, -INFINITY},
        {FN_log1p, -1.5f, NAN},
        {FN_log1p, 0x1p-40f, 0x1p-40f},
        {FN_log1p, INFINITY, INFINITY},
        {FN_tanh, INFINITY, 1.0f},
        {FN_tanh, -9.2f, -1.0f},
        {FN_tanh, NAN, NAN},
        {FN_sigmoid, 0.0f, 0.5f},
        {FN_sigmoid, -INFINITY, 0.0f},
        {FN_sigmoid, INFINITY, 1.0f},
        {FN_silu, -28.0f, 0.0f},
        {FN_silu, 1e30f, 1e30f},
        {FN_silu, NAN, NAN},
        {FN_softplus, -30.0f, 0.0f},
        {FN_softplus, INFINITY, INFINITY},
        {FN_erf, INFINITY, 1.0f},
        {FN_erf, -6.0f, -1.0f},
        {FN_erf, NAN, NAN},
        {FN_gelu, -12.0f, 0.0f},
        {FN_gelu_tanh, -1e30f, 0.0f},
        {FN_gelu_tanh, 1e30f, 1e30f},
        {FN_gelu_quick, -1e30f, 0.0f},
        {FN_sin, 0.0f, 0.0f},
        {FN_sin, INFINITY, NAN},
        {FN_cos, 0.0f, 1.0f},
        {FN_cos, -INFINITY, NAN},
        {FN_round, 2.5f, 2.0f},
        {FN_round, -3.5f, -4.0f},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const contract_function *f = &contract_functions[answers[i].id];
        float got = gw_flush(f->call(answers[i].x, 0.0f)), want = gw_flush(answers[i].want);
        cr_expect_eq(gw_bits(got), gw_bits(want), "%s(%.9g) = %.9g", f->name, (double)answers[i].x,
                     (double)got);
    }
}

Test(functions, integers_become_the_nearest_float) {
    static const int32_t edges[] = {INT32_MIN, INT32_MAX, 0, -1, 1 << 24, (1 << 24) + 1, -4096};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        cr_assert_eq(gw_bits(gw_i32_to_f32(edges[i])), gw_bits((float)edges[i]), "%d", edges[i]);
    for (uint32_t i = 0; i < 4000000; i++) {
        int32_t n = (int32_t)draw() >> (i % 20);
        cr_assert_eq(gw_bits(gw_i32_to_f32(n)), gw_bits((float)n), "%d", n);
    }
}

#ifdef __SSE2__
// Arguments and results that the processor would flush are none of a function's steps.
static void check_flushing(int id, float a, float b, unsigned csr) {
    const contract_function *f = &contract_functions[id];
    uint32_t kept = gw_bits(gw_flush(f->call(a, b)));
    _mm_setcsr(csr | 0x8040); // FTZ, DAZ
    uint32_t flushed = gw_bits(gw_flush(f->call(a, b)));
    _mm_setcsr(csr);
    cr_assert_eq(kept, flushed, "%s(%a, %a): %08x, %08x where subnormals are flushed", f->name,
                 (double)a, (double)b, kept, flushed);
}
#endif

Test(functions, no_subnormal_decides_a_bit) {
#ifdef __SSE2__
    const unsigned csr = _mm_getcsr();
    const uint32_t stride = stride_of(499) * 61;
    for (int id = 0; id < N_FUNCTIONS; id++) {
        for (uint32_t u = 0x2b800000u; u < 0x7f800000u; u += stride)
            for (uint32_t sign = 0; sign < 2; sign++) {
                float a = gw_from_bits(u | sign << 31);
                float b = gw_flush(gw_from_bits(draw()));
                if (contract_function_takes(id, a)) check_flushing(id, a, b, csr);
            }
        for (uint32_t i = 0; i < 100000; i++) { // around the least stored values and around 1
            float a = gw_from_bits((i % 2 ? 0x2b800000u : 0x3f7ff000u) + draw() % 0x2000u);
            if (i % 3 == 0) a = 0.0f - a;
            float b = gw_from_bits((i % 5 ? 0x2b800000u : 0x3f7ff000u) + draw() % 0x2000u);
            if (contract_function_takes(id, a)) check_flushing(id, a, b, csr);
        }
    }
#else
    cr_skip_test("SKIPPED: this processor is not told to flush subnormals here");
#endif
}

// The order of a reduction, written out in another way: each halving over the whole unit.
static float halves(const float *x, uint32_t n, uint32_t at, uint32_t step) {
    if (step == 32) return at < n ? x[at] : 0.0f;
    return halves(x, n, at, 2 * step) + halves(x, n, at + step, 2 * step);
}

Test(sums, reductions_are_by_halves_of_units_in_blocks) {
    static float x[1000], squares[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        x[i] = ((float)(draw() % 20001) - 10000) * 1e-3f;
        squares[i] = x[i] * x[i];
    }
    static const uint32_t lengths[] = {0, 1, 2, 31, 32, 33, 64, 255, 256, 257, 288, 512, 1000};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        uint32_t n = lengths[k];
        float total = 0.0f, total_squares = 0.0f;
        for (uint32_t block = 0; block < n; block += 256) {
            float sum = 0.0f, sum_squares = 0.0f;
            for (uint32_t unit = block; unit < n && unit < block + 256; unit += 32) {
                sum = sum + halves(x + unit, n - unit < 32 ? n - unit : 32, 0, 1);
                sum_squares =
                    sum_squares + halves(squares + unit, n - unit < 32 ? n - unit : 32, 0, 1);
            }
            total = total + sum;
            total_squares = total_squares + sum_squares;
        }
        cr_assert_eq(gw_bits(gw_reduce(x, n)), gw_bits(total), "%u terms", n);
        cr_assert_eq(gw_bits(gw_reduce_squares(x, n)), gw_bits(total_squares), "%u squares", n);
    }
}
