// Recurrent ops in vectors: a lane is a channel of ssm_conv, a head of ssm_gates, a column of a head's state.
#ifndef GW_CPU_RECURRENT_H
#define GW_CPU_RECURRENT_H

#include "cpu/kernels.h"
#include "cpu/vec_math.h"
#include "ops/recurrence.h"
#include "ops/selective_scan.h"

enum {
    STATE_UNIT = 32,
    STATE_VECTORS = GW_RECURRENCE_COLUMNS / GW_LANES,
};

// --- ssm_conv: items are groups of 32 channels

// GW_LANES channels from c on, of which `left` are there.
typedef struct conv_lanes {
    const gw_ssm_conv_params *p;
    const gw_reference_args *args;
    uint32_t c, left;
    gw_vf w[GW_MAX_CONV_TAPS], bias;
    gw_vf taken
        [GW_MAX_CONV_TAPS]; // what is convolved: the last inputs, the oldest first, then the token's
} conv_lanes;

static inline void conv_begin(conv_lanes *v) {
    const gw_ssm_conv_params *p = v->p;
    for (uint32_t k = 0; k < p->n_taps; k++) {
        float w[GW_LANES] = {0};
        for (uint32_t i = 0; i < v->left && i < GW_LANES; i++)
            w[i] = ((const float *)v->args->bufs[1])[(uint64_t)(v->c + i) * p->n_taps + k];
        v->w[k] = gw_load_f(w);
    }
    v->bias = gw_splat_f(0.0f);
    if (p->has_bias) v->bias = gw_load_floats((const float *)v->args->bufs[2] + v->c, v->left);
}

static inline void conv_token(conv_lanes *v, uint64_t t) {
    const gw_ssm_conv_params *p = v->p;
    const uint32_t tail = p->n_taps - 1, n_parts = p->gated ? 3 : 1;
    const float *x =
        (const float *)v->args->bufs[0] + gw_column_at(&p->x, t * n_parts * p->n) + v->c;
    gw_vf sum = gw_splat_f(0.0f), taken = gw_load_floats(x, v->left);
    if (p->gated) taken = gw_flush_v(taken * gw_load_floats(x + 2ull * p->n, v->left));
    v->taken[tail] = taken;
    for (uint32_t k = 0; k < p->n_taps; k++) sum = sum + v->w[k] * v->taken[k];
    gw_vf y = gw_flush_v(sum);
    if (p->has_bias) y = gw_flush_v(y + v->bias);
    if (p->silu) y = gw_silu_v(y);
    if (p->gated) y = gw_flush_v(y * gw_load_floats(x + p->n, v->left));
    gw_save_floats((float *)v->args->bufs[5] + t * p->n + v->c, v->left, y);
    for (uint32_t k = 0; k < tail; k++) v->taken[k] = v->taken[k + 1];
}

static inline void conv_segment(conv_lanes *v, const gw_segment *s) {
    const gw_ssm_conv_params *p = v->p;
    const uint32_t tail = p->n_taps - 1;
    float *state = (float *)v->args->bufs[4] + v->c;
    for (uint32_t k = 0; k < tail; k++) {
        v->taken[k] = gw_splat_f(0.0f);
        if (s->from >= 0)
            v->taken[k] = gw_load_floats(state + ((uint64_t)s->from * tail + k) * p->n, v->left);
    }
    for (int32_t t = 0; t < s->n; t++) conv_token(v, (uint64_t)(s->first + t));
    for (uint32_t k = 0; k < tail && gw_segment_writes(s, p->n_blocks); k++)
        gw_save_floats(state + ((uint64_t)s->to * tail + k) * p->n, v->left, v->taken[k]);
}

static inline void gw_ssm_conv_groups(const gw_reference_args *args) {
    const gw_ssm_conv_params *p = args->params;
    const uint64_t end = args->end * 32 < p->n ? args->end * 32 : p->n;
    for (uint64_t c = args->first * 32; c < end; c += GW_LANES) {
        conv_lanes v = {.p = p, .args = args, .c = (uint32_t)c, .left = p->n - (uint32_t)c};
        conv_begin(&v);
        for (uint32_t i = 0; i < p->n_segments; i++) {
            gw_segment s;
            if (gw_segment_at(args->bufs[3], i, p->n_tok, p->n_blocks, &s)) conv_segment(&v, &s);
        }
    }
}

