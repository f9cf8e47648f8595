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
