// Gates: what attention's result is multiplied by in some families, made of what attention reads.
//
//   y *= f(W x)      f: sigmoid or softplus; W gives a number for each of y, or one for each head
#include "arch/blocks.h"

#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

// softplus(g), as the rate of ssm_gates, whose other half is not read: columns of two.
static godwit_status softplus(gw_builder *b, const gw_attn_gate *gate, gw_value **g) {
    godwit_status status = GODWIT_OK;
    gw_value *inputs[3] = {*g, NULL, NULL}, *both = NULL;
    GW_TRY(gw_graph_weight(b->graph, gate->zeros, &inputs[1], b->err));
    inputs[2] = inputs[1];
    GW_TRY(gw_block_node(b, &gw_op_ssm_gates, "attn_softplus", inputs, 3, NULL, 0, &both));
    GW_TRY(gw_graph_columns(b->graph, both, gate->w.n_rows, gate->w.n_rows, g, b->err));
done:
    return status;
}

// What each head is multiplied by, [n_tok * n_head, 1]: a softplus, or the sigmoid of a router of one.
static godwit_status of_heads(gw_builder *b, const gw_attn_gate *gate, gw_value **g) {
    godwit_status status = GODWIT_OK;
    const gw_moe_route_attrs attrs = {.n_used = 1, .gate = GW_MOE_SIGMOID, .scale = 1.0f};
    const uint64_t dims[2] = {(uint64_t)b->io->n_tok * gate->w.n_rows, 1};
    gw_value *routed[2];
    if (gate->zeros) {
        GW_TRY(softplus(b, gate, g));
        GW_TRY(gw_block_node(b, &gw_op_concat, "attn_gates", g, 1, NULL, 0, g)); // dense
    }
    GW_TRY(gw_graph_reshape(b->graph, *g, 2, dims, g, b->err));
    if (gate->zeros) goto done;
    GW_TRY(gw_block_node(b, &gw_op_moe_route, "attn_gates", g, 1, &attrs, sizeof attrs, routed));
    *g = routed[1];
done:
    return status;
}

godwit_status gw_block_attn_gate(gw_builder *b, const gw_attn_gate *gate, gw_normed x,
                                 gw_value **y) {
    godwit_status status = GODWIT_OK;
    const gw_layer_hparams *h = &b->def->h.layers[b->layer];
    const uint64_t flat[2] = {(*y)->dims[0], (*y)->dims[1]};
    const uint64_t heads[3] = {flat[0] * h->n_head, 1, flat[1] / h->n_head};
    gw_value *both[2] = {NULL, *y};
    GW_TRY(gw_block_linear(b, "attn_gate", &gate->w, x, &both[0]));
    if (gate->w.n_rows != flat[1]) {
        GW_TRY(of_heads(b, gate, &both[0]));
        GW_TRY(gw_graph_reshape(b->graph, *y, 3, heads, &both[1], b->err));
        gw_value *sum[2] = {both[1], both[0]};
        GW_TRY(gw_block_node(b, &gw_op_moe_sum, "attn_gated", sum, 2, NULL, 0, y));
        GW_TRY(gw_graph_reshape(b->graph, *y, 2, flat, y, b->err));
        goto done;
    }
    if (!gate->zeros)
        return gw_block_node(b, &gw_op_sigmoid_mul, "attn_gated", both, 2, NULL, 0, y);
    GW_TRY(softplus(b, gate, &both[0]));
    GW_TRY(gw_block_node(b, &gw_op_mul, "attn_gated", both, 2, NULL, 0, y));
done:
    return status;
}
