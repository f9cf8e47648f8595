// Fuse: fewer launches, the same bits.
//
//   producer + quantize_q8  ->  producer that writes q8_act   (ops that write q8_act)
//   matmul + add            ->  matmul with its third input, the residual
// Each needs the value in between to have that one reader. What is fused is the same arithmetic on
// the same stored (flushed) values, so results do not change.
#include "graph/op.h"

static uint32_t n_readers(const gw_graph *graph, const gw_value *value) {
    uint32_t n = 0;
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const gw_node *node = graph->nodes.items[i];
        for (uint32_t k = 0; k < node->n_inputs; k++) {
            n += node->inputs[k] && gw_value_root(node->inputs[k]) == value;
        }
    }
    return n;
}

// Index of the node before `end` that makes value; end when none (or through a view).
static size_t producer_of(const gw_graph *graph, size_t end, const gw_value *value) {
    for (size_t i = 0; i < end; i++) {
        if (gw_node_makes(graph->nodes.items[i], value)) return i;
    }
    return end;
}

static bool can_quantize(const gw_node *node) {
    if (node->op != &gw_op_attention) return node->op->writes_q8;
    // A head must be whole groups, since one workgroup makes one head.
    return node->outputs[0]->dims[1] / node->inputs[0]->dims[1] % 32 == 0;
}

static bool fuse_quantize(gw_graph *graph, size_t at) {
    gw_node *node = graph->nodes.items[at];
    if (node->op != &gw_op_quantize_q8) return false;
    gw_value *x = node->inputs[0];
    size_t from = producer_of(graph, at, x);
    if (from == at || x->keep || x->kind != GW_VALUE_COMPUTED || n_readers(graph, x) != 1 ||
        !can_quantize(graph->nodes.items[from])) {
        return false;
    }
    graph->nodes.items[from]->outputs[0] = node->outputs[0];
    gw_graph_remove(graph, at);
    return true;
}

static bool fuse_residual(gw_graph *graph, size_t at) {
    gw_node *node = graph->nodes.items[at];
    if (node->op != &gw_op_add) return false;
    for (uint32_t side = 0; side < 2; side++) {
        gw_value *y = node->inputs[side], *residual = node->inputs[1 - side];
        size_t from = producer_of(graph, at, y);
        if (from == at || y->keep || y->kind != GW_VALUE_COMPUTED || n_readers(graph, y) != 1) {
            continue;
        }
        gw_node *matmul = graph->nodes.items[from];
        bool same = gw_value_n_elements(y) == gw_value_n_elements(residual);
        // A bias is a constant, which a product does not read as its residual.
        bool free = matmul->op == &gw_op_matmul && (matmul->n_inputs < 3 || !matmul->inputs[2]);
        if (!free || !same || residual->weight || gw_value_is_strided(residual)) continue;
        // The residual must exist before the product runs.
        size_t made = producer_of(graph, at, gw_value_root(residual));
        if (made != at && made > from) continue;
        matmul->inputs[2] = residual;
        if (matmul->n_inputs < 3) matmul->n_inputs = 3;
        matmul->outputs[0] = node->outputs[0];
        gw_graph_remove(graph, at);
        return true;
    }
    return false;
}

godwit_status gw_pass_fuse(gw_graph *graph, godwit_error *err) {
    (void)err;
    for (size_t i = 0; i < graph->nodes.n;) {
        if (!fuse_quantize(graph, i) && !fuse_residual(graph, i)) i++;
    }
    return GODWIT_OK;
}
