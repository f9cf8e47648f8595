// ssm_gates: what a head's state decays by at a token, and the rate at which it takes up what is new
//   dt: [n_tok, n] f32; A: [n_a], bias: [n] f32 constants, n_a divides n, whose neighbours have one A; rate: [n_tok,
//   n_rates], at most n, or missing, then n; y: [n_tok, n + n_rates] f32: first the decays, then the rates
// s = flush(softplus(flush(dt + bias))); decay = flush(e^flush(A * s)); the rate is flush(sigmoid(rate)),
// or s where that is missing. With a bound s = flush(sigmoid(flush(A * flush(dt + bias)))), decay =
// flush(e^flush(bound * s)). Source: Gu and Dao, "Mamba", 2023; Yang et al., "Gated Delta Networks", 2024;
// Ling Team, "Ling 3.0", 2026.
#include "ops/recurrent.h"

#include "base/exact_math.h"

static const gw_attr_row attrs[] = {
    {"bound", GW_ATTR_F32, offsetof(gw_ssm_gates_attrs, bound), 0.0f},
    {NULL, GW_ATTR_U32, 0, 0},
};

static bool is_heads(const gw_value *v, uint64_t n) {
    return gw_is_f32_rows(v) && gw_value_n_elements(v) == n;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *dt = node->inputs[0], *a = node->inputs[1], *bias = node->inputs[2];
    const gw_value *rate = node->n_inputs > 3 ? node->inputs[3] : NULL;
    GW_OP_CHECK(node, dt->dtype == GODWIT_F32 && dt->n_dims >= 2 && !dt->weight, err,
                "dt is not rows of f32");
    const uint64_t n = gw_value_n_elements(dt) / dt->dims[0];
    const float bound = ((const gw_ssm_gates_attrs *)node->attrs)->bound;
    GW_OP_CHECK(node, bound >= -32.0f && bound <= 0.0f, err, "the bound is not between -32 and 0");
    GW_OP_CHECK(node, is_heads(bias, n), err, "bias is not a f32 for each of %llu decays",
                (unsigned long long)n);
    GW_OP_CHECK(node, gw_is_f32_rows(a) && n % gw_value_n_elements(a) == 0, err,
                "the A of %llu decays are not f32 that divide them", (unsigned long long)n);
    GW_OP_CHECK(node,
                !rate ||
                    (rate->dtype == GODWIT_F32 && !rate->weight && rate->dims[0] == dt->dims[0] &&
                     gw_value_n_elements(rate) <= gw_value_n_elements(dt)),
                err, "rates are not at most as many as dt");
    GW_OP_CHECK(node, gw_value_n_elements(dt) < UINT32_MAX / 2, err, "2^31 elements or more");
    const uint64_t n_rates = rate ? gw_value_n_elements(rate) / dt->dims[0] : n;
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {dt->dims[0], n + n_rates}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *y = node->outputs[0], *rate = node->n_inputs > 3 ? node->inputs[3] : NULL;
    const uint32_t lanes = plan->tune.elem_lanes;
    const uint64_t n_tok = y->dims[0], n = gw_value_n_elements(node->inputs[0]) / n_tok;
    gw_ssm_gates_params params = {.n = (uint32_t)n,
                                  .n_tok = (uint32_t)n_tok,
                                  .sigmoid = rate != NULL,
                                  .bound = ((const gw_ssm_gates_attrs *)node->attrs)->bound,
                                  .n_rates = (uint32_t)(y->dims[1] - n),
                                  .n_share = (uint32_t)(n / gw_value_n_elements(node->inputs[1]))};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind_columns(launch, node->inputs[0], &params.dt);
    gw_launch_bind_f32(launch, node->inputs[1], false);
    gw_launch_bind_f32(launch, node->inputs[2], false);
    gw_launch_bind_columns(launch, rate ? rate : node->inputs[0], &params.rate);
    gw_launch_bind(launch, y, true);
    gw_launch_spec(launch, lanes, 1, &params.sigmoid);
    gw_launch_grid(launch, &plan->tune, gw_div_up((uint64_t)params.n * params.n_tok, lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

static uint64_t n_items(const void *params) {
    return ((const gw_ssm_gates_params *)params)->n_tok;
}

static void reference(const gw_reference_args *args) {
    const gw_ssm_gates_params *p = args->params;
    const float *dt = args->bufs[0], *a = args->bufs[1], *bias = args->bufs[2];
    for (uint64_t t = args->first; t < args->end; t++) {
        float *y = (float *)args->bufs[4] + t * (p->n + p->n_rates);
        for (uint32_t i = 0; i < p->n; i++) {
            const float x = gw_flush(dt[gw_column_at(&p->dt, t * p->n + i)] + bias[i]);
            const float of = a[i / p->n_share];
            const float s =
                gw_flush(p->bound != 0.0f ? gw_sigmoid(gw_flush(of * x)) : gw_softplus(x));
            y[i] = gw_flush(gw_exp(gw_flush((p->bound != 0.0f ? p->bound : of) * s)));
            if (!p->sigmoid) y[p->n + i] = s;
        }
        const float *rate = args->bufs[3];
        for (uint32_t i = 0; i < p->n_rates && p->sigmoid; i++)
            y[p->n + i] = gw_flush(gw_sigmoid(rate[gw_column_at(&p->rate, t * p->n_rates + i)]));
    }
}

const gw_op gw_op_ssm_gates = {.name = "ssm_gates",
                               .n_inputs_min = 3,
                               .n_inputs_max = 4,
                               .attrs = attrs,
                               .internal = true,
                               .raw_inputs = 6,
                               .strided_inputs = 9,
                               .infer = infer,
                               .launch = launch,
                               .n_items = n_items,
                               .reference = reference};