// --- ssm_gates: items are tokens

static inline void gw_ssm_gates_rows(const gw_reference_args *args) {
    const gw_ssm_gates_params *p = args->params;
    const float *a = args->bufs[1], *bias = args->bufs[2];
    for (uint64_t t = args->first; t < args->end; t++) {
        const float *dt = (const float *)args->bufs[0] + gw_column_at(&p->dt, t * p->n);
        const float *rate = (const float *)args->bufs[3] + gw_column_at(&p->rate, t * p->n_rates);
        float *y = (float *)args->bufs[4] + t * (p->n + p->n_rates);
        for (uint32_t i = 0; i < p->n; i += GW_LANES) {
            const uint32_t left = p->n - i;
            float of[GW_LANES] = {0};
            for (uint32_t k = 0; k < GW_LANES && k < left; k++) of[k] = a[(i + k) / p->n_share];
            gw_vf x = gw_flush_v(gw_load_floats(dt + i, left) + gw_load_floats(bias + i, left));
            gw_vf by = gw_load_f(of);
            gw_vf s =
                gw_flush_v(p->bound != 0.0f ? gw_sigmoid_v(gw_flush_v(by * x)) : gw_softplus_v(x));
            if (p->bound != 0.0f) by = gw_splat_f(p->bound);
            gw_save_floats(y + i, left, gw_flush_v(gw_exp_v(gw_flush_v(by * s))));
            if (!p->sigmoid) gw_save_floats(y + p->n + i, left, s);
        }
        for (uint32_t i = 0; i < p->n_rates && p->sigmoid; i += GW_LANES) {
            const uint32_t left = p->n_rates - i;
            gw_save_floats(y + p->n + i, left,
                           gw_flush_v(gw_sigmoid_v(gw_load_floats(rate + i, left))));
        }
    }
}

// --- gated_delta_net, ssm_scan: items as of the reference, columns of a head; names: ops/recurrence.c

typedef struct state_part {
    const gw_recurrence_params *p;
    const gw_reference_args *args;
    uint32_t head, c0, n;
    gw_vf s[GW_RECURRENCE_ROWS][STATE_VECTORS];
} state_part;

GW_INLINE void load_columns(const float *at, uint32_t n, gw_vf out[STATE_VECTORS]) {
    for (uint32_t v = 0; v < STATE_VECTORS; v++) {
        const uint32_t c = v * GW_LANES;
        out[v] = gw_load_floats(at + c, n > c ? n - c : 0);
    }
}
GW_INLINE void save_columns(float *at, uint32_t n, const gw_vf x[STATE_VECTORS]) {
    memcpy(at, x, n * sizeof(float));
}

// S decays; sum = S^T key.
GW_INLINE void decay_state(state_part *w, const float *by, const float *key,
                           gw_vf sum[STATE_VECTORS]) {
    const uint32_t dk = w->p->dk, step = w->p->n_decays > 1;
    for (int v = 0; v < STATE_VECTORS; v++) sum[v] = gw_splat_f(0.0f);
    for (uint32_t u = 0; u < dk; u += STATE_UNIT) {
        gw_vf unit[STATE_VECTORS];
        for (int v = 0; v < STATE_VECTORS; v++) unit[v] = gw_splat_f(0.0f);
        for (uint32_t i = u; i < u + STATE_UNIT && i < dk; i++) {
            const gw_vf decay = gw_splat_f(by[i * step]);
            for (int v = 0; v < STATE_VECTORS; v++) {
                gw_vf s = gw_flush_v(w->s[i][v] * decay);
                w->s[i][v] = s;
                unit[v] = unit[v] + s * gw_splat_f(key[i]);
            }
        }
        for (int v = 0; v < STATE_VECTORS; v++) sum[v] = sum[v] + unit[v];
    }
}

