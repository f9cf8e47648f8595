// K search: ggml's reference fits of scales and minima.
#include "quant/k_search.h"

#include "base/exact_math.h"

// Below this a run counts as zeros.
static const float NOTHING = 1e-15f;

static float magnitude(float x) {
    return x < 0.0f ? -x : x;
}

static float sum_squares(uint32_t n, const float *x) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

void gw_k_weigh(const float *x, const float *importances, float size, float *out) {
    float mean = size * sum_squares(GW_K_BLOCK, x) / (float)GW_K_BLOCK;
    for (uint32_t i = 0; i < GW_K_BLOCK; i++) out[i] = importances[i] * gw_sqrt(mean + x[i] * x[i]);
}

float gw_k_largest(uint32_t n, const float *scales) {
    float largest = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        if (magnitude(scales[i]) > magnitude(largest)) largest = scales[i];
    }
    return largest;
}

void gw_k_requantize(uint32_t n, int low, int high, float d, const float *x, uint8_t *codes) {
    if (d == 0.0f) return;
    for (uint32_t i = 0; i < n; i++) codes[i] = (uint8_t)(gw_k_round(x[i] / d, low, high) - low);
}

// --- signed codes --------------------------------------------------------------------------------

// Sums over the codes that a scale gives: w * x * code and w * code^2.
typedef struct sums {
    float xl, l2;
} sums;

static sums signed_sums(uint32_t n, int max_code, const float *x, const float *w, float inverse) {
    sums s = {0.0f, 0.0f};
    for (uint32_t i = 0; i < n; i++) {
        float l = (float)gw_k_round(inverse * x[i], -max_code, max_code - 1);
        float weight = w ? w[i] : x[i] * x[i];
        s.xl += weight * x[i] * l;
        s.l2 += weight * l * l;
    }
    return s;
}

float gw_k_fit_signed(uint32_t n, int max_code, const float *x, const float *w, uint8_t *codes) {
    float max = gw_k_largest(n, x);
    memset(codes, 0, n);
    if (magnitude(max) < NOTHING) return 0.0f;
    float best_inverse = -(float)max_code / max;
    sums s = signed_sums(n, max_code, x, w, best_inverse);
    float scale = s.l2 != 0.0f ? s.xl / s.l2 : 0.0f, best = scale * s.xl;
    for (int i = -9; i <= 9; i++) {
        if (i == 0) continue;
        float inverse = -((float)max_code + 0.1f * (float)i) / max;
        s = signed_sums(n, max_code, x, w, inverse);
        if (s.l2 > 0.0f && s.xl * s.xl > best * s.l2) {
            best_inverse = inverse;
            scale = s.xl / s.l2;
            best = scale * s.xl;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)(gw_k_round(best_inverse * x[i], -max_code, max_code - 1) + max_code);
    }
    return scale;
}

float gw_k_climb_signed(uint32_t n, int max_code, const float *x, uint8_t *codes) {
    float max = gw_k_largest(n, x);
    memset(codes, 0, n);
    if (magnitude(max) < NOTHING) return 0.0f;
    float inverse = -(float)max_code / max;
    sums s = signed_sums(n, max_code, x, NULL, inverse);
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)(gw_k_round(inverse * x[i], -max_code, max_code - 1) + max_code);
    }
    bool changed = true;
    for (int round = 0; round < 5 && changed; round++) {
        changed = false;
        for (uint32_t i = 0; i < n; i++) {
            float w = x[i] * x[i], l = (float)(codes[i] - max_code);
            sums t = {s.xl - w * x[i] * l, s.l2 - w * l * l};
            if (!(t.xl > 0.0f)) continue;
            int code = gw_k_round(x[i] * t.l2 / t.xl, -max_code, max_code - 1);
            if (code + max_code == codes[i]) continue;
            t.xl += w * x[i] * (float)code;
            t.l2 += w * (float)code * (float)code;
            if (!(t.l2 > 0.0f && t.xl * t.xl * s.l2 > s.xl * s.xl * t.l2)) continue;
            codes[i] = (uint8_t)(code + max_code);
            s = t;
            changed = true;
        }
    }
    return s.l2 > 0.0f ? s.xl / s.l2 : 0.0f;
}

