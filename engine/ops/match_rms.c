// match_rms: rows of x as large, by the root of the mean of their squares, as those of like, whose rows may
// stand in front of them
//   like: [n_tok, n], x: [n_tok, m, n] f32; y: [n_tok, lead + m, n]
// y = flush(flush(x * g) * size); size = flush(sqrt(s)), 0 where s is below 2^-80, g = flush(rsqrt(v)); s and
// v are the reductions (base/sums.h) of the squares of like and of x, times 1 / n, taken once on the host; v
// is at least 1e-5. Source: Baykal et al., "Alternating Updates for Efficient Transformers", 2023.
#include "ops/streams.h"

#include "base/sums.h"

static const gw_attr_row attrs[] = {
    {"lead", GW_ATTR_U32, offsetof(gw_match_rms_attrs, lead), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *like = node->inputs[0], *x = node->inputs[1];
    const gw_match_rms_attrs *a = (const gw_match_rms_attrs *)node->attrs;
    GW_OP_CHECK(node, x->dtype == GODWIT_F32 && x->n_dims == 3 && !x->weight, err,
                "x is not [n_tok, m, n] f32");
    GW_OP_CHECK(node,
                like->dtype == GODWIT_F32 && like->n_dims == 2 && !like->weight &&
                    like->dims[0] == x->dims[0] && like->dims[1] == x->dims[2],
                err, "like is not [n_tok, n] f32");
    GW_OP_CHECK(node, a->lead <= 1, err, "lead is not 0 or 1");
    GW_OP_CHECK(node, 2 * gw_value_n_elements(x) < UINT32_MAX, err, "2^31 elements or more");
    *out = (gw_value){
        .dtype = GODWIT_F32, .n_dims = 3, .dims = {x->dims[0], x->dims[1] + a->lead, x->dims[2]}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *x = node->inputs[1];
    const gw_match_rms_attrs *a = (const gw_match_rms_attrs *)node->attrs;
    const uint32_t lanes = plan->tune.row_lanes;
    gw_match_rms_params params = {.n = (uint32_t)x->dims[2],
                                  .n_tok = (uint32_t)x->dims[0],
                                  .m = (uint32_t)x->dims[1],
                                  .lead = a->lead,
                                  .inv_n = 1.0f / (float)x->dims[2]};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, node->inputs[0], &params.like);
    gw_launch_bind_columns(launch, x, &params.x);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, (uint64_t)params.n_tok * (params.lead + params.m));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    const gw_match_rms_params *p = params;
    return (uint64_t)p->n_tok * (p->lead + p->m);
}

static void reference(const gw_reference_args *args) {
    const gw_match_rms_params *p = args->params;
    for (uint64_t row = args->first; row < args->end; row++) {
        const uint64_t t = row / (p->lead + p->m), i = row % (p->lead + p->m);
        // A row lies in one run.
        const float *like = (const float *)args->bufs[0] + gw_column_at(&p->like, t * p->n);
        float *y = (float *)args->bufs[2] + row * p->n;
        if (i < p->lead) {
            memcpy(y, like, p->n * sizeof *y);
            continue;
        }
        const float *x =
            (const float *)args->bufs[1] + gw_column_at(&p->x, (t * p->m + i - p->lead) * p->n);
        float scale, size;
        gw_match_rms_factors(p, gw_reduce_squares(like, p->n), gw_reduce_squares(x, p->n), &scale,
                             &size);
        for (uint32_t k = 0; k < p->n; k++) {
            y[k] = gw_flush(x[k] * scale);
            y[k] = gw_flush(y[k] * size);
        }
    }
}

const gw_op gw_op_match_rms = {.name = "match_rms",
                               .n_inputs_min = 2,
                               .n_inputs_max = 2,
                               .strided_inputs = 3,
                               .internal = true,
                               .attrs = attrs,
                               .infer = infer,
                               .launch = launch,
                               .n_items = n_items,
                               .reference = reference};