// S takes up d at key; sum = S^T query.
GW_INLINE void take_up_state(state_part *w, const gw_vf *d, const float *key, const float *query,
                             gw_vf sum[STATE_VECTORS]) {
    const uint32_t dk = w->p->dk;
    for (int v = 0; v < STATE_VECTORS; v++) sum[v] = gw_splat_f(0.0f);
    for (uint32_t u = 0; u < dk; u += STATE_UNIT) {
        gw_vf unit[STATE_VECTORS];
        for (int v = 0; v < STATE_VECTORS; v++) unit[v] = gw_splat_f(0.0f);
        for (uint32_t i = u; i < u + STATE_UNIT && i < dk; i++) {
            for (int v = 0; v < STATE_VECTORS; v++) {
                gw_vf more = gw_splat_f(key[i]) * d[v];
                gw_vf s = gw_flush_v(w->s[i][v] + more);
                w->s[i][v] = s;
                unit[v] = unit[v] + s * gw_splat_f(query[i]);
            }
        }
        for (int v = 0; v < STATE_VECTORS; v++) sum[v] = sum[v] + unit[v];
    }
}

GW_INLINE void recurrence_token(state_part *w, uint64_t t, const bool delta) {
    const gw_recurrence_params *p = w->p;
    void *const *bufs = w->args->bufs;
    const float *query = gw_recurrence_row(p, bufs[0], t, w->head, !delta);
    const float *key = gw_recurrence_row(p, bufs[0], t, w->head, delta);
    const uint64_t at = (t * p->n_heads + w->head) * p->dv + w->c0;
    const gw_vf rate = gw_splat_f(gw_recurrence_rate(p, bufs[2], t, w->head));
    gw_vf value[STATE_VECTORS], sum[STATE_VECTORS], d[STATE_VECTORS], y[STATE_VECTORS];
    load_columns((const float *)bufs[1] + gw_column_at(&p->v, at), w->n, value);
    decay_state(w, gw_recurrence_decays(p, bufs[2], t, w->head), key, sum);
    for (int v = 0; v < STATE_VECTORS; v++) {
        gw_vf fresh = delta ? gw_flush_v(value[v] - gw_flush_v(sum[v])) : value[v];
        d[v] = gw_flush_v(fresh * rate);
    }
    take_up_state(w, d, key, query, sum);
    const gw_vf factor = gw_splat_f(delta ? p->scale : ((const float *)bufs[6])[w->head]);
    for (int v = 0; v < STATE_VECTORS; v++) {
        gw_vf made = gw_flush_v(sum[v]);
        y[v] = gw_flush_v(delta ? made * factor : made + gw_flush_v(factor * value[v]));
    }
    save_columns((float *)bufs[5] + at, w->n, y);
}

GW_INLINE void recurrence_rows(const gw_reference_args *args, const bool delta) {
    const gw_recurrence_params *p = args->params;
    const uint32_t n_parts = gw_div_up(p->dv, GW_RECURRENCE_COLUMNS);
    float *state = args->bufs[4];
    for (uint64_t item = args->first; item < args->end; item++) {
        state_part w = {.p = p, .args = args, .head = (uint32_t)(item / n_parts)};
        w.c0 = (uint32_t)(item % n_parts) * GW_RECURRENCE_COLUMNS;
        w.n = p->dv - w.c0 < GW_RECURRENCE_COLUMNS ? p->dv - w.c0 : GW_RECURRENCE_COLUMNS;
        for (uint32_t i = 0; i < p->n_segments; i++) {
            gw_segment s;
            if (!gw_segment_at(args->bufs[3], i, p->n_tok, p->n_blocks, &s)) continue;
            for (uint32_t k = 0; k < p->dk; k++) {
                const uint64_t at = s.from < 0 ? 0
                                               : gw_recurrence_state_at(p, s.from, w.head, w.c0) +
                                                     (uint64_t)k * p->dv;
                load_columns(state + at, s.from < 0 ? 0 : w.n, w.s[k]);
            }
            for (int32_t t = 0; t < s.n; t++) recurrence_token(&w, (uint64_t)(s.first + t), delta);
            for (uint32_t k = 0; k < p->dk && gw_segment_writes(&s, p->n_blocks); k++)
                save_columns(state + gw_recurrence_state_at(p, s.to, w.head, w.c0) +
                                 (uint64_t)k * p->dv,
                             w.n, w.s[k]);
        }
    }
}
static inline void gw_gated_delta_net_rows(const gw_reference_args *args) {
    recurrence_rows(args, true);
}
static inline void gw_ssm_scan_rows(const gw_reference_args *args) {
    recurrence_rows(args, false);
}