// --- codes from a minimum up ---------------------------------------------------------------------

typedef struct fit {
    float scale, min, error;
} fit;

static float fit_error(uint32_t n, const float *x, const float *w, const uint8_t *codes,
                       const fit *f, bool absolute) {
    float error = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float diff = f->scale * (float)codes[i] + f->min - x[i];
        error += w[i] * (absolute ? magnitude(diff) : diff * diff);
    }
    return error;
}

// Least squares of scale and minimum (at most 0) for given codes. False where there is none.
static bool solve(uint32_t n, const float *x, const float *w, const uint8_t *codes, float sum_w,
                  float sum_x, fit *out) {
    float sum_l = 0.0f, sum_l2 = 0.0f, sum_xl = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float wl = w[i] * (float)codes[i];
        sum_l += wl;
        sum_l2 += wl * (float)codes[i];
        sum_xl += wl * x[i];
    }
    float det = sum_w * sum_l2 - sum_l * sum_l;
    if (!(det > 0.0f)) return false;
    out->scale = (sum_w * sum_xl - sum_x * sum_l) / det;
    out->min = (sum_l2 * sum_x - sum_l * sum_xl) / det;
    if (out->min > 0.0f) {
        out->min = 0.0f;
        out->scale = sum_xl / sum_l2;
    }
    return true;
}

// x ~ result * code - *out_min. n <= 32.
static float fit_min(uint32_t n, int max_code, const float *x, const float *w,
                     const gw_k_sweep *sweep, uint8_t *codes, float *out_min) {
    float min = x[0], max = x[0], sum_w = 0.0f, sum_x = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
        sum_w += w[i];
        sum_x += w[i] * x[i];
    }
    min = min > 0.0f ? 0.0f : min;
    memset(codes, 0, n);
    *out_min = -min;
    if (!(max > min)) return 0.0f;
    float inverse = (float)max_code / (max - min);
    fit best = {.scale = 1.0f / inverse, .min = min};
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)gw_k_round(inverse * (x[i] - min), 0, max_code);
    }
    best.error = fit_error(n, x, w, codes, &best, sweep->absolute);
    for (int step = 0; step <= sweep->n; step++) {
        uint8_t tried[32];
        fit f;
        // From the best minimum so far.
        inverse = (sweep->first + sweep->step * (float)step + (float)max_code) / (max - best.min);
        for (uint32_t i = 0; i < n; i++) {
            tried[i] = (uint8_t)gw_k_round(inverse * (x[i] - best.min), 0, max_code);
        }
        if (!solve(n, x, w, tried, sum_w, sum_x, &f)) continue;
        f.error = fit_error(n, x, w, tried, &f, sweep->absolute);
        if (!(f.error < best.error)) continue;
        best = f;
        memcpy(codes, tried, n);
    }
    *out_min = -best.min;
    return best.scale;
}

// --- scales, which are never negative ------------------------------------------------------------

