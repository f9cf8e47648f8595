// Pack (layout): puts in front of each product what its weights' number format wants to read.
//
// Integer formats read int8 activations in groups of 32 (quantize_q8); float formats read rows that
// are a multiple of 8 floats long (pad_rows, only where they are not). Several products of one
// value share one packed copy.
#include "graph/op.h"

#include "base/status.h"

// A node that packs `value` with `op`, already there before node `at`?
static gw_value *packed_before(const gw_graph *graph, size_t at, const gw_op *op,
                               const gw_value *value) {
    for (size_t i = 0; i < at; i++) {
        const gw_node *node = graph->nodes.items[i];
        if (node->op == op && node->inputs[0] == value) return node->outputs[0];
    }
    return NULL;
}

godwit_status gw_pass_pack(gw_graph *graph, godwit_error *err) {
    for (size_t i = 0; i < graph->nodes.n; i++) {
        gw_node *node = graph->nodes.items[i];
        if (!node->op->packs_x || node->inputs[1]->dtype != GODWIT_F32) continue;
        const gw_format *format = node->inputs[0]->weight->format;
        gw_value *x = node->inputs[1];
        const gw_op *op = gw_format_is_float(format) ? &gw_op_pad_rows : &gw_op_quantize_q8;
        if (gw_format_is_float(format) && gw_value_row(x) % GW_FLOAT_UNIT == 0) continue;
        gw_value *packed = packed_before(graph, i, op, x);
        if (!packed) {
            godwit_status status =
                gw_graph_insert(graph, i, op, x->name, &x, 1, NULL, 0, &packed, err);
            if (status != GODWIT_OK) return status;
            i++;
        }
        node->inputs[1] = packed;
    }
    return GODWIT_OK;
}
