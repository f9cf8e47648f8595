// Dead values: removes nodes that nothing kept depends on.
// A node lives when an output of it is kept (a graph's output), or it writes state, or a living node
// reads an output of it. One walk from the back.
#include "graph/op.h"

static bool is_read(const gw_graph *graph, size_t after, const gw_value *value) {
    for (size_t i = after; i < graph->nodes.n; i++) {
        const gw_node *reader = graph->nodes.items[i];
        for (uint32_t k = 0; k < reader->n_inputs; k++) {
            if (reader->inputs[k] && gw_value_root(reader->inputs[k]) == value) return true;
        }
    }
    return false;
}

godwit_status gw_pass_dead(gw_graph *graph, godwit_error *err) {
    (void)err;
    for (size_t i = graph->nodes.n; i-- > 0;) {
        const gw_node *node = graph->nodes.items[i];
        bool used = !node->outputs[0] || node->op->writes_inputs;
        for (uint32_t k = 0; k < GW_MAX_OUTPUTS && node->outputs[k] && !used; k++) {
            const gw_value *y = node->outputs[k];
            used = y->keep || y->kind != GW_VALUE_COMPUTED || is_read(graph, i + 1, y);
        }
        if (!used) gw_graph_remove(graph, i);
    }
    return GODWIT_OK;
}