// x ~ result * code, by a sweep and then one code at a time.
static float fit_scales(uint32_t n, int max_code, const float *x, const float *w, uint8_t *codes) {
    float max = 0.0f;
    for (uint32_t i = 0; i < n; i++) max = x[i] > max ? x[i] : max;
    memset(codes, 0, n);
    if (max < NOTHING) return 0.0f;
    float best_inverse = 0.0f, best_error = 0.0f;
    for (int k = 0; k < 9; k++) { // the plain scale first
        int step = k == 0 ? 0 : k <= 4 ? k - 5 : k - 4;
        float inverse = (0.1f * (float)step + (float)max_code) / max, scale = 1.0f / inverse;
        float error = 0.0f;
        for (uint32_t i = 0; i < n; i++) {
            float diff = x[i] - scale * (float)gw_k_round(inverse * x[i], 0, max_code);
            error += w[i] * diff * diff;
        }
        if (k > 0 && !(error < best_error)) continue;
        best_error = error;
        best_inverse = inverse;
    }
    sums s = {0.0f, 0.0f};
    for (uint32_t i = 0; i < n; i++) {
        int code = gw_k_round(best_inverse * x[i], 0, max_code);
        codes[i] = (uint8_t)code;
        s.xl += w[i] * x[i] * (float)code;
        s.l2 += w[i] * (float)code * (float)code;
    }
    bool changed = true;
    for (int round = 0; round < 5 && changed; round++) {
        changed = false;
        for (uint32_t i = 0; i < n; i++) {
            float l = (float)codes[i];
            sums t = {s.xl - w[i] * x[i] * l, s.l2 - w[i] * l * l};
            if (!(t.xl > 0.0f && t.l2 > 0.0f)) continue;
            int code = gw_k_round(x[i] * t.l2 / t.xl, 0, max_code);
            if (code == codes[i]) continue;
            t.xl += w[i] * x[i] * (float)code;
            t.l2 += w[i] * (float)code * (float)code;
            if (!(t.xl * t.xl * s.l2 > s.xl * s.xl * t.l2)) continue;
            codes[i] = (uint8_t)code;
            s = t;
            changed = true;
        }
    }
    return s.l2 > 0.0f ? s.xl / s.l2 : 0.0f;
}

// The plain way: the largest gets the largest code.
static float spread_scales(uint32_t n, int max_code, const float *x, uint8_t *codes) {
    float max = 0.0f;
    for (uint32_t i = 0; i < n; i++) max = x[i] > max ? x[i] : max;
    float inverse = max > 0.0f ? (float)max_code / max : 0.0f;
    for (uint32_t i = 0; i < n; i++) codes[i] = (uint8_t)gw_k_round(inverse * x[i], 0, max_code);
    return max / (float)max_code;
}

// --- a block with minima -------------------------------------------------------------------------

// Without importances: |x|, and the level of the run where the format has it.
static void weigh_plain(const gw_k_min_format *format, const float *x, float *out) {
    float level = 0.0f;
    if (format->level) level = gw_sqrt(sum_squares(format->run, x) / (float)format->run);
    for (uint32_t i = 0; i < format->run; i++) out[i] = level + magnitude(x[i]);
}

void gw_k_min_quantize(const gw_k_min_format *format, const float *x, const float *importances,
                       gw_k_min_block *out) {
    static const gw_k_sweep fine = {-0.9f, 0.05f, 36, false};
    float w[GW_K_BLOCK], run_w[16], scales[16], mins[16];
    uint32_t run = format->run, n_runs = GW_K_BLOCK / run;
    if (importances) gw_k_weigh(x, importances, format->size, w);
    for (uint32_t r = 0; r < n_runs; r++) {
        float *w_run = w + r * run;
        if (!importances) weigh_plain(format, x + r * run, w_run);
        run_w[r] = 0.0f;
        for (uint32_t i = 0; i < run; i++) run_w[r] += w_run[i];
        scales[r] = fit_min(run, format->max_code, x + r * run, w_run,
                            importances ? &fine : &format->sweep, out->codes + r * run, &mins[r]);
    }
    int top = format->max_scale;
    float d = importances ? fit_scales(n_runs, top, scales, run_w, out->scales)
                          : spread_scales(n_runs, top, scales, out->scales);
    float dmin = importances ? fit_scales(n_runs, top, mins, run_w, out->mins)
                             : spread_scales(n_runs, top, mins, out->mins);
    out->d = gw_f32_to_f16(d);
    out->dmin = gw_f32_to_f16(dmin);
    for (uint32_t r = 0; r < n_runs; r++) {
        float scale = gw_f16_to_f32(out->d) * (float)out->scales[r];
        float min = gw_f16_to_f32(out->dmin) * (float)out->mins[r], raised[32];
        for (uint32_t i = 0; i < run; i++) raised[i] = x[r * run + i] + min;
        gw_k_requantize(run, 0, format->max_code, scale, raised, out->codes + r * run);
    }
}
