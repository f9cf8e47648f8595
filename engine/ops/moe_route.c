// moe_route: chooses n_used experts for each token and how much each of them counts
//   logits: [n_tok, n_experts] f32; bias (optional): [n_experts] f32, added to sigmoids or to the softmax of all for
//   choosing alone
//   ids: [n_tok, n_used] i32, the likeliest first, of equals the first; weights: [n_tok, n_used] f32
// gate: what the weights are: SOFTMAX of all logits; SOFTMAX_USED of those chosen; SIGMOID of each.
// normed: each is divided by the sum of those chosen, added in their order. Then times scale.
// n_groups (0 or 1: none): experts are in so many groups, side by side; those used are of the n_groups_used groups
// with the largest scores, of equals the first. A group's score is its largest choice, with SIGMOID the sum of its two
// largest.
// Sources: Shazeer et al., "Outrageously Large Neural Networks", 2017; Mixtral (arXiv 2401.04088);
// DeepSeek-V3 (arXiv 2412.19437), 2.1.2 for SIGMOID and bias; DeepSeek-V2 (arXiv 2405.04434), 2.2.2 for groups.
#include "ops/moe.h"

#include "base/exact_math.h"
#include "ops/ops.h"

#include <stddef.h>

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_moe_route_attrs *a = (const void *)node->attrs;
    const gw_value *logits = node->inputs[0];
    const gw_value *bias = node->n_inputs > 1 ? node->inputs[1] : NULL;
    GW_OP_CHECK(node, logits->dtype == GODWIT_F32 && logits->n_dims == 2 && !logits->weight, err,
                "logits are not rows of f32");
    const uint64_t n = logits->dims[1];
    GW_OP_CHECK(node, n >= 1 && n <= GW_MOE_MAX_EXPERTS, err, "%llu experts; at most %d",
                (unsigned long long)n, GW_MOE_MAX_EXPERTS);
    GW_OP_CHECK(node, a->n_used >= 1 && a->n_used <= n && a->n_used <= GW_MOE_MAX_USED, err,
                "%u experts used of %llu; 1 to %d", a->n_used, (unsigned long long)n,
                GW_MOE_MAX_USED);
    GW_OP_CHECK(node, a->gate <= GW_MOE_SIGMOID, err, "gate %u", a->gate);
    GW_OP_CHECK(node,
                a->n_groups <= GW_MOE_MAX_GROUPS && a->n_groups_used <= a->n_groups &&
                    (!a->n_groups ||
                     (n % a->n_groups == 0 && n / a->n_groups * a->n_groups_used >= a->n_used)),
                err, "%u of %u groups of experts", a->n_groups_used, a->n_groups);
    GW_OP_CHECK(node, !bias || a->gate != GW_MOE_SOFTMAX_USED, err, "a bias, of no softmax");
    GW_OP_CHECK(node, !bias || gw_value_n_elements(bias) == n, err,
                "the bias is not one number an expert");
    out[0] = (gw_value){.dtype = GODWIT_I32, .n_dims = 2, .dims = {logits->dims[0], a->n_used}};
    out[1] = out[0];
    out[1].dtype = GODWIT_F32;
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_moe_route_attrs *a = (const void *)node->attrs;
    const gw_value *logits = node->inputs[0];
    const gw_value *bias = node->n_inputs > 1 ? node->inputs[1] : NULL;
    // At least so many that no lane's loops come near the rounds at which llvmpipe ends them (docs/QUIRKS.md).
    enum { LEAST_LANES = 32 };
    const uint32_t wanted = plan->tune.elem_lanes;
    const uint32_t lanes = wanted < LEAST_LANES ? LEAST_LANES : wanted;
    gw_moe_route_params params = {.n_tok = (uint32_t)logits->dims[0],
                                  .n_experts = (uint32_t)logits->dims[1],
                                  .n_used = a->n_used,
                                  .gate = a->gate,
                                  .normed = a->normed,
                                  .has_bias = bias != NULL,
                                  .scale = a->scale,
                                  .n_groups = a->n_groups,
                                  .n_groups_used = a->n_groups_used};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, logits, false);
    gw_launch_bind_f32(launch, bias ? bias : logits, false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_bind(launch, node->outputs[1], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    gw_launch_grid(launch, &plan->tune, params.n_tok);
    params.groups_x = launch->groups[0];
    memcpy(launch->params, &params, sizeof params);
    return GODWIT_OK;
}

typedef struct routed {
    float value[GW_MOE_MAX_EXPERTS]; // what weights are made of
    uint32_t key[GW_MOE_MAX_EXPERTS];
} routed;

static void weigh(const gw_moe_route_params *p, const float *logits, const float *bias,
                  routed *out) {
    float max = logits[0];
    for (uint32_t i = 1; i < p->n_experts; i++)
        if (gw_moe_key(logits[i]) > gw_moe_key(max)) max = logits[i];
    float sum = 0.0f;
    for (uint32_t i = 0; i < p->n_experts; i++) {
        out->value[i] =
            p->gate == GW_MOE_SIGMOID ? gw_flush(gw_sigmoid(logits[i])) : gw_exp(logits[i] - max);
        sum = sum + out->value[i];
    }
    for (uint32_t i = 0; i < p->n_experts; i++) {
        float score = p->gate == GW_MOE_SIGMOID ? out->value[i] : logits[i];
        if (p->has_bias && p->gate == GW_MOE_SOFTMAX)
            score = gw_flush(gw_div(gw_flush(out->value[i]), gw_flush(sum)));
        if (p->has_bias) score = gw_flush(score + bias[i]);
        out->key[i] = gw_moe_key(score);
    }
}

static float score_of(uint32_t key) {
    return gw_from_bits(key >> 31 ? key & 0x7fffffffu : ~key);
}

void gw_moe_limit_groups(const gw_moe_route_params *p, uint32_t *keys) {
    uint32_t groups[GW_MOE_MAX_GROUPS], n = p->n_experts / (p->n_groups ? p->n_groups : 1);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t first = 0, second = 0;
        for (uint32_t i = g * n; i < g * n + n; i++) {
            const uint32_t key = keys[i], less = key < first ? key : first;
            first = key > first ? key : first;
            second = less > second ? less : second;
        }
        const bool two = p->gate == GW_MOE_SIGMOID && n > 1;
        groups[g] = two ? gw_moe_key(gw_flush(score_of(first) + score_of(second))) : first;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t rank = 0;
        for (uint32_t k = 0; k < p->n_groups; k++)
            rank += groups[k] > groups[g] || (groups[k] == groups[g] && k < g);
        for (uint32_t i = g * n; i < g * n + n && rank >= p->n_groups_used; i++) keys[i] = 0;
    }
}

