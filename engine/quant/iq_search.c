// IQ search: the quantizers of 4-bit values that are not evenly spaced.
#include "quant/iq_search.h"

enum { N_VALUES = 16, N_TRIES = 7 };

float gw_largest(const float *x, int n) {
    float largest = 0.0f;
    for (int i = 0; i < n; i++) {
        if (gw_abs(x[i]) > gw_abs(largest)) largest = x[i];
    }
    return largest;
}

// The nearest of IQ4's values; of two as near, the upper one.
static uint8_t nearest_iq4(float x) {
    if (x <= (float)gw_iq4_value(0)) return 0;
    if (x >= (float)gw_iq4_value(N_VALUES - 1)) return N_VALUES - 1;
    uint8_t upper = 1;
    while (upper < N_VALUES - 1 && x >= (float)gw_iq4_value(upper)) upper++;
    float below = x - (float)gw_iq4_value(upper - 1u), above = (float)gw_iq4_value(upper) - x;
    return below < above ? (uint8_t)(upper - 1) : upper;
}

void gw_iq4_codes(const float *x, float inverse, uint8_t *out) {
    for (int i = 0; i < GW_UNIT; i++) out[i] = nearest_iq4(inverse * x[i]);
}

void gw_iq4_counts(const float *x, const float *importances, float mean, float *out) {
    for (int i = 0; i < GW_UNIT; i++) {
        out[i] = importances ? importances[i] * gw_sqrt(mean + x[i] * x[i]) : x[i] * x[i];
    }
}

typedef struct sums {
    float qx, q2;
} sums;

static sums sums_at(const float *x, const float *counts, float inverse) {
    sums s = {0.0f, 0.0f};
    for (int i = 0; i < GW_UNIT; i++) {
        float q = (float)gw_iq4_value(nearest_iq4(inverse * x[i]));
        s.qx += counts[i] * q * x[i];
        s.q2 += counts[i] * q * q;
    }
    return s;
}

// Of codes made with each of a few scales, the least squares scale; best: the one that takes most
// off the error, qx^2 / q2.
float gw_iq4_scale(const float *x, const float *counts) {
    float largest = gw_largest(x, GW_UNIT), first = (float)gw_iq4_value(0);
    if (gw_abs(largest) < 1e-15f) return 0.0f;
    float guess = -largest / first;
    sums s = sums_at(x, counts, 1.0f / guess);
    float scale = s.q2 > 0.0f ? s.qx / s.q2 : 0.0f, best = scale * s.qx;
    for (int i = -N_TRIES; i <= N_TRIES; i++) {
        s = sums_at(x, counts, ((float)i + first) / largest);
        if (s.q2 > 0.0f && s.qx * s.qx > best * s.q2) {
            scale = s.qx / s.q2;
            best = scale * s.qx;
        }
    }
    return scale;
}

void gw_fp4_codes(const float *x, int n, float d, uint8_t *out) {
    for (int i = 0; i < n; i++) {
        out[i] = 0;
        float best = gw_abs(d * 0.0f - x[i]);
        for (uint8_t code = 1; code < N_VALUES; code++) {
            float error = gw_abs(d * (float)gw_fp4_value(code) - x[i]);
            if (error < best) {
                best = error;
                out[i] = code;
            }
        }
    }
}

// --- grids --------------------------------------------------------------------------------------
//
// Least squares by search: each n_scale weights find the scale of their own that fits best; d is a
// 31st of the largest; then, in rounds, each takes the multiple of d, of three near its own, and
// the points that leave the least error, and d is fitted again to what was taken.

enum { BLOCK = 256, MAX_SCALE = 15, N_LEVELS = 6, N_ROUNDS = 2 };
enum { MAX_COMBINATIONS = 81, MAX_POINTS = 1024 };

// The grid, ordered for search. A byte of an entry, 2 or 4 codes, is numbered densely: combination
// c = sum of code i * n_values^i. Entries are sorted, so that those of one high byte are a run.
typedef struct grid_run {
    uint32_t high, first, end; // combination of the high bytes; points first .. end - 1
} grid_run;

typedef struct grid_input {
    const gw_grid_kind *kind;
    float a[BLOCK], counts[BLOCK]; // magnitudes; what their errors count
    grid_run runs[MAX_COMBINATIONS];
    uint32_t n_runs;
    uint8_t low[MAX_POINTS]; // combination of each point's low byte
} grid_input;

