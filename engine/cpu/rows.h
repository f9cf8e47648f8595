// Rows in vectors: ops whose elements, or groups of 32, are made one by one.
#ifndef GW_CPU_ROWS_H
#define GW_CPU_ROWS_H

#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "base/sums.h"
#include "ops/rms_norm.h"
#include "ops/gated.h"
#include "ops/layer_norm.h"

// name: gw_NAME_groups; made: what gives the flushed result, of the parameters too. Items: groups of 32
// elements; the last may be shorter where y is f32.
#define GW_GATED_GROUPS(name, made)                                                                \
    GW_INLINE void name##_group(const void *p, const float *gate, const float *up, uint32_t n,     \
                                gw_vf *y) {                                                        \
        for (uint32_t i = 0; i < GW_Q8_VECTORS; i++) {                                             \
            const uint32_t at = i * GW_LANES, left = n > at ? n - at : 0;                          \
            y[i] = made(p, gw_load_floats(gate + at, left), gw_load_floats(up + at, left));        \
        }                                                                                          \
    }                                                                                              \
    static inline void gw_##name##_groups(const gw_reference_args *args) {                         \
        const gw_gated_params *p = args->params;                                                   \
        const uint64_t n = (uint64_t)p->n * (p->quantize ? 32 : 1);                                \
        for (uint64_t g = args->first; g < args->end; g++) {                                       \
            const float *gate = (const float *)args->bufs[0] + gw_column_at(&p->gate, g * 32);     \
            const float *up = (const float *)args->bufs[1] + gw_column_at(&p->up, g * 32);         \
            const uint32_t here = n - g * 32 < 32 ? (uint32_t)(n - g * 32) : 32;                   \
            gw_vf y[GW_Q8_VECTORS];                                                                \
            if (here == 32)                                                                        \
                name##_group(p, gate, up, 32, y);                                                  \
            else                                                                                   \
                name##_group(p, gate, up, here, y);                                                \
            if (p->quantize)                                                                       \
                ((float *)args->bufs[3])[g] = gw_q8_pack_v(y, (int8_t *)args->bufs[2] + g * 32);   \
            else                                                                                   \
                memcpy((float *)args->bufs[2] + g * 32, y, here * sizeof(float));                  \
        }                                                                                          \
    }

GW_INLINE gw_vf made_by_silu(const void *p, gw_vf gate, gw_vf up) {
    (void)p;
    return gw_flush_v(gw_silu_v(gate) * up);
}
GW_INLINE gw_vf made_by_gelu(const void *p, gw_vf gate, gw_vf up) {
    (void)p;
    return gw_flush_v(gw_flush_v(gw_gelu_tanh_v(gate)) * up);
}
GW_INLINE gw_vf made_by_sigmoid(const void *p, gw_vf gate, gw_vf up) {
    (void)p;
    return gw_flush_v(gw_flush_v(gw_sigmoid_v(gate)) * up);
}
GW_INLINE gw_vf made_by_swiglu_clamp(const void *params, gw_vf gate, gw_vf up) {
    const gw_swiglu_clamp_attrs *a = &((const gw_swiglu_clamp_params *)params)->a;
    const gw_vf most = gw_splat_f(a->limit), most_gate = gw_splat_f(a->gate_limit);
    const gw_vf most_act = gw_splat_f(a->act_limit);
    gw_vf g = gw_if_less(most_gate, gate, most_gate, gate), u = gw_if_less(most, up, most, up);
    u = gw_if_less(u, -most, -most, u);
    gw_vf act = gw_flush_v(g * gw_flush_v(gw_sigmoid_v(gw_flush_v(g * gw_splat_f(a->alpha)))));
    act = gw_if_less(most_act, act, most_act, act);
    return gw_flush_v(act * gw_flush_v(u + gw_splat_f(a->offset)));
}

GW_GATED_GROUPS(silu_mul, made_by_silu)
GW_GATED_GROUPS(gelu_mul, made_by_gelu)
GW_GATED_GROUPS(sigmoid_mul, made_by_sigmoid)
GW_GATED_GROUPS(swiglu_clamp, made_by_swiglu_clamp)

// Units of 32 of a row: n elements of one, the others 0.
GW_INLINE void load_unit(const float *x, uint32_t n, gw_vf out[GW_Q8_VECTORS]) {
    for (uint32_t i = 0; i < GW_Q8_VECTORS; i++) {
        const uint32_t at = i * GW_LANES;
        out[i] = gw_load_floats(x + at, n >= 32 ? GW_LANES : n > at ? n - at : 0);
    }
}