// --- selective_scan: items are groups of channels

// GW_LANES channels from c on, of which `left` are there.
typedef struct scan_lanes {
    const gw_selective_scan_params *p;
    const gw_reference_args *args;
    uint32_t c, left;
    gw_vf s[GW_RECURRENCE_ROWS], a[GW_RECURRENCE_ROWS], skip;
} scan_lanes;

GW_INLINE void scan_begin(scan_lanes *w) {
    const uint32_t dk = w->p->dk;
    for (uint32_t k = 0; k < dk; k++) {
        float a[GW_LANES] = {0};
        for (uint32_t i = 0; i < w->left && i < GW_LANES; i++)
            a[i] = ((const float *)w->args->bufs[6])[(uint64_t)(w->c + i) * dk + k];
        w->a[k] = gw_load_f(a);
    }
    w->skip = gw_load_floats((const float *)w->args->bufs[7] + w->c, w->left);
}

GW_INLINE void scan_token(scan_lanes *w, uint64_t t) {
    const gw_selective_scan_params *p = w->p;
    void *const *bufs = w->args->bufs;
    const float *b = (const float *)bufs[0] + gw_column_at(&p->rows, t * 2 * p->dk);
    const float *from = (const float *)bufs[0] + gw_column_at(&p->rows, (t * 2 + 1) * p->dk);
    const uint64_t at = t * p->n + w->c;
    const gw_vf v =
        gw_load_floats((const float *)bufs[1] + gw_column_at(&p->v, t * p->n) + w->c, w->left);
    const gw_vf dt =
        gw_load_floats((const float *)bufs[2] + gw_column_at(&p->dt, t * p->n) + w->c, w->left);
    const gw_vf step = gw_flush_v(gw_softplus_v(dt)), d = gw_flush_v(step * v);
    gw_vf sum = gw_splat_f(0.0f);
    for (uint32_t u = 0; u < p->dk; u += STATE_UNIT) {
        gw_vf unit = gw_splat_f(0.0f);
        for (uint32_t i = u; i < u + STATE_UNIT && i < p->dk; i++) {
            const gw_vf by = gw_flush_v(gw_exp_v(gw_flush_v(w->a[i] * step)));
            const gw_vf left = gw_flush_v(w->s[i] * by), more = gw_splat_f(b[i]) * d;
            w->s[i] = gw_flush_v(left + more);
            unit = unit + w->s[i] * gw_splat_f(from[i]);
        }
        sum = sum + unit;
    }
    gw_save_floats((float *)bufs[5] + at, w->left,
                   gw_flush_v(gw_flush_v(sum) + gw_flush_v(w->skip * v)));
}

static inline void gw_selective_scan_rows(const gw_reference_args *args) {
    const gw_selective_scan_params *p = args->params;
    const uint64_t end = args->end * GW_SCAN_COLUMNS < p->n ? args->end * GW_SCAN_COLUMNS : p->n;
    float *state = args->bufs[4];
    for (uint64_t c = args->first * GW_SCAN_COLUMNS; c < end; c += GW_LANES) {
        scan_lanes w = {.p = p, .args = args, .c = (uint32_t)c, .left = (uint32_t)(end - c)};
        scan_begin(&w);
        for (uint32_t i = 0; i < p->n_segments; i++) {
            gw_segment s;
            if (!gw_segment_at(args->bufs[3], i, p->n_tok, p->n_blocks, &s)) continue;
            for (uint32_t k = 0; k < p->dk; k++) {
                w.s[k] = gw_splat_f(0.0f);
                if (s.from >= 0)
                    w.s[k] = gw_load_floats(state + gw_scan_state_at(p, s.from, k, w.c), w.left);
            }
            for (int32_t t = 0; t < s.n; t++) scan_token(&w, (uint64_t)(s.first + t));
            for (uint32_t k = 0; k < p->dk && gw_segment_writes(&s, p->n_blocks); k++)
                gw_save_floats(state + gw_scan_state_at(p, s.to, k, w.c), w.left, w.s[k]);
        }
    }
}

#endif