void gw_moe_weigh_used(const gw_moe_route_params *p, const float *values, const int32_t *ids,
                       float *weights) {
    float sum = 0.0f;
    const bool of_used = p->normed || p->gate == GW_MOE_SOFTMAX_USED;
    for (uint32_t j = 0; j < p->n_used && of_used; j++) sum = sum + values[ids[j]];
    if (!of_used && p->gate == GW_MOE_SOFTMAX)
        for (uint32_t i = 0; i < p->n_experts; i++) sum = sum + values[i];
    for (uint32_t j = 0; j < p->n_used; j++) {
        float w = values[ids[j]];
        if (of_used || p->gate == GW_MOE_SOFTMAX) w = gw_div(gw_flush(w), gw_flush(sum));
        weights[j] = gw_flush(w * p->scale);
    }
}

static void route(const gw_moe_route_params *p, const float *logits, const float *bias,
                  int32_t *ids, float *weights) {
    routed r;
    weigh(p, logits, bias, &r);
    if (p->n_groups > 1) gw_moe_limit_groups(p, r.key);
    for (uint32_t i = 0; i < p->n_experts; i++) {
        uint32_t rank = 0;
        for (uint32_t k = 0; k < p->n_experts; k++)
            rank += r.key[k] > r.key[i] || (r.key[k] == r.key[i] && k < i);
        if (rank < p->n_used) ids[rank] = (int32_t)i;
    }
    gw_moe_weigh_used(p, r.value, ids, weights);
}

static uint64_t n_items(const void *params) {
    return ((const gw_moe_route_params *)params)->n_tok;
}

static void reference(const gw_reference_args *args) {
    const gw_moe_route_params *p = args->params;
    for (uint64_t t = args->first; t < args->end; t++) {
        route(p, (const float *)args->bufs[0] + t * p->n_experts, args->bufs[1],
              (int32_t *)args->bufs[2] + t * p->n_used, (float *)args->bufs[3] + t * p->n_used);
    }
}

static const gw_attr_row attrs[] = {
    {"n_used", GW_ATTR_U32, offsetof(gw_moe_route_attrs, n_used), 0},
    {"gate", GW_ATTR_U32, offsetof(gw_moe_route_attrs, gate), 0},
    {"normed", GW_ATTR_U32, offsetof(gw_moe_route_attrs, normed), 0},
    {"scale", GW_ATTR_F32, offsetof(gw_moe_route_attrs, scale), 1},
    {"n_groups", GW_ATTR_U32, offsetof(gw_moe_route_attrs, n_groups), 0},
    {"n_groups_used", GW_ATTR_U32, offsetof(gw_moe_route_attrs, n_groups_used), 0},
    {NULL, GW_ATTR_U32, 0, 0},
};

const gw_op gw_op_moe_route = {.name = "moe_route",
                               .n_inputs_min = 1,
                               .n_inputs_max = 2,
                               .internal = true,
                               .raw_inputs = 1u << 1,
                               .one_raw_row = true,
                               .attrs = attrs,
                               .infer = infer,
                               .launch = launch,
                               .n_items = n_items,
                               .reference = reference};