static inline float sum_of_squares(const float *x, uint32_t n) {
    gw_sum sum = {0};
    for (uint32_t at = 0; at < n; at += 32) {
        gw_vf t[GW_Q8_VECTORS];
        load_unit(x + at, n - at, t);
        for (int i = 0; i < GW_Q8_VECTORS; i++) t[i] = t[i] * t[i];
        gw_sum_add(&sum, gw_sum_halves_v(t));
    }
    return gw_sum_end(&sum);
}

// Items: rows.
static inline void gw_rms_norm_rows(const gw_reference_args *args) {
    const gw_rms_norm_params *p = args->params;
    const float *w = args->bufs[1];
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = gw_rms_norm_row(p, args->bufs[0], row);
        const float scale = gw_rms_norm_scale(p, sum_of_squares(x, p->n));
        if (p->folded) ((float *)args->bufs[4])[row] = scale;
        for (uint32_t at = 0; at < p->n; at += 32) {
            const uint64_t to = row * p->n + at;
            const uint32_t n = p->n - at < 32 ? p->n - at : 32;
            gw_vf y[GW_Q8_VECTORS], factor[GW_Q8_VECTORS];
            load_unit(x + at, n, y);
            load_unit(w + at, n, factor);
            for (int i = 0; i < GW_Q8_VECTORS; i++) {
                if (!p->folded) y[i] = gw_flush_v(y[i] * gw_splat_f(scale));
                y[i] = gw_flush_v(y[i] * factor[i]);
            }
            if (p->quantize)
                ((float *)args->bufs[3])[to / 32] = gw_q8_pack_v(y, (int8_t *)args->bufs[2] + to);
            else
                memcpy((float *)args->bufs[2] + to, y, n * sizeof(float));
        }
    }
}

// flush(x - mean) of n elements of a unit, the others 0.
GW_INLINE void load_centred(const float *x, uint32_t n, float mean, gw_vf out[GW_Q8_VECTORS]) {
    load_unit(x, n, out);
    for (int i = 0; i < GW_Q8_VECTORS; i++) out[i] = gw_flush_v(out[i] - gw_splat_f(mean));
    if (n < 32) memset((float *)(void *)out + n, 0, (32 - n) * sizeof(float));
}

static inline float sum_of(const float *x, uint32_t n) {
    gw_sum sum = {0};
    for (uint32_t at = 0; at < n; at += 32) {
        gw_vf t[GW_Q8_VECTORS];
        load_unit(x + at, n - at, t);
        gw_sum_add(&sum, gw_sum_halves_v(t));
    }
    return gw_sum_end(&sum);
}

static inline float sum_of_squares_from(const float *x, uint32_t n, float mean) {
    gw_sum sum = {0};
    for (uint32_t at = 0; at < n; at += 32) {
        gw_vf t[GW_Q8_VECTORS];
        load_centred(x + at, n - at, mean, t);
        for (int i = 0; i < GW_Q8_VECTORS; i++) t[i] = t[i] * t[i];
        gw_sum_add(&sum, gw_sum_halves_v(t));
    }
    return gw_sum_end(&sum);
}

// Items: rows.
static inline void gw_layer_norm_rows(const gw_reference_args *args) {
    const gw_layer_norm_params *p = args->params;
    const float *w = args->bufs[1], *b = args->bufs[2];
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = (const float *)args->bufs[0] + p->x_first + row * p->n;
        float *y = (float *)args->bufs[3] + row * p->n;
        const float mean = gw_flush(sum_of(x, p->n) * p->inv_n);
        const float scale = gw_layer_norm_scale(p, sum_of_squares_from(x, p->n, mean));
        for (uint32_t at = 0; at < p->n; at += GW_LANES) {
            const uint32_t n = p->n - at < GW_LANES ? p->n - at : GW_LANES;
            gw_vf v = gw_flush_v(gw_load_floats(x + at, n) - gw_splat_f(mean));
            v = gw_flush_v(gw_flush_v(v * gw_splat_f(scale)) * gw_load_floats(w + at, n));
            if (p->has_bias) v = gw_flush_v(v + gw_load_floats(b + at, n));
            memcpy(y + at, &v, n * sizeof(float));
        }
    }
}

// Items: rows.
static inline void gw_l2_norm_rows(const gw_reference_args *args) {
    const gw_l2_norm_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = (const float *)args->bufs[0] + gw_column_at(&p->x, row * p->n);
        float *y = (float *)args->bufs[1] + row * p->n;
        const float scale = gw_l2_norm_scale(p, sum_of_squares(x, p->n));
        for (uint32_t at = 0; at < p->n; at += GW_LANES) {
            const uint32_t n = p->n - at < GW_LANES ? p->n - at : GW_LANES;
            gw_vf v = gw_flush_v(gw_load_floats(x + at, n) * gw_splat_f(scale));
            memcpy(y + at, &v, n * sizeof(float));
        }
    }
}

#endif
