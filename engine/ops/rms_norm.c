// rms_norm: y = x / sqrt(mean(x^2) + eps) * w, row by row
//   x: [.., n] f32, or columns; w: [n] f32 constant; y: [.., n] f32, or q8_act when fused with quantize_q8
// folded: y = x * w, and a second output, [.., 1] f32, is g, by which a product of y is scaled
// (matmul's scale); all readers of y are such products
// Order of sums: the sum of squares is a reduction (base/sums.h); v = sum * (1 / n) + eps, the
// reciprocal taken once on the host; g = flush(rsqrt(v)), 0 where v is below 2^-80;
// y = flush(flush(x * g) * w), folded flush(x * w). Source: Zhang and Sennrich, "Root Mean Square Layer
// Normalization", 2019.
#include "ops/rms_norm.h"

#include "base/sums.h"
#include "ops/ops.h"
#include "ops/q8_act.h"

#include <stdio.h>

static const gw_attr_row attrs[] = {
    {"eps", GW_ATTR_F32, offsetof(gw_rms_norm_attrs, eps), 1e-5f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *x = node->inputs[0], *w = node->inputs[1];
    const gw_rms_norm_attrs *a = (const gw_rms_norm_attrs *)node->attrs;
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && gw_is_f32_rows(w), err, "x and w are not both f32");
    GW_OP_CHECK(node, !x->weight, err, "x is a constant");
    GW_OP_CHECK(node, gw_value_n_rows(w) == 1 && gw_value_row(w) == gw_value_row(x), err,
                "w is not one row of what rows of x have: %llu, %llu",
                (unsigned long long)gw_value_row(w), (unsigned long long)gw_value_row(x));
    GW_OP_CHECK(node, gw_value_n_elements(x) < UINT32_MAX, err, "x has 2^32 elements or more");
    GW_OP_CHECK(node, a->eps >= 0.0f && a->eps <= 1.0f, err, "eps is not between 0 and 1");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = x->n_dims};
    memcpy(out->dims, x->dims, sizeof out->dims);
    if (!a->folded) return GODWIT_OK;
    out[1] = *out;
    out[1].dims[x->n_dims - 1] = 1;
    return GODWIT_OK;
}

// The workgroup of "rms_norm_wide", whose lanes hold *out_quads times four elements each; 0: not for
// this row or device.
static uint32_t wide_lanes(const gw_tune *tune, const gw_rms_norm_params *p, uint32_t *out_quads) {
    enum { MAX_QUADS = 8 };
    uint32_t n = p->n / 4, lanes = tune->row_wide;
    if (!lanes || p->n % 32 || (p->x.first | p->x.run | p->x.stride) % 4) return 0;
    if (n < lanes) lanes = (uint32_t)GW_ALIGN_UP(n, 8);
    *out_quads = (uint32_t)gw_div_up(n, lanes);
    uint64_t shared = 17ull * lanes * *out_quads + 64;
    return *out_quads <= MAX_QUADS && shared <= tune->max_shared ? lanes : 0;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[0], *y = node->outputs[0];
    const gw_rms_norm_attrs *a = (const gw_rms_norm_attrs *)node->attrs;
    gw_rms_norm_params params = {.n = (uint32_t)gw_value_row(x),
                                 .n_rows = (uint32_t)gw_value_n_rows(x),
                                 .inv_n = 1.0f / (float)gw_value_row(x),
                                 .eps = a->eps,
                                 .quantize = y->dtype == GW_DTYPE_Q8_ACT,
                                 .folded = a->folded};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind_f32(launch, node->inputs[1], false);
    if (params.quantize) {
        gw_launch_bind_q8_act(launch, y, true);
    } else {
        gw_launch_bind(launch, y, true);
        gw_launch_bind(launch, y, true);
    }
    gw_launch_bind(launch, a->folded ? node->outputs[1] : y, true);
    uint32_t lanes = plan->tune.row_lanes, quads = 0,
             wide = wide_lanes(&plan->tune, &params, &quads);
    if (wide) {
        lanes = wide;
        snprintf(launch->shader, sizeof launch->shader, "rms_norm_wide");
    }
    uint32_t spec[4] = {params.quantize, gw_q8_group_lanes(&plan->tune, lanes), lanes, quads};
    gw_launch_spec(launch, lanes, wide ? 4 : 2, spec);
    gw_launch_grid(launch, &plan->tune, params.n_rows);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static float normed(const gw_rms_norm_params *p, const float *x, const float *w, float scale,
                    uint32_t k) {
    float y = p->folded ? x[k] : gw_flush(x[k] * scale);
    return gw_flush(y * w[k]);
}

static uint64_t n_items(const void *params) {
    const gw_rms_norm_params *p = params;
    return p->n_rows;
}

static void reference(const gw_reference_args *args) {
    const gw_rms_norm_params *p = args->params;
    const float *w = args->bufs[1];
    for (uint64_t row = args->first; row < args->end; row++) {
        const float *x = gw_rms_norm_row(p, args->bufs[0], row);
        float scale = gw_rms_norm_scale(p, gw_reduce_squares(x, p->n));
        if (p->folded) ((float *)args->bufs[4])[row] = scale;
        if (!p->quantize) {
            float *y = (float *)args->bufs[2] + row * p->n;
            for (uint32_t k = 0; k < p->n; k++) y[k] = normed(p, x, w, scale, k);
            continue;
        }
        for (uint32_t g = 0; g < p->n / 32; g++) {
            uint64_t at = row * (p->n / 32) + g;
            float v[32];
            for (uint32_t k = 0; k < 32; k++) v[k] = normed(p, x, w, scale, g * 32 + k);
            ((float *)args->bufs[3])[at] = gw_q8_pack(v, (int8_t *)args->bufs[2] + at * 32);
        }
    }
}

const gw_op gw_op_rms_norm = {.name = "rms_norm",
                              .n_inputs_min = 2,
                              .n_inputs_max = 2,
                              .raw_inputs = 2,
                              .one_raw_row = true,
                              .strided_inputs = 1,
                              .writes_q8 = true,
                              .attrs = attrs,
                              .infer = infer,
                              .launch = launch,
                              .n_items = n_items,
                              .reference = reference};