typedef struct grid_fit {
    float qx, q2, error; // sums over weights of counts * q * a, counts * q^2, counts * (a - q)^2
} grid_fit;

static float square(float x) {
    return x * x;
}

static uint32_t combination(const gw_grid_kind *kind, uint32_t byte) {
    uint32_t c = 0;
    for (uint32_t bit = 8; bit > 0; bit -= kind->code_bits) {
        uint32_t mask = (1u << kind->code_bits) - 1;
        c = c * kind->n_values + (byte >> (bit - kind->code_bits) & mask);
    }
    return c;
}

static void order_grid(grid_input *in) {
    const gw_grid_kind *kind = in->kind;
    for (uint32_t p = 0; p < kind->n_points; p++) {
        uint32_t entry = kind->grid[p];
        in->low[p] = (uint8_t)combination(kind, entry & 255);
        if (p == 0 || entry >> 8 != kind->grid[p - 1] >> 8) {
            in->runs[in->n_runs++] = (grid_run){.high = combination(kind, entry >> 8), .first = p};
        }
        in->runs[in->n_runs - 1].end = p + 1;
    }
}

// What each combination of a byte's codes costs.
static void combination_costs(const gw_grid_kind *kind, const float *a, const float *counts,
                              float scale, float *out) {
    uint32_t n = 1;
    out[0] = 0.0f;
    for (uint32_t i = 0; i < 8 / kind->code_bits; i++) {
        for (uint32_t v = kind->n_values;
             v-- > 0;) { // 0 comes last: the others read what it adds to
            float add = counts[i] * square(a[i] - scale * (float)kind->values[v]);
            for (uint32_t c = 0; c < n; c++) out[v * n + c] = out[c] + add;
        }
        n *= kind->n_values;
    }
}

typedef struct nearest {
    float error;
    uint32_t point;
} nearest;

static void search_run(const grid_input *in, const grid_run *run, const float *low, float high,
                       nearest *best) {
    for (uint32_t p = run->first; p < run->end; p++) {
        float error = low[in->low[p]] + high;
        if (error < best->error) *best = (nearest){error, p};
    }
}

// The point nearest to a[0 ..] at a scale: first among those with the best high byte, then where a
// high byte alone does not cost too much already.
static nearest nearest_point(const grid_input *in, uint32_t at, float scale) {
    uint32_t per_byte = 8 / in->kind->code_bits, guess = 0;
    float low[MAX_COMBINATIONS], high[MAX_COMBINATIONS];
    combination_costs(in->kind, in->a + at, in->counts + at, scale, low);
    combination_costs(in->kind, in->a + at + per_byte, in->counts + at + per_byte, scale, high);
    for (uint32_t r = 1; r < in->n_runs; r++) {
        if (high[in->runs[r].high] < high[in->runs[guess].high]) guess = r;
    }
    const grid_run *run = &in->runs[guess];
    nearest best = {low[in->low[run->first]] + high[run->high], run->first};
    search_run(in, run, low, high[run->high], &best);
    for (uint32_t r = 0; r < in->n_runs; r++) {
        run = &in->runs[r];
        if (high[run->high] < best.error) search_run(in, run, low, high[run->high], &best);
    }
    return best;
}

// n_scale weights from `first` at a scale.
static grid_fit fit_at(const grid_input *in, uint32_t first, float scale, uint16_t *points) {
    const gw_grid_kind *kind = in->kind;
    uint32_t size = 16 / kind->code_bits;
    grid_fit fit = {0.0f, 0.0f, 0.0f};
    for (uint32_t i = 0; i < kind->n_scale; i += size) {
        uint32_t at = first + i;
        nearest near = nearest_point(in, at, scale);
        points[i / size] = (uint16_t)near.point;
        fit.error += near.error;
        uint32_t entry = kind->grid[near.point];
        for (uint32_t k = 0; k < size; k++) {
            uint32_t code = entry >> (k * kind->code_bits) & (kind->code_bits == 2 ? 3 : 7);
            float q = (float)kind->values[code];
            fit.qx += in->counts[at + k] * q * in->a[at + k];
            fit.q2 += in->counts[at + k] * q * q;
        }
    }
    return fit;
}

