// ssm_gates: what a head's state decays by at a token, and the rate at which it takes up what is new
//   dt: [n_tok, n] f32; A, bias: [n] f32 constants; rate: as dt, or missing; y: [n_tok, 2 n] f32: first the
//   decays, then the rates
// s = flush(softplus(flush(dt + bias))); decay = flush(e^flush(A * s)); the rate is flush(sigmoid(rate)),
// or s where that is missing. Source: Gu and Dao, "Mamba", 2023; Yang et al., "Gated Delta Networks", 2024.
#include "ops/recurrent.h"

#include "base/exact_math.h"

static bool is_heads(const gw_value *v, uint64_t n) {
    return gw_is_f32_rows(v) && gw_value_n_elements(v) == n;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *dt = node->inputs[0], *a = node->inputs[1], *bias = node->inputs[2];
    const gw_value *rate = node->n_inputs > 3 ? node->inputs[3] : NULL;
    GW_OP_CHECK(node, dt->dtype == GODWIT_F32 && dt->n_dims >= 2 && !dt->weight, err,
                "dt is not rows of f32");
    const uint64_t n = gw_value_n_elements(dt) / dt->dims[0];
    GW_OP_CHECK(node, is_heads(a, n) && is_heads(bias, n), err,
                "A and bias are not a f32 for each of %llu heads", (unsigned long long)n);
    GW_OP_CHECK(node,
                !rate ||
                    (rate->dtype == GODWIT_F32 && !rate->weight && rate->dims[0] == dt->dims[0] &&
                     gw_value_n_elements(rate) == gw_value_n_elements(dt)),
                err, "rate is not as dt");
    GW_OP_CHECK(node, gw_value_n_elements(dt) < UINT32_MAX / 2, err, "2^31 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = 2, .dims = {dt->dims[0], 2 * n}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_value *y = node->outputs[0], *rate = node->n_inputs > 3 ? node->inputs[3] : NULL;
    const uint32_t lanes = plan->tune.elem_lanes;
    gw_ssm_gates_params params = {
        .n = (uint32_t)(y->dims[1] / 2), .n_tok = (uint32_t)y->dims[0], .sigmoid = rate != NULL};
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
        float *y = (float *)args->bufs[4] + t * 2 * p->n;
        for (uint32_t h = 0; h < p->n; h++) {
            const uint64_t at = t * p->n + h;
            const float x = gw_flush(dt[gw_column_at(&p->dt, at)] + bias[h]);
            float s = gw_flush(gw_softplus(x));
            y[h] = gw_flush(gw_exp(gw_flush(a[h] * s)));
            if (p->sigmoid) {
                const float *rate = args->bufs[3];
                s = gw_flush(gw_sigmoid(rate[gw_column_at(&p->rate, at)]));
            }
            y[p->n + h] = s;
        }
    }
}

const gw_op gw_op_ssm_gates = {.name = "ssm_gates",
                               .n_inputs_min = 3,
                               .n_inputs_max = 4,
                               .internal = true,
                               .raw_inputs = 6,
                               .strided_inputs = 9,
                               .infer = infer,
                               .launch = launch,
                               .n_items = n_items,
                               .reference = reference};
