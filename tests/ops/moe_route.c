// moe_route against its reference, and the reference against plain softmaxes in double.
#include "support/rig.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct route {
    uint32_t n_experts, n_used, gate, normed;
    bool bias;
    uint32_t n_groups, n_groups_used;
} route;
static const route routes[] = {
    {1, 1, GW_MOE_SOFTMAX, 0, false, 0, 0},   {9, 5, GW_MOE_SOFTMAX, 0, true, 0, 0},
    {64, 8, GW_MOE_SOFTMAX, 1, false, 0, 0},  {32, 4, GW_MOE_SOFTMAX_USED, 0, false, 0, 0},
    {512, 32, GW_MOE_SIGMOID, 1, true, 0, 0}, {100, 6, GW_MOE_SIGMOID, 0, true, 1, 1},
    {256, 8, GW_MOE_SIGMOID, 1, true, 8, 4},  {160, 6, GW_MOE_SOFTMAX, 0, false, 8, 3},
    {64, 3, GW_MOE_SIGMOID, 1, false, 64, 5}, {9, 4, GW_MOE_SOFTMAX, 1, true, 3, 2},
};
enum { N_ROUTES = sizeof routes / sizeof *routes };

static void build(rig_case *c) {
    const route *r = c->user;
    const gw_moe_route_attrs attrs = {.n_used = r->n_used,
                                      .gate = r->gate,
                                      .normed = r->normed,
                                      .scale = 1.5f,
                                      .n_groups = r->n_groups,
                                      .n_groups_used = r->n_groups_used};
    uint64_t dims[2] = {3, r->n_experts};
    gw_value *in[2] = {rig_f32(c, "logits", 2, dims)};
    if (r->bias) in[1] = rig_weight(c, &gw_format_f32, 0, r->n_experts);
    rig_node(c, &gw_op_moe_route, in, r->bias ? 2 : 1, &attrs, sizeof attrs)->keep = true;
    c->graph.nodes.items[c->graph.nodes.n - 1]->outputs[1]->keep = true;
}

Test(ops, moe_route) {
    rig r;
    if (!rig_open(&r)) cr_skip_test("no Vulkan device");
    for (int i = 0; i < N_ROUTES; i++) {
        for (int fill = 0; fill < RIG_N_FILLS; fill++)
            rig_compare(&r, build, &routes[i], (rig_fill)fill, "moe_route");
        rig_compare_tunes(&r, build, &routes[i], RIG_NORMAL, "moe_route");
    }
    rig_close(&r);
}

// params as moe_route.comp has them.
static void route_with(uint32_t params[10], const float *logits, const float *bias, int32_t *ids,
                       float *weights) {
    const float one = 1.0f;
    memcpy(&params[6], &one, sizeof one);
    params[5] = bias != NULL;
    gw_reference_args args = {
        .params = params,
        .bufs = {(void *)(uintptr_t)logits, (void *)(uintptr_t)bias, ids, weights}};
    gw_reference(&gw_op_moe_route, &args);
}
static void route_one(uint32_t n, uint32_t used, uint32_t gate, uint32_t normed,
                      const float *logits, int32_t *ids, float *weights) {
    uint32_t params[10] = {1, n, used, gate, normed};
    route_with(params, logits, NULL, ids, weights);
}

Test(ops, moe_route_reference_is_top_k_of_a_softmax) {
    enum { N = 6, USED = 3 };
    static const float logits[N] = {0.5f, 2.0f, -1.0f, 2.0f, 0.25f, 1.0f};
    static const int32_t wanted[USED] = {1, 3, 5}; // of equals the first
    double e[N], all = 0, used = 0;
    for (int i = 0; i < N; i++) all += e[i] = exp((double)logits[i]);
    for (int j = 0; j < USED; j++) used += e[wanted[j]];
    for (uint32_t how = 0; how < 4; how++) {
        const uint32_t gate = how == 2 ? GW_MOE_SOFTMAX_USED : how == 3 ? GW_MOE_SIGMOID : 0;
        int32_t ids[USED];
        float weights[USED];
        route_one(N, USED, gate, how == 1, logits, ids, weights);
        for (int j = 0; j < USED; j++) {
            double want = e[wanted[j]] / (how == 0 ? all : used);
            if (how == 3) want = 1 / (1 + exp(-(double)logits[wanted[j]]));
            cr_assert_eq(ids[j], wanted[j]);
            cr_assert_float_eq(weights[j], want, 1e-6, "%u: %g, not %g", how, (double)weights[j],
                               want);
        }
    }
}

// Of groups the one with the largest sum of two sigmoids is taken, or with the largest softmax; a bias is added to
// what is compared, and not to weights.
Test(ops, moe_route_limits_groups_and_adds_a_bias_for_choosing) {
    static const float logits[6] = {3.0f, -4.0f, 1.0f, 1.5f, -1.0f, 2.0f};
    static const float bias[6] = {0.0f, 0.0f, 0.0f, 0.0f, 0.9f, 0.0f};
    static const struct {
        uint32_t gate;
        bool biased;
        int32_t wanted[2];
    } cases[] = {{GW_MOE_SIGMOID, false, {3, 2}},
                 {GW_MOE_SOFTMAX, false, {0, 1}},
                 {GW_MOE_SIGMOID, true, {4, 5}},
                 {GW_MOE_SOFTMAX, true, {4, 5}}};
    for (int i = 0; i < 4; i++) {
        uint32_t params[10] = {1, 6, 2, cases[i].gate, 0, 0, 0, 0, 3, 1};
        int32_t ids[2];
        float weights[2];
        double all = 0.0;
        route_with(params, logits, cases[i].biased ? bias : NULL, ids, weights);
        for (int k = 0; k < 6; k++) all += exp((double)logits[k]);
        for (int j = 0; j < 2; j++) {
            const double x = (double)logits[cases[i].wanted[j]];
            const double want = cases[i].gate == GW_MOE_SIGMOID ? 1 / (1 + exp(-x)) : exp(x) / all;
            cr_expect_eq(ids[j], cases[i].wanted[j], "%d: %d, not %d", i, ids[j],
                         cases[i].wanted[j]);
            cr_expect_float_eq(weights[j], want, 1e-6);
        }
    }
}

// Whatever the logits are, each place is taken by an expert that there is, once.
Test(ops, moe_route_chooses_among_what_is_no_number) {
    const float logits[4] = {NAN, 1.0f, -NAN, INFINITY};
    int32_t ids[4];
    float weights[4];
    route_one(4, 4, GW_MOE_SOFTMAX, 1, logits, ids, weights);
    uint32_t seen = 0;
    for (int j = 0; j < 4; j++) {
        cr_assert(ids[j] >= 0 && ids[j] < 4);
        seen |= 1u << ids[j];
    }
    cr_assert_eq(seen, 15u);
}