// The scale of n_scale weights alone: the largest magnitude is tried at levels about the top one.
static float own_scale(const grid_input *in, uint32_t first) {
    float largest = gw_largest(in->a + first, (int)in->kind->n_scale);
    float top = (float)in->kind->values[in->kind->n_values - 1], scale = 0.0f, best = 0.0f;
    if (largest <= 0.0f) return 0.0f;
    for (int level = 0; level < N_LEVELS; level++) {
        uint16_t points[8];
        float at = top * (0.75f + 0.11f * (float)level);
        grid_fit fit = fit_at(in, first, largest / at, points);
        if (fit.q2 > 0.0f && fit.qx > 0.0f && fit.qx * (fit.qx / fit.q2) > best) {
            scale = fit.qx / fit.q2;
            best = scale * fit.qx;
        }
    }
    return scale;
}

// Takes scales and points for a given d; sums are of whole q, scale and value.
static grid_fit take(const grid_input *in, const float *own, float d, gw_grid_block *out) {
    const gw_grid_kind *kind = in->kind;
    uint32_t n_points = kind->n_scale * kind->code_bits / 16;
    grid_fit sum = {0.0f, 0.0f, 0.0f};
    for (uint32_t u = 0; u < BLOCK / kind->n_scale; u++) {
        float wish = (own[u] / d - 1.0f) * 0.5f;
        int near = wish > (float)MAX_SCALE ? MAX_SCALE : wish > 0.0f ? (int)(wish + 0.5f) : 0;
        bool any = false;
        grid_fit best = {0.0f, 0.0f, 0.0f};
        for (int s = near - 1; s <= near + 1; s++) {
            uint16_t points[8];
            if (s < 0 || s > MAX_SCALE) continue;
            float times = (float)(2 * s + 1);
            grid_fit fit = fit_at(in, u * kind->n_scale, d * times, points);
            if (any && fit.error >= best.error) continue;
            any = true;
            best = (grid_fit){fit.qx * times, fit.q2 * times * times, fit.error};
            out->scales[u] = (uint8_t)s;
            memcpy(out->points + u * n_points, points, n_points * sizeof *points);
        }
        sum.qx += best.qx;
        sum.q2 += best.q2;
        sum.error += best.error;
    }
    return sum;
}

// Magnitudes and signs. Where the number of signs must be even, the smallest weight gives way: its
// "magnitude" is then negative.
static void split_signs(const float *x, grid_input *in, uint8_t *signs) {
    for (uint32_t g = 0; g < BLOCK / 8; g++) {
        uint32_t least = 0, n_minus = 0;
        signs[g] = 0;
        for (uint32_t i = 0; i < 8; i++) {
            float v = x[g * 8 + i];
            in->a[g * 8 + i] = gw_abs(v);
            n_minus += v < 0.0f;
            signs[g] |= (uint8_t)((v < 0.0f) << i);
            if (in->counts[g * 8 + i] * square(v) <
                in->counts[g * 8 + least] * square(x[g * 8 + least])) {
                least = i;
            }
        }
        if (!in->kind->even_signs || n_minus % 2 == 0) continue;
        signs[g] ^= (uint8_t)(1u << least);
        in->a[g * 8 + least] = -in->a[g * 8 + least];
    }
}

void gw_grid_search(const gw_grid_kind *kind, const float *x, const float *importances,
                    gw_grid_block *out) {
    grid_input in = {.kind = kind};
    float own[16], largest = 0.0f, mean = 0.0f, best = 0.0f;
    for (int i = 0; i < BLOCK; i++) mean += x[i] * x[i] * (2.0f / BLOCK);
    for (int i = 0; i < BLOCK; i++) {
        in.counts[i] = importances ? importances[i] * gw_sqrt(mean + x[i] * x[i]) : 1.0f;
    }
    memset(out, 0, sizeof *out);
    split_signs(x, &in, out->signs);
    order_grid(&in);
    for (uint32_t u = 0; u < BLOCK / kind->n_scale; u++) {
        own[u] = own_scale(&in, u * kind->n_scale);
        largest = own[u] > largest ? own[u] : largest;
    }
    float d = largest / (2 * MAX_SCALE + 1);
    for (int round = 0; round < N_ROUNDS; round++) {
        gw_grid_block tried = *out;
        tried.half = gw_f32_to_f16(d / kind->unit_d);
        d = gw_f16_to_f32(tried.half) * kind->unit_d;
        if (!(d > 0.0f)) return;
        grid_fit fit = take(&in, own, d, &tried);
        if (round == 0 || fit.error < best) {
            best = fit.error;
            *out = tried;
        }
        d = fit.q2 > 0.0f ? fit.qx / fit.q2 : 0.0f;
    }
}
