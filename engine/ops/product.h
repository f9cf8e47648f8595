// Product: one term of an integer product, 32 weights by 32 int8 activations; the twin of
// shaders/lib/product.glsl. docs/NUMERICS.md bounds its integers: all stay below 2^24.
#ifndef GW_OPS_PRODUCT_H
#define GW_OPS_PRODUCT_H

#include "quant/quant.h"

// dot: the exact integer dots of weights 0..15 and 16..31; sum: sums of the activations; xd: their
// scale.
static inline float gw_term_of_dots(gw_form form, const gw_unit *w, const int32_t *dot,
                                    const int32_t *sum, float xd) {
    float d = w->d * xd, m = w->m * xd;
    if (form == GW_FORM_PLAIN) return d * (float)(dot[0] + dot[1]);
    if (form == GW_FORM_PAIR) {
        float low = d * (float)dot[0], high = m * (float)dot[1];
        return low + high;
    }
    float term = d * (float)(w->s[0] * dot[0] + w->s[1] * dot[1]);
    if (form == GW_FORM_SUB) return term;
    float min = m * (float)(w->z[0] * sum[0] + w->z[1] * sum[1]);
    return term - min;
}

// x: [32] activations, xd: their scale.
static inline float gw_term(gw_form form, const gw_unit *w, const int8_t *x, float xd) {
    int32_t dot[2] = {0, 0}, sum[2] = {0, 0};
    for (int i = 0; i < 16; i++) {
        dot[0] += (int32_t)w->q[i] * x[i];
        dot[1] += (int32_t)w->q[16 + i] * x[16 + i];
    }
    for (int i = 0; i < 16 && form == GW_FORM_MIN; i++) {
        sum[0] += x[i];
        sum[1] += x[16 + i];
    }
    return gw_term_of_dots(form, w, dot, sum, xd);
}

#endif
