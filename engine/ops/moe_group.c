// moe_group: sorts pairs of a token and an expert by expert, in tiles, for moe_matmul of many tokens
//   ids: [n_tok, n_used] i32, clamped to the experts there are
//   groups: [n_tiles, 1 + tile] i32: of each tile its expert, then pairs (t * n_used + j) of it, in their order; -1
//   where there is none, and for the expert of tiles that are left over
// An expert's tiles follow one another and are full but for the last one.
#include "ops/moe.h"

#include "ops/ops.h"

static uint64_t n_tiles(uint64_t n_pairs, const gw_moe_group_attrs *a) {
    const uint64_t some = n_pairs < a->n_experts ? n_pairs : a->n_experts;
    return (n_pairs + some * (a->tile - 1)) / a->tile;
}

static godwit_status infer(const gw_node *node, gw_value *out, godwit_error *err) {
    const gw_moe_group_attrs *a = (const void *)node->attrs;
    const gw_value *ids = node->inputs[0];
    GW_OP_CHECK(node, ids->dtype == GODWIT_I32 && ids->n_dims == 2 && !ids->weight, err,
                "ids are not [n_tok, n_used] i32");
    GW_OP_CHECK(node, a->n_experts >= 1 && a->n_experts <= GW_MOE_MAX_EXPERTS, err,
                "%u experts; at most %d", a->n_experts, GW_MOE_MAX_EXPERTS);
    GW_OP_CHECK(node, a->tile >= 1 && a->tile <= GW_MOE_MAX_TILE, err, "tiles of %u; at most %d",
                a->tile, GW_MOE_MAX_TILE);
    const uint64_t n_pairs = gw_value_n_elements(ids);
    GW_OP_CHECK(node, n_pairs <= GW_MOE_MAX_PAIRS, err, "%llu pairs; at most %d",
                (unsigned long long)n_pairs, GW_MOE_MAX_PAIRS);
    *out = (gw_value){
        .dtype = GODWIT_I32, .n_dims = 2, .dims = {n_tiles(n_pairs, a), 1 + (uint64_t)a->tile}};
    return GODWIT_OK;
}

static godwit_status launch(gw_plan *plan, const gw_node *node, godwit_error *err) {
    const gw_moe_group_attrs *a = (const void *)node->attrs;
    // So many that no lane's loops come near the rounds at which llvmpipe ends them (docs/QUIRKS.md).
    const uint32_t lanes = 128;
    gw_moe_group_params params = {.n_pairs = (uint32_t)gw_value_n_elements(node->inputs[0]),
                                  .n_experts = a->n_experts,
                                  .tile = a->tile,
                                  .n_tiles = (uint32_t)node->outputs[0]->dims[0]};
    GW_OP_LAUNCH(launch, plan, node, params);
    gw_launch_bind(launch, node->inputs[0], false);
    gw_launch_bind(launch, node->outputs[0], true);
    gw_launch_spec(launch, lanes, 0, &lanes);
    return GODWIT_OK;
}

static void reference(const gw_reference_args *args) {
    const gw_moe_group_params *p = args->params;
    const uint32_t *ids = args->bufs[0];
    uint32_t *groups = args->bufs[1], at = 0;
    for (uint64_t i = 0; i < (uint64_t)p->n_tiles * (1 + p->tile); i++) groups[i] = GW_MOE_NONE;
    for (uint32_t e = 0; e < p->n_experts; e++) {
        uint32_t n = 0; // in the tile at hand
        for (uint32_t i = 0; i < p->n_pairs; i++) {
            if ((ids[i] < p->n_experts ? ids[i] : p->n_experts - 1) != e) continue;
            uint32_t *tile = groups + (uint64_t)at * (1 + p->tile);
            tile[0] = e;
            tile[1 + n] = i;
            if (++n < p->tile) continue;
            n = 0;
            at++;
        }
        if (n) at++;
    }
}

const gw_op gw_op_moe_group = {.name = "moe_group",
                               .n_inputs_min = 1,
                               .n_inputs_max = 1,
                               .internal = true,
                               .infer = infer,
                               .launch = launch,
                               .reference = reference};
