// Gated: see gated.h.
#include "ops/gated.h"

#include "ops/ops.h"
#include "ops/q8_act.h"

godwit_status gw_gated_infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_value *gate = node->inputs[0], *up = node->inputs[1];
    GW_OP_CHECK(node, gate->dtype == GODWIT_F32 && up->dtype == GODWIT_F32, err,
                "operands are not both f32");
    GW_OP_CHECK(node, !gate->weight && !up->weight, err, "operands are constants");
    GW_OP_CHECK(node, gate->n_dims == up->n_dims && !memcmp(gate->dims, up->dims, sizeof up->dims),
                err, "gate and up have different shapes");
    GW_OP_CHECK(node, gw_value_n_elements(gate) < UINT32_MAX, err, "2^32 elements or more");
    *out = (gw_value){.dtype = GODWIT_F32, .n_dims = gate->n_dims};
    memcpy(out->dims, gate->dims, sizeof out->dims);
    return GODWIT_OK;
}

godwit_status gw_gated_launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    return gw_gated_launch_with(plan, node, NULL, 0, err);
}

godwit_status gw_gated_launch_with(gw_plan *plan, const gw_node *node, const void *more,
                                   size_t more_bytes, godwit_error *err) {
    const gw_value *y = node->outputs[0];
    uint32_t lanes = plan->tune.elem_lanes;
    bool quantize = y->dtype == GW_DTYPE_Q8_ACT;
    gw_gated_params params = {.n = (uint32_t)(gw_value_n_elements(y) / (quantize ? 32 : 1)),
                              .quantize = quantize};
    uint8_t all[sizeof(gw_swiglu_clamp_params)]; // the longest
    if (more_bytes > sizeof all - sizeof params)
        return GW_BUG(err, "gated: %zu bytes of parameters more", more_bytes);
    memcpy(all, &params, sizeof params);
    if (more_bytes) memcpy(all + sizeof params, more, more_bytes);
    gw_launch *launch = gw_plan_launch(plan, node, all, sizeof params + more_bytes);
    if (!launch) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: plan");
    gw_launch_bind_columns(launch, node->inputs[0], &params.gate);
    gw_launch_bind_columns(launch, node->inputs[1], &params.up);
    if (quantize) {
        gw_launch_bind_q8_act(launch, y, true);
    } else {
        gw_launch_bind(launch, y, true);
        gw_launch_bind(launch, y, true);
    }
    uint32_t spec[3] = {quantize, quantize ? gw_q8_group_lanes(&plan->tune, lanes) : 1, lanes};
    gw_launch_spec(launch, lanes, 3, spec);
    gw_launch_grid(launch, &plan->tune, gw_div_up((uint64_t)params.n * spec[1], lanes));
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

uint64_t gw_gated_n_items(const void *params) {
    const gw_gated_params *p = params;
    return p->n;
}

void gw_gated_reference_of(const gw_reference_args *args,
                           float (*of)(const void *user, float gate, float up), const void *user) {
    const gw_gated_params *p = args->params;
    const float *gate = args->bufs[0], *up = args->bufs[1];
    for (uint64_t i = args->first; i < args->end && !p->quantize; i++) {
        float a = gate[gw_column_at(&p->gate, i)], b = up[gw_column_at(&p->up, i)];
        ((float *)args->bufs[2])[i] = of(user, a, b);
    }
    for (uint64_t g = args->first; g < args->end && p->quantize; g++) {
        const float *a = gate + gw_column_at(&p->gate, g * 32);
        const float *b = up + gw_column_at(&p->up, g * 32);
        float v[32];
        for (int k = 0; k < 32; k++) v[k] = of(user, a[k], b[k]);
        ((float *)args->bufs[3])[g] = gw_q8_pack(v, (int8_t *)args->bufs[2] + g * 32);
    }
}

typedef struct activation {
    float (*act)(float x);
} activation;

static float act_times_up(const void *user, float gate, float up) {
    return gw_flush(((const activation *)user)->act(gate) * up);
}

void gw_gated_reference(const gw_reference_args *args, float (*act)(float x)) {
    gw_gated_reference_of(args, act_times_up, &(activation){act});
}
